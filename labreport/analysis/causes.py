"""Causes of gradients of parameters that are exactly 0 in every round: one for each, or none."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Literal

import numpy as np

from labreport.analysis.observation import Source
from labreport.analysis.results import Result
from labreport.lab.naming import unit_names
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import layers_of
from labreport.reference.network import forward

Form = Literal["dead", "flat", "saturated", "input", "blocked"]

FLAT = {
    "relu": (0.0, inf),
    "relu6": (0.0, 6.0),
    "hardtanh": (-1.0, 1.0),
    "hardsigmoid": (-3.0, 3.0),
}
"""Weighted sums up to which an activation is level, and from which on it is level again."""

ROUNDED = {
    ("tanh", "float32"): (-9.1, 9.1),
    ("tanh", "float64"): (-19.1, 19.1),
    ("sigmoid", "float32"): (-105.0, 17.4),
    ("sigmoid", "float64"): (-746.0, 37.5),
}
"""The same where derivatives are rounded to 0, 1 − a² and a(1 − a): there a is ±1, 0 or 1."""

LEVEL_AT_ZERO = frozenset({"relu", "relu6", "hardsigmoid"})
"""Those of them that give 0 where they are level for small weighted sums."""

ODD = frozenset(
    {
        "identity",
        "tanh",
        "softsign",
        "hardtanh",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "mish",
    }
)
"""Activations that give 0 for a weighted sum of 0, and not for all smaller ones."""


@dataclass(frozen=True)
class Unit:
    """A unit of a network.

    Attributes:
        name: h2, o1.
        layer: counted from 1, the first hidden one.
        position: in its layer, counted from 0.
        activation: its name.
        gives_zero: whether it gives 0 for every example.
    """

    name: str
    layer: int
    position: int
    activation: str
    gives_zero: bool


def dead_units(result: Result) -> tuple[Unit, ...]:
    """Units with ReLU, a weighted sum of at most 0 for every example, and never a gradient.

    Such a unit gives 0 and passes no gradient back: its own weights stay as they are.
    """
    return tuple(unit for unit in level_units(result) if unit.activation == "relu")


def level_units(result: Result) -> tuple[Unit, ...]:
    """Units whose activation is level for every example, and that get no gradient in any round."""
    config = result.run.config
    layers = layers_of(config, result.run.trace.weights[0])
    inputs = np.array(config.data.inputs, dtype=np.float64)
    sums = forward(layers, config.network.activations, inputs).pre_activations
    silent = np.all(result.run.trace.gradients == 0, axis=0)
    level: list[Unit] = []
    start = 0
    for layer, (out, into) in enumerate(config.network.shapes):
        quiet = silent[start : start + out * into].reshape(out, into).all(axis=1)
        start += out * (into + config.network.trains_bias)
        activation = config.network.activations[layer]
        if (ends := ends_of(activation, config.dtype)) is not None:
            low, high = ends
            below, above = sums[layer] <= low, sums[layer] >= high
            zero = np.all(below, axis=0) & (activation in LEVEL_AT_ZERO)
            names = unit_names(config.network)[layer + 1]
            level += [
                Unit(names[unit], layer + 1, unit, activation, bool(zero[unit]))
                for unit in np.flatnonzero(quiet & np.all(below | above, axis=0)).tolist()
            ]
    return tuple(level)


def ends_of(activation: str, dtype: str) -> tuple[float, float] | None:
    """The weighted sums up to which and from which on no gradient passes; None of others."""
    return FLAT.get(activation) or ROUNDED.get((activation, dtype))


def dead_at_end(result: Result) -> int:
    """Count units with ReLU whose weighted sum is at most 0 for every example after training."""
    config, weights = result.run.config, result.run.trace.weights[-1]
    inputs = np.array(config.data.inputs, dtype=np.float64)
    layers = layers_of(config, weights)
    sums = forward(layers, config.network.activations, inputs).pre_activations
    return sum(
        int(np.all(values <= 0, axis=0).sum())
        for values, name in zip(sums, config.network.activations, strict=True)
        if name == "relu"
    )


@dataclass(frozen=True)
class Cause:
    """A cause, and what it explains.

    Attributes:
        form: ``dead``: units give 0 and let no gradient through, so that neither what leads into
            them nor what leads out of them has one. ``flat``: units of other activations are level,
            so that what leads into them has none, and what leads out of those that give 0.
            ``saturated``: the derivative of units is rounded to 0, so that what leads into them has
            none.
            ``input``: units or inputs are 0 in every row, so that what leads out of them has none.
            ``blocked``: every path from units to the outputs leads through dead units or weights
            of 0, so that what leads into them has none.
        units: names of these units, or inputs.
        parameters: names of the parameters whose gradient is 0 for it; others may share it.
        claims: what shows that it is so.
    """

    form: Form
    units: tuple[str, ...]
    parameters: tuple[str, ...]
    claims: tuple[Source, ...]


def causes_of(result: Result) -> tuple[Cause, ...]:
    """The causes of a run's parameters without a gradient; each parameter has as many as apply."""
    return tuple(_Paths(result).causes())


