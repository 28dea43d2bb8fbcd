"""The gradients of one run four ways: by autograd, by hand, by differences, by other formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labreport.backprop.arrays import FloatArray
from labreport.backprop.differences import central_differences
from labreport.backprop.network import ForwardPass
from labreport.backprop.runs import data_of, evaluate, hyperparameters_of, layers_of
from labreport.backprop.training import HandTrace, Rewrite, train
from labreport.lab.configuration import RunConfig
from labreport.lab.expression import Expression, parse
from labreport.lab.expression import evaluate as evaluate_expression
from labreport.lab.gradient_check import DERIVATIVE
from labreport.lab.lab import Formula
from labreport.lab.naming import parameter_names, unit_names
from labreport.run import Run, Steps

MOST_DIFFERENCES = 5_000
"""Derivatives that are estimated by differences: more would take longer than all training."""

TOLERANCE = 1e-6
"""Relative difference from which on a formula is another one. Central differences in float64 are
good to about 1e-9, a wrong factor in a formula is seldom nearer than 1e-4."""

SINGLE_TOLERANCE = 1e-4
"""The same where autograd worked in float32, which holds seven digits."""

VISIBLE = 100
"""In tolerances, how large a derivative must be for a mistake of a hundredth in it to be seen."""

DECIMALS = 2
"""What the programs of the course print."""


@dataclass(frozen=True)
class Deviation:
    """How far one way of computing gradients is from autograd.

    Attributes:
        absolute: largest absolute difference over all weights and rounds.
        relative: largest difference, in units of the largest terms up to its round.
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
        apart: [steps] largest difference from autograd, in units of the largest terms so far.
        deviation: from autograd.
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
class Checked:
    """A formula of the lab, its gradients, a training with it, and what that would show.

    Attributes:
        formula: of the lab.
        way: its gradients.
        training: with it.
        shown: what that would show.
        felt: [steps] the largest derivative that it replaces, in the units of ``way.apart``.
    """

    formula: Formula
    way: Way
    training: HandTrace
    shown: Shown
    felt: FloatArray

    @property
    def is_right(self) -> bool:
        return self.way.deviation.round is None


@dataclass(frozen=True)
class GradientCheck:
    """Gradients of one run, four ways. ``truth`` is the training by hand with the chain rule."""

    tolerance: float
    hand: Way
    differences: Way
    truth: HandTrace
    formulas: tuple[Checked, ...]


