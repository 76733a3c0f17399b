"""The loop that counts words."""

from __future__ import annotations

import numpy as np

from ..jit import jit


@jit
def count_words(
    trans: np.ndarray,
    final: np.ndarray,
    sizes: np.ndarray,
    counts: np.ndarray,
    met: np.ndarray,
    path: np.ndarray,
    places: np.ndarray,
) -> None:
    """Writes into ``counts`` how many words lead from each state to a final one; infinity past any number.

    One walk, depth first: a state is counted when all that it leads to is. An edge back to a state of the
    path closes a cycle, which every state on it can leave and take again.

    sizes : float64[n_classes], members of each class; counts : float64[n_states], zeros
    met : int8[n_states], zeros; path, places : int32[n_states], scratch
    """
    if trans.shape[0] < 2:
        return
    path[0], places[0], met[1] = 1, 0, 1
    n = 1
    while n > 0:
        q = path[n - 1]
        c = places[n - 1]
        while c < trans.shape[1]:
            t = trans[q, c]
            if t != 0:
                if met[t] == 0:
                    break
                if met[t] == 1:
                    counts[t] = np.inf
            c += 1
        places[n - 1] = c
        if c < trans.shape[1]:
            met[trans[q, c]] = 1
            path[n], places[n] = trans[q, c], 0
            n += 1
            continue
        n -= 1
        met[q] = 2
        if counts[q] != np.inf:
            total = 1.0 if final[q] else 0.0
            for k in range(trans.shape[1]):
                if trans[q, k] != 0:
                    total += sizes[k] * counts[trans[q, k]]
            counts[q] = total
