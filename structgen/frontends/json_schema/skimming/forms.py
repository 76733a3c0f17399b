"""What rule a schema is, by its keywords."""

from __future__ import annotations

from ....jit import jit
from ....sketch import (
    ANY_OF,
    CHOICE,
    ELSEWHERE,
    ENCLOSED,
    LISTED,
    MAPPED,
    NO_RULE,
    REFERRED,
    SK_BEGIN,
    SK_BYTES,
    SK_EMPTY,
    SK_END,
    SK_FIRST,
    SK_KIND,
    SK_LEAST,
    SK_MEMBERS,
    SK_MOST,
    SK_OTHERS,
    SK_PARENT,
    SK_WAY,
    UNION,
)
from .references import follow, refers
from .values import (
    ARRAY,
    FALSE,
    N_BEGIN,
    N_END,
    N_KEY,
    N_KEY_END,
    N_KIND,
    N_NEXT,
    N_RULE,
    NOT_YET,
    OBJECT,
    ODD,
    STRING,
    TRUE,
    are_words,
    is_word,
    whole_number,
)
from .words import (
    A_FORMAT,
    A_TYPE,
    ADDITIONAL,
    CONST,
    ENUM,
    FORMAT,
    ID,
    IGNORED,
    ITEMS,
    MAX_ITEMS,
    MAX_LENGTH,
    MAXIMUM,
    MIN_ITEMS,
    MIN_LENGTH,
    MINIMUM,
    ONE,
    PROPERTIES,
    REFERENCE,
    REQUIRED,
    SOME,
    STOP,
    TYPE,
    UNKNOWN,
    code_of,
)

ANY_VALUE, STRING_TYPE, INTEGER_TYPE, NUMBER_TYPE, OBJECT_TYPE, ARRAY_TYPE = 0, 1, 2, 3, 6, 7  # common rules
# What is noted: how many rules there are, where the text says which draft it is in (0: nowhere), how many
# rules are for Python to look at, 4 for draft 4, whether there are references, how many keys were looked at
# to follow them; then of each keyword where it is.
T_RULES, T_DIALECT, T_UNSURE, T_DRAFT, T_REFERENCES, T_STEPS, T_PLACES, NOTED = 0, 1, 2, 3, 4, 5, 6, 6 + 17
ANY_TYPE = 0b11111010  # a bit for each type, save for integers, which are numbers
MOST_STEPS = 10**7
ALIKE = 64  # so many rules before one are looked through for one in the same words
NOT_HERE = -1000  # answered for a schema that makes the whole text one for Python


@jit
def types_in(text, nodes, node, table, words):
    """A bit for the common rule of each type that the value of ``type`` names; 0 for a value that is none."""
    found = 0
    in_list = nodes[node, N_KIND] == ARRAY
    for one in range(node + 1 if in_list else node, nodes[node, N_NEXT]):
        if nodes[one, N_KIND] != STRING:
            return 0
        code = code_of(text, nodes[one, N_BEGIN] + 1, nodes[one, N_END] - 1, table, words)
        if code <= A_TYPE or code == A_FORMAT:
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
def is_sure(text, nodes, types, noted):
    """A schema with known constraints, none of them on objects or arrays, is plain (`plain.Plain`)."""
    enum, const, form = noted[T_PLACES + ENUM], noted[T_PLACES + CONST], noted[T_PLACES + FORMAT]
    of_length = noted[T_PLACES + MIN_LENGTH] + noted[T_PLACES + MAX_LENGTH] > 0
    of_size = noted[T_PLACES + MINIMUM] + noted[T_PLACES + MAXIMUM] > 0
    if enum or const:
        alone = not (form or of_length or of_size) and types & (1 << STRING_TYPE | 1 << ANY_VALUE)
        if not alone or (enum and const):
            return False
        return are_words(text, nodes, enum) if enum else is_word(text, nodes, const)
    if form:
        return not of_length and not of_size and nodes[form, N_KIND] == STRING
    if of_length and not of_size:
        low = whole_number(text, nodes, noted[T_PLACES + MIN_LENGTH], 0)
        high = whole_number(text, nodes, noted[T_PLACES + MAX_LENGTH], -ODD)
        return 0 <= low <= high and high != ODD
    if of_size and not of_length:
        low = whole_number(text, nodes, noted[T_PLACES + MINIMUM], ODD + 1)
        high = whole_number(text, nodes, noted[T_PLACES + MAXIMUM], -ODD)
        return low != ODD and low <= high
    return False


