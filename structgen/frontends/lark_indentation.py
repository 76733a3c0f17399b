"""Indentation in Lark text: which terminals carry it.

lark has no words for it: a grammar declares ``%declare _INDENT _DEDENT``, and Python code, a
`lark.indenter.Indenter`, puts them between the tokens. Here a grammar can say it itself::

    %declare _INDENT _DEDENT
    %indent _NEWLINE _INDENT _DEDENT "(" ")" "[" "]"

the newline terminal, the two symbols that it brings along, and pairs of terminals that suspend it. A grammar
that was written for lark stays as it is and comes with its Indenter (``postlex=PythonIndenter()``), of which
only the names are read. How columns compare is the engine's affair (`ir.Indentation`); an Indenter that takes
a tab for eight columns wherever it stands is taken to mean tab stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lark import Token
from lark.load_grammar import _TERMINAL_NAMES

from ..errors import GrammarError
from ..ir import Indentation
from .lark_dialect import Syntax, tokens
from .lark_modules import Definitions, near
from .lark_scope import Scope
from .lark_terminals import Terminals, spelling


class Indenter(Protocol):
    """The names that a `lark.indenter.Indenter` carries."""

    NL_type: str
    INDENT_type: str
    DEDENT_type: str
    OPEN_PAREN_types: list[str]
    CLOSE_PAREN_types: list[str]
    tab_len: int


@dataclass(frozen=True, eq=False)
class Lines:
    """What a ``%indent`` statement or an Indenter names.

    newline, indent, dedent : names of terminals; the last two are declared and have no text
    opening, closing : a terminal's name, or (text, flags) of a literal as `spelling` has it
    """

    newline: str
    indent: str
    dedent: str
    opening: tuple[str | tuple[str, str], ...]
    closing: tuple[str | tuple[str, str], ...]
    tab: int = 8

    def resolve(self, terminals: Terminals) -> Indentation:
        """The indentation of a grammar whose rules are lowered; brackets that no rule uses are left out."""
        opening, closing = (
            tuple(name for bracket in brackets if (name := terminals.known(bracket)) is not None)
            for brackets in (self.opening, self.closing)
        )
        return Indentation(self.newline, self.indent, self.dedent, opening, closing, self.tab)


def of_statement(statement: Syntax, definitions: Definitions, scope: Scope) -> Lines:
    """What a ``%indent`` statement says; `GrammarError` at the name that cannot be used."""
    newline, indent, dedent, *brackets = tokens(statement)
    for name in (newline, indent, dedent):
        found = definitions.lookup(name, scope)
        if (name is newline) != bool(found.bodies):
            raise scope.error(
                f"{name} is the newline of %indent and must be defined"
                if name is newline
                else f"{name} has a text of its own; %indent needs it declared alone:  %declare {name}",
                name,
            )
    if len(brackets) % 2:
        raise scope.error("brackets of %indent come in pairs, an opening one and a closing one", brackets[-1])
    names = [_bracket(token, definitions, scope) for token in brackets]
    return Lines(
        scope.rename(newline),
        scope.rename(indent),
        scope.rename(dedent),
        tuple(names[::2]),
        tuple(names[1::2]),
    )


def of_indenter(indenter: Indenter, definitions: Definitions) -> Lines:
    """What a lark Indenter says; `GrammarError` when the grammar lacks one of its names."""
    try:
        names = (indenter.NL_type, indenter.INDENT_type, indenter.DEDENT_type)
        opening, closing = (
            tuple(_named_by_lark(name) for name in brackets)
            for brackets in (indenter.OPEN_PAREN_types, indenter.CLOSE_PAREN_types)
        )
        tab = int(indenter.tab_len)
    except AttributeError as error:
        raise GrammarError(
            f"postlex is a lark.indenter.Indenter or has its attributes; {type(indenter).__name__} lacks "
            f"{error.name}"
        ) from None
    for name in names:
        found = definitions.table.get(name)
        if found is None:
            known = near(name, sorted(definitions.main.names))
            raise GrammarError(f"postlex names the terminal {name}, which the grammar does not have{known}")
        if (name == names[0]) != bool(found.bodies):
            what = "must be defined" if name == names[0] else "must only be declared (%declare)"
            raise GrammarError(f"postlex names the terminal {name}, which {what}")
    return Lines(*names, opening, closing, tab)


def _bracket(token: Token, definitions: Definitions, scope: Scope) -> str | tuple[str, str]:
    if token.type == "STRING":
        return spelling(token, scope)
    return definitions.lookup(token, scope).name


def _named_by_lark(name: str) -> str | tuple[str, str]:
    """lark gives literals names of its own: ``"("`` is LPAR."""
    literals = {named: text for text, named in _TERMINAL_NAMES.items()}
    return (literals[name], '"') if name in literals else name
