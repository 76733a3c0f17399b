"""Bound methods that do not keep their object, so that what refers to its owner goes when the owner goes.

A cycle of references is freed when Python's collector looks through all that the process holds, in the
middle of whatever is done then; anything else when nobody has it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakMethod

P = ParamSpec("P")
T = TypeVar("T")


def weakly(method: Callable[P, T]) -> Callable[P, T]:
    """The bound method, for those who live no longer than its object: calling it later is an error."""
    find = WeakMethod(method)

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        found = find()
        if found is None:
            raise ReferenceError("the object of this method is gone")
        return found(*args, **kwargs)

    return call
