"""The result of a gradient check: the ways of computing gradients, and the formulas checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labreport.lab.lab import Formula
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.training import HandTrace
from labreport.runs.run import Steps


@dataclass(frozen=True)
class Deviation:
    """The difference between one way of computing gradients and another.

    Attributes:
        absolute: largest absolute difference over all weights and rounds.
        relative: largest difference, relative to the derivative or to what its rounding allows.
        round: the first round in which ``relative`` exceeds the tolerance; None for none.
        weight: name of the weight that differs most in that round; "" for none.
    """

    absolute: float
    relative: float
    round: int | None
    weight: str


@dataclass(frozen=True)
class Way:
    """One way of computing the gradients at the weights of the run.

    Attributes:
        gradients: [steps, parameters] at the weights of ``steps``.
        steps: [steps] the steps of the run that were looked at.
        apart: [steps] the largest difference of a derivative: relative to the derivative, or to
            what rounding allows divided by the tolerance where that is more.
        deviation: the whole in short.
    """

    gradients: FloatArray
    steps: Steps
    apart: FloatArray
    deviation: Deviation


@dataclass(frozen=True)
class Shown:
    """The first visible effects of a formula in a training printed at two decimals.

    Attributes:
        gradient: first round whose gradients look other than by the chain rule; None for none.
        loss: first round whose loss does.
    """

    gradient: int | None
    loss: int | None


@dataclass(frozen=True)
class CheckedFormula:
    """A formula of the lab, its gradients, a training with it, and what that would show.

    Attributes:
        formula: of the lab.
        way: its gradients, compared with those by hand.
        training: with it.
        shown: what that would show.
        felt: [replaced] of each derivative that the formula replaces, in the order of the
            formula, the largest of any round: 1 where it is far above its rounding, and a
            tolerance where it is no more than that.
        visible: ``felt`` from which on a mistake of a hundredth would have been seen.
        cosines: [steps of the training] of the angle between the formula's gradient and that by
            the chain rule, at the weights that training with the formula has come to; NaN where
            either is 0 or no number.
    """

    formula: Formula
    way: Way
    training: HandTrace
    shown: Shown
    felt: FloatArray
    visible: float
    cosines: FloatArray

    @property
    def smallest_cosine(self) -> float | None:
        """The smallest cosine of any round; None where there is none in some round."""
        known = bool(self.cosines.size) and not np.isnan(self.cosines).any()
        return float(self.cosines.min()) if known else None

    @property
    def is_wrong(self) -> bool:
        """True if it gives another derivative in some round."""
        return self.way.deviation.round is not None

    @property
    def is_right(self) -> bool:
        """True if it gives the same ones, of which each was large enough to tell in some round."""
        return not self.is_wrong and not self.unseen

    @property
    def unseen(self) -> tuple[str, ...]:
        """Weights in whose derivative a mistake of a hundredth would never have been seen."""
        names = self.formula.derivatives
        return tuple(n for n, f in zip(names, self.felt, strict=True) if f <= self.visible)


@dataclass(frozen=True)
class GradientCheck:
    """Gradients of one run, four ways.

    Attributes:
        tolerance: relative difference from which on a formula is another one.
        run_tolerance: the same beside autograd, which has the precision of the run.
        hand: by hand in float64, without torch's clamps, compared with autograd.
        differences: by central differences, compared with autograd.
        left_out: [steps, parameters] where nothing is compared with autograd, whose value is
            decided by rounding in the precision of the run, or by torch's clamp of the loss.
        clamped: [steps, parameters] those of them that the clamp decides, or where the output of a
            unit has been rounded to the end of its range and nothing is left of the derivative.
        truth: training by hand with the chain rule.
        formulas: those of the lab, compared with the derivation by hand.
    """

    tolerance: float
    run_tolerance: float
    hand: Way
    differences: Way
    left_out: BoolArray
    clamped: BoolArray
    truth: HandTrace
    formulas: tuple[CheckedFormula, ...]
