r"""GBNF, the grammars of llama.cpp, to the grammar IR: `gbnf_to_ir`.

GBNF has no terminals: a rule is over characters, white space is written out, every reading counts. So the
discipline is ``any``. What is regular is joined into automata (`regular`), which changes no language.

lark reads the text, by the small grammar below. One thing is simpler here than in llama.cpp: line breaks
mean nothing, and a rule ends where the next ``name ::=`` begins. Whatever llama.cpp reads means the same
here. Beyond that, an alternative may go on in the next line (``| ...`` at its beginning, as EBNF is often
written), rules may be left recursive, bounds of repetitions may be as large as they like. Two rules of one
name, a class without a character (``[]``) and a range from back to front are refused: there they are taken
in silence, and mean something else than they say.

References to tokens (``<think>``, ``<[1000]>``) name special tokens; what text writes is text here, by
whatever tokens. Hence "any token but this one" (``!<think>``) is refused: it speaks of tokens that text
writes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from ..errors import GrammarError
from ..ir import Expr, GrammarIR, Ref, Special
from ..limits import USUAL, Limits
from ..regex import ANY_CHAR, charset
from ..regex.ast import set_negate
from .lark_dialect import Syntax, fold, tokens
from .regular import Part, Parts, Regular, characters, text

_GBNF = r"""
start: rule*
rule: HEAD choice
choice: sequence (_OR sequence)*
sequence: item*
?item: atom
     | item OP -> repeated
     | item BOUNDS -> repeated
?atom: _LPAR choice _RPAR
     | NAME -> name
     | STRING -> string
     | CLASS -> class
     | DOT -> any
     | TOKEN -> token

_OR: "|"
_LPAR: "("
_RPAR: ")"
OP: /[*+?]/
BOUNDS: /\{[ \t]*\d+[ \t]*(,[ \t]*\d*[ \t]*)?\}/
HEAD.2: /[a-zA-Z0-9_-]+[ \t]*::=/
NAME: /[a-zA-Z0-9_-]+/
STRING: /"(?:\\[\s\S]|[^"\\])*"/
CLASS: /\[(?:\\[\s\S]|[^\]\\])*\]/
DOT: "."
TOKEN: /!?<(?:\[\d+\]|[^>\s]+)>/

