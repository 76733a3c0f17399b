"""Token groups in a mask (discipline ``longest``).

What the top of the stack takes of a list of signatures is known (`tops`); what it leaves over is asked of
the parser state itself. So a mask costs some shifts, however many terminals the tokens hold. The tokens of
what is taken are looked up in the groups of the lexer state, once for each set that is taken of them.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .lexer import is_ignored
from .margins import at_column, column_after, without_column
from .records import add_row, first_slot, intern_at_top, intern_pair
from .shifts import shift, shift_in_block, shift_line, shift_newline
from .splits import ENTRY_WORDS, joined_list
from .takings import find_taken, taking_of

# The tokens of a group in a word: first id << SIZE_BITS | number of ids, or token << SIZE_BITS | ALONE.
SIZE_BITS = 24
ALONE = (1 << SIZE_BITS) - 1


@jit
def _add_tokens(g, at, out):
    """Set the tokens at ``g[at]``, see `_tokens_of`."""
    n = g[at]
    at += 1
    if n < 0:
        half = out.shape[0] // 2
        add_row(out[: 2 * half].view(np.int64), g[at : at + half])
        if out.shape[0] & 1:
            out[2 * half] |= np.int32(g[at + half] & 0xFFFFFFFF)
    else:
        for i in range(at, at + n):
            t = g[i]
            out[t >> 5] |= np.int32(1) << np.int32(t & 31)


@jit
def _group_with(g, index, signature):
    """The tokens of the group with ``signature``, of which there is one; see `_groups_at`."""
    mask = g[index] - 1
    slot = first_slot(signature, mask)
    while g[index + 1 + 2 * slot] != signature or g[index + 2 + 2 * slot] == 0:
        slot = (slot + 1) & mask
    return g[index + 2 + 2 * slot]


@jit
def _set_token(g, row, token):
    """Set a token in the mask row at ``g[row]``."""
    g[row + (token >> 6)] |= 1 << (token & 63)
    return 0


@jit
def _tokens_of(g, record, taken, ids, half, work):
    """Where the tokens lie of what is ``taken`` of the groups of a record; or a code.

    tokens : their number | tokens; or -1 | a mask row in ``half`` words, two of its own in each
    """
    known = intern_pair(g, record, taken, K_TOKENS, 1)
    if known < 0 or g[known + R_KEY + 2] != 0:
        return known if known < 0 else g[known + R_KEY + 2]
    if work.shape[0] < half:
        return GROW_WORK
    index = g[record + R_KEY + 3]
    n, row = 0, 0  # tokens, in ``work`` until they are so many that a row is begun
    for i in range(taken + 2, taken + 2 + g[taken + 1]):
        block = g[i]
        entries = range(g[block + 2], g[block + 2] + ENTRY_WORDS * g[block + 1], ENTRY_WORDS)
        if g[block + 4] != record:
            g[block + 4] = record
            for k in entries:
                g[k + 2] = _group_with(g, index, g[k + 1])
        for k in entries:
            first, size = g[k + 2] >> SIZE_BITS, g[k + 2] & ALONE
            alone = size == ALONE
            if alone:
                size = 1
            if row == 0 and n + size > half:
                row = g[H_TOP] + 1
                if row + half > g[H_LIMIT]:
                    return GROW_HEAP
                g[row - 1] = -1
                g[H_TOP] = row + half
                for m in range(n):
                    _set_token(g, row, work[m])
            if row == 0 and alone:
                work[n] = first
            elif row == 0:
                for m in range(size):
                    work[n + m] = ids[first + m]
            elif alone:
                _set_token(g, row, first)
            elif size > half:  # has a row of its own
                other = _row_of_group(g, record, first, size, ids, half)
                if other < 0:
                    return other
                add_row(g[row : row + half], g[other : other + half])
            else:
                for m in range(first, first + size):
                    _set_token(g, row, np.int64(ids[m]))
            n += size
    at = row - 1
    if row == 0:
        at = g[H_TOP]
        if at + 1 + n > g[H_LIMIT]:
            return GROW_HEAP
        g[at] = n
        for m in range(n):
            g[at + 1 + m] = work[m]
        g[H_TOP] = at + 1 + n
    g[known + R_KEY + 2] = at
    return at


@jit
def _row_of_group(g, record, first, size, ids, half):
    """Where the mask row of a group of a record lies; or a code."""
    known = intern_pair(g, record, -first, K_TOKENS, 1)  # nothing taken lies there
    if known < 0 or g[known + R_KEY + 2] != 0:
        return known if known < 0 else g[known + R_KEY + 2]
    at = g[H_TOP]
    if at + half > g[H_LIMIT]:
        return GROW_HEAP
    word, bits = np.int64(0), np.int64(0)
    for k in range(first, first + size):  # tokens rise
        t = np.int64(ids[k])
        if t >> 6 != word:
            g[at + word] |= bits
            word, bits = t >> 6, np.int64(0)
        bits |= np.int64(1) << (t & 63)
    g[at + word] |= bits
    g[H_TOP] = at + half
    g[known + R_KEY + 2] = at
    return at


@jit
def _shift_left_over(g, parser, t, column):
    """The parser state after terminal ``t``, which begins a line at ``column`` if it is the newline.

    0 where it cannot come, or a code.
    """
    if g[H_INDENT] == 0 or t != g[g[H_INDENT] + I_NEWLINE] or g[g[parser + R_KEY] + R_KEY] > 0:
        return shift(g, parser, t)
    parser = without_column(g, parser)
    if parser < 0:
        return parser
    if column != NO_COLUMN:  # most columns cannot come, and that is seen quickly
        columns = g[g[parser + R_KEY] + R_KEY + 2]
        if column >> COLUMN_SHIFT > g[columns + R_KEY] >> COLUMN_SHIFT:
            to = shift_newline(g, parser)
            if to > 0:
                to = shift_in_block(g, to, g[g[H_INDENT] + I_INDENT])
            if to <= 0:
                return to
        else:
            while columns != 0 and g[columns + R_KEY] != column:
                columns = g[columns + R_KEY + 1]
            if columns == 0:
                return 0
    return shift_line(g, parser, column)


@jit
def _enter_pair(g, first, end, listed, parser):
    """Enter a pair among those at ``g[first : end]``, which rise by their parser states; the new end."""
    at = end
    while at > first and (g[at - 1], g[at - 2]) > (parser, listed):
        at -= 2
    if at > first and (g[at - 1], g[at - 2]) == (parser, listed):
        return end
    for i in range(end - 1, at - 1, -1):
        g[i + 2] = g[i]
    g[at], g[at + 1] = listed, parser
    return end + 2


@jit
def _merge_pairs(g, first, end):
    """Make the lists of pairs with the same parser state one; the new end, or a code."""
    to = first
    key = g[X_TMP]
    while first < end:
        parser = g[first + 1]
        n = 0
        while first < end and g[first + 1] == parser:
            if n >= g[X_TMP_CAP]:
                return GROW_SCRATCH
            g[key + n] = g[first]
            n += 1
            first += 2
        listed = joined_list(g, n)
        if listed < 0:
            return listed
        g[to], g[to + 1] = listed, parser
        to += 2
    return to


@jit
def _add_lists(g, top, record, ids, signatures, work, out):
    """Set the tokens of a record's groups that ``top`` (list, parser state) pairs in scratch take."""
    stack = g[X_HEADS]
    room = stack + 3 * (g[X_HEADS_CAP] // 2) - 8
    half = (out.shape[0] + 1) // 2
    end = stack + 2 * top
    while end > stack:
        end -= 2
        parser = g[end + 1]
        taking = taking_of(g, g[end], parser)
        if taking < 0:
            return taking
        if g[taking + R_KEY + 2] == 0:
            code = find_taken(g, taking, (end - stack) // 2, signatures, work)
            if code < 0:
                return code
        at = g[taking + R_KEY + 2]
        left, taken = g[at], g[at + 1]
        if taken > 0:
            tokens = g[taking + R_KEY + 4]
            if g[taking + R_KEY + 3] != record:
                tokens = _tokens_of(g, record, at, ids, half, work)
                if tokens < 0:
                    return tokens
                g[taking + R_KEY + 3], g[taking + R_KEY + 4] = record, tokens
            _add_tokens(g, tokens, out)
        at += 2 + taken
        first = end
        for _ in range(left):
            steps, listed = g[at], g[at + 1]
            at += 2
            after = parser
            for i in range(at, at + 2 * steps, 2):
                after = _shift_left_over(g, after, g[i], g[i + 1])
                if after <= 0:
                    break
            at += 2 * steps
            if after < 0:
                return after
            if after > 0:
                if end >= room:
                    return GROW_SCRATCH
                end = _enter_pair(g, first, end, listed, after)
        end = _merge_pairs(g, first, end)
        if end < 0:
            return end
    return 0


@jit
def _groups_at(g, place, generation, groups, ids):
    """The record of the token groups at ``groups[place]``; or a code.

    index : slots, 2**k | (signature, tokens of its group, or 0) in each slot
    """
    record = intern_pair(g, generation, place, K_GROUPS, 2)
    if record < 0 or g[record + R_KEY + 2] != 0:
        return record
    n, at = groups[place], g[H_TOP] + R_KEY
    slots = 8
    while slots < 2 * n:
        slots *= 2
    if at + max(n, 1 + 2 * slots) > g[H_LIMIT]:
        return GROW_HEAP
    for i in range(n):
        g[at + i] = groups[place + 1 + 3 * i]
    listed = intern_at_top(g, n, K_SIGNATURES)
    if listed < 0:
        return listed
    index = g[H_TOP]
    if index + 1 + 2 * slots > g[H_LIMIT]:
        return GROW_HEAP
    g[index] = slots
    for i in range(place + 1, place + 1 + 3 * n, 3):
        slot = first_slot(groups[i], slots - 1)
        while g[index + 2 + 2 * slot] != 0:
            slot = (slot + 1) & (slots - 1)
        first, size = groups[i + 1], groups[i + 2]
        if size == 1:
            first, size = np.int64(ids[first]), ALONE
        g[index + 1 + 2 * slot], g[index + 2 + 2 * slot] = groups[i], first << SIZE_BITS | size
    g[H_TOP] = index + 1 + 2 * slots
    g[record + R_KEY + 3] = index
    g[record + R_KEY + 2] = listed - R_KEY
    return record


@jit
def add_groups(g, parser, ended, groups, ids, at, generation, signatures, work, out):
    """Set the tokens of the groups at ``groups[at]`` that ``parser`` takes. 0 or a code.

    groups : n runs | (n terminals, terminals, n effects, effects, n groups | (signature, first id, number of
        ids) * n) * n. The signatures rise. The terminals are those that the first lexeme may be, or where
        there are none those at ``ended`` (a record, or 0: it cannot end); the effects those of the bytes that
        end the lexeme on the column of its line.
    """
    runs = groups[at]
    at += 1
    stack = g[X_HEADS]
    for _ in range(runs):
        n = groups[at]
        effects = at + 1 + n
        many = effects + 1 + groups[effects]
        if n == 0 and ended == 0:
            at = many + 1 + 3 * groups[many]
            continue
        before = parser
        if groups[effects] > 0 and g[g[parser + R_KEY] + R_KEY] <= 0:
            column = g[g[parser + R_KEY] + R_KEY + 1]
            for j in range(effects + 1, many):
                column = column_after(column, groups[j], g[g[H_INDENT] + I_TAB])
            before = at_column(g, parser, column)
            if before < 0:
                return before
        record = _groups_at(g, many, generation, groups, ids)
        if record < 0:
            return record
        listed = g[record + R_KEY + 2]
        top = 0
        for j in range(n if n > 0 else g[ended] >> 8):
            t = groups[at + 1 + j] if n > 0 else g[ended + R_KEY + j]
            if is_ignored(g, t):
                after = without_column(g, parser)
                if after < 0:
                    return after
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
            after = shift(g, before, t)
            if after < 0:
                return after
            if after > 0:
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
        code = _add_lists(g, top, record, ids, signatures, work, out)
        if code < 0:
            return code
        at = many + 1 + 3 * groups[many]
    return 0
