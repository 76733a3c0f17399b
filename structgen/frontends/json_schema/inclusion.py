"""Which alternatives are parts of others, as far as one look tells.

Products of complements multiply: what is outside of six objects is one of five things, six times. Most of
these combinations say the same thing twice, or more than another one needs, so they are parts of it.
"""

from __future__ import annotations

from typing import Any

from .nodes import ANY, NEVER, ArraySet, Formula, ObjectSet


def widest(sets: tuple[Any, ...]) -> tuple[Any, ...]:
    """The sets without those that are parts of others; numbers and strings as they are."""
    if not isinstance(sets[0], (ArraySet, ObjectSet)):
        return sets
    part = _array_in if isinstance(sets[0], ArraySet) else _object_in
    found: list[Any] = []
    for one in sets:
        if not any(part(one, other) for other in found):
            found = [other for other in found if not part(other, one)]
            found.append(one)
    return tuple(found)


def _formula_in(a: Formula, b: Formula) -> bool:
    if a is b or b is ANY or a is NEVER:
        return True
    parts = a.parts if a.kind == "and" else (a,)
    return all(part in parts for part in b.parts) if b.kind == "and" else b in parts


def _count_in(a: ArraySet | ObjectSet, b: ArraySet | ObjectSet) -> bool:
    return b.min <= a.min and (b.max is None or (a.max is not None and a.max <= b.max))


def _array_in(a: ArraySet, b: ArraySet) -> bool:
    """Each array of ``a`` is one of ``b``."""
    return (
        _count_in(a, b)
        and (b.unique is None or a.unique is not None)
        and (b.repeats is None or a.repeats is not None)
        and all(one in a.contains for one in b.contains)
        and _formula_in(a.rest, b.rest)
        and all(_formula_in(a.at(i), b.at(i)) for i in range(max(len(a.prefix), len(b.prefix))))
    )


def _object_in(a: ObjectSet, b: ObjectSet) -> bool:
    """Each object of ``a`` is one of ``b``."""
    return (
        b.required <= a.required
        and _count_in(a, b)
        and all(one in a.some for one in b.some)
        and all(
            a.at(key) is NEVER or needed <= a.with_needed((*a.required, key))
            for key, needed in b.needs.items()
        )
        and (a.rest == b.rest or all(formula is ANY for _, formula in b.rest))
        and all(_formula_in(a.at(key), formula) for key, formula in b.props.items())
        and all(_formula_in(formula, b.at(key)) for key, formula in a.props.items() if key not in b.props)
    )
