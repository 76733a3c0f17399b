"""Masks: of one head, of a matcher's state, and the copies of those that are known."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .groups import add_groups
from .leaving import find_own
from .lexer import lex_won
from .records import add_row, intern
from .states import accept_symbol, is_accepting
from .walk import walk_trie

U64 = np.uint64
NO_TABLE = 1 << 40


@jit
def head_mask(g, tries, slots, visits, tables, info, groups, ids, signatures, work, head, out):
    """Fill ``out`` with the mask of the head at ``g[head]``, stop tokens apart. 0 or a code.

    slots, visits, tables, info, groups, ids : see `table_pool`; signatures : int64[*], see `sequences`
    work : int64[*], scratch of `splits`
    """
    g[X_NOTES_N] = 0
    g[X_FRAMES_TOP] = 1
    h = g[X_HEADS]
    a, b, c = g[head], g[head + 1], g[head + 2]
    g[h], g[h + 1], g[h + 2] = a, b, c
    for i in range(out.shape[0]):
        out[i] = 0
    if g[H_MODE] == 1 and c == 0 and g[H_ASK] != 2 and np.int64(tries[2]) > g[H_NARROW]:
        own = find_own(g, tries, a)
        if REFUSED > own >= LEFT_OVER:
            return own
        ended = lex_won(g, a)
        t, u = _tables_of(g, a, own)
        if t == 0 or u == 0:
            return BUILD_TABLE
        if t > 0 and u > 0:
            if own < 0:
                for i in range(1 - own, 1 - own + g[-own]):
                    out[g[i] >> 5] |= np.int32(1) << np.int32(g[i] & 31)
            for number in (t, u):
                if number != NO_TABLE:
                    code = _add_table(
                        g, number - 1, b, ended, tables, info, groups, ids, signatures, work, out
                    )
                    if code < 0:
                        return code
            return BUILD_RULES if g[X_NOTES_N] > 0 else 0
    code = walk_trie(g, tries, slots, visits, tables, info, ids, out)
    if code < 0:
        return code
    return BUILD_RULES if g[X_NOTES_N] > 0 else 0


@jit
def _tables_of(g, q, own):
    """The tables, numbered from 1, of ``q``'s own tokens and of those that end the lexeme at once.

    0 for one that is to be made, for X_WANT; -1 when there can be none; NO_TABLE where none is needed.
    """
    dead = g[q + R_KEY + (g[q] >> 8) + L_DEAD]
    t = g[own + R_KEY + (g[own] >> 8) + L_TABLE] if own > 0 else NO_TABLE
    u = g[dead + R_KEY + 4] if lex_won(g, q) != 0 else NO_TABLE
    g[X_WANT] = own if t == 0 else dead
    return t, u


@jit
def _add_table(g, t, parser, ended, tables, info, groups, ids, signatures, work, out):
    """Set the tokens of table ``t`` that ``parser`` takes, in a lexeme that may be one of ``ended``."""
    at = t * V_WORDS
    info[V_USED] += 1
    info[at + V_USED] = info[V_USED]
    if info[at + V_STAYS] != 0:
        add_row(out, tables[info[at + V_ROW]])
    if info[at + V_OWN] == 0:
        return 0
    return add_groups(
        g, parser, ended, groups, ids, info[at + V_OWN], info[V_GENERATION], signatures, work, out
    )


@jit
def _intern_row(g, rows, row):
    """The number of a mask row that is as ``rows[row]``, the first one not in use; or a code.

    Most masks are like one that was made before, and a row that is used again costs no new memory.
    """
    h = U64(0)
    for i in range(rows.shape[1]):
        h += U64(rows[row, i] & 0xFFFFFFFF) * U64((i * 0x9E3779B1 & 0xFFFFFFFF) | 1)
    key = g[X_TMP]
    g[key] = np.int64(h >> U64(1))
    at = intern(g, key, 1, K_ROW, 1)
    if at < 0:
        return at
    known = g[at + R_KEY + 1] - 1
    if known >= 0:
        other = 0
        for i in range(rows.shape[1]):
            other |= rows[known, i] ^ rows[row, i]
        if other == 0:
            return known
    else:
        g[at + R_KEY + 1] = row + 1
    g[H_ROWS] = row + 1
    return row


@jit
def make_mask(
    g,
    tries,
    slots,
    visits,
    tables,
    info,
    groups,
    ids,
    signatures,
    work,
    rows,
    stops,
    everything,
    aliases,
    specials,
    state,
):
    """Make the mask of ``state`` in ``rows`` and note it; 0, or a code. Of a state below zero, nothing.

    stops, everything : int32[words], the stop tokens, all ids
    aliases : int32[n, 2], (token walked, token with the same bytes)
    specials : int64[n, 2], (special token, symbol)
    """
    if state < 0:
        return 0
    n = g[state] >> 8
    if g[state + R_KEY + n] != 0:  # made by another thread, and perhaps being read: its place stays
        return 0
    yes = is_accepting(g, state)
    if yes < 0:
        return yes
    words = rows.shape[1]
    tmp = g[X_TMP]
    if g[H_ROWS] + n // 3 + 1 > rows.shape[0]:
        g[X_WANT] = n // 3 + 1
        return GROW_ROWS
    if n > 3:
        # Several heads: each has a mask of its own, which other states share.
        for i in range(0, n, 3):
            for j in range(3):
                g[tmp + j] = g[state + R_KEY + i + j]
            at = intern(g, tmp, 3, K_HEAD, 2)
            if at < 0:
                return at
            if g[at + 5] == 0:
                head, row = at + R_KEY, g[H_ROWS]
                code = head_mask(
                    g, tries, slots, visits, tables, info, groups, ids, signatures, work, head, rows[row]
                )
                if code < 0:
                    return code
                row = _intern_row(g, rows, row)
                if row < 0:
                    return row
                g[at + 5] = row + 1
    row = g[H_ROWS]
    if n == 3:
        code = head_mask(
            g, tries, slots, visits, tables, info, groups, ids, signatures, work, state + R_KEY, rows[row]
        )
        if code < 0:
            return code
    else:
        for w in range(words):
            rows[row, w] = 0
        for i in range(0, n, 3):
            for j in range(3):
                g[tmp + j] = g[state + R_KEY + i + j]
            at = intern(g, tmp, 3, K_HEAD, 2)
            add_row(rows[row], rows[g[at + 5] - 1])
    for i in range(aliases.shape[0]):
        t = np.int64(aliases[i, 0])
        if (rows[row, t >> 5] >> (t & 31)) & 1:
            u = np.int64(aliases[i, 1])
            rows[row, u >> 5] |= np.int32(1) << np.int32(u & 31)
    for i in range(specials.shape[0]):
        to = accept_symbol(g, state, specials[i, 1], False)
        if to < REFUSED:
            return to
        if to != REFUSED:
            t = specials[i, 0]
            rows[row, t >> 5] |= np.int32(1) << np.int32(t & 31)
    if yes:
        add_row(rows[row], stops)
    full = 1
    for w in range(words):
        if rows[row, w] != everything[w]:
            full = 0
            break
    row = _intern_row(g, rows, row)
    if row < 0:
        return row
    g[state + R_KEY + n + 2] = full
    g[state + R_KEY + n] = row + 1
    return 0


@jit
def fill(g, rows, state, out, index):
    """Copy the memoised mask of ``state`` into ``out[index]``.

    0 when there is none yet, 1 when it is done, 2 when it is done and every token is allowed; REFUSED when
    there is no such row. Only reads.
    """
    if not 0 <= index < out.shape[0]:
        return REFUSED
    at = state + R_KEY + (g[state] >> 8)
    row = g[at]
    if row == 0 or row > rows.shape[0]:  # a row made by another thread since the caller took ``rows``
        return 0
    words = rows.shape[1]
    for i in range(words):
        out[index, i] = rows[row - 1, i]
    for i in range(words, out.shape[1]):
        out[index, i] = 0
    return 1 + g[at + 2]


@jit
def fill_rows(g, rows, states, indices, out):
    """`fill` for many states at once: ``states[i]`` into ``out[indices[i]]``. Masks not yet made are counted.

    states, indices : int64[n]; those without a mask are moved to the front of both.
    """
    missing = 0
    for i in range(states.shape[0]):
        if fill(g, rows, states[i], out, indices[i]) == 0:
            states[missing] = states[i]
            indices[missing] = indices[i]
            missing += 1
    return missing
