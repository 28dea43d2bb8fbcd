"""What is best from random starts: where the best value lies, and whether the best may fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.along_axes import best_of, lowest_claims, one_axis
from labreport.analysis.comparing import Measure, SeedPairs, is_lower, lower_claim
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import Count, Facts, Observation, Share, Source, Subject
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import rankable
from labreport.analysis.rules.initialisation import at_one_point, solved_of
from labreport.analysis.rules.reliability import compared_starts, pairs_of


def _is_level(best: Result, other: Result, measure: Measure) -> bool:
    """Return whether a result is there, and the best one not ahead of it."""
    return measure.value(other) is not None and not is_lower(best, other, measure)


def _level_claims(
    best: Result, members: Sequence[Result], level: Sequence[int], measure: Measure
) -> Iterator[Source]:
    """The claims that the best is the lowest, and those at these places alone level with it."""
    yield from lowest_claims(best, members, measure)
    for place, other in enumerate(members):
        if other is not best and measure.value(other) is not None:
            yield lower_claim(best, other, measure, holds=place not in level)


@rule("best-from-starts", "reliability", 0.9, thresholds=("FEWEST_PAIRS", "NO_ODDS"), part="scope")
def best_from_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Between which values of a sweep the best one lies from other random starts.

    A value that is level with the best one counts as best.
    """
    axis = one_axis(results)
    if axis is None:
        return
    members, measure = axis.members, axis.measure
    starts = [results.control("other-starts", r) for r in members]
    count = min(map(len, starts))
    if count < thresholds.FEWEST_PAIRS:
        return
    found, places = [], []
    claims: list[Source] = []
    for seed in range(count):
        there = [of_point[seed] for of_point in starts]
        best = best_of(there, measure)
        if best is None:
            return
        found.append(best)
        level = [k for k, r in enumerate(there) if _is_level(best, r, measure)]
        places += level
        claims += _level_claims(best, there, level, measure)
    low, high = members[min(places)], members[max(places)]
    if low is members[0] and high is members[-1]:
        return  # Any of the values may be the best one, or level with it.
    facts: Facts = {
        "count": Count(count, cite("size(each(rounds))", found)),
        "lowest": Subject("", low.point),
        "highest": Subject("", high.point),
        "budget": Count(results.last),
    }
    claims.append(cite("size(each(rounds)) >= FEWEST_PAIRS", found))
    form, runs = "same" if low is high else "", count * len(members)
    found_there = Observation("best-from-starts", facts, runs, form=form, claims=tuple(claims))
    yield replace(found_there, strength="statistical")


@rule(
    "best-may-fail",
    "reliability",
    0.85,
    thresholds=("FAR_BEHIND", "FEWEST_PAIRS", "MOST_OF_THE_WAY", "NO_ODDS", "ROUNDING"),
    part="scope",
)
def best_may_fail(results: ExperimentResults) -> Iterator[Observation]:
    """Best values of sweeps from some of whose starts training goes little of the way.

    And ends far behind the best of them: starts that all end close together fail at nothing.
    """
    for name, starts in _starts_at_best(results):
        known = all(s.gap(results.last) is not None for s in starts)
        if not known or len(starts) < thresholds.FEWEST_PAIRS:
            continue
        near = max(
            thresholds.FAR_BEHIND * min(s.gap(results.last) or 0.0 for s in starts),
            thresholds.NO_ODDS * max(s.gap(0) or 0.0 for s in starts),
        )
        failed = sum(_has_failed(s, results.last, near) for s in starts)
        if not failed:
            continue
        first, left = (f"each({starts[0].gap_formula(b)})" for b in (0, results.last))
        closed = f"each({starts[0].closed_formula(results.last)})"
        room = f"max((FAR_BEHIND * min({left}), NO_ODDS * max({first})))"
        fails = f"count(({closed} == 0) & ({left} > {room}))"
        facts: Facts = {
            "subject": Subject(name),
            "best": Subject("", starts[0].point),
            "failed": Count(failed, cite(fails, starts)),
            "count": Count(len(starts), cite("size(each(rounds))", starts)),
            "budget": Count(results.last),
        }
        claims = (
            cite(f"{fails} > 0", starts),
            cite("size(each(rounds)) >= FEWEST_PAIRS", starts),
        )
        yield Observation(
            "best-may-fail", facts, len(starts), strength="statistical", claims=claims
        )


