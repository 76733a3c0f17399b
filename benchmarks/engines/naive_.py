"""The naive way: ask the parser about every word of the vocabulary.

The parser is structgen's, one byte after another, so that what differs is the vocabulary's part alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Steps, packed
from .structgen_ import Adapter as Structgen


class Adapter(Structgen):
    """Each word is given to a fork of the matcher; nothing is remembered between masks."""

    settings = "structgen's parser, asked about each word of the vocabulary"

    def __init__(self, tokenizer: str, words: Any) -> None:
        super().__init__(tokenizer, words)
        self.words = [(i, text) for i in range(words.size) if (text := words.bytes_of(i))]
        self.row = np.zeros(-(-words.size // 32), np.int32)

    def start(self, compiled: Any) -> Steps:
        matcher = compiled.matcher()
        row, words, stops = self.row, self.words, self.vocabulary.stop_token_ids

        def fill() -> None:
            row[:] = 0
            allowed = [i for i, text in words if matcher.fork().accept_bytes(text)]
            if matcher.is_accepting():
                allowed += stops
            ids = np.array(allowed, np.int64)
            np.bitwise_or.at(row, ids >> 5, np.left_shift(1, ids & 31).astype(np.uint32).view(np.int32))

        return Steps(fill, packed(memoryview(row)), matcher.accept_token, matcher.is_accepting, stops)
