"""The masks of programming languages' grammars, on a small vocabulary that cuts words and signs anywhere.

As `test_real` does it for smaller grammars: against the bytes of every token, and against the definition.
What is hard here is not the size. One text is read in several ways (a line's end that is ignored, and one
that stands for a semicolon), and what a sign is depends on where it stands.
"""

from __future__ import annotations

from itertools import product

import pytest

import structgen as sg
from structgen.frontends.library import find_grammar

from . import test_real
from .test_real import Run, Searched

WORDS = [
    *b"function|return|let |const |async |type |as | in| of| dex|stanceof".split(b"|"),
    *b" instanceof |if (|) {|};|a.b".split(b"|"),
    *b"=>|`${|}`|//|/*|*/|++|>>|?.|...|: number|Array<|x\n|\n\n|//x\n|\r\n|\xc2|\xa0 x|1.|.5|/g".split(b"|"),
    *b"\\u00|#a in ".split(b"|"),
]
TEXTS = {
    "javascript": [
        "a\nb /= /c/g\n`d`",
        "if (a) /x/.y\nelse b // c",
        "x = a => `b${{c}}d`\n++e",
        "for (a in b) c\n/* d\n*/ return",
        "class A { b = 1\n static get c() {} }",
    ],
    "typescript": [
        "let a: A<B<c>> = d as E\nf",
        "f<A>(b) > c!.d\n",
        "type A = {b?: C\n d}",
        "x = (a: B): C => d",
    ],
}

# How what is open may end: a lexeme, then brackets; or words of which the beginning was written.
LEXEMES = ["", "a", " a", "0", "0}", "=a", "*/", "*/a", "'", '"', "/", "]/", "()", ":a", ">a", ">()"]
LEXEMES += ["{}", "{}a", "`", "{a}`"]
BRACKETS = ["", ")", "]", "}", "}`", "){}", ")a", "]=a", "]:a}", ":a}", "=a}", "(){}}", "=>a", ">a", ">"]
BRACKETS += [";;)a", " of a)b"]
ENDINGS = [
    "function f(){}",
    "function(){}",
    "class A{}",
    " instanceof a",
    "typeof a",
    "import 'a'",
    "export {}",
]
ENDINGS += [
    "while(a)b",
    "switch(a){}",
    "try{}finally{}",
    "do;while(a)",
    "debugger",
    "await a",
    "throw a",
    "else a",
]
ENDINGS += [
    "extends a{}",
    "interface A{}",
    "namespace A{}",
    "enum A{}",
    "declare class A{}",
    "abstract class A{}",
]


@pytest.mark.parametrize("name", TEXTS)
def test_masks(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tails = [a + b for a, b in product(LEXEMES, BRACKETS)] + [t[i:] for t in ENDINGS for i in range(len(t))]
    monkeypatch.setattr(test_real, "TAILS", [tail.encode() for tail in dict.fromkeys(tails)])
    grammar = sg.Grammar.from_lark(find_grammar(name).read_text(encoding="utf-8"))
    tokens = [*(bytes([b]) for b in range(256)), *WORDS, None]
    language = Searched(grammar.ir)
    run = Run(grammar, sg.Vocabulary(tokens, (len(tokens) - 1,)), language)
    for text in TEXTS[name]:
        run.along(text.encode(), 4, 2)
    run.at_random(25, 4, 2)
    run.totals.undecided = language.undecided
    with capsys.disabled():
        print(f"\n{name}: {run.totals}")
    assert not run.totals.differences, "\n".join(run.totals.differences[:8])
    # The definition was asked for about five tokens a mask.
    assert language.undecided <= run.totals.masks // 4
    assert run.compiled._arena.unproved == 0
