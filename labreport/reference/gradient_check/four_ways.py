"""The check of one run: its gradients by hand, by differences and by the formulas of the lab."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.lab.lab import Formula
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import Evaluated, evaluate
from labreport.reference.gradient_check.autograd import compare_with_autograd
from labreport.reference.gradient_check.check_result import CheckedFormula, GradientCheck, Shown
from labreport.reference.gradient_check.deviation import (
    ARITHMETIC,
    SINGLE_TOLERANCE,
    TOLERANCE,
    compared,
    gradient_of,
    relative_differences,
    rounding_unit,
)
from labreport.reference.gradient_check.differences import compare_differences
from labreport.reference.gradient_check.formula_gradients import FormulaGradients
from labreport.reference.gradient_check.formula_training import first_shown, train_by_formula
from labreport.reference.rounding import Nudged, farthest, nudged
from labreport.reference.training import HandTrace
from labreport.runs.run import Run

VISIBLE = 100
"""The ratio of a derivative to its rounding from which a mistake of a hundredth in it is seen."""

NUDGE = 4
"""Units of rounding by which weights and activations are nudged. A formula is evaluated from the
same activations as the derivation by hand, which are good to one or two."""


def check_gradients(run: Run, formulas: Sequence[Formula]) -> GradientCheck:
    """Compute the gradients of a run again, by hand, by differences and by other formulas.

    Args:
        run: a run whose gradients were recorded in every round, with no batches.
        formulas: of the lab, already known to be sound for this network.
    """
    config, trace = run.config, run.trace
    run_tolerance = TOLERANCE if config.dtype == "float64" else SINGLE_TOLERANCE
    weights = trace.weights.astype(np.float64)
    # Formulas may divide by 0: that is as far from the truth as anything.
    with np.errstate(all="ignore"):
        right = evaluate(config, weights, simplified=True)
        hand, left_out, clamped = compare_with_autograd(run, right, run_tolerance)
        differences = compare_differences(run, right, left_out, run_tolerance)
        truth = train_by_formula(run, None)
        near = list(nudged(config, weights, NUDGE * rounding_unit("float64"), simplified=True))
        checked = tuple(_check(run, formula, right, near, truth, weights) for formula in formulas)
    return GradientCheck(
        TOLERANCE, run_tolerance, hand, differences, left_out, clamped, truth, checked
    )


def _check(
    run: Run,
    formula: Formula,
    right: Evaluated,
    near: list[Nudged],
    truth: HandTrace,
    weights: FloatArray,
) -> CheckedFormula:
    """A formula against the derivation by hand, both in float64 and of the same activations."""
    rewrite = FormulaGradients(formula, run.config)
    made = rewrite(right.passed, weights, right.gradient)

    def by_formula(beside: Nudged) -> FloatArray:
        evaluated = beside.evaluated
        return rewrite(evaluated.passed, beside.weights, evaluated.gradient)

    terms = right.terms + rewrite.rounding(right.passed, weights, right.gradient)
    room = ARITHMETIC * rounding_unit("float64") * terms
    room = room + farthest(near, gradient_of, right.gradient) + farthest(near, by_formula, made)
    relative = relative_differences(made - right.gradient, right.gradient, room, TOLERANCE)
    # What gives no number in any round is no derivative; 0/0 in some of them may be one.
    numbers = [np.isfinite(made), *(np.isfinite(by_formula(beside)) for beside in near)]
    relative = np.where(np.any(numbers, axis=(0, 1)), relative, np.inf)
    training = train_by_formula(run, rewrite)
    shown = Shown(
        first_shown(training.gradients, truth.gradients),
        first_shown(training.losses[:, None], truth.losses[:, None]),
    )
    size = np.abs(right.gradient)
    felt = np.divide(
        size, np.maximum(size, room / TOLERANCE), out=np.zeros_like(size), where=size > 0
    )
    way = compared(run, made, right.gradient, relative, TOLERANCE)
    seen = felt.max(axis=0)[rewrite.replaced]
    cosines = _cosines(run, training)
    return CheckedFormula(formula, way, training, shown, seen, VISIBLE * TOLERANCE, cosines)


def _cosines(run: Run, training: HandTrace) -> FloatArray:
    """Cosines [steps] of the angle between a training's gradients and those by the chain rule."""
    right = evaluate(run.config, training.weights, simplified=True).gradient
    made = training.gradients
    inner = (made * right).sum(axis=-1)
    found: FloatArray = inner / (np.linalg.norm(made, axis=-1) * np.linalg.norm(right, axis=-1))
    return found
