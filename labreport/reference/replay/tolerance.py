"""Quantities that a replay compares: the largest differences, and what rounding allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import Answered
from labreport.runs.run import Steps

ROUNDINGS = 16
"""Units of rounding, of the terms that a number is a sum of, by which two right programs may
differ: sums of a few terms in another order."""

ROUNDINGS_A_TERM = 0.5
"""Units by which each further term of a sum may add to that: rows of which a saturated network is
equally far off have equal terms, and these are all rounded the same way (Higham 2002, "Accuracy
and Stability of Numerical Algorithms", section 4.2: n − 1 additions, half a unit each)."""

NUDGE = 8
"""Units of rounding by which weights and activations are nudged where more is found: if that
changes the result as much, rounding explains it (a unit of ReLU at its kink)."""


@dataclass(frozen=True)
class Difference:
    """The largest difference of one quantity of a run.

    Attributes:
        relative: the difference, in units of the terms that the number is a sum of.
        step: where it was found.
        parameter: index of the parameter, −1 for a quantity that has none.
        allowed: whether every difference can be rounding.
    """

    relative: float = 0.0
    step: int = 0
    parameter: int = -1
    allowed: bool = True


class Largest:
    """The largest difference of a quantity, of each of several runs.

    Args:
        runs: how many.
        least: differences up to this are none.
    """

    def __init__(self, runs: int, least: float) -> None:
        self._least = least
        self._relative = np.zeros(runs)
        self._step, self._parameter = np.zeros(runs, dtype=int), np.full(runs, -1)
        self._allowed = np.ones(runs, dtype=bool)

    def note(
        self,
        runs: Steps,
        steps: Steps,
        apart: FloatArray,
        scale: FloatArray,
        room: FloatArray,
        named: bool = False,
    ) -> None:
        """Take in differences [cases, numbers] of runs [cases] at steps [cases].

        What is larger than ``room`` is not allowed; where ``room`` is not finite, nothing is
        compared.
        """
        known = np.isfinite(room)
        apart = np.where(known & ~np.isnan(apart) & (apart > self._least), apart, 0.0)
        beyond = known & (apart > room)
        far = np.divide(apart, scale, out=np.where(apart > 0, np.inf, 0.0), where=scale > 0)
        # What is not allowed is told before what is merely large.
        worst = np.where(beyond.any(axis=1, keepdims=True) & ~beyond, -1.0, far).argmax(axis=1)
        cases = np.arange(len(runs))
        relative, allowed = far[cases, worst], ~beyond[cases, worst]
        # Of several cases of a run the last one assigned stays: the one that is largest.
        order = np.lexsort((relative, ~allowed))
        is_larger = relative > self._relative[runs]
        is_larger = np.where(allowed == self._allowed[runs], is_larger, ~allowed)
        order = order[is_larger[order]]
        at = runs[order]
        self._relative[at], self._step[at] = relative[order], steps[order]
        self._parameter[at] = worst[order] if named else -1
        self._allowed[at] = allowed[order]

    def refuse(self, run: int, step: int) -> None:
        """Note that something is so that cannot be."""
        self._relative[run], self._step[run] = np.inf, step
        self._parameter[run], self._allowed[run] = -1, False

    def __getitem__(self, run: int) -> Difference:
        return Difference(
            float(self._relative[run]),
            int(self._step[run]),
            int(self._parameter[run]),
            bool(self._allowed[run]),
        )


def absolute_differences(computed: FloatArray, stored: FloatArray) -> FloatArray:
    """Absolute differences; ∞ where only one of the two is finite."""
    apart = np.abs(computed.astype(np.float64) - stored)
    one_sided = np.isfinite(computed) != np.isfinite(stored)
    return np.where(one_sided, np.inf, np.where(np.isfinite(apart), apart, 0.0))


def flat_outputs(evaluated: Answered) -> FloatArray:
    """Outputs [..., rows, units] as [..., numbers]."""
    output = evaluated.passed.output
    return output.reshape(*output.shape[:-2], -1)
