"""JSON text to its values."""

from __future__ import annotations

from ....jit import jit

# A value of the text: its kind, where it lies, the number of the next one beside it, its key's bytes
# (without the quotes) where it is in an object, and the rule that it is, once that is known.
N_KIND, N_BEGIN, N_END, N_NEXT, N_KEY, N_KEY_END, N_RULE, NODE_WORDS = range(8)
# Kinds of values; of a string that has an escape, ESCAPED.
OBJECT, ARRAY, STRING, ESCAPED, NUMBER, TRUE, FALSE, NULL = range(8)
MOST_DEEP = 200
NOT_YET = -1001  # of a value: its rule is not known
ODD = -(10**15)  # no number


@jit
def end_of_string(text, at):
    """Behind the quote that ends the string beginning at ``at``; negative where it has an escape; 0: none."""
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
def is_no_keyword(text, begin, end):
    """A string with escapes has none that stands for a letter or a ``$``, so no keyword is spelled so."""
    i = begin
    while i < end:
        if text[i] == 92:
            i += 1
            if text[i] == 117:
                return False
        i += 1
    return True


@jit
def has_escape(text, begin, end):
    """There is a backslash among these bytes."""
    for i in range(begin, end):
        if text[i] == 92:
            return True
    return False


@jit
def end_of_digits(text, at):
    """Behind the digits that begin at ``at``, or ``at`` itself."""
    while at < text.shape[0] and 48 <= text[at] <= 57:
        at += 1
    return at


@jit
def end_of_number(text, at):
    """Where the number that begins at ``at`` ends; 0: there is none."""
    size = text.shape[0]
    begin = at + 1 if text[at] == 45 else at
    i = end_of_digits(text, begin)
    if i == begin or (text[begin] == 48 and i > begin + 1):
        return 0
    if i < size and text[i] == 46:
        begin = i + 1
        i = end_of_digits(text, begin)
        if i == begin:
            return 0
    if i < size and (text[i] == 69 or text[i] == 101):
        begin = i + 1
        if begin < size and (text[begin] == 43 or text[begin] == 45):
            begin += 1
        i = end_of_digits(text, begin)
        if i == begin:
            return 0
    return i


@jit
def end_of_blanks(text, at):
    """Behind the blanks that begin at ``at``, or ``at`` itself."""
    while at < text.shape[0] and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
        at += 1
    return at


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
    """The values of a JSON text, each before those inside it; how many, or 0 for what is no JSON, or has a
    key that might be a keyword in disguise.

    text : uint8[*], UTF-8
    nodes : int64[*, NODE_WORDS], written; two rows and one for each ``,``, ``[`` and ``{`` are enough
    stack : int64[*], as many words as levels are read
    """
    size = text.shape[0]
    at = 0
    n = 0
    depth = 0
    # What comes next: a value, a value or the array's end, a key or the object's end, a key, a comma or an
    # end.
    value, item, first_key, key, after = 0, 1, 2, 3, 4
    state = value
    key_begin = key_end = 0
    while True:
        at = end_of_blanks(text, at)
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
            if end < 0:
                end = -end
                if not is_no_keyword(text, at, end):
                    return 0
            if end == 0:
                return 0
            key_begin, key_end = at + 1, end - 1
            at = end_of_blanks(text, end)
            if at == size or text[at] != 58:
                return 0
            at += 1
            state = value
            continue
        nodes[n, N_BEGIN], nodes[n, N_KEY], nodes[n, N_KEY_END], nodes[n, N_RULE] = (
            at,
            key_begin,
            key_end,
            NOT_YET,
        )
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
def is_word(text, nodes, node):
    """A value is a plain string of ASCII."""
    if nodes[node, N_KIND] != STRING:
        return False
    for i in range(nodes[node, N_BEGIN], nodes[node, N_END]):
        if text[i] > 126:
            return False
    return True


@jit
def are_words(text, nodes, node):
    """A value is a list, not empty, of plain strings of ASCII."""
    if nodes[node, N_KIND] != ARRAY or nodes[node, N_NEXT] == node + 1:
        return False
    for one in range(node + 1, nodes[node, N_NEXT]):
        if not is_word(text, nodes, one):
            return False
    return True
