"""A compiled grammar as a file: everything that its front end found out, and nothing that runs.

What is saved is the grammar in its intermediate form with its automata, the report on a schema, the limits,
and which vocabulary it is for. Automata of rules, lexer states and masks are not: they are made when a text
needs them, from the same form in the same order, and the tables that take long are kept on disk for all
grammars in any case. So loading spares a front end's work (parsing, the algebra of schemas, determinising
patterns), and a file does not depend on how the engine lays out its memory.

The form is a directed graph of the dataclasses of `ir`. It is written as a list of nodes, parts before
wholes, in JSON: ``[class, field, ...]``. A field is a plain value, ``[number of a node]``, ``["bytes"]``, or
``[TUPLE, field, ...]`` (a tuple holds no tuples). Reading makes objects of those classes and no others, and
the names of their fields are part of the file's version.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from . import ir
from .automata import ByteDFA
from .cache import UnsoundFileError, read_file, write_file
from .errors import GrammarError, VocabularyError
from .grammar import Grammar
from .limits import Limits
from .vocab.vocabulary import Vocabulary

KIND = "structgen compiled grammar"
CLASSES: dict[str, Any] = {
    name: kind
    for name, kind in sorted(vars(ir).items())
    if dataclasses.is_dataclass(kind) and kind is not ByteDFA
}
FIELDS = {name: [field.name for field in dataclasses.fields(kind)] for name, kind in CLASSES.items()}
VERSION = hashlib.sha256(json.dumps(["1", FIELDS]).encode()).hexdigest()
TUPLE = -1
SMALL = 1 << 14  # transitions


def save(path: Path, grammar: Grammar, vocabulary: Vocabulary, limits: Limits) -> None:
    """Write the file, which is there whole or not at all. Raises OSError when it cannot be written."""
    writer = _Writer()
    form = grammar.ir
    rules, promised = dict(form.rules), dict(form.promised)
    written = dataclasses.replace(form, rules=rules, promised=promised, common=None, enclosed=None)
    root = writer.write(written)
    report = grammar.report
    meta = {
        "version": VERSION,
        "vocabulary": {"fingerprint": vocabulary.fingerprint, "size": vocabulary.size},
        "limits": dataclasses.asdict(limits),
        "source": grammar.source,
        "report": None if report is None else [list(map(dataclasses.astuple, report)), report.notes],
        "nodes": writer.nodes,
        "root": root,
    }
    write_file(path, KIND, meta, _automata_to_arrays(writer.automata))


def load(path: Path, vocabulary: Vocabulary, limits: Limits | None) -> tuple[Grammar, Limits]:
    """Read what `save` wrote for the same vocabulary.

    Raises OSError, GrammarError for a file that is something else, VocabularyError for another vocabulary.
    """
    again = "compile the grammar again and save it"
    try:
        content = read_file(path)
    except UnsoundFileError as error:
        raise GrammarError(f"the file {error}; {again}", source=str(path)) from None
    meta = content.meta
    if content.key != KIND:
        raise GrammarError("the file holds something other than a compiled grammar", source=str(path))
    if meta.get("version") != VERSION:
        raise GrammarError(f"the file is of another version of structgen; {again}", source=str(path))
    wanted = meta.get("vocabulary", {"fingerprint": "", "size": 0})
    if wanted["fingerprint"] != vocabulary.fingerprint:
        raise VocabularyError(
            f"{path}: the grammar was compiled for another vocabulary, of {wanted['size']} ids and "
            f"fingerprint {wanted['fingerprint'][:12]}…; this one has {vocabulary.size} ids and fingerprint "
            f"{vocabulary.fingerprint[:12]}…. Tokens, stop tokens and width of the logits must be the same"
        )
    try:
        form = _read_nodes(meta["nodes"], _arrays_to_automata(content.arrays))[meta["root"]]
        if not isinstance(form, ir.GrammarIR):
            raise TypeError(type(form))
        report = meta["report"] and _read_report(*meta["report"])
        limits = limits or Limits(**meta["limits"])
        return Grammar(form, report=report, source=meta["source"]), limits
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise GrammarError(f"the file holds no grammar; {again}", source=str(path)) from error


def _read_report(entries: list[list[str]], notes: list[str]) -> Any:
    from .frontends.json_schema.keywords import status_of
    from .frontends.json_schema.report import Findings, Report

    findings = Findings(status_of)
    for pointer, keyword, status, why in entries:
        findings.add(pointer, keyword, status, why)
    for text in notes:
        findings.note(text)
    return Report(findings)


class _Writer:
    """Turns the graph into a list of nodes. What is equal is written once."""

    def __init__(self) -> None:
        self.nodes: list[list[Any]] = []
        self.automata: list[ByteDFA] = []
        self._number: dict[int, int] = {}  # of an object, by its identity
        self._equal: dict[str, int] = {}  # of a node, by what it says
        self._automaton: dict[bytes, int] = {}

    def write(self, root: Any) -> int:
        """The number of the node of ``root``."""
        todo = [(root, False)]
        while todo:
            value, ready = todo.pop()
            if id(value) in self._number:
                continue
            parts = _parts(value)
            if ready or not parts:
                self._number[id(value)] = self._node(value)
            else:
                todo.append((value, True))
                todo += [(part, False) for part in reversed(parts)]
        return self._number[id(root)]

    def _node(self, value: Any) -> int:
        if isinstance(value, ByteDFA):
            automaton = self._automaton.setdefault(value.digest, len(self.automata))
            if automaton == len(self.automata):
                self.automata.append(value)
            node: list[Any] = ["ByteDFA", automaton]
        elif isinstance(value, dict):
            node = ["dict", *value, *map(self._field, value.values())]
        else:
            kind = type(value).__name__
            node = [kind, *(self._field(getattr(value, name)) for name in FIELDS[kind])]
        says = json.dumps(node)
        number = self._equal.setdefault(says, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(node)
        return number

    def _field(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, bytes):
            return [value.decode("latin-1")]
        if isinstance(value, tuple):
            return [TUPLE, *map(self._field, value)]
        return [self._number[id(value)]]


def _parts(value: Any) -> list[Any]:
    """The parts of a node that are nodes of their own."""
    if isinstance(value, dict):
        return [item for item in value.values() if not isinstance(item, int)]
    if isinstance(value, ByteDFA):
        return []
    if type(value).__name__ not in CLASSES:
        raise TypeError(f"a {type(value).__name__} in a grammar cannot be saved")
    fields = [getattr(value, name) for name in FIELDS[type(value).__name__]]
    items = [item for field in fields for item in (field if isinstance(field, tuple) else (field,))]
    return [item for item in items if not isinstance(item, bool | int | str | bytes | None)]


def _read_nodes(nodes: list[list[Any]], automata: list[ByteDFA]) -> dict[int, Any]:
    """The objects of the nodes, by number. A node that refers to none before it is a KeyError."""
    made: dict[int, Any] = {}

    def read(field: Any) -> Any:
        if type(field) is not list:
            return field
        first = field[0]
        if type(first) is str:
            return first.encode("latin-1")
        return tuple([read(item) for item in field[1:]]) if first == TUPLE else made[first]

    for number, (kind, *fields) in enumerate(nodes):
        if kind == "ByteDFA":
            made[number] = automata[fields[0]]
        elif kind == "dict":
            half = len(fields) // 2
            made[number] = dict(zip(fields[:half], map(read, fields[half:]), strict=True))
        else:
            made[number] = CLASSES[kind](*map(read, fields))
    return made


def _automata_to_arrays(automata: list[ByteDFA]) -> dict[str, Any]:
    """All automata in four arrays: files with hundreds of arrays are slow to read."""
    none = [np.empty(0, np.int32)]
    return {
        "shapes": np.array([d.trans.shape for d in automata], np.int64).reshape(-1, 2),
        "classes": np.array([d.classes for d in automata], np.uint8).reshape(-1, 256),
        "trans": np.concatenate([d.trans.astype(np.int32).reshape(-1) for d in automata] or none),
        "final": np.concatenate([d.final for d in automata] or [np.empty(0, np.bool_)]),
    }


def _arrays_to_automata(arrays: dict[str, Any]) -> list[ByteDFA]:
    """The automata again, each with only such numbers as are states and classes of it."""
    classes, trans, final = arrays["classes"], arrays["trans"], arrays["final"]
    automata = []
    at, state = 0, 0
    for i, (n, width) in enumerate(arrays["shapes"].tolist()):
        make = _automaton if n * width <= SMALL else _automaton.__wrapped__
        parts = classes[i], trans[at : at + n * width], final[state : state + n]
        automata.append(make(*(part.tobytes() for part in parts), n, width))
        at += n * width
        state += n
    return automata


@lru_cache(maxsize=512)
def _automaton(classes: bytes, trans: bytes, final: bytes, n: int, width: int) -> ByteDFA:
    """An automaton; small ones are remembered, since many grammars share them and what is known of them."""
    dfa = ByteDFA(
        np.frombuffer(bytearray(classes), np.uint8),
        np.frombuffer(bytearray(trans), np.int32).reshape(n, width),
        np.frombuffer(bytearray(final), np.bool_),
    )
    if len(dfa.final) != n or dfa.classes.max() >= width or dfa.trans.min() < 0 or dfa.trans.max() >= n:
        raise ValueError("an automaton leads to states that it does not have")
    return dfa