def _has_failed(start: Result, budget: int, near: float) -> bool:
    """Return whether a start is short of most of the way, and not as ``near`` as makes no odds."""
    return not start.is_closed(budget) and (start.gap(budget) or 0.0) > near


def _starts_at_best(results: ExperimentResults) -> Iterator[tuple[str, tuple[Result, ...]]]:
    """The starts of each variant at its best value: by the median, or of one run its controls."""
    for name, points in results.gridded.items():
        groups = [members for members in points.values() if rankable(members)]
        if len(groups) == len(points) and all(_got(members, results.last) for members in groups):
            yield name, min(groups, key=lambda members: _middle(members, results.last))
    axis = one_axis(results)
    if axis is not None and axis.best is not None:
        yield axis.best.variant, results.control("other-starts", axis.best)


def _got(members: Sequence[Result], budget: int) -> bool:
    return all(r.loss(budget) is not None for r in members)


def _middle(members: Sequence[Result], budget: int) -> float:
    return float(np.median([r.loss(budget) or 0.0 for r in members]))


@rule(
    "solved-less-often",
    "reliability",
    0.97,
    thresholds=("MOST_OF_THE_WAY", "NO_ODDS", "ROUNDING", "SIGNIFICANCE"),
    part="scope",
)
def solved_less_often(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that are lower from most starts, and go most of the way from fewer than others."""
    groups = {
        name: solved
        for name, points in at_one_point(results)
        for point, members in points.items()
        if (solved := solved_of(results, name, point, members)) is not None
    }
    for members, theirs in compared_starts(results):
        pairs = pairs_of(members, theirs, results.last)
        if not pairs.runs or not pairs.direction:
            continue
        pairs = pairs if pairs.direction > 0 else pairs.turned
        ahead, behind = (Subject(r.variant) for r in pairs.runs[0])
        few, more = groups.get(ahead.variant), groups.get(behind.variant)
        if few is None or more is None or few.total != more.total:
            continue
        succeeded = _succeeded_apart(pairs)
        if succeeded[0] >= succeeded[1] or sign_test(*succeeded) > thresholds.SIGNIFICANCE:
            continue
        facts: Facts = {
            "subject": ahead,
            "other": behind,
            "fewer": few.share,
            "more": more.share,
            "share": Share(thresholds.MOST_OF_THE_WAY),
            "budget": Count(results.last),
        }
        yield Observation(
            "solved-less-often",
            facts,
            runs=few.total + more.total,
            strength="statistical",
            claims=(pairs.direction_claim(1), few.claim, more.claim, _succeeded_claim(pairs)),
        )


def _succeeded_apart(pairs: SeedPairs) -> tuple[int, int]:
    """From how many seeds only the first, and only the second, goes most of the way."""
    closed = [[r.is_closed(pairs.budget) for r in pair] for pair in pairs.runs]
    return sum(a and not b for a, b in closed), sum(b and not a for a, b in closed)


def _succeeded_claim(pairs: SeedPairs) -> Source:
    """The claim that this is the second more often than chance explains."""
    count = len(pairs.runs)
    first, second = (r.closed_formula(pairs.budget) for r in pairs.runs[0])
    mine, theirs = f"each({first})[:{count}]", f"each({second})[{count}:]"
    few, more = f"count({mine} > {theirs})", f"count({theirs} > {mine})"
    return pairs.cite(f"{few} < {more} and sign_test({few}, {more}) <= SIGNIFICANCE")
