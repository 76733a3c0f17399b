"""`Vocabulary` made of bytes: ids, stop tokens, names, fingerprint, encoding."""

from __future__ import annotations

import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.errors import VocabularyError
from structgen.vocab import Vocabulary


def test_ids_and_bytes() -> None:
    v = Vocabulary([b"a", b"bc", None, b"", b"a"], (2,), size=40)
    assert (v.size, len(v), v.stop_token_ids) == (40, 40, (2,))
    assert [v.bytes_of(i) for i in range(6)] == [b"a", b"bc", None, None, b"a", None]
    assert v.token_bytes == [b"a", b"bc", None, None, b"a"] + [None] * 35
    assert v.data.tobytes() == b"abca"
    assert v.offsets.tolist() == [0, 1, 3, 3, 3] + [4] * 36
    assert (v.data.dtype, v.offsets.dtype) == ("uint8", "int64")
    assert v.aliases.tolist() == [[0, 4]]
    assert v.trie.n_tokens == 2
    for outside in (-1, 40):
        with pytest.raises(IndexError, match=r"range\(40\)"):
            v.bytes_of(outside)


def test_stop_and_special_tokens_are_never_text() -> None:
    v = Vocabulary([b"a", b"</s>", b"b", b"<x>"], [1, 1], specials={"<x>": 3})
    assert v.stop_token_ids == (1,)
    assert v.token_bytes == [b"a", None, b"b", None]
    assert v.specials == {"<x>": 3}
    assert [row[3] for row in v.trie.nodes.tolist() if row[3] >= 0] == [0, 2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([b"a"], (1,)), r"stop token 1 is not in range\(1\).*width of the logits"),
        (([b"a"], (-1,)), "stop token -1"),
        (([b"a"], ("x",)), "must be ids"),
        (([b"a"], None), "must be ids"),
        (([], ()), "at least one token"),
        ((["a"], ()), "token 0 is a str, not bytes"),
    ],
)
def test_bad_arguments(arguments: tuple, told: str) -> None:
    with pytest.raises(VocabularyError, match=told):
        Vocabulary(*arguments)


def test_bad_size_and_specials() -> None:
    with pytest.raises(VocabularyError, match="size=1 is smaller than the 2 tokens"):
        Vocabulary([b"a", b"b"], (), size=1)
    with pytest.raises(VocabularyError, match=r"'<x>' has id 2, which is not in range\(2\)"):
        Vocabulary([b"a", b"b"], (), specials={"<x>": 2})


def test_no_stop_token_must_be_asked_for() -> None:
    with pytest.raises(TypeError):
        Vocabulary([b"a"])  # type: ignore[call-arg]
    assert Vocabulary([b"a"], ()).stop_token_ids == ()


def test_fingerprint_depends_on_what_matters() -> None:
    def make(**changed: object) -> str:
        arguments: dict = {"token_bytes": [b"a", b"bc", None], "stop_token_ids": (2,), "size": 5} | changed
        return Vocabulary(
            arguments.pop("token_bytes"), arguments.pop("stop_token_ids"), **arguments
        ).fingerprint

    same = make()
    assert same == make()
    assert len(same) == 64
    assert int(same, 16)
    different = [
        make(token_bytes=[b"ab", b"c", None]),
        make(token_bytes=[b"a", b"bd", None]),
        make(stop_token_ids=()),
        make(size=6),
        make(specials={"<x>": 3}),
        make(specials={"<y>": 3}),
        make(strips_first_space=True),
    ]
    assert len({same, *different}) == 8


def test_sub_trie_takes_aliases_for_their_primary() -> None:
    v = Vocabulary([b"a", b"b", None, b"a"], (2,))
    assert v.sub_trie([3, 2]).nodes[:, 3].tolist() == [-1, 0]
    assert v.sub_trie([]).n_nodes == 1


@given(
    st.lists(st.lists(st.sampled_from(b"ab"), min_size=1, max_size=3).map(bytes), min_size=1, max_size=5),
    st.lists(st.sampled_from(b"ab"), max_size=7).map(bytes),
)
def test_encode_without_a_tokenizer(tokens: list[bytes], text: bytes) -> None:
    v = Vocabulary([*tokens, None], (len(tokens),))
    ways = {0: [[]]}
    for n in range(1, len(text) + 1):
        ways[n] = [[*way, s] for s in sorted(set(tokens)) if text[:n].endswith(s) for way in ways[n - len(s)]]
    if not ways[len(text)]:
        with pytest.raises(VocabularyError, match="no sequence of tokens"):
            v.encode(text)
        return
    best = min(ways[len(text)], key=lambda way: (len(way), [-len(s) for s in way]))
    assert [v.bytes_of(i) for i in v.encode(text)] == best


def test_encoder_is_believed_only_when_its_bytes_are_the_text() -> None:
    answers = {"ab": [[1], [0, 1]], "ba": [[9]], "a": [[2]], "c": []}
    v = Vocabulary([b"a", b"b", None, b"ab", b"c"], (2,), encoder=lambda text: answers[text])
    assert v.encode(b"ab") == [0, 1]
    assert v.encode(b"ba") == [1, 0]
    assert v.encode(b"a") == [0]
    assert v.encode(b"c") == [4]


def test_encoder_gets_the_part_that_is_utf8() -> None:
    asked = []

    def encoder(text: str) -> list[list[int]]:
        asked.append(text)
        return [list(text.encode())]

    v = Vocabulary([bytes([b]) for b in range(256)] + [b"ab", None], (257,), encoder=encoder)
    assert v.encode(b"ab\xe4\xbd") == [97, 98, 0xE4, 0xBD]
    assert v.encode(b"\xffab") == [255, 256]
    assert asked == ["ab"]


def test_pickle() -> None:
    v = Vocabulary([b"a", b"b", None], (2,), size=7, specials={"</s>": 2})
    other = pickle.loads(pickle.dumps(v))
    assert other.fingerprint == v.fingerprint
    assert other.trie.nodes.tolist() == v.trie.nodes.tolist()


def test_repr_says_what_is_written() -> None:
    assert repr(Vocabulary([b"a", None], (1,))) == "<Vocabulary of 2 ids, 1 written by text, stop ids [1]>"


def test_all_bytes_are_found_at_the_root() -> None:
    v = Vocabulary([bytes([b]) for b in reversed(range(256))], ())
    text = bytes(itertools.chain(range(256)))
    assert v.encode(text) == list(reversed(range(256)))
