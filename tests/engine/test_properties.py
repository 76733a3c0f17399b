"""What holds for every grammar, vocabulary and way of getting to a text, on drawn ones."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import GrammarIR, Lit, Rep, Seq

from ..oracles.mask import oracle
from .checking import EXHAUSTIVE, Check, Known, evicting, masked
from .strategies import (
    STOP_TOKEN_IDS,
    TOKENS,
    grammars,
    lexed,
    lexed_grammar,
    lexed_grammars,
    members,
    repetitions,
    sample,
    show,
    vocabularies,
)

FACTOR = 20 if EXHAUSTIVE else 1
either = st.one_of(grammars(), lexed_grammars())
seeds = st.integers(0, 2**32)
VOCABULARY = sg.Vocabulary(list(TOKENS), stop_token_ids=STOP_TOKEN_IDS)
TINY = sg.Limits(max_mask_bytes=1)


def drawn(examples: int) -> settings:
    """The number of examples, the same ones in every run."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def compiled(
    grammar: GrammarIR, vocabulary: sg.Vocabulary = VOCABULARY, limits: sg.Limits | None = None
) -> sg.CompiledGrammar:
    """The compiled grammar; an example without members is left out."""
    note(show(grammar))
    try:
        return sg.compile(Grammar(grammar), vocabulary, limits=limits or sg.Limits())
    except sg.GrammarError:
        assume(False)
        raise


def walk(
    matcher: sg.GrammarMatcher,
    size: int,
    steps: int,
    draw: random.Random,
    stops: tuple[int, ...] = STOP_TOKEN_IDS,
) -> list[int]:
    """Accept up to so many allowed tokens, none of them a stop token; what was accepted."""
    path: list[int] = []
    for _ in range(steps):
        allowed = [int(i) for i in np.flatnonzero(masked(matcher, size)) if i not in stops]
        if not allowed:
            break
        path.append(draw.choice(allowed))
        assert matcher.accept_token(path[-1]), path
    return path


def replay(compiled: sg.CompiledGrammar, path: list[int]) -> sg.GrammarMatcher:
    """A fresh matcher that has accepted ``path``."""
    matcher = compiled.matcher()
    for token in path:
        assert matcher.accept_token(token), path
    return matcher


def text_of(path: list[int], tokens: list[bytes | None]) -> bytes:
    """The bytes of the tokens."""
    return b"".join(tokens[i] or b"" for i in path)


@drawn(120)
@given(either, vocabularies(), seeds)
def test_every_mask_on_a_walk_is_the_definition(
    grammar: GrammarIR, vocabulary: tuple[list[bytes | None], tuple[int, ...]], seed: int
) -> None:
    tokens, stops = vocabulary
    check = Check(tokens, stops)
    c = compiled(grammar, check.vocabulary)
    language = Known(oracle(grammar, b"ab", 7))
    if not language.is_prefix(b""):
        check.loose(grammar, b"", "compiled, but the language is empty", c)
    draw = random.Random(seed)
    matcher, text = c.matcher(), b""
    while len(text) < 7:
        allowed = np.flatnonzero(check.state(grammar, language, c, text, matcher))
        written = [int(i) for i in allowed if i not in stops]
        if not written:
            break
        token = draw.choice(written)
        assert matcher.accept_token(token)
        text += tokens[token] or b""
    assert not check.totals.differences, "\n\n".join(check.totals.differences[:5])


