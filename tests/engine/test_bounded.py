"""Patterns bounded in length by a count in the frame: every mask is that of the automaton that counts."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

import structgen as sg
from structgen.frontends.json_schema import scalars
from structgen.ir import Bounded

WORDS = [
    "ab",
    "a b",
    "  ",
    '"a',
    "é",
    "éa",
    "\\n",
    "b\\n",
    "aaaa",
    '",',
    "x@y",
    "::",
    "http",
    "://",
    "\\u00",
    "01",
]
WORDS += ["".join(word) for n in (2, 3, 4) for word in itertools.product('ab "x,', repeat=n)]
WORDS = list(dict.fromkeys(WORDS))
VOCABULARY = sg.Vocabulary(
    [*(bytes([byte]) for byte in range(256)), *(word.encode() for word in WORDS), None],
    stop_token_ids=[256 + len(WORDS)],
)
SCHEMAS: dict[str, dict[str, Any]] = {
    "letters": {"pattern": "^[ab]*$", "maxLength": 4},
    "words": {"pattern": r"^(?:\S+\s+){0,2}\S+$", "maxLength": 6},
    "not short": {"pattern": "^(ab)+$", "maxLength": 7, "minLength": 3},
    "uri": {"format": "uri", "maxLength": 9},
    "a longer end": {"pattern": "^a*(bbb)?$", "maxLength": 5},
    "a long one": {"pattern": "^a+ b*(xx)?$", "maxLength": 300},
    "escapes": {"pattern": r"^[\n\u0001é😀a]*$", "maxLength": 3},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_mask_is_that_of_the_automaton_that_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "object", "properties": {"k": {"type": "string", **SCHEMAS[name]}}, "required": ["k"]}
    monkeypatch.setattr(scalars, "FEW_COUNTED", 10**9)
    counting = sg.compile(sg.Grammar.from_json_schema(schema), VOCABULARY)
    monkeypatch.setattr(scalars, "FEW_COUNTED", 0)
    grammar = sg.Grammar.from_json_schema(schema)
    assert any(isinstance(rule, Bounded) for rule in grammar.ir.rules.values())
    compiled = sg.compile(grammar, VOCABULARY)
    bitmasks = sg.allocate_token_bitmask(2, VOCABULARY.size)
    rng = random.Random(name)
    for _ in range(25):
        one, other = counting.matcher(), compiled.matcher()
        for matcher in (one, other):
            assert matcher.accept_bytes(b'{"k":')
        for _ in range(20):
            one.fill_next_token_bitmask(bitmasks, 0)
            other.fill_next_token_bitmask(bitmasks, 1)
            assert (bitmasks[0] == bitmasks[1]).all(), other
            live = np.flatnonzero(sg.unpack_token_bitmask(bitmasks, VOCABULARY.size)[0]).tolist()
            # Blanks and escapes are chosen as often as all else together.
            some = [token for token in live if token >= 256] or live
            token = rng.choice(rng.choice([live, some]))
            assert one.accept_token(token)
            assert other.accept_token(token)
            if one.is_terminated():
                break


def test_items_that_differ_need_as_many_texts_as_there_are() -> None:
    for longest, most in ((90, 90), (1000, 1000)):
        item = {"type": "string", "pattern": "^a+$", "maxLength": longest}
        schema = {"type": "array", "items": item, "uniqueItems": True}
        sg.Grammar.from_json_schema({**schema, "minItems": most})
        with pytest.raises(sg.StructgenError):
            sg.compile(sg.Grammar.from_json_schema({**schema, "minItems": 10 * most}), VOCABULARY)


def test_a_long_pattern_is_read_once() -> None:
    schema = {"type": "string", "pattern": "^(?:ab){9000}c*$", "maxLength": 20000, "minLength": 18001}
    matcher = sg.compile(sg.Grammar.from_json_schema(schema), VOCABULARY).matcher()
    assert matcher.accept_bytes(b'"' + b"ab" * 9000 + b"c" * 1999)
    assert matcher.fork().accept_bytes(b'"')
    assert matcher.accept_bytes(b"c")
    assert matcher.forced_bytes() == b'"'


def test_large_bounds_cost_nothing() -> None:
    for schema in (
        {"type": "string", "format": "uri", "minLength": 1, "maxLength": 65536},
        {"type": "string", "pattern": r"^(?:\S+\s+){0,49}\S+$", "minLength": 1, "maxLength": 500},
        {"type": "string", "pattern": "^a+$", "maxLength": 10**9},
        {"enum": ["http://a", "x"], "format": "uri", "maxLength": 65536},
        {"allOf": [{"format": "uri", "maxLength": 65536}, {"pattern": "^http", "maxLength": 30000}]},
    ):
        compiled = sg.compile(sg.Grammar.from_json_schema(schema), VOCABULARY)
        assert compiled.nbytes < 4 << 20
    matcher = compiled.matcher()
    assert matcher.accept_bytes(b'"http://a/' + b"a" * 29991)
    assert matcher.forced_bytes() == b'"'
    not_uri = {"type": "string", "not": {"format": "uri", "maxLength": 65536}}
    matcher = sg.compile(sg.Grammar.from_json_schema(not_uri), VOCABULARY).matcher()
    assert not matcher.fork().accept_bytes(b'"http://a"') or not matcher.is_accepting()
    assert matcher.accept_bytes(b'"http://a' + b"a" * 65536 + b'"')
    assert matcher.is_accepting()
