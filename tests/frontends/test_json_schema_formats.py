"""Formats that are more than a line of a pattern, and encodings of content."""

from __future__ import annotations

import itertools
import re

import pytest

from structgen.errors import SchemaError
from structgen.frontends.json_schema import schema_to_ir
from structgen.frontends.json_schema.formats import language
from structgen.limits import Limits

from .test_json_schema import check

TEXTS = {
    "regex": (
        (
            *("", "a|b", "^(?:a(b)?)+?$", r"[^\]a-z-]{2,12}", "a{,3}", "x{2,}?", r"\p{Lu}\u{1F600}\x41"),
            *("]}", "[]", r"(?<n>a)\k<n>", "(?<=a+)b(?!c)", r"[\w-.]", r"\-\/", "[+--]", "(((((((())))))))"),
        ),
        (
            *("(", "a)", "[a", "*a", "a**", "(?a)", "(?P<n>a)", r"\a", "\\", "a{3,2}", "a{12,9}", "[z-a]"),
            *("[b-]a)", "^*", r"\b+", "(?#c)", "(?i)a", "{2}"),
        ),
    ),
    "idn-hostname": (
        ("a", "www.example.com", "실례.테스트", "l·l", "א׳ב", "ελλάδα。gr", "例え", "بي"),
        ("", ".", "a..b", "-a", "a-", "ab--c", "xn--a", "l·a", "A׳ב", "·", "aא", "i❤.ws", "̀a", "A_b", "a b"),
    ),
    "idn-email": (
        ("실례@실례.테스트", "a.b@example.com", '"é b"@x', "u@[127.0.0.1]"),
        ("a@", "@b", "a b@c", "user＠example.com", "a..b@c", "a@-b"),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    lang = language(name, Limits())
    assert lang is not None
    yes, no = TEXTS[name]
    assert [text for text in yes if not lang.matches(text)] == []
    assert [text for text in no if lang.matches(text)] == []


def test_what_the_format_regex_takes_compiles() -> None:
    """Python's syntax is near enough for expressions without its differences."""
    lang = language("regex", Limits())
    assert lang is not None
    pieces = ["a", "b*", "(", ")", "(?:", "{1,2}", "|", "^", r"\d", "+"]
    for chosen in itertools.product(pieces, repeat=4):
        text = "".join(chosen)
        if re.search(r"[*+}]\+|\^[*+{]", text):
            continue  # Here the two languages part.
        try:
            re.compile(text)
            wanted = True
        except re.error:
            wanted = False
        assert lang.matches(text) == wanted, text


def test_content_encoding() -> None:
    schema = {"type": "string", "contentEncoding": "base64", "minLength": 1}
    check(schema, ["eyJmb28iOiAiYmFyIn0K", "YQ==", "YWI="], ["", "YQ=", "Y", "YQ==YQ==", "%%%%"])
    check({**schema, "$schema": "http://json-schema.org/draft-06/schema#"}, ["%"], [""])
    check({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}, ["%"], [""])
    check(schema, ["%"], [""], formats="annotate")
    check({"contentEncoding": "base32"}, ["MZXW6===", ""], ["MZXW6"])
    check({"contentEncoding": "base16"}, ["0AFF"], ["0af", "A"])
    check({"contentEncoding": "quoted-printable"}, ["%"], [])


def test_what_is_not_checked_is_said() -> None:
    _, report = schema_to_ir({"format": "regex", "contentEncoding": "8bit"})
    assert any("names of groups" in note for note in report.notes)
    assert "unknown encoding '8bit'" in str(report)


def test_formats_and_patterns_meet() -> None:
    check(
        {"format": "date", "pattern": "-02-", "maxLength": 10}, ["2024-02-29"], ["2023-02-29", "2024-03-01"]
    )
    with pytest.raises(SchemaError, match="nothing satisfies"):
        schema_to_ir({"type": "string", "format": "date", "maxLength": 9})
