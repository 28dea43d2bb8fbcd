"""Checks of rules that compare variants from equal starts on the validation rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from claim_checks.held_out import has_loss_on, kept, loss_on
from claim_checks.lowest_variant import compared_with_rivals
from claim_checks.reading import coin_toss_probability, first_variant, near, stated
from claim_checks.seen import Check, Seen, with_rate
from labreport.analysis.observation import Observation, Subject
from labreport.lab.plan import Point, Trial
from labreport.runs.run import Run

Members = Iterable[tuple[Trial, Run]]
"""Runs of a variant."""


def _pairs(one: Members, other: Members, step: int) -> tuple[int, int, int]:
    """Pairs of starts of which the first is lower on the validation rows, higher, and all."""
    found = [
        {
            t.seed: (loss_on(t, r, "validation", kept(t, r, step)), loss_on(t, r, "validation", 0))
            for t, r in members
        }
        for members in (one, other)
    ]
    lower = higher = 0
    both = found[0].keys() & found[1].keys()
    for seed in both:
        (mine, start), (theirs, other_start) = found[0][seed], found[1][seed]
        odds = 0.001 * max(abs(start), abs(other_start))
        lower += theirs - mine > odds
        higher += mine - theirs > odds
    return lower, higher, len(both)


def starts_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check in how many pairs of starts one variant has the lower loss on validation rows."""
    one, other = (seen.variants[first_variant(observation.facts[k])] for k in ("subject", "other"))
    lower, higher, count = _pairs(one, other, stated(observation, "budget"))
    told = tuple(stated(observation, key) for key in ("lower", "even", "count"))
    sure = coin_toss_probability(lower, higher) <= 0.05
    form = "" if sure else "open" if lower + higher else "level"
    return told == (lower, count - lower - higher, count) and form == observation.form


def validation_at_other_rates(seen: Seen, observation: Observation) -> bool:
    """Check how many pairs one variant leads on validation rows at half and twice the rate."""
    step, sure = stated(observation, "budget"), []
    for key, factor in (("half", 0.5), ("twice", 2.0)):
        one, other = (
            [
                (t, made)
                for t, r in seen.variants[first_variant(observation.facts[name])]
                if (made := with_rate(seen, r, factor))
            ]
            for name in ("subject", "other")
        )
        lower, higher, count = _pairs(one, other, step)
        if (lower, count) != (stated(observation, key), stated(observation, "count")):
            return False
        is_sure = coin_toss_probability(lower, higher) <= 0.05
        sure.append((1 if lower > higher else -1) if is_sure else 0)
    form = "turns" if -1 in sure else "open" if 0 in sure else ""
    return form == observation.form


def lowest_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check that a variant has the lowest median on validation rows, and from which it is told."""
    groups = {n: m for n, m in seen.variants.items() if n not in seen.singles}
    return _lowest(groups, observation, first_variant(observation.facts["subject"]))


def best_starts_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check the same of the values of a sweep from several starts."""
    groups: dict[Point, list[tuple[Trial, Run]]] = {}
    for trial, run in seen.pairs:
        groups.setdefault(trial.point, []).append((trial, run))
    step = stated(observation, "budget")
    groups = {
        point: members
        for point, members in groups.items()
        if all(has_loss_on(t, r, "validation", step) for t, r in members)
    }
    subject = observation.facts["subject"]
    assert isinstance(subject, Subject)
    return _lowest(groups, observation, subject.point)


def _lowest(groups: Mapping[Any, Members], observation: Observation, best: Any) -> bool:
    """Check which group has the lowest median loss, and which others it can be told from."""
    step, told = stated(observation, "budget"), {}
    for name, members in groups.items():
        # What is the same runs twice counts once.
        told.setdefault(frozenset(r.name for _, r in members), name)
    distinct = {name: groups[name] for name in told.values()}
    medians = {
        name: float(np.median([loss_on(t, r, "validation", kept(t, r, step)) for t, r in members]))
        for name, members in distinct.items()
    }
    counts = {
        name: _pairs(distinct[best], distinct[name], step) for name in medians if name != best
    }
    return compared_with_rivals(observation, best, medians, counts)


def best_rounds(seen: Seen, observation: Observation) -> bool:
    """Check who is lower on validation rows when each run is taken at its best round."""
    step = stated(observation, "budget")
    keys = [observation.facts[key] for key in ("subject", "other")]
    first, other = (
        [
            (t, r)
            for t, r in seen.pairs
            if isinstance(key, Subject) and key.variant in ("", t.variant) and t.point == key.point
        ]
        for key in keys
    )
    mine, theirs = (_best_losses(members) for members in (first, other))
    ends = [
        float(np.median([loss_on(t, r, "validation", step) for t, r in members]))
        for members in (first, other)
    ]
    if ends[0] > ends[1]:
        return False
    if observation.form == "":
        (own, _), (least, _) = mine[first[0][0].seed], theirs[other[0][0].seed]
        return (
            near(stated(observation, "own"), own)
            and near(stated(observation, "least"), least)
            and least < own
        )
    pairs = [(mine[seed], theirs[seed]) for seed in mine]
    lower = sum(a - b > 0.001 * max(s, t) for (a, s), (b, t) in pairs)
    higher = sum(b - a > 0.001 * max(s, t) for (a, s), (b, t) in pairs)
    sure = coin_toss_probability(lower, higher) <= 0.05 and lower > higher
    told = (stated(observation, "lower"), stated(observation, "count"))
    return sure and told == (lower, len(pairs))


def _best_losses(members: Members) -> dict[int | None, tuple[float, float]]:
    """By seed, the lowest loss on validation rows of the recorded steps, and that at the start."""
    return {
        t.seed: (
            min(loss_on(t, r, "validation", int(s)) for s in r.trace.recorded),
            abs(loss_on(t, r, "validation", 0)),
        )
        for t, r in members
    }


CHECKS: dict[str, Check] = {
    "best-rounds": best_rounds,
    "best-starts-on-validation": best_starts_on_validation,
    "lowest-on-validation": lowest_on_validation,
    "starts-on-validation": starts_on_validation,
    "validation-at-other-rates": validation_at_other_rates,
}
"""The check of each rule, by its name."""
