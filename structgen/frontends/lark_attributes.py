"""What is written in brackets after a rule's name: ``name[capture, lazy]: ...``.

They are llguidance's. ``capture`` names what the rule writes. ``lazy`` and ``suffix`` say where its text
ends, and so belong to rules that are a terminal: with ``lazy`` at the first place where it may end; with
``suffix="x"`` at the first "x", which belongs to the rule's text and not to its capture. The others are
refused by name: ``stop`` takes back what the model has written, ``temperature`` is the sampler's affair,
and ``max_tokens`` says something about tokens and nothing about texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from lark import Token, Tree

from .lark_dialect import Syntax
from .lark_scope import Scope

_WHY_NOT = {
    "stop": "it would take back what is written; use suffix=..., which leaves the end in the text",
    "stop_capture": "capture the rule that writes the end",
    "max_tokens": "a grammar is over text; bound the characters instead:  /(.|\\n){0,500}/",
    "max_chars": "bound the characters in the pattern:  /(.|\\n){0,500}/",
    "temperature": "how tokens are sampled is not the grammar's to say",
}


@dataclass(frozen=True)
class Attributes:
    """Of one rule. ``capture``: a name, "" for the rule's own, or None; ``suffix``: the tree of a pattern."""

    capture: str | None = None
    lazy: bool = False
    suffix: Syntax | None = None

    @property
    def is_terminal(self) -> bool:
        """The rule's text is one terminal."""
        return self.lazy or self.suffix is not None


NO_ATTRIBUTES = Attributes()


def read_attributes(statement: Syntax, scope: Scope) -> Attributes:
    """The attributes of a definition; `GrammarError` for one that is not taken."""
    found = next((c for c in statement.children if isinstance(c, Tree) and c.data == "attributes"), None)
    capture: str | None = None
    lazy = False
    suffix: Syntax | None = None
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
        elif name in _WHY_NOT:
            raise scope.error(f"{name} is not supported: {_WHY_NOT[name]}", name)
        else:
            raise scope.error(f"there is no attribute {name}; there are capture, lazy and suffix", name)
    return Attributes(capture, lazy, suffix)


def _name(at: Token, value: object, scope: Scope) -> str:
    if value is None:
        return ""
    if not isinstance(value, Token) or value.type not in ("STRING", "RULE", "TERMINAL"):
        raise scope.error('capture is followed by a name, or by nothing:  capture="city"', at)
    name = str(value).strip('"')
    if not name or "\\" in name:
        raise scope.error("a capture has a name of plain characters", value)
    return name
