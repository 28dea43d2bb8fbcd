"""Whether who leads in an experiment does so from other starts, and at other learning rates."""

from __future__ import annotations

from itertools import permutations, product
from math import inf

import numpy as np

from claim_checks.answers.levels import (
    best_from_each_start,
    by_loss,
    is_ahead,
    is_not_ahead,
    rivals,
    same_rows,
    value_of,
)
from claim_checks.losses import has_reached, identity_of, loss_at
from claim_checks.reading import coin_toss_probability
from claim_checks.seen import Seen, other_starts, with_rate
from labreport.runs.run import Run

LARGER = (2.0, 4.0, 10.0, 40.0)
"""Factors of the learning rate at which runs are repeated with a larger step."""


def order_from_starts(seen: Seen) -> tuple[bool, bool] | None:
    """Return whether a lead surely is not one from nine in ten other starts, and may not be.

    None where nothing leads, or no other starts were tried.
    """
    # Starts that other experiments tried are none of this one's.
    if not any(control.kind == "other-starts" for control in seen.plan.controls):
        return None
    found = [_order(seen, *pair) for pair in (*_single_pairs(seen), _tuned_pair(seen)) if pair]
    there = [told for told in found if told is not None]
    if not there:
        return None
    return any(surely for surely, _ in there), any(maybe for _, maybe in there)


def _single_pairs(seen: Seen) -> list[tuple[Run, Run, bool, bool]]:
    """Return the single run that leads at the end with each that it is compared with, and more.

    These are the first one, and the one that led before or else the next one behind.
    """
    budget = seen.plan.budgets[-1]
    there = [r for r in seen.singles.values() if rivals(seen, r, budget) and len(r.losses)]
    alike = [
        r for r in there if r.name in {x.name for x in rivals(seen, there[0], budget).values()}
    ]
    first: dict[bytes, Run] = {}
    for run in alike:
        first.setdefault(identity_of(run), run)
    runs = list(first.values())
    losses = by_loss(runs)
    pair = _leader(runs, budget, losses) if len(runs) > 1 else None
    if pair is None:
        return []
    for early in seen.plan.budgets[:-1]:
        lowest = _lowest(runs, early, losses)
        first = [r for r in runs if lowest and is_not_ahead(lowest, r, early, losses)]
        led = [r for r in first if is_ahead(pair[0], r, budget, losses)]
        if led and len(first) < len(runs):
            hardest = _lowest(led, early, losses) or led[0]
            return [pair, (pair[0], hardest, losses, True)]
    behind = [r for r in runs if is_ahead(pair[0], r, budget, losses)]
    return [pair, (pair[0], _lowest(behind, budget, losses) or behind[0], losses, True)]


def _lowest(runs: list[Run], budget: int, losses: bool) -> Run | None:
    """Return the run with the lowest value after so many updates; None where one has none."""
    values = {r.name: value_of(r, budget, losses) for r in runs}
    if None in values.values():
        return None
    return min(runs, key=lambda r: values[r.name] or 0.0)


def _tuned_pair(seen: Seen) -> tuple[Run, Run, bool, bool] | None:
    """Return the same of the swept variants, each at its best value."""
    budget = seen.plan.budgets[-1]
    if len(seen.swept) < 2:
        return None
    losses = by_loss(r for members in seen.swept.values() for _, r in members)
    best = []
    for members in seen.swept.values():
        there = [r for _, r in members if value_of(r, budget, losses) is not None]
        if not there:
            return None
        best.append(min(there, key=lambda r: value_of(r, budget, losses) or 0.0))
    best = [run for run in best if same_rows(run.config, best[0].config)]
    if len({run.name for run in best}) < 2:
        return None
    lead = min(best, key=lambda r: value_of(r, budget, losses) or 0.0)
    other = best[0] if best[0] is not lead else None
    found = _leader(best, budget, losses)
    if other is None:
        return found or (lead, best[1], losses, False)
    return lead, other, losses, is_ahead(lead, other, budget, losses)


def _leader(runs: list[Run], budget: int, losses: bool) -> tuple[Run, Run, bool, bool] | None:
    values = {r.name: value_of(r, budget, losses) for r in runs}
    ordered = sorted(runs, key=lambda r: inf if values[r.name] is None else values[r.name])
    behind = [r for r in ordered if is_ahead(ordered[0], r, budget, losses)]
    if not behind or None in values.values():
        return None
    return ordered[0], runs[0] if runs[0] in behind else behind[0], losses, True


