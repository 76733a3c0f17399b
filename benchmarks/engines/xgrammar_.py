"""XGrammar, in its default setting and in the one that takes what the schema means."""

from __future__ import annotations

from functools import partial
from typing import Any

import xgrammar
from transformers import PreTrainedTokenizerFast

from . import Refused, Steps, packed

OPTIONS = {"default": {}, "compliant": {"any_whitespace": True, "strict_mode": False}}


class Adapter:
    """One thread; its compiler's cache is off, since no schema comes twice."""

    def __init__(self, tokenizer: str, words: Any, setting: str) -> None:
        self.options = OPTIONS[setting]
        said = ", ".join(f"{k}={v}" for k, v in self.options.items())
        self.settings = f"compile_json_schema({said}), max_threads=1"
        info = xgrammar.TokenizerInfo.from_huggingface(
            PreTrainedTokenizerFast(tokenizer_file=tokenizer),
            vocab_size=words.size,
            stop_token_ids=list(words.stop_token_ids),
        )
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.bitmask = xgrammar.allocate_token_bitmask(1, words.size)
        self.offers = packed(memoryview(self.bitmask.numpy()[0]))
        self.stops = tuple(words.stop_token_ids)

    def compile(self, case: Any) -> Any:
        try:
            if case.kind == "json_schema":
                return self.compiler.compile_json_schema(case.text, **self.options)
            if case.kind == "json":
                return self.compiler.compile_builtin_json_grammar()
            if case.kind == "regex":
                return self.compiler.compile_regex(case.text)
            return self.compiler.compile_lark(case.text)
        except Exception as error:  # its bindings raise several unrelated classes
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        matcher = xgrammar.GrammarMatcher(compiled)
        return Steps(
            partial(matcher.fill_next_token_bitmask, self.bitmask, 0),
            self.offers,
            matcher.accept_token,
            matcher.is_completed,
            self.stops,
        )
