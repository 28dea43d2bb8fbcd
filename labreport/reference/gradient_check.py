"""The gradients of one run four ways: by autograd, by hand, by differences, by other formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.expression import Expression, parse, rounding_of
from labreport.lab.expression import evaluate as evaluate_expression
from labreport.lab.formula_checks import DERIVATIVE
from labreport.lab.lab import Formula
from labreport.lab.naming import parameter_names, unit_names
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.evaluation import (
    Evaluated,
    data_of,
    evaluate,
    hyperparameters_of,
    layers_of,
)
from labreport.reference.finite_differences import central_differences
from labreport.reference.losses.binary_classification import BCE_SMALLEST_VARIANCE
from labreport.reference.network import ForwardPass
from labreport.reference.rounding import Nudged, farthest, nudged
from labreport.reference.training import HandTrace, train
from labreport.runs.run import Run, Steps

MOST_DIFFERENCES = 5_000
"""Derivatives that are estimated by differences: more would take longer than all training."""

TOLERANCE = 1e-6
"""Relative difference from which on a derivative is another one. Central differences in float64
are good to about 1e-9, a wrong factor in a formula is seldom nearer than 1e-4."""

SINGLE_TOLERANCE = 1e-4
"""The same beside autograd in float32, which holds seven digits."""

VISIBLE = 100
"""How many times as large as its rounding a derivative must be for a mistake of a hundredth in it
to be seen."""

NUDGE = 4
"""Units of rounding by which weights and activations are nudged. A formula is evaluated from the
same activations as the derivation by hand, which are good to one or two."""

RUN_NUDGE = 16
"""The same beside autograd, whose activations come from sums in another order."""

UNDERFLOW = 2.0**20
"""The smallest normal number times this is as good as 0."""

NEGLIGIBLE = 1e-6
"""Share of a round's largest derivative below which none is worth a word."""

ARITHMETIC = 16
"""Units of rounding, of the terms that are added up, by which a sum may be wrong."""

DECIMALS = 2
"""What the programs of the course print."""


