"""Gradients from layer to layer, and hidden units in saturation that let none through."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.norms import norms
from labreport.analysis.observation import (
    Count,
    Fact,
    Facts,
    Number,
    Observation,
    OutOf,
    Share,
    Verbatim,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.configuration import Network
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import data_of, layers_of
from labreport.reference.network import forward

MOST_LAYERS = 6
"""Layers that a sentence tells one by one; of more it tells the first and the last ones."""

LARGEST_SLOPE = {"sigmoid": 0.25, "tanh": 1.0}
"""Largest derivative of the activations that saturate on both sides."""


def layer_gradients(results: ExperimentResults) -> Iterator[Observation]:
    """Gradients that are far smaller, or far larger, in the first layer than in the last.

    Where the gradient of either is exactly 0 nothing has faded: it was cut.
    """
    for result in results.singles:
        network = result.run.config.network
        first_gradients = result.run.trace.gradients_at(0)
        if len(network.shapes) < 2 or first_gradients is None:
            continue
        places = _weights_of_layers(network)
        sizes = [_root_mean_square(first_gradients[start:stop]) for start, stop in places]
        formulas = [f"norm(wide(gradients_at(0)[{a}:{b}])) / sqrt({b - a})" for a, b in places]
        if not sizes[0] or not sizes[-1]:
            continue
        ratio = sizes[0] / sizes[-1]
        between = f"({formulas[0]}) / ({formulas[-1]})"
        other_way = f"({formulas[-1]}) / ({formulas[0]})"
        if ratio <= thresholds.VANISHING:
            form, claim = "vanishing", f"{between} <= VANISHING"
            times = Number(1 / ratio, result.cite(other_way))
        elif ratio >= thresholds.EXPLODING:
            form, claim = "exploding", f"{between} >= EXPLODING"
            times = Number(ratio, result.cite(between))
        else:
            continue
        facts: Facts = {
            "subject": result.subject,
            "layers": _listed(
                [Number(s, result.cite(f)) for s, f in zip(sizes, formulas, strict=True)]
            ),
            "times": times,
        }
        claims = (result.cite(claim), result.cite(f"{formulas[0]} > 0 and {formulas[-1]} > 0"))
        # A factor of ten is a tenth of ten orders of magnitude, of which float32 holds few more.
        effect = float(np.log10(times.value)) / 10
        yield Observation("layer-gradients", facts, runs=1, form=form, claims=claims, effect=effect)


def _weights_of_layers(network: Network) -> list[tuple[int, int]]:
    """Where the weights of each layer, without its biases, stand among all parameters."""
    places, start = [], 0
    for out, into in network.shapes:
        places.append((start, start + out * into))
        start += out * (into + network.trains_bias)
    return places


def _root_mean_square(values: FloatArray) -> float:
    return float(norms(values)) / sqrt(values.size)


def _listed(numbers: list[Number]) -> tuple[Fact, ...]:
    """A number for each layer, in order; of many layers the first and the last ones."""
    if len(numbers) <= MOST_LAYERS:
        return tuple(numbers)
    ends = MOST_LAYERS // 2
    return (*numbers[:ends], Verbatim("…"), *numbers[-ends:])


def saturated_units(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that end with many hidden units where their activation is flat."""
    for result in results.singles:
        step = result.index(results.last)
        weights = None if step is None else result.run.trace.weights_at(step)
        layers = [
            layer
            for layer, name in enumerate(result.run.config.network.activations[:-1])
            if name in LARGEST_SLOPE
        ]
        if weights is None or not layers:
            continue
        assert step is not None
        flat = _flat(result, weights, layers)
        share = float(np.mean(flat))
        if share < thresholds.MANY_SATURATED:
            continue
        ended, began = (_share_formula(result, layers, at) for at in (step, 0))
        before = float(np.mean(_flat(result, result.run.trace.weights[0], layers)))
        facts: Facts = {
            "subject": result.subject,
            "saturated": OutOf(
                int(np.sum(flat)), flat.size, result.cite(_count_formula(result, layers, step))
            ),
            "share": Share(share, result.cite(ended)),
            "start": Share(before, result.cite(began)),
            "level": Share(thresholds.SATURATED),
            "budget": Count(results.last),
        }
        claims = (result.cite(f"{ended} >= MANY_SATURATED"),)
        yield Observation("saturated-units", facts, runs=1, claims=claims)


def _flat(result: Result, weights: FloatArray, layers: list[int]) -> FloatArray:
    """Whether each hidden unit is flat for each row [rows, units of these layers]."""
    config = result.run.config
    names = config.network.activations
    with np.errstate(all="ignore"):
        passed = forward(layers_of(config, weights), names, data_of(config, np.float64)[0])
    flat = []
    for layer in layers:
        out = passed.activations[layer + 1]
        slope = out * (1 - out) if names[layer] == "sigmoid" else 1 - out * out
        flat.append(slope < thresholds.SATURATED * LARGEST_SLOPE[names[layer]])
    return np.concatenate(flat, axis=1)


def _count_formula(result: Result, layers: list[int], step: int) -> str:
    """How it is counted, from the weighted sums: both activations fall off as exp(−|z|) does."""
    names = result.run.config.network.activations
    counts = []
    for layer in layers:
        sums, largest = f"abs(sums_at({layer + 1}, {step}))", LARGEST_SLOPE[names[layer]]
        decay = f"exp(-{sums})" if names[layer] == "sigmoid" else f"exp(-2 * {sums})"
        slope = f"4 * {largest} * {decay} / (1 + {decay}) ** 2"
        counts.append(f"count({slope} < SATURATED * {largest})")
    return " + ".join(counts)


def _share_formula(result: Result, layers: list[int], step: int) -> str:
    sizes = " + ".join(f"size(sums_at({layer + 1}, {step}))" for layer in layers)
    return f"({_count_formula(result, layers, step)}) / ({sizes})"
