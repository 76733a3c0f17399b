"""Compilers as references of `test_programs`: of many texts, what each gets wrong, in the compiler's words.

Each skips the test that asks it where the compiler is not installed, and says what to install.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest


def java(texts: Sequence[str]) -> list[str | None]:
    """What javac's parser reports, asked through the compiler's own interface: one process for all texts.

    The parser takes any expression where a variable, and any type where a class is wanted, and leaves the
    rest to a later phase; the specification's grammar does not. So its tree is looked through for these.
    """
    if shutil.which("javac") is None:
        pytest.skip("javac is not installed; a JDK of version 17 or later has it (openjdk-17-jdk-headless)")
    program = r"""
        import com.sun.source.tree.*;
        import com.sun.source.util.*;
        import java.net.URI;
        import java.util.List;
        import javax.tools.*;

        class Check extends TreeScanner<String, Void> {
            public static void main(String[] arguments) throws Exception {
                var out = new java.io.PrintStream(System.out, true, "UTF-8");
                var compiler = ToolProvider.getSystemJavaCompiler();
                for (String text : new String(System.in.readAllBytes(), "UTF-8").split("\0", -1)) {
                    var found = new DiagnosticCollector<JavaFileObject>();
                    var uri = URI.create("string:///A.java");
                    var file = new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
                        public CharSequence getCharContent(boolean ignore) { return text; }
                    };
                    var options = List.of("-proc:none");
                    var task = (JavacTask) compiler.getTask(null, null, found, options, null, List.of(file));
                    String wrong = new Check().scan(task.parse(), null);
                    for (var d : found.getDiagnostics())
                        if (d.getKind() == Diagnostic.Kind.ERROR)
                            wrong = d.getMessage(null).replace("\n", " ");
                    out.println(wrong == null ? "" : wrong);
                }
            }
            public String reduce(String a, String b) { return a != null ? a : b; }
            String place(ExpressionTree e) {
                while (e instanceof ParenthesizedTree p) e = p.getExpression();
                boolean is = e instanceof IdentifierTree || e instanceof MemberSelectTree;
                is |= e instanceof ArrayAccessTree || e instanceof ErroneousTree;
                return is ? null : "no variable on the left";
            }
            public String visitAssignment(AssignmentTree t, Void v) {
                return reduce(place(t.getVariable()), super.visitAssignment(t, v));
            }
            public String visitCompoundAssignment(CompoundAssignmentTree t, Void v) {
                return reduce(place(t.getVariable()), super.visitCompoundAssignment(t, v));
            }
            public String visitParameterizedType(ParameterizedTypeTree t, Void v) {
                for (Tree a : t.getTypeArguments())
                    if (a instanceof PrimitiveTypeTree) return "a primitive type as an argument";
                return super.visitParameterizedType(t, v);
            }
        }
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "Check.java")
        file.write_text(program, encoding="utf-8")
        command = ["java", str(file)]
        done = subprocess.run(command, input="\0".join(texts).encode(), capture_output=True, check=True)
    return [line or None for line in done.stdout.decode().split("\n")[:-1]]


# What is wrong with the form of a text, among all that a compiler may say of it.
_FORM = re.compile(
    r"error: (expected|stray|missing terminating|unterminated|extra|empty character|invalid suffix|exponent"
    r"|.* without a previous|.* in declaration|unable to find|invalid digit|unexpected|too many decimal"
    r"|hexadecimal floating|declaration does not declare|two or more data types|braces around|#|missing)"
)


def cpp(texts: Sequence[str]) -> list[str | None]:
    """What g++ says of a file's form. The header that all programs include is compiled once."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-std=c++20", "-x", "c++"]
        if shutil.which("g++") is not None:
            Path(folder, "bits").mkdir()
            Path(folder, "all.h").write_text("#include <bits/stdc++.h>\n", encoding="utf-8")
            compiled = Path(folder, "bits", "stdc++.h.gch")
            header = [*options[:1], "-x", "c++-header", str(Path(folder, "all.h")), "-o", str(compiled)]
            subprocess.run(["g++", *header], check=True, capture_output=True)
        return _gcc([*options, f"-I{folder}"], texts)


def _gcc(options: Sequence[str], texts: Sequence[str]) -> list[str | None]:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")

    plain = {**os.environ, "LC_ALL": "C"}

    def ask(text: str) -> str | None:
        command = ["g++", "-fsyntax-only", "-w", "-fmax-errors=20", *options, "-"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, env=plain)
        lines = done.stderr.decode().splitlines()
        said = [line.partition("error: ")[2] for line in lines if "error: " in line]
        return " / ".join(said) if _FORM.search(done.stderr.decode()) else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(ask, texts))


@cache
def go_root() -> Path:
    """The folder of Go's own sources; skips where Go is not installed."""
    if shutil.which("go") is None or shutil.which("gofmt") is None:
        pytest.skip("go and gofmt are not installed (golang-go)")
    done = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def go(texts: Sequence[str]) -> list[str | None]:
    """What gofmt's parser reports first; one process for all texts."""
    go_root()
    with tempfile.TemporaryDirectory() as folder:
        for i, text in enumerate(texts):
            Path(folder, f"{i}.go").write_bytes(text.encode())
        command = ["gofmt", "-e", "-l", folder]
        done = subprocess.run(command, capture_output=True, text=True)
    wrong: list[str | None] = [None] * len(texts)
    for line in done.stderr.splitlines():
        found = re.match(r".*/(\d+)\.go:\d+:\d+: (.*)", line)
        if found and wrong[int(found[1])] is None:
            wrong[int(found[1])] = found[2]
    return wrong


@cache
def rust_root() -> Path:
    """The folder of Rust sources that STRUCTGEN_RUST names; skips where there is none, or no rustc."""
    folder = os.environ.get("STRUCTGEN_RUST")
    if folder is None or not Path(folder).is_dir():
        pytest.skip("STRUCTGEN_RUST names no folder with Rust sources (a checkout of serde, for instance)")
    if shutil.which("rustc") is None:
        pytest.skip("rustc is not installed; version 1.85 or later parses Rust")
    return Path(folder)


def rust(texts: Sequence[str]) -> list[str | None]:
    """What rustc's parser reports first, in edition 2021 and in 2024; one that takes the text is enough.

    rustc prints a file as it was parsed, before macros are expanded and before anything is looked at that a
    parser leaves to others. Stable compilers do that when they are told to be one that builds rustc.
    """
    rust_root()
    allowed = {**os.environ, "RUSTC_BOOTSTRAP": "1"}

    def ask(text: str) -> str | None:
        said = ""
        for edition in ("2021", "2024"):
            command = ["rustc", "--edition", edition, "-Zunpretty=normal", "--error-format=short", "-"]
            done = subprocess.run(command, input=text.encode(), capture_output=True, env=allowed)
            errors = [line for line in done.stderr.decode().splitlines() if re.search(r"\berror\b", line)]
            if not errors:
                return None
            said = re.sub(r"^<anon>:\d+:\d+: ", "", errors[0])
        return said

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(ask, texts))
