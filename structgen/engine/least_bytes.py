"""How many bytes a rule still needs: a lower bound, and where it can be told an upper one.

Both are read off the rule automata in the heap, with counts and key sets left out of account (the guards of
a parameter): what guards forbid can only make a way longer, so the least number without them is a lower
bound, with which a search for the real one goes straight to its end. Where a rule has no guards and does not
call itself but in last place, the most that any state in it needs is a number, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from . import layout as L
from .arena import Arena

NEVER = 1 << 30
MOST_ROUNDS = 64


class _Way(NamedTuple):
    """One way on from a rule state: ``cost`` bytes, then the states in order, each up to its rule's end."""

    cost: int
    called: int  # 0: the way stays in the rule
    then: int  # 0: a call in last place
    mark: int  # the mark that is passed, or -1


class LeastBytes:
    """What is known of the rule states in the heap of an arena with marks.

    In discipline ``longest`` `most` says nothing.
    is_end : whether a mark ends a part
    terminals : the bytes of the shortest text of each terminal, by its number
    """

    def __init__(self, arena: Arena, is_end: Callable[[int], bool], terminals: Mapping[int, int]) -> None:
        self._arena = arena
        self._is_end = is_end
        self._terminals = terminals
        self._bytes = 256 if int(arena.heap.g[L.H_MODE]) == 0 else 0  # symbols that are bytes
        self._mark_of = {symbol: number for number, symbol in enumerate(arena.marks)}
        self._ways: dict[int, list[_Way]] = {}
        self._final: dict[int, bool] = {}
        self._guarded: dict[int, bool] = {}
        self._to_end: dict[int, int] = {}  # bytes to the end of the rule
        self._to_mark: dict[int, int] = {}  # bytes to a mark of this rule that ends a part
        self._marked: dict[int, bool] = {}  # a mark lies on some way to the end of the rule
        self._stacks: dict[int, int] = {}
        self._marked_stacks: dict[int, bool] = {}
        self._known: dict[int, int] = {}

    def to_end_mark(self, state: int) -> int:
        """Bytes at least from a matcher's state to the mark that ends the innermost part that is open."""
        known = self._known.get(state)
        if known is None:
            heads = self._parser_heads(state)
            known = min((self._of_head(s, below) for s, _, below in heads), default=NEVER)
            self._known[state] = known
        return known

    def may_pass_mark(self, state: int) -> bool:
        """Some text after a matcher's state passes a mark."""
        return any(self._marked_head(s, below) for s, _, below in self._parser_heads(state))

    def most(self, init: int) -> int | None:
        """Bytes at most that any place in a rule needs to the rule's end; None where it cannot be told."""
        init = self._resolved(init)
        self._explore([init])
        reached = self._reached(init)
        if any(self._guarded[s] for s in reached):
            return None
        most = dict.fromkeys(reached, 0)
        for _ in range(MOST_ROUNDS):
            changed = False
            for s in reversed(reached):
                found = max(most[s], self._to_end[s])
                for way in self._ways[s]:
                    begins = way.mark >= 0 and not self._is_end(way.mark)
                    if way.called == init or (begins and s != init):
                        return None
                    if way.called:
                        below = self._to_end[way.then] if way.then else 0
                        found = max(found, most[way.called] + below)
                    if way.then:
                        found = max(found, most[way.then])
                if found > most[s]:
                    most[s], changed = found, True
            if not changed:
                return most[init]
        return None

    # ----------------------------------------------------------------------------------------- heads, stacks

    def _parser_heads(self, state: int) -> list[tuple[int, int, int]]:
        """Those of a matcher's state; in discipline ``longest`` of its parser, at the start of a lexeme."""
        g = self._arena.heap.g
        if int(g[L.H_MODE]) == 0:
            return self._heads(state)
        parser = int(g[state + L.R_KEY + 1])
        words = g[parser + L.R_KEY + 1 : parser + L.R_KEY + (int(g[parser]) >> 8)].reshape(-1, 3).tolist()
        return [(s, parameter, below) for s, parameter, below in words]

    def _heads(self, state: int) -> list[tuple[int, int, int]]:
        g = self._arena.heap.g
        n = int(g[state]) >> 8
        words = g[state + L.R_KEY : state + L.R_KEY + n].reshape(-1, 3).tolist()
        return [(s, parameter, below) for s, parameter, below in words]

    def _of_head(self, s: int, below: int) -> int:
        s = self._resolved(s)
        self._explore([s])
        return min(self._to_mark[s], self._to_end[s] + self._of_stack(below))

    def _marked_head(self, s: int, below: int) -> bool:
        s = self._resolved(s)
        self._explore([s])
        return self._marked[s] or self._marked_stack(below)

    def _of_stack(self, stack: int) -> int:
        todo = [stack]
        while todo:
            at = todo[-1]
            if at == 0 or at in self._stacks:
                todo.pop()
                continue
            frames = [frame for frame in self._heads(at) if frame[0]]
            missing = [below for _, _, below in frames if below and below not in self._stacks]
            if missing:
                todo += missing
                continue
            least = NEVER
            for s, _, below in frames:
                s = self._resolved(s)
                self._explore([s])
                behind = self._stacks[below] if below else NEVER
                least = min(least, self._to_mark[s], self._to_end[s] + behind)
            self._stacks[todo.pop()] = min(least, NEVER)
        return self._stacks[stack] if stack else NEVER

    def _marked_stack(self, stack: int) -> bool:
        seen: set[int] = set()
        todo = [stack]
        found = False
        while todo and not found:
            at = todo.pop()
            if at == 0 or at in seen:
                continue
            known = self._marked_stacks.get(at)
            if known is not None:
                found = known
                continue
            seen.add(at)
            for s, _, below in self._heads(at):
                if s:
                    s = self._resolved(s)
                    self._explore([s])
                    found = found or self._marked[s]
                    todo.append(below)
        if found:
            if stack:
                self._marked_stacks[stack] = True
        else:
            self._marked_stacks.update(dict.fromkeys(seen, False))
        return found

    # ------------------------------------------------------------------------------------------- rule states

    def _resolved(self, s: int) -> int:
        """The state behind a forward, whose rule is built if it was not."""
        arena = self._arena
        while int(arena.heap.g[s + L.S_FLAGS]) & L.FORWARD:
            to = int(arena.heap.g[s + L.S_ROW])
            if to == 0:
                arena.builder.build(s)
                to = int(arena.heap.g[s + L.S_ROW])
            s = to
        return s

    def _explore(self, todo: list[int]) -> None:
        """Find out about these states and all that they lead to."""
        todo = [s for s in todo if s not in self._ways]
        new: list[int] = []
        while todo:
            s = todo.pop()
            if s in self._ways:
                continue
            self._ways[s] = self._ways_from(s)
            new.append(s)
            todo += [to for way in self._ways[s] for to in (way.called, way.then) if to]
        end, mark, marked = self._to_end, self._to_mark, self._marked
        for s in new:
            end[s] = 0 if self._final[s] else NEVER
            mark[s] = NEVER
            marked[s] = False
        changed = True
        while changed:
            changed = False
            for s in reversed(new):
                to_end, to_mark, passes = end[s], mark[s], marked[s]
                for cost, called, then, number in self._ways[s]:
                    before = cost + (end[called] if called else 0)
                    to_end = min(to_end, before + (end[then] if then else 0))
                    passes = passes or number >= 0 or marked.get(called, False) or marked.get(then, False)
                    if number >= 0 and self._is_end(number):
                        to_mark = 0
                    elif then:
                        to_mark = min(to_mark, before + mark[then])
                if (to_end, to_mark, passes) != (end[s], mark[s], marked[s]):
                    end[s], mark[s], marked[s] = to_end, to_mark, passes
                    changed = True

    def _ways_from(self, s: int) -> list[_Way]:
        g = self._arena.heap.g
        words = g[s : s + L.STATE_WORDS].tolist()
        self._final[s] = bool(words[L.S_FLAGS] & L.FINAL)
        guarded = bool(words[L.S_FINAL_OP] or words[L.S_ROW_OP])
        ways: dict[_Way, None] = {}
        calls: list[tuple[int, int]] = []
        at = s + L.STATE_WORDS
        for span, to, op in g[at : at + L.EDGE_WORDS * words[L.S_EDGES]].reshape(-1, L.EDGE_WORDS).tolist():
            guarded = guarded or op != 0
            low, high = span & 0xFFFF, span >> 16
            if low < self._bytes:
                ways[_Way(1, 0, to, -1)] = None
            for symbol in range(max(low, self._bytes), high + 1):
                number = self._mark_of.get(symbol, -1)
                cost = 0 if number >= 0 else self._terminals.get(symbol, 1)
                ways[_Way(cost, 0, to, number)] = None
        at += L.EDGE_WORDS * words[L.S_EDGES]
        called = g[at : at + L.CALL_WORDS * words[L.S_CALLS]].reshape(-1, L.CALL_WORDS)
        for init, ret, _, op, *_ in called.tolist():
            guarded = guarded or op != 0
            calls.append((init, ret))
        row = words[L.S_ROW]
        if row:
            classes = g[words[L.S_CMAP] : words[L.S_CMAP] + 32].view("u1")
            for to in set(g[row : row + int(classes.max()) + 1].tolist()) - {0}:
                if words[L.S_PUSH]:
                    ways[_Way(1, to, words[L.S_PUSH], -1)] = None
                else:
                    ways[_Way(1, 0, to, -1)] = None
        for init, ret in calls:
            ways[_Way(0, init, ret, -1)] = None
        self._guarded[s] = guarded
        # A rule that is built here may move the heap, so nothing is read from it any more.
        return [
            _Way(
                way.cost,
                self._resolved(way.called) if way.called else 0,
                self._resolved(way.then) if way.then else 0,
                way.mark,
            )
            for way in ways
        ]

    def _reached(self, init: int) -> list[int]:
        found = {init: None}
        for s in (todo := [init]):
            for way in self._ways[s]:
                for to in (way.called, way.then):
                    if to and to not in found:
                        found[to] = None
                        todo.append(to)
        return list(found)
