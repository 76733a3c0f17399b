"""GLRMask, with the mask strategy it chooses and with the one that compiles fastest."""

from __future__ import annotations

from functools import partial
from typing import Any

import glrmask
import numpy as np

from . import Refused, Steps, packed

STRATEGIES = {"auto": glrmask.MaskStrategy.AUTO, "trie": glrmask.MaskStrategy.TOKEN_TRIE}


class Adapter:
    """Stop tokens are no part of its masks (a grammar may add them): the end is ``is_accepting``."""

    def __init__(self, tokenizer: str, words: Any, strategy: str) -> None:
        self.strategy = STRATEGIES[strategy]
        self.settings = f"mask strategy {strategy}"
        self.vocabulary = glrmask.Vocab.from_id_to_bytes(
            {i: data for i in range(words.size) if (data := words.bytes_of(i))}
        )
        self.row = np.zeros(-(-words.size // 32), np.int32)
        self.offers = packed(memoryview(self.row))

    def compile(self, case: Any) -> Any:
        try:
            if case.kind in ("json_schema", "json"):
                grammar = glrmask.Grammar.from_json_schema(case.text)
            elif case.kind == "regex":
                grammar = glrmask.Grammar.from_lark(
                    "start: TEXT\nTEXT: /" + case.text.replace("/", "\\/") + "/"
                )
            else:
                grammar = glrmask.Grammar.from_lark(case.text)
            return grammar.compile(self.vocabulary, mask_strategy=self.strategy)
        except ValueError as error:
            raise Refused(str(error)) from error

    def start(self, compiled: Any) -> Steps:
        state = compiled.start()
        fill = partial(state.fill_mask, self.row)
        return Steps(fill, self.offers, state.commit_token, state.is_accepting, ())
