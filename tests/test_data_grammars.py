"""The shipped grammars of data and of SQL against readers that others wrote, on mutated texts.

The texts are the samples of each grammar, and what becomes of them when something is left out, put in,
doubled or moved. The verdicts agree, but for what a grammar says that it leaves to its reader, and what it
leaves out; how that is told apart is written down with each reader. For addresses of mail and of pages the
readers here are plain code, that cuts a text at its signs and looks at the pieces.
"""

from __future__ import annotations

import ipaddress
import os
import random
import re
import sqlite3
import string
import tomllib
import xml.parsers.expat
from collections.abc import Callable
from itertools import pairwise

import pytest

import structgen as sg
from structgen.engine import layout
from structgen.frontends.library import find_grammar, library_folder

MUTATIONS = 20_000 if os.environ.get("STRUCTGEN_EXHAUSTIVE") == "1" else 600
VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))

Verdict = bool | None  # None: the grammar does not say what this reader says


def toml(text: str) -> Verdict:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None if re.search("Cannot|Duplicate|Invalid date or datetime", str(error)) else False
    return True


def xml_document(text: str) -> Verdict:
    parser = xml.parsers.expat.ParserCreate("utf-8")
    try:
        parser.Parse(text.encode(), True)
    except xml.parsers.expat.ExpatError as error:
        message = xml.parsers.expat.ErrorString(error.code)
        if max(text, default="") > "\uffff":
            return None
        return None if message in ("mismatched tag", "duplicate attribute") else False
    # An internal subset is left out; and expat takes any version, and not all names of the fifth edition.
    other = r"<!DOCTYPE[^>]*\[|encoding=|version=(?!.1\.[0-9]+['\"])"
    return None if re.search(other, text) else True


def yaml_flow(text: str) -> Verdict:
    yaml = pytest.importorskip("yaml")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        tokens = list(yaml.scan(text))
    except (yaml.YAMLError, ValueError):
        return False
    if node is None or isinstance(node, yaml.ScalarNode) or not node.flow_style:
        return False
    todo = [node]
    for part in todo:
        if isinstance(part, yaml.MappingNode):
            if not all(isinstance(key, yaml.ScalarNode) for key, _ in part.value):
                return None
            todo += [value for _, value in part.value]
        elif isinstance(part, yaml.SequenceNode):
            todo += part.value
    kinds = [type(token).__name__.removesuffix("Token") for token in tokens]
    if {"Anchor", "Alias", "Tag", "Directive", "DocumentStart", "DocumentEnd"} & set(kinds):
        return None
    pairs = set(pairwise(kinds))
    if (
        ("Key", "FlowSequenceStart") in pairs
        or ("Key", "FlowMappingStart") in pairs
        or ("Key", "Value") in pairs
    ):
        return None
    if any(after == "Value" and before != "Scalar" for before, after in pairs):
        return None
    for token in tokens:
        if isinstance(token, yaml.ScalarToken):
            several_lines = token.start_mark.line != token.end_mark.line
            if several_lines or (token.plain and re.fullmatch(r"-+|---.*|\.\.\..*|.*:", token.value)):
                return None
    return None if re.search(r"[#?\t\r\x85\xa0\u2028\u2029\ufeff]|:[\"']", text) else True


def markdown_table(text: str) -> Verdict:
    markdown_it = pytest.importorskip("markdown_it")
    tokens = markdown_it.MarkdownIt("commonmark").enable("table").parse(text)
    if [token.type for token in tokens if token.level == 0] != ["table_open", "table_close"]:
        return False
    lines = text.removesuffix("\n").split("\n")
    bars = all(re.fullmatch(r"\|(.*[^\\])?\| *\r?", line) for line in lines)
    return True if bars and "\\\\" not in text and "\t" not in text and "\r" not in text else None


def address(text: str) -> Verdict:
    local, at, domain = text.rpartition("@")
    words = string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-"
    if not at or not 0 < len(local) <= 64 or not text.isascii() or not text.isprintable():
        return False
    if local.startswith('"'):
        if (
            len(local) < 2
            or not re.sub(r"\\.", "", local[1:]).endswith('"')
            or '"' in re.sub(r"\\.", "", local[1:-1])
        ):
            return False
    elif not all(part and set(part) <= set(words) for part in local.split(".")):
        return False
    if domain.startswith("["):
        return domain.endswith("]") and is_ip(
            domain[1:-1].removeprefix("IPv6:"), 6 if "IPv6:" in domain[:6] else 4
        )
    labels = domain.split(".")
    letters = set(string.ascii_letters + string.digits + "-")
    ends = all(len(part) < 64 and set(part) <= letters and part == part.strip("-") != "" for part in labels)
    return ends and len(domain) <= 253


