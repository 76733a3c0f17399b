"""How many words an automaton has, from each of its states on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from .kernels_count import count_words


def counts_of(
    trans: npt.NDArray[np.int32], final: npt.NDArray[np.bool_], sizes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """float64[n_states]: how many words lead from a state to a final one; infinity past any number.

    sizes : float64[n_classes], how many members each class has
    """
    n = len(trans)
    counts = np.zeros(n)
    path, places = np.empty((2, n), np.int32)
    count_words(trans, final, sizes, counts, np.zeros(n, np.int8), path, places)
    return counts


@lru_cache(maxsize=64)
def word_counts(dfa: ByteDFA) -> npt.NDArray[np.float64]:
    """`counts_of` for an automaton over bytes."""
    sizes = np.bincount(dfa.classes, minlength=dfa.trans.shape[1]).astype(np.float64)
    return counts_of(dfa.trans, dfa.final, sizes)
