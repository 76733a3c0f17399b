"""A schema's text that kernels read is the schema that Python reads: the same masks, errors and names."""

from __future__ import annotations

import gc
import json
import random
import re
from typing import Any

import numpy as np
import pytest

import structgen as sg
from structgen.engine import layout as L
from structgen.engine import room
from structgen.engine.heap import ROOM, Heap
from structgen.errors import LimitExceededError, StructgenError
from structgen.frontends.json_schema.skimming import values
from structgen.limits import Limits
from structgen.sketch import ANY_OF, CHOICE, ELSEWHERE, ENCLOSED, LISTED, MAPPED, SK_KIND, UNION

from .test_json_schema_later import NAMES, plain_schema, value_for

TOKENS = [
    b'{"',
    b'":',
    b'","',
    b'"a',
    b'a"',
    b'"a":',
    b'":{"',
    b"}}",
    b"]}",
    b"[[",
    b"],[",
    b", ",
    b"ull",
    b"12",
]
VOCABULARY = sg.Vocabulary([bytes([b]) for b in range(256)] + [*TOKENS, None], (256 + len(TOKENS),))
DRAFTS = [
    "http://json-schema.org/draft-03/schema#",
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "https://json-schema.org/draft/2020-12/schema",
]


def grammars(text: str, **how: Any) -> tuple[sg.Grammar, sg.Grammar] | None:
    """The grammar of a text, and of its values; None where both are refused in the same words."""
    found: list[Any] = []
    for schema in (text, json.loads(text)):
        try:
            found.append(sg.Grammar.from_json_schema(schema, **how))
        except StructgenError as error:
            found.append(f"{type(error).__name__}: {error}")
    if isinstance(found[0], str) or isinstance(found[1], str):
        assert found[0] == found[1], text
        return None
    assert found[1].sketch is None
    return found[0], found[1]


def follow(text: str, walks: list[bytes], **how: Any) -> int:
    """Masks, verdicts and names along some texts are the same; how many masks were compared."""
    both = grammars(text, **how)
    if both is None or both[0].sketch is None:
        return 0
    rows = [sg.allocate_token_bitmask(1, VOCABULARY.size) for _ in both]
    compiled = [sg.compile(grammar, VOCABULARY) for grammar in both]
    compared = 0
    for walk in walks:
        matchers = [one.matcher() for one in compiled]
        for byte in [None, *walk]:
            if byte is not None:
                taken = [m.accept_token(byte) for m in matchers]
                assert taken[0] == taken[1], (text, walk)
                if not taken[0]:
                    break
            for matcher, row in zip(matchers, rows, strict=True):
                matcher.fill_next_token_bitmask(row)
            assert np.array_equal(*rows), (text, matchers[0].text)
            assert matchers[0].is_accepting() == matchers[1].is_accepting()
            compared += 1
        # Grown by what the masks offer, too, so that what no value has is met.
        for _ in range(12):
            ids = np.flatnonzero(np.unpackbits(rows[0].view(np.uint8), bitorder="little"))
            ids = ids[ids < 256 + len(TOKENS)]
            if not len(ids):
                break
            token = int(ids[compared % len(ids)])
            assert all(m.accept_token(token) for m in matchers)
            for matcher, row in zip(matchers, rows, strict=True):
                matcher.fill_next_token_bitmask(row)
            assert np.array_equal(*rows), (text, matchers[0].text)
            compared += 1
    return compared


