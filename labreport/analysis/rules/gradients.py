"""Gradients that vanish, explode or never come: of weights, of layers, of saturated units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.causes import Form, causes_of
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    OutOf,
    Share,
    Source,
    With,
)
from labreport.analysis.points import from_a_value_on
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.stuck import OF_STUCK, find_stuck, gradient_norms
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import data_of, layers_of
from labreport.reference.network import forward


@rule(
    "silent-weights",
    "gradients",
    0.95,
    thresholds=("ROUNDING",),
    hinders=lambda result: bool(result.never_moved_by_gradient),
    # Of the rest no cause is known.
    part=dict.fromkeys(get_args(Form), "reason"),
)
def silent_weights(results: ExperimentResults) -> Iterator[Observation]:
    """Weights whose gradient is exactly 0 in every round: those with each cause, and the rest."""
    for result in results.singles:
        names = result.never_moved_by_gradient
        # What ended early says nothing of every round, and at the floor there is no gradient.
        if not names or result.diverged or result.starts_at_floor:
            continue
        causes = causes_of(result)
        for cause in causes:
            yield _silent(result, cause.parameters, cause.form, cause.units, cause.claims)
        explained = {name for cause in causes for name in cause.parameters}
        rest = tuple(name for name in names if name not in explained)
        if rest:
            known = tuple(claim for cause in causes for claim in cause.claims)
            several = len(result.run.config.data.inputs) > 1
            yield _silent(result, rest, "rows" if several else "", (), known)


@rule("nothing-moves", "gradients", 0.96, thresholds=("ROUNDING",), part="effect")
def nothing_moves(results: ExperimentResults) -> Iterator[Observation]:
    """Variants of which no parameter ever gets a gradient, whatever the causes."""
    found = [
        r
        for r in results.singles
        if r.is_trained
        and not (r.diverged or r.starts_at_floor)
        and len(r.never_moved_by_gradient) == len(r.names)
    ]
    if found:
        claims = [
            r.cite(claim)
            for r in found
            for claim in ("all(gradients == 0)", "all(weights == weights[0])", "rounds > 0")
        ]
        claims += [r.cite(f"{r.gap_formula(0)} > allowance") for r in found if r.gap(0) is not None]
        facts: Facts = {"subjects": tuple(r.subject for r in found)}
        yield Observation("nothing-moves", facts, runs=len(found), claims=tuple(claims))


def _silent(
    result: Result,
    names: tuple[str, ...],
    form: str,
    units: tuple[str, ...],
    claims: tuple[Source, ...],
) -> Observation:
    positions = tuple(result.names.index(name) for name in names)
    quiet = f"every_round(gradients[:, {positions}] == 0)"
    still = f"every_round(weights[:, {positions}] == weights[0, {positions}])"
    facts: Facts = {
        "subject": result.subject,
        "names": Names(names),
        "count": Count(len(names), result.cite(f"count({quiet} & {still})")),
        "total": Count(len(result.names), result.cite("size(weights[0])")),
        "rounds": Count(result.run.trace.rounds, result.cite("rounds")),
        "units": Names(units),
    }
    told = [
        result.cite(f"all(gradients[:, {positions}] == 0)"),
        result.cite(f"all(weights[:, {positions}] == weights[0, {positions}])"),
        *claims,
        result.cite("ending != 'diverged'"),
    ]
    if result.gap(0) is not None:
        told.append(result.cite(f"{result.gap_formula(0)} > allowance"))
    share = len(names) / len(result.names)
    return Observation("silent-weights", facts, runs=1, form=form, claims=tuple(told), effect=share)


@rule(
    "stuck",
    "gradients",
    0.905,
    thresholds=OF_STUCK,
)
def stuck(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose gradient has vanished although the loss is far from its floor."""
    for result in results.singles:
        step, found = result.index(results.last), find_stuck(results, result)
        if step is None or found is None:
            continue
        sizes = gradient_norms(result)
        outputs = result.run.trace.outputs_at(step)
        facts: Facts = {
            "subject": result.subject,
            "budget": Count(results.last),
            "loss": result.number(results.last),
            "floor": Number(result.floor.value or 0.0, result.cite("floor")),
            "norm": Number(float(sizes[step]), result.cite(f"norm(wide(gradients[{step}]))")),
            "largest": Number(float(sizes.max()), result.cite("max(norm(wide(gradients)))")),
        }
        form = ""
        last = result.run.config.network.activations[-1]
        if found.better is not None:
            better = found.better
            lowest = Number(float(better.losses.min()), better.cite("min(losses)"))
            facts["better"] = With(better.subject, lowest)
            form = "rows"
        elif outputs is not None and outputs.size <= 4 and last == "sigmoid":
            slope = outputs.astype(np.float64) * (1 - outputs.astype(np.float64))
            there = f"outputs_at({step})"
            facts["outputs"] = tuple(
                Number(float(outputs[row, unit]), result.cite(f"{there}[{row}, {unit}]"))
                for row, unit in np.ndindex(outputs.shape)
            )
            product = f"max(wide({there}) * (1 - wide({there})))"
            facts["slope"] = Number(float(slope.max()), result.cite(product))
            form = "sigmoid"
        if found.longer is not None:
            facts["longer"] = Count(found.longer.run.config.rounds, found.longer.cite("rounds"))
            form = f"{form}-longer" if form else "longer"
        yield Observation("stuck", facts, runs=1, form=form, claims=found.claims)


@rule(
    "stuck-points",
    "gradients",
    0.72,
    thresholds=OF_STUCK,
)
def stuck_points(results: ExperimentResults) -> Iterator[Observation]:
    """Points of a sweep that end stuck."""
    members = results.everywhere
    found = {r: s for r in members if (s := find_stuck(results, r))}
    if found:
        stopped = list(found)
        subjects = from_a_value_on(results, stopped)
        lowest = min(r.loss(results.last) or 0.0 for r in stopped)
        losses = f"each(losses[{stopped[0].index(results.last)}])"
        facts: Facts = {
            "subjects": subjects,
            "count": Count(len(stopped), cite("size(each(rounds))", stopped)),
            "total": Count(len(members), cite("size(each(rounds))", members)),
            "lowest": Number(lowest, cite(f"min({losses})", stopped)),
            "budget": Count(results.last),
        }
        claims = tuple(claim for s in found.values() for claim in s.claims)
        effect = len(stopped) / len(members)
        continued = [s.longer for s in found.values()]
        there = [c for c in continued if c is not None]
        form = "longer" if len(there) == len(continued) else ""
        if form:
            rounds = min(c.run.config.rounds for c in there)
            facts["longer"] = Count(rounds, cite("min(each(rounds))", there))
        yield Observation(
            "stuck-points", facts, len(members), form=form, claims=claims, effect=effect
        )


LARGEST_SLOPE = {"sigmoid": 0.25, "tanh": 1.0}
"""Largest derivative of the activations that saturate on both sides."""


@rule("saturated-units", "gradients", 0.6, thresholds=("MANY_SATURATED", "SATURATED"))
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
    """Mark for each row the hidden units that are flat [rows, units of these layers]."""
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
    """Return the formula of that count by weighted sums: both activations decay as exp(−|z|)."""
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
