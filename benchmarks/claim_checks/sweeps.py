"""Checks of rules on sweeps and on their best points."""

from __future__ import annotations

import numpy as np

from claim_checks.losses import has_reached, loss_at, lowest_runs
from claim_checks.reading import listed, near, stated, subjects_of, value
from claim_checks.seen import Check, Seen, changed_keys
from labreport.analysis.observation import Observation


def edge_of_grid(seen: Seen, observation: Observation) -> bool:
    """Check that the best value of a sweep is the first or the last that was tried."""
    if observation.form == "elsewhere":
        return _is_lower_elsewhere(seen, observation)
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


def _is_lower_elsewhere(seen: Seen, observation: Observation) -> bool:
    """Check that runs at values beyond the best of a sweep are lower, and that one the lowest."""
    names = [subject.variant for subject in subjects_of(observation.facts["subject"])]
    return all(_is_lower_beyond(seen, name, observation) for name in names)


def _is_lower_beyond(seen: Seen, name: str, observation: Observation) -> bool:
    budget = stated(observation, "budget")
    ((key, edge),) = observation.facts["best"].point
    ((_, farther),) = observation.facts["farther"].point
    members = {dict(t.point)[key]: r for t, r in seen.swept[name] if has_reached(r, budget)}
    tried = [dict(t.point)[key] for t, _ in seen.swept[name]]
    best, sign = members[edge], 1 if edge == max(tried) else -1
    beyond = {
        run.config.flat()[key]: loss_at(run, budget)
        for run in seen.controls.values()
        if changed_keys(best.config, run.config) <= {key, "rounds"}
        and sign * run.config.flat()[key] > sign * edge
        and has_reached(run, budget)
        and run.config.rounds >= budget
        # With mini-batches the loss over all rows is known at some steps alone.
        and not np.isnan(loss_at(run, budget))
    }
    return (
        edge in (min(tried), max(tried))
        and loss_at(best, budget) == min(loss_at(r, budget) for r in members.values())
        and beyond[farther] < loss_at(best, budget)
    )


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
    """Check that the first update is one multiple of the learning rate, whatever the gradient."""
    factors = {"": (1.0,), "scaled": (0.0,), "both": (1.0, 0.0)}[observation.form]
    for key, factor in zip(("subject", "other"), factors, strict=False):
        ratios: list[float] = []
        runs = [
            run for s in subjects_of(observation.facts[key]) for _, run in seen.variants[s.variant]
        ]
        for run in runs:
            moving = run.trace.gradients[0] != 0
            slopes = np.abs(run.trace.gradients[0][moving].astype(float))
            if slopes.max() < 2 * slopes.min() * (1 - 1e-9):
                return False
            moved = np.abs(run.trace.weights[1].astype(float) - run.trace.weights[0].astype(float))
            ratios += (moved[moving] / run.config.optimizer.learning_rate).tolist()
        middle = factor or stated(observation, "factor")
        # Of the rounded multiple a hundredth is allowed, and by its rounding there is another.
        room = 0.01 if factor else 0.06
        if not (1 - room) * middle - 1e-9 <= min(ratios) <= max(ratios) <= (1 + room) * middle:
            return False
    return True


CHECKS: dict[str, Check] = {
    "first-step": first_step,
    "edge-of-grid": edge_of_grid,
    "best-at-own-end": best_at_own_end,
}
"""Checks by the name of their rule."""
