"""Files of arrays: what is written is read, and nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from structgen.cache import UnsoundFileError, arrays, read_file, write_file

ARRAYS = {
    "a": np.arange(7, dtype=np.uint8),
    "b": np.arange(6, dtype=np.int32).reshape(3, 2),
    "c": np.empty((0, 4), np.int64),
    "d": np.array([True, False]),
    "e": np.array([-1, 300], np.int16),
    "f": np.arange(12, dtype=np.int64).reshape(3, 4)[:, ::2],
}


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    size = write_file(path, "key", {"n": 1, "s": "é"}, ARRAYS)
    assert size == path.stat().st_size
    content = read_file(path)
    assert (content.key, content.meta) == ("key", {"n": 1, "s": "é"})
    assert list(content.arrays) == list(ARRAYS)
    for name, array in content.arrays.items():
        assert array.dtype == ARRAYS[name].dtype
        assert array.tolist() == ARRAYS[name].tolist()
        assert array.shape == ARRAYS[name].shape
        assert array.flags.aligned
        assert array.flags.c_contiguous
        assert array.flags.writeable
    assert [p.name for p in tmp_path.iterdir()] == ["x.bin"]


def test_other_dtypes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="float64"):
        write_file(tmp_path / "x.bin", "key", {}, {"f": np.zeros(2)})
    assert list(tmp_path.iterdir()) == []


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    """Every length, and every byte changed."""
    path = tmp_path / "x.bin"
    write_file(path, "key", {}, ARRAYS)
    sound = path.read_bytes()
    for length in range(len(sound)):
        path.write_bytes(sound[:length])
        with pytest.raises(UnsoundFileError):
            read_file(path)
    for position in range(len(sound)):
        damaged = bytearray(sound)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(UnsoundFileError):
            read_file(path)
    path.write_bytes(sound + b"\0")
    with pytest.raises(UnsoundFileError, match="damaged"):
        read_file(path)
    path.write_bytes(sound)
    assert read_file(path).key == "key"


def test_a_foreign_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # 1 TiB of holes
    with pytest.raises(UnsoundFileError, match="not a file of structgen"):
        read_file(path)


def test_a_missing_file_and_a_folder_are_errors_of_the_system(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(OSError, match=r"No such file|Is a directory|denied"):
            read_file(path)


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(arrays.os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_file(tmp_path / "x.bin", "key", {}, ARRAYS)
    assert os.listdir(tmp_path) == []
