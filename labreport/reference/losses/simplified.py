"""Gradients of losses written so that no terms or factors cancel, without torch's clamps."""

import numpy as np

from labreport.reference.activations import of_others, sigmoid, softmax
from labreport.reference.array_types import FloatArray
from labreport.reference.losses.binary_classification import multilabel_soft_margin_slope_sizes
from labreport.reference.losses.loss import (
    Count,
    SlopeAndTerms,
    TermFunction,
    averaged_terms,
    count_elements,
    count_rows,
)


def _binary_cross_entropy_delta(pre_activation: FloatArray, target: FloatArray) -> FloatArray:
    # o − t = (1 − t) σ(z) − t σ(−z), which keeps its digits where o has been rounded to 1.
    up, down = sigmoid(pre_activation), sigmoid(-pre_activation)
    return ((1.0 - target) * up - target * down) / float(count_elements(pre_activation))


def _binary_cross_entropy_delta_terms(pre_activation: FloatArray, target: FloatArray) -> FloatArray:
    up, down = sigmoid(pre_activation), sigmoid(-pre_activation)
    terms: FloatArray = np.abs(1.0 - target) * up + np.abs(target) * down
    return terms / float(count_elements(pre_activation))


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

    return averaged, averaged_terms(terms, count)


SIMPLIFIED: dict[tuple[str, str], SlopeAndTerms] = {
    ("bce", "sigmoid"): (_binary_cross_entropy_delta, _binary_cross_entropy_delta_terms),
}
"""For a loss and a last activation whose factors cancel, dL/dz of the output layer [rows, units]
from z and the targets, and its absolute terms added up. The loss divides by o(1 − o), which torch
clamps, and the activation multiplies by it (Bishop 2006, section 5.2)."""

SIMPLIFIED_SLOPES: dict[str, SlopeAndTerms] = {
    "bce_with_logits": _simplified(
        _logits_slope, multilabel_soft_margin_slope_sizes, count_elements
    ),
    "cross_entropy": _simplified(_cross_entropy_pairs, _cross_entropy_pairs_terms, count_rows),
    "poisson_nll": _simplified(_poisson_expm1_slope, _poisson_expm1_terms, count_elements),
}
"""dL/d(output) [rows, units] and its absolute terms added up, for losses whose usual derivative,
which is torch's, cancels where a target has nearly been met."""
