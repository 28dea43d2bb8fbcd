"""Central differences of the loss: gradients that no derivation can get wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.flat_parameters import (
    BiasPolicy,
    apply_bias_policy,
    flatten_parameters,
    restore_parameters,
)
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import LayerParameters, forward

# The error of (f(w+h) - f(w-h)) / 2h is about h² |f'''| / 6 from truncation and ε |f| / h
# from rounding. Where f and f''' are of one size their sum is least near h = ε^(1/3)
# (Press et al., "Numerical Recipes", section 5.7), and of the order of 1e-10 in float64.
RELATIVE_STEP = float(np.finfo(np.float64).eps) ** (1.0 / 3.0)


NOISE = 32
"""Units of rounding, of the terms of a loss and of what its output's rounding makes of it, by which
a loss may be wrong."""


@dataclass(frozen=True)
class Differences:
    """Estimated derivatives [parameters], and by how much each may be wrong.

    The error is what doubling the step changes, and the rounding of the losses over the step.
    """

    gradient: FloatArray
    error: FloatArray


def central_differences(
    parameters: Sequence[LayerParameters],
    activations: Sequence[str],
    loss: str,
    inputs: FloatArray,
    targets: FloatArray,
    bias: BiasPolicy,
) -> Differences:
    """Estimate the gradient of the loss in float64, one parameter at a time.

    `inputs` are [rows, in] and `targets` [rows, out]; the order of the parameters is that
    of `flatten_parameters`. The estimate means nothing within a step (6e-6, or that share
    of the parameter) of a kink. Raises ValueError where the layers contradict the bias
    policy, or a shifted network leaves the domain of the loss.
    """
    layers = apply_bias_policy(parameters, bias, np.float64)
    weights = flatten_parameters(layers, bias)
    wide_inputs = np.asarray(inputs, dtype=np.float64)
    wide_targets = np.asarray(targets, dtype=np.float64)

    def output_at(shifted: FloatArray) -> FloatArray:
        restored = restore_parameters(shifted, layers, bias)
        return forward(restored, activations, wide_inputs).output

    def loss_at(shifted: FloatArray) -> float:
        return LOSSES[loss].value(output_at(shifted), wide_targets)

    noise = _loss_rounding(loss, output_at(weights), wide_targets)
    gradient, error = np.empty_like(weights), np.empty_like(weights)
    for index in range(weights.size):
        # A step that grows with the parameter stays far above the spacing of floats there.
        step = RELATIVE_STEP * max(1.0, abs(float(weights[index])))
        gradient[index] = _central_difference(loss_at, weights, index, step)
        error[index] = _error(loss_at, weights, index, step, float(gradient[index]), noise)
    return Differences(gradient, error)


def _loss_rounding(loss: str, output: FloatArray, targets: FloatArray) -> float:
    """By how much the loss of an output may be wrong."""
    value_terms = LOSSES[loss].value_terms(output, targets)
    carried = np.abs(output) * np.abs(LOSSES[loss].slope_terms(output, targets))
    return NOISE * float(np.finfo(np.float64).eps) * float((value_terms + carried).sum())


def _error(
    loss_at: Callable[[FloatArray], float],
    weights: FloatArray,
    index: int,
    step: float,
    estimate: float,
    noise: float,
) -> float:
    """By how much an estimated derivative may be wrong; ∞ where nothing is known of that.

    Args:
        loss_at: the loss at some weights.
        weights: at which the derivative is estimated.
        index: of the parameter.
        step: of the estimate.
        estimate: the derivative, estimated with that step.
        noise: by how much a loss may be wrong.
    """
    try:
        wider = _central_difference(loss_at, weights, index, 2.0 * step)
    except ValueError:
        # The wider step leaves the domain of the loss.
        return np.inf
    return abs(wider - estimate) + noise / step


def _central_difference(
    loss_at: Callable[[FloatArray], float], weights: FloatArray, index: int, step: float
) -> float:
    above, below = weights.copy(), weights.copy()
    above[index] += step
    below[index] -= step
    # The distance between the two points as stored, not the one asked for: adding the
    # step to the parameter has rounded it.
    distance = float(above[index] - below[index])
    return (loss_at(above) - loss_at(below)) / distance
