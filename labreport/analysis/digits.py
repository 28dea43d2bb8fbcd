"""Digits that a number deserves: as many as the same run agrees on in another rounding."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite, log10

ALL = 4
"""Significant digits of a number that rounding does not touch."""


def agreed(value: float, others: Iterable[float | None]) -> int | None:
    """Significant digits, 1 to 3, on which a value and its twins agree; None for all.

    Args:
        value: of a run.
        others: the same of its rounding twins; None where one of them has none.
    """
    noise = 0.0
    for other in others:
        if other is None or not isfinite(other):
            return 1
        noise = max(noise, abs(other - value))
    if not noise or not value or not isfinite(value):
        return None
    digits = floor(log10(abs(value) / noise)) if noise < abs(value) else 1
    return max(1, digits) if digits < ALL else None
