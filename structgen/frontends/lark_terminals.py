"""Terminals of Lark text to byte automata.

A terminal is one regular expression, however many terminals it is composed of: the trees of its parts
are joined and compiled as a whole, because a look-behind in one part sees the text of the part before
it (``common.ESCAPED_STRING`` depends on that). Patterns are Python's, read as they stand. (lark first
evaluates escapes as in a Python string, whereby ``/\\x28/`` becomes an open parenthesis and ``/\\\\"/`` a
lone quote.)

``&`` and ``~`` (the texts of both, all other texts) are operations on automata, so a part that has them is an
automaton from there on, and no tree that a look-around could see through.

Refused, each at its place: a terminal that can match the empty string (as in lark) or nothing at all, one
that is defined by itself, and one whose look-around sees beyond it: a terminal does not know the text
around, and dropping the condition in silence would let other texts in (`lark_patterns`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lark import Token
from lark.exceptions import GrammarError as LarkGrammarError
from lark.load_grammar import eval_escaping

from ..automata import ByteDFA
from ..errors import GrammarError
from ..ir import Terminal
from ..limits import Limits
from ..regex import (
    ANY_CHAR,
    EMPTY,
    Alt,
    Cat,
    Chars,
    Node,
    Repeat,
    compile_match,
    concat,
    difference,
    intersect,
    literal,
    literal_node,
    parse_python,
    star,
    union,
)
from .lark_dialect import Syntax, fold
from .lark_modules import Body, Definition, Definitions, bounds
from .lark_patterns import Lazy, language, lazy_repeats, looks_beyond, shortest
from .lark_scope import Scope
from .substrings import substrings

_FLAGS = {"i": re.I, "m": re.M, "s": re.S, "u": re.U, "x": re.X}
_MAX_NESTING = 200
_MOST_COPIES = 1000


@dataclass(frozen=True)
class Piece:
    """A part of a terminal: what it matches, and which repetitions in it are lazy (by `id`).

    dfa : its language, where it is no tree any more
    """

    node: Node
    lazy: Lazy = frozenset()
    depth: int = 1
    dfa: ByteDFA | None = None


Spelling = tuple[str, str]
"""How a terminal of one literal is written: its text (a string's value or a pattern's source), its flags."""


def spelling(token: Token, scope: Scope) -> Spelling:
    """A STRING's value, or a REGEXP's text between the slashes, and its flags.

    The two cannot be mistaken for one another: a string's flags begin with a quote.
    """
    written = str(token)
    end = max(written.rfind('"'), written.rfind("/"))
    body, flags = written[1:end], "".join(sorted(set(written[end + 1 :])))
    if token.type == "STRING":
        return string_value(token, scope), '"' + flags
    if "\n" in body and "x" not in flags:
        raise scope.error("a pattern over several lines needs the flag x: /.../x", token)
    return body, flags


def string_value(token: Token, scope: Scope) -> str:
    """The text that a STRING stands for."""
    written = str(token)
    try:
        value = eval_escaping(written[1 : written.rfind('"')]).replace("\\\\", "\\")
        value.encode()
    except (LarkGrammarError, ValueError):
        raise scope.error(f"{written} has an escape that stands for no character", token) from None
    if not value:
        raise scope.error(
            "an empty string cannot be a terminal; make what may be left out optional: x?", token
        )
    return str(value)


class Terminals:
    """The terminals of one grammar, compiled as they are asked for."""

    def __init__(self, definitions: Definitions, reachable: list[Definition], limits: Limits) -> None:
        self.definitions = definitions
        self.limits = limits
        self.compiled: dict[str, Terminal] = {}
        self._pieces: dict[str, Piece] = {}
        self._anonymous: dict[Spelling, Terminal] = {}
        # A literal in a rule is the named terminal that consists of it; of several the last, as in lark.
        self._spelled: dict[Spelling, Definition] = {}
        for definition in reachable:
            token = self.literal_of(definition) if definition.is_terminal else None
            if token is not None:
                self._spelled[spelling(token, definition.scope)] = definition

    def named(self, definition: Definition, at: Token, scope: Scope) -> Terminal:
        """The terminal of a definition; ``at`` is where it is asked for."""
        if definition.name not in self.compiled:
            if not definition.bodies:
                raise scope.error(
                    f"terminal {definition.name} is only declared: something other than its text would have "
                    f"to recognise it, which is not supported; define it  {at}: ...",
                    at,
                )
            self._resolve(definition)
            token = self.literal_of(definition)
            text = _source_text(definition.bodies[0])
            self.compiled[definition.name] = self._terminal(
                definition.name,
                self._pieces[definition.name],
                definition.priority,
                token is not None and token.type == "STRING",
                text,
                definition.scope,
                definition.at,
            )
        return self.compiled[definition.name]

    def anonymous(self, tree: Syntax, scope: Scope) -> Terminal:
        """The terminal of a literal or a range that stands in a rule."""
        first = tree.children[0]
        assert isinstance(first, Token)
        if tree.data == "range":
            name = f"{first}..{tree.children[1]}"
            key = (name, "..")
        else:
            name = str(first)
            key = spelling(first, scope)
        if key in self._spelled:
            return self.named(self._spelled[key], first, scope)
        if key not in self._anonymous:
            piece = self._evaluate(Body(tree, scope))
            is_literal = first.type == "STRING" and key[1] != ".."
            terminal = self._terminal(name, piece, 0, is_literal, name, scope, first)
            self.compiled[name] = self._anonymous[key] = terminal
        return self._anonymous[key]

    def known(self, written: str | Spelling) -> str | None:
        """The name of a terminal that the rules use: itself, or a literal's; None when they do not use it."""
        if isinstance(written, str):
            return written if written in self.compiled else None
        if written in self._spelled:
            return self.known(self._spelled[written].name)
        found = self._anonymous.get(written)
        return None if found is None else found.name

    def expression(self, name: str, body: Body, at: Token) -> Terminal:
        """The terminal of a whole expression, as %ignore may have."""
        piece = self._whole(body)
        terminal = self._terminal(name, piece, 0, False, _source_text(body), body.scope, at)
        self.compiled[name] = terminal
        return terminal

    def quotation(self, name: str, body: Body) -> Terminal | None:
        """The terminal of a %regex block in a rule, without the empty text; None where that was all."""
        dfa = self._evaluate(body).dfa
        assert dfa is not None
        dfa = difference(dfa, literal(b""), limits=self.limits)
        if dfa.is_empty:
            return None
        self.compiled[name] = Terminal(name, dfa, 0, False, _source_text(body))
        return self.compiled[name]

    def ending(self, definition: Definition) -> tuple[Terminal, ByteDFA | None]:
        """The terminal that a rule with ``lazy`` or ``suffix`` is, the suffix included; and the suffix."""
        scope, at = definition.scope, definition.at
        body = self._alt([self._whole(body) for body in definition.bodies])
        dfa = self._language(body, definition.name, scope, at)
        suffix = definition.attributes.suffix
        end = None
        if suffix is not None:
            end = self._language(self._whole(Body(suffix, scope)), "suffix", scope, at)
            dfa = concat(dfa, end, limits=self.limits)
        dfa = shortest(dfa, self.limits)
        if dfa.is_empty or dfa.accepts_empty:
            what = "nothing at all" if dfa.is_empty else "the empty string, which ends it before it begins"
            raise scope.error(f"the text of rule {definition.name} can match {what}", at)
        terminal = Terminal(definition.name, dfa, 0, False, _source_text(definition.bodies[0]))
        self.compiled[definition.name] = terminal
        return terminal, end

    def literal_of(self, definition: Definition) -> Token | None:
        """The one literal that a terminal is, also by way of another terminal's name; None if it is more."""
        seen = set()
        found: Definition | None = definition
        while found is not None and len(found.bodies) == 1 and found.name not in seen:
            seen.add(found.name)
            tree = single(found.bodies[0].tree)
            token = tree.children[0] if tree is not None and tree.children else None
            if tree is None or not isinstance(token, Token):
                return None
            if tree.data == "literal":
                return token
            name = found.bodies[0].scope.rename(token)
            found = self.definitions.table.get(name) if tree.data == "name" else None
        return None

    def _terminal(
        self, name: str, piece: Piece, priority: int, is_literal: bool, text: str, scope: Scope, at: Token
    ) -> Terminal:
        dfa = self._language(piece, name, scope, at)
        if dfa.is_empty:
            raise scope.error(f"terminal {name} can match nothing at all", at)
        if dfa.accepts_empty:
            raise scope.error(
                f"terminal {name} can match the empty string; let it match at least one character and make "
                f"it optional where it is used:  {name}?",
                at,
            )
        return Terminal(name, dfa, priority, is_literal, text)

    def _language(self, piece: Piece, name: str, scope: Scope, at: Token) -> ByteDFA:
        """What a piece matches; `GrammarError` where that depends on the text around it."""
        if piece.dfa is not None:
            return piece.dfa
        try:
            dfa = language(piece.node, piece.lazy, self.limits)
            beyond = looks_beyond(piece.node, self.limits)
        except GrammarError as error:
            raise error if error.line is not None else scope.error(error.message, at) from None
        if beyond:
            raise scope.error(
                f"terminal {name} looks {beyond} (by a look-around, ^, $ or \\b at its edge), which is not "
                "supported; say in the terminal itself what it matches",
                at,
            )
        return dfa

    def _whole(self, body: Body) -> Piece:
        """The piece of an expression that is no terminal's right side; what it refers to is resolved."""
        for tree in body.tree.iter_subtrees_topdown():
            if tree.data == "name" and (token := _first(tree)).type == "TERMINAL":
                found = self.definitions.lookup(token, body.scope)
                if found.name not in self._pieces and found.bodies:
                    self._resolve(found)
        return self._evaluate(body)

    def _resolve(self, definition: Definition) -> None:
        """Evaluates a definition after those that it refers to, and reports a circle among them."""
        path = [definition]
        on_path = {definition.name: None}
        while path:
            current = path[-1]
            missing = next((d for d in self._references(current) if d[0].name not in self._pieces), None)
            if missing is None:
                pieces = [self._evaluate(body) for body in current.bodies]
                self._pieces[current.name] = self._alt(pieces)
                on_path.pop(path.pop().name)
                continue
            needed, at, scope = missing
            if needed.name in on_path:
                circle = " -> ".join([*list(on_path)[list(on_path).index(needed.name) :], needed.name])
                raise scope.error(
                    f"terminal {needed.name} is defined by itself ({circle}); only rules can be recursive", at
                )
            if not needed.bodies:
                raise scope.error(f"terminal {needed.name} is only declared; define it", at)
            path.append(needed)
            on_path[needed.name] = None

    def _references(self, definition: Definition) -> list[tuple[Definition, Token, Scope]]:
        found = []
        for body in definition.bodies:
            for tree in body.tree.iter_subtrees_topdown():
                token = tree.children[0] if tree.children else None
                if tree.data == "name" and isinstance(token, Token) and token.type == "TERMINAL":
                    found.append((self.definitions.lookup(token, body.scope), token, body.scope))
        return found

    def _evaluate(self, body: Body) -> Piece:
        def combine(tree: Syntax, below: list[Piece]) -> Piece:
            piece = self._combine(tree, below, body.scope)
            if piece.depth > _MAX_NESTING:
                raise body.scope.error(f"a terminal is nested more than {_MAX_NESTING} deep", _first(tree))
            return piece

        return fold(body.tree, combine)

    def _combine(self, tree: Syntax, below: list[Piece], scope: Scope) -> Piece:
        first = tree.children[0] if tree.children else None
        if tree.data == "expansions":
            return self._alt(below)
        if tree.data == "expansion":
            return self._cat(below)
        if tree.data == "maybe":
            return self._repeat(below[0], 0, 1)
        if tree.data == "expr":
            return self._repeat(below[0], *bounds(tree, scope))
        if tree.data == "conjunction":
            return self._both(below, scope, _first(tree))
        if tree.data == "negation":
            return self._not(below[0], scope, _first(tree))
        if tree.data == "range":
            return _range(tree, scope)
        assert isinstance(first, Token) or tree.data == "alias"
        if tree.data == "substring":
            assert isinstance(first, Token)
            return Piece(EMPTY, dfa=substrings(first, scope, self.limits))
        if tree.data == "literal":
            assert isinstance(first, Token)
            return _literal(first, scope)
        if tree.data == "name" and isinstance(first, Token) and first.type == "TERMINAL":
            return self._pieces[self.definitions.lookup(first, scope).name]
        at = _first(tree)
        if tree.data in ("special", "json", "nested", "grammar"):
            raise scope.error(f"{_shown(at)} belongs to rules; a terminal is made of patterns", at)
        if tree.data == "alias":
            raise scope.error("an alias (->) belongs to rules, not to terminals", at)
        raise scope.error(
            f"{at} is a rule, and a terminal cannot be made of rules; write its name in lower case to make "
            "a rule of it, too",
            at,
        )

    # Parts joined: trees as long as all of them are.

    def _alt(self, pieces: list[Piece]) -> Piece:
        if len(pieces) == 1:
            return pieces[0]
        if all(piece.dfa is None for piece in pieces):
            return _joined(pieces, Alt(tuple(p.node for p in pieces)))
        return _automaton(pieces, union(*map(self._dfa, pieces), limits=self.limits))

    def _cat(self, pieces: list[Piece]) -> Piece:
        if len(pieces) == 1:
            return pieces[0]
        if all(piece.dfa is None for piece in pieces):
            return _joined(pieces, Cat(tuple(p.node for p in pieces)))
        return _automaton(pieces, concat(*map(self._dfa, pieces), limits=self.limits))

    def _repeat(self, piece: Piece, low: int, high: int | None) -> Piece:
        if piece.dfa is None:
            return _joined([piece], Repeat(piece.node, low, high))
        if max(low, high or 0) > _MOST_COPIES:
            limit = _MOST_COPIES
            raise GrammarError(
                f"what has & or ~ in it can be repeated {limit} times at most, or without bound"
            )
        more = [star(piece.dfa, limits=self.limits)] if high is None else []
        optional = union(piece.dfa, literal(b""), limits=self.limits)
        copies = [piece.dfa] * low + [optional] * (0 if high is None else high - low)
        return _automaton([piece], concat(*copies, *more, limits=self.limits))

    def _both(self, pieces: list[Piece], scope: Scope, at: Token) -> Piece:
        dfas = [self._language(piece, "this", scope, at) for piece in pieces]
        whole = dfas[0]
        for dfa in dfas[1:]:
            whole = intersect(whole, dfa, limits=self.limits)
        return _automaton(pieces, whole)

    def _not(self, piece: Piece, scope: Scope, at: Token) -> Piece:
        anything = compile_match(Repeat(Chars(ANY_CHAR), 0, None), limits=self.limits)
        return _automaton([piece], difference(anything, self._language(piece, "this", scope, at)))

    def _dfa(self, piece: Piece) -> ByteDFA:
        return piece.dfa if piece.dfa is not None else language(piece.node, piece.lazy, self.limits)


