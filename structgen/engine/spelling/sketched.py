"""The rules of a sketch, one at a time."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ...sketch import (
    ANY_OF,
    CHOICE,
    ENCLOSED,
    LISTED,
    MAPPED,
    NO_RULE,
    SK_BYTES,
    SK_EMPTY,
    SK_FIRST,
    SK_KIND,
    SK_LEAST,
    SK_MEMBERS,
    SK_MOST,
    SK_OTHERS,
    SM_BEGIN,
    SM_END,
    SM_MUST,
    SM_ORDER,
    SM_RULE,
    UNION,
)
from ..layout import *
from .keys import KEYS_OFFSETS
from .members import (
    B_COUNTS,
    B_FIRSTS,
    B_GAP,
    B_GAP_FIRST,
    B_KEYS,
    B_LEAST,
    B_MEMBERS,
    B_MOST,
    B_NEEDS,
    B_ORDERED,
    B_OTHERS,
    B_REST_TAIL,
    B_TAILS,
    B_UNIT,
    B_VALUES,
    write_members,
)
from .words import spell_words

# What `write_sketched` is told of all rules of a sketch.
(
    D_GAP,  # where the unit of the blanks lies, and its FIRST set
    D_GAP_FIRST,
    D_ENCLOSED,  # the FIRST sets of rules of kind ENCLOSED or MAPPED, LISTED and CHOICE
    D_LISTED,
    D_CHOICE,
    D_ORDERED,
    D_UNIT,  # the number of the unit of rule 0; those of others come after it
    D_BLOCK,  # of the other keys' automaton: its first state, words a state, class map, start
    D_STRIDE,
    D_CMAP,
    D_START,
    D_FOLLOW,  # the FIRST set of what comes after a key
    D_TAIL_STATES,  # how many states a tail and a list have
    D_LIST_STATES,
    D_STATES,  # counted up: states that were written
    D_SIZE,
) = range(16)
# Numbers that are added to the words of a list: where it lies, its unit, the unit of the blanks and its FIRST
# set, the same of an item, and the operations of a separator and of the end.
(
    LIST_PLACE,
    LIST_UNIT,
    LIST_GAP,
    LIST_GAP_FIRST,
    LIST_ITEM,
    LIST_ITEM_FIRST,
    LIST_SEPARATOR_OP,
    LIST_END_OP,
) = range(8)
ALIKE = 64  # so many values of members before one are looked through for an equal one


@jit
def add_state(g, rule, told):
    """A state of a rule, with nothing in it so far, at the end of the heap."""
    at = g[H_TOP]
    for k in range(STATE_WORDS):
        g[at + k] = 0
    g[at + S_RULE] = told[D_UNIT] + rule
    g[H_TOP] = at + STATE_WORDS
    return at


@jit
def place(g, rule, told, rules, places, common):
    """Give a rule a forward, if it has no place."""
    if rule >= 0 and places[rule, 0] == 0:
        at = add_state(g, rule, told)
        g[at + S_FLAGS] = FORWARD
        places[rule, 0] = at
        kind = rules[rule, SK_KIND]
        if kind == ENCLOSED or kind == MAPPED:
            places[rule, 1] = told[D_ENCLOSED]
            return
        if kind == LISTED or kind == CHOICE:
            places[rule, 1] = told[D_LISTED if kind == LISTED else D_CHOICE]
            return
        first = g[H_TOP]
        g[H_TOP] = first + g[H_SYMBOL_WORDS]
        for k in range(g[H_SYMBOL_WORDS]):
            g[first + k] = 0
        for called in range(common.shape[0]):
            if rules[rule, SK_OTHERS] >> called & 1:
                for k in range(g[H_SYMBOL_WORDS]):
                    g[first + k] |= g[common[called, 1] + k]
        places[rule, 1] = first


@jit
def callee_of(called, places, common):
    """Where the unit of a rule that is called lies, and its FIRST set."""
    if called >= 0:
        return places[called, 0], places[called, 1]
    return common[-1 - called, 0], common[-1 - called, 1]


@jit
def add_op(g, code, a, b):
    """An operation, at the end of the heap."""
    at = g[H_TOP]
    g[at], g[at + 1], g[at + 2], g[at + 3] = code, a, b, 0
    g[H_TOP] = at + OP_WORDS
    return at


@jit
def add_call(g, state, callee):
    """A call in last place for the state at the end of the heap, which has nothing but such calls."""
    call = g[H_TOP]
    for k in range(CALL_WORDS):
        g[call + k] = 0
    g[call + C_INIT], g[call + C_FIRST] = callee
    g[state + S_CALLS] += 1
    g[H_TOP] = call + CALL_WORDS


@jit
def write_union(g, rule, told, rules, common):
    """`write_sketched` for a rule of kind UNION: one state, which calls."""
    room = STATE_WORDS + CALL_WORDS * common.shape[0]
    if g[H_TOP] + room > g[H_LIMIT]:
        return -room
    at = add_state(g, rule, told)
    for called in range(common.shape[0]):
        if rules[rule, SK_OTHERS] >> called & 1:
            add_call(g, at, (common[called, 0], common[called, 1]))
    told[D_STATES] += 1
    return at


@jit
def write_any_of(g, rule, told, rules, members, places, common):
    """`write_sketched` for a rule of kind ANY_OF: one state, which calls."""
    first, n = rules[rule, SK_FIRST], rules[rule, SK_MEMBERS]
    room = STATE_WORDS + (CALL_WORDS + STATE_WORDS + g[H_SYMBOL_WORDS]) * n
    if g[H_TOP] + room > g[H_LIMIT]:
        return -room
    for i in range(first, first + n):
        place(g, members[i, SM_RULE], told, rules, places, common)
    at = add_state(g, rule, told)
    for i in range(first, first + n):
        called = members[i, SM_RULE]
        again = False
        for j in range(first, i):
            again = again or members[j, SM_RULE] == called
        if not again:
            add_call(g, at, callee_of(called, places, common))
    told[D_STATES] += 1
    return at


@jit
def put_keys(text, members, first, n, keys, offsets):
    """The keys of ``n`` members in order, one after the other, and where each begins and the last one ends.

    keys, offsets : uint8[*], int64[n + 1], written
    """
    end = 0
    for i in range(n):
        offsets[i] = end
        one = members[first + i, SM_ORDER]
        for k in range(members[one, SM_BEGIN], members[one, SM_END]):
            keys[end] = text[k]
            end += 1
    offsets[n] = end


@jit
def write_choice(g, rule, told, text, rules, members, keys, todo):
    """`write_sketched` for a rule of kind CHOICE."""
    first, n, size = rules[rule, SK_FIRST], rules[rule, SK_MEMBERS], rules[rule, SK_BYTES]
    room = (size + 2) * (STATE_WORDS + EDGE_WORDS)
    if g[H_TOP] + room > g[H_LIMIT]:
        return -room
    put_keys(text, members, first, n, keys, todo)
    told[D_STATES] += size + 2
    return spell_words(g, g[H_TOP], keys[:size], todo[: n + 1], told[D_UNIT] + rule, todo[n + 1 :])


@jit
def write_list(g, rule, told, rules, places, common, lists, list_numbers):
    """`write_sketched` for a rule of kind LISTED or MAPPED."""
    least, most, item = rules[rule, SK_LEAST], rules[rule, SK_MOST], rules[rule, SK_FIRST]
    which = (least == 0) + 2 * (rules[rule, SK_KIND] == MAPPED)
    size = lists.shape[1]
    room = size + STATE_WORDS + g[H_SYMBOL_WORDS] + 2 * OP_WORDS
    if g[H_TOP] + room > g[H_LIMIT]:
        return -room
    place(g, item, told, rules, places, common)
    called, begins = callee_of(item, places, common)
    # The parameter counts separators, of which there is one less than there are items.
    another = np.int64(0)
    enough = np.int64(0)
    if most >= 0 or least > 1:
        another = add_op(g, OP_INC, max(most, 0) - 1, max(most, least) - 1)
    if least > 1:
        enough = add_op(g, OP_AT_LEAST, least - 1, 0)
    at = g[H_TOP]
    # In the order of LIST_PLACE and its like.
    numbers = (at, told[D_UNIT] + rule, told[D_GAP], told[D_GAP_FIRST], called, begins, another, enough)
    for w in range(size):
        number = list_numbers[which, w]
        g[at + w] = lists[which, w] + (numbers[number] if number >= 0 else 0)
    g[H_TOP] = at + size
    told[D_STATES] += told[D_LIST_STATES]
    return at


@jit
def write_sketched(
    g, rule, told, text, rules, members, places, common, frames, tail, tail_numbers, lists, list_numbers,
    trans, classes, words, final, keys, todo,
):  # fmt: skip
    """Write a rule of a sketch behind all that is in the heap. Its first state; negative: so many words of
    room are needed.

    told : int64[D_SIZE]
    text, rules, members : the sketch
    places : int64[n, 2], where the unit of each rule lies and its FIRST set, or 0
    common : int64[*, 2], the same of the common rules
    frames : int64[2, *], the frame of members, where there must be something between the brackets, and where
        there may be nothing
    lists : int64[4, *], the words of a list, as above, then those of a map
    tail, tail_numbers, trans, classes, words, final : as `write_members` has them
    list_numbers : as ``lists``, which of a list's numbers (LIST_PLACE and its like) is added to each word, -1
        for none
    keys, todo : uint8[*], int64[*], scratch: as many bytes as the keys have; 5 words for each of them, 8 for
        each member, 50 and as many as there are states in a frame
    """
    if rules[rule, SK_KIND] == CHOICE:
        return write_choice(g, rule, told, text, rules, members, keys, todo)
    if rules[rule, SK_KIND] == UNION:
        return write_union(g, rule, told, rules, common)
    if rules[rule, SK_KIND] == ANY_OF:
        return write_any_of(g, rule, told, rules, members, places, common)
    if rules[rule, SK_KIND] == LISTED or rules[rule, SK_KIND] == MAPPED:
        return write_list(g, rule, told, rules, places, common, lists, list_numbers)
    first, n, others = rules[rule, SK_FIRST], rules[rule, SK_MEMBERS], rules[rule, SK_OTHERS]
    firsts = 0
    before = -1
    for i in range(first, first + n):
        byte = np.int64(text[members[members[i, SM_ORDER], SM_BEGIN]])
        firsts += byte != before
        before = byte
    # The sum of what `write_members` and `place` write.
    size = rules[rule, SK_BYTES]
    frame = frames[rules[rule, SK_EMPTY]]
    room = M_REQUIRED + n // 62 + 1 + n + 2 * (n + 1) + OP_WORDS * (n + 3)
    room += (size + 1) * (STATE_WORDS + EDGE_WORDS + OP_WORDS) + (n + 1) * (
        tail.shape[0] + STATE_WORDS + g[H_SYMBOL_WORDS]
    )
    room += frame.shape[0] * EDGE_WORDS + frame[0] * (STATE_WORDS + CALL_WORDS + EDGE_WORDS * firsts)
    if g[H_TOP] + room > g[H_LIMIT]:
        return -room
    info = todo
    info[B_UNIT], info[B_GAP], info[B_GAP_FIRST] = told[D_UNIT] + rule, told[D_GAP], told[D_GAP_FIRST]
    info[B_KEYS], info[B_MEMBERS], info[B_ORDERED], info[B_LEAST], info[B_MOST] = n, n, told[D_ORDERED], 0, -1
    info[B_OTHERS] = 1 if others != NO_RULE else 0
    info[B_COUNTS] = 1 if others != NO_RULE and told[D_ORDERED] else 0
    info[B_FIRSTS], info[B_NEEDS] = firsts, 0
    # A tail for each value, and which one that of a member is.
    tails = 0
    which = todo[7 * n + 32 : 8 * n + 40]
    for i in range(n + 1):
        called = members[first + i, SM_RULE] if i < n else others
        which[i] = -1
        if called == NO_RULE:
            continue
        place(g, called, told, rules, places, common)
        at, begins = callee_of(called, places, common)
        for t in range(tails - 1, max(tails - ALIKE, 0) - 1, -1):
            if info[B_VALUES + 2 * t] == at:
                which[i] = t
                break
        if which[i] < 0:
            which[i] = tails
            info[B_VALUES + 2 * tails], info[B_VALUES + 2 * tails + 1] = at, begins
            tails += 1
    info[B_TAILS], info[B_REST_TAIL] = tails, which[n]
    must = B_VALUES + 2 * tails
    for i in range(n):
        info[must + i] = members[first + i, SM_MUST]
    base = must + n
    for k in range(KEYS_OFFSETS):
        info[base + k] = 0
    if others != NO_RULE:
        info[base], info[base + 1], info[base + 2] = told[D_BLOCK], told[D_STRIDE], told[D_CMAP]
        info[base + 5], info[base + 7] = told[D_START], told[D_FOLLOW]
    info[base + 6] = told[D_UNIT] + rule
    offsets = base + KEYS_OFFSETS
    put_keys(text, members, first, n, keys, info[offsets : offsets + n + 1])
    for i in range(n):
        one = members[first + i, SM_ORDER]
        info[offsets + n + 1 + i] = which[one - first]
        info[offsets + 2 * n + 1 + i] = one - first
        info[offsets + 3 * n + 1 + i] = 0
    told[D_STATES] += size + frame[0] + tails * told[D_TAIL_STATES]
    scratch = todo[8 * n + 40 :]
    return write_members(
        g, g[H_TOP], info, frame, tail, tail_numbers, keys[:size], trans, classes, words, final, scratch
    )
