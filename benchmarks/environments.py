"""Where things are kept, and an environment for every peer.

Peers want different versions of the same libraries, and some would replace ours. So each has a virtual
environment of its own, made by pip from the pinned requirements in ``engines.toml``, once, in the cache
folder (``STRUCTGEN_BENCH_CACHE``, by default the user's). It is named after those requirements: a new pin is
a new environment. structgen runs in the one that the benchmarks run in, from this checkout.

    <cache>/environments/<adapter>-<digest>/  a virtual environment, with a file `installed` when it is whole
    <cache>/tokenizers/<name>/                see `vocabularies`
    <cache>/runs/<digest>.jsonl               what was measured so far by runs that are not over
    <cache>/logs/<engine>.log                 what an engine's process last wrote to stderr
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from .engines import Engine

INSTALL_LIMIT = 1800.0  # seconds; some packages are compiled


class NotInstalled(Exception):
    """pip could not make an engine's environment; the message says why."""


def cache() -> Path:
    """The folder of all that is kept between runs; made if it is not there."""
    named = os.environ.get("STRUCTGEN_BENCH_CACHE")
    if named:
        folder = Path(named)
    else:
        from platformdirs import user_cache_path

        folder = user_cache_path("structgen", appauthor=False) / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _folder(engine: Engine) -> Path:
    wanted = repr((sys.version_info[:2], sorted(engine.requires)))
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:10]
    return cache() / "environments" / f"{engine.adapter.rstrip('_')}-{digest}"


def interpreter(engine: Engine, say: Callable[[str], object]) -> str:
    """The Python of an engine's environment, which is made if it is not there.

    Raises
    ------
    NotInstalled : pip failed, or took longer than `INSTALL_LIMIT`.
    """
    if not engine.requires:
        return sys.executable
    folder = _folder(engine)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / "installed").exists():
        return str(python)
    shutil.rmtree(folder, ignore_errors=True)
    say(f"installing {', '.join(engine.requires)} into {folder}")
    venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *engine.requires]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, check=False, timeout=INSTALL_LIMIT)
    except subprocess.TimeoutExpired as problem:
        raise NotInstalled(f"pip install took longer than {INSTALL_LIMIT:.0f} s") from problem
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise NotInstalled("; ".join(errors[:3]) or done.stderr[-300:])
    (folder / "installed").write_text("\n".join(engine.requires) + "\n", "utf-8")
    return str(python)
