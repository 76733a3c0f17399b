"""JSON text to the rules of a sketch, in two kernels: the part of reading a schema that grows with its text.

A schema that says no more than ``type``, ``properties``, ``required``, ``additionalProperties`` and ``items``
becomes rows of numbers, as `sketch.Sketch` has them. What is below a keyword that is not known here is left to
Python, and a text that is not JSON, or has anything odd in it, altogether.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ...sketch import (
    CHOICE,
    ELSEWHERE,
    ENCLOSED,
    LISTED,
    NO_RULE,
    REFERRED,
    UNION,
    SK_BEGIN,
    SK_BYTES,
    SK_EMPTY,
    SK_END,
    SK_FIRST,
    SK_KIND,
    SK_MEMBERS,
    SK_OTHERS,
    SK_PARENT,
    SK_WAY,
    SM_BEGIN,
    SM_END,
    SM_MUST,
    SM_ORDER,
    SM_RULE,
    WAY_ITEMS,
    WAY_OTHERS,
)

# A value of the text: its kind, where it lies, the number of the next one beside it, its key's bytes (without the
# quotes) where it is in an object, and the rule that it is, once that is known.
N_KIND, N_BEGIN, N_END, N_NEXT, N_KEY, N_KEY_END, N_RULE, NODE_WORDS = range(8)
# Kinds of values; of a string that has an escape, ESCAPED.
OBJECT, ARRAY, STRING, ESCAPED, NUMBER, TRUE, FALSE, NULL = range(8)
MOST_DEEP = 200
ALIKE = 64  # so many rules before one are looked through for one in the same words
MOST_CHOICES = 64  # as `lower.MOST_LISTED` has it: more are an automaton

# What a keyword is for, in the table of words; of the name of a type, A_TYPE and the number of its common rule.
IGNORED, TYPE, PROPERTIES, REQUIRED, ADDITIONAL, ITEMS, MIN_ITEMS, MAX_ITEMS = range(8)
ENUM, MIN_LENGTH, MAX_LENGTH, MINIMUM, MAXIMUM, FORMAT = range(8, 14)
UNKNOWN, STOP, ID, DIALECT, REFERENCE = range(14, 19)
# What a kernel notes: how many rules there are, where the text says which draft it is in (0: nowhere), how many rules
# are for Python to look at, whether there are references; then of each keyword where it is.
T_RULES, T_DIALECT, T_UNSURE, T_REFERENCES, T_PLACES, NOTED = 0, 1, 2, 3, 4, 4 + 14
A_TYPE = 100
ANY_VALUE, STRING_TYPE, INTEGER_TYPE, NUMBER_TYPE, OBJECT_TYPE, ARRAY_TYPE = 0, 1, 2, 3, 6, 7  # common rules
SLOTS = 512  # of the table of words

ODD = -(10**15)  # no number
NOT_YET = -1001  # of a value: its rule is not known
NOT_HERE = -1000  # answered for a schema that makes the whole text one for Python


@jit
def hash_of(text, begin, end):
    """A hash of some bytes (FNV-1a)."""
    h = np.uint64(14695981039346656037)
    for i in range(begin, end):
        h = (h ^ np.uint64(text[i])) * np.uint64(1099511628211)
    return np.int64(h >> np.uint64(20)) & (SLOTS - 1)


@jit
def code_of(text, begin, end, table, words):
    """What the table says of some bytes: IGNORED where they are no word of it.

    table, words : int64[SLOTS, 3], for each slot the code, and where its word lies in ``words`` (uint8[*])
    """
    slot = hash_of(text, begin, end)
    while table[slot, 2]:
        at, size = table[slot, 1], table[slot, 2] - table[slot, 1]
        if size == end - begin:
            same = True
            for i in range(size):
                if words[at + i] != text[begin + i]:
                    same = False
                    break
            if same:
                return table[slot, 0]
        slot = (slot + 1) & (SLOTS - 1)
    return IGNORED


@jit
def end_of_string(text, at):
    """Where the string that begins at ``at`` ends, behind its quote; negative where it has an escape; 0: none."""
    size = text.shape[0]
    i = at + 1
    escaped = False
    while i < size:
        c = text[i]
        if c == 34:
            return -(i + 1) if escaped else i + 1
        if c < 32:
            return 0
        if c == 92:
            escaped = True
            i += 1
            if i >= size:
                return 0
            c = text[i]
            if c == 117:  # u
                if i + 4 >= size:
                    return 0
                for k in range(i + 1, i + 5):
                    d = text[k]
                    if not (48 <= d <= 57 or 65 <= d <= 70 or 97 <= d <= 102):
                        return 0
                i += 4
            elif c not in (34, 47, 92, 98, 102, 110, 114, 116):
                return 0
        i += 1
    return 0


@jit
def end_of_number(text, at):
    """Where the number that begins at ``at`` ends; 0: there is none."""
    size = text.shape[0]
    i = at
    if text[i] == 45:
        i += 1
    begin = i
    while i < size and 48 <= text[i] <= 57:
        i += 1
    if i == begin or (text[begin] == 48 and i > begin + 1):
        return 0
    if i < size and text[i] == 46:
        i += 1
        begin = i
        while i < size and 48 <= text[i] <= 57:
            i += 1
        if i == begin:
            return 0
    if i < size and (text[i] == 69 or text[i] == 101):
        i += 1
        if i < size and (text[i] == 43 or text[i] == 45):
            i += 1
        begin = i
        while i < size and 48 <= text[i] <= 57:
            i += 1
        if i == begin:
            return 0
    return i


@jit
def end_of_word(text, at, first, rest):
    """Behind a word of which the bytes after the first one are ``rest``, or 0."""
    if text[at] != first or at + 1 + len(rest) > text.shape[0]:
        return 0
    for i in range(len(rest)):
        if text[at + 1 + i] != rest[i]:
            return 0
    return at + 1 + len(rest)


@jit
def read_values(text, nodes, stack):
    """The values of a JSON text, each before those inside it; how many, or 0 for what is no JSON.

    text : uint8[*], UTF-8
    nodes : int64[*, NODE_WORDS], written; for a text of n bytes, n // 2 + 2 rows are enough
    stack : int64[*], as many words as levels are read
    """
    size = text.shape[0]
    at = 0
    n = 0
    depth = 0
    # What comes next: a value, a value or the array's end, a key or the object's end, a key, a comma or an end.
    value, item, first_key, key, after = 0, 1, 2, 3, 4
    state = value
    key_begin = key_end = 0
    while True:
        while at < size and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
            at += 1
        if at == size:
            return n if state == after and depth == 0 else 0
        c = text[at]
        close = False
        if state == item or state == first_key:
            close = c == (93 if state == item else 125)
            if not close:
                state = value if state == item else key
        if state == after:
            if depth == 0:
                return 0
            in_object = nodes[stack[depth - 1], N_KIND] == OBJECT
            if c == 44:
                state = key if in_object else value
                at += 1
                continue
            close = c == (125 if in_object else 93)
            if not close:
                return 0
        if close:
            depth -= 1
            at += 1
            nodes[stack[depth], N_END] = at
            nodes[stack[depth], N_NEXT] = n
            state = after
            continue
        if state == key:
            if c != 34:
                return 0
            end = end_of_string(text, at)
            if end <= 0:
                return 0
            key_begin, key_end = at + 1, end - 1
            at = end
            while at < size and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
                at += 1
            if at == size or text[at] != 58:
                return 0
            at += 1
            state = value
            continue
        nodes[n, N_BEGIN], nodes[n, N_KEY], nodes[n, N_KEY_END], nodes[n, N_RULE] = at, key_begin, key_end, NOT_YET
        if c == 123 or c == 91:
            if depth == stack.shape[0]:
                return 0
            nodes[n, N_KIND] = OBJECT if c == 123 else ARRAY
            stack[depth] = n
            depth += 1
            n += 1
            at += 1
            state = first_key if c == 123 else item
            key_begin = key_end = 0
            continue
        kind = STRING
        if c == 34:
            end = end_of_string(text, at)
            if end < 0:
                kind, end = ESCAPED, -end
        elif c == 45 or 48 <= c <= 57:
            kind, end = NUMBER, end_of_number(text, at)
        elif c == 116:
            kind, end = TRUE, end_of_word(text, at, 116, b"rue")
        elif c == 102:
            kind, end = FALSE, end_of_word(text, at, 102, b"alse")
        else:
            kind, end = NULL, end_of_word(text, at, 110, b"ull")
        if end == 0:
            return 0
        nodes[n, N_KIND], nodes[n, N_END], nodes[n, N_NEXT] = kind, end, n + 1
        key_begin = key_end = 0
        n += 1
        at = end
        state = after


@jit
def whole_number(text, nodes, node, absent):
    """The small whole number that a value is; ``absent`` where there is no value, and ODD for any other."""
    if node == 0:
        return absent
    begin, end = nodes[node, N_BEGIN], nodes[node, N_END]
    if nodes[node, N_KIND] != NUMBER or end - begin > 9:
        return ODD
    sign = 1
    if text[begin] == 45:
        sign = -1
        begin += 1
    found = 0
    for i in range(begin, end):
        if not 48 <= text[i] <= 57:
            return ODD
        found = 10 * found + text[i] - 48
    return sign * found


@jit
def are_words(text, nodes, node):
    """A value is a list, not empty, of plain strings of ASCII."""
    if nodes[node, N_KIND] != ARRAY or nodes[node, N_NEXT] == node + 1:
        return False
    for one in range(node + 1, nodes[node, N_NEXT]):
        if nodes[one, N_KIND] != STRING:
            return False
        for i in range(nodes[one, N_BEGIN], nodes[one, N_END]):
            if text[i] > 126:
                return False
    return True


@jit
def types_in(text, nodes, node, table, words):
    """A bit for the common rule of each type that the value of ``type`` names; 0 for a value that is none."""
    found = 0
    in_list = nodes[node, N_KIND] == ARRAY
    for one in range(node + 1 if in_list else node, nodes[node, N_NEXT]):
        if nodes[one, N_KIND] != STRING:
            return 0
        code = code_of(text, nodes[one, N_BEGIN] + 1, nodes[one, N_END] - 1, table, words)
        if code <= A_TYPE:
            return 0
        found |= 1 << (code - A_TYPE)
    return found & ~(1 << INTEGER_TYPE) if found >> NUMBER_TYPE & 1 else found


@jit
def only_type(types):
    """The number of the only bit, or 0."""
    if types and types & (types - 1) == 0:
        for code in range(1, ARRAY_TYPE + 1):
            if types >> code & 1:
                return code
    return 0


@jit
def refers(text, nodes, node, table, words):
    """Some key below the value is a keyword that makes the text one for Python."""
    for i in range(node + 1, nodes[node, N_NEXT]):
        if nodes[i, N_KEY_END]:
            code = code_of(text, nodes[i, N_KEY], nodes[i, N_KEY_END], table, words)
            if code == STOP or code == REFERENCE:
                return True
    return False


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
    """The schema that is meant by one that refers to another of the same text by a pointer, through any number of
    them; a schema without a reference is itself. Negative: something that Python has to look at.
    """
    for _ in range(MOST_DEEP):
        if nodes[node, N_KIND] != OBJECT:
            return node
        reference = 0
        odd = False
        child = node + 1
        while child < nodes[node, N_NEXT]:
            code = code_of(text, nodes[child, N_KEY], nodes[child, N_KEY_END], table, words)
            if code == REFERENCE:
                odd = odd or reference > 0
                reference = child
            elif code != IGNORED and code < A_TYPE:
                odd = True
            child = nodes[child, N_NEXT]
        if not reference:
            return node
        if odd or nodes[reference, N_KIND] != STRING:
            return -1
        at, end = nodes[reference, N_BEGIN] + 1, nodes[reference, N_END] - 1
        if end - at < 3 or text[at] != 35 or text[at + 1] != 47:
            return -1
        at += 2
        node = 0
        while at <= end:
            if nodes[node, N_KIND] != OBJECT:
                return -1
            stop = at
            while stop < end and text[stop] != 47:
                if text[stop] == 37 or text[stop] == 126:  # an escape
                    return -1
                stop += 1
            found = -1
            child = node + 1
            while child < nodes[node, N_NEXT]:
                begin = nodes[child, N_KEY]
                if nodes[child, N_KEY_END] - begin == stop - at:
                    same = True
                    for i in range(stop - at):
                        same = same and text[begin + i] == text[at + i]
                    if same:
                        found = child
                if node > 0 and code_of(text, begin, nodes[child, N_KEY_END], table, words) == ID:
                    return -1
                child = nodes[child, N_NEXT]
            if found < 0:
                return -1
            node = found
            at = stop + 1
    return -1


@jit
def known_rule(text, nodes, node, rules, n):
    """An earlier rule of kind CHOICE or ELSEWHERE that the text says in the same words, among the last; or -1."""
    size = nodes[node, N_END] - nodes[node, N_BEGIN]
    for rule in range(n - 1, max(n - ALIKE, 0) - 1, -1):
        begin = rules[rule, SK_BEGIN]
        if rules[rule, SK_KIND] < CHOICE or rules[rule, SK_END] - begin != size:
            continue
        same = True
        for i in range(size):
            if text[begin + i] != text[nodes[node, N_BEGIN] + i]:
                same = False
                break
        if same:
            return rule
    return -1


@jit
def is_sure(text, nodes, of_type, code, noted):
    """A schema that has constraints of no objects nor arrays, known keywords all, is plain (`plain.Plain`)."""
    enum, form = noted[T_PLACES + ENUM], noted[T_PLACES + FORMAT]
    of_length = noted[T_PLACES + MIN_LENGTH] + noted[T_PLACES + MAX_LENGTH] > 0
    of_size = noted[T_PLACES + MINIMUM] + noted[T_PLACES + MAXIMUM] > 0
    if enum:
        alone = not (form or of_length or of_size) and (not of_type or code == STRING_TYPE)
        return alone and are_words(text, nodes, enum)
    if code == STRING_TYPE and form:
        return not of_length and not of_size and nodes[form, N_KIND] == STRING
    if code == STRING_TYPE and of_length:
        low = whole_number(text, nodes, noted[T_PLACES + MIN_LENGTH], 0)
        high = whole_number(text, nodes, noted[T_PLACES + MAX_LENGTH], -ODD)
        return not of_size and low != ODD and high != ODD and 0 <= low <= high
    if (code == INTEGER_TYPE or code == NUMBER_TYPE) and of_size:
        low = whole_number(text, nodes, noted[T_PLACES + MINIMUM], ODD + 1)
        high = whole_number(text, nodes, noted[T_PLACES + MAXIMUM], -ODD)
        return not form and not of_length and low != ODD and high != ODD and low <= high
    return False


@jit
def rule_of(text, nodes, node, table, words, rules, parent, way, noted):
    """The rule of a schema: of a common one -1 - its number, of another its number, which may be a new one.

    NOT_HERE: the whole text is one for Python. ``noted``: int64[NOTED]. Of a new rule, SK_FIRST is the value to read
    on in, SK_MEMBERS that of ``required``, SK_OTHERS that of ``additionalProperties``.
    """
    if noted[T_REFERENCES]:
        target = follow(text, nodes, node, table, words)
        if target < 0:
            return NOT_HERE
        if target != node:
            parent, way = REFERRED, nodes[node, N_BEGIN]
            node = target
    if nodes[node, N_RULE] == NOT_YET:
        nodes[node, N_RULE] = new_rule(text, nodes, node, table, words, rules, parent, way, noted)
    return nodes[node, N_RULE]


@jit
def new_rule(text, nodes, node, table, words, rules, parent, way, noted):
    """`rule_of` for a schema that has none so far."""
    kind = nodes[node, N_KIND]
    if kind == TRUE:
        return -1 - ANY_VALUE
    if kind != OBJECT:
        return NOT_HERE
    noted[T_PLACES:] = 0
    known = True
    some = 0
    child = node + 1
    while child < nodes[node, N_NEXT]:
        code = code_of(text, nodes[child, N_KEY], nodes[child, N_KEY_END], table, words)
        if TYPE <= code <= FORMAT:
            if noted[T_PLACES + code]:
                return NOT_HERE  # twice
            noted[T_PLACES + code] = child
            some += code != TYPE
        elif code == STOP or code == REFERENCE:
            return NOT_HERE
        elif code == UNKNOWN or (code == ID and node > 0):
            known = False
        elif code == DIALECT and node == 0:
            if noted[T_DIALECT]:
                return NOT_HERE
            noted[T_DIALECT] = child
        child = nodes[child, N_NEXT]
    of_type, properties, required = noted[T_PLACES + TYPE], noted[T_PLACES + PROPERTIES], noted[T_PLACES + REQUIRED]
    others, items = noted[T_PLACES + ADDITIONAL], noted[T_PLACES + ITEMS]
    least, most = noted[T_PLACES + MIN_ITEMS], noted[T_PLACES + MAX_ITEMS]
    of_objects = (properties > 0) + (required > 0) + (others > 0)
    of_arrays = (items > 0) + (least > 0) + (most > 0)
    types = types_in(text, nodes, of_type, table, words) if of_type else 1 << ANY_VALUE
    known = known and types != 0
    code = only_type(types)
    kind = ELSEWHERE
    sure = False
    if known and some == 0 and (code or not of_type):
        return -1 - code
    if known and some == of_objects and code == OBJECT_TYPE:
        if properties and nodes[properties, N_KIND] == OBJECT and nodes[properties, N_NEXT] > properties + 1:
            kind = ENCLOSED
    elif known and some == of_arrays and code == ARRAY_TYPE and items and not most:
        if nodes[items, N_KIND] == OBJECT or nodes[items, N_KIND] == TRUE:
            n = whole_number(text, nodes, least, 0)
            if 0 <= n <= 1:
                kind = LISTED
                required = 1 - n  # for SK_EMPTY, below
    elif known and some == 0:
        kind = UNION
    elif known and of_objects == 0 and of_arrays == 0:
        sure = is_sure(text, nodes, of_type, code, noted)
        if sure and noted[T_PLACES + ENUM]:
            kind = CHOICE
            properties = noted[T_PLACES + ENUM]
    if kind == ELSEWHERE and not sure:
        noted[T_UNSURE] += 1
        if refers(text, nodes, node, table, words):
            return NOT_HERE
    if kind >= CHOICE:
        rule = known_rule(text, nodes, node, rules, noted[T_RULES])
        if rule >= 0:
            return rule
    rule = noted[T_RULES]
    noted[T_RULES] += 1
    rules[rule, SK_KIND], rules[rule, SK_BEGIN], rules[rule, SK_END] = kind, nodes[node, N_BEGIN], nodes[node, N_END]
    rules[rule, SK_PARENT], rules[rule, SK_WAY] = parent, way
    rules[rule, SK_FIRST] = items if kind == LISTED else properties
    rules[rule, SK_MEMBERS], rules[rule, SK_EMPTY] = required, 0
    rules[rule, SK_OTHERS] = others if kind == ENCLOSED else types if types else 1 << ANY_VALUE
    rules[rule, SK_BYTES] = 0 if kind != ELSEWHERE or sure else 1
    return rule


@jit
def compare(text, members, a, b):
    """The order of the keys of two members: negative, 0 or positive."""
    i, j = members[a, SM_BEGIN], members[b, SM_BEGIN]
    while i < members[a, SM_END] and j < members[b, SM_END]:
        if text[i] != text[j]:
            return np.int64(text[i]) - np.int64(text[j])
        i += 1
        j += 1
    return (members[a, SM_END] - i) - (members[b, SM_END] - j)


@jit
def sort_members(text, members, first, n, scratch):
    """Note the order of members by their keys in their last column; False when two keys are equal."""
    for i in range(n):
        scratch[i] = first + i
    width = 1
    source, target = 0, n
    while width < n:
        begin = 0
        while begin < n:
            middle, end = min(begin + width, n), min(begin + 2 * width, n)
            i, j = begin, middle
            for k in range(begin, end):
                left = i < middle and (
                    j == end or compare(text, members, scratch[source + i], scratch[source + j]) <= 0
                )
                if left:
                    scratch[target + k] = scratch[source + i]
                    i += 1
                else:
                    scratch[target + k] = scratch[source + j]
                    j += 1
            begin += 2 * width
        source, target = target, source
        width *= 2
    for i in range(n):
        members[first + i, SM_ORDER] = scratch[source + i]
        if i and compare(text, members, scratch[source + i - 1], scratch[source + i]) == 0:
            return False
    return True


@jit
def sketch_rules(text, nodes, table, words, rules, members, noted, scratch):
    """The rules of a schema whose text was read. How many members they have, or NOT_HERE.

    rules, members : int64[*, SKETCH_WORDS], int64[*, MEMBER_WORDS], written; a row for each value is enough. Of a
        rule of kind ELSEWHERE, SK_BYTES is 1 where Python has to look at it
    noted : int64[NOTED]; afterwards T_RULES, T_DIALECT and T_UNSURE
    scratch : int64[2 * rows]
    """
    noted[:] = 0
    noted[T_REFERENCES] = have_references(text, nodes, nodes[0, N_NEXT])
    if rule_of(text, nodes, 0, table, words, rules, -1, 0, noted) != 0 or rules[0, SK_KIND] == ELSEWHERE:
        return NOT_HERE
    n = 0
    rule = 0
    while rule < noted[T_RULES]:
        kind = rules[rule, SK_KIND]
        if kind == CHOICE:
            first, size = n, 0
            enum = rules[rule, SK_FIRST]
            for one in range(enum + 1, nodes[enum, N_NEXT]):
                members[n, SM_BEGIN], members[n, SM_END] = nodes[one, N_BEGIN], nodes[one, N_END]
                size += members[n, SM_END] - members[n, SM_BEGIN]
                n += 1
            if n - first <= MOST_CHOICES and sort_members(text, members, first, n - first, scratch):
                rules[rule, SK_FIRST], rules[rule, SK_MEMBERS], rules[rule, SK_BYTES] = first, n - first, size
            elif rule == 0:
                return NOT_HERE
            else:
                rules[rule, SK_KIND] = ELSEWHERE  # SK_BYTES is 0
                n = first
        if kind == LISTED:
            rules[rule, SK_EMPTY] = rules[rule, SK_MEMBERS]
            found = rule_of(text, nodes, rules[rule, SK_FIRST], table, words, rules, rule, WAY_ITEMS, noted)
            if found == NOT_HERE:
                return NOT_HERE
            rules[rule, SK_FIRST] = found
        elif kind == ENCLOSED:
            first = n
            properties, required = rules[rule, SK_FIRST], rules[rule, SK_MEMBERS]
            others = rules[rule, SK_OTHERS]
            child = properties + 1
            while child < nodes[properties, N_NEXT]:
                found = rule_of(text, nodes, child, table, words, rules, rule, n, noted)
                if found == NOT_HERE:
                    return NOT_HERE
                members[n, SM_BEGIN], members[n, SM_END] = nodes[child, N_KEY] - 1, nodes[child, N_KEY_END] + 1
                members[n, SM_RULE], members[n, SM_MUST] = found, 0
                n += 1
                child = nodes[child, N_NEXT]
            if not sort_members(text, members, first, n - first, scratch):
                return NOT_HERE
            rest = NO_RULE
            if not others:
                rest = -1 - ANY_VALUE
            elif nodes[others, N_KIND] != FALSE:
                rest = rule_of(text, nodes, others, table, words, rules, rule, WAY_OTHERS, noted)
                if rest == NOT_HERE:
                    return NOT_HERE
            wanted = 0
            if required:
                wanted = require(text, nodes, required, members, first, n, rest)
                if wanted == NOT_HERE:
                    return NOT_HERE
                if wanted < 0:  # names that no property has
                    n += -wanted
                    if not sort_members(text, members, first, n - first, scratch):
                        return NOT_HERE
            size = 0
            for i in range(first, n):
                size += members[i, SM_END] - members[i, SM_BEGIN]
            rules[rule, SK_FIRST], rules[rule, SK_MEMBERS], rules[rule, SK_OTHERS] = first, n - first, rest
            rules[rule, SK_EMPTY], rules[rule, SK_BYTES] = 1 if wanted == 0 else 0, size
        rule += 1
    if noted[T_REFERENCES] and not have_ends(rules, members, noted[T_RULES], scratch):
        return NOT_HERE
    return n


@jit
def have_ends(rules, members, n, done):
    """Each of the first ``n`` rules has a text: none needs itself, through others or not."""
    for rule in range(n):
        done[rule] = 0
    left = n
    while left:
        before = left
        for rule in range(n - 1, -1, -1):
            if done[rule]:
                continue
            ready = True
            if rules[rule, SK_KIND] == ENCLOSED:
                first = rules[rule, SK_FIRST]
                for i in range(first, first + rules[rule, SK_MEMBERS]):
                    value = members[i, SM_RULE]
                    ready = ready and (not members[i, SM_MUST] or value < 0 or done[value] > 0)
            elif rules[rule, SK_KIND] == LISTED and not rules[rule, SK_EMPTY]:
                ready = rules[rule, SK_FIRST] < 0 or done[rules[rule, SK_FIRST]] > 0
            if ready:
                done[rule] = 1
                left -= 1
        if left == before:
            return False
    return True


@jit
def require(text, nodes, required, members, first, n, rest):
    """Note which of the sorted members ``first .. n`` must come; how many names there are.

    Negative: so many are no member's, and were added behind the others. NOT_HERE: there is something odd.
    """
    if nodes[required, N_KIND] == TRUE or nodes[required, N_KIND] == FALSE:
        return 0  # As in draft 3: nothing is required.
    if nodes[required, N_KIND] != ARRAY:
        return NOT_HERE
    names = added = 0
    for name in range(required + 1, nodes[required, N_NEXT]):
        if nodes[name, N_KIND] != STRING:
            return NOT_HERE
        names += 1
        new = n + added
        members[new, SM_BEGIN], members[new, SM_END] = nodes[name, N_BEGIN], nodes[name, N_END]
        low, high = first, n
        while low < high:
            middle = (low + high) // 2
            if compare(text, members, members[middle, SM_ORDER], new) < 0:
                low = middle + 1
            else:
                high = middle
        if low < n and compare(text, members, members[low, SM_ORDER], new) == 0:
            members[members[low, SM_ORDER], SM_MUST] = 1
            continue
        if rest == NO_RULE:
            return NOT_HERE  # It can never come.
        again = False
        for i in range(n, new):
            again = again or compare(text, members, i, new) == 0
        if not again:
            members[new, SM_RULE], members[new, SM_MUST] = rest, 1
            added += 1
    return -added if added else names
