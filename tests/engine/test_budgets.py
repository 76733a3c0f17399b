"""Rules with max_tokens: every mask is the definition's, for small grammars whose readings can be listed.

The oracle lists the ways to read a whole text, each as the parts of it that counted rules write. A sequence
of tokens may go on when some text begins with its bytes and has a way in which no part has a byte in more
tokens than its rule may have, each byte after the sequence being a token of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import Alt, Budget, Expr, GrammarIR, Lit, Pat, Ref, Rep, Seq, Term

from ..oracles.longest import Longest
from .checking import Totals, masked
from .strategies import LITERALS, PATTERNS, pattern, show, terminal
from .strategies import POOL as TERMINALS

TOKENS: list[bytes | None] = [b"a", b"b", b"aa", b"ab", b"ba", b"bb", b"aab", b"abb", b"bab", b"ab", None]
STOP = len(TOKENS) - 1
VOCABULARY = sg.Vocabulary(TOKENS, stop_token_ids=[STOP])
LONGEST = 8
MOST_WAYS = 400

Part = tuple[str, int, int]
Way = frozenset[Part]
Ends = set[tuple[int, Way]]
Steps = tuple[bytes, ...]


class TooAmbiguousError(Exception):
    """The grammar has so many ways to read a text that listing them takes too long."""


class Counted:
    """The oracle."""

    def __init__(self, ir: GrammarIR) -> None:
        self.ir = ir
        self.tokens = {budget.rule: budget.tokens for budget in ir.budgets}
        self.lexers: dict[str, Longest] = {}
        texts = (bytes(w) for n in range(LONGEST + 1) for w in product(b"ab", repeat=n))
        self.ways = {text: ways for text in texts if (ways := self.readings(ir.start, text))}
        self.may_go_on = cache(self._may_go_on)

    def readings(self, rule: str, text: bytes) -> set[Way]:
        """The ways in which a rule writes a text."""
        if self.ir.lexing == "any":
            return self.derivations(rule, text)
        found: set[Way] = set()
        for n, lexemes in enumerate(cuts(self.lexer(rule), (), text, 0)):
            if n > MOST_WAYS // 4:
                raise TooAmbiguousError
            for way in self.derivations(rule, tuple(name for name, _, _ in lexemes)):
                found.add(frozenset((r, lexemes[i][1], lexemes[j - 1][2]) for r, i, j in way))
        return found

    def lexer(self, rule: str) -> Longest:
        """What cuts the texts of a rule into terminals."""
        if rule not in self.lexers:
            self.lexers[rule] = Longest(replace(self.ir, start=rule), b"ab", LONGEST)
        return self.lexers[rule]

    def derivations(self, rule: str, text: bytes | tuple[str, ...]) -> set[Way]:
        """The ways in which a rule writes bytes, or names of terminals."""
        found = ways_of(self.ir, Ref(rule), text, 0, len(text) + 2 * len(self.ir.rules), {})
        return {way for end, way in found if end == len(text)}

    def fits(self, way: Way, steps: Steps) -> bool:
        """No part has a byte in more tokens than it may have."""
        of_byte = [i for i, step in enumerate(steps) for _ in step]
        return all(len(set(of_byte[start:end])) <= self.tokens[rule] for rule, start, end in way)

    def is_text(self, steps: Steps, rule: str | None = None) -> bool:
        """The tokens are a whole text (of a rule)."""
        text = b"".join(steps)
        ways = self.ways.get(text, set()) if rule is None else self.readings(rule, text)
        if rule is None and len(text) > LONGEST:
            ways = self.readings(self.ir.start, text)
        return any(self.fits(way, steps) for way in ways)

    def _may_go_on(self, steps: Steps) -> bool:
        begun = b"".join(steps)
        return any(
            self.fits(way, (*steps, *singles(text[len(begun) :])))
            for text, ways in self.ways.items()
            if text.startswith(begun)
            for way in ways
        )

    def can_be_ended(self, rule: str) -> bool:
        """Some text of a counted rule has few enough bytes."""
        most = self.tokens[rule]
        texts = (bytes(w) for n in range(most + 1) for w in product(b"ab", repeat=n))
        return any(self.is_text(singles(text), rule) for text in texts)


def singles(text: bytes) -> Steps:
    """Each byte as a token of its own."""
    return tuple(text[i : i + 1] for i in range(len(text)))


def cuts(
    longest: Longest, names: tuple[str, ...], text: bytes, at: int
) -> Iterator[tuple[tuple[str, int, int], ...]]:
    """The ways to cut a text into terminals: of each that is not ignored its name, start and end."""
    if at == len(text):
        yield ()
        return
    for name, ignored, n in longest.winners(longest.candidates(names), text[at:]):
        after = longest.after(names, name, ignored, text[at : at + n])
        for rest in cuts(longest, after, text, at + n) if after is not None else ():
            yield rest if ignored else ((name, at, at + n), *rest)


def ways_of(
    ir: GrammarIR, e: Expr, text: bytes | tuple[str, ...], at: int, depth: int, known: dict[object, Ends]
) -> Ends:
    """Where an expression that begins ``at`` can end, each time with the parts in it."""
    key = (id(e), at, depth)
    if key in known:
        return known[key]
    counted = {budget.rule for budget in ir.budgets}
    found: set[tuple[int, Way]] = set()
    match e:
        case Term(name):
            found = {(at + 1, frozenset())} if text[at : at + 1] == (name,) else set()
        case Lit(data):
            assert isinstance(text, bytes)
            found = {(at + len(data), frozenset())} if text.startswith(data, at) else set()
        case Pat(dfa=dfa):
            assert isinstance(text, bytes)
            ends = range(at, len(text) + 1)
            found = {(end, frozenset()) for end in ends if dfa.matches(text[at:end])}
        case Alt(items):
            found = {way for item in items for way in ways_of(ir, item, text, at, depth, known)}
        case Ref(rule) if depth > 0:
            for end, way in ways_of(ir, ir.rules[rule], text, at, depth - 1, known):
                found.add((end, way | {(rule, at, end)} if rule in counted and end > at else way))
        case Seq(items):
            found = {(at, frozenset())}
            for item in items:
                found = {
                    (last, way | more)
                    for end, way in found
                    for last, more in ways_of(ir, item, text, end, depth, known)
                }
        case Rep(item, low, high):
            level: set[tuple[int, Way]] = {(at, frozenset())}
            most = low + len(text) - at if high is None else high
            found = set(level) if low == 0 else set()
            for n in range(1, most + 1):
                level = {
                    (last, way | more)
                    for end, way in level
                    for last, more in ways_of(ir, item, text, end, depth, known)
                }
                if n >= low:
                    found |= level
    if len(found) > MOST_WAYS:
        raise TooAmbiguousError
    # A way with more parts asks for more: it is left out.
    known[key] = {(end, way) for end, way in found if not any(end == e and w < way for e, w in found)}
    return known[key]


def some_expression(draw: random.Random, size: int) -> Expr:
    if size <= 1:
        texts = [Lit(b"a"), Lit(b"b"), Lit(b"ab"), Lit(b""), pattern(draw.choice(sorted(PATTERNS)))]
        return draw.choice([*texts, Ref("x"), Ref("y"), Ref("x"), Ref("y")])
    left = some_expression(draw, size // 2)
    shape = draw.randrange(5)
    if shape < 4:
        right = some_expression(draw, size - size // 2)
        return (Seq if shape < 2 else Alt)((left, right))
    return draw.choice([Rep(left), Rep(left, 1), Rep(left, 0, 1), Rep(left, 2, 3)])


def some_grammar(draw: random.Random) -> GrammarIR:
    """Three rules, of which one or two are counted; they may call each other."""
    rules: dict[str, Expr] = {
        "s": some_expression(draw, draw.randint(2, 6)),
        "x": some_expression(draw, draw.randint(2, 5)),
        "y": some_expression(draw, draw.randint(1, 4)),
    }
    counted = draw.choice([["x"], ["x"], ["x", "y"], ["y"], ["s", "x"]])
    budgets = tuple([Budget(name, draw.choice([1, 2, 2, 3, 4])) for name in counted])
    return GrammarIR(rules, "s", budgets=budgets)


def some_lexed_grammar(draw: random.Random) -> GrammarIR:
    """The same in discipline ``longest``, with two or three terminals, one of them ignored perhaps."""
    texts = draw.sample(sorted(TERMINALS), draw.choice([2, 3]))
    terminals = {
        name: terminal(name, text, draw.choice([0, 0, 0, 1]), text in LITERALS and draw.random() < 0.5)
        for name, text in zip("ABC", texts, strict=False)
    }
    atoms = [*map(Term, terminals), *map(Term, terminals), Lit(b""), Ref("x"), Ref("x"), Ref("y")]

    def some(size: int) -> Expr:
        return with_atoms(some_expression(draw, size), draw, atoms)

    rules = {"s": some(draw.randint(2, 6)), "x": some(draw.randint(2, 4)), "y": some(draw.randint(1, 3))}
    counted = draw.choice([["x"], ["x"], ["x", "y"], ["s", "x"]])
    budgets = tuple([Budget(name, draw.choice([1, 2, 3, 3, 4])) for name in counted])
    ignore = ("C",) if "C" in terminals and draw.random() < 0.5 else ()
    return GrammarIR(rules, "s", terminals, ignore, "longest", budgets=budgets)


def with_atoms(e: Expr, draw: random.Random, atoms: list[Expr]) -> Expr:
    """The expression with other ones at its leaves."""
    if isinstance(e, Seq | Alt):
        return type(e)(tuple(with_atoms(item, draw, atoms) for item in e.items))
    if isinstance(e, Rep):
        return Rep(with_atoms(e.item, draw, atoms), e.min, e.max)
    return Seq(()) if (atom := draw.choice(atoms)) == Lit(b"") else atom


class Check:
    """Compares masks of one grammar after another with the oracle's."""

    def __init__(self) -> None:
        self.totals = Totals()
        self.refused = 0

    def grammar(self, ir: GrammarIR, draw: random.Random) -> None:
        self.totals.grammars += 1
        try:
            oracle = Counted(ir)
            self.walk(ir, oracle, sg.compile(Grammar(ir), VOCABULARY), draw)
        except TooAmbiguousError:
            self.totals.undecided += 1
        except sg.GrammarError as error:
            self.judge(ir, oracle, str(error))

    def walk(
        self,
        ir: GrammarIR,
        oracle: Counted,
        compiled: sg.CompiledGrammar,
        draw: random.Random,
        walks: int = 6,
        longest: int = 6,
    ) -> None:
        """Random texts, each token of which is one of the mask's."""
        seen: set[Steps] = set()
        for _ in range(walks):
            matcher, steps = compiled.matcher(), ()
            while True:
                if steps not in seen:
                    seen.add(steps)
                    self.state(ir, oracle, matcher, steps)
                self.totals.unproved += matcher._arena.unproved
                live = [t for t in masked(matcher, len(TOKENS)).nonzero()[0].tolist() if t != STOP]
                if not live or sum(map(len, steps)) >= longest:
                    break
                token = draw.choice(live)
                assert matcher.accept_token(token)
                steps = (*steps, TOKENS[token] or b"")

    def judge(self, ir: GrammarIR, oracle: Counted, message: str) -> None:
        """A grammar is refused for what is so."""
        if "nothing can be written" in message:
            self.totals.empty += 1
            if oracle.ways:
                self.totals.differences.append(f"{show(ir)}: {message}")
            return
        self.refused += 1
        rule = message.split("rule ")[1].split()[0]
        if "larger max_tokens" in message and oracle.can_be_ended(rule):
            self.totals.differences.append(f"{show(ir)}: {message}")

    def state(self, ir: GrammarIR, oracle: Counted, matcher: sg.GrammarMatcher, steps: Steps) -> None:
        got = masked(matcher, len(TOKENS))
        self.totals.masks += 1
        self.totals.tokens += len(TOKENS)
        assert matcher.is_accepting() == bool(got[STOP])
        if not got.any():
            self.differ(ir, steps, "an empty mask")
        for token, data in enumerate(TOKENS):
            wanted = oracle.is_text(steps) if data is None else oracle.may_go_on((*steps, data))
            accepted = matcher.fork().accept_token(token)
            if accepted != got[token]:
                self.differ(ir, steps, f"{data!r} accepted: {accepted}, in the mask: {got[token]}")
            if wanted != got[token]:
                claim = finished(matcher, token) if got[token] else None
                if claim is not None and oracle.is_text((*steps, data or b"", *singles(claim))):
                    self.totals.further += 1
                else:
                    what = f"{data!r}: the mask says {bool(got[token])}, the definition {wanted}"
                    self.differ(ir, steps, what)

    def differ(self, ir: GrammarIR, steps: Steps, what: str) -> None:
        self.totals.differences.append(f"{show(ir)} {ir.budgets}\nafter {steps}: {what}")


def finished(matcher: sg.GrammarMatcher, token: int) -> bytes | None:
    """How the matcher itself ends its text, byte by byte: a claim for the definition to judge."""
    begun = matcher.fork()
    begun.accept_token(token)
    todo, seen = [(b"", begun)], {begun._state}
    for after, at in todo:
        if at.is_accepting():
            return after
        for byte in (b"a", b"b"):
            following = at.fork()
            if following.accept_bytes(byte) and following._state not in seen and len(seen) < 400:
                seen.add(following._state)
                todo.append((after + byte, following))
    return None


@pytest.mark.parametrize("lexing", ["any", "longest"])
def test_random_grammars(lexing: str, capsys: pytest.CaptureFixture[str]) -> None:
    draw = random.Random(8)
    check = Check()
    for _ in range(80):
        check.grammar(some_grammar(draw) if lexing == "any" else some_lexed_grammar(draw), draw)
    with capsys.disabled():
        print(f"\n  counted rules, {lexing}: {check.totals}, {check.refused} refused")
    assert check.totals.differences == []
    assert check.totals.masks > 250
