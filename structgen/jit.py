"""The one place that names numba's options.

`nogil`: kernels run beside other Python threads. `cache`: machine code is kept on disk, so that a second
process compiles nothing. No signatures: they would move the compilation to import time. No `parallel`, no
`fastmath`: threads belong to the caller, and nothing here is a float. `boundscheck` stays off; `.ci/run` runs
the tests of the kernels once more with ``NUMBA_BOUNDSCHECK=1``, where an index out of range is an error.

numba takes cached machine code for good as long as the function's own file is as it was, whatever it calls.
`_note_sources` has it look at all files of the kernels that call each other, and at the constants they share.

numba would compile a kernel anew for every constant that another one calls it with. `_of_any_value` keeps
it from that: a third of the time to compile them all. Small kernels are inlined, so constants are folded
all the same.

What numba takes to compile a kernel, once on a machine, is not the user's grammar: the clocks of `Limits`
stand still meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event
from numba.core.types.misc import unliteral

from .limits import stop_clocks

F = TypeVar("F", bound=Callable[..., Any])
FOLDERS = ("kernels", "skimming", "spelling", "tabulating")  # the kernels in one of these call each other
CONSTANTS = [Path(__file__).parent / name for name in ("engine/layout.py", "sketch.py")]


def jit(function: F) -> F:
    """Compile ``function``, which makes no arrays, with the project's options."""
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False)(function)
    _note_sources(compiled, function)
    _of_any_value(compiled)
    return compiled


def jit_allocating(function: F) -> F:
    """As `jit`, for a kernel that makes arrays."""
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    _note_sources(compiled, function)
    _of_any_value(compiled)
    return compiled


def _note_sources(kernel: Any, function: Callable[..., Any]) -> None:
    """Let cached machine code be that of these sources: the kernel's file, or a folder of kernels."""
    file = Path(function.__code__.co_filename)
    kernel._cache._cache_file._source_stamp = _stamp(file.parent if file.parent.name in FOLDERS else file)


@cache
def _stamp(source: Path) -> tuple[tuple[str, float, int], ...]:
    """What tells one version of the sources from another: names, times and sizes, as numba has it."""
    files = [*(sorted(source.glob("*.py")) if source.is_dir() else [source]), *CONSTANTS]
    return tuple([(file.name, file.stat().st_mtime, file.stat().st_size) for file in files])


def _of_any_value(kernel: Any) -> None:
    """Let ``kernel`` be compiled for the types of what it is called with, never for values."""
    template = kernel.get_call_template

    def of_types(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return template(tuple(map(unliteral, args)), {name: unliteral(a) for name, a in kws.items()})

    kernel.get_call_template = of_types


def settled(kernel: Callable[..., Any], *args: object) -> Callable[..., Any]:
    """The machine code of ``kernel`` for arguments of the types of ``args``, with which it is called once.

    numba looks at the types of all arguments at every call, to choose among what it has compiled; of a call
    that takes half a microsecond that is a third. An array of another type is a TypeError here.
    """
    kernel(*args)
    types = tuple(numba.typeof(a) for a in args)
    machine_code: Callable[..., Any] = kernel.overloads[types].entry_point  # type: ignore[attr-defined]
    return machine_code


class _Compiling(event.Listener):  # type: ignore[misc]  # numba has no types
    """Tells the clocks how long numba compiled; a kernel that compiles what it calls counts once."""

    def __init__(self) -> None:
        self._here = threading.local()

    def on_start(self, event: event.Event) -> None:
        depth = getattr(self._here, "depth", 0)
        if depth == 0:
            self._here.began = time.monotonic()
        self._here.depth = depth + 1

    def on_end(self, event: event.Event) -> None:
        self._here.depth -= 1
        if self._here.depth == 0:
            stop_clocks(time.monotonic() - self._here.began)


event.register("numba:compile", _Compiling())
