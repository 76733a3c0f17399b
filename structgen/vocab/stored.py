"""Token tables on disk: read once from the tokenizer, later in milliseconds.

The name of a file is the SHA-256 of what the table was made from, so nothing ever has to be told that a
tokenizer changed. The width of the logits and the stop tokens are not part of it: they are applied to
the table afterwards, and hardly ever touch the trie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

from ..cache import read_kept, write_kept
from .table import TokenTable
from .trie import Trie

FORMAT_VERSION = 1
"""Changes when a reader would make another table out of the same tokenizer, or lay it out differently."""


def stored_table(
    kind: str, content: bytes, options: Sequence[str], build: Callable[[], TokenTable]
) -> TokenTable:
    """The table of a tokenizer, from disk if it is there, else built, indexed and kept.

    Parameters
    ----------
    kind : which reader builds it
    content : all that ``build`` depends on, options apart
    options : what else it depends on
    build : makes the table; its errors pass through, and nothing is kept then
    """
    h = hashlib.sha256(json.dumps([FORMAT_VERSION, kind, list(options)]).encode())
    h.update(b"\0")
    h.update(content)
    key = h.hexdigest()
    found = read_kept("vocab", key)
    if found is not None:
        meta, arrays = found.meta, found.arrays
        return TokenTable(
            data=arrays["data"],
            offsets=arrays["offsets"],
            specials=meta["specials"],
            strips_first_space=meta["strips_first_space"],
            notes=tuple(meta["notes"]),
            index=(Trie(arrays["nodes"], meta["max_depth"]), arrays["aliases"]),
        )
    table = build().indexed()
    assert table.index is not None
    trie, aliases = table.index
    meta = {
        "specials": table.specials,
        "strips_first_space": table.strips_first_space,
        "notes": table.notes,
        "max_depth": trie.max_depth,
    }
    arrays = {"data": table.data, "offsets": table.offsets, "nodes": trie.nodes, "aliases": aliases}
    write_kept("vocab", key, meta, arrays)
    return table
