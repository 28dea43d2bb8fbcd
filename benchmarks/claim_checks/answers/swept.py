"""Checks of what is said of sweeps: shape, best values, and variants at equal values."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import numpy as np
from pydantic import ValidationError

from claim_checks.answers.levels import (
    by_loss,
    is_ahead,
    is_not_ahead,
    value_of,
)
from claim_checks.losses import (
    came_most_of_the_way,
    has_reached,
    loss_at,
)
from claim_checks.reading import listed, near, stated
from claim_checks.seen import Check, Seen, changed_keys, other_starts, runs_at_points
from labreport.analysis.observation import Observation, UpTo
from labreport.lab.configuration import RunConfig
from labreport.runs.run import Run


def in_order(seen: Seen, name: str | None = None) -> list[tuple[float, Run]]:
    """Return the values of one variant's sweep with their runs, in order."""
    members = seen.swept[name] if name else next(iter(seen.swept.values()))
    return sorted(((float(t.point[0][1]), r) for t, r in members), key=lambda pair: pair[0])


def value(fact: Any) -> float:
    """Return the value that a point of the sweep has."""
    return float(fact.point[0][1])


def sweep_shape(seen: Seen, observation: Observation) -> bool:
    """Check where the lowest loss is, and whether losses rise on either side of it."""
    if len(seen.swept) != 1:
        return False
    budget, ordered = stated(observation, "budget"), in_order(seen)
    there = [(v, r) for v, r in ordered if has_reached(r, budget)]
    ended = [v for v, r in ordered if not has_reached(r, budget)]
    best = seen.run(observation.facts["best"])
    if loss_at(best, budget) > min(loss_at(r, budget) for _, r in there):
        return False
    at = value(observation.facts["best"])
    below, above = ([(v, r) for v, r in there if side(v)] for side in (at.__gt__, at.__lt__))
    turns = any(
        is_ahead(far, near_one, budget, True)
        for side in ([*below, (at, best)], [*reversed(above), (at, best)])
        for (_, far), (_, near_one) in pairwise(side)
    )
    if observation.form == "uneven":
        return turns or any(e < v for e in ended for v, _ in there)
    if turns or any(e < there[-1][0] for e in ended):
        return False
    worse = [is_ahead(best, there[k][1], budget, True) for k in (0, -1)]
    level = [is_not_ahead(best, there[k][1], budget, True) for k in (0, -1)]
    if observation.form == "level":
        ends = value(observation.facts["lowest"]), value(observation.facts["highest"])
        all_level = all(is_not_ahead(best, r, budget, True) for _, r in there)
        return all_level and not ended and ends == (ordered[0][0], ordered[-1][0])
    if observation.form in ("peak-level", "rising-ended-level"):
        low, high = (value(observation.facts[key]) for key in ("first", "last"))
        level = [v for v, r in there if not is_ahead(best, r, budget, True)]
        if level != [v for v, _ in there if low <= v <= high]:
            return False
    if observation.form == "rising-ended-level":
        return (worse[0] and bool(ended) and at == there[-1][0]) or level[-1] == there[-1][0]
    if observation.form in ("peak", "peak-level"):
        start = value(observation.facts["worse"])
        rest = [r for v, r in there if v >= start]
        higher = all(is_ahead(best, r, budget, True) for r in rest)
        return worse[0] and higher and start > at and bool(rest)
    if observation.form.endswith("-flat"):
        flat, up = value(observation.facts["flat"]), observation.form == "rising-flat"
        within = [r for v, r in there if (v >= flat if up else v <= flat)]
        beyond = [r for _, r in there if r not in within]
        return (
            len(within) > 1
            and bool(beyond)
            and not ended
            and all(is_not_ahead(best, r, budget, True) for r in within)
            and all(is_ahead(best, r, budget, True) for r in beyond)
        )
    if observation.form.endswith("-bound") and not _is_bound(best.config, seen):
        return False
    if observation.form.startswith("falling"):
        return worse[1] and level[0] and not ended
    return worse[0] and level[1] and bool(ended) == (observation.form == "rising-ended")


