"""Losses of binary classification, element by element: cross-entropies and margins."""

import numpy as np

from labreport.reference.activations import log_sigmoid, sigmoid
from labreport.reference.array_types import FloatArray
from labreport.reference.losses.loss import difference_terms, mean_over_elements

# torch.nn.BCELoss clamps both logarithms from below, so that its value stays finite.
BCE_SMALLEST_LOGARITHM = -100.0

# Its gradient does not know that clamp: it divides by x(1 - x), held at or above a
# constant that torch keeps in single precision (9.99999996e-13) for float64 as well.
BCE_SMALLEST_VARIANCE = float(np.float32(1e-12))


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
    return difference_terms(output, target) / variance


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


def multilabel_soft_margin_slope_sizes(output: FloatArray, target: FloatArray) -> FloatArray:
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


BINARY_CROSS_ENTROPY = mean_over_elements(
    _binary_cross_entropy,
    _binary_cross_entropy_slope,
    _binary_cross_entropy_terms,
    _binary_cross_entropy_slope_terms,
)

BINARY_CROSS_ENTROPY_WITH_LOGITS = mean_over_elements(
    _binary_cross_entropy_with_logits,
    _binary_cross_entropy_with_logits_slope,
    _binary_cross_entropy_with_logits_terms,
    _binary_cross_entropy_with_logits_slope_terms,
)

SOFT_MARGIN = mean_over_elements(
    _soft_margin_terms, _soft_margin_slope, _soft_margin_sizes, _soft_margin_slope
)

MULTILABEL_SOFT_MARGIN = mean_over_elements(
    _multilabel_soft_margin_terms,
    _multilabel_soft_margin_slope,
    _multilabel_soft_margin_sizes,
    multilabel_soft_margin_slope_sizes,
)

HINGE_EMBEDDING = mean_over_elements(
    _hinge_embedding_terms,
    _hinge_embedding_slope,
    _hinge_embedding_sizes,
    _hinge_embedding_slope_sizes,
)
