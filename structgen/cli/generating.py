"""``structgen generate``: from a grammar and a prompt to texts on stdout.

The grammar is read before the model is loaded: a mistake in it costs a fraction of a second, not ten.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from ..generate.progress import Reporter
from .inputs import InputError, read_grammar, read_text, reads_stdin

if TYPE_CHECKING:
    from ..compiled import CompiledGrammar
    from ..generate.model import LoadedModel
    from ..generate.run import Traced
    from ..grammar import Grammar


def generate(args: argparse.Namespace) -> int:
    """Write ``-n`` texts; 3 when the tokens ran out before one was complete."""
    if args.prompt == "-" and reads_stdin(args):
        raise InputError("the grammar and the prompt cannot both be read from stdin")
    reporter = Reporter(quiet=args.quiet)
    grammar = read_grammar(args)
    prompt = read_text("-", "prompt") if args.prompt == "-" else args.prompt

    from ..generate.model import load_model

    loaded = load_model(args.model, reporter)
    compiled = _compile(grammar, loaded, reporter)
    from ..generate.run import Sampling, encode_prompt, write

    inputs, templated = encode_prompt(loaded, prompt, args.raw)
    length = inputs["input_ids"].shape[1]
    how = "in the model's chat template (--raw leaves it as it is)" if templated else "as it is"
    reporter.note(f"prompt: {length} tokens, {how}")
    if args.n > 1 and args.temperature == 0:
        reporter.note("temperature 0 takes the likeliest token, so all texts will be the same")
    whole = args.pretty or args.trace
    incomplete = 0
    for i in range(args.n):
        sampling = Sampling(
            args.temperature, args.max_new_tokens, None if args.seed is None else args.seed + i
        )
        written = write(
            loaded, compiled, inputs, sampling, _hold if whole else _print, _Tracer() if args.trace else None
        )
        print((pretty(written.text) if args.pretty else written.text) if whole else "", flush=True)
        rate = written.tokens / written.seconds
        reporter.note(f"{written.tokens} tokens in {written.seconds:.1f} s, {rate:.1f} tokens/s")
        if not written.complete:
            incomplete += 1
            reporter.warn(
                f"the text is not complete: {written.tokens} tokens were not enough "
                "(--max-new-tokens N gives more)"
            )
    return 3 if incomplete else 0


def _compile(grammar: Grammar, loaded: LoadedModel, reporter: Reporter) -> CompiledGrammar:
    """Compile for the model's tokenizer, up to the first mask: that waits for the kernels, the first time."""
    with reporter.stage("compiling the grammar (the first time, the kernels too)"):
        from ..bitmask import allocate_token_bitmask
        from ..compiled import compile as compile_grammar
        from ..vocab.vocabulary import Vocabulary

        vocabulary = Vocabulary.from_huggingface(
            loaded.tokenizer, vocab_size=loaded.vocab_size, stop_token_ids=loaded.stop_token_ids
        )
        compiled = compile_grammar(grammar, vocabulary)
        compiled.matcher().fill_next_token_bitmask(allocate_token_bitmask(1, vocabulary.size))
    return compiled


def _print(piece: str) -> None:
    """Text goes out as it is written."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def _hold(piece: str) -> None:
    """Text that is printed in the end."""


class _Tracer:
    """One line on stderr for each token: what was chosen, out of how many, what was expected."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, traced: Traced) -> None:
        self._count += 1
        data = traced.data
        shown = "<stop>" if data is None else repr(data.decode("utf-8", "backslashreplace"))
        what = "a stop token" if traced.step.matcher is None else traced.step.matcher.expected()
        print(
            f"{self._count:>5}  {shown:<18} {traced.step.allowed:>8} allowed   expected {what}",
            file=sys.stderr,
            flush=True,
        )


def pretty(text: str) -> str:
    """JSON with an indent of two, every value spelled as it was; anything else as it is.

    ``json.loads`` only says whether it is JSON: writing its result again would change numbers (``1.0e3``,
    integers past 2**53 in other readers) and drop repeated keys.
    """
    try:
        json.loads(text)
    except ValueError:
        return text
    out: list[str] = []
    depth = 0
    at = 0
    while at < len(text):
        char = text[at]
        if char == '"':
            end = at + 1
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            out.append(text[at : end + 1])
            at = end
        elif char in "{[":
            close = at + 1
            while text[close] in " \t\r\n":
                close += 1
            if text[close] in "}]":
                out.append(char + text[close])
                at = close
            else:
                depth += 1
                out.append(char + "\n" + "  " * depth)
        elif char in "}]":
            depth -= 1
            out.append("\n" + "  " * depth + char)
        elif char == ",":
            out.append(",\n" + "  " * depth)
        elif char == ":":
            out.append(": ")
        elif char not in " \t\r\n":
            out.append(char)
        at += 1
    return "".join(out)
