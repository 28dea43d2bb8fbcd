"""Ranges of numbers that an axis can show: how far they go, and where they run away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

MOST = 1e60
"""The largest number that a figure shows; only runs on the way to infinity have larger ones."""

LINEAR = 5
"""Up to where a vertical axis is linear on which weights run away: where they usually are."""

RUNAWAY = 50
"""Weights beyond which an axis is logarithmic far from 0."""

DEEPEST = 1e-16
"""Sizes that are smaller than the largest by more than this move no weight that it moved; an axis
that shows them would show little else."""


def drawable(values: np.ndarray) -> np.ndarray:
    """Values with gaps where they are too large for an axis: its ticks would overflow."""
    return np.where(np.abs(values) <= MOST, values, np.nan)


def run_away(values: Iterable[np.ndarray]) -> bool:
    """Return whether numbers go so far that their start would be flat on a linear axis."""
    found = map(drawable, values)
    return any(bool((np.abs(v[np.isfinite(v)]) > RUNAWAY).any()) for v in found)


def is_cut(sizes: Sequence[np.ndarray]) -> bool:
    """Return whether some sizes, 0 aside, are too small for an axis that shows the largest."""
    low, high = extremes(sizes)
    return low < DEEPEST * high


def extent_of(sizes: Sequence[np.ndarray]) -> tuple[float, float]:
    """The smallest and the largest size that an axis or a scale of colours shows."""
    low, high = extremes(sizes)
    return max(low, DEEPEST * high), high


def extremes(sizes: Sequence[np.ndarray]) -> tuple[float, float]:
    """The smallest and the largest size that can be drawn on a logarithmic axis; 1, 1 for none."""
    found = np.concatenate([drawable(values).ravel() for values in sizes])
    found = found[np.isfinite(found) & (found > 0)]
    return (float(found.min()), float(found.max())) if len(found) else (1.0, 1.0)
