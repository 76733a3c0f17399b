"""structgen as a server uses it: ``python -m benchmarks serving``. Many texts of one grammar, a batch in one
call.

    memory   resident size of 1,000 matchers in the midst of different texts, against one; and what 100
    compiled grammars
             add. Every figure is of a new process, after a collection of garbage.
    batch    256 rows: microseconds a row by one call for each, by one call for all, and by two threads that
    share
             the rows. The rows are in different places of their texts; all masks are known.

Two threads can only be faster where there are two free processors: the load of the machine is printed.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .growing import text
from .report import number, table
from .vocabularies import default_tokenizer, tokenizer_file
from .worker import memory

ROWS, REPEATS, LIVE, GRAMMARS = 256, 200, 1000, 100


def _compiled(file: str) -> tuple[Any, list[int]]:
    """The grammar of `growing.text`, and the ids of its text."""
    import structgen

    vocabulary = structgen.Vocabulary.from_huggingface(file)
    _, schema, (written,), _ = text(1400)
    compiled = structgen.compile(structgen.Grammar.from_json_schema(schema), vocabulary)
    return compiled, vocabulary.encode(written.encode())


def _walk(compiled: Any, ids: list[int]) -> Any:
    """A matcher at the end of ``ids``, with every mask on the way made."""
    import structgen

    bitmask = structgen.allocate_token_bitmask(1, compiled.vocabulary.size)
    matcher = compiled.matcher()
    for token in ids:
        matcher.fill_next_token_bitmask(bitmask)
        assert matcher.accept_token(token)
    matcher.fill_next_token_bitmask(bitmask)
    return matcher


def _matchers(compiled: Any, ids: list[int], count: int) -> list[Any]:
    """Matchers in the midst of the text, each some tokens further than the one before."""
    return [_walk(compiled, ids[: at % len(ids)]) for at in range(count)]


def _resident() -> float:
    gc.collect()
    return memory("VmRSS") / 1e6


def live(file: str, count: int) -> float:
    """MB with so many matchers alive."""
    compiled, ids = _compiled(file)
    _walk(compiled, ids)  # Every state and mask of the text is there before.
    kept = _matchers(compiled, ids, count)
    return _resident() if kept else 0.0


def compiled_grammars(file: str, count: int) -> float:
    """MB with so many compiled grammars alive, each with a text begun."""
    import structgen

    compiled, ids = _compiled(file)
    kept = [(compiled, _walk(compiled, ids))]
    for n in range(count - 1):
        grammar = structgen.Grammar.from_json_schema(
            json.loads(text(1400)[1]) | {"title": str(n), "maxItems": 10**6 + n}
        )
        other = structgen.compile(grammar, compiled.vocabulary)
        kept.append((other, _walk(other, ids)))
    return _resident() if kept else 0.0


def _median(call: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Microseconds of a call."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - begin)
    return statistics.median(times) / 1000


def batch(file: str, _: int) -> dict[str, float]:
    """Microseconds a row: single calls, one call, and one call again and again in each of two threads.

    The threads fill half of the rows each, without waiting for one another: what it costs to wake a thread is
    no part of a mask.
    """
    import structgen

    compiled, ids = _compiled(file)
    matchers = _matchers(compiled, ids, ROWS)
    bitmask = structgen.allocate_token_bitmask(ROWS, compiled.vocabulary.size)
    half = ROWS // 2

    def singly() -> None:
        for i, matcher in enumerate(matchers):
            matcher.fill_next_token_bitmask(bitmask, i)

    def together() -> None:
        structgen.fill_next_token_bitmasks(matchers, bitmask)

    parts = [(matchers[:half], bitmask[:half]), (matchers[half:], bitmask[half:])]

    def again(matchers: Any, rows: Any) -> None:
        for _ in range(REPEATS):
            structgen.fill_next_token_bitmasks(matchers, rows)

    with ThreadPoolExecutor(2) as pool:

        def on_two() -> None:
            list(pool.map(lambda part: again(*part), parts))

        ways = {"one call for each row": singly, "one call": together}
        for way in (*ways.values(), on_two):
            way()
        found = {name: _median(way) / ROWS for name, way in ways.items()}
        return found | {"two threads": _median(on_two, 5) / REPEATS / ROWS}


def _apart(function: Callable[[str, int], Any], file: Path, count: int = 0) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (str(file), count))


def serving(options: argparse.Namespace) -> int:
    """The command ``serving``."""
    file = tokenizer_file(default_tokenizer(), print)
    one, many = _apart(live, file, 1), _apart(live, file, LIVE)
    first, more = _apart(compiled_grammars, file, 1), _apart(compiled_grammars, file, GRAMMARS)
    rows = [
        ["one matcher", number(one), ""],
        [f"{LIVE:,} matchers", number(many), f"{number((many - one) * 1000 / (LIVE - 1))} KB each"],
        ["one compiled grammar", number(first), ""],
        [f"{GRAMMARS} compiled grammars", number(more), f"{number((more - first) / (GRAMMARS - 1))} MB each"],
    ]
    print(table(["resident", "MB", "more"], rows) + "\n")
    found = _apart(batch, file)
    base = found["one call"]
    cells = [[name, number(value), f"{base / value:.2f}"] for name, value in found.items()]
    print(table([f"batch of {ROWS} rows", "µs a row", "faster than one call"], cells))
    print(f"\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    return 0
