"""Grammars of programming languages against the languages' own parsers, by programs and mutations of these.

One table of languages, one set of tests. A *reference* reads many texts at once (a process for each would
take minutes) and says of each what is wrong with it, or nothing. Every program that it takes must be
accepted, and of the mutated ones, too: a grammar is never narrower than its language, but for what its header
says. It may be wider only where the reference's message names something that a context-free grammar leaves to
a compiler (``left``), and only now and then.

Programs are ``code/NAME.jsonl.gz`` in the folder of STRUCTGEN_SHARED; of Go its own sources, of Rust those in
the folder of STRUCTGEN_RUST. A language whose
programs or whose parser is missing is skipped, and the reason says what to install. STRUCTGEN_EXHAUSTIVE=1
takes many more mutations.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import structgen as sg
from structgen.frontends.library import find_grammar

from . import compilers

SHARED = Path(os.environ.get("STRUCTGEN_SHARED", Path(__file__).resolve().parents[2] / "shared"))
MUTATIONS = 2000 if os.environ.get("STRUCTGEN_EXHAUSTIVE") == "1" else 250
VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))

Reference = Callable[[Sequence[str]], list[str | None]]
"""Of each text what is wrong with it, in the parser's words; None where nothing is."""


@dataclass(frozen=True)
class Language:
    """A language and how its grammar is tested.

    reference : the language's own parser; it skips the test where it is not installed
    words : what mutations put in, beside what the programs hold
    left : the reference's messages, each with its text behind it (a pattern), about what the grammar leaves
        to a compiler
    narrower : texts (a pattern) that the grammar refuses knowingly though the reference takes them
    optional_end : what ends a statement, where the end of its line does so as well
    share : of the usual number of texts, where the reference is slow
    tells_form : the reference tells a text's form from its meaning, so that mutated programs can be compared
    """

    name: str
    reference: Reference
    words: tuple[str, ...]
    left: str
    narrower: str = r"(?!)"
    optional_end: str = ""
    share: float = 1.0
    tells_form: bool = True

    def __str__(self) -> str:
        return self.name


def _node(script: str, texts: Sequence[str], *options: str) -> list[str | None]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; version 20 or later parses JavaScript")
    done = subprocess.run(
        [node, *options, "-e", script],
        input=json.dumps(list(texts)),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str | None] = json.loads(done.stdout)
    return found


def javascript(texts: Sequence[str]) -> list[str | None]:
    """What node's V8 says of a module, and of a CommonJS file in strict mode; one that is taken is enough."""
    script = """
        const vm = require("vm"), fs = require("fs");
        const asModule = text => { new vm.SourceTextModule(text); };
        const asScript = text => { vm.compileFunction('"use strict";' + text); };
        const wrong = (read, text) => { try { read(text); return null; } catch (e) { return e.message; } };
        const check = text => wrong(asModule, text) === null ? null : wrong(asScript, text);
        console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(check)));
    """
    return _node(script, texts, "--experimental-vm-modules", "--no-warnings")


def typescript(texts: Sequence[str]) -> list[str | None]:
    """What the npm package `typescript` reports of syntax; STRUCTGEN_TYPESCRIPT names its folder.

    The parser leaves half of the grammar to the checker, whose messages about it have the codes below 2000,
    those from 8000 on, and two about what is assigned to. What it says inside a regular expression is left
    out, save for flags.
    """
    folder = os.environ.get("STRUCTGEN_TYPESCRIPT")
    if folder is None or not Path(folder).is_dir():
        pytest.skip("STRUCTGEN_TYPESCRIPT names no folder node_modules/typescript (npm install typescript@5)")
    script = f"""
        const ts = require({json.dumps(str(Path(folder).resolve()))}), fs = require("fs");
        const options = {{noLib: true, noResolve: true, types: [], alwaysStrict: true, target: 11}};
        const codes = code => code < 2000 || code >= 8000 && code < 18000 || [2357, 2364].includes(code);
        const pattern = (file, at) =>
            ts.getTokenAtPosition(file, at).kind === ts.SyntaxKind.RegularExpressionLiteral;
        const check = text => {{
            const file = ts.createSourceFile("a.ts", text, ts.ScriptTarget.ES2024, true);
            const host = {{
                getSourceFile: name => name === "a.ts" ? file : undefined, getDefaultLibFileName: () => "lib",
                fileExists: name => name === "a.ts", readFile: () => undefined, writeFile: () => {{}},
                getCurrentDirectory: () => "/", getCanonicalFileName: name => name, getNewLine: () => "\\n",
                useCaseSensitiveFileNames: () => true,
            }};
            let found = file.parseDiagnostics;
            if (!found.length) {{
                const program = ts.createProgram(["a.ts"], options, host);
                found = program.getSemanticDiagnostics(file);
                found = found.filter(d => codes(d.code) && (d.code === 1499 || !pattern(file, d.start)));
            }}
            return found.length ? ts.flattenDiagnosticMessageText(found[0].messageText, " ") : null;
        }};
        console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(check)));
    """
    return _node(script, texts)


