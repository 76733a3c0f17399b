"""Tokens into mask rows, and into lists by what they count."""

from __future__ import annotations

import numpy as np

from ...jit import jit

I64 = np.int64


@jit
def set_row(tokens, row):
    """Set the bits of ``tokens`` (int32[*]) in a mask row (int32[words])."""
    for i in range(tokens.shape[0]):
        t = I64(tokens[i])
        row[t >> 5] |= np.int32(1) << np.int32(t & 31)
    return 0


@jit
def lay_out_stays(stay, counts, most, rows, ids):
    """The tokens that stay in a pattern, as mask rows and as a list: see `table_pool.Pools`.

    stay : int32[n]; counts : int16[n], what each counts, up to ``most``; not looked at where that is 0
    rows : int32[k, words], of which row i gets the tokens that count at most i, the last one all
    ids : int32[> most + n]; for each count how many of the tokens behind count at most so much, then the
        tokens that are in no row but the last
    Answers how many entries ``ids`` has.
    """
    n, k = stay.shape[0], rows.shape[0]
    first = most + 1
    for c in range(first):
        ids[c] = 0
    for r in range(k):
        for w in range(rows.shape[1]):
            rows[r, w] = 0
    in_rows = 0 if k == 0 else 1 if k == 1 else k - 1  # counts below it are in rows
    if most == 0:
        ids[0] = 0 if k else n
    else:
        for i in range(n):
            if counts[i] >= in_rows:
                ids[counts[i]] += 1
    # Where the tokens of each count begin; when all are placed, that is where they end.
    total = 0
    for c in range(first if most else 0):
        total, ids[c] = total + I64(ids[c]), total
    for i in range(n):
        t = I64(stay[i])
        c = I64(counts[i]) if most else 0
        if k:
            row = rows[min(c, k - 1)]
            row[t >> 5] |= np.int32(1) << np.int32(t & 31)
        if c >= in_rows:
            if most == 0:
                ids[first + i] = t
            else:
                ids[first + ids[c]] = t
                ids[c] += 1
    for r in range(1, k):
        for w in range(rows.shape[1]):
            rows[r, w] |= rows[r - 1, w]
    return first + (ids[most] if n else 0)
