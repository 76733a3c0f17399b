"""JSON texts as values: which are equal, and whether one that is not whole can still become equal to another.

Two texts mean the same value however they are spaced and escaped, in whatever order their keys come, and
whether a number is written as ``1``, ``1.0`` or ``1e0``. `Value` has a text of its own for each value, so
comparing and hashing are those of bytes, whatever the depth.

`compare` errs on one side only: where it says that a text's value will differ, there is a way to finish the
text with another value, however it is read. It may say "open" of a number that cannot become equal any more.
Nothing here is recursive, since what a model writes nests as deep as it likes.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

DIFFERS, OPEN, EQUAL = range(3)

BLANKS = b" \t\n\r"
_BLANK = re.compile(rb"[ \t\n\r]*")
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_NUMBER = re.compile(rb"-?[0-9.eE+-]*")
_OPEN_NUMBER = re.compile(rb"-?([1-9][0-9]*|[0-9]+\.[0-9]*|(?=[0-9.]*[1-9])[0-9.]+[eE][-+]?[0-9]*)")
_NUMBER_AT_END = re.compile(rb"-?[0-9][-+.eE0-9]*$|-$")
_DIGITS = re.compile(rb"[0-9]*([1-9])[0-9]*|0+")
_WORD = re.compile(rb"[a-z]+")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[ \t\n\r]+|-?[0-9][0-9.eE+-]*', re.DOTALL)
_WHOLE_CHARACTERS = re.compile(
    rb'(?:[^"\\]|\\["\\/bfnrt]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    rb"|\\u(?![dD][89abAB])[0-9a-fA-F]{4})*"
)
_WORDS = {b"true": True, b"false": False, b"null": None}


class Number:
    """A number as sign, significant digits and the place of the point, which any exponent may move."""

    __slots__ = ("digits", "negative", "text")

    def __init__(self, text: str) -> None:
        mantissa, _, exponent = text.lower().partition("e")
        self.negative = mantissa.startswith("-")
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        digits = (whole + fraction).lstrip("0")
        place = len(digits) - len(fraction) + (int(exponent[:4000]) if exponent else 0)
        self.digits = digits.rstrip("0")
        if not self.digits:
            self.negative, place = False, 0
        self.text = f"{'-' * self.negative}0.{self.digits or 0}e{place}"


class Value:
    """One JSON value.

    tree : of dict, list, str, `Number`, bool and None
    text : of equal values the same, of others not
    spelled : a string as JSON without escapes that are not needed; None for other values
    """

    __slots__ = ("spelled", "text", "tree")

    def __init__(self, text: bytes) -> None:
        self.tree = _read(text)
        self.text = _written(self.tree)
        self.spelled = _spelled(self.tree) if isinstance(self.tree, str) else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def _string(text: bytes) -> str:
    """The value of a whole string."""
    value: str = json.loads(text) if b"\\" in text else text[1:-1].decode()
    return value


def _read(text: bytes) -> Any:
    """The tree of a whole JSON text."""
    root: list[Any] = []
    holders: list[Any] = [root]
    key: str | None = None
    i, n = 0, len(text)
    while i < n:
        byte = text[i : i + 1]
        value: Any
        if byte in b" \t\n\r,:":
            i += 1
            continue
        if byte in b"}]":
            holders.pop()
            i += 1
            continue
        if byte == b'"':
            found = _STRING.match(text, i)
            assert found is not None
            i, value = found.end(), _string(found.group())
            if isinstance(holders[-1], dict) and key is None:
                key = value
                continue
        elif byte in b"{[":
            i, value = i + 1, {} if byte == b"{" else []
        elif word := _WORD.match(text, i):
            i, value = word.end(), _WORDS[word.group()]
        else:
            number = _NUMBER.match(text, i)
            assert number is not None
            i, value = number.end(), Number(number.group().decode())
        if isinstance(holders[-1], dict):
            holders[-1][key] = value
            key = None
        else:
            holders[-1].append(value)
        if isinstance(value, dict | list):
            holders.append(value)
    return root[0]


def _written(tree: Any) -> bytes:
    """The text of a tree that all equal ones share."""
    parts: list[str] = []
    todo: list[Any] = [(tree,)]  # a value in a tuple, or text between values
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            parts.append(one)
            continue
        value = one[0]
        if isinstance(value, dict):
            parts.append("{")
            todo.append("}")
            for key in sorted(value, reverse=True):
                todo += [",", (value[key],), json.dumps(key) + ":"]
        elif isinstance(value, list):
            parts.append("[")
            todo.append("]")
            for item in reversed(value):
                todo += [",", (item,)]
        else:
            parts.append(value.text if isinstance(value, Number) else json.dumps(value))
    return "".join(parts).encode()


def compare(text: bytes, tree: Any) -> tuple[int, tuple[bytes, ...] | None]:
    """Whether the beginning of a JSON text can become, or is, this value.

    Answers DIFFERS, OPEN or EQUAL (the text is whole). And where a string comes next, or the text ends inside
    one and between two characters: how it has to go on without escapes that are not needed, quotes included.
    """
    holders: list[tuple[Any, set[str] | int]] = []  # what is open: an object with its keys so far, a list
    i, n = 0, len(text)
    begun = True  # nothing stands between the bracket and here
    value = tree
    wanted = True  # a value comes next
    while True:
        i = _end(_BLANK, text, i)
        if wanted:
            if i == n:
                return OPEN, (_spelled(value),) if isinstance(value, str) else None
            if isinstance(value, str):
                result, i, rest = _compare_string(text, i, value)
                if result != EQUAL:
                    return result, None if rest is None else (rest,)
            elif isinstance(value, Number):
                result, i = _compare_number(text, i, value)
                if result != EQUAL:
                    return result, None
            elif isinstance(value, dict | list):
                if text[i] != (0x7B if isinstance(value, dict) else 0x5B):
                    return DIFFERS, None
                i += 1
                holders.append((value, set() if isinstance(value, dict) else 0))
                begun, wanted = True, False
                continue
            else:
                word = json.dumps(value).encode()
                found = text[i : i + len(word)]
                if not word.startswith(found):
                    return DIFFERS, None
                i += len(word)
                if i > n:
                    return OPEN, None
            begun, wanted = False, False
            continue
        if not holders:
            return EQUAL, None
        if i == n:
            return OPEN, None
        holder, come = holders[-1]
        if text[i] in b"}]":
            if (come if isinstance(come, int) else len(come)) != len(holder):
                return DIFFERS, None
            holders.pop()
            i, begun = i + 1, False
            continue
        if not begun:
            i = _end(_BLANK, text, i + 1)  # a comma
            if i == n:
                return OPEN, None
        if isinstance(come, int):
            if come == len(holder):
                return DIFFERS, None
            holders[-1] = (holder, come + 1)
            value, wanted = holder[come], True
            continue
        known = _STRING.match(text, i)
        if known is None or not known.group(2):
            possible = [key for key in holder if key not in come]
            results = [_compare_string(text, i, key) for key in possible]
            rests = [rest for result, _, rest in results if result == OPEN]
            if not rests:
                return DIFFERS, None
            known_rests = tuple(rest for rest in rests if rest is not None)
            return OPEN, known_rests if len(known_rests) == len(rests) else None
        key = _string(known.group())
        if key not in holder or key in come:
            return DIFFERS, None
        come.add(key)
        i = _end(_BLANK, text, known.end())
        if i == n:
            return OPEN, None
        i += 1  # a colon
        value, wanted = holder[key], True


def open_scalar(text: bytes) -> str:
    """What a text ends in the middle of: "string", "number" that digits make another one, or "" for else."""
    tokens = list(_TOKEN.finditer(text))
    if not tokens or tokens[-1].end() != len(text):
        return ""
    token = tokens[-1].group()
    if token[:1] == b'"':
        return "string" if _STRING.match(token).group(2) == b"" else ""  # type: ignore[union-attr]
    return "number" if _OPEN_NUMBER.fullmatch(token) else ""


def middle(text: bytes) -> bytes:
    """A short text that ends in the middle of the same as a longer one, as `open_scalar` has it."""
    if text[:1] == b'"' and text.count(b'"') == 1 and b"\\" not in text:
        return b'"'
    if open_scalar(text) == "string":
        return b'"'
    if text[-1:] == b"\\" and open_scalar(text[:-1]) == "string":
        return b'"\\'
    number = _NUMBER_AT_END.search(text)
    return b" " if number is None else _DIGITS.sub(lambda run: b"1" if run[1] else b"0", number[0])


def without_spelling(text: bytes) -> bytes:
    """A text without what makes no difference to its value, nor to what can follow in one state of a grammar.

    That is white space, and zeros at the end of a fraction and the beginning of an exponent.
    """
    return _TOKEN.sub(_plainly, text)


def _plainly(token: re.Match[bytes]) -> bytes:
    text: bytes = token.group()
    if text[:1] in BLANKS:
        return b""
    if text[:1] == b'"':
        return text
    mantissa, e, exponent = text.lower().partition(b"e")
    if b"." in mantissa:
        mantissa = mantissa.rstrip(b"0")
    digits = exponent.lstrip(b"+-")
    shortest = digits.lstrip(b"0") or digits[:1]
    return mantissa + e + exponent[: len(exponent) - len(digits)] + shortest


def _end(pattern: re.Pattern[bytes], text: bytes, i: int) -> int:
    found = pattern.match(text, i)
    return i if found is None else found.end()


def _compare_string(text: bytes, i: int, value: str) -> tuple[int, int, bytes | None]:
    """(result, where the string ends, what is missing) of a string that begins at ``i``."""
    found = _STRING.match(text, i)
    if found is None:
        return DIFFERS, i, None
    if found.group(2):
        return (EQUAL if _string(found.group()) == value else DIFFERS), found.end(), None
    inside = text[i + 1 :]
    whole = inside[: _end(_WHOLE_CHARACTERS, inside, 0)]
    read = codecs.utf_8_decode(whole, "strict", False)[1]
    begun = _string(b'"' + whole[:read] + b'"')
    if not value.startswith(begun):
        return DIFFERS, i, None
    rest, part = value[len(begun) :], inside[read:]
    if not part:
        return OPEN, i, _spelled(rest)[1:]
    # What is left is part of one character: of its bytes, or of an escape.
    spelled = rest[:1].encode() if part[:1] != b"\\" else _escaped(rest[:1])
    can_be = rest and (part == b"\\" or spelled.startswith(part.lower()))
    return (OPEN if can_be else DIFFERS), i, None


def _escaped(character: str) -> bytes:
    """The escapes of a character's UTF-16 units."""
    units = character.encode("utf-16-be").hex()
    return b"".join([b"\\u" + units[i : i + 4].encode() for i in range(0, len(units), 4)])


def _spelled(value: str) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _compare_number(text: bytes, i: int, value: Number) -> tuple[int, int]:
    """(result, where the number ends) of a number that begins at ``i``."""
    found = _NUMBER.match(text, i)
    if found is None or not found.group():
        return DIFFERS, i
    written = found.group().decode()
    if found.end() < len(text):
        return (EQUAL if Number(written).text == value.text else DIFFERS), found.end()
    mantissa = written.lower().partition("e")[0]
    digits = mantissa.lstrip("-").replace(".", "").lstrip("0")
    if not digits:
        return OPEN, i
    if mantissa.startswith("-") != value.negative:
        return DIFFERS, i
    size = max(len(digits), len(value.digits))
    longer = digits if "e" not in written.lower() else digits.ljust(size, "0")
    return (OPEN if value.digits.ljust(size, "0").startswith(longer) else DIFFERS), i
