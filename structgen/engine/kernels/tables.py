"""Vocabulary tables in a walk (discipline ``any``): which one serves, what of it is still to be walked."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .parameters import apply
from .parser import enqueue, pop, resolve
from .records import add_row

U64 = np.uint64


@jit
def _first_bytes(g, s, with_row, to):
    """Add to the set at ``to`` the bytes that a rule state reads by edges and calls, or also by its row."""
    e = s + STATE_WORDS
    for _ in range(g[s + S_EDGES]):
        for b in range(g[e] & 0xFFFF, min(g[e] >> 16, 255) + 1):
            g[to + (b >> 6)] |= 1 << (b & 63)
        e += EDGE_WORDS
    for _ in range(g[s + S_CALLS]):
        for w in range(4):
            g[to + w] |= g[g[e + C_FIRST] + w]
        e += CALL_WORDS
    if with_row and g[s + S_ROW] != 0:
        for b in range(256):
            if g[g[s + S_ROW] + ((g[g[s + S_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)] != 0:
                g[to + (b >> 6)] |= 1 << (b & 63)


@jit
def _add_first(g, s, to):
    """Add to the set at ``to`` the bytes that rule state ``s`` reads; it remembers them. 0 or GROW_HEAP."""
    at = g[s + S_FLAGS] >> FIRST_SHIFT
    if at == 0:
        at = g[H_TOP]
        if at + 4 > g[H_LIMIT]:
            return GROW_HEAP
        for w in range(4):
            g[at + w] = 0
        _first_bytes(g, s, True, at)
        g[H_TOP] = at + 4
        g[s + S_FLAGS] |= at << FIRST_SHIFT
    for w in range(4):
        g[to + w] |= g[at + w]
    return 0


@jit
def _follow(g, s, stack):
    """Set X_FOLLOW to the bytes that may come when the pattern that state ``s`` is in, or enters, is left.

    Guards are not asked: there may be a byte too many. 0, or a code.
    """
    for w in range(4):
        g[X_FOLLOW + w] = 0
    wide = g[s + S_WIDE]
    queued = 0
    if wide != s and g[wide + S_FLAGS] & FINAL:
        # The pattern may be over before it has begun: then `s` goes on by its own ways.
        _first_bytes(g, s, False, X_FOLLOW)
    if wide != s and g[s + S_FOLLOW] != 0:
        for w in range(4):
            g[X_FOLLOW + w] |= g[g[s + S_FOLLOW] + w]
    elif wide != s and g[s + S_PUSH] != 0:
        queued = enqueue(g, 0, g[s + S_PUSH], 0, stack)
    else:
        queued = pop(g, 0, stack)
    if queued >= 0 and wide != s and g[s + S_FLAGS] & FINAL:
        queued = pop(g, queued, stack)
    return queued if queued < 0 else _bytes_of(g, queued, X_FOLLOW)


@jit
def _bytes_of(g, queued, to):
    """Add to the set at ``to`` the bytes with which the heads in the work queue can go on. 0, or a code."""
    q = g[X_QUEUE]
    done = 0
    while done < queued:
        s = g[q + 3 * done]
        stack = g[q + 3 * done + 2]
        done += 1
        if g[s + S_FLAGS] & FORWARD:
            s = resolve(g, s)
            if s == 0:
                return BUILD_RULES
        code = _add_first(g, s, to)
        if code < 0:
            return code
        if g[s + S_FLAGS] & FINAL:
            queued = pop(g, queued, stack)
            if queued < 0:
                return queued
    return 0


@jit
def _key_hash(words, at):
    h = U64(0x9E3779B97F4A7C15)
    for i in range(KEY_WORDS):
        h = (h ^ U64(words[at + i])) * U64(0xFF51AFD7ED558CCD)
        h = h ^ (h >> U64(32))
    return np.int64((h * U64(0xC4CEB9FE1A85EC53)) >> U64(1))


@jit
def find_table(g, slots, info):
    """The vocabulary table with the key at X_KEY, or REFUSED."""
    mask = slots.shape[0] - 1
    slot = _key_hash(g, X_KEY) & mask
    while slots[slot] != 0:
        at = (slots[slot] - 1) * V_WORDS + V_KEY
        same = True
        for i in range(KEY_WORDS):
            if info[at + i] != g[X_KEY + i]:
                same = False
                break
        if same:
            return slots[slot] - 1
        slot = (slot + 1) & mask
    return REFUSED


@jit
def enter_table(slots, info, table):
    """Make a vocabulary table one that `find_table` finds."""
    mask = slots.shape[0] - 1
    slot = _key_hash(info, table * V_WORDS + V_KEY) & mask
    while slots[slot] != 0:
        slot = (slot + 1) & mask
    slots[slot] = table + 1


@jit
def _table_of(g, slots, visits, info, node, size, s, stack):
    """The vocabulary table for a head at a node of the trie with ``size`` below; REFUSED where a walk will
    do; or a code.

    A state of wide text gets the tables of large parts of the trie at once, all others are made when any
    grammar asks again: a walk costs no more than their making.
    """
    code = _follow(g, s, stack)
    if code < 0:
        return code
    wide = g[s + S_WIDE]
    source = g[wide + S_SOURCE]
    g[X_KEY] = node
    g[X_KEY + 1] = g[source + A_DIGEST]
    g[X_KEY + 2] = g[source + A_DIGEST + 1]
    g[X_KEY + 3] = (wide - g[source + A_FIRST]) // g[source + A_STRIDE]
    t = find_table(g, slots, info)
    if t >= 0:
        return t
    if size <= MEDIUM or not g[wide + S_FLAGS] & WIDE:
        visit = _key_hash(g, X_KEY)
        if visits[visit & (visits.shape[0] - 1)] != visit:
            visits[visit & (visits.shape[0] - 1)] = visit
            return REFUSED
    g[X_WANT] = wide
    return BUILD_TABLE


@jit
def _take_stays(g, tables, info, ids, t, s, r, out):
    """Set the tokens that stay in the pattern of table ``t``, as far as a count has room for them."""
    at = t * V_WORDS
    info[V_USED] += 1
    info[at + V_USED] = info[V_USED]
    counts = info[at + V_COUNTS]
    left = counts - 1
    if counts > 1:
        wide = g[s + S_WIDE]
        op = g[wide + S_COUNT_OP]
        if op != 0 and g[op + 1] >= 0:
            begun = r if wide == s else 0
            left = min(left, g[op + 1] - begun)
            if left < 0:
                return
    rows = info[at + V_ROWS]
    first = info[at + V_IDS]
    if rows > 0:
        # The last row has them all; those before it have the tokens of at most so many characters.
        row = info[at + V_ROW] + rows - 1
        if left < counts - 1:
            row = info[at + V_ROW] + min(left, rows - 2)
        add_row(out, tables[row])
        if rows - 2 < 0 or left >= counts - 1 or left <= rows - 2:
            return
    for k in range(first + counts, first + counts + ids[first + left]):
        token = np.int64(ids[k])
        out[token >> 5] |= np.int32(1) << np.int32(token & 31)


@jit
def nest_part(g, nested, at, i, end, base, depth, src, n):
    """What a walk has still to do: go on at node ``i`` of the trie at ``at``, up to node ``end``.

    base : depth of the trie's root; depth : where the heads of a depth are noted, to note heads
    ``src .. src+n-1`` there first, or 0. Of a table's trie, the first bytes in X_ONLY.
    """
    f = g[X_NEST] + NEST_WORDS * nested
    g[f], g[f + 1], g[f + 2], g[f + 3], g[f + 4], g[f + 5], g[f + 6] = at, i, end, base, depth, src, n
    for w in range(4):
        g[f + 7 + w] = g[X_ONLY + w]
    g[f + 11] = 0


@jit
def nest_children(g, tries, nested, i, end, base, src, n):
    """As `nest_part`: visit those children of node ``i`` that heads ``src .. src+n-1`` can go on with.

    The children lie far apart; their list (see `table_pool.with_children`) does not. 0 or a code.
    """
    f = g[X_NEST] + NEST_WORDS * nested
    kids = np.int64(tries[4 * np.int64(tries[2]) + i])
    g[f], g[f + 1], g[f + 2], g[f + 3] = -1, np.int64(tries[4 * i + 2]), end, base
    g[f + 4], g[f + 5] = kids + 1, kids + 1 + 2 * np.int64(tries[kids])
    g[f + 6], g[f + 7], g[f + 8], g[f + 9] = 0, 0, 0, 0
    queued = 0
    for k in range(n):
        h = g[X_HEADS] + 3 * (src + k)
        queued = enqueue(g, queued, g[h], g[h + 1], g[h + 2])
        if queued < 0:
            return queued
    return _bytes_of(g, queued, f + 6)


@jit
def _walked_alone(g, info, t, s, stack):
    """Set X_ONLY to the first bytes of those tokens that are walked from state ``s`` one by one.

    They are those that the table cannot treat by their endings, and those that an overlay reads by itself.
    1, or 0 when there are none; or a code.
    """
    for w in range(4):
        g[X_OWN + w] = info[t * V_WORDS + V_ALONE + w]
    if g[s + S_WIDE] != s:
        _first_bytes(g, s, False, X_OWN)
        if g[s + S_FLAGS] & FINAL:
            queued = pop(g, 0, stack)
            code = queued if queued < 0 else _bytes_of(g, queued, X_OWN)
            if code < 0:
                return code
    some = 0
    for w in range(4):
        g[X_ONLY + w] = g[X_OWN + w]
        if g[X_OWN + w] != 0:
            some = 1
    return some


@jit
def _nest_lists(g, info, nested, t, s, r):
    """Of the part of a walk at ``nested``: its tokens are lists, in which a pattern's count decides, too."""
    f = g[X_NEST] + NEST_WORDS * nested
    wide = g[s + S_WIDE]
    begun = r if wide == s else 0
    g[f + 11], g[f + 12], g[f + 13] = info[t * V_WORDS + V_LISTS], 0, 1 << 40
    op = g[wide + S_COUNT_OP]
    if op != 0:
        if g[op + 1] >= 0:
            g[f + 13] = g[op + 1] - begun
        if g[op] == OP_WITHIN:
            g[f + 12] = g[op + 3] - begun
            return
        enough = g[g[g[wide + S_SOURCE] + A_FIRST] + S_FINAL_OP]
        if enough != 0:
            g[f + 12] = g[enough + 1] - begun


