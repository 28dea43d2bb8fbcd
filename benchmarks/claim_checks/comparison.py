"""Checks of rules that compare variants."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

import numpy as np
import stock

from claim_checks.losses import (
    above_floor,
    floor_tolerance,
    has_reached,
    identity_of,
    loss_at,
    quantity_of,
    same_measure,
    squared_error,
)
from claim_checks.reading import RELATIVE, as_tuple, first_variant, listed, near, stated, value
from claim_checks.seen import Check, Seen, changed_keys, other_starts, runs_at_points
from labreport.analysis.observation import Observation
from labreport.lab.configuration import RunConfig
from labreport.runs.run import Run


def equal_start(seen: Seen, observation: Observation) -> bool:
    """Check how much of a lead is gone from a loss at which both variants start."""
    high = seen.run(observation.facts["other"])
    if not observation.form.endswith("-many"):
        return all(
            _equal_start(seen, observation, low, high)
            for low in seen.runs(observation.facts["subject"])
        )
    budgets = [value(r) for r in listed(observation, "budgets")]
    leads = listed(observation, "leads")
    low_runs = seen.runs(observation.facts["subjects"])
    if not 3 <= len(leads) == len(low_runs) == stated(observation, "count"):
        return False
    form = observation.form.removesuffix("-many")
    for lead, low in zip(leads, low_runs, strict=True):
        start, updates, *shares = as_tuple(lead.detail)
        gone = _gone(low, high, value(updates), budgets)
        if not (
            seen.run(lead.what).name == low.name
            and gone is not None
            and same_measure((low, high))
            and value(start) == loss_at(low, 0) < loss_at(high, 0)
            and _comes_down(high, value(updates), loss_at(low, 0))
            and _how_much(gone) == form
            and len(shares) == (0 if form == "gone" else len(gone))
            and all(map(_tells, map(value, shares), gone))
        ):
            return False
    return True


def _gone(low: Run, high: Run, step: int, budgets: Sequence[int]) -> list[float] | None:
    """Return how much of each lead is gone from an equal loss; None where one is no lead."""
    gone = []
    for rounds in budgets:
        mine, same, theirs = (
            loss_at(low, rounds),
            loss_at(high, rounds),
            loss_at(high, step + rounds),
        )
        if not mine < same:
            return None
        gone.append(1 - (theirs - mine) / (same - mine))
    return gone


def _tells(share: float, gone: float) -> bool:
    """Check a share that is told: none where the lead has grown, all where it has turned."""
    return near(share, min(max(gone, 0.0), 1.0), 1e-5)


def _comes_down(high: Run, step: int, start: float) -> bool:
    """Check that a run first comes down to the other start at this step."""
    losses = high.losses
    return bool(losses[step] <= start < losses[:step].min())


def _how_much(gone: Sequence[float]) -> str:
    """Return the word for how much of the leads is gone."""
    kinds = {"kept" if part <= 0.5 else "mostly" if part < 1 else "gone" for part in gone}
    return kinds.pop() if len(kinds) == 1 else "mixed" if "kept" in kinds else "mostly"


def _equal_start(seen: Seen, observation: Observation, low: Run, high: Run) -> bool:
    """Check one variant that leads against the other from where it is as low."""
    step, first = stated(observation, "updates"), stated(observation, "rounds")
    told = {first: stated(observation, "gone")}
    if observation.form == "mixed":
        told[stated(observation, "later")] = stated(observation, "left")
    gone = _gone(low, high, step, tuple(told))
    there = [b for b in seen.plan.budgets if has_reached(low, b) and has_reached(high, step + b)]
    everywhere = [part for b in there for part in _gone(low, high, step, [b]) or ()]
    if gone is None or not everywhere:
        return False
    if seen.effort.worth("equal-start"):
        again = stock.train(high.config, high.trace.weights[step], first)
        if not isclose(again.losses[-1], loss_at(high, step + first), rel_tol=1e-2, abs_tol=1e-6):
            return False
    return (
        same_measure((low, high))
        and loss_at(low, 0) < loss_at(high, 0)
        and _comes_down(high, step, loss_at(low, 0))
        and all(map(_tells, told.values(), gone))
        and observation.form == _how_much(everywhere)
    )


def common_measure(seen: Seen, observation: Observation) -> bool:
    """Check the squared errors by which variants with different losses are compared."""
    budget = stated(observation, "budget")
    (run,) = seen.runs(observation.facts["subject"])[:1]
    other = seen.run(observation.facts["other"])
    mine, theirs = squared_error(run, budget), squared_error(other, budget)
    off = 1e-5 * max(mine, theirs) + 1e-6 * np.sqrt(max(mine, theirs)) + 1e-12
    numbers = abs(stated(observation, "value") - mine) <= off
    numbers = numbers and abs(stated(observation, "other_value") - theirs) <= off
    starts = [squared_error(r, 0) for r in (run, other)]
    odds = 1e-3 * max(starts)
    order = {
        "lower": theirs - mine > odds * (1 - 1e-3) - off,
        "higher": mine - theirs > odds * (1 - 1e-3) - off,
    }
    return (
        numbers
        and run.config.loss != other.config.loss
        and run.config.data.targets == other.config.data.targets
        and order.get(observation.form, abs(mine - theirs) <= odds * (1 + 1e-3) + off)
    )


def start_differs(seen: Seen, observation: Observation) -> bool:
    """Check how much of the distance from the floor is left, of starts that differ."""
    budget = stated(observation, "budget")
    other = seen.run(observation.facts["other"])
    for run in seen.runs(observation.facts["subject"]):
        left, other_left = (above_floor(r, budget) / above_floor(r, 0) for r in (run, other))
        off = [2 * floor_tolerance(r) / above_floor(r, 0) for r in (run, other)]
        holds = (
            same_measure((run, other))
            and stated(observation, "start") == loss_at(run, 0)
            and stated(observation, "other_start") == loss_at(other, 0)
            and abs(loss_at(run, 0) - loss_at(other, 0)) > 0.01 * abs(loss_at(other, 0))
            and abs(stated(observation, "left") - left) <= RELATIVE * max(1, left) + off[0]
            and abs(stated(observation, "other_left") - other_left)
            <= RELATIVE * max(1, other_left) + off[1]
        )
        if not holds:
            return False
    return True


def goes_on(seen: Seen, observation: Observation) -> bool:
    """Check which variants are trained for more rounds than are compared."""
    budget, told = stated(observation, "budget"), listed(observation, "subjects")
    for run in map(seen.run, told):
        if not budget < run.config.rounds == len(run.losses) - 1:
            return False
    ended = [r for r in seen.singles.values() if len(r.losses) - 1 == r.config.rounds > budget]
    # Of runs that are the same one is told of.
    return len(told) == len({identity_of(r) for r in ended})


def own_ends(seen: Seen, observation: Observation) -> bool:
    """Check which run is lowest at its own end, of runs of which some are longer than the rest."""
    members = list(seen.singles.values()) or [r for m in seen.swept.values() for _, r in m]
    rounds = {run.name: run.config.rounds for run in members}
    budget = stated(observation, "budget")
    if not budget == min(rounds.values()) < max(rounds.values()) or any(
        not has_reached(run, run.config.rounds) for run in members
    ):
        return False
    # Runs that are the same to the last bit are named once.
    told = {identity_of(run) for run in runs_at_points(seen, listed(observation, "shortest"))}
    if told != {identity_of(run) for run in members if run.config.rounds == budget}:
        return False
    if observation.form.startswith("passes") and {
        count
        * min(run.config.data.batch_size or 10**9, len(run.config.data.inputs))
        // len(run.config.data.inputs)
        for run in members
        for count in (run.config.rounds,)
    } != {stated(observation, "passes")}:
        return False
    if observation.form.endswith("validation"):
        return True  # What is told of held-out rows has checks of its own.
    members = list({identity_of(run): run for run in reversed(members)}.values())
    ends = {run.name: loss_at(run, run.config.rounds) for run in members}
    starts = {run.name: abs(float(run.losses[0])) for run in members}
    lowest = min(ends, key=lambda name: ends[name])
    apart = [
        (end - ends[lowest]) / max(1e-3 * max(starts[name], starts[lowest]), 1e-300)
        for name, end in ends.items()
        if name != lowest
    ]
    if observation.form.endswith("level"):
        return any(found <= 1.001 for found in apart)
    best = seen.run(observation.facts["best"])
    return (
        best.name == lowest
        and all(found > 0.999 for found in apart)
        and near(stated(observation, "value"), ends[lowest])
        and stated(observation, "rounds") == rounds[lowest]
    )


def ends_over_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many other starts one run ends lower than another, each at its own end."""
    one, other = (seen.run(observation.facts[key]) for key in ("subject", "other"))
    mine, theirs = (other_starts(seen, run) for run in (one, other))
    pairs = [(mine[seed], theirs[seed]) for seed in mine if seed in theirs]

    def lower(a: Run, b: Run) -> bool:
        scale = max(abs(loss_at(a, 0)), abs(loss_at(b, 0)))
        return loss_at(b, b.config.rounds) - loss_at(a, a.config.rounds) > 1e-3 * scale

    count = sum(lower(a, b) for a, b in pairs)
    return (
        lower(one, other)
        and (count, len(pairs)) == (stated(observation, "lower"), stated(observation, "count"))
        and (count >= 0.9 * len(pairs)) == (observation.form == "")
    )


