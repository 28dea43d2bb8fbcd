"""Digits that a number deserves: those that other roundings of its run do not touch."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from labreport.analysis.observation import Number

ALL = 4
"""Significant digits of a number that rounding does not touch."""

SPREAD = 10
"""By how much more than its twins other roundings may move a number: the twins are few of many."""

FEW = 2
"""Digits that are told for as long as the twins themselves agree to about that."""


def agreed(value: float, others: Iterable[float | None]) -> int | None:
    """Significant digits, 1 to 3, that no other rounding should touch; None for all.

    Args:
        value: of a run.
        others: the same of its rounding twins; None where one of them has none.
    """
    noise = 0.0
    for other in others:
        if other is None or not isfinite(other):
            return 1
        noise = max(noise, abs(other - value))
    if not noise or not isfinite(value):
        return None
    sure = (d for d in range(ALL, FEW, -1) if _is_same(value, SPREAD * noise, d))
    rough = FEW if noise < abs(value) * 10.0**-FEW else 1
    digits = next(sure, rough)
    return digits if digits < ALL else None


def printed_alike(one: Number, other: Number) -> bool:
    """Return whether two numbers look the same with the digits that each is told with."""
    digits = min(number.digits or ALL for number in (one, other))
    return len({f"{number.value:.{digits - 1}e}" for number in (one, other)}) == 1


def _is_same(value: float, noise: float, digits: int) -> bool:
    """True if a number is printed alike with so many digits wherever the noise takes it."""
    low, high = (f"{value + sign * noise:.{digits - 1}e}" for sign in (-1, 1))
    return low == high
