"""Real schemas with their instances: a schema's outcome is the worst of its instances'; in `expected/`.

The data lies in ``maskbench`` of the folder that STRUCTGEN_SHARED names; without it these tests are skipped.
Instances are written as json.dumps(data, ensure_ascii=False) writes them. Verdicts are those of a vocabulary
of bytes; on a sample a real tokenizer's tokens are taken one by one under their masks, which has to come to
the same.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import structgen as sg

from .ratchet import OUTCOMES, PASS, SHARED, UNSUPPORTED, Names, counted, hold, outcome, verdicts

DATA = SHARED / "maskbench" / "dev.jsonl.gz"
EXHAUSTIVE = os.environ.get("STRUCTGEN_EXHAUSTIVE") == "1"
EVERY = 4 if EXHAUSTIVE else 60  # one schema in so many is tried with a real tokenizer, too
TOKENIZER = Path(os.environ.get("STRUCTGEN_TOKENIZERS", "")) / "llama3_1"

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason=f"no {DATA}; set STRUCTGEN_SHARED to the folder that has it"
)


def cases() -> Iterator[dict[str, Any]]:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[Names, str] = {}
    instances: Counter[str] = Counter()
    for case in cases():
        accepts = verdicts(case["schema"], dumped)
        results = [outcome(accepts, test["data"], test["valid"]) for test in case["tests"]]
        instances.update(results)
        unused = UNSUPPORTED if accepts is None else PASS  # where there is no instance
        found[(case["id"],)] = max(results, key=OUTCOMES.index, default=unused)
    with capsys.disabled():
        print(f"\nschemas: {counted(found.values())}; instances: {counted(instances.elements())}", end="")
    hold("maskbench", found)


@pytest.mark.skipif(not TOKENIZER.exists(), reason="STRUCTGEN_TOKENIZERS names no folder with llama3_1")
def test_masks_of_real_tokens_say_the_same() -> None:
    """And schemas as text, which kernels read, say what the same values do."""
    vocabulary = sg.Vocabulary.from_huggingface(TOKENIZER)
    bitmask = sg.allocate_token_bitmask(1, vocabulary.size)
    taken = 0
    for case in list(cases())[::EVERY]:
        accepts = verdicts(case["schema"], dumped)
        if accepts is None:
            continue
        try:
            compiled = sg.compile(sg.Grammar.from_json_schema(json.dumps(case["schema"])), vocabulary)
        except sg.UnsatisfiableError:
            continue
        for test in case["tests"][:4]:
            matcher, allowed = compiled.matcher(), True
            for token in [*vocabulary.encode(dumped(test["data"]).encode()), vocabulary.stop_token_ids[0]]:
                matcher.fill_next_token_bitmask(bitmask)
                allowed = bool(bitmask[0, token >> 5].view(np.uint32) >> np.uint32(token & 31) & 1)
                assert matcher.accept_token(token) == allowed, (case["id"], token)
                if not allowed:
                    break
            assert allowed == accepts(test["data"]), (case["id"], test)
            taken += 1
    assert taken > 50
