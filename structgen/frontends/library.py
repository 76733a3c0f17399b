"""The grammars that ship with structgen, found by name.

They are files of the folder ``grammars/``: in an installed package inside it, in a checkout at its root.
A file's first comment line is its description.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from ..errors import GrammarError


@dataclass(frozen=True)
class LibraryGrammar:
    """One shipped grammar: its name, one line on what it covers, and its file."""

    name: str
    description: str
    path: Path


@lru_cache(maxsize=1)
def library_folder() -> Path:
    """The folder of the shipped grammars."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "grammars"
    return installed if installed.is_dir() else package.parent / "grammars"


def list_grammars() -> list[LibraryGrammar]:
    """All shipped grammars, by name."""
    return [LibraryGrammar(p.stem, _description(p), p) for p in sorted(library_folder().glob("*.lark"))]


def find_grammar(name: str) -> Path:
    """The file of a shipped grammar (``json`` or ``json.lark``).

    Raises `GrammarError` for a name that is not there, with the names that are.
    """
    stem = name.removesuffix(".lark")
    known = [p.stem for p in sorted(library_folder().glob("*.lark"))]
    if stem not in known:
        close = get_close_matches(stem.lower(), known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise GrammarError(f"there is no shipped grammar {name!r}{hint} There are: {', '.join(known)}.")
    return library_folder() / f"{stem}.lark"


def _description(path: Path) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("//", "#")):
            return line.lstrip("/# ").strip()
        if line.strip():
            break
    return ""
