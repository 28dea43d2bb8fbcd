"""Checks of rules on what several random starts show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb
from statistics import NormalDist
from typing import Any

import numpy as np

from claim_checks.losses import (
    above_floor,
    floor_of,
    floor_tolerance,
    has_reached,
    loss_at,
    same_measure,
)
from claim_checks.reading import (
    can_move,
    coin_toss_probability,
    first_variant,
    listed,
    near,
    stated,
    subjects_of,
    value,
)
from claim_checks.seen import Check, Seen, other_starts
from labreport.analysis.observation import Observation, Subject
from labreport.lab.plan import Trial
from labreport.runs.run import Run


def seed_pairs(seen: Seen, one: list[tuple[Trial, Run]], other: list[tuple[Trial, Run]]) -> Any:
    """Return differences of the losses of runs with the same seed, at the last budget."""
    return np.array([a - b for a, b, _ in _losses_of_pairs(seen, one, other)])


def lower_and_higher(
    seen: Seen, one: list[tuple[Trial, Run]], other: list[tuple[Trial, Run]]
) -> tuple[int, int]:
    """Return in how many pairs the first is lower, and higher, by a thousandth of the start."""
    found = _losses_of_pairs(seen, one, other)
    return sum(b - a > s for a, b, s in found), sum(a - b > s for a, b, s in found)


def _losses_of_pairs(
    seen: Seen, one: list[tuple[Trial, Run]], other: list[tuple[Trial, Run]]
) -> list[tuple[float, float, float]]:
    """Return losses of runs with the same seed, and a thousandth of the larger of their first."""
    budget = seen.plan.budgets[-1]
    theirs = {t.seed: r for t, r in other}
    found = []
    for t, mine in one:
        their = theirs.get(t.seed)
        if their is None:
            continue
        a, b = _told(mine, budget), _told(their, budget)
        if a is not None and b is not None:
            first = max(abs(loss_at(mine, 0)), abs(loss_at(their, 0)))
            found.append((a, b, 0.001 * first))
    return found


def _told(run: Run, budget: int) -> float | None:
    """Return the loss at a budget, or at the run's own end; None if it ended before."""
    last = min(budget, run.config.rounds)
    return loss_at(run, last) if has_reached(run, last) else None


def median_loss(runs: Iterable[Run], budget: int) -> float | None:
    """Return the median of the losses of those runs that did not end before."""
    told = [loss for r in runs if (loss := _told(r, budget)) is not None]
    return float(np.median(told)) if told else None


def paired_starts(seen: Seen, observation: Observation) -> bool:
    """Check how often one of two variants is lower from the same start."""
    return all(
        _paired(seen, observation, s.variant) for s in subjects_of(observation.facts["subject"])
    )


def _paired(seen: Seen, observation: Observation, mine: str) -> bool:
    """Check the comparison of one variant with another from the same starts."""
    theirs = observation.facts["other"].variant
    far = seed_pairs(seen, seen.variants[mine], seen.variants[theirs])
    below, over = lower_and_higher(seen, seen.variants[mine], seen.variants[theirs])
    p, least = coin_toss_probability(below, over), coin_toss_probability(0, below + over)
    ordered = np.sort(far)
    holds = (
        same_measure(r for name in (mine, theirs) for _, r in seen.variants[name])
        and stated(observation, "count") == len(far)
        and stated(observation, "lower") == below
        and stated(observation, "even") == len(far) - below - over
        and near(stated(observation, "median"), float(np.median(far)))
        and near(stated(observation, "p"), p)
        and near(stated(observation, "least"), least)
    )
    if "low" in observation.facts:
        left = int(np.flatnonzero(ordered == stated(observation, "low"))[0])
        covers = 1 - 2 * sum(comb(len(far), k) for k in range(left + 1)) / 2 ** len(far)
        said = stated(observation, "coverage")
        holds = holds and stated(observation, "high") in ordered and said >= 0.95
        # With equal values the first of them may stand for a later one.
        holds = holds and (near(said, covers) or len(set(far.tolist())) < len(far))
    elif observation.form not in ("few", "same", "level"):
        holds = False
    if observation.form == "same":
        return holds and not below + over
    if observation.form in ("few", "level"):
        enough = coin_toss_probability(0, len(far)) <= 0.05
        return holds and least > 0.05 and enough == (observation.form == "level")
    if observation.form == "open":
        return holds and p > 0.05 >= least
    side, _, how = observation.form.partition("-")
    holds = holds and p <= 0.05 and (below > over) == (side == "lower")
    if how == "all":
        return holds and max(below, over) == len(far)
    return holds and max(below, over) < len(far) and (p < 0.001) == (how == "sure")