@drawn(80)
@given(either, seeds)
def test_rollback_fork_and_reset_lead_to_the_state_of_a_fresh_matcher(grammar: GrammarIR, seed: int) -> None:
    c, draw = compiled(grammar), random.Random(seed)
    matcher = c.matcher()
    path: list[int] = []
    for _ in range(12):
        action = draw.choice(["walk", "walk", "rollback", "fork", "reset", "stop"])
        if action == "walk":
            path += walk(matcher, len(TOKENS), draw.randrange(1, 4), draw)
        elif action == "rollback":
            n = draw.randrange(len(path) + 1)
            matcher.rollback(n)
            path = path[: len(path) - n]
        elif action == "fork":
            other = matcher.fork()
            walk(matcher, len(TOKENS), 3, draw)
            matcher = other
        elif action == "reset" and draw.random() < 0.3:
            matcher.reset()
            path = []
        elif action == "stop" and matcher.accept_token(STOP_TOKEN_IDS[0]):
            assert matcher.is_terminated()
            matcher.rollback(1)
        note(f"{action}: {path}")
        fresh = replay(c, path)
        assert not matcher.is_terminated()
        assert (masked(matcher, len(TOKENS)) == masked(fresh, len(TOKENS))).all(), path
        assert matcher.is_accepting() == fresh.is_accepting()
        assert matcher.forced_bytes() == fresh.forced_bytes()


@drawn(80)
@given(either, seeds)
def test_a_token_is_its_bytes(grammar: GrammarIR, seed: int) -> None:
    """Each token is accepted when the mask has it, then as bytes too, to the same state; else neither is."""
    c, draw = compiled(grammar), random.Random(seed)
    matcher = c.matcher()
    walk(matcher, len(TOKENS), draw.randrange(4), draw)
    before = masked(matcher, len(TOKENS))
    for i, data in enumerate(TOKENS):
        if data is None:
            continue
        by_token, by_bytes, singly = matcher.fork(), matcher.fork(), matcher.fork()
        assert by_token.accept_token(i) == by_bytes.accept_bytes(data) == bool(before[i]), (i, data)
        assert all(singly.accept_bytes(data[k : k + 1]) for k in range(len(data))) == bool(before[i]), (
            i,
            data,
        )
        assert (masked(by_token, len(TOKENS)) == masked(by_bytes, len(TOKENS))).all(), (i, data)
        if before[i]:
            assert (masked(by_token, len(TOKENS)) == masked(singly, len(TOKENS))).all(), (i, data)
        else:
            assert (masked(by_token, len(TOKENS)) == before).all(), (i, data)
    for hole in (i for i, t in enumerate(TOKENS) if t is None and i not in STOP_TOKEN_IDS):
        assert not before[hole]
        assert not matcher.accept_token(hole)
    assert not matcher.accept_token(len(TOKENS))
    assert not matcher.accept_token(-1)
    assert (masked(matcher, len(TOKENS)) == before).all()


@drawn(80)
@given(either, seeds, st.lists(st.integers(0, len(TOKENS) - 1), max_size=6))
def test_a_draft_is_validated_as_it_would_be_accepted(
    grammar: GrammarIR, seed: int, draft: list[int]
) -> None:
    c, draw = compiled(grammar), random.Random(seed)
    matcher = c.matcher()
    walk(matcher, len(TOKENS), draw.randrange(4), draw)
    ahead = matcher.fork()
    draft = walk(ahead, len(TOKENS), draw.randrange(5), draw) + draft
    before = masked(matcher, len(TOKENS))
    by_one, accepted = matcher.fork(), 0
    while accepted < len(draft) and by_one.accept_token(draft[accepted]):
        accepted += 1
    assert matcher.validate_tokens(draft) == accepted, draft
    assert (masked(matcher, len(TOKENS)) == before).all()


@drawn(80)
@given(either, seeds)
def test_what_is_forced_is_what_every_continuation_begins_with(grammar: GrammarIR, seed: int) -> None:
    c, draw = compiled(grammar), random.Random(seed)
    matcher = c.matcher()
    text = text_of(walk(matcher, len(TOKENS), draw.randrange(4), draw), list(TOKENS))
    forced = matcher.forced_bytes()
    language = Known(oracle(grammar, b"ab", max(8, len(text) + len(forced) + 2)))
    for n in range(len(forced)):
        assert not language.is_member(text + forced[:n]), (text, forced)
        assert [s for s in (b"a", b"b") if language.is_prefix(text + forced[:n] + s)] == [
            forced[n : n + 1]
        ], text
    if len(forced) < 8:
        following = [s for s in (b"a", b"b") if language.is_prefix(text + forced + s)]
        assert len(following) != 1 or language.is_member(text + forced), (text, forced, following)
    must_stop = language.is_member(text) and not any(language.is_prefix(text + s) for s in (b"a", b"b"))
    assert matcher.must_stop() == must_stop, text
    joined = b""
    for token in matcher.forced_tokens():
        joined += TOKENS[token] or b""
        assert matcher.accept_token(token)
    assert forced.startswith(joined)


