"""The loss on a plane through the weights of a network, within bounds of time and memory."""

from __future__ import annotations

import math

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import data_of, layers_of
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import forward

MOST_PRODUCTS = 2_000_000_000
"""Multiplications of all forward passes of one surface: one or two seconds."""

MOST_NUMBERS = 2_000_000
"""Parameters and activations that are held at once: some tens of megabytes."""

FEWEST_CELLS = 12
"""Cells along each side from which on a surface shows its shape."""


def cells_of(config: RunConfig, most: int) -> int:
    """Cells along each side of a surface, at most ``most``; 0 where few would take too long."""
    rows = len(config.data.inputs)
    products = rows * sum(out * into for out, into in config.network.shapes)
    cells = min(most, math.isqrt(MOST_PRODUCTS // max(1, products)))
    return cells if cells >= FEWEST_CELLS else 0


def plane_losses(
    config: RunConfig,
    center: FloatArray,
    directions: FloatArray,
    sides: tuple[FloatArray, FloatArray],
) -> FloatArray | None:
    """The loss [up, across] at the center plus each pair of steps along two directions.

    Args:
        config: of the network, its data and its loss.
        center: parameters [parameters].
        directions: [2, parameters].
        sides: steps along each direction, [across] and [up].

    Returns:
        None where the loss is not defined, or not finite, at one of the points.
    """
    steps = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    rows, width = len(config.data.inputs), max(config.network.layers)
    portion = max(1, MOST_NUMBERS // (config.network.parameter_count + 2 * rows * width))
    inputs, targets = data_of(config, np.float64)
    losses = np.empty(len(steps))
    with np.errstate(all="ignore"):
        for start in range(0, len(steps), portion):
            points = center + steps[start : start + portion] @ directions
            layers = layers_of(config, points)
            output = forward(layers, config.network.activations, inputs).output
            try:
                losses[start : start + portion] = LOSSES[config.loss].values(output, targets)
            except ValueError:
                return None
    if not np.isfinite(losses).all():
        return None
    return losses.reshape(len(sides[1]), len(sides[0]))
