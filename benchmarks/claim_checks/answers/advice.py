"""Checks of advice, as far as it says something of the runs, and of the want of a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from claim_checks.answers.levels import Field, by_loss, rivals
from claim_checks.answers.repeated import best_may_fail
from claim_checks.held_out import has_loss_on, kept, loss_on
from claim_checks.losses import floor_of, has_reached, loss_at
from claim_checks.reliability import seed_pairs
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Count, Facts, Observation, Subject


def advice(seen: Seen, observation: Observation) -> bool:
    """Check that what is advised is borne out by the runs, where it names some of them."""
    if observation.form == "targets":
        outside = [np.abs(np.array(r.config.data.targets) - 0.5).max() > 0.5 for _, r in seen.pairs]
        return any(outside)
    if observation.form == "clear":
        return any(r.config.gradients == "accumulated" for _, r in seen.pairs)
    if observation.form == "check":
        return seen.plan.experiment.kind == "gradient-check"
    if observation.form in ("peak", "point", "wider"):
        return _is_best(seen, observation)
    if observation.form == "fails":
        return best_may_fail(seen, replace(observation, facts=_completed(seen, observation)))
    if observation.form == "longer":
        return _still_fall(seen)
    if observation.form == "unseen":
        return not _has_validation(seen)
    if observation.form == "take" and "subject" in observation.facts:
        return _is_worth_taking(seen, observation)
    return True


def _completed(seen: Seen, observation: Observation) -> Facts:
    """Return the facts of advice with those of the finding that it follows from."""
    (name,) = [n for n, m in seen.variants.items() if m[0][0].point] or [""]
    return {"subject": Subject(name), "budget": Count(seen.plan.budgets[-1]), **observation.facts}


def _still_fall(seen: Seen) -> bool:
    """Check that at least half of the runs of variants with several fall by a twentieth in the end.

    That is over the last tenth of the rounds, of what was left above the floor.
    """
    budget = seen.plan.budgets[-1]
    several = [r for members in seen.variants.values() if len(members) > 1 for _, r in members]
    falling = 0
    for run in several:
        end = min(budget, run.config.rounds)
        if has_reached(run, end):
            low = floor_of(run.config)
            before, after = float(run.losses[end - end // 10]), float(run.losses[end])
            left = abs(before) if low is None or not np.isfinite(low) else before - low
            falling += before - after > 0.05 * left * (1 - 1e-3)
    return bool(several) and 2 * falling >= len(several)


def _is_best(seen: Seen, observation: Observation) -> bool:
    best = observation.facts["best"]
    assert isinstance(best, Subject)
    if not seen.swept:
        return True
    ((_, members),) = seen.swept.items()
    budget = seen.plan.budgets[-1]
    if _has_validation(seen):
        losses = {t.point: loss_on(t, r, "validation", kept(t, r, budget)) for t, r in members}
        return losses[best.point] == min(losses.values())
    trained = [loss_at(r, budget) for _, r in members if has_reached(r, budget)]
    return loss_at(seen.run(best), budget) == min(trained)


def _has_validation(seen: Seen) -> bool:
    """Return whether all runs can be compared on rows that training does not see."""
    step = seen.plan.budgets[-1]
    return all(
        t.data_set is not None
        and "validation" in t.data_set.parts
        and has_loss_on(t, r, "validation", step)
        for t, r in seen.pairs
    )


def _is_lowest_on_validation(seen: Seen, names: list[str]) -> bool:
    """Check that the median loss on validation rows is as low with some variants as with any."""
    step = seen.plan.budgets[-1]
    # One start of a variant is not compared with the median of several.
    alone = set(names) <= set(seen.singles)
    medians = {
        name: np.median([loss_on(t, r, "validation", kept(t, r, step)) for t, r in members])
        for name, members in seen.variants.items()
        if (name in seen.singles) == alone
    }
    return min(medians, key=lambda name: float(medians[name])) in names


def _is_worth_taking(seen: Seen, observation: Observation) -> bool:
    """Check that nobody is ahead of what is to be taken, or that it is mostly the lower one."""
    fact, budget = observation.facts["subject"], seen.plan.budgets[-1]
    subjects = fact if isinstance(fact, tuple) else (fact,)
    names = [s.variant for s in subjects if isinstance(s, Subject)]
    if _has_validation(seen):
        return _is_lowest_on_validation(seen, names)
    if not set(names) <= set(seen.singles):
        others = [n for n in seen.variants if n not in names and len(seen.variants[n]) > 1]
        pairs = [
            seed_pairs(seen, seen.variants[n], seen.variants[o]) for n in names for o in others
        ]
        return any((far < 0).sum() > (far > 0).sum() for far in pairs) or not others
    runs = rivals(seen, seen.singles[names[0]], budget)
    field = Field(runs, budget, by_loss(runs.values()))
    return field.nobody_ahead([seen.singles[n] for n in names]) and field.has_behind()


def no_reason(seen: Seen, observation: Observation) -> bool:
    """Accept that no reason is known: nothing is said of any run."""
    return not observation.facts


CHECKS: dict[str, Check] = {"advice": advice, "no-reason": no_reason}
"""Checks by the name of what is said."""
