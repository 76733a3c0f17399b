"""Small grammars and vocabularies over {a, b}: listed exhaustively by family, and drawn by hypothesis.

A family is a list in a fixed order. Most of what goes wrong in an engine goes wrong on a grammar of
two short rules, so the families are: rules made of every small expression (nullable, ambiguous,
left, right and hidden recursion, cycles, unproductive parts), repetitions with bounds and
separators, members with order, counts and a rest, patterns in context, and, for the longest
discipline, bodies over every few of a pool of terminals that get in each other's way.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from itertools import permutations, product
from typing import TypeVar

from hypothesis import strategies as st

from structgen.ir import Alt, Expr, GrammarIR, Lit, Member, Members, Pat, Ref, Rep, Rest, Seq, Term, Terminal

from ..oracles import derivative as d
from ..oracles.spelled import to_dfa

T = TypeVar("T")
A, B = d.word(b"a"), d.word(b"b")
AB = d.alt(A, B)
EMPTY, LIT_A, LIT_B = Lit(b""), Lit(b"a"), Lit(b"b")
PATTERNS = {
    "a*": d.Star(A),
    "a+": d.repeat(A, 1, None),
    "b*a": d.cat(d.Star(B), A),
    "(ab)*": d.Star(d.word(b"ab")),
    "a|ab": d.alt(A, d.word(b"ab")),
    "(a|b){2}": d.repeat(AB, 2, 2),
    "[ab]*a[ab]": d.cat(d.Star(AB), A, AB),
    "b?": d.alt(B, d.EPSILON),
    "nothing": d.NOTHING,
    "[ab]*&!(.*aa.*)": d.both(d.Star(AB), d.inverse(d.cat(d.Star(AB), A, A, d.Star(AB)))),
}


@cache
def pattern(text: str) -> Pat:
    """One of `PATTERNS`."""
    return Pat(to_dfa(PATTERNS[text], b"ab"), text)


def sample(family: Sequence[T], n: int, seed: int = 0) -> list[T]:
    """``n`` of the family, always the same ones; all of it when it is no longer."""
    return list(family) if len(family) <= n else random.Random(seed).sample(family, n)


# Any cut ---------------------------------------------------------------------------------------------


def expressions(size: int, atoms: tuple[Expr, ...]) -> list[Expr]:
    """All expressions of ``size`` nodes over ``atoms``."""
    if size == 1:
        return list(atoms)
    made: list[Expr] = []
    for item in expressions(size - 1, atoms):
        made += [Rep(item), Rep(item, 1), Rep(item, 0, 1), Rep(item, 2, 3)]
    for left in range(1, size - 1):
        for x, y in product(expressions(left, atoms), expressions(size - 1 - left, atoms)):
            made += [Seq((x, y)), Alt((x, y))]
    return made


def bodies(largest: int, *rules: str) -> list[Expr]:
    """All expressions up to the size over a, b, the empty string and the rules."""
    atoms = (LIT_A, LIT_B, EMPTY, *map(Ref, rules))
    return [e for size in range(1, largest + 1) for e in expressions(size, atoms)]


def one_rule(largest: int) -> list[GrammarIR]:
    """Grammars of one rule."""
    return [GrammarIR({"s": s}, "s") for s in bodies(largest, "s")]


def two_rules(first: int, second: int) -> list[GrammarIR]:
    """Grammars of two rules that may call each other; the first calls the second."""
    calling = [e for e in bodies(first, "s", "r") if "'r'" in repr(e)]
    return [GrammarIR({"s": s, "r": r}, "s") for s, r in product(calling, bodies(second, "s", "r"))]


def three_rules(n: int) -> list[GrammarIR]:
    """So many grammars of three rules, drawn with a fixed seed."""
    draw = random.Random(3)
    pool = bodies(4, "s", "r", "q")
    large = [
        e for e in pool if isinstance(e, Alt | Seq) and any(isinstance(i, Seq | Alt | Rep) for i in e.items)
    ]
    return [
        GrammarIR({"s": draw.choice(large), "r": draw.choice(large), "q": draw.choice(pool)}, "s")
        for _ in range(n)
    ]


def alternatives(n: int) -> list[GrammarIR]:
    """So many grammars of two rules with two or three alternatives of up to three symbols."""
    draw = random.Random(4)
    symbols: list[Expr] = [LIT_A, LIT_B, Ref("s"), Ref("r"), Lit(b"ab")]

    def body() -> Expr:
        return Alt(
            tuple(Seq(tuple(draw.choices(symbols, k=draw.randrange(4)))) for _ in range(draw.choice((2, 3))))
        )

    return [GrammarIR({"s": body(), "r": body()}, "s") for _ in range(n)]


def repetitions() -> list[GrammarIR]:
    """Bounds, separators and items that can be empty, with text before and behind."""
    items: list[Expr] = [
        LIT_A,
        Lit(b"ab"),
        Alt((LIT_A, EMPTY)),
        Alt((LIT_A, Lit(b"ab"))),
        pattern("a*"),
        Ref("r"),
        Alt(()),
    ]
    separators: list[Expr | None] = [None, LIT_B, LIT_A, Alt((LIT_B, EMPTY))]
    bounds = [
        (0, None),
        (1, None),
        (3, None),
        (0, 0),
        (0, 1),
        (0, 3),
        (1, 1),
        (2, 2),
        (2, 4),
        (3, 2),
        (1, 300),
        (4, 130),
    ]
    behind: list[Expr] = [EMPTY, LIT_A, LIT_B, Ref("s")]
    nested = Alt((LIT_B, Seq((LIT_A, Ref("s"), LIT_B))))
    grammars = []
    for item, sep, (low, high), after in product(items, separators, bounds, behind):
        rep = Rep(item, low, high, sep)
        body: Expr = Seq((rep, after)) if after is not behind[3] else Alt((Seq((LIT_B, after, rep)), rep))
        grammars.append(GrammarIR({"s": body, "r": nested} if item == Ref("r") else {"s": body}, "s"))
    inner = [Rep(LIT_A, 1, 2), Rep(LIT_A, 0, 2, LIT_B), Rep(Alt((LIT_A, LIT_B)), 2, 3), Rep(LIT_A, 2, None)]
    for x, (low, high), sep in product(inner, bounds, separators):
        grammars.append(GrammarIR({"s": Rep(x, low, high, sep)}, "s"))
        grammars.append(GrammarIR({"s": Rep(Ref("r"), low, high, sep), "r": Seq((x, Rep(LIT_B, 0, 1)))}, "s"))
    return grammars


KEYS = (b"b", b"ab", b"aab", b"aaab")
REST_KEYS = {
    "a*b": d.cat(d.Star(A), B),
    "a{2,}b": d.cat(A, A, d.Star(A), B),
    "(aa)*b": d.cat(d.Star(d.word(b"aa")), B),
    "a(aa)*b": d.cat(A, d.Star(d.word(b"aa")), B),
    "ab": d.word(b"ab"),
}
REST_SETS = (("a*b",), ("a{2,}b",), ("ab",), ("(aa)*b", "a(aa)*b"), ("ab", "a{2,}b"), ("(aa)*b", "ab"))


def rest_set(
    names: Sequence[str], tails: Sequence[Expr], marks: Sequence[int | None] = (None, None, None)
) -> tuple[Rest, ...]:
    """Rests with keys of `REST_KEYS`; tails and marks left over are not used."""
    return tuple(
        Rest(to_dfa(REST_KEYS[name], b"ab"), tail, mark)
        for name, tail, mark in zip(names, tails, marks, strict=False)
    )


def members() -> list[GrammarIR]:
    """Named members and rests, with order, counts, and tails that are empty, recursive or impossible."""
    rests = [
        (),
        *(rest_set(names, (LIT_A, LIT_B)) for names in REST_SETS),
        rest_set(("(aa)*b", "a(aa)*b"), (Alt(()), EMPTY)),
        rest_set(("ab", "a{2,}b"), (Ref("r"), pattern("a*"))),
        rest_set(("a*b",), (Ref("s"),)),
        rest_set(("(aa)*b", "a(aa)*b"), (Ref("s"), LIT_A)),
    ]
    marked = [
        rest_set(("a*b",), (LIT_A,), (0,)),
        rest_set(("a*b", "a*b"), (LIT_A, LIT_B), (0, None)),
        rest_set(("a*b", "a*b"), (LIT_A, pattern("a+")), (0, None)),
        rest_set(("a*b", "a*b", "a*b"), (LIT_A, Ref("r"), LIT_B), (0, 1, None)),
        rest_set(("ab", "ab"), (Alt(()), LIT_B), (0, None)),
        rest_set(("(aa)*b", "a(aa)*b"), (LIT_A, LIT_B), (0, None)),
        rest_set(("(aa)*b", "a(aa)*b", "a(aa)*b"), (LIT_A, LIT_B, LIT_A), (0, 0, 1)),
    ]
    counts = [(0, None), (0, 2), (1, 1), (2, 3), (3, None), (2, 1), (0, 0), (1, 300)]
    tails: list[tuple[Expr, ...]] = [
        (EMPTY,) * 4,
        (LIT_A, EMPTY, LIT_B, LIT_A),
        (LIT_A, Ref("s"), Alt(()), Ref("r")),
    ]
    separators: list[Expr] = [LIT_A, EMPTY, LIT_B]
    grammars = []
    for n in range(5):
        required = [w for w in product((False, True), repeat=n) if n < 3 or sum(w) in (0, 1, n)]
        for wanted, tail, sep, rest, (low, high), ordered in product(
            required, tails[: 1 if n == 0 else 3], separators, rests + marked, counts, (False, True)
        ):
            if high is not None and rest in marked[-2:]:
                continue  # Marks beside a bound are for other keys of one kind.
            named = tuple(Member(k, t, r) for k, t, r in zip(KEYS, tail, wanted, strict=False))
            object_ = Members(named, sep, rest, low, high, ordered)
            body = object_ if sep == LIT_A else Seq((LIT_B, object_, Alt((LIT_A, EMPTY))))
            grammars.append(GrammarIR({"s": body, "r": Alt((Seq((LIT_A, Ref("r"))), LIT_B))}, "s"))
    return grammars


def word_lists(n: int) -> list[GrammarIR]:
    """Choices among many words, some of which begin others; in a rule of their own, called beside others."""
    draw = random.Random(2)
    words = [bytes(w) for size in range(1, 5) for w in product(b"ab", repeat=size)]
    grammars = []
    for _ in range(n):
        chosen = Alt(tuple(Lit(draw.choice(words)) for _ in range(draw.randint(7, 14))))
        body = draw.choice(
            [chosen, Seq((Ref("w"), LIT_B, Ref("w"))), Alt((Ref("w"), Seq((LIT_A, Ref("s")))))]
        )
        grammars.append(GrammarIR({"s": body, "w": chosen}, "s"))
    return grammars


def needing() -> list[GrammarIR]:
    """Named members that need others: in a chain, each other, one that cannot come; with counts and rests."""
    b, ab, aab = KEYS[:3]
    needs: list[dict[bytes, tuple[bytes, ...]]] = [
        {b: (ab,)},
        {b: (ab,), ab: (aab,)},
        {b: (ab, aab), aab: (ab,)},
        {b: (ab,), ab: (b,)},
        {b: (ab,), ab: (aab,), aab: (b,)},
    ]
    tails: list[tuple[Expr, ...]] = [(LIT_A, EMPTY, LIT_B), (EMPTY, LIT_A, Alt(()))]
    counts = [(0, None), (0, 1), (0, 2), (1, 2), (2, None), (2, 2), (3, None), (1, 300)]
    separators: list[Expr] = [LIT_A, LIT_B, Alt(())]
    rests = [(), rest_set(("a{2,}b",), (LIT_A,)), rest_set(("(aa)*b", "a(aa)*b"), (LIT_A, LIT_B))]
    grammars = []
    for need, tail, sep, rest, (low, high), wanted in product(
        needs, tails, separators, rests, counts, product((False, True), repeat=3)
    ):
        each_other = need in needs[3:]
        if sum(wanted) > 1 or (each_other and low > 1 and high is not None):
            continue
        named = tuple(
            Member(k, t, r, need.get(k, ())) for k, t, r in zip((b, ab, aab), tail, wanted, strict=True)
        )
        grammars.append(GrammarIR({"s": Members(named, sep, rest, low, high)}, "s"))
    return grammars


def patterns() -> list[GrammarIR]:
    """Patterns beside each other, in repetitions and in recursion."""
    pats: list[Expr] = [pattern(text) for text in PATTERNS]
    grammars = []
    for x, y in product(pats, repeat=2):
        shapes: list[Expr] = [
            Seq((x, y)),
            Alt((x, Seq((LIT_A, y)))),
            Rep(Alt((x, y)), 1, None, LIT_B),
            Alt((Seq((x, Ref("s"), y)), LIT_B)),
            Alt((Seq((Ref("s"), x)), y)),
            Rep(Seq((x, y)), 2, 3),
        ]
        grammars += [GrammarIR({"s": shape}, "s") for shape in shapes]
    return grammars


def scannerless() -> list[GrammarIR]:
    """Terminals where every cut counts; what is ignored is woven in, as a front end does it."""
    names = ["a+", "b*a", "a|ab", "(a|b){2}"]
    terminals = {n: Terminal(n, pattern(n).dfa, i % 2, text=n) for i, n in enumerate(names)}
    grammars = []
    for (x, y), ignore in product(permutations(names, 2), [(), ("a+",), ("(a|b){2}",), ("a|ab", "b*a")]):
        X, Y = Term(x), Term(y)
        gap = Rep(Alt(tuple(map(Term, ignore))))
        shapes: list[Expr] = [
            Seq((X, gap)),
            Seq((X, gap, Y)),
            Rep(X, 2, 3, gap),
            Rep(Seq((gap, X)), 0, None, LIT_B),
            Alt((Seq((X, gap, Ref("s"), gap, Y)), EMPTY)),
            Seq((LIT_B, gap, X, LIT_B)),
        ]
        grammars += [GrammarIR({"s": shape}, "s", terminals) for shape in shapes]
    return grammars


# Longest ---------------------------------------------------------------------------------------------

POOL = {
    "a+": d.repeat(A, 1, None),
    "b+": d.repeat(B, 1, None),
    "ab": d.word(b"ab"),
    "a": A,
    "b": B,
    "a|b": AB,
    "b*a": d.cat(d.Star(B), A),
    "a(ba)*": d.cat(A, d.Star(d.word(b"ba"))),
    "aab": d.word(b"aab"),
    "a+b": d.cat(A, d.Star(A), B),
    "(aa)+": d.repeat(d.word(b"aa"), 1, None),
    "aba|b": d.alt(d.word(b"aba"), B),
}
LITERALS = ("ab", "a", "b", "aab")
X, Y, Z, S = Term("X"), Term("Y"), Term("Z"), Ref("s")
SENTENCES: list[Expr] = [
    Rep(Alt((X, Y, Z))),
    Rep(Alt((X, Y)), 1),
    Seq((X, Y)),
    Seq((X, Y, Z)),
    Seq((Rep(X), Y)),
    Seq((Rep(X, 1), Rep(Y, 0, 1), Z)),
    Alt((Seq((X, S, Y)), Z)),
    Alt((Seq((S, X)), Y)),
    Alt((Seq((X, Y)), Seq((Y, X)), Seq((Z, Z, Z)))),
    Alt((Seq((X, Z)), Seq((Y, Z, Z)))),
    Rep(X, 1, None, Y),
    Rep(Seq((X, Rep(Y, 0, 1))), 2, 3),
    Seq((Rep(Alt((X, Y)), 0, 2), Alt((Z, X)))),
    Alt((Seq((X, S, S)), Seq((Y, S)), Z)),
]


@cache
def terminal(name: str, text: str, priority: int, literal: bool) -> Terminal:
    """A terminal of the pool."""
    return Terminal(name, to_dfa(POOL[text], b"ab"), priority, literal, text)


def lexed() -> list[tuple[str, ...]]:
    """What `lexed_grammar` takes: texts of three terminals, flags for each, a sentence, ignored ones."""
    flags = ["000", "100", "010", "021", "L00", "0L0", "LL0", "1L0"]
    ignores = ["", "", "", "Z", "Y"]
    grammars = []
    for texts in permutations(POOL, 3):
        for flag, sentence, ignore in product(flags, map(str, range(len(SENTENCES))), ignores):
            grammars.append((*texts, flag, sentence, ignore))
    return grammars


def lexed_grammar(x: str, y: str, z: str, flags: str, sentence: str, ignore: str) -> GrammarIR:
    """Terminals X, Y, Z with a digit for the priority of each, or L for a literal where it is one."""
    terminals = {}
    for name, text, flag in zip("XYZ", (x, y, z), flags, strict=True):
        priority = int(flag) if flag.isdigit() else 0
        terminals[name] = terminal(name, text, priority, flag == "L" and text in LITERALS)
    return GrammarIR({"s": SENTENCES[int(sentence)]}, "s", terminals, tuple(ignore), "longest")


# Vocabularies ----------------------------------------------------------------------------------------

STRINGS = [bytes(w) for n in range(1, 4) for w in product(b"ab", repeat=n)]
TOKENS: tuple[bytes | None, ...] = (None, *STRINGS[:7], b"ab", None, *STRINGS[7:], b"c", b"ac", b"aab")
STOP_TOKEN_IDS = (0,)


@st.composite
def vocabularies(draw: st.DrawFn) -> tuple[list[bytes | None], tuple[int, ...]]:
    """Tokens and stop ids: always the single bytes, else any choice with holes and repetitions."""
    more = draw(
        st.lists(st.one_of(st.none(), st.text("ab", min_size=1, max_size=6).map(str.encode)), max_size=40)
    )
    tokens = draw(st.permutations([b"a", b"b", None, *more]))
    holes = [i for i, t in enumerate(tokens) if t is None]
    stops = draw(st.sets(st.sampled_from(holes), min_size=1, max_size=2))
    return list(tokens), tuple(sorted(stops))


# Drawn grammars --------------------------------------------------------------------------------------


def expressions_drawn(*rules: str) -> st.SearchStrategy[Expr]:
    """Expressions of any shape over the rules."""
    atoms = st.one_of(
        st.text("ab", max_size=3).map(lambda t: Lit(t.encode())),
        st.sampled_from(rules).map(Ref),
        st.sampled_from(sorted(PATTERNS)).map(pattern),
    )
    return st.recursive(atoms, composed, max_leaves=8)


def composed(items: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Expressions with ``items`` in them."""
    several = st.lists(items, max_size=3).map(tuple)
    low = st.integers(0, 3)
    high = st.one_of(st.none(), st.integers(0, 5), st.just(70))
    return st.one_of(
        several.map(Seq),
        st.lists(items, min_size=1, max_size=3).map(tuple).map(Alt),
        st.builds(Rep, items, low, high, st.one_of(st.none(), items)),
        members_drawn(items),
    )


