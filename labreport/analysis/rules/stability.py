"""Divergence, and learning rates against the curvature of the loss, which limits them.

Where a weight decay is set, it is a part of what is descended, and adds itself to the curvature.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    Rounds,
    Setting,
    Share,
    Source,
    Subject,
    UpTo,
    With,
)
from labreport.analysis.points import RATE, among_points, from_a_value_on
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.descent import rising, rising_formula
from labreport.lab.configuration import RunConfig
from labreport.lab.schema.optimizers import SGD
from labreport.reference.curvature import has_curvature, largest_curvature, stability_limit


@rule(
    "diverged",
    "stability",
    {"": 0.9, "all": 0.96, "starts-all": 0.96},
    needs_budget=False,
    of_gradient_checks=True,
    part="verdict",
)
def diverged(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose numbers stopped being finite."""
    alone = [r for r in results.results if r.trial.seed is None]
    ended = [r for r in alone if r.diverged]
    if ended:
        facts: Facts = {
            "subjects": tuple(
                With(r.subject, Rounds(r.run.trace.ending.step, r.cite("ending_step")))
                for r in ended
            ),
            "count": Count(len(ended), cite("count(each(ending == 'diverged'))", ended)),
        }
        claims = (cite("all(each(ending == 'diverged'))", ended),)
        form = "all" if len(ended) == len(alone) > 1 else ""
        effect = len(ended) / len(alone)
        yield Observation(
            "diverged", facts, runs=len(ended), form=form, claims=claims, effect=effect
        )
    yield from _of_starts(results)


