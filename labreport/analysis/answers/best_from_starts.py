"""What is best from random starts: where the best value lies, and whether the best may fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.along_axes import best_of, lowest_claims, one_axis
from labreport.analysis.comparing import (
    Measure,
    SeedPairs,
    is_lower,
    lower_claim,
)
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Share,
    Source,
    Subject,
)
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


@dataclass(frozen=True)
class _Repeated:
    """A sweep repeated from other random starts.

    Attributes:
        members: its points from the start of the lab.
        best: the lowest from each other start.
        level: which points are lowest, or level with the lowest, from each other start.
        claims: that they are, and no others.
    """

    members: Sequence[Result]
    best: Sequence[Result]
    level: Sequence[Sequence[int]]
    claims: Sequence[Source]

    @property
    def count(self) -> Count:
        """How many other starts there are."""
        return Count(len(self.best), cite("size(each(rounds))", self.best))

    @property
    def enough(self) -> Source:
        """The claim that they are enough to say anything."""
        return cite("size(each(rounds)) >= FEWEST_PAIRS", self.best)

    @property
    def range(self) -> tuple[Result, Result] | None:
        """Between which points the best one lies; None where it may be any of them."""
        places = [place for one in self.level for place in one]
        low, high = self.members[min(places)], self.members[max(places)]
        is_any = low is self.members[0] and high is self.members[-1]
        return None if is_any else (low, high)

    def times(self, place: int) -> int:
        """From how many starts a point is lowest, or level with the lowest."""
        return sum(place in one for one in self.level)


def _repeated(
    results: ExperimentResults, members: Sequence[Result], measure: Measure
) -> _Repeated | None:
    """Find the best from each start; None where there are too few starts, or all ended before."""
    starts = [results.control("other-starts", r) for r in members]
    count = min(map(len, starts))
    if count < thresholds.FEWEST_PAIRS:
        return None
    found, places = [], []
    claims: list[Source] = []
    for seed in range(count):
        there = [of_point[seed] for of_point in starts]
        best = best_of(there, measure)
        if best is None:
            return None
        level = [k for k, r in enumerate(there) if _is_level(best, r, measure)]
        found.append(best)
        places.append(level)
        claims += _level_claims(best, there, level, measure)
    return _Repeated(members, found, places, claims)


@rule("best-from-starts", "reliability", 0.9, thresholds=("FEWEST_PAIRS", "NO_ODDS"), part="scope")
def best_from_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Between which values of a sweep the best one lies from other random starts.

    A value that is level with the best one counts as best.
    """
    axis = one_axis(results)
    again = axis and _repeated(results, axis.members, axis.measure)
    if not again or again.range is None:
        return
    low, high = again.range
    facts: Facts = {
        "count": again.count,
        "lowest": Subject("", low.point),
        "highest": Subject("", high.point),
        "budget": Count(results.last),
    }
    form, runs = "same" if low is high else "", len(again.best) * len(again.members)
    claims = (*again.claims, again.enough)
    found_there = Observation("best-from-starts", facts, runs, form=form, claims=claims)
    yield replace(found_there, strength="statistical")


@rule(
    "point-over-starts",
    "reliability",
    {"": 0.9, "some": 0.95, "other": 0.96},
    thresholds=("FEWEST_PAIRS", "MOSTLY_STARTS", "NO_ODDS"),
    part="scope",
)
def point_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """From how many other starts the best point of a sweep is best as well.

    Of points that have no order, or where the best one may lie anywhere among the values.
    """
    swept = _one_sweep(results)
    again = swept and _repeated(results, *swept)
    if not swept or not again or (one_axis(results) is not None and again.range is not None):
        return
    best = best_of(*swept)
    level = [r for r in again.members if best is not None and _is_level(best, r, swept[1])]
    if best is None or len(level) > 1:
        return
    times = [again.times(place) for place in range(len(again.members))]
    place = again.members.index(best)
    most = max(range(len(times)), key=lambda k: (times[k], k == place))
    form = "other" if most != place else "some"
    mostly = times[place] >= thresholds.MOSTLY_STARTS * len(again.best)
    form = "" if mostly else form
    facts: Facts = {
        "best": Subject("", best.point),
        "wins": Count(times[place]),
        "count": again.count,
        "budget": Count(results.last),
    }
    if form == "other":
        facts |= {"other": Subject("", again.members[most].point), "other_wins": Count(times[most])}
    behind = (r for r in again.members if r is not best and swept[1].value(r) is not None)
    own = [lower_claim(best, r, swept[1]) for r in behind]
    sign = ">=" if mostly else "<"
    own.append(cite(f"{times[place]} {sign} MOSTLY_STARTS * size(each(rounds))", again.best))
    yield Observation(
        "point-over-starts",
        facts,
        len(again.best) * len(again.members),
        form=form,
        strength="statistical",
        claims=(*again.claims, again.enough, *own),
    )


def _one_sweep(results: ExperimentResults) -> tuple[Sequence[Result], Measure] | None:
    """The points of the one variant that is swept, in their order, and their measure."""
    axis = one_axis(results)
    if axis is not None:
        return axis.members, axis.measure
    if len(results.swept) != 1:
        return None
    ((_, members),) = results.swept.items()
    measure = Measure.of(members, results.last)
    return None if measure is None or len(members) < 2 else (members, measure)


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
        if len(groups) == len(points) and all(got(members, results.last) for members in groups):
            yield name, min(groups, key=lambda members: middle(members, results.last))
    axis = one_axis(results)
    if axis is not None and axis.best is not None:
        yield axis.best.variant, results.control("other-starts", axis.best)


def got(members: Sequence[Result], budget: int) -> bool:
    """Return whether all runs got so far."""
    return all(r.loss(budget) is not None for r in members)


def middle(members: Sequence[Result], budget: int) -> float:
    """The median of their losses."""
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
