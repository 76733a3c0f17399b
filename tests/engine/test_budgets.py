"""Rules with max_tokens: every mask is the definition's, for small grammars whose readings can be listed.

The oracle lists the ways to read a whole text, each as the parts of it that counted rules write. A sequence
of tokens may go on when some text begins with its bytes and has a way in which no part has a byte in more
tokens than its rule may have, each byte after the sequence being a token of its own.
"""

from __future__ import annotations

import os
import random
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import Alt, Budget, Expr, GrammarIR, Lit, Ref, Rep, Seq

from .checking import Totals, masked
from .strategies import show

TOKENS: list[bytes | None] = [b"a", b"b", b"aa", b"ab", b"ba", b"bb", b"aab", b"abb", b"bab", b"ab", None]
STOP = len(TOKENS) - 1
VOCABULARY = sg.Vocabulary(TOKENS, stop_token_ids=[STOP])
LONGEST = 9
MOST_WAYS = 400

Part = tuple[str, int, int]
Way = frozenset[Part]
Steps = tuple[bytes, ...]


class TooAmbiguousError(Exception):
    """The grammar has so many ways to read a text that listing them takes too long."""


class Counted:
    """The oracle."""

    def __init__(self, ir: GrammarIR) -> None:
        self.ir = ir
        self.tokens = {budget.rule: budget.tokens for budget in ir.budgets}
        texts = (bytes(w) for n in range(LONGEST + 1) for w in product(b"ab", repeat=n))
        self.ways = {text: ways for text in texts if (ways := self.readings(ir.start, text))}
        self.may_go_on = cache(self._may_go_on)

    def readings(self, rule: str, text: bytes) -> set[Way]:
        """The ways in which a rule writes a text."""
        found = ways_of(self.ir, Ref(rule), text, 0, len(text) + 2 * len(self.ir.rules), {})
        return {way for end, way in found if end == len(text)}

    def fits(self, way: Way, steps: Steps) -> bool:
        """No part has a byte in more tokens than it may have."""
        of_byte = [i for i, step in enumerate(steps) for _ in step]
        return all(len(set(of_byte[start:end])) <= self.tokens[rule] for rule, start, end in way)

    def is_text(self, steps: Steps, rule: str | None = None) -> bool:
        """The tokens are a whole text (of a rule)."""
        text = b"".join(steps)
        ways = self.ways.get(text, set()) if rule is None else self.readings(rule, text)
        if rule is None and len(text) > LONGEST:
            ways = self.readings(self.ir.start, text)
        return any(self.fits(way, steps) for way in ways)

    def _may_go_on(self, steps: Steps) -> bool:
        begun = b"".join(steps)
        return any(
            self.fits(way, (*steps, *singles(text[len(begun) :])))
            for text, ways in self.ways.items()
            if text.startswith(begun)
            for way in ways
        )

    def can_be_ended(self, rule: str) -> bool:
        """Some text of a counted rule has few enough bytes."""
        most = self.tokens[rule]
        texts = (bytes(w) for n in range(most + 1) for w in product(b"ab", repeat=n))
        return any(self.is_text(singles(text), rule) for text in texts)


def singles(text: bytes) -> Steps:
    """Each byte as a token of its own."""
    return tuple(text[i : i + 1] for i in range(len(text)))


def ways_of(
    ir: GrammarIR, e: Expr, text: bytes, at: int, depth: int, known: dict[object, set[tuple[int, Way]]]
) -> set[tuple[int, Way]]:
    """Where an expression that begins ``at`` can end, each time with the parts in it."""
    key = (id(e), at, depth)
    if key in known:
        return known[key]
    counted = {budget.rule for budget in ir.budgets}
    found: set[tuple[int, Way]] = set()
    match e:
        case Lit(data):
            found = {(at + len(data), frozenset())} if text.startswith(data, at) else set()
        case Alt(items):
            found = {way for item in items for way in ways_of(ir, item, text, at, depth, known)}
        case Ref(rule) if depth > 0:
            for end, way in ways_of(ir, ir.rules[rule], text, at, depth - 1, known):
                found.add((end, way | {(rule, at, end)} if rule in counted and end > at else way))
        case Seq(items):
            found = {(at, frozenset())}
            for item in items:
                found = {
                    (last, way | more)
                    for end, way in found
                    for last, more in ways_of(ir, item, text, end, depth, known)
                }
        case Rep(item, low, high):
            level: set[tuple[int, Way]] = {(at, frozenset())}
            most = low + len(text) - at if high is None else high
            found = set(level) if low == 0 else set()
            for n in range(1, most + 1):
                level = {
                    (last, way | more)
                    for end, way in level
                    for last, more in ways_of(ir, item, text, end, depth, known)
                }
                if n >= low:
                    found |= level
    if len(found) > MOST_WAYS:
        raise TooAmbiguousError
    # A way with more parts asks for more: it is left out.
    known[key] = {(end, way) for end, way in found if not any(end == e and w < way for e, w in found)}
    return known[key]


