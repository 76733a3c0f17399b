"""Hugging Face tokenizers made here, held against their own decoder."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from structgen.errors import VocabularyError
from structgen.vocab import Vocabulary, hf_json
from structgen.vocab.proof import PROBES

TEXTS = [p for p in PROBES if "\u2581" not in p]


def check_against_decoder(v: Vocabulary, tokenizer: Tokenizer, anchor: str = "a") -> None:
    """Every written id decodes, after a letter, to what its bytes say; every other one is named."""
    first = tokenizer.token_to_id(anchor)
    assert v.bytes_of(first) == anchor.encode()
    for i in range(tokenizer.get_vocab_size(with_added_tokens=True)):
        written = v.bytes_of(i)
        if written is None:
            assert i in v.specials.values()
        else:
            decoded = tokenizer.decode([first, i], skip_special_tokens=False)
            assert decoded == (anchor.encode() + written).decode(errors="replace")


def test_byte_level(byte_level: Tokenizer) -> None:
    v = Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))
    check_against_decoder(v, byte_level)
    assert list(v.specials) == ["<|endoftext|>", "<|im_end|>", "plainly special", "<tool_call>"]
    assert v.bytes_of(byte_level.token_to_id("two words")) == b"two words"
    assert v.bytes_of(byte_level.token_to_id("\u0120")) == b" "
    assert {bytes([b]) for b in range(256)} <= set(v.token_bytes)
    assert not v.strips_first_space
    assert v.notes == (
        "1 added tokens look like control tokens and are not written by text: '<tool_call>' "
        "(text_tokens=[…] allows them)",
    )


@pytest.mark.parametrize("text", TEXTS)
def test_byte_level_encodes_as_the_tokenizer(byte_level: Tokenizer, text: str) -> None:
    v = Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))
    assert v.encode(text.encode()) == byte_level.encode(text).ids


def test_specials_spelled_out_are_text(byte_level: Tokenizer) -> None:
    v = Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))
    for name in v.specials:
        ids = v.encode(f"x{name}y".encode())
        assert b"".join(v.bytes_of(i) or b"!" for i in ids) == f"x{name}y".encode()


def test_text_tokens(byte_level: Tokenizer) -> None:
    v = Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,), text_tokens=["<tool_call>"])
    assert "<tool_call>" not in v.specials
    assert v.bytes_of(byte_level.token_to_id("<tool_call>")) == b"<tool_call>"
    with pytest.raises(VocabularyError, match="'<nope>', which is not an added token"):
        Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,), text_tokens=["<nope>"])


def test_byte_fallback(byte_fallback: Tokenizer) -> None:
    v = Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,))
    check_against_decoder(v, byte_fallback)
    assert v.specials == {"<unk>": 0, "<s>": 1, "</s>": 2}
    assert [v.bytes_of(3 + b) for b in range(256)] == [bytes([b]) for b in range(256)]
    assert v.strips_first_space
    assert v.bytes_of(byte_fallback.token_to_id("\u2581the")) == b" the"
    assert v.bytes_of(byte_fallback.token_to_id("<0x0A")) == b"<0x0A"
    # The 94 printable characters and the tab are there twice: as bytes and as pieces.
    tab = [3 + 9, byte_fallback.token_to_id("\t")]
    assert tab in v.aliases.tolist()
    assert len(v.aliases) == 96
    assert v.notes == ("a literal \u2581 is read as a space",)


@pytest.mark.parametrize("text", ["the", " the", "the the", "\u4f60\U0001f44d\n", "{"])
def test_byte_fallback_encodes_in_the_middle_of_a_text(byte_fallback: Tokenizer, text: str) -> None:
    v = Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,))
    ids = v.encode(text.encode())
    assert b"".join(v.bytes_of(i) or b"!" for i in ids) == text.encode()
    assert ids == byte_fallback.encode(f"\x02{text}", add_special_tokens=False).ids[2:]


def test_metaspace_without_bytes(metaspace: Tokenizer) -> None:
    v = Vocabulary.from_huggingface(metaspace, stop_token_ids=())
    check_against_decoder(v, metaspace)
    assert v.strips_first_space
    assert v.specials == {"<unk>": 0}
    assert v.bytes_of(2) == b" the"
    assert "the vocabulary lacks some characters: a text that needs them cannot be written" in v.notes


@pytest.mark.parametrize("scheme", ["never", "first", "always"])
def test_metaspace_scheme(metaspace: Tokenizer, scheme: str) -> None:
    tokenizer = Tokenizer.from_str(metaspace.to_str())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    assert Vocabulary.from_huggingface(tokenizer, stop_token_ids=()).strips_first_space is (scheme != "never")


def test_decoder_is_inferred_when_there_is_none(byte_level: Tokenizer, byte_fallback: Tokenizer) -> None:
    for tokenizer, strips in ((byte_level, False), (byte_fallback, True)):
        spec = json.loads(tokenizer.to_str())
        spec["decoder"] = None
        bare = Tokenizer.from_str(json.dumps(spec))
        known = Vocabulary.from_huggingface(tokenizer, stop_token_ids=(0,))
        inferred = Vocabulary.from_huggingface(bare, stop_token_ids=(0,))
        assert inferred.token_bytes == known.token_bytes
        assert inferred.strips_first_space is strips
        assert "the tokenizer has no decoder; its bytes were inferred from the vocabulary" in inferred.notes


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def words_only() -> Tokenizer:
    return Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))


def word_ends() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE({"a": 0, "a</w>": 1}, [], end_of_word_suffix="</w>"))
    tokenizer.decoder = decoders.BPEDecoder()
    return tokenizer


def regex_replace() -> Tokenizer:
    from tokenizers import Regex

    tokenizer = words_only()
    tokenizer.decoder = decoders.Replace(Regex("a+"), "b")
    return tokenizer


@pytest.mark.parametrize("make", [word_piece, words_only, word_ends, regex_replace])
def test_unknowable_bytes_are_refused(make) -> None:
    with pytest.raises(VocabularyError, match=r"cannot be known.*Vocabulary\(token_bytes"):
        Vocabulary.from_huggingface(make(), stop_token_ids=(0,))


def test_proof_names_the_token_that_is_wrong(byte_fallback: Tokenizer, byte_level: Tokenizer) -> None:
    spec = json.loads(byte_fallback.to_str())
    spec["decoder"]["decoders"] = [d for d in spec["decoder"]["decoders"] if d["type"] != "ByteFallback"]
    with pytest.raises(VocabularyError, match=r"token \d+ cannot be known.*b'<0x.*makes it out of"):
        Vocabulary.from_huggingface(Tokenizer.from_str(json.dumps(spec)), stop_token_ids=(2,))
    spec = json.loads(byte_level.to_str())
    spec["decoder"] = {"type": "Fuse"}
    with pytest.raises(VocabularyError, match=r"token \d+ cannot be known.*b'\\xc4\\xa0"):
        Vocabulary.from_huggingface(Tokenizer.from_str(json.dumps(spec)), stop_token_ids=(0,))


def test_proof_notices_a_wrong_table(byte_level: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    swapped = dict(hf_json._TO_LATIN)
    swapped[ord("q")], swapped[ord("x")] = ord("x"), ord("q")
    monkeypatch.setattr(hf_json, "_TO_LATIN", swapped)
    wrong = byte_level.encode("The quick").ids[1]
    with pytest.raises(
        VocabularyError, match=rf"token {wrong} cannot be known.*b' xu.*decodes .* 'The quick"
    ):
        Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))


def test_normaliser_is_noted(byte_level: Tokenizer) -> None:
    tokenizer = Tokenizer.from_str(byte_level.to_str())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    v = Vocabulary.from_huggingface(tokenizer, stop_token_ids=(0,))
    assert any("normalises" in note for note in v.notes)
    ids = v.encode("Cafe\u0301".encode())
    assert b"".join(v.bytes_of(i) or b"!" for i in ids) == "Cafe\u0301".encode()


def test_holes_and_width(byte_level: Tokenizer) -> None:
    spec = json.loads(byte_level.to_str())
    last = len(spec["model"]["vocab"])
    spec["added_tokens"] = [{**spec["added_tokens"][0], "id": last + 5, "content": "<far>"}]
    spec["model"]["vocab"]["<far>"] = last + 5
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    v = Vocabulary.from_huggingface(tokenizer, stop_token_ids=(0,))
    assert v.size == last + 6
    assert [v.bytes_of(last + k) for k in range(6)] == [None] * 6
    wide = Vocabulary.from_huggingface(tokenizer, vocab_size=1000, stop_token_ids=(0,))
    assert wide.size == 1000
    assert wide.token_bytes[: v.size] == v.token_bytes
    assert wide.token_bytes[v.size :] == [None] * (1000 - v.size)
    assert wide.trie.nodes.tolist() == v.trie.nodes.tolist()
    narrow = Vocabulary.from_huggingface(tokenizer, vocab_size=last, stop_token_ids=(0,))
    assert narrow.size == last
    assert "<far>" not in narrow.specials
    assert narrow.trie.nodes.tolist() == v.trie.nodes.tolist()
    cut = Vocabulary.from_huggingface(tokenizer, vocab_size=300, stop_token_ids=(0,))
    assert cut.trie.nodes.tolist() == Vocabulary(v.token_bytes[:300], (0,)).trie.nodes.tolist()
    with pytest.raises(VocabularyError, match=r"width of the logits"):
        Vocabulary.from_huggingface(tokenizer, vocab_size=last, stop_token_ids=(last + 5,))


def test_ids_are_those_the_library_goes_by(byte_level: Tokenizer, tmp_path: Path) -> None:
    spec = json.loads(byte_level.to_str())
    spec["added_tokens"][-1]["id"] += 3
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(spec))
    v = Vocabulary.from_huggingface(file, stop_token_ids=(0,))
    check_against_decoder(v, Tokenizer.from_file(str(file)))
    assert v.bytes_of(byte_level.token_to_id("two words")) == b"two words"


def save(tokenizer: Tokenizer, folder: Path, **configs: object) -> Path:
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, config in configs.items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    return folder


def test_stop_tokens_of_a_folder(byte_level: Tokenizer, tmp_path: Path) -> None:
    im_end = byte_level.token_to_id("<|im_end|>")

    def stops(name: str, **configs: object) -> tuple[int, ...]:
        folder = save(byte_level, tmp_path / name, **configs)
        assert Vocabulary.from_huggingface(folder / "tokenizer.json").token_bytes
        return Vocabulary.from_huggingface(folder).stop_token_ids

    assert stops("a", tokenizer_config={"eos_token": "<|im_end|>"}) == (im_end,)
    assert stops("b", tokenizer_config={"eos_token": {"content": "<|im_end|>"}}) == (im_end,)
    assert stops("c", generation_config={"eos_token_id": [0, 7]}) == (0, 7)
    both = {"tokenizer_config": {"eos_token": "<|im_end|>"}, "generation_config": {"eos_token_id": 0}}
    assert stops("d", **both) == (0, im_end)
    assert stops("e", config={"text_config": {"eos_token_id": 0}}) == (0,)
    assert stops("f", config={"eos_token_id": 3}, generation_config={"eos_token_id": 0}) == (0,)
    assert stops("g", tokenizer_config={"eos_token": "a"}) == (byte_level.token_to_id("a"),)


def test_stop_tokens_of_a_hub_tokenizer(
    byte_level: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tokenizer that came from a hub is looked up in the local copy of its repository."""

    class FromHub:
        backend_tokenizer = byte_level
        eos_token_id = 0
        name_or_path = "org/model"

    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [0, 9]}')
    asked = []

    def cached(repository: str, name: str) -> str | object | None:
        asked.append((repository, name))
        return str(tmp_path / name) if (tmp_path / name).exists() else None

    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.try_to_load_from_cache", cached)
        assert Vocabulary.from_huggingface(FromHub()).stop_token_ids == (0, 9)
        assert asked == [("org/model", "generation_config.json")]
        (tmp_path / "generation_config.json").unlink()
        assert Vocabulary.from_huggingface(FromHub()).stop_token_ids == (0,)
    FromHub.name_or_path = "not/a/repository"
    assert Vocabulary.from_huggingface(FromHub()).stop_token_ids == (0,)


