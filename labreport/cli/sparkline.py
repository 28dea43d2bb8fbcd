"""Curves in lines of text: one character a column, its height the value there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BLOCKS = "▁▂▃▄▅▆▇█"
ENDED = "×"
"""Marks where a curve ends before the others, or is no longer finite."""


@dataclass(frozen=True)
class Axes:
    """The axes that several curves share, so that their heights can be compared.

    Attributes:
        rounds: the last index of the longest curve.
        by_ratio: whether columns stand at even ratios of the rounds (each plus 1).
        logarithmic: whether heights stand for the logarithm of values, all of which are positive.
    """

    rounds: int
    by_ratio: bool
    logarithmic: bool


def sparklines(curves: Sequence[Sequence[float] | np.ndarray], axes: Axes, width: int) -> list[str]:
    """A line for each curve, of at most ``width`` characters; index 0 is on the left."""
    steps = _steps(axes, max(2, min(width, axes.rounds + 1)))
    sampled = [[float(curve[step]) for step in steps if step < len(curve)] for curve in curves]
    heights = [[_height(value, axes) for value in values] for values in sampled]
    known = [height for line in heights for height in line if height is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return [_line(line, low, high, len(steps)) for line in heights]


def _steps(axes: Axes, columns: int) -> list[int]:
    """The round of each column; both ends are among them."""
    shares = [column / (columns - 1) for column in range(columns)]
    if axes.by_ratio:
        return [round((axes.rounds + 1) ** share) - 1 for share in shares]
    return [round(axes.rounds * share) for share in shares]


def _height(value: float, axes: Axes) -> float | None:
    if not isfinite(value):
        return None
    return log10(value) if axes.logarithmic else value


def _line(heights: Sequence[float | None], low: float, high: float, columns: int) -> str:
    drawn = "".join(ENDED if height is None else _block(height, low, high) for height in heights)
    return drawn if len(drawn) == columns else drawn + ENDED


def _block(height: float, low: float, high: float) -> str:
    # Divided first: the difference of two numbers may be more than the largest number.
    span = high / 2 - low / 2
    share = (height / 2 - low / 2) / span if span > 0 else 0.5
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]
