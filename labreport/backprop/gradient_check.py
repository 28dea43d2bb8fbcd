"""The gradients of one run four ways: by autograd, by hand, by differences, by other formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labreport.backprop.arrays import FloatArray
from labreport.backprop.differences import central_differences
from labreport.backprop.losses import LOSSES
from labreport.backprop.network import (
    ForwardPass,
    LayerParameters,
    backward,
    forward,
    size_of_terms,
)
from labreport.backprop.runs import data_of, layers_of, rule_of
from labreport.lab.check import DERIVATIVE
from labreport.lab.configuration import RunConfig
from labreport.lab.expression import Expression, evaluate, parse
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
class Training:
    """What a formula gives where the network is trained with it.

    Attributes:
        losses: [steps] step 0 is before any update; ends where a number is no longer finite.
        gradients: [steps, parameters] as the formula has them.
        weights: [steps, parameters].
        outputs: [steps, rows, output units].
        shown_round: first round whose printed gradients differ from those of the right formula
            at two decimals; None for none.
        shown_weight: the weight that differs first there; "" for none.
        shown_loss: first round whose printed loss differs.
        falls: whether the loss falls in every round.
    """

    losses: FloatArray
    gradients: FloatArray
    weights: FloatArray
    outputs: FloatArray
    shown_round: int | None
    shown_weight: str
    shown_loss: int | None
    falls: bool


@dataclass(frozen=True)
class Checked:
    """A formula of the lab, what it gives, and whether it is right."""

    formula: Formula
    way: Way
    training: Training

    @property
    def is_right(self) -> bool:
        return self.way.deviation.round is None


@dataclass(frozen=True)
class GradientCheck:
    """Gradients of one run, four ways. ``truth`` is the training by hand with the chain rule."""

    tolerance: float
    hand: Way
    differences: Way
    truth: Training
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

    sizes = np.array([_size(config, weights) for weights in trace.weights])

    def way(gradients: Sequence[FloatArray], steps: Steps) -> Way:
        array = np.array(gradients, dtype=np.float64).reshape(len(steps), -1)
        apart = np.abs(array - trace.gradients[steps])
        # Formulas may divide by 0: that is as far from the truth as anything.
        apart = np.where(np.isfinite(apart), apart, np.inf)
        relative = _relative(apart, sizes[steps])
        return Way(array, steps, relative, _deviation(apart, relative, steps, config, tolerance))

    with np.errstate(all="ignore"):
        hand = way([_derivatives(config, trace.weights[s])[1] for s in every], every)
        differences = way([_by_differences(config, trace.weights[s]) for s in some], some)
        truth = _train(run, None, None)
        checked = []
        for formula in formulas:
            rewrite = _rewriting(formula, config)
            found = [rewrite(*_derivatives(config, trace.weights[s])) for s in every]
            checked.append(Checked(formula, way(found, every), _train(run, rewrite, truth)))
    return GradientCheck(tolerance, hand, differences, truth, tuple(checked))


Rewrite = Callable[[tuple[ForwardPass, FloatArray], FloatArray], FloatArray]
"""From the forward pass, the weights and the right gradient to what a formula makes of it."""


def _spread(count: int, most: int) -> Steps:
    """At most so many of the indices 0 … count − 1, evenly, both ends among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def _derivatives(
    config: RunConfig, weights: FloatArray
) -> tuple[tuple[ForwardPass, FloatArray], FloatArray]:
    """Forward pass, weights, and the gradient [parameters] by the chain rule, in float64."""
    inputs, targets = data_of(config, np.float64)
    weights = np.asarray(weights, dtype=np.float64)
    layers = layers_of(config, weights)
    passed = forward(layers, config.network.activations, inputs)
    found = backward(passed, layers, config.network.activations, config.loss, targets)
    parts: list[FloatArray] = []
    for weight, bias in zip(found.weights, found.biases, strict=True):
        parts += [weight.ravel(), bias] if config.network.trains_bias else [weight.ravel()]
    return (passed, weights), np.concatenate(parts)


def _by_differences(config: RunConfig, weights: FloatArray) -> FloatArray:
    inputs, targets = data_of(config, np.float64)
    layers = tuple(_without_zero_bias(layer, config) for layer in layers_of(config, weights))
    policy = config.network.bias if config.network.trains_bias else "none"
    network = config.network
    return central_differences(layers, network.activations, config.loss, inputs, targets, policy)


