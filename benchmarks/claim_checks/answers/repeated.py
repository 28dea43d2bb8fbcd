"""Checks of what is said of the best value of a sweep from other random starts."""

from __future__ import annotations

from collections.abc import Sequence

from claim_checks.answers.levels import by_loss, is_ahead, is_not_ahead, value_of
from claim_checks.answers.swept import in_order, value
from claim_checks.losses import (
    above_floor,
    came_most_of_the_way,
    floor_tolerance,
    has_reached,
    loss_at,
)
from claim_checks.reading import stated
from claim_checks.seen import Check, Seen, other_starts
from labreport.analysis.observation import Observation
from labreport.lab.plan import Point
from labreport.runs.run import Run


def best_from_starts(seen: Seen, observation: Observation) -> bool:
    """Check between which values the best one lies from other starts."""
    budget, count = stated(observation, "budget"), stated(observation, "count")
    starts = {v: other_starts(seen, r) for v, r in in_order(seen)}
    seeds = [s for s in next(iter(starts.values())) if all(s in of for of in starts.values())]
    low, high = (value(observation.facts[name]) for name in ("lowest", "highest"))
    if len(seeds) < count or count < 10:
        return False
    reached = set()
    for seed in seeds[:count]:
        losses = {
            v: loss_at(of[seed], budget)
            for v, of in starts.items()
            if has_reached(of[seed], budget)
        }
        best = starts[min(losses, key=lambda v: losses[v])][seed]
        surely = [v for v in losses if not is_ahead(best, starts[v][seed], budget, True)]
        if not all(low <= v <= high for v in surely):
            return False
        reached |= {v for v in losses if is_not_ahead(best, starts[v][seed], budget, True)}
    return {low, high} <= reached and (low == high) == (observation.form == "same")


def best_may_fail(seen: Seen, observation: Observation) -> bool:
    """Check from how many starts the best value leaves more than a tenth of the way to go."""
    budget, name = stated(observation, "budget"), observation.facts["subject"].variant
    point = observation.facts["best"].point
    members = [(t, r) for t, r in seen.variants[name] if t.point == point]
    if members[0][0].seed is None:
        starts = list(other_starts(seen, members[0][1]).values())
    else:
        starts = [r for _, r in members]
    starts = starts[: stated(observation, "count")]
    near_it = max(
        3 * min(above_floor(r, budget) for r in starts),
        1e-3 * max(above_floor(r, 0) for r in starts),
    )
    surely, maybe = (
        sum(
            not came_most_of_the_way(r, budget)
            and above_floor(r, budget) > near_it * (1 + sign * 1e-6) + sign * floor_tolerance(r)
            for r in starts
        )
        for sign in (1, -1)
    )
    return len(starts) == stated(observation, "count") >= 10 and (
        surely <= stated(observation, "failed") <= maybe
    )


def point_over_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many starts the best point, and the one that is best most often, are best."""
    budget, count = stated(observation, "budget"), stated(observation, "count")
    ((_, members),) = seen.swept.items()
    starts = {trial.point: other_starts(seen, run) for trial, run in members}
    seeds = [s for s in next(iter(starts.values())) if all(s in of for of in starts.values())]
    if len(seeds) < count or count < 10 or not _is_best(seen, observation, budget):
        return False
    losses = by_loss(run for _, run in members)
    surely, maybe = (dict.fromkeys(starts, 0) for _ in range(2))
    for seed in seeds[:count]:
        there = {p: of[seed] for p, of in starts.items() if has_reached(of[seed], budget)}
        best = min(there.values(), key=lambda run: value_of(run, budget, losses) or 0.0)
        for point, run in there.items():
            surely[point] += is_not_ahead(best, run, budget, losses)
            maybe[point] += not is_ahead(best, run, budget, losses)
    mine = observation.facts["best"].point
    others = [maybe[p] for p in starts if p != mine]
    wins = stated(observation, "wins")
    if not surely[mine] <= wins <= maybe[mine]:
        return False
    if observation.form == "other":
        other, most = observation.facts["other"].point, stated(observation, "other_wins")
        least = max(surely[p] for p in starts)
        return surely[other] <= most <= maybe[other] and most > wins and most >= least
    if observation.form == "some":
        return wins < 0.9 * count and all(surely[p] <= wins for p in starts)
    return wins >= 0.9 * count and len(others) > 0


def _is_best(seen: Seen, observation: Observation, budget: int) -> bool:
    """Return whether the point that is named is the lowest from the start of the lab, alone."""
    ((_, members),) = seen.swept.items()
    mine: Point = observation.facts["best"].point
    runs: Sequence[tuple[Point, Run]] = [(t.point, r) for t, r in members]
    best = next(run for point, run in runs if point == mine)
    losses = by_loss(run for _, run in runs)
    return has_reached(best, budget) and all(
        not has_reached(run, budget) or is_ahead(best, run, budget, losses)
        for point, run in runs
        if point != mine
    )


CHECKS: dict[str, Check] = {
    "best-from-starts": best_from_starts,
    "best-may-fail": best_may_fail,
    "point-over-starts": point_over_starts,
}
"""Checks by the name of their rule."""
