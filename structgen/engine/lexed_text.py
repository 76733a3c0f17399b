"""Readings of a grammar of discipline ``longest``, in which marks say where counted rules begin and end.

Which terminals a text is cut into depends on all that can come at a place, and marks would keep apart what
competes there. So the lexer is the plain copy's, one reading of its own at a time: *(lexer state, parser
state before the lexeme, watch)*, and what stands before the lexeme is read by the marked copy's parser
besides, terminal by terminal. Marks are passed where a lexeme begins: what it is to be is settled there, and
the marked parser has to take one of the terminals that are still open.

A byte of a lexeme counts where its terminal does; ignored text at a rule's edges counts outside where it can.
That what follows can be finished is the plain copy's to say, where both copies agree in what may come; and a
use that begins later is taken to need no more bytes than it does in a text of the rule alone. What comes
before may forbid that (`x: "b" B` cannot come after `B: /b+/`), and then a mask is too wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..ir import Budget
from ..limits import check_time
from . import kernels
from . import layout as L
from .arena import Arena
from .least_bytes import NEVER
from .marked_text import SPECIAL, CountedText, Path, paths_from
from .numbered import Numbered
from .token_groups import terminals_of

if TYPE_CHECKING:
    from ..automata import ByteDFA

MOST_EXPLORED = 400  # states looked at before a search for the end of a text answers yes

Core = tuple[int, int, int, int]
"""Lexer state; at the start of the lexeme the plain copy's state; watch; the marked copy's state there."""


class LexedText(CountedText):
    """A state is the number of a reading: a head of the plain copy, and a state of the marked copy."""

    def __init__(self, arena: Arena, plain: Arena, budgets: Sequence[Budget]) -> None:
        self._rests = [_to_the_end(terminal.dfa) for terminal, _, _ in plain.terminals]
        shortest = {
            t.name: rest[0] for (t, _, _), rest in zip(plain.terminals, self._rests, strict=True) if rest
        }
        numbers = arena.builder.facts.terminal_number
        super().__init__(
            arena, budgets, {n: shortest[name] for name, n in numbers.items() if name in shortest}
        )
        arena.heap.g[L.H_ASK] = 0  # its lexer is not used, and what it says of endings is not asked
        self._plain = plain
        ours, theirs = arena.builder.facts.terminal_number, plain.builder.facts.terminal_number
        self._marked_number = {number: ours[name] for name, number in theirs.items() if name in ours}
        self._ignored = {theirs[name] for name in plain.builder.facts.ir.ignore}
        self._alphabet = plain._byte_of_each_class()
        g = plain.heap.g
        self._class_of = g[int(g[L.H_LEX_CMAP]) : int(g[L.H_LEX_CMAP]) + 32].view("u1").tolist()
        self._cores: Numbered[Core] = Numbered()
        self._paths: dict[int, list[Path]] = {}
        self._splits: dict[int, list[tuple[int, int]]] = {}
        self._shifts: dict[tuple[int, int, int], int] = {}
        self._moves: dict[tuple[int, int], list[Path]] = {}
        self._moves_on: dict[int, list[Path]] = {}
        self._final: dict[int, set[int]] = {}
        self._goes_on: dict[int, bool] = {}
        self._bounds: dict[tuple[int, int], int] = {}
        self._opened: dict[int, dict[int, int]] = {}
        self._fits: dict[tuple[int, int], bool] = {}

    def begin(self, plain: int, marked: int) -> int:
        """The state at the beginning of a text; both copies' states there."""
        return self._cores.number((self._lexer(plain), plain, 0, marked))

    def paths(self, state: int) -> list[Path]:
        """The marks that can be passed at the start of a text, the empty way included."""
        q, plain, watch, marked = self._cores[state]
        return [
            Path(ends, begins, self._cores.number((q, plain, watch, to)))
            for ends, begins, to in self._marks(marked)
        ]

    def moves(self, state: int, symbol: int) -> list[Path]:
        """The marks that can be passed at a state, and then a byte or special token."""
        key = (state, symbol if symbol >= SPECIAL else self._class_of[symbol])
        known = self._moves.get(key)
        if known is None:
            moves = self._special(state, symbol) if symbol >= SPECIAL else self._byte(state, symbol)
            known = self._moves[key] = list(dict.fromkeys(moves))
        return known

    def symbols(self) -> Iterable[int]:
        """A byte of each class, and the special tokens."""
        return [*self._alphabet, *range(SPECIAL, SPECIAL + len(self.specials))]

    def moves_on(self, state: int) -> list[Path]:
        """The same with whatever symbol can come."""
        known = self._moves_on.get(state)
        if known is None:
            found = {path: None for symbol in self.symbols() for path in self.moves(state, symbol)}
            known = self._moves_on[state] = list(found)
        return known

    def is_ended_at(self, state: int, uses: int) -> bool:
        """So many open uses of rules can be ended without another byte in them."""
        if self.may_end(state, uses):
            return True
        return any(path.ends >= uses and self.can_go_on(path.to) for path in self.moves_on(state))

    def may_end(self, state: int, uses: int) -> bool:
        """The text may end at a state where ``uses`` counted rules are open."""
        return uses in self._uses_at_end(state)

    def _uses_at_end(self, state: int) -> set[int]:
        """If the text may end here, how many uses may be open that end with it."""
        known = self._final.get(state)
        if known is None:
            known = self._final[state] = {
                path.ends
                for plain, marked in self._split(state)
                if self._plain.is_accepting(plain)
                for path in self._marks(marked)
                if not path.begins and Arena.is_accepting(self._arena, path.to)
            }
        return known

    def can_go_on(self, state: int) -> bool:
        """A text can be finished from a state, the numbers of tokens left out of account.

        Where the plain copy's readings are all known to have an end, one that may still become whatever the
        plain reading may is taken to have it, too; others are searched for such a one.
        """
        known = self._goes_on.get(state)
        if known is None:
            came_from = {state: state}
            found = -1
            for at in (todo := [state]):
                check_time("looking for the end of a text")
                if self._goes_on.get(at) or self._is_as_plain(at) or self._uses_at_end(at):
                    found = at
                    break
                if len(todo) > MOST_EXPLORED:
                    self._arena.unproved += 1
                    found = state
                    break
                for path in self.moves_on(at):
                    if path.to not in came_from and self._goes_on.get(path.to) is not False:
                        came_from[path.to] = at
                        todo.append(path.to)
            known = found >= 0
            way = [found] if known else list(came_from)
            while known and way[-1] != state:
                way.append(came_from[way[-1]])
            self._goes_on.update(dict.fromkeys(way, known))
        return known

    def _is_as_plain(self, state: int) -> bool:
        """No longer match threatens, and the marked parser takes the same terminals as the plain one."""
        q, plain, watch, marked = self._cores[state]
        if watch or int(self._plain.heap.g[L.H_ASK]) == 2 or self._begins_lexeme(q):
            return False
        return all(
            self._taken(marked, t) >= 0 for t in self._open(q) if self._shift(self._plain, plain, t) >= 0
        )

    def bound(self, state: int) -> int:
        """Bytes at least to the end of the innermost open use."""
        q, _, _, marked = self._cores[state]
        if self._begins_lexeme(q):
            return self.distances.to_end_mark(marked)
        known = self._bounds.get((q, marked))
        if known is None:
            known = NEVER
            for t, rest in self._open(q).items():
                if t in self._ignored:
                    known = min(known, rest + self.distances.to_end_mark(marked))
                after = self._taken(marked, t)
                if after >= 0:
                    known = min(known, rest + self.distances.to_end_mark(after))
            self._bounds[q, marked] = known
        return known

    def may_pass_mark(self, state: int) -> bool:
        """Some text after a state passes a mark."""
        return self.distances.may_pass_mark(self._cores[state][3])

    # ------------------------------------------------------------------------------------------------ steps

    def rules_at(self, state: int) -> list[str]:
        """Names of the rules that are being read, for messages."""
        return Arena.rules_at(self._arena, self._cores[state][3])

    def terminals_at(self, state: int) -> list[str]:
        """Terminals being read, or that may begin."""
        return sorted({self._plain.terminals[t][0].name for t in self._open(self._cores[state][0])})

    def _open(self, q: int) -> dict[int, int]:
        """The terminals that are open in a lexer state, and the bytes that each needs at least to its end."""
        known = self._opened.get(q)
        if known is None:
            g = self._plain.heap.g
            known = self._opened[q] = {}
            for member in g[q + L.R_KEY + 1 : q + L.R_KEY + (int(g[q]) >> 8)].tolist():
                terminal = int(g[member + L.T_TERMINAL])
                _, base, stride = self._plain.terminals[terminal]
                known[terminal] = self._rests[terminal][(member - base) // stride]
        return known

    def _taken(self, marked: int, terminal: int) -> int:
        """The marked copy's state after a terminal of the plain copy, or REFUSED."""
        number = self._marked_number.get(terminal)
        return L.REFUSED if number is None else self._shift(self._arena, marked, number)

    def _lexer(self, plain: int) -> int:
        return int(self._plain.heap.g[plain + L.R_KEY])

    def _parser(self, plain: int) -> int:
        return int(self._plain.heap.g[plain + L.R_KEY + 1])

    def _begins_lexeme(self, q: int) -> bool:
        return int(self._plain.heap.g[q + L.R_KEY]) < 0

    def _won(self, q: int) -> list[int]:
        """The terminals that the lexeme is if it ends at a lexer state."""
        g = self._plain.heap.g
        record = int(g[q + L.R_KEY + (int(g[q]) >> 8)])
        return list(terminals_of(self._plain, record)) if record else []

    def _marks(self, marked: int) -> list[Path]:
        known = self._paths.get(marked)
        if known is None:
            known = self._paths[marked] = paths_from(self._arena, marked)
        return known

    def _shift(self, arena: Arena, state: int, terminal: int) -> int:
        """The state at the start of the next lexeme, or REFUSED."""
        key = (id(arena), state, terminal)
        to = self._shifts.get(key)
        if to is None:
            to = self._shifts[key] = arena.call(kernels.accept_symbol, state, terminal, True)
        return to

    def _split(self, state: int) -> list[tuple[int, int]]:
        """Both parsers' states at the start of the next lexeme, if the one that is read ends here."""
        known = self._splits.get(state)
        if known is None:
            q, plain, _, marked = self._cores[state]
            known = [(plain, marked)] if self._begins_lexeme(q) else []
            for terminal in [] if known else self._won(q):
                if terminal in self._ignored:
                    known.append((plain, marked))
                after = self._shift(self._plain, plain, terminal)
                besides = self._taken(marked, terminal)
                if after >= 0 and besides >= 0:
                    known.append((after, besides))
            self._splits[state] = known
        return known

    def _byte(self, state: int, byte: int) -> list[Path]:
        """As the kernels' step of one head, with the marked parser besides."""
        q, plain, watch, marked = self._cores[state]
        copy, cls = self._plain, self._class_of[byte]
        parser = self._parser(plain)
        n = copy.call(kernels.expand_head, q, parser, watch, byte)
        if n == 0:
            return []
        at = int(copy.heap.g[L.X_HEADS]) + 3
        heads = {(a, b, c) for a, b, c in copy.heap.g[at : at + 3 * n].reshape(-1, 3).tolist()}
        goes_on = self._lexer_step(q, cls)
        watched = copy.call(kernels.watch_step, watch, cls) if watch else 0
        found: list[Path] = []
        stays = goes_on != 0 and (goes_on, parser, watched) in heads
        if self._begins_lexeme(q):
            if stays:
                found = [
                    Path(ends, begins, self._cores.number((goes_on, plain, watched, to)))
                    for ends, begins, to in self._marks(marked)
                    if self._can_be(goes_on, to)
                ]
            return found
        if stays and self._can_be(goes_on, marked):
            found.append(Path(0, (), self._cores.number((goes_on, plain, watched, marked))))
        if goes_on and self._won(goes_on):
            return found
        # The lexeme ends before this byte; its scan, if it goes on, must not complete.
        scans = self._scans(watched) | ({goes_on} if goes_on else set())
        for after, besides in self._split(state):
            first = self._lexer_step(self._lexer(after), cls)
            for a, b, c in heads:
                if (a, b) == (first, self._parser(after)) and self._scans(c) == scans:
                    found += [
                        Path(ends, begins, self._cores.number((a, after, c, to)))
                        for ends, begins, to in self._marks(besides)
                        if self._can_be(a, to)
                    ]
        return found

    def _special(self, state: int, symbol: int) -> list[Path]:
        token = self.specials[symbol - SPECIAL]
        found = []
        for plain, marked in self._split(state):
            after = self._plain.accept_token(plain, token)
            for ends, begins, to in self._marks(marked) if after >= 0 else ():
                besides = Arena.accept_token(self._arena, to, token)
                if besides >= 0:
                    found.append(Path(ends, begins, self.begin(after, besides)))
        return found

    def _lexer_step(self, q: int, cls: int) -> int:
        return self._plain.call(kernels.lex_step, q, cls)

    def _scans(self, watch: int) -> set[int]:
        """The lexer states of a watch."""
        g = self._plain.heap.g
        return set(g[watch + L.R_KEY : watch + L.R_KEY + (int(g[watch]) >> 8)].tolist()) if watch else set()

    def _can_be(self, q: int, marked: int) -> bool:
        """The marked parser takes one of the terminals that are open in a lexer state."""
        known = self._fits.get((q, marked))
        if known is None:
            terminals = self._open(q)
            known = self._fits[q, marked] = any(
                t in self._ignored or self._taken(marked, t) >= 0 for t in terminals
            )
        return known


def _to_the_end(dfa: ByteDFA) -> list[int]:
    """Of each state of an automaton, the dead one apart, the bytes of the shortest way to an end."""
    least = np.where(dfa.final, 0, NEVER)
    while True:
        after = np.minimum(least, 1 + least[dfa.trans].min(axis=1))
        if (after == least).all():
            return [int(n) for n in least[1:]]
        least = after
