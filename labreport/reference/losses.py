"""Loss functions and their hand-derived gradients, as one literal table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from labreport.reference.activations import log_sigmoid, log_softmax, of_others, sigmoid, softmax
from labreport.reference.array_types import FloatArray

TermFunction: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]
SlopeAndTerms: TypeAlias = tuple[TermFunction, TermFunction]
Count: TypeAlias = Callable[[FloatArray], int]

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
    `value_terms(output, target)` and `slope_terms(output, target)`, both [rows, units], are the
    sums of the absolute values of what the loss and its gradient are added up from: rounding
    errors are in proportion to these, also where the terms cancel (Higham 2002, "Accuracy and
    Stability of Numerical Algorithms", section 3.1).

    Only "bce" raises: ValueError where an output or a target lies outside [0, 1].
    """

    values: TermFunction
    gradient: TermFunction
    elementwise: TermFunction | None
    averaged_over: Literal["elements", "rows"]
    value_terms: TermFunction
    slope_terms: TermFunction

    def value(self, output: FloatArray, target: FloatArray) -> float:
        """The loss of one network."""
        return float(self.values(output, target))


def _averaged(terms: TermFunction, count: Count) -> TermFunction:
    """Divide terms by how many there are in an output."""

    def averaged(output: FloatArray, target: FloatArray) -> FloatArray:
        found: FloatArray = np.abs(terms(output, target)) / float(count(output))
        return found

    return averaged


def _elements(output: FloatArray) -> int:
    return int(output.shape[-2] * output.shape[-1])


def _rows(output: FloatArray) -> int:
    return int(output.shape[-2])


def _mean_over_elements(
    terms: TermFunction,
    slopes: TermFunction,
    value_terms: TermFunction,
    slope_terms: TermFunction,
) -> Loss:
    """Build the loss whose value is the mean of `terms`; `slopes` is d(term)/d(output)."""

    def values(output: FloatArray, target: FloatArray) -> FloatArray:
        mean: FloatArray = np.mean(terms(output, target), axis=(-2, -1))
        return mean

    def gradient(output: FloatArray, target: FloatArray) -> FloatArray:
        slope: FloatArray = slopes(output, target).astype(output.dtype, copy=False)
        return slope / float(output.shape[-2] * output.shape[-1])

    return Loss(
        values,
        gradient,
        terms,
        "elements",
        _averaged(value_terms, _elements),
        _averaged(slope_terms, _elements),
    )


def _sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    """|o| + |t|, of which a difference o − t is made."""
    found: FloatArray = np.abs(output) + np.abs(target)
    return found


