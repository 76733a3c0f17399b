"""Tokenizers kept on disk: believed when sound, read anew when not, done without when they cannot be kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders

from structgen.errors import VocabularyError
from structgen.vocab import Vocabulary, huggingface, stored


@pytest.fixture
def count_builds(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    built = []
    original = huggingface.read_spec

    def counting(*arguments):
        built.append(1)
        return original(*arguments)

    monkeypatch.setattr(huggingface, "read_spec", counting)
    return lambda: len(built)


def same(a: Vocabulary, b: Vocabulary) -> bool:
    return (
        a.fingerprint == b.fingerprint
        and a.trie.nodes.tolist() == b.trie.nodes.tolist()
        and a.trie.max_depth == b.trie.max_depth
        and a.aliases.tolist() == b.aliases.tolist()
        and (a.specials, a.notes, a.strips_first_space) == (b.specials, b.notes, b.strips_first_space)
    )


def test_second_load_builds_nothing(byte_fallback: Tokenizer, count_builds: Callable[[], int]) -> None:
    first = Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,))
    second = Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,))
    assert count_builds() == 1
    assert same(first, second)
    assert list(second.specials) == list(first.specials)
    # Neither the width nor the stop tokens need a new table, even where they change what text writes.
    third = Vocabulary.from_huggingface(byte_fallback, vocab_size=500, stop_token_ids=(40,))
    assert count_builds() == 1
    assert third.bytes_of(40) is None
    assert 40 not in third.trie.nodes[:, 3]
    assert third.trie.nodes.tolist() == Vocabulary(third.token_bytes, (40,)).trie.nodes.tolist()


def test_options_and_version_are_part_of_the_key(
    byte_level: Tokenizer, count_builds: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))
    allowed = Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,), text_tokens=["<tool_call>"])
    assert count_builds() == 2
    assert "<tool_call>" not in allowed.specials
    monkeypatch.setattr(stored, "FORMAT_VERSION", stored.FORMAT_VERSION + 1)
    Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))
    assert count_builds() == 3


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: b"foreign" * 100,
        lambda data: data[: len(data) // 3],
    ],
    ids=["flipped", "cut", "empty", "foreign", "third"],
)
def test_damaged_file_is_rebuilt(
    byte_fallback: Tokenizer,
    cache_folder: Path,
    count_builds: Callable[[], int],
    damage: Callable[[bytes], bytes],
) -> None:
    sound = Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,))
    (file,) = (cache_folder / "vocab").iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert same(Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,)), sound)
    assert count_builds() == 2
    assert file.read_bytes() == whole


def test_file_of_another_tokenizer_is_not_believed(
    byte_level: Tokenizer, byte_fallback: Tokenizer, cache_folder: Path
) -> None:
    Vocabulary.from_huggingface(byte_level, stop_token_ids=(0,))
    (other,) = (cache_folder / "vocab").iterdir()
    sound = Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,))
    (file,) = set((cache_folder / "vocab").iterdir()) - {other}
    file.write_bytes(other.read_bytes())
    assert same(Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,)), sound)


def test_refused_tokenizer_is_not_kept(byte_level: Tokenizer, cache_folder: Path) -> None:
    wrong = Tokenizer.from_str(byte_level.to_str())
    wrong.decoder = decoders.Fuse()
    with pytest.raises(VocabularyError, match="cannot be known"):
        Vocabulary.from_huggingface(wrong, stop_token_ids=(0,))
    assert not cache_folder.exists()


def test_unusable_folder_is_done_without(
    byte_fallback: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count_builds: Callable[[], int]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "file"))
    for n in (1, 2):
        assert Vocabulary.from_huggingface(byte_fallback, stop_token_ids=(2,)).bytes_of(3) == b"\0"
        assert count_builds() == n
