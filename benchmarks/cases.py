"""What is measured on: a schema or grammar, with texts that belong to it and texts that do not.

A suite is a TOML file of `suites/`: its keys are those of `load`. Texts of JSON instances are what
``json.dumps(data, ensure_ascii=False)`` writes, cut into tokens by the tokenizer's own library. Schemas and
texts are kept as strings and packed ids, not as parsed objects: a harness with millions of objects would
make every garbage collection of every engine slow.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import tomllib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .growing import SHAPES

HERE = Path(__file__).parent
ROOT = HERE.parent


@dataclass
class Case:
    """One grammar with its texts as token ids.

    kind : "json_schema", "json" (any JSON value), "regex" or "lark"
    language : what a Lark grammar describes, for engines that bring a grammar of their own
    """

    id: str
    kind: str
    text: str
    valid: Sequence[Sequence[int]] = ()
    invalid: Sequence[Sequence[int]] = ()
    lexing: str = "longest"
    language: str = ""


@dataclass
class RawCase:
    """One grammar with its texts as text."""

    id: str
    kind: str
    text: str
    valid: list[str]
    invalid: list[str]
    lexing: str = "longest"
    language: str = ""


class NoData(Exception):
    """A suite's data are not on this machine; the message says what is missing and how to give it."""


def shared(name: str) -> Path:
    """A file of the folder that STRUCTGEN_SHARED names, or of ``shared`` beside the checkout."""
    folder = Path(os.environ.get("STRUCTGEN_SHARED") or ROOT.parent / "shared")
    if not (folder / name).exists():
        raise NoData(f"no {name} in {folder}: give --schemas, or set STRUCTGEN_SHARED")
    return folder / name


def maskbench_file() -> Path:
    """MaskBench's schemas, one a line."""
    return shared("maskbench/dev.jsonl.gz")


def _instances(tests: list[dict[str, Any]], valid: bool) -> list[str]:
    return [json.dumps(t["data"], ensure_ascii=False) for t in tests if t["valid"] is valid]


def _schema_lines(source: Path) -> Iterator[tuple[str, str]]:
    """(name, JSON text) of each schema with tests."""
    if source.is_dir():
        for path in sorted(source.glob("*.json")):
            yield path.stem, path.read_text("utf-8")
        return
    open_text = gzip.open if source.suffix == ".gz" else open
    with open_text(source, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            yield f"{source.name}:{number + 1}", line


def schema_cases(source: Path, select: str, n: int, seed: int, only: set[str] | None) -> list[RawCase]:
    """Schemas in MaskBench's format: ``{"schema", "tests": [{"valid", "data"}]}``, with or without ``id``."""
    lines = list(_schema_lines(source))
    if select == "random" and only is None:
        lines = [lines[i] for i in sorted(random.Random(seed).sample(range(len(lines)), min(n, len(lines))))]
    found = []
    for name, line in lines:
        data = json.loads(line)
        if only is None or data.get("id", name) in only:
            tests = data.get("tests", [])
            found.append(
                RawCase(
                    data.get("id", name),
                    "json_schema",
                    json.dumps(data["schema"], ensure_ascii=False),
                    _instances(tests, True),
                    _instances(tests, False),
                )
            )
    if select == "largest" and only is None:
        found = sorted(found, key=lambda c: (-len(c.text), c.id))[:n]
    return found


def suite(name: str) -> dict[str, Any]:
    """The TOML file of a suite, with what it says of another that it is ``like``."""
    path = HERE / "suites" / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.toml")))
        raise ValueError(f"no suite {name!r}; there are {known}")
    described = tomllib.loads(path.read_text("utf-8"))
    return {**suite(described["like"]), **described} if "like" in described else described


def _shipped(names: Sequence[str], lexing: str) -> list[RawCase]:
    """Grammars of ``grammars/`` with their samples."""
    found = []
    for name in names:
        grammar, samples = ROOT / f"grammars/{name}.lark", ROOT / f"grammars/samples/{name}.toml"
        if not (grammar.exists() and samples.exists()):
            raise NoData(f"grammars/{name}.lark does not ship with samples")
        texts = tomllib.loads(samples.read_text("utf-8"))
        accept, reject = texts["accept"], texts["reject"]
        found.append(RawCase(name, "lark", grammar.read_text("utf-8"), accept, reject, lexing, name))
    return found


def _programs(described: dict[str, Any]) -> list[RawCase]:
    """Programs that a grammar of ``grammars/`` should take, some for each time it is compiled."""
    name, each = described["grammar"], described["each"]
    grammar = ROOT / f"grammars/{name}.lark"
    if not grammar.exists():
        raise NoData(f"grammars/{name}.lark does not ship")
    with gzip.open(shared(described["programs"]), "rt", encoding="utf-8") as lines:
        broken = set(described.get("broken", ()))
        texts = [json.loads(line)["text"] for at, line in enumerate(lines) if at not in broken]
    text, lexing = grammar.read_text("utf-8"), described["lexing"]
    starts = range(0, len(texts), each)
    return [
        RawCase(
            f"{name} {at}",
            "lark",
            text,
            texts[at : at + each],
            [] if at else described["invalid"],
            lexing,
            name,
        )
        for at in starts
    ]


def _grown(steps: Sequence[dict[str, Any]]) -> list[RawCase]:
    """Shapes of `growing` in the sizes named."""
    return [
        RawCase(f"{step['shape']} {size}", *SHAPES[step["shape"]](size), "any")
        for step in steps
        for size in step["sizes"]
    ]


def raw_cases(options: Any) -> list[RawCase]:
    """The cases of ``options.suite``."""
    described = suite(options.suite)
    only = set(options.only.split(",")) if options.only else None
    source = described["source"]
    if source in ("schemas", "instances"):
        found = schema_cases(
            options.schemas or maskbench_file(), options.select, options.n, options.seed, only
        )
        if source == "instances":  # one grammar, made anew for each text; the first has the invalid ones, too
            kind, lexing = described["kind"], described.get("lexing", "any")
            text = (ROOT / described["grammar"]).read_text("utf-8") if "grammar" in described else "{}"
            valid = [instance for c in found for instance in c.valid]
            found = [
                RawCase(
                    f"{options.suite} {i}", kind, text, [v], [] if i else described["invalid"], lexing, "json"
                )
                for i, v in enumerate(valid)
            ]
        return found
    if source == "grammars":
        found = _shipped(described["names"], described["lexing"])
    elif source == "cases":
        found = [RawCase(**{"lexing": "any"} | case) for case in described["case"]]
    elif source == "programs":
        found = _programs(described)
    elif source == "growth":
        found = _grown(described["step"])
    elif source == "parts":
        found = [RawCase(**{"lexing": "any"} | case) for case in described["case"]]
        found += _grown(described["step"]) + _shipped(described["names"], "longest")
    else:
        raise ValueError(
            f"{options.suite}.toml: source is schemas, instances, grammars, cases, programs, growth or parts"
        )
    return [c for c in found if only is None or c.id in only][: None if only else options.n]


def load(options: Any, tokenizer_json: Path, vocabulary: Any) -> list[Case]:
    """The cases, cut into tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_json))

    def encode(text: str) -> array[int]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        data = text.encode()
        if b"".join(vocabulary.bytes_of(i) or b"" for i in ids) != data:
            ids = vocabulary.encode(data)  # the tokenizer writes a space before the text, or normalises it
        return array("l", ids)

    return [
        Case(c.id, c.kind, c.text, [*map(encode, c.valid)], [*map(encode, c.invalid)], c.lexing, c.language)
        for c in raw_cases(options)
    ]
