"""Texts of a grammar with marks around counted rules, one step at a time.

What is asked of such a grammar is which marks a text can pass before its next byte: which open uses of rules
it ends, and which it begins. A use that is begun and ended without a byte between is none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Mapping, Sequence
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
MOST_ENDINGS = 32  # symbols that are tried before a search
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


class CountedText(ABC):
    """Steps of readings, of either discipline. A state is a number; what it is the subclasses know."""

    def __init__(
        self, arena: Arena, budgets: Sequence[Budget], terminals: Mapping[int, int] | None = None
    ) -> None:
        self._arena = arena
        self._budgets = budgets
        self._tokens = [budget.tokens for budget in budgets]
        self._most = max(self._tokens, default=0)
        self.specials = list(arena.symbol_of_token)
        self.distances = LeastBytes(arena, lambda mark: mark % 2 == 1, terminals or {})
        self._endings: dict[int, None] = {}  # symbols that led to an end
        self._least: dict[tuple[int, Left], int] = {}

    @abstractmethod
    def paths(self, state: int) -> list[Path]:
        """The marks that can be passed at the start of a text, the empty way included."""

    @abstractmethod
    def moves(self, state: int, symbol: int) -> list[Path]:
        """The marks that can be passed at a state, and then a byte or special token."""

    @abstractmethod
    def symbols(self) -> Iterable[int]:
        """Bytes and special tokens; of bytes that nothing tells apart one."""

    @abstractmethod
    def moves_on(self, state: int) -> list[Path]:
        """The same with whatever symbol can come."""

    @abstractmethod
    def is_ended_at(self, state: int, uses: int) -> bool:
        """So many open uses of rules can be ended without another byte in them."""

    @abstractmethod
    def may_end(self, state: int, uses: int) -> bool:
        """The text may end at a state where ``uses`` counted rules are open."""

    def can_go_on(self, state: int) -> bool:
        """A text can be finished from a state in which no use is open; always in discipline ``any``."""
        return True

    @abstractmethod
    def bound(self, state: int) -> int:
        """Bytes at least to the end of the innermost open use."""

    @abstractmethod
    def may_pass_mark(self, state: int) -> bool:
        """Some text after a state passes a mark."""

    @abstractmethod
    def rules_at(self, state: int) -> list[str]:
        """Names of the rules that are being read, for messages."""

    def terminals_at(self, state: int) -> list[str]:
        """Terminals being read, or that may begin; none in discipline ``any``."""
        return []

    def can_be_ended(self, state: int, left: Left) -> bool:
        """The open uses can be ended with the tokens that they have left, each byte being a token."""
        return self._least_bytes(state, left[1:]) <= left[0] if left else self.can_go_on(state)

    def _least_bytes(self, state: int, inner: Left) -> int:
        """Bytes at least to the end of the outermost open use; ``inner``: what those inside it have left."""
        known = self._least.get((state, inner))
        if known is None:
            known = None if inner else self._straight(state)
            known = self._search(state, inner) if known is None else known
            self._least[state, inner] = known
        return known

    def _straight(self, state: int) -> int | None:
        """The least number, where symbols that ended a rule before end it as fast as the bound says."""
        least = left = self.bound(state)
        way = [state]
        while left < NEVER:
            known = self._least.get((way[-1], ()))
            if known == left or (not left and self.is_ended_at(way[-1], 1)):
                self._least.update({(at, ()): least - n for n, at in enumerate(way)})
                return least
            left -= 1
            to = next(
                (
                    path.to
                    for symbol in self._endings
                    for path in self.moves(way[-1], symbol)
                    if not path.ends and not path.begins and self.bound(path.to) == left
                ),
                None,
            )
            if left < 0 or to is None:
                return None
            way.append(to)
        return None

    def _search(self, state: int, inner: Left) -> int:
        """A search that goes where least is left to do (A*): what `LeastBytes` tells is a lower bound."""
        bound, known = self.bound, self._least
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
            if place in known or self.is_ended_at(state, 1 + len(inner)):
                # What is known of the end is known of all places on the way to it.
                while place != first:
                    known[place] = least - best[place]
                    before = came_from[place]
                    self._note_ending(before[0], place[0])
                    place = before
                return least
            if len(best) > MOST_SEARCHED:
                self._arena.unproved += 1
                return least
            for ends, begins, to in self.moves_on(state):
                after = one_less((*inner[: len(inner) - ends], *(self._tokens[rule] for rule in begins)))
                if after is None:
                    continue
                new = (to, after)
                if so_far + 1 < best.get(new, NEVER):
                    best[new] = so_far + 1
                    came_from[new] = place
                    rest = known[new] if new in known else bound(to)
                    heappush(todo, (so_far + 1 + rest, -so_far - 1, next(order), new))
        return NEVER

    def _note_ending(self, state: int, to: int) -> None:
        """Remember a symbol that leads from one state to another on the shortest way to an end."""
        for symbol in self.symbols():
            if any(path.to == to for path in self.moves(state, symbol)):
                self._endings.pop(symbol, None)
                self._endings[symbol] = None
                if len(self._endings) > MOST_ENDINGS:
                    del self._endings[next(iter(self._endings))]
                return

    def check(self, starts: dict[int, int], may_be_empty: Container[int] = ()) -> None:
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
            if number in may_be_empty:
                continue
            tokens = self._tokens[number]
            least = min(
                self._least_bytes(path.to, tuple([self._tokens[rule] for rule in path.begins[1:]]))
                for path in paths
            )
            if least > tokens:
                least = max(tokens + 1, min(self.bound(path.to) for path in paths))
                raise self._error(
                    number,
                    f"needs {least} bytes at least, and each may be a token; give it a larger max_tokens",
                )

    def _error(self, number: int, what: str) -> GrammarError:
        budget = self._budgets[number]
        place = f"{budget.place}: " if budget.place else ""
        return GrammarError(f"{place}rule {budget.rule} has max_tokens={budget.tokens} and {what}")


class MarkedText(CountedText):
    """Of discipline ``any``: a state is one of the arena of the marked copy."""

    def __init__(self, arena: Arena, budgets: Sequence[Budget]) -> None:
        super().__init__(arena, budgets)
        self._paths: dict[int, list[Path]] = {}
        self._live: dict[int, dict[int, None]] = {}
        self._stepped: dict[tuple[int, int], int] = {}
        self._moves_on: dict[int, list[Path]] = {}

    def paths(self, state: int) -> list[Path]:
        """The marks that can be passed at a state, the empty way included."""
        known = self._paths.get(state)
        if known is None:
            known = self._paths[state] = paths_from(self._arena, state)
        return known

    def moves(self, state: int, symbol: int) -> list[Path]:
        """The marks that can be passed at a state, and then a byte or special token."""
        return [
            Path(ends, begins, self._step(at, symbol))
            for ends, begins, at in self.paths(state)
            if symbol in self._symbols(at)
        ]

    def symbols(self) -> Iterable[int]:
        """Bytes and special tokens."""
        return range(SPECIAL + len(self.specials))

    def moves_on(self, state: int) -> list[Path]:
        """The same with whatever symbol can come."""
        known = self._moves_on.get(state)
        if known is None:
            found = {
                Path(ends, begins, self._step(at, symbol)): None
                for ends, begins, at in self.paths(state)
                for symbol in self._symbols(at)
            }
            known = self._moves_on[state] = list(found)
        return known

    def _symbols(self, state: int) -> dict[int, None]:
        """The symbols that can come at a state without a mark before them."""
        known = self._live.get(state)
        if known is None:
            symbols = np.flatnonzero(Arena.live_bytes(self._arena, state)).tolist()
            if self.specials:
                tokens = set(Arena.live_specials(self._arena, state))
                symbols += [SPECIAL + i for i, token in enumerate(self.specials) if token in tokens]
            known = self._live[state] = dict.fromkeys(symbols)
        return known

    def _step(self, state: int, symbol: int) -> int:
        """The state after a byte or special token that can come."""
        to = self._stepped.get((state, symbol))
        if to is None:
            if symbol < SPECIAL:
                to = Arena.accept_bytes(self._arena, state, bytes((symbol,)))
            else:
                to = Arena.accept_token(self._arena, state, self.specials[symbol - SPECIAL])
            self._stepped[state, symbol] = to
        return to

    def is_ended_at(self, state: int, uses: int) -> bool:
        """So many open uses of rules can be ended without another byte in them."""
        return any(path.ends >= uses for path in self.paths(state))

    def may_end(self, state: int, uses: int) -> bool:
        """The text may end at a state where ``uses`` counted rules are open."""
        return any(
            path.ends == uses and not path.begins and Arena.is_accepting(self._arena, path.to)
            for path in self.paths(state)
        )

    def bound(self, state: int) -> int:
        """Bytes at least to the end of the innermost open use."""
        return self.distances.to_end_mark(state)

    def may_pass_mark(self, state: int) -> bool:
        """Some text after a state passes a mark."""
        return self.distances.may_pass_mark(state)

    def rules_at(self, state: int) -> list[str]:
        """Names of the rules that are being read, for messages."""
        return Arena.rules_at(self._arena, state)


def paths_from(arena: Arena, state: int) -> list[Path]:
    """The marks that can be passed at a state of an arena, the empty way included."""
    found = {Path(0, (), state): None}
    for ends, begins, at in (todo := list(found)):
        for mark in range(len(arena.marks)):
            to = Arena.accept_mark(arena, at, mark)
            if to < 0:
                continue
            rule, is_end = divmod(mark, 2)
            if not is_end:
                if rule in begins:
                    raise BeginsItselfError
                path = Path(ends, (*begins, rule), to)
            elif begins:
                continue  # what writes nothing passes no marks, see `budgets.with_marks`
            else:
                path = Path(ends + 1, (), to)
            if path not in found:
                found[path] = None
                todo.append(path)
    return list(found)
