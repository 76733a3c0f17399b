"""GRID (grid-guardrail) with its kernels in Rust (grid_core), used as its vLLM backend uses it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from grid.grammar import spec
from grid.grammar.projection import RoleProjection
from grid.guide import GridGuide
from grid.jsonschema import compile_json_schema
from grid.models.hf_adapter import HFTokenizerAdapter
from grid.serving.artifact_store import load_or_build_scanner, load_or_compile_tables
from grid.trie.build import build_trie
from transformers import PreTrainedTokenizerFast

from . import Refused, Steps, packed


class Adapter:
    """Default mode: what it does not enforce it records. Grammars are of a language of its own."""

    settings = "default mode (unenforced keywords are recorded), fill_bitmask, grid_core's kernels"

    def __init__(self, tokenizer: str, words: Any) -> None:
        loaded = PreTrainedTokenizerFast(tokenizer_file=tokenizer)
        self.stop = words.stop_token_ids[0]
        loaded.eos_token = loaded.convert_ids_to_tokens(self.stop)
        self.adapter = HFTokenizerAdapter(loaded)
        self.trie = build_trie(self.adapter)
        self.row = np.zeros(-(-words.size // 32), np.uint32)
        self.offers = packed(memoryview(self.row))

    def compile(self, case: Any) -> Any:
        if case.kind not in ("json_schema", "json"):
            raise Refused("grammars are written in a language of its own")
        try:
            source, _ = compile_json_schema(json.loads(case.text))
            grammar = spec.load(source)
            tables = load_or_compile_tables(RoleProjection.full(grammar).build())
            dfa = load_or_build_scanner(grammar)
            return GridGuide(tables=tables, dfa=dfa, trie=self.trie, adapter=self.adapter)
        except Exception as error:  # its own, conflicts of its tables, budgets
            raise Refused(f"{type(error).__name__}: {error}") from error

    def start(self, compiled: Any) -> Steps:
        state = [compiled.initial_state]

        def fill() -> None:
            compiled.fill_bitmask(state[0], self.row)

        def accept(token: int) -> bool:
            if not self.offers(token):
                return False
            state[0] = compiled.get_next_state(state[0], token)
            return True

        return Steps(fill, self.offers, accept, lambda: compiled.can_terminate_state(state[0]), (self.stop,))
