"""Which ids end a text: what the caller says, else what lies next to the tokenizer.

A chat model has more of them than its tokenizer's end-of-text token (Llama 3.1: ``<|eot_id|>`` and
``<|end_of_text|>``); the model's generation configuration lists them all. None at all is almost always a
mistake that would let a text run on for ever, so it has to be asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import VocabularyError


def choose_stops(given: Iterable[int] | None, found: set[int], size: int | None) -> tuple[int, ...]:
    """The stop ids given, else those found that the logits (``size``) reach.

    Raises VocabularyError when none was given and none found.
    """
    if given is not None:
        return tuple(given)
    reached = sorted(i for i in found if size is None or i < size)
    if not reached:
        told = f"; those found, {sorted(found)}, lie past vocab_size={size}" if found else ""
        raise VocabularyError(
            f"no stop token is known for this tokenizer{told}: pass stop_token_ids=(…), the ids that end "
            f"a text (the model's eos_token_id), or stop_token_ids=() to end texts yourself"
        )
    return tuple(reached)


def configured_stops(origin: str | Path) -> set[int]:
    """The end-of-text ids that the model's own configuration names; more than the tokenizer's for chats."""
    for name in ("generation_config.json", "config.json"):
        config = _read_config(origin, name)
        nested = config.get("text_config")
        found = as_ids(config.get("eos_token_id"))
        if not found and isinstance(nested, dict):
            found = as_ids(nested.get("eos_token_id"))
        if found:
            return found
    return set()


def named_stop(folder: Path, token_id: Callable[[str], int | None]) -> set[int]:
    """The end-of-text token that ``tokenizer_config.json`` names."""
    named = _read_config(folder, "tokenizer_config.json").get("eos_token")
    name = named.get("content") if isinstance(named, dict) else named
    if not isinstance(name, str):
        return set()
    return as_ids(token_id(name))


def _read_config(origin: str | Path, name: str) -> dict[str, Any]:
    """A JSON object next to a tokenizer: in its folder, or in the local copy of its hub repository."""
    file: Path | None = Path(origin) / name
    if isinstance(origin, str) and not os.path.isdir(origin):
        try:
            from huggingface_hub import try_to_load_from_cache

            found = try_to_load_from_cache(origin, name)
        except (ImportError, ValueError):  # A ValueError says that this is not the name of a repository.
            found = None
        file = Path(found) if isinstance(found, str) else None
    if file is None or not file.is_file():
        return {}
    try:
        config = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise VocabularyError(
            f"{file}, which names the stop tokens, cannot be read: {error}; repair it or "
            f"pass stop_token_ids=(…)"
        ) from error
    return config if isinstance(config, dict) else {}


def as_ids(value: Any) -> set[int]:
    """One id, several or none, as configuration files write them."""
    values = value if isinstance(value, list | tuple | set) else [value]
    return {int(i) for i in values if isinstance(i, int) and not isinstance(i, bool)}
