"""Checks of the rules over all experiments of a lab."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np

from claim_checks.answers.levels import value_of
from claim_checks.answers.orders import order_from_starts, step_makes_up
from claim_checks.gradients import is_stuck_in_every_rounding, stays_there
from claim_checks.losses import (
    above_floor,
    came_most_of_the_way,
    floor_of,
    floor_tolerance,
    has_reached,
    leading_variants,
    loss_at,
    measure_of,
    rounding_of,
    same_measure,
    squared_error,
)
from claim_checks.parameters import untouched_parameters
from claim_checks.reading import can_move, listed, stated, value
from claim_checks.seen import LabCheck, Seen, continued
from labreport.analysis.measures.floor import floor
from labreport.analysis.observation import Observation
from labreport.lab.plan import Plan
from labreport.runs.run import Run


def title_of(plan: Plan) -> str:
    """Return the English title of the experiment of a plan."""
    return plan.experiment.title.within("en")


def distinct_runs(labs: Iterable[tuple[Seen, Run]]) -> dict[str, tuple[Seen, Run]]:
    """Return each run once, with the first experiment that has it."""
    found: dict[str, tuple[Seen, Run]] = {}
    for seen, run in labs:
        found.setdefault(run.name, (seen, run))
    return found


def single_and_swept_runs(experiments: Sequence[Seen]) -> dict[str, tuple[Seen, Run]]:
    """Return runs that stand for themselves, each once: single variants and swept points."""
    return distinct_runs(
        (seen, run) for seen in experiments for run in seen.single_and_swept if len(run.losses)
    )


def all_runs(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check how many runs the lab has, and how they ended."""
    runs = {r.name: r for seen in experiments for _, r in seen.pairs}
    kinds = [r.trace.ending.kind for r in runs.values()]
    told = [stated(observation, k) for k in ("count", "completed", "diverged", "refused")]
    counted = [len(kinds), *(kinds.count(k) for k in ("completed", "diverged", "refused"))]
    forms = (
        ("one", "diverged-one", "ended-one")
        if len(experiments) == 1
        else ("completed", "diverged", "")
    )
    right = forms[2 if counted[3] else 1 if counted[2] else 0]
    holds = told == counted and stated(observation, "experiments") == len(experiments)
    return holds and observation.form == right