def pairs_needed(seen: Seen, observation: Observation) -> bool:
    """Check how many starts it would take a sign test to tell two variants apart."""
    mine, theirs = first_variant(observation.facts["subject"]), observation.facts["other"].variant
    below, over = lower_and_higher(seen, seen.variants[mine], seen.variants[theirs])
    count = len(seed_pairs(seen, seen.variants[mine], seen.variants[theirs]))
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    untied = below + over
    needed = quantiles**2 / (4 * (below / untied - 0.5) ** 2) * count / untied
    return (
        stated(observation, "count") == count
        and stated(observation, "lower") == below
        and stated(observation, "even") == count - untied
        and stated(observation, "needed") > count
        and needed * (1 - 1e-6) <= stated(observation, "needed") <= (needed + 1) * (1 + 1e-6)
    )


def solved_less_often(seen: Seen, observation: Observation) -> bool:
    """Check that the variant that is lower from most seeds comes most of the way from fewer."""
    budget = stated(observation, "budget")
    names = [observation.facts[k].variant for k in ("subject", "other")]
    below, over = lower_and_higher(seen, *(seen.variants[name] for name in names))
    holds = below > over and coin_toss_probability(below, over) <= 0.05
    for name, key in zip(names, ("fewer", "more"), strict=True):
        members = [r for _, r in seen.variants[name]]
        there = [r for r in members if has_reached(r, budget) and above_floor(r, 0) > 0]
        bounds = [
            sum(
                above_floor(r, budget) <= 0.1 * above_floor(r, 0) + sign * 2 * floor_tolerance(r)
                for r in there
            )
            for sign in (-1, 1)
        ]
        told = observation.facts[key]
        holds = holds and bounds[0] <= told.value <= bounds[1] and told.total == len(members)
    return holds and _succeeds_less_often(seen, names, budget)


def _succeeds_less_often(seen: Seen, names: Sequence[str], budget: int) -> bool:
    """Check that of the seeds from which only one succeeds it is mostly the second."""
    mine, theirs = ({t.seed: r for t, r in seen.variants[name]} for name in names)
    both = [(run, theirs[seed]) for seed, run in mine.items() if seed in theirs]
    there = [pair for pair in both if all(has_reached(r, budget) for r in pair)]

    def only(pair: tuple[Run, Run], sign: int) -> bool:
        room = [sign * 2 * floor_tolerance(r) for r in pair]
        came = [
            above_floor(r, budget) <= 0.1 * above_floor(r, 0) + off
            for r, off in zip(pair, (room[0], -room[1]), strict=True)
        ]
        return came[0] and not came[1]

    few, more = sum(only(p, -1) for p in there), sum(only(p[::-1], 1) for p in there)
    return few < more and coin_toss_probability(few, more) <= 0.05