def check_gradients(run: Run, formulas: Sequence[Formula]) -> GradientCheck:
    """Compute the gradients of a run again, by hand, by differences and by other formulas.

    Args:
        run: a run whose gradients were recorded in every round, with no batches.
        formulas: of the lab, already known to be sound for this network.
    """
    config, trace = run.config, run.trace
    tolerance = TOLERANCE if config.dtype == "float64" else SINGLE_TOLERANCE
    every = np.arange(len(trace.weights))
    some = _spread(len(every), max(1, MOST_DIFFERENCES // max(1, trace.weights.shape[-1])))
    weights = trace.weights.astype(np.float64)
    names = parameter_names(config.network)

    # Formulas may divide by 0: that is as far from the truth as anything.
    with np.errstate(all="ignore"):
        right = evaluate(config, weights)

        def way(gradients: FloatArray, steps: Steps) -> Way:
            apart = np.abs(gradients - trace.gradients[steps])
            apart = np.where(np.isfinite(apart), apart, np.inf)
            relative = _relative(apart, right.terms[steps])
            deviation = _deviation(apart, relative, steps, names, tolerance)
            return Way(gradients, steps, relative, deviation)

        hand = way(right.gradient, every)
        differences = way(np.array([_by_differences(config, weights[s]) for s in some]), some)
        truth = _train(run, None)
        checked = []
        for formula in formulas:
            rewrite = _rewriting(formula, config)
            other = way(rewrite(right.passed, weights, right.gradient), every)
            training = _train(run, rewrite)
            shown = Shown(
                _first_shown(training.gradients, truth.gradients),
                _first_shown(training.losses[:, None], truth.losses[:, None]),
            )
            replaced = [names.index(weight) for weight in formula.derivatives]
            felt = _relative(np.abs(right.gradient[:, replaced]), right.terms)
            checked.append(Checked(formula, other, training, shown, felt))
    return GradientCheck(tolerance, hand, differences, truth, tuple(checked))


def falls(training: HandTrace, rounds: int) -> bool:
    """Whether the loss of a training falls in every one of so many rounds."""
    return training.losses.size == rounds + 1 and bool((np.diff(training.losses) < 0).all())


def _spread(count: int, most: int) -> Steps:
    """At most so many of the indices 0 … count − 1, evenly, both ends among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def _by_differences(config: RunConfig, weights: FloatArray) -> FloatArray:
    inputs, targets = data_of(config, np.float64)
    network = config.network
    # A bias that is held at 0 is none.
    policy = network.bias if network.trains_bias else "none"
    layers, names = layers_of(config, weights), network.activations
    try:
        return central_differences(layers, names, config.loss, inputs, targets, policy)
    except ValueError:
        # Beside an output at the end of what the loss takes, it cannot be computed on both sides.
        return np.full(len(weights), np.nan)


def _relative(apart: FloatArray, sizes: FloatArray) -> FloatArray:
    """Differences [steps, parameters] as [steps], in units of the largest terms so far.

    The derivatives of the step itself would not do: where training has arrived, or where examples
    cancel, they are no larger than the rounding of the numbers that they are computed from.
    """
    most, largest = apart.max(axis=1), np.maximum.accumulate(sizes)
    # Where no weight has a gradient, any difference is infinitely large.
    nothing = np.where(most > 0, np.inf, 0.0)
    relative: FloatArray = np.divide(most, largest, out=nothing, where=largest > 0)
    return relative


def _deviation(
    apart: FloatArray, far: FloatArray, steps: Steps, names: Sequence[str], tolerance: float
) -> Deviation:
    beyond = np.flatnonzero(far > tolerance)
    first = int(beyond[0]) if len(beyond) else None
    return Deviation(
        absolute=float(apart.max()),
        relative=float(far.max()),
        round=None if first is None else int(steps[first]) + 1,
        weight="" if first is None else names[int(apart[first].argmax())],
    )


def _rewriting(formula: Formula, config: RunConfig) -> Rewrite:
    """What replaces the derivatives that a formula names, and leaves the others."""
    names = parameter_names(config.network)
    replaced: dict[int, Expression] = {
        names.index(weight): parse(text) for weight, text in formula.derivatives.items()
    }
    units = [name.replace(".", "_") for layer in unit_names(config.network) for name in layer]
    targets = {f"y{k}": y for k, y in enumerate(np.array(config.data.targets[0]), start=1)}

    def rewrite(passed: ForwardPass, weights: FloatArray, gradient: FloatArray) -> FloatArray:
        # Formulas are of labs with one row; the inputs are the same at every step.
        front = weights.shape[:-1]
        layers = [
            np.broadcast_to(a, (*front, *a.shape[-2:]))[..., 0, :] for a in passed.activations
        ]
        values = dict(zip(units, np.moveaxis(np.concatenate(layers, -1), -1, 0), strict=True))
        values |= targets | dict(zip(names, np.moveaxis(weights, -1, 0), strict=True))
        derivatives = [f"{DERIVATIVE}{name}" for name in names]
        values |= dict(zip(derivatives, np.moveaxis(gradient, -1, 0), strict=True))
        rewritten = gradient.copy()
        for index, expression in replaced.items():
            try:
                rewritten[..., index] = evaluate_expression(expression, values)
            except ZeroDivisionError:
                rewritten[..., index] = np.nan
        return rewritten

    return rewrite


def _train(run: Run, rewrite: Rewrite | None) -> HandTrace:
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
