"""Random starts: their spread, where a given start is among them, how many solve it, symmetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.comparing import losses_formula
from labreport.analysis.measures.over_starts import Statistic, loss_over, median
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    Share,
    Source,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import comparable, rankable
from labreport.lab.changes import differing_keys
from labreport.lab.plan import Point


def final_losses(members: tuple[Result, ...], budget: int) -> np.ndarray:
    """Losses [runs that got so far] at a budget, float64."""
    values = [loss for r in members if (loss := r.loss(budget)) is not None]
    return np.array(values, dtype=np.float64)


def arrived(members: tuple[Result, ...], budget: int) -> list[Result]:
    """The runs that got so far."""
    return [r for r in members if r.loss(budget) is not None]


@rule("spread", "reliability", {"": 0.8, "lost": 0.9}, thresholds=("NO_ODDS",), part="effect")
def spread(results: ExperimentResults) -> Iterator[Observation]:
    """Report how much the result depends on the random start."""
    measured: list[tuple[str, tuple[Result, ...]]] = []
    for name, members in results.replicated.items():
        if len(arrived(members, results.last)) > 1:
            measured.append((name, members))
        else:
            yield _lost(results, name, members)
    if len(measured) > 1 and rankable(r for _, members in measured for r in members):
        yield _spreads(results, measured)
    else:
        # Losses of different kinds side by side would look like a ranking.
        for name, members in measured:
            yield _spread_of_one(results, name, members)


def _lost(results: ExperimentResults, name: str, members: tuple[Result, ...]) -> Observation:
    """So few starts got to the end that there is no spread to speak of."""
    facts: Facts = {
        "subject": Subject(name, members[0].point),
        "ended": _ended(results, members),
        "total": Count(len(members), cite("size(each(rounds))", members)),
    }
    return Observation("spread", facts, runs=len(members), form="lost", strength="statistical")


def _ended(results: ExperimentResults, members: Sequence[Result]) -> Count:
    """Count the runs that ended before the last budget."""
    early = [r for r in members if r.loss(results.last) is None]
    step = _step(members[0], results)
    return Count(len(early), cite(f"count(each(size(losses) <= {step}))", members))


def _spread_of_one(
    results: ExperimentResults, name: str, members: tuple[Result, ...]
) -> Observation:
    there = arrived(members, results.last)
    values = final_losses(members, results.last)
    final = f"each(losses[{_step(members[0], results)}])"

    def over(formula: str, statistic: Statistic) -> Number:
        return loss_over(there, results.last, statistic, f"{formula}({final})")

    facts: Facts = {
        "subject": Subject(name, members[0].point),
        "count": Count(len(values), cite(f"size({final})", there)),
        "ended": _ended(results, members),
        "mean": over("mean", lambda v: float(v.mean())),
        "deviation": over("deviation", _deviation),
        "median": over("median", median),
        "lowest": over("min", lambda v: float(v.min())),
        "highest": over("max", lambda v: float(v.max())),
        "budget": Count(results.last),
    }
    form = "ended" if len(values) < len(members) else ""
    return Observation("spread", facts, runs=len(members), form=form, strength="statistical")


def _deviation(values: np.ndarray) -> float:
    """Of a sample; infinite where squares are beyond what a number can hold."""
    with np.errstate(over="ignore"):
        return float(values.std(ddof=1))


def _spreads(
    results: ExperimentResults, measured: list[tuple[str, tuple[Result, ...]]]
) -> Observation:
    """Several variants in one sentence: median, lowest and highest loss of each."""
    told = []
    for name, members in measured:
        there = arrived(members, results.last)
        final = f"each(losses[{_step(members[0], results)}])"
        middle = loss_over(there, results.last, median, f"median({final})")
        told.append((Subject(name), middle))
    told.sort(key=lambda pair: pair[1].value)
    (first, lowest), (last, highest) = told[0], told[-1]
    everyone = [r for _, members in measured for r in members]
    ended = [r for r in everyone if r.loss(results.last) is None]
    facts: Facts = {
        "first": first,
        "median": lowest,
        "last": last,
        "other_median": highest,
        "total": Count(len(everyone), cite("size(each(rounds))", everyone)),
        "ended": Count(len(ended)),
        "budget": Count(results.last),
    }
    form = "several-ended" if ended else "several"
    ends = [arrived(results.of(subject.variant), results.last) for subject in (first, last)]
    scale = max(abs(r.loss(0) or 0.0) for r in (*ends[0], *ends[1]))
    is_level = highest.value - lowest.value <= thresholds.NO_ODDS * scale
    if is_level:
        form = "several-level"
        facts["subjects"] = tuple(subject for subject, _ in told)
    return Observation(
        "spread",
        facts,
        runs=len(everyone),
        form=form,
        strength="statistical",
        claims=(_level_claim(ends, results.last, holds=is_level),),
    )


def _level_claim(ends: Sequence[Sequence[Result]], budget: int, *, holds: bool) -> Source:
    """The claim that medians of the lowest and the highest variant are level, or are not."""
    low, high = ends
    losses = losses_formula((*low, *high), budget, "wide({})")
    apart = f"median({losses}[{len(low)}:]) - median({losses}[:{len(low)}])"
    sign = "<=" if holds else ">"
    return cite(f"{apart} {sign} NO_ODDS * max(abs(each(wide(losses[0]))))", (*low, *high))


def _step(result: Result, results: ExperimentResults) -> int:
    """Step of a trace that the last budget means."""
    return min(results.last, result.run.config.rounds)


@rule(
    "place-among-starts",
    "initialisation",
    {"": 0.95, "other": 0.82},
    thresholds=("NO_ODDS",),
    part={"inside": "verdict", "below": "verdict", "above": "verdict", "other": "effect"},
)
def place_among_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Rank a single start among the random ones that differ from it in nothing else."""
    written = any(r.run.config.initial.scheme == "given" for r in results.singles)
    for single in results.singles:
        loss = single.loss(results.last)
        if loss is None:
            continue
        for name, members in results.replicated.items():
            keys = differing_keys(single.run.config, members[0].run.config)
            beside = [key for key in keys if key != "seed" and not key.startswith("initial.")]
            if beside or not comparable(single, members[0]):
                continue
            # A start that is the single one under another name is not compared with itself.
            others = tuple(r for r in members if r.run.config.digest != single.run.config.digest)
            there = arrived(others, results.last)
            if there:
                found = _place(results, single, loss, name, there)
                # The start that was written down is what the comparison with chance is about.
                is_other = written and single.run.config.initial.scheme != "given"
                yield replace(found, form="other", relevance=0.0) if is_other else found


