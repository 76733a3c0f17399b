"""llama.cpp's grammars, through llama-cpp-python, on a vocabulary without a model.

llama.cpp reads a vocabulary from a GGUF file, so one is written that holds nothing else.
"""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from gguf import GGUFWriter, TokenType
from llama_cpp.llama_grammar import json_schema_to_gbnf

from . import Refused, Steps

CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def alphabet() -> list[str]:
    """The character that stands for each byte in a byte-level vocabulary."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    named = {b: chr(b) for b in printable} | {b: chr(256 + n) for n, b in enumerate(others)}
    return [named[b] for b in range(256)]


def write_vocabulary(words: Any, path: Path) -> None:
    """A GGUF file with a byte-level vocabulary and no tensors."""
    letters = alphabet()
    texts, types = [], []
    for i in range(words.size):
        text = words.bytes_of(i)
        texts.append("".join(letters[b] for b in text) if text else f"<|unused_{i}|>")
        types.append(TokenType.NORMAL if text else TokenType.CONTROL)
    writer = GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_token_merges([f"{letters[97]} {letters[97]}"])
    writer.add_eos_token_id(words.stop_token_ids[0])
    writer.add_bos_token_id(words.stop_token_ids[0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


class Adapter:
    """A mask is what its grammar sampler leaves of all candidates; a sampler is reset for each text."""

    settings = "llama_sampler_init_grammar on the whole vocabulary; schemas by json_schema_to_gbnf"

    def __init__(self, tokenizer: str, words: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocabulary.gguf"
            write_vocabulary(words, path)
            self.model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        self.vocab = llama_cpp.llama_model_get_vocab(self.model._model.model)
        self.stop = words.stop_token_ids[0]
        self.fresh = np.zeros(words.size, CANDIDATE)
        self.fresh["id"] = np.arange(words.size)
        self.row = self.fresh.copy()
        data = self.row.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        self.array = llama_cpp.llama_token_data_array(data=data, size=words.size, selected=-1, sorted=False)

    def compile(self, case: Any) -> Any:
        if case.kind not in ("json_schema", "json"):
            raise Refused("takes JSON Schema and GBNF only")
        try:
            grammar = json_schema_to_gbnf(case.text)
        except Exception as error:  # whatever the translation meets
            raise Refused(f"{type(error).__name__}: {error}") from error
        sampler = llama_cpp.llama_sampler_init_grammar(self.vocab, grammar.encode(), b"root")
        if not sampler:
            raise Refused("llama_sampler_init_grammar refuses the grammar that was made of the schema")
        return sampler

    def start(self, compiled: Any) -> Steps:
        llama_cpp.llama_sampler_reset(compiled)
        row, fresh, array = self.row, self.fresh, self.array

        def fill() -> None:
            row[:] = fresh
            llama_cpp.llama_sampler_apply(compiled, ctypes.byref(array))

        def offers(token: int) -> bool:
            return bool(row["logit"][token] == 0)

        def accept(token: int) -> bool:
            if not offers(token):  # it would throw, which ends the process
                return False
            llama_cpp.llama_sampler_accept(compiled, token)
            return True

        return Steps(fill, offers, accept, lambda: offers(self.stop), (self.stop,))
