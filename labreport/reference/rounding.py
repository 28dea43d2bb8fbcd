"""Effects of rounding alone on what a network computes: its weights and activations, nudged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS as RANGES
from labreport.reference.activations import ACTIVATIONS
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.evaluation import Evaluated, data_of, derivatives, layers_of
from labreport.reference.network import ForwardPass, LayerParameters, forward

NUDGES = 12
"""Nudges of all numbers: all up, all down, and by signs drawn at random."""

MORE_NUDGES = 96
"""Nudges where fewer explain nothing: of those that move a sum of two terms over a kink beside it,
with signs drawn at random, there is one in four."""

SMALLER = 8
"""The factor by which half of the further nudges are smaller."""

FACTOR = 1024
"""More than the size of any weighted sum z at which e^z is no longer a normal number."""

FARTHER = 4
"""A weighted sum so many times as far from 0 has a slope of 0."""

LARGE = 1e-3
"""Share of the largest number from which on another order of operations overflows."""

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
        simplified: as in `evaluation.evaluate`.
        data: inputs and targets, as there.
        draws: how many nudges.
    """
    signs = np.random.default_rng(0)
    least = FACTOR * float(np.finfo(np.dtype(dtype)).tiny)
    inputs, targets = data_of(config, dtype) if data is None else data
    names = config.network.activations
    for number in range(draws):
        nudge = _Nudge(number, unit, least, signs)
        weights = np.asarray(flat, dtype=dtype)
        weights = nudge.moved(weights, np.abs(weights))
        layers = layers_of(config, weights, dtype)
        with np.errstate(all="ignore"):
            passed = forward(layers, names, inputs, adjusted=nudge.moved_activation)
            passed = nudge.flushed_pass(names, passed, _ends_of_output(config))
            found = derivatives(config, passed, layers, targets, simplified=simplified)
        yield Nudged(weights, found)


@dataclass(frozen=True)
class _Nudge:
    """One nudge of all numbers of a network.

    Attributes:
        number: of the nudge, from 0. Every other one takes numbers that are too small for 0.
        unit: relative size of a nudge.
        least: the number below which one is too small.
        signs: generator of the signs that are drawn.
    """

    number: int
    unit: float
    least: float
    signs: np.random.Generator

    def moved(self, values: FloatArray, sizes: FloatArray) -> FloatArray:
        """Values moved by units of their sizes."""
        # All up and all down first: what two programs round differently they often do alike.
        sign = (
            (1.0, -1.0)[self.number]
            if self.number < 2
            else self.signs.choice([-1.0, 1.0], size=values.shape)
        )
        # Beside a pole the smaller nudge is the farther one.
        is_smaller = self.number >= NUDGES and self.number % 4 < 2
        size = self.unit / SMALLER if is_smaller else self.unit
        return np.asarray(values + size * sizes * sign, dtype=values.dtype)

    def moved_activation(self, name: str, z: FloatArray, a: FloatArray) -> FloatArray:
        """The value of an activation, moved as its rounding may move it."""
        return self._flushed(self.moved(a, ACTIVATIONS[name].value_size(z, a)))

    def flushed_pass(
        self, names: Sequence[str], passed: ForwardPass, ends: tuple[float, float]
    ) -> ForwardPass:
        """A forward pass whose output is within its ends, and without numbers that are too small.

        Args:
            names: of the activations, layer by layer.
            passed: with activations that were moved.
            ends: the smallest and the largest output.
        """
        # Where it ends, an activation ends, and so does what the loss takes.
        output = self._flushed(np.clip(passed.output, *ends).astype(passed.output.dtype))
        activations = (*passed.activations[:-1], output)
        if not self._flushes:
            return ForwardPass(passed.pre_activations, activations)
        sums = zip(names, passed.pre_activations, activations[1:], strict=True)
        return ForwardPass(tuple(self._pushed(*each) for each in sums), activations)

    @property
    def _flushes(self) -> bool:
        return self.number % 2 == 1

    def _flushed(self, values: FloatArray) -> FloatArray:
        # Numbers that are too small to be normal are 0 to some programs, and z times such a one.
        if not self._flushes:
            return values
        return np.where(np.abs(values) < self.least, values.dtype.type(0), values)

    def _pushed(self, name: str, z: FloatArray, a: FloatArray) -> FloatArray:
        # … and so is a slope e^z beside them, of which an activation like z · e^z is a multiple,
        # or which is all that is left of e^z − 1.
        lost = np.abs(a) < self.least
        if not RANGES[name].couples_units:
            slopes = np.abs(ACTIVATIONS[name].pullback(z, a, np.ones_like(a)))
            lost |= (slopes > 0) & (slopes < self.least)
        return np.where(lost, FARTHER * z, z)


def _ends_of_output(config: RunConfig) -> tuple[float, float]:
    """The smallest and the largest output that the loss takes or the last activation has."""
    last = RANGES[config.network.activations[-1]]
    return (0.0, 1.0) if config.loss == "bce" else (last.low, last.high)


def farthest(
    beside: Iterable[Nudged],
    quantity: Callable[[Nudged], FloatArray],
    at: FloatArray,
) -> FloatArray:
    """Bound how far nudges move a quantity of the shape of ``at``; ∞ where they leave no number."""
    (found,) = all_farthest(beside, [(quantity, at)])
    return found


def all_farthest(
    beside: Iterable[Nudged],
    quantities: Sequence[tuple[Callable[[Nudged], FloatArray], FloatArray]],
) -> list[FloatArray]:
    """The same of several quantities, for which each nudged network is evaluated once.

    Args:
        beside: nudged networks, of which one after the other is held.
        quantities: each with its value.
    """
    found = [np.zeros(np.shape(at)) for _, at in quantities]
    with np.errstate(all="ignore"):
        for near in beside:
            for most, (quantity, at) in zip(found, quantities, strict=True):
                apart = np.abs(quantity(near) - at)
                np.maximum(most, np.where(np.isnan(apart), np.inf, apart), out=most)
    return [SAFETY * most for most in found]


def may_overflow(layers: Sequence[LayerParameters], passed: ForwardPass) -> BoolArray:
    """Mark the cases [...] of which another order of operations may give no finite sums.

    Terms that cancel may be larger than any number of their type when they are added up.

    Args:
        layers: of the network.
        passed: the forward pass over all rows of a case.
    """
    first = passed.activations[0]
    most = LARGE * float(np.finfo(passed.output.dtype).max)
    found = np.zeros(passed.output.shape[:-2], dtype=bool)
    # Sums of small weights need not be looked at one by one.
    bound = np.log10(max(1.0, float(np.abs(first).max(initial=0.0))))
    for layer in layers:
        parts = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
        largest = max(float(np.abs(part).max(initial=0.0)) for part in parts)
        # No activation is twice as large as its sum, which has a term more than there are inputs.
        bound += np.log10(max(1.0, 2 * (layer.weight.shape[-1] + 1) * largest))
    if bound < np.log10(most):
        return found
    for layer, before in zip(layers, passed.activations, strict=False):
        with np.errstate(over="ignore", invalid="ignore"):
            sums = np.abs(before) @ np.swapaxes(np.abs(layer.weight), -1, -2)
        found = found | ~(sums < most).all(axis=(-2, -1))
    return found
