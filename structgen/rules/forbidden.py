"""Discipline ``longest``: terminals that are candidates everywhere and that no text may have.

Longest match cuts a text wherever that helps: of ``FROM THEN`` it makes FROM, the name THE and the name N
where a name must not be the keyword THEN, and ``5OFFSET`` is a number and a keyword. A lexer written by
hand calls both an error. So a grammar can name patterns (``%forbid`` in Lark text) that are read like any
other terminal and, where they are the longest match, end in vain: any word, and whatever begins like a
number.

The alternative, a look-ahead at a terminal's end, would make the winner of a lexeme depend on text behind
it. Here all stays as it was: a forbidden terminal is one more rival, and that a reading in which nothing
else is open is dead can be seen at once. Two things are asked for it, and both are checked here:

- It is a pattern and of no higher priority than the others. So it never beats a terminal of the same
  length, and whatever is being read can still be finished.
- Where it outruns a terminal, that is whole and cannot go on, it is whole; or all that begins with the
  character that has begun makes it so. Else a text could have been cut there in two, until one knows
  whether it becomes whole later.
"""

from __future__ import annotations

from ..automata import ByteDFA
from ..errors import GrammarError
from ..ir import GrammarIR, Term, Terminal
from ..limits import check_time
from .analysis import Analysis
from .lexer import numbered_terminals

_NOT_YET, _BEFORE, _JUST_NOW = range(3)  # whether a terminal has matched: where the last character begins?


def check_forbidden(ir: GrammarIR, facts: Analysis) -> None:
    """Raise GrammarError for a forbidden terminal that is not as it has to be."""
    if not ir.forbidden:
        return
    terminals = numbered_terminals(ir, facts.terminal_number)
    forbidden = set(ir.forbidden)
    others = [t for t in terminals if t.name not in forbidden and not t.dfa.is_empty]
    used = {e.name for e in facts.exprs if isinstance(e, Term)} | set(ir.ignore)
    for name in ir.forbidden:
        if name in used:
            raise GrammarError(f"terminal {name} is forbidden, and used")
        mine = ir.terminals[name]
        if mine.literal or any(mine.priority > t.priority for t in others):
            raise GrammarError(
                f"the forbidden terminal {name} must be a pattern of no higher priority than others"
            )
        rival = _Rival(mine.dfa, others)
        for t in others:
            check_time("looking at what is forbidden")
            text = rival.outruns(t)
            if text is not None:
                raise GrammarError(
                    f"the forbidden terminal {name} must match {text!r} as well: there {t.name} cannot go "
                    "on, and whether the text may be cut behind it must be known at once"
                )


_Begun = tuple[int, frozenset[tuple[int, int]]]
"""States within a character: of the forbidden terminal, and of those (by number) that begin with it."""


class _Rival:
    """A forbidden terminal beside the other terminals."""

    def __init__(self, dfa: ByteDFA, others: list[Terminal]) -> None:
        self.dfa = dfa
        self.others = others
        self._known: dict[tuple[int, bytes, bool], bool] = {}

    def outruns(self, terminal: Terminal) -> bytes | None:
        """A text that goes on beyond ``terminal`` in the forbidden one alone, and is not whole; or None."""
        dfa = terminal.dfa
        trans, classes, final = dfa.trans.tolist(), dfa.classes.tolist(), dfa.final.tolist()
        other, kinds, whole = self.dfa.trans.tolist(), self.dfa.classes.tolist(), self.dfa.final.tolist()
        # One byte for all that neither tells apart.
        letters = list({(classes[b], kinds[b]): b for b in range(255, -1, -1)}.values())
        start = (dfa.start, self.dfa.start, _NOT_YET)
        texts = {start: b""}
        for p, q, before in (todo := [start]):
            for b in letters:
                to, beside = trans[p][classes[b]], other[q][kinds[b]]
                if not beside:
                    continue
                text = texts[p, q, before] + bytes([b])
                matched = before
                if b & 0xC0 != 0x80:  # a character begins
                    matched = _JUST_NOW if final[p] else min(before, _BEFORE)
                if not to:
                    if matched and not self._becomes_whole(beside, text, matched == _JUST_NOW):
                        return text
                    continue
                if whole[beside] and not final[to]:  # What has matched is beaten already.
                    matched = _NOT_YET
                state = (to, beside, matched)
                if state not in texts:
                    texts[state] = text
                    todo.append(state)
        return None

    def _becomes_whole(self, q: int, text: bytes, begins_lexeme: bool) -> bool:
        """The forbidden terminal, in state ``q`` after ``text``, is whole, or the last character makes it so.

        begins_lexeme : another lexeme would begin with that character: where none can, the text is dead
        """
        if self.dfa.final[q]:
            return True
        ranges, begun = _rest_of_character(text)
        last = text[len(text) - begun :]
        key = (q, last, begins_lexeme)
        if key not in self._known:
            starts: set[tuple[int, int]] = set()
            if begins_lexeme:
                starts = {(i, t.dfa.run(last)) for i, t in enumerate(self.others)}
            states = {(q, frozenset(at for at in starts if at[1]))}
            for low, high in ranges:
                states = {self._after(state, b) for state in states for b in range(low, high + 1)}
                states = {to for to in states if any(to) or not begins_lexeme}
            self._known[key] = all(self.dfa.final[q] for q, _ in states)
        return self._known[key]

    def _after(self, state: _Begun, byte: int) -> _Begun:
        q, lexemes = state
        left = ((i, int(d.trans[p, d.classes[byte]])) for i, p in lexemes for d in (self.others[i].dfa,))
        return int(self.dfa.trans[q, self.dfa.classes[byte]]), frozenset(at for at in left if at[1])


def _rest_of_character(text: bytes) -> tuple[list[tuple[int, int]], int]:
    """The ranges of the bytes that the last character of ``text`` lacks in UTF-8, and how many it has."""
    begun = next((n for n in range(1, min(len(text), 4) + 1) if text[-n] & 0xC0 != 0x80), 0)
    lead = text[-begun] if begun else 0
    length = 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC0 else 1
    ranges = [(0x80, 0xBF)] * max(length - begun, 0)
    if begun == 1 and lead in (0xE0, 0xED, 0xF0, 0xF4):
        ranges[0] = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}[lead]
    return ranges, begun
