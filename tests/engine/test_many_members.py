"""Objects of more keys than a word has bits: what may follow is counted out from the definition of `Members`.

Earley cannot hold so many sets of keys. But keys that do not begin alike are told apart by one token each, so
a text is a list of keys, and whether it can be finished is arithmetic.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import GrammarIR, Lit, Member, Members, Rest

from ..oracles import derivative as d
from ..oracles.spelled import to_dfa
from .checking import EXHAUSTIVE, evicting, masked, tables_everywhere

OTHER = (b"z:", b"zz:", b"zzz:")
REST = Rest(to_dfa(d.cat(d.repeat(d.word(b"z"), 1, None), d.word(b":")), b"z:"), Lit(b"1"))
LETTERS = b"abcdefghijklmnop"


@dataclass(frozen=True)
class Shape:
    """An object: number of named keys, the required ones, is there a rest, bounds, order, needs."""

    n: int
    required: frozenset[int]
    rest: bool
    least: int
    most: int | None
    ordered: bool
    needs: frozenset[tuple[int, int]]

    @property
    def keys(self) -> list[bytes]:
        return [bytes([LETTERS[i // 16], LETTERS[i % 16]]) + b":" for i in range(self.n)]

    @property
    def grammar(self) -> GrammarIR:
        keys = self.keys
        needs = [tuple(keys[j] for k, j in sorted(self.needs) if k == i) for i in range(self.n)]
        named = tuple(Member(k, Lit(b"1"), i in self.required, needs[i]) for i, k in enumerate(keys))
        rest = (REST,) if self.rest else ()
        return GrammarIR({"s": Members(named, Lit(b","), rest, self.least, self.most, self.ordered)}, "s")

    def asked(self, named: list[int]) -> set[int]:
        """The keys that must come where these do."""
        found = set(self.required).union(named)
        while more := {j for i, j in self.needs if i in found} - found:
            found |= more
        return found

    def can_finish(self, seen: list[int]) -> bool:
        """Some continuation of these keys (-1: one of the rest) is a whole object."""
        named = [i for i in seen if i >= 0]
        missing = self.asked(named) - set(named)
        left = self.n - len(named)
        if self.ordered:
            last = self.n if -1 in seen else named[-1] + 1 if named else 0
            if any(i < last for i in missing):
                return False
            left = self.n - last
        if self.most is not None and len(seen) + len(missing) > self.most:
            return False
        return self.rest or len(seen) + left >= self.least

    def may_follow(self, seen: list[int]) -> list[int]:
        """The keys that may come next."""
        fresh = [i for i in range(self.n) if i not in seen]
        if self.ordered:
            last = self.n if -1 in seen else seen[-1] if seen else -1
            fresh = [i for i in fresh if i > last]
        others = [-1] if self.rest else []
        return [i for i in (*fresh, *others) if self.can_finish([*seen, i])]

    def is_whole(self, seen: list[int]) -> bool:
        """An object with these keys belongs to the language."""
        enough = self.least <= len(seen) and (self.most is None or len(seen) <= self.most)
        return enough and self.asked([i for i in seen if i >= 0]) <= set(seen)


def shapes(count: int, seed: int) -> list[Shape]:
    """Shapes around the sizes of one, two and more words; drawn with a fixed seed, none of them empty."""
    draw = random.Random(seed)
    made: list[Shape] = []
    while len(made) < count:
        n = draw.choice([5, 60, 61, 62, 63, 64, 65, 70, 123, 124, 125, 130, 186, 187, 250])
        wanted = draw.choice([0, 1, 3, n // 3, n - 1, n])
        required = frozenset(draw.sample(range(n), wanted))
        least = draw.choice([0, 0, 1, wanted, wanted + 2, n, n + 1])
        most = draw.choice([None, None, wanted, wanted + 1, wanted + 5, n, n + 3])
        ordered = draw.random() < 0.4
        pairs = 0 if ordered else draw.choice([0, 0, 1, 5])
        needs = frozenset((min(pair), max(pair)) for pair in (draw.sample(range(n), 2) for _ in range(pairs)))
        shape = Shape(n, required, draw.random() < 0.5, least, most, ordered, needs)
        if shape.can_finish([]) and (most is None or least <= most):
            made.append(shape)
    return made


def check(shape: Shape, draw: random.Random, limits: sg.Limits) -> int:
    """One text of the shape: every mask on the way is the definition. Returns how many masks that were."""
    keys = shape.keys
    tokens = [None, b",", b"1", b"z", *sorted({k[:1] for k in keys}), *keys, *(b"," + k for k in keys)]
    tokens += [*OTHER, *(b"," + k for k in OTHER)]
    vocabulary = sg.Vocabulary(tokens, stop_token_ids=(0,))
    matcher = sg.compile(Grammar(shape.grammar), vocabulary, limits).matcher()
    seen: list[int] = []
    masks = 0
    while True:
        following = shape.may_follow(seen)
        spelled = {k for i in following for k in (OTHER if i < 0 else (keys[i],))}
        if seen:
            wanted = {b"," + k for k in spelled} | ({b","} if following else set())
        else:
            wanted = spelled | {k[:1] for k in spelled}
        got = masked(matcher, len(tokens))
        assert {t for t, allowed in zip(tokens, got, strict=True) if allowed and t} == wanted, (shape, seen)
        assert bool(got[0]) == matcher.is_accepting() == shape.is_whole(seen), (shape, seen)
        masks += 1
        if not following or (shape.is_whole(seen) and draw.random() < 0.05):
            return masks
        choice = draw.choice(following[-3:] if draw.random() < 0.5 else following)
        key = draw.choice(OTHER) if choice < 0 else keys[choice]
        if seen and draw.random() < 0.3:
            assert matcher.accept_bytes(b",")
            comma = {k for k, allowed in zip(tokens, masked(matcher, len(tokens)), strict=True) if allowed}
            assert comma == spelled | {k[:1] for k in spelled}, (shape, seen)
            masks += 1
            assert matcher.accept_bytes(key)
        else:
            assert matcher.accept_token(tokens.index((b"," if seen else b"") + key))
        assert matcher.accept_token(tokens.index(b"1"))
        seen.append(choice)
        if choice < 0 and seen.count(-1) > 4:
            return masks


WAYS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "plain": nullcontext,
    "with tables": tables_everywhere,
    "evicting": evicting,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_mask_is_what_the_definition_counts_out(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = shapes(2000 if EXHAUSTIVE else 60, seed=7)
    limits = sg.Limits(max_mask_bytes=1) if way == "evicting" else sg.Limits()
    draw = random.Random(8)
    with WAYS[way]() as times:
        masks = sum(check(shape, draw, limits) for shape in chosen)
    with capsys.disabled():
        print(f"\nmany members, {way}: {len(chosen)} objects, {masks} masks, 0 differences")
    assert masks > 20 * len(chosen)
    if way == "evicting":
        assert isinstance(times, list)
        assert len(times) > 20
