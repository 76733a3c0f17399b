"""structgen's slowest answers, to find what to mend: masks, accepts, and the phases up to the first mask.

Looks into the engine (what its arena had to provide in mid-answer), so it may need a change when the engine
has one; the figures of ``run`` do not depend on this.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from time import perf_counter_ns, thread_time_ns
from typing import Any, NamedTuple

import numpy as np

from .cases import Case, load
from .measure import SLOW, Waits
from .report import number, table
from .vocabularies import default_tokenizer, tokenizer_file

# phase: (module, class or "", function)
PHASES = {
    "front end": ("structgen.grammar", "Grammar", "from_json_schema"),
    "front end (Lark)": ("structgen.grammar", "Grammar", "from_lark"),
    "analysis": ("structgen.rules.analysis", "", "analyse"),
    "viability": ("structgen.rules.viability", "", "certify"),
    "heap": ("structgen.engine.heap", "Heap", "__init__"),
    "scratch": ("structgen.engine.heap", "Heap", "lay_out_scratch"),
    "lexer layout": ("structgen.rules.lexer", "", "lay_out_terminals"),
    "rules: scan": ("structgen.rules.build", "RuleBuilder", "__init__"),
    "rules: start": ("structgen.rules.build", "RuleBuilder", "start"),
    "rules: build": ("structgen.rules.build", "RuleBuilder", "build"),
    "rules of a sketch": ("structgen.rules.sketched", "SketchBuilder", "build"),
    "vocabulary table": ("structgen.engine.vocab_tables", "VocabTables", "make"),
    "token groups": ("structgen.engine.arena", "Arena", "_group_table"),
    "heap growth": ("structgen.engine.heap", "Heap", "grow"),
    "array growth": ("numpy", "", "concatenate"),
}
LISTED = 20_000  # ns; steps below are counted, but not candidates for the list
SIZES = ((1_000_000, " ≥ 1 ms"), (100_000, " ≥ 100 µs"), (LISTED, " ≥ 20 µs"), (0, ""))


class Phases:
    """Processor time in each phase, and how often it was entered, while the context is open.

    A phase inside another counts as its own and is taken off the outer one.
    """

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self.n: Counter[str] = Counter()
        self._open: list[int] = []
        self._collection = 0
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Phases:
        for phase, (module, owner, name) in PHASES.items():
            home: Any = importlib.import_module(module)
            home = getattr(home, owner) if owner else home
            if name in home.__dict__:
                self._wrap(phase, home, name)
        gc.callbacks.append(self._collecting)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._collecting)
        for undo in self._undo:
            undo()

    def _wrap(self, phase: str, home: Any, name: str) -> None:
        found = home.__dict__[name]
        inner = found.__func__ if isinstance(found, classmethod) else found

        def timed(*args: Any, **options: Any) -> Any:
            self._open.append(0)
            begin = thread_time_ns()
            try:
                return inner(*args, **options)
            finally:
                self._close(phase, begin)

        setattr(home, name, classmethod(timed) if isinstance(found, classmethod) else timed)
        self._undo.append(lambda: setattr(home, name, found))

    def _close(self, phase: str, begin: int) -> None:
        took = thread_time_ns() - begin
        self.ns[phase] += took - self._open.pop()
        self.n[phase] += 1
        if self._open:
            self._open[-1] += took

    def _collecting(self, event: str, _: Any) -> None:
        if event == "start":
            self._open.append(0)
            self._collection = thread_time_ns()
        else:
            self._close("garbage collection", self._collection)

    def clear(self) -> None:
        """Begin again."""
        self.ns.clear()
        self.n.clear()

    def said(self) -> str:
        """What was entered, with µs, longest first."""
        return ", ".join(f"{p} {self.n[p]}× {number(ns / 1000)}" for p, ns in self.ns.most_common(3))


class Step(NamedTuple):
    """A slow mask or accept."""

    ns: int
    what: str
    case: str
    after: bytes
    readings: int
    allowed: str
    within: str


class Finder:
    """Walks cases and keeps what was slow and what was wrong."""

    def __init__(self, vocabulary: Any, phases: Phases) -> None:
        import structgen

        self.structgen = structgen
        self.vocabulary = vocabulary
        self.phases = phases
        self.waits = Waits()
        self.bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
        self.bits = memoryview(self.bitmask[0])
        self.steps: list[Step] = []
        self.causes: dict[str, list[int]] = defaultdict(list)
        self.firsts: list[tuple[int, str, Counter[str]]] = []
        self.wrong: list[str] = []

    def case(self, case: Case) -> None:
        """One grammar with its texts."""
        try:
            compiled = self._first(case)
        except self.structgen.StructgenError:
            return  # the command `engine` counts them
        for expected, texts in ((True, case.valid), (False, case.invalid)):
            for ids in texts:
                self._text(case, compiled.matcher(), ids, expected)

    def _first(self, case: Case) -> Any:
        """Compile and make the first mask, in phases."""
        phases, kinds = self.phases, self.structgen.Grammar
        phases.clear()
        begin = thread_time_ns()
        if case.kind == "json_schema":
            grammar = kinds.from_json_schema(case.text)
        else:
            grammar = kinds.from_lark(case.text, lexing=case.lexing)
        compiled = self.structgen.compile(grammar, self.vocabulary)
        matcher = compiled.matcher()
        compile_ns = thread_time_ns() - begin
        spent = Counter(phases.ns)
        spent["compile: rest"] = compile_ns - spent.total()
        phases.clear()
        matcher.fill_next_token_bitmask(self.bitmask)
        total = thread_time_ns() - begin
        for phase, ns in phases.ns.items():
            spent[f"first mask: {phase}"] = ns
        spent["first mask: kernels"] = total - spent.total()
        self.firsts.append((total, case.id, spent))
        return compiled

    def _text(self, case: Case, matcher: Any, ids: Any, expected: bool) -> None:
        taken = True
        for token in ids:
            self._timed("mask", case, matcher, matcher.fill_next_token_bitmask, self.bitmask)
            offered = bool(self.bits[token >> 5] >> (token & 31) & 1)
            taken = self._timed("accept", case, matcher, matcher.accept_token, token)
            if taken != offered:
                self.wrong.append(f"{case.id}: mask and accept differ after {matcher.text[-60:]!r}")
            if not taken:
                break
        if (taken and matcher.is_accepting()) != expected:
            text = b"".join(self.vocabulary.bytes_of(i) or b"" for i in ids).decode()
            said = f"valid, refused after {matcher.text[-60:]!r}" if expected else "invalid, accepted"
            self.wrong.append(f"{case.id}: {said}: {text[:300]}")

    def _timed(self, what: str, case: Case, matcher: Any, call: Callable[[Any], Any], argument: Any) -> Any:
        self.phases.clear()
        self.waits.begin()
        begin = perf_counter_ns()
        answer = call(argument)
        took = perf_counter_ns() - begin
        if took > SLOW:
            took = self.waits.without(took)
        kind = ""
        if took >= LISTED:
            n = int(np.bitwise_count(self.bitmask.view(np.uint32)).sum())
            kind = "many allowed" if n > self.vocabulary.size // 4 else "few allowed"
            allowed = f"{n:,}" if what == "mask" else ""
            readings = (int(matcher._arena.g[matcher._state]) >> 8) // 3
            after = matcher.text[-28:]
            self.steps.append(Step(took, what, case.id, after, readings, allowed, self.phases.said()))
        cause = self.phases.ns.most_common(1)[0][0] if self.phases.ns else "kernels"
        if cause == "kernels" and what == "mask":
            cause += next(f"{label}, {kind}" if label else "" for least, label in SIZES if took >= least)
        self.causes[f"{what}: {cause}"].append(took)
        return answer


def slow(options: argparse.Namespace) -> int:
    """The command ``slow``."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from rich.console import Console
    from rich.progress import Progress

    import structgen

    file = tokenizer_file(options.tokenizer or default_tokenizer(), print)
    vocabulary = structgen.Vocabulary.from_huggingface(str(file))
    cases = load(options, file, vocabulary)
    structgen.warmup()
    with Phases() as phases, Progress(console=Console(stderr=True)) as progress:
        finder = Finder(vocabulary, phases)
        for case in progress.track(cases, description="walking"):
            finder.case(case)
    print(f"# Slowest of structgen: {options.suite}, {options.n} {options.select}, seed {options.seed}, µs\n")
    print("## Wrong answers\n\n" + ("\n".join(f"- {w}" for w in finder.wrong) or "none"))
    print("\n## Steps, by what took most of them\n\n" + _causes(finder.causes))
    print(f"\n## The {options.worst} slowest\n\n" + _slowest(finder.steps, options.worst))
    if finder.firsts:
        print("\n## Schema to first mask, by phase\n\n" + _by_phase(finder.firsts))
    return 0


