"""Statistics over random starts, with the digits that other roundings of the runs agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from labreport.analysis.measures.digits import agreed
from labreport.analysis.observation import Number
from labreport.analysis.results import Result, cite

Statistic = Callable[[np.ndarray], float]
"""A number that follows from one number of each run, float64."""


def number_over(
    members: Sequence[Result],
    read: Callable[[Result], float | None],
    statistic: Statistic,
    formula: str,
) -> Number:
    """A statistic of what is read off runs, with its source.

    Its digits are those that the same statistic has of the same runs in another rounding, where
    each run has such a twin; all of them where not.
    """
    value = _of(members, read, statistic)
    assert value is not None
    twins = [
        _of(group, read, statistic) for group in zip(*(r.twins for r in members), strict=False)
    ]
    return Number(value, cite(formula, members), agreed(value, twins))


def loss_over(members: Sequence[Result], budget: int, statistic: Statistic, formula: str) -> Number:
    """The same of the losses after so many rounds, which all of the runs have come to."""
    return number_over(members, lambda r: r.loss(budget), statistic, formula)


def median(values: np.ndarray) -> float:
    """The median, as a number of Python."""
    return float(np.median(values))


def _of(
    members: Sequence[Result], read: Callable[[Result], float | None], statistic: Statistic
) -> float | None:
    """The statistic; None where one of the runs has no such number."""
    values = [value for r in members if (value := read(r)) is not None]
    there = len(values) == len(members)
    return statistic(np.array(values, dtype=np.float64)) if there else None
