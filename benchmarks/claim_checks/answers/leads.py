"""Checks of who is ahead: at the end, at every number of rounds, later, and from other starts."""

from __future__ import annotations

from collections.abc import Sequence

from claim_checks.answers.levels import (
    Field,
    best_from_each_start,
    best_of,
    by_loss,
    is_ahead,
    lead,
    rivals,
    same_rows,
    value_of,
)
from claim_checks.losses import (
    above_floor,
    came_most_of_the_way,
    floor_of,
    floor_tolerance,
    has_reached,
    identity_of,
    quantity_of,
)
from claim_checks.reading import coin_toss_probability, near, stated
from claim_checks.seen import Check, Seen, continued, other_starts, roundings
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def _fields(seen: Seen, named: Run) -> dict[int, Field]:
    """Return the runs that are compared with one that is named, at each number of rounds."""
    runs = rivals(seen, named, seen.plan.budgets[-1])
    losses = by_loss(runs.values())
    return {budget: Field(runs, budget, losses) for budget in seen.plan.budgets}


def who_leads(seen: Seen, observation: Observation) -> bool:
    """Check who leads at the number of rounds that is told, or at each."""
    named = seen.runs(observation.facts["subjects"])
    fields = _fields(seen, named[0])
    last = fields[stated(observation, "budget")]
    if len({identity_of(r) for r in last.runs.values()}) != stated(observation, "count"):
        return False
    if observation.form == "level":
        return last.is_level() and last.are_first(named)
    if observation.form in ("one", "throughout"):
        # Those that it is compared with are all the others.
        rivals = {identity_of(r) for r in seen.runs(observation.facts["others"])}
        everyone = {identity_of(r) for r in last.runs.values()}
        if rivals != everyone - {identity_of(r) for r in named}:
            return False
    if observation.form == "one":
        return last.are_first(named) and last.has_behind()
    if observation.form in ("throughout", "shared"):
        shared = seen.runs(observation.facts["level"])
        return bool(shared) == (observation.form == "shared") and all(
            f.nobody_ahead([*named, *(shared if f is last else ())]) and f.has_behind()
            for f in fields.values()
        )
    early = fields[stated(observation, "first")]
    led = seen.runs(observation.facts["early"])
    changes = early.are_first(led) and early.has_behind() and early.budget < last.budget
    if observation.form == "evens":
        return changes and last.is_level() and last.are_first(named)
    return changes and last.are_first(named) and {r.name for r in led} != {r.name for r in named}


def end_values(seen: Seen, observation: Observation) -> bool:
    """Check what two variants have come to."""
    one, other = seen.run(observation.facts["subject"]), seen.run(observation.facts["other"])
    budget, losses = stated(observation, "budget"), observation.form == ""
    told = stated(observation, "value"), stated(observation, "other_value")
    found = value_of(one, budget, losses), value_of(other, budget, losses)
    if losses and quantity_of(one.config) != quantity_of(other.config):
        return False
    exact = 1e-6 if losses else 1e-3
    return told[0] < told[1] and all(
        (f is not None and near(t, f, exact))
        or (not losses and f is not None and abs(t - f) < 1e-9)
        for t, f in zip(told, found, strict=True)
    )