def _is_bound(config: RunConfig, seen: Seen) -> bool:
    """Check that a swept number is accepted, and none beyond it: below, or above, by a little."""
    ((key, _),) = seen.plan.axes
    value = float(config.flat()[key])
    if key == "data.batch_size" and value == len(config.data.inputs):
        return True
    step = 1 if isinstance(config.flat()[key], int) else 1e-6 * max(1.0, abs(value))
    return any(not _is_accepted(config, key, value + way * step) for way in (-1, 1))


def _is_accepted(config: RunConfig, key: str, value: float) -> bool:
    """Return whether the schema of a lab file takes a value of a key."""
    tables, leaf = key.split(".")[:-1], key.split(".")[-1]
    written = config.model_dump(mode="json")
    table = written
    for name in tables:
        table = table[name]
    table[leaf] = int(value) if isinstance(table[leaf], int) else value
    try:
        RunConfig.model_validate(written)
    except ValidationError:
        return False
    return True


def momentum_step(seen: Seen, observation: Observation) -> bool:
    """Check whether some larger learning rate without momentum comes as low as the best momentum.

    Without momentum is the member of the sweep that has none; the rates are those of its controls.
    """
    budget, best = stated(observation, "budget"), seen.run(observation.facts["best"])
    plain = next(r for _, r in in_order(seen) if not r.config.flat()["optimizer.momentum"])
    rates = {}
    for other in seen.controls.values():
        factor = other.config.optimizer.learning_rate / plain.config.optimizer.learning_rate
        if changed_keys(plain.config, other.config) == {"optimizer.learning_rate"} and factor > 1.5:
            rates[factor] = other
    there = {f: loss_at(r, budget) for f, r in sorted(rates.items()) if has_reached(r, budget)}
    odds = 1e-3 * abs(loss_at(plain, 0))
    mine = loss_at(best, budget)
    enough = [f for f, loss in there.items() if loss - mine <= odds]
    momentum = best.config.flat()["optimizer.momentum"]
    if not near(stated(observation, "times"), 1 / (1 - momentum), 1e-6):
        return False
    factor, value = stated(observation, "factor"), stated(observation, "value")
    if observation.form == "":
        return near(factor, enough[0], 1e-6) and near(value, there[enough[0]])
    return not enough and near(factor, max(there), 1e-6) and near(value, min(there.values()))


def sweep_values(seen: Seen, observation: Observation) -> bool:
    """Check the lowest and the highest loss of a sweep, and which value was best at first."""
    budget = stated(observation, "budget")
    there = [r for _, r in in_order(seen) if has_reached(r, budget)]
    losses = [loss_at(r, budget) for r in there]
    best, worst = (seen.run(observation.facts[name]) for name in ("best", "worst"))
    holds = (
        stated(observation, "value") == loss_at(best, budget) == min(losses)
        and stated(observation, "other_value") == loss_at(worst, budget) == max(losses)
        and stated(observation, "value") < stated(observation, "other_value")
    )
    if observation.form == "moves":
        first, early = stated(observation, "first"), seen.run(observation.facts["early"])
        least = min(loss_at(r, first) for _, r in in_order(seen) if has_reached(r, first))
        holds = holds and first < budget and loss_at(early, first) == least
        holds = holds and loss_at(best, first) > least
        holds = holds and (early not in there or is_ahead(best, early, budget, True))
    return holds


