"""What arenas have in common that keep readings of a marked copy of a grammar beside the plain one."""

from __future__ import annotations

from abc import abstractmethod

from ..ir import GrammarIR
from ..limits import Limits, clock
from ..vocab.vocabulary import Vocabulary
from .arena import Arena


class MarkedArena(Arena):
    """The arena of a marked copy, with states that it numbers itself: it remembers the steps between them."""

    def __init__(self, ir: GrammarIR, vocabulary: Vocabulary, limits: Limits) -> None:
        self._accepted: dict[tuple[int, int], int] = {}
        super().__init__(ir, vocabulary, limits)

    def accept_token(self, state: int, token: int) -> int:
        """State after ``token``, or REFUSED."""
        key = (state, token)
        found = self._accepted.get(key)
        if found is None:
            with clock("step_seconds", self.limits.step_seconds):
                found = self._accepted[key] = self._step_token(state, token)
        return found

    @abstractmethod
    def _step_token(self, state: int, token: int) -> int:
        """As `accept_token`, the first time."""
