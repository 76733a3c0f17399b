"""Things that are known by number."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


class Numbered(list[T]):
    """Each thing once, in the order in which they came first; a thing's number is its place."""

    def __init__(self) -> None:
        super().__init__()
        self._number_of: dict[T, int] = {}

    def number(self, thing: T) -> int:
        """The number of ``thing``, a new one if it is new."""
        number = self._number_of.get(thing)
        if number is None:
            number = self._number_of[thing] = len(self)
            self.append(thing)
        return number
