"""One grammar text, what the names in it stand for, and errors at its places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lark import Token

from ..errors import GrammarError


@dataclass(frozen=True, eq=False)
class Scope:
    """One grammar text, and what the names in it stand for."""

    text: str
    source: str | None
    rename: Callable[[str], str]
    names: set[str] = field(default_factory=set)

    def error(self, message: str, at: Token | None = None) -> GrammarError:
        """A `GrammarError` at a token of this text."""
        if at is None:
            return GrammarError(message, source=self.source)
        return GrammarError(message, text=self.text, line=at.line, column=at.column, source=self.source)
