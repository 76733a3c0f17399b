"""Which rules call which, and the cycles of these calls.

Every cycle has a call of a rule that was still being read (`analysis`), so the rules that are looked at are
those that such a call can lead to: in most grammars few, in many none.
"""

from __future__ import annotations

from collections import Counter

from ..ir import Ref
from .analysis import Analysis

MOST_ON_CYCLES = 512


def rules_on_cycles(facts: Analysis) -> frozenset[str]:
    """The rules that can call themselves, through others or not."""
    if not facts.called_early:
        return frozenset()
    return frozenset(name for cycle in cycles(calls_below(facts, *facts.called_early)) for name in cycle)


def calls_below(facts: Analysis, *names: str) -> dict[str, list[str]]:
    """What each of these rules calls, and each rule below them; promises apart."""
    below: dict[str, list[str]] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in below:
            below[name] = callees(facts, facts.rule[name])
            todo.extend(below[name])
    return below


def callees(facts: Analysis, root: int) -> list[str]:
    """Rules that the expression refers to, in order."""
    names: dict[str, None] = {}
    for k in expressions_below(facts, root):
        e = facts.exprs[k]
        if isinstance(e, Ref) and e.rule not in facts.promised:
            names[e.rule] = None
    return list(names)


def expressions_below(facts: Analysis, root: int) -> list[int]:
    """The expression and those below it, calls apart, in ascending order."""
    seen = {root}
    todo = [root]
    while todo:
        for k in facts.children[todo.pop()]:
            if k not in seen:
                seen.add(k)
                todo.append(k)
    return sorted(seen)


def without_cycles(below: dict[str, list[str]]) -> frozenset[str]:
    """Some rules without which the calls ``below`` have no cycle.

    In each component the one that is called most and calls most, and so on in what is left; to find few is
    hard (it is Karp's feedback vertex set). Of a component of more than `MOST_ON_CYCLES` rules, all.
    """
    kept: set[str] = set()
    todo = [below]
    while todo:
        calls = todo.pop()
        for names in cycles(calls):
            if len(names) > MOST_ON_CYCLES:
                kept.update(names)
                continue
            members = set(names)
            inside = {name: [c for c in calls[name] if c in members] for name in names}
            callers = Counter(c for callees in inside.values() for c in callees)
            most = max(names, key=lambda name: (callers[name] * len(inside[name]), name))
            kept.add(most)
            todo.append(
                {name: [c for c in callees if c != most] for name, callees in inside.items() if name != most}
            )
    return frozenset(kept)


def cycles(below: dict[str, list[str]]) -> list[list[str]]:
    """Strongly connected components that hold a cycle (Tarjan, iterative), callees first."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[list[str]] = []
    for root in below:
        if root in index:
            continue
        work: list[tuple[str, int]] = [(root, 0)]
        while work:
            v, i = work.pop()
            if v not in index:
                index[v] = low[v] = len(index)
                stack.append(v)
                on_stack.add(v)
            children = below[v]
            while i < len(children) and children[i] in index:
                if children[i] in on_stack:
                    low[v] = min(low[v], index[children[i]])
                i += 1
            if i < len(children):
                work.append((v, i))
                work.append((children[i], 0))
                continue
            if low[v] == index[v]:
                component = [stack.pop()]
                while component[-1] != v:
                    component.append(stack.pop())
                on_stack.difference_update(component)
                if len(component) > 1 or v in children:
                    found.append(component)
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[v])
    return found
