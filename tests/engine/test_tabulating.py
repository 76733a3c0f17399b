"""Vocabulary tables of patterns (discipline ``any``): a mask holds the tokens that the matcher takes.

What is asked of a table here is what it takes from a trie whole: how far texts of some kinds of bytes stay in
a pattern (`tabulating.states.reach`), where ends lie at different depths, in loops and behind letters.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

import structgen as sg
from structgen.engine import layout as L
from structgen.engine.vocab_tables import VocabTables

LETTERS = ["abcxyz", "ABCXYZ", "0189", "d", " ", "é", "–", "文", "😀", "\n", '"', "\\n", "-", ".", "\x01"]
PATTERNS = {
    "as many as": "(?s:.){12}",
    "some of them": "(?s:.){0,3}[0-9a-f](?s:.){0,8}",
    "at least one": "(?=.{9}$).*[0-9A-F].*",
    "not a word": '"((?!abcd)[^"\\\\\\n])*"',
    "not a long one": '"((?!xyzabcdxyz)[^"\\\\\\n])*"',
    "escapes": '"([^"\\\\\\x00-\\x1f]|\\\\["\\\\n])*"',
    "words": "([a-z]+|[A-Z]+|[0-9]{1,4})( ([a-z]+|[A-Z]+|[0-9]{1,4}))*",
    "beyond ascii": "[é文]*(😀[a-zA-Z0-9 ]*)?",
    "no line ends": "([^\\n\\u2028]{4,}\\n)*",
    "dates": "[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?",
}


def words(rng: random.Random) -> list[bytes]:
    """Bytes, and tokens of up to twenty characters: of one kind, of a few, of all."""
    found = {bytes([byte]) for byte in range(256)}
    while len(found) < 6000:
        kinds = rng.sample(LETTERS, rng.choice((1, 1, 2, 3, len(LETTERS))))
        word = "".join(rng.choice(rng.choice(kinds)) for _ in range(rng.choice((1, 2, 3, 4, 6, 9, 13, 20))))
        data = word.encode()
        if rng.random() < 0.1:
            data = data[rng.randrange(2) : len(data) - rng.randrange(2)]
        if data:
            found.add(data)
    return sorted(found)


@pytest.fixture(scope="module")
def vocabularies() -> list[sg.Vocabulary]:
    return [sg.Vocabulary([*words(random.Random(seed)), None], stop_token_ids=[6000]) for seed in range(3)]


def texts(matcher: sg.GrammarMatcher, vocabulary: sg.Vocabulary, rng: random.Random) -> Iterator[np.ndarray]:
    """The mask after each token of a text, of which most are short."""
    bitmask = sg.allocate_token_bitmask(1, vocabulary.size)
    for _ in range(12):
        matcher.fill_next_token_bitmask(bitmask)
        mask = sg.unpack_token_bitmask(bitmask, vocabulary.size)[0]
        yield mask
        tokens = np.flatnonzero(mask[:-1]).tolist()
        if not tokens:
            return
        short = [token for token in tokens if len(vocabulary.bytes_of(token) or b"") < 4]
        assert matcher.accept_token(rng.choice(short if short and rng.random() < 0.7 else tokens))


@pytest.mark.parametrize("name", PATTERNS)
def test_a_mask_holds_what_is_taken(name: str, vocabularies: list[sg.Vocabulary]) -> None:
    asked = 0
    for seed, vocabulary in enumerate(vocabularies):
        compiled = sg.compile(sg.Grammar.from_regex(PATTERNS[name]), vocabulary)
        rng = random.Random(seed)
        for _ in range(6):
            matcher = compiled.matcher()
            for mask in texts(matcher, vocabulary, rng):
                some = [
                    *rng.sample(range(vocabulary.size - 1), 700),
                    *np.flatnonzero(mask[:-1]).tolist()[::7],
                ]
                for token in some:
                    taken = matcher.fork().accept_bytes(vocabulary.bytes_of(token) or b"")
                    assert taken == bool(mask[token]), (matcher.text, vocabulary.bytes_of(token))
                asked += len(some)
        assert VocabTables.of(vocabulary, 0).pool.pools.slots.any()  # a walk alone is not what is tested here
    assert asked > 20_000


LIST = r"""
start: "[" _blanks item (_blanks "," _blanks item)* _blanks "]"
item: NUMBER | TEXT
_blanks: BLANK?
NUMBER: /[0-9]+/
TEXT: /"[^"\n]*"/
BLANK: /[ \n]{1,9}/
"""


def test_what_leaves_at_once_goes_on_in_the_vocabulary() -> None:
    """A part of the trie below such a byte is linked, and the tables of what comes next serve it."""
    rng = random.Random(5)
    found = {bytes([byte]) for byte in range(256)}
    while len(found) < 3000:
        found.add("".join(rng.choice('  \n\n,,"01aé]') for _ in range(rng.randrange(2, 8))).encode())
    vocabulary = sg.Vocabulary([*sorted(found), None], stop_token_ids=[3000])
    compiled = sg.compile(sg.Grammar.from_lark(LIST, lexing="any"), vocabulary)
    asked = 0
    for _ in range(30):
        matcher = compiled.matcher()
        assert matcher.accept_bytes(b"[")
        for mask in texts(matcher, vocabulary, rng):
            for token in range(3000):
                taken = matcher.fork().accept_bytes(vocabulary.bytes_of(token) or b"")
                assert taken == bool(mask[token]), (matcher.text, vocabulary.bytes_of(token))
            asked += 3000
    assert asked > 300_000
    pool = VocabTables.of(vocabulary, 0).pool
    links = [
        -2 - int(token)
        for entry in pool._entries[1:]
        for token in pool.pools.tries[entry.tries[0] : sum(entry.tries)].reshape(-1, 4)[:, 3]
        if token < -1
    ]
    sizes = [int(vocabulary.trie.nodes[i, 2]) - i for i in links]
    assert any(L.LARGE < size <= L.MEDIUM for size in sizes)


def test_what_one_grammar_was_asked_another_need_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow state gets its table when any grammar meets it again."""
    vocabulary = sg.Vocabulary([*words(random.Random(7)), None], stop_token_ids=[6000])
    made = [0, 0, 0]
    make = VocabTables.make
    masks = []
    for i in range(3):

        def count_and_make(self: VocabTables, g: np.ndarray, i: int = i) -> None:
            made[i] += 1
            make(self, g)

        monkeypatch.setattr(VocabTables, "make", count_and_make)
        bitmask = sg.allocate_token_bitmask(1, vocabulary.size)
        sg.compile(sg.Grammar.from_regex("[0-9]+x"), vocabulary).matcher().fill_next_token_bitmask(bitmask)
        masks.append(bitmask)
    assert made[0] == made[2] == 0 < made[1]
    assert all((mask == masks[0]).all() for mask in masks)
