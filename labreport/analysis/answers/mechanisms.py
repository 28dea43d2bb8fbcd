"""Reasons: mechanisms, each stated only where it has passed a test on the runs themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.along_axes import one_axis
from labreport.analysis.answers.single_runs import in_order
from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.measures.floor import Outside, outside
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Part,
    Setting,
    Share,
    Source,
    Subject,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.standings import Standing, standings
from labreport.lab.naming import unit_names
from labreport.reference.evaluation import layers_of
from labreport.reference.network import forward


@rule("range-decides", "target", 0.96, thresholds=("NO_ODDS",), part="reason")
def range_decides(results: ExperimentResults) -> Iterator[Observation]:
    """A lead below the floor that the range of the output sets to others: they cannot catch up."""
    found = standings(results)
    if not found or not found[-1].measure.is_loss:
        return
    last = found[-1]
    groups: dict[tuple[Outside, float], list[Result]] = {}
    for result in last.others if not any(outside(r.run.config) for r in last.first) else ():
        missed = outside(result.run.config)
        if missed and _is_below_floor(last.first[0], result, last.measure):
            worst = max(missed, key=lambda m: abs(m.target - m.nearest))
            groups.setdefault((worst, result.floor.value or 0.0), []).append(result)
    # Those of which one has come to the floor, else the most.
    told = max(
        groups.items(),
        key=lambda group: (
            any(has_come_to_floor(r, results.last) for r in group[1]),
            len(group[1]),
        ),
        default=None,
    )
    if told is not None:
        (missed_most, _), bound = told
        yield _bound_by_range(results, last, missed_most, bound)


def _is_below_floor(best: Result, other: Result, measure: Measure) -> bool:
    """Return whether a result lies below another's floor by more than anybody would mind."""
    value, bottom = measure.value(best), other.floor.value
    if value is None or bottom is None:
        return False
    return bottom - value > thresholds.NO_ODDS * measure.scale((best, other))


def has_come_to_floor(result: Result, budget: int) -> bool:
    """Return whether a result has come to its floor, but for what nobody would mind."""
    left, first = result.gap(budget), result.loss(0)
    return left is not None and first is not None and left <= thresholds.NO_ODDS * abs(first)


def _bound_by_range(
    results: ExperimentResults, last: Standing, missed: Outside, bound: Sequence[Result]
) -> Observation:
    """The observation: the results that the range keeps from a target, and who leads."""
    best, measure = last.first[0], last.measure
    ended = [r for r in bound if has_come_to_floor(r, results.last)]
    target = f"given_targets[{missed.row}, {missed.unit}]"
    facts: Facts = {
        "subjects": in_order(results, bound),
        "other": in_order(results, last.first),
        "unit": Names((unit_names(best.run.config.network)[-1][missed.unit],)),
        "target": Setting(missed.target, best.cite(target)),
        "nearest": Setting(missed.nearest),
        "floor": Number(bound[0].floor.value or 0.0, bound[0].cite("floor")),
        "budget": Count(results.last),
    }
    claims: list[Source] = [*last.claims]
    for result in bound:
        pair, value = (best, result), measure.formula(best, "r1.")
        limit = f"NO_ODDS * {measure.scale_formula(pair)}"
        claims.append(cite(f"r2.floor - {value} > {limit}", pair))
        sign = "<=" if result in ended else ">"
        left = result.gap_formula(results.last)
        claims.append(result.cite(f"{left} {sign} NO_ODDS * abs(losses[0])"))
        beyond = "<" if missed.target < missed.nearest else ">"
        claims.append(result.cite(f"{target} {beyond} {missed.nearest!r}"))
    if ended:
        facts["ended"] = in_order(results, ended)
    form = "ended" if ended else ""
    return Observation("range-decides", facts, 1 + len(bound), form=form, claims=tuple(claims))


