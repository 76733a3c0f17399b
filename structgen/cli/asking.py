"""The commands that ask an engine without running a model: mask, explain, compile, grammars, warmup."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from ..compiled import compile as compile_grammar
from ..generate.progress import Reporter
from .inputs import InputError, bytes_vocabulary, read_grammar, read_vocabulary
from .places import describe_failure, feed

if TYPE_CHECKING:
    from ..matcher import GrammarMatcher
    from ..vocab.vocabulary import Vocabulary


def _after_prefix(args: argparse.Namespace) -> tuple[GrammarMatcher, Vocabulary] | None:
    """A matcher that has read ``--prefix``; None, and a message, when the grammar does not allow it."""
    grammar = read_grammar(args)
    vocabulary = read_vocabulary(args.tokenizer, Reporter())
    matcher = compile_grammar(grammar, vocabulary).matcher()
    data = args.prefix.encode("utf-8", "surrogateescape")
    offset = feed(matcher, data)
    if offset < len(data):
        print(describe_failure(matcher, "prefix", data, offset))
        return None
    return matcher, vocabulary


def mask(args: argparse.Namespace) -> int:
    """List what may come next."""
    found = _after_prefix(args)
    if found is None:
        return 1
    from ..bitmask import allocate_token_bitmask, unpack_token_bitmask

    matcher, vocabulary = found
    bitmask = allocate_token_bitmask(1, vocabulary.size)
    matcher.fill_next_token_bitmask(bitmask)
    ids = [int(i) for i in unpack_token_bitmask(bitmask, vocabulary.size)[0].nonzero()[0]]
    if args.ids:
        print("\n".join(map(str, ids)))
        return 0
    print(f"{len(ids)} of {vocabulary.size} tokens allowed; expected {matcher.expected()}")
    for i in ids[: args.limit]:
        data = vocabulary.bytes_of(i)
        print(f"{i:>8}  {'stop token' if data is None else _shown(data)}")
    if len(ids) > args.limit:
        print(f"... and {len(ids) - args.limit} more (--limit N, or --ids for all)")
    return 0


def _shown(data: bytes) -> str:
    """Bytes as a quoted text, or as bytes where they are none."""
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return repr(data)


def explain(args: argparse.Namespace) -> int:
    """Say why a token may come, or why not."""
    found = _after_prefix(args)
    if found is None:
        return 1
    matcher, vocabulary = found
    token = args.id if args.id is not None else _token_of(args.text, vocabulary)
    if not 0 <= token < vocabulary.size:
        raise InputError(f"there is no token {token}: the vocabulary has {vocabulary.size} ids, from 0")
    print(matcher.explain(token))
    return 0


def _token_of(text: str, vocabulary: Vocabulary) -> int:
    """The lowest id that writes exactly ``text``."""
    wanted = text.encode("utf-8", "surrogateescape")
    for i, data in enumerate(vocabulary.token_bytes):
        if data == wanted:
            return i
    ids = vocabulary.encode(wanted) if wanted else []
    parts = ", ".join(f"{i} {_shown(vocabulary.bytes_of(i) or b'')}" for i in ids)
    raise InputError(f"no token writes {text!r}" + (f"; it is written by {parts}" if parts else ""))


def compile_(args: argparse.Namespace) -> int:
    """Compile, and tell what it took."""
    times: list[tuple[str, float]] = []
    last = time.perf_counter()

    def lap(what: str) -> None:
        nonlocal last
        now = time.perf_counter()
        times.append((what, now - last))
        last = now

    grammar = read_grammar(args)
    lap("reading the grammar")
    if args.dump:
        from ..dump import dump

        for line in dump(compile_grammar(grammar, bytes_vocabulary())):
            print(line)
        return 0
    vocabulary = read_vocabulary(args.tokenizer, Reporter())
    lap("reading the vocabulary")
    compiled = compile_grammar(grammar, vocabulary)
    lap("compiling")
    from ..bitmask import allocate_token_bitmask

    bitmask = allocate_token_bitmask(1, vocabulary.size)
    matcher = compiled.matcher()
    matcher.fill_next_token_bitmask(bitmask)
    lap("first mask")
    print(
        f"grammar     {grammar.source}: {len(grammar.ir.rules)} rules, {len(grammar.ir.terminals)} terminals"
    )
    print(f"vocabulary  {vocabulary}")
    print(f"compiled    {compiled.nbytes / 1024:,.0f} KiB after the first mask")
    print(f"begins with {matcher.expected()}")
    for what, seconds in times:
        print(f"{what:<24} {seconds * 1e3:10.2f} ms")
    if grammar.report is not None:
        print(grammar.report)
    return 0


def grammars(args: argparse.Namespace) -> int:
    """List what ships."""
    from ..frontends.library import list_grammars

    for shipped in list_grammars():
        print(f"{shipped.name:<14} {shipped.description}")
    return 0


def warmup(args: argparse.Namespace) -> int:
    """Compile the kernels."""
    from ..warm import warmup as warm

    with Reporter().stage("compiling the kernels"):
        warm()
    print("the kernels are ready")
    return 0
