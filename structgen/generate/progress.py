"""What a command tells the person who waits, on stderr.

Three ways to say it: a bar with the time elapsed where stderr is a terminal, plain lines elsewhere (a log,
a pipe), nothing when asked to be quiet. Text that the command produces goes to stdout and never passes
through here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

Update = Callable[[float], None]


def _rich_progress(stream: TextIO) -> Any | None:
    """A progress display for ``stream``, or None where that is no terminal."""
    if not stream.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=stream), transient=True)


class Reporter:
    """Lines and bars on ``stream`` (stderr by default); with ``quiet`` only warnings remain."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        """Write to ``stream``."""
        self.stream = stream if stream is not None else sys.stderr
        self.quiet = quiet

    def note(self, message: str) -> None:
        """One line of information."""
        if not self.quiet:
            print(message, file=self.stream, flush=True)

    def warn(self, message: str) -> None:
        """One line that is shown even when quiet."""
        print(f"structgen: {message}", file=self.stream, flush=True)

    @contextmanager
    def stage(self, label: str, total: float | None = None) -> Iterator[Update]:
        """Run a step that may take long.

        Yields a function that takes how much is done (in the unit of ``total``). With no ``total``
        the bar only shows that something moves. When the step ends, one line says how long it took;
        a plain stream gets a line before the step as well, so that a log shows what is waited for.
        """
        start = time.perf_counter()
        if self.quiet:
            yield lambda done: None
            return
        display = _rich_progress(self.stream)
        if display is None:
            self.note(f"{label} ...")
            yield lambda done: None
        else:
            with display:
                task = display.add_task(label, total=total)
                yield lambda done: display.update(task, completed=done if total is None else min(done, total))
        seconds = time.perf_counter() - start
        if display is not None or seconds >= 1:
            self.note(f"{label}: {seconds:.1f} s")
