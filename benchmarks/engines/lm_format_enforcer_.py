"""lm-format-enforcer: a parser of characters walked along a trie of the vocabulary, in Python."""

from __future__ import annotations

import json
from typing import Any

from lmformatenforcer import JsonSchemaParser, RegexParser, TokenEnforcer
from lmformatenforcer.integrations.transformers import build_token_enforcer_tokenizer_data
from transformers import PreTrainedTokenizerFast

from . import Refused, Steps


class Adapter:
    """A mask is its list of allowed ids, made when the token before is known: accept only notes the token."""

    settings = "as its transformers integration: lists of ids; taking a token is part of the next mask"

    def __init__(self, tokenizer: str, words: Any) -> None:
        loaded = PreTrainedTokenizerFast(tokenizer_file=tokenizer)
        loaded.eos_token = loaded.convert_ids_to_tokens(words.stop_token_ids[0])
        self.stop = words.stop_token_ids[0]
        self.data = build_token_enforcer_tokenizer_data(loaded)

    def compile(self, case: Any) -> Any:
        if case.kind == "lark":
            raise Refused("takes no grammars")
        try:
            if case.kind == "regex":
                return RegexParser(case.text)
            return JsonSchemaParser(json.loads(case.text) or None)
        except Exception as error:  # what its models and interegular raise has no common class
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        enforcer = TokenEnforcer(self.data, compiled)
        written: list[int] = []
        allowed: list[Any] = [None]

        def fill() -> None:
            allowed[0] = enforcer.get_allowed_tokens(written)

        def offers(token: int) -> bool:
            return bool(allowed[0].is_token_allowed(token))

        return Steps(fill, offers, written.append, lambda: offers(self.stop), (self.stop,))