%ignore /[ \t\r\n]+|#[^\r\n]*/
"""

_WORDS = {
    "HEAD": "a rule 'name ::='",
    "NAME": "a rule's name",
    "STRING": 'a string "..."',
    "CLASS": "a class [...]",
    "OP": "one of * + ?",
    "BOUNDS": "bounds {m,n}",
    "DOT": "'.'",
    "TOKEN": "a token <...>",
    "_OR": "'|'",
    "_LPAR": "'('",
    "_RPAR": "')'",
    "$END": "the end of the text",
}

# What begins at the place of an error, and what is then worth saying.
_HINTS = (
    ('"', 'this string is not closed; write a quote in it as \\"'),
    ("[", "this class is not closed; write a bracket in it as \\]"),
    ("'", "strings are written with double quotes"),
    ("{", "bounds are written {2}, {2,} or {2,5}"),
    (":", "a rule is written  name ::= ..."),
    ("=", "a rule is written  name ::= ..."),
    ("//", "a comment begins with #"),
    (";", "a rule ends where the next one begins; no ';' is needed"),
    ("%", "this is how Lark grammars are written; read them with from_lark"),
    ("<", "a token is written <name> or <[1000]>"),
)

_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([tnr\\"\[\]-]))')
_NAMED = {"t": "\t", "n": "\n", "r": "\r"}
_MOST_INLINED = 60  # nodes of a rule that is written into its callers


def gbnf_to_ir(
    grammar: str, *, start: str = "root", limits: Limits | None = None, source: str | None = None
) -> GrammarIR:
    """Compile GBNF to the grammar IR; ``start`` is the rule that is a whole text.

    Raises GrammarError with line, column and caret, for whatever the text gets wrong.
    """
    if not isinstance(grammar, str):
        raise GrammarError(f"a grammar is text, not {type(grammar).__name__}")
    reader = _Reader(grammar, source, limits or USUAL)
    return GrammarIR(reader.rules(start), start, specials=tuple(reader.specials))


class _Reader:
    """One grammar text being lowered."""

    def __init__(self, grammar: str, source: str | None, limits: Limits) -> None:
        self.grammar = grammar
        self.source = source
        self.parts = Parts(limits)
        self.bodies: dict[str, Syntax] = {}
        for rule in self._parse().children:
            assert isinstance(rule, Tree)
            head, body = rule.children
            assert isinstance(head, Token)
            assert isinstance(body, Tree)
            name = str(head)[:-3].rstrip()
            if name in self.bodies:
                raise self._error(f"rule {name} is defined already; write its alternatives with '|'", head)
            self.bodies[name] = body
        self.done: dict[str, Part] = {}
        self.specials: dict[Special, None] = {}

    def rules(self, start: str) -> dict[str, Expr]:
        """Lower every rule, those that it calls before it."""
        if start not in self.bodies:
            known = ", ".join(sorted(self.bodies)[:20])
            listed = f"; the rules are {known}" if known else ", and no other one"
            raise GrammarError(f"there is no rule {start!r} to start with{listed}", source=self.source)
        for name in self.bodies:
            self._lower(name)
        rules = {}
        for name in (start, *(name for name in self.bodies if name != start)):
            self.parts.name = name
            rules[name] = self.parts.expression(self.done[name])
        return rules

    def _lower(self, name: str) -> None:
        path = [name] if name not in self.done else []
        entered = set(path)
        while path:
            current = path[-1]
            calls = [token for token in _names(self.bodies[current]) if token not in self.done]
            for token in calls:
                if token not in self.bodies:
                    raise self._error(f"rule {token} is not defined", token)
            # A rule that is still being read stands for itself: a call, which recursion needs.
            missing = next((str(token) for token in calls if token not in entered), None)
            if missing is not None:
                entered.add(missing)
                path.append(missing)
                continue
            self.parts.name = current
            self.done[current] = fold(self.bodies[current], self._combine)
            path.pop()

    def _combine(self, tree: Syntax, below: list[Part]) -> Part:
        if tree.data == "choice":
            return self.parts.choice(below)
        if tree.data == "sequence":
            return self.parts.sequence(below)
        token = next(child for child in tree.children if isinstance(child, Token))
        if tree.data == "repeated":
            return self.parts.repetition(below[0], *self._bounds(token))
        if tree.data == "name":
            part = self.done.get(str(token))
            inlined = isinstance(part, Regular) and part.size <= _MOST_INLINED
            return part if part is not None and inlined else Ref(str(token))
        if tree.data == "string":
            return text("".join(chr(code) for code, _ in self._codes(token)))
        if tree.data == "class":
            return self._class(token)
        if tree.data == "any":
            return characters(ANY_CHAR)
        return self._special(token)

    def _special(self, token: Token) -> Part:
        if token.startswith("!"):
            raise self._error(
                f"{token} is not supported: how text is cut into tokens is not the grammar's to say. Write "
                "the text that may come; none writes a special token, so  .*  ends at the next one",
                token,
            )
        if token.startswith("<[") and len(token) > 13:
            raise self._error(f"there is no token {token[2:-2]}", token)
        special = Special(int(token[2:-2]) if token.startswith("<[") else str(token))
        self.specials[special] = None
        return special

    def _bounds(self, token: Token) -> tuple[int, int | None]:
        if token.type == "OP":
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[token]
        if max(map(len, re.findall(r"\d+", token))) > 9:
            raise self._error("this number is larger than 999999999", token)
        low, comma, high = token[1:-1].partition(",")
        if not comma:
            return int(low), int(low)
        most = int(high) if high.strip() else None
        if most is not None and most < int(low):
            raise self._error(f"the bounds {token} are written the other way round", token)
        return int(low), most

    def _class(self, token: Token) -> Part:
        negated = token.startswith("[^")
        codes = self._codes(token, 2 if negated else 1)
        ranges = []
        at = 0
        while at < len(codes):
            low = high = codes[at][0]
            # A dash that is not escaped, and not the last one, makes a range.
            if at + 2 < len(codes) and codes[at + 1] == (ord("-"), False):
                high = codes[at + 2][0]
                if high < low:
                    shown = f"{chr(low)}-{chr(high)}"
                    raise self._error(f"the range {shown} is empty: its ends are swapped", token)
                at += 2
            ranges.append((low, high))
            at += 1
        if not ranges:
            raise self._error(f"{token} is a class without a character; '.' is any character", token)
        found = charset(ranges)
        return characters(set_negate(found) if negated else found)

    def _codes(self, token: Token, begin: int = 1) -> list[tuple[int, bool]]:
        """Code points between the quotes or brackets, and whether each is escaped."""
        out = []
        at = begin
        while at < len(token) - 1:
            if token[at] != "\\":
                out.append((ord(token[at]), False))
                at += 1
                continue
            match = _ESCAPE.match(token, at)
            if match is None:
                known = r"\xNN, \uNNNN, \UNNNNNNNN, \t, \n, \r, \\, \", \[, \], \-"
                raise self._error(f"{token[at : at + 2]} is no escape of GBNF; there are {known}", token, at)
            digits = match[1] or match[2] or match[3]
            code = int(digits, 16) if digits else ord(_NAMED.get(match[4], match[4]))
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise self._error(f"{match.group()} is no character", token, at)
            out.append((code, True))
            at = match.end()
        return out

    def _parse(self) -> Syntax:
        try:
            return _parser().parse(self.grammar)
        except UnexpectedInput as error:
            raise self._explain(error) from None

    def _explain(self, error: UnexpectedInput) -> GrammarError:
        place = error.pos_in_stream
        token = getattr(error, "token", None)
        at_end = isinstance(token, Token) and token.type == "$END"
        rest = "" if at_end else self.grammar[place or 0 :]
        found = repr(str(token)) if isinstance(token, Token) else repr(rest[:1])
        expected = sorted({_WORDS.get(name, name) for name in getattr(error, "accepts", None) or ()})
        message = "the text ends too early" if at_end else f"{found} cannot stand here"
        if expected:
            message += f"; expected {', '.join(expected)}"
        hint = next((words for start, words in _HINTS if rest.startswith(start)), "")
        if hint and not (isinstance(token, Token) and token.type in ("STRING", "CLASS", "TOKEN", "BOUNDS")):
            message += f" ({hint})"
        line, column = error.line, error.column
        if at_end:
            lines = self.grammar.splitlines() or [""]
            line, column = len(lines), len(lines[-1]) + 1
        return GrammarError(message, text=self.grammar, line=line, column=column, source=self.source)

    def _error(self, message: str, token: Token, offset: int = 0) -> GrammarError:
        """A `GrammarError` at a token, or at a place in it."""
        before = token[:offset]
        line = (token.line or 1) + before.count("\n")
        column = offset - before.rfind("\n") if "\n" in before else (token.column or 1) + offset
        return GrammarError(message, text=self.grammar, line=line, column=column, source=self.source)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GBNF, parser="lalr", lexer="basic", maybe_placeholders=False)


def _names(body: Syntax) -> list[Token]:
    """The references to rules in a right side."""
    return [token for token in tokens(body) if token.type == "NAME"]
