"""A matcher by definition for a finite set of texts: slow, obvious, and with the methods of a real one.

It keeps the hosts' tests about the hosts: what they ask, in which order and with which rows. It also
counts forks, which a real matcher does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from structgen.vocab import Vocabulary


class FiniteGrammar:
    """The "compiled grammar" whose language is ``texts``."""

    def __init__(self, texts: Iterable[str], vocabulary: Vocabulary) -> None:
        self.texts = sorted(text.encode() for text in texts)
        self.vocabulary = vocabulary
        self.tokens = vocabulary.token_bytes
        self.forks = 0

    def matcher(self) -> FiniteMatcher:
        return FiniteMatcher(self, ())


class FiniteMatcher:
    """One text being written."""

    def __init__(self, grammar: FiniteGrammar, written: tuple[int, ...]) -> None:
        self.grammar = grammar
        self.written = written

    def _text(self) -> bytes:
        return b"".join(self.grammar.tokens[i] or b"" for i in self.written)

    def _allowed(self) -> set[int]:
        stops = self.grammar.vocabulary.stop_token_ids
        if self.is_terminated():
            return set(stops)
        text = self._text()
        rests = [t[len(text) :] for t in self.grammar.texts if t.startswith(text)]
        allowed = {i for i, b in enumerate(self.grammar.tokens) if b and any(r.startswith(b) for r in rests)}
        return allowed | (set(stops) if b"" in rests else set())

    def fill_next_token_bitmask(self, bitmask: np.ndarray, index: int = 0) -> bool:
        flags = np.zeros(bitmask.shape[1] * 32, np.uint8)
        flags[sorted(self._allowed())] = 1
        bitmask[index] = np.packbits(flags, bitorder="little").view(np.int32)
        return True

    def accept_token(self, token_id: int) -> bool:
        if token_id not in self._allowed():
            return False
        self.written = (*self.written, token_id)
        return True

    def rollback(self, n: int) -> None:
        self.written = self.written[: len(self.written) - n]

    def fork(self) -> FiniteMatcher:
        self.grammar.forks += 1
        return FiniteMatcher(self.grammar, self.written)

    def reset(self) -> None:
        self.written = ()

    def is_accepting(self) -> bool:
        return self._text() in self.grammar.texts

    def is_terminated(self) -> bool:
        return bool(self.written) and self.written[-1] in self.grammar.vocabulary.stop_token_ids

    def must_stop(self) -> bool:
        return self._allowed() <= set(self.grammar.vocabulary.stop_token_ids)
