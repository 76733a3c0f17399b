"""Masks by token groups against masks by walking, on programs and a vocabulary of real size.

A walk asks of each token, byte by byte, what the parser does; it is what the oracle judges on small
vocabularies (`test_exhaustive`). Groups are another way to the same mask, whose shortcuts (splits, tops of
stacks) show only where stacks are deep and vocabularies large.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

import structgen as sg
from structgen.engine import arena
from structgen.engine import layout as L
from structgen.engine.token_groups import group_own
from structgen.frontends.library import find_grammar

from .checking import EXHAUSTIVE

TEXTS = {
    "python": """\
import os
def f(a, *b: int, c=(1, [2, {3: lambda x: x if x else (yield)}])) -> dict[str, "T"]:
    for i, (j, k) in enumerate(b):
        if not (a[i:j, ::2] @ k).x(y)[0]:
            return {**c, 'd': [e for e in f"{a!r:>{k}}" if e], "g": not -a ** ~k}
        elif a < b <= c is not d:
                pass  # a comment
    with open(a) as b, (yield): x: int = await z; del y
    return a
""",
    "java": """\
public class A<T extends B & C> implements D {
    private final int[] a = {1, 2, (int) 3.0f};
    @Override public <S> List<? super S> f(Map<String, List<S>> m, int... n) throws E {
        for (var x : m.get("k")) { if (x instanceof F<?> g && (n[0] << 1) >= 2) return (a, b) -> a::new; }
        int y = (x) + -n[1]; A.super.f(new int[][]{{1}}, switch (y) { case 1 -> 2; default -> 3; });
        return null;
    }
}
""",
    "sql": """\
SELECT a.b, count(DISTINCT c) AS d FROM t AS a JOIN (SELECT * FROM u WHERE x IN (1, 2)) ON a.i = b.j
WHERE NOT (e BETWEEN 1 AND 2 OR f LIKE '%g') GROUP BY h HAVING max(i) > 3 ORDER BY j DESC LIMIT 4""",
    "javascript": """\
const {a, b: [c = 1, ...d]} = await f(`x${y ? /re/g : z++}`)
for (let i of d) {
    if (i) continue; else x = (a, b) => ({...a, [b]: class extends C { get e() { return this?.#f } }})
}
""",
}


@pytest.fixture(scope="module")
def vocabulary() -> sg.Vocabulary:
    folder = os.environ.get("STRUCTGEN_TOKENIZERS", "")
    files = sorted(Path(folder).glob("*/tokenizer.json")) if folder else []
    if not files:
        pytest.skip("STRUCTGEN_TOKENIZERS does not name a folder with NAME/tokenizer.json: no real tokenizer")
    return sg.Vocabulary.from_huggingface(files[0].parent)


@pytest.mark.parametrize("language", TEXTS)
def test_groups_are_what_a_walk_finds(
    language: str, vocabulary: sg.Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = find_grammar(language)
    grammar = sg.Grammar.from_lark(path.read_text(encoding="utf-8"), base_path=path.parent)
    grouped = sg.compile(grammar, vocabulary)
    monkeypatch.setattr(arena, "NARROW", 1 << 50)
    walked = sg.compile(grammar, vocabulary)
    ids = vocabulary.encode(TEXTS[language].encode())
    chosen = set(range(len(ids)) if EXHAUSTIVE else random.Random(1).sample(range(len(ids)), 12))
    groups, walk = grouped.matcher(), walked.matcher()
    mask = sg.allocate_token_bitmask(1, vocabulary.size)
    wanted = sg.allocate_token_bitmask(1, vocabulary.size)
    for i, token in enumerate(ids):
        groups.fill_next_token_bitmask(mask)
        if i in chosen:
            walk.fill_next_token_bitmask(wanted)
            assert (mask == wanted).all(), (language, groups.text)
        assert groups.accept_token(token), groups.text
        assert walk.accept_token(token)
    assert grouped._arena.tables.nbytes > 0
    check_shared_tables(grouped._arena)


def check_shared_tables(a: arena.Arena) -> None:
    """Every lexer state that has another's table would get the same; most have none of their own."""
    states = [s for s in records(a, L.K_LEX) if int(a.g[value(a, s) + L.L_OWN]) > 0]
    own = {s: int(a.g[value(a, s) + L.L_OWN]) for s in states}
    sequences = a._sequences()
    assert sequences is not None
    for state, other in own.items():
        if state != other:
            made, wanted = group_own(a, state, sequences), group_own(a, other, sequences)
            for name in ("rows", "ids", "groups"):
                assert np.array_equal(getattr(made, name), getattr(wanted, name)), (state, other, name)
    assert len(set(own.values())) < len(own) / 2


def records(a: arena.Arena, kind: int) -> list[int]:
    table = int(a.g[L.H_HASH]) >> L.HASH_SHIFT
    slots = a.g[table : table + a.heap.hash_slots] >> L.HASH_TAG
    return [at for at in slots[slots > 0].tolist() if int(a.g[at]) & 0xFF == kind]


def value(a: arena.Arena, record: int) -> int:
    return record + L.R_KEY + (int(a.g[record]) >> 8)
