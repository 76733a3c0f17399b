"""Matchers of grammars with max_tokens: what users see, and a real vocabulary."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import structgen as sg

from .checking import masked

BYTES = [bytes([byte]) for byte in range(256)]
WORDS = [b"ab", b"abc", b"aab", b"</", b"think>", b"</think>", b'{"']
TEXT = sg.Vocabulary([*BYTES, *WORDS, None, None], [256 + len(WORDS)], specials={"<x>": 257 + len(WORDS)})
SPECIAL = 257 + len(WORDS)
THINK = """
start: "<think>" thought "</think>" answer
thought[max_tokens=4, capture]: /(.|\\n)+/
answer[capture]: "{" /[a-z]+/? "}"
"""


def compiled_of(text: str, **options: object) -> sg.CompiledGrammar:
    return sg.compile(sg.Grammar.from_lark(text, lexing="any"), TEXT, **options)  # type: ignore[arg-type]


def takes(matcher: sg.GrammarMatcher, *steps: bytes) -> bool:
    """Each step in turn is accepted, as a token where it is one; else nothing has changed."""
    for n, step in enumerate(steps):
        token = TEXT.token_bytes.index(step) if step in TEXT.token_bytes else -1
        if not (matcher.accept_token(token) if token >= 0 else matcher.accept_bytes(step)):
            matcher.rollback(n)
            return False
    return True


def allowed(matcher: sg.GrammarMatcher) -> set[bytes | None]:
    mask = masked(matcher, TEXT.size)
    return {TEXT.bytes_of(token) for token in mask.nonzero()[0].tolist()}


def test_a_thought_has_so_many_tokens() -> None:
    matcher = compiled_of(THINK).matcher()
    assert takes(matcher, b"<think>")
    assert takes(matcher.fork(), b"a", b"ab", b"</think>", b"{", b"}")
    assert takes(matcher, b"a", b"ab", b"abc")
    # One token is left: a character of two bytes would not be whole.
    assert b"\xc3" not in allowed(matcher)
    assert {b"a", b"abc", b"</think>", b"</"} <= allowed(matcher)
    assert takes(matcher, b"a")
    assert allowed(matcher) == {b"<", b"</", b"</think>"}
    assert matcher.forced_bytes() == b"</think>{"
    assert takes(matcher, b"</think>", b"{", b"ab", b"}")
    assert matcher.must_stop()
    assert matcher.captures() == {"thought": [b"aababca"], "answer": [b"{ab}"]}


def test_what_may_belong_to_the_thought_counts_in_one_reading_alone() -> None:
    """The end's words are text of the thought, too: that reading is over when its tokens are."""
    matcher = compiled_of(THINK).matcher()
    assert takes(matcher, b"<think>", b"a", b"</think>", b"a")
    assert not takes(matcher, b"b", b"b")
    assert takes(matcher, b"</think>", b"{")
    matcher = compiled_of(THINK).matcher()
    assert takes(matcher, b"<think>", b"a", b"</think>", b"{", b"ab")
    # In three tokens the thought goes on, and one more could end it; the answer needs none of them.
    assert takes(matcher, b"ab", b"}")
    assert not takes(matcher, b"</think>")


def test_bytes_count_as_one_token_a_call() -> None:
    matcher = compiled_of(THINK).matcher()
    assert matcher.accept_bytes(b"<think>so that is it")
    assert matcher.accept_bytes(b" and more of it")
    assert matcher.accept_bytes(b" and on")
    assert not matcher.accept_bytes("é".encode()[:1])
    assert matcher.accept_bytes("é</think>".encode())
    # All of that may still be thought, but then nothing more is.
    assert allowed(matcher) == {b"{", b"<", b"</", b"</think>"}


def test_steps_back_forks_and_drafts() -> None:
    compiled = compiled_of(THINK)
    matcher = compiled.matcher()
    assert takes(matcher, b"<think>", b"a")
    before = masked(matcher, TEXT.size)
    draft = [ord("a")] * 5
    assert matcher.validate_tokens(draft) == 3
    assert (masked(matcher, TEXT.size) == before).all()
    other = matcher.fork()
    assert takes(other, b"a", b"a", b"a")
    assert not takes(other, b"a")
    other.rollback(2)
    assert takes(other, b"a", b"a")
    assert (masked(matcher, TEXT.size) == before).all()


def test_each_use_counts_afresh() -> None:
    matcher = compiled_of('start: (item ";")+\nitem[max_tokens=2]: /[abc]+/').matcher()
    for _ in range(3):
        assert takes(matcher, b"ab", b"abc")
        assert not takes(matcher, b"a")
        assert takes(matcher, b";")


