"""Listed values (``enum``, ``const``) as nodes, and their check by a validator.

A number is listed with the texts that it may be written as: ``1`` and ``1.0`` both as ``1`` and as ``1.0``,
``1e-7`` as ``1e-07`` (what json.dumps writes) and as ``0.0000001``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ...errors import SchemaError
from .algebra import Algebra
from .document import MAX_POINTER, escape
from .nodes import FALSE, NEVER, NULL, TRUE, ArraySet, Node, ObjectSet
from .scalars import Number, NumberSet, StringSet

MAX_PLAIN_DIGITS = 40
MOST_BITS = 13_000  # of a whole number: Python itself does not write those of more than 4,300 digits


def number_of(value: Any) -> Number | None:
    """A JSON number as an exact one, or None for anything else (booleans, infinities)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise SchemaError(f"a number of more than {MOST_BITS // 10 * 3:,} digits")
        return value
    if value != value or value in (float("inf"), float("-inf")):
        return None
    exact = Fraction(repr(value))
    return exact.numerator if exact.denominator == 1 else exact


def texts_of(value: int | float) -> tuple[str, ...]:
    """The texts in which a listed number may be written."""
    texts = [json.dumps(value)]
    plain = texts[0]
    if isinstance(value, float):
        plain = format(Decimal(plain), "f")
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, int) or len(plain) <= MAX_PLAIN_DIGITS:
        texts.append(plain)
        if "." not in plain:
            texts.append(f"{plain}.0")
    return tuple(dict.fromkeys(texts))


def node_of_value(algebra: Algebra, value: Any, pointer: str) -> Node:
    """The set of one JSON value."""
    if value is None:
        return Node(NULL)
    if isinstance(value, bool):
        return Node(TRUE if value else FALSE)
    if isinstance(value, str):
        return Node(strings=(StringSet(values=(value,)),)) if _is_text(value) else Node()
    number = number_of(value)
    if number is not None:
        return Node(numbers=(NumberSet(values=((number, texts_of(value)),)),))
    pointer = pointer[:MAX_POINTER]
    if isinstance(value, (list, tuple)):
        items = tuple(algebra.const(one, f"{pointer}/{i}") for i, one in enumerate(value))
        return Node(arrays=(ArraySet(items, NEVER, len(items), len(items)),))
    if isinstance(value, dict):
        props = {key: algebra.const(one, f"{pointer}/{escape(key)}") for key, one in value.items()}
        return Node(objects=(ObjectSet(props, frozenset(props), ((None, NEVER),)),))
    raise SchemaError(f"{value!r} is no JSON value", pointer=pointer)


def node_of_values(algebra: Algebra, values: Iterable[Any], pointer: str) -> Node:
    """The set of several JSON values: strings and numbers in one alternative each."""
    simple = 0
    strings: dict[str, None] = {}
    numbers: dict[Number, tuple[str, ...]] = {}
    others: list[Node] = []
    for i, value in enumerate(values):
        if isinstance(value, str):
            if _is_text(value):
                strings[value] = None
        elif value is None or isinstance(value, bool):
            simple |= NULL if value is None else TRUE if value else FALSE
        elif (number := number_of(value)) is not None:
            numbers[number] = tuple(dict.fromkeys(numbers.get(number, ()) + texts_of(value)))
        else:
            others.append(node_of_value(algebra, value, f"{pointer}/{i}"))
    node = Node(
        simple,
        (NumberSet(values=tuple(numbers.items())),) if numbers else (),
        (StringSet(values=tuple(strings)),) if strings else (),
    )
    return algebra.union([node, *others]) if others else node


def filtered(root: Any, schema: dict[str, Any], keyword: str, values: list[Any]) -> list[Any]:
    """The values that satisfy a keyword of ``schema``, which is a part of ``root``.

    Asks the ``jsonschema`` package, which takes 0.2 s to load and is loaded here for the first time.
    """
    from jsonschema.validators import Draft202012Validator, validator_for

    validator = validator_for(root, default=Draft202012Validator)(root)
    part = validator.evolve(schema={keyword: schema[keyword]})
    return [value for value in values if part.is_valid(value)]


def _is_text(value: str) -> bool:
    """The string has no lone surrogate, which no UTF-8 text can hold."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
