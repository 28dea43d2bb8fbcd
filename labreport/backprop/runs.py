"""What the hand-derived side makes of a run: its configuration and weights, evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from labreport.backprop.arrays import FloatArray
from labreport.backprop.flat_parameters import flatten_gradients, restore_parameters
from labreport.backprop.losses import LOSSES
from labreport.backprop.network import (
    ForwardPass,
    Gradients,
    LayerParameters,
    backward,
    forward,
    size_of_terms,
)
from labreport.backprop.optimizers import OPTIMIZERS, UpdateRule
from labreport.lab.configuration import RunConfig


@dataclass(frozen=True)
class Evaluated:
    """A network at some weights, which may have further axes in front: a step each, say.

    Attributes:
        passed: the forward pass over all rows.
        losses: [...] the loss of each.
        found: all derivatives.
        gradient: [..., parameters] the same, in stored order.
        terms: [...] how large the terms are that a derivative is a sum of.
    """

    passed: ForwardPass
    losses: FloatArray
    found: Gradients
    gradient: FloatArray
    terms: FloatArray


def evaluate(config: RunConfig, flat: FloatArray, dtype: DTypeLike = np.float64) -> Evaluated:
    """Evaluate and differentiate a network at flat parameters [..., parameters].

    Raises:
        ValueError: if an output or a target is beside the domain of the loss.
    """
    inputs, targets = data_of(config, dtype)
    layers, names = layers_of(config, flat, dtype), config.network.activations
    # What is too large for the precision is infinite, as it is in the trainer.
    with np.errstate(over="ignore", invalid="ignore"):
        passed = forward(layers, names, inputs)
        found = backward(passed, layers, names, config.loss, targets)
        return Evaluated(
            passed=passed,
            losses=LOSSES[config.loss].values(passed.output, targets),
            found=found,
            gradient=flatten_gradients(found, config.network.bias),
            terms=size_of_terms(passed, layers, config.loss, targets, found),
        )


def layers_of(
    config: RunConfig, flat: FloatArray, dtype: DTypeLike = np.float64
) -> tuple[LayerParameters, ...]:
    """Weights and trained biases of each layer out of flat parameters [..., parameters]."""
    trains_bias = config.network.trains_bias
    shapes = [
        LayerParameters(np.empty((out, into)), np.empty(out) if trains_bias else None)
        for out, into in config.network.shapes
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
