"""Discipline ``longest``: heads (lexer state, parser state, watch) after a byte or another symbol."""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .lexer import class_of, is_barred, is_ignored, lex_step, lex_won
from .margins import in_line, without_column
from .parser import advance
from .records import intern, sorted_insert
from .shifts import candidates_of, last_line_complete, lines_complete, parse, parser_complete, shift


@jit
def watch_step(g, watch, cls):
    """The watch after a byte: its lexer states that live on; REFUSED when one completes (a longer match)."""
    n = g[watch] >> 8
    tmp = g[X_TMP] + g[X_TMP_CAP] // 2
    k = 0
    for i in range(n):
        q = lex_step(g, g[watch + R_KEY + i], cls)
        if q < 0:
            return q
        if q != 0:
            if lex_won(g, q) != 0:
                return REFUSED
            k = sorted_insert(g, tmp, k, q)
    if k == 0:
        return 0
    return intern(g, tmp, k, K_WATCH, 0)


@jit
def _watched(g, watch, q):
    """The watch with lexer state ``q`` besides (0: there is none yet), or a code."""
    tmp = g[X_TMP] + g[X_TMP_CAP] // 2
    k = 0
    if watch != 0:
        for j in range(g[watch] >> 8):
            g[tmp + k] = g[watch + R_KEY + j]
            k += 1
    k = sorted_insert(g, tmp, k, q)
    return intern(g, tmp, k, K_WATCH, 0)


@jit
def _emit_exact(g, base, count, a, b, c):
    """Head (a, b, c) into the list at ``base`` unless it is there, or can be known never to be finished."""
    for i in range(count):
        h = g[X_HEADS] + 3 * (base + i)
        if g[h] == a and g[h + 1] == b and g[h + 2] == c:
            return count
    if base + count + 1 >= g[X_HEADS_CAP] // 2:
        return GROW_SCRATCH
    if count >= g[H_MAX_HEADS]:
        return TOO_MANY_HEADS
    if g[H_ASK] > 1 or (g[H_ASK] == 1 and c != 0):
        tmp = g[X_TMP]
        g[tmp], g[tmp + 1], g[tmp + 2] = a, b, c
        at = intern(g, tmp, 3, K_HEAD, 2)
        if at < 0:
            return at
        if g[at + R_KEY + 4] == 0:
            g[X_ASKED] = at
            return FIND_OUT
        if g[at + R_KEY + 4] == 2:
            return count
    h = g[X_HEADS] + 3 * (base + count)
    g[h], g[h + 1], g[h + 2] = a, b, c
    return count + 1


@jit
def _begin_lexeme(g, dst, count, parser, watch, cls):
    """Emit the head that begins a lexeme after ``parser`` with a byte of class ``cls``, if one can."""
    start = candidates_of(g, parser)
    if start < 0:
        return start
    q = lex_step(g, start, cls)
    if q < 0:
        return q
    if q == 0 or is_barred(g, q):
        return count
    parser = in_line(g, parser, q, cls)
    if parser < 0:
        return parser
    return _emit_exact(g, dst, count, q, parser, watch)


@jit
def _advance_lexed(g, src, n, byte, dst):
    """As `advance` for discipline ``longest``: heads are (lexer state, parser state, watch)."""
    cls = class_of(g, byte)
    count = 0
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        q = g[h]
        parser = g[h + 1]
        watch = g[h + 2]
        if watch != 0:
            watch = watch_step(g, watch, cls)
            if watch == REFUSED:
                continue
            if watch < 0:
                return watch
        q2 = lex_step(g, q, cls)
        if q2 < 0:
            return q2
        won = lex_won(g, q)
        if won != 0 and (q2 == 0 or lex_won(g, q2) == 0):
            # The lexeme may end before this byte; if its scan goes on, it must not complete. Terminals that
            # win equally are different readings, each with candidates of its own.
            watch2 = watch
            if q2 != 0:
                watch2 = _watched(g, watch, q2)
                if watch2 < 0:
                    return watch2
            for j in range(g[won] >> 8):
                t = g[won + R_KEY + j]
                if is_ignored(g, t):
                    after = without_column(g, parser)
                    if after < 0:
                        return after
                    count = _begin_lexeme(g, dst, count, after, watch2, cls)
                    if count < 0:
                        return count
                after = shift(g, parser, t)
                if after < 0:
                    return after
                if after > 0:
                    count = _begin_lexeme(g, dst, count, after, watch2, cls)
                    if count < 0:
                        return count
        if q2 != 0 and not is_barred(g, q2):
            parser = in_line(g, parser, q2, cls)
            if parser < 0:
                return parser
            count = _emit_exact(g, dst, count, q2, parser, watch)
            if count < 0:
                return count
    return count


@jit
def _emit_symbol(g, dst, count, parser, symbol, silent, watch):
    """Emit the head at a lexeme's start after ``parser`` and ``symbol``, if that can be shifted."""
    after = parse(g, parser, symbol, g[parser + R_KEY]) if silent else shift(g, parser, symbol)
    if after < 0:
        return after
    if after == 0:
        return count
    start = candidates_of(g, after)
    if start < 0:
        return start
    return _emit_exact(g, dst, count, start, after, watch)


