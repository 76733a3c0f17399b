"""Command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from pathlib import Path

NEEDED = ("numba", "numpy", "tokenizers", "rich", "platformdirs", "lark", "matplotlib")
EXAMPLES = """\
examples:
  python -m benchmarks
  python -m benchmarks --small
  python -m benchmarks run --engines structgen,llguidance,xgrammar --n 100
  python -m benchmarks run --suite json --engines all --budget 60
  python -m benchmarks run --schemas my_schemas/ --engines structgen,llguidance
  python -m benchmarks report benchmarks/recordings/RECORDING.jsonl.gz

A tokenizer is a name of tokenizers.toml, or a folder with a tokenizer.json; by default Llama 3.1's. Schemas
come from maskbench/dev.jsonl.gz in STRUCTGEN_SHARED, unless --schemas names others. Given a second time, a
command that was stopped goes on where it was.
"""


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", default="schemas", help="a file of suites/ (default: schemas)")
    parser.add_argument(
        "--schemas", type=Path, metavar="FILE", help="JSON lines or a folder, as in MaskBench"
    )
    parser.add_argument("--select", choices=("random", "largest", "all"), default="random")
    parser.add_argument("--n", type=int, default=300, help="how many schemas or cases (default: 300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="ID,ID", help="just these cases")


def build_parser() -> argparse.ArgumentParser:
    """All options; each command names its function in ``run`` as ``module:function``."""
    top = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="structgen beside its peers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.set_defaults(function="everything:everything")
    top.add_argument("--small", action="store_true", help="a sample of everything, in under five minutes")
    top.add_argument("--schemas", type=Path, metavar="FILE", help="JSON lines or a folder, as in MaskBench")
    top.add_argument(
        "--out", type=Path, metavar="FOLDER", help="report and recordings (default: the cache folder)"
    )
    top.add_argument("--fresh", action="store_true", help="do not go on with a run that was stopped")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", help="(default: every suite of plans.toml)"
    )

    setup = commands.add_parser("setup", help="make the environments, fetch the tokenizer, and stop")
    setup.set_defaults(function="everything:setup")
    setup.add_argument("--engines", default="all", metavar="A,B")

    one = commands.add_parser("run", help="one suite: measure, record, print")
    one.set_defaults(function="run:command")
    _add_data(one)
    one.add_argument("--engines", default="structgen", metavar="A,B", help="of engines.toml, or all")
    one.add_argument(
        "--tokenizer", metavar="NAME,FOLDER", help="one or several (default: the suite's, llama3_1)"
    )
    one.add_argument("--mode", choices=("both", "interleaved", "alone"), default="interleaved")
    one.add_argument("--time-limit", type=float, default=60.0, help="seconds for one engine and case")
    one.add_argument("--memory-limit", type=float, default=16.0, help="GiB of address space for one engine")
    one.add_argument(
        "--budget", type=float, default=0.0, help="seconds for one engine in all (default: no end)"
    )
    one.add_argument("--fresh", action="store_true", help="do not go on with a run that was stopped")
    one.add_argument("--record", type=Path, metavar="FILE", help="default: a dated file in recordings/")
    one.add_argument("--no-record", action="store_true")
    one.add_argument(
        "--memray",
        type=Path,
        metavar="FOLDER",
        help="profile the memory of engines of this environment, by memray",
    )

    report = commands.add_parser("report", help="the tables of a recording")
    report.set_defaults(function="report:command")
    report.add_argument("recording", type=Path)

    plot = commands.add_parser("plot", help="draw a recording")
    plot.set_defaults(function="plots:command")
    plot.add_argument("recording", type=Path)
    plot.add_argument("folder", type=Path)

    results = commands.add_parser("results", help="tables and plots of all committed recordings, in results/")
    results.set_defaults(function="results:command")

    readme = commands.add_parser("readme", help="put the table of a recording into README.md")
    readme.set_defaults(function="readme:command")
    readme.add_argument("recording", type=Path)

    agree = commands.add_parser("agree", help="compare llguidance's verdicts with those it publishes")
    agree.set_defaults(function="agree:command")
    agree.add_argument("recording", type=Path)

    loop = commands.add_parser("loop", help="what a logits processor costs in model.generate")
    loop.set_defaults(function="loop:loop")
    loop.add_argument("--engines", default="unconstrained,structgen,xgrammar-compliant,lm-format-enforcer")
    loop.add_argument("--batches", default="1,8,32")
    loop.add_argument("--tokens", type=int, default=64, help="a row (default: 64)")
    loop.add_argument("--record", metavar="NAME", help="a file of recordings/ to write")

    samples = commands.add_parser("samples", help="a model writes under many schemas, a validator judges")
    samples.set_defaults(function="samples:samples")
    samples.add_argument("--only", metavar="NAME,NAME", help="just these schemas")
    samples.add_argument("--max-new-tokens", type=int, default=500)
    samples.add_argument("--seed", type=int, default=1)
    samples.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    samples.add_argument("--model", help="a folder or a hub id (default: the default model)")
    samples.add_argument("--whitespace", type=lambda w: int(w) if w.isdigit() else w, default=64)
    samples.add_argument("--record", type=Path, metavar="FILE", help="write all texts here, as JSON lines")

    functions = commands.add_parser("functions", help="a model writes Python functions, ast.parse judges")
    functions.set_defaults(function="functions:functions")
    functions.add_argument("--max-new-tokens", type=int, default=300)
    functions.add_argument("--seed", type=int, default=1)
    functions.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    functions.add_argument("--model", help="a folder or a hub id (default: the default model)")
    functions.add_argument("--plain", action="store_true", help="no comments and no joined lines")
    functions.add_argument(
        "--again", type=int, default=0, help="how often a text that ran out is written anew (default: 0)"
    )
    functions.add_argument("--show", action="store_true", help="print the functions")

    serving = commands.add_parser("serving", help="memory of many matchers, batches, threads")
    serving.set_defaults(function="serving:serving")

    regress = commands.add_parser(
        "regress", help="is the working tree slower than a commit? under three minutes"
    )
    regress.set_defaults(function="regress:regress")
    regress.add_argument("commit", nargs="?", help="default: HEAD if structgen differs from it, else HEAD~1")

    slow = commands.add_parser("slow", help="structgen's slowest masks and compile phases")
    slow.set_defaults(function="slow:slow")
    _add_data(slow)
    slow.add_argument("--tokenizer", metavar="NAME|FOLDER")
    slow.add_argument("--worst", type=int, default=25, help="how many masks to list")
    return top


def main() -> int:
    """Run a command; its exit code."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and os.environ.get("STRUCTGEN_BENCH_INSTALLED") != "1":
        # Nothing is installed here yet: the checkout's own environment has all of it.
        dev = Path(__file__).resolve().parents[1] / "dev.py"
        os.environ["STRUCTGEN_BENCH_INSTALLED"] = "1"
        os.execv(sys.executable, [sys.executable, str(dev), "bench", *sys.argv[1:]])
    options = build_parser().parse_args()
    module, _, function = options.function.partition(":")
    try:
        code: int = getattr(importlib.import_module(f".{module}", __package__), function)(options)
        return code
    except (FileNotFoundError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
