"""tiktoken, tekken and sentencepiece, each held against its own decoder."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import pytest

from structgen.errors import VocabularyError
from structgen.vocab import Vocabulary
from structgen.vocab.proof import PROBES

PATTERN = r"'s|\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+| "
RANKS = {bytes([b]): b for b in range(256)} | {b"th": 256, b"the": 257, b"\xc3\xa9": 258, b"  ": 259}


@pytest.fixture
def encoding():
    tiktoken = pytest.importorskip("tiktoken")
    return tiktoken.Encoding(
        "tiny", pat_str=PATTERN, mergeable_ranks=RANKS, special_tokens={"<|endoftext|>": 270, "<|call|>": 272}
    )


def tekken(**changed: object) -> dict:
    vocabulary = [
        {"rank": rank, "token_bytes": base64.b64encode(text).decode(), "token_str": None}
        for text, rank in RANKS.items()
    ]
    config = {
        "pattern": PATTERN,
        "num_vocab_tokens": len(RANKS),
        "default_vocab_size": 20 + 258,
        "default_num_special_tokens": 20,
        "version": "v3",
    }
    return {"config": config, "vocab": vocabulary} | changed


@pytest.mark.parametrize("text", PROBES)
def test_tiktoken_encodes_as_itself(encoding, text: str) -> None:
    v = Vocabulary.from_tiktoken(encoding)
    ids = v.encode(text.encode())
    assert ids == encoding.encode_ordinary(text)
    assert b"".join(v.bytes_of(i) or b"!" for i in ids) == text.encode()


def test_tiktoken(encoding) -> None:
    v = Vocabulary.from_tiktoken(encoding)
    assert (v.size, v.stop_token_ids) == (273, (270,))
    assert v.specials == {"<|endoftext|>": 270, "<|call|>": 272}
    assert v.token_bytes[:260] == [encoding.decode_single_token_bytes(i) for i in range(260)]
    assert v.token_bytes[260:] == [None] * 13
    assert Vocabulary.from_tiktoken(encoding, (270, 272), vocab_size=320).size == 320
    assert pickle.loads(pickle.dumps(v)).encode(b"the") == [257]


def test_tiktoken_without_end_of_text() -> None:
    tiktoken = pytest.importorskip("tiktoken")
    bare = tiktoken.Encoding("bare", pat_str=PATTERN, mergeable_ranks=RANKS, special_tokens={})
    with pytest.raises(VocabularyError, match="no stop token is known"):
        Vocabulary.from_tiktoken(bare)
    with pytest.raises(VocabularyError, match=r"not a tiktoken\.Encoding"):
        Vocabulary.from_tiktoken(object())


def test_tekken(tmp_path: Path) -> None:
    file = tmp_path / "tekken.json"
    file.write_text(json.dumps(tekken()))
    v = Vocabulary.from_tekken(file)
    assert (v.size, v.stop_token_ids) == (278, (2,))
    assert v.token_bytes == [None] * 20 + [text for text, rank in RANKS.items() if rank < 258]
    assert len(v.specials) == 20
    assert (v.specials["[INST]"], v.specials["[TOOL_CALLS]"], v.specials["<pad>"]) == (3, 9, 11)
    assert Vocabulary.from_tekken(tekken()).fingerprint == v.fingerprint
    assert Vocabulary.from_huggingface(tmp_path).fingerprint == v.fingerprint
    with pytest.raises(VocabularyError, match="no added tokens, so text_tokens"):
        Vocabulary.from_huggingface(tmp_path, text_tokens=["[INST]"])


def test_tekken_special_tokens_of_its_own() -> None:
    listed = [{"rank": 1, "token_str": "</s>", "is_control": True}]
    v = Vocabulary.from_tekken(tekken(special_tokens=listed))
    assert v.stop_token_ids == (1,)
    assert len(v.specials) == 20
    assert (v.specials["</s>"], v.specials["<SPECIAL_0>"], v.specials["<SPECIAL_19>"]) == (1, 0, 19)


def test_tekken_encodes_with_shifted_ids() -> None:
    pytest.importorskip("tiktoken")
    v = Vocabulary.from_tekken(tekken())
    assert v.encode(b"the t") == [257 + 20, 32 + 20, ord("t") + 20]
    assert pickle.loads(pickle.dumps(v)).encode(b"the") == [277]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, "not a tekken file: KeyError 'config'"),
        (tekken(vocab=[]), "not a sound tekken file"),
        (tekken(special_tokens=[{"rank": 20, "token_str": "</s>"}]), "not a sound tekken file"),
        (tekken(vocab=[{"rank": 0, "token_bytes": "???"}]), "not a tekken file"),
        (tekken(special_tokens=[]), "no stop token is known"),
    ],
)
def test_bad_tekken(spec: dict, told: str) -> None:
    with pytest.raises(VocabularyError, match=told):
        Vocabulary.from_tekken(spec)


def test_tekken_file_missing(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="cannot be read"):
        Vocabulary.from_tekken(tmp_path / "none.json")


def test_sentencepiece(sentencepiece_model: Path) -> None:
    from sentencepiece import SentencePieceProcessor

    model = SentencePieceProcessor(model_file=str(sentencepiece_model))
    v = Vocabulary.from_sentencepiece(model)
    assert v.size == model.get_piece_size()
    assert set(v.specials) == {"<unk>", "<s>", "</s>", "[CTRL]", "<tool>"}
    assert v.stop_token_ids == (model.eos_id(),)
    assert v.strips_first_space
    assert v.bytes_of(model.piece_to_id("\n\n")) == b"\n\n"
    assert {bytes([b]) for b in range(256)} <= set(v.token_bytes)
    anchor = model.piece_to_id("e")
    for i in range(v.size):
        written = v.bytes_of(i)
        if written is not None:
            assert model.decode([anchor, i]) == (b"e" + written).decode(errors="replace")
    by_path = Vocabulary.from_sentencepiece(sentencepiece_model)
    assert by_path.fingerprint == v.fingerprint
    assert Vocabulary.from_huggingface(sentencepiece_model.parent).fingerprint == v.fingerprint


@pytest.mark.parametrize("text", [p for p in PROBES if "\u2581" not in p])
def test_sentencepiece_encodes_exactly(sentencepiece_model: Path, text: str) -> None:
    v = Vocabulary.from_sentencepiece(sentencepiece_model)
    assert b"".join(v.bytes_of(i) or b"!" for i in v.encode(text.encode())) == text.encode()


def test_sentencepiece_file_unsound(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    (tmp_path / "tokenizer.model").write_bytes(b"no model")
    with pytest.raises(VocabularyError, match="not a sentencepiece model"):
        Vocabulary.from_sentencepiece(tmp_path / "tokenizer.model")
