"""Weights that never get a gradient, and runs that stop where the gradient vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Count, Facts, Names, Number, Observation, Source, With
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.backprop.network import forward
from labreport.backprop.runs import layers_of
from labreport.lab.naming import unit_names

MOST_NAMED = 6
"""Points that a sentence names before it stops; the table has them all."""


def silent_weights(results: ExperimentResults) -> Iterator[Observation]:
    """Weights whose gradient is exactly 0 in every round, and the units that are dead."""
    for result in results.singles:
        names = result.never_moved_by_gradient
        if not names:
            continue
        units = dead_units(result)
        positions = tuple(result.names.index(name) for name in names)
        still = f"gradients[:, {positions}] == 0"
        facts: Facts = {
            "subject": result.subject,
            "names": Names(names),
            "count": Count(
                len(names),
                result.cite(
                    "count(every_round(gradients == 0) & every_round(weights == weights[0]))"
                ),
            ),
            "total": Count(len(result.names), result.cite("size(weights[0])")),
            "rounds": Count(result.run.trace.rounds, result.cite("rounds")),
            "units": Names(tuple(unit.name for unit in units)),
        }
        claims = [
            result.cite(f"all({still})"),
            result.cite(f"all(weights[:, {positions}] == weights[0, {positions}])"),
        ]
        claims += [
            result.cite(f"all(sums_at({unit.layer}, 0)[:, {unit.position}] <= 0)") for unit in units
        ]
        form = "dead" if units else ""
        yield Observation("silent-weights", facts, runs=1, form=form, claims=tuple(claims))


@dataclass(frozen=True)
class Unit:
    """A unit of a network.

    Attributes:
        name: h2, o1.
        layer: counted from 1, the first hidden one.
        position: in its layer, counted from 0.
    """

    name: str
    layer: int
    position: int


def dead_units(result: Result) -> tuple[Unit, ...]:
    """Units with a weighted sum of at most 0 for every example, and no gradient in any round.

    With ReLU such a unit gives 0 and passes no gradient back: its own weights stay as they are.
    """
    config = result.run.config
    layers = layers_of(config, result.run.trace.weights[0])
    inputs = np.array(config.data.inputs, dtype=np.float64)
    sums = forward(layers, config.network.activations, inputs).pre_activations
    silent = np.all(result.run.trace.gradients == 0, axis=0)
    dead: list[Unit] = []
    start = 0
    for layer, (out, into) in enumerate(config.network.shapes):
        quiet = silent[start : start + out * into].reshape(out, into).all(axis=1)
        start += out * (into + config.network.trains_bias)
        if config.network.activations[layer] == "relu":
            below = np.all(sums[layer] <= 0, axis=0)
            names = unit_names(config.network)[layer + 1]
            dead += [
                Unit(names[unit], layer + 1, unit)
                for unit in range(out)
                if quiet[unit] and below[unit]
            ]
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
            "subject": result.subject,
            "budget": Count(results.last),
            "loss": result.number(results.last),
            "floor": Number(result.floor.value or 0.0, result.cite("floor")),
            "norm": Number(float(norms[step]), result.cite(f"norm(wide(gradients[{step}]))")),
            "largest": Number(float(norms.max()), result.cite("max(norm(wide(gradients)))")),
        }
        form = ""
        last = result.run.config.network.activations[-1]
        if outputs is not None and outputs.size <= 4 and last == "sigmoid":
            slope = outputs.astype(np.float64) * (1 - outputs.astype(np.float64))
            there = f"outputs_at({step})"
            facts["outputs"] = tuple(
                Number(float(outputs[row, unit]), result.cite(f"{there}[{row}, {unit}]"))
                for row, unit in np.ndindex(outputs.shape)
            )
            product = f"max(wide({there}) * (1 - wide({there})))"
            facts["slope"] = Number(float(slope.max()), result.cite(product))
            form = "sigmoid"
        claims = stuck_claims(result, results.last)
        yield Observation("stuck", facts, runs=1, form=form, claims=claims)


def stuck_points(results: ExperimentResults) -> Iterator[Observation]:
    """Points of a sweep that end stuck."""
    members = results.everywhere
    stopped = [r for r in members if is_stuck(r, results.last)]
    if stopped:
        facts: Facts = {
            "subjects": tuple(
                With(r.subject, r.number(results.last)) for r in stopped[:MOST_NAMED]
            ),
            "count": Count(len(stopped), cite("size(each(rounds))", stopped)),
            "total": Count(len(members), cite("size(each(rounds))", members)),
            "budget": Count(results.last),
        }
        form = "more" if len(stopped) > MOST_NAMED else ""
        claims = tuple(claim for r in stopped for claim in stuck_claims(r, results.last))
        yield Observation("stuck-points", facts, runs=len(members), form=form, claims=claims)


def is_stuck(result: Result, budget: int) -> bool:
    """Whether the gradient has vanished by then although the loss is far from its floor."""
    step, gap, first = result.index(budget), result.gap(budget), result.gap(0)
    if step is None or gap is None or not first or not result.run.trace.is_whole:
        return False
    # Throughout: a loss that swings may happen to be at the end where it was half-way.
    half = result.losses[step // 2 : step + 1].astype(np.float64)
    if np.abs(half - half[-1]).max() > thresholds.STANDING_STILL * gap:
        return False
    norms = gradient_norms(result)
    # What rounding leaves between a loss and its floor is no distance.
    far = gap > thresholds.FAR_FROM_FLOOR * first and gap > result.at_floor
    # Where there never was a gradient, none has vanished.
    vanished = norms.max() > 0 and norms[step] <= thresholds.VANISHED * norms.max()
    return bool(far and vanished and np.isfinite(norms).all())


def stuck_claims(result: Result, budget: int) -> tuple[Source, ...]:
    """What must be true of a run that is stuck."""
    step = result.index(budget) or 0
    gap, half = result.gap_formula(budget), f"wide(losses[{step // 2}:{step + 1}])"
    return (
        result.cite(f"max(abs({half} - losses[{step}])) <= STANDING_STILL * {gap}"),
        result.cite(f"{result.gap_formula(0)} > 0"),
        result.cite(f"{gap} > FAR_FROM_FLOOR * {result.gap_formula(0)}"),
        result.cite(f"{gap} > allowance"),
        result.cite(f"norm(wide(gradients[{step}])) <= VANISHED * max(norm(wide(gradients)))"),
        result.cite("any(gradients != 0)"),
    )


def gradient_norms(result: Result) -> np.ndarray:
    """Euclidean norm of the gradient at each step [steps], float64."""
    with np.errstate(over="ignore"):
        norms: np.ndarray = np.linalg.norm(result.run.trace.gradients.astype(np.float64), axis=1)
    return norms
