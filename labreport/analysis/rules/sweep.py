"""What a sweep over a grid shows: the best point, its place on the grid, same against tuned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    Rounds,
    Share,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.comparison import MOST_OF_THE_WAY, rankable

CLOSE = 0.05
"""Losses within a twentieth of each other are the same line in any figure."""

ALIKE = 0.01
"""First steps count as equal if they differ by less than a hundredth of the learning rate."""


def best(members: tuple[Result, ...], budget: int) -> Result | None:
    """The point with the lowest loss at a budget, the first of equals.

    None where no run got so far, or where the losses are of different kinds.
    """
    measured = [r for r in members if r.loss(budget) is not None and rankable(members)]
    return min(measured, key=lambda r: r.loss(budget) or 0.0, default=None)


def _everywhere(results: ExperimentResults) -> list[Result]:
    """The results at every point of every swept variant."""
    return [result for members in results.swept.values() for result in members]


def _point_and_loss(result: Result, budget: int) -> tuple[Subject, Number]:
    loss = result.loss(budget)
    assert loss is not None
    source = f"losses[{result.index(budget)}]"
    return Subject("", result.point), Number(loss, source)


def sweep_best(results: ExperimentResults) -> Iterator[Observation]:
    """The best point of each swept variant."""
    if len(results.swept) == 1:
        ((name, members),) = results.swept.items()
        found = [(b, r) for b in results.budgets if (r := best(members, b)) is not None]
        if found:
            points = {r.point for _, r in found}
            facts: Facts = {
                "best": tuple(With(Rounds(b), _point_and_loss(r, b)) for b, r in found),
                "subject": Subject(name, found[-1][1].point),
                "total": Count(len(members)),
                "budget": Count(results.last),
            }
            form = "moves" if len(points) > 1 else "stays"
            yield Observation("sweep-best", facts, runs=len(members), form=form)
    elif results.swept and rankable(_everywhere(results)):
        ranked = [r for m in results.swept.values() if (r := best(m, results.last)) is not None]
        ranked.sort(key=lambda r: r.loss(results.last) or 0.0)
        if ranked:
            facts = {
                "ranking": tuple(
                    With(Subject(r.variant), _point_and_loss(r, results.last)) for r in ranked
                ),
                "subject": Subject(ranked[0].variant),
                "budget": Count(results.last),
                "total": Count(sum(map(len, results.swept.values()))),
            }
            runs = sum(map(len, results.swept.values()))
            yield Observation("sweep-best", facts, runs=runs, form="several")


def same_value(results: ExperimentResults) -> Iterator[Observation]:
    """Variants at the reference's own value of the swept key, against each at its best."""
    if len(results.swept) < 2 or len(results.plan.axes) != 1:
        return
    key = results.plan.axes[0][0]
    value = results.plan.base.flat().get(key)
    at_value = [r for m in results.swept.values() for r in m if r.point == ((key, value),)]
    tuned = [r for m in results.swept.values() if (r := best(m, results.last)) is not None]
    if len(at_value) != len(results.swept) or len(tuned) != len(results.swept):
        return
    if any(r.loss(results.last) is None for r in at_value) or not rankable(_everywhere(results)):
        return
    at_value.sort(key=lambda r: r.loss(results.last) or 0.0)
    tuned.sort(key=lambda r: r.loss(results.last) or 0.0)
    facts: Facts = {
        "point": Subject("", ((key, value),)),
        "at_value": tuple(
            With(Subject(r.variant), Number(r.loss(results.last) or 0.0)) for r in at_value
        ),
        "tuned": tuple(Subject(r.variant) for r in tuned),
        "order": tuple(Subject(r.variant) for r in at_value),
        "budget": Count(results.last),
    }
    same = [r.variant for r in at_value] == [r.variant for r in tuned]
    form = "agrees" if same else "differs"
    yield Observation("same-value", facts, runs=len(at_value) * 2, form=form)


def edge_of_grid(results: ExperimentResults) -> Iterator[Observation]:
    """A best value at the end of its grid, at some budget: the true best may lie outside."""
    ends: Mapping[str, tuple[float, float]] = {
        key: (min(values), max(values))
        for key, values in results.plan.axes
        if len(values) > 1 and all(_is_number(v) for v in values)
    }
    found = []
    for budget in results.budgets:
        for members in results.swept.values():
            top = best(members, budget)
            at_end = [(k, v) for k, v in top.point if k in ends and v in ends[k]] if top else []
            if top is not None and at_end:
                found.append(With(Subject(top.variant, tuple(at_end)), Rounds(budget)))
    if found:
        facts: Facts = {"subjects": tuple(found)}
        yield Observation("edge-of-grid", facts, runs=len(found), limits=True)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def tolerance(results: ExperimentResults) -> Iterator[Observation]:
    """At how many points of the grid training goes most of the way to the floor."""
    shares = []
    for name, members in results.swept.items():
        for budget in results.budgets if len(results.swept) == 1 else (results.last,):
            good = [r for r in members if _closed(r, budget)]
            what = Rounds(budget) if len(results.swept) == 1 else Subject(name)
            shares.append(With(what, OutOf(len(good), len(members))))
    if shares:
        facts: Facts = {
            "shares": tuple(shares),
            "share": Share(MOST_OF_THE_WAY),
            "budget": Count(results.last),
        }
        form = "several" if len(results.swept) > 1 else ""
        runs = sum(map(len, results.swept.values()))
        yield Observation("tolerance", facts, runs=runs, form=form)


