"""JSON Schema to the grammar IR.

::

    document.py    JSON text, drafts, identifiers, where a $ref points
    sources.py     files, texts, wrappers          size.py                  what is too large to be read
    keywords.py    what each keyword says          values.py, formats.py    listed values, formats as patterns
    normalise.py   schemas -> nodes: what stands beside each other is intersected
    containers.py  those of arrays and objects     parts.py                 what is gathered of one schema
    evaluated.py   which keys and items are evaluated, for unevaluatedProperties and unevaluatedItems
    nodes.py       sets of JSON values by type     scalars.py               their leaves
    algebra.py     union, intersection, complement inclusion.py             what is part of something else
    wording.py     which schemas are copies of each other
    spelled.py     counts of items, and some key of an object, written out
    counting.py    how many values there are at least
    languages.py, number_texts.py                  string languages, decimal texts
    kept.py        automata that take long to make, on disk
    emptiness.py   what has no value is taken out  explain.py               why nothing is left
    plain.py       what one look tells all about   later.py                 rules written when reached
    lower.py       nodes -> rules                  report.py                what became of each keyword
    direct.py      plain schemas -> rules          skim.py, skimming/       JSON text -> a sketch, by kernels

The meaning comes first: a schema becomes a set of JSON values by type, in which sibling keywords, ``$ref``,
``allOf`` and their like are resolved and empty branches removed; only then is it written as rules. A schema
that one look tells all about needs none of this to be known for sound: it is read when a text gets there. And
text that says what most schemas say is read by kernels, and never becomes values of Python (`skim`).

How values are spelled
    Keys that a schema names, and strings that it constrains by ``enum``, ``const``, ``pattern`` or
    ``format``, have one spelling, that of ``json.dumps(value, ensure_ascii=False)``: an escape never
    smuggles a key past its schema. Strings that are free, or constrained in length alone, may use every
    escape of JSON; lone surrogates never. Keys of objects that name none are free too. Numbers without
    constraints are any number of JSON but for long runs of zeros that say nothing, and exponents that no
    float has; what constrained ones and integers look like, `number_texts` says.

Where whitespace stands
    Between tokens as the policy says, never before the first byte nor after the last. The standard would
    allow it there, but a model that may write newlines at the end of its answer writes them until it is cut
    off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import GrammarError, UnsatisfiableError
from ...ir import GrammarIR
from ...limits import USUAL, Limits, clock
from ...sketch import Sketch
from .document import Documents, DynamicReferenceError
from .emptiness import overlapping, settle
from .explain import why_empty
from .keywords import status_of
from .lower import Lowering
from .normalise import Normaliser, OneOf
from .plain import Plain
from .report import Entry, Findings, Report
from .size import check_size
from .skim import How, skim
from .sources import read

__all__ = ["Entry", "Reader", "Report", "reader", "schema_to_ir"]

DEFAULTS = (64, "any", "assert", "any")  # of what `_check_options` checks


def schema_to_ir(
    schema: Any,
    *,
    whitespace: int | str = 64,
    property_order: str = "any",
    strict: bool = True,
    formats: str = "assert",
    integers: str = "any",
    registry: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
) -> tuple[GrammarIR, Report]:
    """The grammar of the JSON texts that a schema allows, and what became of its keywords.

    Parameters
    ----------
    schema : a dict, a bool, JSON text, or a path (``os.PathLike``) of a file with it; also as APIs wrap it:
        ``response_format``, or the definition of a tool, of which the parameters are the schema
    whitespace : at most so many whitespace characters in a row at each place between tokens; "flexible" for
        no bound, "compact" for none, "dumps" for ``", "`` and ``": "`` as json.dumps writes them
    property_order : "any", or "schema" for the order in which the schema writes its properties
    strict : raise for a keyword that constrains and cannot be enforced; else the report lists it
    formats : "assert" to enforce ``format``, "annotate" to ignore it
    integers : "any" spelling of a whole number that the standard takes for one (``1``, and since draft 6
        ``1.0`` and ``1e2``), or "plain" digits. After any number's point, and in front of its exponent's
        digits, at most 16 zeros come in a row; an exponent is at most 308, as a float's is
    registry : {uri: schema}, documents that ``$ref`` may name; nothing else is ever loaded

    Raises
    ------
    SchemaError : not JSON, a keyword of the wrong form, an undefined ``$ref``
    UnsatisfiableError : nothing satisfies the schema
    UnsupportedKeywordError : a keyword that the grammar cannot carry, with ``strict``
    LimitExceededError : the schema is larger than ``limits`` allow once written out
    """
    _check_options(whitespace, property_order, formats, integers)
    limits = limits or USUAL
    # A text that is shorter than the limits holds no more values, nor levels.
    small = isinstance(schema, str) and len(schema) <= min(limits.max_grammar_nodes, limits.max_depth)
    schema = read(schema)
    if not small:
        check_size(schema, limits)
    documents = Documents(schema, registry)

    def lowered(
        normaliser: Normaliser | Callable[[], Normaliser], report: Findings
    ) -> tuple[GrammarIR, Report]:
        ordered, plain_integers = property_order == "schema", integers == "plain"
        lowering = Lowering(normaliser, documents, report, limits, whitespace, ordered, plain_integers)
        ir = lowering.grammar(root)
        return ir, Report(report, lambda: lowering.complete(root))

    report = Findings(status_of)
    plain = Plain(documents, limits)
    root = documents.root
    if isinstance(root.schema, dict) and root.schema and plain.holds(root):
        # Nothing is read before a text gets to it.
        return lowered(
            lambda: Normaliser(
                documents, strict=strict, formats=formats, limits=limits, plain=plain, report=report
            ),
            report,
        )
    overlaps: dict[OneOf, set[tuple[int, int]]] = {}
    while True:
        normaliser = Normaliser(documents, strict=strict, formats=formats, limits=limits, overlaps=overlaps)
        root = documents.within(documents.root, None)
        kept = True
        try:
            formula = normaliser.formula(root.schema, root.pointer, root.resource)
            settle(normaliser, formula)
            # Examining a promise may read further schemas, and these may make promises of their own.
            for promise in normaliser.promises:
                if pairs := overlapping(normaliser, promise):
                    overlaps.setdefault(promise.key, set()).update(pairs)
                    kept = False
        except DynamicReferenceError:
            documents.keep_scopes = True
            kept = False
        if kept:
            break
    if not formula.productive:
        pointer, reason = why_empty(normaliser, formula)
        raise UnsatisfiableError(f"nothing satisfies the schema: {reason}", pointer=pointer)
    return lowered(normaliser, normaliser.report)


def reader(schema: Any, how: How) -> Reader:
    """What tells the grammar of a schema, which is read as far as its errors are known; as `schema_to_ir`."""
    limits = how["limits"]
    options = (how["whitespace"], how["property_order"], how["formats"], how["integers"])
    if options != DEFAULTS:
        _check_options(*options)
    sketch = None
    if isinstance(schema, str) and how["registry"] is None and limits.max_dfa_states >= Limits.max_dfa_states:
        sketch = skim(schema, how)
    read = Reader(schema, how, sketch)
    if sketch is None:
        with clock("compile_seconds", limits.compile_seconds):
            read()
    return read


class Reader:
    """A schema whose expressions are made when they are asked for, where there is a sketch.

    sketch : the same in rows of numbers, or None
    """

    __slots__ = ("_found", "_how", "_schema", "sketch")

    def __init__(self, schema: Any, how: How, sketch: Sketch | None) -> None:
        self._schema, self._how, self.sketch = schema, how, sketch
        self._found: tuple[GrammarIR, Report] | None = None

    def __call__(self) -> tuple[GrammarIR, Report]:
        """The grammar, and what became of the schema's keywords."""
        if self._found is None:
            self._found = schema_to_ir(self._schema, **self._how)
        return self._found


def _check_options(whitespace: int | str, property_order: str, formats: str, integers: str) -> None:
    counted = isinstance(whitespace, int) and not isinstance(whitespace, bool) and whitespace >= 0
    if not counted and whitespace not in ("flexible", "compact", "dumps"):
        raise GrammarError(
            f"whitespace is a number of characters, 'flexible', 'compact' or 'dumps', not {whitespace!r}"
        )
    if property_order not in ("any", "schema"):
        raise GrammarError(f"property_order is 'any' or 'schema', not {property_order!r}")
    if formats not in ("assert", "annotate"):
        raise GrammarError(f"formats is 'assert' or 'annotate', not {formats!r}")
    if integers not in ("any", "plain"):
        raise GrammarError(f"integers is 'any' or 'plain', not {integers!r}")