def usual(rng: random.Random, depth: int = 3) -> Any:
    """A schema as people write them."""

    def below() -> Any:
        return usual(rng, depth - 1)

    objects = (
        {"properties": {name: below() for name in rng.sample(NAMES, rng.randrange(1, 4))}} if depth else {}
    )
    if depth and rng.random() < 0.5:
        objects["required"] = rng.sample([*NAMES, "z"], rng.randrange(1, 3))
    if depth and rng.random() < 0.6:
        objects["additionalProperties"] = rng.choice([True, False, below()])
    arrays = {"items": below()} if depth and rng.random() < 0.9 else {}
    arrays |= {"minItems": rng.randrange(4)} if rng.random() < 0.6 else {}
    arrays |= {"maxItems": rng.randrange(5)} if rng.random() < 0.4 else {}
    arrays |= {"additionalItems": False} if rng.random() < 0.2 else {}
    names = ["string", "integer", "number", "boolean", "null", "object", "array"]
    forms: list[Any] = [
        {"type": rng.choice(names[:5]), "title": "words"},
        {"type": rng.sample(names, rng.randrange(1, 4))},
        {"enum": rng.sample(["a", "b", "ab", "abc", ""], rng.randrange(1, 4))},
        {"type": "string", rng.choice(["minLength", "maxLength"]): rng.randrange(4)},
        {"type": "integer", "minimum": rng.randrange(-2, 3)},
        {"type": rng.choice([["string", "null"], "string"]), "format": rng.choice(["ipv4", "int32"])},
        {"type": rng.sample(names, 2), "maxLength": 2, "title": "x"},
        {"type": rng.sample(names, 3), rng.choice(["minimum", "maximum"]): rng.randrange(-2, 12)},
        rng.choice([True, {}, {"type": "string", "pattern": "^a|b"}, {"const": "a"}]),
        {
            "type": rng.choice(["string", "null", ["string", "null"]]),
            "const": rng.choice(["a", "", "é", None]),
        },
    ]
    # What no look tells all about, and is read at once.
    forms += [
        {"type": "string", "pattern": "^[ab]*$", "maxLength": rng.randrange(4)},
        {"type": "integer", "multipleOf": rng.randrange(1, 4), "minimum": 0},
        {"not": {"type": rng.choice(names)}},
        {"type": "object", "patternProperties": {"^a": {"type": "null"}}, "maxProperties": 2},
        {"allOf": [{"type": ["string", "null"]}, {"enum": rng.sample(["a", None, 1, "b"], 2)}]},
        {"type": "array", "uniqueItems": True, "maxItems": 2},
    ]
    if depth:
        forms += [{"type": "object", **objects}] * 9 + [{"type": "array", **arrays}] * 4
        forms += [objects, {"type": rng.sample(names, 3), **objects, **arrays}, {"$ref": "#/$defs/one"}]
        forms += [{rng.choice(["anyOf", "oneOf"]): [below() for _ in range(rng.randrange(1, 4))]}]
        # No property is named, or only among the required ones.
        maps = {"type": rng.choice(["object", ["object", "null"]]), "additionalProperties": below()}
        forms += [maps, {**maps, "properties": {}}, {**maps, "required": rng.choice([[], ["a"], ["b", "a"]])}]
        forms += [{"type": "object", "properties": {}, "additionalProperties": rng.choice([True, False])}]
        # What refers to another place, and is read at once.
        one, two = {"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}
        forms += [{"type": "object", "patternProperties": {"^a": one}}, {"allOf": [one, two]}, {"not": one}]
        told = [{"properties": {"a": {"enum": [name]}, "b": two}, "required": ["a"]} for name in "xy"]
        forms += [{"oneOf": [{"type": "object", **branch} for branch in told]}]
        of_null = {"type": "object", "properties": {"a": {"type": "null"}}}
        forms += [{"oneOf": [of_null, {"type": "object", "required": ["a"]}]}]  # both may hold
    return rng.choice(forms)


def schema(rng: random.Random) -> dict[str, Any]:
    made = plain_schema(rng) if rng.random() < 0.2 else usual(rng)
    made = made if isinstance(made, dict) else {}
    made = {**made, "$defs": {"one": usual(rng, 2), "two": plain_schema(rng, 1)}}
    return {**made, "$schema": rng.choice(DRAFTS)} if rng.random() < 0.3 else made


@pytest.mark.parametrize("seed", range(4))
def test_random_schemas(seed: int) -> None:
    rng = random.Random(seed)
    compared = 0
    kinds: set[int] = set()
    for _ in range(400):
        how = {
            "whitespace": rng.choice(["compact", "dumps", 2, "flexible"]),
            "property_order": rng.choice(["any", "schema"]),
            "integers": rng.choice(["any", "plain"]),
            "formats": rng.choice(["assert", "annotate"]),
        }
        text = json.dumps(schema(rng), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
        walks = [json.dumps(value_for(rng), separators=(",", ":")).encode() for _ in range(4)]
        compared += follow(text, walks, **how)
        found = grammars(text, **how)
        if found is not None and found[0].sketch is not None:
            kinds |= set(found[0].sketch.rules[:, SK_KIND].tolist())
    assert compared > 2000
    assert kinds == {ANY_OF, CHOICE, ELSEWHERE, ENCLOSED, LISTED, MAPPED, UNION}


OBJECT = '{"type": "object", "properties": {%s}, "additionalProperties": false}'


@pytest.mark.parametrize(
    "text",
    [
        OBJECT % '"a": {"type": "null"}, "a": {"type": "string"}',  # the last one counts
        OBJECT % r'"\u0061": {"type": "null"}, "b": {"type": "null"}',
        OBJECT % r'"a\/b": {"type": "null"}, "a/b": {"type": "string"}, "b": {"type": "null"}',
        OBJECT % r'"a": {"\u0024ref": "#/definitions/b"}}, "definitions": {"b": {"type": "null"}',
        OBJECT % r'"a": {"type": "object", "patternProperties": {"^\\w": {"type": "null"}}}',
        OBJECT % r'"a": {"$ref": "#/definitions/b\"c"}}, "definitions": {"b\"c": {"type": "null"}',
        OBJECT % '"a": {"$ref": "#/definitions/b/id"}}, "definitions": {"b": {"id": {"type": "null"}}',
        OBJECT % '"a": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]}',
        OBJECT % '"a": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}, "required": ["a"], "title": {"a": 1',
        OBJECT % '"a": {"anyOf": [{"$ref": "#/properties/a"}, {"$ref": "#/properties/a"}]}',
        OBJECT % '"a": {"not": {"$ref": "#/definitions/b"}}}, "definitions": {"b": {"type": "null"}',
        OBJECT
        % '"a": {"oneOf": [{"not": {"$ref": "#/$defs/b"}}]}, "b": {"patternProperties": {"^a": {"$ref": '
        '"#/$defs/b"}}}}, "$defs": {"b": {"not": {"$ref": "#/$defs/b"}}',
        OBJECT % '"a": {"allOf": [{"$ref": "#/definitions/c"}]}}, "definitions": {"b": {"type": "null"}',
        OBJECT % '"a": {"allOf": [{"$ref": "#b"}]}}, "definitions": {"b": {"$id": "#b", "type": "null"}',
        OBJECT % '"a": {"allOf": [{"$ref": "#/definitions/b"}]}}, "definitions": {"b": {"required": ["b"], '
        '"type": "object", "properties": {"b": {"$ref": "#/properties/a"}}}',
        OBJECT % '"a": {"type": "string", "type": "null"}',
        OBJECT % '"a": {"const": "xy"}',
        OBJECT % '"a": {"const": "xy", "enum": ["x", "xy"]}',
        OBJECT % r'"a": {"const": "x\u0079"}',
        OBJECT
        % '"a": {"const": "xy"}}, "$schema": "http://json-schema.org/draft-04/schema#", "title": {"b": 1',
        OBJECT
        % r'"a": {"const": "xy"}}, "$schema": "http://json-schema.org/draft\u002d04/schema", "not": {"b": 1',
        OBJECT % '"a": {"const": "xy"}}, "$schema": ["draft-04"], "title": {"b": 1',
        OBJECT % '"a": {"type": "integer"}}, "$schema": {"a": "draft-04"}, "title": {"b": 1',
        OBJECT % '"a": {}}, "$schema": "draft-04/draft-03", "required": ["a"], "title": {"b": 1',
        OBJECT % '"a": {"type": "array", "minItems": 2}',
        OBJECT % '"a": {"type": "array", "items": {}, "maxItems": 0}',
        OBJECT % '"a": {"type": "array", "items": {}, "minItems": 3, "maxItems": 2}',
        OBJECT % '"a": {"type": "array", "items": {}, "maxItems": 2.0}',
        OBJECT % '"a": {"type": "array", "items": [{}], "additionalItems": {"type": "null"}}',
        OBJECT
        % '"a": {"type": "array", "items": {"type": "array", "maxItems": 1, "minItems": 1}, "maxItems": 2}',
        OBJECT % '"a": {"enum": ["x", "y", "x"]}',
        OBJECT % r'"a": {"enum": ["x", "\u0079"]}',
        OBJECT % '"a": {"enum": ["ä", "x"]}',
        OBJECT % f'"a": {{"enum": {json.dumps(list(map(str, range(100))))}}}',
        OBJECT % ", ".join(f'"{i}": {{"type": "null"}}' for i in range(300)),
        OBJECT % '"a": {"$ref": "#/definitions/b"}}, "definitions": {"b": {"type": "null"}',
        OBJECT % '"a": {"$ref": "#/properties/a"}',
        OBJECT % '"a": {"type": "array", "minItems": 1, "items": {"$ref": "#/properties/a"}}',
        OBJECT % '"a": {"type": "array", "items": {"$ref": "#/properties/a"}}',
        OBJECT
        % '"a": {"$ref": "#/$defs/a%62"}}, "$defs": {"ab": {"type": "null"}, "a%62": {"type": "string"}',
        OBJECT % '"a": {"anyOf": [{"type": "null"}, {"type": "array", "items": {}}, {"type": "null"}]}',
        OBJECT % '"a": {"oneOf": [{"type": "integer"}, {"type": "number"}]}',
        OBJECT % '"a": {"type": ["string", "null"], "enum": ["x"]}',
        OBJECT % '"a": {"type": []}',
        OBJECT % '"a": {"required": ["b"], "properties": {"b": {"type": "null"}}}',
        '{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["z", "a", "z"]}',
        '{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["z"], '
        '"additionalProperties": false}',
        '{"type": "object", "properties": {"a": false, "b": true}}',
        '{"enum": ["x", "xy", "y"]}',
        '{"type": "string", "$schema": "http://json-schema.org/draft-04/schema#"}',
        '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}',
        '{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", '
        '"definitions": {"a": {}}}',
        '{"type": "array", "items": {"type": ["integer", "number"]}, "minItems": 1}',
        '{"type": ["object", "null"], "properties": {"a": {"properties": {"b": {"type": "integer"}}}}}',
        "{}",
        '{"description": "any"}',
    ],
)
def test_odd_texts(text: str) -> None:
    walks = [
        *(b'{"a":null}', b'{"a":"x"}', b'{"a":"xy"}', b'{"a":[null,[]]}', b'{"a":{"b":null}}', b'{"b":null}'),
        *(
            b'{"z":1,"a":null}',
            b'"xy"',
            b"1.0",
            b"[1,2.5]",
            b'{"a":{"b":1.0}}',
            b'{"12":null,"299":null}',
            b'{"a":"ab"}',
            b"{}",
        ),
    ]
    follow(text, walks, whitespace="compact")


@pytest.mark.parametrize(("draft", "is_required"), [("draft-03", False), ("draft-04", True)])
def test_a_list_of_required_names_is_no_keyword_of_draft_3(draft: str, is_required: bool) -> None:
    schema = {
        "$schema": f"http://json-schema.org/{draft}/schema#",
        "type": "object",
        "properties": {"a": {"type": "null"}},
        "required": ["a"],
    }
    for said in (schema, json.dumps(schema)):
        matcher = sg.compile(sg.Grammar.from_json_schema(said), VOCABULARY).matcher()
        assert matcher.accept_bytes(b"{}") != is_required


def test_real_schemas_are_sketches() -> None:
    """Else the comparisons above would say nothing."""
    for text in (
        OBJECT % '"a": {"type": "string"}',
        OBJECT % '"a": {"anyOf": [{"type": "null"}, {"enum": ["a"]}]}',
        OBJECT % r'"a": {"type": "object", "patternProperties": {"^\\w": {"type": "null"}}}',
        OBJECT % '"a": {"allOf": [{"$ref": "#/definitions/b"}]}}, "definitions": {"b": {"type": "null"}',
        OBJECT % '"a": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]}',
        '{"additionalProperties": {"type": "null"}}',
        '{"type": "array", "items": {"const": "a"}, "minItems": 2, "maxItems": 7}',
        '{"type": "array", "additionalItems": false}',
    ):
        assert sg.Grammar.from_json_schema(text).sketch is not None


def test_what_is_json() -> None:
    """What the kernel takes is what `json.loads` takes, but for what only Python writes."""
    rng = random.Random(3)
    nodes, stack = np.empty((400, values.NODE_WORDS), np.int64), np.empty(values.MOST_DEEP, np.int64)
    samples = [
        json.dumps(value_for(rng, 3), ensure_ascii=False, indent=rng.choice([None, 1])) for _ in range(60)
    ]
    samples += [
        '{"a":[1.5e-3,-0,"\\u00e9\\n"],"":null}',
        '["a\\"", true , false]',
        "0",
        '""',
        "[[]]",
        '{"a":{}}',
    ]
    taken = refused = 0
    for _ in range(20_000):
        text = rng.choice(samples)
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(text) + 1)
            new = rng.choice(
                ['"', "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", "t", " ", "\n", "u", ""]
            )
            text = text[:at] + new + text[at + rng.randrange(2) :]
        try:
            json.loads(text)
            expected = True
        except ValueError:
            expected = False
        source = np.frombuffer(text.encode(), np.uint8)
        if len(source):
            found = int(values.read_values(source, nodes, stack)) > 0
            assert found == expected or (expected and re.search(r"\\u.*:|NaN|Infinity", text)), text
            taken += found
            refused += not found
    assert taken > 2000
    assert refused > 2000


def test_names_in_messages() -> None:
    text = json.dumps(
        {
            "type": "object",
            "properties": {
                "a/b": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"x": {"enum": ["u", "v"]}}},
                },
                "c": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"y": {"type": "null"}}}]},
                "d": {"$ref": "#/$defs/e"},
                "n": {"type": "integer", "minimum": 3},
            },
            "$defs": {"e": {"type": "object", "properties": {"z": {"type": "null"}}}},
        }
    )
    compiled = sg.compile(sg.Grammar.from_json_schema(text), VOCABULARY)
    for written, name in [
        (b'{"', "#"),
        (b'{"a/b":[{"x', "#/properties/a~1b/items"),
        (b'{"a/b":[{"x":"', "#/properties/a~1b/items/properties/x"),
        (b'{"c":{"y', "#/properties/c/anyOf/1"),
        (b'{"d":{"z', "#/$defs/e"),
        (b'{"n":1', "#/properties/n"),
    ]:
        matcher = compiled.matcher()
        assert matcher.accept_bytes(written)
        assert any(name in rule for rule in matcher.expected().rules), (written, matcher.expected().rules)


