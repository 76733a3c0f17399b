"""transformers-cfg: a recogniser of characters, asked along a trie of the vocabulary, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast
from transformers_cfg.grammar_utils import IncrementalGrammarConstraint

from . import Refused, Steps

JSON = Path(__file__).with_name("json.ebnf")


class Adapter:
    """It takes grammars of its own EBNF only: JSON's is here."""

    settings = "IncrementalGrammarConstraint with a JSON grammar in its EBNF, full masks"

    def __init__(self, tokenizer: str, words: Any) -> None:
        # It knows a byte-level tokenizer of this class by a name alone, and asks the hub for GPT-2's.
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer, name_or_path="Meta-Llama-3")
        self.stop = words.stop_token_ids[0]
        self.tokenizer.eos_token = self.tokenizer.convert_ids_to_tokens(self.stop)
        self.compile_json()  # An engine that cannot do this need not be asked about each case.

    def compile_json(self) -> Any:
        """JSON in its EBNF, for the tokenizer."""
        return IncrementalGrammarConstraint(JSON.read_text("utf-8"), "root", self.tokenizer)

    def compile(self, case: Any) -> Any:
        if case.kind != "json":
            raise Refused("takes grammars of its own EBNF only")
        return self.compile_json()

    def start(self, compiled: Any) -> Steps:
        state = [compiled.string_recognizer.get_initial_parsing_state()]
        mask: list[Any] = [None]
        device = torch.device("cpu")

        def fill() -> None:
            mask[0] = compiled.filter_vocab(state[0], device)

        def offers(token: int) -> bool:
            return bool(mask[0][token])

        def accept(token: int) -> bool:
            if not offers(token):
                return False
            state[0] = compiled.update_state_with_single_token_seq([token], state[0])
            return True

        return Steps(fill, offers, accept, lambda: offers(self.stop), (self.stop,))
