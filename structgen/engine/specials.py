"""The special tokens that a grammar names, found in a vocabulary.

A special token is a symbol of its own, beside the bytes: text never writes it, so it can never be confused
with its characters, and a grammar that names none pays nothing. Which tokens there are is known only here,
where grammar and vocabulary meet; so this is also where a name that means nothing is refused.
"""

from __future__ import annotations

from difflib import get_close_matches

from ..errors import GrammarError
from ..ir import GrammarIR, Special
from ..vocab.vocabulary import Vocabulary

MOST_NAMED = 30


def find_special_tokens(ir: GrammarIR, vocabulary: Vocabulary) -> dict[Special, int]:
    """The token of each special that the grammar names, the optional ones that are not there left out.

    Several names may be of one token: the first one stands for it. Raises GrammarError for what is no special
    token of the vocabulary, or ends the text.
    """
    found: dict[Special, int] = {}
    for special in ir.specials:
        token = _token(special, vocabulary)
        if token is not None:
            found[special] = token
    return found


def _token(special: Special, vocabulary: Vocabulary) -> int | None:
    name = special.token
    if isinstance(name, str):
        token = vocabulary.specials.get(name)
        if token is None and special.optional:
            return None
        if token is None:
            close = get_close_matches(name, vocabulary.specials, n=3, cutoff=0.6)
            known = ", ".join(close or sorted(vocabulary.specials)[:MOST_NAMED]) or "none"
            raise GrammarError(
                f"the vocabulary has no special token {name!r}; {'did you mean' if close else 'it has'} "
                f"{known}. What text writes is a string in quotes"
            )
    else:
        token = name
        if not 0 <= token < vocabulary.size:
            raise GrammarError(f"there is no token {token}: the vocabulary has {vocabulary.size} ids, from 0")
        data = vocabulary.bytes_of(token)
        if data is not None:
            raise GrammarError(
                f"token {token} is written by text ({data!r}), it is not special; write the text as a string"
            )
    if token in vocabulary.stop_token_ids:
        raise GrammarError(
            f"{name!r} is a stop token: it may come wherever the text may end, and a grammar does not name "
            "it; leave it out, or leave it out of stop_token_ids"
        )
    return token