def _place(
    results: ExperimentResults, single: Result, loss: float, name: str, there: list[Result]
) -> Observation:
    values = np.array([r.loss(results.last) for r in there], dtype=np.float64)
    # Lower by more than anybody would mind.
    odds = thresholds.NO_ODDS * abs(float(single.losses[0]))
    better = int((loss - values > odds).sum())
    step = _step(single, results)
    group = (single, *there)
    mine, others = f"r1.losses[{step}]", f"each(losses[{step}])[1:]"
    room = "NO_ODDS * abs(wide(r1.losses[0]))"
    lower = f"wide({mine}) - wide({others}) > {room}"
    facts: Facts = {
        "subject": single.subject,
        "loss": single.number(results.last),
        "starts": Subject(name),
        "count": Count(len(values), cite(f"size({others})", group)),
        "median": Number(float(np.median(values)), cite(f"median({others})", group)),
        "better": Count(better, cite(f"count({lower})", group)),
        "share": Share(better / len(values), cite(f"mean({lower})", group)),
        "budget": Count(results.last),
    }
    below = f"min(wide({others})) - wide({mine}) > {room}"
    above = f"wide({mine}) - max(wide({others})) > {room}"
    form, claim = (
        ("below", below)
        if values.min() - loss > odds
        else ("above", above)
        if loss - values.max() > odds
        else ("inside", f"not ({below}) and not ({above})")
    )
    return Observation(
        "place-among-starts",
        facts,
        runs=len(values) + 1,
        relevance=0.0 if single.run.config.initial.scheme == "given" else 0.7,
        form=form,
        strength="statistical",
        claims=(cite(claim, group),),
    )


MOST_GROUPS = 2
"""Points that a sentence tells one by one; of more it tells how many."""


@rule(
    "solved-starts",
    "reliability",
    0.86,
    thresholds=("MOST_OF_THE_WAY", "ROUNDING"),
    part={"two": "effect", "variants": "effect"},
)
def solved_starts(results: ExperimentResults) -> Iterator[Observation]:
    """From how many random starts training goes nine tenths of the way to the floor."""
    found = []
    for name, points in (*results.gridded.items(), *at_one_point(results)):
        told = [s for p, members in points.items() if (s := solved_of(results, name, p, members))]
        found.append(told)
    groups = [solved for told in found for solved in told]
    # Where none or all of them end there, the start decides nothing.
    if not any(s.count for s in groups) or all(s.count == s.total for s in groups):
        return
    is_of_variants = not any(s.subject.point for s in groups)
    if is_of_variants and len({s.rate for s in groups}) > 1:
        yield _most_and_fewest(results, groups)
        return
    if len(groups) > MOST_GROUPS:
        yield _solved_at_many(results, groups)
        return
    yield _of_groups(
        results, groups, "", {"starts": tuple(With(s.subject, s.share) for s in groups)}
    )


