"""Real schemas with their instances: what is taken accepts the valid ones and refuses the others.

The data lies beside the checkout (``STRUCTGEN_SHARED``, by default ``../shared``); without it the tests are
skipped. One schema in twelve is tried, so that the suite stays quick.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from structgen.errors import LimitExceededError, SchemaError, UnsupportedKeywordError
from structgen.frontends.json_schema import schema_to_ir

from .ir_recogniser import accepts

SHARED = Path(os.environ.get("STRUCTGEN_SHARED", Path(__file__).parents[2].parent / "shared"))
DATA = SHARED / "maskbench" / "dev.jsonl.gz"
EVERY = 12
LONGEST = 3000  # characters of an instance; the recogniser is slow


def _sample() -> Iterator[dict[str, Any]]:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            if i % EVERY == 0:
                yield json.loads(line)


@pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}; set STRUCTGEN_SHARED to the folder that has it")
def test_instances_of_real_schemas() -> None:
    taken, refused, wrong = 0, [], []
    for case in _sample():
        try:
            ir, _ = schema_to_ir(case["schema"])
        except (UnsupportedKeywordError, LimitExceededError):
            refused.append(case["id"])
            continue
        except SchemaError as error:
            # A schema that nothing satisfies has no valid instance.
            wrong += [(case["id"], str(error)) for test in case["tests"] if test["valid"]]
            continue
        taken += 1
        for i, test in enumerate(case["tests"]):
            text = json.dumps(test["data"], ensure_ascii=False)
            if len(text) <= LONGEST and accepts(ir, text) != test["valid"]:
                wrong.append((case["id"], i))
    assert not wrong
    assert len(refused) <= 0.08 * (taken + len(refused)), refused