def _of_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Points and variants at which runs from random starts diverged: all of them, or some."""
    grids = [members for points in results.gridded.values() for members in points.values()]
    groups = [*grids, *results.replicated.values()]
    everyone = [r for members in groups for r in members]
    ended = [r for r in everyone if r.diverged]
    # The starts of one variant are told by their spread.
    if len(groups) < 2 or not ended:
        return
    counts = [sum(r.diverged for r in members) for members in groups]
    pairs = list(zip(groups, counts, strict=True))
    whole = [members for members, count in pairs if count == len(members)]
    partly = [(members, count) for members, count in pairs if 0 < count < len(members)]
    first: dict[str, list[Result]] = {}
    for members in groups:
        first.setdefault(members[0].variant, []).append(members[0])
    diverged_formula = "count(each(ending == 'diverged'))"
    facts: Facts = {
        "whole": among_points(first, [members[0] for members in whole]),
        "diverged": tuple(
            With(members[0].subject, OutOf(count, len(members), cite(diverged_formula, members)))
            for members, count in partly
        ),
        "count": Count(len(ended), cite(diverged_formula, everyone)),
        "total": Count(len(everyone), cite("size(each(rounds))", everyone)),
        "first": Rounds(
            min(r.run.trace.ending.step for r in ended), cite("min(each(ending_step))", ended)
        ),
    }
    form = _form_of_starts(len(whole), len(partly), len(groups))
    claims = tuple(cite(f"{diverged_formula} == {count}", members) for members, count in pairs)
    yield Observation(
        "diverged",
        facts,
        runs=len(everyone),
        form=form,
        strength="statistical",
        claims=claims,
        effect=len(ended) / len(everyone),
    )


def _form_of_starts(whole: int, partly: int, groups: int) -> str:
    if whole == groups:
        return "starts-all"
    return "starts" if whole and partly else "starts-whole" if whole else "starts-partly"


@rule("worse-than-start", "stability", 0.6)
def worse_than_start(results: ExperimentResults) -> Iterator[Observation]:
    """Points of a sweep at which training ended above the loss that it began with."""
    swept = results.everywhere
    worse = [r for r in swept if (end := r.loss(results.last)) is not None and end > r.losses[0]]
    if worse:
        claims = tuple(
            r.cite(f"{r.loss_formula(results.last)} {'>' if r in worse else '<='} losses[0]")
            for r in swept
            if r.loss(results.last) is not None
        )
        facts: Facts = {
            "subjects": from_a_value_on(results, worse),
            "count": Count(len(worse), cite("size(each(rounds))", worse)),
            "total": Count(len(swept), cite("size(each(rounds))", swept)),
            "budget": Count(results.last),
        }
        effect = len(worse) / len(swept)
        yield Observation("worse-than-start", facts, runs=len(swept), claims=claims, effect=effect)


MOST_RUNS = 8
"""Runs of an experiment, or variants of a sweep, whose curvature is computed: a Hessian of a few
hundred parameters is a fraction of a second, and a report with dozens of them would wait for it."""

FEWEST_SAMPLES, MOST_SAMPLES = 12, 200
"""Steps of one run at which its curvature is looked up at first, ever farther apart: it changes
most in the first rounds. Between a peak and the next step a whole peak may hide."""

WORK = 4_000_000
"""Entries of all arrays that Hessians along one run take together: some half a second."""

HALVINGS = 5
"""The number of times that steps beside the one of the largest curvature are looked up as well."""


@rule(
    "edge-of-stability",
    "stability",
    {"beyond": 0.65, "near": 0.4},
    thresholds=("NEAR_LIMIT", "ROUNDING"),
)
def edge_of_stability(results: ExperimentResults) -> Iterator[Observation]:
    """Runs of gradient descent that end near or beyond what their curvature allows."""
    limited = [r for r in results.singles if _has_limit(r)][:MOST_RUNS]
    for result in limited:
        step = result.index(results.last)
        if step is None or result.run.trace.weights_at(step) is None:
            continue
        try:
            start, end = _curvature(result, 0), _curvature(result, step)
        except ValueError:
            # A kink beside these weights: there is no curvature to speak of.
            continue
        limit = _limit(result, end)
        rate = result.run.config.optimizer.learning_rate
        if limit is None or rate < thresholds.NEAR_LIMIT * limit:
            continue
        formula = _limit_formula(_curvature_formula(step))
        facts: Facts = {
            "subject": result.subject,
            "start": Number(start, result.cite(_curvature_formula(0))),
            "curvature": Number(end, result.cite(_curvature_formula(step)), digits=2),
            "limit": Number(limit, result.cite(formula), digits=2),
            "rate": Setting(rate, result.cite("learning_rate")),
            "share": Share(rate / limit, result.cite(f"learning_rate / ({formula})")),
            "budget": Count(results.last),
        }
        beyond = rate > limit
        up = f"count({rising_formula(step)}) > 0"
        # A loss that never rises does not show that the step is too large for it.
        if beyond and not rising(result, step).any():
            continue
        claims = (
            *_conditions(result),
            *([result.cite(up)] if beyond else []),
            result.cite(f"{_curvature_formula(step)} > 0"),
            result.cite(f"learning_rate >= NEAR_LIMIT * {formula}"),
            result.cite(f"learning_rate {'>' if beyond else '<='} {formula}"),
        )
        form = "beyond" if beyond else "near"
        yield Observation("edge-of-stability", facts, runs=1, form=form, claims=claims)


@rule(
    "stable-rate",
    "stability",
    {"": 0.7, "between": 0.85},
    thresholds=("ROUNDING",),
    part={"between": "reason"},
)
def stable_rate(results: ExperimentResults) -> Iterator[Observation]:
    """Report where a sweep of learning rates starts to rise, beside the limit by curvature."""
    if [key for key, _ in results.plan.axes] != [RATE]:
        return
    for name, members in list(results.swept.items())[:MOST_RUNS]:
        if not _has_limit(members[0]) or any(r.refused for r in members):
            continue
        ordered = sorted(members, key=lambda r: r.run.config.optimizer.learning_rate)
        unsteady = [_ever_rises(r, results.last) for r in ordered]
        if unsteady[0] or not any(unsteady):
            continue
        first = unsteady.index(True)
        found = _against_theory(name, ordered[:first], ordered[first], results.last)
        if found is not None:
            yield found


def _against_theory(
    name: str, steady_runs: list[Result], rises: Result, budget: int
) -> Observation | None:
    """Compare the limit of the last steady run with the learning rates between which losses rise.

    None where there is no curvature, or no limit that follows from it.
    """
    steady = steady_runs[-1]
    try:
        curvatures = _curvatures(steady, budget)
    except ValueError:
        return None
    if not curvatures:
        return None
    steps = sorted(curvatures)
    sharpest = max(steps, key=lambda step: curvatures[step])
    limit = _limit(steady, curvatures[sharpest])
    if limit is None:
        return None
    met = f"(max(curvatures_at({tuple(steps)})) + setting('optimizer.weight_decay'))"
    formula = _limit_formula(met)
    form, where, factor = _place_of(limit, formula, (steady, rises))
    facts: Facts = {
        "steady": UpTo(Subject(name, steady.point)),
        "rising": Subject("", rises.point),
        "curvature": Number(curvatures[sharpest], steady.cite(met)),
        "updates": Count(sharpest),
        "samples": Count(len(steps)),
        "limit": Number(limit, steady.cite(formula)),
        "budget": Count(budget),
        "factor": factor,
    }
    claims = (
        *_conditions(steady),
        *(_steady_claim(r, budget) for r in steady_runs),
        _rising_claim(rises, budget),
        where,
    )
    runs = len(steady_runs) + 1
    return Observation("stable-rate", facts, runs=runs, form=form, claims=claims)


def _place_of(
    limit: float, formula: str, pair: tuple[Result, Result]
) -> tuple[str, Source, Number]:
    """Place a limit below, between or above two learning rates.

    Args:
        limit: of the learning rate.
        formula: of the limit, with the numbers of the first run.
        pair: runs with the smaller and the larger of the two learning rates.

    Returns:
        The form of the sentence, its claim, and by how much the limit is beyond the nearer rate;
        where it is between the two, how far these are apart.
    """
    low, high = (r.run.config.optimizer.learning_rate for r in pair)
    if limit < low:
        form, where = "below", f"{formula} < r1.learning_rate"
        factor, far = low / limit, f"r1.learning_rate / ({formula})"
    elif limit > high:
        form, where = "above", f"{formula} > r2.learning_rate"
        factor, far = limit / high, f"{formula} / r2.learning_rate"
    else:
        form, where = "between", f"r1.learning_rate <= {formula} <= r2.learning_rate"
        factor, far = high / low, "r2.learning_rate / r1.learning_rate"
    return form, cite(where, pair), Number(factor, cite(far, pair), digits=3)


def _has_limit(result: Result) -> bool:
    """Return whether the learning rate's limit has a formula, and a Hessian to put into it."""
    config = result.run.config
    return (
        len(result.run.trace.weights) > 0
        and has_curvature(config)
        and stability_limit(config, 1.0) is not None
    )


