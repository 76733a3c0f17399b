"""Ranges of numbers, exhaustively where they are small and against Decimal where not."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.regex import integer_range, json_texts, number_range

BOUNDS = [None, -1001, -100, -99, -10, -9, -1, 0, 1, 5, 9, 10, 11, 99, 100, 101, 999, 1000, 1001]


def test_all_small_ranges() -> None:
    texts = {n: str(n).encode() for n in range(-1100, 1101)}
    for lo in BOUNDS:
        for hi in BOUNDS:
            dfa = integer_range(lo, hi)
            found = [n for n, text in texts.items() if dfa.matches(text)]
            low = -1100 if lo is None else lo
            assert found == list(range(low, (1100 if hi is None else hi) + 1)), (lo, hi)
            assert dfa.is_empty == (lo is not None and hi is not None and lo > hi)


def test_only_plain_decimal_counts() -> None:
    dfa = integer_range(None, None)
    assert [t for t in ("0", "7", "-7", "120") if not dfa.matches(t.encode())] == []
    refused = ("", "-", "-0", "00", "01", "+1", "1.0", "1e2", " 1", "--1", "٣")
    assert [t for t in refused if dfa.matches(t.encode())] == []


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**40), 10**40), st.integers(0, 10**38), st.integers(-(10**40), 10**40))
def test_large_ranges(lo: int, width: int, probe: int) -> None:
    dfa = integer_range(lo, lo + width)
    for n in (lo - 1, lo, lo + 1, lo + width // 2, lo + width, lo + width + 1, probe, probe // 10**20):
        assert dfa.matches(str(n).encode()) == (lo <= n <= lo + width)
    assert integer_range(lo, None).matches(str(probe).encode()) == (probe >= lo)
    assert integer_range(None, lo).matches(str(probe).encode()) == (probe <= lo)


NUMBERS = st.decimals(-2000, 2000, places=3).map(lambda d: d.normalize())
TEXTS = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?", fullmatch=True, alphabet="-.0123456789")
SCIENTIFIC = st.from_regex(
    r"-?[1-9](\.[0-9]{1,4})?[eE][+-]?0?[0-5]", fullmatch=True, alphabet="-+.eE0123456789"
)


@settings(max_examples=400, deadline=None)
@given(
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    st.booleans(),
    st.booleans(),
    st.lists(TEXTS | SCIENTIFIC | NUMBERS.map(lambda d: format(d, "f")), min_size=1, max_size=10),
)
def test_numbers_count_by_value(
    lo: Decimal | None, hi: Decimal | None, exclusive_lo: bool, exclusive_hi: bool, texts: list[str]
) -> None:
    dfa = number_range(lo, hi, exclusive_lo=exclusive_lo, exclusive_hi=exclusive_hi)
    plain = number_range(
        lo, hi, exclusive_lo=exclusive_lo, exclusive_hi=exclusive_hi, texts=json_texts(exponent=False)
    )
    for bound in (lo, hi):
        if bound is not None:
            texts = [
                *texts,
                format(bound, "f"),
                format(bound, "f") + ("0" if "." in format(bound, "f") else ".0"),
            ]
    for text in texts:
        value = Decimal(text)
        expected = (lo is None or value > lo or (value == lo and not exclusive_lo)) and (
            hi is None or value < hi or (value == hi and not exclusive_hi)
        )
        assert dfa.matches(text.encode()) == expected, text
        assert plain.matches(text.encode()) == (expected and "e" not in text.lower()), text


@pytest.mark.parametrize("value", [0.1, 1e16, 1e-7, 2.5e300, -1e-300, 5e-324, 1.7976931348623157e308, -0.0])
def test_a_float_is_its_shortest_text(value: float) -> None:
    text = json.dumps(value).encode()
    assert number_range(value, value).matches(text)
    assert not number_range(value, None, exclusive_lo=True).matches(text)
    assert not number_range(None, value, exclusive_hi=True).matches(text)


@pytest.mark.parametrize("digits", [27, 28, 29, 30, 45, 400])
def test_no_digit_of_a_bound_is_lost(digits: int) -> None:
    for bound in (10**digits - 7, 10**digits + 7, -(10**digits) + 7, -(10**digits) - 7):
        below, above = number_range(None, bound), number_range(bound, None, exclusive_lo=True)
        for value in (bound - 1, bound, bound + 1):
            text = str(value).encode()
            assert below.matches(text) == (value <= bound)
            assert above.matches(text) == (value > bound)


def test_without_bounds_every_json_number_counts() -> None:
    anything, positive = number_range(None, None), number_range(0, None, exclusive_lo=True)
    for text in ("0", "-0", "10e-5", "0.00E+07", "12.50e0", "-1"):
        assert anything.matches(text.encode())
        assert positive.matches(text.encode()) == (Decimal(text) > 0)
    assert [t for t in ("", ".5", "1.", "01", "1e", "+1", "0x1", "1e+") if anything.matches(t.encode())] == []


@pytest.mark.parametrize("bound", [float("inf"), float("nan"), Decimal("1e100000")])
def test_a_bound_is_a_finite_number(bound: float | Decimal) -> None:
    with pytest.raises(ValueError, match="the bound"):
        number_range(bound, None)
