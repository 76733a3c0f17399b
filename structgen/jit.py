"""The one place that names numba's options.

`nogil`: kernels run beside other Python threads. `cache`: machine code is kept on disk, so that a second
process compiles nothing (numba keys it by this folder's files; see `kernels` for why they are one file).
No signatures: they would move the compilation to import time. No `parallel`, no `fastmath`: threads belong
to the caller, and nothing here is a float. `boundscheck` stays off; `.ci/run` runs the tests of the
kernels once more with ``NUMBA_BOUNDSCHECK=1``, where an index out of range is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile ``function`` with the project's options."""
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False)(function)
    return compiled


def jit_allocating(function: F) -> F:
    """As `jit`, for a kernel off the path that makes arrays."""
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return compiled
