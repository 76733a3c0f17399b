"""From syntax trees to one table of definitions: %import, %extend, %override, %declare, %ignore.

The table is flat, as in lark: what a file brings along without being asked for is known by a longer
name (``expr`` of ``arithmetic.lark`` becomes ``arithmetic__expr``, ``_sep`` becomes
``_arithmetic__sep``). lark renames inside copies of the imported trees; here a tree stays as it was
read and shared, and its *scope* says what a name in it stands for in the table. So every name keeps the
file, line and column where it is written, and a lookup happens when everything is known: %override and
%extend reach every reference, imported files included, for rules and terminals alike (lark's manual says
so; lark itself has by then copied an imported terminal into the terminals that use it).

Where grammars are found: ``%import .name`` beside the importing file (for text without a file: in
``base_path``), ``%import name`` among lark's own grammars (``common``, ``python``, ``unicode``, ``lark``),
then among those of `library`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from lark import Token, Tree

from .lark_attributes import NO_ATTRIBUTES, Attributes, read_attributes
from .lark_dialect import Syntax, parse, tokens
from .lark_scope import Scope
from .library import library_folder

# Files that import files that import files: deeper than this is a mistake.
_MAX_IMPORT_DEPTH = 50


@dataclass(frozen=True, eq=False)
class Body:
    """The right side of a definition, in the scope where it is written."""

    tree: Syntax
    scope: Scope


@dataclass(eq=False)
class Definition:
    """A rule or a terminal.

    name : in the table
    bodies : the alternatives: the definition's own, and one for each %extend; none when only declared
    params : of a template
    attributes : what is written in brackets after a rule's name
    priority : of a terminal; that of a rule chooses between trees and says nothing about texts
    at, scope : where it is defined
    """

    name: str
    is_terminal: bool
    bodies: list[Body]
    params: tuple[str, ...]
    priority: int
    at: Token
    scope: Scope
    attributes: Attributes = NO_ATTRIBUTES


@dataclass(frozen=True)
class Ignored:
    """One %ignore or %forbid statement: the expressions' tree and its scope."""

    body: Body
    at: Token | None


@dataclass(eq=False)
class Definitions:
    """All definitions of a grammar text and of what it imports."""

    main: Scope
    table: dict[str, Definition] = field(default_factory=dict)
    ignored: list[Ignored] = field(default_factory=list)
    forbidden: list[Ignored] = field(default_factory=list)
    indent: Syntax | None = None  # the %indent statement

    def lookup(self, name: Token, scope: Scope) -> Definition:
        """What ``name``, written in ``scope``, stands for; `GrammarError` when nothing."""
        found = self.table.get(scope.rename(name))
        kind = kind_of(name)
        if found is None:
            raise scope.error(f"{kind} {name} is not defined{near(name, sorted(scope.names))}", name)
        if found.is_terminal != (kind == "terminal"):
            raise scope.error(f"{name} is written like a {kind} but stands for one of the others", name)
        return found


def kind_of(name: Token) -> str:
    """ "rule" or "terminal", by how a name is written."""
    return "terminal" if name.type == "TERMINAL" else "rule"


def near(name: str, known: list[str]) -> str:
    """ "; did you mean ...?" when a known name resembles ``name``, else nothing."""
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def number(token: Token, scope: Scope) -> int:
    """The value of a NUMBER; `GrammarError` when it is beyond 32 bits."""
    if len(token) > 10 or abs(value := int(token)) > 2**31 - 1:
        raise scope.error(f"this number is larger than {2**31 - 1}", token)
    return value


def bounds(expr: Syntax, scope: Scope) -> tuple[int, int | None]:
    """How often the repetition ``expr`` (``x?``, ``x*``, ``x+``, ``x~2``, ``x~2..5``) takes its item."""
    op, *numbers = (c for c in expr.children if isinstance(c, Token))
    if op.type == "BOUNDS":
        least, comma, most = op[1:-1].partition(",")
        numbers = [op.update(value=part.strip() or empty) for part, empty in ((least, "0"), (most, ""))]
        if not comma:
            numbers[1] = numbers[0]
        elif not numbers[1]:
            return number(numbers[0], scope), None
    if op.type == "OP":
        return {"?": (0, 1), "*": (0, None), "+": (1, None)}[op]
    low, high = (number(n, scope) for n in (numbers[0], numbers[-1]))
    if low < 0:
        raise scope.error(f"nothing can be repeated {low} times", numbers[0])
    if high < low:
        shown = f"{{{low},{high}}}" if op.type == "BOUNDS" else f"~{low}..{high}"
        raise scope.error(f"the bounds of a repetition are written the other way round: {shown}", op)
    return low, high


