"""Lark grammar text to a syntax tree, every name of it with its line and column.

lark reads the text. Two of its doors were looked at and left closed: its loader (`GrammarBuilder`)
drops the positions of names and copies imported definitions, and `Grammar.compile` behind it unrolls
``x~1..500`` into rules. So the *dialect* is written down here, as a Lark grammar like any other, and
lark builds its parser from it by its public interface. The rules and terminals have the shapes that
lark's own reader uses (same lexer, same regular expressions), hence the same texts are taken, in every
lark version; what the dialect gains over lark's is gained here, by another alternative.

A syntax error becomes a `GrammarError` with the place and, in words, what could have stood there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from ..errors import GrammarError
from .lark_blocks import BlockError, cover_blocks

Syntax = Tree[Token]

T = TypeVar("T")

# The names of rules are the `data` of the tree's nodes; terminals with a leading underscore leave no child.
# The priorities spell out the order in which lark's own reader tries its patterns. Each is different, so
# that lark does not look for collisions between all pairs of them, which took most of the time to start.
_DIALECT = r"""
start: (rule | term | override | extend | ignore | forbid | import | declare | indent | _NL)*

rule: rule_modifiers RULE template_params attributes priority _COLON expansions _NL
term: TERMINAL priority _COLON expansions _NL
override: _OVERRIDE (rule | term)
extend: _EXTEND (rule | term)
ignore: _IGNORE expansions _NL
forbid: _FORBID expansions _NL
declare: _DECLARE (RULE | TERMINAL)+ _NL
indent: _INDENT TERMINAL TERMINAL TERMINAL (TERMINAL | STRING)* _NL
import: _IMPORT import_path _NL
      | _IMPORT import_path _LPAR name_list _RPAR _NL
      | _IMPORT import_path _TO (RULE | TERMINAL) _NL

rule_modifiers: RULE_MODIFIERS?
template_params: (_LBRACE RULE (_COMMA RULE)* _RBRACE)?
attributes: (_LBRA attribute (_COMMA attribute)* _RBRA)?
attribute: RULE (_EQUAL (RULE | TERMINAL | STRING | REGEXP | NUMBER (_DOT NUMBER)?))?
priority: (_DOT NUMBER)?
import_path: _import_name -> import_lib
           | _DOT _import_name -> import_rel
_import_name: (RULE | TERMINAL) (_DOT (RULE | TERMINAL))*
name_list: (RULE | TERMINAL) (_COMMA (RULE | TERMINAL))*

expansions: alias ((_OR | _NL_OR) alias)*
?alias: conjunction (_TO RULE)?
?conjunction: expansion (_AND expansion)*
expansion: expr*
?expr: atom
     | atom OP
     | atom BOUNDS
     | atom TILDE NUMBER
     | atom TILDE NUMBER _DOTDOT NUMBER
?atom: _LPAR expansions _RPAR
     | _NOT atom -> negation
     | maybe
     | value
maybe: _LBRA expansions _RBRA
?value: TERMINAL -> name
      | RULE -> name
      | STRING -> literal
      | REGEXP -> literal
      | STRING _DOTDOT STRING -> range
      | RULE _LBRACE value (_COMMA value)* _RBRACE -> template_usage
      | SPECIAL -> special
      | JSON -> json
      | REGEX -> substring
      | LARK -> nested
      | GRAMMAR -> grammar

_LPAR: "("
_RPAR: ")"
_LBRA: "["
_RBRA: "]"
_LBRACE: "{"
_RBRACE: "}"
_COLON: ":"
_COMMA: ","
_OR: "|"
_DOTDOT: ".."
_EQUAL: "="
_AND: "&"
_TO: "->"
_IGNORE: "%ignore"
_FORBID: "%forbid"
_OVERRIDE: "%override"
_DECLARE: "%declare"
_INDENT: "%indent"
_EXTEND: "%extend"
_IMPORT: "%import"