@rule("error-term", "gradients", 0.85, thresholds=("NO_ODDS",), part="reason")
def error_term(results: ExperimentResults) -> Iterator[Observation]:
    """Cross entropy against MSE at one sigmoid output layer: the factor o(1 − o) that it lacks.

    With a sigmoid output the derivative of cross entropy by the weighted sum is (o − y)/n, and that
    of MSE 2(o − y)·o(1 − o)/n (Bishop 2006, "Pattern Recognition and Machine Learning", 5.2).
    """
    for result in results.singles:
        other = results.against(result)
        if other is None or not _differ_in_error_term(result, other):
            continue
        config = result.run.config
        start = config.network.parameter_count - _size_of_last(result)
        places = f"[{start}:]"
        mine, theirs = f"r1.gradients_at(0){places}", f"r2.gradients_at(0){places}"
        sizes = [np.linalg.norm(_first_gradient(r)[start:]) for r in (result, other)]
        ahead = _is_ahead(result, other, results.budgets)
        if ahead is None or not sizes[0] > sizes[1] > 0:
            continue
        pair = (result, other)
        facts: Facts = {
            "subject": result.subject,
            "other": other.subject,
            "loss": Part("loss", config.loss),
            "other_loss": Part("loss", other.run.config.loss),
            "factor": Number(
                float(sizes[0] / sizes[1]),
                cite(f"norm(wide({mine})) / norm(wide({theirs}))", pair),
                digits=2,
            ),
        }
        claims = (
            cite(f"norm(wide({mine})) > norm(wide({theirs}))", pair),
            cite("all(r1.inputs == r2.inputs) and all(r1.given_targets == r2.given_targets)", pair),
            cite("all(r1.weights_at(0) == r2.weights_at(0))", pair),
            lower_claim(result, other, ahead),
        )
        yield Observation("error-term", facts, runs=2, strength="explanation", claims=claims)
        return


def _is_ahead(result: Result, other: Result, budgets: Sequence[int]) -> Measure | None:
    """The measure at the last of these budgets at which a run is nearer to the targets."""
    measures = [Measure.of((result, other), budget) for budget in budgets]
    there = [m for m in measures if m is not None and is_lower(result, other, m)]
    return there[-1] if there else None


def _first_gradient(result: Result) -> np.ndarray:
    found = result.run.trace.gradients_at(0)
    return np.zeros(len(result.names)) if found is None else found.astype(np.float64)


def _size_of_last(result: Result) -> int:
    network = result.run.config.network
    out, into = network.shapes[-1]
    return out * (into + network.trains_bias)


def _differ_in_error_term(result: Result, other: Result) -> bool:
    """Return whether one is cross entropy and the other MSE, of the same outputs from one start."""
    one, two = result.run.config, other.run.config
    is_pair = one.loss in ("bce", "bce_with_logits") and two.loss == "mse"
    same = (one.data, one.initial, one.seed, one.network.layers) == (
        two.data,
        two.initial,
        two.seed,
        two.network.layers,
    )
    hidden = one.network.activations[:-1] == two.network.activations[:-1]
    there = len(result.losses) > 0 and len(other.losses) > 0
    return is_pair and same and hidden and there and _last_is_sigmoid(result, other)


def _last_is_sigmoid(*results: Result) -> bool:
    return all(
        r.run.config.network.activations[-1] == "sigmoid" or r.run.config.loss == "bce_with_logits"
        for r in results
    )


@rule("lands-in-saturation", "gradients", 0.8, thresholds=("SATURATED", "NO_ODDS"), part="reason")
def lands_in_saturation(results: ExperimentResults) -> Iterator[Observation]:
    """Values of a sweep whose first step already brings every output where it is flat."""
    axis = one_axis(results)
    if axis is None or axis.best is None:
        return
    members, measure, best = axis.members, axis.measure, axis.best
    slopes = [_slope_after_first_step(r) for r in members]
    if any(slope is None for slope in slopes):
        return
    flat = [slope is not None and slope <= _FLAT for slope in slopes]
    if flat[0] or not flat[-1]:
        return
    first = len(flat) - flat[::-1].index(False)
    if not all(is_lower(best, r, measure) for r in members[first:]):
        return
    at = members[first]
    product = "max(wide(outputs_at(1)) * (1 - wide(outputs_at(1))))"
    facts: Facts = {
        "start": Subject("", at.point),
        "slope": Number(
            max(slope for slope in slopes[first:] if slope is not None),
            cite(f"max(each({product}))", members[first:]),
            digits=2,
        ),
        "share": Share(thresholds.SATURATED),
    }
    claims = [r.cite(f"{product} <= SATURATED * 0.25") for r in members[first:]]
    claims += [lower_claim(best, r, measure) for r in members[first:]]
    claims.append(members[first - 1].cite(f"{product} > SATURATED * 0.25"))
    yield Observation(
        "lands-in-saturation",
        facts,
        runs=len(members) - first,
        strength="explanation",
        claims=tuple(claims),
    )


