"""What replicates allow to be said: differences against chance, and how many starts it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    Rounds,
    Share,
    Source,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import comparable, rankable
from labreport.analysis.statistics import median_interval, sign_test, smallest_p, starts_needed
from labreport.lab.plan import Point

ROUGH = 2
"""Digits of a probability: more say nothing."""

Pair = tuple[Result, Result]


def pairs_of(mine: tuple[Result, ...], theirs: tuple[Result, ...], budget: int) -> list[Pair]:
    """Runs from the same seed that both got so far and whose losses measure the same thing.

    A run that stands under two names is no pair: its difference from itself says nothing.
    """
    by_seed = {r.trial.seed: r for r in theirs}
    return [
        (r, other)
        for r in mine
        if (other := by_seed.get(r.trial.seed)) is not None
        and r.loss(budget) is not None
        and other.loss(budget) is not None
        and comparable(r, other)
        and r.run.config.digest != other.run.config.digest
    ]


def differences_of(pairs: list[Pair], budget: int) -> np.ndarray:
    """Differences [pairs] of the losses, float64."""
    return np.array([(a.loss(budget) or 0.0) - (b.loss(budget) or 0.0) for a, b in pairs])


@rule("paired-starts", "reliability", 0.75, thresholds=("SIGNIFICANCE",))
def paired_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Two variants from the same seeds: the difference of their losses, seed by seed.

    The exact sign test and the interval of the median by order statistics suppose nothing of the
    shape of the distribution; losses are often skewed and have several heaps.
    """
    for name, members in results.replicated.items():
        other = results.plan.against(results.plan.variant(name))
        if other is None or other.name not in results.replicated:
            continue
        pairs = pairs_of(members, results.of(other.name), results.last)
        if pairs:
            yield _paired(results, Subject(name), Subject(other.name), pairs)


def _paired(
    results: ExperimentResults, subject: Subject, other: Subject, pairs: list[Pair]
) -> Observation:
    budget = results.last
    difference = differences_of(pairs, budget)
    below, above = int((difference < 0).sum()), int((difference > 0).sum())
    p, least = sign_test(below, above), smallest_p(below + above)
    group = [a for a, _ in pairs] + [b for _, b in pairs]
    mine, theirs = (f"each(losses[{r.index(budget)}])" for r in pairs[0])
    # Rows of either half may be cut at different steps where rounds differ.
    apart = f"({mine}[:{len(pairs)}] - {theirs}[{len(pairs)}:])"
    facts: Facts = {
        "subject": subject,
        "other": other,
        "count": Count(len(pairs), cite(f"size({apart})", group)),
        "lower": Count(below, cite(f"count({apart} < 0)", group)),
        "median": Number(float(np.median(difference)), cite(f"median({apart})", group)),
        "p": Number(p, cite(f"sign_test(count({apart} < 0), count({apart} > 0))", group), ROUGH),
        "least": Number(least, cite(f"smallest_p(count({apart} != 0))", group), ROUGH),
        "level": Share(thresholds.SIGNIFICANCE),
        "budget": Count(budget),
    }
    interval = median_interval(difference.tolist(), thresholds.CONFIDENCE)
    if interval is not None:
        low, high, coverage = interval
        at = "median_interval({0}, CONFIDENCE)[{1}]"
        facts["low"] = Number(low, cite(at.format(apart, 0), group))
        facts["high"] = Number(high, cite(at.format(apart, 1), group))
        facts["coverage"] = Share(coverage, cite(at.format(apart, 2), group))
    tested = f"sign_test(count({apart} < 0), count({apart} > 0))"
    facts["untied"] = Count(below + above, cite(f"count({apart} != 0)", group))
    if not below + above:
        form, claims = "same", [f"all({apart} == 0)"]
    elif least > thresholds.SIGNIFICANCE:
        form, claims = "few", [f"smallest_p(count({apart} != 0)) > SIGNIFICANCE"]
    elif p > thresholds.SIGNIFICANCE:
        form, claims = "open", [f"{tested} > SIGNIFICANCE"]
    else:
        form = "lower" if below > above else "higher" if below else "higher-all"
        sign = ">" if below > above else "<"
        more = f"count({apart} < 0) {sign} count({apart} > 0)"
        claims = [f"{tested} <= SIGNIFICANCE", more]
    return Observation(
        "paired-starts",
        facts,
        runs=2 * len(pairs),
        form=form,
        strength="statistical",
        claims=tuple(cite(claim, group) for claim in claims),
        limits=form == "few",
    )


