"""What the discipline ``longest`` has on disk, where every process finds it: signatures and token groups.

They take 5 to 50 ms each to make, in the middle of a mask, and a tenth of that or less to read. (Tables of
the discipline ``any`` take no longer to make than to read.) The name of a file is a BLAKE2b digest of all
that it depends on: vocabulary, automata and state, and the program that made it, so nothing ever has to be
told that something changed. A file with the right checksum (`cache`) is looked at once more: arrays of other
shapes, or a token that is none, and it reads as absent. That guards against accidents; whoever can write to
the user's cache folder can do worse than forge a table. Writing is left to the background.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..cache import program_digest, read_kept, write_kept_later
from ..cache.arrays import Array
from .sequences import FIRST_SIGNATURE, Places, Sequences
from .table_pool import Int32, Int64, Piece

KIND = "tables"
MADE_BY = (
    "../rules/universal.py",
    "arena.py",
    "indentation.py",
    "kernels/leaving.py",
    "kernels/lexer.py",
    "kernels/margins.py",
    "kernels/records.py",
    "layout.py",
    "sequences.py",
    "table_pool.py",
    "token_groups.py",
    "vocab_tables.py",
)


def name_of(fingerprint: str, key: Hashable) -> str:
    """The name of a file: 64 hex digits. ``key`` is made of tuples, bytes, texts and numbers."""
    h = hashlib.blake2b(_program(), digest_size=32)
    h.update(fingerprint.encode())
    h.update(repr(key).encode())
    return h.hexdigest()


@cache
def _program() -> bytes:
    """A digest of the files that say what is kept, this one included."""
    here = Path(__file__)
    return program_digest((here, *(here.parent / name for name in MADE_BY)))


def keep_piece(name: str, piece: Piece) -> None:
    """Keep a table, soon."""
    arrays: dict[str, Array] = {"rows": piece.rows, "ids": piece.ids, "groups": piece.groups}
    write_kept_later(KIND, name, {}, arrays)


def read_piece(name: str, words: int, size: int) -> Piece | None:
    """A table, for a vocabulary of ``size`` ids."""
    kept = read_kept(KIND, name)
    if kept is None:
        return None
    try:
        rows: Int32 = _array(kept.arrays, "rows", np.int32, 2)
        ids: Int32 = _array(kept.arrays, "ids", np.int32, 1)
        groups: Int64 = _array(kept.arrays, "groups", np.int64, 1)
        if rows.shape[1] != words or not _are_groups(groups, ids, size):
            return None
        return Piece(rows, ids=ids, groups=groups)
    except (KeyError, IndexError, ValueError):
        return None


def _array(arrays: dict[str, Any], name: str, dtype: type, dimensions: int) -> Any:
    array = arrays[name]
    if array.dtype != dtype or array.ndim != dimensions:
        raise ValueError(name)
    return array


def _are_groups(groups: Int64, ids: Int32, size: int) -> bool:
    """Groups whose signatures rise, whose ids are tokens and lie in ``ids``; or nothing."""
    at = 0
    if len(groups):
        at = 1
        for _ in range(int(groups[0])):
            at += 1 + int(groups[at])
            at += 1 + int(groups[at])
            many = int(groups[at])
            table = groups[at + 1 : at + 1 + 3 * many].reshape(many, 3)
            rise = bool((np.diff(table[:, 0]) > 0).all())
            if not rise or (table < 0).any() or (table[:, 1] + table[:, 2] > len(ids)).any():
                return False
            at += 1 + 3 * many
    return at == len(groups) and bool((ids >= 0).all()) and bool((ids < size).all())


def keep_sequences(name: str, sequences: Sequences | None) -> None:
    """Keep the signatures of a set of terminals, soon; None: that their automaton is too large."""
    if sequences is None:
        write_kept_later(KIND, name, {"too_large": True}, {})
    else:
        write_kept_later(KIND, name, {}, {"words": sequences.words, "of": sequences.of})


def read_sequences(name: str, places: Places) -> tuple[Sequences | None] | None:
    """What was kept: (signatures,) or (None,); None when there is nothing."""
    kept = read_kept(KIND, name)
    if kept is None:
        return None
    if kept.meta.get("too_large"):
        return (None,)
    try:
        words: Int64 = _array(kept.arrays, "words", np.int64, 1)
        of: Int32 = _array(kept.arrays, "of", np.int32, 1)
    except (KeyError, ValueError):
        return None
    if len(words) < FIRST_SIGNATURE or len(of) != places.n:
        return None
    if of.min(initial=0) < 0 or of.max(initial=0) >= len(words):
        return None
    return (Sequences(words, of, places),)
