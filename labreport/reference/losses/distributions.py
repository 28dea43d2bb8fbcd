"""Losses between distributions over the units of a row: cross-entropy and divergence."""

import numpy as np

from labreport.reference.activations import log_softmax, softmax
from labreport.reference.array_types import FloatArray
from labreport.reference.losses.loss import Loss, averaged_terms, count_rows, mean_over_rows


def _cross_entropy(output: FloatArray, target: FloatArray) -> FloatArray:
    return mean_over_rows(-(target * log_softmax(output)))


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


def _divergence(output: FloatArray, target: FloatArray) -> FloatArray:
    return mean_over_rows(_divergence_terms(output, target))


def _divergence_gradient(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.broadcast_to(-target / float(output.shape[-2]), output.shape)


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


CROSS_ENTROPY = Loss(
    _cross_entropy,
    _cross_entropy_gradient,
    None,
    "rows",
    averaged_terms(_cross_entropy_terms, count_rows),
    averaged_terms(_cross_entropy_slope_terms, count_rows),
)

DIVERGENCE = Loss(
    _divergence,
    _divergence_gradient,
    _divergence_terms,
    "rows",
    averaged_terms(_divergence_sizes, count_rows),
    averaged_terms(_divergence_slope_terms, count_rows),
)