@pytest.mark.parametrize("lexing", ["any", "longest"])
def test_what_has_spent_too_much_is_forgotten_when_it_is_over(lexing: str) -> None:
    text = 'start: (item tail)+\nitem[max_tokens=4]: /[abc]/+\ntail: /[abc]/* ";"'
    compiled = sg.compile(sg.Grammar.from_lark(text, lexing=lexing), TEXT)  # type: ignore[arg-type]
    matcher = compiled.matcher()
    assert takes(matcher, b"ab", b";")
    fresh = masked(matcher, TEXT.size)
    assert takes(matcher, *[b"a"] * 6)
    assert (masked(matcher, TEXT.size) == masked(compiled.matcher(), TEXT.size) | _only(b";")).all()
    assert takes(matcher, b";")
    assert (masked(matcher, TEXT.size) == fresh).all()


def _only(data: bytes) -> np.ndarray:
    return np.array([one == data for one in TEXT.token_bytes])


@pytest.mark.parametrize("lexing", ["any", "longest"])
def test_uses_that_write_nothing_are_none(lexing: str) -> None:
    text = 'start[capture]: w{2,1000000} ";"\nw[max_tokens=2]: A? B?\nA: "a"\nB: "b"'
    matcher = sg.compile(sg.Grammar.from_lark(text, lexing=lexing), TEXT).matcher()  # type: ignore[arg-type]
    assert allowed(matcher) == {b";", b"a", b"b", b"ab", b"aab"}
    assert takes(matcher, b"aab", b"a", b"b", b";")
    assert matcher.captures() == {"start": [b"aabab;"]}


def test_a_token_counts_in_every_rule_that_it_touches() -> None:
    matcher = compiled_of('start: x y\nx[max_tokens=1]: "a" "a"?\ny[max_tokens=1]: "b" "c"?').matcher()
    assert takes(matcher.fork(), b"ab")
    assert takes(matcher, b"ab")
    assert matcher.must_stop()
    assert not takes(matcher, b"c")


def test_rules_inside_counted_rules_and_special_tokens() -> None:
    text = """
start: list
list[max_tokens=8]: "(" (item | list | <x>)* ")"
item[max_tokens=2]: /[ab]+/ ","
"""
    matcher = compiled_of(text).matcher()
    assert takes(matcher, b"(", b"a", b",", b"(")
    assert matcher.accept_token(SPECIAL)
    # Three are left, and two of these are needed to end both lists.
    assert allowed(matcher) == {b")", None}
    assert SPECIAL in masked(matcher, TEXT.size).nonzero()[0].tolist()
    assert takes(matcher, b")", b")")
    assert matcher.must_stop()


def test_where_text_is_cut_into_the_longest_terminals() -> None:
    text = """
start: (call ";")+
call[max_tokens=5, capture]: NAME "(" [NAME ("," NAME)*] ")" | "if"
NAME: /[a-z]+/
%ignore " "
"""
    matcher = sg.compile(sg.Grammar.from_lark(text), TEXT).matcher()
    # What is ignored counts between the terminals of a use, and not around them.
    assert takes(matcher, b" ", b" ", b"ab", b" ", b"(")
    assert takes(matcher.fork(), b"a", b")", b" ", b" ", b";")
    assert allowed(matcher) >= {b"a", b" ", b")"}
    assert not takes(matcher, b"a", b",")
    assert takes(matcher, b"a", b")", b" ", b";")
    # A keyword's letters are no name's.
    assert takes(matcher, b"i", b"f")
    assert b"(" not in allowed(matcher)
    assert takes(matcher, b"f")
    assert allowed(matcher) == {b"("}
    assert matcher.expected().terminals == ("NAME",)
    assert takes(matcher, b"(", b")", b";")
    assert matcher.captures() == {"call": [b"ab (a)", b"iff()"]}


def test_a_suffix_belongs_to_the_rule() -> None:
    text = 'start: thought "."\nthought[max_tokens=6, suffix="</"]: /(.|\\n)*/'
    for lexing in ("any", "longest"):
        grammar = sg.Grammar.from_lark(text, lexing=lexing)  # type: ignore[arg-type]
        matcher = sg.compile(grammar, TEXT).matcher()
        assert takes(matcher, b"a", b"abc", b"a")
        assert takes(matcher, b"<")
        # Two are left, and the end needs both of them, if its bytes are tokens.
        assert allowed(matcher) == {b"/", b"</", b"<"}
        assert takes(matcher, b"</", b".")


