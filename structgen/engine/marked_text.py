"""Texts of a grammar with marks around counted rules, one step at a time.

What is asked of such a grammar is which marks a text can pass before its next byte: which open uses of rules
it ends, and which it begins. A use that is begun and ended without a byte between is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

import numpy as np

from ..errors import GrammarError
from ..ir import Budget
from ..limits import check_time
from .arena import Arena
from .least_bytes import NEVER, LeastBytes

SPECIAL = 256  # symbols from here on are special tokens, by their place in `MarkedText.specials`
MOST_SEARCHED = 1 << 14  # places looked at before a search for the end of a rule takes its lower bound

Left = tuple[int, ...]
"""Of each use of a counted rule that is open, the outermost first, how many tokens it has left."""
FREE = 1 << 40  # of a use that a use around it bounds at least as much


class BeginsItselfError(Exception):
    """A use of a rule begins with another one of the same rule."""


class Path(NamedTuple):
    """Marks that are passed at one place: ``ends`` open uses end, those of ``begins`` begin."""

    ends: int
    begins: tuple[int, ...]
    to: int


def one_less(left: Left) -> Left | None:
    """What is left after a token; None when there was nothing left."""
    if 0 in left:
        return None
    return tuple([n if n == FREE else n - 1 for n in left])


def bounding(left: Left) -> Left:
    """The same, with `FREE` for a use that has no less left than one around it."""
    least = FREE
    found = []
    for n in left:
        found.append(n if n < least else FREE)
        least = min(least, n)
    return tuple(found)


class MarkedText:
    """Steps in the arena of a grammar whose ``budgets[i]`` stands between marks ``2 i`` and ``2 i + 1``."""

    def __init__(self, arena: Arena, budgets: Sequence[Budget]) -> None:
        self._arena = arena
        self._budgets = budgets
        self._tokens = [budget.tokens for budget in budgets]
        self._most = max(self._tokens)
        self.specials = list(arena.symbol_of_token)
        self.distances = LeastBytes(arena, is_end=lambda mark: mark % 2 == 1)
        self.unproved = 0
        self._paths: dict[int, list[Path]] = {}
        self._live: dict[int, list[int]] = {}
        self._stepped: dict[tuple[int, int], int] = {}
        self._next: dict[int, list[int]] = {}
        self._least: dict[tuple[int, Left], int] = {}

    def paths(self, state: int) -> list[Path]:
        """The marks that can be passed at a state, the empty way included."""
        known = self._paths.get(state)
        if known is None:
            found = {Path(0, (), state): None}
            for ends, begins, at in (todo := list(found)):
                for mark in range(len(self._arena.marks)):
                    to = Arena.accept_mark(self._arena, at, mark)
                    if to < 0:
                        continue
                    rule, is_end = divmod(mark, 2)
                    if not is_end:
                        if rule in begins:
                            raise BeginsItselfError
                        path = Path(ends, (*begins, rule), to)
                    elif begins:
                        path = Path(ends, begins[:-1], to)
                    else:
                        path = Path(ends + 1, (), to)
                    if path not in found:
                        found[path] = None
                        todo.append(path)
            known = self._paths[state] = list(found)
        return known

    def live(self, state: int) -> list[int]:
        """The symbols that can come at a state without a mark before them."""
        known = self._live.get(state)
        if known is None:
            known = np.flatnonzero(Arena.live_bytes(self._arena, state)).tolist()
            if self.specials:
                tokens = set(Arena.live_specials(self._arena, state))
                known += [SPECIAL + i for i, token in enumerate(self.specials) if token in tokens]
            self._live[state] = known
        return known

    def step(self, state: int, symbol: int) -> int:
        """The state after a byte or special token, or REFUSED."""
        to = self._stepped.get((state, symbol))
        if to is None:
            if symbol < SPECIAL:
                to = Arena.accept_bytes(self._arena, state, bytes((symbol,)))
            else:
                to = Arena.accept_token(self._arena, state, self.specials[symbol - SPECIAL])
            self._stepped[state, symbol] = to
        return to

    def may_end(self, state: int, uses: int) -> bool:
        """The text may end at a state where ``uses`` counted rules are open."""
        return any(
            path.ends == uses and not path.begins and Arena.is_accepting(self._arena, path.to)
            for path in self.paths(state)
        )

    def can_be_ended(self, state: int, left: Left) -> bool:
        """The open uses can be ended with the tokens that they have left, each byte being a token."""
        return not left or self._least_bytes(state, left[1:]) <= left[0]

    def _least_bytes(self, state: int, inner: Left) -> int:
        """Bytes at least to the end of the outermost open use; ``inner``: what those inside it have left."""
        known = self._least.get((state, inner))
        if known is None:
            known = self._least[state, inner] = self._search(state, inner)
        return known

    def _search(self, state: int, inner: Left) -> int:
        """A search that goes where least is left to do (A*): what `LeastBytes` tells is a lower bound."""
        bound, known = self.distances.to_end_mark, self._least
        order = count()
        first = (state, inner)
        best = {first: 0}
        came_from: dict[tuple[int, Left], tuple[int, Left]] = {}
        todo: list[tuple[int, int, int, tuple[int, Left]]] = [(bound(state), 0, next(order), first)]
        while todo:
            check_time("looking for the end of a rule with max_tokens")
            least, minus, _, place = heappop(todo)
            so_far = -minus
            if least > self._most:
                break
            if best[place] < so_far:
                continue
            state, inner = place
            if place in known or any(path.ends > len(inner) for path in self.paths(state)):
                # What is known of the end is known of all places on the way to it.
                while place != first:
                    known[place] = least - best[place]
                    place = came_from[place]
                return least
            if len(best) > MOST_SEARCHED:
                self.unproved += 1
                return least
            for ends, begins, at in self.paths(state):
                after = one_less((*inner[: len(inner) - ends], *(self._tokens[rule] for rule in begins)))
                if after is None:
                    continue
                for to in self._next_states(at):
                    new = (to, after)
                    if so_far + 1 < best.get(new, NEVER):
                        best[new] = so_far + 1
                        came_from[new] = place
                        rest = known[new] if new in known else bound(to)
                        heappush(todo, (so_far + 1 + rest, -so_far - 1, next(order), new))
        return NEVER

    def _next_states(self, state: int) -> list[int]:
        """The states after one symbol without a mark before it."""
        known = self._next.get(state)
        if known is None:
            known = self._next[state] = sorted({self.step(state, symbol) for symbol in self.live(state)})
        return known

    def check(self, starts: dict[int, int]) -> None:
        """Raise GrammarError for a rule that cannot be counted. ``starts``: states before its first mark."""
        begun: dict[int, list[Path]] = {}
        for number, start in starts.items():
            try:
                paths = self.paths(start)
            except BeginsItselfError:
                raise self._error(
                    number,
                    "begins with itself, and so has any number of uses at one place; write it as a "
                    "repetition:  x+ instead of  r x | x",
                ) from None
            begun[number] = [path for path in paths if path.begins[:1] == (number,)]
        for number, paths in begun.items():
            tokens = self._tokens[number]
            least = min(
                self._least_bytes(path.to, tuple([self._tokens[rule] for rule in path.begins[1:]]))
                for path in paths
            )
            if least > tokens:
                least = max(tokens + 1, min(self.distances.to_end_mark(path.to) for path in paths))
                raise self._error(
                    number,
                    f"needs {least} bytes at least, and each may be a token; give it a larger max_tokens",
                )

    def _error(self, number: int, what: str) -> GrammarError:
        budget = self._budgets[number]
        place = f"{budget.place}: " if budget.place else ""
        return GrammarError(f"{place}rule {budget.rule} has max_tokens={budget.tokens} and {what}")
