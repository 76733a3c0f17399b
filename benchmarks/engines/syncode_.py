"""SynCode: masks per terminal, and lark's parser on the whole text at each step."""

from __future__ import annotations

from typing import Any

import torch
from syncode.grammar_mask.grammar_constrainer import GrammarConstrainer
from syncode.mask_store.byte_tokenizer import ByteTokenizer
from syncode.parsers.grammars import Grammar
from transformers import PreTrainedTokenizerFast

from . import Refused, Steps

OWN = {"json": "json", "python": "python", "sql": "sql"}


class Adapter:
    """A mask is what its logits processor leaves of scores; taking a token is part of the next mask."""

    settings = "mode grammar_mask (its default), its own grammars of JSON, SQL and Python, masks kept on disk"

    def __init__(self, tokenizer: str, words: Any) -> None:
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer)
        self.stop = words.stop_token_ids[0]
        self.tokenizer.eos_token = self.tokenizer.convert_ids_to_tokens(self.stop)
        self.bytes = ByteTokenizer(self.tokenizer)
        self.scores = torch.zeros(1, words.size)

    def compile(self, case: Any) -> Any:
        if case.kind in ("json_schema", "regex"):
            raise Refused("takes Lark grammars only")
        try:
            return GrammarConstrainer(
                Grammar(OWN.get(case.language, case.text)),
                self.tokenizer,
                self.bytes,
                mode="grammar_mask",
                indent=case.language == "python",
            )
        except Exception as error:  # lark's and its own
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        compiled.reset()
        written = [[self.stop]]  # the prompt; what comes after it is parsed
        scores = self.scores

        def fill() -> None:
            scores.zero_()
            compiled.mask_scores(torch.tensor(written), scores)

        def offers(token: int) -> bool:
            return scores[0, token].item() == 0

        return Steps(fill, offers, written[0].append, lambda: offers(self.stop), (self.stop,))
