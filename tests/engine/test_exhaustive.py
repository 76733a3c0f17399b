"""Every small grammar: each mask over the tree of its texts is what the definition says, token by token.

The default run takes a fixed sample of each family; with STRUCTGEN_EXHAUSTIVE=1 the families are
larger, most of them whole. Both print what was compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import GrammarIR

from . import strategies as s
from .checking import EXHAUSTIVE, Check, evicting, growing_a_little, tables_everywhere

WIDE = (*s.TOKENS, b"abab", b"bbbb", b"aaaa", None, *s.TOKENS[1:])
WIDE_STOPS = (0, len(s.TOKENS) + 3)


def size(default: int, exhaustive: int) -> int:
    """How many grammars of a family."""
    return exhaustive if EXHAUSTIVE else default


FAMILIES: dict[str, tuple[Callable[[], Sequence[GrammarIR]], int]] = {
    "one rule, whole": (lambda: s.one_rule(size(3, 4)), 10**9),
    "one rule": (lambda: s.one_rule(5), size(250, 10**9)),
    "two rules": (lambda: s.two_rules(size(3, 4), size(3, 3)), size(350, 20_000)),
    "three rules": (lambda: s.three_rules(size(100, 5000)), 10**9),
    "alternatives": (lambda: s.alternatives(size(200, 10_000)), 10**9),
    "lists of words": (lambda: s.word_lists(size(150, 5000)), 10**9),
    "repetitions": (s.repetitions, size(200, 10**9)),
    "members": (s.members, size(200, 10**9)),
    "members that need others": (s.needing, size(150, 10**9)),
    "patterns": (s.patterns, size(150, 10**9)),
    "scannerless": (s.scannerless, size(60, 10**9)),
}


def report(capsys: pytest.CaptureFixture[str], name: str, check: Check) -> None:
    """Print the totals past pytest's capture, and fail on a difference."""
    with capsys.disabled():
        print(f"\n{name}: {check.totals}")
    assert not check.totals.differences, "\n\n".join(check.totals.differences[:5])
    assert check.totals.tokens


@pytest.mark.parametrize("name", FAMILIES)
def test_any_cut(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    family, n = FAMILIES[name]
    check = Check(s.TOKENS, s.STOP_TOKEN_IDS)
    for grammar in s.sample(family(), n):
        check.grammar(grammar, depth=5 if EXHAUSTIVE else 4)
    report(capsys, name, check)


def test_ignored_terminals_must_be_woven_in_where_every_cut_counts() -> None:
    grammar = dataclasses.replace(s.scannerless()[0], ignore=("a+",))
    with pytest.raises(sg.GrammarError, match="woven"):
        sg.compile(Grammar(grammar), sg.Vocabulary(list(s.TOKENS), stop_token_ids=s.STOP_TOKEN_IDS))


@pytest.mark.parametrize("name", FAMILIES)
def test_any_cut_with_tables(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same with a vocabulary table for every state that a pattern or a wide text has."""
    check = Check(WIDE, WIDE_STOPS)
    with tables_everywhere():
        for grammar in s.sample(FAMILIES[name][0](), size(60, 3000), seed=1):
            check.grammar(grammar, depth=4)
    report(capsys, f"{name}, with tables", check)


def test_longest(capsys: pytest.CaptureFixture[str]) -> None:
    check = Check(s.TOKENS, s.STOP_TOKEN_IDS)
    for chosen in s.sample(s.lexed(), size(250, 6000)):
        check.grammar(s.lexed_grammar(*chosen), depth=4 if EXHAUSTIVE else 3, bound=10 if EXHAUSTIVE else 8)
    report(capsys, "longest", check)


def test_longest_where_a_blank_swallows_itself() -> None:
    """A rule that asks for two blanks in a row has no text when the first takes all."""
    blank = s.terminal("W", "a+", 0, False)
    grammar = GrammarIR({"s": s.Seq((s.Term("W"), s.Term("W")))}, "s", {"W": blank}, ("W",), "longest")
    check = Check(s.TOKENS, s.STOP_TOKEN_IDS)
    check.grammar(grammar, depth=2)
    assert check.totals.empty == 1
    assert not check.totals.differences


def test_longest_with_tables(capsys: pytest.CaptureFixture[str]) -> None:
    check = Check(WIDE, WIDE_STOPS)
    with tables_everywhere():
        for chosen in s.sample(s.lexed(), size(80, 3000), seed=2):
            check.grammar(s.lexed_grammar(*chosen), depth=3, bound=8)
    report(capsys, "longest, with tables", check)


def test_after_eviction(capsys: pytest.CaptureFixture[str]) -> None:
    """Grammars of every kind whose caches are given up every few masks."""
    check = Check(s.TOKENS, s.STOP_TOKEN_IDS)
    limits = sg.Limits(max_mask_bytes=1)
    with evicting(rows=4) as times:
        for grammar in [*s.sample(s.members(), 25), *s.sample(s.repetitions(), 25), *s.alternatives(25)]:
            check.grammar(grammar, depth=3, limits=limits)
        for chosen in s.sample(s.lexed(), 40, seed=3):
            check.grammar(s.lexed_grammar(*chosen), depth=3, bound=8, limits=limits)
    report(capsys, f"after {len(times)} evictions", check)
    assert len(times) > 20


@pytest.mark.parametrize("tables", [False, True])
def test_after_eviction_in_the_middle_of_a_step(tables: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The heap has room for little more than the grammar's start: it is full again every few states."""
    check = Check(s.TOKENS, s.STOP_TOKEN_IDS)
    chosen = [
        *s.sample(s.members(), size(25, 400)),
        *s.sample(s.repetitions(), size(25, 400)),
        *s.alternatives(20),
    ]
    chosen += [s.lexed_grammar(*one) for one in s.sample(s.lexed(), size(40, 600), seed=3)]
    with tables_everywhere() if tables else nullcontext(), growing_a_little(), evicting() as times:
        for grammar in chosen:
            try:
                begun = sg.compile(Grammar(grammar), check.vocabulary)._arena.heap.nbytes
            except sg.GrammarError:
                continue  # It has no members, which other tests say too.
            differences = list(check.totals.differences)
            for room in (1 << n for n in range(8, 15)):
                # What one mask needs must fit: that it does not is an error, and no difference.
                before = dataclasses.replace(check.totals, differences=list(differences))
                check.grammar(grammar, depth=4, bound=8, limits=sg.Limits(max_heap_bytes=begun + 8 * room))
                if not any("limit max_heap_bytes" in d for d in check.totals.differences):
                    break
                check.totals = before
            else:
                check.differ(grammar, b"", "16,384 words should do")
    report(capsys, f"after {len(times)} evictions of the heap{', with tables' if tables else ''}", check)
    assert len(times) > 100


def test_a_vocabulary_of_several_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows of more than one word, ids with the same bytes on both sides of a word's end, several stop ids."""
    check = Check(WIDE, WIDE_STOPS)
    for grammar in s.sample(s.alternatives(60) + s.sample(s.members(), 40), size(60, 100)):
        check.grammar(grammar, depth=3)
    for chosen in s.sample(s.lexed(), size(30, 200), seed=1):
        check.grammar(s.lexed_grammar(*chosen), depth=3, bound=8)
    report(capsys, "wide vocabulary", check)
