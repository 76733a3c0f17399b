"""What is written in brackets after a rule's name: ``name[capture, lazy]: ...``.

They are llguidance's. ``capture`` names what the rule writes. ``lazy`` and ``suffix`` say where its text
ends, and so belong to rules that are a terminal: with ``lazy`` at the first place where it may end; with
``suffix="x"`` at the first "x", which belongs to the rule's text and not to its capture.

``max_tokens=20`` bounds what each use of the rule writes: at most 20 tokens have a byte in it. Which texts
the rule has stays as it is: it has to end as it says, in time. So tokens are refused after which the rule
could not be ended with the tokens that are left, were each byte a token (`engine.budgets`). In llguidance a
rule is cut off where its tokens are used up, and may end in the middle of what it says.

The others are refused by name: ``stop`` takes back what the model has written, and ``temperature`` is the
sampler's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token, Tree

from .lark_dialect import Syntax
from .lark_scope import Scope

_WHY_NOT = {
    "stop": "it would take back what is written; use suffix=..., which leaves the end in the text",
    "stop_capture": "capture the rule that writes the end",
    "max_chars": "bound the characters in the pattern:  /(.|\\n){0,500}/",
    "temperature": "how tokens are sampled is not the grammar's to say",
}


@dataclass(frozen=True)
class Attributes:
    """Of one rule.

    capture : a name, "" for the rule's own, or None
    suffix : the tree of a pattern
    max_tokens : a number with its place, or None
    """

    capture: str | None = None
    lazy: bool = False
    suffix: Syntax | None = None
    max_tokens: Token | None = None

    @property
    def is_terminal(self) -> bool:
        """The rule's text is one terminal."""
        return self.lazy or self.suffix is not None


MOST_TOKENS = 1 << 31
NO_ATTRIBUTES = Attributes()


def read_attributes(statement: Syntax, scope: Scope) -> Attributes:
    """The attributes of a definition; `GrammarError` for one that is not taken."""
    found = next((c for c in statement.children if isinstance(c, Tree) and c.data == "attributes"), None)
    capture: str | None = None
    lazy = False
    suffix: Syntax | None = None
    max_tokens: Token | None = None
    for attribute in found.children if found is not None else ():
        assert isinstance(attribute, Tree)
        name, *values = attribute.children
        assert isinstance(name, Token)
        value = values[0] if values else None
        if name == "capture":
            capture = _name(name, value, scope)
        elif name == "lazy":
            if value is not None:
                raise scope.error("lazy takes no value", name)
            lazy = True
        elif name == "suffix":
            if not isinstance(value, Token) or value.type not in ("STRING", "REGEXP", "TERMINAL"):
                raise scope.error('suffix is a string, a pattern or a terminal:  suffix="</end>"', name)
            suffix = Tree("name" if value.type == "TERMINAL" else "literal", [value])
        elif name == "max_tokens":
            max_tokens = _number(name, values, scope)
        elif name in _WHY_NOT:
            raise scope.error(f"{name} is not supported: {_WHY_NOT[name]}", name)
        else:
            known = "capture, lazy, suffix and max_tokens"
            raise scope.error(f"there is no attribute {name}; there are {known}", name)
    return Attributes(capture, lazy, suffix, max_tokens)


def _name(at: Token, value: object, scope: Scope) -> str:
    if value is None:
        return ""
    if not isinstance(value, Token) or value.type not in ("STRING", "RULE", "TERMINAL"):
        raise scope.error('capture is followed by a name, or by nothing:  capture="city"', at)
    name = str(value).strip('"')
    if not name or "\\" in name:
        raise scope.error("a capture has a name of plain characters", value)
    return name


def _number(at: Token, values: Sequence[object], scope: Scope) -> Token:
    """A number of tokens."""
    value = values[0] if len(values) == 1 else None
    if not isinstance(value, Token) or value.type != "NUMBER" or not 0 <= int(value) <= MOST_TOKENS:
        raise scope.error(f"max_tokens is a number from 1 to {MOST_TOKENS}:  max_tokens=50", at)
    if int(value) == 0:
        raise scope.error(
            "a rule with max_tokens=0 can write nothing; leave the rule out, or give it a token", value
        )
    return value