def some_expression(draw: random.Random, size: int) -> Expr:
    if size <= 1:
        return draw.choice([Lit(b"a"), Lit(b"b"), Lit(b"ab"), Lit(b""), Ref("x"), Ref("y"), Ref("x")])
    left = some_expression(draw, size // 2)
    shape = draw.randrange(5)
    if shape < 4:
        right = some_expression(draw, size - size // 2)
        return (Seq if shape < 2 else Alt)((left, right))
    return draw.choice([Rep(left), Rep(left, 1), Rep(left, 0, 1), Rep(left, 2, 3)])


def some_grammar(draw: random.Random) -> GrammarIR:
    """Three rules, of which one or two are counted; they may call each other."""
    rules: dict[str, Expr] = {
        "s": some_expression(draw, draw.randint(2, 6)),
        "x": some_expression(draw, draw.randint(2, 5)),
        "y": some_expression(draw, draw.randint(1, 4)),
    }
    counted = draw.choice([["x"], ["x"], ["x", "y"], ["y"], ["s", "x"]])
    budgets = tuple([Budget(name, draw.choice([1, 2, 2, 3, 4])) for name in counted])
    return GrammarIR(rules, "s", budgets=budgets)


class Check:
    """Compares masks of one grammar after another with the oracle's."""

    def __init__(self) -> None:
        self.totals = Totals()
        self.refused = 0

    def grammar(self, ir: GrammarIR, draw: random.Random, walks: int = 6, longest: int = 6) -> None:
        self.totals.grammars += 1
        try:
            oracle = Counted(ir)
        except TooAmbiguousError:
            self.totals.undecided += 1
            return
        try:
            compiled = sg.compile(Grammar(ir), VOCABULARY)
        except sg.GrammarError as error:
            self.judge(ir, oracle, str(error))
            return
        seen: set[Steps] = set()
        for _ in range(walks):
            matcher, steps = compiled.matcher(), ()
            while True:
                if steps not in seen:
                    seen.add(steps)
                    self.state(ir, oracle, matcher, steps)
                live = [t for t in masked(matcher, len(TOKENS)).nonzero()[0].tolist() if t != STOP]
                if not live or sum(map(len, steps)) >= longest:
                    break
                token = draw.choice(live)
                assert matcher.accept_token(token)
                steps = (*steps, TOKENS[token] or b"")

    def judge(self, ir: GrammarIR, oracle: Counted, message: str) -> None:
        """A grammar is refused for what is so."""
        if "no finite text" in message:
            self.totals.empty += 1
            return
        self.refused += 1
        rule = message.split("rule ")[1].split()[0]
        if "larger max_tokens" in message and oracle.can_be_ended(rule):
            self.totals.differences.append(f"{show(ir)}: {message}")

    def state(self, ir: GrammarIR, oracle: Counted, matcher: sg.GrammarMatcher, steps: Steps) -> None:
        got = masked(matcher, len(TOKENS))
        self.totals.masks += 1
        self.totals.tokens += len(TOKENS)
        assert matcher.is_accepting() == bool(got[STOP])
        if not got.any():
            self.differ(ir, steps, "an empty mask")
        for token, data in enumerate(TOKENS):
            wanted = oracle.is_text(steps) if data is None else oracle.may_go_on((*steps, data))
            accepted = matcher.fork().accept_token(token)
            if accepted != got[token]:
                self.differ(ir, steps, f"{data!r} accepted: {accepted}, in the mask: {got[token]}")
            if wanted != got[token]:
                claim = finished(matcher, token) if got[token] else None
                if claim is not None and oracle.is_text((*steps, data or b"", *singles(claim))):
                    self.totals.further += 1
                else:
                    what = f"{data!r}: the mask says {bool(got[token])}, the definition {wanted}"
                    self.differ(ir, steps, what)

    def differ(self, ir: GrammarIR, steps: Steps, what: str) -> None:
        self.totals.differences.append(f"{show(ir)} {ir.budgets}\nafter {steps}: {what}")


def finished(matcher: sg.GrammarMatcher, token: int) -> bytes | None:
    """How the matcher itself ends its text, byte by byte: a claim for the definition to judge."""
    begun = matcher.fork()
    begun.accept_token(token)
    todo, seen = [(b"", begun)], {begun._state}
    for after, at in todo:
        if at.is_accepting():
            return after
        for byte in (b"a", b"b"):
            following = at.fork()
            if following.accept_bytes(byte) and following._state not in seen and len(seen) < 400:
                seen.add(following._state)
                todo.append((after + byte, following))
    return None


def test_random_grammars(capsys: pytest.CaptureFixture[str]) -> None:
    draw = random.Random(8)
    check = Check()
    for _ in range(160):
        check.grammar(some_grammar(draw), draw)
    with capsys.disabled():
        print(f"\n  counted rules: {check.totals}, {check.refused} refused")
    assert check.totals.differences == []
    assert check.totals.masks > 500


# The matcher ------------------------------------------------------------------------------------------

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
    text = 'start: (thought ";")+\nthought[max_tokens=50]: /[a-z]+/'
    compiled = compiled_of(text, limits=sg.Limits(max_heap_bytes=4 << 20))
    arenas = set()
    matcher = compiled.matcher()
    for turn in range(200):
        for i in range(50):
            assert matcher.accept_bytes(b"x%s" % bytes([97 + (turn * i) % 26]) * (1 + i % 7))
        assert not takes(matcher, b"a")
        assert takes(matcher, b";")
        arenas.add(matcher._arena)
    assert len(arenas) >= 1


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
