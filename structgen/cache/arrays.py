"""A file format for arrays: one read, one checksum, nothing that runs.

A file must never be believed when it is wrong. So it says what it is for (its key is repeated inside) and
carries a SHA-256 of everything after its first line; one that is damaged, cut short, or of another kind, key
or version is refused as a whole. It is written under another name and renamed, so that no reader sees half
of one.

``.npz`` would do, but its archive layer and checksum cost several times the read itself, it can hold
pickles, and its arrays are copied once more. Mapping the file into memory would spare the read, 0.1 ms for
2 MB, and not the checksum, 1.1 ms, which touches every byte anyway.

    first line | SHA-256 of the rest | length of the header | header: JSON, key, meta, arrays | arrays
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MAGIC = b"structgen arrays 1\n"
_DIGEST = hashlib.sha256().digest_size
_ALIGN = 64
_DTYPES = frozenset({"|b1", "|u1", "<i2", "<u4", "<i4", "<u8", "<i8"})

TEMPORARY = ".tmp"
"""How the names of files end that are still being written."""


class UnsoundFileError(Exception):
    """A file is not what `write_file` writes, or no longer; the message is the rest of a sentence."""


@dataclass(frozen=True)
class Content:
    """What a sound file holds.

    key : what it is for
    meta : JSON
    arrays : writable, C-contiguous and aligned; they share one buffer
    """

    key: str
    meta: dict[str, Any]
    arrays: dict[str, Array]


def read_file(path: Path) -> Content:
    """Read what `write_file` wrote.

    Raises OSError when there is no such file, `UnsoundFileError` when it is of another kind or damaged.
    """
    with path.open("rb") as file:
        # Whatever else is a file of any size: it is not read whole to learn that.
        if file.read(len(_MAGIC)) != _MAGIC:
            raise UnsoundFileError("is not a file of structgen, or of another version of it")
        file.seek(0)
        raw = np.fromfile(file, np.uint8)
    body = len(_MAGIC) + _DIGEST
    if len(raw) < body + 8 or hashlib.sha256(raw[body:].data).digest() != raw[len(_MAGIC) : body].tobytes():
        raise UnsoundFileError("is damaged: its checksum is not that of its content")
    # From here on the file is one that was written whole.
    start = body + 8
    header_end = start + int(raw[body:start].view("<u8")[0])
    header = json.loads(raw[start:header_end].tobytes())
    arrays = {}
    for name, dtype, shape, offset in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        arrays[name] = raw[offset : offset + count].view(dtype).reshape(shape)
    return Content(header["key"], header["meta"], arrays)


def write_file(path: Path, key: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> int:
    """Write ``meta`` (JSON) and ``arrays`` (bool, uint8, and integers of 2, 4 or 8 bytes) under ``key``.

    Returns the number of bytes. Raises OSError, and leaves nothing behind, when folder or disk do not allow
    it; TypeError for another dtype.
    """
    for name, array in arrays.items():
        if array.dtype.str not in _DTYPES:
            raise TypeError(f"array {name!r} has dtype {array.dtype}, which this format does not hold")

    def header_for(start: int) -> tuple[bytes, list[int]]:
        listed, offsets = [], []
        for name, array in arrays.items():
            start += -start % _ALIGN
            offsets.append(start)
            listed.append([name, array.dtype.str, array.shape, start])
            start += array.nbytes
        return json.dumps({"key": key, "meta": dict(meta), "arrays": listed}).encode(), offsets

    # Offsets are written into the header whose length they depend on: leave room for their digits.
    prefix = len(_MAGIC) + _DIGEST + 8
    room = len(header_for(0)[0]) + 20 * (len(arrays) + 1)
    header, offsets = header_for(prefix + room)
    parts: list[Any] = [room.to_bytes(8, "little"), header.ljust(room)]
    position = prefix + room
    for array, offset in zip(arrays.values(), offsets, strict=True):
        parts += [bytes(offset - position), np.ascontiguousarray(array).reshape(-1).view(np.uint8).data]
        position = offset + array.nbytes
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f"{path.name}.", suffix=TEMPORARY, delete=False
        ) as file:
            temporary = file.name
            file.write(_MAGIC + digest.digest())
            file.writelines(parts)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise
    return position