def more_updates(seen: Seen, observation: Observation) -> bool:
    """Check what a run comes to when it makes as many updates as another one."""
    short, best = (seen.run(observation.facts[key]) for key in ("subject", "other"))
    rounds = stated(observation, "rounds")
    there = [r for r in seen.controls.values() if r.config.trajectory == short.config.trajectory]
    values = [loss_at(r, rounds) for r in there if r.config.rounds >= rounds]
    own, scale = loss_at(best, rounds), max(abs(loss_at(r, 0)) for r in (short, best))
    return (
        bool(values)
        and best.config.rounds == rounds > short.config.rounds
        and near(stated(observation, "value"), values[0])
        and near(stated(observation, "own"), own)
        and (values[0] - own > 1e-3 * scale) == (observation.form == "not")
    )


def over_all_rows(seen: Seen, observation: Observation) -> bool:
    """Check how many rows runs with batches of different size were shown, and losses after them."""
    budget = stated(observation, "budget")
    most, fewest = (
        next(r for t, r in seen.pairs if (t.variant, t.point) == (at.variant, at.point))
        for at in (observation.facts[name] for name in ("most", "fewest"))
    )
    # Runs on other rows, or with another loss, are compared among themselves.
    peers = [r for _, r in seen.pairs if has_reached(r, budget) and _is_alike(r, most)]
    sizes = [min(r.config.data.batch_size or 10**9, len(r.config.data.inputs)) for r in peers]
    shown = [stated(observation, name) for name in ("most_rows", "fewest_rows")]
    if shown != [max(sizes) * budget, min(sizes) * budget] or min(sizes) == max(sizes):
        return False
    if not observation.form:
        return _is_alike(most, fewest)
    rounds = stated(observation, "rounds")
    first = 0.001 * max(abs(loss_at(most, 0)), abs(loss_at(fewest, 0)))
    mine, before, theirs = loss_at(most, budget), loss_at(most, rounds), loss_at(fewest, budget)
    turns = theirs - mine > first and before - theirs > first
    if turns != (observation.form == "turns"):
        return False
    return (
        _is_alike(most, fewest)
        and rounds * max(sizes) <= shown[1] < (rounds + 1) * max(sizes)
        and near(stated(observation, "value"), loss_at(most, rounds))
        and near(stated(observation, "other_value"), loss_at(fewest, budget))
    )