def test_no_stop_token_is_an_error_with_a_way_out(byte_level: Tokenizer, tmp_path: Path) -> None:
    folder = save(byte_level, tmp_path / "a", tokenizer_config={"eos_token": None})
    for source in (folder, byte_level):
        with pytest.raises(VocabularyError, match=r"stop_token_ids=\(\) to end texts yourself"):
            Vocabulary.from_huggingface(source)
    assert Vocabulary.from_huggingface(folder, stop_token_ids=()).stop_token_ids == ()
    folder = save(byte_level, tmp_path / "b", generation_config={"eos_token_id": 401})
    with pytest.raises(VocabularyError, match=r"those found, \[401\], lie past vocab_size=400"):
        Vocabulary.from_huggingface(folder, vocab_size=400)


def test_bad_files(byte_level: Tokenizer, tmp_path: Path) -> None:
    def refused(source: object, told: str) -> None:
        with pytest.raises(VocabularyError, match=told):
            Vocabulary.from_huggingface(source, stop_token_ids=(0,))

    refused(tmp_path, "holds no tokenizer.json")
    refused("some-org/some-model", "neither a file nor a folder.*from_pretrained")
    refused(object(), "a object does not tell the bytes")
    file = tmp_path / "tokenizer.json"
    for content in (b"{", b"[]", b"{}", b'{"model": {"vocab": 3}}', b"\xff"):
        file.write_bytes(content)
        refused(file, "tokenizer.json cannot be loaded: ")
    folder = save(byte_level, tmp_path / "a")
    (folder / "generation_config.json").write_text("{")
    with pytest.raises(VocabularyError, match=r"generation_config.json, which names the stop tokens"):
        Vocabulary.from_huggingface(folder)


