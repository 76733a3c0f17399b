#!/usr/bin/env python3
"""What one does with a checkout, one command each. Needs Python 3.11 or later and nothing else.

    python3 dev.py demo     install, then let a real language model write JSON that matches a schema
    python3 dev.py test     install, then run the tests (what follows is given to pytest)
    python3 dev.py check    install, then run the linter, the formatter's check and the type checker
    python3 dev.py wheel    build the wheel and try it out in an environment that has nothing else
    python3 dev.py bench    install, then run the benchmarks (what follows is given to them)

Each installs into ``.venv`` (``--venv`` names another place) and skips that when nothing has changed since.
``demo`` prints the JSON to stdout and everything else to stderr.

Why a script: which build of PyTorch is wanted depends on the machine, and neither ``pyproject.toml`` nor pip
can say so. On Linux an unpinned torch brings gigabytes of CUDA libraries. On a machine without an NVIDIA GPU
this script asks for exactly `TORCH_FOR_CPU`: where pip knows a place with a build of that version for the CPU
(its version ends in ``+cpu``), pip prefers that one. With a GPU, torch is left to pip and to what the machine
already has; ``--torch`` says otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TORCH_FOR_CPU = "torch==2.13.0"
SCHEMA = "examples/character.json"
PROMPT = "Invent a character for a story set in a small harbour town. Answer in JSON."

VALIDATE = """
import json, sys, jsonschema
schema = json.load(open(sys.argv[1], encoding="utf-8"))
jsonschema.validate(json.load(sys.stdin), schema, format_checker=jsonschema.FormatChecker())
"""


class Failed(Exception):
    """A step that did not work out; the message says which."""


def main() -> int:
    """Run one command; returns its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036  (whoever runs this may have an older one)
        print("structgen needs Python 3.11 or later; this is " + sys.version.split()[0], file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="the environment (default: .venv)")
    parser.add_argument(
        "--torch", metavar="REQUIREMENT", help="which torch, for example torch, or torch==2.14.0"
    )
    args, rest = parser.parse_known_args()
    if rest and args.command not in ("test", "bench"):
        parser.error("unknown arguments: " + " ".join(rest))
    os.chdir(ROOT)
    # torch's threads spin while they wait for one another: on a machine that does something else as well, two
    # of them write this small model's text many times slower than one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        COMMANDS[args.command](args, rest)
    except Failed as failure:
        print(f"dev.py {args.command}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def demo(args: argparse.Namespace, _rest: list[str]) -> None:
    """The main job: a real model writes what a schema allows, and a validator agrees."""
    python = install(args, [])
    command = ["generate", "--schema", SCHEMA, "--prompt", PROMPT, "--pretty"]
    say(f'$ structgen generate --schema {SCHEMA} --pretty --prompt "{PROMPT}"')
    written = run([python, "-m", "structgen", *command], stdout=subprocess.PIPE).stdout
    print(written, end="", flush=True)
    run([python, "-c", VALIDATE, SCHEMA], input=written)
    say(f"jsonschema agrees: the text is valid for {SCHEMA}")


def test(args: argparse.Namespace, rest: list[str]) -> None:
    """All tests, or those that ``rest`` names as pytest understands it."""
    python = install(args, ["test"])
    run([python, "-m", "pytest", *rest])


def check(args: argparse.Namespace, _rest: list[str]) -> None:
    """Lint, format and types; the first that complains ends it."""
    python = install(args, ["test", "lint"])
    run([python, "-m", "ruff", "check", "."])
    run([python, "-m", "ruff", "format", "--check", "."])
    run([python, "-m", "mypy"])


def wheel(args: argparse.Namespace, _rest: list[str]) -> None:
    """The wheel, alone in a fresh environment and outside the checkout, does its job without extras."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        python = make_environment(work / "venv")
        pip = [python, "-m", "pip"]
        run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(work / "dist"), str(ROOT)])
        built = next((work / "dist").glob("*.whl"))
        say(f"{built.name}, {built.stat().st_size // 1024} KiB")
        run([*pip, "install", "--quiet", str(built)])
        shutil.copy(ROOT / SCHEMA, work / "schema.json")
        (work / "good.json").write_text('[1, {"a": null}]\n')
        (work / "bad.json").write_text('{"name": 1}\n')
        for expected, command in (
            (0, ["--help"]),
            (0, ["grammars"]),
            (0, ["check", "--lark", "json", "good.json"]),
            (1, ["check", "--schema", "schema.json", "bad.json"]),
            (2, ["generate", "--choices", "yes,no"]),  # No torch: a message, and no traceback.
        ):
            say("$ structgen " + " ".join(command))
            got = subprocess.run(
                [python, "-m", "structgen", *command], cwd=work, capture_output=True, text=True, check=False
            )
            if got.returncode != expected or "Traceback" in got.stderr:
                raise Failed(f"exit code {got.returncode}, not {expected}:\n{got.stdout}{got.stderr}")
            if command == ["grammars"] and "json" not in got.stdout:
                raise Failed(f"the wheel carries no grammars:\n{got.stdout}")
    say("the wheel works")


def bench(args: argparse.Namespace, rest: list[str]) -> None:
    """structgen beside its peers; they go into environments of their own, in the user's cache folder."""
    run([install(args, ["bench"]), "-m", "benchmarks", *rest])


COMMANDS = {"demo": demo, "test": test, "check": check, "wheel": wheel, "bench": bench}


def install(args: argparse.Namespace, groups: list[str]) -> str:
    """An environment with structgen in editable form, its ``hf`` extra and dependency groups.

    Returns its interpreter. What was installed last is noted in the environment, by hash.
    """
    import tomllib

    text = (ROOT / "pyproject.toml").read_bytes()
    listed = tomllib.loads(text.decode())["dependency-groups"]
    wanted = ["--editable", ".[hf]", *(line for group in groups for line in listed[group])]
    torch = args.torch or ("torch" if not sys.platform.startswith("linux") or has_gpu() else TORCH_FOR_CPU)
    python = make_environment(args.venv)
    digest = hashlib.sha256(repr((text, wanted, torch)).encode()).hexdigest()
    stamp = args.venv / f"installed-{'-'.join(['hf', *groups])}"
    if stamp.exists() and stamp.read_text() == digest:
        return python
    say(f"installing into {args.venv} ({torch})")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    pip += [] if sys.stderr.isatty() else ["--quiet"]  # What it downloads is of interest to who waits.
    run([*pip, torch, *wanted], stdout=sys.stderr)
    stamp.write_text(digest)
    return python


def make_environment(where: Path) -> str:
    """The interpreter of the virtual environment ``where``, which is made if it is not there."""
    python = where / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(where)], check=False)
        if made.returncode:
            shutil.rmtree(where, ignore_errors=True)
            raise Failed(f"{sys.executable} cannot make a virtual environment (see above)")
    return str(python.absolute())


def has_gpu() -> bool:
    """Whether there is an NVIDIA GPU that torch could use."""
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command of a step; `Failed` when it fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(command, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise Failed(f"{' '.join(command[1:4])} ended with exit code {done.returncode}")
    return done


def say(message: str) -> None:
    """A line for whoever waits."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
