"""What stands around the values of JSON: brackets, commas, colons, blanks, under each policy of whitespace.

And the rules that every grammar has alike, because nothing constrains them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ...ir import Alt, Around, Common, Expr, Lit, Pat, Ref, Rep, Seq
from ...sketch import SketchForm
from . import languages, number_texts
from .later import first_bits
from .nodes import ALL_ARRAYS, ALL_OBJECTS, ANY_NODE, FALSE, NULL, TRUE, Node
from .scalars import ALL_INTEGERS, ALL_NUMBERS, ALL_STRINGS

Whitespace = int | str
SKETCHED = ("json", "string", "integer", "number", "boolean", "null", "json.object", "json.array")
"""The rules that a sketch calls by number."""


@dataclass(frozen=True, slots=True)
class Text:
    """Punctuation under one whitespace policy, and the rules of unconstrained JSON under it.

    ``gap`` is the whitespace inside brackets, () for none; ``around`` what stands around an object's members.
    ``shared`` are the rules that every grammar has alike, ``common`` the same for the engine, ``sketch`` what
    sketches of the policy have alike.
    """

    gap: tuple[Expr, ...]
    colon: tuple[Expr, ...]
    comma: Expr
    around: Around
    shared: dict[str, Expr]
    common: Common
    sketch: SketchForm

    def bracketed(self, opening: bytes, closing: bytes, inside: Expr | None, empty: bool) -> Expr:
        """``inside`` (None: nothing can be) in brackets, or the empty pair when that is allowed."""
        if inside is None:
            return Seq((Lit(opening), *self.gap, Lit(closing)))
        filled = (inside, *self.gap, Lit(closing))
        if empty:
            return Seq((Lit(opening), *self.gap, Alt((Lit(closing), Seq(filled)))))
        return Seq((Lit(opening), *self.gap, *filled))


@lru_cache(maxsize=64)
def text(whitespace: Whitespace, plain_integers: bool) -> Text:
    """The punctuation of a whitespace policy; its expressions are the same objects every time."""
    gap: tuple[Expr, ...] = ()
    colon: tuple[Expr, ...] = (Lit(b":"),)
    comma: Expr = Lit(b",")
    shared: dict[str, Expr] = {}
    if whitespace == "dumps":
        colon, comma = (Lit(b": "),), Lit(b", ")
    elif whitespace not in ("compact", 0):
        blank = Pat(number_texts.pattern(r"[ \t\n\r]"), "whitespace")
        shared["ws"] = Rep(blank, 0, None if whitespace == "flexible" else int(whitespace))
        gap = (Ref("ws"),)
        colon, comma = (*gap, *colon, *gap), Seq((*gap, comma, *gap))
    space = "ws" if gap else ""
    separator, mark = (b", ", b": ") if whitespace == "dumps" else (b",", b":")
    around = Around(ord("{"), ord("}"), separator, mark, space)
    begins = {"json.object": b"{", "json.array": b"[", "json": b'{["tfn-0123456789'}
    promised = {name: first_bits(texts) for name, texts in begins.items()}
    common = Common(shared, promised, ((languages.any_key(), around),))
    any_text, any_key = languages.any_text(), languages.any_key()
    sketch = SketchForm(common, SKETCHED, around, (ord("["), ord("]")), ord('"'), any_key, any_text)
    made = Text(gap, colon, comma, around, shared, common, sketch)
    value = Ref("json")
    member = Seq((Pat(any_text, "key"), *colon, value))
    shared["string"] = Pat(any_text, "string")
    shared["number"] = Pat(number_texts.json_number(), "number")
    shared["integer"] = Pat(number_texts.json_integer(plain_integers), "integer")
    shared["boolean"] = Alt((Lit(b"true"), Lit(b"false")))
    shared["null"] = Lit(b"null")
    shared["json.object"] = made.bracketed(b"{", b"}", Rep(member, 1, None, comma), True)
    shared["json.array"] = made.bracketed(b"[", b"]", Rep(value, 1, None, comma), True)
    kinds = ("json.object", "json.array", "string", "number", "boolean", "null")
    shared["json"] = Alt(tuple(Ref(name) for name in kinds))
    # The other keys of an object that names some are no rule of their own.
    shared["json.key"] = Pat(any_key, "other key")
    return made


def shared_rule(node: Node) -> str | None:
    """The shared rule that a node without constraints of its own is."""
    if node is ANY_NODE:
        return "json"
    kinds = (node.simple != 0) + len(node.numbers) + len(node.strings) + len(node.arrays) + len(node.objects)
    if kinds != 1:
        return None
    if node.simple:
        return {NULL: "null", TRUE | FALSE: "boolean"}.get(node.simple)
    if node.strings:
        return "string" if node.strings[0] == ALL_STRINGS else None
    if node.numbers:
        return {ALL_NUMBERS: "number", ALL_INTEGERS: "integer"}.get(node.numbers[0])
    if node.arrays:
        return "json.array" if node.arrays[0] is ALL_ARRAYS else None
    return "json.object" if node.objects[0] is ALL_OBJECTS else None
