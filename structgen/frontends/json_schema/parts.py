"""The keywords of one schema object, gathered, and what is asked of their values' form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import GrammarError, SchemaError
from . import languages
from .document import Location, kind_of
from .nodes import ANY, FALSE, NULL, TRUE, Contains, Formula, Origin
from .scalars import Number
from .values import number_of

if TYPE_CHECKING:
    from .normalise import Normaliser

NUMBER, STRING, ARRAY, OBJECT, INTEGER = 8, 16, 32, 64, 128
EVERY_TYPE = NULL | FALSE | TRUE | NUMBER | STRING | ARRAY | OBJECT
TYPES = {
    "null": NULL,
    "boolean": FALSE | TRUE,
    "number": NUMBER,
    "integer": INTEGER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}


@dataclass(slots=True)
class Parts:
    """The keywords of one schema object, gathered before they are put together.

    ``bounds`` holds (low, high, low is open, high is open); ``groups`` the unions of formulas that apply in
    place; ``values`` the lists of ``enum`` and ``const``.
    """

    at: Location
    types: int = EVERY_TYPE
    bounds: list[tuple[Number | None, Number | None, bool, bool]] = field(default_factory=list)
    multiples: tuple[Number, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    langs: list[languages.Language] = field(default_factory=list)
    prefix: tuple[Formula, ...] = ()
    rest_items: Formula = ANY
    min_items: int = 0
    max_items: int | None = None
    contains: tuple[Contains, ...] = ()
    unique: Origin | None = None
    props: dict[str, Formula] = field(default_factory=dict)
    patterns: list[tuple[languages.Language, Formula]] = field(default_factory=list)
    additional: Formula = ANY
    required: list[str] = field(default_factory=list)
    needs: dict[str, list[str]] = field(default_factory=dict)
    names: Formula | None = None
    min_properties: int = 0
    max_properties: int | None = None
    values: list[list[Any]] = field(default_factory=list)
    groups: list[tuple[Formula, ...]] = field(default_factory=list)

    def wrong(self, keyword: str, wanted: str, value: Any) -> SchemaError:
        """The error for a keyword whose value has the wrong form."""
        return SchemaError(
            f"`{keyword}` is {wanted}, not {kind_of(value)}", pointer=f"{self.at.pointer}/{keyword}"
        )


Handler = Callable[["Normaliser", Parts, Any], None]


def count_of(parts: Parts, keyword: str, value: Any) -> int:
    """The value of a keyword that is a number of something."""
    number = number_of(value)
    if not isinstance(number, int):
        raise parts.wrong(keyword, "a whole number", value)
    if number < 0:
        raise SchemaError(f"`{keyword}` is negative: {number}", pointer=f"{parts.at.pointer}/{keyword}")
    return number


def mapping_of(parts: Parts, keyword: str, value: Any) -> dict[str, Any]:
    """The value of a keyword that is an object."""
    if not isinstance(value, dict):
        raise parts.wrong(keyword, "an object", value)
    return value


def schemas_of(n: Normaliser, parts: Parts, keyword: str, value: Any) -> tuple[Formula, ...]:
    """The schemas of a keyword that is a list of them."""
    if not isinstance(value, (list, tuple)) or not value:
        raise parts.wrong(keyword, "a list of schemas with one at least", value)
    return tuple(n.below(parts.at, one, keyword, str(i)) for i, one in enumerate(value))


def names_of(parts: Parts, keyword: str, value: Any) -> list[str]:
    """The value of a keyword that is a list of names, each once."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise parts.wrong(keyword, "a list of names", value)
    return list(dict.fromkeys(value))


def language_of(n: Normaliser, parts: Parts, keyword: str, pattern: Any) -> languages.Language:
    """The texts in which a keyword's regular expression is found."""
    if not isinstance(pattern, str):
        raise parts.wrong(keyword, "a regular expression", pattern)
    try:
        return languages.of_pattern(pattern, n.limits)
    except GrammarError as error:
        message = f"`{keyword}` is no regular expression that can be used: {error}"
        raise SchemaError(message, pointer=f"{parts.at.pointer}/{keyword}") from None
