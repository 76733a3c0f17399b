"""Schemas that kernels read: from JSON text straight to rows of rules, without values of Python.

The text of a schema that says little more than what its objects and arrays hold, which is most of them, is
read by `skimming`. What is left over are schemas of other forms below it: of most of them a kernel or one
look (`plain`) tells that they are sound, and they are read when a text gets there; the others are read now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property, lru_cache
from typing import Any, TypedDict, TypeGuard
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from ...errors import StructgenError
from ...ir import Bounded, Expr, GrammarIR, Pat
from ...jit import settled
from ...limits import USUAL, Limits, clock
from ...sketch import (
    ELSEWHERE,
    MEMBER_WORDS,
    REFERRED,
    SK_BEGIN,
    SK_BYTES,
    SK_END,
    SK_KIND,
    SK_OTHERS,
    SK_PARENT,
    SK_WAY,
    SKETCH_WORDS,
    SM_BEGIN,
    SM_END,
    WAY_BRANCHES,
    WAY_ITEMS,
    WAY_OTHERS,
    Sketch,
)
from . import formats
from .document import MAX_POINTER, Documents, Location, escape
from .emptiness import overlapping, settle
from .keywords import KEYWORDS, status_of
from .later import WHOLE_TYPES
from .lower import Lowering
from .normalise import Normaliser, OneOf
from .plain import Plain
from .punctuation import SKETCHED, text
from .report import Findings
from .skimming.forms import NOTED, T_DRAFT
from .skimming.rules import sketch_rules
from .skimming.values import MOST_DEEP, N_BEGIN, N_END, NODE_WORDS, read_values
from .skimming.words import (
    A_FORMAT,
    A_TYPE,
    ADDITIONAL,
    CONST,
    DIALECT,
    ENUM,
    FORMAT,
    ID,
    IGNORED,
    ITEMS,
    MAX_ITEMS,
    MAX_LENGTH,
    MAXIMUM,
    MIN_ITEMS,
    MIN_LENGTH,
    MINIMUM,
    ONE,
    PROPERTIES,
    REFERENCE,
    REQUIRED,
    SLOTS,
    SOME,
    STOP,
    TYPE,
    UNKNOWN,
    hash_of,
)

MOST_NODES = 1 << 21  # values of a text


class How(TypedDict):
    """How a schema is read: what `schema_to_ir` takes beside it."""

    whitespace: int | str
    property_order: str
    strict: bool
    formats: str
    integers: str
    registry: Mapping[str, Any] | None
    limits: Limits


class _Scratch:
    """What kernels write to, for texts of usual size: memory that is new costs more than the work.

    n : how many values a text may have; see `sketch_rules`
    """

    def __init__(self, n: int) -> None:
        self.nodes, self.stack = np.empty((n, NODE_WORDS), np.int64), np.empty(MOST_DEEP, np.int64)
        self.rules = np.empty((n + 8, SKETCH_WORDS), np.int64)
        self.members = np.empty((3 * n + 8, MEMBER_WORDS), np.int64)
        self.noted, self.spare = np.empty(NOTED, np.int64), np.empty(2 * n + 16, np.int64)


_waiting: list[_Scratch] = []
USUAL_NODES = 1 << 15  # a text of some 500 KB


def skim(schema: str, how: How) -> Skimmed | None:
    """The sketch of a schema's text; None for one that is to be read otherwise."""
    try:
        source = np.frombuffer(schema.encode(), np.uint8)
    except UnicodeEncodeError:
        return None
    # Each value but the first comes after one of these, or after the key that does.
    n = 2 + schema.count(",") + schema.count("[") + schema.count("{")
    if n > MOST_NODES:
        return None
    usual = n <= USUAL_NODES
    try:
        scratch = _waiting.pop() if usual else _Scratch(n)
    except IndexError:  # the first text, or another thread has it
        scratch = _Scratch(USUAL_NODES)
    read, sketch = _kernels or _settle()
    nodes, limits = scratch.nodes, how["limits"]
    n = read(source, nodes, scratch.stack)
    found = None
    if 0 < n <= limits.max_grammar_nodes and limits.max_depth >= MOST_DEEP:
        rows = (scratch.rules, scratch.members, scratch.noted, scratch.spare)
        n_members = sketch(source, nodes, *_table(), *rows)
        if n_members >= 0:
            found = Skimmed(source, scratch, n_members, how)
    if usual and not _waiting:
        _waiting.append(scratch)
    if found is None or not found.unsure:
        return found
    with clock("compile_seconds", limits.compile_seconds):
        return found if found.is_sound() else None


@lru_cache(maxsize=256)
def _dialect(said: bytes) -> dict[str, Any]:
    """A schema that says no more than its ``$schema``."""
    return {"$schema": json.loads(said)}


_kernels: list[Callable[..., int]] = []  # the machine code of `read_values` and `sketch_rules`


