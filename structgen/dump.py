"""A compiled grammar in words: terminals, lexer states, rule automata, and where two readings meet.

What the engine works on is made when a text needs it, so there is nothing complete to print. What is
printed is made here from the same parts: each rule's automaton on its own (as `rules` makes it, before it
is laid out), the lexer with every terminal a candidate, and a search through the texts, shortest first, for
those after which several readings are alive. Each is bounded, and says so where it stops.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .automata import ByteDFA
from .engine import layout as L
from .engine.arena import Arena
from .errors import LimitExceededError
from .explanation import describe_bytes
from .ir import GrammarIR, Terminal
from .rules.automaton import DState, determinise, minimised

if TYPE_CHECKING:
    from .compiled import CompiledGrammar

MOST_LEXER_STATES = 200
MOST_RULE_STATES = 400
MOST_READ = 400
MOST_MEETINGS = 20

_READABLE_FIRST = sorted(range(256), key=lambda b: (not chr(b).isalnum() or b > 0x7F, not 0x20 < b < 0x7F, b))

# Letters and digits, other characters, other bytes.
_READABLE_FIRST = sorted(range(256), key=lambda b: (not chr(b).isalnum() or b > 0x7F, not 0x20 < b < 0x7F, b))

_LexerState = tuple[tuple[int, int], ...]


def dump(compiled: CompiledGrammar) -> Iterator[str]:
    """The lines of the dump."""
    ir = replace(compiled.grammar.ir, promised={}, common=None)
    arena = Arena(ir, compiled.vocabulary, compiled.limits)
    terminals = [terminal for terminal, _, _ in arena.terminals]
    yield f"start: {ir.start}, lexing {ir.lexing}"
    if terminals:
        yield from ("", f"terminals ({len(terminals)})")
        role = dict.fromkeys(ir.ignore, ", ignored") | dict.fromkeys(ir.forbidden, ", forbidden")
        for i, terminal in enumerate(terminals):
            yield f"  {i:>4} {_terminal(terminal, role.get(terminal.name, ''))}"
        yield from _lexer(terminals)
    yield from _rules(arena, ir)
    yield from _meetings(arena)


def _terminal(t: Terminal, role: str) -> str:
    kind = "literal" if t.literal else "pattern"
    more = f", priority {t.priority}" if t.priority else ""
    more += role
    text = f"  {t.text}" if t.text and t.text != t.name else ""
    return f"{t.name}: {kind}{more}, {t.dfa.n_states - 1} states, e.g. {shortest_text(t.dfa)!r}{text}"


def shortest_text(dfa: ByteDFA) -> bytes:
    """The shortest member, of those the first; letters before other characters."""
    todo = deque([(dfa.start, b"")])
    seen = {dfa.start}
    while todo:
        q, text = todo.popleft()
        if dfa.final[q]:
            return text
        for b in _READABLE_FIRST:
            to = int(dfa.trans[q, dfa.classes[b]])
            if to and to not in seen:
                seen.add(to)
                todo.append((to, text + bytes([b])))
    return b""


def _lexer(terminals: list[Terminal]) -> Iterator[str]:
    """The states of the lexer with every terminal a candidate, and the texts that are several terminals."""
    dfas = [terminal.dfa for terminal in terminals]
    tables, classes = [d.trans.tolist() for d in dfas], [d.classes.tolist() for d in dfas]
    # One byte for all that no terminal tells apart.
    kinds: dict[tuple[int, ...], int] = {}
    for b in _READABLE_FIRST:
        kinds.setdefault(tuple(c[b] for c in classes), b)
    start: _LexerState = tuple((t, dfa.start) for t, dfa in enumerate(dfas))
    texts = {start: b""}
    todo = deque([start])
    more = False
    while todo and not more:
        state = todo.popleft()
        for b in kinds.values():
            to = tuple((t, q2) for t, q in state if (q2 := tables[t][q][classes[t][b]]))
            if not to or to in texts:
                continue
            more = len(texts) >= MOST_LEXER_STATES
            if more:
                break
            texts[to] = texts[state] + bytes([b])
            todo.append(to)
    yield from ("", f"lexer states ({len(texts)}{' and more' if more else ''}), with a shortest text each")
    meeting = []
    for i, (state, text) in enumerate(texts.items()):
        whole = [t for t, q in state if terminals[t].dfa.final[q]]
        won = _winners([terminals[t] for t in whole])
        names = ", ".join(terminals[t].name for t, _ in state)
        ends = f"  ends {', '.join(won)}" if won else ""
        yield f"  {i:>4} {text!r}: {names if i else 'all'}{ends}"
        if len(won) > 1:
            meeting.append(f"  {text!r} is {' and '.join(won)}")
    if meeting:
        yield from ("", "texts that are several terminals of equal rank", *meeting[:MOST_MEETINGS])


def _winners(whole: list[Terminal]) -> list[str]:
    top = max(((t.priority, t.literal) for t in whole), default=None)
    return [t.name for t in whole if (t.priority, t.literal) == top]


def _rules(arena: Arena, ir: GrammarIR) -> Iterator[str]:
    builder = arena.builder
    yield from ("", f"rules ({len(ir.rules)})")
    left = MOST_RULE_STATES
    for name in ir.rules:
        if name not in builder.facts.rule:
            yield f"  {name}: never called"
            continue
        number = builder.facts.rule[name]
        if not builder.facts.productive[number]:
            yield f"  {name}: no text"
            continue
        if left <= 0:
            yield "  … and more"
            return
        try:
            states = minimised(determinise(builder.graphs.of(builder.facts.exprs[number], name), 0, left))
        except LimitExceededError:
            yield f"  {name}: more than {left} states"
            continue
        left -= len(states)
        empty = ", may be empty" if builder.facts.nullable[number] else ""
        yield f"  {name}: {len(states)} states{empty}"
        for i, state in enumerate(states):
            yield f"    {i:>4}{' end' if state.final >= 0 else '':<4} {_moves(state, arena)}"


def _moves(state: DState, arena: Arena) -> str:
    """Where a state goes, one phrase for each target."""
    symbols: dict[int, list[int]] = {}
    for low, high, to, _ in state.edges:
        symbols.setdefault(to, []).extend(range(low, high + 1))
    parts = [f"{_symbols(found, arena)} -> {to}" for to, found in symbols.items()]
    parts += [f"<{arena.builder.units[callee].name}> -> {to}" for callee, to, _ in state.calls]
    return "; ".join(parts)


def _symbols(symbols: list[int], arena: Arena) -> str:
    longest = int(arena.g[L.H_MODE]) == 1
    token_of = {symbol: token for token, symbol in arena.symbol_of_token.items()}
    names = []
    if longest:
        name_of = {number: name for name, number in arena.builder.facts.terminal_number.items()}
        names = [name_of[s] for s in symbols if s not in token_of]
    elif written := tuple(s for s in symbols if s < 256):
        names = [describe_bytes(written)]
    names += [f"token {token_of[s]}" for s in symbols if s in token_of]
    return ", ".join(names)


def _meetings(arena: Arena) -> Iterator[str]:
    """Shortest texts after which several readings are alive, one for each set of rules they are in."""
    found: dict[tuple[str, ...], str] = {}
    texts = {arena.initial: b""}
    todo = deque([arena.initial])
    while todo and len(found) < MOST_MEETINGS:
        state = todo.popleft()
        heads = (int(arena.g[state]) >> 8) // 3
        if heads > 1:
            rules = tuple(arena.rules_at(state))
            found.setdefault(rules, f"  {texts[state]!r}: {heads} readings, in {', '.join(rules)}")
        if len(texts) > MOST_READ:
            continue
        # One byte stands for all that lead to the same state.
        for b in np.flatnonzero(arena.live_bytes(state)).tolist():
            to = arena.accept_bytes(state, bytes([b]))
            if to not in texts:
                texts[to] = texts[state] + bytes([b])
                todo.append(to)
    read = f"{len(texts)} states of texts looked at{', of more' if len(texts) > MOST_READ else ''}"
    title = "where several readings are alive" if found else "no text has several readings"
    yield from ("", f"{title} ({read})", *found.values())