@jit
def leave_pattern(g, src):
    """Behind head ``src``, in a pattern or entering one, the heads after it. Their number, or a code."""
    h = g[X_HEADS] + 3 * src
    s = g[h]
    if g[s + S_WIDE] == s:
        n = pop(g, 0, g[h + 2])
    else:
        r = g[h + 1]
        if g[s + S_ROW_OP] != 0:
            r = apply(g, g[s + S_ROW_OP], r)
            if r < 0:
                return 0 if r == REFUSED else r
        n = enqueue(g, 0, g[s + S_PUSH], r, g[h + 2])
    if n < 0:
        return n
    if src + n + 2 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for k in range(3 * n):
        g[h + 3 + k] = g[g[X_QUEUE] + k]
    return n


@jit
def add_list(g, ids, at, low, high, at_once, out):
    """Set the tokens of the list at ``ids[at]`` that begin ``low .. high`` characters, but those of X_ONLY.

    at_once : 0 to leave out those that leave the pattern with their first byte
    """
    for k in range(at + 1, at + 1 + 2 * np.int64(ids[at]), 2):
        said = np.int64(ids[k + 1])
        byte = said & 0xFF
        if (
            low <= said >> LIST_COUNT <= high
            and not (g[X_ONLY + (byte >> 6)] >> (byte & 63)) & 1
            and (at_once or not said & LIST_AT_ONCE)
        ):
            token = np.int64(ids[k])
            out[token >> 5] |= np.int32(1) << np.int32(token & 31)


