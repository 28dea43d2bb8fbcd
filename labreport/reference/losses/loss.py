"""A loss as a value: its gradient, the terms it is a sum of, and means over elements or rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from labreport.reference.array_types import FloatArray

TermFunction: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]

SlopeAndTerms: TypeAlias = tuple[TermFunction, TermFunction]

Count: TypeAlias = Callable[[FloatArray], int]


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


def averaged_terms(terms: TermFunction, count: Count) -> TermFunction:
    """Divide terms by how many there are in an output."""

    def averaged(output: FloatArray, target: FloatArray) -> FloatArray:
        found: FloatArray = np.abs(terms(output, target)) / float(count(output))
        return found

    return averaged


def count_elements(output: FloatArray) -> int:
    """The number of elements of one network's output."""
    return int(output.shape[-2] * output.shape[-1])


def count_rows(output: FloatArray) -> int:
    """The number of rows of one network's output."""
    return int(output.shape[-2])


def mean_over_elements(
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
        averaged_terms(value_terms, count_elements),
        averaged_terms(slope_terms, count_elements),
    )


def mean_over_rows(terms: FloatArray) -> FloatArray:
    """The sum of terms [..., rows, units], divided by the number of rows."""
    total: FloatArray = np.sum(terms, axis=(-2, -1))
    return total / float(terms.shape[-2])


def difference_terms(output: FloatArray, target: FloatArray) -> FloatArray:
    """|o| + |t|, of which a difference o − t is made."""
    found: FloatArray = np.abs(output) + np.abs(target)
    return found
