"""Central differences beside the gradients of a run, at as many steps as there is time for."""

from __future__ import annotations

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.evaluation import Evaluated, data_of, layers_of
from labreport.reference.finite_differences import central_differences
from labreport.reference.gradient_check.check_result import Way
from labreport.reference.gradient_check.deviation import (
    ARITHMETIC,
    compared,
    relative_differences,
    rounding_unit,
)
from labreport.runs.run import Run, Steps

MOST_DIFFERENCES = 5_000
"""Derivatives that are estimated by differences: more would take longer than all training."""


def compare_differences(run: Run, right: Evaluated, left_out: BoolArray, tolerance: float) -> Way:
    """Central differences against autograd, at as many steps as there is time for."""
    config, trace = run.config, run.trace
    count, parameters = trace.weights.shape
    steps = _spread(count, max(1, MOST_DIFFERENCES // max(1, parameters)))
    found = [_differences_at(config, trace.weights[s].astype(np.float64)) for s in steps]
    gradient, error = (np.array(values) for values in zip(*found, strict=True))
    room = error + ARITHMETIC * rounding_unit(config.dtype) * right.terms[steps]
    there = right.gradient[steps]
    relative = relative_differences(gradient - trace.gradients[steps], there, room, tolerance)
    return compared(run, gradient, trace.gradients, relative, tolerance, left_out, steps)


def _spread(count: int, most: int) -> Steps:
    """At most so many of the indices 0 … count − 1, evenly, both ends among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def _differences_at(config: RunConfig, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives by differences and their errors; NaN where the loss cannot be had beside."""
    inputs, targets = data_of(config, np.float64)
    network = config.network
    # A bias that is held at 0 is none.
    policy = "none" if network.bias == "zero" else network.bias
    layers, names = layers_of(config, weights), network.activations
    try:
        found = central_differences(layers, names, config.loss, inputs, targets, policy)
    except ValueError:
        # Beside an output at the end of what the loss takes, it cannot be computed on both sides.
        return np.full(len(weights), np.nan), np.zeros(len(weights))
    return found.gradient, found.error
