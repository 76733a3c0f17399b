"""Every bound of `Limits`: passing it is an error that names it, and what comes after is as it was before."""

from __future__ import annotations

import gc
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import structgen as sg
from structgen import limits
from structgen.grammar import Grammar
from structgen.ir import Alt, GrammarIR, Lit, Ref, Rep, Seq
from structgen.limits import check_time, clock

from .engine.checking import evicting, growing_a_little

BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), b"aa", b"ab", None], (258,))
EXPRESSIONS = 'start: e\ne: e "+" e | e "*" e | "(" e ")" | /[0-9]+/\n%ignore " "'


def test_a_clock_inside_another_is_the_outer_one() -> None:
    assert not check_time("nothing")
    with clock("compile_seconds", 100):
        assert check_time("this")
        with clock("step_seconds", 0):
            assert check_time("this")
    with (
        clock("step_seconds", 0),
        pytest.raises(sg.LimitExceededError, match=r"step_seconds=0 .*while trying"),
    ):
        check_time("trying")
    assert not check_time("nothing")


def test_no_clock_runs_while_numba_compiles() -> None:
    jit = importlib.import_module("structgen.jit")

    def one(n):  # type: ignore[no-untyped-def]
        return n + 1

    def two(n):  # type: ignore[no-untyped-def]
        return n - 1

    jit.numba.njit(one)(1)  # what numba does once in a process is done
    before = limits._stopped
    began = time.monotonic()
    with clock("compile_seconds", 100):
        assert jit.numba.njit(two)(1) == 0
        taken = time.monotonic() - began
    assert taken / 2 < limits._stopped - before <= taken


SOURCES: dict[str, Callable[[sg.Limits], object]] = {
    "schema": lambda most: Grammar.from_json_schema({"type": "object"}, limits=most),
    "schema with a pattern": lambda most: Grammar.from_json_schema({"pattern": "^a[b-d]+$"}, limits=most),
    "lark": lambda most: Grammar.from_lark(EXPRESSIONS, limits=most),
    "gbnf": lambda most: Grammar.from_gbnf('root ::= "a" [b-c]+', limits=most),
    "regex": lambda most: Grammar.from_regex("a+(b|c)*d", limits=most),
    "tag": lambda most: Grammar.from_structural_tag(
        {"type": "structural_tag", "format": {"type": "regex", "pattern": "a+"}}, limits=most
    ),
    "compile": lambda most: sg.compile(Grammar.from_regex("a+(b|c)*d"), BYTES, most),
    "compile, longest": lambda most: sg.compile(Grammar.from_lark(EXPRESSIONS), BYTES, limits=most),
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_clock_is_looked_at_from_every_side(source: str) -> None:
    with pytest.raises(sg.LimitExceededError) as caught:
        SOURCES[source](sg.Limits(compile_seconds=0))
    assert caught.value.limit == "compile_seconds"
    assert caught.value.value == 0
    assert 0 < caught.value.reached < 10
    SOURCES[source](sg.Limits())


def test_many_patterns_share_one_clock() -> None:
    """Each takes a fraction of the time that all of them have."""
    of = [{"allOf": [{"pattern": f"[ab]*a[ab]{{7}}{i}"}]} for i in range(2000)]  # None is put off.
    schema = {"properties": {f"p{i}": one for i, one in enumerate(of)}}
    begun = time.perf_counter()
    with pytest.raises(sg.LimitExceededError, match=r"compile_seconds=0\.2"):
        Grammar.from_json_schema(schema, limits=sg.Limits(compile_seconds=0.2))
    assert time.perf_counter() - begun < 5


SCHEMA: Any = {"type": "array", "items": {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "integer"}]}}


def walk(matcher: sg.GrammarMatcher, data: bytes) -> list[bytes]:
    rows = []
    for b in data:
        row = sg.allocate_token_bitmask(1, BYTES.size)
        matcher.fill_next_token_bitmask(row)
        rows.append(row.tobytes())
        assert matcher.accept_token(b)
    return rows


