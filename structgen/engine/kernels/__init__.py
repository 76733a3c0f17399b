"""The run-time call graph: what `accept` and `fill` do.

Each module calls those above it alone:

    records     interned records, in a hash table inside the heap
    parameters  of frames: counts, members that have come
    parser      heads after a symbol; stacks merged and interned
    lexer       sets of terminals' states
    margins     indentation, kept with the parser state
    tops        of stacks: the part that matters until a reading gets below it
    shifts      the terminals that can follow, the parser state after one, whether a text may end
    lexed       discipline ``longest``: lexer and parser together
    states      of a matcher, and the steps between them
    tables      vocabulary tables in a walk
    walk        of the vocabulary's trie
    leaving     how tokens leave a lexeme
    splits, takings, groups     token groups: by candidates, by the top of the stack, in a mask
    masks       of heads and states, and copies of those that are known

They take a few arrays:

g, the heap : int64[*]    see `layout`; scratch lies in it too, since a second array argument would double
                          the cost of a step
tries : int32[*]          concatenated tries, 4 words a node in depth-first order: byte, depth, end, token;
                          after the first one, the vocabulary's, its nodes' lists of children
slots, visits, tables, info, groups, ids   pure functions of automata and vocabulary: see `table_pool`
rows : int32[n, words]    memoised masks of this grammar

Kernels raise nothing: they answer a number >= 0, or one of the codes below zero at the end of `layout`.
GROW_*, BUILD_* mean "do that and call me again": every kernel can be run twice, since interning is
idempotent and answers are published last.

How a mask is made
    A matcher's state is an interned set of *heads*. In discipline ``any`` a head is (rule state, parameter,
    stack): the heads are independent, and the mask is the union of theirs. In ``longest`` a head is
    (lexer state, parser state, watch): the lexeme being read, the parser state before it, and the lexer
    states of earlier lexemes that must not complete (a longer match would win).
    A head's mask is one walk of the vocabulary's trie with `parser.advance` in the loop. Where the head's
    automaton stays inside itself for most of the vocabulary (text in a string), a *vocabulary table* holds
    the tokens that stay, and only the trie of those that leave is walked.
"""

from __future__ import annotations

from .leaving import leaving_tokens
from .lexed import expand_head, expand_head_all, head_complete, intern_head, watch_step
from .lexer import lex_step
from .margins import column_after, columns_in_tokens
from .masks import fill, fill_rows, head_mask, make_mask
from .records import rehash
from .states import (
    accept_bytes,
    accept_each,
    accept_symbol,
    accept_token,
    find_accept,
    initial_state,
    is_accepting,
    live_bytes,
)
from .tables import enter_table, find_table

__all__ = [
    "accept_bytes",
    "accept_each",
    "accept_symbol",
    "accept_token",
    "column_after",
    "columns_in_tokens",
    "enter_table",
    "expand_head",
    "expand_head_all",
    "fill",
    "fill_rows",
    "find_accept",
    "find_table",
    "head_complete",
    "head_mask",
    "initial_state",
    "intern_head",
    "is_accepting",
    "leaving_tokens",
    "lex_step",
    "live_bytes",
    "make_mask",
    "rehash",
    "watch_step",
]
