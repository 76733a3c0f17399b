"""ECMA-262 syntax, as the keyword ``pattern`` of JSON Schema uses it.

JSON Schema asks for the flag u. Schemas in the wild are not all written to that: ``\\-``, ``\\_`` and a lone
``]`` or ``{`` are common, mean one thing only, and are read as Annex B of the standard reads them. What
Annex B would read as something the author cannot have meant is refused by name instead (``\\A``, ``\\Z``,
``\\h`` as the letters A, Z and h; ``a{,3}`` as five literal characters; ``(?i)``).

The parser keeps its own stack, so nesting has no depth at which it fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from ..errors import GrammarError
from .ast import (
    ANY_CHAR,
    Alt,
    Cat,
    Chars,
    CharSet,
    End,
    Look,
    Node,
    Repeat,
    Start,
    line_end,
    line_start,
    set_negate,
    set_union,
    word_boundary,
)
from .python_syntax import place
from .unicode import ASCII_DIGIT, ASCII_WORD, ECMA_LINE_END, ECMA_SPACE, ignore_case, unicode_property

_CLASS_ESCAPES = {"d": ASCII_DIGIT, "w": ASCII_WORD, "s": ECMA_SPACE}
_CONTROL_ESCAPES = {"f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_HINTS = {
    "A": "; write ^ for the start of the text",
    "Z": "; write $ for the end of the text",
    "z": "; write $ for the end of the text",
    "h": r"; write [ \t]",
    "a": r"; write \x07",
    "e": r"; write \x1b",
    "Q": "; escape each character",
}


@dataclass
class _Group:
    """A group that is open: what it becomes, its finished branches, and the branch being read."""

    offset: int
    flags: str  # of the text around it
    look: Look | None = None
    branches: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def close(self) -> Node:
        self.branches.append(_cat(self.items))
        body = self.branches[0] if len(self.branches) == 1 else Alt(tuple(self.branches))
        return Look(body, self.look.behind, self.look.negative) if self.look else body


def _cat(items: list[Node]) -> Node:
    return items[0] if len(items) == 1 else Cat(tuple(items))


def parse_ecma(text: str, flags: str = "u") -> Node:
    """Reads a pattern of ECMA-262.

    ``flags``: any of ``i``, ``m``, ``s``, ``u``. A character is a code point, with and without ``u``. Raises
    GrammarError with line and column where the pattern does not parse, and by name for what no automaton
    can do.
    """
    unknown = sorted(set(flags) - set("imsudgy"))
    if unknown:
        raise GrammarError(f"flag {unknown[0]!r} is not supported in a pattern; supported are i, m, s and u")
    return _Parser(text, flags).parse()


class _Parser:
    def __init__(self, text: str, flags: str) -> None:
        self.text = text
        self.flags = flags
        self.at = 0
        self.groups = _count_groups(text)

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        line, column = place(self.text, self.at if at is None else at)
        raise GrammarError(message, text=self.text, line=line, column=column)

    def parse(self) -> Node:
        stack = [_Group(0, self.flags)]
        text = self.text
        while self.at < len(text):
            c = text[self.at]
            if c == "(":
                stack.append(self.open_group())
                continue
            if c == "|":
                stack[-1].branches.append(_cat(stack[-1].items))
                stack[-1].items = []
                self.at += 1
                continue
            if c == ")":
                if len(stack) == 1:
                    self.fail(r"this ) closes no group; write \) for the character")
                group = stack.pop()
                self.flags = group.flags
                self.at += 1
                atom: Node = group.close()
                quantifiable = not (group.look and group.look.behind)
            else:
                atom, quantifiable = self.atom(c)
            stack[-1].items.append(self.quantified(atom, quantifiable))
        if len(stack) > 1:
            self.fail("this group is never closed; add a )", stack[-1].offset)
        return stack[0].close()

    def open_group(self) -> _Group:
        text, offset = self.text, self.at
        group = _Group(offset, self.flags)
        self.at += 1
        if not text.startswith("?", self.at):
            return group
        for mark, look in (
            ("?<=", Look(Cat(()), behind=True)),
            ("?<!", Look(Cat(()), behind=True, negative=True)),
            ("?=", Look(Cat(()))),
            ("?!", Look(Cat(()), negative=True)),
        ):
            if text.startswith(mark, self.at):
                self.at += len(mark)
                group.look = look
                return group
        if text.startswith("?:", self.at):
            self.at += 2
            return group
        if text.startswith("?<", self.at):
            end = text.find(">", self.at)
            name = text[self.at + 2 : end] if end > 0 else ""
            if not name.replace("$", "_").isidentifier():
                self.fail("the name of this group is not an identifier; write (?<name>...)", offset)
            self.at = end + 1
            return group
        end = self.at + 1
        while end < len(text) and text[end] in "ims-":
            end += 1
        if end > self.at + 1 and text.startswith(":", end):
            add, _, remove = text[self.at + 1 : end].partition("-")
            self.flags = "".join(sorted((set(self.flags) | set(add)) - set(remove)))
            self.at = end + 1
            return group
        if end > self.at + 1 and text.startswith(")", end):
            self.fail("ECMA-262 has no flags for the rest of a pattern; write (?i:...) around it", offset)
        if text.startswith("?P<", self.at):
            self.fail("(?P<name>...) is Python's; ECMA-262 writes (?<name>...)", offset)
        if text.startswith("?>", self.at):
            self.fail("an atomic group (?>...) is not supported; use (?:...)", offset)
        self.fail("this kind of group is not of ECMA-262; use (...), (?:...), (?=...) or (?!...)", offset)

    def quantified(self, atom: Node, quantifiable: bool) -> Node:
        text, offset = self.text, self.at
        c = text[offset : offset + 1]
        if c in ("*", "+", "?"):
            lo, hi = {"*": (0, None), "+": (1, None), "?": (0, 1)}[c]
            self.at += 1
        elif c == "{":
            found = self.counts()
            if found is None:
                return atom
            lo, hi = found
        else:
            return atom
        if not quantifiable:
            self.fail("nothing here can be repeated; put the part to repeat before it, in (?:...)", offset)
        if text.startswith("?", self.at):
            self.at += 1
        elif text.startswith("+", self.at):
            self.fail("a possessive quantifier is not of ECMA-262; drop the second +")
        return Repeat(atom, lo, hi)

    def counts(self) -> tuple[int, int | None] | None:
        """``{n}``, ``{n,}`` or ``{n,m}`` at this place; None for a brace that stands for itself."""
        text, offset = self.text, self.at
        end = text.find("}", offset)
        body = text[offset + 1 : end] if end > 0 else ""
        low, comma, high = body.partition(",")
        if comma and not low and (not high or _digits(high)):
            upper = high or "..."
            self.fail(f"this quantifier has no lower bound; write {{0,{upper}}}", offset)
        if not _digits(low) or (comma and high and not _digits(high)):
            return None
        self.at = end + 1
        try:
            lo = int(low)
            hi = lo if not comma else (int(high) if high else None)
        except ValueError:
            self.fail("the bounds of this quantifier have too many digits", offset)
        if hi is not None and hi < lo:
            self.fail(f"the bounds of this quantifier are out of order; write {{{hi},{lo}}}", offset)
        return lo, hi

    def atom(self, c: str) -> tuple[Node, bool]:
        """The node at this place, and whether a quantifier may follow."""
        multiline = "m" in self.flags
        if c == "^":
            self.at += 1
            return (line_start(ECMA_LINE_END) if multiline else Start()), False
        if c == "$":
            self.at += 1
            return (line_end(ECMA_LINE_END) if multiline else End()), False
        if c == ".":
            self.at += 1
            return Chars(ANY_CHAR if "s" in self.flags else set_negate(ECMA_LINE_END)), True
        if c == "[":
            return Chars(self.char_class()), True
        if c == "\\":
            after = self.text[self.at + 1 : self.at + 2]
            if after in ("b", "B"):
                self.at += 2
                return word_boundary(ASCII_WORD, negative=after == "B"), False
            return Chars(self.fold(self.escape(in_class=False))), True
        if c in "*+?":
            self.fail(f"there is nothing before this {c} to repeat; write \\{c} for the character")
        begin = self.at
        if c == "{" and self.counts() is not None:
            self.fail("there is nothing before this quantifier to repeat; write \\{ for the character", begin)
        self.at += 1
        return Chars(self.fold(((ord(c), ord(c)),))), True

    def fold(self, ranges: CharSet) -> CharSet:
        return ignore_case(ranges, python=False) if "i" in self.flags else ranges

    def escape(self, in_class: bool) -> CharSet:
        r"""What the escape at this place stands for; reads past it."""
        text, offset = self.text, self.at
        c = text[offset + 1 : offset + 2]
        self.at += 2
        if not c:
            self.fail(r"a backslash ends the pattern; write \\ for the character", offset)
        if c.lower() in _CLASS_ESCAPES:
            found = _CLASS_ESCAPES[c.lower()]
            return set_negate(found) if c.isupper() else found
        if c in _CONTROL_ESCAPES:
            return _one(_CONTROL_ESCAPES[c])
        if c in "pP":
            return self.property(offset, negated=c == "P")
        if c == "b" and in_class:
            return _one(8)
        if c.isascii() and c.isdigit():
            return self.decimal_escape(offset, c, in_class)
        if c == "k":
            self.fail("a back reference is not regular; write out what it may repeat", offset)
        if c == "c":
            letter = text[self.at : self.at + 1]
            if not (letter.isascii() and letter.isalpha()):
                self.fail(r"\c needs a letter after it, as in \cJ", offset)
            self.at += 1
            return _one(ord(letter) % 32)
        if c == "x":
            return _one(self.hexadecimal(offset, 2))
        if c == "u":
            return _one(self.unicode_escape(offset))
        if c.isascii() and c.isalpha():
            self.fail(rf"\{c} is not an escape of ECMA-262{_HINTS.get(c, '')}", offset)
        return _one(ord(c))

    def decimal_escape(self, offset: int, c: str, in_class: bool) -> CharSet:
        digits = c
        while self.text[self.at : self.at + 1] in tuple("0123456789"):
            digits += self.text[self.at]
            self.at += 1
        if digits == "0":
            return _one(0)
        if in_class or c == "0" or int(digits[:6]) > self.groups:
            self.fail(rf"\{digits} is not an escape of ECMA-262; write \x.. in hexadecimal", offset)
        self.fail("a back reference is not regular; write out what it may repeat", offset)

    def hexadecimal(self, offset: int, count: int) -> int:
        digits = self.text[self.at : self.at + count]
        if len(digits) < count or any(d not in "0123456789abcdefABCDEF" for d in digits):
            self.fail(f"this escape needs {count} hexadecimal digits", offset)
        self.at += count
        return int(digits, 16)

    def unicode_escape(self, offset: int) -> int:
        text = self.text
        if text.startswith("{", self.at):
            end = text.find("}", self.at)
            digits = text[self.at + 1 : end] if end > 0 else ""
            if not digits or any(d not in "0123456789abcdefABCDEF" for d in digits):
                self.fail(r"this escape needs hexadecimal digits, as in \u{1F600}", offset)
            if len(digits.lstrip("0")) > 6 or int(digits, 16) > 0x10FFFF:
                self.fail("this escape is beyond the last code point, 10FFFF", offset)
            self.at = end + 1
            return int(digits, 16)
        unit = self.hexadecimal(offset, 4)
        if 0xD800 <= unit < 0xDC00 and text.startswith("\\u", self.at):
            low = text[self.at + 2 : self.at + 6]
            if len(low) == 4 and low[0] in "dD" and low[1] in "cdefCDEF":
                self.at += 2
                return 0x10000 + ((unit - 0xD800) << 10) + self.hexadecimal(offset, 4) - 0xDC00
        return unit

    def property(self, offset: int, negated: bool) -> CharSet:
        text = self.text
        end = text.find("}", self.at)
        if not text.startswith("{", self.at) or end < 0:
            self.fail(r"a property is written \p{...}", offset)
        body = text[self.at + 1 : end]
        self.at = end + 1
        found = unicode_property(body)
        if found is None:
            self.fail(
                rf"the property \p{{{body}}} is not supported; general categories are, such as \p{{L}}, "
                r"\p{Lu} or \p{Nd}, and \p{ASCII}, \p{Any} and \p{Assigned}",
                offset,
            )
        return set_negate(found) if negated else found

    def char_class(self) -> CharSet:
        text, offset = self.text, self.at
        self.at += 1
        negated = text.startswith("^", self.at)
        self.at += negated
        sets: list[CharSet] = []
        while True:
            if self.at >= len(text):
                self.fail("this class is never closed; add a ]", offset)
            if text[self.at] == "]":
                self.at += 1
                break
            begin = self.at
            low = self.class_member()
            if not text.startswith("-", self.at) or self.at + 1 >= len(text) or text[self.at + 1] == "]":
                sets.append(low)
                continue
            self.at += 1
            high = self.class_member()
            if _is_one(low) and _is_one(high):
                if high[0][0] < low[0][0]:
                    self.fail("the ends of this range are out of order", begin)
                sets.append(((low[0][0], high[0][0]),))
            else:
                sets += [low, _one(ord("-")), high]
        together = self.fold(set_union(*sets))
        return set_negate(together) if negated else together

    def class_member(self) -> CharSet:
        c = self.text[self.at]
        if c == "\\":
            return self.escape(in_class=True)
        self.at += 1
        return _one(ord(c))


def _one(c: int) -> CharSet:
    return ((c, c),)


def _is_one(s: CharSet) -> bool:
    return len(s) == 1 and s[0][0] == s[0][1]


def _digits(s: str) -> bool:
    return s.isascii() and s.isdigit()


def _count_groups(text: str) -> int:
    """How many capturing groups there are, so that a back reference can be told from an octal escape."""
    count, i, in_class = 0, 0, False
    while i < len(text):
        c = text[i]
        if c == "\\":
            i += 1
        elif in_class:
            in_class = c != "]"
        elif c == "[":
            in_class = True
        elif c == "(" and (
            not text.startswith("?", i + 1)
            or (text.startswith("?<", i + 1) and text[i + 3 : i + 4] not in ("=", "!"))
        ):
            count += 1
        i += 1
    return count
