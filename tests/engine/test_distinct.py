"""Arrays whose items differ: every mask is the definition's, for languages that can be listed whole.

The texts of a schema are listed by writing down all its values; along random texts every mask has to be the
set of tokens with which some listed text goes on.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

import structgen as sg

WORDS = ['["', '","', '"]', '"],["', "],[", '{"a":', '"a":"', "},{", "a", "ab", 'a","b', 'b","a"', "1,", "2]"]
WORDS += [
    'b"]',
    'a"]',
    'aa","',
    'ba",',
    'b",',
    'bb",',
    'a","a',
    'b","a',
    "0]",
    "12]",
    "11,",
    "0,",
    "2,1",
    "12,1",
]
WORDS += ["1,1", "true,", '""', 'ab"]', "[1", "null", '{"', '"}', '"},', "11", "a"]
WORDS += [
    ' "',
    ' "a',
    ' "a"',
    ' "a",',
    ', "',
    ', "a"',
    '","","',
    '","a"]',
    '"",',
    "\\u00",
    "\\",
    'a\\"',
    "[],",
    " [1,1]",
]
WORDS += ['":[', ', "\\u0061"', '[["', '"],', '"]]', ",[", "1],", '":"a', '{"n":1', '"a"}, {"']
BYTES = [bytes([byte]) for byte in range(256)]
VOCABULARY = sg.Vocabulary(
    [*BYTES, *(word.encode() for word in WORDS), None], stop_token_ids=[256 + len(WORDS)]
)


def some(items: Iterable[Any], low: int, high: int) -> list[Any]:
    """The arrays of ``low`` to ``high`` different ones of the items."""
    values = list(items)
    return [list(chosen) for n in range(low, high + 1) for chosen in itertools.permutations(values, n)]


AB = ["", "a", "b", "aa", "ab", "ba", "bb"]
STRINGS = {"type": "string", "pattern": "^[ab]{0,2}$"}
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string", "pattern": "^[ab]$"}, "b": {"const": 1}},
    "required": ["a"],
    "additionalProperties": False,
}
OBJECTS = [{"a": x} for x in "ab"] + [{"a": x, "b": 1} for x in "ab"]
TURNED = [{"b": 1, "a": x} for x in "ab"]
PAIRS = {"type": "array", "items": {"enum": [1, 2]}, "minItems": 1, "maxItems": 2}


def repeating(items: Iterable[Any], low: int, high: int) -> list[Any]:
    """The arrays of ``low`` to ``high`` of the items, some two of which are equal."""
    values = list(items)
    arrays = [list(one) for n in range(low, high + 1) for one in itertools.product(values, repeat=n)]
    return [one for one in arrays if len({json.dumps(item) for item in one}) < len(one)]


REPEATED = {"not": {"uniqueItems": True}}
CASES = {
    "strings": ({"items": STRINGS, "maxItems": 3}, some(AB, 0, 3)),
    "at least": ({"items": {"pattern": "^[ab]$", "type": "string"}, "minItems": 2}, some("ab", 2, 2)),
    "length": ({"items": {"type": "string", "maxLength": 1, "pattern": "^[a-z]*$"}, "maxItems": 2}, None),
    "integers": (
        {"items": {"type": "integer", "minimum": 0, "maximum": 12}, "maxItems": 2},
        some(range(13), 0, 2),
    ),
    "mixed": (
        {"items": {"anyOf": [STRINGS, {"type": ["null", "boolean"]}]}, "maxItems": 2},
        some([*AB, None, True, False], 0, 2),
    ),
    "objects": ({"items": CLOSED, "maxItems": 2}, None),
    "arrays": (
        {"items": PAIRS, "maxItems": 3},
        some([[1], [2], [1, 1], [1, 2], [2, 1], [2, 2]], 0, 3),
    ),
    "places": (
        {
            "prefixItems": [{"type": "boolean"}, {"type": "boolean"}],
            "items": STRINGS,
            "minItems": 2,
            "maxItems": 3,
        },
        [[a, b, *rest] for a, b in ((True, False), (False, True)) for rest in ([], *([x] for x in AB))],
    ),
    "nested": (
        {
            "items": {
                "type": "array",
                "uniqueItems": True,
                "items": {"pattern": "^[ab]?$", "type": "string"},
            },
            "maxItems": 2,
        },
        some(some(["", "a", "b"], 0, 3), 0, 2),
    ),
    "contains": (
        {"items": {"type": "string", "pattern": "^[ab]?$"}, "contains": {"const": "a"}},
        [one for one in some(["", "a", "b"], 1, 3) if "a" in one],
    ),
    "repeated": ({"items": STRINGS, "maxItems": 3, **REPEATED}, repeating(AB, 2, 3)),
    "repeated integers": (
        {"items": {"type": "integer", "minimum": 0, "maximum": 12}, "maxItems": 2, **REPEATED},
        repeating(range(13), 2, 2),
    ),
    "repeated arrays": (
        {"items": PAIRS, "maxItems": 3, **REPEATED},
        repeating([[1], [2], [1, 1], [1, 2], [2, 1], [2, 2]], 2, 3),
    ),
    "repeated objects": ({"items": CLOSED, "maxItems": 2, **REPEATED}, None),
    "repeated after a place": (
        {"prefixItems": [{"type": "boolean"}], "items": STRINGS, "maxItems": 3, **REPEATED},
        [[a, b, b] for a in (True, False) for b in AB],
    ),
    "repeated among others": (
        {"items": {"type": "array", "items": STRINGS, "maxItems": 2, **REPEATED}, "maxItems": 2},
        some([[x, x] for x in AB], 0, 2),
    ),
    "arrays that differ, repeated": (
        {
            "items": {"type": "array", "items": STRINGS, "maxItems": 1, "minItems": 1},
            "maxItems": 3,
            **REPEATED,
        },
        repeating([[x] for x in AB], 2, 3),
    ),
    "or not": (
        {
            "anyOf": [
                {"items": STRINGS, "maxItems": 3, "uniqueItems": True},
                {"items": {"const": "a"}, "maxItems": 4},
            ]
        },
        [*some(AB, 0, 3), *(["a"] * n for n in range(2, 5))],
    ),
}


def texts_of(name: str, values: list[Any] | None) -> set[str]:
    if values is None and name != "length":
        spelled = [json.dumps(one, separators=(",", ":")) for one in [*OBJECTS, *TURNED]]
        pairs = list(itertools.product(spelled, repeat=2))
        equal = {f"[{a},{b}]": json.loads(a) == json.loads(b) for a, b in pairs}
        if name == "objects":
            return {"[]", *(f"[{one}]" for one in spelled), *(text for text in equal if not equal[text])}
        return {text for text in equal if equal[text]}
    if name == "length":
        values = some(["", *"abcdefghijklmnopqrstuvwxyz"], 0, 2)
    assert values is not None
    return {json.dumps(value, separators=(",", ":"), ensure_ascii=False) for value in values}


@pytest.mark.parametrize("name", CASES)
def test_every_mask_is_the_definitions(name: str) -> None:
    schema, values = CASES[name]
    texts = sorted(texts_of(name, values))
    differ = "anyOf" not in schema and "not" not in schema
    schema = {"type": "array", **({"uniqueItems": True} if differ else {}), **schema}
    grammar = sg.Grammar.from_json_schema(schema, whitespace="compact", integers="plain")
    assert grammar.ir.distinct, "left to the engine"
    compiled = sg.compile(grammar, VOCABULARY)
    bitmask = sg.allocate_token_bitmask(1, VOCABULARY.size)
    generator = random.Random(name)
    checked = set()
    for _ in range(30):
        matcher, written = compiled.matcher(), ""
        while True:
            going = [text for text in texts if text.startswith(written)]
            assert going, written
            assert matcher.is_accepting() == (written in going)
            matcher.fill_next_token_bitmask(bitmask)
            allowed = set(sg.unpack_token_bitmask(bitmask, VOCABULARY.size)[0].nonzero()[0].tolist())
            if written not in checked:
                checked.add(written)
                wanted = {
                    token
                    for token in range(256 + len(WORDS))
                    if any(text.startswith(written + word_of(token)) for text in going)
                }
                wanted |= set(VOCABULARY.stop_token_ids) if written in going else set()
                assert allowed == wanted, (
                    written,
                    {word_of(t) for t in allowed ^ wanted if t != VOCABULARY.size - 1},
                )
            live = sorted(allowed - set(VOCABULARY.stop_token_ids))
            if not live or (written in going and generator.random() < 0.2):
                break
            token = generator.choice(live)
            for other in generator.sample(range(256 + len(WORDS)), 5):
                probe = matcher.fork()
                assert probe.accept_token(other) == (other in allowed)
            assert matcher.accept_token(token)
            written += word_of(token)
    assert len(checked) > 8


OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}
WRITTEN: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"items": {"type": "string"}},
        ['["a","ab" , "b","a,b"]', '["\\u0061c", "a\\"","ac ", "ab"]', '["", " ","é"]'],
    ),
    ({"items": {"type": "string", "minLength": 2}}, ['["aa", "ab","aab"]']),
    ({"items": {"type": "string", "maxLength": 20}, "minItems": 3}, ['["a","b", "ba"]']),
    ({"items": {"type": "string", "maxLength": 1, "pattern": "^[ab]$"}, "maxItems": 4}, ['["a", "b"]']),
    ({"items": {"type": "integer"}}, ["[1, 12,11 ,-1]"]),
    ({"items": {"type": "number"}}, ["[1.5, 1.50e1,0.1,0 ]"]),
    ({"items": {"type": ["string", "integer", "null"]}}, ['[1,"1", null,"a"]']),
    ({"items": OBJECT}, ['[{"n":1,"s":"a"},{"s":"a", "n":12},{},{"x":[]}]']),
    ({"items": {"type": "array", "uniqueItems": True}}, ['[["a","b"],["b","a"], [],[1,[2]]]']),
    ({"items": {"type": "array", "items": {"type": "string"}}}, ['[["a","a"],["a"],[ "ab"]]']),
    ({"prefixItems": [{"const": "a"}], "items": {"type": "string"}}, ['["a","b","aa"]']),
    ({}, ['[1,"a",{"a":"a"},[true,1.0],null]']),
]


@pytest.mark.parametrize(("keywords", "texts"), WRITTEN)
@pytest.mark.parametrize("around", ["alone", "in an object", "beside what may repeat"])
def test_a_mask_is_what_is_taken(keywords: dict[str, Any], texts: list[str], around: str) -> None:
    schema: dict[str, Any] = {"type": "array", "uniqueItems": True, **keywords}
    before, after = "", ""
    if around == "in an object":
        schema = {"type": "object", "properties": {"a": schema, "b": {"type": "string"}}}
        before, after = '{"a":', ',"b":"[1,1]"}'
    elif around == "beside what may repeat":
        repeating = {"type": "array", "items": {"enum": ["a", 1, "ab"]}, "maxItems": 3}
        schema = {"type": "array", "prefixItems": [{"anyOf": [schema, repeating]}, {"type": "array"}]}
        before, after = "[", ",[1,1]]"
        texts = [*texts, '["a","a"]', '["a" ,1,1]']
    grammar = sg.Grammar.from_json_schema(schema)
    assert grammar.ir.distinct
    compiled = sg.compile(grammar, VOCABULARY)
    bitmask = sg.allocate_token_bitmask(1, VOCABULARY.size)
    for text in texts:
        matcher, data = compiled.matcher(), (before + text + after).encode()
        while True:
            matcher.fill_next_token_bitmask(bitmask)
            allowed = sg.unpack_token_bitmask(bitmask, VOCABULARY.size)[0]
            for token in range(256 + len(WORDS)):
                taken = matcher.accept_bytes(VOCABULARY.bytes_of(token) or b"")
                assert allowed[token] == taken, (matcher.text, VOCABULARY.bytes_of(token))
                if taken:
                    matcher.rollback()
            assert allowed[VOCABULARY.stop_token_ids[0]] == matcher.is_accepting()
            if not data:
                break
            assert matcher.accept_bytes(data[:1]), (matcher.text, data)
            data = data[1:]


def word_of(token: int) -> str:
    data = VOCABULARY.bytes_of(token)
    return "�" if data is None or max(data) > 0x7F else data.decode()


def compiled_of(items: Any, **keywords: Any) -> sg.CompiledGrammar:
    schema = {"type": "array", "items": items, "uniqueItems": True, **keywords}
    return sg.compile(sg.Grammar.from_json_schema(schema), VOCABULARY)


def test_a_value_is_known_in_every_spelling() -> None:
    for items, written, refused in (
        ({"type": "string", "maxLength": 1}, '["x","', ["x", "\\u0078"]),
        ({"type": "string"}, '["xy", "', ['xy"', '\\u0078y"', 'x\\u0079"']),
        ({"type": "number"}, "[1, ", ["1]", "1.0]", "10e-1]", "0.1e1 "]),
        ({}, '[{"a":1,"b":[2]} ,', ['{"b":[2.0], "a":1e0}']),
        (
            CLOSED,
            '[{"a":"a","b":1},',
            ['{"b" :1,"a":"a', '{"a":"a","b":1', '{"a":"a","b":1 ', '{"b":1,"a":"a"'],
        ),
        ({"type": ["null", "integer"]}, "[null,", ["n"]),
    ):
        for text in refused:
            matcher = compiled_of(items).matcher()
            assert matcher.accept_bytes(written.encode())
            assert not matcher.accept_bytes(text.encode()), (items, text)


def test_the_matcher_does_what_it_does_elsewhere(tmp_path: Any) -> None:
    compiled = compiled_of({"enum": [["a"], ["b"]]}, minItems=2)
    matcher = compiled.matcher()
    assert matcher.forced_bytes() == b"["
    assert matcher.accept_bytes(b'[["a"],')
    other = matcher.fork()
    assert other.accept_bytes(b'["b"]]')
    assert other.is_accepting()
    assert other.must_stop()
    other.rollback()
    assert other.accept_bytes(b'["')
    assert other.forced_bytes() == b'b"'
    assert "'b'" in str(other.expected())
    bitmask = sg.allocate_token_bitmask(2, VOCABULARY.size)
    sg.fill_next_token_bitmasks([other, matcher], bitmask)
    allowed = sg.unpack_token_bitmask(bitmask, VOCABULARY.size)[0].nonzero()[0].tolist()
    assert list(map(word_of, allowed)) == ["b", 'b"]']
    compiled.save(tmp_path / "saved")
    again = sg.CompiledGrammar.load(tmp_path / "saved", VOCABULARY).matcher()
    assert not again.accept_bytes(b'[["a"],["a')


def test_inside_other_grammars() -> None:
    schema = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}
    tag = {
        "type": "tag",
        "begin": "<x>",
        "content": {"type": "json_schema", "json_schema": schema},
        "end": "</x>",
    }
    for grammar in (
        sg.Grammar.from_structural_tag({"type": "structural_tag", "format": tag}),
        sg.Grammar.from_lark(f'start: "<x>" %json {json.dumps(schema)} "</x>"', lexing="any"),
    ):
        matcher = sg.compile(grammar, VOCABULARY).matcher()
        assert matcher.accept_bytes(b'<x>["a","ab","b"]</x>')
        assert matcher.is_accepting()
        matcher.reset()
        assert not matcher.accept_bytes(b'<x>["a","b","a"')


def test_memory_that_is_full_is_given_up() -> None:
    schema = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}
    limits = sg.Limits(max_heap_bytes=4 << 20)
    compiled = sg.compile(sg.Grammar.from_json_schema(schema), VOCABULARY, limits)
    arenas = set()
    for turn in range(12):
        matcher = compiled.matcher()
        for i in range(400):
            assert matcher.accept_bytes(b'["' if i == 0 else b'","')
            assert matcher.accept_bytes(b"%d %d" % (turn, i))
        assert not matcher.accept_bytes(b'","%d 0"' % turn)
        arenas.add(matcher._arena)
    assert len(arenas) > 1
