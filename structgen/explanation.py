"""What may come next and why a token is allowed or not, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .matcher import GrammarMatcher

MOST_SHOWN = 12  # ranges of bytes in a sentence
MOST_NAMES = 6


@dataclass(frozen=True)
class Expected:
    """The answer of :meth:`GrammarMatcher.expected`; ``str()`` says it in words.

    next_bytes : bytes that may come next, ascending
    specials : special tokens that may come next, by name (``[id]`` where there is none)
    end : the text may end here
    terminals : discipline ``longest``: terminals being read, or that may begin
    rules : rules being read; parts with an automaton of their own as "members of RULE" and the like
    """

    next_bytes: tuple[int, ...]
    end: bool
    terminals: tuple[str, ...]
    rules: tuple[str, ...]
    specials: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in words."""
        parts = [describe_bytes(self.next_bytes)] if self.next_bytes else []
        parts.extend(f"token {name}" for name in self.specials[:MOST_NAMES])
        if self.end:
            parts.append("the end of the text")
        names = self.terminals or self.rules
        more = ", …" if len(names) > MOST_NAMES else ""
        inside = f" (in {', '.join(names[:MOST_NAMES])}{more})" if names else ""
        return (" or ".join(parts) or "nothing") + inside


@dataclass(frozen=True)
class Explanation:
    """The answer of :meth:`GrammarMatcher.explain`; ``str()`` says it in a sentence or two.

    allowed : the token may come next
    token_id, data : the token and its bytes (None: never written by text)
    fits : how many of its bytes can be read
    expected_bytes : bytes that could come where it fails (or after it, when it fits), ascending
    terminals : discipline ``longest``: terminals being read, or that may begin, at that place
    rules : rules being read at that place
    reason : why it is not allowed, or ""
    """

    allowed: bool
    token_id: int
    data: bytes | None
    fits: int
    expected_bytes: tuple[int, ...]
    terminals: tuple[str, ...]
    rules: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        """Say it in words."""
        shown = f"token {self.token_id}" + (f" {self.data!r}" if self.data is not None else "")
        names = f" ({', '.join(self.terminals)})" if self.terminals else ""
        where = f" in {', '.join(self.rules)}" if self.rules else ""
        expected = f"{describe_bytes(self.expected_bytes)}{names}{where}"
        if self.allowed:
            return f"{shown} is allowed; after it: {expected}"
        place = f"after {self.data[: self.fits]!r}, " if self.data and self.fits else ""
        return f"{shown} is not allowed: {place}{self.reason}; expected {expected}"


def look_ahead(matcher: GrammarMatcher) -> Expected:
    """See :meth:`GrammarMatcher.expected`. The matcher does not change."""
    if matcher.is_terminated():
        return Expected((), True, (), ())
    end = matcher.is_accepting()
    live = tuple(np.flatnonzero(matcher._live_bytes()).tolist())
    arena = matcher._arena
    with arena.lock:
        terminals = tuple(map(str, arena.expected_terminals(matcher._state)))
        rules = tuple(arena.rules_at(matcher._state))
    names = {token: name for name, token in matcher.compiled.vocabulary.specials.items()}
    specials = tuple(names.get(token, f"[{token}]") for token in matcher._live_specials())
    return Expected(live, end, terminals, rules, specials)


def explain(matcher: GrammarMatcher, token_id: int) -> Explanation:
    """See :meth:`GrammarMatcher.explain`. The matcher does not change."""
    vocabulary = matcher.compiled.vocabulary
    probe = matcher.fork()
    if token_id in vocabulary.stop_token_ids:
        allowed = matcher.is_accepting()
        reason = "" if allowed else "the text is not whole yet"
        return _at(probe, allowed, token_id, None, 0, reason)
    data = vocabulary.bytes_of(token_id) if 0 <= token_id < vocabulary.size else None
    if data is None and probe.accept_token(token_id):
        return _at(probe, True, token_id, None, 0, "")
    if data is None and token_id in matcher._arena.symbol_of_token:
        return _at(probe, False, token_id, None, 0, "this special token cannot come here")
    if data is None:
        reason = "text never writes it (a special token, a hole or padding)"
        return _at(probe, False, token_id, None, 0, reason)
    if matcher.is_terminated():
        return _at(probe, False, token_id, data, 0, "the text has ended")
    for i in range(len(data)):
        if not probe.accept_bytes(data[i : i + 1]):
            return _at(probe, False, token_id, data, i, f"byte {data[i : i + 1]!r} cannot come")
    return _at(probe, True, token_id, data, len(data), "")


def _at(
    probe: GrammarMatcher, allowed: bool, token: int, data: bytes | None, fits: int, reason: str
) -> Explanation:
    next_ = look_ahead(probe)
    return Explanation(allowed, token, data, fits, next_.next_bytes, next_.terminals, next_.rules, reason)


def describe_bytes(values: tuple[int, ...], most: int = MOST_SHOWN) -> str:
    r"""Bytes in words: ``'"', '-', '0'..'9', '\n', 0x80..0xbf``.

    Letters, digits and bytes that are no character are joined to ranges; of what is too long to be shown, the
    ranges are, since most bytes lie in them.
    """
    if not values:
        return "nothing but the end"
    spans: list[tuple[int, int]] = []
    for v in sorted(values):
        low, last = spans[-1] if spans else (-2, -2)
        if last + 1 != v or _kind(v) != _kind(last) or _kind(v) == "sign":
            spans.append((v, v))
        else:
            spans[-1] = (low, v)
    if len(spans) > most:
        spans = sorted(sorted(spans, key=lambda span: span[0] == span[1])[:most])
        return ", ".join(map(_span, spans)) + ", …"
    return ", ".join(map(_span, spans))


def _kind(byte: int) -> str:
    """Bytes of one kind are joined; signs never are."""
    if byte >= 0x80:
        return "part of a character"
    if byte == 0x7F or (byte < 0x20 and byte not in b"\t\n\r"):
        return "control"
    character = chr(byte)
    if character.isdigit():
        return "digit"
    return "sign" if not character.isalpha() else "capital" if character.isupper() else "small"


def _span(span: tuple[int, int]) -> str:
    low, high = (
        f"0x{b:02x}" if _kind(b) in ("control", "part of a character") else repr(chr(b)) for b in span
    )
    between = ", " if span[0] + 1 == span[1] else ".."
    return low if low == high else low + between + high
