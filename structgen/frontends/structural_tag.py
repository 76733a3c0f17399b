r"""Structural tags to the grammar IR: free text with constrained spans.

A structural tag is a JSON object that says what a text is made of, in the form that XGrammar introduced and
that serving engines pass on (``{"type": "structural_tag", "format": ...}``; the older ``{"structures":
[...], "triggers": [...]}`` is read as well). The formats:

===================== =====================================================================================
``any_text``          any text; inside a tag, up to the tag's first end
``const_string``      ``value``
``choices``           one of ``values``
``json_schema``       JSON of ``json_schema``; ``whitespace``, ``any_order`` as `Grammar.from_json_schema` has
                      them
``regex``             ``pattern``, Python's
``grammar``           ``grammar`` in GBNF
``lark``              ``grammar`` in Lark's dialect, or the ``name`` of one that ships; every reading counts
``token``             the special token ``token``, a name or an id
``sequence``, ``or``  of ``elements``
``optional``, ``star``, ``plus``, ``repeat``  of ``content``; ``repeat`` has ``min`` and ``max``
``tag``               ``begin``, ``content``, ``end`` (a string, several, or a token)
``triggered_tags``    text that is free until one of ``triggers``, then one of the ``tags`` that begin so,
                      then free again; ``at_least_one``, ``stop_after_first``, ``excludes``
``token_triggered_tags``  the same where every tag begins with a token
``tags_with_separator``   ``tags`` with ``separator`` between them and no other text
``citations``         free text in which what begins with ``open`` is one of ``keys`` and ``close``
===================== =====================================================================================

Every format but a tag among triggered ones may have ``capture``, a name by which `GrammarMatcher.captures`
knows what it writes, without the tag's end.

Whatever else is in the object is refused by name, with the JSON pointer of its place: a constraint that is
dropped in silence is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import GrammarError
from ..ir import Alt, Capture, Expr, GrammarIR, Lit, Pat, Ref, Rep, Seq, Special
from ..limits import USUAL, Limits
from ..regex import from_strings
from .embedding import Embedding
from .free_text import control_token, free_of, special, spelled, up_to

_MOST_NESTING = 60
_START = "structural tag"
_LEGACY = {"structures", "triggers"}


def structural_tag_to_ir(spec: Any, *, limits: Limits | None = None) -> GrammarIR:
    """Compile a structural tag (a dict, JSON text, or an object with ``model_dump``) to the grammar IR.

    Raises GrammarError with the JSON pointer of the place.
    """
    if hasattr(spec, "model_dump"):
        spec = spec.model_dump(exclude_none=True)
    if isinstance(spec, str):
        try:
            spec = json.loads(spec)
        except ValueError as error:
            raise GrammarError(f"a structural tag is a JSON object, and this is no JSON: {error}") from None
    if not isinstance(spec, Mapping):
        raise GrammarError(f"a structural tag is a JSON object, not {type(spec).__name__}")
    lowering = _Lowering(limits or USUAL)
    if set(spec) >= _LEGACY:
        expr = lowering.legacy(_Object(spec, ""))
    elif spec.get("type") == "structural_tag":
        outer = _Object(spec, "")
        outer.take("type")
        inner = outer.required("format")
        outer.nothing_else()
        expr = lowering.format(_Object(inner, "/format"))
    else:
        expr = lowering.format(_Object(spec, ""))
    rules = {_START: expr, **lowering.made.rules}
    specials, captures = tuple(lowering.made.specials), tuple(lowering.made.captures)
    distinct, budgets = tuple(lowering.made.distinct), tuple(lowering.made.budgets)
    return GrammarIR(rules, _START, specials=specials, captures=captures, distinct=distinct, budgets=budgets)


class _Object:
    """A JSON object being read, key by key; it knows its place."""

    def __init__(self, value: Any, pointer: str) -> None:
        if not isinstance(value, Mapping):
            raise GrammarError(f"at {pointer or '/'}: an object is expected, not {value!r:.60}")
        if pointer.count("/") > 2 * _MOST_NESTING:
            raise GrammarError(f"at {pointer[:60]}...: formats are nested more than {_MOST_NESTING} deep")
        self.value = dict(value)
        self.pointer = pointer

    def error(self, message: str, key: str = "") -> GrammarError:
        place = f"{self.pointer}/{key}" if key else self.pointer
        return GrammarError(f"at {place or '/'}: {message}")

    def take(self, key: str, default: Any = None) -> Any:
        return self.value.pop(key, default)

    def required(self, key: str) -> Any:
        if key not in self.value:
            raise self.error(f"{key!r} is missing")
        return self.value.pop(key)

    def string(self, key: str) -> str:
        value = self.required(key)
        if not isinstance(value, str):
            raise self.error(f"a string is expected, not {value!r:.60}", key)
        return self.text(value, key)

    def text(self, value: str, key: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.error("half a surrogate pair is no text", key) from None
        return value

    def strings(self, key: str, default: Sequence[str] | None = None) -> list[str]:
        value = self.required(key) if default is None else self.take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) and v for v in value):
            raise self.error(f"a list of strings that are not empty is expected, not {value!r:.60}", key)
        return [self.text(v, key) for v in value]

    def flag(self, key: str) -> bool:
        value = self.take(key, False)
        if not isinstance(value, bool):
            raise self.error(f"true or false is expected, not {value!r:.60}", key)
        return value

    def count(self, key: str, default: int | None) -> int | None:
        value = self.take(key, default)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise self.error(f"a number from 0 up is expected, not {value!r:.60}", key)
        return value

    def objects(self, key: str) -> list[_Object]:
        value = self.required(key)
        if not isinstance(value, list | tuple) or not value:
            raise self.error(f"a list with at least one object is expected, not {value!r:.60}", key)
        return [_Object(v, f"{self.pointer}/{key}/{i}") for i, v in enumerate(value)]

    def object(self, key: str) -> _Object:
        return _Object(self.required(key), f"{self.pointer}/{key}")

    def nothing_else(self) -> None:
        """Raise for whatever was not read; null stands for what is not there."""
        for key, value in self.value.items():
            if value not in (None, [], ""):
                raise self.error(f"{key!r} is not supported here", key)


@dataclass(frozen=True)
class _Ends:
    """What ends a span: any of these strings, or a special token."""

    strings: tuple[str, ...]
    token: Special | None = None


@dataclass(frozen=True)
class _Tag:
    """One tag: how it begins, and the rest of it once it has begun."""

    begin: str | Special
    rest: Expr
    place: _Object


class _Lowering:
    """One structural tag being written as rules."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.made = Embedding()

    # What a format is, and (with ``ends``) what ends it.

    def format(self, o: _Object, ends: _Ends | None = None) -> Expr:
        """The expression of a format, up to and including one of ``ends``."""
        name = o.take("capture")
        expr = self._format(o, ends)
        if name is None:
            return expr
        if not isinstance(name, str) or not name:
            raise o.error(f"a capture has a name, not {name!r:.60}", "capture")
        return self._captured(expr, name, ends)

    def _captured(self, expr: Expr, name: str, ends: _Ends | None) -> Expr:
        """A rule of its own, whose text without the end is to be known."""
        made = self.made
        rule = f"capture {len(made.captures) + 1}"
        strings = ends.strings if ends is not None else ()
        suffix = from_strings([s.encode() for s in strings]) if strings else None
        made.rules[rule] = expr
        made.captures.append(Capture(rule, name, suffix))
        return Ref(rule)

    def _format(self, o: _Object, ends: _Ends | None) -> Expr:
        kind = o.string("type")
        known: dict[str, Callable[[_Object], Expr]] = {
            "const_string": self._const,
            "choices": self._choices,
            "json_schema": self._schema,
            "regex": self._regex,
            "grammar": self._grammar,
            "lark": self._lark,
            "token": self._token_format,
            "tag": self._whole_tag,
            "triggered_tags": self._triggered,
            "token_triggered_tags": self._triggered_by_token,
            "tags_with_separator": self._separated,
            "citations": self._citations,
            "optional": lambda o: Rep(self.format(o.object("content")), 0, 1),
            "star": lambda o: Rep(self.format(o.object("content"))),
            "plus": lambda o: Rep(self.format(o.object("content")), 1),
            "repeat": self._repeat,
        }
        if kind == "any_text":
            expr = self._any_text(o, ends)
        elif kind == "sequence":
            expr = self._sequence(o, ends)
        elif kind == "or":
            expr = Alt(tuple(self.format(item, ends) for item in o.objects("elements")))
        elif kind in known:
            expr = known[kind](o)
            if ends is not None:
                expr = Seq((expr, self._end(ends)))
        else:
            names = ", ".join(sorted([*known, "any_text", "sequence", "or"]))
            raise o.error(f"there is no format {kind!r}; there are {names}", "type")
        o.nothing_else()
        return expr

    def _end(self, ends: _Ends) -> Expr:
        ways: list[Expr] = [spelled(s, self.made.specials) for s in ends.strings]
        if ends.token is not None:
            ways.append(ends.token)
        return ways[0] if len(ways) == 1 else Alt(tuple(ways))

    def _any_text(self, o: _Object, ends: _Ends | None) -> Expr:
        excluded = o.strings("excludes", ())
        if ends is not None and "" in ends.strings:
            raise o.error("any text that ends with nothing is of no length; give the tag an end")
        if ends is None:
            return Pat(free_of(excluded, self.limits), "any text")
        free = Pat(free_of([*ends.strings, *excluded], self.limits), "any text")
        ways: list[Expr] = []
        tokens: dict[Special, None] = {} if ends.token is None else {ends.token: None}
        for string in ends.strings:
            others = [other for other in ends.strings if other != string]
            dfa = up_to(string, others, excluded, self.limits)
            if not dfa.is_empty:
                ways.append(Pat(dfa, f"any text up to {string}"))
            if control_token(string) == string:
                tokens[special(string, self.made.specials)] = None
        ways.extend(Seq((free, token)) for token in tokens)
        return Alt(tuple(ways))

    def _const(self, o: _Object) -> Expr:
        return spelled(o.string("value"), self.made.specials)

    def _choices(self, o: _Object) -> Expr:
        return Alt(tuple(Lit(value.encode()) for value in o.strings("values")))

    def _schema(self, o: _Object) -> Expr:
        from .json_schema import schema_to_ir

        style = o.take("style", "json")
        if style != "json":
            raise o.error(f"the style {style!r} is not supported; there is 'json'", "style")
        whitespace = o.take("whitespace", o.take("max_whitespace_cnt", 64))
        order = "any" if o.take("any_order", True) else "schema"
        schema = o.required("json_schema")
        ir, _ = schema_to_ir(schema, whitespace=whitespace, property_order=order, limits=self.limits)
        return self.made.add(ir, "json")

    def _regex(self, o: _Object) -> Expr:
        from .simple import regex_to_ir

        return self.made.add(regex_to_ir(o.string("pattern"), limits=self.limits), "regex")

    def _grammar(self, o: _Object) -> Expr:
        from .gbnf import gbnf_to_ir

        source = f"{o.pointer}/grammar"
        return self.made.add(gbnf_to_ir(o.string("grammar"), limits=self.limits, source=source), "gbnf")

    def _lark(self, o: _Object) -> Expr:
        from .lark_grammar import lark_to_ir
        from .library import find_grammar

        name, start = o.take("name"), o.take("start", "start")
        text = o.string("grammar") if name is None else find_grammar(str(name)).read_text(encoding="utf-8")
        source = str(name) if name is not None else f"{o.pointer}/grammar"
        ir = lark_to_ir(text, start=str(start), lexing="any", limits=self.limits, source=source)
        return self.made.add(ir, "lark")

    def _token_format(self, o: _Object) -> Expr:
        return self._token(o)

    def _token(self, o: _Object) -> Special:
        token = o.required("token")
        if not isinstance(token, str | int) or isinstance(token, bool):
            raise o.error(f"a token is a name or an id, not {token!r:.60}", "token")
        found = Special(token)
        self.made.specials[found] = None
        return found

    def _sequence(self, o: _Object, ends: _Ends | None) -> Expr:
        elements = o.objects("elements")
        parts = []
        at = 0
        while at < len(elements):
            element = elements[at]
            at += 1
            if at == len(elements):
                parts.append(self.format(element, ends))
            elif element.value.get("type") != "any_text":
                parts.append(self.format(element))
            elif elements[at].value.get("type") == "const_string":
                value = elements[at].string("value")
                parts.append(self.format(element, _Ends((value,))))
                at += 1
                if at == len(elements) and ends is not None:
                    parts.append(self._end(ends))
            else:
                raise element.error(
                    "any_text is followed by something that it may contain; let const_string end it"
                )
        return Seq(tuple(parts))

    def _repeat(self, o: _Object) -> Expr:
        low, high = o.count("min", 0) or 0, o.count("max", None)
        if high is not None and high < low:
            raise o.error(f"at most {high} and at least {low} of something is nothing", "max")
        return Rep(self.format(o.object("content")), low, high)

    # Tags.

    def _tag(self, o: _Object) -> _Tag:
        o.take("type")
        begin = o.required("begin")
        if isinstance(begin, Mapping):
            inner = _Object(begin, f"{o.pointer}/begin")
            inner.take("type")
            begin = self._token(inner)
            inner.nothing_else()
        elif not isinstance(begin, str) or not begin:
            raise o.error(
                f"a tag begins with a string that is not empty or with a token, not {begin!r}", "begin"
            )
        rest = self.format(o.object("content"), self._ends(o))
        o.nothing_else()
        return _Tag(begin, rest, o)

    def _ends(self, o: _Object) -> _Ends:
        end = o.required("end")
        if isinstance(end, Mapping):
            inner = _Object(end, f"{o.pointer}/end")
            inner.take("type")
            token = self._token(inner)
            inner.nothing_else()
            return _Ends((), token)
        strings = [end] if isinstance(end, str) else end
        if (
            not isinstance(strings, list | tuple)
            or not all(isinstance(s, str) for s in strings)
            or not strings
        ):
            raise o.error(f"a tag ends with a string, one of several, or a token, not {end!r:.60}", "end")
        return _Ends(tuple(o.text(s, "end") for s in strings))

    def _whole_tag(self, o: _Object) -> Expr:
        return self._whole(self._tag(o))

    def _whole(self, tag: _Tag) -> Expr:
        begin = tag.begin if isinstance(tag.begin, Special) else spelled(tag.begin, self.made.specials)
        return Seq((begin, tag.rest))

    def _triggered(self, o: _Object) -> Expr:
        triggers = o.strings("triggers")
        tags = [self._tag(tag) for tag in o.objects("tags")]
        for tag in tags:
            if isinstance(tag.begin, Special):
                raise tag.place.error(
                    "a tag that begins with a token belongs in token_triggered_tags", "begin"
                )
        return self._free_with(o, triggers, tags, o.strings("excludes", ()))

    def _triggered_by_token(self, o: _Object) -> Expr:
        tags = [self._tag(tag) for tag in o.objects("tags")]
        triggers = o.required("trigger_tokens")
        for tag in tags:
            if not isinstance(tag.begin, Special):
                raise tag.place.error("begins with a string; such a tag belongs in triggered_tags", "begin")
            if tag.begin.token not in triggers:
                raise tag.place.error(f"begins with {tag.begin.token!r}, which is no trigger", "begin")
        return self._free_with(o, [], tags, ())

    def _free_with(self, o: _Object, triggers: list[str], tags: list[_Tag], excluded: Sequence[str]) -> Expr:
        """Free text with tags in it."""
        at_least_one, only_one = o.flag("at_least_one"), o.flag("stop_after_first")
        free = Pat(free_of([*triggers, *excluded], self.limits), "free text")
        ways: list[Expr] = []
        used: set[int] = set()
        for i, trigger in enumerate(triggers):
            others = [other for other in triggers if other != trigger]
            lead = up_to(trigger, others, excluded, self.limits)
            if lead.is_empty:
                raise o.error(
                    f"{trigger!r} holds another trigger, which is always complete before it", f"triggers/{i}"
                )
            rests: list[Expr] = []
            for n, tag in enumerate(tags):
                if isinstance(tag.begin, str) and tag.begin.startswith(trigger):
                    used.add(n)
                    rests.append(Seq((spelled(tag.begin[len(trigger) :], self.made.specials), tag.rest)))
            if not rests:
                raise o.error(f"no tag begins with {trigger!r}", f"triggers/{i}")
            ways.append(Seq((Pat(lead, f"free text up to {trigger}"), Alt(tuple(rests)))))
        # A tag that begins with a token follows any free text.
        by_token: list[Expr] = []
        for n, tag in enumerate(tags):
            if isinstance(tag.begin, Special):
                by_token.append(self._whole(tag))
                continue
            if n not in used:
                raise tag.place.error(
                    f"begins with none of the triggers {', '.join(map(repr, triggers))}", "begin"
                )
            name = control_token(tag.begin)
            if name:
                after = spelled(tag.begin[len(name) :], self.made.specials)
                by_token.append(Seq((special(name, self.made.specials), after, tag.rest)))
        if by_token:
            ways.append(Seq((free, Alt(tuple(by_token)))))
        spans = Alt(tuple(ways))
        if only_one:
            return spans if at_least_one else Alt((spans, free))
        return Seq((Rep(spans, 1 if at_least_one else 0), free))

    def _separated(self, o: _Object) -> Expr:
        tags = Alt(tuple(self._whole(self._tag(tag)) for tag in o.objects("tags")))
        separator = spelled(o.string("separator"), self.made.specials)
        least = 1 if o.flag("at_least_one") else 0
        return Rep(tags, least, 1 if o.flag("stop_after_first") else None, separator)

    def _citations(self, o: _Object) -> Expr:
        """Free text; what begins like a citation is one of the known ones."""
        opening, close = o.take("open", "["), o.take("close", "]")
        if not isinstance(opening, str) or not opening or not isinstance(close, str):
            raise o.error("a citation begins with a string that is not empty, and ends with a string", "open")
        keys = Alt(tuple(Lit(key.encode()) for key in o.strings("keys")))
        excluded = o.strings("excludes", ())
        lead = Pat(up_to(opening, (), excluded, self.limits), "text up to a citation")
        free = Pat(free_of([opening, *excluded], self.limits), "text")
        return Seq((Rep(Seq((lead, keys, Lit(close.encode())))), free))

    def legacy(self, o: _Object) -> Expr:
        """``{"structures": [{"begin", "schema", "end"}], "triggers": [...]}``."""
        o.take("type")
        tags = []
        for structure in o.objects("structures"):
            schema = structure.required("schema")
            content = {"type": "json_schema", "json_schema": schema}
            tag = {"begin": structure.take("begin"), "content": content, "end": structure.take("end")}
            structure.nothing_else()
            tags.append(self._tag(_Object(tag, structure.pointer)))
        triggers = o.strings("triggers")
        expr = self._free_with(o, triggers, tags, ())
        o.nothing_else()
        return expr
