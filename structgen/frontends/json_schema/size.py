"""How large a schema is, before it is read.

Everything after this takes time and memory in proportion to the schema's size at least, so one that passes
the limits anyhow is refused here, in a look at each of its values. A subschema that stands in several places
as one Python object is looked at once, as it is read once; it may even hold itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import LimitExceededError
from ...limits import Limits

TEXT = 4  # characters that weigh as much as a value of their own


def check_size(schema: Any, limits: Limits) -> None:
    """Raise LimitExceededError when the schema nests too deep or holds too much."""
    size, depth = 0, 0
    seen: set[int] = set()
    level = [schema] if isinstance(schema, dict) else []
    while level:
        depth += 1
        if depth > limits.max_depth:
            raise LimitExceededError("max_depth", limits.max_depth, depth, "reading a schema's levels")
        below: list[Any] = []
        for holder in level:
            if id(holder) in seen:
                continue
            seen.add(id(holder))
            values = list(holder.values() if isinstance(holder, dict) else holder)
            if isinstance(holder, dict):
                size += sum(map(len, filter(_is_text, holder))) // TEXT
            size += len(values)
            for value in values:
                if isinstance(value, (dict, list, tuple)):
                    below.append(value)
                elif isinstance(value, str):
                    size += len(value) // TEXT
        if size > limits.max_grammar_nodes:
            what = f"reading a schema's values ({TEXT} characters of a text count as one)"
            raise LimitExceededError("max_grammar_nodes", limits.max_grammar_nodes, size, what)
        level = below


def check_listed(values: Sequence[Any], limits: Limits) -> None:
    """Raise LimitExceededError when an enum lists more objects and arrays than can be told apart."""
    holders = sum(isinstance(value, (dict, list, tuple)) for value in values)
    if holders > limits.max_heads:
        what = "telling the objects and arrays of an enum apart"
        raise LimitExceededError("max_heads", limits.max_heads, holders, what)


def _is_text(key: Any) -> bool:
    return isinstance(key, str)
