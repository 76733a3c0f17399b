"""Tokenizers trained and models made up on the spot: small enough for every mode of ``generate``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from structgen.vocab import Vocabulary

SPECIALS = ["<|pad|>", "<|end|>", "<|stop|>"]
CORPUS = [
    '{"name": "Zoë 🎉", "age": 41, "tags": ["a", "b"]}',
    "Tell me a story about the cat.",
    "[1, 22, 333]",
]
LONGER = [*CORPUS, '{"city": "Ulm", "population": 128000, "river": "the Danube"}' * 3]


@dataclass(frozen=True)
class Tiny:
    """A model of random weights over a tokenizer of its own."""

    model: Any
    tokenizer: Any
    vocabulary: Vocabulary

    def inputs(self, *prompts: str) -> Any:
        """Left-padded input ids and attention mask."""
        return self.tokenizer(list(prompts), return_tensors="pt", padding=True)

    def text(self, ids: Any) -> str:
        """The text of generated ids up to the first stop token; one that never stops is marked."""
        kept: list[bytes] = []
        for i in ids.tolist():
            if i in self.vocabulary.stop_token_ids:
                return b"".join(kept).decode()
            kept.append(self.vocabulary.bytes_of(i) or b"<special>")
        return b"".join(kept).decode(errors="replace") + "<unfinished>"


def tokenizer(corpus: list[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with three special tokens."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIALS, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, pad_token="<|pad|>", eos_token="<|end|>", padding_side="left"
    )


@lru_cache
def tiny(other: bool = False, width: int | None = None, seed: int = 0) -> Tiny:
    """A two-layer Llama; ``other`` takes another tokenizer, ``width`` the model's ``vocab_size``."""
    fast = tokenizer(LONGER if other else CORPUS, 330 if other else 300)
    ids = len(fast)
    config = LlamaConfig(
        vocab_size=width or ids,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=[1, 2],
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config).eval()
    vocabulary = Vocabulary.from_huggingface(fast, vocab_size=config.vocab_size, stop_token_ids=(1, 2))
    return Tiny(model, fast, vocabulary)
