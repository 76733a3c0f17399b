"""What the dialect has beyond lark's: by the oracles, by `re`, and by the words of what is refused."""

from __future__ import annotations

import re
from itertools import product
from typing import Any, Literal

import pytest

import structgen as sg
from structgen.errors import GrammarError
from structgen.frontends.lark_grammar import lark_to_ir
from structgen.ir import GrammarIR
from tests.oracles.earley import any_cut
from tests.oracles.longest import Longest

VOCABULARY = sg.Vocabulary(
    [*(bytes([b]) for b in range(256)), None, None, None, None],
    (259,),
    specials={"<|call|>": 256, "<think>": 257, "</think>": 258},
)


def words(alphabet: str, length: int) -> list[str]:
    return ["".join(letters) for n in range(length + 1) for letters in product(alphabet, repeat=n)]


def reads(ir: GrammarIR, word: str) -> bool:
    """The oracles' answer."""
    if ir.lexing == "any":
        return any_cut(ir).is_member(word.encode())
    return bool(Longest(ir, b"", 0).reads((), word.encode()))


def takes(
    text: str, *parts: str | int, lexing: Literal["longest", "any"] = "longest", **options: Any
) -> bool:
    grammar = sg.Grammar.from_lark(text, lexing=lexing, **options)
    matcher = sg.compile(grammar, VOCABULARY).matcher()
    for part in parts:
        fits = matcher.accept_token(part) if isinstance(part, int) else matcher.accept_bytes(part.encode())
        if not fits:
            return False
    return matcher.is_accepting()


@pytest.mark.parametrize(
    ("body", "pattern"),
    [
        ('"a"{2}', "a{2}"),
        ('"a"{1,3}', "a{1,3}"),
        ('"a"{2,}', "a{2,}"),
        ('"a"{,2}', "a{0,2}"),
        ('("a" | "b"){ 1 , 2 }', "[ab]{1,2}"),
        ("B{2} A{0,1}", "b{2}a?"),
        ("r{2}", "(ab?){2}"),
        ("t{A}{2} t{B}", "aabb?"),
    ],
)
def test_bounds_in_braces(body: str, pattern: str) -> None:
    ir = lark_to_ir(f'start: {body}\nr: A B?\nt{{x}}: x\nA: "a"\nB: "b"\n')
    for word in words("ab", 4):
        expected = re.fullmatch(pattern.replace("aabb?", "aab"), word) is not None
        assert reads(ir, word) == expected, word


@pytest.mark.parametrize(
    ("terminal", "condition"),
    [
        ("/[ab]+/ & ~/.*aa.*/", lambda w: re.fullmatch("[ab]+", w) is not None and "aa" not in w),
        ("/[ab]*/ & /.+/ & ~/a/", lambda w: re.fullmatch("[ab]+", w) is not None and w != "a"),
        ('"c" (/[ab]+/ & ~/b*/) "c"', lambda w: re.fullmatch("c[ab]*a[ab]*c", w) is not None),
        ("(/a/ & /[ab]/){2,3} | /b/", lambda w: w in ("aa", "aaa", "b")),
        ("(/a/ & /a/)+", lambda w: w != "" and set(w) == {"a"}),
        ("X & ~Y", lambda w: re.fullmatch("[ab]+", w) is not None and w != "ab"),
        ("~/a*/ & /[abc]*/", lambda w: set(w) - {"a"} != set()),
        ("/a/ | /b/ & /b/", lambda w: w in ("a", "b")),
    ],
)
def test_and_and_not_in_terminals(terminal: str, condition: Any) -> None:
    text = f'start: T\nT: {terminal}\nX: /[ab]+/\nY: "ab"'
    dfa = lark_to_ir(text).terminals["T"].dfa
    for word in words("abc", 5):
        assert dfa.matches(word.encode()) == condition(word), word


def test_what_is_negated_stays_text() -> None:
    dfa = lark_to_ir("start: T\nT: ~/a/ & /(.|\\n)+/").terminals["T"].dfa
    assert dfa.matches("é".encode())
    assert not dfa.matches(b"\xc3")


