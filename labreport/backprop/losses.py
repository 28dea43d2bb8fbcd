"""Loss functions and their hand-derived gradients, as one literal table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from labreport.backprop.activations import log_sigmoid, log_softmax, sigmoid, softmax
from labreport.backprop.arrays import FloatArray

TermFunction: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]

# torch.nn.BCELoss clamps both logarithms from below, so that its value stays finite.
BCE_SMALLEST_LOGARITHM = -100.0
# Its gradient does not know that clamp: it divides by x(1 - x), held at or above a
# constant that torch keeps in single precision (9.99999996e-13) for float64 as well.
BCE_SMALLEST_VARIANCE = float(np.float32(1e-12))


@dataclass(frozen=True)
class Loss:
    """A loss and its gradient with respect to the output of the network.

    `value(output, target)` maps two arrays [rows, units] to a number, and
    `gradient(output, target)` to dL/d(output) [rows, units]; the arithmetic is done in
    the dtype of the arrays. Outputs may have further axes in front: `values(output, target)`
    then gives a loss for each. `elementwise(output, target)` gives the terms [rows, units]
    that `value` averages, or is None where a term depends on more than one unit.
    `averaged_over` says what the sum of the terms is divided by: the number of
    "elements" (torch's reduction "mean"), or of "rows" (its "batchmean").

    Only "bce" raises: ValueError where an output or a target lies outside [0, 1].
    """

    values: TermFunction
    gradient: TermFunction
    elementwise: TermFunction | None
    averaged_over: Literal["elements", "rows"]

    def value(self, output: FloatArray, target: FloatArray) -> float:
        """The loss of one network."""
        return float(self.values(output, target))


def _mean_over_elements(terms: TermFunction, slopes: TermFunction) -> Loss:
    """Build the loss whose value is the mean of `terms`; `slopes` is d(term)/d(output)."""

    def values(output: FloatArray, target: FloatArray) -> FloatArray:
        mean: FloatArray = np.mean(terms(output, target), axis=(-2, -1))
        return mean

    def gradient(output: FloatArray, target: FloatArray) -> FloatArray:
        slope: FloatArray = slopes(output, target).astype(output.dtype, copy=False)
        return slope / float(output.shape[-2] * output.shape[-1])

    return Loss(values, gradient, terms, "elements")


def _squared_error(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.square(output - target)


def _squared_error_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return 2.0 * (output - target)


def _absolute_error(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.abs(output - target)


def _absolute_error_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.sign(output - target)


def _smooth_absolute_error(output: FloatArray, target: FloatArray) -> FloatArray:
    # Girshick 2015, "Fast R-CNN", equation 3. With beta = delta = 1 it is also the loss
    # of Huber 1964; the two differ by a factor for other values, which are not offered.
    distance = np.abs(output - target)
    return np.where(distance < 1.0, 0.5 * distance * distance, distance - 0.5)


def _smooth_absolute_error_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.clip(output - target, -1.0, 1.0)


def _refuse_outside_unit_interval(values: FloatArray, name: str) -> None:
    # torch refuses NaN here too; letting it through makes the loss NaN, which is how
    # the training recognises a run that has diverged.
    if np.any((values < 0.0) | (values > 1.0)):
        raise ValueError(f"bce needs every {name} to lie between 0 and 1")


def _binary_cross_entropy(output: FloatArray, target: FloatArray) -> FloatArray:
    _refuse_outside_unit_interval(output, "output")
    _refuse_outside_unit_interval(target, "target")
    with np.errstate(divide="ignore"):
        log_output = np.maximum(np.log(output), BCE_SMALLEST_LOGARITHM)
        log_complement = np.maximum(np.log1p(-output), BCE_SMALLEST_LOGARITHM)
    return -(target * log_output + (1.0 - target) * log_complement)


def _binary_cross_entropy_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    variance = np.maximum((1.0 - output) * output, BCE_SMALLEST_VARIANCE)
    return (output - target) / variance


def _binary_cross_entropy_with_logits(output: FloatArray, target: FloatArray) -> FloatArray:
    return (1.0 - target) * output - log_sigmoid(output)


def _binary_cross_entropy_with_logits_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return sigmoid(output) - target


def _mean_over_rows(terms: FloatArray) -> FloatArray:
    """The sum of terms [..., rows, units], divided by the number of rows."""
    total: FloatArray = np.sum(terms, axis=(-2, -1))
    return total / float(terms.shape[-2])


def _cross_entropy(output: FloatArray, target: FloatArray) -> FloatArray:
    return _mean_over_rows(-(target * log_softmax(output)))


def _cross_entropy_gradient(output: FloatArray, target: FloatArray) -> FloatArray:
    # The usual p - t holds when a row of targets sums to one; for the sake of exactness
    # with targets that do not, p carries the sum (Bishop 2006, section 4.3.4).
    row_sums: FloatArray = np.sum(target, axis=-1, keepdims=True)
    return (softmax(output) * row_sums - target) / float(output.shape[-2])


def _divergence_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    # t log t is continued to 0 at t = 0; a negative t gives NaN, as in torch.
    with np.errstate(invalid="ignore"):
        target_log_target: FloatArray = target * np.log(np.where(target == 0.0, 1.0, target))
    return target_log_target - target * output


def _divergence(output: FloatArray, target: FloatArray) -> FloatArray:
    return _mean_over_rows(_divergence_terms(output, target))


def _divergence_gradient(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.broadcast_to(-target / float(output.shape[-2]), output.shape)


def _poisson_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return np.exp(output) - target * output


def _poisson_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return np.exp(output) - target


def _soft_margin_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    # A stable formula exists; torch's overflows to infinity past -ty = 709 (88 in
    # float32), and the point is to agree with torch.
    with np.errstate(over="ignore"):
        return np.log1p(np.exp(-target * output))


def _soft_margin_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore", invalid="ignore"):
        exponential = np.exp(-target * output)
        return -target * exponential / (1.0 + exponential)


def _multilabel_soft_margin_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    # torch averages over the labels of a row, then over the rows: one mean over all.
    return -(target * log_sigmoid(output) + (1.0 - target) * log_sigmoid(-output))


def _multilabel_soft_margin_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return (1.0 - target) * sigmoid(output) - target * sigmoid(-output)


def _hinge_embedding_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    # A target that is neither 1 nor -1 gets both terms, as in torch.
    distance = np.where(target != -1.0, output, np.zeros_like(output))
    margin = np.where(target != 1.0, np.maximum(1.0 - output, 0.0), np.zeros_like(output))
    return distance + margin


def _hinge_embedding_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    # At the kink itself (output 1) torch's clamp passes the gradient on.
    distance = np.where(target != -1.0, 1.0, 0.0)
    margin = np.where((target != 1.0) & (output <= 1.0), -1.0, 0.0)
    return distance + margin


# The losses are those of the torch.nn modules with their defaults, except kl_div, which
# takes reduction "batchmean" (torch's "mean" is not the divergence, as its page says).
LOSSES: dict[str, Loss] = {
    "mse": _mean_over_elements(_squared_error, _squared_error_slope),
    "l1": _mean_over_elements(_absolute_error, _absolute_error_slope),
    "smooth_l1": _mean_over_elements(_smooth_absolute_error, _smooth_absolute_error_slope),
    "huber": _mean_over_elements(_smooth_absolute_error, _smooth_absolute_error_slope),
    "bce": _mean_over_elements(_binary_cross_entropy, _binary_cross_entropy_slope),
    "bce_with_logits": _mean_over_elements(
        _binary_cross_entropy_with_logits, _binary_cross_entropy_with_logits_slope
    ),
    "cross_entropy": Loss(_cross_entropy, _cross_entropy_gradient, None, "rows"),
    "kl_div": Loss(_divergence, _divergence_gradient, _divergence_terms, "rows"),
    "poisson_nll": _mean_over_elements(_poisson_terms, _poisson_slope),
    "soft_margin": _mean_over_elements(_soft_margin_terms, _soft_margin_slope),
    "multilabel_soft_margin": _mean_over_elements(
        _multilabel_soft_margin_terms, _multilabel_soft_margin_slope
    ),
    "hinge_embedding": _mean_over_elements(_hinge_embedding_terms, _hinge_embedding_slope),
}
