"""What a terminal's pattern matches: its language, and two things that a language alone does not say.

*A lazy quantifier* (``.*?``) is how people write "up to the first". As a language ``/".*?"/`` holds
``"a", "b"`` whole, and the longest match would take it. So of a pattern with a lazy quantifier those
strings count that have no other as a proper prefix. Alternatives are taken one by one, so that one with
a lazy quantifier does not shorten the others; repetitions after the last lazy one, at the very end, stay
as long as they like (``/<!--.*?-->\\s*/``). That is what `re.match` finds, for patterns that are lazy in
order to end; exact for all of them would be an automaton that knows which reading is preferred.

*Look-around that sees beyond the terminal* (``/if(?!\\w)/``, ``^``, ``\\b`` at an edge) says something about
the text around it. Whether a pattern does that is not read off its form: it does when putting any text
beside it changes what it matches.
"""

from __future__ import annotations

from re import _constants as sre
from re import _parser as sre_parser
from typing import Any

from ..automata import ByteDFA
from ..limits import Limits
from ..regex import (
    ANY_CHAR,
    Alt,
    Cat,
    Chars,
    End,
    Look,
    Node,
    Repeat,
    Start,
    compile_match,
    concat,
    difference,
    literal,
    union,
)
from .regular import exact_text

_ANYTHING = Repeat(Chars(ANY_CHAR), 0, None)
_SOMETHING = Repeat(Chars(ANY_CHAR), 1, None)

Lazy = frozenset[int]
"""The lazy ones among the repetitions of a tree, by `id`; the tree keeps them alive."""


def language(node: Node, lazy: Lazy, limits: Limits) -> ByteDFA:
    """What a terminal with this pattern matches."""
    if (exact := exact_text(node)) is not None:
        return literal(exact)
    if not _has_lazy(node, lazy):
        return compile_match(node, limits=limits)
    if isinstance(node, Alt):
        return union(*(language(item, lazy, limits) for item in node.items), limits=limits)
    items = _flat(node)
    head, last = items[:-1], items[-1]
    if isinstance(last, Alt) and not any(_has_lazy(item, lazy) for item in head):
        ways = (language(Cat((*head, item)), lazy, limits) for item in last.items)
        return union(*ways, limits=limits)
    items, tail = _without_tail(items, lazy)
    some = compile_match(Cat(tuple(items)), limits=limits)
    first = shortest(some, limits)
    return concat(first, compile_match(Cat(tuple(tail)), limits=limits), limits=limits) if tail else first


def shortest(dfa: ByteDFA, limits: Limits) -> ByteDFA:
    """The strings of ``dfa`` that have no other of its strings as a proper prefix."""
    longer = concat(dfa, compile_match(_SOMETHING, limits=limits), limits=limits)
    return difference(dfa, longer, limits=limits)


def looks_beyond(node: Node, limits: Limits) -> str:
    """ "beyond its end", "back before its start" or "": where the text around decides about a match."""
    if not any(isinstance(n, Look | Start | End) for n in _below(node)):
        return ""
    alone = compile_match(node, limits=limits)
    anything = compile_match(_ANYTHING, limits=limits)
    ahead = compile_match(Cat((node, _ANYTHING)), limits=limits)
    if ahead.digest != concat(alone, anything, limits=limits).digest:
        return "beyond its end"
    behind = compile_match(Cat((_ANYTHING, node)), limits=limits)
    return "back before its start" if behind.digest != concat(anything, alone, limits=limits).digest else ""


def lazy_repeats(pattern: str, flags: int, node: Node) -> Lazy:
    """The lazy repetitions of ``node``, which `parse_python` made of ``pattern``.

    Its trees do not say it, so the interpreter's tree is walked along with them.
    """
    found = set()
    stack: list[tuple[Any, Node]] = [(sre_parser.parse(pattern, flags), node)]
    while stack:
        sequence, node = stack.pop()
        items = node.items if isinstance(node, Cat) and len(sequence) != 1 else (node,)
        for (op, arg), item in zip(sequence, items, strict=True):
            if op is sre.SUBPATTERN:
                stack.append((arg[3], item))
            elif op is sre.BRANCH:
                assert isinstance(item, Alt)
                stack.extend(zip(arg[1], item.items, strict=True))
            elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
                assert isinstance(item, Repeat)
                if op is sre.MIN_REPEAT:
                    found.add(id(item))
                stack.append((arg[2], item.item))
    return frozenset(found)


def _without_tail(items: list[Node], lazy: Lazy) -> tuple[list[Node], list[Node]]:
    """A sequence cut before the repetitions at its end that are not lazy; of ``x+`` one ``x`` stays."""
    kept, tail = list(items), list[Node]()
    while isinstance(last := kept[-1], Repeat) and not _has_lazy(last, lazy):
        kept.pop()
        tail.insert(0, Repeat(last.item, 0, None if last.hi is None else last.hi - last.lo))
        if last.lo:
            kept.append(Repeat(last.item, last.lo, last.lo))
            break
    # A look-ahead may see the tail, and a look-behind in the tail what is before it.
    ahead = any(
        isinstance(n, End) or (isinstance(n, Look) and not n.behind) for n in _below(Cat(tuple(kept)))
    )
    behind = any(isinstance(n, Look | Start | End) for n in _below(Cat(tuple(tail))))
    return (items, []) if ahead or behind else (kept, tail)


def _flat(node: Node) -> list[Node]:
    """The items of a sequence, those of sequences in it included."""
    out: list[Node] = []
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Cat):
            stack.extend(reversed(node.items))
        else:
            out.append(node)
    return out


def _below(node: Node) -> list[Node]:
    """All nodes of a tree, one that is used in several places once."""
    found = {id(node): node}
    stack = [node]
    while stack:
        n = stack.pop()
        items = n.items if isinstance(n, (Cat, Alt)) else (n.item,) if isinstance(n, (Repeat, Look)) else ()
        fresh = [item for item in items if id(item) not in found]
        found.update((id(item), item) for item in fresh)
        stack.extend(fresh)
    return list(found.values())


def _has_lazy(node: Node, lazy: frozenset[int]) -> bool:
    return bool(lazy) and any(id(n) in lazy for n in _below(node))