def single(tree: Syntax) -> Syntax | None:
    """What is left of nested expansions that hold one thing each; None when one holds more or none."""
    while tree.data in ("expansions", "expansion"):
        child = tree.children[0] if len(tree.children) == 1 else None
        if child is None or isinstance(child, Token):
            return None
        tree = child
    return tree


def _literal(token: Token, scope: Scope) -> Piece:
    value, letters = spelling(token, scope)
    if token.type == "STRING":
        return Piece(parse_python(re.escape(value), re.I) if "i" in letters else literal_node(value))
    if "l" in letters:
        raise scope.error("the flag l (locale) is not supported; use u, or none", token)
    flags = 0
    for letter in letters:
        flags |= _FLAGS[letter]
    try:
        node = parse_python(value, flags)
        return Piece(node, lazy_repeats(value, flags, node))
    except GrammarError as error:
        line, column = error.line or 1, error.column or 1
        message = f"{token}: {error.message}" if len(token) <= 40 else error.message
        raise GrammarError(
            message,
            text=scope.text,
            line=(token.line or 1) + line - 1,
            column=(token.column or 1) + column if line == 1 else column,
            source=scope.source,
        ) from None


def _range(tree: Syntax, scope: Scope) -> Piece:
    ends = []
    for token in tree.children:
        assert isinstance(token, Token)
        value = string_value(token, scope)
        if len(value) != 1 or token.endswith("i"):
            raise scope.error('a range goes from one character to another: "a".."z"', token)
        ends.append(ord(value))
    low, high = ends
    if high < low:
        raise scope.error(
            f"the range {tree.children[0]}..{tree.children[1]} is empty: its ends are swapped", _first(tree)
        )
    return Piece(Chars(((low, high),)))


def _automaton(pieces: list[Piece], dfa: ByteDFA) -> Piece:
    return Piece(EMPTY, depth=max((p.depth for p in pieces), default=0) + 1, dfa=dfa)


def _joined(pieces: list[Piece], node: Node) -> Piece:
    lazy = frozenset[int]().union(*(p.lazy for p in pieces))
    return Piece(node, lazy, max((p.depth for p in pieces), default=0) + 1)


def _first(tree: Syntax) -> Token:
    return next(tree.scan_values(lambda value: isinstance(value, Token)))


def _shown(token: Token) -> str:
    return str(token) if token.type in ("SPECIAL", "GRAMMAR") else f"%{token.type.lower()}"


def _source_text(body: Body, width: int = 80) -> str:
    meta = body.tree.meta
    if meta.empty:
        return ""
    text = " ".join(body.scope.text[meta.start_pos : meta.end_pos].split())
    return text if len(text) <= width else text[: width - 3] + "..."
