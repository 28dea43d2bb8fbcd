"""Checks of rules on sweeps and on their best points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import isclose
from typing import Any

import numpy as np

from claim_checks.losses import has_reached, leading_variants, loss_at, lowest_runs, same_measure
from claim_checks.reading import as_tuple, listed, near, stated, subjects_of, value
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Observation, Subject
from labreport.runs.run import Run


def sweep_best(seen: Seen, observation: Observation) -> bool:
    """Check which points of a sweep are best."""
    everywhere = [run for members in seen.swept.values() for _, run in members]
    if stated(observation, "total") != len(everywhere) or not same_measure(everywhere):
        return False
    if observation.form.startswith("several"):
        leaders = _leaders_of_several(seen, observation, everywhere)
        return leaders and _ranking_of_several(seen, observation)
    final = stated(observation, "budget")
    there = [r for r in everywhere if has_reached(r, final)]
    if observation.form == "only":
        only = seen.run(observation.facts["point"])
        return there == [only] and loss_at(there[0], final) == stated(observation, "value")
    if observation.form == "ended":
        end = stated(observation, "end")
        least = min(loss_at(r, end) for r in everywhere if has_reached(r, end))
        return not there and stated(observation, "value") == least
    # What is said of the last number of rounds is of it.
    if not there:
        return False
    if observation.form == "one" and len(listed(observation, "best")) != 1:
        return False
    return _best_at_all_budgets(seen, observation, everywhere)


def _best_at_all_budgets(seen: Seen, observation: Observation, everywhere: list[Run]) -> bool:
    """Check the best points at each number of rounds, and whether some are best at all."""
    always: set[int] | None = None
    for told in listed(observation, "best"):
        budget, (*points, loss) = value(told.what), told.detail
        there = [r for r in everywhere if has_reached(r, budget)]
        best = {id(r) for r in lowest_runs(there, budget)}
        named = [seen.run(point) for point in points]
        if value(loss) != min(loss_at(r, budget) for r in named):
            return False
        if not {id(r) for r in named} <= best:
            return False
        always = best if always is None else always & best
    if observation.form == "level":
        return always == {id(r) for r in everywhere}
    # The best value depends on the rounds only if none is best at all of them.
    return (not always) if observation.form == "moves" else bool(always)


def _leaders_of_several(seen: Seen, observation: Observation, everywhere: list[Run]) -> bool:
    """Check which variant and point lead at each number of rounds, where this is told."""
    leaders = as_tuple(observation.facts.get("leaders", ()))
    for told in leaders:
        here, (name, point, loss) = value(told.what), told.detail
        first = lowest_runs([r for r in everywhere if has_reached(r, here)], here)
        run = seen.run(Subject(name.variant, point.point))
        if loss_at(run, here) != value(loss) or not any(run is r for r in first):
            return False
    leading = {told.detail[0].variant for told in leaders}
    return (observation.form == "several-flips") == (len(leading) > 1)


def _ranking_of_several(seen: Seen, observation: Observation) -> bool:
    """Check the order of the variants by the lowest loss of each."""
    budget, previous = stated(observation, "budget"), -np.inf
    for told in listed(observation, "ranking"):
        name, (point, loss) = told.what.variant, told.detail
        run = seen.run(Subject(name, point.point))
        lowest = min(loss_at(r, budget) for _, r in seen.swept[name] if has_reached(r, budget))
        if loss_at(run, budget) != value(loss) or value(loss) != lowest or lowest < previous:
            return False
        previous = lowest
    return True


def same_value(seen: Seen, observation: Observation) -> bool:
    """Check the order of variants at one value against that at the best value of each."""
    budget, point = stated(observation, "budget"), observation.facts["point"].point
    told = [(w.what.variant, value(w.detail)) for w in listed(observation, "at_value")]
    here = {name: loss_at(seen.run(Subject(name, point)), budget) for name in seen.swept}
    best = {
        name: min(loss_at(r, budget) for _, r in members if has_reached(r, budget))
        for name, members in seen.swept.items()
    }
    if dict(told) != here or [n for n, _ in told] != sorted(here, key=here.__getitem__):
        return False
    tuned = [s.variant for s in listed(observation, "tuned")]
    if [best[name] for name in tuned] != sorted(best.values()):
        return False
    disagree = any(here[a] < here[b] and best[a] > best[b] for a in here for b in here)
    return disagree == (observation.form == "differs")


def leaders_along_axis(seen: Seen, observation: Observation) -> bool:
    """Check at how many points each variant leads."""
    budget = stated(observation, "budget")
    points: dict[Any, dict[str, Run]] = {}
    for name, members in seen.swept.items():
        for trial, run in members:
            if has_reached(run, budget):
                points.setdefault(trial.point, {})[name] = run
    full = [there for there in points.values() if len(there) == len(seen.swept)]
    wins = {name: sum(name in leading_variants(t, budget) for t in full) for name in seen.swept}
    told = {w.what.variant: (w.detail.value, w.detail.total) for w in listed(observation, "wins")}
    return (
        stated(observation, "points") == len(full)
        and told == {name: (n, len(full)) for name, n in wins.items() if n}
        and max(wins.values()) < len(full)
    )


def edge_of_grid(seen: Seen, observation: Observation) -> bool:
    """Check that the best value of a sweep is the first or the last that was tried."""
    for told in listed(observation, "subjects"):
        subject, budget = told.what, value(told.detail)
        members = seen.swept[subject.variant]
        there = [(t, r) for t, r in members if has_reached(r, budget)]
        for key, edge in subject.point:
            tried = [dict(t.point)[key] for t, _ in members]
            if edge not in (min(tried), max(tried)):
                return False
            # A best value in the midst of the grid would be a best value as well.
            first = lowest_runs([r for _, r in there], budget)
            best = [dict(t.point)[key] for t, r in there if any(r is f for f in first)]
            if edge not in best or any(min(tried) < v < max(tried) for v in best):
                return False
    return True


def best_at_own_end(seen: Seen, observation: Observation) -> bool:
    """Check with which swept rounds the last loss is lowest, each run with its own last loss."""
    members = seen.swept[observation.facts["subject"].variant]
    lasts = {t.point: float(r.losses[-1]) for t, r in members if has_reached(r, r.config.rounds)}
    lowest = stated(observation, "value")
    told = {point.point for point in listed(observation, "points")}
    return (
        lowest == min(lasts.values())
        and stated(observation, "total") == len(members) > len(told) > 0
        and len({r.config.rounds for _, r in members}) > 1
        and all(near(lasts[point], lowest) for point in told)
        and all(last > lowest for point, last in lasts.items() if point not in told)
    )


def first_step(seen: Seen, observation: Observation) -> bool:
    """Check that the first update is as long as the learning rate, whatever the gradient."""
    runs = [
        run
        for s in subjects_of(observation.facts["subject"])
        for _, run in seen.variants[s.variant]
    ]
    ratios: list[float] = []
    for run in runs:
        moving = run.trace.gradients[0] != 0
        moved = np.abs(run.trace.weights[1].astype(float) - run.trace.weights[0].astype(float))
        ratios += (moved[moving] / run.config.optimizer.learning_rate).tolist()
    return (
        stated(observation, "count") == len(runs)
        and near(stated(observation, "smallest"), min(ratios))
        and near(stated(observation, "largest"), max(ratios))
        and 0.99 - 1e-9 <= min(ratios) <= max(ratios) <= 1.01 + 1e-9
    )


def same_product(seen: Seen, observation: Observation) -> bool:
    """Check that runs with equal products of rate and rounds end at losses that are close."""
    ((_, members),) = seen.swept.items()
    runs = [run for _, run in members]
    # What the sentence calls a learning rate is plain descent with it.
    if any(
        r.config.optimizer.name == "sgd"
        and (r.config.optimizer.momentum or r.config.gradients != "cleared")
        for r in runs
    ):
        return False
    pairs = list(_equal_products(runs, seen.plan.budgets))
    close = [pair for pair in pairs if pair[0] <= 0.05]
    slow, quick = observation.facts["slow"], observation.facts["quick"]
    largest = max(pair[0] for pair in pairs)
    worst = (seen.run(slow.what), seen.run(quick.what), value(slow.detail), value(quick.detail))
    holds = (
        stated(observation, "total") == len(pairs)
        and stated(observation, "count") == len(close)
        and near(stated(observation, "difference"), largest)
        and any(pair[1:] == worst and near(pair[0], largest) for pair in pairs)
    )
    if observation.form == "":
        top = max(pair[2].config.optimizer.learning_rate for pair in close)
        said = seen.run(observation.facts["largest"]).config.optimizer.learning_rate
        holds = holds and said == top and 2 * len(close) > len(pairs)
    return holds and (observation.form == "none") == (not close)


def _equal_products(
    runs: Sequence[Run], budgets: Sequence[int]
) -> Iterator[tuple[float, Run, Run, int, int]]:
    """Yield pairs of a slow and a quick run with equal products of learning rate and rounds.

    Before each pair stands how far its losses are apart, after it the rounds of each.
    """
    for few, many in combinations(budgets, 2):
        for slow, quick in product(runs, runs):
            distance = slow.config.optimizer.learning_rate * many
            if not isclose(distance, quick.config.optimizer.learning_rate * few, rel_tol=1e-9):
                continue
            if not has_reached(slow, many) or not has_reached(quick, few):
                continue
            first, other = loss_at(slow, many), loss_at(quick, few)
            if first and other:
                yield abs(first - other) / first, slow, quick, many, few


CHECKS: dict[str, Check] = {
    "sweep-best": sweep_best,
    "same-value": same_value,
    "first-step": first_step,
    "leaders-along-axis": leaders_along_axis,
    "same-product": same_product,
    "edge-of-grid": edge_of_grid,
    "best-at-own-end": best_at_own_end,
}
"""Checks by the name of their rule."""