@dataclass(frozen=True)
class Deviation:
    """How far one way of computing gradients is from another.

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
    """What somebody would see who prints a training with a formula at two decimals.

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
    """

    formula: Formula
    way: Way
    training: HandTrace
    shown: Shown
    felt: FloatArray
    visible: float

    @property
    def is_wrong(self) -> bool:
        """Whether it gives another derivative in some round."""
        return self.way.deviation.round is not None

    @property
    def is_right(self) -> bool:
        """Whether it gives the same ones, of which each was large enough to tell in some round."""
        return not self.is_wrong and not self.unseen

    @property
    def unseen(self) -> tuple[str, ...]:
        """Weights whose derivative was never more than rounding, so that any formula passes."""
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
        hand, left_out, clamped = _beside_autograd(run, right, run_tolerance)
        differences = _by_differences(run, right, left_out, run_tolerance)
        truth = _train(run, None)
        near = list(nudged(config, weights, NUDGE * _unit("float64"), simplified=True))
        checked = tuple(_check(run, formula, right, near, truth, weights) for formula in formulas)
    return GradientCheck(
        TOLERANCE, run_tolerance, hand, differences, left_out, clamped, truth, checked
    )


def _unit(dtype: str) -> float:
    return float(np.finfo(np.dtype(dtype)).eps)


def _beside_autograd(
    run: Run, right: Evaluated, tolerance: float
) -> tuple[Way, BoolArray, BoolArray]:
    """The derivation by hand against autograd, what is left out, and what of it torch clamps."""
    config, trace = run.config, run.trace
    unit, dtype = _unit(config.dtype), np.dtype(config.dtype)
    near = nudged(config, trace.weights, RUN_NUDGE * unit, simplified=True)
    room = farthest(near, _gradient, right.gradient) + ARITHMETIC * unit * right.terms
    relative = _relative(right.gradient - trace.gradients, right.gradient, room, tolerance)
    # As torch computes it: in the precision of the run, with its clamps.
    alike = evaluate(config, trace.weights, dtype)
    near = nudged(config, trace.weights, RUN_NUDGE * unit, dtype)
    alike_room = farthest(near, _gradient, alike.gradient) + ARITHMETIC * unit * alike.terms
    as_torch = _relative(alike.gradient - trace.gradients, alike.gradient, alike_room, tolerance)
    # A derivation that is wrong differs as well: torch must be seen to clamp, or to round away.
    clamps = _torch_clamps(config, alike)[:, None]
    rounds = alike_room > tolerance * np.abs(alike.gradient)
    left_out = (relative > tolerance) & (as_torch <= tolerance) & (clamps | rounds)
    # What is 0 because it is too small for the precision was not rounded away.
    sizes = np.abs(right.gradient)
    least = UNDERFLOW * float(np.finfo(dtype).tiny)
    counts = sizes > np.maximum(least, NEGLIGIBLE * sizes.max(axis=1, keepdims=True))
    clamped = left_out & counts & (clamps | (trace.gradients == 0))
    way = _way(run, right.gradient, trace.gradients, relative, tolerance, left_out)
    return way, left_out, clamped


def _torch_clamps(config: RunConfig, evaluated: Evaluated) -> BoolArray:
    """At which steps [steps] torch clamps what binary cross entropy divides by."""
    output = evaluated.passed.output
    if config.loss != "bce":
        return np.zeros(len(output), dtype=bool)
    variance = output * (1 - output)
    return np.asarray((variance < BCE_SMALLEST_VARIANCE).any(axis=(-2, -1)))


def _by_differences(run: Run, right: Evaluated, left_out: BoolArray, tolerance: float) -> Way:
    """Central differences against autograd, at as many steps as there is time for."""
    config, trace = run.config, run.trace
    count, parameters = trace.weights.shape
    steps = _spread(count, max(1, MOST_DIFFERENCES // max(1, parameters)))
    found = [_differences_at(config, trace.weights[s].astype(np.float64)) for s in steps]
    gradient, error = (np.array(values) for values in zip(*found, strict=True))
    room = error + ARITHMETIC * _unit(config.dtype) * right.terms[steps]
    there = right.gradient[steps]
    relative = _relative(gradient - trace.gradients[steps], there, room, tolerance)
    return _way(run, gradient, trace.gradients, relative, tolerance, left_out, steps)


def _check(
    run: Run,
    formula: Formula,
    right: Evaluated,
    near: list[Nudged],
    truth: HandTrace,
    weights: FloatArray,
) -> CheckedFormula:
    """A formula against the derivation by hand, both in float64 and of the same activations."""
    rewrite = _Rewriting(formula, run.config)
    made = rewrite(right.passed, weights, right.gradient)

    def by_formula(beside: Nudged) -> FloatArray:
        evaluated = beside.evaluated
        return rewrite(evaluated.passed, beside.weights, evaluated.gradient)

    terms = right.terms + rewrite.rounding(right.passed, weights, right.gradient)
    room = ARITHMETIC * _unit("float64") * terms
    room = room + farthest(near, _gradient, right.gradient) + farthest(near, by_formula, made)
    relative = _relative(made - right.gradient, right.gradient, room, TOLERANCE)
    # What gives no number in any round is no derivative; 0/0 in some of them may be one.
    numbers = [np.isfinite(made), *(np.isfinite(by_formula(beside)) for beside in near)]
    relative = np.where(np.any(numbers, axis=(0, 1)), relative, np.inf)
    training = _train(run, rewrite)
    shown = Shown(
        _first_shown(training.gradients, truth.gradients),
        _first_shown(training.losses[:, None], truth.losses[:, None]),
    )
    size = np.abs(right.gradient)
    felt = np.divide(
        size, np.maximum(size, room / TOLERANCE), out=np.zeros_like(size), where=size > 0
    )
    way = _way(run, made, right.gradient, relative, TOLERANCE)
    seen = felt.max(axis=0)[rewrite.replaced]
    return CheckedFormula(formula, way, training, shown, seen, VISIBLE * TOLERANCE)


def _gradient(beside: Nudged) -> FloatArray:
    return beside.evaluated.gradient


def _relative(
    apart: FloatArray, sizes: FloatArray, room: FloatArray, tolerance: float
) -> FloatArray:
    """Differences relative to derivatives, or to what rounding allows where that is more."""
    apart = np.where(np.isnan(apart), np.inf, np.abs(apart))
    scale = np.maximum(np.abs(sizes), room / tolerance)
    # Where a derivative is exactly 0 and its terms are, any difference is infinitely large.
    nothing = np.where(apart > 0, np.inf, 0.0)
    with np.errstate(invalid="ignore"):
        found: FloatArray = np.divide(apart, scale, out=nothing, where=scale > 0)
    # Where rounding leaves nothing of the derivative, it is no measure of anything.
    return np.where(np.isinf(room), 0.0, found)


def _way(
    run: Run,
    gradients: FloatArray,
    reference: FloatArray,
    relative: FloatArray,
    tolerance: float,
    left_out: BoolArray | None = None,
    steps: Steps | None = None,
) -> Way:
    """Gradients and their relative differences [steps, parameters] from a reference, in short."""
    steps = np.arange(len(gradients)) if steps is None else steps
    apart = np.abs(gradients - reference[steps])
    apart = np.where(np.isfinite(apart), apart, np.inf)
    if left_out is not None:
        apart = np.where(left_out[steps], 0.0, apart)
        relative = np.where(left_out[steps], 0.0, relative)
    far = relative.max(axis=1)
    beyond = np.flatnonzero(far > tolerance)
    first = int(beyond[0]) if len(beyond) else None
    names = parameter_names(run.config.network)
    deviation = Deviation(
        absolute=float(apart.max()),
        relative=float(far.max()),
        round=None if first is None else int(steps[first]) + 1,
        weight="" if first is None else names[int(relative[first].argmax())],
    )
    return Way(gradients, steps, far, deviation)


def falls(training: HandTrace, rounds: int) -> bool:
    """Whether the loss of a training falls in every one of so many rounds."""
    return training.losses.size == rounds + 1 and bool((np.diff(training.losses) < 0).all())


def _spread(count: int, most: int) -> Steps:
    """At most so many of the indices 0 … count − 1, evenly, both ends among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def _differences_at(config: RunConfig, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives by differences and their errors; NaN where the loss cannot be had beside."""
    inputs, targets = data_of(config, np.float64)
    network = config.network
    # A bias that is held at 0 is none.
    policy = "none" if network.bias == "zero" else network.bias
    layers, names = layers_of(config, weights), network.activations
    try:
        found = central_differences(layers, names, config.loss, inputs, targets, policy)
    except ValueError:
        # Beside an output at the end of what the loss takes, it cannot be computed on both sides.
        return np.full(len(weights), np.nan), np.zeros(len(weights))
    return found.gradient, found.error


class _Rewriting:
    """What replaces the derivatives that a formula names, and leaves the others.

    Attributes:
        replaced: indices of the derivatives, in the order of the formula.
    """

    def __init__(self, formula: Formula, config: RunConfig) -> None:
        self._names = parameter_names(config.network)
        self._expressions: dict[int, Expression] = {
            self._names.index(weight): parse(text) for weight, text in formula.derivatives.items()
        }
        layers = unit_names(config.network)
        self._units = [name.replace(".", "_") for layer in layers for name in layer]
        targets = np.array(config.data.targets[0])
        self._targets = {f"y{k}": y for k, y in enumerate(targets, start=1)}
        self.replaced = list(self._expressions)

    def __call__(
        self, passed: ForwardPass, weights: FloatArray, gradient: FloatArray
    ) -> FloatArray:
        """The gradient [..., parameters] with the derivatives of the formula in it."""
        values = self._values(passed, weights, gradient)
        rewritten = gradient.copy()
        for index, expression in self._expressions.items():
            try:
                rewritten[..., index] = evaluate_expression(expression, values)
            except ZeroDivisionError:
                rewritten[..., index] = np.nan
        return rewritten

    def rounding(
        self, passed: ForwardPass, weights: FloatArray, gradient: FloatArray
    ) -> FloatArray:
        """Units of rounding that the operations of the formula may add to each derivative."""
        values = self._values(passed, weights, gradient)
        units = np.zeros_like(gradient)
        for index, expression in self._expressions.items():
            try:
                units[..., index] = rounding_of(expression, values)[1]
            except ZeroDivisionError:
                units[..., index] = 0.0
        # What is not finite is no rounding: the derivative itself tells that.
        return np.where(np.isfinite(units), units, 0.0)

    def _values(
        self, passed: ForwardPass, weights: FloatArray, gradient: FloatArray
    ) -> Mapping[str, Any]:
        # Formulas are of labs with one row; the inputs are the same at every step.
        front = weights.shape[:-1]
        layers = [
            np.broadcast_to(a, (*front, *a.shape[-2:]))[..., 0, :] for a in passed.activations
        ]
        units = np.moveaxis(np.concatenate(layers, -1), -1, 0)
        derivatives = [f"{DERIVATIVE}{name}" for name in self._names]
        return {
            **dict(zip(self._units, units, strict=True)),
            **self._targets,
            **dict(zip(self._names, np.moveaxis(weights, -1, 0), strict=True)),
            **dict(zip(derivatives, np.moveaxis(gradient, -1, 0), strict=True)),
        }


def _train(run: Run, rewrite: _Rewriting | None) -> HandTrace:
    """Train from the run's start in float64, with a formula's gradients or with the right ones.

    It ends where the loss refuses what a formula has made of the outputs.
    """
    config, network = run.config, run.config.network

    def trained(rounds: int) -> HandTrace:
        return train(
            layers_of(config, run.trace.weights[0]),
            network.activations,
            config.loss,
            config.optimizer.name,
            hyperparameters_of(config),
            *data_of(config, np.float64),
            rounds,
            network.bias,
            config.gradients,
            rewrite=rewrite,
            simplified=True,
        )

    try:
        return trained(run.trace.rounds)
    except ValueError:
        # The most rounds that are not refused, by halving: the start itself was not.
        possible, refused = 0, run.trace.rounds
        while refused - possible > 1:
            middle = (possible + refused) // 2
            try:
                trained(middle)
            except ValueError:
                refused = middle
            else:
                possible = middle
        return trained(possible)


def _first_shown(made: FloatArray, right: FloatArray) -> int | None:
    """The first round in which numbers [steps, n] look different at two decimals."""
    both = min(len(made), len(right))
    apart = np.round(made[:both], DECIMALS) != np.round(right[:both], DECIMALS)
    rounds = np.flatnonzero(apart.any(axis=1))
    if len(rounds):
        return int(rounds[0]) + 1
    # A training that ended shows it in the round that is not there.
    return None if len(made) == len(right) else both + 1
