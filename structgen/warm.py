"""Compile every kernel once, so that no request waits for it."""

from __future__ import annotations

import gc

import numpy as np

FORMATS = ("date-time", "date", "time", "email", "uri", "uuid", "hostname", "ipv4", "ipv6")

BOUNDS = (
    '{"type": "integer", "minimum": 0}',
    '{"type": "integer", "minimum": 1}',
    '{"type": "integer", "minimum": 1, "maximum": 100}',
    '{"type": "number", "minimum": 0}',
    '{"type": "number", "minimum": 0, "maximum": 1}',
    '{"type": "number", "minimum": 0, "maximum": 100}',
)


def warmup() -> None:
    """Run all kernels on small grammars, and make the formats and bounds that schemas often have.

    The machine code is kept on disk: after the first time (seconds), in any process, this takes a fraction
    of a second. A server calls it before it takes requests. What is in memory by then (modules, machine code)
    is put out of the garbage collector's sight (``gc.freeze``), so that its pauses stay short.
    """
    from .batch import fill_next_token_bitmasks
    from .bitmask import allocate_token_bitmask
    from .cache import nothing_kept
    from .compiled import compile as compile_grammar
    from .engine import layout
    from .engine.tabulating.rows import set_row
    from .grammar import Grammar
    from .regex import compile_search, from_strings, intersect, parse_ecma
    from .vocab.vocabulary import Vocabulary

    letters: list[bytes | None] = [bytes([b]) for b in range(256)]
    vocabulary = Vocabulary([*letters, b'{"', b'": "', b"ab", None], (259,))
    schema = """{
        "type": "object",
        "properties": {
            "a": {"type": "string", "maxLength": 9},
            "b": {"type": "array", "items": {"type": "integer"}},
            "c": {"type": "string", "pattern": "^a+b$", "maxLength": 999}
        },
        "required": ["a"]
    }"""
    counted = {
        "type": "object",
        "properties": {"x": {"enum": ["p", "qr"]}, "y": {"type": "object", "properties": {"z": {}}}},
        "dependentRequired": {"x": ["y"]},
        "maxProperties": 3,
    }
    distinct = {"type": "array", "items": {"type": ["string", "integer"]}, "uniqueItems": True, "minItems": 2}
    blocks = """
        start: (line | "if" ":" _BREAK _INDENT line+ _DEDENT)+
        line: "a" _BREAK
        _BREAK: /(\\n[ \\t]*)+/
        %declare _INDENT _DEDENT
        %indent _BREAK _INDENT _DEDENT "(" ")"
    """
    grammars = [
        (Grammar.from_json_schema(distinct), b'["a", 1]'),
        (Grammar.from_lark('start: w "."\nw[max_tokens=3]: /[a-z]+/', lexing="any"), b"abc."),
        (Grammar.from_lark('start: n ".." N\nn[max_tokens=2]: N\nN: /[0-9]+(\\.[0-9]*)?/'), b"1..2"),
        (Grammar.from_json_schema(schema), b'{"c": "ab", "a": "xy"}'),
        (Grammar.from_json_schema(counted), b'{"x": "p", "y": 1}'),
        (Grammar.from_lark('start: (W | "a" W)+\nW: /[a-z]+/\n%ignore " "'), b"ab a cd"),
        # Is asked for a way to end:
        (Grammar.from_lark('start: N ".." N\nN: /[0-9]+(\\.[0-9]*)?/'), b"1.2..3"),
        (Grammar.from_lark(blocks), b"if:\n a\na\n"),
    ]
    bitmask = allocate_token_bitmask(1, vocabulary.size)
    with nothing_kept():  # what is found on disk is not made, nor compiled the kernels that make it
        for grammar, text in grammars:
            compiled = compile_grammar(grammar, vocabulary)
            compiled._arena.heap.rehash()
            compiled._arena.heap.g[layout.H_NARROW] = 0  # a lexer's groups are made, whatever the vocabulary
            matcher = compiled.matcher()
            for byte in text:
                matcher.fill_next_token_bitmask(bitmask)
                matcher.accept_token(byte)
            matcher.fill_next_token_bitmask(bitmask)
            fill_next_token_bitmasks([matcher], bitmask)
            matcher.forced_bytes()
            matcher.fork().accept_bytes(b"  ")
        compiled._arena.note_dead((0, 0, 0))
    for one in [*(f'{{"format": "{name}"}}' for name in FORMATS), *BOUNDS]:
        matcher = compile_grammar(Grammar.from_json_schema(one), vocabulary).matcher()
        matcher.accept_bytes(b'"')
        matcher.fill_next_token_bitmask(bitmask)
    set_row(np.zeros(1, np.int32), np.zeros(1, np.int32))  # only large vocabularies have rows
    intersect(compile_search(parse_ecma("[a-z]+(?!b)")), from_strings([b"ab", b"cd"]))
    gc.collect()
    gc.freeze()
