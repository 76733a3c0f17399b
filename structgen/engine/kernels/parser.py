"""The parser: heads (rule state, parameter, stack) after a symbol, with stacks merged and interned."""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .parameters import apply, apply_to
from .records import intern


@jit
def _push_frame(g, ret, r, below):
    """A stack with one frame more, in scratch: a number below zero; or 0 when scratch is full."""
    top = g[X_FRAMES_TOP]
    if top + 1 >= g[X_FRAMES_CAP]:
        return 0
    at = g[X_FRAMES] + 4 * top
    e = at
    for i in range(top - g[X_STEP]):  # two ways of one step may push the same frame: it must stay one
        e -= 4
        if g[e] == ret and g[e + 1] == r and g[e + 2] == below and g[e + 3] == 0:
            return -(top - 1 - i)
    g[at] = ret
    g[at + 1] = r
    g[at + 2] = below
    g[at + 3] = 0
    g[X_FRAMES_TOP] = top + 1
    return -top


@jit
def _add_entry(g, ret, r, below, chain):
    """Entry (ret, r, below) in front of the scratch stack ``chain`` (0: none) unless it is there."""
    at = chain
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        if g[e] == ret and g[e + 1] == r and g[e + 2] == below:
            return chain
        at = g[e + 3]
    top = g[X_FRAMES_TOP]
    if top + 1 >= g[X_FRAMES_CAP]:
        return GROW_SCRATCH
    e = g[X_FRAMES] + 4 * top
    g[e] = ret
    g[e + 1] = r
    g[e + 2] = below
    g[e + 3] = chain
    g[X_FRAMES_TOP] = top + 1
    return top


@jit
def _add_stack(g, stack, chain):
    """All entries of ``stack`` in front of the scratch stack ``chain``."""
    if stack == 0:
        return _add_entry(g, 0, 0, 0, chain)
    if stack > 0:
        n = g[stack] >> 8
        for i in range(0, n, 3):
            e = stack + R_KEY + i
            chain = _add_entry(g, g[e], g[e + 1], g[e + 2], chain)
            if chain < 0:
                return chain
        return chain
    at = -stack
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        chain = _add_entry(g, g[e], g[e + 1], g[e + 2], chain)
        if chain < 0:
            return chain
        at = g[e + 3]
    return chain


@jit
def _emit(g, base, count, s, r, stack):
    """Head (s, r, stack) into the list at ``base``; stacks of equal (s, r) are merged. The new count."""
    if count > 0:
        return _emit_more(g, base, count, s, r, stack)
    if base + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    h = g[X_HEADS] + 3 * base
    g[h] = s
    g[h + 1] = r
    g[h + 2] = stack
    return 1


@jit
def _emit_more(g, base, count, s, r, stack):
    for i in range(count):
        h = g[X_HEADS] + 3 * (base + i)
        if g[h] == s and g[h + 1] == r:
            if g[h + 2] == stack:
                return count
            # A scratch stack stays as it is under what comes in front of it; an interned one is copied.
            chain = -g[h + 2] if g[h + 2] < 0 else _add_stack(g, g[h + 2], 0)
            if chain < 0:
                return GROW_SCRATCH
            chain = _add_stack(g, stack, chain)
            if chain < 0:
                return GROW_SCRATCH
            g[h + 2] = -chain
            return count
    if base + count + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    if count >= g[H_MAX_HEADS]:
        return TOO_MANY_HEADS
    h = g[X_HEADS] + 3 * (base + count)
    g[h] = s
    g[h + 1] = r
    g[h + 2] = stack
    return count + 1


@jit
def enqueue(g, n, s, r, stack):
    """Item into the work queue unless it is there; the new length."""
    q = g[X_QUEUE]
    for i in range(n):
        if g[q + 3 * i] == s and g[q + 3 * i + 1] == r and g[q + 3 * i + 2] == stack:
            return n
    if n + 1 >= g[X_QUEUE_CAP]:
        return GROW_SCRATCH
    g[q + 3 * n] = s
    g[q + 3 * n + 1] = r
    g[q + 3 * n + 2] = stack
    return n + 1


@jit
def pop(g, n, stack):
    """Enqueue every (return state, parameter, stack below) of ``stack``; the new length of the queue."""
    if stack > 0:
        size = g[stack] >> 8
        for i in range(0, size, 3):
            e = stack + R_KEY + i
            if g[e] != 0:
                n = enqueue(g, n, g[e], g[e + 1], g[e + 2])
                if n < 0:
                    return n
    elif stack < 0:
        at = -stack
        while at != 0:
            e = g[X_FRAMES] + 4 * at
            if g[e] != 0:
                n = enqueue(g, n, g[e], g[e + 1], g[e + 2])
                if n < 0:
                    return n
            at = g[e + 3]
    return n


@jit
def _has_bottom(g, stack):
    """The empty stack is one of the stacks that ``stack`` stands for."""
    if stack == 0:
        return True
    if stack > 0:
        size = g[stack] >> 8
        for i in range(0, size, 3):
            if g[stack + R_KEY + i] == 0:
                return True
        return False
    at = -stack
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        if g[e] == 0:
            return True
        at = g[e + 3]
    return False


