"""Patterns whose words are bounded in length: the automaton as it is, with a count in the frame.

A step is open while what has been counted, and the least that is still to be counted after it, are within the
bound (`OP_WITHIN`): so no step leads to where the word cannot be finished any more. Vocabulary tables count a
token with what is left at least where it ends, so that one table serves every bound.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..ir import Bounded
from ..regex import NEVER, reads_to_end


@lru_cache(maxsize=256)
def reads_left(e: Bounded) -> npt.NDArray[np.int64]:
    """Of each state: the least number of counted reads to the end of a word; NEVER of the dead one."""
    counted = np.zeros(e.dfa.n_states, np.bool_)
    counted[list(e.counted)] = True
    found: npt.NDArray[np.int64] = reads_to_end(e.dfa.trans, e.dfa.final, counted)
    return found


def first_bits(e: Bounded, left: npt.NDArray[np.int64]) -> int:
    """One bit for each byte that a word may begin with."""
    dfa = e.dfa
    needed = left[dfa.trans[dfa.start]] + (dfa.start in e.counted)
    allowed = (needed < NEVER if e.most is None else needed <= e.most)[dfa.classes]
    return int.from_bytes(np.packbits(allowed, bitorder="little").tobytes(), "little")