@st.composite
def members_drawn(draw: st.DrawFn, items: st.SearchStrategy[Expr]) -> Members:
    """Members with any tails."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3))
    named = tuple(Member(k, draw(items), draw(st.booleans())) for k in keys)
    chosen = draw(st.sampled_from(((), *REST_SETS)))
    rest = rest_set(chosen, [draw(items) for _ in chosen])
    if draw(st.booleans()):
        marks = draw(st.sampled_from(((0,), (0, None), (0, 1), (0, 0, None))))
        rest = rest_set(("a*b",) * len(marks), [Seq((LIT_A, draw(items))) for _ in marks], marks)
    low, high = draw(st.sampled_from([(0, None), (0, 2), (1, None), (2, 3)]))
    return Members(named, draw(items), rest, low, high, draw(st.booleans()))


@st.composite
def grammars(draw: st.DrawFn) -> GrammarIR:
    """Grammars of one to three rules where every cut counts."""
    names = ("s", "r", "q")[: draw(st.integers(1, 3))]
    return GrammarIR({name: draw(expressions_drawn(*names)) for name in names}, "s")


@st.composite
def lexed_grammars(draw: st.DrawFn) -> GrammarIR:
    """Grammars of the longest discipline, with two to four terminals."""
    names = ["W", "X", "Y", "Z"][: draw(st.integers(2, 4))]
    terminals = {}
    for name in names:
        text = draw(st.sampled_from(sorted(POOL)))
        terminals[name] = terminal(
            name, text, draw(st.sampled_from([0, 0, 0, 1, 2])), text in LITERALS and draw(st.booleans())
        )
    atoms = st.one_of(st.sampled_from(names).map(Term), st.sampled_from(names).map(Term), st.just(S))

    def larger(items: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        bounds = st.sampled_from([(0, None), (1, None), (0, 1), (2, 3), (0, 2)])
        return st.one_of(
            st.lists(items, max_size=3).map(tuple).map(Seq),
            st.lists(items, min_size=1, max_size=3).map(tuple).map(Alt),
            st.builds(lambda item, b, sep: Rep(item, *b, sep), items, bounds, st.one_of(st.none(), items)),
        )

    body = draw(st.recursive(atoms, larger, max_leaves=7))
    ignore = draw(st.sets(st.sampled_from(names), max_size=1))
    return GrammarIR({"s": body}, "s", terminals, tuple(sorted(ignore)), "longest")


# Reports ---------------------------------------------------------------------------------------------


def show(grammar: GrammarIR) -> str:
    """A grammar on a few lines, as one would write it."""
    lines = [f"{name}: {show_expr(body)}" for name, body in grammar.rules.items()]
    for t in grammar.terminals.values():
        lines.append(f"{t.name}.{t.priority}: {'literal' if t.literal else 'pattern'} {t.text}")
    return "\n".join([*lines, *(f"%ignore {n}" for n in grammar.ignore), f"# {grammar.lexing}"])


def show_expr(e: Expr) -> str:
    """An expression on one line."""
    match e:
        case Lit(data):
            return repr(data.decode())
        case Pat(name=name):
            return f"/{name}/"
        case Term(name) | Ref(name):
            return name
        case Seq(items):
            return f"({' '.join(map(show_expr, items))})"
        case Alt(items):
            return f"({' | '.join(map(show_expr, items)) or 'NOTHING'})"
        case Rep(item, low, high, sep):
            between = f"; {show_expr(sep)}" if sep else ""
            return f"{show_expr(item)}{{{low},{'' if high is None else high}{between}}}"
        case Members():
            named = [
                f"{m.key.decode()}{'!' if m.required else '?'}{m.needs or ''} {show_expr(m.tail)}"
                for m in e.members
            ]
            rest = [
                f"...{'' if one.mark is None else one.mark}"
                f"{[w for w in map(str.encode, ('b', 'ab', 'aab')) if one.key.matches(w)]} "
                f"{show_expr(one.tail)}"
                for one in e.rest
            ]
            kind = "ordered" if e.ordered else "any order"
            return f"<{kind} {e.min_count}..{e.max_count} sep {show_expr(e.sep)}: {'; '.join(named + rest)}>"
    raise TypeError(e)