BOUNDS.20: /\{[ \t]*(\d+[ \t]*(,[ \t]*\d*[ \t]*)?|,[ \t]*\d+[ \t]*)\}/
TILDE.19: /~(?=[ \t]*[+-]?\d)/
_NOT.18: "~"
SPECIAL.17: /<\[[^\]\n]*\]>|<[^<>\s"]+>/
JSON.16: /%json\s*\x01([\x01\n]*\x01)?/
REGEX.15: /%regex\s*\x01([\x01\n]*\x01)?/
LARK.14: /%lark\s*\x01([\x01\n]*\x01)?/
GRAMMAR.13: /@[a-zA-Z_]\w*/
REGEXP.12: /\/(?!\/)(\\\/|\\\\|[^\/])*?\/[imslux]*/
STRING.11: /"(\\\x22|\\\\|[^"\n])*?"i?/
COMMENT.10: /\s*\/\/[^\n]*|\s*#[^\n]*/
RULE.9: /_?[a-z][_a-z0-9]*/
TERMINAL.8: /_?[A-Z][_A-Z0-9]*/
_NL_OR.7: /(\r?\n)+\s*\|/
_NL.6: /(\r?\n)+\s*/
BACKSLASH.5: /\\[ ]*\n/
NUMBER.4: /[+-]?\d+/
WS.3: /[ \t]+/
RULE_MODIFIERS.2: /(!|![?]?|[?]!?)(?=[_a-z])/
OP.1: /[+*]|[?](?![a-z_])/
_DOT: /\.(?!\.)/

