"""Functions that turn outputs into predictions of the targets, by the kind of loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labreport.runs.run import Array


def softmax(outputs: Array) -> Array:
    """Probabilities of outputs [..., units]; the largest is subtracted, so that none overflows."""
    wide = outputs.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=-1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(outputs: Array) -> Array:
    """1 / (1 + exp(−o)), by the half of it that does not overflow."""
    small = np.exp(-np.abs(outputs.astype(np.float64)))
    probabilities: Array = np.where(outputs >= 0, 1.0, small) / (1.0 + small)
    return probabilities


def exponential(outputs: Array) -> Array:
    """exp(o), which is ∞ where float64 ends."""
    with np.errstate(over="ignore"):
        powers: Array = np.exp(outputs.astype(np.float64))
    return powers


PREDICTIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda outputs: outputs,
    "softmax": softmax,
    "sigmoid": sigmoid,
    "exp": exponential,
}
"""Functions that turn outputs into predictions, by the name in the vocabulary of losses.

Outputs that are the prediction keep their precision, so that their squared error can be compared
with a loss that is the same number; what is computed here is computed in float64."""
