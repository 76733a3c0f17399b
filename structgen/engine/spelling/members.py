"""Members between brackets: the frame around them, what follows keys, and the keys."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .keys import KEYS_OFFSETS, spell_keys

# A frame, as `rules.bracketed` makes one: number of states, the state after a member; then of each state the
# number of edges, the state behind the blanks that it may call (-1: none), whether the keys begin here, and
# whether the rule ends here; then its edges, each a byte, a state, and what it asks.
FRAME_MORE = 1  # a member can follow
FRAME_CLOSE = 2  # the members that must come have come

# What `write_members` is told, in the first words of ``info``.
(
    B_UNIT,
    B_GAP,  # where the unit of the blanks lies, and its FIRST set
    B_GAP_FIRST,
    B_KEYS,  # how many keys there are, and how many members that can be finished
    B_MEMBERS,
    B_ORDERED,
    B_LEAST,
    B_MOST,
    B_OTHERS,  # whether there are other keys, and whether they count
    B_COUNTS,
    B_TAILS,
    B_FIRSTS,  # how many bytes begin keys
    B_REST_TAIL,  # the tail of other keys of one kind, or -1; afterwards: where the first tail lies
    B_NEEDS,  # as M_NEEDS
    B_VALUES,  # from here on, of each tail: where its callee lies, and its FIRST set
) = range(15)


@jit
def write_members(g, at, info, frame, tail, tail_numbers, keys, trans, classes, words, final, todo):
    """Write a rule of members between brackets from heap offset ``at`` on. Its first state, or 0.

    0: a key begins another one. Else H_TOP is behind what was written.

    info : int64[*], B_UNIT and so on; then for each member whether it must come; then what `spell_keys`
        reads, with the tail for the state after a key, the member's number (-1: it never comes) for its
        operation
    frame : int64[*], see above
    tail, tail_numbers : int64[*], the words of a tail, and which of its numbers is added to each
    keys, trans, classes, words, todo : as `spell_keys` has them; ``todo`` is no smaller than the frame
    final : bool[states], the ends of the other keys' automaton
    """
    unit, gap, gap_first = info[B_UNIT], info[B_GAP], info[B_GAP_FIRST]
    n, alive = info[B_KEYS], info[B_MEMBERS]
    ordered, most, others, firsts = info[B_ORDERED], info[B_MOST], info[B_OTHERS], info[B_FIRSTS]
    tails = info[B_TAILS]
    must = B_VALUES + 2 * tails
    base = must + alive
    offsets = base + KEYS_OFFSETS
    targets = offsets + n + 1
    key_ops = targets + n
    spelled = key_ops + n
    for i in range(offsets, offsets + n - 1):
        size = info[i + 1] - info[i]
        same = info[i + 2] - info[i + 1] >= size
        for j in range(size):
            if not same:
                break
            same = keys[info[i] + j] == keys[info[i + 1] + j]
        if same:
            return 0
    # The member set.
    m = at
    set_words = max(1, (alive + 61) // 62)
    places = m + M_REQUIRED + set_words
    following = places + n
    later = following + alive + 1
    top = later + alive + 1
    for i in range(set_words):
        g[m + M_REQUIRED + i] = 0
    g[following + alive] = alive
    g[later + alive] = 0
    wanted = 0
    for k in range(alive - 1, -1, -1):
        g[following + k] = k if info[must + k] else g[following + k + 1]
        g[later + k] = g[later + k + 1] + info[must + k + 1] if k + 1 < alive else 0
        if info[must + k]:
            g[m + M_REQUIRED + k // 62] |= 1 << (k % 62)
            wanted += 1
    for i in range(n):
        g[places + i] = info[key_ops + i]
    g[m + M_N], g[m + M_ORDERED], g[m + M_MIN], g[m + M_MAX] = alive, ordered, info[B_LEAST], most
    g[m + M_REST], g[m + M_WIDE], g[m + M_WORDS] = others, 1 if alive > MARK_SHIFT else 0, set_words
    g[m + M_N_REQUIRED], g[m + M_PLACES], g[m + M_MARKS], g[m + M_NEEDS] = wanted, n, 0, info[B_NEEDS]
    any_time = 1 if others and most < 0 and not (ordered and wanted) else 0
    # Operations: those of the frame, that of other keys, one for each key.
    more = top
    close = more + OP_WORDS
    rest_op = close + OP_WORDS
    top = rest_op + OP_WORDS
    g[more], g[more + 1], g[more + 2], g[more + 3] = OP_ANY_OR_REST if others else OP_ANY_KEY, m, 0, n
    g[close], g[close + 1], g[close + 2], g[close + 3] = OP_CLOSE, m, 0, 0
    g[rest_op], g[rest_op + 1], g[rest_op + 2], g[rest_op + 3] = OP_REST, m, 0, 0
    for i in range(n):
        k = info[key_ops + i]
        g[top], g[top + 1], g[top + 2], g[top + 3] = OP_KEY if k >= 0 else OP_NEVER, m, max(k, 0), 0
        info[key_ops + i] = top
        top += OP_WORDS
    # The frame: first where its states lie, which is noted in ``todo``, then what they do.
    e = 2
    for i in range(frame[0]):
        todo[i] = top
        edges = frame[e] + (firsts if frame[e + 2] else 0)
        top += STATE_WORDS + EDGE_WORDS * edges + (CALL_WORDS if frame[e + 1] >= 0 else 0)
        e += 4 + 3 * frame[e]
    after = todo[frame[1]]
    e = 2
    for i in range(frame[0]):
        s = todo[i]
        for k in range(STATE_WORDS):
            g[s + k] = 0
        roots = firsts if frame[e + 2] else 0
        g[s + S_FLAGS] = FINAL if frame[e + 3] else 0
        g[s + S_EDGES] = frame[e] + roots
        g[s + S_RULE] = unit
        s += STATE_WORDS + EDGE_WORDS * roots
        for f in range(e + 4, e + 4 + 3 * frame[e], 3):
            g[s], g[s + 1], g[s + 2] = frame[f] | frame[f] << 16, todo[frame[f + 1]], 0
            if frame[f + 2] == FRAME_CLOSE:
                g[s + 2] = close
            elif frame[f + 2] == FRAME_MORE and not any_time:
                g[s + 2] = more
            s += EDGE_WORDS
        if frame[e + 1] >= 0:
            g[todo[i] + S_CALLS] = 1
            g[s + C_INIT], g[s + C_RET], g[s + C_PARAM] = gap, todo[frame[e + 1]], 0
            g[s + C_OP], g[s + C_FIRST], g[s + C_FLAGS] = 0, gap_first, 0
        e += 4 + 3 * frame[e]
    entry = todo[0]
    # What follows a key.
    first_tail = top
    for t in range(tails):
        for w in range(tail.shape[0]):
            number = tail_numbers[w]
            add = np.int64(0)
            if number == 0:
                add = first_tail + t * tail.shape[0]
            elif number == 1:
                add = unit
            elif number == 2:
                add = after
            elif number == 3:
                add = gap
            elif number == 4:
                add = gap_first
            elif number >= 5:
                add = info[B_VALUES + 2 * t + number - 5]
            g[top] = tail[w] + add
            top += 1
    # The keys.
    for i in range(n):
        t = info[targets + i]
        info[targets + i] = first_tail + t * tail.shape[0] if t >= 0 else after
        q = info[base + 5]
        for j in range(info[offsets + i], info[offsets + i + 1]):
            q = np.int64(trans[q, classes[keys[j]]]) if q else 0
        info[spelled + i] = 1 if final[q] else 0
    info[base + 3] = first_tail + info[B_REST_TAIL] * tail.shape[0] if info[B_REST_TAIL] >= 0 else 0
    info[B_REST_TAIL] = first_tail
    info[base + 4] = rest_op if info[B_COUNTS] else 0
    root = top
    g[H_TOP] = spell_keys(g, root, keys, info, base, n, m, any_time, trans, classes, words, todo)
    # Where the keys begin: as at the root of their trie.
    e = 2
    s = entry
    for _ in range(frame[0]):
        edges = frame[e]
        if frame[e + 2]:
            for k in range(EDGE_WORDS * firsts):
                g[s + STATE_WORDS + k] = g[root + STATE_WORDS + k]
            for k in (S_ROW, S_CMAP, S_PUSH, S_ROW_OP, S_FOLLOW):
                g[s + k] = g[root + k]
            if edges == 0 and g[s + S_CALLS] == 0:
                g[s + S_WIDE] = g[root + S_WIDE]
            edges += firsts
        s += STATE_WORDS + EDGE_WORDS * edges + CALL_WORDS * g[s + S_CALLS]
        e += 4 + 3 * frame[e]
    return entry
