"""The engines, each behind one short adapter.

A class named ``Adapter`` takes ``(tokenizer, vocabulary)``, the path of a tokenizer.json and the
`structgen.Vocabulary` read from it (where exact bytes of the ids are needed), and has

settings : one line that says how the engine is set up
compile(case) : all that is done once for a grammar; raises `Refused` when the engine says no
start(compiled) : `Steps`, at the start of a text

Peers are set up as their authors advise for one thread; every one reads the schema from the same JSON text.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

# name: (module of the adapter, argument, distribution whose version is recorded)
ENGINES: dict[str, tuple[str, str, str]] = {
    "structgen": ("structgen_", "", "structgen-engine"),
    "llguidance": ("llguidance_", "", "llguidance"),
    "xgrammar": ("xgrammar_", "default", "xgrammar"),
    "xgrammar-compliant": ("xgrammar_", "compliant", "xgrammar"),
    "glrmask": ("glrmask_", "auto", "glrmask"),
    "glrmask-trie": ("glrmask_", "trie", "glrmask"),
}


class Refused(Exception):
    """The engine does not take the grammar."""


class Steps(NamedTuple):
    """One text being written.

    fill : write the mask of the next token
    bits : the mask, as a memoryview of int32
    accept : take a token; false when it is refused
    accepting : the text may end here, as the engine says
    stops : stop tokens that the mask must hold where the text may end; none where an engine leaves them out
    """

    fill: Callable[[], Any]
    bits: memoryview
    accept: Callable[[int], Any]
    accepting: Callable[[], bool]
    stops: tuple[int, ...]


def create(name: str, tokenizer: str, vocabulary: Any) -> Any:
    """The adapter of an engine."""
    module, argument, _ = ENGINES[name]
    made = import_module(f".{module}", __name__).Adapter
    return made(tokenizer, vocabulary, argument) if argument else made(tokenizer, vocabulary)


def version_of(name: str) -> str:
    """The version of an engine's distribution."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(ENGINES[name][2])
    except PackageNotFoundError:
        return getattr(import_module(name), "__version__", "unknown")
