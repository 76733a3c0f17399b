"""The exception tree, and how an error shows its place.

    StructgenError
     ├── GrammarError              a grammar, pattern or type that cannot be used; line, column, caret
     │    └── SchemaError          a JSON Schema that cannot be used; JSON pointer
     │         ├── UnsupportedKeywordError   a keyword that would not be enforced
     │         └── UnsatisfiableError        nothing satisfies the schema
     ├── LimitExceededError        which limit, its value, what was reached
     ├── VocabularyError           a tokenizer whose bytes cannot be known
     └── ModelError                a model that is not there or cannot be loaded

A token that is not allowed is never an exception: the matcher answers ``False``.
"""

from __future__ import annotations


class StructgenError(Exception):
    """Base of every error that structgen raises on purpose."""


class GrammarError(StructgenError):
    """A grammar that cannot be compiled.

    Parameters
    ----------
    message : what is wrong, and the way out.
    text : the source, when there is one; with ``line`` and ``column`` (both from 1) it gives a caret.
    source : name of the source (a file name), shown before the place.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        line: int | None = None,
        column: int | None = None,
        source: str | None = None,
    ) -> None:
        self.message = message
        self.text = text
        self.line = line
        self.column = column
        self.source = source
        super().__init__(self._render())

    def _render(self) -> str:
        if self.line is None:
            return f"{self.source}: {self.message}" if self.source else self.message
        column = self.column or 1
        place = f"{self.source or 'grammar'}:{self.line}:{column}"
        shown = f"{place}: {self.message}"
        if self.text is not None:
            lines = self.text.splitlines() or [""]
            if 0 < self.line <= len(lines):
                source_line = lines[self.line - 1].replace("\t", " ")
                start = max(0, column - 61)
                shown += f"\n  {source_line[start : start + 120]}\n  {' ' * (column - 1 - start)}^"
        return shown


class SchemaError(GrammarError):
    """A JSON Schema that cannot be compiled; ``pointer`` is the JSON pointer of the place."""

    def __init__(self, message: str, *, pointer: str = "", source: str | None = None) -> None:
        self.pointer = pointer
        super().__init__(f"at {pointer or '/'}: {message}", source=source)


class UnsupportedKeywordError(SchemaError):
    """A keyword that constrains and that structgen would not enforce."""

    def __init__(self, message: str, *, keyword: str, pointer: str = "") -> None:
        self.keyword = keyword
        super().__init__(message, pointer=pointer)


class UnsatisfiableError(SchemaError):
    """A JSON Schema that no value satisfies; the message says which keywords contradict each other."""


class LimitExceededError(StructgenError):
    """A limit of :class:`structgen.Limits` was passed.

    ``limit`` is the name of its field, ``value`` what it is set to, ``reached`` what was reached.
    """

    def __init__(self, limit: str, value: float, reached: float, what: str = "") -> None:
        self.limit = limit
        self.value = value
        self.reached = reached
        where = f" while {what}" if what else ""
        super().__init__(
            f"limit {limit}={value:g} passed{where} (reached {reached:g}); "
            f"raise it with structgen.Limits({limit}=...) if the input is to be trusted"
        )


class VocabularyError(StructgenError):
    """A tokenizer whose tokens' bytes cannot be known exactly."""


class ModelError(StructgenError):
    """A model that is not there, or cannot be loaded."""