def _is_alike(one: Run, other: Run) -> bool:
    """Return whether two runs have the same rows and the same loss."""
    a, b = one.config, other.config
    return (a.loss, a.data.inputs, a.data.targets) == (b.loss, b.data.inputs, b.data.targets)


def different_losses(seen: Seen, observation: Observation) -> bool:
    """Check that the experiment has losses of these different kinds."""
    told = {value(part) for part in listed(observation, "losses")}
    runs = [r for _, r in seen.pairs if r.trace.ending.kind != "refused"]
    measures = {quantity_of(r.config) for r in runs}
    named = {quantity_of(r.config) for r in runs if r.config.loss in told}
    return named == measures and len(told) == len(measures) > 1


def unseen_rows(seen: Seen, observation: Observation) -> bool:
    """Check that these keys differ, and that no run keeps rows back."""
    keys = stated(observation, "keys")
    configs = [run.config for _, run in seen.pairs]

    def setting(config: RunConfig, key: str) -> str:
        rows = len(config.data.inputs) if key == "data.batch_size" else 0.0
        return str(config.flat().get(key) or rows)

    differ = all(len({setting(c, key) for c in configs}) > 1 for key in keys)
    return differ and stated(observation, "rows") == max(len(c.data.inputs) for c in configs) > 1


def several_changes(seen: Seen, observation: Observation) -> bool:
    """Check that a variant changes more than one thing at once."""
    mine = seen.variants[first_variant(observation.facts["subject"])][0][1]
    other = seen.variants[observation.facts["other"].variant][0][1]
    changed = changed_keys(mine.config, other.config) - {"seed"}
    told = set(stated(observation, "keys"))
    implied = {key for key in changed if comes_with_another_kind(key, changed, mine.config)}
    if mine.config.network.layers[1:] == other.config.network.layers[1:]:
        # A network has as many inputs as its rows.
        implied.add("network.layers")
    if "loss" in changed:
        # A loss of logits takes the last activation in.
        implied.add("network.activations")
    return (
        len(told) > 1
        and stated(observation, "count") == len(told)
        and told <= changed
        and changed - told <= implied
    )


def comes_with_another_kind(key: str, changed: set[str], config: RunConfig) -> bool:
    """Return whether a changed value is one that a new optimizer or initialiser has anyway."""
    table, _, name = key.partition(".")
    tag = {"optimizer": "name", "initial": "scheme"}.get(table)
    if tag is None or f"{table}.{tag}" not in changed or name in (tag, "learning_rate"):
        return False
    if table == "initial":
        return True
    values = getattr(config, table)
    needed = {tag: getattr(values, tag), "learning_rate": 1.0}
    known = type(values).model_fields
    plain = type(values).model_validate(needed)
    own = name in known
    return not own or getattr(values, name) == getattr(plain, name)


CHECKS: dict[str, Check] = {
    "equal-start": equal_start,
    "common-measure": common_measure,
    "start-differs": start_differs,
    "over-all-rows": over_all_rows,
    "own-ends": own_ends,
    "more-updates": more_updates,
    "ends-over-starts": ends_over_starts,
    "goes-on": goes_on,
    "unseen-rows": unseen_rows,
    "different-losses": different_losses,
    "several-changes": several_changes,
}
"""Checks by the name of their rule."""
