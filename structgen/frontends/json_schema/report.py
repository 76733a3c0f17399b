"""What became of each keyword of a schema.

Nothing of a schema is dropped in silence: every keyword that was met stands here once, as enforced, as an
annotation, or as not enforced with the reason. Only what is reachable from the root is met; a definition that
nothing refers to constrains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .document import Location, Resource

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


class Findings:
    """What is recorded while a schema is read; a `Report` shows it.

    Entries are made when somebody asks for them: recording keywords is on the way to the first mask.

    status_of : what becomes of a keyword in a resource, where nothing else was recorded
    """

    def __init__(self, status_of: Callable[[str, Resource], tuple[str, str]]) -> None:
        self._status_of = status_of
        self._met: dict[tuple[str, str], tuple[str, str]] = {}
        self._read: list[Location] = []
        self.notes: list[str] = []

    def read(self, at: Location) -> None:
        """Record all keywords of a schema that is read."""
        self._read.append(at)

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

    def entries(self) -> dict[tuple[str, str], tuple[str, str]]:
        """(pointer, keyword) -> (status, why), in the order in which they were met."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for at in self._read:
            for keyword in at.schema:
                key = (at.pointer, keyword)
                if key not in found:
                    found[key] = self._met.get(key) or self._status_of(keyword, at.resource)
        for key, status in self._met.items():
            found.setdefault(key, status)
        return found


class Report:
    """The keywords of a schema in the order they were met; iterable, and readable as text.

    What is read later than the rest of the schema is read when somebody asks for entries.

    findings : what was recorded
    complete : reads what has not been read
    """

    def __init__(self, findings: Findings, complete: Callable[[], None] | None = None) -> None:
        self._findings = findings
        self._complete = complete

    @property
    def notes(self) -> list[str]:
        """What is to be said of the schema as a whole."""
        self._entries()
        return self._findings.notes

    def _entries(self) -> dict[tuple[str, str], tuple[str, str]]:
        if self._complete is not None:
            complete, self._complete = self._complete, None
            complete()
        return self._findings.entries()

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
        for (pointer, keyword), (status, why) in self._entries().items():
            yield Entry(pointer, keyword, status, why)

    def __len__(self) -> int:
        return len(self._entries())

    def __str__(self) -> str:
        groups = (self.unenforced, self.enforced, self.annotations)
        lines = [f"{len(groups[1])} enforced, {len(groups[2])} annotations, {len(groups[0])} not enforced"]
        lines += [str(entry) for group in groups for entry in group]
        lines += [f"note: {text}" for text in self.notes]
        return "\n".join(lines)
