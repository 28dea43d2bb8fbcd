"""Numbers as text: what is printed is what was measured, to the digits that are shown."""

from __future__ import annotations

import sys
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.report.numbers import (
    ALIKE,
    DIGITS,
    LONGEST,
    MOST_DIGITS,
    count,
    digits_for,
    measured,
    percentage,
    setting,
)

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def parsed(text: str) -> float:
    """The number that a reader reads."""
    text = text.replace("−", "-")
    if "10" in text and any(c in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹" for c in text):
        mantissa, _, power = text.rpartition("10")
        mantissa = mantissa.rstrip("×")
        sign = -1 if mantissa == "-" else 1
        factor = mantissa if mantissa not in ("", "-") else "1"
        return sign * float(f"{factor}e{power.translate(SUPERSCRIPTS)}")
    return float(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0289, "0.02890"),
        (0.00245, "0.002450"),
        (0.20970979, "0.2097"),
        (-445.3, "−445.3"),
        (1.0, "1.000"),
        (0.99995, "1.000"),
        (0.999949, "0.9999"),
        (9.99951, "10.00"),
        (12345.678, "12350"),
        (999949.0, "999900"),
        (999950.0, "1.000×10⁶"),
        (0.0001, "0.0001000"),
        (0.00009999, "9.999×10⁻⁵"),
        (1.418e-13, "1.418×10⁻¹³"),
        (-1.05e-22, "−1.050×10⁻²²"),
        (3.4e38, "3.400×10³⁸"),
        (0.0, "0"),
        (-0.0, "0"),
        (inf, "∞"),
        (-inf, "−∞"),
        (nan, "nan"),
        (5e-324, "4.941×10⁻³²⁴"),
        (-5e-324, "−4.941×10⁻³²⁴"),
        (sys.float_info.max, "1.798×10³⁰⁸"),
        (sys.float_info.min, "2.225×10⁻³⁰⁸"),
    ],
)
def test_measured(value: float, text: str) -> None:
    assert measured(value) == text


@given(
    st.floats(min_value=-1e300, max_value=1e300, allow_subnormal=False).filter(lambda v: v != 0),
    st.integers(DIGITS, MOST_DIGITS),
)
def test_measured_is_right_to_its_digits(value: float, digits: int) -> None:
    text = measured(value, digits)
    # Rounding moves a number by at most half a unit of its last digit.
    assert parsed(text) == pytest.approx(value, rel=0.5000001 * 10.0 ** (1 - digits), abs=0)
    assert "-" not in text
    assert "e" not in text


@given(st.floats(allow_nan=False), st.integers(DIGITS, MOST_DIGITS))
def test_measured_writes_any_number(value: float, digits: int) -> None:
    text = measured(value, digits)
    assert text.startswith("−") == (value < 0)
    assert text == measured(-value, digits).removeprefix("−") or value < 0


@given(
    st.floats(min_value=1e-300, max_value=1e300),
    st.floats(min_value=1e-300, max_value=1e300),
    st.integers(DIGITS, MOST_DIGITS),
)
def test_measured_keeps_the_order(one: float, other: float, digits: int) -> None:
    low, high = sorted((one, other))
    assert parsed(measured(low, digits)) <= parsed(measured(high, digits))


@given(st.floats(min_value=1e-4, max_value=9e5), st.integers(DIGITS, MOST_DIGITS))
def test_measured_shows_all_of_its_digits(value: float, digits: int) -> None:
    figures = measured(value, digits).replace(".", "").lstrip("0").split("×")[0]
    assert len(figures) >= digits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (-0.07, "−0.07"),
        (1000, "1000"),
        (1000.0, "1000"),
        (0, "0"),
        (1e-8, "10⁻⁸"),
        (2.5e-5, "2.5×10⁻⁵"),
        (0.0001, "0.0001"),
        (1e12, "10¹²"),
        (0.1 + 0.2, "0.3"),
        (True, "True"),
        ("tanh", "tanh"),
        (inf, "∞"),
        (-inf, "−∞"),
    ],
)
def test_setting(value: object, text: str) -> None:
    assert setting(value) == text


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_setting_is_the_number_itself(value: float) -> None:
    # A fraction that is longer than anybody would write is rounded to four digits.
    long = len(f"{value:.12e}".split("e")[0].replace(".", "").strip("-0")) > LONGEST
    rel = 0.5000001e-3 if long and value != round(value) else 1e-11
    assert parsed(setting(value)) == pytest.approx(value, rel=rel, abs=1e-300)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0%"),
        (0.36, "36%"),
        (1.0, "100%"),
        (0.0583, "5.8%"),
        (0.489, "48.9%"),
        (0.999987, "99.9987%"),
        (1.000002, "100.0002%"),
        (10.74, "1074%"),
        (1 / 3, "33.3%"),
        (0.0001234, "0.012%"),
        (0.000001, "<0.001%"),
        (inf, "∞%"),
        (nan, "nan%"),
    ],
)
def test_percentage(value: float, text: str) -> None:
    assert percentage(value) == text


@given(st.floats(min_value=0, max_value=9.99))
def test_percentage_is_right_to_its_last_digit(value: float) -> None:
    shown = float(percentage(value).strip("<%"))
    if 0 < 100 * value < 0.001:
        assert percentage(value) == "<0.001%"
    elif 100 * value < 0.1:
        assert shown == pytest.approx(100 * value, rel=0.0500001)
    else:
        assert shown == pytest.approx(100 * value, abs=0.0500001)


def test_count() -> None:
    assert count(1000) == "1000"
    assert count(-1) == "−1"


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([], {}),
        ([0.25], {0.25: 4}),
        ([0.25, 0.2501], {0.25: 4, 0.2501: 4}),
        ([0.25, 0.25001], {0.25: 5, 0.25001: 5}),
        ([0.002451, 0.0024514], {0.002451: 5, 0.0024514: 5}),
        # Only those that would look alike are lengthened.
        ([0.25, 0.25001, 0.0289], {0.25: 5, 0.25001: 5, 0.0289: 4}),
        # A difference that rounding in float32 makes may go unseen, a larger one may not.
        ([1.0, 1.0 + 0.9e-6], {1.0: 4, 1.0 + 0.9e-6: 4}),
        ([1.0, 1.0 + 1.1e-6], {1.0: 7, 1.0 + 1.1e-6: 7}),
        ([0.25, inf, nan], {0.25: 4}),
    ],
)
def test_digits_for(values: list[float], digits: dict[float, int]) -> None:
    assert digits_for(values) == digits


@given(st.lists(st.floats(min_value=-1e9, max_value=1e9, width=32), max_size=6))
def test_numbers_that_differ_by_more_than_rounding_look_different(values: list[float]) -> None:
    digits = digits_for(values)
    for one in values:
        for other in values:
            if abs(one - other) > ALIKE * max(abs(one), abs(other)):
                assert measured(one, digits[one]) != measured(other, digits[other])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0215443469003, "0.02154"), (0.12345678, "0.12345678"), (0.123456789, "0.1235")],
)
def test_settings_that_a_grid_has_made_are_rounded(value: float, text: str) -> None:
    assert setting(value) == text
