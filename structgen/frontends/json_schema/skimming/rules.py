"""The rules of a schema, and the members they have."""

from __future__ import annotations

import numpy as np

from ....jit import jit
from ....sketch import (
    ANY_OF,
    CHOICE,
    ELSEWHERE,
    ENCLOSED,
    LISTED,
    MAPPED,
    NO_RULE,
    SK_BYTES,
    SK_EMPTY,
    SK_FIRST,
    SK_KIND,
    SK_LEAST,
    SK_MEMBERS,
    SK_OTHERS,
    SM_BEGIN,
    SM_END,
    SM_MUST,
    SM_ORDER,
    SM_RULE,
    UNION,
    WAY_BRANCHES,
    WAY_ITEMS,
    WAY_OTHERS,
)
from .forms import (
    ANY_VALUE,
    ARRAY_TYPE,
    NOT_HERE,
    OBJECT_TYPE,
    STRING_TYPE,
    T_DIALECT,
    T_DRAFT,
    T_REFERENCES,
    T_RULES,
    add_rule,
    rule_of,
)
from .references import have_references
from .values import (
    ARRAY,
    ESCAPED,
    FALSE,
    N_BEGIN,
    N_END,
    N_KEY,
    N_KEY_END,
    N_KIND,
    N_NEXT,
    OBJECT,
    STRING,
    TRUE,
    has_escape,
)
from .words import DIALECT, code_of

MOST_CHOICES = 64  # as `lower.MOST_LISTED` has it: more are an automaton
MOST_UNNAMED = 1000  # names that must come and that no property has
MOST_ROUNDS = 100
OLD = b"draft-0"  # and then 3 or 4


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
def old_draft(text, nodes, node):
    """3 or 4 where the value of ``$schema`` is that draft, as `document.draft_of` tells; 0 for all others."""
    if nodes[node, N_KIND] != STRING:
        return 0
    found = 0
    for at in range(nodes[node, N_BEGIN], nodes[node, N_END] - len(OLD)):
        draft = np.int64(text[at + len(OLD)]) - 48
        same = draft == 3 or draft == 4
        for i in range(len(OLD)):
            same = same and text[at + i] == OLD[i]
        if same and draft == 3:
            return 3
        if same:
            found = 4
    return found