@jit
def constrained_type(types, noted):
    """Of several types, the one of which a schema that says nothing of structure says something; else 0."""
    if types & (types - 1) == 0:
        return 0
    if noted[T_PLACES + FORMAT] or noted[T_PLACES + MIN_LENGTH] or noted[T_PLACES + MAX_LENGTH]:
        return STRING_TYPE if types >> STRING_TYPE & 1 else 0
    if noted[T_PLACES + MINIMUM] or noted[T_PLACES + MAXIMUM]:
        if types >> NUMBER_TYPE & 1:
            return NUMBER_TYPE
        return INTEGER_TYPE if types >> INTEGER_TYPE & 1 else 0
    return 0


@jit
def known_rule(text, nodes, node, rules, n):
    """One of the last rules of kind CHOICE or more that the text says in the same words, or -1."""
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
def rule_of(text, nodes, node, table, words, rules, parent, way, noted):
    """The rule of a schema: of a common one -1 - its number, of another its number, which may be a new one.

    NOT_HERE: the whole text is one for Python. ``noted``: int64[NOTED]. Of a new rule of kind CHOICE,
    SK_FIRST to SK_MEMBERS are its values, of one of kind ANY_OF SK_FIRST is that of the branches, or SK_EMPTY
    is 1 and SK_BYTES, if it is not 0, follows the number of the rule of one type; else see `structured`.
    """
    if noted[T_REFERENCES]:
        target, steps = follow(text, nodes, node, table, words)
        noted[T_STEPS] += steps
        if target < 0 or noted[T_STEPS] > MOST_STEPS:
            return NOT_HERE
        if target != node:
            parent, way = REFERRED, nodes[node, N_BEGIN]
            node = target
    if nodes[node, N_RULE] == NOT_YET:
        nodes[node, N_RULE] = new_rule(text, nodes, node, table, words, rules, parent, way, noted)
    return nodes[node, N_RULE]


@jit
def has_structure(noted):
    """The schema says something of objects or arrays."""
    for code in range(PROPERTIES, MAX_ITEMS + 1):
        if noted[T_PLACES + code]:
            return True
    return False


@jit
def add_rule(nodes, node, rules, kind, parent, way, noted):
    """A row for a new rule; its number."""
    rule = noted[T_RULES]
    noted[T_RULES] += 1
    rules[rule, SK_KIND] = kind
    rules[rule, SK_BEGIN], rules[rule, SK_END] = nodes[node, N_BEGIN], nodes[node, N_END]
    rules[rule, SK_PARENT], rules[rule, SK_WAY] = parent, way
    rules[rule, SK_FIRST] = rules[rule, SK_MEMBERS] = rules[rule, SK_OTHERS] = 0
    rules[rule, SK_EMPTY] = rules[rule, SK_BYTES] = rules[rule, SK_LEAST] = 0
    rules[rule, SK_MOST] = -1
    return rule


@jit
def add_types(nodes, node, rules, types, parent, way, noted):
    """A row of kind ANY_OF for a schema of several types; so far each is the common rule. Its number."""
    whole = add_rule(nodes, node, rules, ANY_OF, parent, way, noted)
    rules[whole, SK_OTHERS], rules[whole, SK_EMPTY] = types, 1
    rules[whole, SK_FIRST] = rules[whole, SK_MEMBERS] = NO_RULE
    return whole


