"""Schemas that refer to another one of the same text."""

from __future__ import annotations

from ....jit import jit
from .values import MOST_DEEP, N_BEGIN, N_END, N_KEY, N_KEY_END, N_KIND, N_NEXT, OBJECT, STRING
from .words import A_TYPE, DIALECT, ID, IGNORED, REFERENCE, STOP, code_of


@jit
def refers(text, nodes, node, table, words):
    """STOP where some key below the value makes the text one for Python, REFERENCE for a reference, or 0."""
    found = 0
    for i in range(node + 1, nodes[node, N_NEXT]):
        if nodes[i, N_KEY_END]:
            code = code_of(text, nodes[i, N_KEY], nodes[i, N_KEY_END], table, words)
            if code == STOP:
                return STOP
            if code == REFERENCE:
                found = REFERENCE
    return found


@jit
def have_references(text, nodes, n):
    """Some of the first ``n`` values has the key of a reference."""
    for i in range(n):
        at = nodes[i, N_KEY]
        if nodes[i, N_KEY_END] == at + 4 and text[at] == 36 and text[at + 1] == 114 and text[at + 3] == 102:
            return True
    return False


@jit
def follow(text, nodes, node, table, words):
    """The schema that is meant by one that refers to another of the same text by a pointer, through any
    number of them; a schema without a reference is itself. Negative: something that Python has to look at.
    Also how many keys were compared with parts of pointers.
    """
    steps = 0
    for _ in range(MOST_DEEP):
        if nodes[node, N_KIND] != OBJECT:
            return node, steps
        reference = 0
        odd = False
        child = node + 1
        while child < nodes[node, N_NEXT]:
            code = code_of(text, nodes[child, N_KEY], nodes[child, N_KEY_END], table, words)
            if code == REFERENCE:
                odd = odd or reference > 0
                reference = child
            elif code != IGNORED and code != DIALECT and code < A_TYPE:
                odd = True
            child = nodes[child, N_NEXT]
        if not reference:
            return node, steps
        if odd or nodes[reference, N_KIND] != STRING:
            return -1, steps
        at, end = nodes[reference, N_BEGIN] + 1, nodes[reference, N_END] - 1
        if end - at == 1 and text[at] == 35:  # "#", the whole
            node = 0
            continue
        if end - at < 3 or text[at] != 35 or text[at + 1] != 47:
            return -1, steps
        at += 2
        node = 0
        while at <= end:
            if nodes[node, N_KIND] != OBJECT:
                return -1, steps
            stop = at
            while stop < end and text[stop] != 47:
                if text[stop] == 37 or text[stop] == 126:  # an escape
                    return -1, steps
                stop += 1
            found = -1
            child = node + 1
            while child < nodes[node, N_NEXT]:
                steps += 1
                begin = nodes[child, N_KEY]
                if nodes[child, N_KEY_END] - begin == stop - at:
                    same = True
                    for i in range(stop - at):
                        same = same and text[begin + i] == text[at + i]
                    if same:
                        found = child
                size = nodes[child, N_KEY_END] - begin
                if node > 0 and 2 <= size <= 3 and nodes[child, N_KIND] == STRING:
                    if code_of(text, begin, begin + size, table, words) == ID:
                        return -1, steps
                child = nodes[child, N_NEXT]
            if found < 0:
                return -1, steps
            node = found
            at = stop + 1
    return -1, steps
