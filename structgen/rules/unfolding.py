"""Rules that are written into their callers as automata.

A grammar of a programming language spells precedence as a chain of rules, and every operand is read ten
calls deep. Nobody asks for a tree, so a frame for each of them is work for nothing: a rule is *unfolded* into
its callers, its automaton in the place of the call, bottom up and made minimal each time. What stays a rule
is what recursion needs: a few rules without which no cycle of calls is left (and those that begin with
themselves, whose automata are made by `recursion`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from ..errors import LimitExceededError
from .analysis import Analysis
from .automaton import DState, Graph, determinise, minimised, without_empty
from .calls import callees, calls_below, without_cycles

MOST_UNFOLDED = 64  # states of an automaton that is copied
MOST_MADE = 1 << 14  # states, before they are minimal, of all automata of a grammar; then no more are made
MOST_WRITTEN = 1 << 12  # states of a graph that more is written into


class Unfolded:
    """The automata of the rules of one grammar that are unfolded, made when they are asked for."""

    def __init__(
        self,
        facts: Analysis,
        graph_of: Callable[[str], Graph],
        small: Container[str],
        cyclic: Iterable[str],
        left_recursive: Iterable[str],
        max_states: int,
    ) -> None:
        self._facts = facts
        self._graph_of = graph_of
        self._small = small
        self._kept: frozenset[str] = without_cycles(calls_below(facts, *cyclic)) | frozenset(left_recursive)
        self._max_states = max_states
        self._states = 0
        self._made: dict[str, list[DState] | None] = {}

    def get(self, name: str) -> list[DState] | None:
        """The automaton of a rule, without the empty text; None: it is called."""
        todo = [name]
        waiting: set[str] = set()
        while todo:
            rule = todo[-1]
            if rule in self._made:
                todo.pop()
                continue
            missing = self._missing(rule)
            if missing is None or (missing and rule in waiting):  # it needs itself
                self._made[rule] = None
            elif missing:
                waiting.add(rule)
                todo.extend(missing)
            else:
                self._made[rule] = self._make(rule)
        return self._made[name]

    def _missing(self, name: str) -> list[str] | None:
        """The rules that must be known before ``name``; None when it cannot be unfolded."""
        facts = self._facts
        if name in facts.promised or name in self._kept or self._states > MOST_MADE:
            return None
        below: dict[str, None] = {}
        todo = [name]
        seen = {name}
        while todo:
            for callee in callees(facts, facts.rule[todo.pop()]):
                if callee not in self._small:
                    if callee not in self._made:
                        below[callee] = None
                elif callee not in seen:
                    seen.add(callee)
                    todo.append(callee)
        return list(below)

    def _make(self, name: str) -> list[DState] | None:
        try:
            states = determinise(self._graph_of(name), 0, self._max_states)
        except LimitExceededError as error:
            if error.limit != "max_rule_states":
                raise
            return None
        self._states += len(states)
        states = minimised(without_empty(states))
        return states if len(states) <= MOST_UNFOLDED else None