def _squared_error(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.square(output - target)


def _squared_error_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return 2.0 * (output - target)


def _squared_error_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.abs(output - target) * _sizes(output, target)


def _squared_error_slope_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    return 2.0 * _sizes(output, target)


def _absolute_error(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.abs(output - target)


def _absolute_error_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.sign(output - target)


def _smooth_absolute_error_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    distance = np.abs(output - target)
    return np.minimum(distance, 1.0) * _sizes(output, target) + distance


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


def _binary_cross_entropy_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        log_output = np.maximum(np.log(output), BCE_SMALLEST_LOGARITHM)
        log_complement = np.maximum(np.log1p(-output), BCE_SMALLEST_LOGARITHM)
    terms: FloatArray = np.abs(target * log_output) + np.abs((1.0 - target) * log_complement)
    return terms


def _binary_cross_entropy_slope_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    variance = np.maximum((1.0 - output) * output, BCE_SMALLEST_VARIANCE)
    return _sizes(output, target) / variance


def _binary_cross_entropy_with_logits(output: FloatArray, target: FloatArray) -> FloatArray:
    return (1.0 - target) * output - log_sigmoid(output)


def _binary_cross_entropy_with_logits_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return sigmoid(output) - target


def _binary_cross_entropy_with_logits_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    terms: FloatArray = np.abs((1.0 - target) * output) + np.abs(log_sigmoid(output))
    return terms


def _binary_cross_entropy_with_logits_slope_terms(
    output: FloatArray, target: FloatArray
) -> FloatArray:
    return sigmoid(output) + np.abs(target)


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


def _cross_entropy_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    # The logarithm of a sum of exponentials that is next to 1 is as uncertain as that sum.
    terms: FloatArray = np.abs(target) * (1.0 - log_softmax(output))
    return terms


def _cross_entropy_slope_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    row_sums: FloatArray = np.sum(np.abs(target), axis=-1, keepdims=True)
    return softmax(output) * row_sums + np.abs(target)


def _divergence_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    # t log t is continued to 0 at t = 0; a negative t gives NaN, as in torch.
    with np.errstate(invalid="ignore"):
        target_log_target: FloatArray = target * np.log(np.where(target == 0.0, 1.0, target))
    return target_log_target - target * output


def _divergence_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        logarithm = np.log(np.where(target == 0.0, 1.0, target))
    terms: FloatArray = np.abs(target * logarithm) + np.abs(target * output)
    return terms


def _divergence_slope_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.broadcast_to(np.abs(target), output.shape)


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


def _poisson_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return np.exp(output) * (1.0 + np.abs(output)) + np.abs(target * output)


def _poisson_slope_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return np.exp(output) + np.abs(target)


def _soft_margin_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    # torch takes the logarithm of 1 + e: as uncertain as that sum.
    return 1.0 + _soft_margin_terms(output, target)


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


def _multilabel_soft_margin_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.abs(target * log_sigmoid(output)) + np.abs((1.0 - target) * log_sigmoid(-output))


def _multilabel_soft_margin_slope_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    terms: FloatArray = np.abs(1.0 - target) * sigmoid(output) + np.abs(target) * sigmoid(-output)
    return terms


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


def _hinge_embedding_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.where(target != -1.0, np.abs(output), 0.0) + np.where(
        target != 1.0, 1.0 + np.abs(output), 0.0
    )


def _hinge_embedding_slope_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
    margin = np.where((target != 1.0) & (output <= 1.0), 1.0, 0.0)
    return np.where(target != -1.0, 1.0, 0.0) + margin


def _binary_cross_entropy_delta(pre_activation: FloatArray, target: FloatArray) -> FloatArray:
    # o − t = (1 − t) σ(z) − t σ(−z), which keeps its digits where o has been rounded to 1.
    up, down = sigmoid(pre_activation), sigmoid(-pre_activation)
    return ((1.0 - target) * up - target * down) / float(_elements(pre_activation))


def _binary_cross_entropy_delta_terms(pre_activation: FloatArray, target: FloatArray) -> FloatArray:
    up, down = sigmoid(pre_activation), sigmoid(-pre_activation)
    terms: FloatArray = np.abs(1.0 - target) * up + np.abs(target) * down
    return terms / float(_elements(pre_activation))


SIMPLIFIED: dict[tuple[str, str], SlopeAndTerms] = {
    ("bce", "sigmoid"): (_binary_cross_entropy_delta, _binary_cross_entropy_delta_terms),
}
"""For a loss and a last activation whose factors cancel, dL/dz of the output layer [rows, units]
from z and the targets, and its absolute terms added up. The loss divides by o(1 − o), which torch
clamps, and the activation multiplies by it (Bishop 2006, section 5.2)."""


def _logits_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    # σ(o) − t = (1 − t) σ(o) − t σ(−o)
    return (1.0 - target) * sigmoid(output) - target * sigmoid(-output)


def _cross_entropy_pairs(output: FloatArray, target: FloatArray) -> FloatArray:
    # p_i Σ_j t_j − t_i Σ_j p_j, of which the terms with j = i cancel.
    p = softmax(output)
    return p * of_others(target) - target * of_others(p)


def _cross_entropy_pairs_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    p, t = softmax(output), np.abs(target)
    terms: FloatArray = p * of_others(t) + t * of_others(p)
    return terms


def _poisson_expm1_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        slope: FloatArray = np.expm1(output) + (1.0 - target)
        return slope


def _poisson_expm1_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        terms: FloatArray = np.abs(np.expm1(output)) + np.abs(1.0 - target)
        return terms


def _simplified(slope: TermFunction, terms: TermFunction, count: Count) -> SlopeAndTerms:
    def averaged(output: FloatArray, target: FloatArray) -> FloatArray:
        found: FloatArray = slope(output, target) / float(count(output))
        return found

    return averaged, _averaged(terms, count)


SIMPLIFIED_SLOPES: dict[str, SlopeAndTerms] = {
    "bce_with_logits": _simplified(_logits_slope, _multilabel_soft_margin_slope_sizes, _elements),
    "cross_entropy": _simplified(_cross_entropy_pairs, _cross_entropy_pairs_terms, _rows),
    "poisson_nll": _simplified(_poisson_expm1_slope, _poisson_expm1_terms, _elements),
}
"""dL/d(output) [rows, units] and its absolute terms added up, for losses whose usual derivative,
which is torch's, cancels where a target has nearly been met."""


# The losses are those of the torch.nn modules with their defaults, except kl_div, which
# takes reduction "batchmean" (torch's "mean" is not the divergence, as its page says).
LOSSES: dict[str, Loss] = {
    "mse": _mean_over_elements(
        _squared_error, _squared_error_slope, _squared_error_terms, _squared_error_slope_terms
    ),
    "l1": _mean_over_elements(
        _absolute_error, _absolute_error_slope, _sizes, _absolute_error_slope
    ),
    "smooth_l1": _mean_over_elements(
        _smooth_absolute_error,
        _smooth_absolute_error_slope,
        _smooth_absolute_error_terms,
        _sizes,
    ),
    "huber": _mean_over_elements(
        _smooth_absolute_error,
        _smooth_absolute_error_slope,
        _smooth_absolute_error_terms,
        _sizes,
    ),
    "bce": _mean_over_elements(
        _binary_cross_entropy,
        _binary_cross_entropy_slope,
        _binary_cross_entropy_terms,
        _binary_cross_entropy_slope_terms,
    ),
    "bce_with_logits": _mean_over_elements(
        _binary_cross_entropy_with_logits,
        _binary_cross_entropy_with_logits_slope,
        _binary_cross_entropy_with_logits_terms,
        _binary_cross_entropy_with_logits_slope_terms,
    ),
    "cross_entropy": Loss(
        _cross_entropy,
        _cross_entropy_gradient,
        None,
        "rows",
        _averaged(_cross_entropy_terms, _rows),
        _averaged(_cross_entropy_slope_terms, _rows),
    ),
    "kl_div": Loss(
        _divergence,
        _divergence_gradient,
        _divergence_terms,
        "rows",
        _averaged(_divergence_sizes, _rows),
        _averaged(_divergence_slope_terms, _rows),
    ),
    "poisson_nll": _mean_over_elements(
        _poisson_terms, _poisson_slope, _poisson_sizes, _poisson_slope_sizes
    ),
    "soft_margin": _mean_over_elements(
        _soft_margin_terms, _soft_margin_slope, _soft_margin_sizes, _soft_margin_slope
    ),
    "multilabel_soft_margin": _mean_over_elements(
        _multilabel_soft_margin_terms,
        _multilabel_soft_margin_slope,
        _multilabel_soft_margin_sizes,
        _multilabel_soft_margin_slope_sizes,
    ),
    "hinge_embedding": _mean_over_elements(
        _hinge_embedding_terms,
        _hinge_embedding_slope,
        _hinge_embedding_sizes,
        _hinge_embedding_slope_sizes,
    ),
}
