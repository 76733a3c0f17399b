"""Every mode of ``generate`` that calls processors, on tiny models: each output belongs to the language."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any

import pytest
import torch
import transformers

import structgen
from structgen.transformers import GrammarLogitsProcessor, GrammarWarning

from .tiny import Tiny, tiny

DOCUMENTS = [
    json.dumps({"name": name, "age": age, "tags": tags}, ensure_ascii=False)
    for name, age, tags in itertools.product(["Zoë 🎉", "Al"], [4, 41], [[], ["a"], ["a", "b"]])
]
PROMPTS = ["Tell me a story about the cat.", "Who?", "A list: [1, 22, 333]"]
ROOM = 120


@pytest.fixture(scope="module")
def host() -> Tiny:
    return tiny()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


def language(texts: list[str], host: Tiny) -> structgen.CompiledGrammar:
    """The compiled grammar of exactly these texts."""
    return structgen.compile(structgen.Grammar.from_choices(texts), host.vocabulary)


def write(host: Tiny, processor: Any, *prompts: str, **options: Any) -> list[str]:
    """Generate with warnings of the processor as errors, and cut the answers out."""
    inputs = host.inputs(*prompts)
    processors = processor if isinstance(processor, list) else [processor]
    with warnings.catch_warnings():
        warnings.simplefilter("error", GrammarWarning)
        ids = host.model.generate(**inputs, logits_processor=processors, max_new_tokens=ROOM, **options)
    return [host.text(row[inputs.input_ids.shape[1] :]) for row in ids]


MODES: dict[str, tuple[int, dict[str, Any]]] = {
    "greedy": (1, {"do_sample": False}),
    "greedy, left-padded batch": (3, {"do_sample": False}),
    "sampling": (3, {"do_sample": True, "temperature": 1.5}),
    "several returned sequences": (2, {"do_sample": True, "num_return_sequences": 5}),
    "beam search": (2, {"num_beams": 4, "num_return_sequences": 4}),
    "beam sampling": (2, {"num_beams": 4, "do_sample": True, "temperature": 2.0}),
    "prompt lookup": (1, {"prompt_lookup_num_tokens": 5}),
    "prompt lookup, sampled": (1, {"prompt_lookup_num_tokens": 5, "do_sample": True}),
    "static cache": (3, {"cache_implementation": "static"}),
    "repetition penalty": (2, {"repetition_penalty": 1.3}),
    "warpers": (2, {"do_sample": True, "top_k": 1, "top_p": 0.1, "min_p": 0.9}),
    "renormalised": (2, {"do_sample": True, "renormalize_logits": True}),
}


@pytest.mark.parametrize("mode", MODES)
def test_mode(host: Tiny, mode: str) -> None:
    count, options = MODES[mode]
    written = write(host, GrammarLogitsProcessor(language(DOCUMENTS, host)), *PROMPTS[:count], **options)
    assert len(written) == count * options.get("num_return_sequences", 1)
    assert set(written) <= set(DOCUMENTS)


@pytest.mark.parametrize("do_sample", [False, True])
@pytest.mark.parametrize("assistant", ["itself", "same tokenizer", "other tokenizer"])
@pytest.mark.parametrize("known_width", [False, True])
def test_assistant(host: Tiny, assistant: str, do_sample: bool, known_width: bool) -> None:
    if (
        assistant == "other tokenizer"
    ):  # Made anew: transformers prunes the head of such an assistant in place.
        helper = tiny.__wrapped__(other=True)
    else:
        helper = host if assistant == "itself" else tiny(seed=1)
    processor = GrammarLogitsProcessor(
        language(DOCUMENTS, host),
        vocab_size=host.model.config.vocab_size if known_width else None,
    )
    both = {"tokenizer": host.tokenizer, "assistant_tokenizer": helper.tokenizer}
    written = write(
        host,
        processor,
        PROMPTS[0],
        do_sample=do_sample,
        assistant_model=helper.model,
        **(both if assistant == "other tokenizer" else {}),
    )
    assert set(written) <= set(DOCUMENTS)


def test_drafts_change_no_greedy_text(host: Tiny) -> None:
    plain = write(host, GrammarLogitsProcessor(language(DOCUMENTS, host)), PROMPTS[0])
    for options in ({"prompt_lookup_num_tokens": 5}, {"assistant_model": tiny(seed=1).model}):
        assert write(host, GrammarLogitsProcessor(language(DOCUMENTS, host)), PROMPTS[0], **options) == plain


def test_one_grammar_for_each_row(host: Tiny) -> None:
    grammars = [language([text], host) for text in DOCUMENTS[:3]]
    for options in (
        {},
        {"num_beams": 2, "num_return_sequences": 2},
        {"do_sample": True, "num_return_sequences": 2},
    ):
        written = write(host, GrammarLogitsProcessor(grammars), *PROMPTS, **options)
        copies = options.get("num_return_sequences", 1)
        assert written == [text for text in DOCUMENTS[:3] for _ in range(copies)]


def test_one_prompt_in_several_rows_of_different_grammars(host: Tiny) -> None:
    grammars = [language([text], host) for text in DOCUMENTS[:2]]
    assert write(host, GrammarLogitsProcessor(grammars), PROMPTS[0], PROMPTS[0]) == DOCUMENTS[:2]


def test_used_again(host: Tiny) -> None:
    processor = GrammarLogitsProcessor(language(DOCUMENTS, host))
    for prompts in ([PROMPTS[0]], [PROMPTS[0]], PROMPTS, PROMPTS[:2], [PROMPTS[1]]):
        assert set(write(host, processor, *prompts, do_sample=True)) <= set(DOCUMENTS)


def test_next_turn_that_begins_with_the_last_answer(host: Tiny) -> None:
    processor = GrammarLogitsProcessor(language(DOCUMENTS, host))
    prompt = PROMPTS[0]
    for _ in range(3):
        [answer] = write(host, processor, prompt)
        assert answer in DOCUMENTS
        prompt += answer + " And then?"


def test_prompt_one_token_longer_than_the_last(host: Tiny) -> None:
    processor = GrammarLogitsProcessor(language(DOCUMENTS, host))
    prompt = "Tell me"
    for _ in range(3):
        assert write(host, processor, prompt)[0] in DOCUMENTS
        prompt += "!"


def test_answer_cut_short_is_continued(host: Tiny) -> None:
    """A prompt that is an earlier row goes on where that row was left."""
    processor = GrammarLogitsProcessor(language(DOCUMENTS[:1], host))
    inputs = host.inputs(PROMPTS[0])
    start = inputs.input_ids.shape[1]
    ids = host.model.generate(**inputs, logits_processor=[processor], max_new_tokens=5)
    ids = host.model.generate(
        ids, attention_mask=torch.ones_like(ids), logits_processor=[processor], max_new_tokens=ROOM
    )
    assert host.text(ids[0, start:]) == DOCUMENTS[0]
    processor.reset()
    again = host.model.generate(
        ids[:, :-1],
        attention_mask=torch.ones_like(ids[:, :-1]),
        logits_processor=[processor],
        max_new_tokens=ROOM,
    )
    assert host.text(again[0, ids.shape[1] - 1 :]) == DOCUMENTS[0]


def test_pipeline(host: Tiny) -> None:
    pipe = transformers.pipeline("text-generation", model=host.model, tokenizer=host.tokenizer)
    processor = GrammarLogitsProcessor(language(DOCUMENTS, host))
    answers = pipe(PROMPTS, logits_processor=[processor], return_full_text=False, max_new_tokens=ROOM)
    assert {answer[0]["generated_text"] for answer in answers} <= set(DOCUMENTS)


def test_bfloat16(host: Tiny) -> None:
    model = tiny(seed=3).model.to(torch.bfloat16)
    other = Tiny(model, host.tokenizer, host.vocabulary)
    written = write(other, GrammarLogitsProcessor(language(DOCUMENTS, host)), *PROMPTS)
    assert set(written) <= set(DOCUMENTS)


def test_logits_wider_than_the_vocabulary(host: Tiny) -> None:
    wide = tiny(width=host.vocabulary.size + 77)
    narrow = Tiny(wide.model, host.tokenizer, host.vocabulary)
    written = write(narrow, GrammarLogitsProcessor(language(DOCUMENTS, host)), *PROMPTS, do_sample=True)
    assert set(written) <= set(DOCUMENTS)


@pytest.mark.parametrize(
    "taken",
    [
        {"no_repeat_ngram_size": 2},
        {"min_new_tokens": 110},
        {"suppress_tokens": "quotes"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_processors_that_take_the_legal_tokens(host: Tiny, taken: dict[str, Any]) -> None:
    if taken.get("suppress_tokens"):
        quotes = [i for i, b in enumerate(host.vocabulary.token_bytes) if b and (b'"' in b or b"{" in b)]
        taken = {"suppress_tokens": quotes}
    processor = GrammarLogitsProcessor(language(DOCUMENTS, host))
    inputs = host.inputs(*PROMPTS)
    with pytest.warns(GrammarWarning, match="another logits processor forbade") as caught:
        ids = host.model.generate(
            **inputs, logits_processor=[processor], max_new_tokens=ROOM, do_sample=True, **taken
        )
    assert len([w for w in caught if w.category is GrammarWarning]) == 1
    assert {host.text(row[inputs.input_ids.shape[1] :]) for row in ids} <= set(DOCUMENTS)


class Force(transformers.LogitsProcessor):
    """Force one token, whatever the grammar says."""

    def __init__(self, token: int, length: int) -> None:
        self.token, self.length = token, length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if input_ids.shape[1] == self.length:
            scores = torch.full_like(scores, -torch.inf)
            scores[:, self.token] = 0
        return scores


def test_forced_token_outside_the_grammar_ends_the_row(host: Tiny) -> None:
    inputs = host.inputs(*PROMPTS[:2])
    start = inputs.input_ids.shape[1]
    force = Force(host.tokenizer.encode("?")[0], start + 2)
    processor = GrammarLogitsProcessor(language(DOCUMENTS, host))
    with pytest.warns(GrammarWarning, match="holds a token that the grammar does not allow"):
        ids = host.model.generate(**inputs, logits_processor=[processor, force], max_new_tokens=ROOM)
    assert ids.shape[1] == start + 4
    assert all(int(row[-1]) in host.vocabulary.stop_token_ids for row in ids)


def test_beams_fill_up_without_noise(host: Tiny) -> None:
    """Fewer texts than beams: the list is filled with beams of probability zero, behind the real ones."""
    processor = GrammarLogitsProcessor(language(["yes"], host))
    written = write(host, processor, PROMPTS[0], num_beams=6, num_return_sequences=1)
    assert written == ["yes"]
