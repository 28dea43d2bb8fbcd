"""Gradients of the first layer against those of the last: fading, or growing, on their way."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Fact, Facts, Number, Observation, Verbatim
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rule import rule
from labreport.lab.configuration import Network
from labreport.reference.array_types import FloatArray
from labreport.reference.norms import norms

MOST_LAYERS = 6
"""Layers that a sentence tells one by one; of more it tells the first and the last ones."""


@rule(
    "layer-gradients",
    "gradients",
    0.75,
    thresholds=("EXPLODING", "VANISHING"),
    hinders=True,
    part="reason",
)
def layer_gradients(results: ExperimentResults) -> Iterator[Observation]:
    """Gradients far smaller or larger in the first layer than in the last; one of 0 was cut."""
    for result in results.singles:
        network = result.run.config.network
        first_gradients = result.run.trace.gradients_at(0)
        if len(network.shapes) < 2 or first_gradients is None:
            continue
        places = _parameters_of_layers(network)
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
        # A factor of ten is one of ten orders of magnitude.
        effect = float(np.log10(times.value)) / 10
        yield Observation("layer-gradients", facts, runs=1, form=form, claims=claims, effect=effect)


def _parameters_of_layers(network: Network) -> list[tuple[int, int]]:
    """Locate the weights and trained biases of each layer among all parameters."""
    places, start = [], 0
    for out, into in network.shapes:
        stop = start + out * (into + network.trains_bias)
        places.append((start, stop))
        start = stop
    return places


def _root_mean_square(values: FloatArray) -> float:
    return float(norms(values)) / sqrt(values.size)


def _listed(numbers: list[Number]) -> tuple[Fact, ...]:
    """Numbers of layers, in order; of many layers those of the first and the last ones."""
    if len(numbers) <= MOST_LAYERS:
        return tuple(numbers)
    ends = MOST_LAYERS // 2
    return (*numbers[:ends], Verbatim("…"), *numbers[-ends:])