def near_floor(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check how many single runs come most of the way to their floor."""
    near_ones = count = doubtful = 0
    alone = distinct_runs((s, r) for s in experiments for r in s.singles.values())
    for _, run in alone.values():
        # The run is looked at in the experiment that measures it the longest.
        there = [
            s.plan.budgets[-1]
            for s in experiments
            if run.name in {r.name for r in s.singles.values()}
            and has_reached(run, min(s.plan.budgets[-1], run.config.rounds))
        ]
        low = floor_of(run.config)
        # Of those whose floor the report knows; found by trial there are some more.
        if not there or low is None or not np.isfinite(low) or floor(run.config).value is None:
            continue
        if above_floor(run, 0) <= rounding_of(run):
            continue
        budget = min(max(there), run.config.rounds)
        count += 1
        near_ones += came_most_of_the_way(run, budget)
        start, end = above_floor(run, 0), above_floor(run, budget)
        doubtful += abs(end - 0.1 * start) <= 2 * floor_tolerance(run)
        doubtful += start <= floor_tolerance(run)
    form = "all" if near_ones == count else "some" if near_ones else "none"
    off = abs(stated(observation, "near") - near_ones) + abs(stated(observation, "count") - count)
    return off <= 2 * doubtful and (form == observation.form or doubtful > 0)


def lowest_error(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check which run has the lowest squared error on the rows of the lab."""
    budget = stated(observation, "budget")
    errors: dict[str, float] = {}
    sure: set[str] = set()
    for seen in experiments:
        for trial, run in seen.pairs:
            margins = run.config.loss in ("soft_margin", "hinge_embedding")
            data, base = run.config.data, seen.plan.base.data
            same = (data.inputs, data.targets) == (base.inputs, base.targets)
            there = has_reached(run, budget) and run.trace.outputs_at(budget) is not None
            if trial.seed is None and same and not margins and there:
                error = squared_error(run, budget)
                errors[run.name] = error
                # Near the largest number of its type a sum of squares may or may not overflow.
                if error < np.finfo(run.config.dtype).max / 1e6:
                    sure.add(run.name)
    here = _titled(experiments, observation.facts["experiment"].en)
    told = observation.facts["subject"]
    mine = squared_error(here.run(told.what), budget)
    # Where outputs are nearly their targets, the rounding of either is much of the difference.
    off = 1e-5 * mine + 1e-6 * np.sqrt(mine) + 1e-12
    return (
        len(sure) <= stated(observation, "count") <= len(errors)
        and abs(value(told.detail) - mine) <= off
        and mine <= min(errors.values()) + off
    )


def stuck_together(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check how many runs of the whole lab are stuck."""
    runs = single_and_swept_runs(experiments)
    titles = {w.en for w in listed(observation, "experiments")}
    stopped = {}
    # A run that several experiments have is stuck if any of them shows it.
    everywhere = [(s, r) for s in experiments for r in s.single_and_swept if len(r.losses)]
    for seen, run in everywhere:
        low, budget = floor_of(run.config), min(seen.plan.budgets[-1], run.config.rounds)
        if low is None or not np.isfinite(low) or not has_reached(run, budget):
            continue
        if not run.trace.is_whole or above_floor(run, 0) <= 0:
            continue
        if is_stuck_in_every_rounding(seen, run, budget):
            stopped[run.name] = run
        surely = is_stuck_in_every_rounding(seen, run, budget, 0.005, 0.98)
        # Nor is it within rounding that it stands still.
        surely = surely and np.ptp(run.losses[budget // 2 :]) <= 0.005 * above_floor(run, budget)
        # … nor does it get away when it is continued.
        longer = {r.config.rounds for r in seen.controls.values()}
        on = [n for n in longer if continued(seen, run, n) is not None]
        surely = surely and all(stays_there(seen, run, budget, n, 0.005) for n in on)
        if surely and title_of(seen.plan) not in titles:
            return False
    return stated(observation, "total") == len(runs) and stated(observation, "count") <= len(
        stopped
    )


def silent_together(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check how many single runs have parameters that never get a gradient."""
    alone = distinct_runs(
        (s, r) for s in experiments for r in s.singles.values() if len(r.losses) > 1
    )
    silent = [(s, r) for s, r in alone.values() if _has_untouched(r)]
    titles = {w.en for w in listed(observation, "experiments")}
    names = {r.name for _, r in silent}
    relu = {r.name for _, r in alone.values() if "relu" in r.config.network.activations}
    every = names <= relu and not {r.name for _, r in alone.values()} - names <= relu
    return (
        stated(observation, "count") == len(silent)
        and stated(observation, "total") == len(alone)
        and titles == {title_of(s.plan) for s, _ in silent}
        and (observation.form == "relu") == every
    )


def _has_untouched(run: Run) -> bool:
    """Return whether more parameters get no gradient than inputs that are always 0 account for."""
    zero = (np.array(run.config.data.inputs) == 0).all(axis=0).sum()
    return len(untouched_parameters(run)) > zero * run.config.network.layers[1]


def _winners(seen: Seen) -> list[set[str]]:
    """Return the best variants, or points, at each number of rounds."""
    found = []
    if len(seen.swept) == 1:
        members = {repr(t.point): r for m in seen.swept.values() for t, r in m}
        for budget in seen.plan.budgets:
            there = {name: r for name, r in members.items() if has_reached(r, budget)}
            least = min((loss_at(r, budget) for r in there.values()), default=0.0)
            found.append({name for name, r in there.items() if loss_at(r, budget) == least})
        return found
    groups: dict[str, dict[str, Run]] = {}
    for name, run in seen.singles.items():
        if len(run.losses):
            key = measure_of(run)
            groups.setdefault(key, {})[name] = run
    members = max(groups.values(), key=len, default={})
    for budget in seen.plan.budgets:
        there = {name: r for name, r in members.items() if has_reached(r, budget)}
        found.append(leading_variants(there, budget) if there else set())
    return found


def _winners_by_error(seen: Seen) -> list[set[str]]:
    """Return the single runs with the lowest squared error: one measure for all their losses."""
    found = []
    for budget in seen.plan.budgets:
        errors = {n: value_of(r, budget, by_loss=False) for n, r in seen.singles.items()}
        there = {n: error for n, error in errors.items() if error is not None}
        found.append({n for n, error in there.items() if error == min(there.values())})
    return found


def counts_experiments(experiments: Sequence[Seen], observation: Observation) -> bool:
    """Check that so many experiments are named as are counted, each of them one of the lab."""
    titles = [w.en for w in listed(observation, "experiments")]
    count, total = stated(observation, "count"), stated(observation, "total")
    return (
        count == len(titles) == len({*titles} & {title_of(s.plan) for s in experiments})
        and 2 <= total <= len(experiments)
        and (observation.form == "all") == (count == total)
    )


def budget_decides(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check in which experiments the number of rounds decides what is best."""
    titles = [w.en for w in listed(observation, "experiments")]
    named = [s for s in experiments if title_of(s.plan) in titles]
    several = [s for s in experiments if len(s.plan.budgets) > 1]
    return counts_experiments(several, observation) and all(
        s in several
        and not (set.intersection(*_winners(s)) and set.intersection(*_winners_by_error(s)))
        for s in named
    )


def start_decides(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check in which experiments who leads is not so from nine in ten other starts."""
    titles = {w.en for w in listed(observation, "experiments")}
    found = {title_of(s.plan): order_from_starts(s) for s in experiments}
    tested = [s for s in experiments if found[title_of(s.plan)] is not None]
    return counts_experiments(tested, observation) and all(
        (maybe if name in titles else not surely)
        for name, told in found.items()
        if told is not None
        for surely, maybe in [told]
    )


def step_decides(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check that in the experiments a larger step, or the best one, makes up for a lead."""
    titles = {w.en for w in listed(observation, "experiments")}
    rates = ({r.config.optimizer.learning_rate for r in _every_run(s)} for s in experiments)
    tried = [s for s, found in zip(experiments, rates, strict=True) if len(found) > 1]
    named = [s for s in tried if title_of(s.plan) in titles]
    return counts_experiments(tried, observation) and all(map(step_makes_up, named))


def _every_run(seen: Seen) -> list[Run]:
    return [*(run for _, run in seen.pairs), *seen.controls.values()]


def loss_falls_anyway(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check that the experiment is a gradient check with as many formulas."""
    title = observation.facts["experiment"].en
    formulas = _titled(experiments, title).plan.experiment.formula
    return 1 <= stated(observation, "count") <= len(formulas)


def change_against_chance(
    experiments: Sequence[Seen], plan: Plan, observation: Observation
) -> bool:
    """Check the ranges of losses against those that random starts alone have."""
    budget = stated(observation, "budget")
    widths: dict[str, float] = {}
    compared: dict[str, list[Run]] = {}
    for seen in experiments:
        there = [r for r in seen.single_and_swept if has_reached(r, budget) and can_move(r.config)]
        # Of one measure: that of the first.
        measured = [r for r in there if same_measure((r, there[0]))]
        if len({r.name for r in measured}) > 1:
            losses = [loss_at(r, budget) for r in measured]
            widths[title_of(seen.plan)] = max(losses) - min(losses)
            compared[title_of(seen.plan)] = measured
    if not widths:
        return False
    like = compared[max(widths, key=lambda name: widths[name])][0]
    alike = [name for name, runs in compared.items() if same_measure((runs[0], like))]
    mine = _ranges_by_chance(experiments, alike, like, budget)
    if observation.form == "alone":
        return not mine
    smaller = {name for name in mine if widths[name] < mine[name]}
    told = {w.en for w in listed(observation, "experiments")}
    return told == (smaller or {*mine}) and (observation.form == "smaller") == bool(smaller)


def _ranges_by_chance(
    experiments: Sequence[Seen], titles: Iterable[str], like: Run, budget: int
) -> dict[str, float]:
    """Return how far apart random starts of an experiment come to lie, by its title.

    Only experiments are in it that have such starts, with losses that measure the same as ``like``.
    """
    found = {}
    for title in titles:
        seen = _titled(experiments, title)
        chance = [
            float(np.subtract(*np.quantile([loss_at(r, budget) for r in group], (0.95, 0.05))))
            for group in many_starts(experiments, budget)
            if same_measure((group[0], like)) and is_start_of(group[0], seen)
        ]
        if chance:
            found[title] = max(chance)
    return found


def _titled(experiments: Sequence[Seen], title: str) -> Seen:
    """Return the only experiment with an English title."""
    (seen,) = (s for s in experiments if title_of(s.plan) == title)
    return seen


def many_starts(experiments: Sequence[Seen], budget: int) -> list[list[Run]]:
    """Return the runs that got so far of each variant with twenty random starts or more."""
    found = [
        [r for _, r in members if has_reached(r, budget) and np.isfinite(r.losses[budget])]
        for seen in experiments
        for members in seen.variants.values()
        if len({t.point for t, _ in members}) == 1 and all(t.seed is not None for t, _ in members)
    ]
    return [group for group in found if len(group) >= 20]


def is_start_of(start: Run, seen: Seen) -> bool:
    """Check that a run of an experiment is that of a random start, but for where it starts."""

    def besides(run: Run) -> str:
        return json.dumps(
            {**json.loads(run.config.canonical), "seed": 0, "rounds": 0, "initial": 0},
            sort_keys=True,
        )

    trained = (r for r in seen.single_and_swept if can_move(r.config))
    return any(besides(r) == besides(start) for r in trained)


def own_rows(experiments: Sequence[Seen], plan: Plan, observation: Observation) -> bool:
    """Check that these experiments have classes in at least four rows, or several rows."""
    told = {w.en for w in listed(observation, "experiments")}
    for seen in experiments:
        if title_of(seen.plan) in told:
            wanted = [np.array(run.config.data.targets) for _, run in seen.pairs]
            if observation.form == "loss":
                if not any(len(w) > 1 for w in wanted):
                    return False
            elif not any(len(w) >= 4 and np.isin(w, (0, 1)).all() for w in wanted):
                return False
    return True


LAB_CHECKS: dict[str, LabCheck] = {
    "budget-decides": budget_decides,
    "start-decides": start_decides,
    "step-decides": step_decides,
    "loss-falls-anyway": loss_falls_anyway,
    "change-against-chance": change_against_chance,
    "stuck-together": stuck_together,
    "silent-together": silent_together,
    "lowest-error": lowest_error,
    "near-floor": near_floor,
    "all-runs": all_runs,
    "own-rows": own_rows,
}
"""Checks by the name of a rule over all experiments."""
