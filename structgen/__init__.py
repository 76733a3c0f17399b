"""structgen: structured generation for language models.

Says, before each token, which tokens keep a text inside a language (a JSON Schema, a regular expression, a
context-free grammar), exactly: a token is allowed if and only if some continuation of the text with it
belongs to the language.

    grammar  = structgen.Grammar.from_json_schema({"type": "object"})
    vocab    = structgen.Vocabulary.from_huggingface(tokenizer)
    compiled = structgen.compile(grammar, vocab)
    matcher  = compiled.matcher()
    bitmask  = structgen.allocate_token_bitmask(1, vocab.size)
    matcher.fill_next_token_bitmask(bitmask)      # what may come
    matcher.accept_token(token_id)                # what came

Names are loaded when first used: importing the package loads neither torch nor transformers nor numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch import fill_next_token_bitmasks
    from .bitmask import allocate_token_bitmask, pack_token_ids, unpack_token_bitmask
    from .compiled import CompiledGrammar, compile
    from .errors import (
        GrammarError,
        LimitExceededError,
        ModelError,
        SchemaError,
        StructgenError,
        UnsatisfiableError,
        UnsupportedKeywordError,
        VocabularyError,
    )
    from .explanation import Expected, Explanation
    from .grammar import Grammar
    from .limits import Limits
    from .matcher import GrammarMatcher
    from .vocab.vocabulary import Vocabulary
    from .warm import warmup

__version__ = "0.1.0"

_HOME = {
    "CompiledGrammar": "compiled",
    "Expected": "explanation",
    "Explanation": "explanation",
    "Grammar": "grammar",
    "GrammarError": "errors",
    "GrammarMatcher": "matcher",
    "LimitExceededError": "errors",
    "Limits": "limits",
    "ModelError": "errors",
    "SchemaError": "errors",
    "StructgenError": "errors",
    "UnsatisfiableError": "errors",
    "UnsupportedKeywordError": "errors",
    "Vocabulary": "vocab.vocabulary",
    "VocabularyError": "errors",
    "allocate_token_bitmask": "bitmask",
    "compile": "compiled",
    "fill_next_token_bitmasks": "batch",
    "pack_token_ids": "bitmask",
    "unpack_token_bitmask": "bitmask",
    "warmup": "warm",
}

__all__ = [
    "CompiledGrammar",
    "Expected",
    "Explanation",
    "Grammar",
    "GrammarError",
    "GrammarMatcher",
    "LimitExceededError",
    "Limits",
    "ModelError",
    "SchemaError",
    "StructgenError",
    "UnsatisfiableError",
    "UnsupportedKeywordError",
    "Vocabulary",
    "VocabularyError",
    "allocate_token_bitmask",
    "compile",
    "fill_next_token_bitmasks",
    "pack_token_ids",
    "unpack_token_bitmask",
    "warmup",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'structgen' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