def solved_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many starts most of the way to the floor is gone."""
    if observation.form == "many":
        return solved_starts_of_many(seen, observation)
    if observation.form in ("two", "variants"):
        return _solved_most_often(seen, observation)
    budget = stated(observation, "budget")
    for told in listed(observation, "starts"):
        members = [
            r
            for t, r in seen.pairs
            if t.variant == told.what.variant and t.point == told.what.point
        ]
        there = [r for r in members if has_reached(r, budget) and above_floor(r, 0) > 0]
        surely, maybe = (
            sum(
                above_floor(r, budget) <= 0.1 * above_floor(r, 0) + sign * 2 * floor_tolerance(r)
                for r in there
            )
            for sign in (-1, 1)
        )
        if not (surely <= told.detail.value <= maybe and told.detail.total == len(members)):
            return False
    return True


def _solved_most_often(seen: Seen, observation: Observation) -> bool:
    """Check from which variants most and fewest starts come most of the way."""
    budget = stated(observation, "budget")
    possible: dict[str, set[float]] = {}
    for name, members in seen.variants.items():
        if any(trial.seed is None for trial, _ in members):
            continue
        # Who has no floor, or starts at it, has no way to go.
        known = [r for _, r in members if floor_of(r.config) is not None]
        there = [r for r in known if has_reached(r, budget) and above_floor(r, 0) > 0]
        if not there:
            continue
        possible[name] = {
            sum(
                above_floor(r, budget) <= 0.1 * above_floor(r, 0) + sign * 2 * floor_tolerance(r)
                for r in there
            )
            / len(members)
            for sign in (-1, 1)
        }
    rates = {k: observation.facts[k].value / observation.facts[k].total for k in ("most", "fewest")}
    named = {k: {s.variant for s in listed(observation, k)} for k in ("first", "last")}
    return (
        rates["most"] > rates["fewest"]
        and all(_may_be(rates["most"], possible[name]) for name in named["first"])
        and all(_may_be(rates["fewest"], possible[name]) for name in named["last"])
        and all(
            rates["fewest"] <= max(found) and min(found) <= rates["most"]
            for found in possible.values()
        )
    )


def _may_be(rate: float, bounds: set[float]) -> bool:
    """Return whether a rate lies between those that rounding leaves open."""
    return min(bounds) <= rate <= max(bounds)


def solved_starts_of_many(seen: Seen, observation: Observation) -> bool:
    """Check at how many points every start, some or none come most of the way."""
    budget, groups = stated(observation, "budget"), {}
    for trial, run in seen.pairs:
        if trial.seed is not None:
            groups.setdefault((trial.variant, trial.point), []).append(run)
    kinds: list[set[str]] = []
    for members in groups.values():
        there = [r for r in members if has_reached(r, budget) and above_floor(r, 0) > 0]
        if not there:
            continue
        possible = set()
        for sign in (1, -1):
            near_it = [
                above_floor(r, budget) <= 0.1 * above_floor(r, 0) + sign * 2 * floor_tolerance(r)
                for r in there
            ]
            count = sum(near_it)
            possible.add("every" if count == len(members) else "some" if count else "none")
        kinds.append(possible)
    told = {kind: stated(observation, kind) for kind in ("every", "some", "none")}
    return stated(observation, "points") == len(kinds) == sum(told.values()) and all(
        sum(k == {kind} for k in kinds) <= count <= sum(kind in k for k in kinds)
        for kind, count in told.items()
    )


def best_over_starts(seen: Seen, observation: Observation) -> bool:
    """Check which point or variant has the lowest median over its starts."""
    if observation.form.endswith("variants"):
        last, tuned = stated(observation, "budget"), listed(observation, "medians")
        found = [median_loss(seen.all_of(w.what), last) or 0.0 for w in tuned]
        told = [value(w.detail) for w in tuned]
        return found == sorted(found) and all(map(near, told, found))
    budget, members = (
        stated(observation, "budget"),
        seen.variants[observation.facts["subject"].variant],
    )
    points: dict[Any, list[tuple[Trial, Run]]] = {}
    for trial, run in members:
        points.setdefault(trial.point, []).append((trial, run))
    all_medians = {p: median_loss((r for _, r in there), budget) for p, there in points.items()}
    medians = {point: median for point, median in all_medians.items() if median is not None}
    best, second = observation.facts["best"].point, observation.facts["second"].point
    count = len(seed_pairs(seen, points[best], points[second]))
    below, over = lower_and_higher(seen, points[best], points[second])
    p = coin_toss_probability(below, over)
    others = sorted(m for point, m in medians.items() if point != best)
    holds = (
        near(stated(observation, "median"), medians[best])
        and near(stated(observation, "other_median"), medians[second])
        and medians[best] <= others[0]
        and medians[second] == others[0]
        and stated(observation, "lower") == below
        and stated(observation, "even") == count - below - over
        and stated(observation, "count") == count
        and stated(observation, "points") == len(points)
        and near(stated(observation, "p"), min(1.0, p * comparison_count(observation)))
    )
    clear = stated(observation, "p") <= 0.05 and below > over
    expected = "clear" if clear else "open"
    if clear and stated(observation, "p") < 0.001:
        expected = "sure"
    least = [
        comparison_count(observation) * coin_toss_probability(0, n) for n in (count, below + over)
    ]
    if not below + over or least[0] <= 0.05 < least[1]:
        alike = _level_from_every_seed(seen, points, best, budget)
        expected = "level" if alike else "mostly-level"
        holds = holds and stated(observation, "alike") == alike if alike else holds
    is_own = len({r.config.rounds for _, r in members}) > 1
    return holds and observation.form == ("own-" if is_own else "") + expected


def _level_from_every_seed(
    seen: Seen, points: dict[Any, list[tuple[Trial, Run]]], best: Any, budget: int
) -> int:
    """Return how many values of a sweep are level with the best one from all of its seeds."""
    there = sum(has_reached(run, budget) for _, run in points[best])
    return sum(
        len(seed_pairs(seen, points[best], members)) == there
        and lower_and_higher(seen, points[best], members) == (0, 0)
        for point, members in points.items()
        if point != best
    )


def comparison_count(observation: Observation) -> int:
    """Return by how many comparisons a p-value is multiplied, where the sentence says so."""
    return stated(observation, "comparisons") if "comparisons" in observation.facts else 1


def _tried_elsewhere(seen: Seen) -> bool:
    """Return whether every run that can learn was repeated from at least ten other starts."""
    there = [r for _, r in seen.pairs if len(r.losses) and can_move(r.config)]
    if not there or seen.plan.experiment.kind == "gradient-check":
        return False
    asked = {c.kind for c in seen.plan.controls}
    return "other-starts" in asked and all(len(other_starts(seen, r)) >= 10 for r in there)


def single_start(seen: Seen, observation: Observation) -> bool:
    """Check that each setting was trained from one start only."""
    places = [(t.variant, t.point) for t, _ in seen.pairs]
    holds = len(set(places)) == len(places) == stated(observation, "count")
    holds = holds and not _tried_elsewhere(seen)
    if observation.form == "given":
        starts = {t.config.initial.model_dump_json() for t, _ in seen.pairs}
        fixed = all(
            t.config.initial.scheme in ("given", "zeros", "ones", "constant") for t, _ in seen.pairs
        )
        holds = holds and fixed and len(starts) == 1
        holds = holds and stated(observation, "budget") == max(
            t.config.rounds for t, _ in seen.pairs
        )
    return holds


def points_with_and_without_chance(seen: Seen, observation: Observation) -> bool:
    """Check the losses of all points of a sweep, in their order, and which have one run."""
    told = {w.what: value(w.detail) for w in listed(observation, "medians")}
    (variant,) = {subject.variant for subject in told}
    budget = stated(observation, "budget")
    losses: dict[Subject, list[float]] = {}
    for trial, run in seen.variants[variant]:
        step = min(budget, run.config.rounds)
        if has_reached(run, step):
            losses.setdefault(Subject(variant, trial.point), []).append(loss_at(run, step))
    alone = {subject for subject, found in losses.items() if len(found) == 1}
    own = {run.config.rounds for _, run in seen.pairs}
    return (
        told.keys() == losses.keys()
        and all(near(told[subject], float(np.median(found))) for subject, found in losses.items())
        and list(told.values()) == sorted(told.values())
        and set(listed(observation, "alone")) == alone
        and (observation.form == "own") == (min(own) < budget)
    )


CHECKS: dict[str, Check] = {
    "points-with-and-without-chance": points_with_and_without_chance,
    "paired-starts": paired_starts,
    "best-over-starts": best_over_starts,
    "solved-starts": solved_starts,
    "pairs-needed": pairs_needed,
    "solved-less-often": solved_less_often,
    "single-start": single_start,
}
"""Checks by the name of their rule."""
