"""Rules' automata with equal states made one: the same language, and no two states that are equal."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import combinations, product

from structgen.rules.automaton import DState, Graph, determinise, minimised

LETTERS = range(3)


def graph(draw: random.Random) -> Graph:
    """Up to eight states that read three letters and call one rule."""
    g = Graph()
    n = draw.randint(1, 8)
    for _ in range(n):
        g.state()
    for _ in range(draw.randint(n, 3 * n)):
        s, to = draw.randrange(n), draw.randrange(n)
        kind = draw.random()
        if kind < 0.7:
            low, high = sorted((draw.choice(LETTERS), draw.choice(LETTERS)))
            g.edges[s].append((low, high, to, 0))
        elif kind < 0.85:
            g.calls[s].append((7, to, 0))
        else:
            g.eps[s].append(to)
    for s in draw.sample(range(n), draw.randint(1, n)):
        g.final[s] = 0
    return g


def takes(states: list[DState], start: int, word: Iterable[int]) -> bool:
    """Word by word; the letter -1 stands for the rule that is called."""
    at = start
    for letter in word:
        if letter < 0:
            found = [to for _, to, _ in states[at].calls]
        else:
            found = [to for low, high, to, _ in states[at].edges if low <= letter <= high]
        if not found:
            return False
        (at,) = found
    return states[at].final >= 0


def test_the_language_stays_and_no_two_states_are_equal() -> None:
    draw = random.Random(0)
    smaller = told_apart = 0
    for _ in range(300):
        states = determinise(graph(draw), 0, 1000)
        fewer = minimised(states)
        smaller += len(fewer) < len(states)
        words = [word for n in range(5) for word in product((-1, *LETTERS), repeat=n)]
        assert [takes(states, 0, w) for w in words] == [takes(fewer, 0, w) for w in words]
        # Two states of n are told apart by a word of n letters or not at all. (Analysis leaves no
        # states in rules that lead nowhere.)
        texts = [[takes(fewer, s, w) for w in words] for s in range(len(fewer))]
        if len(fewer) < 5 and all(map(any, texts)):
            told_apart += 1
            assert all(a != b for a, b in combinations(texts, 2))
    assert smaller > 30
    assert told_apart > 100