@jit
def resolve(g, s):
    """The state behind a forward, or 0 (and a note) when its rule is not built yet."""
    while g[s + S_FLAGS] & FORWARD:
        to = g[s + S_ROW]
        if to == 0:
            n = g[X_NOTES_N]
            if n < g[X_NOTES_CAP]:
                g[g[X_NOTES] + n] = s
                g[X_NOTES_N] = n + 1
            return 0
        s = to
    return s


@jit
def advance(g, src, n, symbol, dst):
    """Heads after ``symbol`` from heads ``src .. src+n-1``, written at ``dst``. Their number, or a code.

    A head reads the symbol by an edge, by a call whose FIRST set has it, or by ending its rule and reading it
    where the rule returns to. As long as there is one way to go on it is followed in place; when there are
    more, all go through a queue, in which none is entered twice.
    """
    queued = 0
    done = 0
    count = 0
    g[X_STEP] = g[X_FRAMES_TOP]
    h = g[X_HEADS] + 3 * src
    if n > 1:
        if n + 2 >= g[X_QUEUE_CAP]:
            return GROW_SCRATCH
        q = g[X_QUEUE]
        for i in range(3 * n):
            g[q + i] = g[h + i]
        queued = n
        done = 1
    s = g[h]
    r = g[h + 1]
    stack = g[h + 2]
    while True:
        flags = g[s + S_FLAGS]
        if flags & FORWARD:
            s = resolve(g, s)
            if s == 0:
                flags = 0
            else:
                flags = g[s + S_FLAGS]
        more = 0
        next_s = 0
        next_r = 0
        next_stack = 0
        if s != 0:
            e = s + STATE_WORDS
            hit = False
            for _ in range(g[s + S_EDGES]):
                span = g[e]
                if (span & 0xFFFF) <= symbol <= (span >> 16):
                    hit = True
                    r2 = r
                    if g[e + 2] != 0:
                        r2 = apply(g, g[e + 2], r)
                        if r2 < REFUSED:
                            return r2
                    if r2 >= 0:
                        count = _emit(g, dst, count, g[e + 1], r2, stack)
                        if count < 0:
                            return count
                e += EDGE_WORDS
            row = g[s + S_ROW]
            if row != 0 and not hit and symbol < 256:
                to = g[row + ((g[g[s + S_CMAP] + (symbol >> 3)] >> ((symbol & 7) << 3)) & 0xFF)]
                if to != 0:
                    r2 = r
                    if g[s + S_ROW_OP] != 0:
                        r2 = apply_to(g, g[s + S_ROW_OP], r, to)
                        if r2 < REFUSED:
                            return r2
                    if r2 >= 0:
                        below = stack
                        if g[s + S_PUSH] != 0:
                            below = _push_frame(g, g[s + S_PUSH], r2, stack)
                            if below == 0:
                                return GROW_SCRATCH
                            r2 = g[s + S_PARAM]
                        count = _emit(g, dst, count, to, r2, below)
                        if count < 0:
                            return count
            for _ in range(g[s + S_CALLS]):
                if (g[g[e + C_FIRST] + (symbol >> 6)] >> (symbol & 63)) & 1:
                    r2 = r
                    if g[e + C_OP] != 0:
                        r2 = apply(g, g[e + C_OP], r)
                        if r2 < REFUSED:
                            return r2
                    if r2 >= 0:
                        below = stack
                        if g[e + C_RET] != 0:
                            below = _push_frame(g, g[e + C_RET], r2, stack)
                            if below == 0:
                                return GROW_SCRATCH
                        more += 1
                        if more == 1:
                            next_s = g[e + C_INIT]
                            next_r = g[e + C_PARAM]
                            next_stack = below
                        else:
                            queued = enqueue(g, queued, g[e + C_INIT], g[e + C_PARAM], below)
                            if queued < 0:
                                return queued
                e += CALL_WORDS
            if (
                flags & FINAL
                and stack != 0
                and (g[s + S_FINAL_OP] == 0 or apply(g, g[s + S_FINAL_OP], r) >= 0)
            ):
                e = stack + R_KEY if stack > 0 else g[X_FRAMES] - 4 * stack
                if more == 0 and (g[stack] >> 8 == 3 if stack > 0 else g[e + 3] == 0):
                    if g[e] != 0:
                        more = 1
                        next_s = g[e]
                        next_r = g[e + 1]
                        next_stack = g[e + 2]
                else:
                    queued = pop(g, queued, stack)
                    if queued < 0:
                        return queued
        if more > 0:
            if queued == 0:
                s = next_s
                r = next_r
                stack = next_stack
                continue
            queued = enqueue(g, queued, next_s, next_r, next_stack)
            if queued < 0:
                return queued
        if done == queued:
            return count
        q = g[X_QUEUE] + 3 * done
        s = g[q]
        r = g[q + 1]
        stack = g[q + 2]
        done += 1