class _Paths:
    """The parameters of a run as connections between units.

    A unit is a pair: its layer, where 0 are the inputs, and its position in the layer.
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        self._network = result.run.config.network
        self._silent = frozenset(result.never_moved_by_gradient)
        self._units = unit_names(self._network)
        self._level = {(u.layer, u.position): u for u in level_units(result)}

    @cached_property
    def _places(self) -> tuple[np.ndarray, ...]:
        """Of each layer: places [out, in] of its weights among all parameters."""
        places, start = [], 0
        for out, into in self._network.shapes:
            places.append(np.arange(start, start + out * into).reshape(out, into))
            start += out * (into + self._network.trains_bias)
        return tuple(places)

    @cached_property
    def _sums(self) -> tuple[FloatArray, ...]:
        """Weighted sums [rows, units] of each layer before training."""
        config = self._result.run.config
        layers = layers_of(config, self._result.run.trace.weights[0])
        inputs = np.array(config.data.inputs, dtype=np.float64)
        with np.errstate(all="ignore"):
            return tuple(forward(layers, config.network.activations, inputs).pre_activations)

    def causes(self) -> Iterator[Cause]:
        dead = {place for place, unit in self._level.items() if unit.activation == "relu"}
        saturated = {p for p, u in self._level.items() if u.activation not in FLAT}
        flat = self._level.keys() - dead - saturated
        zero = {place for place in flat if self._level[place].gives_zero}
        yield from self._cause("dead", dead, out_of=dead)
        yield from self._cause("flat", flat, out_of=zero)
        yield from self._cause("saturated", saturated, out_of=set())
        yield from self._cause("input", self._always_zero, out_of=self._always_zero, into=False)
        yield from self._cause("blocked", self._blocked, out_of=set())

    def _cause(
        self,
        form: Form,
        units: Set[tuple[int, int]],
        *,
        out_of: Set[tuple[int, int]],
        into: bool = True,
    ) -> Iterator[Cause]:
        ordered = sorted(units)
        parameters: dict[str, None] = {}
        for unit in ordered:
            parameters |= dict.fromkeys(self._into(unit) if into else ())
            parameters |= dict.fromkeys(self._out_of(unit) if unit in out_of else ())
        explained = tuple(n for n in self._result.never_moved_by_gradient if n in parameters)
        if explained:
            names = tuple(self._units[layer][position] for layer, position in ordered)
            claims = tuple(claim for unit in ordered for claim in self._claims(form, unit))
            yield Cause(form, names, explained, tuple(dict.fromkeys(claims)))

    def _into(self, unit: tuple[int, int]) -> Iterator[str]:
        """The weights and the bias of a unit."""
        layer, position = unit
        places = self._places[layer - 1]
        yield from (self._result.names[k] for k in places[position])
        if self._network.trains_bias:
            yield self._result.names[int(places[-1, -1]) + 1 + position]

    def _out_of(self, unit: tuple[int, int]) -> Iterator[str]:
        """The weights by which a unit reaches the next layer."""
        layer, position = unit
        if layer < len(self._places):
            yield from (self._result.names[k] for k in self._places[layer][:, position])

    @cached_property
    def _always_zero(self) -> set[tuple[int, int]]:
        """Inputs that are 0 in every row, and units that are, of which nothing moves."""
        inputs = np.array(self._result.run.config.data.inputs)
        found = {(0, int(k)) for k in np.flatnonzero((inputs == 0).all(axis=0))}
        for layer, sums in enumerate(self._sums[:-1], 1):
            if self._network.activations[layer - 1] in ODD:
                still = np.flatnonzero((sums == 0).all(axis=0))
                units = ((layer, int(k)) for k in still)
                found |= {unit for unit in units if self._silent.issuperset(self._into(unit))}
        return found

    @cached_property
    def _blocked(self) -> set[tuple[int, int]]:
        """Hidden units of which no path to the outputs lets a gradient through."""
        found: set[tuple[int, int]] = set()
        for layer in range(len(self._places) - 1, 0, -1):
            for position in range(self._network.layers[layer]):
                unit = (layer, position)
                if unit not in self._level and all(
                    (layer + 1, target) in self._level.keys() | found or self._is_zero(place)
                    for target, place in enumerate(self._places[layer][:, position])
                ):
                    found.add(unit)
        return found

    def _is_zero(self, place: int) -> bool:
        return not self._result.run.trace.weights[:, place].any()

    def _claims(self, form: Form, unit: tuple[int, int]) -> Iterator[Source]:
        layer, position = unit
        if form == "input":
            column = f"inputs[:, {position}]" if layer == 0 else f"{_sums(unit)}"
            yield self._result.cite(f"all({column} == 0)")
            if layer:
                yield self._quiet(unit)
        elif form in ("dead", "flat", "saturated"):
            ends = ends_of(self._level[unit].activation, self._result.run.config.dtype)
            assert ends is not None
            yield self._result.cite(_is_level(unit, ends, zero=self._level[unit].gives_zero))
            yield self._quiet(unit)
        else:
            for target, place in enumerate(self._places[layer][:, position]):
                ahead = (layer + 1, target)
                if ahead in self._level:
                    yield from self._claims("dead", ahead)
                elif ahead in self._blocked:
                    yield from self._claims("blocked", ahead)
                else:
                    yield self._result.cite(f"all(weights[:, {int(place)}] == 0)")

    def _quiet(self, unit: tuple[int, int]) -> Source:
        """The claim that no gradient comes into a unit."""
        layer, position = unit
        places = tuple(int(k) for k in self._places[layer - 1][position])
        return self._result.cite(f"all(gradients[:, {places}] == 0)")


def _is_level(place: tuple[int, int], ends: tuple[float, float], *, zero: bool) -> str:
    """The claim that a unit is level for every example before training, or gives 0 there."""
    low, high = ends
    if zero:
        return f"all({_sums(place)} <= {low:g})"
    return f"all(({_sums(place)} <= {low:g}) | ({_sums(place)} >= {high:g}))"


def _sums(unit: tuple[int, int]) -> str:
    layer, position = unit
    return f"sums_at({layer}, 0)[:, {position}]"
