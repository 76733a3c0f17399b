"""The masks of programming languages' grammars, on a small vocabulary that cuts words and signs anywhere.

As `test_real` does it for smaller grammars: against the bytes of every token, and against the definition.
What is hard here is not the size. One text is read in several ways (a line's end that is ignored, and one
that stands for a semicolon), and what a sign is depends on where it stands. How a text may end is found
by the matcher itself, and is a claim for the definition to judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import structgen as sg
from structgen.automata import ByteDFA
from structgen.frontends.library import find_grammar

from .checking import EXHAUSTIVE
from .test_real import Run, Searched

SIGNS = [
    *b"=>|`${|}`|//|/*|*/|++|>>|?.|...|: number|Array<|x\n|\n\n|//x\n|\r\n|\xc2|\xa0 x|1.|.5|/g".split(b"|"),
    *b" = |(x|);|) {|};|a.b|::|->|&&|'a|\"x|0x|1e".split(b"|"),
]
# What ends what is open, one after the other; the closest to the end first.
CLOSING = [
    *"})];>",
    "{}",
    "()",
    "a",
    "'",
    '"',
    "`",
    "*/",
    "\n",
    " ",
    "0",
    ":",
    "=",
    "->",
    "=>",
    "/",
    ",",
    "|",
    "#",
    "(",
    "{",
]


@dataclass(frozen=True)
class Language:
    """What is written in a language, the words that its vocabulary has, and how its texts may end."""

    words: str
    texts: tuple[str, ...]
    endings: tuple[str, ...]


ECMASCRIPT = (
    "function f(){}",
    "function(){}",
    "class A{}",
    " instanceof a",
    "typeof a",
    "import 'a'",
    "export {}",
    "while(a)b",
    "switch(a){}",
    "try{}finally{}",
    "do;while(a)",
    "debugger",
    "await a",
    "throw a",
    "else a",
    "extends a{}",
    "interface A{}",
    "namespace A{}",
    "enum A{}",
    "declare class A{}",
    "abstract class A{}",
)
WORDS = "function|return|let |const |async |type |as | in| of| dex|stanceof| instanceof |if (|\\u00|#a in "
LANGUAGES = {
    "javascript": Language(
        WORDS,
        (
            "a\nb /= /c/g\n`d`",
            "if (a) /x/.y\nelse b // c",
            "x = a => `b${{c}}d`\n++e",
            "for (a in b) c\n/* d\n*/ return",
            "class A { b = 1\n static get c() {} }",
        ),
        ECMASCRIPT,
    ),
    "typescript": Language(
        WORDS,
        ("let a: A<B<c>> = d as E\nf", "f<A>(b) > c!.d\n", "type A = {b?: C\n d}", "x = (a: B): C => d"),
        ECMASCRIPT,
    ),
    "java": Language(
        'class |int |return |new |final |instanceof |->|@A|record |var |switch |static |"""\n|import a',
        (
            "class A<B> { C<D<E>> f = (a) -> a >> b; }",
            "record A(int b) { A { c(); } }",
            "class A { void f() { switch (a) { case B c -> d(); default -> { } } } }",
            '@A enum B { C { int d = 0x1.8p1; }, E; String s = """\n a\\\n"""; }',
        ),
        (
            "class A{}",
            "interface A{}",
            "enum A{}",
            "record A(){}",
            "import a;",
            "package a;",
            "module a{}",
            "@A class B{}",
        ),
    ),
    "c": Language(
        "int |struct |return |#define |static |unsigned |sizeof|while (|typedef |L'|\\\n|const *|enum |goto ",
        (
            "int f(void) { return a->b[1] << 2; }\n#define X\n",
            "struct A { int b : 3; } *c = { .d = 1 };",
            "typedef int (*f)(const char *, ...);",
            "void g() { for (;;) if (a) break; else goto b; b: ; }",
        ),
        ("int a;", "struct a;", "typedef int a;", "enum a;", "#a\n", '_Static_assert(1,"");'),
    ),
    "cpp": Language(
        'int |class |template <|auto |operator|return |const |#if |R"(|typename |requires |namespace |>>',
        (
            "template <typename T, A<B<c>> d> auto f(T &&x) -> decltype(x) { return [&](auto y) { }; }",
            "class A : public B<C> { A() : b{1} {} ~A() = default; operator bool() const; };",
            'namespace a::b { using c = d<e, 1>; char s[] = R"(x)"; }',
        ),
        (
            "int a;",
            "class a;",
            "template<>int a;",
            "using a=b;",
            "namespace a{}",
            "#a\n",
            "static_assert(1);",
            "enum a;",
        ),
    ),
    "go": Language(
        "func |package |return |var |:=|<-|chan |range |interface|map[|struct {|type |defer |case |\n}\n",
        (
            "package a\nfunc f[T any](x ...T) (y chan<- int) {\n\tfor i := range x {\n\ty <- T{1}\n\t}\n}\n",
            'package a; import (\n"b"\n. `c`\n)',
            "package a\ntype A struct {\n\tb, c map[int]*D `e`\n\tF\n}",
            "package a\nvar x = y.(z) &^ 0x1p2 // c\n",
        ),
        ("func f(){}", "var a=1", "var a b", "type a b", "const a=1", 'import "a"', "package a"),
    ),
    "rust": Language(
        'fn |let |pub |impl|mut |match |\'a |::<|r#"|"#|..=|=> |&mut |where |///|/*!|#[|macro_rules! |1..',
        (
            "fn f<'a, T: A<B<C>> + 'a>(x: &'a mut T) -> impl D where T: E { x.0.1 as u8 + 1.. }",
            "#[a(b)] pub struct S { c: [u8; 1], /// d\n e: F }",
            "impl A for B { fn c(&self) { if x == y && let Some(z) = w { 'a: loop { break 'a } } } }",
            "macro_rules! m { ($a:expr) => { r#\"b\"# 'c 'd' }; } /* e /* f */ */",
            "fn f() { match a { 0..=9 | b @ C { .. } => |d| d?, _ => {} } m!{} 1. }",
        ),
        (
            "fn f(){}",
            "struct A;",
            "enum A{}",
            "impl A{}",
            "use a;",
            "mod a;",
            "trait A{}",
            "type A=B;",
            "const A:B=1;",
            "static A:B=1;",
            "extern crate a;",
        ),
    ),
}