def test_limits() -> None:
    text = OBJECT % ", ".join(f'"{"k" * 50}{i}": {{"type": "null"}}' for i in range(50))
    with pytest.raises(LimitExceededError, match="max_rule_states"):
        sg.compile(sg.Grammar.from_json_schema(text), VOCABULARY, Limits(max_rule_states=500))
    with pytest.raises(LimitExceededError, match="max_grammar_nodes"):
        sg.Grammar.from_json_schema(text, limits=Limits(max_grammar_nodes=20))


def test_a_grammar_is_there_for_whoever_looks() -> None:
    grammar = sg.Grammar.from_json_schema(OBJECT % '"a": {"type": "string", "title": "A"}')
    assert grammar.sketch is not None
    assert grammar.report is not None
    assert {entry.keyword for entry in grammar.report.annotations} == {"title"}
    assert grammar.ir.start in grammar.ir.rules
    assert grammar.ir is grammar.ir


def test_a_heap_that_waits_for_the_next_grammar_is_as_a_new_one() -> None:
    text = '{"properties": {"a": {"pattern": "^[a-z]{2,40}$"}, "b": {"items": {"type": "number"}}}}'
    compiled = sg.compile(sg.Grammar.from_json_schema(text), VOCABULARY)
    matcher = compiled.matcher()
    bitmask = sg.allocate_token_bitmask(1, VOCABULARY.size)
    for byte in b'{"a": "xyz", "b": [1, 2.5e1], "c": {"d": [true, "\\n"]}}':
        matcher.fill_next_token_bitmask(bitmask)
        assert matcher.accept_token(byte)
    arena = matcher._arena
    shared, heap, limits = arena._shared, arena.heap, arena.limits
    assert shared is not None
    used = int(heap.g[L.H_TOP]) + ROOM
    shared.waiting.clear()
    del compiled, matcher, arena
    gc.collect()
    assert [waiting for waiting, _ in shared.waiting] == [heap]
    fresh = Heap(0, 4, limits.max_heads, VOCABULARY.trie.max_depth, most_bytes=heap.g.nbytes)
    shared.copy_into(fresh)
    assert (heap.g[:used] == fresh.g[:used]).all()
    # Another grammar takes it, one with other bounds does not.
    other = sg.compile(sg.Grammar.from_json_schema("{}"), VOCABULARY, Limits(max_mask_bytes=1 << 20))
    assert other._arena.heap is not heap
    shared.waiting.append((heap, (object(), None, None)))
    again = sg.compile(sg.Grammar.from_json_schema("{}"), VOCABULARY)
    assert again._arena.heap is not heap


def test_a_heap_that_cannot_be_cleaned_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system takes no memory back, a large one is not used again, nor given back as a clean one."""
    heap = Heap(0, 4, 16, 8, most_bytes=1 << 20)
    heap.put([7] * 5000)
    top = int(heap.g[L.H_TOP])
    monkeypatch.setattr(room, "KEPT", 1 << 10)
    heap._room = room.Room(heap._room.data, None)
    waiting = len(room._waiting.get(heap._room.nbytes, []))
    assert not heap.begin_again()
    assert int(heap.g[L.H_TOP]) == top
    heap.give_back()
    assert len(room._waiting[heap._room.nbytes]) == waiting
