"""A recogniser over the grammar IR, as plain as the IR's own words: where can a reading that begins here end?

It shares nothing with the engine. Ends are sets of positions, memoised by expression and position, so that
several readings cost no more than one; recursion is Python's, which is enough for documents of tests.
"""

from __future__ import annotations

import json
import sys
from itertools import combinations
from typing import Any

from structgen.ir import Alt, Bounded, Expr, GrammarIR, Lit, Members, Pat, Ref, Rep, Seq

_TABLES: dict[int, tuple[Any, list[int], list[list[int]], list[bool]]] = {}


def accepts(ir: GrammarIR, text: str | bytes) -> bool:
    """The whole text belongs to the grammar's language."""
    data = text.encode() if isinstance(text, str) else text
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        return len(data) in _Recogniser(ir, data).ends(Ref(ir.start), 0)
    finally:
        sys.setrecursionlimit(limit)


def items_differ(array: bytes) -> bool:
    """No two items of a JSON array are equal as the standard has it: 1 and 1.0 are, 1 and true are not."""
    items = [comparable(item) for item in json.loads(array)]
    return all(a != b for a, b in combinations(items, 2))


def comparable(value: Any) -> Any:
    """What Python's ``==`` compares as JSON values."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return ("bool", value) if isinstance(value, bool) else value


def _dfa_ends(
    dfa: Any, data: bytes, at: int, counted: tuple[int, ...] = (), least: int = 0, most: int | None = None
) -> frozenset[int]:
    if id(dfa) not in _TABLES:
        _TABLES[id(dfa)] = (dfa, dfa.classes.tolist(), dfa.trans.tolist(), dfa.final.tolist())
    _, classes, trans, final = _TABLES[id(dfa)]
    state, found, count = dfa.start, [], 0
    if final[state]:
        found.append(at)
    for i in range(at, len(data)):
        count += state in counted
        state = trans[state][classes[data[i]]]
        if not state or (most is not None and count > most):
            break
        if final[state] and count >= least:
            found.append(i + 1)
    return frozenset(found)


class _Recogniser:
    def __init__(self, ir: GrammarIR, data: bytes) -> None:
        self.ir, self.data = ir, data
        self.memo: dict[tuple[int, int], frozenset[int]] = {}
        self.kept: list[Expr] = []
        self.repeats = {one.array: one.repeats for one in ir.distinct}

    def ends(self, expr: Expr, at: int) -> frozenset[int]:
        if isinstance(expr, Lit):
            fits = self.data.startswith(expr.data, at)
            return frozenset((at + len(expr.data),)) if fits else frozenset()
        if isinstance(expr, Ref):
            found = self.ends(self.ir.rules[expr.rule], at)
            if expr.rule in self.repeats:
                repeats = self.repeats[expr.rule]
                found = frozenset(end for end in found if items_differ(self.data[at:end]) != repeats)
            return found
        key = (id(expr), at)
        if key not in self.memo:
            self.kept.append(expr)
            self.memo[key] = self._ends(expr, at)
        return self.memo[key]

    def _ends(self, expr: Expr, at: int) -> frozenset[int]:
        if isinstance(expr, Pat):
            return _dfa_ends(expr.dfa, self.data, at)
        if isinstance(expr, Bounded):
            return _dfa_ends(expr.dfa, self.data, at, expr.counted, expr.least, expr.most)
        if isinstance(expr, Seq):
            here = frozenset((at,))
            for item in expr.items:
                here = frozenset(end for start in here for end in self.ends(item, start))
            return here
        if isinstance(expr, Alt):
            return frozenset(end for item in expr.items for end in self.ends(item, at))
        if isinstance(expr, Rep):
            return self._repeated(expr, at)
        assert isinstance(expr, Members), expr
        return self._members(expr, at)

    def _repeated(self, expr: Rep, at: int) -> frozenset[int]:
        found = {at} if expr.min == 0 else set()
        count, here = 0, {at}
        while here and (expr.max is None or count < expr.max):
            if count and expr.sep is not None:
                here = {end for start in here for end in self.ends(expr.sep, start)}
            here = {end for start in here for end in self.ends(expr.item, start)}
            count += 1
            if count >= expr.min:
                if expr.max is None and here <= found:
                    break
                found |= here
        return frozenset(found)

    def _members(self, expr: Members, at: int) -> frozenset[int]:
        required = frozenset(i for i, member in enumerate(expr.members) if member.required)
        found: set[int] = set()
        wanted = {rest.mark for rest in expr.rest} - {None}
        states: set[tuple[int, frozenset[int], int, frozenset[int]]] = {(at, frozenset(), 0, frozenset())}
        while states:
            following = set()
            for here, seen, count, marks in states:
                come = {expr.members[i].key for i in seen}
                needed = {key for i in seen for key in expr.members[i].needs}
                if required <= seen and needed <= come and wanted <= marks and count >= expr.min_count:
                    found.add(here)
                if expr.max_count is not None and count >= expr.max_count:
                    continue
                starts = self.ends(expr.sep, here) if count else frozenset((here,))
                for start in starts:
                    for i, mark, end in self._member(expr, start, seen, rest_seen=count > len(seen)):
                        now = seen if i is None else seen | {i}
                        left = marks if mark is None else marks | {mark}
                        following.add((end, now, count + 1, left))
            states = following
        return frozenset(found)

    def _member(self, expr: Members, at: int, seen: frozenset[int], rest_seen: bool) -> Any:
        named = {member.key for member in expr.members}
        for i, member in enumerate(expr.members):
            if i in seen or not self.data.startswith(member.key, at):
                continue
            if expr.ordered and (rest_seen or any(j > i for j in seen)):
                continue
            for end in self.ends(member.tail, at + len(member.key)):
                yield i, None, end
        for rest in expr.rest:
            for key_end in _dfa_ends(rest.key, self.data, at):
                if self.data[at:key_end] not in named:
                    for end in self.ends(rest.tail, key_end):
                        yield None, rest.mark, end
