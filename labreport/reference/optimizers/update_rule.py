"""The protocol of update rules on a flat vector of weights, and the operations they share."""

from typing import Any, Literal, Protocol

import numpy as np

from labreport.reference.array_types import FloatArray

ScalarDtype = Literal["float32", "float64"]


class UpdateRule(Protocol):
    """An optimizer with its hyper-parameters: a frozen value, whose state is passed around.

    `start(weights)` gives the state before the first update. `step(weights, gradient,
    state)` gives the weights and the state after one update; it changes none of its
    arguments. `weights` and `gradient` are flat, [parameters], and of one dtype.
    """

    def start(self, weights: FloatArray) -> Any: ...

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: Any
    ) -> tuple[FloatArray, Any]: ...


def with_weight_decay(gradient: FloatArray, weights: FloatArray, weight_decay: float) -> FloatArray:
    """Add the gradient of weight_decay/2 · |w|²; leave the gradient as it is for zero."""
    return gradient + weight_decay * weights if weight_decay != 0 else gradient


def moving_average(old: FloatArray, new: FloatArray, kept: float) -> FloatArray:
    """Move an exponential average on, keeping a share `kept` of the old value."""
    return kept * old + (1.0 - kept) * new


def rounded(number: float, dtype: ScalarDtype) -> float:
    """Round the number as a tensor of that dtype would."""
    return float(np.dtype(dtype).type(number))