def test_encoder_has_its_own_tokenizer(byte_level: Tokenizer) -> None:
    host = Tokenizer.from_str(byte_level.to_str())
    host.enable_truncation(2)
    host.enable_padding(length=9)
    v = Vocabulary.from_huggingface(host, stop_token_ids=(0,))
    assert v.encode(b"The quick brown fox") == byte_level.encode("The quick brown fox").ids
    assert len(host.encode("The quick brown fox").ids) == 9


def test_pickle(byte_level: Tokenizer, tmp_path: Path) -> None:
    folder = save(byte_level, tmp_path / "a", tokenizer_config={"eos_token": "<|im_end|>"})
    for source in (byte_level, folder):
        v = Vocabulary.from_huggingface(source, stop_token_ids=(0,))
        pickled = pickle.dumps(v)
        if source is folder:
            (folder / "tokenizer.json").unlink()
        other = pickle.loads(pickled)
        assert other.fingerprint == v.fingerprint
        assert other.encode(b"The dog") == byte_level.encode("The dog").ids


def test_transformers_objects(byte_level: Tokenizer, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_level, eos_token="<|im_end|>")
    v = Vocabulary.from_huggingface(fast)
    assert v.stop_token_ids == (fast.eos_token_id,)
    check_against_decoder(v, byte_level)
    folder = save(byte_level, tmp_path / "a", generation_config={"eos_token_id": [0]})
    fast.save_pretrained(folder)
    loaded = transformers.AutoTokenizer.from_pretrained(folder)
    assert Vocabulary.from_huggingface(loaded).stop_token_ids == (0, fast.eos_token_id)