def test_what_cannot_be_counted_is_refused() -> None:
    for text, words in (
        ('start: "x" t\nt[max_tokens=3]: "abcd"', "2:1: rule t has max_tokens=3 and needs 4 bytes at least"),
        ('start: t\nt[max_tokens=3]: t "b" | "a"', "2:1: rule t has max_tokens=3 and begins with itself"),
        (
            'start: t\nt[max_tokens=3]: u "b" | "a"\nu: "a"? t',
            "rule t has max_tokens=3 and begins with itself",
        ),
        (
            'start: t %json {"type": "array", "uniqueItems": true}\nt[max_tokens=3]: "a"',
            "2:1: max_tokens and arrays whose items differ",
        ),
    ):
        with pytest.raises(sg.GrammarError, match=words):
            compiled_of(text)
    tag = {
        "type": "sequence",
        "elements": [
            {"type": "lark", "grammar": 'start: t\nt[max_tokens=2]: "a"'},
            {"type": "json_schema", "json_schema": {"type": "array", "uniqueItems": True}},
        ],
    }
    with pytest.raises(sg.GrammarError, match="max_tokens and arrays whose items differ"):
        sg.compile(sg.Grammar.from_structural_tag(tag), TEXT)
    lines = """
start: line+
line: NAME _NL | NAME ":" _NL block
block[max_tokens=9]: _INDENT line+ _DEDENT
NAME: /[a-z]+/
_NL: /(\\n *)+/
%declare _INDENT _DEDENT
%indent _NL _INDENT _DEDENT
"""
    with pytest.raises(sg.GrammarError, match="4:18: the tokens of rule block cannot be counted"):
        sg.Grammar.from_lark(lines)
    assert takes(compiled_of('start: t\nt[max_tokens=4]: "a" t | "a"').matcher(), b"a", b"a", b"a", b"a")


def test_a_saved_grammar_counts(tmp_path: Path) -> None:
    compiled_of(THINK).save(tmp_path / "saved")
    matcher = sg.CompiledGrammar.load(tmp_path / "saved", TEXT).matcher()
    assert takes(matcher, b"<think>", b"a", b"a", b"a", b"a")
    assert allowed(matcher) == {b"<", b"</", b"</think>"}


def test_inside_other_grammars() -> None:
    inner = sg.Grammar.from_lark("start[max_tokens=2]: /[ab]+/", lexing="any")
    for grammar in (
        sg.Grammar.from_lark('start: @n ";" @n', lexing="any", grammars={"n": inner}),
        sg.Grammar.from_lark('start: %lark {start[max_tokens=2]: /[ab]+/} ";" /[ab]+/', lexing="any"),
    ):
        matcher = sg.compile(grammar, TEXT).matcher()
        assert takes(matcher, b"ab", b"a")
        assert allowed(matcher) == {b";"}


def test_memory_that_is_full_is_given_up() -> None:
    text = 'start: list\nlist: "(" item ")" | "[" item "]"\nitem: list | word\nword[max_tokens=3]: /[a-z]+/'
    compiled = compiled_of(text, limits=sg.Limits(max_heap_bytes=4 << 20))
    arenas = set()
    draw = random.Random(1)
    for _ in range(12):
        matcher = compiled.matcher()
        brackets = [draw.choice([b"()", b"[]"]) for _ in range(500)]
        assert takes(matcher, *[bracket[:1] for bracket in brackets], b"a", b"a", b"ab")
        assert allowed(matcher) == {brackets[-1][1:]}
        assert takes(matcher, *[bracket[1:] for bracket in reversed(brackets)])
        assert matcher.must_stop()
        arenas.add(matcher._arena)
    assert len(arenas) > 1


def test_masks_in_many_threads() -> None:
    compiled = compiled_of(THINK)
    walks = [[ord("a")] * n + [ord("<")] for n in range(5)] * 4

    def masks(walk: list[int]) -> list[bytes]:
        matcher = compiled.matcher()
        assert matcher.accept_bytes(b"<think>")
        found = []
        for token in walk:
            found.append(masked(matcher, TEXT.size).tobytes())
            if not matcher.accept_token(token):
                break
        return found

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(masks, walks))
    compiled = compiled_of(THINK)
    assert found == [masks(walk) for walk in walks]


# A real vocabulary ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> sg.Vocabulary:
    folder = Path(os.environ.get("STRUCTGEN_TOKENIZERS", "")) / "llama3_1"
    if not (folder / "tokenizer.json").exists():
        pytest.skip("STRUCTGEN_TOKENIZERS names no folder with llama3_1: no real tokenizer")
    return sg.Vocabulary.from_huggingface(folder)


