"""Free text with constrained spans: against a plain search for triggers, and as models write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

import structgen as sg
from structgen.errors import GrammarError
from structgen.frontends.structural_tag import structural_tag_to_ir
from structgen.frontends.tool_calls import tool_call_tag

LETTERS: list[bytes | None] = [bytes([b]) for b in range(256)]


def vocabulary(*specials: str) -> sg.Vocabulary:
    """A token for each byte, then the special tokens, then a stop token."""
    names = {name: 256 + i for i, name in enumerate(specials)}
    return sg.Vocabulary([*LETTERS, *([None] * (len(names) + 1))], (256 + len(names),), specials=names)


def compiled(spec: Any, *specials: str) -> sg.CompiledGrammar:
    return sg.compile(sg.Grammar.from_structural_tag(spec), vocabulary(*specials))


def takes(grammar: sg.CompiledGrammar, *parts: str | int) -> bool:
    """The parts, special tokens by id, are a whole text."""
    matcher = grammar.matcher()
    for part in parts:
        fits = matcher.accept_token(part) if isinstance(part, int) else matcher.accept_bytes(part.encode())
        if not fits:
            return False
    return matcher.is_accepting()


def by_search(spec: dict[str, Any], text: str, done: int = 0) -> Iterator[int]:
    """How many tags a text has, once for each way of reading it; by looking for the first trigger."""
    excluded = spec.get("excludes", [])
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(t) for t in spec["triggers"])]
    if not ends:
        if not any(x in text for x in excluded):
            yield done
        return
    if any(x in text[: ends[0]] for x in excluded):
        return
    for trigger in spec["triggers"]:
        if not text[: ends[0]].endswith(trigger):
            continue
        for tag in spec["tags"]:
            begin = ends[0] - len(trigger)
            if not tag["begin"].startswith(trigger) or not text.startswith(tag["begin"], begin):
                continue
            at = begin + len(tag["begin"])
            for stop in range(at, len(text) + 1):
                if re.fullmatch(tag["content"]["pattern"], text[at:stop]) and text.startswith(
                    tag["end"], stop
                ):
                    after = text[stop + len(tag["end"]) :]
                    if not spec.get("stop_after_first"):
                        yield from by_search(spec, after, done + 1)
                    elif not after:
                        yield done + 1


def tag(begin: str, pattern: str, end: str) -> dict[str, Any]:
    return {"begin": begin, "content": {"type": "regex", "pattern": pattern}, "end": end}


FREE: dict[str, tuple[dict[str, Any], str]] = {
    "one": ({"triggers": ["<"], "tags": [tag("<a", "b*", ">")]}, "ab<>"),
    "long": ({"triggers": ["aab"], "tags": [tag("aab", "[ab]?", "b")]}, "ab"),
    "overlapping itself": ({"triggers": ["aa"], "tags": [tag("aab", "a*", "b")]}, "ab"),
    "two tags": ({"triggers": ["<"], "tags": [tag("<a", "a*", ">"), tag("<aa", "b", "")]}, "ab<>"),
    "two triggers": ({"triggers": ["ab", "bb"], "tags": [tag("ab", "a?", "a"), tag("bba", "b?", "a")]}, "ab"),
    "one in the tail of another": (
        {"triggers": ["aab", "ab"], "tags": [tag("aab", "a", "a"), tag("ab", "b", "b")]},
        "ab",
    ),
    "excluded": ({"triggers": ["<"], "excludes": ["ab"], "tags": [tag("<", "a*b?", ">")]}, "ab<>"),
}


@pytest.mark.parametrize("more", [{}, {"at_least_one": True}, {"stop_after_first": True}])
@pytest.mark.parametrize("name", FREE)
def test_free_text_is_free_until_the_first_trigger(name: str, more: dict[str, Any]) -> None:
    spec, letters = FREE[name]
    spec = {"type": "triggered_tags", **spec, **more}
    grammar = compiled(spec)
    prefixes = set()
    length = 8 if len(letters) == 2 else 6
    words = ["".join(w) for n in range(length + 1) for w in product(letters, repeat=n)]
    for word in words:
        wanted = any(n > 0 or not more.get("at_least_one") for n in by_search(spec, word))
        assert takes(grammar, word) == wanted, word
        prefixes.update(word[:n] for n in range(len(word) + 1) if wanted)
    # A text that is not refused can be finished; with so short tags, in a few letters.
    for word in words:
        if len(word) <= length - 4:
            assert grammar.matcher().accept_bytes(word.encode()) == (word in prefixes), word


def test_a_trigger_that_never_comes_is_refused() -> None:
    spec = {"type": "triggered_tags", "triggers": ["a", "ab"], "tags": [tag("a", "", ""), tag("ab", "", "")]}
    with pytest.raises(GrammarError, match="at /triggers/1: 'ab' holds another trigger"):
        structural_tag_to_ir(spec)


def test_a_span_ends_at_its_first_end() -> None:
    think = {"type": "tag", "begin": "<t>", "content": {"type": "any_text"}, "end": ["</t>", "\n\n"]}
    grammar = compiled(
        {"type": "sequence", "elements": [think, {"type": "json_schema", "json_schema": True}]}
    )
    assert takes(grammar, "<t>a < b\n</ t></t>[1]")
    assert takes(grammar, '<t>é\n\n"</t>"')
    assert not takes(grammar, "<t>a</t>b</t>1")
    assert not takes(grammar, "<t>1")


def test_text_up_to_a_constant_and_its_limits() -> None:
    free = {"type": "any_text", "excludes": ["no"]}
    answer = {"type": "const_string", "value": "ANSWER: "}
    number = {"type": "regex", "pattern": "[0-9]+"}
    grammar = compiled({"type": "sequence", "elements": [free, answer, number]})
    assert takes(grammar, "let me see. ANSWER: 42")
    assert not takes(grammar, "ANSWER: ANSWER: 42")
    assert not takes(grammar, "not. ANSWER: 42")
    assert takes(compiled(free), "yes")
    assert not takes(compiled(free), "nono")


def test_special_tokens_begin_and_end_spans() -> None:
    """By name, and as what the characters of a control token stand for."""
    call = {"type": "token", "token": "<|call|>"}
    spec = {
        "type": "token_triggered_tags",
        "trigger_tokens": ["<|call|>"],
        "tags": [{"begin": call, "content": {"type": "regex", "pattern": "[0-9]+"}, "end": {"token": 257}}],
    }
    grammar = compiled(spec, "<|call|>", "<|end|>")
    assert takes(grammar, "a", 256, "12", 257, "b <|call|> c")
    assert not takes(grammar, "a", 256, "x")
    assert not takes(grammar, 256, "12", 256)

    spec = {
        "type": "triggered_tags",
        "triggers": ["<tool>"],
        "tags": [tag("<tool>\n", "[0-9]+", "</tool>")],
    }
    without, beside = compiled(spec), compiled(spec, "<tool>", "</tool>")
    for grammar in (without, beside):
        assert takes(grammar, "a <tool>\n1</tool> b")
        assert not takes(grammar, "a <tool> b")
    assert takes(beside, "a ", 256, "\n1", 257, " b")
    assert takes(beside, "a ", 256, "\n1</tool>", 256, "\n2", 257)
    assert not takes(beside, "a <to", 256, "\n", 257)
    assert not takes(beside, 257)


def test_half_a_character_is_no_text_before_a_token() -> None:
    spec = {
        "type": "token_triggered_tags",
        "trigger_tokens": ["<x>"],
        "tags": [{"begin": {"token": "<x>"}, "content": {"type": "const_string", "value": "1"}, "end": "."}],
    }
    matcher = compiled(spec, "<x>").matcher()
    assert matcher.accept_bytes("é".encode()[:1])
    assert not matcher.is_accepting()
    assert not matcher.accept_token(256)
    assert matcher.accept_bytes("é".encode()[1:])
    assert matcher.accept_token(256)


FORMATS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"type": "choices", "values": ["a", "bc"]}, ["a", "bc"], ["", "b"]),
    ({"type": "grammar", "grammar": 'root ::= "a" root "b" | "x"'}, ["x", "aaxbb"], ["axbb"]),
    ({"type": "lark", "name": "arithmetic"}, ["1 + 2*x"], ["1 +"]),
    ({"type": "lark", "grammar": 's: A+\nA: "a" | "b"', "start": "s"}, ["ab"], [""]),
    (
        {"type": "repeat", "content": {"type": "const_string", "value": "ab"}, "min": 1, "max": 2},
        ["ab"],
        [""],
    ),
    ({"type": "plus", "content": {"type": "const_string", "value": "a"}}, ["aa"], [""]),
    ({"type": "star", "content": {"type": "const_string", "value": "a"}}, ["", "aa"], ["b"]),
    ({"type": "optional", "content": {"type": "const_string", "value": "a"}}, ["", "a"], ["aa"]),
    (
        {
            "type": "or",
            "elements": [{"type": "const_string", "value": "a"}, {"type": "regex", "pattern": "b+"}],
        },
        ["a", "bb"],
        ["ab"],
    ),
    (
        {"type": "tags_with_separator", "tags": [tag("(", "a*", ")"), tag("[", "b", "]")], "separator": ", "},
        ["", "(a), [b], ()"],
        ["(a)(a)", "(b)"],
    ),
    (
        {"type": "tags_with_separator", "tags": [tag("(", "a", ")")], "separator": ",", "at_least_one": True},
        ["(a),(a)"],
        [""],
    ),
    (
        {"type": "citations", "keys": ["doc3-12", "doc3-1"], "open": "["},
        ["as said [doc3-12], and [doc3-1]", "none"],
        ["[doc3-2]", "a[1]"],
    ),
    (
        {
            "structures": [{"begin": "<f=x>", "schema": {"type": "integer"}, "end": "</f>"}],
            "triggers": ["<f="],
        },
        ["a <f=x>12</f> b"],
        ["<f=y>", '<f=x>""</f>'],
    ),
]


@pytest.mark.parametrize(("spec", "accepted", "refused"), FORMATS)
def test_formats(spec: dict[str, Any], accepted: list[str], refused: list[str]) -> None:
    for form in (spec, json.dumps(spec)):
        grammar = compiled(form)
        assert [t for t in accepted if not takes(grammar, t)] == []
        assert [t for t in refused if takes(grammar, t)] == []


def test_calls_inside_a_sentence() -> None:
    result = {"type": "regex", "pattern": r"-?[0-9]+(\.[0-9]+)?"}
    calculator = {
        "type": "sequence",
        "elements": [
            {"type": "lark", "name": "arithmetic"},
            {"type": "const_string", "value": ") → "},
            result,
        ],
    }
    spec = {
        "type": "triggered_tags",
        "triggers": ["[Calculator("],
        "tags": [{"begin": "[Calculator(", "content": calculator, "end": "]"}],
    }
    grammar = compiled(spec)
    assert takes(grammar, "Of 1400, 400 (or [Calculator(400 / 1400) → 0.29] of them) [see below] came.")
    assert not takes(grammar, "[Calculator(400 /) → 1]")
    assert not takes(grammar, "[Calculator(1) → x]")


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TIME = {"name": "time", "input_schema": {"type": "object", "properties": {}, "additionalProperties": False}}
CALL = '{"name": "weather", "%s": {"city": "Oslo"}}'
HERMES = f"<tool_call>\n{CALL % 'arguments'}\n</tool_call>"
LLAMA = CALL % "parameters"
MISTRAL = f"[TOOL_CALLS] [{CALL % 'arguments'}]"
HARMONY = '<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"city": "Oslo"}'


@pytest.mark.parametrize(
    ("style", "call", "refused"),
    [
        (
            "hermes",
            HERMES,
            ["<tool_call>", HERMES.replace("city", "town"), HERMES.replace("weather", "rain")],
        ),
        ("qwen", HERMES, [HERMES[:-1], HERMES.replace("\n", "")]),
        ("llama3", LLAMA, [LLAMA[:-1], LLAMA.replace("city", "town"), "<|python_tag|>{}"]),
        ("mistral", MISTRAL, ["[TOOL_CALLS] []", MISTRAL.replace("Oslo", "\n")]),
    ],
)
def test_calls_of_tools(style: str, call: str, refused: list[str]) -> None:
    free = sg.compile(sg.Grammar.from_tools([WEATHER, TIME], style), vocabulary())
    must = sg.compile(sg.Grammar.from_tools([WEATHER, TIME], style, choice="required"), vocabulary())
    time = sg.compile(sg.Grammar.from_tools([WEATHER, TIME], style, choice="time"), vocabulary())
    for text in (call, f"Let me see. {call}"):
        assert takes(free, text), text
        assert takes(must, text), text
        assert not takes(time, text)
    for text in refused:
        assert not takes(free, text), text
    assert takes(free, "It is sunny.")
    assert not takes(must, "It is sunny.")
    assert takes(time, call.replace("weather", "time").replace('{"city": "Oslo"}', "{}"))


def test_several_calls_or_one() -> None:
    several = {"hermes": HERMES + "\n" + HERMES, "llama3": f"{LLAMA}; {LLAMA}"}
    several["mistral"] = f"[TOOL_CALLS][{CALL % 'arguments'}, {CALL % 'arguments'}]"
    for style, text in several.items():
        grammar = sg.Grammar.from_tools([WEATHER], style)
        one = sg.Grammar.from_tools([WEATHER], style, parallel=False)
        assert takes(sg.compile(grammar, vocabulary()), text), style
        assert not takes(sg.compile(one, vocabulary()), text), style


def test_harmony() -> None:
    names = ("<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|start|>")
    grammar = sg.compile(sg.Grammar.from_tools([WEATHER], "openai"), vocabulary(*names))
    ids = {name: 256 + i for i, name in enumerate(names)}

    def parts(text: str) -> list[str | int]:
        return [ids.get(part, part) for part in re.split(r"(<\|\w+\|>)", text) if part]

    thought = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    for before in ("", thought, 2 * thought):
        assert takes(grammar, *parts(before + HARMONY))
        assert takes(grammar, *parts(before + "<|channel|>final<|message|>Sunny."))
        assert not takes(grammar, *parts(before + "Sunny."))
    must = sg.compile(sg.Grammar.from_tools([WEATHER], "openai", choice="weather"), vocabulary())
    assert takes(must, thought + HARMONY)
    assert not takes(must, "<|channel|>final<|message|>Sunny.")


def test_reasoning_first() -> None:
    grammar = sg.compile(sg.Grammar.from_tools([WEATHER], "hermes", reasoning=True), vocabulary())
    assert takes(grammar, f"<think>\nA city. <tool_call>?\n</think>\n\n{HERMES}")
    assert not takes(grammar, HERMES)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("{", "this is no JSON"),
        (3, "not int"),
        ({}, "at /: 'type' is missing"),
        ({"type": "structural_tag"}, "'format' is missing"),
        ({"type": "structural_tag", "format": {"type": "no"}}, "at /format/type: there is no format 'no'"),
        ({"type": "any_text", "max_tokens": 3}, "at /max_tokens: 'max_tokens' is not supported here"),
        ({"type": "const_string", "value": 3}, "at /value: a string is expected"),
        ({"type": "const_string", "value": "\ud800"}, "surrogate"),
        ({"type": "sequence", "elements": []}, "at least one object"),
        (
            {"type": "sequence", "elements": [{"type": "any_text"}, {"type": "regex", "pattern": "a"}]},
            "at /elements/0: any_text is followed by",
        ),
        ({"type": "json_schema", "json_schema": {}, "style": "qwen_xml"}, "the style 'qwen_xml'"),
        ({"type": "json_schema", "json_schema": {"type": 3}}, "type"),
        ({"type": "triggered_tags", "triggers": ["<"], "tags": [tag("a", "", "")]}, "no tag begins with '<'"),
        (
            {"type": "triggered_tags", "triggers": ["<"], "tags": [tag("<", "", ""), tag("a", "", "")]},
            "at /tags/1/begin: begins with none of the triggers",
        ),
        ({"type": "tag", "begin": "", "content": {"type": "any_text"}, "end": "a"}, "/begin: a tag begins"),
        ({"type": "tag", "begin": "a", "content": {"type": "any_text"}, "end": []}, "/end: a tag ends"),
        ({"type": "tag", "begin": "a", "content": {"type": "any_text"}, "end": ""}, "ends with nothing"),
        ({"type": "token", "token": []}, "a token is a name or an id"),
        ({"type": "repeat", "content": {"type": "any_text"}, "min": 3, "max": 2}, "at /max"),
        ({"type": "repeat", "content": {"type": "any_text"}, "min": -1}, "at /min"),
        ({"type": "grammar", "grammar": "root ::= x"}, "/grammar:1:10: rule x is not defined"),
    ],
)
def test_errors_say_where(spec: Any, words: str) -> None:
    with pytest.raises(GrammarError, match=words):
        sg.compile(sg.Grammar.from_structural_tag(spec), vocabulary())


def test_nesting_is_bounded() -> None:
    spec: dict[str, Any] = {"type": "any_text"}
    for _ in range(5000):
        spec = {"type": "optional", "content": spec}
    with pytest.raises(GrammarError, match="nested more than"):
        structural_tag_to_ir(spec)


@pytest.mark.parametrize(
    ("tools", "options", "words"),
    [
        ([], {}, "there are no tools"),
        ([{}], {}, "tool 0 has no name"),
        ([WEATHER, WEATHER], {}, "tool 1: there are two tools"),
        ([WEATHER], {"style": "xml"}, "no style 'xml'"),
        ([WEATHER], {"choice": "rain"}, "is no tool; the tools are weather"),
    ],
)
def test_tools_that_cannot_be(tools: list[Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(GrammarError, match=words):
        tool_call_tag(tools, **{"style": "hermes", **options})