@jit
def may_end(g, s, r):
    """A rule may end in state ``s`` with parameter ``r``."""
    if s == 0 or not g[s + S_FLAGS] & FINAL:
        return False
    return g[s + S_FINAL_OP] == 0 or apply(g, g[s + S_FINAL_OP], r) >= 0


@jit
def complete(g, src, n):
    """1 when one of the heads ``src .. src+n-1`` may end the text, 0 when none may, or a code."""
    q = g[X_QUEUE]
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        g[q + 3 * i] = g[h]
        g[q + 3 * i + 1] = g[h + 1]
        g[q + 3 * i + 2] = g[h + 2]
        if i + 2 >= g[X_QUEUE_CAP]:
            return GROW_SCRATCH
    queued = n
    done = 0
    while done < queued:
        s = g[q + 3 * done]
        r = g[q + 3 * done + 1]
        stack = g[q + 3 * done + 2]
        done += 1
        # A rule that is called and not yet entered has read nothing and is never complete.
        if may_end(g, s, r):
            if _has_bottom(g, stack):
                return 1
            queued = pop(g, queued, stack)
            if queued < 0:
                return queued
    return 0


@jit
def insert_entry(g, n, a, b, c):
    """Enter (a, b, c) among the ``n`` sorted entries at ``g[X_TMP]``, where there is room; the new number.

    Entries are sorted, and each is there once, so that equal sets have equal keys.
    """
    tmp = g[X_TMP]
    j = n
    while j > 0:
        p = tmp + 3 * (j - 1)
        if (g[p], g[p + 1], g[p + 2]) <= (a, b, c):
            break
        j -= 1
    p = tmp + 3 * j
    if j > 0 and (g[p - 3], g[p - 2], g[p - 1]) == (a, b, c):
        return n
    for k in range(3 * n - 1, 3 * j - 1, -1):
        g[tmp + k + 3] = g[tmp + k]
    g[p], g[p + 1], g[p + 2] = a, b, c
    return n + 1


@jit
def _persist_stack(g, stack):
    """The interned form of a scratch stack whose parts below are interned already."""
    if stack >= 0:
        return stack
    n = 0
    at = -stack
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        if 3 * (n + 1) >= g[X_TMP_CAP]:
            return GROW_SCRATCH
        n = insert_entry(g, n, g[e], g[e + 1], g[e + 2])
        at = g[e + 3]
    return intern(g, g[X_TMP], 3 * n, K_FRAME, FRAME_VALUES)


@jit
def persist(g, src, n):
    """Intern the stacks of heads ``src .. src+n-1``, sort the heads. 0, or a code.

    A scratch frame lies only on frames made before it, so one pass upward over the frames in use is enough.
    """
    frames = g[X_FRAMES]
    top = g[X_FRAMES_TOP]
    marks = g[X_QUEUE]  # the queue is idle here: one mark a frame, then its interned form
    if top + 1 >= 3 * g[X_QUEUE_CAP]:
        return GROW_SCRATCH
    need = False
    for i in range(n):
        if g[g[X_HEADS] + 3 * (src + i) + 2] < 0:
            need = True
    if need:
        for i in range(top):
            g[marks + i] = 0
        for i in range(n):
            stack = g[g[X_HEADS] + 3 * (src + i) + 2]
            if stack < 0:
                g[marks - stack] = 1
        for i in range(top - 1, 0, -1):
            if g[marks + i] != 0:
                below = g[frames + 4 * i + 2]
                if below < 0:
                    g[marks - below] = 1
                if g[frames + 4 * i + 3] != 0 and g[marks + g[frames + 4 * i + 3]] == 0:
                    g[marks + g[frames + 4 * i + 3]] = (
                        2  # an entry of a longer chain: only its stack below counts
                    )
        for i in range(1, top):
            if g[marks + i] != 0:
                below = g[frames + 4 * i + 2]
                if below < 0:
                    g[frames + 4 * i + 2] = g[marks - below]
                if g[marks + i] == 1:
                    at = _persist_stack(g, -i)
                    if at < 0:
                        return at
                    g[marks + i] = at
        for i in range(n):
            h = g[X_HEADS] + 3 * (src + i)
            if g[h + 2] < 0:
                g[h + 2] = g[marks - g[h + 2]]
    return sort_heads(g, src, n)


@jit
def sort_heads(g, src, n):
    base = g[X_HEADS] + 3 * src
    for i in range(1, n):
        a, b, c = g[base + 3 * i], g[base + 3 * i + 1], g[base + 3 * i + 2]
        j = i
        while j > 0:
            p = base + 3 * (j - 1)
            if (g[p], g[p + 1], g[p + 2]) <= (a, b, c):
                break
            g[p + 3], g[p + 4], g[p + 5] = g[p], g[p + 1], g[p + 2]
            j -= 1
        p = base + 3 * j
        g[p], g[p + 1], g[p + 2] = a, b, c
    return 0
