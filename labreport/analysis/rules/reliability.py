"""Conclusions from replicates: differences against chance, and the number of starts needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.comparing import SeedPairs, losses_formula, median_claim
from labreport.analysis.measures.over_starts import Statistic, loss_over, median
from labreport.analysis.measures.statistics import median_interval, sign_test, smallest_p
from labreport.analysis.measures.statistics import pairs_needed as pairs_it_takes
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    Share,
    Source,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import comparable, rankable
from labreport.lab.plan import Point

ROUGH = 2
"""Digits of a probability."""


def compared_starts(
    results: ExperimentResults,
) -> Iterator[tuple[tuple[Result, ...], tuple[Result, ...]]]:
    """Runs of each variant that has several starts, and of the one it is compared with."""
    for name, members in results.replicated.items():
        other = results.plan.against(results.plan.variant(name))
        if other is not None and other.name in results.replicated:
            yield members, results.of(other.name)


def pairs_of(mine: Sequence[Result], theirs: Sequence[Result], budget: int) -> SeedPairs:
    """Runs from the same seed that both got so far and whose losses measure the same thing.

    A run that stands under two names is no pair: its difference from itself says nothing.
    """
    by_seed = {r.trial.seed: r for r in theirs}
    found = [
        (r, other)
        for r in mine
        if (other := by_seed.get(r.trial.seed)) is not None
        and r.loss(budget) is not None
        and other.loss(budget) is not None
        and comparable(r, other)
        and r.run.config.digest != other.run.config.digest
    ]
    return SeedPairs(found, budget)


@rule(
    "paired-starts",
    "reliability",
    # A difference that is there says more than one that is not.
    {"": 0.75, "open": 0.72, "same": 0.72, "level": 0.72, "few": 0.72},
    thresholds=("SIGNIFICANCE", "BEYOND_DOUBT", "NO_ODDS"),
    part="verdict",
)
def paired_starts(results: ExperimentResults) -> Iterator[Observation]:
    """The losses of two variants, seed by seed: tests that suppose no shape of distribution."""
    for members, theirs in compared_starts(results):
        pairs = pairs_of(members, theirs, results.last)
        if pairs.runs:
            form, claims = _paired_claims(pairs)
            yield Observation(
                "paired-starts",
                _paired_facts(Subject(members[0].variant), Subject(theirs[0].variant), pairs),
                runs=2 * len(pairs.runs),
                form=form,
                strength="statistical",
                claims=tuple(pairs.cite(claim) for claim in claims),
                limits=form == "few",
            )


def _paired_facts(subject: Subject, other: Subject, pairs: SeedPairs) -> Facts:
    """The facts: the median of the differences, its interval, and their sign test."""
    apart, untied = pairs.apart, pairs.below + pairs.above
    p, least = sign_test(pairs.below, pairs.above), smallest_p(untied)
    facts: Facts = {
        "subject": subject,
        "other": other,
        "count": pairs.count,
        "lower": pairs.lower,
        "median": pairs.number(median, f"median({apart})"),
        "p": Number(p, pairs.cite(pairs.test), ROUGH),
        "least": Number(least, pairs.cite(f"smallest_p({pairs.untied})"), ROUGH),
        "level": Share(thresholds.SIGNIFICANCE),
        "budget": Count(pairs.budget),
    }
    interval = median_interval(pairs.differences.tolist(), thresholds.CONFIDENCE)
    if interval is not None:
        coverage = interval[2]
        at = "median_interval({0}, CONFIDENCE)[{1}]"
        facts["low"] = pairs.number(_limit(0), at.format(apart, 0))
        facts["high"] = pairs.number(_limit(1), at.format(apart, 1))
        facts["coverage"] = Share(coverage, pairs.cite(at.format(apart, 2)))
    facts["untied"] = Count(untied, pairs.cite(pairs.untied))
    facts["even"] = pairs.even
    return facts


def _limit(place: int) -> Statistic:
    """An end of the interval of the median."""

    def limit(differences: np.ndarray) -> float:
        found = median_interval(differences.tolist(), thresholds.CONFIDENCE)
        return found[place] if found is not None else np.nan

    return limit


def _paired_claims(pairs: SeedPairs) -> tuple[str, list[str]]:
    """The form of the sentence, and the formulas that must be true for it."""
    below, above, count = pairs.below, pairs.above, len(pairs.runs)
    if not below + above:
        return "same", [f"{pairs.untied} == 0"]
    if smallest_p(below + above) > thresholds.SIGNIFICANCE:
        form = "few" if smallest_p(count) > thresholds.SIGNIFICANCE else "level"
        sign = ">" if form == "few" else "<="
        enough = f"smallest_p({count}) {sign} SIGNIFICANCE"
        return form, [f"smallest_p({pairs.untied}) > SIGNIFICANCE", enough]
    if sign_test(below, above) > thresholds.SIGNIFICANCE:
        return "open", [f"{pairs.test} > SIGNIFICANCE"]
    if count in (below, above):
        form, told = ("lower", pairs.below_formula) if below else ("higher", pairs.above_formula)
        return f"{form}-all", [f"{told} == {count}"]
    form, sign = ("lower", ">") if below > above else ("higher", "<")
    more = f"{pairs.below_formula} {sign} {pairs.above_formula}"
    claims = [f"{pairs.test} <= SIGNIFICANCE", more]
    if sign_test(below, above) < thresholds.BEYOND_DOUBT:
        form, claims = f"{form}-sure", [*claims, f"{pairs.test} < BEYOND_DOUBT"]
    return form, claims


@rule("pairs-needed", "reliability", 0.6, thresholds=("CONFIDENCE", "POWER", "NO_ODDS"))
def pairs_needed(results: ExperimentResults) -> Iterator[Observation]:
    """Report how many pairs it would take to see a difference that these pairs leave open."""
    for found in paired_starts(results):
        if found.form not in ("open", "few"):
            continue
        subject, other = found.facts["subject"], found.facts["other"]
        assert isinstance(subject, Subject)
        assert isinstance(other, Subject)
        mine, theirs = results.of(subject.variant), results.of(other.variant)
        pairs = pairs_of(mine, theirs, results.last)
        needed = _needed(pairs)
        if needed is not None:
            yield Observation(
                "pairs-needed",
                {"subject": subject, "other": other, **needed},
                runs=2 * len(pairs.runs),
                strength="statistical",
                limits=True,
                claims=(pairs.cite(f"{_needed_formula(pairs)} > {len(pairs.runs)}"),),
            )


def _needed(pairs: SeedPairs) -> Facts | None:
    """The facts on the number of pairs it takes; None where these are enough, or do not tell."""
    count = len(pairs.runs)
    if pairs.below == pairs.above:
        return None
    needed = pairs_it_takes(
        pairs.below, pairs.above, count, thresholds.CONFIDENCE, thresholds.POWER
    )
    if needed <= count:
        return None
    return {
        "count": pairs.count,
        "lower": pairs.lower,
        "even": pairs.even,
        "needed": Count(needed, pairs.cite(_needed_formula(pairs))),
        "confidence": Share(thresholds.CONFIDENCE),
        "power": Share(thresholds.POWER),
    }


def _needed_formula(pairs: SeedPairs) -> str:
    counts = f"{pairs.below_formula}, {pairs.above_formula}, {len(pairs.runs)}"
    return f"pairs_needed({counts}, CONFIDENCE, POWER)"


@rule(
    "best-over-starts",
    "reliability",
    {
        "": 0.9,
        "open": 0.88,
        "level": 0.88,
        "mostly-level": 0.88,
        "variants": 0.93,
        "own-open": 0.88,
        "own-level": 0.88,
        "own-mostly-level": 0.88,
        "own-variants": 0.93,
    },
    thresholds=("SIGNIFICANCE", "BEYOND_DOUBT", "NO_ODDS"),
    needs_budget=False,
    part="verdict",
)
def best_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """A sweep from several starts: the point with the lowest median, against the runner-up.

    Where rounds are swept, each point is told after its own. The best is chosen by the same losses,
    so that p is multiplied by the number of the points that it is the best of (Bonferroni; Hsu
    1996, "Multiple Comparisons", chapter 4: comparisons with the best are one fewer than groups).
    """
    if results.sweeps_rounds and not results.at_own_end:
        return  # After rounds that all points have, those of one start are the same.
    tuned: list[_Tuned] = []
    own = "own-" if results.at_own_end else ""
    for name, points in results.gridded.items():
        found = _best_point(points, results.last)
        if found is None:
            continue
        tuned.append((Subject(name, found.best), found.there[found.best], found.median(found.best)))
        yield Observation(
            "best-over-starts",
            _best_facts(name, found),
            runs=sum(len(members) for members in points.values()),
            form=own + found.form,
            strength="statistical",
            claims=_best_claims(found),
        )
    yield from _variants_at_their_best(tuned, results.last, f"{own}variants")


@dataclass(frozen=True)
class _BestPoint:
    """The point of a sweep with the lowest median, and the runner-up.

    Attributes:
        there: runs that got to the budget, of every point.
        medians: of their losses, of every point that has such runs.
        best: the point with the lowest median.
        second: the point with the lowest median of the others.
        pairs: runs at the one and the other, seed by seed.
    """

    there: Mapping[Point, tuple[Result, ...]]
    medians: Mapping[Point, float]
    best: Point
    second: Point
    pairs: SeedPairs

    @property
    def losses(self) -> str:
        everyone = (r for members in self.there.values() for r in members)
        return losses_formula(everyone, self.pairs.budget)

    def median(self, point: Point) -> Number:
        """The median of the losses at a point."""
        formula, budget = f"median({self.losses})", self.pairs.budget
        return loss_over(self.there[point], budget, median, formula)

    @property
    def others(self) -> int:
        """Number of points that the best one is compared with."""
        return len(self.medians) - 1

    @property
    def p(self) -> Number:
        p = min(1.0, self.others * sign_test(self.pairs.below, self.pairs.above))
        return Number(p, self.pairs.cite(self.test), ROUGH)

    @property
    def test(self) -> str:
        """Formula of p."""
        return f"min((1, {self.others} * {self.pairs.test}))"

    @property
    def is_level(self) -> bool:
        """Return whether so many pairs are level that the others could show nothing."""
        untied, count = self.pairs.below + self.pairs.above, len(self.pairs.runs)
        return not untied or self._least(count) <= thresholds.SIGNIFICANCE < self._least(untied)

    @cached_property
    def alike(self) -> tuple[SeedPairs, ...]:
        """Pairs with the best point, of the others that are level with it from every seed."""
        best, budget = self.there[self.best], self.pairs.budget
        others = (pairs_of(best, r, budget) for p, r in self.there.items() if p != self.best)
        return tuple(p for p in others if len(p.runs) == p.level == len(best))

    def _least(self, pairs: int) -> float:
        """The smallest p of so many pairs that differ."""
        return self.others * smallest_p(pairs)

    @property
    def form(self) -> str:
        """Whether the best point is ahead by more than chance explains, or is level."""
        if self.is_level:
            return "level" if self.alike else "mostly-level"
        if self.p.value > thresholds.SIGNIFICANCE or self.pairs.below <= self.pairs.above:
            return "open"
        return "sure" if self.p.value < thresholds.BEYOND_DOUBT else "clear"


def _best_point(points: Mapping[Point, tuple[Result, ...]], budget: int) -> _BestPoint | None:
    """Find the best point of a sweep; None where there is no other, or losses do not compare."""
    there = {
        point: tuple(r for r in members if r.loss(budget) is not None)
        for point, members in points.items()
    }
    medians = {
        point: float(np.median([r.loss(budget) or 0.0 for r in members]))
        for point, members in there.items()
        if members
    }
    if len(medians) < 2 or not rankable(r for members in there.values() for r in members):
        return None
    best, second = sorted(medians, key=lambda point: medians[point])[:2]
    pairs = pairs_of(there[best], there[second], budget)
    return _BestPoint(there, medians, best, second, pairs) if pairs.runs else None


def _best_facts(name: str, found: _BestPoint) -> Facts:
    """The facts: the best point and the runner-up, their medians, and the sign test."""
    return {
        **({"alike": Count(len(found.alike))} if found.form == "level" else {}),
        "subject": Subject(name),
        "best": Subject("", found.best),
        "second": Subject("", found.second),
        "median": found.median(found.best),
        "other_median": found.median(found.second),
        "lower": found.pairs.lower,
        "even": found.pairs.even,
        "count": found.pairs.count,
        "p": found.p,
        "level": Share(thresholds.SIGNIFICANCE),
        "points": Count(len(found.there)),
        "comparisons": Count(found.others),
        "budget": Count(found.pairs.budget),
    }


def _best_claims(found: _BestPoint) -> tuple[Source, ...]:
    """The claims that the best point has the lowest median, and is or is not clearly ahead."""
    pairs, losses, best = found.pairs, found.losses, found.there[found.best]
    more = f"{pairs.below_formula} > {pairs.above_formula}"
    sure = f"{found.test} <= SIGNIFICANCE and {more}"
    level = _level_formula(found)
    forms = {"open": f"not ({sure})", "level": level, "mostly-level": level}
    others = [members for point, members in found.there.items() if point != found.best and members]
    return (
        pairs.cite(forms.get(found.form, sure)),
        *([pairs.cite(f"{found.test} < BEYOND_DOUBT")] if found.form == "sure" else []),
        *(p.cite(f"{p.untied} == 0") for p in (found.alike if found.is_level else ())),
        *(median_claim(best, members, losses) for members in others),
    )


def _level_formula(found: _BestPoint) -> str:
    """The claim that so many pairs are level that the others could show nothing."""
    if not found.pairs.below + found.pairs.above:
        return f"{found.pairs.untied} == 0"
    least, count = f"{found.others} * smallest_p({found.pairs.untied})", len(found.pairs.runs)
    return f"{found.others} * smallest_p({count}) <= SIGNIFICANCE < {least}"


_Tuned = tuple[Subject, tuple[Result, ...], Number]
"""A variant at its best point, its runs there, and the median of their losses."""


def _variants_at_their_best(
    tuned: Sequence[_Tuned], budget: int, form: str
) -> Iterator[Observation]:
    if len(tuned) < 2 or not rankable(r for _, members, _ in tuned for r in members):
        return
    ordered = sorted(tuned, key=lambda entry: entry[2].value)
    facts: Facts = {
        "medians": tuple(With(subject, median) for subject, _, median in ordered),
        "budget": Count(budget),
    }
    claims = [
        median_claim(one, other, losses_formula((*one, *other), budget))
        for (_, one, _), (_, other, _) in pairwise(ordered)
    ]
    yield Observation(
        "best-over-starts",
        facts,
        runs=sum(len(members) for _, members, _ in tuned),
        form=form,
        strength="statistical",
        claims=tuple(claims),
    )