@jit
def are_apart(text, nodes, node, table, words):
    """Each schema of a list has one type, and no two the same; integers are numbers."""
    seen = 0
    branch = node + 1
    while branch < nodes[node, N_NEXT]:
        if nodes[branch, N_KIND] != OBJECT:
            return False
        types = 0
        child = branch + 1
        while child < nodes[branch, N_NEXT]:
            code = code_of(text, nodes[child, N_KEY], nodes[child, N_KEY_END], table, words)
            if code == REFERENCE:
                return False
            if code == TYPE:
                types = types_in(text, nodes, child, table, words) if nodes[child, N_KIND] == STRING else 0
            child = nodes[child, N_NEXT]
        if types == 1 << INTEGER_TYPE:
            types = 1 << NUMBER_TYPE
        if not types or types & seen:
            return False
        seen |= types
        branch = nodes[branch, N_NEXT]
    return True


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
        if code == FORMAT and nodes[child, N_KIND] == STRING:
            name = code_of(text, nodes[child, N_BEGIN] + 1, nodes[child, N_END] - 1, table, words)
            code = FORMAT if name == A_FORMAT else IGNORED
        if code == CONST and noted[T_DRAFT] == 4:
            code = IGNORED  # no keyword there
        if TYPE <= code <= CONST:
            if noted[T_PLACES + code]:
                return NOT_HERE  # twice
            noted[T_PLACES + code] = child
            some += code != TYPE
        elif code == STOP or code == REFERENCE:
            return NOT_HERE
        elif code == UNKNOWN or (code == ID and node > 0):
            known = False
        child = nodes[child, N_NEXT]
    of_type = noted[T_PLACES + TYPE]
    types = types_in(text, nodes, of_type, table, words) if of_type else 1 << ANY_VALUE
    known = known and types != 0
    code = only_type(types)
    if known and some == 0 and (code or not of_type):
        return -1 - code
    rule = NOT_HERE
    if known:
        rule = structured(text, nodes, node, rules, types, some, parent, way, noted)
    if rule != NOT_HERE:
        return rule
    kind = ELSEWHERE
    sure = False
    outwards = 0
    branches = noted[T_PLACES + SOME] + noted[T_PLACES + ONE]
    if known and some == 0:
        kind = UNION
    elif known and some == 1 and branches and not of_type and nodes[branches, N_KIND] == ARRAY:
        n = 0
        child = branches + 1
        while child < nodes[branches, N_NEXT]:
            n += 1
            child = nodes[child, N_NEXT]
        if 0 < n <= ALIKE and (noted[T_PLACES + SOME] or are_apart(text, nodes, branches, table, words)):
            rule = add_rule(nodes, node, rules, ANY_OF, parent, way, noted)
            rules[rule, SK_FIRST], rules[rule, SK_BYTES] = branches, noted[T_PLACES + ONE] > 0
            rules[rule, SK_OTHERS] = 1 << ANY_VALUE
            return rule
    elif known and not branches and not has_structure(noted):
        sure = is_sure(text, nodes, types, noted)
        if sure and noted[T_PLACES + ENUM] + noted[T_PLACES + CONST]:
            kind = CHOICE
    elif known and some == 1 and code == OBJECT_TYPE and noted[T_PLACES + ADDITIONAL]:
        others = nodes[noted[T_PLACES + ADDITIONAL], N_KIND]
        sure = others == TRUE or others == FALSE
    if kind == ELSEWHERE and not sure:
        noted[T_UNSURE] += 1
        outwards = refers(text, nodes, node, table, words)
        if outwards == STOP:
            return NOT_HERE
    apart = constrained_type(types, noted) if kind == ELSEWHERE and sure else 0
    whole = NO_RULE
    if apart:
        whole = add_types(nodes, node, rules, types, parent, way, noted)
        types = 1 << apart
    rule = known_rule(text, nodes, node, rules, noted[T_RULES])
    if rule < 0:
        rule = add_rule(nodes, node, rules, kind, parent, way, noted)
        if kind == CHOICE:
            enum, const = noted[T_PLACES + ENUM], noted[T_PLACES + CONST]
            rules[rule, SK_FIRST] = enum + 1 if enum else const
            rules[rule, SK_MEMBERS] = nodes[enum, N_NEXT] if enum else const + 1
        rules[rule, SK_OTHERS] = types if types else 1 << ANY_VALUE
        if kind == ELSEWHERE and not sure:
            rules[rule, SK_BYTES] = 2 if outwards else 1
    if apart:
        rules[whole, SK_BYTES] = rule + 1
        return whole
    return rule


