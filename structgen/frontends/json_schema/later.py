"""Rules that are written when a text first gets there.

Most of a schema is never reached before a text ends, and nearly all of it not before the first mask. So a
rule is a *promise*, where its values' first bytes are known at sight and writing it can raise no error: what
a schema has wrong is said when the grammar is made, not in the middle of a text. Automata of formats, ranges
and lists are made then, too. To whoever looks at all rules they are as if written: looking writes them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ...ir import Expr
from . import formats
from .document import Location
from .nodes import ALL_ARRAYS, ALL_OBJECTS, FALSE, NULL, TRUE, ArraySet, Formula, Node, ObjectSet
from .scalars import ALL_INTEGERS, ALL_NUMBERS, NumberSet, StringSet


@lru_cache(maxsize=64)
def first_bits(texts: bytes) -> int:
    """One bit for each of the bytes."""
    return sum(1 << byte for byte in set(texts))


_SURE_STATES = 1000
"""An automaton of so many states, or a text of so many characters, is spelled out far within the limits."""
_SURE_NUMBER = 10**18
_OBJECT, _ARRAY, _STRING, _NUMBER = map(first_bits, (b"{", b"[", b'"', b"-0123456789"))
_SIMPLE = [
    sum(first_bits(text) for bit, text in ((NULL, b"n"), (TRUE, b"t"), (FALSE, b"f")) if simple & bit)
    for simple in range(8)
]


_AT_SIGHT: dict[Any, tuple[str, int, tuple[str, ...]]] = {
    # The rule of what has no other constraint, the bytes that begin any value, and constraints of plain ones.
    "object": ("json.object", _OBJECT, ("properties", "required", "additionalProperties")),
    "array": ("json.array", _ARRAY, ("items", "minItems", "maxItems")),
    "string": ("string", _STRING, ("minLength", "maxLength", "format", "pattern", "enum", "const")),
    "integer": ("integer", _NUMBER, ("minimum", "maximum")),
    "number": ("number", _NUMBER, ("minimum", "maximum")),
    "boolean": ("boolean", 0, ()),
    "null": ("null", 0, ()),
}


WHOLE_TYPES = {kind: shared for kind, (shared, _, _) in _AT_SIGHT.items()}


@dataclass(frozen=True, slots=True)
class Sight:
    """Of a plain schema that has not been read: the shared rule that it is, or what `promise` says of it.

    key : equal for scalars that say the same; None for others
    """

    shared: str
    first: int = 0
    key: Hashable = None


def at_sight(schema: dict[str, Any]) -> Sight | None:
    """What a plain schema is; None where it must be read to be known."""
    kind = schema.get("type")
    found = None if isinstance(kind, list) else _AT_SIGHT.get(kind)
    if found is None or (kind != "string" and ("enum" in schema or "const" in schema)):
        return None
    shared, first, constraints = found
    met = [keyword for keyword in constraints if keyword in schema]
    if first in (_OBJECT, _ARRAY):
        return Sight("" if met else shared, first)
    if "const" in met or ("enum" in met and len(schema["enum"]) == 1):
        return None
    if "format" in met and not formats.is_known(schema["format"]):
        met.remove("format")
    if not met:
        return Sight(shared)
    return Sight("", first, (kind, *(f"{keyword} {schema[keyword]!r}" for keyword in met)))


def promise(node: Node) -> int | None:
    """The bytes that may begin a node's values, one bit each; None where its rule is not to be written later.

    That is, where it may raise an error, or is no more than a word or two.
    """
    strings = node.strings
    if not (node.arrays or node.objects or node.numbers) and (
        not strings or (len(strings) == 1 and strings[0].values is not None and len(strings[0].values) == 1)
    ):
        return None
    if not _is_sure(node):
        return None
    bits = _SIMPLE[node.simple]
    for array in node.arrays:
        if array is not ALL_ARRAYS and not _is_plain_array(array):
            return None
        bits |= _ARRAY
    for one in node.objects:
        if one is not ALL_OBJECTS and not _is_plain_object(one):
            return None
        bits |= _OBJECT
    if strings:
        bits |= _STRING
    if node.numbers:
        bits |= _NUMBER
    return bits


def _is_sure(node: Node) -> bool:
    """The strings and numbers of a node can be written without an error."""
    strings, numbers = node.strings, node.numbers
    if len(strings) > 1 and any(one.lang is not None for one in strings):
        return False
    return all(map(_is_sure_string, strings)) and all(map(_is_sure_number, numbers))


def _is_sure_string(one: StringSet) -> bool:
    if one.values is not None:
        return max(len(text) for text in one.values) <= _SURE_STATES
    return one.lang is None or (one.max is None and one.lang.n_states <= _SURE_STATES)


def _is_sure_number(one: NumberSet) -> bool:
    if one is ALL_NUMBERS or one is ALL_INTEGERS or one.values is not None:
        return True
    if one.multiples or one.avoided or one.integer is False:
        return False
    bounds = [Fraction(bound) for bound in (one.low, one.high) if bound is not None]
    return all(abs(bound) < _SURE_NUMBER and bound.denominator < _SURE_NUMBER for bound in bounds)


def _is_plain_array(array: ArraySet) -> bool:
    if array.distinct or array.machine is not None or array.choice is not None:
        return False
    return all(one.node is None or _is_sure(one.node) for one in (*array.prefix, array.rest))


def _is_plain_object(one: ObjectSet) -> bool:
    if one.cases is not None or one.wanted or one.needs or len(one.rest) > 1 or one.rest[0][0] is not None:
        return False
    below = (*one.props.values(), one.rest[0][1])
    return all(formula.node is None or _is_sure(formula.node) for formula in below)


class Rules(Mapping[str, Expr]):
    """The rules of one grammar.

    promised : rules that need not be read before a text gets there, whoever adds them
    write : makes the expression of a formula, or of the plain schema at a place; told the rule's name

    Attributes
    ----------
    promised : the rules that are written when they are asked for, as `GrammarIR.promised` has them; they
        stay there when they have been
    lock : held where something is read or written
    """

    def __init__(self, write: Callable[[Formula | Location, str], Expr], promised: Mapping[str, int]) -> None:
        self.promised: dict[str, int] = dict(promised)
        self._write = write
        self._written: dict[str, Expr] = {}
        self._waiting: dict[str, Formula | Location] = {}
        self.lock = threading.RLock()  # grammars are shared by threads that compile them

    def put(self, name: str, expr: Expr) -> None:
        """Add a rule, or write it anew."""
        self._written[name] = expr

    def put_all(self, rules: Mapping[str, Expr]) -> None:
        """Add rules that are written."""
        self._written.update(rules)

    def put_later(self, name: str, what: Formula | Location, first: int) -> None:
        """Promise a rule."""
        self._waiting[name] = what
        self.promised[name] = first

    def waiting(self, name: str) -> Formula | Location | None:
        """What a rule will be written from; None when it has been."""
        return self._waiting.get(name)

    def write_all(self) -> None:
        """Keep every promise."""
        with self.lock:
            while self._waiting:
                self._keep(*self._waiting.popitem())

    def _keep(self, name: str, what: Formula | Location) -> None:
        self._waiting.pop(name, None)
        self._written[name] = self._write(what, name)

    def __getitem__(self, name: str) -> Expr:
        expr = self._written.get(name)
        if expr is None:
            with self.lock:
                if name in self._waiting:
                    self._keep(name, self._waiting[name])
                return self._written[name]
        return expr

    def __contains__(self, name: object) -> bool:
        return name in self._written or name in self._waiting

    def __iter__(self) -> Iterator[str]:
        self.write_all()
        return iter(self._written)

    def __len__(self) -> int:
        self.write_all()
        return len(self._written)
