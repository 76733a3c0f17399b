"""How a character is written in bytes, as a decision tree.

A spelling is made for a partition of the code points: a tree over bytes whose leaves are classes of
characters, with equal subtrees shared. UTF-8 has one spelling of a character, JSON has several, and both are
prefix codes, so the automaton over bytes is the automaton over characters with every step replaced by the
tree (`kernels_bytes.spell`). Nothing has to be determinised again.

Sharing is what keeps it small: a block of 64, 4,096 or 262,144 code points of one class is one node wherever
it stands, so the tree has a node for each boundary between classes and not for each of 17,408 blocks.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Literal

import numpy as np

from ..automata import ByteDFA
from . import kernels_bytes
from .chars import CharDFA
from .nfa import Partition
from .tables import Budget, empty_language, from_tables, merge_columns

Escapes = Literal["free", "canonical"]

_SHORT_ESCAPES = {'"': 34, "\\": 92, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9}
_HEX_BYTES = [tuple({ord(f"{d:x}"), ord(f"{d:X}")}) for d in range(16)]
_KEPT = 256  # spellings; a schema's patterns share a few partitions


class Spelling:
    """A decision tree over bytes; ``rows`` as `kernels_bytes.spell` reads them.

    classes : int64[256]  byte -> column of ``rows``
    rows : int32[n, columns]
    """

    def __init__(self, parts: Partition) -> None:
        self._starts = parts.starts
        self._class_of = parts.class_of
        self._listed = parts.starts.tolist(), parts.class_of.tolist()  # hundreds of places are looked up
        self._nodes: list[np.ndarray] = []
        self._ids: dict[bytes, int] = {}
        self._uniform: dict[tuple[str, int, int], int] = {}

    def finish(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(classes, rows) with ``root`` as the last row."""
        full = np.stack([*self._nodes, root])
        first, class_of = merge_columns(full)
        return class_of, np.ascontiguousarray(full[:, first])

    def class_at(self, code: int) -> int:
        """The class of a code point."""
        starts, class_of = self._listed
        return int(class_of[bisect_right(starts, code) - 1])

    def classes_at(self, lo: int, count: int) -> np.ndarray:
        """The classes of ``count`` code points from ``lo``."""
        codes = np.arange(lo, lo + count)
        return self._class_of[np.searchsorted(self._starts, codes, side="right") - 1]

    def only_class(self, lo: int, count: int) -> int | None:
        """The class of a block when it has one alone, else None."""
        starts, class_of = self._listed
        i = bisect_right(starts, lo) - 1
        if i + 1 < len(starts) and starts[i + 1] < lo + count:
            return None
        return int(class_of[i])

    def node(self, row: np.ndarray) -> int:
        """The entry for an inner node with this row: 0 when no character is below it."""
        if not row.any():
            return 0
        key = row.tobytes()
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self._nodes)
            self._nodes.append(row)
        return -1 - found

    def _block(self, kind: str, lo: int, count: int) -> int:
        """The entry for ``count`` code points from ``lo``, spelled digit by digit."""
        alone = self.only_class(lo, count)
        if alone is not None:
            if count == 1 or alone == 0:
                return alone
            key = (kind, count, alone)
            if key not in self._uniform:
                self._uniform[key] = self._expand(kind, lo, count)
            return self._uniform[key]
        return self._expand(kind, lo, count)

    def _parts(self, row: np.ndarray, lo: int, count: int) -> None:
        """Enter in ``row`` blocks of ``count`` code points in UTF-8, one after the other from ``lo``.

        Those beside each other that are of one class are entered at once.
        """
        starts, _ = self._listed
        i, n = 0, len(row)
        while i < n:
            at = lo + i * count
            k = bisect_right(starts, at)
            alike = n - i if k == len(starts) else min((starts[k] - at) // count, n - i)
            row[i : i + max(alike, 1)] = self._block("utf8", at, count)
            i += max(alike, 1)

    def _expand(self, kind: str, lo: int, count: int) -> int:
        row = np.zeros(256, dtype=np.int32)
        if kind == "utf8":
            part = count // 64
            if part == 1:
                row[0x80:0xC0] = self.classes_at(lo, 64)
            else:
                self._parts(row[0x80:0xC0], lo, part)
            return self.node(row)
        part = count // 16
        for digit in range(16):
            row[list(_HEX_BYTES[digit])] = self._block(kind, lo + digit * part, part)
        return self.node(row)

    def utf8(self, row: np.ndarray) -> None:
        """Enters UTF-8 in a row: every character with its one shortest form, no surrogates."""
        row[:0x80] = self.classes_at(0, 0x80)
        self._parts(row[0xC2:0xE0], 0x80, 64)
        for lead in range(0xE0, 0xF0):
            row[lead] = self._three(lead) if lead == 0xE0 else self._block("utf8", (lead & 0xF) << 12, 4096)
        for lead in range(0xF0, 0xF5):
            row[lead] = self._four(lead)

    def _three(self, lead: int) -> int:
        row = np.zeros(256, dtype=np.int32)
        self._parts(row[0xA0:0xC0], 0x800, 64)
        return self.node(row)

    def _four(self, lead: int) -> int:
        row = np.zeros(256, dtype=np.int32)
        base = (lead & 7) << 18
        first, last = max(base, 0x10000), min(base + 0x40000, 0x110000)
        self._parts(row[0x80 + (first - base >> 12) : 0x80 + (last - base >> 12)], first, 4096)
        return self.node(row)

    def json_free(self) -> np.ndarray:
        r"""The row of a character of a JSON string in any spelling; ``"`` is left free."""
        row = np.zeros(256, dtype=np.int32)
        self.utf8(row)
        row[:0x20] = 0
        row[ord('"')] = 0
        escape = np.zeros(256, dtype=np.int32)
        for letter, code in _SHORT_ESCAPES.items():
            escape[ord(letter)] = self.class_at(code)
        escape[ord("/")] = self.class_at(ord("/"))
        escape[ord("u")] = self._four_digits()
        row[ord("\\")] = self.node(escape)
        return row

    def _four_digits(self) -> int:
        row = np.zeros(256, dtype=np.int32)
        for digit in range(16):
            entry = self._block("hex", digit << 12, 4096) if digit != 0xD else self._surrogates()
            row[list(_HEX_BYTES[digit])] = entry
        return self.node(row)

    def _surrogates(self) -> int:
        r"""After ``\ud``: a character below U+D800, or a pair of surrogates."""
        row = np.zeros(256, dtype=np.int32)
        for digit in range(8):
            row[list(_HEX_BYTES[digit])] = self._block("hex", 0xD000 + (digit << 8), 256)
        for digit in range(8, 12):
            second = np.zeros(256, dtype=np.int32)
            for high in range(16):
                third = np.zeros(256, dtype=np.int32)
                for low in range(16):
                    unit = ((digit - 8) << 8) + (high << 4) + low
                    third[list(_HEX_BYTES[low])] = self._low_surrogate(0x10000 + (unit << 10))
                second[list(_HEX_BYTES[high])] = self.node(third)
            row[list(_HEX_BYTES[digit])] = self.node(second)
        return self.node(row)

    def _low_surrogate(self, lo: int) -> int:
        r"""``\uDC00`` to ``\uDFFF`` for the 1,024 characters from ``lo``."""
        alone = self.only_class(lo, 1024)
        if alone is not None and ("pair", 1024, alone) in self._uniform:
            return self._uniform["pair", 1024, alone]
        row = np.zeros(256, dtype=np.int32)
        for i in range(4):
            row[list(_HEX_BYTES[12 + i])] = self._block("hex", lo + (i << 8), 256)
        entry = self.node(row)
        for byte in (b"dD", b"u", b"\\"):
            row = np.zeros(256, dtype=np.int32)
            row[list(byte)] = entry
            entry = self.node(row)
        if alone is not None:
            self._uniform["pair", 1024, alone] = entry
        return entry

    def json_canonical(self) -> np.ndarray:
        r"""The row of a character of a JSON string as ``json.dumps(..., ensure_ascii=False)`` has it."""
        row = np.zeros(256, dtype=np.int32)
        self.utf8(row)
        row[:0x20] = 0
        row[ord('"')] = 0
        escape = np.zeros(256, dtype=np.int32)
        for letter, code in _SHORT_ESCAPES.items():
            escape[ord(letter)] = self.class_at(code)
        tens = np.zeros(256, dtype=np.int32)
        for high in range(2):
            ones = np.zeros(256, dtype=np.int32)
            for low in range(16):
                code = high * 16 + low
                if code not in _SHORT_ESCAPES.values():
                    ones[ord(f"{low:x}")] = self.class_at(code)
            tens[ord(str(high))] = self.node(ones)
        entry = self.node(tens)
        for _ in range(2):
            zero = np.zeros(256, dtype=np.int32)
            zero[ord("0")] = entry
            entry = self.node(zero)
        escape[ord("u")] = entry
        row[ord("\\")] = self.node(escape)
        return row


def spelling(parts: Partition, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(classes, rows) for a partition, where ``kind`` is "utf8", "free" or "canonical"; kept for the next."""
    return _spelling(parts.starts.tobytes(), parts.class_of.tobytes(), kind)


@lru_cache(maxsize=_KEPT)
def _spelling(starts: bytes, class_of: bytes, kind: str) -> tuple[np.ndarray, np.ndarray]:
    parts = Partition(np.frombuffer(starts, np.int64), np.frombuffer(class_of, np.int64))
    if kind != "utf8":
        rest = parts.class_of[np.searchsorted(parts.starts, 0x80, side="right") - 1 :]
        if len(rest) == 3 and rest[0] == rest[2]:  # surrogates are apart
            # Characters beyond ASCII are of one class, as for most patterns: their tree is always the same.
            of_ascii = np.searchsorted(parts.starts, np.arange(0x81), side="right") - 1
            class_of_leaf = np.concatenate(([0], parts.class_of[of_ascii], [parts.n_classes])).astype(
                np.int32
            )
            full = _ascii_spelling(kind)
            full = np.where(full > 0, class_of_leaf[np.maximum(full, 0)], full)
            first, of_byte = merge_columns(full)
            return of_byte, np.ascontiguousarray(full[:, first])
    return _spelled(parts, kind)


def _spelled(parts: Partition, kind: str) -> tuple[np.ndarray, np.ndarray]:
    tree = Spelling(parts)
    if kind == "utf8":
        root = np.zeros(256, dtype=np.int32)
        tree.utf8(root)
    else:
        root = tree.json_free() if kind == "free" else tree.json_canonical()
        root[ord('"')] = parts.n_classes  # a class of its own, for the quotes
    return tree.finish(root)


@lru_cache(maxsize=2)
def _ascii_spelling(kind: str) -> np.ndarray:
    """int32[n, 256]: the tree in which each character of ASCII is a class, all others are one, and the quote
    that ends a string is another."""
    starts = np.concatenate((np.arange(0x81), [0xD800, 0xE000]))
    class_of = np.concatenate((np.arange(1, 0x82), [0, 0x81]))
    classes, rows = _spelled(Partition(starts, class_of), kind)
    return rows[:, classes]


def to_bytes(
    trans: np.ndarray, final: np.ndarray, parts: Partition, kind: str, start: int, budget: Budget
) -> ByteDFA:
    """The byte automaton of an automaton over classes, spelled as ``kind`` says."""
    if len(trans) <= start:
        return empty_language()
    classes, rows = spelling(parts, kind)
    n = len(trans)
    room = n + 4 * n * min(len(rows), 8) + 64
    while True:
        out = np.zeros((room, rows.shape[1]), dtype=np.int32)
        table = np.zeros(1 << (2 * room).bit_length(), dtype=np.int32)
        made = kernels_bytes.spell(trans, rows, out, table)
        if made >= 0:
            break
        budget.check_time("spelling a pattern in bytes")
        budget.check_states(room, "spelling a pattern in bytes")
        room *= 4
    budget.check_states(made, "spelling a pattern in bytes")
    byte_final = np.zeros(made, dtype=np.bool_)
    byte_final[:n] = final
    return from_tables(classes, out[:made], byte_final, start=start, minimal=kind == "utf8")


def utf8(chars: CharDFA, budget: Budget) -> ByteDFA:
    """The UTF-8 bytes of the texts of an automaton."""
    if chars.is_empty:
        return empty_language()
    return to_bytes(chars.trans, chars.final, chars.partition, "utf8", 1, budget)
