"""The folder for what is worth keeping between processes, and a file format for arrays in it.

A cache must never be believed when it is wrong and never be in the way when it cannot be had. So a file
says what it is for (its key is repeated inside) and carries a SHA-256 of everything after its first line;
one that is damaged, truncated, or of another kind, key or version reads as absent. It is written under
another name and renamed, so that no reader sees half of one; a folder that cannot be written to means
that nothing is kept.

``.npz`` would do, but its archive layer and checksum cost several times the read itself, it can hold
pickles, and its arrays are copied once more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

Array = npt.NDArray[Any]

_MAGIC = b"structgen arrays 1\n"
_DIGEST = hashlib.sha256().digest_size
_ALIGN = 64
_DTYPES = frozenset({"|b1", "|u1", "<u4", "<i4", "<u8", "<i8"})


def cache_dir() -> Path:
    """The folder for kept files: ``$STRUCTGEN_CACHE``, else the platform's for users. It need not exist."""
    named = os.environ.get("STRUCTGEN_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("structgen", appauthor=False)


def read_arrays(path: Path, key: str) -> tuple[dict[str, Any], dict[str, Array]] | None:
    """Read what :func:`write_arrays` wrote under the same key; ``None`` when there is no such sound file.

    The arrays are writable, C-contiguous and aligned; they share one buffer.
    """
    try:
        raw = np.fromfile(path, np.uint8)
    except OSError:
        return None
    body = len(_MAGIC) + _DIGEST
    if len(raw) < body + 8 or raw[: len(_MAGIC)].tobytes() != _MAGIC:
        return None
    if hashlib.sha256(raw[body:].data).digest() != raw[len(_MAGIC) : body].tobytes():
        return None
    # From here on the file is one that was written whole; it may still be of another key.
    start = body + 8
    header_end = start + int(raw[body:start].view("<u8")[0])
    header = json.loads(raw[start:header_end].tobytes())
    if header["key"] != key:
        return None
    arrays = {}
    for name, dtype, shape, offset in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        arrays[name] = raw[offset : offset + count].view(dtype).reshape(shape)
    return header["meta"], arrays


def write_arrays(path: Path, key: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> bool:
    """Keep ``meta`` (JSON) and ``arrays`` (bool, uint8, and integers of 4 or 8 bytes) under ``key``.

    Returns False, and leaves nothing behind, when the folder or the disk does not allow it.
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
    parts = [room.to_bytes(8, "little"), header.ljust(room)]
    position = prefix + room
    for array, offset in zip(arrays.values(), offsets, strict=True):
        parts += [bytes(offset - position), np.ascontiguousarray(array).tobytes()]
        position = offset + array.nbytes
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(_MAGIC + digest.digest())
            file.writelines(parts)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        return False
    return True
