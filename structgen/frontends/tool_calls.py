r"""Tool calls as models write them: from tool definitions to a structural tag.

A model that was trained to call tools writes the call into its text, each family in a way of its own. What is
made here is an ordinary structural tag (`structural_tag`), so it can be looked at, changed, and sent on.

========== ================================================================================================
hermes     ``<tool_call>\n{"name": NAME, "arguments": {...}}\n</tool_call>`` in free text; Qwen writes so, too
llama3     ``{"name": NAME, "parameters": {...}}`` in free text, or after ``<|python_tag|>``; several with
           ``; `` between them
mistral    free text, then ``[TOOL_CALLS]`` and a JSON list of ``{"name": NAME, "arguments": {...}}``
openai     the messages of gpt-oss (harmony): ``<|channel|>analysis<|message|>...<|end|>``, then a final
           message or ``<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{...}``
========== ================================================================================================

Control tokens are the special tokens of the vocabulary where it has them, their characters otherwise. Those
that end the model's turn (``<|eom_id|>``, ``<|call|>``) are stop tokens and not part of the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import GrammarError

Spec = dict[str, Any]


def tool_call_tag(
    tools: Sequence[Mapping[str, Any]],
    style: str,
    *,
    choice: str = "auto",
    parallel: bool = True,
    reasoning: bool = False,
    whitespace: int | str = 64,
) -> Spec:
    """A structural tag for a model that may call ``tools``.

    Parameters
    ----------
    tools : definitions as in OpenAI's API (``{"type": "function", "function": {"name", "parameters"}}``), or
        only what stands under "function"; Anthropic's ``input_schema`` is taken for ``parameters``
    style : "hermes", "qwen" (the same), "llama3", "mistral" or "openai"
    choice : "auto": text with any number of calls; "required": at least one call and no text after the last;
        or the name of the one tool to call
    parallel : several calls may be written; otherwise at most one, at the end of the text
    reasoning : the text begins with ``<think>...</think>`` ("openai": there it always may)
    whitespace : in the arguments, as `Grammar.from_json_schema` has it

    Raises GrammarError for a definition that is none, a style or a tool that is not there.
    """
    styles: dict[str, Callable[..., Spec]] = {
        "hermes": _hermes,
        "qwen": _hermes,
        "llama3": _llama3,
        "mistral": _mistral,
        "openai": _openai,
    }
    if style not in styles:
        raise GrammarError(f"there is no style {style!r} of tool calls; there are {', '.join(styles)}")
    schemas = _definitions(tools)
    if choice not in ("auto", "required"):
        if choice not in schemas:
            raise GrammarError(f"choice={choice!r} is no tool; the tools are {', '.join(schemas)}")
        schemas = {choice: schemas[choice]}
    contents = {
        name: {"type": "json_schema", "json_schema": schema, "whitespace": whitespace}
        for name, schema in schemas.items()
    }
    spec = styles[style](contents, must=choice != "auto", several=parallel)
    if reasoning and style != "openai":
        think = {"type": "tag", "begin": "<think>", "content": {"type": "any_text"}, "end": "</think>"}
        gap = {"type": "regex", "pattern": r"\n{0,2}"}
        spec = {"type": "sequence", "elements": [think, gap, spec]}
    return {"type": "structural_tag", "format": spec}


def _definitions(tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of each tool's arguments by its name."""
    found: dict[str, Any] = {}
    for i, tool in enumerate(tools):
        inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
        name = inner.get("name") if isinstance(inner, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(name, str) or not name:
            raise GrammarError(f"tool {i} has no name; a tool is {{'name': ..., 'parameters': schema}}")
        if name in found:
            raise GrammarError(f"tool {i}: there are two tools of the name {name!r}")
        schema = inner.get("parameters", inner.get("input_schema"))
        found[name] = (
            {"type": "object", "properties": {}, "additionalProperties": False} if schema is None else schema
        )
    if not found:
        raise GrammarError("there are no tools; give at least one")
    return found


def _const(value: str) -> Spec:
    return {"type": "const_string", "value": value}


def _sequence(*elements: Spec) -> Spec:
    return {"type": "sequence", "elements": list(elements)}


def _object(name: str, key: str, content: Spec) -> Spec:
    """``{"name": NAME, KEY: {...}}``."""
    begin = f'{{"name": {json.dumps(name, ensure_ascii=False)}, "{key}": '
    return _sequence(_const(begin), content, _const("}"))


def _free_with(tags: list[Spec], trigger: str, must: bool, several: bool) -> Spec:
    """Free text with calls, or (``must``) calls with free text only before each."""
    spec: Spec = {"type": "triggered_tags", "triggers": [trigger], "tags": tags}
    if not must:
        return {**spec, "stop_after_first": not several}
    once = {**spec, "at_least_one": True, "stop_after_first": True}
    return {"type": "plus", "content": once} if several else once


def _hermes(contents: dict[str, Spec], must: bool, several: bool) -> Spec:
    tags = [
        {
            "begin": "<tool_call>\n",
            "content": _object(name, "arguments", content),
            "end": "\n</tool_call>",
        }
        for name, content in contents.items()
    ]
    return _free_with(tags, "<tool_call>", must, several)


def _llama3(contents: dict[str, Spec], must: bool, several: bool) -> Spec:
    opening = '{"name": '
    one = {"type": "or", "elements": [_object(name, "parameters", c) for name, c in contents.items()]}
    more = {"type": "star", "content": _sequence(_const("; "), one)}
    tags = []
    for name, content in contents.items():
        rest = _sequence(content, _const("}"), *([more] if several else []))
        begin = f'{opening}{json.dumps(name, ensure_ascii=False)}, "parameters": '
        tags += [{"begin": start + begin, "content": rest, "end": ""} for start in ("", "<|python_tag|>")]
    return {
        "type": "triggered_tags",
        "triggers": [opening, "<|python_tag|>"],
        "tags": tags,
        "at_least_one": must,
        "stop_after_first": True,
    }


def _mistral(contents: dict[str, Spec], must: bool, several: bool) -> Spec:
    one = {"type": "or", "elements": [_object(name, "arguments", c) for name, c in contents.items()]}
    more = {"type": "star", "content": _sequence(_const(", "), one)}
    tag = {
        "begin": "[TOOL_CALLS]",
        "content": _sequence(
            {"type": "optional", "content": _const(" ")}, _const("["), one, *([more] if several else [])
        ),
        "end": "]",
    }
    return {
        "type": "triggered_tags",
        "triggers": ["[TOOL_CALLS]"],
        "tags": [tag],
        "at_least_one": must,
        "stop_after_first": True,
    }


def _openai(contents: dict[str, Spec], must: bool, several: bool) -> Spec:
    def message(channel: str, end: str) -> Spec:
        begin = f"<|channel|>{channel}<|message|>"
        return {"type": "tag", "begin": begin, "content": {"type": "any_text"}, "end": end}

    # After a call the turn ends, so there is one call a text, whatever ``several`` says.
    before = [message(channel, "<|end|>") for channel in ("analysis", "commentary")]
    again = _sequence({"type": "or", "elements": before}, _const("<|start|>assistant"))
    last: list[Spec] = [
        _sequence(_const(f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>"), content)
        for name, content in contents.items()
    ]
    if not must:
        last.append(_sequence(_const("<|channel|>final<|message|>"), {"type": "any_text"}))
    return _sequence({"type": "star", "content": again}, {"type": "or", "elements": last})
