"""All words of a small language, by the definition of each expression as a set.

The sets of the rules start empty and grow until nothing is new, cut at a length. Shares nothing with
`earley`, and is what holds it in check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from structgen import ir
from structgen.automata import ByteDFA

Words = frozenset[bytes]
EMPTY: Words = frozenset({b""})


def words(grammar: ir.GrammarIR, alphabet: bytes, length: int) -> Words:
    """The members of the language of at most ``length`` bytes, all of them in ``alphabet``."""
    every = [bytes(w) for n in range(length + 1) for w in product(alphabet, repeat=n)]
    regular: dict[int, Words] = {}
    rules: dict[str, Words] = dict.fromkeys(grammar.rules, frozenset())

    def matching(dfa: ByteDFA) -> Words:
        if id(dfa) not in regular:
            regular[id(dfa)] = frozenset(filter(dfa.matches, every))
        return regular[id(dfa)]

    def join(*parts: Words) -> Words:
        result = EMPTY
        for part in parts:
            result = frozenset(a + b for a in result for b in part if len(a) + len(b) <= length)
        return result

    def closure(part: Words) -> Words:
        result: Words = EMPTY
        while (more := result | join(result, part)) != result:
            result = more
        return result

    ignored = closure(frozenset().union(*(matching(grammar.terminals[n].dfa) for n in grammar.ignore)))

    def of(e: ir.Expr) -> Words:
        match e:
            case ir.Lit(data):
                return frozenset({data} & set(every))
            case ir.Pat(dfa=dfa):
                return matching(dfa)
            case ir.Term(name):
                return join(matching(grammar.terminals[name].dfa), ignored)
            case ir.Ref(rule):
                return rules[rule]
            case ir.Seq(items):
                return join(*map(of, items))
            case ir.Alt(items):
                return frozenset().union(*map(of, items))
            case ir.Rep(item, low, high, sep):
                first, more = of(item), join(of(sep) if sep is not None else EMPTY, of(item))
                result: Words = EMPTY if low == 0 else frozenset()
                row, n = first, 1
                seen: set[Words] = set()
                while (high is None or n <= high) and not (n > low and row in seen):
                    seen.add(row)
                    result |= row if n >= low else frozenset()
                    row, n = join(row, more), n + 1
                return result
            case ir.Members():
                return frozenset(w for w in members(e))

    def members(e: ir.Members) -> Iterator[bytes]:
        slots = [(join(frozenset({m.key}), of(m.tail)), i) for i, m in enumerate(e.members)]
        n = len(e.members)
        marks = {}
        for rest in e.rest:
            others = matching(rest.key) - {m.key for m in e.members}
            marks[len(slots)] = rest.mark
            slots.append((join(others, of(rest.tail)), len(slots)))
        sep = of(e.sep)
        number = {m.key: i for i, m in enumerate(e.members)}
        needed = [{number[key] for key in m.needs} for m in e.members]
        todo: list[tuple[Words, tuple[int, ...]]] = [(EMPTY, ())]
        for row, order in todo:
            wanted = {i for i, m in enumerate(e.members) if m.required}
            wanted |= {other for i in order if i < n for other in needed[i]}
            left = {marks[i] for i in order if i >= n}
            if wanted <= set(order) and set(marks.values()) - {None} <= left and e.min_count <= len(order):
                yield from row
            if e.max_count is not None and len(order) >= e.max_count:
                continue
            for member, i in slots:
                repeated = i in order and i < n
                misplaced = e.ordered and order and min(i, n) < min(order[-1], n)
                longer = join(row, sep, member) if order else member
                if longer and not repeated and not misplaced:
                    todo.append((longer, (*order, i)))

    while (more := {name: of(body) for name, body in grammar.rules.items()}) != rules:
        rules = more
    return join(ignored, rules[grammar.start])


def prefixes(members: Iterable[bytes]) -> Words:
    """What the members begin with."""
    return frozenset(m[:n] for m in members for n in range(len(m) + 1))