@pytest.mark.parametrize("lexing", ["longest", "any"])
def test_lazy_rules_and_suffixes(lexing: str) -> None:
    lazy = 'start: head /[0-9]/\nhead[lazy]: TEXT "<f"\nTEXT: /[ab<f]*/'
    suffix = 'start: head /[0-9]/\nhead[suffix="<f"]: /[ab<f]*/'
    named = "start: head /[0-9]/\nhead[suffix=END]: /[ab<f]*/\nEND: /<f/"
    pattern = "start: head /[0-9]/\nhead[suffix=/<f/, capture]: /[ab<f]*/"
    for text in (lazy, suffix, named, pattern):
        ir = lark_to_ir(text, lexing=lexing)
        for word in words("a<f1", 4):
            wanted = re.fullmatch(r"((?!<f)[a<f])*<f1", word) is not None
            assert reads(ir, word) == wanted, word


def test_lazy_text_in_several_alternatives() -> None:
    ir = lark_to_ir('start: t "."\nt[lazy]: "a" /b+/ | "abb"\n%extend t: "c"', lexing="any")
    for word in words("abc.", 5):
        assert reads(ir, word) == (word in ("ab.", "c."))


def test_special_tokens() -> None:
    text = (
        'start: <think> /[a-z]+/ </think> (<|call|> NUMBER | NAME)\nNUMBER: /[0-9]+/\nNAME: "x"\n%ignore " "'
    )
    for lexing in ("longest", "any"):
        assert takes(text, 257, "abc ", 258, 256, "12", lexing=lexing)
        assert takes(text, 257, " abc", 258, " x ", lexing=lexing)
        assert not takes(text, 257, "abc", 258, 256, "x", lexing=lexing)
        assert not takes(text, 257, "<think>", lexing=lexing)
    assert takes("start: <[256]> <[257-258,256]>+", 256, 257, 258, 256)
    assert not takes("start: <[256]> <[257-258]>", 256, 256)


SCHEMA = '{"type": "object", "properties": {"a}": {"type": "integer"}}, "required": ["a}"]}'


def test_json_inside_a_grammar() -> None:
    text = """
start: "<f>" args "</f>"   // %json { in a comment
args: %json {
    "type": "object",

    "properties": {"a}": {"type": "integer"}},
    "required": ["a}"], "additionalProperties": false
}
  | "none"
"""
    assert takes(text, '<f>{"a}": 12}</f>', lexing="any")
    assert takes(text, "<f>none</f>", lexing="any")
    assert not takes(text, "<f>{}</f>", lexing="any")
    assert takes('start: (%json {"type": "null"} | %json {"const": 1} ","){2}', "null1,", lexing="any")
    blank = 'start: %json {"const": [1]} "x"\n%ignore " "'
    assert takes(blank, " [1] x", lexing="any")
    with pytest.raises(GrammarError, match="terminal B is not defined") as caught:
        lark_to_ir(text + "b: B", lexing="any")
    assert (caught.value.line, caught.value.column) == (10, 4)


def test_grammars_inside_a_grammar() -> None:
    text = '''start: "[" %lark { start: A+ | b   // with braces: }
                     A: "a"
                     b: "}" b? } "]"'''
    assert takes(text, "[aa]", lexing="any")
    assert takes(text, "[}}]", lexing="any")
    assert not takes(text, "[a}]", lexing="any")
    inner = sg.Grammar.from_regex("[0-9]+")
    assert takes('start: @n "-" @n', "12-3", lexing="any", grammars={"n": inner})
    gbnf = sg.Grammar.from_gbnf('root ::= "(" root ")" | ""')
    assert takes("start: @n /x/ @p", "1x(())", lexing="any", grammars={"n": inner, "p": gbnf})


