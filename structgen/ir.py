"""The one grammar form that every front end writes and `rules/` reads.

A grammar is a set of named rules over expressions. Three of the expressions, `Rep`, `Bounded` and `Members`,
are how a front end asks for a *parameter* of a frame (a count, a set of keys seen): they are lowered to a
state with a number, never unrolled.

Meaning of an expression: a set of byte strings (discipline ``any``), or of terminal sequences
(discipline ``longest``, where only `Term`, `Special`, `Ref`, `Seq`, `Alt` and `Rep` may occur).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .automata import ByteDFA


@dataclass(frozen=True, slots=True)
class Lit:
    """Exactly these bytes. Spelled byte by byte in the rule that holds it. May be empty."""

    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Pat:
    """Any member of a regular language. Laid out once per automaton and called where it is used."""

    dfa: ByteDFA
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """The words of a regular language on whose way ``least`` to ``most`` bytes are read in some states.

    The number is a parameter of the frame, so that a large bound costs what a small one does, where the
    automaton that counts would have a state for each number. No word is empty.

    counted : these states
    most : None for no bound
    least : other than 0 only where any number of counted bytes may come before the last one of a word, and
        nothing comes after that one
    """

    dfa: ByteDFA
    counted: tuple[int, ...]
    most: int | None
    name: str = ""
    least: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """A terminal of the grammar, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Special:
    """One special token, by its name or its id: a symbol that no text writes, in either discipline.

    ``optional``: nothing at all can be read here with a vocabulary that has no such token; otherwise such a
    vocabulary is refused.
    """

    token: str | int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two bytes that a reading passes: a symbol that nothing writes.

    Only copies of grammars have it: those of `structgen.captures`, `engine.distinct` and `engine.budgets`.
    """

    number: int


@dataclass(frozen=True, slots=True)
class Ref:
    """A call of a rule, by name. Recursion of every kind is allowed."""

    rule: str


@dataclass(frozen=True, slots=True)
class Seq:
    """One after the other; ``Seq(())`` is the empty string."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """Any one of them; ``Alt(())`` is the empty language."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Rep:
    """``item`` (sep ``item``)*, at least ``min`` and at most ``max`` of them (None: no bound).

    A large bound costs what a small one costs: the count is a parameter. An ``item`` that can be
    empty is allowed (it then counts as often as needed).
    """

    item: Expr
    min: int = 0
    max: int | None = None
    sep: Expr | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One keyed member: the bytes of ``key``, then ``tail``; with it come those of the keys ``needs``."""

    key: bytes
    tail: Expr
    required: bool = False
    needs: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """Members whose key is none of the named ones: a key in ``key``'s language, then ``tail``.

    Which of these keys have come is not kept: one may come again. ``mark``, a small number, is what such a
    member leaves behind: of each mark that occurs in `Members`, one member at least must come.
    """

    key: ByteDFA
    tail: Expr
    mark: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Keyed members with ``sep`` between them: each named one at most once, the required ones all.

    In any order, or (``ordered``) in the order of ``members`` with those of ``rest`` after them.
    ``min_count`` and ``max_count`` bound the number of members, ``rest`` included. No key may be a
    prefix of another key, named or of ``rest`` (JSON keys end in a quote, so they never are), and no
    key may belong to two of ``rest``, unless these have equal automata; a ``rest`` key equal to a named
    key is excluded. The empty sequence belongs to the language when nothing is required or marked and
    ``min_count`` is 0.

    Members that need others are not ``ordered``; and where they need each other, there is no ``max_count``
    beside a ``min_count`` above 1, since which counts can be reached would then be a sum.
    """

    members: tuple[Member, ...]
    sep: Expr
    rest: tuple[Rest, ...] = ()
    min_count: int = 0
    max_count: int | None = None
    ordered: bool = False


