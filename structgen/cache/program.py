"""What a program is, as a digest: part of the name of whatever is kept of what it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def program_digest(files: Iterable[Path]) -> bytes:
    """BLAKE2b over the contents of these files, 32 bytes. Whoever asks remembers it."""
    h = hashlib.blake2b(digest_size=32)
    for path in files:
        h.update(path.read_bytes())
    return h.digest()
