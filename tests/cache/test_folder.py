"""The folder of kept files: bounded, shared between processes, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from structgen.cache import (
    cache_dir,
    flush,
    folder,
    later,
    most_bytes,
    read_kept,
    write_kept,
    write_kept_later,
)

KB = {"x": np.arange(256, dtype=np.int32)}  # one KiB


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("STRUCTGEN_CACHE_BYTES")
    return tmp_path / "cache"


def key(i: int) -> str:
    return f"{i:064x}"


def kept(cache_folder: Path, kind: str = "tables") -> list[int]:
    return sorted(int(p.stem, 16) for p in (cache_folder / kind).glob("*.bin"))


def test_cache_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "x"))
    assert cache_dir() == tmp_path / "x"
    monkeypatch.delenv("STRUCTGEN_CACHE")
    assert cache_dir().name == "structgen"
    assert cache_dir().is_absolute()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        (" 4096 ", 4096),
        ("", folder.MOST_BYTES),
        ("many", folder.MOST_BYTES),
        ("-1", folder.MOST_BYTES),
    ],
)
def test_the_bound_is_read_from_the_environment(
    text: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRUCTGEN_CACHE_BYTES", text)
    assert most_bytes() == value


def test_what_is_kept_is_found_under_its_key_alone(cache_folder: Path) -> None:
    assert read_kept("tables", key(1)) is None
    assert write_kept("tables", key(1), {"n": 2}, KB)
    found = read_kept("tables", key(1))
    assert found is not None
    assert found.meta == {"n": 2}
    assert found.arrays["x"].tolist() == KB["x"].tolist()
    assert read_kept("vocab", key(1)) is None
    # A file under another file's name is sound, and foreign.
    (cache_folder / "tables" / f"{key(1)}.bin").rename(cache_folder / "tables" / f"{key(2)}.bin")
    assert read_kept("tables", key(2)) is None


def test_nothing_is_kept_or_read_under_a_bound_of_nothing(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kept("tables", key(1), {}, KB)
    monkeypatch.setenv("STRUCTGEN_CACHE_BYTES", "0")
    assert read_kept("tables", key(1)) is None
    assert not write_kept("tables", key(2), {}, KB)
    write_kept_later("tables", key(3), {}, KB)
    assert flush()
    assert kept(cache_folder) == [1]


def test_what_was_used_longest_ago_goes_first(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTGEN_CACHE_BYTES", str(20 << 10))
    for i in range(10):
        assert write_kept("tables", key(i), {}, KB)
        age = 1000 - 10 * i
        os.utime(cache_folder / "tables" / f"{key(i)}.bin", (time.time() - age, time.time() - age))
    assert read_kept("tables", key(0)) is not None  # now it is the youngest
    for i in range(10, 40):
        assert write_kept("vocab" if i % 2 else "tables", key(i), {}, KB)
        size = sum(p.stat().st_size for p in cache_folder.rglob("*.bin"))
        # Measured whenever a tenth of the bound was added; four fifths are left then.
        assert size <= 1.1 * (20 << 10) + 2048
        if i == 18:  # measured by then, for the first time since all were written
            assert kept(cache_folder)[0] == 0
            assert {1, 2, 3}.isdisjoint(kept(cache_folder))
    assert 0 not in kept(cache_folder)
    left = kept(cache_folder) + kept(cache_folder, "vocab")
    assert max(left) == 39
    assert len(left) >= 10


def test_what_is_larger_than_the_bound_is_not_kept(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kept("tables", key(1), {}, KB)
    monkeypatch.setenv("STRUCTGEN_CACHE_BYTES", str(8 << 10))
    assert not write_kept("tables", key(2), {}, {"x": np.zeros(1 << 12, np.int32)})
    assert kept(cache_folder) == [1]


def test_what_a_killed_process_left_is_swept_up(cache_folder: Path) -> None:
    write_kept("tables", key(1), {}, KB)
    old, new = (cache_folder / "tables" / f"{key(9)}.bin.{n}.tmp" for n in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 10_000,) * 2)
    folder.trim(cache_folder, 1 << 30)
    assert not old.exists()
    assert new.exists()
    assert kept(cache_folder) == [1]


def test_an_unusable_folder_keeps_nothing_and_raises_nothing(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_folder.write_text("a file where the folder should be")
    assert not write_kept("tables", key(1), {}, KB)
    write_kept_later("tables", key(1), {}, KB)
    assert flush()
    assert read_kept("tables", key(1)) is None
    folder.trim(cache_folder, 0)
    monkeypatch.setenv("STRUCTGEN_CACHE", "/dev/null/x")
    assert not write_kept("tables", key(1), {}, KB)


def test_a_full_disk_keeps_nothing_and_raises_nothing(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "write_file", full)
    assert not write_kept("tables", key(1), {}, KB)
    write_kept_later("tables", key(1), {}, KB)
    assert flush()
    assert kept(cache_folder) == []


WRITER = """
import sys, numpy as np
from structgen.cache import read_kept, write_kept
for round in range(60):
    for i in range(8):
        assert write_kept("tables", f"{i:064x}", {"i": i}, {"x": np.full(3000, i, np.int32)})
        found = read_kept("tables", f"{(i * 3 + round) % 8:064x}")
        if found is not None:
            assert found.arrays["x"].tolist() == [found.meta["i"]] * 3000
