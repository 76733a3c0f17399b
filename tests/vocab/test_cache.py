"""The cache: believed when it is sound, rebuilt when it is not, done without when it cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders

from structgen.errors import VocabularyError
from structgen.vocab import Vocabulary, cache, huggingface, stored
from structgen.vocab.cache import cache_dir, read_arrays, write_arrays

ARRAYS = {
    "a": np.arange(7, dtype=np.uint8),
    "b": np.arange(6, dtype=np.int32).reshape(3, 2),
    "c": np.empty((0, 4), np.int64),
    "d": np.array([True, False]),
}


def test_arrays_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    assert write_arrays(path, "key", {"n": 1, "s": "é"}, ARRAYS)
    meta, arrays = read_arrays(path, "key") or ({}, {})
    assert meta == {"n": 1, "s": "é"}
    assert list(arrays) == list(ARRAYS)
    for name, array in arrays.items():
        assert array.dtype == ARRAYS[name].dtype
        assert array.tolist() == ARRAYS[name].tolist()
        assert array.flags.aligned
        assert array.flags.c_contiguous
        assert array.flags.writeable
    assert [p.name for p in tmp_path.iterdir()] == ["x.bin"]


def test_other_dtypes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="float64"):
        write_arrays(tmp_path / "x.bin", "key", {}, {"f": np.zeros(2)})


def test_every_damage_reads_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    write_arrays(path, "key", {}, ARRAYS)
    sound = path.read_bytes()
    assert read_arrays(tmp_path / "none.bin", "key") is None
    assert read_arrays(path, "other key") is None
    for length in range(len(sound)):
        path.write_bytes(sound[:length])
        assert read_arrays(path, "key") is None
    for position in range(len(sound)):
        damaged = bytearray(sound)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        assert read_arrays(path, "key") is None
    path.write_bytes(sound + b"\0")
    assert read_arrays(path, "key") is None
    path.write_bytes(sound)
    assert read_arrays(path, "key") is not None


def test_cache_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "x"))
    assert cache_dir() == tmp_path / "x"
    monkeypatch.delenv("STRUCTGEN_CACHE")
    assert cache_dir().name == "structgen"
    assert cache_dir().is_absolute()


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


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(cache.os, "replace", full)
    assert write_arrays(tmp_path / "x.bin", "key", {}, ARRAYS) is False
    assert list(tmp_path.iterdir()) == []
