"""structgen, as its README uses it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import structgen

from . import Refused, Steps, packed

GRAMMARS = Path(__file__).resolve().parents[2] / "grammars"


class Adapter:
    """One thread, default limits; kernels compiled before."""

    settings = "defaults: white space up to 64, properties in any order, formats asserted"

    def __init__(self, tokenizer: str, words: Any) -> None:
        self.vocabulary = structgen.Vocabulary.from_huggingface(tokenizer)
        self.bitmask = structgen.allocate_token_bitmask(1, self.vocabulary.size)
        self.offers = packed(memoryview(self.bitmask[0]))
        structgen.warmup()

    def compile(self, case: Any) -> Any:
        try:
            if case.kind in ("json_schema", "json"):
                grammar = structgen.Grammar.from_json_schema(case.text)
            elif case.kind == "regex":
                grammar = structgen.Grammar.from_regex(case.text)
            else:
                grammar = structgen.Grammar.from_lark(case.text, lexing=case.lexing, base_path=GRAMMARS)
            return structgen.compile(grammar, self.vocabulary)
        except structgen.StructgenError as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        matcher = compiled.matcher()
        return Steps(
            partial(matcher.fill_next_token_bitmask, self.bitmask),
            self.offers,
            matcher.accept_token,
            matcher.is_accepting,
            self.vocabulary.stop_token_ids,
        )
