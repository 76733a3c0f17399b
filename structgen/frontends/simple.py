"""The two smallest front ends: one regular expression, and a list of texts.

Both are one automaton, and every way of cutting text counts: there is nothing to cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import GrammarError, LimitExceededError
from ..ir import GrammarIR, Pat
from ..limits import USUAL, Limits
from ..regex import compile_match, from_strings, parse_python


def regex_to_ir(pattern: str, *, limits: Limits | None = None) -> GrammarIR:
    """The texts that ``re.fullmatch(pattern, text)`` matches.

    A lazy quantifier changes nothing: the text as a whole is matched. Raises `GrammarError` for a pattern
    that does not parse, has no finite automaton (a back reference), or matches nothing.
    """
    dfa = compile_match(parse_python(pattern), limits=limits)
    if dfa.is_empty:
        raise GrammarError(f"no text matches the pattern {pattern!r}; allow at least one")
    return GrammarIR({"start": Pat(dfa, "regex")}, "start")


def choices_to_ir(choices: Sequence[str], *, limits: Limits | None = None) -> GrammarIR:
    """Exactly these texts; the same one twice counts once.

    Raises `GrammarError` when there are none, or for one that is not text; `LimitExceededError` when their
    automaton passes ``limits.max_dfa_states``.
    """
    if isinstance(choices, str):
        raise GrammarError(f'choices are a list of texts, and {choices!r} is one text; write ["{choices}"]')
    if not choices:
        raise GrammarError("there are no choices; give at least one text")
    data = []
    for choice in choices:
        if not isinstance(choice, str):
            raise GrammarError(f"a choice is a text, not {choice!r} ({type(choice).__name__})")
        try:
            data.append(choice.encode())
        except UnicodeEncodeError:
            raise GrammarError(
                f"the choice {choice!r} holds half a surrogate pair, which is no text"
            ) from None
    dfa = from_strings(data)
    limit = (limits or USUAL).max_dfa_states
    if dfa.n_states > limit:
        raise LimitExceededError("max_dfa_states", limit, dfa.n_states, "building the automaton of choices")
    return GrammarIR({"start": Pat(dfa, "choices")}, "start")