@jit
def structured(text, nodes, node, rules, types, some, parent, way, noted):
    """The rule of a schema that says something of objects, of arrays, or both, and nothing else but types.

    NOT_HERE: it is of another form, or says what no sketch does. Of a rule of kind ENCLOSED, SK_FIRST,
    SK_MEMBERS and SK_OTHERS are the values of ``properties``, ``required`` and ``additionalProperties``; of
    one of kind LISTED or MAPPED, SK_FIRST is that of ``items`` (0: there is none) or
    ``additionalProperties``. One of ANY_OF
    has the rules of objects and of arrays under SK_FIRST and SK_MEMBERS (NO_RULE: the common ones), and
    SK_EMPTY is 1.
    """
    properties, required = noted[T_PLACES + PROPERTIES], noted[T_PLACES + REQUIRED]
    others, items = noted[T_PLACES + ADDITIONAL], noted[T_PLACES + ITEMS]
    least, most = noted[T_PLACES + MIN_ITEMS], noted[T_PLACES + MAX_ITEMS]
    of_objects = (properties > 0) + (required > 0) + (others > 0)
    of_arrays = (items > 0) + (least > 0) + (most > 0)
    if some != of_objects + of_arrays or some == 0:
        return NOT_HERE
    if types == 1 << ANY_VALUE:
        types = ANY_TYPE
    kind = ENCLOSED
    if of_objects:
        if not types >> OBJECT_TYPE & 1 or (properties and nodes[properties, N_KIND] != OBJECT):
            return NOT_HERE
        listed = required > 0 and nodes[required, N_KIND] == ARRAY
        if required and not listed and nodes[required, N_KIND] != TRUE and nodes[required, N_KIND] != FALSE:
            return NOT_HERE
        names = properties > 0 and nodes[properties, N_NEXT] > properties + 1
        names = names or (listed and nodes[required, N_NEXT] > required + 1)
        if not names:
            if others and nodes[others, N_KIND] == OBJECT:
                kind = MAPPED
            elif others and nodes[others, N_KIND] != TRUE:
                return NOT_HERE
            elif of_arrays:
                of_objects = 0
            elif types == 1 << OBJECT_TYPE or types == ANY_TYPE:
                return -1 - (OBJECT_TYPE if types == 1 << OBJECT_TYPE else ANY_VALUE)
            else:
                return NOT_HERE
    low = high = 0
    if of_arrays:
        low, high = whole_number(text, nodes, least, 0), whole_number(text, nodes, most, -1)
        if not types >> ARRAY_TYPE & 1 or low < 0 or (most and not 0 < high >= low):
            return NOT_HERE
        if items and nodes[items, N_KIND] != OBJECT and nodes[items, N_KIND] != TRUE:
            return NOT_HERE
    several = only_type(types) == 0
    whole = NO_RULE
    if several:
        whole = add_types(nodes, node, rules, types, parent, way, noted)
    rule = NO_RULE
    if of_objects:
        rule = add_rule(nodes, node, rules, kind, parent, way, noted)
        if kind == MAPPED:
            rules[rule, SK_FIRST] = others
        else:
            rules[rule, SK_FIRST], rules[rule, SK_MEMBERS], rules[rule, SK_OTHERS] = (
                properties,
                required,
                others,
            )
        if several:
            rules[whole, SK_FIRST] = rule
    if of_arrays:
        rule = add_rule(nodes, node, rules, LISTED, parent, way, noted)
        rules[rule, SK_FIRST], rules[rule, SK_LEAST], rules[rule, SK_MOST] = items, low, high
        if several:
            rules[whole, SK_MEMBERS] = rule
    return whole if several else rule
