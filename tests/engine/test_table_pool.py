"""The pool of vocabulary tables: bounded, what was used longest ago goes first, and no mask changes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

import structgen as sg
from structgen.cache import flush, read_file, write_file
from structgen.engine import kept_tables, token_groups, vocab_tables
from structgen.engine import layout as L
from structgen.engine.table_pool import FoundByKernels, Piece, TablePool
from structgen.grammar import Grammar

from .checking import masked, tables_everywhere

TRIE = np.array([[-1, 0, 3, -1], [97, 1, 2, 0], [98, 1, 3, 1]], np.int32)
LARK = 'start: (WORD | "if" WORD | NUMBER)+\nWORD: /[a-z]+/\nNUMBER: /[0-9]+(\\.[0-9]+)?/\n%ignore " "'
TEXT = b"if abc 12.5 defg 7 if x 0"


def piece(i: int, n: int = 10) -> Piece:
    """A table whose every number says that it is the ``i``-th."""
    table = np.array([[i, 0, n // 2], [i + 1, n // 2, n - n // 2]], np.int64)
    groups = np.concatenate([np.array([1, 1, i, 0, 2], np.int64), table.reshape(-1)])
    return Piece(np.full((1, 4), i, np.int32), ids=np.full(n, i, np.int32), groups=groups)


def words(pool: TablePool, number: int) -> np.ndarray:
    return pool.pools.info[L.V_WORDS * number : L.V_WORDS * (number + 1)]


def check(pool: TablePool, i: int, number: int) -> None:
    """The table lies whole where its words of ``info`` say."""
    pools, info = pool.pools, words(pool, number)
    assert pools.rows[info[L.V_ROW]].tolist() == [i] * 4
    at = int(info[L.V_OWN])
    assert pools.groups[at : at + 5].tolist() == [1, 1, i, 0, 2]
    for g, (signature, first, many) in enumerate(pools.groups[at + 5 : at + 11].reshape(2, 3).tolist()):
        assert signature == i + g
        assert pools.ids[first : first + many].tolist() == [i] * many


@pytest.mark.parametrize("seed", range(10))
def test_the_bound_holds_and_what_was_used_last_stays(seed: int) -> None:
    draw = random.Random(seed)
    one = piece(0).nbytes
    pool = TablePool(TRIE, 4, 20 * one + one // 2)
    used: list[int] = []  # keys, that used last at the end
    for i in range(400):
        if used and draw.random() < 0.4:
            key = draw.choice(used)
            number = pool.number(key)
            if number is None:
                number = pool.place(key, piece(key))
            used.remove(key)
        else:
            key, number = i, pool.place(i, piece(i))
        used.append(key)
        check(pool, key, number)
        assert pool.nbytes <= pool.most_bytes
        present = [key for key in used if key in pool._index]
        assert present == used[len(used) - len(present) :], "something older stayed, and something newer went"
        for key in present:
            check(pool, key, pool._index[key])
    assert pool.pools.generation > 5
    assert pool.pools.tries[:12].tolist() == TRIE.reshape(-1).tolist()


def test_a_kernels_use_counts() -> None:
    pool = TablePool(TRIE, 4, 10 * piece(0).nbytes)
    for i in range(10):
        pool.place(i, piece(i))
    info = pool.pools.info
    info[L.V_USED] += 1  # as a kernel does it
    info[L.V_WORDS * pool._index[0] + L.V_USED] = info[L.V_USED]
    pool.place(10, piece(10))
    assert 0 in pool._index
    assert 1 not in pool._index


def test_what_a_mask_in_the_making_has_used_stays() -> None:
    pool = TablePool(TRIE, 4, 5 * piece(0).nbytes)
    for i in range(5):
        pool.place(i, piece(i))
    pool.busy["mask"] = int(pool.pools.info[L.V_USED])
    for i in range(5, 30):
        pool.place(i, piece(i))
    assert sorted(pool._index) == list(range(5, 30))
    del pool.busy["mask"]
    pool.place(30, piece(30))
    assert sorted(pool._index) == [28, 29, 30]


def test_one_table_larger_than_the_bound_stays_alone() -> None:
    pool = TablePool(TRIE, 4, 1)
    for i in range(5):
        check(pool, i, pool.place(i, piece(i)))
        assert list(pool._index) == [i]


def test_kernels_find_what_is_there_and_no_more() -> None:
    from structgen.engine.kernels import find_table

    heap = np.zeros(128, np.int64)
    pool = TablePool(TRIE, 4, 40 * (piece(0).nbytes))
    keys = [np.arange(i, i + L.KEY_WORDS) for i in range(300)]
    for i, key in enumerate(keys):
        made = Piece(np.full((2, 4), i, np.int32), TRIE, np.full(i % 7, i, np.int32), counts=3, found_by=key)
        pool.place(FoundByKernels(key.tobytes()), made)
        for j in range(max(0, i - 60), i + 1):
            heap[L.X_KEY : L.X_KEY + L.KEY_WORDS] = keys[j]
            at = int(find_table(heap, pool.pools.slots, pool.pools.info))
            assert (at >= 0) == (keys[j].tobytes() in pool._index)
            if at >= 0:
                info = words(pool, at)
                assert (info[L.V_ROWS], info[L.V_COUNTS]) == (2, 3)
                assert (pool.pools.rows[info[L.V_ROW] : info[L.V_ROW] + 2] == j).all()
                assert (pool.pools.ids[info[L.V_IDS] : info[L.V_IDS] + j % 7] == j).all()
                assert (
                    pool.pools.tries[info[L.V_LEAVE] : info[L.V_LEAVE] + 12].tolist()
                    == TRIE.reshape(-1).tolist()
                )
    assert pool.pools.generation > 2


def vocabulary() -> sg.Vocabulary:
    """A new one each time: tables are shared by all grammars of one."""
    more = [b"if ", b"abc", b" 1", b"12", b".5", b'{"', b'": "', b'", "', b"def", b" x", b"ab 1"]
    return sg.Vocabulary([*(bytes([b]) for b in range(256)), *more, None], (267,))


def rows_along(c: sg.CompiledGrammar, text: bytes) -> list[bytes]:
    matcher, rows = c.matcher(), []
    for b in text:
        rows.append(masked(matcher, c.vocabulary.size).tobytes())
        assert matcher.accept_token(b), matcher.text
    return rows


SCHEMA = {
    "type": "object",
    "properties": {"d": {"type": "string", "format": "date"}, "p": {"pattern": "^[a-z]+(-[0-9]+)?$"}},
}
CASES = [
    (Grammar.from_lark(LARK), TEXT),
    (
        Grammar.from_json_schema(SCHEMA),
        json.dumps({"d": "2024-02-29", "p": "ab-1", "x": [1, "é\n", {}]}).encode(),
    ),
]


@pytest.mark.parametrize(("grammar", "text"), CASES, ids=["longest", "any"])
def test_masks_are_the_same_under_any_bound(grammar: Grammar, text: bytes) -> None:
    wanted = rows_along(sg.compile(grammar, vocabulary()), text)
    with tables_everywhere():
        for most in (1, 2000, 20_000, 200_000):
            small = vocabulary()
            several = [sg.compile(grammar, small, sg.Limits(max_table_bytes=most)) for _ in range(3)]
            for c in several:
                assert rows_along(c, text) == wanted
            # All at once, each with numbers of another generation.
            matchers = [
                sg.compile(grammar, small, sg.Limits(max_table_bytes=most)).matcher() for _ in range(3)
            ]
            for b, row in zip(text, wanted, strict=True):
                for matcher in matchers:
                    assert masked(matcher, small.size).tobytes() == row
                    assert matcher.accept_token(b)
            if most == 1:
                assert several[0]._arena.tables.pool.pools.generation > 3


# On disk ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    monkeypatch.delenv("STRUCTGEN_CACHE_BYTES")
    return tmp_path / "tables"


def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is made, rather than read, from here on."""
    names: list[str] = []
    for name in ("make_sequences", "groups_of"):
        home = vocab_tables if name == "make_sequences" else token_groups
        original = getattr(home, name)

        def counting(*args: object, name: str = name, original: object = original) -> object:
            names.append(name)
            return original(*args)  # type: ignore[operator]

        monkeypatch.setattr(home, name, counting)
    return names