@jit
def advance_symbol(g, src, n, symbol, silent, dst):
    """As `step_heads` for what is no byte: a special token, or (``silent``) a mark between two bytes.

    A special token cuts whatever lexeme is read, so no scan threatens what was read before it. A mark leaves
    the text as it is: the scans go on, that of the lexeme that ends here included.
    """
    if g[H_MODE] == 0:
        return advance(g, src, n, symbol, dst)
    count = 0
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        q = g[h]
        parser = g[h + 1]
        watch = g[h + 2] if silent else 0
        if g[q + R_KEY] < 0:  # at a lexeme's start
            count = _emit_symbol(g, dst, count, parser, symbol, silent, watch)
            if count < 0:
                return count
            continue
        won = lex_won(g, q)
        if won == 0:
            continue
        if silent:
            watch = _watched(g, watch, q)
            if watch < 0:
                return watch
        for j in range(g[won] >> 8):
            t = g[won + R_KEY + j]
            if is_ignored(g, t):
                after = without_column(g, parser)
                if after < 0:
                    return after
                count = _emit_symbol(g, dst, count, after, symbol, silent, watch)
                if count < 0:
                    return count
            after = shift(g, parser, t)
            if after < 0:
                return after
            if after > 0:
                count = _emit_symbol(g, dst, count, after, symbol, silent, watch)
                if count < 0:
                    return count
    return count


@jit
def complete_lexed(g, src, n):
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        q = g[h]
        parser = g[h + 1]
        if g[q + R_KEY] < 0:  # at a lexeme's start
            yes = parser_complete(g, parser) if g[H_INDENT] == 0 else last_line_complete(g, parser)
            if yes != 0:
                return yes
            continue
        won = lex_won(g, q)
        if won == 0:
            continue
        for j in range(g[won] >> 8):
            t = g[won + R_KEY + j]
            if g[H_INDENT] != 0:
                yes = lines_complete(g, parser, t)
                if yes != 0:
                    return yes
                continue
            if is_ignored(g, t):
                yes = parser_complete(g, parser)
                if yes != 0:
                    return yes
            after = shift(g, parser, t)
            if after < 0:
                return after
            if after > 0:
                yes = parser_complete(g, after)
                if yes != 0:
                    return yes
    return 0


@jit
def step_heads(g, src, n, byte, dst):
    if g[H_MODE] == 0:
        return advance(g, src, n, byte, dst)
    return _advance_lexed(g, src, n, byte, dst)


@jit
def intern_head(g, a, b, c):
    """The record of a head, or a code."""
    tmp = g[X_TMP]
    g[tmp], g[tmp + 1], g[tmp + 2] = a, b, c
    return intern(g, tmp, 3, K_HEAD, 2)


@jit
def expand_head(g, a, b, c, byte):
    """Discipline ``longest``: the heads after ``byte`` from one head, left in scratch from place 1 on.

    A byte below zero is another symbol: -1 - byte is twice its number, and one more for a mark.
    """
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    h = g[X_HEADS]
    g[h], g[h + 1], g[h + 2] = a, b, c
    if byte >= 0:
        n = _advance_lexed(g, 0, 1, byte, 1)
    else:
        n = advance_symbol(g, 0, 1, (-1 - byte) >> 1, (-1 - byte) & 1 != 0, 1)
    return BUILD_RULES if g[X_NOTES_N] > 0 else n


@jit
def expand_head_all(g, a, b, c, symbols, start, unthreatened, out):
    """As `expand_head` for ``symbols[start:]``, as long as ``out`` (int64[n, 3]) has room.

    Answers the number of heads in ``out``, each of them once, and leaves in X_WANT how many symbols were
    read. ``unthreatened``: a head without a watch is the last one, and no more is looked for.
    """
    n = 0
    for i in range(start, symbols.shape[0]):
        g[X_WANT] = i - start
        found = expand_head(g, a, b, c, symbols[i])
        if found < 0:
            return found
        if n + found > out.shape[0]:
            return n
        for j in range(found):
            h = g[X_HEADS] + 3 * (1 + j)
            known = False
            for k in range(n):
                if out[k, 0] == g[h] and out[k, 1] == g[h + 1] and out[k, 2] == g[h + 2]:
                    known = True
                    break
            if known:
                continue
            for k in range(3):
                out[n, k] = g[h + k]
            n += 1
            if unthreatened and g[h + 2] == 0:
                return n
    g[X_WANT] = symbols.shape[0] - start
    return n


@jit
def head_complete(g, a, b, c):
    """Discipline ``longest``: 1 when the text may end at this head, 0 when not, or a code."""
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    h = g[X_HEADS]
    g[h], g[h + 1], g[h + 2] = a, b, c
    yes = complete_lexed(g, 0, 1)
    return BUILD_RULES if g[X_NOTES_N] > 0 else yes
