"""Writing in the background, so that no mask waits for a disk.

Jobs wait for a quarter of a second, in which the burst of work that made them is usually over, and are then
done one by one by a thread that ends when nothing is left. What a process forks off begins with no jobs and
no thread: its parent writes what was waiting. A process that ends waits for its jobs, but not long. Jobs are
dropped, rather than memory filled, when they come quicker than the disk takes them.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable

DELAY = 0.25  # seconds
AT_EXIT = 3.0  # seconds that an ending process waits
MOST_WAITING = 64 << 20  # bytes


class Writer:
    """A queue of jobs and the thread that does them, while there are some."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Callable[[], object], int]] = deque()
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def put(self, job: Callable[[], object], size: int) -> None:
        """Have ``job`` done soon; it holds about ``size`` bytes."""
        with self._changed:
            if self._waiting + size > MOST_WAITING:
                return
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="structgen-cache", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # No thread can be begun any more: the interpreter is ending.
                    return
                self._thread = thread
            self._jobs.append((job, size))
            self._waiting += size

    def flush(self, seconds: float) -> bool:
        """Wait, so long at most, until all jobs are done. Whether they are."""
        self._hurry.set()
        end = time.monotonic() + seconds
        try:
            with self._changed:
                while self._thread is not None and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
                return self._thread is None
        finally:
            self._hurry.clear()

    def _run(self) -> None:
        self._hurry.wait(DELAY)
        while True:
            with self._changed:
                if not self._jobs:
                    self._thread = None
                    self._changed.notify_all()
                    return
                job, size = self._jobs.popleft()
                self._waiting -= size
            with contextlib.suppress(Exception):  # A cache is never in the way.
                job()


_writer = Writer()


def put(job: Callable[[], object], size: int) -> None:
    """Have ``job``, which holds about ``size`` bytes, done soon in the background; what it raises is lost."""
    _writer.put(job, size)


def flush(seconds: float = AT_EXIT) -> bool:
    """Wait, so long at most, until all that was put is done. Whether it is."""
    return _writer.flush(seconds)


def _begin_anew() -> None:
    global _writer
    _writer = Writer()


atexit.register(flush)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
