"""Automata over classes of code points, where patterns are combined before they are spelled.

A `CharDFA` is what a pattern means on decoded text. Intersection, complement and bounds on the length
belong here and not on bytes: one character is one step whatever its spelling (one to four bytes of UTF-8,
up to twelve of JSON escapes), and the complement is taken of all *texts*, so that it can never accept bytes
that are no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..limits import Limits
from .anchors import framed
from .ast import Node
from .counting import counts_of
from .lookaround import determinise_node
from .nfa import Builder, Partition, char_sets, partition, postorder
from .tables import Budget, merge_columns, pair_up, reduce_table, run_side_by_side


@dataclass(frozen=True, eq=False, slots=True)
class CharDFA:
    """A deterministic automaton over classes of code points, trimmed and minimal.

    State 0 is dead, 1 the start, every other state is live, as in `ByteDFA`. Class 0 holds the surrogates
    and leads nowhere.

    partition : code points -> classes
    trans : int32[n_states, n_classes]
    final : bool[n_states]
    """

    partition: Partition
    trans: np.ndarray
    final: np.ndarray

    @classmethod
    def from_node(
        cls, node: Node, *, search: bool = False, limits: Limits | None = None, invert: bool = False
    ) -> CharDFA:
        """The texts that match ``node`` as a whole or (``search``) hold a match; ``invert``: the others."""
        budget = Budget(limits)
        root = framed(node, search)
        builder = Builder(char_sets(postorder(root)), budget)
        trans, final = determinise_node(root, builder, budget)
        made = cls.from_table(builder.partition, trans, final)
        return made.complement() if invert else made

    @classmethod
    def from_table(
        cls,
        parts: Partition,
        trans: np.ndarray,
        final: np.ndarray,
        start: int = 1,
        *,
        minimal: bool = False,
    ) -> CharDFA:
        """Trims and minimises a table, and merges the classes that it does not tell apart.

        ``minimal``: no two live states are equal.
        """
        if len(trans) <= start:
            trans, final = np.zeros((1, parts.n_classes), np.int32), np.zeros(1, np.bool_)
        else:
            trans = np.ascontiguousarray(trans, np.int32)
            trans, final = reduce_table(trans, final, start, minimal=minimal)
        first, class_of = merge_columns(trans[:, 1:])
        if len(first) < trans.shape[1] - 1:
            to = np.concatenate(([0], class_of + 1))
            of = to[parts.class_of]
            joined = np.concatenate(([True], of[1:] != of[:-1]))
            parts = Partition(parts.starts[joined], of[joined])
            trans = np.ascontiguousarray(trans[:, np.concatenate(([0], first + 1))])
        return cls(parts, trans, final)

    @classmethod
    def anything(cls) -> CharDFA:
        """All texts."""
        return cls.lengths(0, None)

    @classmethod
    def lengths(cls, lo: int, hi: int | None, *, limits: Limits | None = None) -> CharDFA:
        """The texts of at least ``lo`` and at most ``hi`` code points (None: no bound)."""
        Budget(limits).check_states(lo if hi is None else hi, "counting the characters of a text")
        parts, _ = partition([])
        n = (lo if hi is None else max(hi, -1)) + 1
        trans = np.zeros((n + 1, parts.n_classes), dtype=np.int32)
        trans[1:n, 1] = np.arange(2, n + 1)
        if hi is None:
            trans[n, 1] = n
        final = np.zeros(n + 1, dtype=np.bool_)
        final[lo + 1 :] = True
        return cls.from_table(parts, trans, final)

    @property
    def n_states(self) -> int:
        """States, the dead one included."""
        return len(self.trans)

    @property
    def is_empty(self) -> bool:
        """No text belongs to the language."""
        return self.n_states == 1

    @property
    def is_finite(self) -> bool:
        """The language has finitely many texts (every state is live, so: there is no cycle)."""
        return not np.isinf(self._counts()).any()

    def is_like(self, other: CharDFA) -> bool:
        """The languages are equal."""
        return (
            self.trans.shape == other.trans.shape
            and np.array_equal(self.trans, other.trans)
            and np.array_equal(self.final, other.final)
            and np.array_equal(self.partition.starts, other.partition.starts)
            and np.array_equal(self.partition.class_of, other.partition.class_of)
        )

    def matches(self, text: str) -> bool:
        """``text`` belongs to the language; text with lone surrogates never does."""
        codes = np.array([ord(c) for c in text], dtype=np.int64)
        classes = self.partition.class_of[np.searchsorted(self.partition.starts, codes, side="right") - 1]
        q = 0 if self.is_empty else 1
        for c in classes:
            q = int(self.trans[q, c])
        return bool(self.final[q])

    def complement(self) -> CharDFA:
        """All other texts."""
        n = self.n_states
        # The dead state becomes the one that accepts all; a new 0 takes its place.
        trans = self.trans + 1
        trans[0, 1:] = 1
        trans[:, 0] = 0
        trans = np.concatenate((np.zeros((1, trans.shape[1]), np.int32), trans))
        final = np.concatenate(([False], ~self.final))
        # Texts that tell two states apart tell their complements apart, too.
        return CharDFA.from_table(self.partition, trans, final, start=2 if n > 1 else 1, minimal=True)

    def intersect(self, other: CharDFA, *, limits: Limits | None = None) -> CharDFA:
        """The texts of both."""
        return self._paired(other, True, limits)

    def difference(self, other: CharDFA, *, limits: Limits | None = None) -> CharDFA:
        """The texts of this one that are not of ``other``."""
        return self._paired(other, False, limits)

    def union(self, other: CharDFA, *, limits: Limits | None = None) -> CharDFA:
        """The texts of either."""
        return self.complement().difference(other, limits=limits).complement()

    def _paired(self, other: CharDFA, both: bool, limits: Limits | None) -> CharDFA:
        if self.is_empty or (other.is_empty and not both):
            return self
        if other.is_empty:
            return other
        starts = np.union1d(self.partition.starts, other.partition.starts)
        mine = self.partition.class_of[np.searchsorted(self.partition.starts, starts, side="right") - 1]
        theirs = other.partition.class_of[np.searchsorted(other.partition.starts, starts, side="right") - 1]
        key = mine * other.partition.n_classes + theirs
        kinds, inverse = np.unique(key, return_inverse=True)
        parts = Partition(starts, inverse.astype(np.int64))
        budget = Budget(limits)
        trans, pairs = pair_up(
            self.trans, other.trans,
            kinds // other.partition.n_classes, kinds % other.partition.n_classes,
            both, budget, "combining two patterns",
        )  # fmt: skip
        a, b = self.final[pairs[:, 0]], other.final[pairs[:, 1]]
        return CharDFA.from_table(parts, trans, a & b if both else a & ~b)

    def bounded(self, lo: int, hi: int | None, *, limits: Limits | None = None) -> CharDFA:
        """The texts of at least ``lo`` and at most ``hi`` code points (None: no bound)."""
        if lo <= 0 and hi is None:
            return self
        return self.intersect(CharDFA.lengths(max(lo, 0), hi, limits=limits), limits=limits)

    def count_language(self, limit: int) -> int | None:
        """How many texts there are; None for more than ``limit``."""
        found = 0 if self.is_empty else float(self._counts()[1])
        return int(found) if found <= limit else None

    def count_short(self, longest: int, limit: int) -> int:
        """How many texts of at most ``longest`` characters there are, up to ``limit`` (below 2**31)."""
        sizes = self._class_sizes().astype(np.int64)
        here = self.final.astype(np.int64)
        for _ in range(longest):
            # Each target counts up to the limit before it is multiplied by as many code points as there are.
            longer = self.final + np.minimum(here, limit)[self.trans] @ sizes
            if self.is_empty or here[1] >= limit or (longer == here).all():
                break
            here = np.minimum(longer, limit)
        return 0 if self.is_empty else min(int(here[1]), limit)

    def iter_strings(self) -> Iterator[str]:
        """The texts in the order of a breadth-first walk (shortest first, then by code points)."""
        if self.is_empty:
            return
        starts = self.partition.starts
        ends = np.append(starts[1:], 0x110000)
        level = [("", 1)]
        while level:
            following = []
            for text, q in level:
                if self.final[q]:
                    yield text
                for i, c in enumerate(self.partition.class_of):
                    t = int(self.trans[q, c])
                    if t:
                        following += [(text + chr(u), t) for u in range(int(starts[i]), int(ends[i]))]
            level = following

    def _counts(self) -> np.ndarray:
        return counts_of(self.trans, self.final, self._class_sizes())

    def _class_sizes(self) -> np.ndarray:
        starts = self.partition.starts
        return np.bincount(self.partition.class_of, weights=np.diff(np.append(starts, 0x110000)))


def divide(languages: Sequence[CharDFA], limits: Limits | None = None) -> list[tuple[list[int], CharDFA]]:
    """All texts, divided by which of the languages they belong to: (numbers of these languages, the texts).

    Every text belongs to one class, and no class is empty. In the order of the numbers.
    """
    if len(languages) == 1:
        classes = [([], languages[0].complement()), ([0], languages[0])]
        return [one for one in classes if not one[1].is_empty]
    starts = np.unique(np.concatenate([lang.partition.starts for lang in languages]))
    columns = [
        lang.partition.class_of[np.searchsorted(lang.partition.starts, starts, side="right") - 1]
        for lang in languages
    ]
    kinds, of_start = np.unique(np.stack(columns), axis=1, return_inverse=True)  # surrogates come first
    parts = Partition(starts, of_start.reshape(-1).astype(np.int64))
    # All automata run side by side: a state is the state of each, one below the other in one table.
    sizes = [lang.n_states for lang in languages]
    offsets = np.cumsum([0, *sizes[:-1]])
    tables = [lang.trans[:, kind] + at for lang, kind, at in zip(languages, kinds, offsets, strict=True)]
    move = np.concatenate(tables).astype(np.int32)
    is_end = np.concatenate([lang.final for lang in languages])
    move[:, 0] = -1  # surrogates
    first = (offsets + (np.array(sizes) > 1)).astype(np.int32)
    trans, states = run_side_by_side(move, first, Budget(limits), "telling patterns apart")
    labels, label_of = np.unique(is_end[states[1:]], axis=0, return_inverse=True)
    divided = []
    for i, label in enumerate(labels):
        final = np.concatenate(([False], label_of.reshape(-1) == i))
        divided.append((np.flatnonzero(label).tolist(), CharDFA.from_table(parts, trans, final)))
    return sorted(divided, key=lambda one: one[0])