@jit
def use_tables(g, tries, slots, visits, tables, info, ids, i, d, end, base, nested, out):
    """Let vocabulary tables stand in for node ``i`` of the vocabulary's trie and the heads noted at ``d``.

    The number of pending parts of the walk, which has to go on with the last of them; REFUSED when no head
    has a table; or a code.
    """
    src = g[d]
    n = g[d + 1]
    rest = n
    found = 0
    j = 0
    while j < rest:
        h = g[X_HEADS] + 3 * (src + j)
        s = g[h]
        t = REFUSED
        if g[s + S_WIDE] != 0 and (
            g[s + S_WIDE] == s or g[s + S_ROW_OP] == 0 or apply(g, g[s + S_ROW_OP], g[h + 1]) >= 0
        ):
            t = _table_of(g, slots, visits, info, i, np.int64(tries[4 * i + 2]) - i, s, g[h + 2])
            if t < REFUSED:
                return t
        if t < 0:
            j += 1
            continue
        _take_stays(g, tables, info, ids, t, s, g[h + 1], out)
        rest -= 1
        last = g[X_HEADS] + 3 * (src + rest)
        g[h], g[last] = g[last], g[h]
        g[h + 1], g[last + 1] = g[last + 1], g[h + 1]
        g[h + 2], g[last + 2] = g[last + 2], g[h + 2]
        leave = info[t * V_WORDS + V_LEAVE]
        if leave != 0:
            if nested + found + 2 >= g[X_NEST_CAP]:
                return GROW_SCRATCH
            inside = base + np.int64(tries[4 * i + 1])
            endings = info[t * V_WORDS + V_ENDINGS]
            if endings != 0 and g[s + S_WIDE] != s and g[s + S_PUSH] == 0:
                endings = 0  # the ends of the pattern lead on by themselves
            some = endings == 0
            for w in range(4):
                g[X_ONLY + w] = -1
            if endings != 0:
                code = _walked_alone(g, info, t, s, g[last + 2])
                if code < 0:
                    return code
                some = code == 1
                found += 1
                nest_part(
                    g, nested + found, endings, 1, np.int64(tries[endings + 2]), inside, d, src + rest, 1
                )
                _nest_lists(g, info, nested + found, t, s, g[last + 1])
            if some:
                found += 1
                nest_part(g, nested + found, leave, 1, np.int64(tries[leave + 2]), inside, d, src + rest, 1)
    if rest == n:
        return REFUSED
    # A walk writes over the heads behind its own, so the last go first; they were found first.
    for k in range(found // 2):
        a = g[X_NEST] + NEST_WORDS * (nested + 1 + k)
        b = g[X_NEST] + NEST_WORDS * (nested + found - k)
        for w in range(NEST_WORDS):
            g[a + w], g[b + w] = g[b + w], g[a + w]
    after = np.int64(tries[4 * i + 2])
    nest_part(g, nested, 0, after if rest == 0 else i + 1, end, base, d, src, rest)
    return nested + 1 + found