Expr = Lit | Pat | Bounded | Term | Special | Mark | Ref | Seq | Alt | Rep | Members


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around and between the members of `Enclosed`; ``gap``: the rule of the blanks, "" for none.

    ``opening`` and ``closing`` are bytes, ``separator`` stands between two members, ``mark`` between a key
    and its value.
    """

    opening: int
    closing: int
    separator: bytes
    mark: bytes
    gap: str


class Enclosed(NamedTuple):
    """Members between brackets, all written alike, as JSON writes objects: an expression, told by its parts.

    With blanks at each space, it is ``{ ( } | members } )`` where nothing at all may stand between the
    brackets (``empty``), else ``{ members }``; a member is ``key : value``, the separator stands between two
    of them. Of the members holds what `Members` says.

    keys : at least one
    values : of each key the rule of its value, "" where the key never comes
    required : the numbers of the keys that must come
    rest : other keys, the rule of their value ("": they never come); no two languages are equal
    needs : of each key the numbers of those that come with it, itself first; None: none needs others
    """

    around: Around
    keys: tuple[bytes, ...]
    values: tuple[str, ...]
    required: tuple[int, ...]
    rest: tuple[tuple[ByteDFA, str], ...]
    empty: bool
    ordered: bool = False
    min_count: int = 1
    max_count: int | None = None
    needs: list[list[int]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Terminal:
    """A terminal: a regular language with what the lexer needs to choose between two that match.

    ``priority`` decides first (higher wins), then length, then ``literal`` (a string of the grammar)
    over a pattern. ``dfa`` must not accept the empty string.
    """

    name: str
    dfa: ByteDFA
    priority: int = 0
    literal: bool = False
    text: str = ""  # as the grammar writes it, for messages


@dataclass(frozen=True, slots=True)
class Indentation:
    """Indentation as structure, for discipline ``longest``: blocks as Python has them.

    The first column of each line is compared with those of the blocks that are open. After a newline the
    parser takes ``indent`` when the line begins further right than the innermost block, one ``dedent`` for
    each block it leaves, and nothing else when it begins where the innermost block does; a line that begins
    between two blocks belongs to no text. While an ``opening`` terminal waits for its ``closing`` one,
    newlines are ignored. A text is read as if a line break stood before it, and begins in column 0. At its
    end all blocks are left; a newline is added before if the parser takes one and the last lexeme is none.

    newline : the terminal between two lines. It matches a line feed, and whatever else counts for no line
        (blank lines, comments) up to the first column of the next one
    indent, dedent : symbols of the rules without a text of their own, not in ``terminals``
    opening, closing : terminals; pairs by their number alone, the rules say which belong together
    tab : columns from one tab stop to the next. Two lines compare only if they do so with tabs of one column

    An ignored terminal that always ends with a line break joins two lines: no text ends with one.
    """

    newline: str
    indent: str
    dedent: str
    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    tab: int = 8

    def joining(self, ir: GrammarIR) -> list[str]:
        """The ignored terminals that join two lines."""
        return [name for name in ir.ignore if ir.terminals[name].dfa.last_bytes <= set(b"\r\n")]


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """What ``rule`` writes is to be known by ``name``; where it ends with ``suffix``, what is before that."""

    rule: str
    name: str
    suffix: ByteDFA | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """Rules that many grammars have alike, as the same objects: what is made of them is made once for all.

    They refer to each other alone. ``promised``: as `GrammarIR` has it; one at least. ``others``: other keys
    that members of these grammars have (`Enclosed.rest`), and what stands around them.
    """

    rules: Mapping[str, Expr]
    promised: Mapping[str, int]
    others: tuple[tuple[ByteDFA, Around], ...] = ()


@dataclass(frozen=True, slots=True)
class Distinct:
    """``array`` writes a JSON array in which no two items are equal as values, of discipline ``any``.

    items : the rules that write its items, and nothing else; each is called by this array alone
    repeats : the other way round, some two items are equal; ``most`` is the largest number of items then

    Whoever writes such a grammar sees to it that an array can always be finished: where it has to have n
    items, the k-th of these has k values to choose from at least; and where two must be equal, as long as no
    more than ``most - 1`` have come, one more of some value that has come can follow.
    """

    array: str
    items: tuple[str, ...]
    repeats: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Of what one use of ``rule`` writes, at most ``tokens`` tokens have a byte in it.

    A use can always be ended in time, each byte that it still needs being a token: what the rule writes has
    a text of so many bytes. ``place``: where the grammar says so, for messages.
    """

    rule: str
    tokens: int
    place: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class GrammarIR:
    """A whole grammar.

    rules : name -> expression; ``start`` is one of them
    promised : rules that need not be read before a text gets there, with the bytes that may begin them (one
        bit each); discipline "any" only. Each has a text, not the empty one, and begins with no rule but
        those that do so too; ``rules`` may write its expression when it is asked for
    terminals : name -> terminal, for `Term`
    ignore : names of terminals that may stand between any two terminals, before the first, after the last;
        discipline "longest" only (for "any" the front end weaves them into the rules)
    forbidden : names of terminals that are candidates everywhere and belong to no text: where one is the
        longest match, the text ends in vain. Patterns that nothing else uses; discipline "longest" only
    lexing : "any" (every way of cutting counts) or "longest" (DESIGN: highest priority, then longest,
        then literal over pattern, among the terminals that can follow)
    specials : the special tokens that occur in the rules, each once
    captures : the rules whose text is to be known
    blank : the rule of what is ignored where it is woven into the rules; it is no part of a capture's end
    marks : how many marks occur in the rules
    indentation : of discipline "longest"; None: line breaks are like any other bytes
    distinct : arrays whose items differ; the rules by themselves say nothing of it
    budgets : rules whose tokens are counted; the rules by themselves say nothing of it
    common : rules that other grammars have, too, which ``rules`` may call and need not list; discipline "any"
    enclosed : of a promised rule that is members between brackets, the parts, so that its expression need
        not be written; None for others, and for grammars that have none
    """

    rules: Mapping[str, Expr]
    start: str
    terminals: dict[str, Terminal] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    lexing: str = "any"
    specials: tuple[Special, ...] = ()
    captures: tuple[Capture, ...] = ()
    blank: str = ""
    marks: int = 0
    indentation: Indentation | None = None
    forbidden: tuple[str, ...] = ()
    promised: Mapping[str, int] = field(default_factory=dict)
    distinct: tuple[Distinct, ...] = ()
    common: Common | None = None
    budgets: tuple[Budget, ...] = ()
    enclosed: Callable[[str], Enclosed | None] | None = None
