"""Which schemas are written in the same words.

Schemas that are copied into many places say the same, and what excludes one of them excludes the others. A
number stands for the content of a value, found once for each Python object: objects may stand in many places,
nest as deep as they like, and even hold themselves.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


class Wording:
    """Numbers of contents; ``number`` gives equal values, of equal types, the same one."""

    def __init__(self) -> None:
        self._of_object: dict[int, int] = {}  # by `id`; the documents outlive this
        self._of_content: dict[Hashable, int] = {}

    def number(self, value: Any) -> int:
        """The number of a value's content; one that holds itself has one of its own."""
        if not _holds(value):
            return self._scalar(value)
        found = self._of_object
        begun: set[int] = set()
        todo = [value]
        while todo:
            one = todo[-1]
            me = id(one)
            if me in found:
                todo.pop()
                continue
            inside = one.values() if isinstance(one, dict) else one
            if me not in begun:
                begun.add(me)
                below = [other for other in inside if _holds(other) and id(other) not in found]
                if any(id(other) in begun for other in below):
                    found[me] = self._content(("alone", me))
                    continue
                todo += below
                continue
            numbers = [found[id(other)] if _holds(other) else self._scalar(other) for other in inside]
            if isinstance(one, dict):
                found[me] = self._content(("object", frozenset(zip(one, numbers, strict=True))))
            else:
                found[me] = self._content(("array", tuple(numbers)))
        return found[id(value)]

    def _scalar(self, value: Any) -> int:
        known = value is None or isinstance(value, (str, int, float))
        return self._content((type(value), value) if known else ("alone", id(value)))

    def _content(self, key: Hashable) -> int:
        return self._of_content.setdefault(key, len(self._of_content))


def _holds(value: Any) -> bool:
    return isinstance(value, (dict, list, tuple))
