"""The hand-derived side's evaluation of a run, from its configuration and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from labreport.lab.configuration import RunConfig
from labreport.reference.array_types import FloatArray
from labreport.reference.flat_parameters import flatten_gradients, restore_parameters
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import (
    ForwardPass,
    Gradients,
    LayerParameters,
    absolute_terms,
    backward,
    forward,
)
from labreport.reference.optimizers.all_optimizers import OPTIMIZERS
from labreport.reference.optimizers.update_rule import UpdateRule


@dataclass(frozen=True)
class Answered:
    """A network at some weights, which may have further axes in front: a step each, say.

    Attributes:
        passed: the forward pass over all rows.
        losses: [...] the loss of each.
        loss_terms: [...] absolute terms that each loss is a sum of, added up.
    """

    passed: ForwardPass
    losses: FloatArray
    loss_terms: FloatArray


@dataclass(frozen=True)
class Evaluated(Answered):
    """The same with its derivatives.

    Attributes:
        found: all derivatives.
        gradient: [..., parameters] the same, in stored order.
        terms: [..., parameters] absolute terms that each derivative is a sum of, added up.
    """

    found: Gradients
    gradient: FloatArray
    terms: FloatArray


def evaluate(
    config: RunConfig,
    flat: FloatArray,
    dtype: DTypeLike = np.float64,
    *,
    simplified: bool = False,
    data: tuple[FloatArray, FloatArray] | None = None,
) -> Evaluated:
    """Evaluate and differentiate a network at flat parameters [..., parameters].

    Args:
        config: of the run.
        flat: its parameters.
        dtype: to compute in.
        simplified: without factors and terms that cancel, and so without torch's clamps.
        data: inputs [..., rows, in] and targets [..., rows, out]; all rows if None.

    Raises:
        ValueError: if an output or a target is beside the domain of the loss.
    """
    inputs, targets = data_of(config, dtype) if data is None else data
    layers, names = layers_of(config, flat, dtype), config.network.activations
    # What is too large for the precision is infinite, as it is in the trainer.
    with np.errstate(over="ignore", invalid="ignore"):
        passed = forward(layers, names, inputs)
        return derivatives(config, passed, layers, targets, simplified=simplified)


def evaluate_if_defined(config: RunConfig, flat: FloatArray) -> Evaluated | None:
    """The same in float64; None where an output is beside the domain of the loss.

    In single precision such an output may have been rounded into it.
    """
    try:
        return evaluate(config, flat)
    except ValueError:
        return None


def answered(config: RunConfig, passed: ForwardPass, targets: FloatArray) -> Answered:
    """The losses of a network after a forward pass."""
    loss = LOSSES[config.loss]
    terms = loss.value_terms(passed.output, targets).sum(axis=(-2, -1))
    return Answered(passed, loss.values(passed.output, targets), terms)


def derivatives(
    config: RunConfig,
    passed: ForwardPass,
    layers: tuple[LayerParameters, ...],
    targets: FloatArray,
    *,
    simplified: bool = False,
) -> Evaluated:
    """Differentiate a network after a forward pass through its layers."""
    names, loss, bias = config.network.activations, config.loss, config.network.bias
    found = backward(passed, layers, names, loss, targets, simplified)
    terms = absolute_terms(passed, layers, names, loss, targets, simplified)
    losses = answered(config, passed, targets)
    return Evaluated(
        passed=passed,
        losses=losses.losses,
        loss_terms=losses.loss_terms,
        found=found,
        gradient=flatten_gradients(found, bias),
        terms=flatten_gradients(terms, bias),
    )


def layers_of(
    config: RunConfig, flat: FloatArray, dtype: DTypeLike = np.float64
) -> tuple[LayerParameters, ...]:
    """Weights and biases of each layer out of flat parameters [..., parameters].

    Biases that are held are rounded as the trainer rounds them; one that is held at 0 is None.
    """
    trains_bias = config.network.trains_bias
    held: list[FloatArray | None] = [
        np.array(vector, dtype=config.dtype).astype(dtype) for vector in config.held_biases
    ]
    shapes = [
        LayerParameters(np.empty((out, into)), np.empty(out) if trains_bias else bias)
        for (out, into), bias in zip(
            config.network.shapes, held or [None] * len(config.network.shapes), strict=True
        )
    ]
    return restore_parameters(np.asarray(flat, dtype=dtype), shapes, config.network.bias)


def data_of(config: RunConfig, dtype: DTypeLike) -> tuple[FloatArray, FloatArray]:
    """Inputs [rows, in] and targets [rows, out]."""
    return np.array(config.data.inputs, dtype=dtype), np.array(config.data.targets, dtype=dtype)


def hyperparameters_of(config: RunConfig) -> dict[str, Any]:
    """The hyper-parameters of the run's optimizer, by the names that its rule takes."""
    hyperparameters: dict[str, Any] = config.optimizer.model_dump(exclude={"name"})
    return hyperparameters


def rule_of(config: RunConfig) -> UpdateRule:
    """The update rule with the run's hyper-parameters."""
    rule: UpdateRule = OPTIMIZERS[config.optimizer.name](**hyperparameters_of(config))
    return rule