@rule("pairs-needed", "reliability", 0.6, thresholds=("CONFIDENCE", "POWER"))
def pairs_needed(results: ExperimentResults) -> Iterator[Observation]:
    """How many pairs it would take to see a difference that these pairs leave open."""
    for found in paired_starts(results):
        if found.form not in ("open", "few"):
            continue
        subject, other = found.facts["subject"], found.facts["other"]
        assert isinstance(subject, Subject)
        assert isinstance(other, Subject)
        mine, theirs = results.of(subject.variant), results.of(other.variant)
        pairs = pairs_of(mine, theirs, results.last)
        difference = differences_of(pairs, results.last)
        if len(pairs) < 2 or difference.mean() == 0:
            continue
        group = [a for a, _ in pairs] + [b for _, b in pairs]
        one, two = (f"each(losses[{r.index(results.last)}])" for r in pairs[0])
        apart = f"({one}[:{len(pairs)}] - {two}[{len(pairs)}:])"
        with np.errstate(over="ignore"):
            mean, deviation = float(difference.mean()), float(difference.std(ddof=1))
        if not np.isfinite([mean, deviation]).all():
            # Losses next to what a number can hold say nothing of how many pairs it takes.
            continue
        needed = starts_needed(mean, deviation, thresholds.CONFIDENCE, thresholds.POWER)
        if needed <= len(pairs):
            continue
        formula = f"starts_needed(mean({apart}), deviation({apart}), CONFIDENCE, POWER)"
        facts: Facts = {
            "subject": subject,
            "other": other,
            "count": Count(len(pairs), cite(f"size({apart})", group)),
            "mean": Number(mean, cite(f"mean({apart})", group)),
            "deviation": Number(deviation, cite(f"deviation({apart})", group)),
            "needed": Count(needed, cite(formula, group)),
            "confidence": Share(thresholds.CONFIDENCE),
            "power": Share(thresholds.POWER),
        }
        yield Observation(
            "pairs-needed",
            facts,
            runs=len(group),
            strength="statistical",
            limits=True,
            claims=(cite(f"{formula} > size({apart})", group),),
        )


@rule(
    "best-over-starts",
    "reliability",
    {"": 0.9, "open": 0.88, "variants": 0.93},
    thresholds=("SIGNIFICANCE",),
)
def best_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """A sweep from several starts: the point with the lowest median, against the runner-up.

    Seed by seed, because points share their seeds; the exact sign test as for two variants. The
    best is chosen by the same losses, so that p is multiplied by the number of the points that it
    is the best of (Bonferroni; Hsu 1996, "Multiple Comparisons", chapter 4: comparisons with the
    best are one fewer than there are groups).
    """
    budget = results.last
    tuned: list[_Tuned] = []
    for name, points in results.gridded.items():
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
            continue
        best, second = sorted(medians, key=lambda point: medians[point])[:2]
        pairs = pairs_of(there[best], there[second], budget)
        difference = differences_of(pairs, budget)
        below, above = int((difference < 0).sum()), int((difference > 0).sum())
        others = len(medians) - 1
        p = min(1.0, others * sign_test(below, above))
        group = [a for a, _ in pairs] + [b for _, b in pairs]
        if not pairs or pairs[0][0].index(budget) != pairs[0][1].index(budget):
            continue
        losses = f"each(losses[{pairs[0][0].index(budget)}])"
        apart = f"({losses}[:{len(pairs)}] - {losses}[{len(pairs)}:])"
        tested = f"min((1, {others} * sign_test(count({apart} < 0), count({apart} > 0))))"
        facts: Facts = {
            "subject": Subject(name),
            "best": Subject("", best),
            "second": Subject("", second),
            "median": Number(medians[best], cite(f"median({losses})", there[best])),
            "other_median": Number(medians[second], cite(f"median({losses})", there[second])),
            "lower": Count(below, cite(f"count({apart} < 0)", group)),
            "count": Count(len(pairs), cite(f"size({apart})", group)),
            "p": Number(p, cite(tested, group), ROUGH),
            "level": Share(thresholds.SIGNIFICANCE),
            "points": Count(len(points)),
            "comparisons": Count(others),
            "budget": Count(budget),
        }
        clear = p <= thresholds.SIGNIFICANCE and below > above
        sure = f"{tested} <= SIGNIFICANCE and count({apart} < 0) > count({apart} > 0)"
        lowest = [
            cite(f"median({losses}[:{len(one)}]) <= median({losses}[{len(one)}:])", (*one, *other))
            for one in [there[best]]
            for point, other in there.items()
            if point != best and other
        ]
        median = Number(medians[best], cite(f"median({losses})", there[best]))
        tuned.append((Subject(name, best), there[best], median))
        yield Observation(
            "best-over-starts",
            facts,
            runs=sum(len(members) for members in points.values()),
            form="clear" if clear else "open",
            strength="statistical",
            claims=(cite(sure if clear else f"not ({sure})", group), *lowest),
        )
    yield from _variants_at_their_best(tuned, budget)


