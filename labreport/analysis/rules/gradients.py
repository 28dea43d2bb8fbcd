"""Weights that never get a gradient, and runs that stop where the gradient vanishes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.backprop.network import forward
from labreport.backprop.runs import layers_of
from labreport.lab.naming import unit_names

MOST_NAMED = 6
"""Points that a sentence names before it stops; the table has them all."""

VANISHED = 1e-2
"""A gradient a hundred times smaller than the largest of its run moves a weight no further in
the whole budget than the largest one did in a hundredth of it."""

STANDING_STILL = 0.01
"""Over the last half of the rounds the distance from the floor changes by less than a hundredth: a
small gradient with a large step size, or with many rounds, still goes somewhere."""

FAR_FROM_FLOOR = 0.01
"""Still more than a hundredth of the first distance from the floor: not the usual end, where the
gradient vanishes because nothing is left to gain."""


def silent_weights(results: ExperimentResults) -> Iterator[Observation]:
    """Weights whose gradient is exactly 0 in every round, and the units that are dead."""
    for result in results.singles:
        names = result.never_moved_by_gradient
        if not names:
            continue
        units = dead_units(result)
        facts: Facts = {
            "subject": Subject(result.variant, result.point),
            "names": Names(names, "gradients[:, k] == 0 for every step"),
            "count": Count(len(names)),
            "total": Count(len(result.names)),
            "rounds": Count(result.run.trace.rounds),
            "units": Names(units, "weighted sum ≤ 0 for every example before round 1"),
        }
        form = "dead" if units else ""
        yield Observation("silent-weights", facts, runs=1, form=form)


def dead_units(result: Result) -> tuple[str, ...]:
    """Units with a weighted sum of at most 0 for every example, and no gradient in any round.

    With ReLU such a unit gives 0 and passes no gradient back: its own weights stay as they are.
    """
    config = result.run.config
    layers = layers_of(config, result.run.trace.weights[0])
    inputs = np.array(config.data.inputs, dtype=np.float64)
    sums = forward(layers, config.network.activations, inputs).pre_activations
    silent = np.all(result.run.trace.gradients == 0, axis=0)
    dead: list[str] = []
    start = 0
    for layer, (out, into) in enumerate(config.network.shapes):
        quiet = silent[start : start + out * into].reshape(out, into).all(axis=1)
        start += out * (into + config.network.trains_bias)
        if config.network.activations[layer] == "relu":
            below = np.all(sums[layer] <= 0, axis=0)
            names = unit_names(config.network)[layer + 1]
            dead += [names[unit] for unit in range(out) if quiet[unit] and below[unit]]
    return tuple(dead)


def stuck(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose gradient has vanished although the loss is far from its floor."""
    for result in results.singles:
        step = result.index(results.last)
        if step is None or not is_stuck(result, results.last):
            continue
        norms = gradient_norms(result)
        outputs = result.run.trace.outputs_at(step)
        facts: Facts = {
            "subject": Subject(result.variant, result.point),
            "budget": Count(results.last),
            "loss": Number(float(result.losses[step]), f"losses[{step}]"),
            "floor": Number(result.floor.value or 0.0, "floor"),
            "norm": Number(float(norms[step]), f"norm of gradients[{step}]"),
            "largest": Number(float(norms.max()), "largest norm of gradients"),
        }
        form = ""
        last = result.run.config.network.activations[-1]
        if outputs is not None and outputs.size <= 4 and last == "sigmoid":
            slope = outputs.astype(np.float64) * (1 - outputs.astype(np.float64))
            facts["outputs"] = tuple(Number(float(o), f"outputs[{step}]") for o in outputs.ravel())
            facts["slope"] = Number(float(slope.max()), f"max of o(1 − o) at outputs[{step}]")
            form = "sigmoid"
        yield Observation("stuck", facts, runs=1, form=form)


def stuck_points(results: ExperimentResults) -> Iterator[Observation]:
    """Points of a sweep that end stuck."""
    members = [r for swept in results.swept.values() for r in swept]
    stopped = [r for r in members if is_stuck(r, results.last)]
    if stopped:
        facts: Facts = {
            "subjects": tuple(
                With(
                    Subject(r.variant, r.point),
                    Number(r.loss(results.last) or 0.0, f"losses[{r.index(results.last)}]"),
                )
                for r in stopped[:MOST_NAMED]
            ),
            "count": Count(len(stopped)),
            "total": Count(len(members)),
            "budget": Count(results.last),
        }
        form = "more" if len(stopped) > MOST_NAMED else ""
        yield Observation("stuck-points", facts, runs=len(members), form=form)


def is_stuck(result: Result, budget: int) -> bool:
    """Whether the gradient has vanished by then although the loss is far from its floor."""
    step, gap, first = result.index(budget), result.gap(budget), result.gap(0)
    if step is None or gap is None or not first or not result.run.trace.is_whole:
        return False
    half = result.gap(step // 2)
    if half is None or abs(half - gap) > STANDING_STILL * gap:
        return False
    norms = gradient_norms(result)
    return bool(gap > FAR_FROM_FLOOR * first and norms[step] <= VANISHED * norms.max())


def gradient_norms(result: Result) -> np.ndarray:
    """Euclidean norm of the gradient at each step [steps], float64."""
    norms: np.ndarray = np.linalg.norm(result.run.trace.gradients.astype(np.float64), axis=1)
    return norms
