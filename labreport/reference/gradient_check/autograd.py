"""The derivation by hand beside autograd, and where autograd is decided by rounding or a clamp."""

from __future__ import annotations

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.reference.array_types import BoolArray
from labreport.reference.evaluation import Evaluated, evaluate
from labreport.reference.gradient_check.check_result import Way
from labreport.reference.gradient_check.deviation import (
    ARITHMETIC,
    compared,
    gradient_of,
    relative_differences,
    rounding_unit,
)
from labreport.reference.losses.binary_classification import BCE_SMALLEST_VARIANCE
from labreport.reference.rounding import farthest, nudged
from labreport.runs.run import Run

RUN_NUDGE = 16
"""Units of rounding by which weights and activations are nudged: autograd computes activations from
sums in another order."""

UNDERFLOW = 2.0**20
"""The smallest normal number times this is as good as 0."""

NEGLIGIBLE = 1e-6
"""Share of a round's largest derivative below which none is worth a word."""


def compare_with_autograd(
    run: Run, right: Evaluated, tolerance: float
) -> tuple[Way, BoolArray, BoolArray]:
    """The derivation by hand against autograd, what is left out, and what of it torch clamps."""
    config, trace = run.config, run.trace
    unit, dtype = rounding_unit(config.dtype), np.dtype(config.dtype)
    near = nudged(config, trace.weights, RUN_NUDGE * unit, simplified=True)
    room = farthest(near, gradient_of, right.gradient) + ARITHMETIC * unit * right.terms
    relative = relative_differences(
        right.gradient - trace.gradients, right.gradient, room, tolerance
    )
    # As torch computes it: in the precision of the run, with its clamps.
    alike = evaluate(config, trace.weights, dtype)
    near = nudged(config, trace.weights, RUN_NUDGE * unit, dtype)
    alike_room = farthest(near, gradient_of, alike.gradient) + ARITHMETIC * unit * alike.terms
    as_torch = relative_differences(
        alike.gradient - trace.gradients, alike.gradient, alike_room, tolerance
    )
    # A derivation that is wrong differs as well: torch must be seen to clamp, or to round away.
    clamps = _torch_clamps(config, alike)[:, None]
    rounds = alike_room > tolerance * np.abs(alike.gradient)
    left_out = (relative > tolerance) & (as_torch <= tolerance) & (clamps | rounds)
    # What is 0 because it is too small for the precision was not rounded away.
    sizes = np.abs(right.gradient)
    least = UNDERFLOW * float(np.finfo(dtype).tiny)
    counts = sizes > np.maximum(least, NEGLIGIBLE * sizes.max(axis=1, keepdims=True))
    clamped = left_out & counts & (clamps | (trace.gradients == 0))
    way = compared(run, right.gradient, trace.gradients, relative, tolerance, left_out)
    return way, left_out, clamped


def _torch_clamps(config: RunConfig, evaluated: Evaluated) -> BoolArray:
    """At which steps [steps] torch clamps what binary cross entropy divides by."""
    output = evaluated.passed.output
    if config.loss != "bce":
        return np.zeros(len(output), dtype=bool)
    variance = output * (1 - output)
    return np.asarray((variance < BCE_SMALLEST_VARIANCE).any(axis=(-2, -1)))