def test_slow_sentencepiece_object(sentencepiece_model: Path) -> None:
    module = pytest.importorskip("transformers.tokenization_utils_sentencepiece")
    slow = module.SentencePieceBackend(
        vocab_file=str(sentencepiece_model), eos_token="</s>", unk_token="<unk>"
    )
    slow.add_tokens([AddedToken("<extra>", special=False), AddedToken("more text", special=False)])
    v = Vocabulary.from_huggingface(slow)
    model = Vocabulary.from_sentencepiece(sentencepiece_model)
    assert v.token_bytes[: model.size] == model.token_bytes
    assert v.token_bytes[model.size :] == [None, b"more text"]
    assert v.stop_token_ids == (slow.eos_token_id,) == model.stop_token_ids
    assert v.specials == {**model.specials, "<extra>": model.size}


def test_transformers_and_torch_stay_unloaded(byte_level: Tokenizer, tmp_path: Path) -> None:
    folder = save(byte_level, tmp_path / "a", tokenizer_config={"eos_token": "<|im_end|>"})
    program = (
        "import sys\n"
        "from structgen.vocab import Vocabulary\n"
        f"v = Vocabulary.from_huggingface({str(folder)!r})\n"
        "heavy = sorted({'torch', 'transformers'} & set(sys.modules))\n"
        "print(heavy, 'tokenizers' in sys.modules)\n"
    )
    answers = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    # The second process finds the table on disk and needs no tokenizer.
    assert answers == ["[] True\n", "[] False\n"]
