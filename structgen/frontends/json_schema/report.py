"""What became of each keyword of a schema.

Nothing of a schema is dropped in silence: every keyword that was met stands here once, as enforced, as an
annotation, or as not enforced with the reason. Only what is reachable from the root is met; a definition that
nothing refers to constrains nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ENFORCED = "enforced"
ANNOTATION = "annotation"
UNENFORCED = "not enforced"


@dataclass(frozen=True, slots=True)
class Entry:
    """One keyword at one place.

    ``pointer`` is the JSON pointer of the schema that holds the keyword, ``status`` one of "enforced",
    "annotation" and "not enforced", ``why`` the reason where there is one to give.
    """

    pointer: str
    keyword: str
    status: str
    why: str = ""

    def __str__(self) -> str:
        reason = f" ({self.why})" if self.why else ""
        return f"{self.status:<12} {self.pointer}/{self.keyword}{reason}"


class Report:
    """The keywords of a schema in the order they were met; iterable, and readable as text.

    Entries are made when somebody asks for them: recording a keyword is on the way to the first mask.
    """

    def __init__(self) -> None:
        self._met: dict[tuple[str, str], tuple[str, str]] = {}
        self.notes: list[str] = []

    def add(self, pointer: str, keyword: str, status: str, why: str = "", *, replace: bool = False) -> None:
        """Record a keyword. Of two records at one place the first stays, unless ``replace`` or not
        enforced."""
        key = (pointer, keyword)
        if replace or status == UNENFORCED or key not in self._met:
            self._met[key] = (status, why)

    def note(self, text: str) -> None:
        """Record something about the schema as a whole, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def enforced(self) -> tuple[Entry, ...]:
        """Keywords that every text of the grammar obeys."""
        return tuple(entry for entry in self if entry.status == ENFORCED)

    @property
    def annotations(self) -> tuple[Entry, ...]:
        """Keywords that constrain nothing: descriptions, unknown keywords, unknown formats."""
        return tuple(entry for entry in self if entry.status == ANNOTATION)

    @property
    def unenforced(self) -> tuple[Entry, ...]:
        """Keywords that constrain and that the grammar does not carry (only with ``strict=False``)."""
        return tuple(entry for entry in self if entry.status == UNENFORCED)

    def __iter__(self) -> Iterator[Entry]:
        for (pointer, keyword), (status, why) in self._met.items():
            yield Entry(pointer, keyword, status, why)

    def __len__(self) -> int:
        return len(self._met)

    def __str__(self) -> str:
        groups = (self.unenforced, self.enforced, self.annotations)
        lines = [f"{len(groups[1])} enforced, {len(groups[2])} annotations, {len(groups[0])} not enforced"]
        lines += [str(entry) for group in groups for entry in group]
        lines += [f"note: {text}" for text in self.notes]
        return "\n".join(lines)
