"""From a stored run to the arrays that the hand-derived network works on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from labreport.backprop.arrays import FloatArray
from labreport.backprop.network import LayerParameters
from labreport.backprop.optimizers import OPTIMIZERS, UpdateRule
from labreport.lab.configuration import RunConfig


def layers_of(
    config: RunConfig, flat: FloatArray, dtype: DTypeLike = np.float64
) -> tuple[LayerParameters, ...]:
    """Weights and biases of each layer out of flat parameters [..., parameters]."""
    layers: list[LayerParameters] = []
    start = 0
    flat = np.asarray(flat, dtype=dtype)
    in_front = flat.shape[:-1]
    for out, into in config.network.shapes:
        weight = flat[..., start : start + out * into].reshape(*in_front, out, into)
        start += out * into
        bias = None
        if config.network.trains_bias:
            bias = flat[..., start : start + out]
            start += out
        layers.append(LayerParameters(weight, bias))
    return tuple(layers)


def data_of(config: RunConfig, dtype: DTypeLike) -> tuple[FloatArray, FloatArray]:
    """Inputs [rows, in] and targets [rows, out]."""
    return np.array(config.data.inputs, dtype=dtype), np.array(config.data.targets, dtype=dtype)


def rule_of(config: RunConfig) -> UpdateRule:
    """The update rule with the run's hyper-parameters."""
    hyperparameters: dict[str, Any] = config.optimizer.model_dump(exclude={"name"})
    rule: UpdateRule = OPTIMIZERS[config.optimizer.name](**hyperparameters)
    return rule