def _variant_swept(seen: Seen, run: Run) -> str:
    """Return the name of the swept variant that has a run; none of one that was not swept."""
    of_run = (name for name, there in seen.swept.items() if any(r is run for _, r in there))
    return next(of_run, "") if len(seen.swept) > 1 else ""


def _order(seen: Seen, one: Run, other: Run, losses: bool, leads: bool) -> tuple[bool, bool] | None:
    budget = seen.plan.budgets[-1]
    names = [_variant_swept(seen, run) for run in (one, other)]
    if all(names):
        mine, theirs = (best_from_each_start(seen, name, budget, losses) for name in names)
    else:
        mine, theirs = other_starts(seen, one), other_starts(seen, other)
    seeds = sorted({*mine} & {*theirs})
    pairs = [(mine[s], theirs[s]) for s in seeds if mine[s].name != theirs[s].name]
    there = all(value_of(r, budget, losses) is not None for pair in pairs for r in pair)
    if len(pairs) < 10 or not there:
        return None
    surely = sum(not is_not_ahead(*pair, budget, losses) for pair in pairs)
    maybe = sum(is_ahead(*pair, budget, losses) for pair in pairs)
    most = 0.9 * len(pairs)
    if not leads:
        # Level from the start of the lab: it deceives where it is not so from others.
        apart = [
            sum(is_ahead(*p, budget, losses) or is_ahead(*p[::-1], budget, losses) for p in pairs),
            sum(
                not is_not_ahead(*p, budget, losses) or not is_not_ahead(*p[::-1], budget, losses)
                for p in pairs
            ),
        ]
        return apart[1] > len(pairs) - most, apart[0] > len(pairs) - most
    back = [pair[::-1] for pair in pairs]
    behind = sum(is_ahead(*pair, budget, losses) for pair in back)
    mostly = [_is_more(surely, behind), _is_more(maybe, behind)]
    return maybe < most and not mostly[0], surely < most and not mostly[1]


def _is_more(one: int, other: int) -> bool:
    return one > other and coin_toss_probability(one, other) <= 0.05


def step_makes_up(seen: Seen) -> bool:
    """Check that a larger step, or the best one of each, makes up for some lead."""
    budget = seen.plan.budgets[-1]
    singles = [r for r in seen.singles.values() if has_reached(r, budget)]
    # Where one of the experiment has another loss, all are compared by their errors.
    for (one, other), losses in product(
        permutations(singles, 2), {by_loss(singles), *map(by_loss, permutations(singles, 2))}
    ):
        if not same_rows(one.config, other.config) or (losses and not by_loss((one, other))):
            continue
        larger = [r for f in LARGER if (r := with_rate(seen, other, f)) is not None]
        there = [r for r in larger if value_of(r, budget, losses) is not None]
        if is_ahead(one, other, budget, losses) and any(
            is_not_ahead(one, r, budget, losses) for r in there
        ):
            return True
    return _best_are_level(seen) or _twice_the_step_makes_up(seen)


def _best_are_level(seen: Seen) -> bool:
    """Check that of swept variants, each at its best, two are level."""
    budget = seen.plan.budgets[-1]
    losses = by_loss(r for members in seen.swept.values() for _, r in members)
    best = []
    for members in seen.swept.values():
        there = [r for _, r in members if value_of(r, budget, losses) is not None]
        if there:
            best.append(min(there, key=lambda r: value_of(r, budget, losses) or 0.0))
    best.sort(key=lambda r: value_of(r, budget, losses) or 0.0)
    return len(best) > 1 and is_not_ahead(best[0], best[1], budget, losses)


def _twice_the_step_makes_up(seen: Seen) -> bool:
    """Check that of variants from random starts twice the step brings a median as low."""
    budget = seen.plan.budgets[-1]
    groups = {n: [r for _, r in m] for n, m in seen.variants.items() if len(m) > 9}
    for name, other in permutations(groups, 2):
        doubled = [d for r in groups[other] if (d := with_rate(seen, r, 2.0)) is not None]
        there = [loss_at(d, budget) for d in doubled if has_reached(d, budget)]
        mine = [loss_at(r, budget) for r in groups[name] if has_reached(r, budget)][: len(there)]
        if len(there) > 9 and mine:
            low = float(np.median(mine))
            if float(np.median(there)) - low <= 0.05 * abs(low) * (1 + 1e-6):
                return True
    return False
