"""Streaming: text goes out as it is written, whole characters at a time, and the end is reported."""

from __future__ import annotations

import pytest

import structgen
from structgen.errors import ModelError
from structgen.generate.model import LoadedModel
from structgen.generate.run import Sampling, TextDecoder, Traced, encode_prompt, write
from structgen.vocab import Vocabulary

from .tiny import Tiny, tiny

TEXTS = ['{"name": "Zoë 🎉"}', '{"name": "Al"}']


@pytest.fixture(scope="module")
def host() -> Tiny:
    return tiny()


@pytest.fixture(scope="module")
def loaded(host: Tiny) -> LoadedModel:
    return LoadedModel("tiny", host.model, host.tokenizer)


def language(texts: list[str], host: Tiny) -> structgen.CompiledGrammar:
    return structgen.compile(structgen.Grammar.from_choices(texts), host.vocabulary)


def test_characters_of_several_tokens_come_whole() -> None:
    vocabulary = Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
    decoder = TextDecoder(vocabulary)
    assert [decoder.push(b) for b in "aé🎉".encode()] == ["a", "", "é", "", "", "", "🎉"]
    assert decoder.push(256) == ""
    assert decoder.push(0xC3) == ""
    assert decoder.finish() == "�"


def test_first_space_of_a_tokenizer_that_strips_it_stays() -> None:
    vocabulary = Vocabulary([b" a", b" b", None], (2,), strips_first_space=True)
    decoder = TextDecoder(vocabulary)
    assert decoder.push(0) + decoder.push(1) + decoder.finish() == " a b"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_pieces_are_the_text(host: Tiny, loaded: LoadedModel, temperature: float) -> None:
    inputs, templated = encode_prompt(loaded, "Who?")
    assert not templated
    pieces: list[str] = []
    traced: list[Traced] = []
    written = write(
        loaded,
        language(TEXTS, host),
        inputs,
        Sampling(temperature, 100, seed=3),
        pieces.append,
        traced.append,
    )
    assert written.complete
    assert "".join(pieces) == written.text
    assert written.text in TEXTS
    assert len(pieces) > 3
    assert len(traced) == written.tokens
    assert [t.step.written for t in traced] == list(range(written.tokens))
    assert b"".join(t.data for t in traced if t.data is not None) == written.text.encode()
    assert traced[-1].data is None
    assert traced[-1].step.allowed == len(host.vocabulary.stop_token_ids)


def test_one_seed_one_text(host: Tiny, loaded: LoadedModel) -> None:
    inputs, _ = encode_prompt(loaded, "Who?")
    texts = [f"{i}" for i in range(1000)]

    def sample(seed: int) -> str:
        grammar = language(texts, host)
        return write(loaded, grammar, inputs, Sampling(1.0, 9, seed), lambda piece: None).text

    assert sample(5) == sample(5)
    assert len({sample(seed) for seed in range(8)}) > 1


def test_tokens_run_out(host: Tiny, loaded: LoadedModel) -> None:
    inputs, _ = encode_prompt(loaded, "Who?")
    written = write(loaded, language(TEXTS, host), inputs, Sampling(0.0, 3), lambda piece: None)
    assert not written.complete
    assert written.tokens == 3
    assert any(text.startswith(written.text) for text in TEXTS)


def test_prompt_in_the_chat_template(host: Tiny) -> None:
    chat = tiny.__wrapped__().tokenizer
    chat.chat_template = "{% for m in messages %}Q: {{ m['content'] }}\nA: {% endfor %}"
    loaded = LoadedModel("chat", host.model, chat)
    inputs, templated = encode_prompt(loaded, "Who?")
    assert templated
    assert chat.decode(inputs["input_ids"][0]) == "Q: Who?\nA: "
    inputs, templated = encode_prompt(loaded, "Who?", raw=True)
    assert not templated
    assert chat.decode(inputs["input_ids"][0]) == "Who?"


def test_broken_chat_template(host: Tiny) -> None:
    chat = tiny.__wrapped__().tokenizer
    chat.chat_template = "{{ raise_exception('system role missing') }}"
    with pytest.raises(ModelError, match="system role missing"):
        encode_prompt(LoadedModel("chat", host.model, chat), "Who?")


def test_empty_prompt_begins_with_a_special_token(loaded: LoadedModel) -> None:
    inputs, _ = encode_prompt(loaded, "")
    assert inputs["input_ids"].tolist() == [[1]]
