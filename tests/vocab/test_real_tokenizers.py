"""Real tokenizers, where STRUCTGEN_TOKENIZERS names a folder that has them (NAME/tokenizer.json).

Every id of each is held against the tokenizer's own decoder, and what is known of some of them is held
against what was found.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from structgen.vocab import Vocabulary
from structgen.vocab.proof import PROBES

from .conftest import REAL

NAMES = sorted(file.parent.name for file in REAL.glob("*/tokenizer.json")) if REAL else ["none"]

# size, ids that text never writes, flagged special, aliases, strips the first space
KNOWN = {
    "llama3_1": (128_256, 256, 256, 0, False),
    "qwen3": (151_669, 26, 14, 0, False),
    "gemma3": (262_145, 6_323, 9, 110, False),
    "gpt4o": (200_019, 21, 2, 0, False),
    "llama2": (32_000, 3, 3, 125, True),
    "deepseek": (129_280, 1_279, 1_230, 0, False),
}


@pytest.fixture(scope="module")
def vocabularies(real_tokenizers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory):
    """Name -> vocabulary, each built once in a folder of this module's own."""
    loaded: dict[str, Vocabulary] = {}
    folder = tmp_path_factory.mktemp("cache")

    def load(name: str) -> Vocabulary:
        if name not in loaded:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("STRUCTGEN_CACHE", str(folder))
                loaded[name] = Vocabulary.from_huggingface(real_tokenizers[name])
        return loaded[name]

    load.folder = folder  # type: ignore[attr-defined]
    return load


@pytest.mark.parametrize("name", NAMES)
def test_every_id_against_the_decoder(name: str, vocabularies, load_backend) -> None:
    v, tokenizer = vocabularies(name), load_backend(name)
    anchor = tokenizer.token_to_id("a")
    assert v.bytes_of(anchor) == b"a"
    tokens = v.token_bytes
    written = [i for i, s in enumerate(tokens) if s]
    decoded = tokenizer.decode_batch([[anchor, i] for i in written], skip_special_tokens=False)
    wrong = [
        (i, tokens[i], text)
        for i, text in zip(written, decoded, strict=True)
        if (b"a" + tokens[i]).decode(errors="replace") != text
    ]
    assert wrong == []
    known_ids = set(tokenizer.get_vocab(with_added_tokens=True).values())
    assert known_ids - set(written) == set(v.specials.values())
    assert set(written) <= known_ids


@pytest.mark.parametrize("name", NAMES)
def test_special_tokens_are_never_written(name: str, vocabularies, real_tokenizers: dict[str, Path]) -> None:
    v = vocabularies(name)
    added = json.loads((real_tokenizers[name] / "tokenizer.json").read_bytes())["added_tokens"]
    special = [token["id"] for token in added if token["special"]]
    assert [i for i in special if v.bytes_of(i) is not None] == []
    assert not set(special) & set(v.trie.nodes[:, 3].tolist())


@pytest.mark.parametrize("name", NAMES)
def test_trie_holds_exactly_the_written_tokens(name: str, vocabularies) -> None:
    v = vocabularies(name)
    path = bytearray()
    found: dict[bytes, int] = {}
    leaves = 0
    for i, (byte, depth, end, token) in enumerate(v.trie.nodes.tolist()):
        del path[max(depth - 1, 0) :]
        if depth:
            path.append(byte)
        assert len(path) == depth
        leaves += end == i + 1
        if token >= 0:
            found[bytes(path)] = token
        else:
            assert end > i + 1  # A node without a token leads to one.
    expected: dict[bytes, int] = {}
    aliases = []
    for i, s in enumerate(v.token_bytes):
        if s:
            primary = expected.setdefault(s, i)
            if primary != i:
                aliases.append([primary, i])
    assert found == expected
    assert v.aliases.tolist() == sorted(aliases)
    assert leaves <= v.trie.n_tokens == len(expected)


@pytest.mark.parametrize("name", NAMES)
def test_probes_are_written_exactly(name: str, vocabularies, load_backend) -> None:
    v, tokenizer = vocabularies(name), load_backend(name)
    for probe in PROBES:
        ids = v.encode(probe.encode())
        assert b"".join(v.bytes_of(i) or b"!" for i in ids) == probe.encode()
        own = tokenizer.encode(probe, add_special_tokens=False).ids
        if [b for i in own for b in v.bytes_of(i) or b"!"] == list(probe.encode()):
            assert ids == own


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_figures(name: str, vocabularies, real_tokenizers: dict[str, Path]) -> None:
    if name not in real_tokenizers:
        pytest.skip(f"{name} is not among the real tokenizers")
    v = vocabularies(name)
    added = json.loads((real_tokenizers[name] / "tokenizer.json").read_bytes())["added_tokens"]
    never = sum(1 for s in v.token_bytes if s is None)
    flagged = sum(1 for token in added if token["special"])
    assert (v.size, never, flagged, len(v.aliases), v.strips_first_space) == KNOWN[name]


@pytest.mark.parametrize("name", NAMES)
def test_load_from_disk(
    name: str,
    vocabularies,
    real_tokenizers: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    record_property,
) -> None:
    v = vocabularies(name)
    monkeypatch.setenv("STRUCTGEN_CACHE", str(vocabularies.folder))
    monkeypatch.setattr("structgen.vocab.huggingface.read_spec", None)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        again = Vocabulary.from_huggingface(real_tokenizers[name])
        assert again.trie.n_nodes
        seconds.append(time.perf_counter() - start)
    record_property("load_ms", round(1000 * min(seconds), 1))
    print(f"{name}: loaded from disk in {1000 * min(seconds):.1f} ms")
    assert again.fingerprint == v.fingerprint
    assert (again.trie.nodes == v.trie.nodes).all()
