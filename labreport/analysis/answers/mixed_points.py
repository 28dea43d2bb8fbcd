"""Sweeps in which nothing is drawn at some points: one run there, and several starts elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from labreport.analysis.observation import Count, Facts, Number, Observation, Source, With
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import rankable


@rule("points-with-and-without-chance", "reliability", 0.7, needs_budget=False, part="verdict")
def points_with_and_without_chance(results: ExperimentResults) -> Iterator[Observation]:
    """The losses of all points, of several starts the median, where some have one run alone."""
    for variant in results.plan.variants:
        points = _points_of(results.of(variant.name), results.last)
        alone = [members[0] for members in points if len(members) == 1]
        everyone = [r for members in points for r in members]
        if not alone or len(alone) == len(points) or not rankable(everyone):
            continue
        ordered = sorted(points, key=lambda members: _median(members, results.last))
        facts: Facts = {
            "medians": tuple(
                With(members[0].subject, _told(members, results.last)) for members in ordered
            ),
            "alone": tuple(r.subject for r in alone),
            "budget": Count(results.last),
        }
        claims = tuple(_not_above(*pair, results) for pair in pairwise(ordered))
        form = "own" if results.at_own_end else ""
        yield Observation(
            "points-with-and-without-chance",
            facts,
            len(everyone),
            form=form,
            strength="statistical",
            claims=claims,
        )


def _points_of(members: tuple[Result, ...], budget: int) -> list[list[Result]]:
    """The runs that got so far, point by point, of a sweep; none where nothing is swept."""
    found: dict[object, list[Result]] = {}
    for result in members:
        if result.point and result.loss(budget) is not None:
            found.setdefault(result.point, []).append(result)
    drawn = any(r.trial.seed is not None for r in members)
    return list(found.values()) if drawn and any(r.trial.seed is None for r in members) else []


def _median(members: list[Result], budget: int) -> float:
    return float(np.median([r.loss(budget) for r in members]))


def _told(members: list[Result], budget: int) -> Number:
    """The median of several starts, or the loss of the one run."""
    if len(members) == 1:
        return members[0].number(budget)
    formula = f"median(each({members[0].loss_formula(budget)}))"
    return Number(_median(members, budget), cite(formula, members))


def _not_above(lower: list[Result], higher: list[Result], results: ExperimentResults) -> Source:
    """The claim that the median of some runs is not above that of others."""
    step = -1 if results.at_own_end else lower[0].index(results.last)
    losses, count = f"each(losses[{step}])", len(lower)
    return cite(f"median({losses}[:{count}]) <= median({losses}[{count}:])", [*lower, *higher])