def _curvature(result: Result, step: int) -> float:
    """The largest curvature of what is descended, at a recorded step.

    Raises:
        ValueError: where there is none.
    """
    weights = result.run.trace.weights_at(step)
    assert weights is not None
    return largest_curvature(result.run.config, weights.astype(np.float64)) + _decay(result)


def _decay(result: Result) -> float:
    optimizer = result.run.config.optimizer
    assert isinstance(optimizer, SGD)
    return optimizer.weight_decay


def _limit(result: Result, curvature: float) -> float | None:
    return stability_limit(result.run.config, curvature - _decay(result))


def _curvature_formula(step: int) -> str:
    return f"(curvature_at({step}) + setting('optimizer.weight_decay'))"


def _limit_formula(curvature: str) -> str:
    return f"(2 * (1 + setting('optimizer.momentum')) / {curvature})"


def _conditions(result: Result) -> tuple[Source, ...]:
    """Return the conditions under which the limit of a run is that of gradient descent."""
    return (
        result.cite("setting('optimizer.name') == 'sgd' and setting('gradients') == 'cleared'"),
        result.cite("sees_all_rows"),
    )


def _curvatures(result: Result, budget: int) -> dict[int, float]:
    """Largest curvature by recorded step, of some steps up to a budget.

    The first and the last are among them, and more of them the earlier they are; then steps
    half-way between the one with the largest curvature and its neighbours, closer and closer.

    Raises:
        ValueError: where there is none at one of them.
    """
    recorded = result.run.trace.recorded
    there = recorded[recorded <= (result.index(budget) or 0)].tolist()
    if not there:
        return {}
    samples = _samples(result.run.config)
    places = np.unique(np.rint(np.geomspace(1, len(there), samples)).astype(int)) - 1
    found = {int(place): _curvature(result, there[place]) for place in places}
    for _ in range(HALVINGS):
        looked_at = sorted(found)
        top = looked_at.index(max(looked_at, key=lambda place: found[place]))
        around = looked_at[max(0, top - 1) : top + 2]
        for middle in [(one + other) // 2 for one, other in pairwise(around)]:
            if middle not in found:
                found[middle] = _curvature(result, there[middle])
    return {there[place]: curvature for place, curvature in found.items()}


def _samples(config: RunConfig) -> int:
    """At how many steps the curvature of a run is looked up, the fewer the larger its network."""
    parameters, units = config.network.parameter_count, sum(config.network.layers[1:])
    entries = parameters * (parameters + len(config.data.inputs) * units)
    return min(max(FEWEST_SAMPLES, WORK // entries), MOST_SAMPLES)


def _ever_rises(result: Result, budget: int) -> bool:
    step = result.index(budget)
    return step is None or bool(rising(result, step).any())


def _steady_claim(result: Result, budget: int) -> Source:
    return result.cite(f"not any({rising_formula(result.index(budget) or 0)})")


def _rising_claim(result: Result, budget: int) -> Source:
    step = result.index(budget)
    if step is None:
        return result.cite("ending == 'diverged'")
    return result.cite(f"any({rising_formula(step)})")