def _causes(causes: dict[str, list[int]]) -> str:
    everything = sum(sum(v) for v in causes.values())
    rows = []
    for cause, values in sorted(causes.items(), key=lambda item: -sum(item[1])):
        us = np.array(values) / 1000
        share = f"{sum(values) * 100 / everything:.1f} %"
        rows.append([cause, f"{len(us):,}", share, *map(number, np.percentile(us, (50, 99, 100)))])
    return table(["step: cause", "steps", "of all time", "p50", "p99", "max"], rows)


def _slowest(steps: list[Step], n: int) -> str:
    rows = []
    for step in sorted(steps, key=lambda s: -s.ns)[:n]:
        after = f"`{step.after!r}`".replace("|", "¦")
        sizes = (number(step.ns / 1000), str(step.readings), step.allowed)
        rows.append([step.case, step.what, *sizes, after, step.within])
    return table(["case", "step", "µs", "readings", "allowed", "after", "in it: times, µs"], rows)


def _by_phase(firsts: list[tuple[int, str, Counter[str]]]) -> str:
    firsts.sort(key=lambda f: f[0])
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    chosen = {q: firsts[min(int(share * len(firsts)), len(firsts) - 1)] for q, share in shares.items()}
    mean = float(np.mean([f[0] for f in firsts]))
    rows = [["all", *(number(f[0] / 1000) for f in chosen.values()), number(mean / 1000)]]
    for phase in dict.fromkeys(p for _, _, spent in firsts for p in spent):
        mean = float(np.mean([f[2][phase] for f in firsts]))
        rows.append([phase, *(number(f[2][phase] / 1000) for f in chosen.values()), number(mean / 1000)])
    return table(["phase", *(f"{q}: {f[1]}" for q, f in chosen.items()), "mean of all"], rows)
