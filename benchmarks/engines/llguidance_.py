"""llguidance: its matcher, the address of the mask bound once, its slices for JSON (the default)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer

from . import Refused, Steps, packed


class Adapter:
    """Default limits and slices; a text begins with ``reset``, which keeps what was computed."""

    settings = "defaults: flexible white space, default slices, one matcher reset for each text"

    def __init__(self, tokenizer: str, words: Any) -> None:
        self.stops = tuple(words.stop_token_ids)
        self.tokenizer = LLTokenizer(tokenizer, n_vocab=words.size, eos_token=list(self.stops))
        self.row = np.zeros(-(-words.size // 32), np.int32)
        self.offers = packed(memoryview(self.row))
        self.address = self.row.ctypes.data

    def _matcher(self, grammar: str) -> Any:
        matcher = LLMatcher(self.tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise Refused(matcher.get_error().split("<state>")[0].strip())
        return matcher

    def compile(self, case: Any) -> Any:
        try:
            if case.kind in ("json_schema", "json"):
                grammar = LLMatcher.grammar_from_json_schema(case.text)
            elif case.kind == "regex":
                grammar = LLMatcher.grammar_from_regex(case.text)
            else:
                grammar = LLMatcher.grammar_from_lark(case.text)
        except ValueError as error:
            raise Refused(str(error)) from error
        return [self._matcher(grammar), grammar, True]

    def start(self, compiled: Any) -> Steps:
        matcher, grammar, fresh = compiled
        if fresh:
            compiled[2] = False
        elif matcher.is_error():  # a refused token is for ever
            compiled[0] = matcher = self._matcher(grammar)
        else:
            matcher.reset()
        return Steps(
            partial(matcher.unsafe_compute_mask_ptr, self.address, self.row.nbytes),
            self.offers,
            matcher.consume_token,
            matcher.is_accepting,
            self.stops,
        )
