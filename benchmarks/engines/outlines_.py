"""outlines-core: a regular expression, and of it an index over the whole vocabulary before the first mask."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from outlines_core import Guide, Index, Vocabulary
from outlines_core.json_schema import build_regex_from_schema

from . import Refused, Steps, packed


class Adapter:
    """JSON Schema by its own translation, which unrolls recursion three deep; one stop token."""

    settings = "build_regex_from_schema with its white space, Index, one Guide reset for each text"

    def __init__(self, tokenizer: str, words: Any) -> None:
        self.stop = words.stop_token_ids[0]
        ids: dict[bytes, list[int]] = {}
        for i in range(words.size):
            if text := words.bytes_of(i):
                ids.setdefault(text, []).append(i)
        self.vocabulary = Vocabulary(self.stop, ids)
        self.row = np.zeros(-(-words.size // 32), np.int32)
        self.offers = packed(memoryview(self.row))

    def compile(self, case: Any) -> Any:
        if case.kind == "lark":
            raise Refused("takes no grammars")
        try:
            pattern = case.text if case.kind == "regex" else build_regex_from_schema(case.text)
            return Guide(Index(pattern, self.vocabulary))
        except (ValueError, TypeError, BaseException) as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        compiled.reset()

        def accept(token: int) -> bool:
            try:
                compiled.advance(token, False)
            except ValueError:
                return False
            return True

        fill = partial(compiled.write_mask_into, self.row.ctypes.data, self.row.size, 4)
        return Steps(fill, self.offers, accept, compiled.is_finished, (self.stop,))
