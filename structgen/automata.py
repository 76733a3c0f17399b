"""The one form in which a regular language travels through structgen: a byte-level DFA.

Front ends and `regex/` make them, `rules/` and `lexer` lay them out for the kernels. Nothing here
knows a grammar or a vocabulary.

Facts that several readers ask for again and again (its name, its first bytes) are found once for each
automaton and kept with it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class ByteDFA:
    """A deterministic automaton over bytes, trimmed and canonically numbered.

    State 0 is dead. State 1 is the start, unless the language is empty: then there is only state 0.
    Every other state is reachable from the start and reaches a final state, so "not dead" means
    "can still be completed". Dead states have no transitions and are not final.

    classes : uint8[256]               byte -> byte class
    trans   : int32[n_states, n_classes]   next state; 0 is dead
    final   : bool[n_states]
    """

    classes: np.ndarray
    trans: np.ndarray
    final: np.ndarray
    _digest: list[bytes] = field(default_factory=list, repr=False)

    @property
    def n_states(self) -> int:
        """States, the dead one included."""
        return int(self.trans.shape[0])

    @property
    def start(self) -> int:
        """1, or 0 when the language is empty."""
        return 1 if self.n_states > 1 else 0

    @property
    def is_empty(self) -> bool:
        """No byte string belongs to the language."""
        return self.n_states == 1

    @property
    def accepts_empty(self) -> bool:
        """The empty byte string belongs to the language."""
        return bool(self.final[self.start])

    @cached_property
    def first_bytes(self) -> frozenset[int]:
        """The bytes with which a member of the language can begin."""
        return frozenset(np.flatnonzero(self._begins()).tolist())

    @cached_property
    def last_bytes(self) -> frozenset[int]:
        """The bytes with which a member of the language can end; every state is on the way to one."""
        into = self.final[self.trans].any(axis=0)
        return frozenset(np.flatnonzero(into[self.classes]).tolist())

    @cached_property
    def first_bits(self) -> int:
        """`first_bytes` as a number: bit ``b`` is byte ``b``."""
        return int.from_bytes(np.packbits(self._begins(), bitorder="little").tobytes(), "little")

    def _begins(self) -> npt.NDArray[np.bool_]:
        begins: npt.NDArray[np.bool_] = self.trans[self.start][self.classes] > 0
        return begins

    @cached_property
    def is_prefix_free(self) -> bool:
        """The language has a member, and no member begins another one."""
        ends = np.flatnonzero(self.final)
        return not self.accepts_empty and not self.is_empty and not (self.trans[ends] > 0).any()

    @property
    def digest(self) -> bytes:
        """32 bytes that name the automaton: equal digests, equal automata (BLAKE2b)."""
        if not self._digest:
            h = hashlib.blake2b(digest_size=32)
            small = self.n_states <= 1 << 16
            trans = self.trans.astype(np.uint16) if small else self.trans  # hashed in half the time
            for a in (self.classes, trans, self.final):
                h.update(repr((a.dtype.str, a.shape)).encode())
                h.update(np.ascontiguousarray(a).tobytes())
            self._digest.append(h.digest())
        return self._digest[0]

    def run(self, data: bytes, state: int | None = None) -> int:
        """The state after ``data``; 0 when dead."""
        q = self.start if state is None else state
        table = self.trans.data
        for c in data.translate(self.classes.tobytes()):
            q = table[q, c]
            if not q:
                return 0
        return q

    def matches(self, data: bytes) -> bool:
        """``data`` belongs to the language."""
        return bool(self.final[self.run(data)])
