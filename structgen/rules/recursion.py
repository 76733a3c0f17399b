"""Small rules, which are written into their callers, and how a rule that begins with itself comes not to."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import GrammarError
from ..ir import Alt, Bounded, Lit, Members, Pat, Ref, Rep, Seq
from .analysis import Analysis
from .automaton import DState, Graph, as_graph, determinise, splice, without_empty
from .calls import cycles, expressions_below
from .graphs import Graphs
from .repetition import Repetitions

INLINE = 12  # a rule of at most this many expressions is written into its callers
MOST_WRITTEN_OUT = 64  # bound of a repetition whose item begins with the rule that holds it


class SmallRules:
    """The rules to write into their callers: small, on no cycle, no promises. Found out when asked."""

    def __init__(
        self,
        facts: Analysis,
        cyclic: frozenset[str],
        repetitions: Repetitions,
        common: SmallRules | None = None,
    ) -> None:
        self._facts = facts
        self._repetitions = repetitions
        # Expressions of a rule, small ones written into it.
        self._size: dict[str, int] = {} if common is None else common._size.copy()
        self.leave_out(cyclic)

    def leave_out(self, names: Iterable[str]) -> None:
        """Take rules for large, whatever their size."""
        self._size.update(dict.fromkeys(names, INLINE + 1))

    def __contains__(self, name: object) -> bool:
        """Whether a rule is small. Its callees are asked first, without recursion."""
        if name in self._facts.promised:
            return False
        todo = [str(name)]
        while todo:
            missing = self._measure(todo[-1]) if todo[-1] not in self._size else None
            if missing is None:
                todo.pop()
            else:
                todo.append(missing)
        return self._size[str(name)] <= INLINE

    def _measure(self, name: str) -> str | None:
        """Note the size of a rule, or answer with a callee whose size must be known before."""
        facts = self._facts
        total = 0
        todo = [facts.rule[name]]
        while todo and total <= INLINE:
            k = todo.pop()
            e = facts.exprs[k]
            total += 1
            if isinstance(e, Ref):
                size = INLINE + 1 if e.rule in facts.promised else self._size.get(e.rule)
                if size is None:
                    return e.rule
                if size <= INLINE:
                    total += size
            elif isinstance(e, Lit):
                total += len(e.data) // 4
            elif isinstance(e, Members) or (isinstance(e, Rep) and self._repetitions.is_counted(e)):
                total += INLINE
            elif isinstance(e, Pat | Bounded):
                total += 2
            todo.extend(facts.children[k])
        self._size[name] = total
        return None


def break_left_recursion(graphs: Graphs, cyclic: frozenset[str], max_states: int) -> frozenset[str]:
    """Give the rules that begin with themselves graphs that do not (Paull's algorithm on automata).

    Answers which rules these are.
    """
    if not cyclic:
        return frozenset()
    facts = graphs.facts
    left = {name: _left_calls(facts, facts.rule[name]) for name in sorted(cyclic)}
    found = cycles({name: [c for c in calls if c in cyclic] for name, calls in left.items()})
    groups = [sorted(names) for names in found]
    for names in groups:
        _write_out_counts(graphs, names)
    for names in groups:
        _unwind(graphs, names, max_states)
    return frozenset(name for names in groups for name in names)


def _left_calls(facts: Analysis, root: int) -> list[str]:
    """Rules with which the expression may begin, by reference."""
    names: dict[str, None] = {}
    seen: set[int] = set()
    todo = [root]
    while todo:
        k = todo.pop()
        if k in seen or not facts.productive[k]:
            continue
        seen.add(k)
        e = facts.exprs[k]
        kids = facts.children[k]
        if isinstance(e, Ref):
            names[e.rule] = None
        elif isinstance(e, Seq):
            for c in kids:
                todo.append(c)
                if not facts.nullable[c]:
                    break
        elif isinstance(e, Alt):
            todo.extend(kids)
        elif isinstance(e, Rep):
            todo.append(kids[0])
            if len(kids) == 2 and facts.nullable[kids[0]]:
                todo.append(kids[1])
    return list(names)


def _unwind(graphs: Graphs, names: list[str], max_states: int) -> None:
    """Rules of one left-recursive cycle, in order: substitute the earlier ones, then loop on oneself."""
    facts = graphs.facts
    done: dict[str, list[DState]] = {}
    for name in names:
        body = graphs.of(facts.exprs[facts.rule[name]], name)
        states = without_empty(determinise(body, 0, max_states))
        for earlier in [*done, name]:
            other = graphs.rule_unit(earlier)
            targets = [to for callee, to, _ in states[0].calls if callee == other]
            if not targets:
                continue
            g = Graph()
            for _ in states:
                g.state()
            for i, s in enumerate(states):
                g.edges[i].extend(s.edges)
                g.calls[i].extend(c for c in s.calls if i or c[0] != other)
                if s.final >= 0:
                    g.final[i] = 0
            if earlier == name:
                # A: A x | y  is  y x*: wherever A ends, it may go on as if it had just been read.
                for f in list(g.final):
                    g.eps[f].extend(t for t in targets if t != f)
            else:
                for t in targets:
                    splice(g, done[earlier], 0, t, 0)
            states = without_empty(determinise(g, 0, max_states))
        done[name] = states
        graphs.units.all[graphs.rule_unit(name)].graph = as_graph(states)


def _write_out_counts(graphs: Graphs, names: list[str]) -> None:
    """Repetitions that begin with a rule of the cycle have no count: the cycle must be seen as edges."""
    facts = graphs.facts
    for name in names:
        for k in expressions_below(facts, facts.rule[name]):
            e = facts.exprs[k]
            if not isinstance(e, Rep) or not graphs.repetitions.is_counted(e):
                continue
            if set(_left_calls(facts, k)).isdisjoint(names):
                continue
            bound = e.max or e.min
            if bound > MOST_WRITTEN_OUT:
                raise GrammarError(
                    f"rule {name!r} begins with itself inside a repetition of up to {bound}; "
                    f"left recursion is supported inside repetitions of up to {MOST_WRITTEN_OUT}"
                )
            graphs.repetitions.written_out.add(id(e))
