"""Initial weights drawn again from a run's configuration, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.initialisers import Given
from labreport.reference.array_types import FloatArray
from labreport.reference.replay.torch_generator import Generator

Draw = Callable[[Any, tuple[int, int], Generator], FloatArray]

NOT_DRAWN = frozenset({"truncated_normal"})
"""Schemes whose draws depend on the version of torch, and are not repeated here."""


def initial_weights(config: RunConfig) -> FloatArray | None:
    """Flat initial parameters [parameters] of a run, as float64, to within rounding of float32.

    Layer by layer the weight [out, in] row by row, then the bias if it is trained: the order in
    which ``torch.nn.Linear`` draws them. None for a scheme that is not repeated here.
    """
    if config.initial.scheme in NOT_DRAWN:
        return None
    generator = Generator(config.seed)
    network = config.network
    flat: list[FloatArray] = []
    for layer, shape in enumerate(network.shapes):
        weight, bias = _layer(config, layer, shape, generator)
        flat.append(weight.ravel())
        if network.trains_bias:
            flat.append(bias)
    return np.concatenate(flat)


def _layer(
    config: RunConfig, layer: int, shape: tuple[int, int], generator: Generator
) -> tuple[FloatArray, FloatArray]:
    """Weight [out, in] and bias [out] of a layer."""
    chosen = config.initial
    if isinstance(chosen, Given):
        biases = chosen.biases[layer] if chosen.biases else [0.0] * shape[0]
        return np.array(chosen.weights[layer]), np.array(biases)
    # Torch draws in single precision, whatever the run's.
    weight = DRAWS[chosen.scheme](chosen, shape, generator).astype(np.float32)
    bias: FloatArray = np.zeros(shape[0])
    if chosen.scheme == "pytorch" and config.network.bias != "none":
        bound = 1.0 / math.sqrt(shape[1])
        bias = generator.uniform(shape[0], -bound, bound)
    return weight, bias


def _uniform(shape: tuple[int, int], bound: float, generator: Generator) -> FloatArray:
    return generator.uniform(math.prod(shape), -bound, bound).reshape(shape)


def _normal(
    shape: tuple[int, int], mean: float, deviation: float, generator: Generator
) -> FloatArray:
    return generator.normal(math.prod(shape), mean, deviation).reshape(shape)


def _orthogonal(chosen: Any, shape: tuple[int, int], generator: Generator) -> FloatArray:
    drawn = _normal(shape, 0.0, 1.0, generator)
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diag(r))
    found: FloatArray = chosen.gain * (q.T if wide else q)
    return found


def _xavier(shape: tuple[int, int], gain: float) -> float:
    """Standard deviation by fan-in and fan-out (Glorot and Bengio 2010)."""
    return gain * math.sqrt(2.0 / (shape[0] + shape[1]))


def _kaiming(shape: tuple[int, int]) -> float:
    """Standard deviation by fan-in for ReLU (He et al. 2015)."""
    return math.sqrt(2.0 / shape[1])


DRAWS: dict[str, Draw] = {
    "zeros": lambda chosen, shape, generator: np.zeros(shape),
    "ones": lambda chosen, shape, generator: np.ones(shape),
    "constant": lambda chosen, shape, generator: np.full(shape, chosen.value),
    "uniform": lambda chosen, shape, generator: generator.uniform(
        math.prod(shape), chosen.low, chosen.high
    ).reshape(shape),
    "normal": lambda chosen, shape, generator: _normal(
        shape, chosen.mean, chosen.standard_deviation, generator
    ),
    "xavier_uniform": lambda chosen, shape, generator: _uniform(
        shape, math.sqrt(3.0) * _xavier(shape, chosen.gain), generator
    ),
    "xavier_normal": lambda chosen, shape, generator: _normal(
        shape, 0.0, _xavier(shape, chosen.gain), generator
    ),
    "kaiming_uniform": lambda chosen, shape, generator: _uniform(
        shape, math.sqrt(3.0) * _kaiming(shape), generator
    ),
    "kaiming_normal": lambda chosen, shape, generator: _normal(
        shape, 0.0, _kaiming(shape), generator
    ),
    "orthogonal": _orthogonal,
    "pytorch": lambda chosen, shape, generator: _uniform(
        shape, 1.0 / math.sqrt(shape[1]), generator
    ),
}
"""A layer's weights by the name of the scheme, as ``torch.nn.init`` draws them."""
