"""Checks of rules on how far and how steadily the loss falls."""

from __future__ import annotations

from math import inf

import numpy as np

from claim_checks.losses import (
    above_floor,
    came_most_of_the_way,
    floor_of,
    floor_tolerance,
    gradient_norms,
    has_reached,
    loss_at,
    rounding_beside,
    rounding_of_updates,
    same_measure,
)
from claim_checks.reading import RELATIVE, listed, near, stated, value
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Observation, Subject, With
from labreport.runs.run import Run


def monotone(seen: Seen, observation: Observation) -> bool:
    """Check that the losses of these runs never rise."""
    runs = seen.runs(observation.facts["subjects"])
    rounds = stated(observation, "rounds")
    holds = all(bool((np.diff(r.losses) <= 0).all()) for r in runs)
    holds = holds and rounds == min(r.trace.rounds for r in runs)
    if observation.form == "all":
        # For any variant: also for those that are more than a run, or that ended at once.
        holds = holds and all(
            len(run.losses) > rounds and bool((np.diff(run.losses[: rounds + 1]) <= 0).all())
            for _, run in seen.pairs
        )
    return holds


def plateau(seen: Seen, observation: Observation) -> bool:
    """Check that the loss hardly falls on a long stretch, and falls after it."""
    budget = stated(observation, "budget")
    first, last = stated(observation, "first") - 1, stated(observation, "last") - 1
    for run in seen.runs(observation.facts["subject"]):
        losses = run.losses[: budget + 1].astype(float)
        whole, flat = np.ptp(losses), losses[first : last + 1]
        after = losses[last:].min()
        holds = (
            np.ptp(flat) < 0.01 * whole
            and (stated(observation, "before"), stated(observation, "after")) == (flat[0], flat[-1])
            and stated(observation, "lowest") == after
            and last - first >= budget / 3
            and flat[-1] - after >= 0.1 * whole * (1 - RELATIVE)
        )
        if not holds:
            return False
    return True


def float_limit(seen: Seen, observation: Observation) -> bool:
    """Check that no weight moves any more after so many updates."""
    budget, still = stated(observation, "budget"), stated(observation, "updates")
    for run in seen.runs(observation.facts["subject"]):
        weights, gradients = run.trace.weights[: budget + 1], run.trace.gradients[: budget + 1]
        moved = weights[still - 1] != weights[still]
        noise = rounding_beside(run, loss_at(run, budget))
        holds = (
            bool((weights[still:] == weights[still]).all())
            and bool(moved.any())
            and near(stated(observation, "share"), (budget - still) / budget)
            and (budget - still) / budget >= 0.1
            and stated(observation, "loss") == loss_at(run, budget)
            and stated(observation, "type") == run.config.dtype
            # All rows in another order are the same sum but for rounding.
            and np.ptp(run.losses[still : budget + 1].astype(float)) <= 2 * noise
        )
        if observation.form == "no-gradient":
            holds = holds and not gradients[still:].any()
        else:
            holds = holds and near(stated(observation, "norm"), gradient_norms(run)[budget])
            holds = holds and stated(observation, "norm") > 0 and _too_small(run, still)
        if not holds:
            return False
    return True


def _too_small(run: Run, step: int) -> bool:
    """Check that an update at that step is lost in rounding; plain descent alone is looked at."""
    optimizer = run.config.optimizer
    plain = optimizer.name == "sgd" and not optimizer.momentum and not optimizer.weight_decay
    if not plain or run.config.gradients != "cleared" or run.config.data.batch_size is not None:
        return True
    gradient = run.trace.gradients[step].astype(float) * optimizer.learning_rate
    spacing = np.spacing(np.abs(run.trace.weights[step])).astype(float)
    return bool((np.abs(gradient) <= spacing).all())