@rule("dead-values", "gradients", 0.92, thresholds=("NO_ODDS",), part="reason")
def dead_values(results: ExperimentResults) -> Iterator[Observation]:
    """Values of a sweep from which on a whole layer with ReLU is dead at the end."""
    axis = one_axis(results)
    if axis is None or axis.best is None or len(axis.there) < len(axis.members):
        return
    members, measure = axis.members, axis.measure
    for layer, activation in enumerate(members[0].run.config.network.activations[:-1], 1):
        if activation != "relu":
            continue
        dead = [_is_dead(r, layer, results.last) for r in members]
        first = len(dead) - dead[::-1].index(False) if False in dead else 0
        behind = members[first:]
        if not 0 < first < len(dead) or any(dead[:first]):
            continue
        if not all(is_lower(axis.best, r, measure) for r in behind):
            continue
        at = f"sums_at({layer}, {behind[0].index(results.last)}) <= 0"
        units = members[0].run.config.network.layers[layer]
        facts: Facts = {
            "start": Subject("", behind[0].point),
            "count": Count(units, behind[0].cite(f"count(every_round({at}))")),
            "budget": Count(results.last),
        }
        claims = [r.cite(f"{'' if r in behind else 'not '}all({at})") for r in members]
        claims += [lower_claim(axis.best, r, measure) for r in behind]
        yield Observation(
            "dead-values", facts, len(members), strength="explanation", claims=tuple(claims)
        )
        return


def _is_dead(result: Result, layer: int, budget: int) -> bool:
    """Return whether every unit of a layer has a sum of at most 0 for every row; none if gone."""
    weights = result.run.trace.weights_at(result.index(budget) or 0)
    if weights is None:
        return False
    config = result.run.config
    inputs = np.array(config.data.inputs, dtype=np.float64)
    passed = forward(layers_of(config, weights), config.network.activations, inputs)
    return bool((passed.pre_activations[layer - 1] <= 0).all())


_FLAT = thresholds.SATURATED * 0.25
"""A slope of the sigmoid, of which the largest is a quarter."""


def _slope_after_first_step(result: Result) -> float | None:
    """The largest o(1 − o) of any output after one update; None where outputs are no sigmoids."""
    outputs = result.run.trace.outputs_at(1)
    if outputs is None or result.run.config.network.activations[-1] != "sigmoid":
        return None
    wide = outputs.astype(np.float64)
    return float((wide * (1 - wide)).max())


@rule("points-downhill", "gradients", 1.0, of_gradient_checks=True, part="reason")
def points_downhill(results: ExperimentResults) -> Iterator[Observation]:
    """Wrong formulas whose gradient forms an acute angle with the right one all along.

    A step against any vector with a positive inner product with the gradient lowers the loss if it
    is short enough (Nocedal and Wright 2006, "Numerical Optimization", section 2.2).
    """
    check = results.check
    if check is None:
        return
    run = results.results[0]
    wrong = [c for c in check.formulas if c.is_wrong]
    smallest = [c.smallest_cosine for c in wrong]
    if not wrong or not all(found is not None and found > 0 for found in smallest):
        return
    names = [repr(c.formula.name) for c in wrong]
    cosines = ", ".join(f"cosine_by({name})" for name in names)
    facts: Facts = {
        "count": Count(len(wrong)),
        "cosine": Number(
            min(found for found in smallest if found is not None),
            run.cite(f"min(({cosines},))"),
            digits=2,
        ),
    }
    claims = tuple(run.cite(f"cosine_by({name}) > 0") for name in names)
    yield Observation(
        "points-downhill", facts, 1 + len(wrong), strength="explanation", claims=claims
    )