def _of_groups(
    results: ExperimentResults, groups: Sequence[_Solved], form: str, facts: Facts
) -> Observation:
    """The observation on all of these starts, with the facts that its form tells."""
    shared: Facts = {
        "share": Share(thresholds.MOST_OF_THE_WAY),
        "budget": Count(results.last),
    }
    return Observation(
        "solved-starts",
        {**facts, **shared},
        runs=sum(s.total for s in groups),
        form=form,
        strength="statistical",
        claims=tuple(s.claim for s in groups),
    )


def _solved_at_many(results: ExperimentResults, groups: Sequence[_Solved]) -> Observation:
    """At how many points all starts, some and none go most of the way."""
    every = [s for s in groups if s.count == s.total]
    none = [s for s in groups if not s.count]
    facts: Facts = {
        "points": Count(len(groups)),
        "every": Count(len(every)),
        "some": Count(len(groups) - len(every) - len(none)),
        "none": Count(len(none)),
    }
    return _of_groups(results, groups, "many", facts)


def _most_and_fewest(results: ExperimentResults, groups: Sequence[_Solved]) -> Observation:
    """Which variants go most of the way from most starts, and which from fewest."""
    most, fewest = (pick(groups, key=lambda s: s.rate) for pick in (max, min))
    facts: Facts = {
        "first": tuple(s.subject for s in groups if s.rate == most.rate),
        "most": most.share,
        "last": tuple(s.subject for s in groups if s.rate == fewest.rate),
        "fewest": fewest.share,
    }
    return _of_groups(results, groups, "two" if len(groups) == 2 else "variants", facts)


def at_one_point(
    results: ExperimentResults,
) -> Iterator[tuple[str, Mapping[Point, tuple[Result, ...]]]]:
    for name, members in results.replicated.items():
        yield name, {members[0].point: members}


@dataclass(frozen=True)
class _Solved:
    """The numbers of a variant's starts that are nearly at their floor.

    Attributes:
        subject: the variant and its point.
        count: of starts, at the last budget.
        source: how it is computed.
        total: of its starts.
    """

    subject: Subject
    count: int
    source: Source
    total: int

    @property
    def share(self) -> OutOf:
        return OutOf(self.count, self.total, self.source)

    @property
    def rate(self) -> float:
        return self.count / self.total

    @property
    def claim(self) -> Source:
        return Source(f"{self.source.formula} == {self.count}", self.source.runs)


def solved_of(
    results: ExperimentResults, name: str, point: Point, members: tuple[Result, ...]
) -> _Solved | None:
    """None where a floor is not known, or no start got to the last budget."""
    there = [r for r in members if r.gap(results.last) is not None and r.gap(0)]
    if not there:
        return None
    count = sum(r.is_closed(results.last) for r in there)
    source = cite(f"count(each({there[0].closed_formula(results.last)}))", there)
    return _Solved(Subject(name, point), count, source, len(members))


def _tried_other_starts(results: ExperimentResults) -> bool:
    """Return whether what can be compared was compared from other starts as well."""
    alone = [r for r in (*results.singles, *results.everywhere) if r.is_trained]
    there = [r for r in alone if len(r.losses)]
    return bool(there) and all(results.control("other-starts", r) for r in there)


@rule(
    "single-start",
    "reliability",
    0.3,
    of_gradient_checks=True,
    of_constant_losses=True,
    of_equal_runs=True,
)
def single_start(results: ExperimentResults) -> Iterator[Observation]:
    """An experiment in which every comparison rests on one start, and no other was tried."""
    if results.check is not None or _tried_other_starts(results):
        return
    places = {(r.variant, r.point) for r in results.results}
    if len(places) == len(results.results):
        starts = {r.run.config.initial for r in results.results}
        given = len(starts) == 1 and not any(r.run.config.by_chance for r in results.results)
        form = "given" if given else ""
        longest = max(r.run.config.rounds for r in results.results)
        facts: Facts = {
            "count": Count(len(results.results), cite("size(each(rounds))", results.results)),
            "budget": Count(longest),
        }
        yield Observation("single-start", facts, runs=len(results.results), form=form, limits=True)
