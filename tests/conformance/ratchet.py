"""Outcomes of a conformance suite, held against the ones that are committed.

An outcome is one of `OUTCOMES`, best first: a schema that is refused with a clear error comes before one that
refuses a valid value, and worst is the one that lets an invalid value through, since that breaks the promise.
The file under `expected/` names what does not pass; what it does not name has to. Anything worse than the
file fails. Anything better fails, too, until it is recorded::

    STRUCTGEN_RECORD=1 pytest tests/conformance

which writes the better outcomes and leaves the worse ones to be mended, or to be changed by hand and with a
reason. So progress is seen in the file's history, and is not lost.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structgen as sg

PASS, UNSUPPORTED, TOO_STRICT, TOO_LOOSE = OUTCOMES = ("pass", "unsupported", "too strict", "too loose")
SHARED = pathlib.Path(os.environ.get("STRUCTGEN_SHARED", pathlib.Path(__file__).parents[2].parent / "shared"))
EXPECTED = pathlib.Path(__file__).parent / "expected"
RECORD = os.environ.get("STRUCTGEN_RECORD") == "1"
BYTES = sg.Vocabulary([bytes([byte]) for byte in range(256)] + [None], stop_token_ids=[256])

Verdict = Callable[[Any], bool]
Names = tuple[str, ...]


def verdicts(schema: Any, write: Callable[[Any], str], **options: Any) -> Verdict | None:
    """What the matcher says of a value that ``write`` has written down; None: the schema is refused.

    Whole acceptance: every byte is taken, and the text may end there. Of a schema that nothing satisfies,
    structgen says so in an error, which is the verdict on every value.
    """
    try:
        compiled = sg.compile(sg.Grammar.from_json_schema(schema, **options), BYTES)
    except sg.UnsatisfiableError:
        return lambda value: False
    except sg.StructgenError:
        return None

    def accepts(value: Any) -> bool:
        matcher = compiled.matcher()
        return matcher.accept_bytes(write(value).encode()) and matcher.is_accepting()

    return accepts


def outcome(accepts: Verdict | None, value: Any, valid: bool) -> str:
    """What becomes of one value."""
    if accepts is None:
        return UNSUPPORTED
    if accepts(value) == valid:
        return PASS
    return TOO_STRICT if valid else TOO_LOOSE


def counted(outcomes: Iterable[str]) -> str:
    """How often each outcome occurs, as text."""
    counts = Counter(outcomes)
    return ", ".join(f"{counts[name]} {name}" for name in OUTCOMES)


def hold(name: str, found: Mapping[Names, str]) -> None:
    """Hold outcomes against the file ``expected/<name>.json``.

    ``found`` has the outcome of every test of the suite, under its path: a tuple of names from the outermost
    group to the test. In the file a group whose tests all come out alike stands for them.
    """
    path = EXPECTED / f"{name}.json"
    tree = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = {key: _expected(tree, key) for key in found}
    rank = OUTCOMES.index
    first = not path.exists()
    worse = {key: now for key, now in found.items() if rank(now) > rank(before[key]) and not first}
    better = {key: now for key, now in found.items() if rank(now) < rank(before[key]) or first}
    if RECORD and better:
        after = _grouped({**before, **better})
        text = json.dumps(after, ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
        better = {}
    assert not worse, f"{len(worse)} became worse:\n{_listed(worse, before)}"
    assert not better, (
        f"{len(better)} became better; record them with STRUCTGEN_RECORD=1:\n{_listed(better, before)}"
    )


def _listed(changed: Mapping[Names, str], before: Mapping[Names, str]) -> str:
    lines = [f"  {' / '.join(key)}: {before[key]} -> {now}" for key, now in sorted(changed.items())]
    return "\n".join(lines[:60] + [f"  … and {len(lines) - 60} more"] * (len(lines) > 60))


def _expected(tree: Any, key: Names) -> str:
    for part in key:
        if isinstance(tree, str):
            break
        tree = tree.get(part, PASS)
    return str(tree)


def _grouped(outcomes: Mapping[Names, str]) -> Any:
    """The tree of what does not pass."""
    if () in outcomes:
        return outcomes[()]
    groups: dict[str, dict[Names, str]] = {}
    for key, value in outcomes.items():
        groups.setdefault(key[0], {})[key[1:]] = value
    tree = {part: _grouped(below) for part, below in groups.items()}
    values = list(tree.values())
    if all(value == values[0] and isinstance(value, str) for value in values):
        return values[0]
    return {part: value for part, value in tree.items() if value != PASS}
