"""Automata that take long to make, on disk, where every process finds them.

The formats of the standard and the texts of multiples take 5 to 500 ms, and a tenth of a
millisecond to a few to read. Each is a pure function of a short description and of the program that makes it,
and its file is named by a digest of both: nothing has to be told that something changed. What is quick to
make is not kept; what a file holds has the right checksum (`cache`) and is looked at once more.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ...automata import ByteDFA
from ...cache import program_digest, read_kept, write_kept_later
from ...cache.arrays import Array, Content
from ...regex import CharDFA
from ...regex.nfa import Partition

A = TypeVar("A", ByteDFA, CharDFA)

KIND = "automata"
LONG = 0.003  # seconds
MADE_BY = ("formats.py", "idn_formats.py", "languages.py", "number_texts.py", "regex_format.py", "scalars.py")


def kept(kind: type[A], what: str, make: Callable[[], A]) -> A:
    """What ``make`` makes, read or made; ``what`` says all that it depends on, the program apart."""
    h = hashlib.blake2b(_program(), digest_size=32)
    h.update(f"{kind.__name__} {what}".encode())
    name = h.hexdigest()
    content = read_kept(KIND, name)
    if content is not None:
        found = _read(kind, content)
        if found is not None:
            return found
    began = time.thread_time()
    made = make()
    if time.thread_time() - began > LONG:
        write_kept_later(KIND, name, _meta(made), _arrays(made))
    return made


@cache
def _program() -> bytes:
    """A digest of the files that say what is kept, this one included."""
    here = Path(__file__)
    regex = sorted((here.parents[2] / "regex").glob("*.py"))
    return program_digest((here, *(here.parent / name for name in MADE_BY), *regex))


def _meta(made: ByteDFA | CharDFA) -> dict[str, str]:
    """What takes milliseconds to find anew of a large automaton: its name."""
    return {"digest": made.digest.hex()} if isinstance(made, ByteDFA) else {}


def _arrays(made: ByteDFA | CharDFA) -> dict[str, Array]:
    if isinstance(made, ByteDFA):
        return {"classes": made.classes, "trans": made.trans, "final": made.final}
    parts = made.partition
    return {"starts": parts.starts, "class_of": parts.class_of, "trans": made.trans, "final": made.final}


def _read(kind: type[A], content: Content) -> A | None:
    """The automaton of a file; None where it is none."""
    arrays, wanted = content.arrays, _TYPES[kind]
    if {name: array.dtype for name, array in arrays.items()} != wanted:
        return None
    trans, final = arrays["trans"], arrays["final"]
    classes = arrays["class_of" if kind is CharDFA else "classes"]
    starts = arrays.get("starts", classes)
    n, width = trans.shape if trans.ndim == 2 else (0, 0)
    if not n or final.shape != (n,) or classes.ndim != 1 or starts.shape != classes.shape:
        return None
    if not 0 <= int(trans.min(initial=0)) <= int(trans.max(initial=0)) < n:
        return None
    if len(classes) < 1 or not 0 <= int(classes.min()) <= int(classes.max()) < width:
        return None
    if kind is ByteDFA and len(classes) != 256:
        return None
    parts: Any = Partition(starts, classes) if kind is CharDFA else classes
    found = kind(parts, trans, final)
    if isinstance(found, ByteDFA):
        name = content.meta.get("digest")
        if not isinstance(name, str) or len(name) != 64:
            return None
        found._digest.append(bytes.fromhex(name))
    return found


_TABLE = {"trans": np.dtype(np.int32), "final": np.dtype(np.bool_)}
_TYPES: dict[Any, dict[str, Any]] = {
    ByteDFA: {"classes": np.dtype(np.uint8), **_TABLE},
    CharDFA: {"starts": np.dtype(np.int64), "class_of": np.dtype(np.int64), **_TABLE},
}
