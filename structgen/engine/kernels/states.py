"""A matcher's states: interned sets of heads, and the steps between them."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .lexed import advance_symbol, complete_lexed, step_heads
from .lexer import lex_step
from .margins import in_line, margin_before_text
from .parser import complete, persist, resolve, sort_heads
from .records import intern, intern_pair, intern_parser
from .shifts import candidates_of

U64 = np.uint64


@jit
def _load(g, state):
    """The heads of an interned matcher state into scratch at 0; their number."""
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    n = g[state] >> 8
    base = g[X_HEADS]
    if n + 3 >= 3 * g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for i in range(n):
        g[base + i] = g[state + R_KEY + i]
    return n // 3


@jit
def _store(g, src, n):
    """The interned matcher state of heads ``src .. src+n-1``, or a code."""
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    code = persist(g, src, n) if g[H_MODE] == 0 else sort_heads(g, src, n)
    if code < 0:
        return code
    return intern(g, g[X_HEADS] + 3 * src, 3 * n, K_STATE, STATE_VALUES)


@jit
def initial_state(g, init, param):
    """The matcher state before any byte. ``init``: initial rule state."""
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    h = g[X_HEADS]
    s = resolve(g, init)
    if s == 0:
        return BUILD_RULES
    g[h], g[h + 1], g[h + 2] = s, param, 0
    if g[H_MODE] == 0:
        return _store(g, 0, 1)
    margin = margin_before_text(g) if g[H_INDENT] != 0 else 0
    if margin < 0:
        return margin
    key = g[X_TMP]
    g[key], g[key + 1], g[key + 2], g[key + 3] = margin, s, param, 0
    parser = intern_parser(g, key, 4)
    if parser < 0:
        return parser
    q = candidates_of(g, parser)
    if q < 0:
        return q
    if g[H_INDENT] != 0:  # the text begins as if a line break had been read
        q = lex_step(g, q, g[g[H_INDENT] + I_BREAK])
        if q < 0:
            return q
        parser = in_line(g, parser, q, g[g[H_INDENT] + I_BREAK])
        if parser < 0:
            return parser
    g[h], g[h + 1], g[h + 2] = q, parser, 0
    return _store(g, 0, 1)


@jit
def _read(g, state, data, start, end):
    """Feed ``data[start:end]`` to a matcher state: (first head, number of heads or code)."""
    n = _load(g, state)
    src = 0
    if n < 0:
        return 0, n
    heads = g[X_HEADS]
    for i in range(start, end):
        dst = src + n
        k = step_heads(g, src, n, np.int64(data[i]), dst)
        if k <= 0:
            return 0, k
        src = dst
        n = k
        if src > g[X_HEADS_CAP] // 4:
            for j in range(3 * n):
                g[heads + j] = g[heads + 3 * src + j]
            src = 0
    return src, n


@jit
def accept_bytes(g, state, data, start, end):
    """The matcher state after ``data[start:end]``, REFUSED, or a code."""
    src, n = _read(g, state, data, start, end)
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    if n == 0:
        return REFUSED
    if n < 0:
        return n
    return _store(g, src, n)


@jit
def accept_symbol(g, state, symbol, silent):
    """The matcher state after a symbol that is no byte (see `advance_symbol`), REFUSED, or a code."""
    n = _load(g, state)
    if n < 0:
        return n
    k = advance_symbol(g, 0, n, symbol, silent, n)
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    if k <= 0:
        return REFUSED if k == 0 else k
    return _store(g, n, k)


@jit
def accept_each(g, state, symbols, out):
    """Set ``out[i]`` to the matcher state after mark ``symbols[i]``, or REFUSED; their number, or a code."""
    total = 0
    for i in range(symbols.shape[0]):
        to = accept_symbol(g, state, symbols[i], True)
        if to < REFUSED:
            return to
        out[i] = to
        total += to != REFUSED
    return total


@jit
def find_accept(g, state, token):
    """State after + 1 when the step was taken before, REFUSED when it was refused before, 0 when unknown.

    Only reads, so that it needs no lock.
    """
    h = U64(0x9E3779B97F4A7C15) ^ U64(K_ACCEPT)
    h = (h ^ U64(state)) * U64(0xFF51AFD7ED558CCD)
    h = h ^ (h >> U64(32))
    h = (h ^ U64(token)) * U64(0xFF51AFD7ED558CCD)
    h = h ^ (h >> U64(32))
    h = h * U64(0xC4CEB9FE1A85EC53)
    key = np.int64((h ^ (h >> U64(29))) >> U64(1))
    hash_table = g[H_HASH]
    table = hash_table >> HASH_SHIFT
    mask = (1 << (hash_table & HASH_SIZE)) - 1
    slot = key & mask
    upper = key >> HASH_UPPER
    while True:
        entry = g[table + slot]
        if entry == 0:
            return 0
        if entry & ((1 << HASH_TAG) - 1) == upper:
            at = entry >> HASH_TAG
            if g[at] == K_ACCEPT | (2 << 8) and g[at + 2] == state and g[at + 3] == token:
                return g[at + 4]
        slot = (slot + 1) & mask


@jit
def accept_token(g, state, data, offsets, token):
    """`accept_bytes` of ``data[offsets[token] : offsets[token + 1]]``, remembered under (state, token)."""
    if offsets[token] == offsets[token + 1]:
        return NO_TEXT
    to = accept_bytes(g, state, data, offsets[token], offsets[token + 1])
    if to < REFUSED:
        return to
    at = intern_pair(g, state, token, K_ACCEPT, 1)
    if at < 0:
        return at
    g[at + 4] = to + 1 if to >= 0 else REFUSED
    return to


@jit
def is_accepting(g, state):
    """1 when the text may end at this matcher state, 0 when not, or a code."""
    at = state + R_KEY + (g[state] >> 8) + 1
    if g[at] != 0:
        return g[at] - 1
    n = _load(g, state)
    if n < 0:
        return n
    yes = complete(g, 0, n) if g[H_MODE] == 0 else complete_lexed(g, 0, n)
    if yes >= 0:
        g[at] = yes + 1
    return yes


@jit
def live_bytes(g, state, out):
    """Set ``out[b]`` (uint8[256]) for every byte that may come next; their number, or a code."""
    total = 0
    for b in range(256):
        n = _load(g, state)
        if n < 0:
            return n
        k = step_heads(g, 0, n, b, n)
        if g[X_NOTES_N] > 0:
            return BUILD_RULES
        if k < 0:
            return k
        out[b] = 1 if k > 0 else 0
        total += out[b]
    return total
