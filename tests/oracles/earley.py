"""Context-free languages by Earley's algorithm, one byte at a time.

Every way of cutting counts: a grammar is spelled out as plain productions down to sets of bytes
(a terminal or pattern as right-linear rules of its automaton, a repetition as a chain that counts,
members as a chain that remembers the keys seen), productions that never end in text are dropped,
and a text is a prefix of the language exactly when the last Earley set is not empty.

A symbol of a production is either a ``frozenset`` of what may be read there, or anything else
hashable: a nonterminal. With ``terminals=True`` what is read are names of terminals, not bytes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from structgen import ir
from structgen.automata import ByteDFA

Symbol = Hashable
Productions = dict[Symbol, list[tuple[Symbol, ...]]]
START = "start of the text"
IGNORED = "any number of ignored terminals"


class Translation:
    """The productions of a grammar."""

    def __init__(self, grammar: ir.GrammarIR, *, terminals: bool = False) -> None:
        self.grammar = grammar
        self.terminals = terminals
        self.productions: Productions = {START: [(IGNORED, ("rule", grammar.start))], IGNORED: [()]}
        if not terminals:
            self.productions[IGNORED] += [
                (self.dfa(grammar.terminals[n].dfa), IGNORED) for n in grammar.ignore
            ]
        for name, body in grammar.rules.items():
            self.productions["rule", name] = [(self.expr(body),)]

    def new(self, *alternatives: tuple[Symbol, ...]) -> Symbol:
        """A fresh nonterminal with these alternatives."""
        name = ("new", len(self.productions))
        self.productions[name] = list(alternatives)
        return name

    def expr(self, e: ir.Expr) -> Symbol:
        """A nonterminal for ``e``."""
        match e:
            case ir.Lit(data):
                return self.new(tuple(frozenset({b}) for b in data))
            case ir.Pat(dfa=dfa):
                return self.dfa(dfa)
            case ir.Bounded():
                return self.bounded(e)
            case ir.Term(name) if self.terminals:
                terminal = self.grammar.terminals.get(name)  # None: made by indentation
                empty = terminal is not None and terminal.dfa.is_empty
                return self.new() if empty else self.new((frozenset({name}),))
            case ir.Term(name):
                return self.new((self.dfa(self.grammar.terminals[name].dfa), IGNORED))
            case ir.Ref(rule):
                return ("rule", rule)
            case ir.Seq(items):
                return self.new(tuple(map(self.expr, items)))
            case ir.Alt(items):
                return self.new(*((self.expr(i),) for i in items))
            case ir.Rep():
                return self.rep(e)
            case ir.Members():
                return self.members(e)

    def rep(self, e: ir.Rep) -> Symbol:
        """State ``k``: so many items are read. From the end backwards."""
        item = self.expr(e.item)
        more = (self.expr(e.sep), item) if e.sep is not None else (item,)
        last = max(e.min, 1) if e.max is None else e.max
        state = self.new(()) if last >= e.min else self.new()
        if e.max is None:
            self.productions[state].append((*more, state))
        for k in reversed(range(last)):
            state = self.new((item, state) if k == 0 else (*more, state), *([()] if k >= e.min else []))
        return state

    def members(self, e: ir.Members) -> Symbol:
        """State ``(members read, how many with the rest, …, marks)``; counts past every bound are one."""
        sep = self.expr(e.sep)
        tails = [self.expr(m.tail) for m in e.members]
        keys = [self.expr(ir.Lit(m.key)) for m in e.members]
        named = tuple(m.key for m in e.members)
        rests = [(rest.mark, self.dfa(rest.key, named), self.expr(rest.tail)) for rest in e.rest]
        wanted = {rest.mark for rest in e.rest} - {None}
        bound = max(e.min_count, 1) if e.max_count is None else e.max_count
        states: dict[tuple[frozenset[int], int, bool, frozenset[int]], Symbol] = {}
        todo: list[tuple[frozenset[int], int, bool, frozenset[int]]] = []

        def state(*key: *tuple[frozenset[int], int, bool, frozenset[int]]) -> Symbol:
            if key not in states:
                states[key] = self.new()
                todo.append(key)
            return states[key]

        start = state(frozenset(), 0, False, frozenset())
        for seen, count, in_rest, marks in todo:
            here = self.productions[states[seen, count, in_rest, marks]]
            come = {e.members[i].key for i in seen}
            asked = {m.key for m in e.members if m.required}.union(*(e.members[i].needs for i in seen))
            if wanted <= marks and asked <= come and count >= e.min_count:
                here.append(())
            if count == bound and e.max_count is not None:
                continue
            between = (sep,) if count else ()
            for i in range(len(e.members)):
                if i not in seen and not (e.ordered and (in_rest or any(j > i for j in seen))):
                    here.append(
                        (
                            *between,
                            keys[i],
                            tails[i],
                            state(seen | {i}, min(count + 1, bound), in_rest, marks),
                        )
                    )
            for mark, *rest in rests:
                left = marks if mark is None else marks | {mark}
                here.append((*between, *rest, state(seen, min(count + 1, bound), e.ordered, left)))
        return start

    def bounded(self, e: ir.Bounded) -> Symbol:
        """As `dfa`, for each state and count; without a bound, counts past the least are one."""
        dfa = e.dfa
        todo: list[tuple[Any, ...]] = [("bounded", id(e), dfa.start, 0)]
        for name in todo:
            if name in self.productions:
                continue
            q, count = name[2:]
            here = self.productions[name] = [()] if dfa.final[q] and count >= e.least else []
            count += q in e.counted
            if e.most is None:
                count = min(count, e.least)
            elif count > e.most:
                continue
            targets: dict[int, set[int]] = {}
            for b in range(256):
                if to := int(dfa.trans[q, dfa.classes[b]]):
                    targets.setdefault(to, set()).add(b)
            for to, read in targets.items():
                following = ("bounded", id(e), to, count)
                todo.append(following)
                here.append((frozenset(read), following))
        return todo[0]

    def dfa(self, dfa: ByteDFA, without: tuple[bytes, ...] = ()) -> Symbol:
        """A right-linear rule for each state; the members of ``without`` are left out."""
        start: tuple[Any, ...] = ("dfa", id(dfa), dfa.start, b"" if without else None, without)
        todo = [start]
        for name in todo:
            if name in self.productions:
                continue
            _, _, q, read, _ = name
            self.productions[name] = [()] if dfa.final[q] and read not in without else []
            targets: dict[tuple[Any, ...], set[int]] = {}
            for b in range(256):
                if to := int(dfa.trans[q, dfa.classes[b]]):
                    seen = None if read is None else read + bytes([b])
                    if seen is not None and not any(w.startswith(seen) for w in without):
                        seen = None
                    targets.setdefault(("dfa", id(dfa), to, seen, without), set()).add(b)
            for target, symbols in targets.items():
                self.productions[name].append((frozenset(symbols), target))
                todo.append(target)
        return start


def productive(productions: Productions) -> Productions:
    """Without the productions, and the nonterminals, that never end in text."""
    good: set[Symbol] = set()
    size = -1
    while size != len(good):
        size = len(good)
        for name, alternatives in productions.items():
            if name not in good and any(all_good(a, good) for a in alternatives):
                good.add(name)
    return {n: [a for a in productions[n] if all_good(a, good)] for n in productions if n in good}


def all_good(symbols: Iterable[Symbol], good: set[Symbol]) -> bool:
    """Every symbol is in ``good`` or reads something."""
    return all(bool(s) if isinstance(s, frozenset) else s in good for s in symbols)


class Earley:
    """The texts of ``productions``, derived from `START`. Keeps the sets of the last text it was asked for.

    An item is ``(production, dot, origin)``. Of a set is kept which items wait for which symbol.
    """

    def __init__(self, productions: Productions) -> None:
        rules = productive(productions)
        self.empty = START not in rules
        number = {name: i for i, name in enumerate(rules)}
        self.bodies: list[tuple[tuple[Symbol, ...], Symbol]] = [((number.get(START),), None)]
        self.rules: dict[Symbol, list[int]] = {}
        for name, alternatives in rules.items():
            bodies = dict.fromkeys(
                tuple(s if isinstance(s, frozenset) else number[s] for s in body) for body in alternatives
            )
            self.rules[number[name]] = list(range(len(self.bodies), len(self.bodies) + len(bodies)))
            self.bodies += [(body, number[name]) for body in bodies]
        self.text: list[Hashable] = []
        self.waiting: list[dict[Symbol, list[tuple[int, int, int]]]] = []
        self.accepting: list[bool] = []
        self.close([(0, 0, 0)])

    def close(self, items: list[tuple[int, int, int]]) -> None:
        """Predict and complete from ``items`` until nothing is new; that is the next set."""
        here, accepting = len(self.waiting), False
        waiting: dict[Symbol, list[tuple[int, int, int]]] = {}
        self.waiting.append(waiting)
        done = set(items)
        empty: set[Symbol] = set()
        for production, dot, origin in items:
            body, name = self.bodies[production]
            new = []
            if dot == len(body):
                accepting |= name is None
                if origin == here:
                    empty.add(name)
                new = [(p, d + 1, o) for p, d, o in self.waiting[origin].get(name, ())]
            else:
                symbol = body[dot]
                waiting.setdefault(symbol, []).append((production, dot, origin))
                new = [(p, 0, here) for p in self.rules.get(symbol, ())]
                if symbol in empty:
                    new.append((production, dot + 1, origin))
            items += [i for i in dict.fromkeys(new) if i not in done]
            done.update(new)
        self.accepting.append(accepting)

    def read(self, text: Iterable[Hashable]) -> bool:
        """Bring the sets up to ``text``; False when they die on the way."""
        text = list(text)
        keep = 0
        while keep < min(len(text), len(self.text)) and text[keep] == self.text[keep]:
            keep += 1
        del self.text[keep:], self.waiting[keep + 1 :], self.accepting[keep + 1 :]
        for symbol in text[keep:]:
            items = [
                (production, dot + 1, origin)
                for wanted, waiting in self.waiting[-1].items()
                if isinstance(wanted, frozenset) and symbol in wanted
                for production, dot, origin in waiting
            ]
            if not items:
                return False
            self.text.append(symbol)
            self.close(items)
        return not self.empty

    def is_member(self, text: Iterable[Hashable]) -> bool:
        """``text`` belongs to the language."""
        return self.read(text) and self.accepting[-1]

    def is_prefix(self, text: Iterable[Hashable]) -> bool:
        """Some continuation of ``text``, perhaps the empty one, belongs to the language."""
        return self.read(text)

    def following(self, text: Iterable[Hashable]) -> set[Hashable]:
        """What can be read after ``text``."""
        if not self.read(text):
            return set()
        return {s for wanted in self.waiting[-1] if isinstance(wanted, frozenset) for s in wanted}


def any_cut(grammar: ir.GrammarIR) -> Earley:
    """The oracle for ``lexing="any"``."""
    return Earley(Translation(grammar).productions)
