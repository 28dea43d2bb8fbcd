"""Checks of rules on how far and how steadily the loss falls."""

from __future__ import annotations

from math import inf

import numpy as np

from claim_checks.losses import (
    above_floor,
    floor_of,
    floor_tolerance,
    has_reached,
    identity_of,
    loss_at,
    rounding_beside,
    rounding_of_updates,
    same_measure,
)
from claim_checks.reading import RELATIVE, listed, stated, value
from claim_checks.seen import Check, Seen, changed_keys
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


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


def still_falling(seen: Seen, observation: Observation) -> bool:
    """Check by how much the losses still fall in the last tenth of the rounds."""
    budget = stated(observation, "budget")
    if observation.form == "many":
        return still_falling_of_many(seen, observation)
    told = listed(observation, "subjects")
    for subject in told:
        run = seen.run(subject)
        known = np.flatnonzero(np.isfinite(run.losses[: budget + 1]))
        start = int(known[known <= budget - budget // 10][-1])
        if observation.form == "loss" or floor_of(run.config) is None:
            before, after = loss_at(run, start), loss_at(run, budget)
        else:
            before, after = above_floor(run, start), above_floor(run, budget)
        fell = loss_at(run, start) - loss_at(run, budget)
        off = 2 * floor_tolerance(run) / before if observation.form != "loss" else 0.0
        if (before - after) / before <= 0.05 - RELATIVE - off or _goes_on(seen, run):
            return False
        if fell <= 0 or not keeps_falling(run, start, budget):
            return False
    count = stated(observation, "count")
    return bool(count == len(told))


def _goes_on(seen: Seen, run: Run) -> bool:
    """Return whether the experiment has the same run with more rounds, which shows its end."""
    return any(
        changed_keys(run.config, config) == {"rounds"}
        for control in seen.plan.controls
        if control.kind == "longer"
        for config in control.configurations
    )


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
    alone = [run for run in runs if not _goes_on(seen, run)]
    falls = [
        (fall[0], fall[1], fall[2] and nearness > 0)
        for run in alone
        if (nearness := _distance_from_near(run, budget)) >= 0
        and (fall := _fall_of(run, budget)) is not None
    ]
    count = stated(observation, "count")
    most = value(observation.facts["most"].detail)
    surely = sum(min(each) - off > 0.05 * (1 + 1e-3) for each, off, is_clear in falls if is_clear)
    maybe = sum(max(each) + off > 0.05 * (1 - 1e-3) for each, off, _ in falls)
    return (
        stated(observation, "total") == len(runs)
        and surely <= count <= maybe
        and any(abs(most - share) <= 1e-6 + off for each, off, _ in falls for share in each)
    )


def _distance_from_near(run: Run, budget: int) -> int:
    """Return −1 for a run that has surely come most of the way to its floor, 1 if it has not.

    0 where rounding decides.
    """
    if floor_of(run.config) is None or not has_reached(run, budget):
        return 1
    left, room = above_floor(run, budget) - 0.1 * above_floor(run, 0), 2 * floor_tolerance(run)
    return -1 if left < -room else 1 if left > room else 0


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
    """Check after how many updates each run is as low as the level told, and stays so."""
    rounds, level = stated(observation, "rounds"), stated(observation, "level")
    reference = seen.run(observation.facts["reference"])
    low = floor_of(reference.config)
    if low is None:
        return False
    wanted = low + 0.1 * above_floor(reference, 0)
    if abs(level - wanted) > floor_tolerance(reference) + 1e-12 * abs(wanted):
        return False
    arrived: dict[str, int] = {}
    again = set()
    for name, run in seen.singles.items():
        above = run.losses[: rounds + 1].astype(float) > level
        there = len(above) == rounds + 1 and not above[-1]
        # Who begins there has no way to go.
        if same_measure((run, reference)) and run.config.data.sees_all_rows and there and above[0]:
            step = int(np.flatnonzero(above)[-1]) + 1
            if step > 2 * next(k for k, high in enumerate(above) if not high):
                again.add(name)
            else:
                arrived[name] = step
    if {one.variant for one in observation.facts.get("again", ())} != again:
        return False
    ends = {min(arrived.values()), max(arrived.values())}
    told = {
        observation.facts[who].variant: stated(observation, steps)
        for who, steps in (("first", "quick"), ("last", "slow"))
    }
    if any(arrived.get(name) != step for name, step in told.items()) or set(told.values()) != ends:
        return False
    never = seen.runs(observation.facts["never"])
    unlike = {identity_of(seen.singles[name]) for name in arrived}
    form = "only" if len(unlike) == 1 else "some" if never else "all"
    if again:
        form = "both" if never else "again"
    if form != observation.form:
        return False
    return all(
        not has_reached(r, rounds) or loss_at(r, rounds) > level
        for r in seen.runs(observation.facts["never"])
    )


def speed_over_starts(seen: Seen, observation: Observation) -> bool:
    """Check after how many updates runs from the same starts have come most of the way."""
    budget = stated(observation, "budget")

    def needed(run: Run) -> int:
        gaps = np.maximum(run.losses[: budget + 1].astype(float) - (floor_of(run.config) or 0), 0)
        there = gaps <= 0.1 * gaps[0] + floor_tolerance(run)
        return int(there.argmax()) if there.any() else budget + 1

    medians = {
        name: float(np.median([needed(run) for _, run in members[: stated(observation, "count")]]))
        for name, members in seen.variants.items()
        if name not in seen.singles
    }
    first, last = (observation.facts[key].variant for key in ("first", "last"))  # type: ignore[union-attr]
    # Where a loss lands on the level itself, the floor's own rounding decides the step.
    ways = [
        float(np.median([above_floor(run, 0) for _, run in members]))
        for name, members in seen.variants.items()
        if name not in seen.singles
    ]
    if max(ways) > 2.001 * min(ways):
        return False
    quick = abs(medians[first] - stated(observation, "quick")) <= 1
    if observation.form == "never":
        return quick and medians[last] > budget - 1
    ends = (
        medians[first] <= min(medians.values()) + 1 and medians[last] >= max(medians.values()) - 1
    )
    return quick and ends and abs(medians[last] - stated(observation, "slow")) <= 1


CHECKS: dict[str, Check] = {
    "threshold": threshold,
    "speed-over-starts": speed_over_starts,
    "plateau": plateau,
    "still-falling": still_falling,
}
"""Checks by the name of their rule."""
