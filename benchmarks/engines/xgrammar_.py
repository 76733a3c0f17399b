"""XGrammar, in its default setting and in the one that takes what the schema means."""

from __future__ import annotations

from functools import partial
from typing import Any

import xgrammar
from transformers import PreTrainedTokenizerFast

from . import Refused, Steps

OPTIONS = {"default": {}, "compliant": {"any_whitespace": True, "strict_mode": False}}


class Adapter:
    """One thread; its compiler's cache is off, since no schema comes twice."""

    def __init__(self, tokenizer: str, vocabulary: Any, setting: str) -> None:
        self.options = OPTIONS[setting]
        said = ", ".join(f"{k}={v}" for k, v in self.options.items())
        self.settings = f"compile_json_schema({said}), max_threads=1"
        info = xgrammar.TokenizerInfo.from_huggingface(
            PreTrainedTokenizerFast(tokenizer_file=tokenizer),
            vocab_size=vocabulary.size,
            stop_token_ids=list(vocabulary.stop_token_ids),
        )
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.bitmask = xgrammar.allocate_token_bitmask(1, vocabulary.size)
        self.bits = memoryview(self.bitmask.numpy()[0])
        self.stops = tuple(vocabulary.stop_token_ids)

    def compile(self, case: Any) -> Any:
        try:
            if case.kind == "json_schema":
                return self.compiler.compile_json_schema(case.text, **self.options)
            return self.compiler.compile_lark(case.text)
        except Exception as error:  # its bindings raise several unrelated classes
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        matcher = xgrammar.GrammarMatcher(compiled)
        return Steps(
            partial(matcher.fill_next_token_bitmask, self.bitmask, 0),
            self.bits,
            matcher.accept_token,
            matcher.is_completed,
            self.stops,
        )