def _without_zero_bias(layer: LayerParameters, config: RunConfig) -> LayerParameters:
    return layer if config.network.trains_bias else LayerParameters(layer.weight)


def _size(config: RunConfig, weights: FloatArray) -> float:
    """How large the terms are that the derivatives at some weights are added up from."""
    inputs, targets = data_of(config, np.float64)
    layers, names = layers_of(config, weights), config.network.activations
    passed = forward(layers, names, inputs)
    found = backward(passed, layers, names, config.loss, targets)
    return float(size_of_terms(passed, layers, config.loss, targets, found))


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
    apart: FloatArray, far: FloatArray, steps: Steps, config: RunConfig, tolerance: float
) -> Deviation:
    beyond = np.flatnonzero(far > tolerance)
    names = parameter_names(config.network)
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
    targets = {f"y{k + 1}": y for k, y in enumerate(np.array(config.data.targets[0]))}

    def rewrite(seen: tuple[ForwardPass, FloatArray], gradient: FloatArray) -> FloatArray:
        passed, weights = seen
        values = dict(zip(units, np.concatenate([a[0] for a in passed.activations]), strict=True))
        values |= targets | dict(zip(names, weights, strict=True))
        values |= {f"{DERIVATIVE}{n}": g for n, g in zip(names, gradient, strict=True)}
        rewritten = gradient.copy()
        for index, expression in replaced.items():
            try:
                rewritten[index] = evaluate(expression, values)
            except ZeroDivisionError:
                rewritten[index] = np.nan
        return rewritten

    return rewrite


def _train(run: Run, rewrite: Rewrite | None, truth: Training | None) -> Training:
    """Train from the run's start in float64, with a formula's gradients or with the right ones."""
    config = run.config
    targets = data_of(config, np.float64)[1]
    rule = rule_of(config)
    weights: FloatArray = np.asarray(run.trace.weights[0], dtype=np.float64)
    state = rule.start(weights)
    gathered: FloatArray = np.zeros_like(weights)
    losses: list[float] = []
    gradients: list[FloatArray] = []
    path: list[FloatArray] = []
    outputs: list[FloatArray] = []
    for _ in range(run.trace.rounds + 1):
        seen, gradient = _derivatives(config, weights)
        loss = LOSSES[config.loss].value(seen[0].output, targets)
        gradient = gradient if rewrite is None else rewrite(seen, gradient)
        if not (np.isfinite(loss) and np.isfinite(gradient).all() and np.isfinite(weights).all()):
            break
        losses.append(loss)
        gradients.append(gradient)
        path.append(weights)
        outputs.append(seen[0].output)
        gathered = gathered + gradient
        weights, state = rule.step(
            weights, gathered if config.gradients == "accumulated" else gradient, state
        )
    # Shapes are spelled out: a formula that divides by 0 has no step at all.
    made = np.array(losses), np.array(gradients).reshape(len(losses), len(run.trace.weights[0]))
    shown_round, shown_weight, shown_loss = None, "", None
    if truth is not None:
        shown_round, shown_weight = _first_shown(made[1], truth.gradients, config)
        shown_loss, _ = _first_shown(made[0][:, None], truth.losses[:, None], config)
    return Training(
        losses=made[0],
        gradients=made[1],
        weights=np.array(path).reshape(len(losses), len(run.trace.weights[0])),
        outputs=np.array(outputs).reshape(len(losses), *targets.shape),
        shown_round=shown_round,
        shown_weight=shown_weight,
        shown_loss=shown_loss,
        falls=bool(len(losses) == run.trace.rounds + 1 and (np.diff(made[0]) < 0).all()),
    )


def _first_shown(made: FloatArray, right: FloatArray, config: RunConfig) -> tuple[int | None, str]:
    """The first round in which numbers [steps, n] look different at two decimals, and where."""
    both = min(len(made), len(right))
    apart = np.round(made[:both], DECIMALS) != np.round(right[:both], DECIMALS)
    rounds = np.flatnonzero(apart.any(axis=1))
    if not len(rounds):
        return (both + 1, "") if len(made) < len(right) else (None, "")
    first = int(rounds[0])
    names = parameter_names(config.network)
    parameter = int(apart[first].argmax())
    return first + 1, names[parameter] if made.shape[1] == len(names) else ""
