"""structgen, as its README uses it."""

from __future__ import annotations

from functools import partial
from typing import Any

import structgen

from . import Refused, Steps


class Adapter:
    """One thread, default limits; kernels compiled before."""

    settings = "defaults: white space up to 64, properties in any order, formats asserted"

    def __init__(self, tokenizer: str, vocabulary: Any) -> None:
        self.vocabulary = vocabulary
        self.bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
        self.bits = memoryview(self.bitmask[0])
        structgen.warmup()

    def compile(self, case: Any) -> Any:
        try:
            if case.kind == "json_schema":
                grammar = structgen.Grammar.from_json_schema(case.text)
            else:
                grammar = structgen.Grammar.from_lark(case.text, lexing=case.lexing)
            return structgen.compile(grammar, self.vocabulary)
        except structgen.StructgenError as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        matcher = compiled.matcher()
        return Steps(
            partial(matcher.fill_next_token_bitmask, self.bitmask),
            self.bits,
            matcher.accept_token,
            matcher.is_accepting,
            self.vocabulary.stop_token_ids,
        )
