"""Lark text to the grammar IR: `lark_to_ir`.

The way is: text -> trees (`lark_dialect`) -> one table of definitions (`lark_modules`) -> rules, lowered
here from the start rule on, and the terminals they ask for (`lark_terminals`). What is not reached is not
compiled.

What says something about trees only says nothing about texts, and is read and left aside: aliases
(``-> name``), ``?rule``, ``!rule``, ``_rule``, and the priority of a rule (``expr.2:``), which in lark
chooses among several trees of one text. The priority of a terminal decides how text is cut, and stays.

Repetitions keep their bounds (`ir.Rep`): ``x~1..1000000`` costs what ``x~1..10`` costs.

Two disciplines: under "longest" the ignored terminals are handed over by name, the engine knows what to do
with them. Under "any" they are woven into the rules here: any number of them may stand before the first
terminal and after each. A terminal is the same language under both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from lark import Token

from ..automata import ByteDFA
from ..errors import GrammarError, LimitExceededError
from ..ir import Alt, Budget, Capture, Expr, GrammarIR, Ref, Rep, Seq, Term
from ..limits import USUAL, Limits, check_time
from .embedding import Embedding
from .lark_blocks import block_text, json_value
from .lark_dialect import Syntax, fold, tokens
from .lark_indentation import Indenter, Lines, of_indenter, of_statement
from .lark_modules import Body, Definition, Definitions, Ignored, bounds, load, near
from .lark_scope import Scope
from .lark_specials import special_tokens
from .lark_terminals import Terminals, single

# No name in Lark text begins with two underscores.
_IGNORED = "__ignored"
_START = "__start"


def lark_to_ir(
    text: str,
    *,
    start: str = "start",
    base_path: str | PathLike[str] | None = None,
    lexing: str = "longest",
    postlex: Indenter | None = None,
    limits: Limits | None = None,
    source: str | None = None,
    grammars: Mapping[str, GrammarIR] | None = None,
) -> GrammarIR:
    """Compile Lark text to the grammar IR.

    Parameters
    ----------
    text : the grammar.
    start : the rule that is a whole text.
    base_path : the folder (or a file in it) of ``%import .name``; without one such imports are refused.
    lexing : "longest" (at each place the terminal of highest priority, then the longest) or "any"
        (every way of cutting text into terminals counts).
    postlex : a lark Indenter, for a grammar whose indentation it handles and that has no ``%indent``.
    source : the text's name in messages, a file name for instance.
    grammars : what ``@name`` stands for; of discipline "any", and only with ``lexing="any"``.

    Raises
    ------
    GrammarError : with line, column and caret, for whatever the text gets wrong or asks for in vain.
    LimitExceededError : templates that grow without end, automata that are too large.
    """
    if not isinstance(text, str):
        raise GrammarError(f"a grammar is text, not {type(text).__name__}")
    if lexing not in ("longest", "any"):
        raise GrammarError(f'lexing is "longest" or "any", not {lexing!r}')
    folder = None if base_path is None else Path(base_path)
    if folder is not None and folder.is_file():
        folder = folder.parent
    definitions = load(text, base_path=folder, source=source)
    lines = None
    if definitions.indent is not None:
        lines = of_statement(definitions.indent, definitions, definitions.main)
    elif postlex is not None:
        lines = of_indenter(postlex, definitions)
    if lines is not None and lexing == "any":
        raise GrammarError("indentation counts terminals, and needs lexing='longest'", source=source)
    if definitions.forbidden and lexing == "any":
        raise definitions.main.error(
            "%forbid says what no terminal may be, and needs lexing='longest'", definitions.forbidden[0].at
        )
    return _Lowering(definitions, limits or USUAL, lexing, lines, grammars or {}).grammar(start)


@dataclass(frozen=True, eq=False)
class _Template:
    """A template that was named: an argument to another one, or a mistake."""

    definition: Definition
    at: Token
    scope: Scope


_Value = Expr | _Template


@dataclass(frozen=True, eq=False)
class _Instance:
    """A rule to lower: a definition, with what its parameters stand for."""

    name: str
    definition: Definition
    arguments: dict[str, _Value]


class _Lowering:
    def __init__(
        self,
        definitions: Definitions,
        limits: Limits,
        lexing: str,
        lines: Lines | None,
        grammars: Mapping[str, GrammarIR],
    ) -> None:
        self.lines = lines
        self.without_text = {lines.indent, lines.dedent} if lines else set()
        self.definitions = definitions
        self.limits = limits
        self.terminals = Terminals(definitions, reachable(definitions), limits)
        self.rules: dict[str, Expr] = {}
        self.waiting: deque[_Instance] = deque()
        self.nodes = 0
        self.ignore = self._everywhere("%ignore", definitions.ignored)
        self.forbidden = self._everywhere("%forbid", definitions.forbidden)
        self.lexing = lexing
        self.weave = lexing == "any" and bool(self.ignore)
        self.grammars = grammars
        self.embedding = Embedding()
        self.embedded: dict[tuple[int, int], Ref] = {}
        self.captures: list[Capture] = []
        self.budgets: list[Budget] = []

    def grammar(self, start: str) -> GrammarIR:
        self._ask(_Instance(start, self._start(start), {}))
        while self.waiting:
            instance = self.waiting.popleft()
            self.rules[instance.name] = self._rule(instance)
        ignore = tuple(self.ignore)
        if self.weave:
            self.rules[_IGNORED] = Rep(Alt(tuple(Term(name) for name in ignore)))
            self.rules[_START] = Seq((Ref(_IGNORED), Ref(start)))
            start, ignore = _START, ()
        lines = None
        if self.lines is not None:
            newline = self.definitions.table[self.lines.newline]
            self.terminals.named(newline, newline.at, newline.scope)
            lines = self.lines.resolve(self.terminals)
        rules = {**self.rules, **self.embedding.rules}
        return GrammarIR(
            rules,
            start,
            dict(self.terminals.compiled),
            ignore,
            self.lexing,
            tuple(self.embedding.specials),
            (*self.captures, *self.embedding.captures),
            _IGNORED if self.weave else "",
            indentation=lines,
            forbidden=tuple(self.forbidden),
            distinct=tuple(self.embedding.distinct),
            budgets=(*self.budgets, *self.embedding.budgets),
        )

    def _start(self, start: str) -> Definition:
        found = self.definitions.table.get(start)
        if found is None or found.is_terminal:
            rules = [d.name for d in self.definitions.table.values() if not d.is_terminal]
            own = sorted(set(rules) & self.definitions.main.names)
            what = f"start={start!r} is a terminal, not a rule" if found else f"there is no rule {start!r}"
            listed = f"; the rules are {', '.join(own[:20])}" if own else ""
            hint = near(start, own) or listed
            raise GrammarError(
                f"{what} to start with{hint}; say which by start=...", source=self.definitions.main.source
            )
        if found.params:
            raise found.scope.error(f"a template cannot be the start rule: {start}", found.at)
        return found

    def _everywhere(self, statement: str, bodies: list[Ignored]) -> list[str]:
        """The terminals of ``%ignore`` or ``%forbid`` statements."""
        names: dict[str, None] = {}
        for ignored in bodies:
            body, scope = ignored.body, ignored.body.scope
            at = ignored.at
            if at is None:
                raise scope.error(f"{statement} is followed by nothing to {statement[1:]}")
            tree = single(body.tree)
            if tree is not None and tree.data == "name" and at.type == "TERMINAL":
                terminal = self.terminals.named(self.definitions.lookup(at, scope), at, scope)
            elif tree is not None and tree.data in ("literal", "range"):
                terminal = self.terminals.anonymous(tree, scope)
            else:
                terminal = self.terminals.expression(f"{statement} {len(names)}", body, at)
            names[terminal.name] = None
        return list(names)

    def _ask(self, instance: _Instance) -> Ref:
        if instance.name not in self.rules:
            self.rules[instance.name] = Alt(())  # Its place in the order; `grammar` fills it.
            self.waiting.append(instance)
        return Ref(instance.name)

    def _rule(self, instance: _Instance) -> Expr:
        attributes = instance.definition.attributes
        suffix: ByteDFA | None = None
        if attributes.is_terminal:
            terminal, suffix = self.terminals.ending(instance.definition)
        if attributes.capture is not None and self.lines is not None:
            definition = instance.definition
            raise definition.scope.error(
                f"rule {definition.name} cannot be captured: where indentation counts nothing can be",
                definition.at,
            )
        if attributes.capture is not None:
            name = str(attributes.capture or instance.definition.name)
            self.captures.append(Capture(str(instance.name), name, suffix))
        if attributes.max_tokens is not None:
            self.budgets.append(self._budget(instance, attributes.max_tokens))
        if attributes.is_terminal:
            return self._term(terminal.name)
        alternatives = []
        for body in instance.definition.bodies:

            def combine(tree: Syntax, below: list[_Value], scope: Scope = body.scope) -> _Value:
                self._count()
                return self._combine(tree, below, scope, instance.arguments)

            alternatives.append(_plain(fold(body.tree, combine)))
        return _alt(alternatives)

    def _budget(self, instance: _Instance, tokens: Token) -> Budget:
        definition = instance.definition
        scope, at = definition.scope, definition.at
        if self.lines is not None:
            raise scope.error(
                f"the tokens of rule {definition.name} cannot be counted where indentation counts",
                tokens,
            )
        place = f"{scope.source or 'grammar'}:{at.line}:{at.column}"
        return Budget(str(instance.name), int(tokens), place)

    def _count(self) -> None:
        self.nodes += 1
        check_time("expanding rules and templates")
        if self.nodes > self.limits.max_grammar_nodes:
            limit = self.limits.max_grammar_nodes
            raise LimitExceededError("max_grammar_nodes", limit, self.nodes, "expanding rules and templates")

    def _combine(
        self, tree: Syntax, below: list[_Value], scope: Scope, arguments: dict[str, _Value]
    ) -> _Value:
        if tree.data == "name":
            return self._name(tree, scope, arguments)
        if tree.data in ("literal", "range"):
            return self._term(self.terminals.anonymous(tree, scope).name)
        if tree.data == "template_usage":
            return self._usage(tree, below, scope, arguments)
        if tree.data == "substring":
            # The empty text is among them, and a terminal is never empty.
            terminal = self.terminals.quotation(f"%regex {self.nodes}", Body(tree, scope))
            return Seq(()) if terminal is None else Alt((self._term(terminal.name), Seq(())))
        if tree.data == "special":
            return self._woven(special_tokens(_token(tree), scope, self.embedding.specials))
        if tree.data in ("json", "nested", "grammar"):
            return self._woven(self._other(tree, scope))
        if tree.data in ("conjunction", "negation"):
            at = _token(tree)
            raise scope.error("& and ~ are of patterns; give the pattern a terminal's name:  NAME: ...", at)
        items = [_plain(value) for value in below]
        if tree.data == "expansions":
            return _alt(items)
        if tree.data == "expansion":
            return _seq(items)
        if tree.data == "alias":
            return items[0]
        low, high = (0, 1) if tree.data == "maybe" else bounds(tree, scope)
        if (low, high) == (0, 1):
            return Alt((items[0], Seq(())))
        return items[0] if (low, high) == (1, 1) else Rep(items[0], low, high)

    def _term(self, name: str) -> Expr:
        return self._woven(Term(name))

    def _woven(self, expr: Expr) -> Expr:
        return Seq((expr, Ref(_IGNORED))) if self.weave else expr

    def _other(self, tree: Syntax, scope: Scope) -> Ref:
        """A grammar inside this one: %json {...}, %lark {...}, @name."""
        token = _token(tree)
        if self.lexing != "any":
            what = str(token) if tree.data == "grammar" else f"%{token.type.lower()}"
            raise scope.error(
                f"{what} is a grammar of its own, whose text is not cut into terminals; pass lexing='any', "
                "for which every way of cutting counts",
                token,
            )
        key = (id(scope), token.start_pos or 0)
        if key not in self.embedded:
            self.embedded[key] = self._embed(tree, token, scope)
        return self.embedded[key]

    def _embed(self, tree: Syntax, token: Token, scope: Scope) -> Ref:
        if tree.data == "grammar":
            ir = self.grammars.get(token[1:])
            if ir is None:
                known = f"; there are {', '.join(self.grammars)}" if self.grammars else ""
                raise scope.error(
                    f"no grammar is passed for {token}: grammars={{{token[1:]!r}: ...}}{known}", token
                )
            if ir.lexing != "any":
                raise scope.error(
                    f"the grammar of {token} is cut into terminals; make it with lexing='any'", token
                )
            return self.embedding.add(ir, str(token))
        text, opening = block_text(scope.text, token.start_pos or 0, token.end_pos or 0)
        if tree.data == "json":
            from .json_schema import schema_to_ir

            try:
                ir, _ = schema_to_ir(json_value(scope.text, opening), limits=self.limits)
            except GrammarError as error:
                raise scope.error(f"the schema of %json: {error.message}", token) from error
            return self.embedding.add(ir, "%json")
        # Spaces instead of what is before keep the places in messages.
        before = "".join(c if c == "\n" else " " for c in scope.text[: opening + 1])
        ir = lark_to_ir(before + text[1:-1], lexing="any", limits=self.limits, source=scope.source)
        return self.embedding.add(ir, "%lark")

    def _name(self, tree: Syntax, scope: Scope, arguments: dict[str, _Value]) -> _Value:
        name = _token(tree)
        if str(name) in arguments:
            return arguments[str(name)]
        found = self.definitions.lookup(name, scope)
        if found.name in self.without_text:
            return Term(found.name)
        if found.is_terminal:
            return self._term(self.terminals.named(found, name, scope).name)
        if found.params:
            return _Template(found, name, scope)
        if not found.bodies:
            raise scope.error(f"rule {name} is only declared; define it  {name}: ...", name)
        return self._ask(_Instance(found.name, found, {}))

    def _usage(self, tree: Syntax, below: list[_Value], scope: Scope, arguments: dict[str, _Value]) -> Expr:
        name = _token(tree)
        given = arguments.get(str(name))
        found = self.definitions.lookup(name, scope) if given is None else None
        if isinstance(given, _Template):
            found = given.definition
        if found is None or not found.params:
            raise scope.error(f"{name} is not a template, it takes no arguments", name)
        if len(found.params) != len(below):
            raise scope.error(f"{name} takes {len(found.params)} arguments, not {len(below)}", name)
        spelled = ",".join(_argument_name(value) for value in below)
        bound = dict(zip(found.params, below, strict=True))
        return self._ask(_Instance(f"{found.name}{{{spelled}}}", found, bound))


def reachable(definitions: Definitions) -> list[Definition]:
    """What the text itself defines or imports, and what that refers to; every name in it is looked up."""
    found: dict[str, Definition] = {}
    waiting = deque(definitions.table[name] for name in definitions.table if name in definitions.main.names)
    for ignored in (*definitions.ignored, *definitions.forbidden):
        _look_up(ignored.body, (), definitions)
    while waiting:
        definition = waiting.popleft()
        if definition.name in found:
            continue
        found[definition.name] = definition
        bodies = definition.bodies
        if definition.attributes.suffix is not None:
            bodies = [*bodies, Body(definition.attributes.suffix, definition.scope)]
        for body in bodies:
            referred = _look_up(body, definition.params, definitions)
            # A part of a terminal is not a terminal of the grammar for that.
            if not definition.is_terminal and not definition.attributes.is_terminal:
                waiting.extend(referred)
    return [d for d in definitions.table.values() if d.name in found]


def _look_up(body: Body, params: tuple[str, ...], definitions: Definitions) -> list[Definition]:
    referred = []
    for tree in body.tree.iter_subtrees_topdown():
        if tree.data in ("name", "template_usage"):
            name = _token(tree)
            if str(name) not in params:
                referred.append(definitions.lookup(name, body.scope))
    return referred


def _token(tree: Syntax) -> Token:
    return next(tokens(tree))


def _plain(value: _Value) -> Expr:
    if isinstance(value, _Template):
        usage = f"{value.at}{{{', '.join(value.definition.params)}}}"
        raise value.scope.error(f"{value.at} is a template and needs arguments: {usage}", value.at)
    return value


def _argument_name(value: _Value) -> str:
    if isinstance(value, _Template):
        return value.definition.name
    if isinstance(value, Seq):  # A terminal and what is ignored after it.
        value = value.items[0]
    assert isinstance(value, (Term, Ref))
    return value.name if isinstance(value, Term) else value.rule


def _alt(items: list[Expr]) -> Expr:
    return items[0] if len(items) == 1 else Alt(tuple(items))


def _seq(items: list[Expr]) -> Expr:
    flat = [part for item in items for part in (item.items if isinstance(item, Seq) else (item,))]
    return flat[0] if len(flat) == 1 else Seq(tuple(flat))
