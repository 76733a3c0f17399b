"""The default model and a schema, in every mode of ``generate``: all outputs are valid."""

from __future__ import annotations

import json
import warnings
from typing import Any

import jsonschema
import pytest
import torch
import transformers

import structgen
from structgen.generate.model import LoadedModel
from structgen.transformers import GrammarLogitsProcessor, GrammarWarning

from .tiny import tiny

pytestmark = pytest.mark.model

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "likes": {"enum": ["tea", "coffee", None]},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
POINT = {
    "type": "array",
    "items": {"type": "integer", "minimum": -99, "maximum": 99},
    "minItems": 2,
    "maxItems": 3,
}
PROMPTS = ["Invent a person.", "Who was the first man on the moon, and how old was he?", "Hi"]
ROOM = 80


class Writer:
    """The model with the grammars compiled for it."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.model, self.tokenizer = loaded.model, loaded.tokenizer
        self.tokenizer.padding_side = "left"
        self.vocabulary = structgen.Vocabulary.from_huggingface(
            loaded.tokenizer, vocab_size=loaded.vocab_size, stop_token_ids=loaded.stop_token_ids
        )
        self.person = self.compile(PERSON)
        self.point = self.compile(POINT)

    def compile(self, schema: dict[str, Any]) -> structgen.CompiledGrammar:
        grammar = structgen.Grammar.from_json_schema(schema, whitespace="dumps")
        return structgen.compile(grammar, self.vocabulary)

    def chat(self, *prompts: str) -> list[str]:
        return [
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": p}], add_generation_prompt=True, tokenize=False
            )
            for p in prompts
        ]

    def write(self, processor: GrammarLogitsProcessor, *prompts: str, **options: Any) -> list[str]:
        inputs = self.tokenizer(self.chat(*prompts), return_tensors="pt", padding=True)
        torch.manual_seed(5)
        ids = self.model.generate(
            **inputs, logits_processor=[processor], max_new_tokens=ROOM, pad_token_id=2, **options
        )
        return [
            self.tokenizer.decode(row[inputs.input_ids.shape[1] :], skip_special_tokens=True) for row in ids
        ]


@pytest.fixture(scope="module")
def writer(default_model: LoadedModel) -> Writer:
    return Writer(default_model)


@pytest.fixture(autouse=True)
def _no_warning() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", GrammarWarning)
        yield


def helper() -> Any:
    """A small model of random weights with the default model's tokenizer."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=2,
        eos_token_id=2,
    )
    return transformers.LlamaForCausalLM(config).eval()


MODES: dict[str, tuple[int, dict[str, Any]]] = {
    "greedy": (1, {"do_sample": False}),
    "sampling": (1, {"do_sample": True, "temperature": 1.0}),
    "batch, left padding": (3, {"do_sample": False}),
    "several sequences": (1, {"do_sample": True, "num_return_sequences": 4}),
    "beam search": (2, {"num_beams": 3, "num_return_sequences": 3}),
    "beam sampling": (1, {"num_beams": 3, "do_sample": True}),
    "prompt lookup": (1, {"prompt_lookup_num_tokens": 4}),
    "prompt lookup, sampled": (1, {"prompt_lookup_num_tokens": 4, "do_sample": True}),
    "assistant, itself": (1, {"assistant": "itself"}),
    "assistant, same tokenizer": (1, {"assistant": "small"}),
    "assistant, same tokenizer, sampled": (1, {"assistant": "small", "do_sample": True}),
    "assistant, other tokenizer": (1, {"assistant": "other"}),
    "assistant, other tokenizer, sampled": (1, {"assistant": "other", "do_sample": True}),
    "static cache": (2, {"cache_implementation": "static"}),
}


def run_mode(writer: Writer, mode: str) -> list[str]:
    count, options = MODES[mode]
    options = dict(options)
    match options.pop("assistant", None):
        case "itself":
            options["assistant_model"] = writer.model
        case "small":
            options["assistant_model"] = helper()
        case "other":
            other = tiny.__wrapped__(other=True)
            options |= {
                "assistant_model": other.model,
                "tokenizer": writer.tokenizer,
                "assistant_tokenizer": other.tokenizer,
            }
    processor = GrammarLogitsProcessor(writer.person, vocab_size=49152)
    return writer.write(processor, *PROMPTS[:count], **options)


@pytest.mark.parametrize("mode", MODES)
def test_mode(writer: Writer, mode: str) -> None:
    texts = run_mode(writer, mode)
    count, options = MODES[mode]
    assert len(texts) == count * options.get("num_return_sequences", 1)
    for text in texts:
        jsonschema.validate(json.loads(text), PERSON)


def test_one_grammar_for_each_row(writer: Writer) -> None:
    texts = writer.write(GrammarLogitsProcessor([writer.person, writer.point]), *PROMPTS[:2])
    for text, schema in zip(texts, (PERSON, POINT), strict=True):
        jsonschema.validate(json.loads(text), schema)


def test_pipeline_and_the_next_call(writer: Writer) -> None:
    pipe = transformers.pipeline("text-generation", model=writer.model, tokenizer=writer.tokenizer)
    processor = GrammarLogitsProcessor(writer.person)
    for prompts, batch in ((PROMPTS[:1], 1), (PROMPTS, 2)):
        answers = pipe(
            writer.chat(*prompts),
            logits_processor=[processor],
            return_full_text=False,
            max_new_tokens=ROOM,
            batch_size=batch,
        )
        for answer in answers:
            jsonschema.validate(json.loads(answer[0]["generated_text"]), PERSON)
