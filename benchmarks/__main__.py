"""Command line of the benchmarks: ``engine`` prints the tables, ``slow`` finds what to mend."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .engines import ENGINES

EXAMPLES = """\
examples:
  python -m benchmarks engine --tokenizer ~/tokenizers/llama3_1 --peers llguidance,xgrammar
  python -m benchmarks engine --suite json --n 100 --mode alone
  python -m benchmarks engine --schemas my_schemas/ --peers llguidance
  python -m benchmarks slow --n 100 --worst 30

A tokenizer is a folder with a tokenizer.json (or its path); without --tokenizer it is the folder llama3_1
in STRUCTGEN_TOKENIZERS. Schemas come from maskbench/dev.jsonl.gz in STRUCTGEN_SHARED, unless --schemas
names others.
"""


def default_tokenizer() -> Path | None:
    """The Llama 3.1 tokenizer in the folder that STRUCTGEN_TOKENIZERS names."""
    folder = os.environ.get("STRUCTGEN_TOKENIZERS")
    return Path(folder) / "llama3_1" if folder else None


def parser() -> argparse.ArgumentParser:
    """All options."""
    top = argparse.ArgumentParser(
        prog="python -m benchmarks", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--tokenizer", type=Path, default=default_tokenizer(), metavar="FOLDER")
    data.add_argument("--suite", default="schemas", help="a file of suites/ (default: schemas)")
    data.add_argument("--schemas", type=Path, metavar="FILE", help="JSON lines or a folder, as in MaskBench")
    data.add_argument("--select", choices=("random", "largest", "all"), default="random")
    data.add_argument("--n", type=int, default=300, help="how many cases (default: 300)")
    data.add_argument("--seed", type=int, default=1)
    data.add_argument("--only", metavar="ID,ID", help="just these cases")

    engine = commands.add_parser("engine", parents=[data], help="time engines beside each other")
    engine.add_argument("--engines", default="structgen", help=f"measured engines, of {', '.join(ENGINES)}")
    engine.add_argument("--peers", default="", help="further engines, e.g. llguidance,xgrammar,glrmask")
    engine.add_argument("--mode", choices=("both", "interleaved", "alone"), default="both")
    engine.add_argument("--time-limit", type=float, default=60.0, help="seconds for one engine and case")
    engine.add_argument("--record", type=Path, metavar="FILE", help="default: a dated file in recordings/")
    engine.add_argument("--no-record", action="store_true")

    report = commands.add_parser("report", help="print the tables of a recording again")
    report.add_argument("recording", type=Path)

    slow = commands.add_parser("slow", parents=[data], help="structgen's slowest masks and compile phases")
    slow.add_argument("--worst", type=int, default=25, help="how many masks to list")
    return top


def main() -> int:
    """Run a command; its exit code."""
    options = parser().parse_args()
    if options.command == "report":
        from .report import print_report, read_recording

        print_report(read_recording(options.recording))
        return 0
    if options.tokenizer is None:
        print("no tokenizer: give --tokenizer FOLDER or set STRUCTGEN_TOKENIZERS", file=sys.stderr)
        return 2
    if options.command == "slow":
        from .slow import slow as command
    else:
        from .run import engine as command
    try:
        return command(options)
    except (FileNotFoundError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
