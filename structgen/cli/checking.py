"""``structgen check``."""

from __future__ import annotations

import argparse

from ..compiled import compile as compile_grammar
from .inputs import InputError, bytes_vocabulary, read_bytes, read_grammar, reads_stdin
from .places import describe_failure, feed


def check(args: argparse.Namespace) -> int:
    """Say whether the text belongs to the grammar; 1 when it does not."""
    if args.text == "-" and reads_stdin(args):
        raise InputError("the grammar and the text cannot both be read from stdin")
    matcher = compile_grammar(read_grammar(args), bytes_vocabulary()).matcher()
    data = read_bytes(args.text, "text")
    if not args.exact:
        data = data.removesuffix(b"\n").removesuffix(b"\r")
    name = "<stdin>" if args.text == "-" else args.text
    offset = feed(matcher, data)
    if offset == len(data) and matcher.is_accepting():
        print(f"{name}: ok")
        return 0
    print(describe_failure(matcher, name, data, offset))
    return 1
