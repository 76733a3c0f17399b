"""The JSON-Schema-Test-Suite, each test as a verdict of the matcher; outcomes in `expected/`.

The suite lies in ``json-schema-test-suite`` of the folder that STRUCTGEN_SHARED names; without it these
tests are skipped. A schema that names no ``$schema`` is given the one of its draft, which is what the suite
expects of its users. Values are written as compact text.

Where the suite holds that ``format`` is an annotation (`format.json` of the required tests) it is run with
``formats="annotate"``; everywhere else with the default, "assert", which is what its optional tests ask.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .ratchet import SHARED, Names, counted, hold, outcome, verdicts

SUITE = SHARED / "json-schema-test-suite"
DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}

pytestmark = pytest.mark.skipif(
    not SUITE.exists(), reason=f"no {SUITE}; set STRUCTGEN_SHARED to the folder that has it"
)


@cache
def remotes() -> dict[str, Any]:
    """The documents that the suite's schemas refer to, under the addresses that they use."""
    root = SUITE / "remotes"
    return {
        f"http://localhost:1234/{path.relative_to(root).as_posix()}": json.loads(path.read_text("utf-8"))
        for path in sorted(root.rglob("*.json"))
    }


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def outcomes(draft: str, path: Path) -> Iterator[tuple[Names, str]]:
    """The name and the outcome of each test in a file."""
    seen: Counter[Names] = Counter()

    def once(*names: str) -> Names:
        seen[names] += 1
        return names if seen[names] == 1 else (*names[:-1], f"{names[-1]} ({seen[names]})")

    for group in json.loads(path.read_text("utf-8")):
        schema = group["schema"]
        if isinstance(schema, dict) and "$schema" not in schema:
            schema = {"$schema": DRAFTS[draft], **schema}
        annotated = path.name == "format.json" and path.parent.name == draft
        accepts = verdicts(
            schema,
            compact,
            whitespace="compact",
            registry=remotes(),
            formats="annotate" if annotated else "assert",
        )
        names = once(group["description"])
        for test in group["tests"]:
            yield once(*names, test["description"]), outcome(accepts, test["data"], test["valid"])


def test_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[Names, str] = {}
    for draft in DRAFTS:
        for folder in ("", "optional", "optional/format"):
            paths = sorted((SUITE / "tests" / draft / folder).glob("*.json"))
            assert paths
            part = {
                (draft, folder or "required", path.name, *names): result
                for path in paths
                for names, result in outcomes(draft, path)
            }
            found.update(part)
            with capsys.disabled():
                print(f"\n{draft} {folder or 'required'}: {counted(part.values())}", end="")
    hold("json_schema_test_suite", found)
