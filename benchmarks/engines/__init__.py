"""The engines, each behind one short adapter.

A module of this folder has a class ``Adapter``. It takes ``(tokenizer, words)``, the path of a tokenizer.json
and the exact bytes of the ids (`benchmarks.words.Words`), and where ``engines.toml`` names one an
``argument``; and it has

settings : one line that says how the engine is set up
compile(case) : all that is done once for a grammar; raises `Refused` when the engine says no
start(compiled) : `Steps`, at the start of a text

``case.kind`` is ``json_schema``, ``json`` (any JSON value, in the way that the engine itself advises),
``regex`` or ``lark``. Peers are set up as their authors advise for one thread; each reads the schema from the
same JSON text.

An adapter runs in the environment of its engine. It imports the standard library, the engine and what
the engine brings along; structgen is imported by its own alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

TABLE = Path(__file__).parent.parent / "engines.toml"


@dataclass(frozen=True)
class Engine:
    """A row of ``engines.toml``."""

    name: str
    adapter: str
    package: str
    requires: tuple[str, ...]
    argument: str = ""
    starting: float = 600.0
    time_limit: float = 0.0
    about: str = ""


class Refused(Exception):
    """The engine does not take the grammar."""


class Steps(NamedTuple):
    """One text being written.

    fill : write the mask of the next token
    offers : whether the mask holds an id
    accept : take a token; false when it is refused, None where the engine takes whatever comes
    accepting : the text may end here, as the engine says
    stops : stop tokens that the mask must hold where the text may end; none where an engine leaves them out
    """

    fill: Callable[[], Any]
    offers: Callable[[int], Any]
    accept: Callable[[int], Any]
    accepting: Callable[[], bool]
    stops: tuple[int, ...]


@cache
def engines() -> dict[str, Engine]:
    """All engines, by name."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return {
        name: Engine(name, **{k: tuple(v) if k == "requires" else v for k, v in row.items()})
        for name, row in table.items()
    }


def create(engine: Engine, tokenizer: str, words: Any) -> Any:
    """The adapter of an engine."""
    made = import_module(f".{engine.adapter}", __name__).Adapter
    return made(tokenizer, words, engine.argument) if engine.argument else made(tokenizer, words)


def packed(bits: memoryview) -> Callable[[int], int]:
    """``offers`` of a mask of int32: bit ``i % 32`` of word ``i // 32`` is token ``i``."""
    return lambda token: bits[token >> 5] >> (token & 31) & 1
