"""What the top of a stack takes of a list of signatures.

It is found once, with what is *left over*: lists that follow terminals after which a reading may leave the
top.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .lexer import is_ignored
from .parser import may_end, pop
from .records import each_once, in_set, intern_at_top, intern_pair
from .shifts import enqueue_heads, shift
from .splits import known_split, split_of
from .tops import top_of

ONCE = 1 << 11  # blocks; more are looked through for some that are there twice


@jit
def _leaves_top(g, parser):
    """1 when a reading of ``parser`` may go on in what was cut off, 0 when none may, or a code."""
    n = g[parser] >> 8
    value = parser + R_KEY + n + P_LEAVES
    if g[value] != 0:
        return g[value] - 1
    q = g[X_QUEUE]
    queued = enqueue_heads(g, parser)
    if queued < 0:
        return queued
    yes = 0
    done = 0
    while done < queued and yes == 0:
        s, r, stack = g[q + 3 * done], g[q + 3 * done + 1], g[q + 3 * done + 2]
        done += 1
        if stack != 0 and may_end(g, s, r):
            for i in range(stack + R_KEY, stack + R_KEY + (g[stack] >> 8), 3):
                if g[i] == 0 and g[i + 1] == CUT:
                    yes = 1
            queued = pop(g, queued, stack)
            if queued < 0:
                return queued
    g[value] = 1 + yes
    return yes


@jit
def taking_of(g, listed, parser):
    """The record of what the top of ``parser`` takes of a list, or a code."""
    top = top_of(g, parser)
    if top < 0:
        return top
    return intern_pair(g, listed, top, K_TAKEN, TAKEN_VALUES)


@jit
def _step_in_top(g, parser, t, way):
    """The parser state after terminal ``t``, as far as a top knows; 0 none; LEFT_OVER; or a code.

    way : 0 when the terminal is ignored, 1 when it is shifted
    """
    if way == 0:
        return parser if is_ignored(g, t) else 0
    if g[H_INDENT] != 0:
        depth = g[g[parser + R_KEY] + R_KEY]
        if t == g[g[H_INDENT] + I_NEWLINE]:
            if depth <= 0:
                return LEFT_OVER  # what it brings along may leave any number of blocks
        elif depth == 1 and in_set(g, g[g[H_INDENT] + I_CLOSING], t):
            return LEFT_OVER  # whether that was the last bracket, the top does not know
    after = shift(g, parser, t)
    if after <= 0:
        return after
    leaves = _leaves_top(g, after)
    return after if leaves == 0 else LEFT_OVER if leaves > 0 else leaves


@jit
def _new_step(g, before, t, column, work):
    """The place of a step in ``work``, or a code."""
    at = work[0]
    if at + 4 >= work.shape[0] // 4:
        return GROW_WORK
    work[at], work[at + 1], work[at + 2] = before, t, column
    work[0] = at + 3
    return at


@jit
def _follow_step(g, parser, t, column, way, before, listed, todo, room, work):
    """Note what comes of ``listed`` after one step more.

    Answers ``todo``, or one more where a record is to be made, which lies there; or a code.
    """
    quarter = work.shape[0] // 4
    to = LEFT_OVER if parser == LEFT_OVER else _step_in_top(g, parser, t, way)
    if to == 0:
        return todo
    if to < 0 and to != LEFT_OVER:
        return to
    last = before if way == 0 else _new_step(g, before, t, column, work)
    if last < 0:
        return last
    if to == LEFT_OVER:
        at = 2 * quarter
        if work[at] + 4 >= quarter:
            return GROW_WORK
        work[at + 1 + work[at]], work[at + 2 + work[at]] = last, listed
        work[at] += 2
        return todo
    made = taking_of(g, listed, to)
    if made < 0:
        return made
    if g[made + R_KEY + 2] == 0:
        split = known_split(g, listed, g[made + R_KEY + 1])
        if split < 0:
            return split
        if split == 0 or g[split] != 0:
            if todo >= room:
                return GROW_SCRATCH
            g[todo] = made
            return todo + 1
        g[made + R_KEY + 2] = split  # most lists go on with nothing
    at = quarter
    if work[at] + 5 >= quarter:
        return GROW_WORK
    item = at + 1 + work[at]
    work[item], work[item + 1], work[item + 2] = to, made, last
    work[at] += 3
    return todo


@jit
def _follow_split(g, split, top, todo, room, work):
    """Follow what a split of ``top`` goes on with, as far as the top knows.

    Answers ``todo``, more where records are to be made before this is complete, which lie there; or a code.
    In ``work`` are then, in quarters, each after its number of words: steps (step before, terminal, column);
    what is to be followed; what is left over (last step, list); where what is taken lies.
    """
    quarter = work.shape[0] // 4
    steps, items, left, taken = 0, quarter, 2 * quarter, 3 * quarter
    if quarter < 64:
        return GROW_WORK
    work[steps], work[items], work[left], work[taken] = 1, 0, 0, 0
    at = split + 2 + g[split + 1]
    for child in range(at, at + 3 * g[split], 3):
        for way in range(2):
            todo = _follow_step(g, top, g[child], g[child + 1], way, 0, g[child + 2], todo, room, work)
            if todo < 0:
                return todo
    while work[items] > 0:
        work[items] -= 3
        item = items + 1 + work[items]
        parser, made, before = work[item], work[item + 1], work[item + 2]
        at = g[made + R_KEY + 2]
        if work[taken] + 2 >= quarter:
            return GROW_WORK
        work[taken] += 1
        work[taken + work[taken]] = at
        more = g[at]
        at += 2 + g[at + 1]
        for _ in range(more):
            n, listed = g[at], g[at + 1]
            at += 2
            after, last = parser, before
            for i in range(at, at + 2 * n, 2):
                if i == at + 2 * n - 2:
                    todo = _follow_step(g, after, g[i], g[i + 1], 1, last, listed, todo, room, work)
                    if todo < 0:
                        return todo
                    break
                to = _step_in_top(g, after, g[i], 1) if after != LEFT_OVER else LEFT_OVER
                if to == 0:
                    break
                if to < 0 and to != LEFT_OVER:
                    return to
                after = to
                last = _new_step(g, last, g[i], g[i + 1], work)
                if last < 0:
                    return last
            at += 2 * n
    return todo


@jit
def _write_taken(g, split, work):
    """Write what `_follow_split` has found; where it lies, or a code."""
    left, places = 2 * (work.shape[0] // 4), 3 * (work.shape[0] // 4)
    taken = g[split + 1]
    for i in range(places + 1, places + 1 + work[places]):
        taken += g[work[i] + 1]
    size = 2 + taken
    for i in range(left + 1, left + 1 + work[left], 2):
        size += 2
        step = work[i]
        while step != 0:
            size += 2
            step = work[step]
    made = g[H_TOP] + R_KEY
    if made + size > g[H_LIMIT]:
        return GROW_HEAP
    to = made + 2
    for i in range(places, places + 1 + work[places]):
        at = split if i == places else work[i]
        for k in range(at + 2, at + 2 + g[at + 1]):
            g[to] = g[k]
            to += 1
    if taken > ONCE:  # some perhaps in more than one way
        once = each_once(g, made + 2, taken)
        to -= taken - once
        size -= taken - once
        taken = once
    g[made], g[made + 1] = work[left] // 2, taken
    for i in range(left + 1, left + 1 + work[left], 2):
        n = 0
        step = work[i]
        while step != 0:
            n += 1
            step = work[step]
        g[to], g[to + 1] = n, work[i + 1]
        to += 2 + 2 * n
        step = work[i]
        at = to
        while step != 0:
            at -= 2
            g[at], g[at + 1] = work[step + 1], work[step + 2]
            step = work[step]
    return intern_at_top(g, size, K_WORDS)


@jit
def find_taken(g, taking, pairs, signatures, work):
    """Find out what a top takes of a list; ``pairs`` of scratch are in use. 0 or a code.

    taken : n left over, n taken | blocks taken, in no order, then for each that is left over: n steps, list,
        (terminal, column) * n
    """
    todo = g[X_HEADS] + 2 * pairs
    room = g[X_HEADS] + 3 * (g[X_HEADS_CAP] // 2) - 8
    g[todo] = taking
    n = 1
    while n > 0:
        if todo + n >= room:
            return GROW_SCRATCH
        made = g[todo + n - 1]
        if g[made + R_KEY + 2] != 0:
            n -= 1
            continue
        listed, top = g[made + R_KEY], g[made + R_KEY + 1]
        split = split_of(g, listed, top, signatures, work)
        if split < 0:
            return split
        if g[split] == 0:  # most lists go on with nothing
            g[made + R_KEY + 2] = split
            n -= 1
            continue
        missing = _follow_split(g, split, top, todo + n, room, work)
        if missing < 0:
            return missing
        if missing == todo + n:
            at = _write_taken(g, split, work)
            if at < 0:
                return at
            g[made + R_KEY + 2] = at
            n -= 1
        else:
            n = missing - todo
    return 0
