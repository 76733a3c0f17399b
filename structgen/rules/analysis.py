"""What is known of a grammar before any automaton is built: which expressions can be finished, which may
be empty, with which symbols they begin.

"Can this be finished" must be answered before it is offered (a mask may never be empty), while automata
are built on first visit; so these three facts are found for the whole grammar once, on integers. It is the
one part of compiling that cannot wait, and so it is done in one pass: expressions are numbered callees
first, and without recursion each is looked at once. Only from the calls of a rule that was still being
read are changes carried to the expressions above, until nothing changes (the least fixpoint: the facts
only ever grow).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..automata import ByteDFA
from ..errors import GrammarError, LimitExceededError
from ..ir import Alt, Bounded, Expr, GrammarIR, Lit, Mark, Members, Pat, Ref, Rep, Seq, Special, Term
from ..limits import Limits, check_time
from ..regex import word_counts
from .bounded import first_bits, reads_left

_Fact = tuple[bool, bool, int]  # productive, nullable, first
_NOTHING: _Fact = (False, False, 0)
_LEAVES = (Lit, Pat, Bounded, Term, Special, Mark)


class Analysis:
    """Facts by expression number (`number` of an expression object, `rule` of a rule's name).

    A grammar with common rules begins with what is known of these. Rules that the grammar promises
    (`GrammarIR.promised`) are known by that until they are read.

    children : numbers of the expressions directly below, calls apart; smaller than an expression's own
    called_early : rules that are called before they are read to their end; every cycle of calls has one, or
        a promised rule
    productive : some text belongs to it
    nullable : the empty text belongs to it
    first : int with one bit a symbol (a byte, or a terminal's number) with which a non-empty text can begin
    special_symbol : the symbols of marks and of the special tokens that there are; they come after all others
    """

    def __init__(
        self,
        ir: GrammarIR,
        limits: Limits,
        specials: Iterable[Special | Mark],
        common: Analysis | None = None,
    ) -> None:
        self.ir = ir
        self.promised = ir.promised
        self.exprs: list[Expr] = []
        self.children: list[tuple[int, ...]] = []
        self.number: dict[int, int] = {}
        self.rule: dict[str, int] = {}
        self.called_early: tuple[str, ...] = ()
        self.productive: list[bool] = []
        self.nullable: list[bool] = []
        self.first: list[int] = []
        self._most = limits.max_grammar_nodes
        self._entered: set[str] = set()
        self._lent = common is not None  # what is known of these is not copied before there is more
        if common is not None:
            self.exprs, self.children = common.exprs, common.children
            self.number, self.rule = common.number, common.rule
            self.productive, self.nullable, self.first = common.productive, common.nullable, common.first
            self._entered = common._entered
        early = [] if ir.start in self.promised else self._number(ir.start)
        self.terminal_number = self._terminals()
        symbols = 256 if ir.lexing == "any" else len(self.terminal_number)
        self.special_symbol = {special: symbols + i for i, special in enumerate(specials)}
        self._find(early)

    def of(self, expr: Expr) -> int:
        """The number of an expression of the grammar."""
        return self.number[id(expr)]

    def read(self, name: str) -> int:
        """The number of a rule's expression; a promised rule is read now, with all that it does not promise.

        What is read so is on a cycle with nothing that was read before.
        """
        if name not in self.rule:
            self._find(self._number(name))
        return self.rule[name]

    def starts_with(self, name: str) -> tuple[bool, int]:
        """Whether a rule may be empty, and the symbols with which it begins."""
        first = self.promised.get(name)
        if first is not None:
            return False, first
        number = self.rule[name]
        return self.nullable[number], self.first[number]

    def _terminals(self) -> dict[str, int]:
        ir, lines = self.ir, self.ir.indentation
        made = {lines.indent, lines.dedent} if lines else set()
        always = {lines.newline} if lines else set()
        if self._lent:
            return {}  # There is nothing but the common rules, which have none.
        used = {e.name for e in self.exprs if type(e) is Term} | set(ir.ignore) | always | made
        names = sorted(used | set(ir.forbidden))
        for name in names:
            if name not in ir.terminals and name not in made:
                raise GrammarError(f"terminal {name!r} is used but not defined")
        return {name: i for i, name in enumerate(names)}

    def _number(self, start: str) -> list[int]:
        """Number what a rule reaches and does not promise; the calls of rules not yet numbered.

        Expressions are numbered callees first, and what is below each is noted.
        """
        if self._lent:
            self._lent = False
            self.exprs, self.children = self.exprs.copy(), self.children.copy()
            self.number, self.rule = self.number.copy(), self.rule.copy()
            self.productive, self.nullable = self.productive.copy(), self.nullable.copy()
            self.first, self._entered = self.first.copy(), self._entered.copy()
        rules, promised, entered = self.ir.rules, self.promised, self._entered
        exprs, children, number = self.exprs, self.children, self.number
        early: list[int] = []
        begun = [start]
        entered.add(start)
        most = self._most
        todo: list[tuple[Expr, tuple[Expr, ...] | None]] = [(rules[start], None)]
        while todo:
            expr, below = todo.pop()
            me = id(expr)
            if me in number:
                continue
            if below is None:
                if type(expr) is Ref:
                    name = expr.rule
                    if name not in promised:
                        body = rules.get(name)
                        if body is None:
                            raise GrammarError(f"rule {name!r} is used but not defined")
                        if id(body) not in number:
                            if name not in entered:
                                entered.add(name)
                                begun.append(name)
                                todo.append((expr, ()))
                                todo.append((body, None))
                                continue
                            early.append(len(exprs))
                        elif name not in entered:
                            entered.add(name)
                            begun.append(name)
                    below = ()
                elif type(expr) in _LEAVES:
                    below = ()
                else:
                    below = children_of(expr)
                    if below:
                        todo.append((expr, below))
                        todo.extend([(c, None) for c in below])
                        continue
            if not len(exprs) & 1023:
                check_time("reading the grammar")
            if len(exprs) >= most:
                raise LimitExceededError("max_grammar_nodes", most, len(exprs) + 1, "reading the grammar")
            number[me] = len(exprs)
            exprs.append(expr)
            children.append(tuple([number[id(c)] for c in below]) if below else ())
        for name in begun:
            self.rule[name] = number[id(rules[name])]
        return early

    def _find(self, early: list[int]) -> None:
        """The facts of the expressions that have none yet; ``early``: calls of rules not yet numbered."""
        exprs, of = self.exprs, _FACT_OF
        productive, nullable, first = self.productive, self.nullable, self.first
        for me in range(len(first), len(exprs)):
            e = exprs[me]
            has_text, is_nullable, bits = of[type(e)](self, e, self.children[me])
            productive.append(has_text)
            nullable.append(is_nullable)
            first.append(bits)
        if early:
            self._settle(early)
        self.called_early = tuple(
            dict.fromkeys(e.rule for e in map(exprs.__getitem__, early) if isinstance(e, Ref))
        )

    def _settle(self, todo: list[int]) -> None:
        """Look again at the expressions ``todo``, and at whatever lies above one that changes."""
        exprs, children = self.exprs, self.children
        above: list[list[int]] = [[] for _ in exprs]
        for me, kids in enumerate(children):
            for k in kids:
                above[k].append(me)
            e = exprs[me]
            if type(e) is Ref and e.rule not in self.promised:
                above[self.rule[e.rule]].append(me)
        todo = todo[::-1]
        waiting = set(todo)
        while todo:
            check_time("finding out what can be written")
            me = todo.pop()
            waiting.discard(me)
            e = exprs[me]
            new = _FACT_OF[type(e)](self, e, children[me])
            if new != (self.productive[me], self.nullable[me], self.first[me]):
                self.productive[me], self.nullable[me], self.first[me] = new
                for p in above[me]:
                    if p not in waiting:
                        waiting.add(p)
                        todo.append(p)

    def _literal(self, e: Lit, _: tuple[int, ...]) -> _Fact:
        return (True, False, 1 << e.data[0]) if e.data else (True, True, 0)

    def _pattern(self, e: Pat, _: tuple[int, ...]) -> _Fact:
        return (True, e.dfa.accepts_empty, e.dfa.first_bits) if not e.dfa.is_empty else _NOTHING

    def _bounded(self, e: Bounded, _: tuple[int, ...]) -> _Fact:
        left = reads_left(e)
        if e.most is not None and (left[e.dfa.start] > e.most or e.least > e.most):
            return _NOTHING
        return True, False, first_bits(e, left)

    def _terminal(self, e: Term, _: tuple[int, ...]) -> _Fact:
        if e.name not in self.ir.terminals:  # Made by indentation.
            return True, False, 1 << self.terminal_number[e.name]
        dfa = self.ir.terminals[e.name].dfa
        if dfa.is_empty:
            return _NOTHING
        if self.ir.lexing == "longest":
            return True, False, 1 << self.terminal_number[e.name]
        return True, dfa.accepts_empty, dfa.first_bits

    def _special(self, e: Special | Mark, _: tuple[int, ...]) -> _Fact:
        symbol = self.special_symbol.get(e)
        return (True, False, 1 << symbol) if symbol is not None else _NOTHING

    def _call(self, e: Ref, _: tuple[int, ...]) -> _Fact:
        first = self.promised.get(e.rule)
        if first is not None:
            return True, False, first
        target = self.rule[e.rule]
        if target >= len(self.productive):
            return _NOTHING  # Not yet read: looked at again by `settle`.
        return self.productive[target], self.nullable[target], self.first[target]

    def _sequence(self, e: Seq, kids: tuple[int, ...]) -> _Fact:
        bits, nullable = 0, True
        for k in kids:
            if not self.productive[k]:
                return _NOTHING
            if nullable:
                bits |= self.first[k]
                nullable = self.nullable[k]
        return True, nullable, bits

    def _choice(self, e: Alt, kids: tuple[int, ...]) -> _Fact:
        bits, productive, nullable = 0, False, False
        for k in kids:
            productive = productive or self.productive[k]
            nullable = nullable or self.nullable[k]
            bits |= self.first[k]
        return productive, nullable, bits

    def _repetition(self, e: Rep, kids: tuple[int, ...]) -> _Fact:
        item, sep = kids[0], kids[-1]
        separated = len(kids) == 2
        several = self.productive[item] and (e.min <= 1 or not separated or self.productive[sep])
        if (e.max is not None and e.min > e.max) or not (e.min == 0 or several):
            return _NOTHING
        free = e.min <= 1 or not separated or self.nullable[sep]
        nullable = e.min == 0 or (self.nullable[item] and free)
        bits = self.first[item] if e.max != 0 else 0
        if separated and self.nullable[item] and (e.max is None or e.max > 1):
            bits |= self.first[sep]
        return True, nullable, bits

    def _members(self, e: Members, kids: tuple[int, ...]) -> _Fact:
        if not self._can_finish(e, kids):
            return _NOTHING
        bits = 0
        required = False
        for m in e.members:
            bits |= 1 << m.key[0]
            required = required or m.required
        for rest, tail in zip(e.rest, kids[1 + len(e.members) :], strict=True):
            if self.productive[tail]:
                bits |= rest.key.first_bits
            required = required or rest.mark is not None
        return True, e.min_count == 0 and not required, bits

    def _can_finish(self, e: Members, kids: tuple[int, ...]) -> bool:
        """Some sequence of members satisfies the required ones and the bounds."""
        named = [m.key for m in e.members]
        others = [
            rest
            for rest, tail in zip(e.rest, kids[1 + len(e.members) :], strict=True)
            if self.productive[tail] and has_other_keys(rest.key, named)
        ]
        marks = {rest.mark for rest in e.rest if rest.mark is not None}
        if not marks <= {rest.mark for rest in others}:
            return False
        tails = kids[1 : 1 + len(e.members)]
        most = most_members(e, self.productive[kids[0]])
        together = needed_with(e)
        if together is None:
            required = sum(m.required for m in e.members)
            possible = sum(self.productive[tail] for tail in tails)
            if any(
                m.required and not self.productive[tail] for m, tail in zip(e.members, tails, strict=True)
            ):
                return False
        else:
            obligatory = {
                j for m, needed in zip(e.members, together, strict=True) if m.required for j in needed
            }
            if not all(self.productive[tails[j]] for j in obligatory):
                return False
            required = len(obligatory)
            room = [most is None or len(obligatory.union(needed)) + len(marks) <= most for needed in together]
            possible = sum(
                fits and all(self.productive[tails[j]] for j in needed)
                for fits, needed in zip(room, together, strict=True)
            )
        needed = max(e.min_count, required + len(marks))
        if most is not None and needed > most:
            return False
        # Other keys can make up for it: one that is not named may come again and again.
        return needed <= possible or bool(others)


_FACT_OF: dict[type, Callable[[Analysis, Any, tuple[int, ...]], _Fact]] = {
    Lit: Analysis._literal,
    Pat: Analysis._pattern,
    Bounded: Analysis._bounded,
    Term: Analysis._terminal,
    Special: Analysis._special,
    Mark: Analysis._special,
    Ref: Analysis._call,
    Seq: Analysis._sequence,
    Alt: Analysis._choice,
    Rep: Analysis._repetition,
    Members: Analysis._members,
}


def children_of(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly below, calls apart."""
    if isinstance(expr, Seq):
        return expr.items
    if isinstance(expr, Alt):
        return expr.items
    if isinstance(expr, Rep):
        return (expr.item,) if expr.sep is None else (expr.item, expr.sep)
    if isinstance(expr, Members):
        return (expr.sep, *[m.tail for m in expr.members], *[rest.tail for rest in expr.rest])
    return ()


def most_members(e: Members, sep_productive: bool) -> int | None:
    """The bound on the number of members: one, where no separator can be written."""
    if sep_productive or e.max_count == 0:
        return e.max_count
    return 1


def needed_with(e: Members) -> list[list[int]] | None:
    """For each member the numbers of those that come with it, itself first; None: no member needs others.

    Raises GrammarError for a key that no member has, and for needs that `Members` does not allow.
    """
    if not any([m.needs for m in e.members]):  # noqa: C419  (a generator costs more)
        return None
    if e.ordered:
        raise GrammarError("members that need others are not ordered")
    number = {m.key: i for i, m in enumerate(e.members)}
    found = []
    for i in range(len(e.members)):
        together, seen = [i], {i}
        for j in together:  # grows on the way
            for key in e.members[j].needs:
                if key not in number:
                    raise GrammarError(f"key {e.members[j].key!r} needs key {key!r}, which no member has")
                if number[key] not in seen:
                    seen.add(number[key])
                    together.append(number[key])
        found.append(together)
    if e.min_count > 1 and e.max_count is not None:
        for i, together in enumerate(found):
            if any(i in found[j] for j in together[1:]):
                raise GrammarError(
                    f"key {e.members[i].key!r} needs itself where members are counted both ways"
                )
    return found


def has_other_keys(others: ByteDFA, named: Sequence[bytes]) -> bool:
    """Some key of ``others`` is not ``named``."""
    words = word_counts(others)[others.start]
    return bool(words > len(named) or words > sum(map(others.matches, named)))


def analyse(
    ir: GrammarIR,
    limits: Limits,
    specials: Iterable[Special | Mark] = (),
    common: Analysis | None = None,
) -> Analysis:
    """Number the expressions that the start rule reaches, and find the three facts of each.

    specials : those of ``ir.specials`` that can be written, and the marks
    common : what is known of the rules that ``ir.common`` has

    Raises GrammarError for a rule or terminal that is not defined.
    """
    if ir.lexing == "any" and ir.ignore:
        raise GrammarError(
            "in discipline 'any' what is ignored must be woven into the rules; `ignore` must be empty"
        )
    if ir.start not in ir.rules:
        defined = ", ".join(sorted(ir.rules)[:20])
        raise GrammarError(f"the start rule {ir.start!r} is not defined; defined are: {defined}")
    return Analysis(ir, limits, specials, common)
