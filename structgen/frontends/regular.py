"""Parts of rules that are regular languages, joined into one automaton each.

A dialect without terminals (GBNF) writes a string as ``"\\"" [^"]* "\\""`` and a digit as a rule of its own.
Taken piece by piece that is a grammar of many small calls; taken as a whole it is one automaton, and text in
it is served by a vocabulary table (see `rules`). Every way of cutting counts in such a dialect, so joining
changes no language.

A *part* is a pattern's tree as long as it stays small, and an expression from then on. What stays apart: a
repetition with large bounds, since a count is a parameter and not so many states; whatever calls a rule that
is large or recursive; and what turns out to need too many states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import LimitExceededError
from ..ir import Alt, Expr, Lit, Pat, Rep, Seq
from ..limits import Limits
from ..regex import Alt as AnyOf
from ..regex import Cat, Chars, CharSet, Node, Repeat, compile_match, literal_node

MOST_NODES = 300  # in a joined tree; a chess move has about 60
MOST_DEPTH = 60
MOST_WRITTEN_OUT = 8  # bounds of a repetition inside an automaton
MOST_STATES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Regular:
    """A pattern's tree, with its size in nodes, bounds of repetitions counted as copies, and its depth."""

    node: Node
    size: int = 1
    depth: int = 1


Part = Regular | Expr


def text(value: str) -> Part:
    """Exactly this text; may be empty. It must not hold surrogates."""
    return Regular(literal_node(value), max(len(value), 1), 2)


def characters(ranges: CharSet) -> Part:
    """One character of a set."""
    return Regular(Chars(ranges))


class Parts:
    """Joins parts, and makes expressions of them; ``name`` is what their automata are called in messages."""

    def __init__(self, limits: Limits) -> None:
        self._limits = Limits(max_dfa_states=min(MOST_STATES, limits.max_dfa_states))
        self.name = ""

    def sequence(self, parts: Sequence[Part]) -> Part:
        """One after the other; neighbours that are regular are joined."""
        joined: list[Part] = []
        for part in parts:
            last = joined[-1] if joined else None
            both = _joined((last, part), Cat) if isinstance(last, Regular) else None
            if both is not None:
                joined[-1] = both
            else:
                joined.append(part)
        if not joined:
            return text("")
        return joined[0] if len(joined) == 1 else Seq(tuple(map(self.expression, joined)))

    def choice(self, parts: Sequence[Part]) -> Part:
        """Any one of them."""
        if len(parts) == 1:
            return parts[0]
        joined = _joined(parts, AnyOf)
        return joined if joined is not None else Alt(tuple(map(self.expression, parts)))

    def repetition(self, part: Part, low: int, high: int | None) -> Part:
        """At least ``low`` and at most ``high`` of it (None: no bound)."""
        if (low, high) == (1, 1):
            return part
        copies = max(low, high or 0, 1)
        if isinstance(part, Regular) and copies <= MOST_WRITTEN_OUT:
            size, depth = part.size * copies + 1, part.depth + 1
            if size <= MOST_NODES and depth <= MOST_DEPTH:
                return Regular(Repeat(part.node, low, high), size, depth)
        item = self.expression(part)
        return Alt((item, Seq(()))) if (low, high) == (0, 1) else Rep(item, low, high)

    def expression(self, part: Part) -> Expr:
        """The part as an expression of the grammar."""
        return self._expression(part.node) if isinstance(part, Regular) else part

    def _expression(self, node: Node) -> Expr:
        """A tree as one automaton, or as several where one has too many states. (Trees are not deep.)"""
        exact = exact_text(node)
        if exact is not None:
            return Lit(exact)
        try:
            return Pat(compile_match(node, limits=self._limits), self.name)
        except LimitExceededError:
            if isinstance(node, Cat):
                return Seq(tuple(map(self._expression, node.items)))
            if isinstance(node, AnyOf):
                return Alt(tuple(map(self._expression, node.items)))
            if isinstance(node, Repeat):
                return Rep(self._expression(node.item), node.lo, node.hi)
            raise


def exact_text(node: Node) -> bytes | None:
    """The one text that a tree matches, if it is a plain string."""
    out: list[str] = []
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Cat):
            stack.extend(reversed(node.items))
        elif isinstance(node, Chars) and len(node.ranges) == 1 and node.ranges[0][0] == node.ranges[0][1]:
            out.append(chr(node.ranges[0][0]))
        else:
            return None
    return "".join(out).encode()


def _joined(parts: Sequence[Part | None], join: type[Cat] | type[AnyOf]) -> Regular | None:
    """All parts as one tree, or None where one is no tree or the whole becomes too large."""
    size = depth = 1
    items: list[Node] = []
    for part in parts:
        if not isinstance(part, Regular):
            return None
        flat = isinstance(part.node, join)
        items.extend(part.node.items if isinstance(part.node, join) else (part.node,))
        size += part.size
        depth = max(depth, part.depth + (0 if flat else 1))
    return Regular(join(tuple(items)), size, depth) if size <= MOST_NODES and depth <= MOST_DEPTH else None