def test_a_thought_and_then_json(real: sg.Vocabulary) -> None:
    schema = '{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}'
    text = f"""start: "<think>" thought "</think>" answer
thought[max_tokens=20]: /(.|\\n)+/
answer: %json {schema}"""
    free = sg.compile(sg.Grammar.from_lark(text.replace("[max_tokens=20]", ""), lexing="any"), real)
    compiled = sg.compile(sg.Grammar.from_lark(text, lexing="any"), real)
    draw = random.Random(4)
    words = [t for t, data in enumerate(real.token_bytes) if data and data.isalpha()]
    for walk in range(4):
        matcher, plain = compiled.matcher(), free.matcher()
        assert matcher.accept_bytes(b"<think>")
        assert plain.accept_bytes(b"<think>")
        answer = list(
            real.encode(b' so</think>{"a": 12}' if walk % 2 else b' </think>{ "b": [""], "a": -1 }')
        )
        thought = draw.sample(words, 22 - len(real.encode(b"</think>")) - walk)
        for n, token in enumerate([*thought, *answer]):
            mask, most = masked(matcher, real.size), masked(plain, real.size)
            assert mask.any()
            assert not (mask & ~most).any()
            if n < 16:  # free text may end anywhere but inside a character
                assert (mask == most).all()
            live = np.flatnonzero(mask).tolist()
            for other in [*draw.sample(range(real.size), 30), *draw.sample(live, min(10, len(live)))]:
                if other not in real.stop_token_ids:
                    assert matcher.fork().accept_token(other) == mask[other]
            assert matcher.accept_token(token) == mask[token]
            assert mask[token]
            assert plain.accept_token(token)
        assert matcher.is_accepting()
    matcher = compiled.matcher()
    assert matcher.accept_bytes(b"<think>")
    for token in words[:20]:
        assert matcher.accept_token(token)
    ends = {real.bytes_of(token) for token in np.flatnonzero(masked(matcher, real.size)).tolist()}
    assert ends == {data for data in real.token_bytes if data and b"</think>".startswith(data)}


def test_every_token_near_the_end_of_a_thought(real: sg.Vocabulary) -> None:
    """The definition, for free text and a fixed end: where the thought may end, and what it has cost."""
    text = 'start: "<think>" thought "</think>{}"\nthought[max_tokens=5]: /(.|\\n)+/'
    end, most = b"</think>{}", 5
    compiled = sg.compile(sg.Grammar.from_lark(text, lexing="any"), real)

    def may_follow(steps: list[bytes], data: bytes) -> bool:
        steps = [*steps, data]
        written = b"".join(steps)
        cost, of_byte = 0, []
        for n, step in enumerate(steps, 1):
            of_byte += [n] * len(step)
        for at in range(1, len(written) + 1):
            cost = of_byte[at - 1]
            if cost > most:
                return False
            if at == len(written):
                needed = _needed(written)
                return needed is not None and cost + needed <= most
            if end.startswith(written[at:]) and _needed(written[:at]) == 0:
                return True
        return False

    draw = random.Random(5)
    tokens = {t: data for t, data in enumerate(real.token_bytes) if data}
    near = [t for t, data in tokens.items() if b"<" in data or _needed(data) != 0]
    for walk in ("a b c d e", "é é</", "日本</think", "x</think>{ y", "🙂🙂🙂"):
        matcher = compiled.matcher()
        assert matcher.accept_bytes(b"<think>")
        steps: list[bytes] = []
        for token in [None, *real.encode(walk.encode())]:
            if token is not None:
                steps.append(real.bytes_of(token) or b"")
                assert matcher.accept_token(token) == may_follow(steps[:-1], steps[-1])
                if matcher.text != b"<think>" + b"".join(steps):
                    break
            mask = masked(matcher, real.size)
            for other in [*draw.sample(list(tokens), 1500), *near]:
                assert mask[other] == may_follow(steps, tokens[other]), (steps, tokens[other])


def _needed(text: bytes) -> int | None:
    """How many bytes a text lacks to be whole characters; None when nothing makes it so."""
    # What may follow a first byte: the second one has its own bounds after some of them.
    for rest in (b"", b"\x80", b"\xa0", b"\x80\x80", b"\xa0\x80", b"\x80\x80\x80", b"\x90\x80\x80"):
        try:
            (text + rest).decode()
        except UnicodeDecodeError:
            continue
        return len(rest)
    return None