def still_falling(seen: Seen, observation: Observation) -> bool:
    """Check by how much the losses still fall in the last tenth of the rounds."""
    budget = stated(observation, "budget")
    if observation.form == "many":
        return still_falling_of_many(seen, observation)
    told = [w for w in listed(observation, "falls") if isinstance(w, With)]
    for fall in told:
        run = seen.run(fall.what)
        known = np.flatnonzero(np.isfinite(run.losses[: budget + 1]))
        start = int(known[known <= budget - budget // 10][-1])
        if observation.form == "loss" or floor_of(run.config) is None:
            before, after = loss_at(run, start), loss_at(run, budget)
        else:
            before, after = above_floor(run, start), above_floor(run, budget)
        fell = loss_at(run, start) - loss_at(run, budget)
        off = 2 * floor_tolerance(run) / before if observation.form != "loss" else 0.0
        if abs(value(fall.detail) - (before - after) / before) > RELATIVE + off:
            return False
        if fell <= 0 or not keeps_falling(run, start, budget):
            return False
    count = stated(observation, "count")
    return bool(count == len(told))


def keeps_falling(run: Run, start: int, step: int) -> bool:
    """Check that no known loss of a stretch is above the one before by more than rounding."""
    part = run.losses[start : step + 1].astype(float)
    part = part[np.isfinite(part)]
    return bool((np.diff(part) <= rounding_of_updates(run, part)).all())


def still_falling_of_many(seen: Seen, observation: Observation) -> bool:
    """Check how many of all runs still fall.

    Where a floor is tried out of which the rule knows nothing, either share will do.
    """
    budget = stated(observation, "budget")
    runs = [run for trial, run in seen.pairs if trial.variant not in seen.singles]
    falls = [fall for run in runs if (fall := _fall_of(run, budget)) is not None]
    count = stated(observation, "count")
    most = value(observation.facts["most"].detail)
    surely = sum(min(each) - off > 0.05 * (1 + 1e-3) for each, off, is_clear in falls if is_clear)
    maybe = sum(max(each) + off > 0.05 * (1 - 1e-3) for each, off, _ in falls)
    return (
        stated(observation, "total") == len(runs)
        and surely <= count <= maybe
        and any(abs(most - share) <= 1e-6 + off for each, off, _ in falls for share in each)
    )


def _fall_of(run: Run, budget: int) -> tuple[list[float], float, bool] | None:
    """Return by what shares a loss still falls; None where it does not.

    With them, how far they may be off, and whether they must be told of.
    """
    known = np.flatnonzero(np.isfinite(run.losses[: budget + 1]))
    if not has_reached(run, budget) or budget < 10:
        return None
    start = int(known[known <= budget - budget // 10][-1])
    if (known >= start).sum() < 3 and not run.config.data.sees_all_rows:
        # Two losses over all rows show no course.
        return None
    before, after = loss_at(run, start), loss_at(run, budget)
    if before - after <= rounding_beside(run, before):
        return None
    pairs = [(before, after)]
    if floor_of(run.config) is not None:
        pairs.append((above_floor(run, start), above_floor(run, budget)))
    if not keeps_falling(run, start, budget):
        return None
    shares = [(one - other) / one if one > 0 else 0.0 for one, other in pairs]
    # What a floor found by trial may make of them, close to it.
    has_floor, (high, low) = len(pairs) > 1, pairs[-1]
    off = 2 * floor_tolerance(run) / high if has_floor and 0 < high < inf else 0.0
    # Where another such fall would be rounding, nothing needs to be said.
    return shares, off, not has_floor or 0.05 * low > 1.01 * floor_tolerance(run)


def threshold(seen: Seen, observation: Observation) -> bool:
    """Check after how many updates each run is first as low as the level told."""
    rounds, level = stated(observation, "rounds"), stated(observation, "level")
    reference = seen.run(observation.facts["reference"])
    low = floor_of(reference.config)
    if low is None:
        return False
    wanted = low + 0.1 * above_floor(reference, 0)
    if abs(level - wanted) > floor_tolerance(reference) + 1e-12 * abs(wanted):
        return False
    for told in listed(observation, "arrived"):
        run, step = seen.run(told.what), value(told.detail)
        early = run.losses[:step].astype(float)
        if loss_at(run, step) > level or (early <= level).any() or step > rounds:
            return False
        if not same_measure((run, reference)):
            return False
    return all(
        not (r.losses[: rounds + 1].astype(float) <= level).any()
        for r in seen.runs(observation.facts["never"])
    )


def tolerance(seen: Seen, observation: Observation) -> bool:
    """Check how many points of a sweep come most of the way to the floor."""
    for told in listed(observation, "shares"):
        what, said = told.what, told.detail
        name = what.variant if isinstance(what, Subject) else next(iter(seen.swept))
        budget = stated(observation, "budget") if isinstance(what, Subject) else value(what)
        members = [run for _, run in seen.swept[name]]
        mine = sum(came_most_of_the_way(run, budget) for run in members)
        doubtful = sum(
            has_reached(run, budget)
            and (low := floor_of(run.config)) is not None
            and np.isfinite(low)
            and abs(above_floor(run, budget) - 0.1 * above_floor(run, 0))
            <= 2 * floor_tolerance(run)
            for run in members
        )
        if said.total != len(members) or abs(said.value - mine) > doubtful:
            return False
    return True


CHECKS: dict[str, Check] = {
    "threshold": threshold,
    "tolerance": tolerance,
    "monotone": monotone,
    "plateau": plateau,
    "float-limit": float_limit,
    "still-falling": still_falling,
}
"""Checks by the name of their rule."""
