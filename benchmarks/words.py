"""The exact bytes of every id, for engines that want them, in a file that needs no library to read.

structgen reads them from the tokenizer once; a peer's process, which has no structgen, reads the file.
"""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any


class Words:
    """Bytes by id; None where an id has no text (special tokens, holes)."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            head = json.loads(file.readline())
            lengths = array("i")
            lengths.fromfile(file, head["size"])
            text = file.read()
        self.size: int = head["size"]
        self.stop_token_ids: tuple[int, ...] = tuple(head["stops"])
        self._bytes: list[bytes | None] = []
        at = 0
        for length in lengths:
            self._bytes.append(text[at : at + length] if length >= 0 else None)
            at += max(length, 0)

    def bytes_of(self, token: int) -> bytes | None:
        """What an id writes."""
        return self._bytes[token]


def write_words(vocabulary: Any, path: Path) -> None:
    """The file of a `structgen.Vocabulary`."""
    texts = [vocabulary.bytes_of(i) for i in range(vocabulary.size)]
    head = {"size": vocabulary.size, "stops": list(vocabulary.stop_token_ids)}
    with path.open("wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        array("i", [-1 if text is None else len(text) for text in texts]).tofile(file)
        file.write(b"".join(text or b"" for text in texts))
