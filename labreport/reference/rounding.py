"""How far rounding alone can move what a network computes: its weights and activations, nudged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS as RANGES
from labreport.reference.activations import ACTIVATIONS
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import Evaluated, data_of, derivatives, layers_of
from labreport.reference.network import forward

NUDGES = 12
"""Nudges of all numbers: all up, all down, and by signs drawn at random."""

MORE_NUDGES = 96
"""Nudges where fewer explain nothing: of those that move a sum of two terms over a kink beside it,
with signs drawn at random, there is one in four."""

SMALLER = 8
"""How many times smaller half of the further nudges are."""

FACTOR = 1024
"""More than the size of any weighted sum z at which e^z is no longer a normal number."""

FARTHER = 4
"""A weighted sum so many times as far from 0 has a slope of 0."""

Adjusted = Callable[[str, FloatArray, FloatArray], FloatArray]
"""Another value of an activation, from its name, z and the value."""

SAFETY = 2.0
"""The largest of some random nudges is not the largest possible one."""


@dataclass(frozen=True)
class Nudged:
    """A network beside itself: its weights [..., parameters], and the network evaluated there."""

    weights: FloatArray
    evaluated: Evaluated


def nudged(
    config: RunConfig,
    flat: FloatArray,
    unit: float,
    dtype: DTypeLike = np.float64,
    *,
    simplified: bool = False,
    data: tuple[FloatArray, FloatArray] | None = None,
    draws: int = NUDGES,
) -> Iterator[Nudged]:
    """Evaluate a network again with all weights and activations moved by ``unit``, up or down.

    What is computed from a number takes the number as it was moved, wherever it takes it: a factor
    1 − o, of which rounding leaves little, still cancels where it is divided by itself.

    Args:
        config: of the run.
        flat: its parameters [..., parameters].
        unit: relative size of a nudge.
        dtype: to compute in.
        simplified: as in `backprop.runs.evaluate`.
        data: inputs and targets, as there.
        draws: how many nudges.
    """
    signs = np.random.default_rng(0)
    inputs, targets = data_of(config, dtype) if data is None else data
    names = config.network.activations
    last = RANGES[names[-1]]
    bounds = (0.0, 1.0) if config.loss == "bce" else (last.low, last.high)

    def moved(values: FloatArray, sizes: FloatArray, draw: int) -> FloatArray:
        # All up and all down first: what two programs round differently they often do alike.
        sign = (1.0, -1.0)[draw] if draw < 2 else signs.choice([-1.0, 1.0], size=values.shape)
        # Beside a pole the smaller nudge is the farther one.
        size = unit / SMALLER if draw >= NUDGES and draw % 4 < 2 else unit
        return np.asarray(values + size * sizes * sign, dtype=values.dtype)

    least = FACTOR * float(np.finfo(np.dtype(dtype)).tiny)

    def flushed(values: FloatArray, draw: int) -> FloatArray:
        # Numbers that are too small to be normal are 0 to some programs, and z times such a one.
        return (
            np.where(np.abs(values) < least, values.dtype.type(0), values) if draw % 2 else values
        )

    def pushed(name: str, z: FloatArray, a: FloatArray) -> FloatArray:
        # … and so is a slope e^z beside them, of which an activation like z · e^z is a multiple,
        # or which is all that is left of e^z − 1.
        lost = np.abs(a) < least
        if not RANGES[name].couples_units:
            slopes = np.abs(ACTIVATIONS[name].pullback(z, a, np.ones_like(a)))
            lost |= (slopes > 0) & (slopes < least)
        return np.where(lost, FARTHER * z, z)

    def beside(draw: int) -> Adjusted:
        def activation(name: str, z: FloatArray, a: FloatArray) -> FloatArray:
            return flushed(moved(a, ACTIVATIONS[name].value_size(z, a), draw), draw)

        return activation

    for draw in range(draws):
        weights = np.asarray(flat, dtype=dtype)
        weights = moved(weights, np.abs(weights), draw)
        layers = layers_of(config, weights, dtype)
        with np.errstate(all="ignore"):
            passed = forward(layers, names, inputs, adjusted=beside(draw))
            # Where it ends, an activation ends, and so does what the loss takes.
            output = flushed(np.clip(passed.output, *bounds).astype(passed.output.dtype), draw)
            activations = (*passed.activations[:-1], output)
            if draw % 2:
                sums = zip(names, passed.pre_activations, activations[1:], strict=True)
                passed = type(passed)(tuple(pushed(*each) for each in sums), activations)
            else:
                passed = type(passed)(passed.pre_activations, activations)
            found = derivatives(config, passed, layers, targets, simplified=simplified)
        yield Nudged(weights, found)


def farthest(
    beside: Iterator[Nudged] | list[Nudged],
    quantity: Callable[[Nudged], FloatArray],
    at: FloatArray,
) -> FloatArray:
    """How far nudges move a quantity of the shape of ``at``; ∞ where they leave no number."""
    found = np.zeros(np.shape(at))
    with np.errstate(all="ignore"):
        for near in beside:
            apart = np.abs(quantity(near) - at)
            found = np.maximum(found, np.where(np.isnan(apart), np.inf, apart))
    return SAFETY * found
