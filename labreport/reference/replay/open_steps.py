"""Steps of update rules that rounding decides, and which therefore cannot be computed again."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from labreport.lab.schema.optimizers import (
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from labreport.reference.array_types import BoolArray, FloatArray

SHORT = 0.5
"""A rule that remembers the squares of gradients for less than this divides by the last gradient,
as good as alone: what rounding makes of that one, the step is."""

ILL = 1000
"""The multiple of its rounding below which dividing by a gradient errs by more than a hundredth: it
has the errors of the steps before in it as well."""

OPEN = 4
"""The ratio of the largest to the smallest value that rounding can make of the squares that a rule
divides by, beyond which its steps are unknown: they may be twice as long."""


def memory_of_squares(optimizer: Optimizer) -> float | None:
    """The decay of the squared gradients that a rule divides by; None where it has none."""
    match optimizer:
        case Adam() | AdamW() | NAdam() | RAdam() | Adamax():
            return optimizer.betas[1]
        case RMSprop():
            return optimizer.alpha
        case Adadelta():
            return optimizer.rho
        case Adagrad():
            return 1.0
        case _:
            return None


class OpenSteps:
    """Find in which runs rounding decides the next step, from the first step to the last.

    Args:
        optimizer: of the runs.
        shape: of their parameters, [runs, parameters].
        dtype: their precision.
        rounding: relative error of a gradient, of the terms that it is a sum of.
    """

    def __init__(
        self, optimizer: Optimizer, shape: tuple[int, ...], dtype: DTypeLike, rounding: float
    ) -> None:
        self._takes_signs = isinstance(optimizer, Rprop)
        self._memory = memory_of_squares(optimizer)
        self._squares = None if self._memory is None else _Squares(self._memory, shape)
        self._tiny = np.finfo(np.dtype(dtype)).tiny
        self._rounding = rounding
        self._earlier: FloatArray = np.zeros(shape, dtype=dtype)

    def are_open(self, gradients: FloatArray, terms: FloatArray | float) -> BoolArray:
        """In which runs [runs] the next step is open.

        Args:
            gradients: as the rule sees them [copies, runs, parameters], the run itself first.
            terms: absolute terms [runs, parameters] that the gradient of the run itself is a sum
                of; 0 where it is a stored one.
        """
        found = self._are_decided_by_rounding(gradients[0], terms)
        self._earlier = gradients[0]
        return np.asarray(found | self._lost(gradients))

    def of_stored(self, gradients: FloatArray) -> BoolArray:
        """In which runs each step is open [steps, runs], of stored gradients [steps, runs, …]."""
        if not self._takes_signs and self._memory is None:
            return self._lost(gradients[None])
        found = [self.are_open(gradient[None], 0.0) for gradient in gradients]
        return np.array(found, dtype=bool).reshape(gradients.shape[:2])

    @staticmethod
    def _lost(gradients: FloatArray) -> BoolArray:
        """In which runs [..., runs] squares of gradients [copies, ..., runs, parameters] overflow.

        Rules that keep squares have lost them there, each program in a way of its own.
        """
        return np.asarray(~np.isfinite(gradients * gradients).all(axis=(0, -1)))

    def _are_decided_by_rounding(
        self, gradient: FloatArray, terms: FloatArray | float
    ) -> BoolArray:
        if self._takes_signs:
            return self._sign_is_open(gradient, terms)
        if self._memory is not None and self._memory < SHORT:
            return self._is_rounded(gradient, ILL * terms)
        if self._squares is not None:
            return self._squares.are_open(gradient, self._rounding * terms)
        return np.zeros(len(gradient), dtype=bool)

    def _sign_is_open(self, gradient: FloatArray, terms: FloatArray | float) -> BoolArray:
        """In which runs rounding decides the sign of a derivative, or of a product of two.

        Rprop asks for these signs alone, and steps by as much whatever the derivative is. A product
        that is too small to be a normal number is 0 to some programs.
        """
        product = np.abs(gradient.astype(np.float64) * self._earlier)
        lost = (product < self._tiny) & (gradient != 0) & (self._earlier != 0)
        return np.asarray(self._is_rounded(gradient, terms) | lost.any(axis=-1))

    def _is_rounded(self, gradient: FloatArray, terms: FloatArray | float) -> BoolArray:
        """In which runs a derivative is no more than the rounding of its terms."""
        rounded = (np.abs(gradient) <= self._rounding * terms) & (gradient != 0)
        return np.asarray(rounded.any(axis=-1))


class _Squares:
    """Squares of gradients as a rule remembers them, and what rounding may make of them.

    A nudge to either side does not show the latter: where the terms of a gradient cancel, it makes
    squares that are too large alone.
    """

    def __init__(self, memory: float, shape: tuple[int, ...]) -> None:
        self.memory = memory
        self.least, self.most = np.zeros(shape), np.zeros(shape)

    def are_open(self, gradient: FloatArray, rounding: FloatArray | float) -> BoolArray:
        """Add a gradient [runs, parameters]; in which runs rounding decides by what is divided."""
        size = np.abs(gradient.astype(np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            self.least = self.memory * self.least + np.maximum(size - rounding, 0.0) ** 2
            self.most = self.memory * self.most + (size + rounding) ** 2
            return np.asarray((self.most > OPEN * self.least).any(axis=-1))
