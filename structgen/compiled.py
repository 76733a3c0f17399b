"""A grammar and a vocabulary together.

`compile` only reads the grammar and lays out its start. Automata, lexer states, stacks and masks are made
when a text first needs them, and kept for every matcher of the compiled grammar.
"""

from __future__ import annotations

import threading
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from .engine.arena import Arena, ArenaFull
from .engine.distinct import DistinctArena
from .errors import LimitExceededError
from .grammar import Grammar
from .limits import USUAL, Limits, clock
from .vocab.vocabulary import Vocabulary

if TYPE_CHECKING:
    from .matcher import GrammarMatcher


@cache
def _matcher() -> type[GrammarMatcher]:
    from .matcher import GrammarMatcher

    return GrammarMatcher


class CompiledGrammar:
    """What :func:`compile` returns. Immutable to its users; shared between threads and requests.

    Attributes
    ----------
    grammar, vocabulary, limits : what it was compiled from
    stops : the vocabulary's stop tokens, as a set
    """

    def __init__(self, grammar: Grammar, vocabulary: Vocabulary, limits: Limits) -> None:
        self.grammar = grammar
        self.vocabulary = vocabulary
        self.limits = limits
        self.stops = frozenset(vocabulary.stop_token_ids)
        self._lock = threading.Lock()
        self._arena = self._new_arena()

    def save(self, path: str | PathLike[str]) -> None:
        """Write a file from which `load` makes the same compiled grammar without the work of the front end.

        It holds no code and no pickle, and is there whole or not at all. Raises OSError.
        """
        from .saved import save

        save(Path(path), self.grammar, self.vocabulary, self.limits)

    @classmethod
    def load(
        cls, path: str | PathLike[str], vocabulary: Vocabulary, *, limits: Limits | None = None
    ) -> CompiledGrammar:
        """What was saved, for the same vocabulary; ``limits``: others than it was compiled with.

        Raises
        ------
        OSError : there is no such file
        GrammarError : the file is damaged, something else, or of another version of structgen
        VocabularyError : it was compiled for another vocabulary
        """
        from .saved import load

        grammar, limits = load(Path(path), vocabulary, limits)
        return cls(grammar, vocabulary, limits)

    def matcher(self) -> GrammarMatcher:
        """A matcher at the start of the text. About a microsecond; nothing to release."""
        return _matcher()(self)

    @property
    def nbytes(self) -> int:
        """Bytes of automata, stacks and masks made so far (vocabulary tables, which are shared, apart)."""
        return self._arena.nbytes

    def _renew(self, old: Arena) -> Arena:
        """The arena that takes the place of ``old``, which has passed a bound."""
        with self._lock:
            if self._arena is old:
                self._arena = self._new_arena()
            return self._arena

    def _new_arena(self) -> Arena:
        sketch = self.grammar.sketch
        try:
            if sketch is not None:
                return Arena(sketch, self.vocabulary, self.limits)
            with clock("compile_seconds", self.limits.compile_seconds):
                ir = self.grammar.ir
                kind: type[Arena] = DistinctArena if ir.distinct else Arena
                if ir.budgets:  # few grammars have them
                    from .engine.budgets import BudgetArena

                    kind = BudgetArena
                return kind(ir, self.vocabulary, self.limits)
        except ArenaFull as full:
            limit, value, reached = full.args
            what = "laying out the start of the grammar"
            raise LimitExceededError(limit, value, reached, what) from None

    def __repr__(self) -> str:
        """Say what was compiled and how much it holds."""
        return f"<CompiledGrammar {self.grammar!r} for {self.vocabulary.size} ids, {self.nbytes >> 10} KiB>"


def compile(grammar: Grammar, vocabulary: Vocabulary, limits: Limits | None = None) -> CompiledGrammar:
    """Put a grammar and a vocabulary together.

    Raises
    ------
    GrammarError : nothing can be written in the grammar
    LimitExceededError : a bound of ``limits`` is passed
    """
    return CompiledGrammar(grammar, vocabulary, limits or USUAL)