def over_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many other starts one of two is ahead of the other."""
    budget, count = stated(observation, "budget"), stated(observation, "count")
    if observation.rule == "tuned-over-starts":
        losses = by_loss(run for members in seen.swept.values() for _, run in members)
        names = [observation.facts[key].variant for key in ("subject", "other")]  # type: ignore[union-attr]
        one, other = (best_of([r for _, r in seen.swept[n]], budget, losses) for n in names)
        mine, theirs = (best_from_each_start(seen, n, budget, losses) for n in names)
    else:
        one, other = (seen.run(observation.facts[key]) for key in ("subject", "other"))
        mine, theirs = other_starts(seen, one), other_starts(seen, other)
        losses = by_loss(_all(seen, one))
    seeds = [seed for seed in mine if seed in theirs][:count]
    if len(seeds) < count or count < 10:
        return False
    leads = [lead(mine[seed], theirs[seed], budget, losses) for seed in seeds]
    if any(found is None for found in leads):
        return False
    there = [found for found in leads if found is not None]
    lower, higher = stated(observation, "lower"), stated(observation, "higher")
    counted = _counts(lower, there) and _counts(higher, [-found for found in there])
    counted = counted and stated(observation, "even") == count - lower - higher
    most = 0.9 * count - 1e-9
    level = lower + higher <= count - most
    form = (
        "all"
        if lower == count
        else "mostly"
        if lower >= most
        else "reversed"
        if higher >= most
        else "level"
        if level
        else "depends"
        if coin_toss_probability(lower, higher) > 0.05
        else "more"
        if lower > higher
        else "fewer"
    )
    here = is_ahead(one, other, budget, losses)
    if not here and observation.rule == "tuned-over-starts":
        # Level from this start: that they are not so from others is due to the start.
        form = {"level": "still-level", "depends": "depends"}.get(form, "not-level")
    elif not here:
        return False
    return counted and form == observation.form


def _all(seen: Seen, named: Run) -> list[Run]:
    return list(rivals(seen, named, seen.plan.budgets[-1]).values())


def _counts(told: int, leads: Sequence[float]) -> bool:
    """Check a number of leads, where some may be just a thousandth."""
    return sum(x > 1 + 1e-3 for x in leads) <= told <= sum(x > 1 - 1e-3 for x in leads)


def leads_longer(seen: Seen, observation: Observation) -> bool:
    """Check who is ahead when all that are compared train on."""
    before = seen.runs(observation.facts["before"])
    budget, rounds = stated(observation, "budget"), stated(observation, "rounds")
    now = _fields(seen, before[0])[budget]
    longer = {name: continued(seen, run, rounds) for name, run in now.runs.items()}
    there = {name: run for name, run in longer.items() if run is not None}
    unlike = {identity_of(now.runs[name]) for name in there}
    if unlike != {identity_of(r) for r in now.runs.values()}:
        return False
    ends = {(identity_of(now.runs[name]), float(run.losses[-1])) for name, run in there.items()}
    if len(ends) > len(unlike):
        return False
    # Of runs that are the same only the first is told: their continuations may be recorded unlike.
    told = {s.variant for s in observation.facts["subjects"]}  # type: ignore[union-attr]
    first: dict[object, str] = {}
    for name in sorted(there, key=lambda name: name not in told):
        first.setdefault(identity_of(now.runs[name]), name)
    later = Field({name: there[name] for name in first.values()}, rounds, now.losses)
    named = [there[s.variant] for s in observation.facts["subjects"]]  # type: ignore[union-attr]
    if not now.are_first(before) or not now.has_behind():
        return False
    if observation.form == "level":
        return later.is_level() and later.are_first(named)
    if not later.has_behind():
        return False
    if observation.form == "":
        still = {s.variant for s in observation.facts["subjects"]}  # type: ignore[union-attr]
        led = {s.variant for s in observation.facts["before"]}  # type: ignore[union-attr]
        return later.nobody_ahead(named) and still <= led
    if observation.form == "joined":
        now_first = {s.variant for s in observation.facts["subjects"]}  # type: ignore[union-attr]
        led = {s.variant for s in observation.facts["before"]}  # type: ignore[union-attr]
        return later.are_first(named) and bool(now_first & led) and not now_first <= led
    return later.are_first(named) and not any(
        later.nobody_ahead([there[n]]) and _sure(later, there[n])
        for n in (s.variant for s in observation.facts["before"])  # type: ignore[union-attr]
        if n in there
    )


def rounding_decides(seen: Seen, observation: Observation) -> bool:
    """Check that others are ahead of the same runs in one of the other roundings."""
    before = seen.runs(observation.facts["before"])
    budget = stated(observation, "budget")
    now = _fields(seen, before[0])[budget]
    names = [s.variant for s in observation.facts["subjects"]]  # type: ignore[union-attr]
    led = [s.variant for s in observation.facts["before"]]  # type: ignore[union-attr]
    if not now.are_first(before):
        return False
    for copies in zip(*(roundings(seen, run) for run in now.runs.values()), strict=False):
        field = Field(dict(zip(now.runs, copies, strict=True)), budget, now.losses)
        if not all(has_reached(run, budget) for run in copies):
            continue
        lost = any(is_ahead(field.lowest, field.runs[n], budget, now.losses) for n in led)
        if lost and field.are_first([field.runs[name] for name in names]):
            return True
    return False


def _sure(field: Field, run: Run) -> bool:
    found = lead(field.lowest, run, field.budget, field.losses)
    return found is not None and found < 1 - 1e-3


def reaches_from_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many starts a variant does not come near its floor, and that others do."""
    budget, count = stated(observation, "budget"), stated(observation, "count")

    def closed(run: Run) -> tuple[int, int, int]:
        starts = list(other_starts(seen, run).values())[:count]
        there = [s for s in starts if has_reached(s, budget)]
        doubtful = [
            s
            for s in there
            if floor_of(s.config) is not None
            and abs(above_floor(s, budget) - 0.1 * above_floor(s, 0)) <= 2 * floor_tolerance(s)
        ]
        return sum(came_most_of_the_way(s, budget) for s in starts), len(doubtful), len(starts)

    arrived, doubtful, starts = closed(seen.run(observation.facts["subject"]))
    if starts != count or abs(count - arrived - stated(observation, "failed")) > doubtful:
        return False
    # At least one in ten, where it is "often" one of two, and all where it is "always".
    failed = stated(observation, "failed")
    if failed < 0.1 * count or (observation.form == "") != (2 * failed < count):
        return False
    if (observation.form == "always") != (failed == count):
        return False
    for safe in seen.runs(observation.facts["safe"]):
        arrived, doubtful, starts = closed(safe)
        if not starts or arrived + doubtful < starts:
            return False
    return True


