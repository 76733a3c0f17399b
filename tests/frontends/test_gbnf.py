"""GBNF: what llama.cpp's guide says each construct means, and expressions against `re`."""

from __future__ import annotations

import os
import re
from itertools import product
from pathlib import Path
from random import Random

import pytest

import structgen as sg
from structgen.errors import GrammarError
from structgen.frontends.gbnf import gbnf_to_ir
from structgen.ir import Pat, Ref, Rep, Seq
from tests.frontends.ir_recogniser import accepts
from tests.oracles.earley import any_cut

CHESS = r"""
# Moves as chess players write them.
root ::= (
    "1. " move " " move "\n"   # the first two

    ([1-9] [0-9]? ". " move " " move "\n")+
)
move   ::= (pawn | piece | castle) [+#]?
piece  ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn   ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
"""
SUMS = r"""
root ::= expr "=" [0-9]+
expr ::= expr [-+*/] term | term
term ::= [0-9]+ | "(" expr ")"
"""
JSON = r"""
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws     ::= | " " | "\n" [ \t]{0,20}
"""

# grammar, what it accepts, what it refuses
TABLE = {
    "string": ('root ::= "a\\"b\\\\" "c"', ['a"b\\c'], ["", "a", 'a"b\\', "abc"]),
    "empty string": ('root ::= "" "a" ""', ["a"], ["", "aa"]),
    "line break in a string": ('root ::= "a\nb"', ["a\nb"], ["ab", "anb"]),
    "escapes": (
        r'root ::= "\x41\u00e9\U0001F600\t\n\r\[\]\-"',
        ["Aé\U0001f600\t\n\r[]-"],
        ["Aé\U0001f600\t\n\r"],
    ),
    "class": ("root ::= [a-cX]", ["a", "b", "c", "X"], ["", "d", "x", "-", "ab"]),
    "class of one range of escapes": (r"root ::= [\x30-\u0039]", ["0", "5", "9"], ["/", ":", "-"]),
    "dash first and last": ("root ::= [-a] [a-]", ["--", "a-", "-a"], ["b-", "-b"]),
    "dash escaped": (r"root ::= [a\-c]+", ["a-c"], ["b"]),
    "brackets in a class": (r"root ::= [\]\[^]+", ["][^"], ["\\"]),
    "negated": (r"root ::= [^\n]+", ["a", "é\U0001f600"], ["", "\n", "a\nb"]),
    "negated range": ("root ::= [^a-y]", ["z", "A", "-"], ["a", "m", "y"]),
    "code points": ("root ::= [ぁ-ゟ]", ["あ"], ["ァ", "a", ""]),
    "any": ("root ::= . .", ["ab", "\n\n", "é\U0001f600"], ["a", "abc"]),
    "alternatives": ('root ::= "a" | "b" "c" |', ["a", "bc", ""], ["b", "ac"]),
    "empty alternative first": ('root ::= | "a"', ["", "a"], ["aa"]),
    "alternative in the next line": ('root ::= "a" |\n "b"', ["a", "b"], ["ab"]),
    "bar at the line's beginning": ('root ::= "a"\n | "b"', ["a", "b"], ["ab"]),
    "star": ('root ::= "ab"*', ["", "ab", "abab"], ["a", "aba"]),
    "plus": ('root ::= "ab"+', ["ab", "abab"], ["", "a"]),
    "optional": ('root ::= "a" "b"?', ["a", "ab"], ["abb", "b"]),
    "two operators": ('root ::= "a"+?', ["", "a", "aa"], ["b"]),
    "operator over a name": ("root ::= x{2}\nx ::= [ab]", ["ab", "bb"], ["a", "aba"]),
    "exactly": ('root ::= "a"{3}', ["aaa"], ["aa", "aaaa"]),
    "at least": ('root ::= "a"{2,}', ["aa", "aaaaa"], ["", "a"]),
    "between": ('root ::= "a"{ 1 , 3 }', ["a", "aaa"], ["", "aaaa"]),
    "none": ('root ::= "a"{0} "b"', ["b"], ["ab"]),
    "many": ("root ::= [a-z]{2,100000}", ["ab", "a" * 3000], ["a", "A" * 3]),
    "many of a group": ('root ::= ("ab" | "c"){2,1000} "."', ["abc.", "cc."], ["c.", "abc"]),
    "groups": ('root ::= ("a" ("b" | "c")){1,2}', ["ab", "acab"], ["a", "bc", "ababab"]),
    "line breaks in a group": ('root ::= ("a"\n\n # why\n "b")\nx ::= "c"', ["ab"], ["a", "abc"]),
    "comment": ('# first\nroot ::= "#" # "b"\n# last', ["#"], ["", "#b"]),
    "names": (
        'root ::= data-Type a_b rule1\ndata-Type::="x"\na_b ::= "y"\nrule1 ::= "z"',
        ["xyz"],
        ["xy"],
    ),
    "windows lines": ('root ::= x\r\nx ::= "a"\r\n', ["a"], ["a\r"]),
    "recursion": ('root ::= "(" root ")" | "x"', ["x", "((x))"], ["(x", "()"]),
    "left recursion": ('root ::= root "," [0-9] | [0-9]', ["1", "1,2,3"], ["", "1,", ",1"]),
    "hidden left recursion": ('root ::= "a"? root "b" | "c"', ["c", "acb", "cbb"], ["ac", "b"]),
    "chess": (
        CHESS,
        ["1. e4 e5\n2. Nf3 Nc6\n", "1. d4 O-O\n10. exd5 R1a3+\n11. O-O-O b8=Q#\n"],
        ["1. e4 e5\n", "1. e4 e5\n2. Nf3\n", "1. e9 e5\n2. a3 a4\n", "1. e4 e5\n123. a3 a4\n"],
    ),
    "sums": (SUMS, ["1=1", "1+2*(3-4)=7", "((1))/2=0"], ["1", "1+=2", "(1=1", "1=", "=1"]),
    "json": (
        JSON,
        ['{"a": [1, -2.5e3, "b\\u00e9\\n"], "c": {}} ', "{}", '{\n\t"x":true}'],
        ["[1]", '{"a"}', '{"a":01}', '{"a": "\n"}', "{}}", '{"a":1,}', '{"\\x": 1}'],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_accepted_and_refused(name: str) -> None:
    """By the oracle, and by the engine."""
    grammar, accepted, refused = TABLE[name]
    earley = any_cut(gbnf_to_ir(grammar))
    vocabulary = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
    compiled = sg.compile(sg.Grammar.from_gbnf(grammar), vocabulary)
    for text in (*accepted, *refused):
        matcher = compiled.matcher()
        assert (matcher.accept_bytes(text.encode()) and matcher.is_accepting()) == (text in accepted), text
        if len(text) < 100:
            assert earley.is_member(text.encode()) == (text in accepted), text


def some_expression(random: Random, size: int) -> tuple[str, str]:
    """The same language in GBNF and as a regular expression."""
    if size <= 1:
        leaves = [('"a"', "a"), ("[ab]", "[ab]"), ("[^b]", "[^b]"), (".", "(?s:.)"), ('""', ""), ("r", "c?a")]
        return random.choice(leaves)
    shape = random.randrange(5)
    left, left_re = some_expression(random, size // 2)
    if shape < 2:
        right, right_re = some_expression(random, size - size // 2)
        return f"{left} {right}", f"{left_re}{right_re}"
    if shape < 4:
        right, right_re = some_expression(random, size - size // 2)
        return f"({left} | {right})", f"(?:{left_re}|{right_re})"
    mark = random.choice(["?", "*", "+", "{2}", "{1,}", "{0,2}", "{9,10}"])
    return f"({left}){mark}", f"(?:{left_re}){mark}"


def test_random_expressions_mean_what_they_mean_to_re() -> None:
    random = Random(4711)
    words = ["".join(letters) for n in range(5) for letters in product("abc", repeat=n)]
    for _ in range(150):
        body, pattern = some_expression(random, random.randint(1, 8))
        ir = gbnf_to_ir(f'root ::= {body}\nr ::= "c"? "a"')
        wanted = re.compile(pattern)
        assert [w for w in words if accepts(ir, w) != bool(wanted.fullmatch(w))] == [], body


def test_what_is_regular_is_one_automaton() -> None:
    ir = gbnf_to_ir(JSON)
    body = ir.rules["string"]
    assert isinstance(body, Seq)  # and the white space after it, which is counted
    assert [type(item) for item in body.items] == [Pat, Ref]


def test_large_bounds_are_counted() -> None:
    body = gbnf_to_ir("root ::= [a-z]{2,1000000}").rules["root"]
    assert isinstance(body, Rep)
    assert (body.min, body.max) == (2, 1000000)


def test_states_that_would_be_too_many_stay_apart() -> None:
    ir = gbnf_to_ir("root ::= [ab]* [a] " + "[ab] " * 12)
    assert not isinstance(ir.rules["root"], Pat)
    assert accepts(ir, "b" * 9 + "a" + "b" * 12)
    assert not accepts(ir, "b" * 12 + "a" + "b" * 9)


def test_deep_nesting_is_read() -> None:
    ir = gbnf_to_ir(f'root ::= {"(" * 3000} "a" {"?)" * 3000}')
    assert accepts(ir, "a")
    assert not accepts(ir, "aa")


@pytest.mark.parametrize(
    ("grammar", "words", "line", "column"),
    [
        ("", "no rule 'root' to start with", None, None),
        ('rot ::= "a"', "the rules are rot", None, None),
        ('root ::= "a', "this string is not closed", 1, 10),
        ("root ::= [a", "this class is not closed", 1, 10),
        ("root ::= 'a'", "double quotes", 1, 10),
        ("root ::= x\ny ::= x", "rule x is not defined", 1, 10),
        ('root ::= "a"\nroot ::= "b"', "defined already", 2, 1),
        (r'root ::= "ab\q"', r"\\q is no escape", 1, 13),
        (r'root ::= "\x4"', "is no escape", 1, 11),
        (r'root ::= "\uD800"', "is no character", 1, 11),
        (r'root ::= "\U00110000"', "is no character", 1, 11),
        ("root ::= [z-a]", "its ends are swapped", 1, 10),
        ("root ::= []", "without a character", 1, 10),
        ('root ::= "a"{3,2}', "the other way round", 1, 13),
        ('root ::= "a"{9999999999}', "larger than 999999999", 1, 13),
        ('root ::= "a"{,2}', "bounds are written", 1, 13),
        ('root ::= ("a"', "too early", 1, 14),
        ('root ::= * "a"', "cannot stand here", 1, 10),
        ('root = "a"', "cannot stand here", 1, 1),
        ("root ::= <[99999999999]>", "there is no token 99999999999", 1, 10),
        ("root ::= !<[12]>*", "is not supported: how text is cut into tokens", 1, 10),
        ('root: "a"', "cannot stand here", 1, 1),
    ],
)
def test_errors_say_where_and_why(grammar: str, words: str, line: int | None, column: int | None) -> None:
    with pytest.raises(GrammarError, match=words) as caught:
        gbnf_to_ir(grammar)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_grammar_is_text() -> None:
    with pytest.raises(GrammarError, match="not bytes"):
        gbnf_to_ir(b"root ::= .")  # type: ignore[arg-type]


def test_special_tokens_are_named_or_numbered() -> None:
    tokens = [*(bytes([b]) for b in range(256)), None, None, None]
    vocabulary = sg.Vocabulary(tokens, (256,), specials={"<think>": 257, "</think>": 258})
    for grammar in ('root ::= <think> .* </think> "a"', 'root ::= <[257]> .* <[258]> "a"'):
        matcher = sg.compile(sg.Grammar.from_gbnf(grammar), vocabulary).matcher()
        assert not matcher.fork().accept_token(ord("<"))
        assert matcher.accept_token(257)
        assert matcher.accept_bytes("é</think>".encode())  # Text is not the token.
        assert not matcher.is_accepting()
        assert matcher.accept_token(258)
        assert not matcher.fork().accept_token(258)
        assert matcher.accept_bytes(b"a")
        assert matcher.is_accepting()
    with pytest.raises(GrammarError, match="no special token '<thin>'; did you mean <think>"):
        sg.compile(sg.Grammar.from_gbnf('root ::= <thin> "a"'), vocabulary)


# What llama.cpp's own files accept and refuse.
STRINGS = {
    "arithmetic": (["a=b\n", "x1 +2*(y) = 3\n1=1\n"], ["", "a=b", "a+=b\n", "A=b\n", "a=1+2\n", "()=a\n"]),
    "c": (
        [
            "",
            "int f(){}",
            "int f(char a){int b = 1+a;return -b*( 2 );}",
            "char f(){while(a<b){g (a, 1);}// x\n}",
        ],
        [
            "int f()",
            "int f(){return 1}",
            "f(){}",
            "int f(){ return 1;}",
            "int f(int){}",
            "int f(){a = (2);}",
        ],
    ),
    "chess": (
        ["1. e4 e5\n2. Nf3 Nc6\n", "1. O-O d5\n1. axb8=Q# Ra1xa8+\n"],
        ["", "1. e4 e5\n", "1. e9 e5\n2. a3 a4\n"],
    ),
    "english": (["Hello, world!", "a\nb\tc", "[\\]"], ["", " a", "a ", "a  b", "é"]),
    "japanese": (["ひらがな", "漢字 カナ、"], ["", "a", "漢 ", "ひa"]),
    "json": (
        ["{}", '{"a": [1, -2.5e1, "b\\u00e9"], "c": {"d": null}}', '{\n\t"a":true} '],
        ["", "[]", '{"a"}', '{"a": 01}', '{"a": "\n"}', '{"a":1,}', "{}}"],
    ),
    "json_arr": (["[\n]", '[\n1,\n"a"]', '[\n{"a":[1,2]}]'], ["[]", "[\n1,2]", "[\n1] ", "{}"]),
    "list": (["- a\n", "- a\n- b c\n"], ["", "- \n", "- a", "a\n", "- a\u2028b\n"]),
}

FILES = sorted(Path(os.environ.get("STRUCTGEN_GBNF", "/nowhere")).glob("*.gbnf"))


@pytest.mark.skipif(not FILES, reason="STRUCTGEN_GBNF names no folder with llama.cpp's own *.gbnf files")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_of_llama_cpp_compile(path: Path) -> None:
    grammar = sg.Grammar.from_gbnf(path.read_text(encoding="utf-8"), source=path.name)
    vocabulary = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
    compiled = sg.compile(grammar, vocabulary)
    assert compiled.matcher().expected().next_bytes
    accepted, refused = STRINGS.get(path.stem, ([], []))
    for text in (*accepted, *refused):
        matcher = compiled.matcher()
        assert (matcher.accept_bytes(text.encode()) and matcher.is_accepting()) == (text in accepted), text
