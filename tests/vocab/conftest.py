"""Tokenizers small enough to be made in a test, one for each way of writing bytes."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CORPUS = [
    '{"name": "value", "list": [1, 2, 3], "ok": true, "none": null}',
    "The quick brown fox jumps over the lazy dog. The dog sleeps.",
    "def f(x):\n    return x + 1\n\n\tprint('caf\u00e9', '\u4f60\u597d')",
    "a  b   c    d     e",
] * 4


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("STRUCTGEN_CACHE", str(folder))
    monkeypatch.delenv("STRUCTGEN_CACHE_BYTES")
    return folder


@pytest.fixture(scope="session")
def byte_level() -> Tokenizer:
    """Byte-level BPE, with special tokens, an added control token and an added piece of text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(["<|im_end|>", "plainly special"])
    tokenizer.add_tokens([AddedToken("<tool_call>", special=False, normalized=False)])
    tokenizer.add_tokens([AddedToken("two words", special=False, normalized=False)])
    return tokenizer


@pytest.fixture(scope="session")
def byte_fallback() -> Tokenizer:
    """Pieces with a sign for the space, bytes spelled out, and one leading space stripped."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    pieces += [chr(c) for c in range(0x21, 0x7F)]
    pieces += ["\u2581", "\u2581\u2581", "\t", "th", "the", "\u2581the", "\u00e9", "\u4f60", "<0x0A", "0x0A>"]
    merges = [("\u2581", "\u2581"), ("t", "h"), ("th", "e"), ("\u2581", "the")]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1, right=0),
        ]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


@pytest.fixture(scope="session")
def metaspace() -> Tokenizer:
    """Unigram pieces with a sign for the space, and no bytes at all."""
    pieces = [("<unk>", 0.0), ("\u2581", -2.0), ("\u2581the", -1.0)]
    pieces += [(chr(c), -5.0) for c in range(0x21, 0x7F)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


@pytest.fixture(scope="session")
def sentencepiece_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentencepiece model with byte fallback, control and user-defined pieces."""
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        model_type="bpe",
        vocab_size=400,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        user_defined_symbols=["<tool>", "\n\n"],
        control_symbols=["[CTRL]"],
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path = tmp_path_factory.mktemp("sentencepiece") / "tokenizer.model"
    path.write_bytes(model.getvalue())
    return path


REAL = Path(os.environ["STRUCTGEN_TOKENIZERS"]) if os.environ.get("STRUCTGEN_TOKENIZERS") else None


@pytest.fixture(scope="session")
def real_tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of real tokenizers, by name; skips, and says how to have them, when there are none."""
    if REAL is None or not REAL.is_dir():
        pytest.skip(
            "STRUCTGEN_TOKENIZERS does not name a folder with NAME/tokenizer.json: no real tokenizer tested"
        )
    return {file.parent.name: file.parent for file in sorted(REAL.glob("*/tokenizer.json"))}


@pytest.fixture(scope="session")
def load_backend(real_tokenizers: dict[str, Path]):
    """Name -> the real tokenizer itself, loaded once."""
    loaded: dict[str, tokenizers.Tokenizer] = {}

    def load(name: str) -> tokenizers.Tokenizer:
        if name not in loaded:
            loaded[name] = Tokenizer.from_file(str(real_tokenizers[name] / "tokenizer.json"))
        return loaded[name]

    return load
