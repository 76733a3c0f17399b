"""`Grammar`: what may be written, from whatever source, as one intermediate form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from .ir import GrammarIR
from .limits import USUAL, Limits, compiling

if TYPE_CHECKING:
    from .frontends.json_schema.report import Report
    from .frontends.lark_indentation import Indenter
    from .sketch import Sketch


def _both(ir: GrammarIR, report: Report | None) -> tuple[GrammarIR, Report | None]:
    return ir, report


@cache
def _json_schema() -> ModuleType:
    from .frontends import json_schema

    return json_schema


class Grammar:
    """A language of texts. Made by one of the ``from_`` methods; knows no vocabulary."""

    def __init__(self, ir: GrammarIR, *, report: Report | None = None, source: str = "grammar") -> None:
        self.source = source
        self.sketch: Sketch | None = None  # the same in rows of numbers, where there is such
        self._read: Callable[[], tuple[GrammarIR, Report | None]] = partial(_both, ir, report)

    @property
    def ir(self) -> GrammarIR:
        """The intermediate form."""
        return self._read()[0]

    @property
    def report(self) -> Report | None:
        """JSON Schema: what is enforced and what is not, keyword by keyword; else None."""
        return self._read()[1]

    @classmethod
    def from_json_schema(
        cls,
        schema: Mapping[str, Any] | bool | str | PathLike[str],
        *,
        whitespace: int | Literal["flexible", "compact", "dumps"] = 64,
        property_order: Literal["any", "schema"] = "any",
        strict: bool = True,
        formats: Literal["assert", "annotate"] = "assert",
        integers: Literal["any", "plain"] = "any",
        registry: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
    ) -> Grammar:
        """The JSON texts that a schema allows.

        Parameters
        ----------
        schema : dict, bool, JSON text, or a path of a file; also inside ``response_format`` or the definition
            of a tool, as APIs write them. Text is read in a third of the time that its values take
        whitespace : at most so many white space characters in a row outside strings (small models run away in
            them); "flexible": as JSON has it; "compact": none; "dumps": json.dumps' ``", "`` and ``": "``
        property_order : "any", which is what a schema means, or "schema": as its properties are written
        strict : a keyword that cannot be enforced raises; otherwise it is listed in ``report``
        formats : "assert" or "annotate" what ``format`` says
        integers : "any": as the standard allows them, ``1.0`` and ``1e2`` too; "plain": digits alone, which
            ``json.loads`` reads as ``int``. After any number's point, and in front of its exponent's digits,
            at most 16 zeros come in a row; an exponent is at most 308, as a float's is
        registry : {uri: schema} for remote references; the network is never touched

        Raises
        ------
        SchemaError, UnsupportedKeywordError : with the JSON pointer of the place
        LimitExceededError : a bound of ``limits``
        """
        how = {
            "whitespace": whitespace,
            "property_order": property_order,
            "strict": strict,
            "formats": formats,
            "integers": integers,
            "registry": registry,
            "limits": limits or USUAL,
        }
        read = _json_schema().reader(schema, how)
        grammar = cls.__new__(cls)
        grammar.source, grammar.sketch, grammar._read = "JSON Schema", read.sketch, read
        return grammar

    @classmethod
    def from_type(cls, tp: Any, **options: Any) -> Grammar:
        """The JSON texts of a Python type: pydantic model, dataclass, TypedDict, Literal, Enum, list[T] …

        ``options`` are those of :meth:`from_json_schema`; integers are "plain" unless they say otherwise,
        since an ``int`` is.
        """
        from .frontends.types import type_to_schema

        return cls.from_json_schema(type_to_schema(tp), **{"integers": "plain", **options})

    @classmethod
    @compiling
    def from_lark(
        cls,
        text: str,
        start: str = "start",
        base_path: str | PathLike[str] | None = None,
        lexing: Literal["longest", "any"] = "longest",
        *,
        postlex: Indenter | None = None,
        limits: Limits | None = None,
        source: str | None = None,
        grammars: Mapping[str, Grammar] | None = None,
    ) -> Grammar:
        """The texts of a grammar in Lark's dialect; ``%import`` finds the shipped ``grammars/``.

        Beyond lark's own syntax: ``x{2,5}``; special tokens ``<|name|>``, ``<[id]>``, ``<[from-to]>``; ``A
        & B`` and ``~A`` in terminals; ``name[capture, lazy]``, ``name[suffix="x"]`` and
        ``name[max_tokens=20]``; ``%regex {"substring_words": "..."}``; with ``lexing="longest"`` also
        ``%forbid WORD``, a lexeme that no text may have (so that ``inx`` is not ``in x``); with
        ``lexing="any"`` also ``%json {schema}``, ``%lark {grammar}`` and ``@name``.

        ``max_tokens``: of what one use of the rule writes, at most so many tokens have a byte in it; one that
        only begins or ends inside counts, and so does each call of `accept_bytes`. A token is allowed when
        the rule, and then the text, can be ended in time, each byte that the rule still needs being a token.

        Parameters
        ----------
        start : the rule that is a whole text
        base_path : the folder of ``%import .name``
        lexing : "longest": text is cut into terminals, by priority and then the longest; "any": every way of
            cutting counts
        postlex : a lark Indenter (``PythonIndenter()``), for grammars whose indentation it handles
        source : the text's name in messages
        grammars : what ``@name`` stands for

        Raises GrammarError with line, column and a caret.
        """
        from .frontends.lark_grammar import lark_to_ir

        ir = lark_to_ir(
            text,
            start=start,
            base_path=base_path,
            lexing=lexing,
            postlex=postlex,
            limits=limits or USUAL,
            source=source,
            grammars={name: grammar.ir for name, grammar in (grammars or {}).items()},
        )
        return cls(ir, source=source or "Lark grammar")

    @classmethod
    @compiling
    def from_gbnf(
        cls, text: str, start: str = "root", *, limits: Limits | None = None, source: str | None = None
    ) -> Grammar:
        """The texts of a grammar in GBNF, the dialect of llama.cpp; every way of reading a text counts.

        Raises GrammarError with line, column and a caret.
        """
        from .frontends.gbnf import gbnf_to_ir

        ir = gbnf_to_ir(text, start=start, limits=limits or USUAL, source=source)
        return cls(ir, source=source or "GBNF")

    @classmethod
    @compiling
    def from_regex(cls, pattern: str, *, limits: Limits | None = None) -> Grammar:
        """The texts that a regular expression (Python's syntax) matches from end to end."""
        from .frontends.simple import regex_to_ir

        return cls(regex_to_ir(pattern, limits=limits or USUAL), source=f"regex {pattern!r}")

    @classmethod
    @compiling
    def from_choices(cls, choices: Sequence[str], *, limits: Limits | None = None) -> Grammar:
        """Exactly one of these texts."""
        from .frontends.simple import choices_to_ir

        return cls(choices_to_ir(choices, limits=limits or USUAL), source="choices")

    @classmethod
    @compiling
    def from_structural_tag(cls, spec: Mapping[str, Any] | str, *, limits: Limits | None = None) -> Grammar:
        """Free text with constrained spans: a structural tag, as XGrammar and serving engines write them.

        spec : a dict or JSON text; `structgen.frontends.structural_tag` lists the formats

        Raises GrammarError with the JSON pointer of the place.
        """
        from .frontends.structural_tag import structural_tag_to_ir

        return cls(structural_tag_to_ir(spec, limits=limits or USUAL), source="structural tag")

    @classmethod
    @compiling
    def from_tools(
        cls,
        tools: Sequence[Mapping[str, Any]],
        style: str,
        *,
        choice: str = "auto",
        parallel: bool = True,
        reasoning: bool = False,
        whitespace: int | Literal["flexible", "compact", "dumps"] = 64,
        limits: Limits | None = None,
    ) -> Grammar:
        """Text with calls of tools, as a family of models writes them.

        Parameters
        ----------
        tools : definitions as in OpenAI's or Anthropic's API
        style : "hermes", "qwen", "llama3", "mistral" or "openai" (gpt-oss)
        choice : "auto" for text with any number of calls, "required" for at least one, or the tool's name
        parallel : several calls may be written
        reasoning : the text begins with ``<think>...</think>``
        whitespace : in the arguments, as :meth:`from_json_schema` has it

        Raises GrammarError for a definition that is none, and what its schema raises.
        """
        from .frontends.structural_tag import structural_tag_to_ir
        from .frontends.tool_calls import tool_call_tag

        spec = tool_call_tag(
            tools, style, choice=choice, parallel=parallel, reasoning=reasoning, whitespace=whitespace
        )
        return cls(structural_tag_to_ir(spec, limits=limits or USUAL), source=f"tools ({style})")

    def __repr__(self) -> str:
        """Say where it comes from and how large it is."""
        return f"<Grammar from {self.source}, {len(self.ir.rules)} rules, lexing {self.ir.lexing}>"
