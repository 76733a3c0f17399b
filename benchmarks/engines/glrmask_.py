"""GLRMask, with the mask strategy it chooses and with the one that compiles fastest."""

from __future__ import annotations

from functools import partial
from typing import Any

import glrmask
import numpy as np

from . import Refused, Steps

STRATEGIES = {"auto": glrmask.MaskStrategy.AUTO, "trie": glrmask.MaskStrategy.TOKEN_TRIE}


class Adapter:
    """Stop tokens are no part of its masks (a grammar may add them): the end is ``is_accepting``."""

    def __init__(self, tokenizer: str, vocabulary: Any, strategy: str) -> None:
        self.strategy = STRATEGIES[strategy]
        self.settings = f"mask strategy {strategy}"
        self.vocabulary = glrmask.Vocab.from_id_to_bytes(
            {i: data for i in range(vocabulary.size) if (data := vocabulary.bytes_of(i))}
        )
        self.row = np.zeros(-(-vocabulary.size // 32), np.int32)
        self.bits = memoryview(self.row)

    def compile(self, case: Any) -> Any:
        try:
            if case.kind == "json_schema":
                grammar = glrmask.Grammar.from_json_schema(case.text)
            else:
                grammar = glrmask.Grammar.from_lark(case.text)
            return grammar.compile(self.vocabulary, mask_strategy=self.strategy)
        except ValueError as error:
            raise Refused(str(error)) from error

    def start(self, compiled: Any) -> Steps:
        state = compiled.start()
        fill = partial(state.fill_mask, self.row)
        return Steps(fill, self.bits, state.commit_token, state.is_accepting, ())
