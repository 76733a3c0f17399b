"""From "a text in which the pattern is found" to "a text that matches as a whole".

A search for P is a match of ``.* P .*``. The anchors at the ends of a pattern, which nearly every pattern of
a schema has, then need no machinery at all: a leading ``^`` takes the first ``.*`` away and a trailing ``$``
the last. What is left, anchors in odd places and look-arounds, goes to `lookaround`, which is exact for all
of them and slower.
"""

from __future__ import annotations

from collections.abc import Sequence

from .ast import ANY_TEXT, EMPTY, NEWLINE, Alt, Cat, Chars, End, Node, Repeat, Start, end_or_last_newline

_END_OR_NEWLINE = end_or_last_newline()


def framed(node: Node, search: bool) -> Node:
    """A tree whose match of a whole text is what ``node`` means: a match, or (``search``) a find."""
    # Branches with the same text allowed around them share it. With a ``.*`` of its own for each branch, a
    # deterministic automaton would remember which of them have been found.
    around: dict[tuple[Node, Node], list[Node]] = {}
    for branch in _spread(node):
        items = _flat(branch)
        first, last = 0, len(items)
        while first < last and isinstance(items[first], Start):
            first += 1
        while first < last and _ends_text(items[last - 1]):
            last -= 1
        before: Node = EMPTY
        after: Node = EMPTY
        if search:
            before = ANY_TEXT if first == 0 else EMPTY
            after = _after(items[last:])
        around.setdefault((before, after), []).append(Cat(tuple(items[first:last])))
    parts = [Cat((before, _either(bodies), after)) for (before, after), bodies in around.items()]
    return _either(parts)


def _either(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Alt(tuple(nodes))


def _after(anchors: list[Node]) -> Node:
    """What may stand behind a match that these anchors close."""
    if not anchors:
        return ANY_TEXT
    return EMPTY if any(isinstance(a, End) for a in anchors) else Repeat(Chars(NEWLINE), 0, 1)


def _ends_text(node: Node) -> bool:
    return isinstance(node, End) or node == _END_OR_NEWLINE


def _flat(node: Node) -> list[Node]:
    """The items of a concatenation, those of concatenations inside it included."""
    out: list[Node] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, Cat):
            stack.extend(reversed(top.items))
        else:
            out.append(top)
    return out


def _spread(node: Node) -> list[Node]:
    """The branches of an alternation, those of alternations directly inside it included."""
    out: list[Node] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, Alt) and not _ends_text(top):
            stack.extend(reversed(top.items))
        elif isinstance(top, Cat) and len(top.items) == 1:
            stack.append(top.items[0])
        else:
            out.append(top)
    return out or [node]