@jit
def sketch_rules(text, nodes, table, words, rules, members, noted, scratch):
    """The rules of a schema whose text was read. How many members they have, or NOT_HERE.

    rules, members : int64[*, SKETCH_WORDS], int64[*, MEMBER_WORDS], written; for n values, n + 8 and
        3 * n + 8 rows do. Of a rule of kind ELSEWHERE, SK_BYTES is 1 where Python has to look at it,
        2 where it refers to another place of the text as well
    noted : int64[NOTED]; afterwards T_RULES, T_DIALECT, T_UNSURE and T_DRAFT
    scratch : int64[2 * rows]
    """
    noted[:] = 0
    noted[T_REFERENCES] = have_references(text, nodes, nodes[0, N_NEXT])
    child = 1
    while nodes[0, N_KIND] == OBJECT and child < nodes[0, N_NEXT]:
        if code_of(text, nodes[child, N_KEY], nodes[child, N_KEY_END], table, words) == DIALECT:
            if noted[T_DIALECT] or nodes[child, N_KIND] == ESCAPED:
                return NOT_HERE  # twice, or in disguise
            noted[T_DIALECT] = child
            noted[T_DRAFT] = old_draft(text, nodes, child)
            if noted[T_DRAFT] == 3:
                return NOT_HERE  # `required` and others are other keywords there
        child = nodes[child, N_NEXT]
    start = rule_of(text, nodes, 0, table, words, rules, -1, 0, noted)
    if start == NOT_HERE or (start >= 0 and rules[0, SK_KIND] == ELSEWHERE):
        return NOT_HERE
    if start < 0:
        rules[add_rule(nodes, 0, rules, UNION, -1, 0, noted), SK_OTHERS] = 1 << (-1 - start)
    n = 0
    rule = 0
    while rule < noted[T_RULES]:
        kind = rules[rule, SK_KIND]
        if kind == CHOICE:
            first, size = n, 0
            for one in range(rules[rule, SK_FIRST], rules[rule, SK_MEMBERS]):
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
        elif kind == ANY_OF:
            first = n
            if rules[rule, SK_EMPTY]:
                apart = rules[rule, SK_BYTES] - 1
                rules[rule, SK_BYTES] = 0
                for code in range(STRING_TYPE, ARRAY_TYPE + 1):
                    if rules[rule, SK_OTHERS] >> code & 1:
                        members[n, SM_RULE] = -1 - code
                        if apart >= 0 and rules[apart, SK_OTHERS] == 1 << code:
                            members[n, SM_RULE] = apart
                        if code == OBJECT_TYPE and rules[rule, SK_FIRST] != NO_RULE:
                            members[n, SM_RULE] = rules[rule, SK_FIRST]
                        elif code == ARRAY_TYPE and rules[rule, SK_MEMBERS] != NO_RULE:
                            members[n, SM_RULE] = rules[rule, SK_MEMBERS]
                        n += 1
            else:
                branches = rules[rule, SK_FIRST]
                child = branches + 1
                while child < nodes[branches, N_NEXT]:
                    way = WAY_BRANCHES - (n - first)
                    found = rule_of(text, nodes, child, table, words, rules, rule, way, noted)
                    if found == NOT_HERE:
                        return NOT_HERE
                    members[n, SM_RULE] = found
                    n += 1
                    child = nodes[child, N_NEXT]
            for i in range(first, n):
                members[i, SM_BEGIN] = members[i, SM_END] = members[i, SM_MUST] = members[i, SM_ORDER] = 0
            rules[rule, SK_FIRST], rules[rule, SK_MEMBERS], rules[rule, SK_EMPTY] = first, n - first, 0
        elif kind == LISTED or kind == MAPPED:
            way = WAY_ITEMS if kind == LISTED else WAY_OTHERS
            found = -1 - ANY_VALUE
            if rules[rule, SK_FIRST]:
                found = rule_of(text, nodes, rules[rule, SK_FIRST], table, words, rules, rule, way, noted)
            if found == NOT_HERE:
                return NOT_HERE
            rules[rule, SK_FIRST] = found
        elif kind == ENCLOSED:
            first = n
            properties, required = rules[rule, SK_FIRST], rules[rule, SK_MEMBERS]
            others = rules[rule, SK_OTHERS]
            child = properties + 1
            while properties and child < nodes[properties, N_NEXT]:
                if has_escape(text, nodes[child, N_KEY], nodes[child, N_KEY_END]):
                    return NOT_HERE  # there are other ways to spell it
                found = rule_of(text, nodes, child, table, words, rules, rule, n, noted)
                if found == NOT_HERE:
                    return NOT_HERE
                members[n, SM_BEGIN], members[n, SM_END] = (
                    nodes[child, N_KEY] - 1,
                    nodes[child, N_KEY_END] + 1,
                )
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
    """Each of the first ``n`` rules has a text: none needs itself, through others or not.

    False, too, where a few rounds do not tell.
    """
    for rule in range(n):
        done[rule] = 0
    left = n
    for _ in range(MOST_ROUNDS):
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
            elif rules[rule, SK_KIND] == ANY_OF:
                first = rules[rule, SK_FIRST]
                ready = False
                for i in range(first, first + rules[rule, SK_MEMBERS]):
                    ready = ready or members[i, SM_RULE] < 0 or done[members[i, SM_RULE]] > 0
            elif rules[rule, SK_LEAST] > 0:
                ready = rules[rule, SK_FIRST] < 0 or done[rules[rule, SK_FIRST]] > 0
            if ready:
                done[rule] = 1
                left -= 1
        if left == 0 or left == before:
            break
    return left == 0


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
            if added > MOST_UNNAMED:
                return NOT_HERE
    return -added if added else names
