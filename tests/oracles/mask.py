"""The mask by definition.

After a text, a token is allowed when the text with the token's bytes is a prefix of the language; a
stop token when the text belongs to it; an id without bytes never.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from structgen import ir

from .earley import any_cut
from .indented import Indented
from .longest import Longest


class Oracle(Protocol):
    """What knows a language."""

    def is_prefix(self, text: bytes) -> bool:
        """Some continuation of ``text``, perhaps the empty one, belongs to the language."""

    def is_member(self, text: bytes) -> bool:
        """``text`` belongs to the language."""


def oracle(grammar: ir.GrammarIR, alphabet: bytes = b"ab", bound: int = 11) -> Oracle:
    """The recogniser for the grammar's discipline; the last two are for ``longest`` only."""
    if grammar.lexing == "any":
        return any_cut(grammar)
    return (Longest if grammar.indentation is None else Indented)(grammar, alphabet, bound)


def mask(
    language: Oracle, text: bytes, token_bytes: Sequence[bytes | None], stop_token_ids: Collection[int]
) -> list[bool]:
    """For each token, whether it is allowed after ``text``."""
    return [
        language.is_member(text)
        if i in stop_token_ids
        else data is not None and language.is_prefix(text + data)
        for i, data in enumerate(token_bytes)
    ]
