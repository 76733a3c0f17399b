"""What the options name, read: files, grammars, vocabularies."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GrammarError, StructgenError, UnsupportedKeywordError

if TYPE_CHECKING:
    from ..generate.progress import Reporter
    from ..grammar import Grammar
    from ..vocab.vocabulary import Vocabulary


class InputError(StructgenError):
    """A file or an option that cannot be used."""


def read_bytes(name: str, what: str) -> bytes:
    """The bytes of a file, or of stdin for ``-``. Raises `InputError` that says which file and why."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{what} {name}: {error.strerror}") from error


def read_text(name: str, what: str) -> str:
    """The text of a file (UTF-8, with or without a byte order mark), or of stdin for ``-``."""
    data = read_bytes(name, what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{what} {name} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def read_grammar(args: argparse.Namespace) -> Grammar:
    """The grammar that the options name; errors carry the name of the file they are in.

    What a schema says and the grammar does not carry is told on stderr, be it quiet or not.
    """
    if args.schema is not None:
        grammar = _located(_from_schema, args.schema, args)
        for entry in grammar.report or ():
            if entry.status != "enforced" and (entry.status == "not enforced" or "unknown" in entry.why):
                what = f"{entry.pointer}/{entry.keyword} constrains nothing here"
                print(f"structgen: {what} ({entry.why or entry.status})", file=sys.stderr)
        return grammar
    if args.lark is not None:
        return _located(_from_lark, args.lark, args)
    if args.gbnf is not None:
        return _located(_from_gbnf, args.gbnf, args)
    if args.structural_tag is not None:
        return _located(_from_structural_tag, args.structural_tag, args)
    if args.regex is not None:
        return _located(_from_regex, "--regex", args)
    return _located(_from_choices, "--choices", args)


def reads_stdin(args: argparse.Namespace) -> bool:
    """The grammar is read from stdin."""
    return "-" in (args.schema, args.lark, args.gbnf, args.structural_tag)


def _located(read: Callable[[argparse.Namespace], Grammar], name: str, args: argparse.Namespace) -> Grammar:
    """``read(args)``, with ``name`` put before the place of an error that does not name its source."""
    try:
        return read(args)
    except GrammarError as error:
        if error.source is not None:
            raise
        source = "<stdin>" if name == "-" else name
        if error.line is None:
            hint = "; --lax is that switch here" if isinstance(error, UnsupportedKeywordError) else ""
            raise InputError(f"{source}: {error}{hint}") from error
        raise GrammarError(
            error.message, text=error.text, line=error.line, column=error.column, source=source
        ) from error


def _from_schema(args: argparse.Namespace) -> Grammar:
    from ..grammar import Grammar

    return Grammar.from_json_schema(
        read_text(args.schema, "schema"),
        whitespace=args.whitespace,
        property_order=args.property_order,
        integers=args.integers,
        strict=not args.lax,
    )


def _from_regex(args: argparse.Namespace) -> Grammar:
    from ..grammar import Grammar

    return Grammar.from_regex(args.regex)


def _from_choices(args: argparse.Namespace) -> Grammar:
    from ..grammar import Grammar

    return Grammar.from_choices(next(csv.reader([args.choices]), []))


def _from_lark(args: argparse.Namespace) -> Grammar:
    from ..frontends.library import find_grammar, list_grammars
    from ..grammar import Grammar

    path = Path(args.lark)
    if args.lark != "-" and not path.is_file():
        known = {shipped.name for shipped in list_grammars()}
        if args.lark.removesuffix(".lark") not in known and (path.suffix or path.parent != Path()):
            raise InputError(f"grammar {args.lark}: no such file")
        path = find_grammar(args.lark)
    text = read_text(args.lark if args.lark == "-" else str(path), "grammar")
    base = None if args.lark == "-" else path.parent
    source = None if base is None else str(args.lark)
    start = args.start or "start"
    return Grammar.from_lark(text, start=start, base_path=base, lexing=args.lexing, source=source)


def _from_gbnf(args: argparse.Namespace) -> Grammar:
    from ..grammar import Grammar

    text = read_text(args.gbnf, "grammar")
    name = None if args.gbnf == "-" else str(args.gbnf)
    return Grammar.from_gbnf(text, start=args.start or "root", source=name)


def _from_structural_tag(args: argparse.Namespace) -> Grammar:
    from ..grammar import Grammar

    return Grammar.from_structural_tag(read_text(args.structural_tag, "structural tag"))


def bytes_vocabulary() -> Vocabulary:
    """One token for each byte, and a stop token: what a text is checked with where no tokenizer matters."""
    from ..vocab.vocabulary import Vocabulary

    return Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))


def read_vocabulary(name: str | None, reporter: Reporter) -> Vocabulary:
    """The vocabulary that ``--tokenizer`` names."""
    if name == "bytes":
        return bytes_vocabulary()
    from ..generate.model import tokenizer_source
    from ..vocab.vocabulary import Vocabulary

    return Vocabulary.from_huggingface(tokenizer_source(name, reporter))