def is_ip(text: str, version: int) -> bool:
    try:
        return "%" not in text and ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def url(text: str) -> Verdict:
    if not text.isascii() or re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return False
    scheme, colon, rest = text.partition(":")
    if not colon or not re.fullmatch("[A-Za-z][-A-Za-z0-9+.]*", scheme):
        return False
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    plain = set(string.ascii_letters + string.digits + "-._~!$&'()*+,;=%")
    if not set(fragment + query) <= plain | set(":@/?"):
        return False
    if not rest.startswith("//"):
        return set(rest) <= plain | set(":@/")
    authority, _, path = rest[2:].partition("/")
    user, _, host = authority.rpartition("@")
    host = re.sub(r":[0-9]*\Z", "", host) if not host.endswith("]") else host
    if not set(path) <= plain | set(":@/") or not set(user) <= plain | {":"}:
        return False
    if host.startswith("[") and host.endswith("]"):
        return is_ip(host[1:-1], 6) or bool(re.fullmatch(r"\[[vV][0-9A-Fa-f]+\.[-\w.~!$&'()*+,;=:]+\]", host))
    return set(host) <= plain


# What SQLite says of a text that it cannot read; and what it says before it has read all of it.
SYNTAX = re.compile(
    "syntax error|unrecognized token|incomplete input|should come (before|after)|clause is required before"
    "|join type"
)
UNREAD = re.compile(
    "columns assigned|no such collation|in generated column|already exists|duplicate column|default value"
    "|AUTOINCREMENT|unknown table option|more than one primary|foreign key"
)


def sql(text: str) -> Verdict:
    if not (3, 40) <= sqlite3.sqlite_version_info[:2] <= (3, 42):
        pytest.skip(f"the grammar is that of SQLite 3.40, this one is {sqlite3.sqlite_version}")
    if re.search(r"\0|;\s*[^\s;]|/\*((?!\*/).)*$|\$\w*(::|\()|[@:$]\s", text, re.DOTALL):
        return (
            None  # a second statement, a comment that is open at the end, names of variables as Tcl has them
        )
    if not re.sub(r"--.*|/\*.*?\*/|[\s;]", "", text):
        return True
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"EXPLAIN {text}")
    except sqlite3.Error as error:
        return False if SYNTAX.search(str(error)) else None if UNREAD.search(str(error)) else True
    finally:
        database.close()
    return True


READERS: dict[str, Callable[[str], Verdict]] = {
    "toml": toml,
    "xml": xml_document,
    "yaml_flow": yaml_flow,
    "markdown_table": markdown_table,
    "email": address,
    "url": url,
    "sql": sql,
}


@pytest.mark.parametrize("name", READERS)
def test_readers_agree(name: str) -> None:
    read = READERS[name]
    path = find_grammar(name)
    grammar = sg.Grammar.from_lark(path.read_text(encoding="utf-8"), base_path=path.parent)
    compiled = sg.compile(grammar, VOCABULARY)
    assert int(compiled._arena.g[layout.H_ASK]) == 1  # All that is open can be finished: that is proved.
    samples = tomllib.loads((library_folder() / "samples" / f"{name}.toml").read_text(encoding="utf-8"))
    draw = random.Random(name)
    signs = sorted({sign for text in samples["accept"] for sign in text})
    texts = [*samples["accept"], *samples["reject"]]
    texts += [mutated(draw.choice(samples["accept"]), signs, draw) for _ in range(MUTATIONS)]
    told: dict[Verdict, int] = {True: 0, False: 0, None: 0}
    differ = []
    for text in texts:
        wanted = read(text)
        told[wanted] += 1
        matcher = compiled.matcher()
        accepted = matcher.accept_bytes(text.encode()) and matcher.is_accepting()
        if wanted is not None and accepted != wanted:
            differ.append((text, wanted))
    assert differ == []
    assert min(told[True], told[False]) > MUTATIONS / 20, told


def mutated(text: str, signs: list[str], draw: random.Random) -> str:
    for _ in range(draw.choice((1, 1, 2))):
        start = draw.randrange(len(text) + 1)
        end = start + draw.choice((1, 1, 2, 5))
        kind = draw.randrange(4)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + draw.choice(signs) + text[start:]
        elif kind == 2:
            text = text[:start] + draw.choice(signs) + text[end:]
        else:
            text = text[:start] + text[end : end + 6] + text[start:]
    return text
