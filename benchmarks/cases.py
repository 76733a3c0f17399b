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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Case:
    """One grammar with its texts as token ids."""

    id: str
    kind: str  # "json_schema" or "lark"
    text: str
    valid: list[array[int]] = field(default_factory=list)
    invalid: list[array[int]] = field(default_factory=list)
    lexing: str = "longest"


@dataclass
class RawCase:
    """One grammar with its texts as text."""

    id: str
    kind: str
    text: str
    valid: list[str]
    invalid: list[str]
    lexing: str = "longest"


def maskbench_file() -> Path:
    """The schemas' file in the folder that STRUCTGEN_SHARED names."""
    folder = os.environ.get("STRUCTGEN_SHARED")
    if folder is None:
        raise ValueError("no schemas: give --schemas, or set STRUCTGEN_SHARED to a folder with maskbench/")
    return Path(folder) / "maskbench" / "dev.jsonl.gz"


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


def raw_cases(options: Any) -> list[RawCase]:
    """The cases of ``options.suite``."""
    path = HERE / "suites" / f"{options.suite}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.toml")))
        raise ValueError(f"no suite {options.suite!r}; there are {known}")
    suite = tomllib.loads(path.read_text("utf-8"))
    only = set(options.only.split(",")) if options.only else None
    source = suite["source"]
    if source == "grammars":
        found = []
        for name in suite["names"]:
            folder = HERE.parent / "grammars"
            samples = tomllib.loads((folder / "samples" / f"{name}.toml").read_text("utf-8"))
            text = (folder / f"{name}.lark").read_text("utf-8")
            found.append(RawCase(name, "lark", text, samples["accept"], samples["reject"], suite["lexing"]))
        return [c for c in found if only is None or c.id in only]
    cases = schema_cases(options.schemas or maskbench_file(), options.select, options.n, options.seed, only)
    if source == "schemas":
        return cases
    if source == "instances":  # one grammar, made anew for each text; the first has the invalid ones, too
        kind, lexing = suite["kind"], suite.get("lexing", "any")
        text = suite.get("schema") or (path.parent / suite["grammar"]).read_text("utf-8")
        valid = [instance for c in cases for instance in c.valid]
        return [
            RawCase(f"{options.suite} {i}", kind, text, [v], [] if i else suite["invalid"], lexing)
            for i, v in enumerate(valid)
        ]
    raise ValueError(f"{path.name}: source is schemas, instances or grammars, not {source!r}")


def tokenizer_file(folder: Path) -> Path:
    """The tokenizer.json of a folder, or the file itself."""
    return folder / "tokenizer.json" if folder.is_dir() else folder


def load(options: Any, vocabulary: Any) -> list[Case]:
    """The cases, cut into tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file(options.tokenizer)))

    def encode(text: str) -> array[int]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        data = text.encode()
        if b"".join(vocabulary.bytes_of(i) or b"" for i in ids) != data:
            ids = vocabulary.encode(data)  # the tokenizer writes a space before the text, or normalises it
        return array("l", ids)

    return [
        Case(c.id, c.kind, c.text, [encode(t) for t in c.valid], [encode(t) for t in c.invalid], c.lexing)
        for c in raw_cases(options)
    ]