def nearer_to_targets(seen: Seen, observation: Observation) -> bool:
    """Check which of two losses comes nearer to the same targets, and in how many comparisons."""
    budget = stated(observation, "budget")
    pair = seen.run(observation.facts["subject"]), seen.run(observation.facts["other"])
    wanted = (quantity_of(pair[0].config), quantity_of(pair[1].config))
    named = (pair[0].config.loss, pair[1].config.loss)
    if named != (stated(observation, "loss"), stated(observation, "other_loss")):
        return False
    pairs: dict[object, tuple[Run, Run]] = {}
    for variant in seen.plan.variants:
        against = seen.plan.against(variant)
        if variant.name not in seen.singles or against is None or against.name not in seen.singles:
            continue
        run, other = seen.singles[variant.name], seen.singles[against.name]
        kinds = (quantity_of(run.config), quantity_of(other.config))
        values = [value_of(r, budget, False) for r in (run, other)]
        if kinds == wanted and same_rows(run.config, other.config) and None not in values:
            pairs.setdefault((identity_of(run), identity_of(other)), (run, other))
    found = list(pairs.values())
    lower = [is_ahead(run, other, budget, False) for run, other in found]
    higher = [is_ahead(other, run, budget, False) for run, other in found]
    if stated(observation, "count") != len(found) or stated(observation, "lower") != sum(lower):
        return False
    last = seen.plan.budgets[-1]
    if observation.form == "all" and any(is_ahead(o, r, last, False) for r, o in found):
        return False
    for run, name in zip(pair, ("value", "other_value"), strict=True):
        error = value_of(run, budget, False)
        if error is None or abs(stated(observation, name) - error) > 1e-3 * error + 1e-9:
            return False
    level = not any(lower) and not any(higher)
    form = "all" if all(lower) else "none" if all(higher) else "level" if level else "some"
    return form == observation.form


CHECKS: dict[str, Check] = {
    "who-leads": who_leads,
    "end-values": end_values,
    "holds-over-starts": over_starts,
    "tuned-over-starts": over_starts,
    "leads-longer": leads_longer,
    "rounding-decides": rounding_decides,
    "reaches-from-starts": reaches_from_starts,
    "nearer-to-targets": nearer_to_targets,
}
"""Checks by the name of their rule."""