%ignore WS
%ignore COMMENT
%ignore BACKSLASH
"""

# How a terminal of the dialect is called in messages; several terminals may share one wording.
_WORDS = {
    "RULE": "a rule name",
    "TERMINAL": "a terminal name",
    "STRING": 'a string "..."',
    "REGEXP": "a pattern /.../",
    "NUMBER": "a number",
    "OP": "one of ? * +",
    "BOUNDS": "bounds {m,n}",
    "SPECIAL": "a special token <...>",
    "JSON": "%json {...}",
    "REGEX": "%regex {...}",
    "LARK": "%lark {...}",
    "GRAMMAR": "a grammar @name",
    "_NOT": "'~'",
    "_AND": "'&'",
    "_EQUAL": "'='",
    "TILDE": "'~'",
    "RULE_MODIFIERS": "a rule name",
    "_LPAR": "'('",
    "_RPAR": "')'",
    "_LBRA": "'['",
    "_RBRA": "']'",
    "_LBRACE": "'{'",
    "_RBRACE": "'}'",
    "_COLON": "':'",
    "_COMMA": "','",
    "_OR": "'|'",
    "_NL_OR": "'|'",
    "_DOT": "'.'",
    "_DOTDOT": "'..'",
    "_TO": "'->'",
    "_NL": "the end of the line",
    "$END": "the end of the text",
    "_IGNORE": "a %statement",
    "_FORBID": "a %statement",
    "_OVERRIDE": "a %statement",
    "_DECLARE": "a %statement",
    "_INDENT": "a %statement",
    "_EXTEND": "a %statement",
    "_IMPORT": "a %statement",
}

_BOUNDS = "bounds of a repetition are written x~2..5 or x{2,5}"

# What begins at the place of an error, and what is then worth saying. The first that fits is said.
_HINTS = (
    ('"', 'this string is not closed on its line; write a line break as \\n and a quote as \\"'),
    ("//", "a comment may stand at the end of a line only"),
    ("/", "this pattern is not closed by a second '/'; write a slash inside a pattern as \\/"),
    ("'", "strings are written with double quotes"),
    ("`", "strings are written with double quotes"),
    (":=", "'::=' is how GBNF defines a rule; a Lark rule is written  name: ..."),
    ("%json", "%json stands in a rule, where a text of the schema is wanted:  name: %json {...}"),
    ("%regex", "%regex stands in a rule or terminal:  NAME: %regex {...}"),
    ("%lark", "%lark stands in a rule:  name: %lark {...}"),
    ("%llguidance", "options of llguidance are not supported; leave the statement out"),
    ("{", _BOUNDS),
    ("_", "a name begins with one underscore at most"),
    ("%", "the statements are %ignore, %forbid, %import, %declare, %extend, %override and %indent"),
    ("<", "a special token is written <name>, <[id]> or <[from-to]>"),
    ("=", "a rule is written  name: ..."),
    (";", "a rule ends with its line; no ';' is needed"),
)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_DIALECT, parser="lalr", lexer="basic", maybe_placeholders=False, propagate_positions=True)


@lru_cache(maxsize=32)
def _parse(text: str) -> Syntax:
    # lark's own reader, too, ends every text with a line break.
    return _parser().parse(cover_blocks(text) + "\n")


def parse(text: str, source: str | None = None) -> Syntax:
    """The syntax tree of a grammar text; treat it as read-only, it is shared between calls.

    Raises `GrammarError` with line, column and what was expected.
    """
    try:
        return _parse(text)
    except UnexpectedInput as error:
        raise _explain(error, text, source) from None
    except BlockError as error:
        line = text.count("\n", 0, error.place) + 1
        column = error.place - text.rfind("\n", 0, error.place)
        raise GrammarError(error.message, text=text, line=line, column=column, source=source) from None


def tokens(tree: Syntax) -> Iterator[Token]:
    """Every token below a tree, in the order of the text."""
    stack: list[Syntax | Token] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Token):
            yield node
        else:
            stack.extend(reversed(node.children))


def fold(tree: Syntax, combine: Callable[[Syntax, list[T]], T]) -> T:
    """The value of a tree from the values of its subtrees, in the order of the text, however deep it is.

    ``combine`` gets a node and the values of those of its children that are trees.
    """
    order: list[Syntax] = []
    stack = [tree]
    while stack:
        order.append(stack.pop())
        stack.extend(child for child in order[-1].children if isinstance(child, Tree))
    values: dict[int, T] = {}
    for node in reversed(order):
        below = [values[id(child)] for child in node.children if isinstance(child, Tree)]
        values[id(node)] = combine(node, below)
    return values[id(tree)]


def _explain(error: UnexpectedInput, text: str, source: str | None) -> GrammarError:
    place = error.pos_in_stream or 0
    rest = text[place:]
    hint = next((words for start, words in _HINTS if rest.startswith(start)), "")
    if isinstance(error, UnexpectedToken):
        if _is_mixed_case(error.token, text, place):
            hint = "a name is all lower case (a rule) or all upper case (a terminal)"
        elif text[:place].endswith("{"):
            hint = _BOUNDS
        elif error.token.type == "RULE_MODIFIERS":
            hint = "leave a space between ? and the next name"
        elif rest[:1] in ('"', "/"):
            hint = ""
        expected = sorted({_WORDS.get(name, name) for name in error.accepts or error.expected})
        message = f"{_found(error.token)} cannot stand here; expected {_listed(expected)}"
    else:
        word = re.match(r"%\w+|.", rest, re.DOTALL)
        message = f"{word.group()!r} cannot stand here" if word else "the text ends too early"
    if hint:
        message += f" ({hint})"
    return GrammarError(message, text=text, line=error.line, column=error.column, source=source)


def _found(token: Token) -> str:
    if token.type == "$END":
        return "the end of the text"
    if token.type in ("_NL", "_NL_OR"):
        return "a line break" if token.type == "_NL" else "'|'"
    return _WORDS[token.type] if token.type in ("JSON", "REGEX", "LARK") else repr(str(token))


def _is_mixed_case(token: Token, text: str, place: int) -> bool:
    before = text[place - 1 : place] if place else ""
    return token.type in ("RULE", "TERMINAL") and (before.isalnum() or before == "_")


def _listed(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
