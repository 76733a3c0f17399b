"""Terminals into the heap, for discipline ``longest``.

The lexer's states are sets of terminals' states and are determinised by the kernel when a text first
visits them (`kernels.lexer`): which terminals are candidates depends on the parser, and of the many
sets only a few hundred are ever met. What is laid out here is each terminal's own automaton, all over one
partition of the bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.heap import Heap
from ..errors import GrammarError
from ..ir import GrammarIR, Indentation, Terminal

_NO_TEXT = ByteDFA(np.zeros(256, np.uint8), np.zeros((1, 1), np.int32), np.zeros(1, np.bool_))


def numbered_terminals(ir: GrammarIR, numbers: dict[str, int]) -> list[Terminal]:
    """The terminals in ``numbers`` (name -> symbol) by number; what indentation makes has no text."""
    names = sorted(numbers, key=numbers.__getitem__)
    return [ir.terminals.get(name) or Terminal(name, _NO_TEXT) for name in names]


def lay_out_terminals(ir: GrammarIR, numbers: dict[str, int], heap: Heap) -> list[tuple[Terminal, int, int]]:
    """Write the terminals in ``numbers`` (name -> symbol); of each: it, its first record, words a record."""
    terminals = numbered_terminals(ir, numbers)
    # A row that tells nothing apart, or what bytes do to a column.
    effects = np.zeros(256, np.uint8) if ir.indentation is None else _effects()
    stacked = np.stack([effects, *(t.dfa.classes for t in terminals)])
    _, byte_of_class, inverse = np.unique(stacked, axis=1, return_index=True, return_inverse=True)
    classes: npt.NDArray[np.uint8] = inverse.reshape(-1).astype(np.uint8)
    n_classes = len(byte_of_class)
    lowest = min((t.priority for t in terminals), default=0)
    starts: list[int] = []
    words = int(heap.g[L.H_SYMBOL_WORDS])
    begins = np.zeros((n_classes, 64 * words), np.uint8)  # of each class, the terminals that it may begin
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
        if n:
            begins[:, number] = trans[0] > 0
        block[:, L.T_ROW :] = np.where(trans > 0, base + (trans - 1) * stride, 0)
        heap.g[base : base + n * stride] = block.ravel()
        starts.append(base if n else 0)
        placed.append((t, base, stride))
    g_starts = heap.put(starts)
    g_begins = heap.put(np.packbits(begins, axis=1, bitorder="little").reshape(-1).view("<i8"))
    ignore = heap.put(_bit_set([numbers[name] for name in ir.ignore], words))
    forbidden = heap.put(_bit_set([numbers[name] for name in ir.forbidden], words))
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
    heap.g[L.H_LEX_BEGINS] = g_begins
    heap.g[L.H_LEX_IGNORE] = ignore
    heap.g[L.H_LEX_FORBIDDEN] = forbidden
    heap.g[L.H_N_TERMINALS] = len(terminals)
    if ir.indentation is not None:
        _lay_out_indentation(ir, ir.indentation, numbers, classes, heap)
    return placed


def _lay_out_indentation(
    ir: GrammarIR, lines: Indentation, numbers: dict[str, int], classes: npt.NDArray[np.uint8], heap: Heap
) -> None:
    if not ir.terminals[lines.newline].dfa.matches(b"\n"):
        raise GrammarError(
            f"terminal {lines.newline} stands between lines, and must match a line feed by itself"
        )
    if lines.newline in ir.ignore:
        raise GrammarError(f"terminal {lines.newline} stands between lines, and cannot be ignored everywhere")
    words = int(heap.g[L.H_SYMBOL_WORDS])
    of_class = np.zeros(int(classes.max()) + 1, np.int64)
    of_class[classes] = _effects()
    record = [0] * L.INDENT_WORDS
    record[L.I_NEWLINE] = numbers[lines.newline]
    record[L.I_INDENT] = numbers[lines.indent]
    record[L.I_DEDENT] = numbers[lines.dedent]
    # A bracket that no rule uses opens nothing.
    record[L.I_OPENING] = heap.put(_bit_set([numbers[t] for t in lines.opening if t in numbers], words))
    record[L.I_CLOSING] = heap.put(_bit_set([numbers[t] for t in lines.closing if t in numbers], words))
    record[L.I_TAB] = lines.tab
    record[L.I_EFFECTS] = heap.put(of_class)
    record[L.I_BREAK] = int(classes[ord("\n")])
    record[L.I_JOINING] = heap.put(_bit_set([numbers[t] for t in lines.joining(ir)], words))
    at = heap.put(record)
    heap.g[L.H_INDENT] = at


def _effects() -> npt.NDArray[np.uint8]:
    """What each byte of a newline lexeme does to the column."""
    return np.array([L.EFFECT_OF.get(b, L.E_TEXT) for b in range(256)], np.uint8)


def _bit_set(numbers: list[int], words: int) -> list[int]:
    bits = [0] * words
    for i in numbers:
        bits[i >> 6] |= 1 << (i & 63)
    return [b - (1 << 64) if b >> 63 else b for b in bits]