def test_substrings() -> None:
    ir = lark_to_ir('start: "<" Q ">"\nQ: "q" %regex {"substring_words": "the cat, the dog"}', lexing="any")
    assert reads(ir, "<q>")
    assert reads(ir, "<qthe dog>")
    assert reads(ir, "<qcat, the>")
    assert not reads(ir, "<qca>")
    assert not reads(ir, "<qdog the>")
    chunks = ["ab", "a", "", "ba"]
    ir = lark_to_ir('start: %regex {"substring_chunks": ["ab", "a", "", "ba"]}')
    runs = {"".join(chunks[i:j]) for i in range(5) for j in range(i, 5)}
    for word in words("ab", 6):
        assert reads(ir, word) == (word in runs), word
    assert reads(lark_to_ir('start: %regex {"substring_chars": ""}'), "")
    ir = lark_to_ir('start: %regex {"substring_chars": "héh"}', lexing="any")
    assert all(reads(ir, word) for word in ("", "h", "hé", "é", "éh", "héh"))
    assert not reads(ir, "hh")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("start: %json {}", (1, 8), "pass lexing='any'"),
        ("start: %lark {start: A}", (1, 8), "pass lexing='any'"),
        ("start: @x", (1, 8), "pass lexing='any'"),
        ("start: A\nA: <x>", (2, 4), "<x> belongs to rules"),
        ("start: A\nA: %json {}", (2, 4), "%json belongs to rules"),
        ("start: /a/ & /b/", (1, 8), "& and ~ are of patterns"),
        ("start: a & b\na: A\nb: A\nA: /a/", (1, 8), "& and ~ are of patterns"),
        ("start: <[*]>", (1, 8), "<[*]> is not supported"),
        ("start: <[^12]>", (1, 8), "<[^12]> is not supported"),
        ("start: <[5-3]>", (1, 8), "ends are swapped"),
        ("start: <[0-99999]>", (1, 8), "more than 1000"),
        ("start[max_tokens]: A\nA: /a/", (1, 7), "max_tokens is a number from 1 to"),
        ("start[max_tokens=1.5]: A\nA: /a/", (1, 7), "max_tokens is a number from 1 to"),
        ('start[max_tokens="3"]: A\nA: /a/', (1, 7), "max_tokens is a number from 1 to"),
        ("start[max_tokens=-1]: A\nA: /a/", (1, 7), "max_tokens is a number from 1 to"),
        ("start[max_tokens=0]: A\nA: /a/", (1, 18), "max_tokens=0 can write nothing"),
        ("start[temperature=0.7]: A\nA: /a/", (1, 7), "temperature is not supported"),
        ('start[stop="x"]: A\nA: /a/', (1, 7), "stop is not supported: it would take back"),
        ("start[lasy]: A\nA: /a/", (1, 7), "no attribute lasy"),
        ("start[lazy=1]: A\nA: /a/", (1, 7), "lazy takes no value"),
        ("start[suffix=1]: A\nA: /a/", (1, 7), "suffix is a string"),
        ("start[lazy]: A?\nA: /a/", (1, 1), "can match the empty string"),
        ("start[lazy]: b\nb: A\nA: /a/", (1, 14), "cannot be made of rules"),
        ("start[suffix=B]: A\nA: /a/", (1, 14), "terminal B is not defined"),
        ("start: A\nA: /a/ & /b/", (2, 1), "match nothing at all"),
        ("start: A\nA: (/a/ & /a/){1001}", None, "1000 times at most"),
        ('start: %regex {"type": "substring"}', (1, 8), "%regex has one of substring_chunks"),
        ('start: %regex {"substring_chunks": "ab"}', (1, 8), "is a list of strings"),
        ("start: A{3,2}\nA: /a/", (1, 9), "the other way round: {3,2}"),
    ],
)
def test_what_is_refused_is_named_with_its_place(
    text: str, place: tuple[int, int] | None, words: str
) -> None:
    with pytest.raises(GrammarError, match=re.escape(words)) as caught:
        lark_to_ir(text)
    if place is not None:
        assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    ("text", "grammars", "words"),
    [
        ('start: %json {"type": 3}', {}, "1:8: the schema of %json: at /type"),
        ("start: @x", {}, "no grammar is passed for @x"),
        ("start: @x", {"y": sg.Grammar.from_regex("a")}, "there are y"),
        ("start: @x", {"x": sg.Grammar.from_lark("start: /a/")}, "make it with lexing='any'"),
        ("start: %lark {start: B}", {}, "1:22: terminal B is not defined"),
    ],
)
def test_grammars_that_cannot_be_embedded(text: str, grammars: dict[str, sg.Grammar], words: str) -> None:
    with pytest.raises(GrammarError, match=words):
        sg.Grammar.from_lark(text, lexing="any", grammars=grammars)