def load(text: str, *, base_path: Path | None = None, source: str | None = None) -> Definitions:
    """Read a grammar text and everything it imports.

    base_path : the folder of ``%import .name``; without one such an import is refused.
    source : the text's name in messages.
    """
    definitions = Definitions(Scope(text, source, lambda name: name))
    _Loader(definitions).load(definitions.main, base_path, ())
    return definitions


class _Loader:
    """Fills one table; knows which files are being read."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.table = definitions.table

    def load(self, scope: Scope, folder: Traversable | None, chain: tuple[str, ...]) -> None:
        statements = [s for s in parse(scope.text, scope.source).children if isinstance(s, Tree)]
        # As in lark, a file's imports come before its definitions, wherever they are written.
        for path, wanted in _imports(statements, scope):
            self._import(path, wanted, scope, folder, chain)
        for statement in statements:
            if statement.data in ("rule", "term"):
                self._define(statement, scope, override=False)
            elif statement.data == "override":
                self._define(_child(statement), scope, override=True)
            elif statement.data == "extend":
                self._extend(_child(statement), scope)
            elif statement.data == "declare":
                for name in tokens(statement):
                    self._add(name, scope, [], (), 0, override=False)
            elif statement.data in ("ignore", "forbid") and scope is self.definitions.main:
                # What an imported file ignores is its own affair, as in lark.
                body = Body(_child(statement), scope)
                which = self.definitions.ignored if statement.data == "ignore" else self.definitions.forbidden
                which.append(Ignored(body, next(tokens(body.tree), None)))
            elif statement.data == "indent" and scope is self.definitions.main:
                if self.definitions.indent is not None:
                    raise scope.error("there is a second %indent", next(tokens(statement)))
                self.definitions.indent = statement

    def _define(self, statement: Syntax, scope: Scope, *, override: bool) -> None:
        name, params, priority, tree = _parts(statement, scope)
        attributes = read_attributes(statement, scope)
        self._add(name, scope, [Body(tree, scope)], params, priority, attributes, override=override)

    def _add(
        self,
        name: Token,
        scope: Scope,
        bodies: list[Body],
        params: tuple[str, ...],
        priority: int,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        override: bool,
    ) -> None:
        full = scope.rename(name)
        before = self.table.get(full)
        if before is None and override:
            raise scope.error(
                f"there is no {kind_of(name)} {name} to override{near(name, sorted(scope.names))}", name
            )
        if before is not None and not override:
            file = "" if before.scope is scope else f"{before.scope.source}, "
            where = f"{file}line {before.at.line}"
            raise scope.error(
                f"{kind_of(name)} {name} is defined already ({where}); use %extend or %override", name
            )
        scope.names.add(str(name))
        is_terminal = name.type == "TERMINAL"
        self.table[full] = Definition(full, is_terminal, bodies, params, priority, name, scope, attributes)

    def _extend(self, statement: Syntax, scope: Scope) -> None:
        name, params, _, tree = _parts(statement, scope)
        if read_attributes(statement, scope) != NO_ATTRIBUTES:
            raise scope.error(f"the attributes of {name} stand where it is defined", name)
        found = self.table.get(scope.rename(name))
        if found is None:
            known = near(name, sorted(scope.names))
            raise scope.error(
                f"there is no {kind_of(name)} {name} to extend here: define or import it first{known}", name
            )
        if not found.bodies:
            raise scope.error(f"{name} is only declared; define it rather than extend it", name)
        if len(found.params) != len(params):
            raise scope.error(f"{name} has {len(found.params)} template parameters, not {len(params)}", name)
        if found.params != params:
            raise scope.error(f"{name}: the parameters are called {', '.join(found.params)}", name)
        found.bodies.append(Body(tree, scope))

    def _import(
        self,
        path: _ImportPath,
        wanted: list[tuple[Token, Token]],
        scope: Scope,
        folder: Traversable | None,
        chain: tuple[str, ...],
    ) -> None:
        file, file_folder = _find(path, scope, folder)
        source = str(file)
        if source in chain:
            raise scope.error(f"{path} is imported by itself: {' -> '.join([*chain, source])}", path.at)
        if len(chain) >= _MAX_IMPORT_DEPTH:
            raise scope.error(f"imports are nested more than {_MAX_IMPORT_DEPTH} deep", path.at)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise scope.error(f"{path} cannot be read from {source}: {error}", path.at) from None
        aliases: dict[str, str] = {}
        for name, alias in wanted:
            if name.type != alias.type:
                raise scope.error(f"{name} is a {kind_of(name)} and {alias} is not written like one", alias)
            if aliases.setdefault(str(name), str(alias)) != alias:
                raise scope.error(f"{name} is imported twice, as {aliases[name]} and as {alias}", alias)
            if scope.rename(alias) in self.table:
                raise scope.error(f"{alias} is imported from two grammars; rename one with ->", alias)
        inner = Scope(text, source, _renamer("__".join(path.parts), aliases, scope.rename))
        self.load(inner, file_folder, (*chain, source))
        for name, alias in wanted:
            if str(name) not in inner.names:
                raise scope.error(
                    f"{path} has no {kind_of(name)} {name}{near(name, sorted(inner.names))}", name
                )
            scope.names.add(str(alias))


@dataclass(frozen=True)
class _ImportPath:
    parts: tuple[str, ...]
    relative: bool
    at: Token

    def __str__(self) -> str:
        return ("." if self.relative else "") + ".".join(self.parts)


def _imports(statements: list[Syntax], scope: Scope) -> list[tuple[_ImportPath, list[tuple[Token, Token]]]]:
    """(file, [(name there, name here)]) of a text, each file once."""
    merged: dict[tuple[bool, tuple[str, ...]], tuple[_ImportPath, list[tuple[Token, Token]]]] = {}
    for statement in statements:
        if statement.data != "import":
            continue
        path_tree, *rest = statement.children
        assert isinstance(path_tree, Tree)
        parts = list(tokens(path_tree))
        listed = rest[0] if rest else None
        if isinstance(listed, Tree):
            wanted = [(name, name) for name in tokens(listed)]
        else:
            name = parts.pop()
            if not parts:
                raise scope.error(f"say what to import from {name}:  %import {name}.NAME", name)
            wanted = [(name, listed or name)]
        relative = path_tree.data == "import_rel"
        key = (relative, tuple(str(p) for p in parts))
        merged.setdefault(key, (_ImportPath(key[1], relative, parts[0]), []))[1].extend(wanted)
    return list(merged.values())


def _find(path: _ImportPath, scope: Scope, folder: Traversable | None) -> tuple[Traversable, Traversable]:
    """The file and the folder it is in."""
    if path.relative:
        if folder is None:
            raise scope.error(
                f"%import {path} is relative, and this text has no folder; pass base_path=...", path.at
            )
        places = [folder]
    else:
        places = [files("lark") / "grammars", library_folder()]
    for place in places:
        inside = place.joinpath(*path.parts[:-1])
        file = inside.joinpath(f"{path.parts[-1]}.lark")
        if file.is_file():
            return file, inside
    names = [file.name for place in places if place.is_dir() for file in place.iterdir()]
    known = sorted({name[:-5] for name in names if name.endswith(".lark")})
    where = f"in {folder}" if path.relative else f"among the shipped grammars ({', '.join(known)})"
    raise scope.error(f"there is no grammar {path} {where}{near(path.parts[-1], known)}", path.at)


def _renamer(prefix: str, aliases: dict[str, str], outer: Callable[[str], str]) -> Callable[[str], str]:
    def rename(name: str) -> str:
        alias = aliases.get(name)
        if alias is None:
            alias = f"_{prefix}__{name[1:]}" if name.startswith("_") else f"{prefix}__{name}"
        return outer(alias)

    return rename


def _child(statement: Syntax) -> Syntax:
    child = statement.children[0]
    assert isinstance(child, Tree)
    return child


def _parts(statement: Syntax, scope: Scope) -> tuple[Token, tuple[str, ...], int, Syntax]:
    """name, template parameters, priority and right side of a rule or terminal."""
    name = next(c for c in statement.children if isinstance(c, Token))
    trees = {str(c.data): c for c in statement.children if isinstance(c, Tree)}
    params = tuple(str(p) for p in trees["template_params"].children) if "template_params" in trees else ()
    priority = next(tokens(trees["priority"]), None)
    return name, params, number(priority, scope) if priority else 0, trees["expansions"]