def _settle() -> list[Callable[..., int]]:
    source = np.frombuffer(b"0", np.uint8)
    nodes, scratch = np.empty((2, NODE_WORDS), np.int64), np.empty(MOST_DEEP, np.int64)
    rules, members = np.empty((2, SKETCH_WORDS), np.int64), np.empty((2, MEMBER_WORDS), np.int64)
    read = settled(read_values, source, nodes, scratch)
    rows = (rules, members, np.empty(NOTED, np.int64), scratch)
    _kernels[:] = [read, settled(sketch_rules, source, nodes, *_table(), *rows)]
    return _kernels


@cache
def _table() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """The table of words that `skimming.code_of` looks in."""
    codes = {name: IGNORED if entry[0] is None else UNKNOWN for name, entry in KEYWORDS.items()}
    codes |= {
        "type": TYPE,
        "properties": PROPERTIES,
        "required": REQUIRED,
        "additionalProperties": ADDITIONAL,
        "items": ITEMS,
        "minItems": MIN_ITEMS,
        "maxItems": MAX_ITEMS,
        "additionalItems": IGNORED,  # beside no list it means nothing, and with one, schemas are for Python
        "enum": ENUM,
        "const": CONST,
        "minLength": MIN_LENGTH,
        "maxLength": MAX_LENGTH,
        "minimum": MINIMUM,
        "maximum": MAXIMUM,
        "format": FORMAT,
        "anyOf": SOME,
        "oneOf": ONE,
        "$schema": DIALECT,
        **dict.fromkeys(("$id", "id"), ID),
        **dict.fromkeys(("uniqueItems", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"), STOP),
        "$ref": REFERENCE,
        **{name: A_TYPE + SKETCHED.index(rule) for name, rule in WHOLE_TYPES.items()},
        **dict.fromkeys(formats.KNOWN, A_FORMAT),
    }
    known = {name.encode(): code for name, code in codes.items() if code != IGNORED}
    words = np.frombuffer(b"".join(known), np.uint8)
    table = np.zeros((SLOTS, 3), np.int64)
    at = 0
    for word, code in known.items():
        slot = int(hash_of(words, at, at + len(word)))
        while table[slot, 2]:
            slot = (slot + 1) % SLOTS
        table[slot] = code, at, at + len(word)
        at += len(word)
    return table, words


_SAYING = {name for name, entry in KEYWORDS.items() if entry[0] is not None} | {"$id", "id", "$schema"}
_TYPES = {SKETCHED.index(rule): name for name, rule in WHOLE_TYPES.items()}
_patterns: dict[tuple[Any, ...], tuple[Pat | Bounded | None]] = {}  # by what a schema says and how
MOST_PATTERNS = 4096
_read_value = json.JSONDecoder().raw_decode  # of a text, from its start: (value, where it ends)


def _is_pattern(expr: Expr | None) -> TypeGuard[Pat]:
    return isinstance(expr, Pat) and not expr.dfa.accepts_empty


class Skimmed(Sketch):
    """The sketch of a schema's text, with what of it is no row: schemas of other forms, and names of rules.

    scratch : what the kernels wrote, with ``n_members`` members
    unsure : how many schemas there are that kernels cannot tell all about
    dialect : a schema with no more than the text's ``$schema``
    """

    def __init__(self, source: npt.NDArray[np.uint8], scratch: _Scratch, n_members: int, how: How) -> None:
        n_rules, dialect, self.unsure, draft = scratch.noted[: T_DRAFT + 1].tolist()
        self.text, self._how = source, how
        self.rules, self.members = scratch.rules[:n_rules].copy(), scratch.members[:n_members].copy()
        self.ordered = how["property_order"] == "schema"
        self.dialect: dict[str, Any] = {}
        if dialect:
            begin, end = scratch.nodes[dialect, N_BEGIN : N_END + 1].tolist()
            self.dialect = _dialect(source[begin:end].tobytes())
        digits_alone = how["integers"] == "plain" or draft == 4
        self.form = text(how["whitespace"], digits_alone).sketch
        self._schemas: dict[int, Location] = {}
        self._plain: Plain | None = None
        self._overlaps: dict[OneOf, set[tuple[int, int]]] = {}

    @cached_property
    def _documents(self) -> Documents:
        if self._refers:
            return Documents(json.loads(self.text.tobytes()), self._how["registry"])
        return Documents(self.dialect, None)

    @cached_property
    def _refers(self) -> bool:
        """Some schema that is no row refers to another place of the text: the whole is needed."""
        return bool(((self.rules[:, SK_KIND] == ELSEWHERE) & (self.rules[:, SK_BYTES] > 1)).any())

    def is_sound(self) -> bool:
        """The schemas that kernels cannot tell all about are plain, or read now and known for sound.

        Whether a schema that refers to itself through its complement is sound depends on the order in which
        it is met, so where both come up, the whole is read in its own order.
        """
        plain = self._plain = Plain(self._documents, self._how["limits"])
        unsure = (self.rules[:, SK_KIND] == ELSEWHERE) & (self.rules[:, SK_BYTES] > 0)
        try:
            places = list(map(self._schema, np.flatnonzero(unsure).tolist()))
            read = [at for at in places if not plain.holds(at)]
            while read:
                normaliser = self._lowering.normaliser
                for at in read:
                    formula = normaliser.formula(at.schema, at.pointer, at.resource)
                    settle(normaliser, formula)
                    if not formula.productive or normaliser.items_differ:
                        return False
                    if self._refers and normaliser.algebra.negates:
                        return False
                kept = True
                for promise in normaliser.promises:
                    if pairs := overlapping(normaliser, promise):
                        self._overlaps.setdefault(promise.key, set()).update(pairs)
                        kept = False
                if kept:
                    break
                if self._refers:  # a branch is negated, as above
                    return False
                del self._lowering
            for at in read:
                self._lowering.rule(at)
        except (StructgenError, ValueError, RecursionError):  # said when the whole is read
            return False
        return True

    def _schema(self, rule: int) -> Location:
        at = self._schemas.get(rule)
        if at is None:
            pointer, root = self.pointer(rule), self._documents.root
            if self._refers:
                at = self._documents.resolve(f"#{quote(pointer)}", root)
                at = Location(self._restricted(rule, at.schema), at.pointer, at.resource)
            else:
                at = Location(self._said(rule), pointer[:MAX_POINTER], root.resource)
            self._schemas[rule] = at
        return at

    def _said(self, rule: int) -> dict[str, Any]:
        """A rule's schema as the text has it at its place."""
        begin, end = self.rules[rule, SK_BEGIN : SK_END + 1].tolist()
        schema, _ = _read_value(self.text[begin:end].tobytes().decode())
        return self._restricted(rule, schema)

    def _restricted(self, rule: int, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema, for the one of its types that the rule is of."""
        types = int(self.rules[rule, SK_OTHERS])
        if isinstance(schema.get("type"), list) and types & (types - 1) == 0:
            name = _TYPES.get(types.bit_length() - 1)
            if name in schema["type"]:
                return {**schema, "type": name}
        return schema

    def pointer(self, rule: int) -> str:
        """Where a rule's schema is."""
        parts: list[str] = []
        while rule > 0:
            parent, way = self.rules[rule, SK_PARENT : SK_WAY + 1].tolist()
            if parent == REFERRED:
                parts.append(self._reference(way))
                break
            if parent < 0:
                break
            if way == WAY_ITEMS:
                parts.append("items")
            elif way == WAY_OTHERS:
                parts.append("additionalProperties")
            elif way <= WAY_BRANCHES:
                keyword = "oneOf" if self.rules[parent, SK_BYTES] else "anyOf"
                parts.append(f"{keyword}/{WAY_BRANCHES - way}")
            else:
                begin, end = self.members[way, SM_BEGIN : SM_END + 1].tolist()
                key = json.loads(self.text[begin:end].tobytes())
                parts.append(f"properties/{escape(key)}")
            rule = parent
        return "".join(f"/{part}" for part in reversed(parts))

    def _reference(self, begin: int) -> str:
        """Where the schema is to which the one at this place of the text refers."""
        text = self.text[begin:].tobytes().decode()
        schema, _ = json.JSONDecoder().raw_decode(text)
        return str(schema["$ref"]).removeprefix("#/")

    def name_of(self, rule: int) -> str:
        """A rule's name."""
        return "#" + self.pointer(rule)

    @cached_property
    def _lowering(self) -> Lowering:
        how, documents = self._how, self._documents
        findings = Findings(status_of)
        plain = self._plain or Plain(documents, how["limits"])

        def normaliser() -> Normaliser:
            return Normaliser(
                documents,
                strict=how["strict"],
                formats=how["formats"],
                limits=how["limits"],
                plain=plain,
                overlaps=self._overlaps,
                report=findings,
            )

        ordered, plain_integers = how["property_order"] == "schema", how["integers"] == "plain"
        return Lowering(
            normaliser, documents, findings, how["limits"], how["whitespace"], ordered, plain_integers
        )

    def pattern(self, rule: int) -> Pat | Bounded | None:
        """The whole of a rule, where that is a pattern.

        What strings and numbers mean does not depend on where they are, so it is kept for the next text.
        """
        if self.rules[rule, SK_BYTES] > 1:
            return None
        says = repr([one for one in self._said(rule).items() if one[0] in _SAYING])
        how = self._how
        limits = how["limits"]
        bounds = None if limits is USUAL else limits  # whose hash takes longer than all the rest
        key = says, self.dialect.get("$schema"), how["strict"], how["formats"], how["integers"], bounds
        known = _patterns.get(key)
        if known is None:
            lowering = self._lowering
            expr = lowering.rules.get(lowering.rule(self._schema(rule)))
            known = (expr if isinstance(expr, Bounded) or _is_pattern(expr) else None,)
            if len(_patterns) >= MOST_PATTERNS:
                _patterns.clear()
            _patterns[key] = known
        return known[0]

    def grammar(self) -> tuple[GrammarIR, Callable[[int], str]]:
        """The grammar that has the rules of kind ELSEWHERE, and what tells which one is."""
        lowering = self._lowering
        return lowering.part(), lambda rule: lowering.rule(self._schema(rule))