def _closed(result: Result, budget: int) -> bool:
    first, left = result.gap(0), result.gap(budget)
    return bool(first) and left is not None and left <= (1 - MOST_OF_THE_WAY) * (first or 0.0)


def leaders_along_axis(results: ExperimentResults) -> Iterator[Observation]:
    """At how many points of the grid each variant has the lowest loss."""
    if len(results.swept) < 2 or len(results.plan.axes) != 1:
        return
    if not rankable(_everywhere(results)):
        return
    wins = dict.fromkeys(results.swept, 0)
    points = 0
    for value in results.plan.axes[0][1]:
        here = {
            r.variant: loss
            for r in _everywhere(results)
            if r.point == ((results.plan.axes[0][0], value),)
            and (loss := r.loss(results.last)) is not None
        }
        if len(here) == len(results.swept):
            points += 1
            lowest = min(here.values())
            for name, loss in here.items():
                wins[name] += loss == lowest
    if points and max(wins.values()) < points:
        facts: Facts = {
            "wins": tuple(With(Subject(name), OutOf(n, points)) for name, n in wins.items() if n),
            "points": Count(points),
            "budget": Count(results.last),
        }
        runs = points * len(results.swept)
        yield Observation("leaders-along-axis", facts, runs=runs)


def rises(results: ExperimentResults) -> Iterator[Observation]:
    """From which value of the one swept key on the loss no longer falls in every round."""
    if len(results.swept) != 1 or len(results.plan.axes) != 1:
        return
    ((_, members),) = results.swept.items()
    if not all(_is_number(r.point[0][1]) and len(r.losses) > 2 for r in members):
        return
    ordered = sorted(members, key=lambda r: float(r.point[0][1]))
    rising = [bool((np.diff(r.losses[: results.last + 1]) > 0).any()) for r in ordered]
    if not any(rising) or rising[0]:
        return
    first = rising.index(True)
    facts: Facts = {
        "steady": Subject("", ordered[first - 1].point),
        "rising": Subject("", ordered[first].point),
        "count": Count(sum(rising)),
        "total": Count(len(ordered) - first),
    }
    yield Observation("rises", facts, runs=len(ordered))


def same_product(results: ExperimentResults) -> Iterator[Observation]:
    """Whether n times the learning rate does in a round what one learning rate does in n rounds.

    To first order in the learning rate, gradient descent follows the gradient flow for the time
    learning rate × rounds; how far the losses differ says where that picture ends.
    """
    pairs = []
    for members in results.swept.values() if len(results.swept) == 1 else ():
        plain = {
            r.run.config.optimizer.learning_rate: r
            for r in members
            if r.run.config.optimizer.name == "sgd"
            and not r.run.config.optimizer.momentum
            and r.run.config.gradients == "cleared"
        }
        for few, many in zip(results.budgets, results.budgets[1:], strict=False):
            for rate, slow in plain.items():
                quick = plain.get(float(f"{rate * many / few:.12g}"))
                one, other = slow.loss(many), quick.loss(few) if quick else None
                if quick is not None and one and other:
                    pairs.append((abs(one - other) / one, slow, quick, many, few))
    if len(pairs) < 3:
        return
    pairs.sort(key=lambda pair: pair[0])
    alike = [pair for pair in pairs if pair[0] <= CLOSE]
    worst = pairs[-1]
    facts: Facts = {
        "count": Count(len(alike)),
        "total": Count(len(pairs)),
        "share": Share(CLOSE),
        "slow": With(Subject("", worst[1].point), Rounds(worst[3])),
        "quick": With(Subject("", worst[2].point), Rounds(worst[4])),
        "difference": Share(worst[0]),
        "largest": Subject("", max(alike, key=lambda pair: pair[2].point)[2].point)
        if alike
        else Subject("", worst[2].point),
    }
    form = "" if 2 * len(alike) > len(pairs) else ("some" if alike else "none")
    yield Observation("same-product", facts, runs=2 * len(pairs), form=form)


def first_step(results: ExperimentResults) -> Iterator[Observation]:
    """Optimizers whose first step moves every weight by the learning rate, whatever its gradient.

    The bias-corrected first step of Adam is lr · g / (|g| + eps) (Kingma and Ba 2015, section 2).
    """
    for name in dict.fromkeys(r.variant for r in results.results):
        ratios = [ratio for r in results.of(name) if (ratio := _first_step_ratio(r)) is not None]
        if not ratios or len(ratios) != len(results.of(name)):
            continue
        lows, highs = zip(*ratios, strict=True)
        if min(lows) >= 1 - ALIKE and max(highs) <= 1 + ALIKE:
            facts: Facts = {
                "subject": Subject(name),
                "smallest": Share(min(lows), "min |weights[1] − weights[0]| / learning_rate"),
                "largest": Share(max(highs), "max |weights[1] − weights[0]| / learning_rate"),
                "count": Count(len(ratios)),
            }
            yield Observation("first-step", facts, runs=len(ratios))


def _first_step_ratio(result: Result) -> tuple[float, float] | None:
    """Smallest and largest first step of the weights that have a gradient, over the rate."""
    trace, rate = result.run.trace, result.run.config.optimizer.learning_rate
    if len(trace.weights) < 2 or rate == 0 or not trace.is_whole:
        return None
    moving = trace.gradients[0] != 0
    if moving.sum() < 2:
        return None
    moved = np.abs(trace.weights[1].astype(np.float64) - trace.weights[0].astype(np.float64))
    ratios = moved[moving] / rate
    return float(ratios.min()), float(ratios.max())
