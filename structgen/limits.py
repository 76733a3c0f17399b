"""Bounds on what a grammar may cost; checked in the loops that can run away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Past one of these, :class:`structgen.LimitExceededError` names it, or a cache drops work.

    max_dfa_states : states of one terminal's automaton while it is built
    max_rule_states : states of all rule automata of a grammar
    max_grammar_nodes : expressions (or subschemas) of a grammar after front end expansion
    max_heap_bytes : parser states, stacks and memo of one compiled grammar; past it they are dropped
        and made again (never an error while the live part fits)
    max_mask_bytes : memoised masks of one compiled grammar; past it they are dropped and made again
    max_heads : readings alive at once in one sequence
    compile_seconds : wall clock for one ``compile`` (front end included where it builds automata)
    """

    max_dfa_states: int = 100_000
    max_rule_states: int = 5_000_000
    max_grammar_nodes: int = 1_000_000
    max_heap_bytes: int = 256 << 20
    max_mask_bytes: int = 256 << 20
    max_heads: int = 4096
    compile_seconds: float = 60.0