def best_point(seen: Seen, observation: Observation) -> bool:
    """Check which of several points has the lowest loss, and how many are level with it."""
    ((_, members),) = seen.swept.items()
    budget, best = stated(observation, "budget"), seen.run(observation.facts["best"])
    if not by_loss(run for _, run in members):
        return False
    there = [r for _, r in members if has_reached(r, budget)]
    others = [r for r in there if r is not best]
    surely = sum(not is_ahead(best, r, budget, True) for r in others)
    maybe = sum(is_not_ahead(best, r, budget, True) for r in others)
    level = stated(observation, "level")
    form = "level" if level == len(members) - 1 else "shared" if level else "one"
    return (
        stated(observation, "value") == loss_at(best, budget)
        and loss_at(best, budget) == min(loss_at(r, budget) for r in there)
        and stated(observation, "total") == len(members)
        and surely <= level <= maybe
        and form == observation.form
    )


def at_same_values(seen: Seen, observation: Observation) -> bool:
    """Check up to which of the equal values variants are lower than another one."""
    budget, other = stated(observation, "budget"), observation.facts["other"].variant
    losses = by_loss(r for members in seen.swept.values() for _, r in members)
    theirs = dict(in_order(seen, other))

    def ahead(name: str) -> dict[float, bool]:
        return {
            v: is_ahead(r, theirs[v], budget, losses)
            for v, r in in_order(seen, name)
            if v in theirs
        }

    if observation.form.startswith("ranges"):
        for told in listed(observation, "ranges"):
            assert isinstance(told, UpTo)
            last = value(told.end)
            found = ahead(told.end.variant)
            if any(is_lower != (v <= last) for v, is_lower in found.items()):
                return False
        told_mixed = listed(observation, "mixed") if "mixed" in observation.facts else ()
        mixed = [ahead(s.variant) for s in told_mixed]
        return bool(mixed) == (observation.form == "ranges-mixed") and all(
            len(set(found.values())) == 2 and list(found.values()) != sorted(found.values())[::-1]
            for found in mixed
        )
    names = [s.variant for s in listed(observation, observation.form)]
    wanted = observation.form == "everywhere"
    return all(is_lower == wanted for name in names for is_lower in ahead(name).values())


def at_same_values_starts(seen: Seen, observation: Observation) -> bool:
    """Check up to which values variants are lower than another from nine of ten other starts."""
    reference = dict(in_order(seen, observation.facts["other"].variant))
    losses = by_loss(r for members in seen.swept.values() for _, r in members)
    for key, at in (("early", "first"), ("ranges", "budget")):
        budget = stated(observation, at)
        ends = {f.end.variant: value(f.end) for f in listed(observation, key)}
        for name in seen.swept:
            if name == observation.facts["other"].variant:
                continue
            surely, maybe = _mostly_lower(in_order(seen, name), reference, seen, budget, losses)
            if not surely <= ends.get(name, 0.0) <= maybe:
                return False
    return stated(observation, "share") == 0.9 and stated(observation, "count") >= 10


def _mostly_lower(
    members: list[tuple[float, Run]],
    reference: dict[float, Run],
    seen: Seen,
    budget: int,
    losses: bool,
) -> tuple[float, float]:
    """Return up to which value they surely are lower from nine in ten starts, and may be."""
    ends = [0.0, 0.0]
    going = [True, True]
    for value, run in members:
        if value not in reference:
            continue
        mine, theirs = other_starts(seen, run), other_starts(seen, reference[value])
        seeds = sorted({*mine} & {*theirs})
        if len(seeds) < 10:
            break
        pairs = [(mine[seed], theirs[seed]) for seed in seeds]
        lower = (
            sum(not is_not_ahead(*pair, budget, losses) for pair in pairs),
            sum(is_ahead(*pair, budget, losses) for pair in pairs),
        )
        for k in (0, 1):
            going[k] = going[k] and lower[k] >= 0.9 * len(seeds)
            ends[k] = value if going[k] else ends[k]
    return ends[0], ends[1]


