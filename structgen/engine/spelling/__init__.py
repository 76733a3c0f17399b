"""Rules laid out by kernels: the part of compiling that grows with a schema's text.

In Python a state of the trie of an object's keys costs about 15 µs, and a median schema has a hundred of
them; here it costs about 0.1 µs. These kernels have a call graph of their own, apart from the run-time ones.

::

    keys.py      the trie of keys        members.py   members between brackets
    words.py     the trie of words       sketched.py  the rules of a sketch
    patterns.py  automata of bytes
"""

from __future__ import annotations

from .keys import spell_keys
from .members import B_REST_TAIL, FRAME_CLOSE, FRAME_MORE, write_members
from .patterns import CLASS_MAP, write_pattern
from .sketched import write_sketched
from .words import spell_words

__all__ = [
    "B_REST_TAIL",
    "CLASS_MAP",
    "FRAME_CLOSE",
    "FRAME_MORE",
    "spell_keys",
    "spell_words",
    "write_members",
    "write_pattern",
    "write_sketched",
]