LANGUAGES = (
    Language(
        "javascript",
        javascript,
        ("=>", "?.", "...", "`", "${", "async ", "await ", "yield ", "\n", "/", "let ", "in "),
        left=r"await is only valid|strict mode reserved word|Invalid regular expression|already been declared"
        r"|Duplicate parameter"
        r"|^Unexpected (identifier|number|string).*\bawait\b"
        r"|\A(Unexpected token|missing \)).*(\n|\*/)\s*(=>|(\+\+|--)\s*[;)}])",
        # V8 takes "f() = 1" and "f()++", against the standard.
        narrower=r"\bawait\b|\)\s*(=[^=>]|\+\+|--)|(\+\+|--)\s*[\w.[\]]*\(",
        optional_end=";",
    ),
    Language(
        "typescript",
        typescript,
        ("=>", "?.", ": number", "<", ">", " as ", "?", "`", "\n", "/", "let ", "type ", "readonly ", "|"),
        left=r"modifier|required parameter|'return' statement|must be a variable|Line terminator|await"
        r"|\A',' expected.*(\n\s*<|\b(any|string|number)<)|\AExpression expected.*\n\s*(\+\+|--)\s*[;)}]",
        narrower=r"[\"'](\+\+|--)|(\+\+|--)\s*function|[:<|&]\s*(return|for|let|if|var|const|while|function|else)\b",
        optional_end=";",
    ),
    Language(
        "java",
        compilers.java,
        ("int ", "new ", "final ", "return ", "->", "::", "instanceof ", "@A ", "case 1: ", "var ", "<T>"),
        left=r"return type required|repeated modifier",
        narrower=r";\s*;\s*import",  # Since version 21 javac refuses this as well.
    ),
    Language(
        "cpp",
        compilers.cpp,
        (
            "int ",
            "<",
            ">",
            "::",
            "&",
            "[]",
            "auto ",
            "const ",
            "template <typename T> ",
            "struct ",
            "case 1: ",
        ),
        left=r"(?!)",
        share=0.3,
        tells_form=False,  # What g++ makes of a text depends on what its names are.
    ),
    Language(
        "go",
        compilers.go,
        ("func ", "var ", ":=", "...", "<-", "chan ", "\n", "[T any]", "range ", "type ", "map[int]", "if "),
        left=r"(?!)",
    ),
    Language(
        "rust",
        compilers.rust,
        (
            "fn ",
            "let ",
            "->",
            "=>",
            "::",
            "&",
            "|",
            "'a",
            "<T>",
            "..",
            "if ",
            "as u8",
            "/// c\n",
            "m!{}",
            "S {}",
            "1.",
        ),
        left=r"(?!)",
        # Refused behind rustc's parser: arguments at a path's end, a name at a number's, a bound of Self.
        narrower=r"::\(|\b\d+(?![iu](8|16|32|64|128|size)\b|f32|f64|e\d|[xob])[a-z]|self:\)|Self:\w",
        share=0.5,
    ),
)


@cache
def compiled(name: str) -> sg.CompiledGrammar:
    path = find_grammar(name)
    grammar = sg.Grammar.from_lark(path.read_text(encoding="utf-8"), base_path=path.parent)
    return sg.compile(grammar, VOCABULARY)


def accepts(name: str, text: str) -> bool:
    matcher = compiled(name).matcher()
    return matcher.accept_bytes(text.encode()) and matcher.is_accepting()


