"""Training by hand: full-batch updates from hand-derived gradients, and their trace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from labreport.reference.array_types import FloatArray
from labreport.reference.flat_parameters import (
    BiasPolicy,
    apply_bias_policy,
    flatten_gradients,
    flatten_parameters,
    restore_parameters,
)
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import ForwardPass, LayerParameters, backward, forward
from labreport.reference.optimizers.all_optimizers import OPTIMIZERS

Rewrite: TypeAlias = Callable[[ForwardPass, FloatArray, FloatArray], FloatArray]
"""From the forward pass, the weights [..., parameters] and the gradient by the chain rule to the
gradient that somebody else's formulas give."""

GradientPolicy: TypeAlias = Literal["cleared", "accumulated"]

UpdatePolicy: TypeAlias = Literal["kept", "discarded"]


@dataclass(frozen=True)
class Divergence:
    """The point where a training stops being finite: after `updates` updates, in `quantity`."""

    updates: int
    quantity: Literal["weights", "loss"]


@dataclass(frozen=True)
class HandTrace:
    """A training, seen before any update (index 0) and after each update.

    `losses` [rounds + 1]; `weights` [rounds + 1, parameters] in the order of
    `flatten_parameters`; `gradients` [rounds + 1, parameters], the gradient of the loss
    at those weights, never the accumulated one; `outputs` [rounds + 1, rows, out].
    `losses` are float64 (the values of the dtype trained in), the others of that dtype.

    Where the weights or the loss ceased to be finite, `divergence` says where, and every
    array ends before that index; otherwise it is None.
    """

    losses: FloatArray
    weights: FloatArray
    gradients: FloatArray
    outputs: FloatArray
    divergence: Divergence | None


@dataclass(frozen=True)
class _Experiment:
    """The parts of a training that stay the same."""

    layers: tuple[LayerParameters, ...]
    activations: tuple[str, ...]
    loss: str
    inputs: FloatArray
    targets: FloatArray
    bias: BiasPolicy
    rewrite: Rewrite | None
    simplified: bool

    def __post_init__(self) -> None:
        # NumPy would broadcast a mismatch, and train on something else without a word.
        expected = (len(self.inputs), len(self.layers[-1].weight))
        if self.targets.shape != expected:
            raise ValueError(f"targets have shape {self.targets.shape}, expected {expected}")


@dataclass(frozen=True)
class _Point:
    """The network at one index of the trace."""

    weights: FloatArray
    loss: float
    gradient: FloatArray
    output: FloatArray


def train(
    initial: Sequence[LayerParameters],
    activations: Sequence[str],
    loss: str,
    optimizer: str,
    hyperparameters: Mapping[str, Any],
    inputs: FloatArray,
    targets: FloatArray,
    rounds: int,
    bias: BiasPolicy,
    gradients: GradientPolicy,
    dtype: DTypeLike = np.float64,
    rewrite: Rewrite | None = None,
    simplified: bool = False,
    updates: UpdatePolicy = "kept",
) -> HandTrace:
    """Train on all rows at once for `rounds` updates, and record every step.

    `activations` names one row of ACTIVATIONS per layer; `loss` and `optimizer` name rows of
    LOSSES and OPTIMIZERS; `hyperparameters` are the keywords of that optimizer. `inputs` are
    [rows, in] and `targets` [rows, out]. `gradients` "accumulated" hands the optimizer the sum of
    all so far; after `updates` "discarded" each round has the initial weights. All arithmetic is in
    `dtype`. What `rewrite` makes of a gradient takes its place, also in the trace, where it need
    not be finite at the last index. `simplified` is that of `backward`.

    Raises KeyError, TypeError or ValueError on an unknown name, hyper-parameter or policy, where
    shapes contradict one another or the bias policy, and on an output outside the loss's domain.
    """
    _refuse_unknown_policy(gradients, updates)
    experiment = _Experiment(
        layers=apply_bias_policy(initial, bias, dtype),
        activations=tuple(activations),
        loss=loss,
        inputs=np.asarray(inputs, dtype=dtype),
        targets=np.asarray(targets, dtype=dtype),
        bias=bias,
        rewrite=rewrite,
        simplified=simplified,
    )
    return _trace(experiment, optimizer, hyperparameters, rounds, gradients, updates)


def _refuse_unknown_policy(gradients: str, updates: str) -> None:
    if gradients not in ("cleared", "accumulated"):
        raise ValueError(f"unknown gradient policy {gradients!r}")
    if updates not in ("kept", "discarded"):
        raise ValueError(f"unknown update policy {updates!r}")


# A training that diverges overflows on the way: the trace reports it, so that NumPy need not.
@np.errstate(all="ignore")
def _trace(
    experiment: _Experiment,
    optimizer: str,
    hyperparameters: Mapping[str, Any],
    rounds: int,
    gradients: GradientPolicy,
    updates: UpdatePolicy,
) -> HandTrace:
    rule = OPTIMIZERS[optimizer](**hyperparameters)
    first = weights = flatten_parameters(experiment.layers, experiment.bias)
    state = rule.start(weights)
    accumulated = np.zeros_like(weights)
    points: list[_Point] = []
    for step in range(rounds + 1):
        if step > 0:
            accumulated = accumulated + points[-1].gradient
            seen = accumulated if gradients == "accumulated" else points[-1].gradient
            updated, state = rule.step(weights, seen, state)
            weights = updated if updates == "kept" else first
        # Looked at before the network is: with such weights it need not be in the domain
        # of the loss.
        if not np.all(np.isfinite(weights)):
            return _collect(experiment, points, Divergence(step, "weights"))
        point = _evaluate(experiment, weights)
        if not np.isfinite(point.loss):
            return _collect(experiment, points, Divergence(step, "loss"))
        points.append(point)
    return _collect(experiment, points, None)


def _evaluate(experiment: _Experiment, weights: FloatArray) -> _Point:
    layers = restore_parameters(weights, experiment.layers, experiment.bias)
    forward_pass = forward(layers, experiment.activations, experiment.inputs)
    derivatives = backward(
        forward_pass,
        layers,
        experiment.activations,
        experiment.loss,
        experiment.targets,
        experiment.simplified,
    )
    gradient = flatten_gradients(derivatives, experiment.bias)
    if experiment.rewrite is not None:
        gradient = experiment.rewrite(forward_pass, weights, gradient)
    return _Point(
        weights=weights,
        loss=LOSSES[experiment.loss].value(forward_pass.output, experiment.targets),
        gradient=gradient,
        output=forward_pass.output,
    )


def _collect(
    experiment: _Experiment,
    points: list[_Point],
    divergence: Divergence | None,
) -> HandTrace:
    parameters = flatten_parameters(experiment.layers, experiment.bias).size
    rows, units = experiment.targets.shape
    length, dtype = len(points), experiment.inputs.dtype
    # The shapes are spelled out because a trace that diverged at once has no entries.
    return HandTrace(
        losses=np.array([point.loss for point in points], dtype=np.float64),
        weights=np.array([point.weights for point in points], dtype=dtype).reshape(
            length, parameters
        ),
        gradients=np.array([point.gradient for point in points], dtype=dtype).reshape(
            length, parameters
        ),
        outputs=np.array([point.output for point in points], dtype=dtype).reshape(
            length, rows, units
        ),
        divergence=divergence,
    )
