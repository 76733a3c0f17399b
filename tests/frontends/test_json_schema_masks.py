"""Random small schemas: along random texts every mask is the oracle's, token by token.

The oracle is Earley's algorithm over the grammar that the front end writes; that this grammar says what the
schema says is held against a validator elsewhere. Texts are those of values that the schema allows, cut into
tokens at random, and walks that the masks lead. Arrays whose items differ have an oracle of their own, which
lists their texts whole.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import numpy as np
import pytest

import structgen as sg
from structgen.errors import SchemaError, UnsupportedKeywordError
from structgen.grammar import Grammar

from ..oracles.earley import Earley, any_cut
from .test_json_schema_random import any_schema, any_value

WORDS = r"""
    {" "a "a" "a": "a":{ "a":[ "ab "ab": "b": "z ": ":{" ": ":" "," ", }, }} "} ]} [{ [" [[ "] "]} ], {} [] ""
    a b ab aa aab xb é bé null n ull tr true rue fals false e 0 1 2 3 10 1. .0 0.25 25 1.5 -0 -2 -6 .00 e+ e22
    22 e-1 E1 000 1, 2] 3} \u \u00 \u0061 0061 \\ \/
"""
SPELLED = [
    b" ",
    b"  ",
    b" \n",
    b'{ "',
    b': "',
    b", ",
    b',\n"',
    b" }",
    b" ]",
    b"\xc3",
    b"\xa9",
    b'\xa9"',
    b"\xf0\x9f",
]
DATA = list(
    dict.fromkeys([*(bytes((byte,)) for byte in range(256)), *(w.encode() for w in WORDS.split()), *SPELLED])
)
STOP = len(DATA)
VOCABULARY = sg.Vocabulary([*DATA, None], stop_token_ids=[STOP])
IN_ORDER = sorted(range(256, len(DATA)), key=lambda i: DATA[i])
SINGLE = {data[0]: i for i, data in enumerate(DATA) if len(data) == 1}
LONGEST = max(map(len, DATA))
STEPS = 40
MOST_BODIES = 4000
"""Productions of a grammar that the oracle is asked about; beyond, an answer takes it seconds."""
MANY = int(os.environ.get("STRUCTGEN_RANDOM_SCHEMAS", "20"))


class Masks:
    """The masks of one grammar beside the oracle's."""

    def __init__(self, schema: Any, grammar: Grammar) -> None:
        self.schema = schema
        self.oracle: Earley = any_cut(grammar.ir)
        self.small = len(self.oracle.bodies) <= MOST_BODIES
        self.known: dict[bytes, np.ndarray] = {}
        self.compiled = sg.compile(grammar, VOCABULARY) if self.small else None
        self.bitmask = sg.allocate_token_bitmask(1, VOCABULARY.size)

    def wanted(self, text: bytes) -> np.ndarray:
        found = self.known.get(text)
        if found is None:
            found = self.known[text] = np.zeros(VOCABULARY.size, bool)
            first: Any = self.oracle.following(text)
            found[STOP] = self.oracle.is_member(text)
            found[[SINGLE[byte] for byte in first]] = True
            for i in IN_ORDER:
                found[i] = DATA[i][0] in first and self.oracle.is_prefix(text + DATA[i])
        return found

    def hold(self, matcher: sg.GrammarMatcher, text: bytes) -> np.ndarray:
        """The mask, which is the oracle's."""
        self.bitmask[:] = -1
        matcher.fill_next_token_bitmask(self.bitmask)
        allowed = sg.unpack_token_bitmask(self.bitmask, VOCABULARY.size)[0]
        wanted = self.wanted(text)
        different = {
            DATA[i] if i < STOP else "stop": bool(allowed[i]) for i in np.flatnonzero(allowed != wanted)
        }
        assert not different, (json.dumps(self.schema), text, different)
        assert matcher.is_accepting() == wanted[STOP], (json.dumps(self.schema), text)
        assert allowed.any(), (json.dumps(self.schema), text)
        return allowed

    def write(self, rng: random.Random, text: bytes) -> None:
        """Along a text of the language."""
        assert self.compiled is not None
        matcher, at = self.compiled.matcher(), 0
        while at < len(text):
            allowed = self.hold(matcher, text[:at])
            token = rng.choice(
                [i for i in np.flatnonzero(allowed) if i < STOP and text.startswith(DATA[i], at)]
            )
            assert matcher.accept_token(int(token))
            at += len(DATA[token])
        self.hold(matcher, text)

    def walk(self, rng: random.Random) -> None:
        """Where the masks lead; bytes that stand for little come seldom."""
        assert self.compiled is not None
        matcher, text = self.compiled.matcher(), b""
        for _ in range(STEPS):
            live = np.flatnonzero(self.hold(matcher, text)[:STOP]).tolist()
            if not live:
                break
            some = [i for i in live if i >= 256 or chr(i) in '{}[]",:ab01'] or live
            token = rng.choice(some if rng.random() < 0.8 else live)
            assert matcher.accept_token(token)
            text += DATA[token]


def some_grammar(rng: random.Random) -> tuple[Any, Grammar] | None:
    """A random schema and its grammar; None where it is refused or has arrays whose items differ."""
    schema = any_schema(rng, rng.randrange(1, 4))
    if isinstance(schema, dict):
        schema["$defs"] = {"one": any_schema(rng, 1), "two": {"items": any_schema(rng, 1), "minItems": 1}}
    try:
        grammar = Grammar.from_json_schema(
            schema,
            whitespace=rng.choice(["compact", "compact", "dumps", 1, 2]),
            property_order=rng.choice(["any", "any", "schema"]),
            integers=rng.choice(["any", "plain"]),
        )
    except (SchemaError, UnsupportedKeywordError):
        return None
    return None if grammar.ir.distinct else (schema, grammar)


@pytest.mark.parametrize("seed", range(6))
def test_every_mask_is_the_oracles(seed: int) -> None:
    rng = random.Random(seed)
    taken = masks = 0
    while taken < MANY:
        found = some_grammar(rng)
        if found is None:
            continue
        one = Masks(*found)
        if not one.small:
            continue
        taken += 1
        for value in (any_value(rng, 2) for _ in range(12)):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
            if one.oracle.is_member(text):
                one.write(rng, text)
        for _ in range(2):
            one.walk(rng)
        masks += len(one.known)
    print(f"\n{taken} schemas, {masks} masks of {VOCABULARY.size} tokens")
    assert masks > 20 * taken


def test_one_blank_in_front_of_any_key() -> None:
    schema = {"properties": {"ab": {}}}
    one = Masks(schema, Grammar.from_json_schema(schema, whitespace=1))
    for seed in range(10):
        one.write(random.Random(seed), b'{ "ab" : [ 1 , 2 ] , "z" : "" , "aa" : { } }')
