"""The endings of tokens that leave a pattern.

Most tokens that leave have different text before the same ending (`."`, `!",`, `)"}`), and what comes after
the pattern does not depend on that text. So a vocabulary table has the trie of the endings, too, with a list
of tokens for each: a tenth of the nodes, and a walk of it asks once for all tokens of an ending.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit

I64 = np.int64


@jit
def gather_endings(nodes, exits, n_exits, made, entries, trie, lists):
    """The trie of what comes after ``exits`` (see `tokens.table_tokens`), and the tokens of each ending.

    made : int32[*, 4], scratch: byte, first child, next sibling, first entry; entries : int32[*, 3], scratch
    trie : int32[*, 4], a trie whose token is a place in ``lists``
    lists : int32[*], the number of tokens, then for each: itself, what its exit says
    Answers the nodes of the trie and the words of ``lists``.
    """
    made[0, 0], made[0, 1], made[0, 2], made[0, 3] = 0, -1, -1, -1
    n = 1
    n_entries = 0
    path = np.int64(0)
    for x in range(n_exits):
        i = I64(exits[x, 0])
        if i < 0:
            entries[n_entries, 0], entries[n_entries, 1] = -1 - i, exits[x, 1]
            entries[n_entries, 2] = made[0, 3]
            made[0, 3] = n_entries
            n_entries += 1
            continue
        top = I64(nodes[i, 1]) - 1
        depth = 0
        path = 0
        for j in range(i, I64(nodes[i, 2])):
            # Up to the parent of the node, then down by its byte; the way up is kept in `trie` meanwhile.
            d = I64(nodes[j, 1]) - top
            while depth >= d:
                path = I64(trie[path, 3])
                depth -= 1
            byte = nodes[j, 0]
            before = -1
            child = I64(made[path, 1])
            while child >= 0 and made[child, 0] < byte:
                before = child
                child = I64(made[child, 2])
            if child < 0 or made[child, 0] != byte:
                made[n, 0], made[n, 1], made[n, 2], made[n, 3] = byte, -1, child, -1
                if before < 0:
                    made[path, 1] = n
                else:
                    made[before, 2] = n
                child = n
                n += 1
            trie[child, 3] = path
            path = child
            depth = d
            if nodes[j, 3] >= 0:
                entries[n_entries, 0], entries[n_entries, 1] = nodes[j, 3], exits[x, 1]
                entries[n_entries, 2] = made[path, 3]
                made[path, 3] = n_entries
                n_entries += 1
    # In depth-first order: `entries` beyond those in use is the stack, with a node and its place there.
    words = 0
    out = 0
    stack = n_entries
    entries[stack, 0], entries[stack, 1], entries[stack, 2] = 0, 0, 0
    top = stack + 1
    while top > stack:
        top -= 1
        at = I64(entries[top, 0])
        d = I64(entries[top, 1])
        if at < 0:
            trie[entries[top, 2], 2] = out
            continue
        here = out
        out += 1
        trie[here, 0], trie[here, 1], trie[here, 3] = made[at, 0], d, -1
        entry = I64(made[at, 3])
        if entry >= 0:
            trie[here, 3] = words
            size = words
            words += 1
            while entry >= 0:
                lists[words], lists[words + 1] = entries[entry, 0], entries[entry, 1]
                words += 2
                entry = I64(entries[entry, 2])
            lists[size] = (words - size) // 2
        # Its end is known when all below it are out; then its next sibling follows.
        sibling = I64(made[at, 2])
        if sibling >= 0 and at != 0:
            entries[top, 0], entries[top, 1], entries[top, 2] = sibling, d, 0
            top += 1
        entries[top, 0], entries[top, 1], entries[top, 2] = -1, d, here
        top += 1
        if made[at, 1] >= 0:
            entries[top, 0], entries[top, 1], entries[top, 2] = made[at, 1], d + 1, 0
            top += 1
    return out, words
