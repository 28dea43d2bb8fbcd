"""Gradients compared with a reference, relative to their size or to what rounding allows."""

from __future__ import annotations

import numpy as np

from labreport.lab.naming import parameter_names
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.gradient_check.check_result import Deviation, Way
from labreport.reference.rounding import Nudged
from labreport.runs.run import Run, Steps

TOLERANCE = 1e-6
"""Relative difference from which on a derivative is another one. Central differences in float64
are good to about 1e-9, a wrong factor in a formula is seldom nearer than 1e-4."""

SINGLE_TOLERANCE = 1e-4
"""The same beside autograd in float32, which holds seven digits."""

ARITHMETIC = 16
"""Units of rounding, of the terms that are added up, by which a sum may be wrong."""


def rounding_unit(dtype: str) -> float:
    """The distance from 1 to the next larger number of a precision."""
    return float(np.finfo(np.dtype(dtype)).eps)


def gradient_of(beside: Nudged) -> FloatArray:
    """The gradient of a nudged network."""
    return beside.evaluated.gradient


def relative_differences(
    apart: FloatArray, sizes: FloatArray, room: FloatArray, tolerance: float
) -> FloatArray:
    """Differences relative to derivatives, or to what rounding allows where that is more."""
    apart = np.where(np.isnan(apart), np.inf, np.abs(apart))
    scale = np.maximum(np.abs(sizes), room / tolerance)
    # Where a derivative is exactly 0 and its terms are, any difference is infinitely large.
    nothing = np.where(apart > 0, np.inf, 0.0)
    with np.errstate(invalid="ignore"):
        found: FloatArray = np.divide(apart, scale, out=nothing, where=scale > 0)
    # Where rounding leaves nothing of the derivative, it is no measure of anything.
    return np.where(np.isinf(room), 0.0, found)


def compared(
    run: Run,
    gradients: FloatArray,
    reference: FloatArray,
    relative: FloatArray,
    tolerance: float,
    left_out: BoolArray | None = None,
    steps: Steps | None = None,
) -> Way:
    """Gradients and their relative differences [steps, parameters] from a reference, in short."""
    steps = np.arange(len(gradients)) if steps is None else steps
    apart = np.abs(gradients - reference[steps])
    apart = np.where(np.isfinite(apart), apart, np.inf)
    if left_out is not None:
        apart = np.where(left_out[steps], 0.0, apart)
        relative = np.where(left_out[steps], 0.0, relative)
    far = relative.max(axis=1)
    beyond = np.flatnonzero(far > tolerance)
    first = int(beyond[0]) if len(beyond) else None
    names = parameter_names(run.config.network)
    deviation = Deviation(
        absolute=float(apart.max()),
        relative=float(far.max()),
        round=None if first is None else int(steps[first]) + 1,
        weight="" if first is None else names[int(relative[first].argmax())],
    )
    return Way(gradients, steps, far, deviation)
