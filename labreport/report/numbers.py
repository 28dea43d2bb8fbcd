"""The one place that turns numbers into text."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isclose, isfinite, isnan

DIGITS = 4
"""Significant digits of a measured number, unless more are needed to tell two apart."""

MOST_DIGITS = 9
"""All that float32 holds."""

ALIKE = 1e-6
"""Relative difference below which two numbers may look alike: rounding in float32 makes it."""

LONGEST = 8
"""Digits of a chosen number that are printed as it was written: a grid makes longer ones."""

MINUS = "−"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def measured(value: float, digits: int = DIGITS) -> str:
    """A measured number with so many significant digits: 0.02890, 1.418×10⁻¹³, 445.3."""
    if isnan(value):
        return "nan"
    if not isfinite(value):
        return MINUS + "∞" if value < 0 else "∞"
    if value == 0:
        return "0"
    rounded = f"{value:.{digits - 1}e}"
    mantissa, power = rounded.split("e")
    exponent = int(power)
    if -5 < exponent < 6:
        text = f"{float(rounded):.{max(digits - 1 - exponent, 0)}f}"
    else:
        text = f"{mantissa}×10{str(exponent).translate(_SUPERSCRIPT)}"
    return text.replace("-", MINUS)


def setting(value: object) -> str:
    """A number that somebody chose, as short as it can be written: 0.5, 1000, 10⁻⁸.

    One that a grid has made, and that is longer than anybody would write, is rounded: 0.02154.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value in (inf, -inf):
        return measured(value)
    text = f"{value:.12g}"
    digits = text.split("e")[0].replace(".", "").strip("-0")
    if len(digits) > LONGEST and value != round(value):
        return measured(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = f"10{str(int(exponent)).translate(_SUPERSCRIPT)}"
        text = power if mantissa == "1" else f"{mantissa}×{power}"
    return text.replace("-", MINUS)


def percentage(value: float) -> str:
    """A fraction as a percentage: with one decimal below 10 %, and more only near 100 %."""
    percent = 100 * value
    if not isfinite(percent):
        return f"{measured(percent)}%"
    if isclose(percent, round(percent), rel_tol=1e-12):
        return f"{percent:.0f}%"
    if 99.9 < percent < 100.1:
        return f"{percent:.4f}%"
    if 0 < percent < 0.001:
        return "<0.001%"
    if 0 < abs(percent) < 0.1:
        return f"{measured(percent, 2)}%"
    return f"{percent:.1f}%" if percent < 1000 else f"{percent:.0f}%"


def count(value: int) -> str:
    """A whole number."""
    return str(value).replace("-", MINUS)


def digits_for(values: Iterable[float]) -> dict[float, int]:
    """Significant digits of each value, 4 … 9: as many as tell it from those that are different.

    Only values that would look alike get more digits, and values within ``ALIKE`` of each other
    may look alike.
    """
    distinct = {v for v in values if isfinite(v)}
    return {value: _digits_of(value, distinct) for value in distinct}


def _digits_of(value: float, among: Iterable[float]) -> int:
    others = [v for v in among if abs(v - value) > ALIKE * max(abs(v), abs(value))]
    for digits in range(DIGITS, MOST_DIGITS):
        text = measured(value, digits)
        if all(measured(other, digits) != text for other in others):
            return digits
    return MOST_DIGITS
