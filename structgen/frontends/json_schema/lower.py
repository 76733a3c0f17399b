"""Nodes to rules of the grammar IR.

A rule for each formula that is reached; scalar nodes that say the same share one, and what is unconstrained
is one of a few rules that every grammar shares, expression objects included, so that nothing is laid out
twice.

Whitespace stands where JSON allows it, save before the first byte and after the last, where it helps nobody
and a model that runs away in newlines would never stop. An object or array that may be empty is `{ ws ( } |
… ws } )`: the whitespace before the first member is read once, so the reading stays single.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from weakref import proxy

from ...errors import LimitExceededError
from ...ir import (
    Alt,
    Bounded,
    Distinct,
    Enclosed,
    Expr,
    GrammarIR,
    Lit,
    Member,
    Members,
    Pat,
    Ref,
    Rep,
    Rest,
    Seq,
)
from ...limits import Limits
from ...regex import json_string_literal, union
from ...weakly import weakly
from . import languages, number_texts
from .direct import OTHERS_TWICE, Direct
from .document import Documents, Location
from .emptiness import has_array, has_object, most_items, open_keys, possible_keys, read_all, useful_states
from .later import Rules, Sight, first_bits, promise
from .nodes import (
    ALL_ARRAYS,
    ALL_OBJECTS,
    ANY,
    FALSE,
    NULL,
    TRUE,
    ArraySet,
    Formula,
    Machine,
    Node,
    ObjectSet,
)
from .normalise import Normaliser
from .punctuation import Whitespace, shared_rule, text
from .report import Findings
from .scalars import ALL_INTEGERS, ALL_NUMBERS, ALL_STRINGS, StringSet, merge_strings
from .spelled import told_apart

EMPTY = Seq(())
NOTHING = Alt(())
MOST_NAMED = 128  # keys that match a pattern are named one by one when they are at most so many
MOST_LISTED = 64  # so many texts of a list are spelled; more are an automaton
MOST_KINDS = 256  # of keys with different values in one object, which `regex.disjoint_union` can tell apart


class Lowering:
    """One grammar being written.

    normaliser : has read the schema, and `emptiness.settle` has seen its nodes; or makes one that reads what
        it is asked for: then the root is plain
    """

    def __init__(
        self,
        normaliser: Normaliser | Callable[[], Normaliser],
        documents: Documents,
        report: Findings,
        limits: Limits,
        whitespace: Whitespace,
        ordered: bool,
        plain_integers: bool,
    ) -> None:
        self._normaliser = normaliser
        self.report = report
        self.limits = limits
        self.plain_values = plain_integers
        self.plain_integers = plain_integers or documents.root.resource.draft == 4
        self.text = text(whitespace, self.plain_integers)
        self.ordered = ordered
        self.rules = Rules(weakly(self._write), self.text.common.promised)
        self.direct = Direct(proxy(self))
        self._todo: list[tuple[str, Node]] = []
        self._refs: dict[Formula, Ref] = {}
        self._shared: dict[str, Ref] = {}
        self._scalars: dict[Hashable, Ref] = {}
        self._tails: dict[str, Expr] = {}
        self._members: dict[tuple[str, Formula, bool], Member] = {}
        self._taken: dict[str, int] = {}
        self._later = limits.max_dfa_states >= Limits.max_dfa_states
        self._distinct: list[Distinct] = []

    @property
    def normaliser(self) -> Normaliser:
        """What reads all that is not plain; many a schema has nothing for it."""
        if not isinstance(self._normaliser, Normaliser):
            self._normaliser = self._normaliser()
        return self._normaliser

    def grammar(self, root: Location) -> GrammarIR:
        """The whole grammar of a schema that has a value."""
        start = self.rule(root)
        if isinstance(self._normaliser, Normaliser) and self.normaliser.items_differ:
            self.complete(root)  # All arrays whose items differ are to be known.
        return self._grammar(start)

    def part(self) -> GrammarIR:
        """A grammar that has the rules of whatever schemas `rule` is asked for; it begins with one of all."""
        return self._grammar(self.shared("json").rule)

    def rule(self, at: Location) -> str:
        """The rule of a schema at its place."""
        with self.rules.lock:
            known = None if isinstance(self._normaliser, Normaliser) else self.direct.ref(at)
            found = known or self.ref(self._formula(at))
            self._write_waiting()
        return found.rule

    def _grammar(self, start: str) -> GrammarIR:
        return GrammarIR(
            self.rules,
            start,
            promised=self.rules.promised,
            distinct=tuple(self._distinct),
            common=self.text.common,
            enclosed=self._enclosed,
        )

    def _enclosed(self, name: str) -> Enclosed | None:
        """Of a rule that is not written yet: its parts, if it is members between brackets."""
        with self.rules.lock:
            at = self.rules.waiting(name)
            parts = self.direct.enclosed(at) if isinstance(at, Location) else None
            self._write_waiting()
        return parts

    def _formula(self, at: Location) -> Formula:
        return self.normaliser.formula(at.schema, at.pointer, at.resource)

    def complete(self, root: Location) -> None:
        """Read and write all that was put off, for the report."""
        with self.rules.lock:
            read_all(self.normaliser, self._formula(root))
            self.rules.write_all()

    def _write(self, what: Formula | Location, name: str) -> Expr:
        """The expression of a rule that was promised; other rules that it needs are written or promised."""
        expr = self.direct.write(what) if isinstance(what, Location) else None
        if expr is None:
            if isinstance(what, Location):
                what = self._formula(what)
            expr = self.value(self.normaliser.node(what), name)
        self._write_waiting()
        return expr

    def _write_waiting(self) -> None:
        while self._todo:
            name, node = self._todo.pop()
            self.rules.put(name, self.value(node, name))

    def shared(self, name: str) -> Ref:
        """A rule that every grammar has alike."""
        found = self._shared.get(name)
        if found is None:
            found = self._shared[name] = Ref(name)
            if name in self.text.common.promised:
                self.rules.put_all(self.text.shared)
            else:
                self.rules.put(name, self.text.shared[name])
        return found

    def gap(self) -> None:
        """Blanks are written: their rule is there."""
        if self.text.gap:
            self.shared("ws")

    def ref(self, formula: Formula) -> Ref:
        """The rule of a formula, to be written if it is new."""
        found = self._refs.get(formula)
        if found is None:
            found = self._refs[formula] = self._new_ref(formula)
        return found

    def _new_ref(self, formula: Formula) -> Ref:
        if formula.node is None and formula.kind == "schema":
            # A plain schema, not read so far.
            found = self.direct.ref(formula.parts[0])
            if found is not None:
                return found
        node = self.normaliser.node(formula)
        known = shared_rule(node)
        if known is not None:
            return self.shared(known)
        if not node.arrays and not node.objects:
            key = (node.simple, node.numbers, node.strings)
            found = self._scalars.get(key)
            if found is None:
                found = self._scalars[key] = self._named(formula, node)
            return found
        return self._named(formula, node)

    def promised(self, at: Location, seen: Sight) -> Ref:
        """The rule of a plain schema, to be written when a text gets there."""
        found = self._scalars.get(seen.key)
        if found is None:
            found = Ref(self._unused("#" + at.pointer))
            self.rules.put_later(found.rule, at, seen.first)
            if seen.key is not None:
                self._scalars[seen.key] = found
        return found

    def _named(self, formula: Formula, node: Node) -> Ref:
        base = formula.name if formula.kind != "schema" else "#" + formula.name
        name = self._unused(base)
        first = promise(node) if self._later else None
        if first is not None:
            self.rules.put_later(name, formula, first)
        else:
            self.rules.put(name, EMPTY)  # taken; written when its turn comes
            self._todo.append((name, node))
        return Ref(name)

    def value(self, node: Node, name: str) -> Expr:
        """The expression of a node's values."""
        most, alternatives = self.limits.max_heads, len(node.arrays) + len(node.objects)
        if alternatives > most:
            raise LimitExceededError("max_heads", most, alternatives, f"telling alternatives of {name} apart")
        found: list[Expr] = []
        if node.simple & NULL:
            found.append(Lit(b"null"))
        if node.simple & TRUE:
            found.append(Lit(b"true"))
        if node.simple & FALSE:
            found.append(Lit(b"false"))
        if node.numbers == (ALL_NUMBERS,):
            found.append(self.shared("number"))
        elif node.numbers == (ALL_INTEGERS,):
            found.append(self.shared("integer"))
        elif node.numbers:
            texts = (
                number_texts.text_of(one, self.plain_integers, self.plain_values) for one in node.numbers
            )
            found.append(Pat(union(*texts), "number"))
        strings = [self.strings(one) for one in merge_strings(node.strings)]
        for array in node.arrays:
            if array is ALL_ARRAYS:
                found.append(self.shared("json.array"))
            elif has_array(array):
                self.gap()
                found.append(self.array(array, name))
        parts = [
            part
            for one in node.objects
            if one is not ALL_OBJECTS
            for case in (one.cases if one.cases is not None else (one,))
            for part in told_apart(case, self.ordered)
            if has_object(part)
        ]
        if ALL_OBJECTS in node.objects:
            found.append(self.shared("json.object"))
        alone = len(found) + len(strings) + len(parts) == 1
        # Beside others, a list and an object have rules of their own, which are built in one piece each.
        for string in strings:
            whole = isinstance(string, Alt) and not alone
            found.append(self._apart(f"{name} (a string)", string, b'"') if whole else string)
        for part in parts:
            self.gap()
            text = self.object(part, name)
            found.append(text if alone else self._apart(f"{name} (an object)", text, b"{"))
        return found[0] if len(found) == 1 else Alt(tuple(found))

    def strings(self, one: StringSet) -> Expr:
        """Strings of one alternative, quotes included."""
        if one.values is not None:
            texts = tuple(json_string_literal(value) for value in one.values)
            most, longest = self.limits.max_dfa_states, max(map(len, texts))
            if longest > most:
                raise LimitExceededError("max_dfa_states", most, longest, "spelling a listed text")
            if len(texts) <= MOST_LISTED:
                return Lit(texts[0]) if len(texts) == 1 else Alt(tuple(map(Lit, texts)))
            return Pat(languages.among(texts), "enum")
        if one.lang is not None and one.max is not None:
            dfa, counted = languages.counted_text(one.lang)
            return Bounded(dfa, counted, one.max + 1, "string")  # The closing quote is counted as well.
        if one.lang is not None:
            return Pat(languages.text_of(one.lang), "string")
        if one == ALL_STRINGS:
            return self.shared("string")
        return languages.bounded_text(one.min, one.max)

    # Arrays

    def array(self, array: ArraySet, name: str) -> Expr:
        """Arrays of one alternative."""
        if array.choice is not None:
            members = tuple(
                Member(json.dumps(one, ensure_ascii=False).encode(), EMPTY) for one in array.choice
            )
            inside = Members(members, self.text.comma, (), max(array.min, 1), array.max)
            return self.text.bracketed(b"[", b"]", inside, array.min == 0)
        if not array.distinct:
            return self._items(array, name, self.ref)
        items: dict[Formula, Ref] = {}

        def item(formula: Formula) -> Ref:
            if formula not in items:
                items[formula] = self._fresh(f"{name}[]", self.ref(formula))
            return items[formula]

        repeats = array.repeats is not None
        title = "two items are equal" if repeats else "items differ"
        whole = self._fresh(f"{name} ({title})", self._items(array, name, item))
        rules = tuple(one.rule for one in items.values())
        self._distinct.append(Distinct(whole.rule, rules, repeats, array.max if repeats else None))
        return whole

    def _items(self, array: ArraySet, name: str, ref: Callable[[Formula], Ref]) -> Expr:
        """Arrays of one alternative, item by item; ``ref``: the rule of an item's formula."""
        if array.machine is not None:
            return self._machine(array.machine, name, ref)
        most = most_items(array)
        if most == 0:
            return self.text.bracketed(b"[", b"]", None, True)
        length = len(array.prefix) if most is None else min(most, len(array.prefix))
        low = max(array.min, 1)
        comma = self.text.comma
        if not length:
            items: Expr = Rep(ref(array.rest), low, most, comma)
            return self.text.bracketed(b"[", b"]", items, array.min == 0)
        # From the last place backwards: what may follow place i, in a rule of its own so that nothing nests.
        following: Expr | None = None
        if most is None or most > length:
            more = Seq((comma, ref(array.rest)))
            following = Rep(more, max(low - length, 0), None if most is None else most - length)
        obligatory = min(low, length)
        for i in range(length - 1, obligatory - 1, -1):
            step = (comma, ref(array.prefix[i]))
            tail = self._fresh(f"{name}[{i}]", Seq((*step, following) if following is not None else step))
            following = Rep(tail, 0, 1)
        parts: list[Expr] = []
        for i in range(obligatory):
            parts.extend((comma, ref(array.prefix[i])) if i else (ref(array.prefix[i]),))
        if following is not None:
            parts.append(following)
        return self.text.bracketed(b"[", b"]", Seq(tuple(parts)), array.min == 0)

    def _machine(self, machine: Machine, name: str, ref: Callable[[Formula], Ref]) -> Expr:
        """Arrays of an automaton: a rule for what may follow the items of each state."""
        useful = useful_states(machine)
        steps = {
            state: [
                (ref(formula), target)
                for formula, target in machine.edges[state]
                if formula.productive and target in useful
            ]
            for state in sorted(useful)
        }
        # What more items follow those of a state: a rule where there can be some, which is not empty.
        followed = dict.fromkeys(target for ways in steps.values() for _, target in ways if steps[target])
        more = {state: self._fresh(f"{name}[{state}]", EMPTY) for state in followed}

        def step(item: Ref, target: int) -> Expr:
            loop = machine.loops.get(target)
            if loop is not None and loop[0].productive:
                return Seq((item, Rep(Seq((self.text.comma, ref(loop[0]))), loop[1], loop[2])))
            if target not in more:
                return item
            return Seq((item, Rep(more[target], 0, 1) if machine.final[target] else more[target]))

        for state, rule in more.items():
            ways = tuple(step(*way) for way in steps[state])
            self.rules.put(rule.rule, Seq((self.text.comma, Alt(ways))))
        begin = tuple(step(*way) for way in steps[0])
        return self.text.bracketed(b"[", b"]", Alt(begin) if begin else None, machine.final[0])

    def _fresh(self, base: str, expr: Expr) -> Ref:
        name = self._unused(base)
        self.rules.put(name, expr)
        return Ref(name)

    def _apart(self, base: str, expr: Expr, first: bytes) -> Ref:
        """A rule for an expression that begins with this byte and can be finished."""
        name = self._unused(base)
        self.rules.put(name, expr)
        self.rules.promised[name] = first_bits(first)
        return Ref(name)

    def _unused(self, base: str) -> str:
        """The name, with a number where it is taken."""
        name = base
        while name in self.rules or name in self.text.shared:
            self._taken[base] = self._taken.get(base, 1) + 1
            name = f"{base} ({self._taken[base]})"
        return name

    # Objects

    def tail(self, value: Ref) -> Expr:
        """What follows a key: the colon and the value."""
        found = self._tails.get(value.rule)
        if found is None:
            found = self._tails[value.rule] = Seq((*self.text.colon, value))
        return found

    def object(self, one: ObjectSet, name: str) -> Expr:
        """Objects of one alternative without ``some``."""
        comma = self.text.comma
        possible = possible_keys(one)
        members = [self._member(key, one) for key in possible]
        low = max(one.min, 1)
        empty = not one.required and not one.wanted and one.min == 0
        rests: list[Rest] = []
        if one.max is None or one.max > len(one.with_needed(one.required)):
            rests = self._other_keys(one, members, one.props.keys() - possible, name)
        if one.max == 0 or not (members or rests):
            return self.text.bracketed(b"{", b"}", None, True)
        if not members and len(rests) == 1 and rests[0].mark is None:
            inside: Expr = Rep(Seq((Pat(rests[0].key, "key"), rests[0].tail)), low, one.max, comma)
        else:
            inside = Members(tuple(members), comma, tuple(rests), low, one.max, self.ordered)
        return self.text.bracketed(b"{", b"}", inside, empty)

    def _member(self, key: str, one: ObjectSet) -> Member:
        """A property, the same object in all alternatives in which it says the same."""
        formula, required = one.props[key], key in one.required
        if key in one.needs:
            needs = tuple(json_string_literal(other) for other in sorted(one.needs[key]))
            return Member(json_string_literal(key), self.tail(self.ref(formula)), required, needs)
        found = self._members.get((key, formula, required))
        if found is None:
            found = Member(json_string_literal(key), self.tail(self.ref(formula)), required)
            self._members[key, formula, required] = found
        return found

    def _other_keys(
        self, one: ObjectSet, members: list[Member], closed: Iterable[str], name: str
    ) -> list[Rest]:
        """The keys that no property names, a kind for each value that they may have.

        Keys that are few become ``members``: these are kept from coming twice. So do the named ones that may
        not come at all (``closed``), where a kind of other keys would let them in.
        """
        kinds: dict[str, list[languages.Language | None]] = {}
        tails: dict[str, Expr] = {}
        asked: list[Rest] = []
        open_langs: list[languages.Language | None] = []
        few: list[str] = []
        for lang, formula in open_keys(one):
            texts = languages.few_texts(lang, MOST_NAMED) if lang is not None and not self.ordered else None
            tail = self.tail(self.ref(formula))
            if texts is not None:
                named = [text for text in texts if text not in one.props]
                few += named
                members.extend(Member(json_string_literal(text), tail) for text in named)
            else:
                asks = enumerate(one.wanted)
                wanted = [(i, other) for i, (own, other) in asks if languages.meet(lang, own)]
                rule = self.ref(formula).rule
                if wanted:
                    keys = languages.key_texts([lang], bool(one.props))
                    if len(wanted) > 1 or wanted[0][1] is not formula:
                        asked.append(Rest(keys, tail))
                    asked.extend(Rest(keys, self.tail(self.ref(other)), i) for i, other in wanted)
                else:
                    kinds.setdefault(rule, []).append(lang)
                    tails[rule] = tail
                open_langs.append(lang)
        if not open_langs:
            return []
        if not asked and len(open_langs) == 1 and languages.has_all_but(open_langs[0], {*one.props, *few}):
            # What it leaves out is named, so any key will do, and that automaton is everybody's.
            open_langs = [None]
            kinds = dict.fromkeys(kinds, open_langs)
        self.report.note(OTHERS_TWICE)
        for key in sorted(closed):
            if any(lang is None or lang.matches(key) for lang in open_langs):
                members.append(Member(json_string_literal(key), NOTHING))
        if len(kinds) + len(asked) > MOST_KINDS:
            why = f"keys of more than {MOST_KINDS} kinds are not told apart"
            self.normaliser.not_enforced("patternProperties", name.removeprefix("#"), why)
            kinds = {"json": [None]}
            tails = {"json": self.tail(self.ref(ANY))}
            asked = []
        return asked + [
            Rest(languages.key_texts(langs, bool(members)), tails[rule]) for rule, langs in kinds.items()
        ]
