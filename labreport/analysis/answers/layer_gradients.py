"""Gradients of the first layer against those of the last: fading, or growing, on their way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Fact,
    Facts,
    Number,
    Observation,
    Subject,
    Verbatim,
)
from labreport.analysis.results import ExperimentResults, Result, cite
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
    hinders=lambda result: _form_of(result) is not None,
    part="reason",
)
def layer_gradients(results: ExperimentResults) -> Iterator[Observation]:
    """Gradients far smaller or larger in the first layer than in the last; one of 0 was cut."""
    for result in results.singles:
        form = _form_of(result)
        if form is None:
            continue
        sizes = _sizes(result)
        places = _parameters_of_layers(result.run.config.network)
        formulas = [f"norm(wide(gradients_at(0)[{a}:{b}])) / sqrt({b - a})" for a, b in places]
        between = f"({formulas[0]}) / ({formulas[-1]})"
        other_way = f"({formulas[-1]}) / ({formulas[0]})"
        if form == "vanishing":
            claim, told, times = f"{between} <= VANISHING", other_way, sizes[-1] / sizes[0]
        else:
            claim, told, times = f"{between} >= EXPLODING", between, sizes[0] / sizes[-1]
        facts: Facts = {
            "subject": result.subject,
            "layers": _listed(
                [Number(s, result.cite(f)) for s, f in zip(sizes, formulas, strict=True)]
            ),
            "times": Number(times, result.cite(told)),
        }
        claims = (result.cite(claim), result.cite(f"{formulas[0]} > 0 and {formulas[-1]} > 0"))
        yield Observation(
            "layer-gradients", facts, runs=1, form=form, claims=claims, effect=_effect(times)
        )


def _sizes(result: Result) -> list[float]:
    """Root mean square of the gradients of each layer before training; none where they are not."""
    found = result.run.trace.gradients_at(0)
    places = _parameters_of_layers(result.run.config.network)
    return [] if found is None else [_root_mean_square(found[a:b]) for a, b in places]


def _form_of(result: Result) -> str | None:
    """Whether the gradient fades or grows on its way to the first layer; None where neither."""
    sizes = _sizes(result)
    if len(sizes) < 2 or not sizes[0] or not sizes[-1]:
        return None
    ratio = sizes[0] / sizes[-1]
    if ratio <= thresholds.VANISHING:
        return "vanishing"
    return "exploding" if ratio >= thresholds.EXPLODING else None


@rule(
    "layer-gradients-starts",
    "gradients",
    {"": 0.75, "level": 0.4},
    thresholds=("EXPLODING", "FEWEST_PAIRS", "VANISHING"),
    needs_budget=False,
    part={"vanishing": "reason", "exploding": "reason"},
)
def layer_gradients_starts(results: ExperimentResults) -> Iterator[Observation]:
    """The same over random starts: the median of the ratio, and between which it lies."""
    for name, members in results.replicated.items():
        places = _parameters_of_layers(members[0].run.config.network)
        if len(places) < 2:
            continue
        sizes = {r: _first_and_last(r, places) for r in members}
        # One of 0 was cut, and has no ratio.
        there = [r for r, (first, last) in sizes.items() if first and last]
        if len(there) < thresholds.FEWEST_PAIRS:
            continue
        ratios = np.array([sizes[r][0] / sizes[r][1] for r in there])
        yield _over_starts(name, there, ratios, (places[0], places[-1]))


def _first_and_last(result: Result, places: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """The gradients of the first and of the last layer before training; 0 where there are none."""
    gradients = result.run.trace.gradients_at(0)
    if gradients is None:
        return 0.0, 0.0
    first, last = (_root_mean_square(gradients[a:b]) for a, b in (places[0], places[-1]))
    return first, last


def _over_starts(
    name: str,
    members: Sequence[Result],
    ratios: FloatArray,
    ends: tuple[tuple[int, int], tuple[int, int]],
) -> Observation:
    """The observation: by how many times gradients fade, or grow, in the median of the starts."""
    first, last = (f"norm(wide(gradients_at(0)[{a}:{b}])) / sqrt({b - a})" for a, b in ends)
    ratio, inverse = f"each(({first}) / ({last}))", f"each(({last}) / ({first}))"
    form = "level"
    claim = f"median({inverse}) < 1 / VANISHING and median({ratio}) < EXPLODING"
    if np.median(1 / ratios) >= 1 / thresholds.VANISHING:
        form, claim = "vanishing", f"median({inverse}) >= 1 / VANISHING"
    elif np.median(ratios) >= thresholds.EXPLODING:
        form, claim = "exploding", f"median({ratio}) >= EXPLODING"
    grows = form == "exploding"
    told, formula = (ratios, ratio) if grows else (1 / ratios, inverse)
    facts: Facts = {
        "subject": Subject(name),
        "times": Number(float(np.median(told)), cite(f"median({formula})", members), digits=2),
        "least": Number(float(told.min()), cite(f"min({formula})", members), digits=2),
        "most": Number(float(told.max()), cite(f"max({formula})", members), digits=2),
        "count": Count(len(members), cite("size(each(rounds))", members)),
    }
    claims = (cite(claim, members), cite("size(each(rounds)) >= FEWEST_PAIRS", members))
    return Observation(
        "layer-gradients-starts",
        facts,
        len(members),
        form=form,
        strength="statistical",
        claims=claims,
        effect=1.0 if form == "level" else _effect(float(np.median(told))),
    )


def _effect(times: float) -> float:
    """A factor of ten is one of ten orders of magnitude."""
    return float(np.log10(times)) / 10


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
