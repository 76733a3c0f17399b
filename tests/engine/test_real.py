"""Real grammars on real vocabularies: along real texts and random walks, the masks are the definition.

Twice over. The quick form of the definition feeds every token's bytes to a fork of the matcher, which
tests the walk, the tables and the memo over whole vocabularies. The independent form asks an oracle, for
a sample of the tokens that leans to those that begin well and end badly: Earley, or for the longest
discipline a search for a text that goes on with the token, which counts only when the definition has it.

STRUCTGEN_TOKENIZERS names a folder of real tokenizers (NAME/tokenizer.json); without it a small
byte-level BPE is trained here. STRUCTGEN_EXHAUSTIVE=1 takes longer walks and all tokenizers.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers

import structgen as sg
from structgen.frontends.library import find_grammar, library_folder
from structgen.ir import GrammarIR

from ..oracles.earley import any_cut
from ..oracles.longest import Longest
from ..oracles.mask import Oracle
from .checking import EXHAUSTIVE, Totals, masked

SCHEMAS: dict[str, tuple[Any, list[Any]]] = {
    "any": (True, [{"a": [1, 2.5e-3, None, True], "é\n": "\"quoted\" \\ ∀😀"}, [], "", -0.5]),
    "object": (
        {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "tags": {}},
            "required": ["name"],
        },
        [{"name": "Ada", "age": 36}, {"tags": [1, {"x": "y"}], "name": "", "nam": 1, "name2": {}}],
    ),
    "closed": (
        {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "ok": {"type": "boolean"}, "idle": {"type": "null"}},
            "required": ["id", "ok"],
            "additionalProperties": False,
        },
        [{"id": 12, "ok": True}, {"ok": False, "idle": None, "id": -3}],
    ),
    "dictionary": (
        {"type": "object", "additionalProperties": {"type": "number"}},
        [{}, {"a": 1, "ab": -2.5, "": 1e9}],
    ),
    "kinds of keys": (
        {
            "type": "object",
            "properties": {"ab": {"maximum": 7}, "name": {"type": "null"}},
            "patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 5}, "^n": {"type": "null"}},
            "additionalProperties": {"type": "string", "maxLength": 4},
            "required": ["ab"],
            "maxProperties": 4,
        },
        [
            {"ab": 6, "a": -1, "xb": "x", "n": None},
            {"é": "∀😀", "name": None, "ab": 5, "abb": 12},
        ],
    ),
    "few keys": (
        {
            "type": "object",
            "patternProperties": {"^[a-c]x?$": {"type": "boolean"}},
            "additionalProperties": False,
            "minProperties": 2,
        },
        [{"b": True, "bx": False}, {"a": True, "c": True, "cx": True}],
    ),
    "what is left over": (
        {
            "type": "object",
            "properties": {"kind": {"enum": ["one", "two"]}},
            "required": ["kind"],
            "if": {"properties": {"kind": {"const": "one"}}},
            "then": {"properties": {"one": {"type": "integer"}}},
            "else": {"patternProperties": {"^t": {"type": "null"}}},
            "unevaluatedProperties": {"type": "boolean"},
        },
        [{"kind": "one", "one": 1, "t": True}, {"one": False, "kind": "two", "two": None}],
    ),
    "array": (
        {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 5},
        [[1, 2], [0, -10, 300, 4, 5]],
    ),
    "tuple": (
        {"type": "array", "prefixItems": [{"type": "string"}, {"const": True}], "items": {"type": "null"}},
        [["x", True, None], [], ["y"]],
    ),
    "enum": ({"enum": ["red", "green", "greenish", 1, 10, None, {"a": [1]}]}, ["greenish", 10, {"a": [1]}]),
    "union": (
        {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer", "minimum": 5}, {"const": [1]}]},
        ["abc", "é∀😀", 17, [1]],
    ),
    "recursive": (
        {
            "$ref": "#/$defs/tree",
            "$defs": {
                "tree": {
                    "type": "object",
                    "properties": {"v": {"type": "integer"}, "kids": {"$ref": "#/$defs/trees"}},
                    "required": ["v"],
                    "additionalProperties": False,
                },
                "trees": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
            },
        },
        [{"v": 1, "kids": [{"v": 2}, {"kids": [], "v": 3}]}],
    ),
    "pattern": (
        {"type": "string", "pattern": "^[A-Z][a-z]{1,3}(-[0-9]+)?$"},
        ["Ab", "Abcd-2024"],
    ),
    "lengths": (
        {"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 6}},
        [["ab", "ab\"c\n", "日本語"]],
    ),
    "range": ({"type": "integer", "minimum": -17, "maximum": 2500}, [-17, 0, 999, 2500]),
}  # fmt: skip
LIBRARY = ("json", "arithmetic", "csv", "iso_dates", "sql_select")
SAMPLES = {n: tomllib.loads((library_folder() / "samples" / f"{n}.toml").read_text()) for n in LIBRARY}
CLOSING = b"]})\"',:;1a(FROMZ0\n"
ENDINGS = [
    "EXCEPT SELECT 1",
    "INTERSECT SELECT 1",
    "UNION SELECT 1",
    "NOT BETWEEN 1 AND 1",
    "EXISTS (SELECT 1)",
]
ENDINGS += ["NOT IN (1)", "IS NOT NULL", "(SELECT 1) AS a", "FROM t", " 1) FROM t", '" FROM t', "' FROM t"]
ENDINGS += [
    "\u0131NTERSECT SELECT 1",
    "\u0131 IS NULL",
]  # to Python, the dotless i matches I where case does not count
ENDINGS += [
    "**/ SELECT 1",
    "**/ OUTER JOIN v",
    "--\nSELECT 1",
    "--\nOUTER JOIN v",
    "VALUES (1)",
    "ALL SELECT 1",
    "WITH a AS (SELECT 1) SELECT 1",
]
TAILS = list(dict.fromkeys(t.encode()[i:] for t in ENDINGS for i in range(len(t.encode()) + 1)))
# In the middle of a comment's character.
TAILS += [rest * n + b"\nSELECT 1" for rest in (b"\x90", b"\xbf") for n in (1, 2, 3)]
CORPUS = [json.dumps(v, indent=i) for _, values in SCHEMAS.values() for v in values for i in (None, 2)]
CORPUS += [text for samples in SAMPLES.values() for text in samples["accept"]]


@pytest.fixture(scope="module", params=["small", "real"])
def vocabularies(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[sg.Vocabulary]:
    """A byte-level BPE trained on the texts of the tests, or the real tokenizers."""
    if request.param == "small":
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=900,
            min_frequency=1,
            special_tokens=["<|end|>"],
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(CORPUS, trainer)
        return [sg.Vocabulary.from_huggingface(tokenizer, stop_token_ids=[0])]
    folder = os.environ.get("STRUCTGEN_TOKENIZERS", "")
    files = sorted(Path(folder).glob("*/tokenizer.json")) if folder else []
    if not files:
        pytest.skip("STRUCTGEN_TOKENIZERS does not name a folder with NAME/tokenizer.json: no real tokenizer")
    chosen = files if EXHAUSTIVE else files[:1]
    return [sg.Vocabulary.from_huggingface(file.parent) for file in chosen]


class Searched:
    """The oracle for the longest discipline on real texts, over one byte of each kind.

    That a text has no reading settles that nothing continues it; that it goes on takes a member as proof.
    Where neither is found the token is counted as undecided.
    """

    def __init__(self, grammar: GrammarIR) -> None:
        columns = np.stack([t.dfa.classes for t in grammar.terminals.values()])
        alphabet = bytes(np.unique(columns, axis=1, return_index=True)[1].tolist())
        self.longest = Longest(grammar, alphabet, 0)
        self.is_member = self.longest.is_member
        self.undecided = 0

    def agrees(self, text: bytes, allowed: bool, claim: bytes) -> bool:
        """``text`` may, or may not, be continued; ``claim`` is a member that begins with it, if it may."""
        if not self.longest.readings(text):
            return not allowed
        if allowed and claim.startswith(text) and self.is_member(claim):
            return True
        found = self.longest.witness(text, 10, at_most=60)
        if found is not None and self.is_member(found):
            return allowed
        self.undecided += 1
        return True


class Run:
    """One grammar with one vocabulary."""

    def __init__(self, grammar: sg.Grammar, vocabulary: sg.Vocabulary, language: Oracle | Searched) -> None:
        self.vocabulary = vocabulary
        self.compiled = sg.compile(grammar, vocabulary)
        self.language = language
        self.tokens = vocabulary.token_bytes
        self.stops = vocabulary.stop_token_ids
        self.first = np.array([data[0] if data else -1 for data in self.tokens])
        self.first[list(self.stops)] = -1
        self.totals = Totals(grammars=1)
        self.draw = random.Random(7)

    def differ(self, text: bytes, what: str) -> None:
        """Note a difference."""
        self.totals.differences.append(f"after {text!r}: {what}")

    def every_token(self, matcher: sg.GrammarMatcher, text: bytes) -> None:
        """Compare each bit of the mask with what a fork says of the token's bytes."""
        got = masked(matcher, len(self.tokens))
        self.totals.masks += 1
        self.totals.tokens += len(self.tokens)
        for i, data in enumerate(self.tokens):
            if i in self.stops:
                wanted = matcher.is_accepting()
            else:
                wanted = bool(data) and matcher.fork().accept_bytes(data)
            if got[i] != wanted:
                self.differ(text, f"token {i} {data!r}: the mask says {got[i]}, its bytes {wanted}")
        if not got.any():
            self.differ(text, "an empty mask")

    def some_tokens(self, matcher: sg.GrammarMatcher, text: bytes, n: int) -> None:
        """Compare the bits of ``n`` allowed and ``n`` other tokens with the oracle, and the stop tokens'."""
        got = masked(matcher, len(self.tokens))
        allowed = got & (self.first >= 0)
        others = ~got & (self.first >= 0)
        near = others & np.isin(self.first, np.unique(self.first[allowed]))
        chosen = set(self.stops)
        for group, k in ((allowed, n), (near, n), (others, n // 4)):
            ids = np.flatnonzero(group).tolist()
            chosen.update(self.draw.sample(ids, min(k, len(ids))))
        for i in sorted(chosen):
            data = self.tokens[i] or b""
            if i in self.stops:
                agree = got[i] == self.language.is_member(text)
            elif isinstance(self.language, Searched):
                claim = self.finished(matcher, text, i) if got[i] else b""
                agree = self.language.agrees(text + data, bool(got[i]), claim)
            else:
                agree = got[i] == self.language.is_prefix(text + data)
            if not agree:
                self.differ(text, f"token {i} {data!r}: the mask says {got[i]}, the oracle {not got[i]}")
        self.totals.tokens += len(chosen)
        self.totals.masks += 1

    def finished(self, matcher: sg.GrammarMatcher, text: bytes, token: int) -> bytes:
        """How the matcher itself ends the text after ``token``: a claim for the definition to judge."""
        text += self.tokens[token] or b""
        begun = matcher.fork()
        begun.accept_token(token)
        for tail in TAILS:
            probe = begun.fork()
            if probe.accept_bytes(tail) and probe.is_accepting():
                return text + tail
        after = text
        for attempt in range(4):
            probe, after = begun.fork(), text
            while not probe.is_accepting() and len(after) < len(text) + 60:
                order = self.draw.sample(CLOSING, len(CLOSING)) if attempt else [*CLOSING]
                after += next(bytes([b]) for b in (*order, *range(256)) if probe.accept_bytes(bytes([b])))
            if probe.is_accepting():
                break
        return after

    def along(self, text: bytes, every: int, n: int) -> None:
        """Write ``text``; look at each state with the oracle, and at one in ``every`` with all tokens."""
        matcher, at = self.compiled.matcher(), 0
        for token in self.vocabulary.encode(text):
            self.look(matcher, text[:at], every, n)
            data = self.tokens[token] or b""
            if not matcher.accept_token(token):
                self.differ(text[:at], f"{data!r} of a real text is refused")
                return
            at += len(data)
        self.look(matcher, text, every, n)
        if not matcher.is_accepting():
            self.differ(text, "a real text is no member")

    def at_random(self, steps: int, every: int, n: int) -> None:
        """Write allowed tokens, whatever they are; look as in `along`."""
        matcher, text = self.compiled.matcher(), b""
        for _ in range(steps):
            self.look(matcher, text, every, n)
            allowed = np.flatnonzero(masked(matcher, len(self.tokens)) & (self.first >= 0))
            if not len(allowed) or len(text) > 150:
                return
            token = int(self.draw.choice(allowed))
            if not matcher.accept_token(token):
                self.differ(text, f"token {token} {self.tokens[token]!r} is in the mask and is refused")
                return
            text += self.tokens[token] or b""

    def look(self, matcher: sg.GrammarMatcher, text: bytes, every: int, n: int) -> None:
        """Compare here."""
        self.some_tokens(matcher, text, n)
        if self.draw.randrange(every) == 0:
            self.every_token(matcher, text)


def report(capsys: pytest.CaptureFixture[str], name: str, runs: list[Run]) -> None:
    """Print the totals past pytest's capture, and fail on a difference."""
    for run in runs:
        if isinstance(run.language, Searched):
            run.totals.undecided = run.language.undecided
        with capsys.disabled():
            print(f"\n{name} on {run.vocabulary.size} ids: {run.totals}")
        assert not run.totals.differences, "\n".join(run.totals.differences[:8])
        assert run.totals.undecided <= run.totals.tokens // 1000


def check(run: Run, texts: list[bytes]) -> Run:
    """Look along the texts and at random, as often as the vocabulary's size and the setting allow."""
    large = run.vocabulary.size > 5000
    often = 4 if EXHAUSTIVE else 1
    n = (3 if isinstance(run.language, Searched) else 6) * often
    every = 30 // often if large else 8 // often
    for text in texts[: (4 if large else 8) * often]:
        run.along(text, every, n)
    for _ in range((2 if large else 4) * often):
        run.at_random(40, every, n)
    return run


@pytest.mark.parametrize("name", SCHEMAS)
def test_json_schema(
    vocabularies: list[sg.Vocabulary], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schema, values = SCHEMAS[name]
    runs = []
    for whitespace, indent in ((64, 2), ("dumps", None)):
        grammar = sg.Grammar.from_json_schema(schema, whitespace=whitespace)
        texts = [json.dumps(v, indent=indent, ensure_ascii=False).encode() for v in values]
        runs += [check(Run(grammar, v, any_cut(grammar.ir)), texts) for v in vocabularies]
    report(capsys, name, runs)


@pytest.mark.parametrize("name", LIBRARY)
def test_library(vocabularies: list[sg.Vocabulary], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    grammar = sg.Grammar.from_lark(find_grammar(name).read_text())
    texts = [text.encode() for text in SAMPLES[name]["accept"]]
    runs = [Run(grammar, v, Searched(grammar.ir)) for v in vocabularies]
    for text in SAMPLES[name]["reject"]:
        matcher = runs[0].compiled.matcher()
        assert not (matcher.accept_bytes(text.encode()) and matcher.is_accepting()), text
    report(capsys, name, [check(run, texts) for run in runs])


@pytest.mark.parametrize("name", ["json", "arithmetic", "iso_dates"])
def test_library_cut_in_any_way(
    vocabularies: list[sg.Vocabulary], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the front end weaves in for ignored terminals is what Earley reads between any two."""
    text = find_grammar(name).read_text()
    language = any_cut(dataclasses.replace(sg.Grammar.from_lark(text).ir, lexing="any"))
    texts = [text.encode() for text in SAMPLES[name]["accept"]]
    runs = [check(Run(sg.Grammar.from_lark(text, lexing="any"), v, language), texts) for v in vocabularies]
    report(capsys, f"{name}, any cut", runs)


def test_regex_and_choices(vocabularies: list[sg.Vocabulary], capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        (
            sg.Grammar.from_regex(r"(\d{4})-(0[1-9]|1[0-2])|[^\W\d]+@[a-z]+\.(com|org)"),
            ["2024-12", "Zoë@example.org"],
        ),
        (sg.Grammar.from_choices(["yes", "yes, please", "no", "nø"]), ["yes", "yes, please", "nø"]),
    ]
    for grammar, texts in cases:
        runs = [
            check(Run(grammar, v, any_cut(grammar.ir)), [t.encode() for t in texts]) for v in vocabularies
        ]
        report(capsys, repr(grammar), runs)