def test_a_second_process_makes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tables_everywhere():
        names = made(monkeypatch)
        wanted = rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT)
        assert flush()
        assert set(names) == {"make_sequences", "groups_of"}
        assert len(list(folder.iterdir())) > 5
        names.clear()
        assert rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT) == wanted
        assert names == []
        # Another vocabulary, and another program, know nothing of it.
        other = sg.Vocabulary([bytes([b]) for b in range(256)], (0,))
        rows_along(sg.compile(Grammar.from_lark(LARK), other), TEXT)
        assert names
        names.clear()
        monkeypatch.setattr(kept_tables, "_program", lambda: b"another")
        assert rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT) == wanted
        assert names
        assert flush()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_made_again(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    with tables_everywhere():
        wanted = rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT)
        assert flush()
        sound = {path: path.read_bytes() for path in sorted(folder.iterdir())}
        for path, whole in sound.items():
            kind = draw.randrange(4)
            if kind == 0:
                path.unlink()
            elif kind == 1:
                path.write_bytes(whole[: draw.randrange(len(whole))])
            elif kind == 2:
                at = draw.randrange(len(whole))
                path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            else:
                path.write_bytes(draw.choice(list(sound.values())))
        assert rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT) == wanted
        assert flush()
        assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == sound


def test_what_a_sound_file_says_is_looked_at(folder: Path) -> None:
    with tables_everywhere():
        wanted = rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT)
        assert flush()
        for path in sorted(folder.iterdir()):
            content = read_file(path)
            for name, array in content.arrays.items():
                if name == "ids":
                    array[:] = 9999
                elif name == "of":
                    array[:] = -1
                elif name == "rows":
                    content.arrays[name] = array[:, :1]
            write_file(path, content.key, content.meta, content.arrays)
        assert rows_along(sg.compile(Grammar.from_lark(LARK), vocabulary()), TEXT) == wanted
        assert flush()
