"""Euclidean norms that neither overflow nor underflow on the way."""

from __future__ import annotations

import numpy as np

from labreport.runs.run import Array

SQUARABLE = (1e-150, 1e150)
"""Sizes of float64 numbers whose squares, and sums of many of them, are normal numbers."""


def norms(vectors: Array) -> Array:
    """Euclidean norms [...] of vectors [..., numbers], in float64.

    Squares of the smallest numbers are 0 and those of the largest infinite, so vectors of such
    numbers are divided by their largest one first (Higham 2002, "Accuracy and Stability of
    Numerical Algorithms", section 27.5).
    """
    wide = np.asarray(vectors, dtype=np.float64)
    largest = np.abs(wide).max(axis=-1, initial=0.0)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        found: Array = np.linalg.norm(wide, axis=-1)
        is_extreme = (largest > 0) & ~((largest > SQUARABLE[0]) & (largest < SQUARABLE[1]))
        if np.any(is_extreme & np.isfinite(largest)):
            divisor = np.where(is_extreme, largest, 1.0)[..., np.newaxis]
            scaled = largest * np.linalg.norm(wide / divisor, axis=-1)
            found = np.where(is_extreme & np.isfinite(largest), scaled, found)
    return found