def steps_too_large(seen: Seen, observation: Observation) -> bool:
    """Check that outputs of these runs are flat, and they behind, and that these losses rise."""
    budget = stated(observation, "budget")
    first = dict(in_order(seen, next(iter(seen.swept))))
    losses = by_loss(r for members in seen.swept.values() for _, r in members)
    flat = runs_at_points(seen, observation.facts.get("saturated", ()))
    slopes = []
    for run in flat:
        outputs = run.trace.outputs_at(budget).astype(float)
        slopes.append(float((outputs - outputs**2).max()))
        rate = run.config.optimizer.learning_rate
        behind = is_ahead(first[rate], run, budget, losses)
        if not behind or run.config.network.activations[-1] != "sigmoid" or slopes[-1] > 0.0025:
            return False
    swinging = runs_at_points(seen, observation.facts.get("swinging", ()))
    rises = [int((np.diff(r.losses[: budget + 1].astype(float)) > 0).sum()) for r in swinging]
    surely = all(count >= 0.1 * budget for count in rises)
    return (
        surely
        and (not flat or near(stated(observation, "slope"), max(slopes), 1e-2))
        and (not rises or stated(observation, "share") * budget <= min(rises))
        and observation.form
        == ("both" if flat and swinging else "" if flat else "swings" if swinging else None)
    )


def each_at_its_best(seen: Seen, observation: Observation) -> bool:
    """Check what is left between variants of which each has its own best value."""
    budget = stated(observation, "budget")
    losses = by_loss(r for members in seen.swept.values() for _, r in members)
    best: dict[str, Run] = {}
    for name, members in seen.swept.items():
        there = [r for _, r in members if value_of(r, budget, losses) is not None]
        if not there:
            return False
        best[name] = min(there, key=lambda r: value_of(r, budget, losses) or 0.0)
    first = min(best.values(), key=lambda r: value_of(r, budget, losses) or 0.0)
    named = [s.variant for s in listed(observation, "subjects")]
    others = [s.variant for s in listed(observation, "others")]
    values = sorted(value_of(r, budget, losses) or 0.0 for r in best.values())
    exact = 1e-6 if losses else 1e-3
    form = "level" if not others else "ahead" if len(named) == 1 else "some"
    points: dict[object, list[Run]] = {}
    for members in seen.swept.values():
        for trial, run in members:
            points.setdefault(trial.point, []).append(run)
    pairs = [pair for there in points.values() for pair in permutations(there, 2)]
    ended = any(value_of(r, budget, losses) is None for pair in pairs for r in pair)
    if form == "level" and not ended and not any(is_ahead(*p, budget, losses) for p in pairs):
        form = "alike"
    return (
        sorted([*named, *others]) == sorted(seen.swept)
        and all(is_not_ahead(first, best[n], budget, losses) for n in named)
        and all(is_ahead(first, best[n], budget, losses) for n in others)
        and near(stated(observation, "value"), values[0], exact)
        and near(stated(observation, "other_value"), values[-1], exact)
        and form == observation.form
    )


def usable_values(seen: Seen, observation: Observation) -> bool:
    """Check at how many values each variant comes most of the way to its floor."""
    budget = stated(observation, "budget")
    counts = {
        name: sum(came_most_of_the_way(r, budget) for _, r in members)
        for name, members in seen.swept.items()
    }
    most, least = max(counts.values()), min(counts.values())
    points = [sorted(t.point[0][1] for t, _ in members) for members in seen.swept.values()]
    return (
        all(p == points[0] for p in points)
        and stated(observation, "points") == len(points[0])
        and (stated(observation, "count"), stated(observation, "fewest")) == (most, least)
        and {s.variant for s in listed(observation, "subjects")}
        == {name for name, count in counts.items() if count == most}
        and {s.variant for s in listed(observation, "others")}
        == {name for name, count in counts.items() if count == least}
    )


CHECKS: dict[str, Check] = {
    "sweep-shape": sweep_shape,
    "momentum-step": momentum_step,
    "sweep-values": sweep_values,
    "best-point": best_point,
    "at-same-values": at_same_values,
    "usable-values": usable_values,
    "at-same-values-starts": at_same_values_starts,
    "steps-too-large": steps_too_large,
    "each-at-its-best": each_at_its_best,
}
"""Checks by the name of their rule."""