class Ending(Run):
    """Finds how a text may end by what the matcher takes."""

    pieces: tuple[bytes, ...] = ()
    begun: tuple[bytes, ...] = ()  # How a word or a character ends of which the beginning was written.

    def finished(self, matcher: sg.GrammarMatcher, text: bytes, token: int) -> bytes:
        """A shortest end in pieces, or an empty text when none was found."""
        begun = matcher.fork()
        begun.accept_token(token)
        text += self.tokens[token] or b""
        todo, seen = [(b"", begun)], {begun._state}
        for after, at in todo:
            if at.is_accepting():
                return text + after
            pieces = self.pieces if len(seen) < 4000 else ()
            for piece in pieces if after else (*self.pieces, *self.begun):
                following = at.fork()
                if following.accept_bytes(piece) and following._state not in seen:
                    seen.add(following._state)
                    todo.append((after + piece, following))
        return b""


def shortest(dfa: ByteDFA) -> bytes:
    """A shortest text of an automaton."""
    texts = {dfa.start: b""}
    for q in (todo := [dfa.start]):
        if dfa.final[q]:
            return texts[q]
        for b in range(256):
            to = int(dfa.trans[q, dfa.classes[b]])
            if to and to not in texts:
                texts[to] = texts[q] + bytes([b])
                todo.append(to)
    raise ValueError("an automaton without a text")


@pytest.mark.parametrize("name", LANGUAGES)
def test_masks(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    tested = LANGUAGES[name]
    path = find_grammar(name)
    grammar = sg.Grammar.from_lark(path.read_text(encoding="utf-8"), base_path=path.parent)
    written = [word.encode() for word in tested.words.split("|")]
    tokens = [*(bytes([b]) for b in range(256)), *dict.fromkeys([*written, *SIGNS]), None]
    language = Searched(grammar.ir)
    run = Ending(grammar, sg.Vocabulary(tokens, (len(tokens) - 1,)), language)
    run.pieces = tuple(end.encode() for end in (*CLOSING, *tested.endings))
    literals = [shortest(t.dfa) for t in grammar.ir.terminals.values() if t.literal]
    words = [word for word in (*literals, *run.pieces[len(CLOSING) :]) if len(word) > 1]
    run.begun = tuple(dict.fromkeys([word[i:] + b" " for word in words for i in range(1, len(word))]))
    run.begun += (*(b"\x80" * n for n in (1, 2, 3)), *(b"\xbf" * n for n in (1, 2, 3)), b"\xaa", b"\xaa\x80")
    for text in tested.texts if EXHAUSTIVE else tested.texts[:2]:
        run.along(text.encode(), 4, 2)
    run.at_random(25 if EXHAUSTIVE else 10, 4, 2)
    run.totals.undecided = language.undecided
    with capsys.disabled():
        print(f"\n{name}: {run.totals}")
    assert not run.totals.differences, "\n".join(run.totals.differences[:8])
    # The definition was asked for about five tokens a mask.
    assert language.undecided <= run.totals.masks // 4
    assert run.compiled._arena.unproved == 0