_Tuned = tuple[Subject, tuple[Result, ...], Number]
"""A variant at its best point, its runs there, and the median of their losses."""


def _variants_at_their_best(tuned: Sequence[_Tuned], budget: int) -> Iterator[Observation]:
    if len(tuned) < 2 or not rankable(r for _, members, _ in tuned for r in members):
        return
    ordered = sorted(tuned, key=lambda entry: entry[2].value)
    facts: Facts = {
        "medians": tuple(With(subject, median) for subject, _, median in ordered),
        "budget": Count(budget),
    }
    claims = []
    for (_, one, _), (_, other, _) in pairwise(ordered):
        mine, theirs = (f"each(losses[{members[0].index(budget)}])" for members in (one, other))
        lower = f"median({mine}[:{len(one)}]) <= median({theirs}[{len(one)}:])"
        claims.append(cite(lower, (*one, *other)))
    yield Observation(
        "best-over-starts",
        facts,
        runs=sum(len(members) for _, members, _ in tuned),
        form="variants",
        strength="statistical",
        claims=tuple(claims),
    )


MOST_GROUPS = 8
"""Points that a sentence tells one by one; of more it tells how many."""


@rule("solved-starts", "reliability", 0.86, thresholds=("MOST_OF_THE_WAY",))
def solved_starts(results: ExperimentResults) -> Iterator[Observation]:
    """From how many random starts training goes nine tenths of the way to the floor."""
    found = []
    for name, points in (*results.gridded.items(), *_at_one_point(results)):
        told = [s for p, members in points.items() if (s := _solved(results, name, p, members))]
        found.append(told)
    groups = [solved for told in found for solved in told]
    # Where none or all of them end there, the start decides nothing.
    if not any(s.counts[-1] for s in groups) or all(s.counts[-1] == s.total for s in groups):
        return
    if len(groups) > MOST_GROUPS:
        yield _solved_at_many(results, groups)
        return
    facts: Facts = {
        "starts": tuple(With(s.subject, s.shares) for s in groups),
        "budgets": tuple(Rounds(budget) for budget in results.budgets),
        "share": Share(thresholds.MOST_OF_THE_WAY),
    }
    yield Observation(
        "solved-starts",
        facts,
        runs=sum(s.total for s in groups),
        strength="statistical",
        claims=tuple(claim for s in groups for claim in s.claims),
    )


def _solved_at_many(results: ExperimentResults, groups: Sequence[_Solved]) -> Observation:
    """At how many points all starts, some and none go most of the way."""
    every = [s for s in groups if s.counts[-1] == s.total]
    none = [s for s in groups if not s.counts[-1]]
    facts: Facts = {
        "points": Count(len(groups)),
        "every": Count(len(every)),
        "some": Count(len(groups) - len(every) - len(none)),
        "none": Count(len(none)),
        "share": Share(thresholds.MOST_OF_THE_WAY),
        "budget": Count(results.last),
    }
    return Observation(
        "solved-starts",
        facts,
        runs=sum(s.total for s in groups),
        form="many",
        strength="statistical",
        claims=tuple(claim for s in groups for claim in s.claims),
    )


def _at_one_point(
    results: ExperimentResults,
) -> Iterator[tuple[str, Mapping[Point, tuple[Result, ...]]]]:
    for name, members in results.replicated.items():
        yield name, {members[0].point: members}


@dataclass(frozen=True)
class _Solved:
    """How many of a variant's starts are nearly at their floor.

    Attributes:
        subject: the variant and its point.
        counts: of starts, at each budget.
        sources: how each is computed.
        total: of its starts.
    """

    subject: Subject
    counts: tuple[int, ...]
    sources: tuple[Source, ...]
    total: int

    @property
    def shares(self) -> tuple[OutOf, ...]:
        return tuple(
            OutOf(count, self.total, source)
            for count, source in zip(self.counts, self.sources, strict=True)
        )

    @property
    def claims(self) -> Iterator[Source]:
        for count, source in zip(self.counts, self.sources, strict=True):
            yield Source(f"{source.formula} == {count}", source.runs)


def _solved(
    results: ExperimentResults, name: str, point: Point, members: tuple[Result, ...]
) -> _Solved | None:
    """None where a floor is not known, or no start got to a budget."""
    counts, sources = [], []
    for budget in results.budgets:
        there = [r for r in members if r.gap(budget) is not None and r.gap(0)]
        if not there:
            return None
        counts.append(sum(r.is_closed(budget) for r in there))
        sources.append(cite(f"count(each({there[0].closed_formula(budget)}))", there))
    subject = Subject(name, point)
    return _Solved(subject, tuple(counts), tuple(sources), len(members))
