"""The folder for kept files, bounded in bytes.

A cache must never be in the way when it cannot be had: a folder that cannot be read is empty, and one that
cannot be written to keeps nothing. Several processes share it without a lock. Files are replaced whole, the
name of one is the key of what it holds, so two that write the same write equal files; and one that another
process has just deleted is merely absent.

The time of last use is the file's modification time, set anew at each read (access times are switched off
on many machines). When the files take more than the bound, those used longest ago are deleted until they
take four fifths of it.

    STRUCTGEN_CACHE        the folder; by default the platform's for users' caches
    STRUCTGEN_CACHE_BYTES  the bound, 2 GiB by default; 0 keeps nothing and reads nothing
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import platformdirs

from . import later
from .arrays import TEMPORARY, Array, Content, UnsoundFileError, read_file, write_file

MOST_BYTES = 2 << 30
KEPT_PART = 0.8  # of the bound, after files were deleted
STALE_SECONDS = 3600.0  # a file still being written after that was left behind by a process that was killed
KINDS = ("vocab", "tables", "automata", "verdicts")
AT_ONCE = 64  # files looked at before other threads get a turn

_apart: ContextVar[bool] = ContextVar("structgen_nothing_kept", default=False)
_written: dict[Path, int] = {}  # bytes written by this process since the folder was measured, by folder


def cache_dir() -> Path:
    """The folder for kept files. It need not exist."""
    named = os.environ.get("STRUCTGEN_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("structgen", appauthor=False)


@contextlib.contextmanager
def nothing_kept() -> Iterator[None]:
    """Within it this thread finds nothing kept and keeps nothing."""
    token = _apart.set(True)
    try:
        yield
    finally:
        _apart.reset(token)


def most_bytes() -> int:
    """The bound on kept files; 0 when nothing is to be kept. What is not a number leaves it as it is."""
    if _apart.get():
        return 0
    given = os.environ.get("STRUCTGEN_CACHE_BYTES", "").strip()
    return int(given) if re.fullmatch(r"\d{1,18}", given) else MOST_BYTES


def read_kept(kind: str, key: str) -> Content | None:
    """What was kept under ``key`` (hexadecimal digits) in the folder of ``kind``; None: no sound file."""
    if not most_bytes():
        return None
    path = _place(cache_dir(), kind, key)
    try:
        found = read_file(path)
    except (OSError, UnsoundFileError, MemoryError):
        return None
    if found.key != key:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return found


def write_kept(kind: str, key: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> bool:
    """Keep ``meta`` (JSON) and ``arrays`` under ``key``. False when folder, disk or bound do not allow it."""
    return _write(cache_dir(), most_bytes(), kind, key, meta, arrays)


def write_kept_later(kind: str, key: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """The same in the background; the arrays must not change any more."""
    most = most_bytes()
    if most:
        folder = cache_dir()
        size = sum(array.nbytes for array in arrays.values())
        later.put(lambda: _write(folder, most, kind, key, meta, arrays), size)


def _place(folder: Path, kind: str, key: str) -> Path:
    return folder / kind / f"{key}.bin"


def _write(
    folder: Path, most: int, kind: str, key: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]
) -> bool:
    if sum(array.nbytes for array in arrays.values()) > most:
        return False
    path = _place(folder, kind, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = write_file(path, key, meta, arrays)
    except (OSError, MemoryError):
        return False
    # The folder is measured at the first write of a process, then whenever a tenth of the bound was added.
    _written[folder] = _written.get(folder, most) + size
    if 10 * _written[folder] > most:
        _written[folder] = 0
        trim(folder, most)
    return True


def trim(folder: Path, most: int) -> None:
    """Delete the files used longest ago when all together take more than ``most`` bytes."""
    files = []
    total = 0
    now = time.time()
    for kind in KINDS:
        with contextlib.suppress(OSError), os.scandir(folder / kind) as entries:
            for n, entry in enumerate(entries):
                if n % AT_ONCE == AT_ONCE - 1:
                    time.sleep(0.0005)
                with contextlib.suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    if not entry.name.endswith(TEMPORARY):
                        files.append((about.st_mtime, entry.path, about.st_size))
                        total += about.st_size
                    elif about.st_mtime < now - STALE_SECONDS:
                        os.unlink(entry.path)
    if total <= most:
        return
    for _, path, size in sorted(files):
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size
        if total <= KEPT_PART * most:
            break