FEW = [*sample(members(), 12), *sample(repetitions(), 12), *(lexed_grammar(*g) for g in sample(lexed(), 12))]


@pytest.mark.parametrize("tiny", [False, True])
def test_threads_get_the_masks_of_one_thread(tiny: bool) -> None:
    with evicting() as times:
        for grammar in FEW:
            try:
                shared = sg.compile(Grammar(grammar), VOCABULARY, limits=TINY if tiny else None)
            except sg.GrammarError:
                continue

            def run(seed: int, c: sg.CompiledGrammar) -> list[bytes]:
                draw, rows = random.Random(seed), []
                for _ in range(4):
                    matcher = c.matcher()
                    for _ in range(6):
                        rows.append(masked(matcher, len(TOKENS)).tobytes())
                        if not walk(matcher, len(TOKENS), 1, draw):
                            break
                return rows

            with ThreadPoolExecutor(8) as pool:
                together = list(pool.map(run, range(8), [shared] * 8))
            alone = [run(seed, sg.compile(Grammar(grammar), VOCABULARY)) for seed in range(8)]
            assert together == alone, show(grammar)
    assert bool(times) == tiny


def test_numpy_integers_and_ended_texts_survive_eviction() -> None:
    grammar = GrammarIR({"s": Rep(Seq((Lit(b"a"), Rep(Lit(b"b"), 0, 40))), 0, 40)}, "s")
    with evicting(rows=1) as times:
        c = sg.compile(Grammar(grammar), VOCABULARY, limits=TINY)
        ended, going, fresh = c.matcher(), c.matcher(), c.matcher()
        a = TOKENS.index(b"a")
        for matcher in (ended, going):
            assert all(matcher.accept_token(np.int64(t)) for t in (a, a, TOKENS.index(b"bb"), a))
        stop = np.int32(STOP_TOKEN_IDS[0])
        assert ended.accept_token(stop)
        for _ in range(60):
            assert fresh.accept_token(np.int64(TOKENS.index(b"b")) if len(fresh.text) % 3 else np.int32(a))
            masked(fresh, len(TOKENS))
        assert len(times) > 2
        after = masked(going, len(TOKENS))
        assert list(np.flatnonzero(masked(ended, len(TOKENS)))) == list(STOP_TOKEN_IDS)
        assert ended.is_terminated()
        ended.rollback(1)
        assert not ended.is_terminated()
        assert (masked(ended, len(TOKENS)) == after).all()
        going.rollback(1)
        ended.rollback(1)
        assert (masked(ended, len(TOKENS)) == masked(going, len(TOKENS))).all()
        assert going.text == b"aabb"
        assert after[a]


def test_a_batch_is_its_rows() -> None:
    draw = random.Random(5)
    matchers = []
    for grammar in FEW:
        try:
            c = sg.compile(Grammar(grammar), VOCABULARY)
        except sg.GrammarError:
            continue
        matchers.append(c.matcher())
        walk(matchers[-1], len(TOKENS), draw.randrange(4), draw)
    bitmask = sg.allocate_token_bitmask(len(matchers), len(TOKENS))
    sg.fill_next_token_bitmasks(matchers, bitmask)
    bits = np.unpackbits(bitmask.view(np.uint8), axis=1, bitorder="little").astype(bool)
    for row, matcher in zip(bits, matchers, strict=True):
        assert (row[: len(TOKENS)] == masked(matcher, len(TOKENS))).all()
