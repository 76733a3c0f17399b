"""Terminals into the heap, for discipline ``longest``.

The lexer's states are sets of terminals' states and are determinised by the kernel when a text first
visits them (`kernels._lex_step`): which terminals are candidates depends on the parser, and of the many
sets only a few hundred are ever met. What is laid out here is each terminal's own automaton, all over one
partition of the bytes.
"""

from __future__ import annotations

import numpy as np

from ..engine import layout as L
from ..engine.heap import Heap
from ..ir import GrammarIR, Terminal


def lay_out_terminals(ir: GrammarIR, numbers: dict[str, int], heap: Heap) -> list[tuple[Terminal, int, int]]:
    """Write the terminals in ``numbers`` (name -> symbol); of each: it, its first record, words a record."""
    terminals = [ir.terminals[name] for name in sorted(numbers, key=numbers.__getitem__)]
    stacked = np.stack([t.dfa.classes for t in terminals]) if terminals else np.zeros((1, 256), np.uint8)
    _, byte_of_class, classes = np.unique(stacked, axis=1, return_index=True, return_inverse=True)
    classes = classes.reshape(-1).astype(np.uint8)
    n_classes = len(byte_of_class)
    lowest = min((t.priority for t in terminals), default=0)
    starts: list[int] = []
    placed: list[tuple[Terminal, int, int]] = []
    for number, t in enumerate(terminals):
        n = t.dfa.n_states - 1
        stride = L.T_ROW + n_classes
        base = heap.reserve(n * stride)
        block = np.zeros((n, stride), np.int64)
        trans = t.dfa.trans[1:][:, t.dfa.classes[byte_of_class]].astype(np.int64)
        block[:, L.T_TERMINAL] = number
        block[:, L.T_FINAL] = t.dfa.final[1:]
        block[:, L.T_PRIORITY] = t.priority - lowest + 1
        block[:, L.T_LITERAL] = int(t.literal)
        block[:, L.T_ROW :] = np.where(trans > 0, base + (trans - 1) * stride, 0)
        heap.g[base : base + n * stride] = block.ravel()
        starts.append(base)
        placed.append((t, base, stride))
    g_starts = heap.put(starts)
    words = int(heap.g[L.H_SYMBOL_WORDS])
    ignore = heap.put(_bit_set([numbers[name] for name in ir.ignore], words))
    literals = heap.put(_bit_set([i for i, t in enumerate(terminals) if t.literal], words))
    levels = sorted({t.priority for t in terminals}, reverse=True)
    sets = [
        w for p in levels for w in _bit_set([i for i, t in enumerate(terminals) if t.priority == p], words)
    ]
    level_sets = heap.put(sets)
    heap.g[L.H_LEX_LITERALS] = literals
    heap.g[L.H_LEX_LEVELS] = len(levels)
    heap.g[L.H_LEX_LEVEL_SETS] = level_sets
    cmap = heap.put(classes.view("<i8"))
    heap.g[L.H_LEX_CMAP] = cmap
    heap.g[L.H_LEX_CLASSES] = n_classes
    heap.g[L.H_LEX_STARTS] = g_starts
    heap.g[L.H_LEX_IGNORE] = ignore
    heap.g[L.H_N_TERMINALS] = len(terminals)
    return placed


def _bit_set(numbers: list[int], words: int) -> list[int]:
    bits = [0] * words
    for i in numbers:
        bits[i >> 6] |= 1 << (i & 63)
    return [b - (1 << 64) if b >> 63 else b for b in bits]