@pytest.mark.parametrize(
    ("grammar", "text"),
    [
        (Grammar.from_json_schema(SCHEMA), b'["a", 12, "\\u00e9"]'),
        (Grammar.from_lark(EXPRESSIONS), b"(1 + 23)*4"),
    ],
    ids=["any", "longest"],
)
def test_a_step_that_takes_too_long_leaves_the_matcher_where_it_was(
    grammar: Grammar, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock runs out at each place where it is looked at, one after the other; then all is as ever."""
    monkeypatch.setattr(
        "structgen.rules.build.BUILT_AHEAD", -1
    )  # or a step of this grammar waits for nothing
    wanted = walk(sg.compile(grammar, BYTES).matcher(), text)
    matcher = sg.compile(grammar, BYTES).matcher()
    row = sg.allocate_token_bitmask(1, BYTES.size)
    passed = 0
    for b, mask in zip(text, wanted, strict=True):
        for action in (matcher.fill_next_token_bitmask, lambda _, b=b: matcher.accept_token(b)):
            for looks in range(1000):
                left = [looks]

                def out_of_time(what: str, left: list[int] = left) -> bool:
                    left[0] -= 1
                    if left[0] < 0:
                        raise sg.LimitExceededError("step_seconds", 1, 2, what)
                    return True

                before = matcher.text
                with monkeypatch.context() as patch:
                    for name in ("engine.arena", "rules.automaton", "rules.universal"):
                        patch.setattr(f"structgen.{name}.check_time", out_of_time)
                    try:
                        action(row)
                    except sg.LimitExceededError:
                        passed += 1
                        assert matcher.text == before
                    else:
                        break
            if action == matcher.fill_next_token_bitmask:
                assert row.tobytes() == mask
    assert passed >= 2


def test_the_proof_of_finishing_watches_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_time(what: str) -> bool:
        raise sg.LimitExceededError("compile_seconds", 1, 2, what)

    monkeypatch.setattr("structgen.rules.cuts.check_time", out_of_time)
    with pytest.raises(sg.LimitExceededError, match="compile_seconds=1 passed while proving"):
        sg.compile(Grammar.from_lark(EXPRESSIONS), BYTES)


def test_states_of_a_pattern() -> None:
    with pytest.raises(sg.LimitExceededError, match=r"max_dfa_states=50 passed while .*reached"):
        Grammar.from_regex("[ab]{60}", limits=sg.Limits(max_dfa_states=50))
    with pytest.raises(sg.LimitExceededError, match="max_dfa_states=50"):
        Grammar.from_choices([f"choice {i * i}" for i in range(99)], limits=sg.Limits(max_dfa_states=50))


def test_states_of_rules() -> None:
    """Built when a text gets there: the matcher stays, and what needs no further state goes on."""
    rules = {"s": Alt((Seq((Lit(b"a"), Ref("r"))), Rep(Lit(b"b")))), "r": Seq((Lit(b"xy" * 400), Ref("q")))}
    rules["q"] = Rep(Seq((Lit(b"abc" * 300), Ref("q"), Lit(b"d"))), 0, 3)
    c = sg.compile(Grammar(GrammarIR(rules, "s")), BYTES, sg.Limits(max_rule_states=1500))
    matcher = c.matcher()
    assert matcher.accept_bytes(b"a" + b"xy" * 400)
    for _ in range(3):
        with pytest.raises(sg.LimitExceededError, match="max_rule_states=1500"):
            matcher.accept_bytes(b"abc")
        assert matcher.text == b"a" + b"xy" * 400
    matcher.reset()
    assert matcher.accept_bytes(b"bbb")


def test_nodes_of_a_grammar() -> None:
    most = sg.Limits(max_grammar_nodes=50)
    with pytest.raises(sg.LimitExceededError, match=r"=50 passed while (reading|normalising)"):
        Grammar.from_json_schema({"properties": {f"p{i}": {"minimum": i} for i in range(99)}}, limits=most)
    with pytest.raises(sg.LimitExceededError, match="max_grammar_nodes=50 passed while expanding"):
        Grammar.from_lark("start: " + " ".join(f'"{i}" a' for i in range(99)) + '\na: "x"', limits=most)
    with pytest.raises(sg.LimitExceededError, match="max_grammar_nodes=50 passed while reading"):
        sg.compile(Grammar(GrammarIR({"s": Seq(tuple(Lit(b"%d" % i) for i in range(99)))}, "s")), BYTES, most)


def test_readings_of_a_text() -> None:
    names = [f"r{i}" for i in range(40)]
    rules: dict[str, Any] = {n: Alt((Seq((Lit(b"b"), Ref(n), Lit(n.encode()))), Lit(b"b"))) for n in names}
    rules["s"] = Alt(tuple(Ref(n) for n in names))
    c = sg.compile(Grammar(GrammarIR(rules, "s")), BYTES, sg.Limits(max_heads=20))
    matcher = c.matcher()
    with pytest.raises(sg.LimitExceededError, match=r"max_heads=20 .*reached 21"):
        matcher.accept_bytes(b"bb")
    assert matcher.text == b""


@pytest.mark.parametrize("field", ["max_heap_bytes", "max_mask_bytes"])
def test_caches_drop_work_and_stay_right(field: str) -> None:
    """A text long enough to pass the bound many times over has the masks that it has without."""
    choices = [np.base_repr(i * 7919 % 46649, 36).zfill(4) for i in range(400)]
    schema = {"type": "array", "items": {"enum": choices}}
    text = json.dumps(choices[::2]).encode()
    grammar = Grammar.from_json_schema(schema)
    bounded = sg.compile(grammar, BYTES, sg.Limits(**{field: 1 << 9}))
    wanted = walk(sg.compile(grammar, BYTES).matcher(), text)
    with evicting() as times:
        assert walk(bounded.matcher(), text) == wanted
    if field == "max_mask_bytes":
        assert len(times) > 1
    assert bounded.nbytes < 8 << 20


@pytest.mark.parametrize("grammar", [Grammar.from_json_schema(SCHEMA), Grammar.from_lark(EXPRESSIONS)])
def test_a_start_that_does_not_fit_is_an_error(grammar: Grammar) -> None:
    with growing_a_little():
        with pytest.raises(sg.LimitExceededError, match="max_heap_bytes=1 passed while laying out the start"):
            sg.compile(grammar, BYTES, sg.Limits(max_heap_bytes=1))
        sg.compile(grammar, BYTES, sg.Limits(max_heap_bytes=1 << 20))


def test_every_limit_is_documented() -> None:
    for name in sg.Limits.__dataclass_fields__:
        assert f"{name} :" in (sg.Limits.__doc__ or "")
    assert limits.__doc__


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_waits_for_clocks(enabled: bool) -> None:
    def work() -> None:
        with clock("step_seconds", 5), clock("step_seconds", 5):
            assert not gc.isenabled()
            raise ValueError("inside")

    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ValueError, match="inside"):
            work()
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_the_garbage_collector_waits_no_longer_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELD_SECONDS", 0.0)
    with clock("step_seconds", 5):
        assert not gc.isenabled()
        assert check_time("working")
        assert gc.isenabled()
        assert check_time("working on")
    assert gc.isenabled()
