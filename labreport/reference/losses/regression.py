"""Losses of regression, element by element: squared, absolute and Huber errors, and Poisson."""

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.losses.loss import difference_terms, mean_over_elements


def _squared_error(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.square(output - target)


def _squared_error_slope(output: FloatArray, target: FloatArray) -> FloatArray:
    return 2.0 * (output - target)


def _squared_error_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    return np.abs(output - target) * difference_terms(output, target)


def _squared_error_slope_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    return 2.0 * difference_terms(output, target)


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


def _smooth_absolute_error_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    distance = np.abs(output - target)
    return np.minimum(distance, 1.0) * difference_terms(output, target) + distance


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


SQUARED_ERROR = mean_over_elements(
    _squared_error, _squared_error_slope, _squared_error_terms, _squared_error_slope_terms
)

ABSOLUTE_ERROR = mean_over_elements(
    _absolute_error, _absolute_error_slope, difference_terms, _absolute_error_slope
)

SMOOTH_ABSOLUTE_ERROR = mean_over_elements(
    _smooth_absolute_error,
    _smooth_absolute_error_slope,
    _smooth_absolute_error_terms,
    difference_terms,
)

POISSON = mean_over_elements(_poisson_terms, _poisson_slope, _poisson_sizes, _poisson_slope_sizes)
