"""Python types to JSON Schema, for `Grammar.from_type`.

The plain types of the standard library are written out here: what `json.loads` returns is then what the type
describes (a tuple is an array, an enum its values; unknown keys are not allowed). A type that holds
anything else (a pydantic model, constraints in ``Annotated``, a datetime) is given to pydantic as a whole,
which knows them all; that it is asked depends on the type alone, and not on what happens to be imported.

Named types become ``$defs``, so a type may contain itself.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GrammarError

Schema = dict[str, Any]
_ALIAS: Any = getattr(typing, "TypeAliasType", ())  # since Python 3.12
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
    dict: {"type": "object"},
    list: {"type": "array"},
    tuple: {"type": "array"},
}


def type_to_schema(tp: Any) -> Schema:
    """The JSON Schema of a type.

    ``tp`` is a pydantic model, dataclass, TypedDict, Literal, Enum, ``list[T]``, ``dict[str, T]``,
    ``tuple[...]``, Optional, Union, Annotated, str, int, float, bool, None or Any, nested as you like.
    Raises GrammarError, with the place within the type, for anything else.
    """
    writer = _Writer()
    try:
        schema = writer.schema(tp, "the type")
    except _NotPlainError as error:
        return _by_pydantic(tp, error)
    return {**schema, "$defs": writer.definitions} if writer.definitions else schema


class _NotPlainError(GrammarError):
    """A part of the type is not of the standard library's plain ones."""


def _by_pydantic(tp: Any, reason: _NotPlainError) -> Schema:
    try:
        import pydantic
    except ImportError:
        raise GrammarError(f"{reason.message}; with pydantic installed more types are known") from None
    try:
        adapter: Any = pydantic.TypeAdapter(tp)
        schema: Schema = adapter.json_schema()
    except (pydantic.errors.PydanticSchemaGenerationError, pydantic.errors.PydanticInvalidForJsonSchema):
        raise GrammarError(f"{reason.message}, and pydantic knows none either") from None
    return schema


class _Writer:
    """One schema being written; ``definitions`` collects the named types in it."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}

    def schema(self, tp: Any, place: str) -> Schema:
        if isinstance(tp, _ALIAS):
            return self.schema(tp.__value__, place)
        if isinstance(tp, typing.Hashable) and tp in _PLAIN:
            return dict(_PLAIN[tp])
        origin, arguments = typing.get_origin(tp), typing.get_args(tp)
        if origin is typing.Annotated:
            raise _NotPlainError(
                f"{place}: what Annotated adds to {_name(arguments[0])} has no JSON form here"
            )
        if origin in (typing.Required, typing.NotRequired, typing.Final):
            return self.schema(arguments[0], place)
        if origin is typing.Literal:
            return {"enum": [_json_value(value, place) for value in arguments]}
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.schema(one, place) for one in arguments]}
        if origin is tuple:
            return self._tuple(arguments, place)
        if origin in (list, set, frozenset) or origin is Sequence:
            return {"type": "array", "items": self.schema(arguments[0], f"items of {place}")}
        if origin is dict or origin is Mapping:
            if arguments[0] is not str:
                raise GrammarError(f"{place}: keys of JSON objects are str, not {_name(arguments[0])}")
            return {
                "type": "object",
                "additionalProperties": self.schema(arguments[1], f"values of {place}"),
            }
        if isinstance(tp, type):
            if issubclass(tp, enum.Enum):
                return {"enum": [_json_value(member.value, place) for member in tp]}
            pydantic_own = hasattr(tp, "__pydantic_validator__")
            if not pydantic_own and (dataclasses.is_dataclass(tp) or typing.is_typeddict(tp)):
                return self._named(tp)
        raise _NotPlainError(
            f"{place}: {_name(tp)} has no JSON form that is known; use a dataclass, TypedDict, "
            "Literal, Enum, list, dict[str, T], tuple, Optional, str, int, float, bool or None"
        )

    def _tuple(self, arguments: tuple[Any, ...], place: str) -> Schema:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": self.schema(arguments[0], f"items of {place}")}
        items = [self.schema(one, f"item {i} of {place}") for i, one in enumerate(arguments)]
        sized: Schema = {"type": "array", "minItems": len(items), "maxItems": len(items)}
        return {**sized, "prefixItems": items} if items else sized

    def _named(self, tp: type) -> Schema:
        name = self._names.get(tp)
        if name is None:
            name, n = tp.__name__, 1
            while name in self.definitions:
                name, n = f"{tp.__name__}{n + 1}", n + 1
            self._names[tp] = name
            self.definitions[name] = {}
            self.definitions[name] = self._fields(tp)
        return {"$ref": f"#/$defs/{name}"}

    def _fields(self, tp: type) -> Schema:
        hints = typing.get_type_hints(tp, include_extras=True)
        if dataclasses.is_dataclass(tp):
            fields = dataclasses.fields(tp)
            missing = dataclasses.MISSING
            names = [field.name for field in fields if field.init]
            required = [
                field.name
                for field in fields
                if field.init and field.default is missing and field.default_factory is missing
            ]
        else:
            names = list(hints)
            # Where annotations are strings, __required_keys__ does not see Required and NotRequired.
            marks = {name: typing.get_origin(hint) for name, hint in hints.items()}
            known: frozenset[str] = tp.__required_keys__  # type: ignore[attr-defined]
            required = [
                name
                for name, mark in marks.items()
                if mark is typing.Required or (name in known and mark is not typing.NotRequired)
            ]
        return {
            "type": "object",
            "properties": {name: self.schema(hints[name], f"{tp.__name__}.{name}") for name in names},
            "required": required,
            "additionalProperties": False,
        }


def _json_value(value: Any, place: str) -> Any:
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise GrammarError(f"{place}: {value!r} is no JSON value")


def _name(tp: Any) -> str:
    return tp.__name__ if isinstance(tp, type) else str(tp)