print("done")
"""


def test_processes_that_write_the_same_at_once(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every read is whole or absent, though files are replaced and deleted all the time."""
    monkeypatch.setenv("STRUCTGEN_CACHE_BYTES", str(60 << 10))  # five of the eight
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [p.communicate(timeout=60)[0] for p in started] == ["done\n"] * 3
    names = os.listdir(cache_folder / "tables")
    assert names
    assert not [n for n in names if n.endswith(".tmp")]


def test_writing_later(cache_folder: Path) -> None:
    begun = time.perf_counter()
    for i in range(20):
        write_kept_later("tables", key(i), {}, KB)
    assert time.perf_counter() - begun < later.DELAY / 2  # nothing was waited for
    assert flush()
    assert kept(cache_folder) == list(range(20))
    write_kept_later("tables", key(20), {}, KB)  # the thread has ended, and another begins
    assert flush()
    assert kept(cache_folder) == list(range(21))
    assert not [t for t in threading.enumerate() if t.name == "structgen-cache" and t.is_alive()]


def test_more_than_the_disk_takes_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "MOST_WAITING", 1000)
    writer, done = later.Writer(), []
    for i in range(5):
        writer.put(lambda i=i: done.append(i), 400)
    assert writer.flush(5)
    assert done == [0, 1]


def test_what_a_job_raises_is_lost_and_the_next_is_done() -> None:
    writer, done = later.Writer(), []
    writer.put(lambda: 1 / 0, 1)
    writer.put(lambda: done.append(1), 1)
    assert writer.flush(5)
    assert done == [1]


def test_an_ending_process_writes_what_is_waiting(cache_folder: Path) -> None:
    code = (
        "import numpy as np\n"
        "from structgen.cache import write_kept_later\n"
        "for i in range(5): write_kept_later('tables', f'{i:064x}', {}, {'x': np.arange(9)})\n"
    )
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert time.perf_counter() - begun < 10
    assert kept(cache_folder) == list(range(5))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform does not fork")
def test_a_forked_process_begins_with_nothing_waiting(cache_folder: Path) -> None:
    """In the middle of a write, with the queue's lock held by another thread: the child does not hang."""
    code = """
import os, sys, threading, time, warnings
import numpy as np
from structgen.cache import flush, later, write_kept_later
warnings.simplefilter("ignore")
writer = later._writer
write_kept_later("tables", "1", {}, {"x": np.arange(9)})
held = threading.Event()
def hold():
    with writer._changed:
        held.set()
        time.sleep(1)
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    write_kept_later("tables", "2", {}, {"x": np.arange(9)})
    os._exit(0 if flush() else 1)
assert os.waitpid(child, 0)[1] == 0
assert flush()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert kept(cache_folder) == [1, 2]