@cache
def programs(name: str) -> list[str]:
    if name == "rust":
        files = sorted(compilers.rust_root().rglob("*.rs"))
        files = [path for path in files if path.stat().st_size < 6000]
        return [
            path.read_text(encoding="utf-8") for path in random.Random(0).sample(files, min(200, len(files)))
        ]
    if name == "go":
        files = sorted((compilers.go_root() / "src").rglob("*.go"))
        files = [path for path in files if "testdata" not in path.parts and path.stat().st_size < 6000]
        return [path.read_text(encoding="utf-8") for path in random.Random(0).sample(files, 200)]
    path = SHARED / "code" / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{path} is missing; STRUCTGEN_SHARED names the folder that holds code/")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def good_programs(language: Language) -> list[str]:
    texts = programs(language.name)
    texts = texts[: int(len(texts) * language.share)]
    wrong = language.reference(texts)
    return [text for text, message in zip(texts, wrong, strict=True) if message is None]


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
def test_programs(language: Language) -> None:
    texts = programs(language.name)
    texts = texts[: int(len(texts) * language.share)]
    wrong = language.reference(texts)
    different = [
        (text, message)
        for text, message in zip(texts, wrong, strict=True)
        if accepts(language.name, text) != (message is None) and not known(language, text, message)
    ]
    assert different == []
    assert wrong.count(None) > 0.3 * len(texts)


@pytest.mark.parametrize("language", [x for x in LANGUAGES if x.tells_form], ids=str)
def test_mutated_programs(language: Language) -> None:
    compare(language, mutations(language, int(MUTATIONS * language.share)))


@pytest.mark.parametrize("language", [x for x in LANGUAGES if x.optional_end], ids=str)
def test_line_ends(language: Language) -> None:
    """Without the semicolons at ends of lines, some put back, and with what goes on with a line or not."""
    end = re.compile(rf"{language.optional_end}[ \t]*$", re.MULTILINE)
    draw = random.Random(2)
    good = [pieces(end.sub("", text)) for text in good_programs(language)]
    words = [
        "\n",
        "(a)",
        "[b]",
        "+",
        "/",
        "`c`",
        "++",
        "\n(",
        "\n[",
        "=> {}\n",
        ";",
        "\n+",
        "// c\n",
        "/*\n*/",
    ]
    texts = []
    for _ in range(MUTATIONS):
        text = list(draw.choice(good))
        for _ in range(draw.choice((0, 1, 1, 2, 4))):
            text.insert(draw.randrange(len(text) + 1), draw.choice(words))
        texts.append("".join(text))
    compare(language, texts)


def compare(language: Language, texts: list[str]) -> None:
    """The grammar's verdicts are the reference's, but for what is known; neither is always the same."""
    wrong = language.reference(texts)
    seen: Counter[str] = Counter()
    different = []
    for text, message in zip(texts, wrong, strict=True):
        taken = accepts(language.name, text)
        if taken == (message is None):
            seen["taken by both" if taken else "refused by both"] += 1
        elif known(language, text, message):
            seen["wider" if taken else "narrower"] += 1
        else:
            different.append((text, message))
    assert different == [], seen
    assert min(seen["taken by both"], seen["refused by both"]) > 0.05 * len(texts), seen
    assert seen["wider"] + seen["narrower"] < 0.1 * len(texts), seen


def known(language: Language, text: str, message: str | None) -> bool:
    """A difference that the grammar's header speaks of."""
    if message is None:
        return re.search(language.narrower, text) is not None
    return re.search(language.left, f"{message}\n{text}", re.DOTALL) is not None


def mutations(language: Language, count: int, seed: int = 1) -> list[str]:
    """Good programs in which a token or a bracket is left out, doubled, moved, replaced or put in."""
    draw = random.Random(seed)
    found = [pieces(text) for text in good_programs(language)]
    everything = sorted({piece for some in found for piece in some if not piece.isspace()})
    words = (*"()[]{}()[]{};,.:=+-*!?<>'\"", "0", "x", *language.words)
    return [mutated(list(draw.choice(found)), words, everything, draw) for _ in range(count)]


def pieces(text: str) -> list[str]:
    """A text in words, numbers, single signs and blanks; comments whole, since nothing depends on them."""
    return re.findall(r"/\*.*?\*/|//[^\n]*|\w+|\s+|.", text, re.DOTALL)


def mutated(text: list[str], words: Sequence[str], everything: Sequence[str], draw: random.Random) -> str:
    places = [i for i, piece in enumerate(text) if not piece.startswith(("/*", "//")) and piece != " "]
    at, other = draw.choice(places), draw.choice(places)
    kind = draw.randrange(7)
    if kind <= 1:
        del text[at]
    elif kind == 2:
        text.insert(at, text[at])
    elif kind == 3:
        text[at], text[other] = text[other], text[at]
    elif kind == 4:
        text[at] = draw.choice(everything)
    else:
        text.insert(at, draw.choice(words))
    return "".join(text)
