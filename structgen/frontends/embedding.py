"""One grammar inside another: its rules under other names.

A part of a grammar that is written in another way (a JSON Schema in a Lark grammar, the arguments of a tool
in free text) is compiled on its own, and its rules are copied under a prefix of their own. Both are of
discipline ``any``; terminals become the patterns that they are, since under ``any`` a terminal is nothing
else.
"""

from __future__ import annotations

from dataclasses import replace

from ..ir import Alt, Budget, Capture, Distinct, Expr, GrammarIR, Members, Pat, Ref, Rep, Seq, Special, Term


class Embedding:
    """Rules and special tokens of a grammar that others are copied into."""

    def __init__(self) -> None:
        self.rules: dict[str, Expr] = {}
        self.specials: dict[Special, None] = {}
        self.captures: list[Capture] = []
        self.distinct: list[Distinct] = []
        self.budgets: list[Budget] = []
        self._copies: dict[str, int] = {}

    def add(self, ir: GrammarIR, name: str) -> Ref:
        """Copy a grammar of discipline ``any``, under ``name`` and a colon; the call of its start rule."""
        assert ir.lexing == "any"
        n = self._copies[name] = self._copies.get(name, 0) + 1
        prefix = f"{name}:" if n == 1 else f"{name} {n}:"
        done: dict[int, Expr] = {}
        for name, body in ir.rules.items():
            self.rules[prefix + name] = _renamed(body, prefix, ir, done)
        self.specials.update(dict.fromkeys(ir.specials))
        self.captures.extend(replace(capture, rule=prefix + capture.rule) for capture in ir.captures)
        self.distinct.extend(
            replace(one, array=prefix + one.array, items=tuple(prefix + item for item in one.items))
            for one in ir.distinct
        )
        self.budgets.extend(replace(one, rule=prefix + one.rule) for one in ir.budgets)
        return Ref(prefix + ir.start)


def _below(e: Expr) -> tuple[Expr, ...]:
    if isinstance(e, Seq | Alt):
        return e.items
    if isinstance(e, Rep):
        return (e.item,) if e.sep is None else (e.item, e.sep)
    if isinstance(e, Members):
        return (e.sep, *(member.tail for member in e.members), *(rest.tail for rest in e.rest))
    return ()


def _renamed(body: Expr, prefix: str, ir: GrammarIR, done: dict[int, Expr]) -> Expr:
    """``body`` with other names; ``done``: expressions by `id`, so that what is shared stays shared."""
    todo: list[tuple[Expr, bool]] = [(body, False)]
    while todo:
        e, ready = todo.pop()
        if id(e) in done:
            continue
        below = _below(e)
        if ready or not below:
            done[id(e)] = _rebuilt(e, [done[id(item)] for item in below], prefix, ir)
        else:
            todo.append((e, True))
            todo.extend((item, False) for item in below)
    return done[id(body)]


def _rebuilt(e: Expr, below: list[Expr], prefix: str, ir: GrammarIR) -> Expr:
    if isinstance(e, Ref):
        return Ref(prefix + e.rule)
    if isinstance(e, Term):
        return Pat(ir.terminals[e.name].dfa, e.name)
    if all(new is old for new, old in zip(below, _below(e), strict=True)):
        return e
    if isinstance(e, Seq | Alt):
        return type(e)(tuple(below))
    if isinstance(e, Rep):
        return replace(e, item=below[0], sep=below[1] if len(below) > 1 else None)
    assert isinstance(e, Members)
    tails = iter(below[1:])
    members = tuple(replace(member, tail=next(tails)) for member in e.members)
    rest = tuple(replace(others, tail=next(tails)) for others in e.rest)
    return replace(e, sep=below[0], members=members, rest=rest)
