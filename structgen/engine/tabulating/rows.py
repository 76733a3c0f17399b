"""Tokens into mask rows, and into lists by what they count."""

from __future__ import annotations

import numpy as np

from ...jit import jit

I64 = np.int64


@jit
def _set(row, token):
    row[token >> 5] |= np.int32(1) << np.int32(token & 31)


@jit
def set_row(tokens, row):
    """Set the bits of ``tokens`` (int32[*]) in a mask row (int32[words])."""
    for i in range(tokens.shape[0]):
        _set(row, I64(tokens[i]))
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
    for i in range(n):
        c = I64(counts[i]) if most else 0
        if c >= in_rows:
            ids[c] += 1
    # Where the tokens of each count begin; when all are placed, that is where they end.
    total = 0
    for c in range(first):
        total, ids[c] = total + I64(ids[c]), total
    for i in range(n):
        t = I64(stay[i])
        c = I64(counts[i]) if most else 0
        if k:
            _set(rows[min(c, k - 1)], t)
        if c >= in_rows:
            ids[first + ids[c]] = t
            ids[c] += 1
    for r in range(1, k):
        for w in range(rows.shape[1]):
            rows[r, w] |= rows[r - 1, w]
    return first + ids[most]
