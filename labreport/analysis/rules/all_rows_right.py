"""From how many random starts all training rows are put into their own class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labreport.analysis import thresholds
from labreport.analysis.classes import accuracy, accuracy_formula, decided, labels, ties_formula
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    Source,
    Subject,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.initialisation import at_one_point

MOST_GROUPS = 8
"""Values whose names a sentence holds, each in one of three lists."""

P_DIGITS = 2
"""Digits of a probability."""

OF_VALUES = ("every-some-none", "every-some", "every-none", "some-none")
"""Forms of a sweep, by which kinds of values there are: all starts succeed, some, or none."""


@dataclass(frozen=True)
class _Starts:
    """The starts of a variant at one value.

    Attributes:
        subject: the variant, or the value.
        members: its runs.
        seeds: those of the runs that put all rows into their class.
        each: formula of which runs do so.
    """

    subject: Subject
    members: Sequence[Result]
    seeds: frozenset[int | None]
    each: str

    @property
    def right(self) -> int:
        """How many runs put all rows into their class."""
        return len(self.seeds)

    @property
    def source(self) -> Source:
        return cite(f"count({self.each})", self.members)

    @property
    def share(self) -> OutOf:
        return OutOf(self.right, len(self.members), self.source)

    @property
    def rate(self) -> float:
        return self.right / len(self.members)


@rule(
    "all-right-starts",
    "classification",
    0.93,
    thresholds=("ROUNDING", "SIGNIFICANCE"),
    part=dict.fromkeys(("two", "two-open", "variants", "between", *OF_VALUES), "effect"),
)
def all_right_starts(results: ExperimentResults) -> Iterator[Observation]:
    """From how many starts all training rows are right: by variant, or by value of a sweep."""
    variants = [*results.gridded.items(), *at_one_point(results)]
    several = len(variants) > 1
    found = [
        _starts(results, Subject(name if several else "", point), members)
        for name, points in variants
        for point, members in points.items()
    ]
    groups = [group for group in found if group is not None]
    rates = {group.rate for group in groups}
    totals = {len(group.members) for group in groups}
    # Where equally many starts of each succeed, there is no difference to tell.
    if len(groups) < len(found) or len(groups) > MOST_GROUPS or len(rates) < 2 or len(totals) > 1:
        return
    is_sweep = not several and len({_kind(group) for group in groups}) > 1
    form, facts = _by_value(groups) if is_sweep else _most_and_fewest(groups)
    tested: tuple[Source, ...] = ()
    if form == "two":
        form, p = _told_apart(*sorted(groups, key=lambda group: -group.rate))
        facts = {**facts, "p": p} if form == "two-open" else facts
        tested = _test_claims(form, p)
    yield Observation(
        "all-right-starts",
        {**facts, "budget": Count(results.last)},
        runs=sum(len(group.members) for group in groups),
        form=form,
        strength="statistical",
        claims=(
            *(cite(f"{g.source.formula} == {g.right}", g.members) for g in groups),
            *tested,
        ),
    )


def _starts(
    results: ExperimentResults, subject: Subject, members: Sequence[Result]
) -> _Starts | None:
    """None where rows are in no classes, or the runs are not of equal length."""
    if any(labels(r.run.config) is None for r in members):
        return None
    there = [r for r in members if accuracy(r, results.last) is not None]
    if not there or len({r.index(results.last) for r in members}) > 1:
        return None
    last = results.last
    right = [r for r in there if is_all_right(r, last)]
    shares, level = (f(there[0], last) for f in (accuracy_formula, ties_formula))
    each = f"((each({shares}) == 1) & (each({level}) == 0))"
    return _Starts(subject, there, frozenset(r.trial.seed for r in right), each)


def is_all_right(result: Result, budget: int) -> bool:
    """Return whether all training rows are in their own class, and none by how ties are counted."""
    return accuracy(result, budget) == 1 and decided(result, budget)


def _told_apart(most: _Starts, fewest: _Starts) -> tuple[str, Number]:
    """Whether more starts of one succeed than chance explains, by those in which the two differ.

    McNemar's exact test: a sign test of the pairs of equal seeds of which one alone succeeds.
    """
    seeds = {r.trial.seed for r in most.members} & {r.trial.seed for r in fewest.members}
    pairs = [[r for r in group.members if r.trial.seed in seeds] for group in (most, fewest)]
    each, count = most.each, len(seeds)
    mine, theirs = f"{each}[:{count}]", f"{each}[{count}:]"
    formula = f"sign_test(count({mine} > {theirs}), count({mine} < {theirs}))"
    better, worse = (
        len(a & seeds - b) for a, b in ((most.seeds, fewest.seeds), (fewest.seeds, most.seeds))
    )
    value = sign_test(better, worse)
    form = "two" if value <= thresholds.SIGNIFICANCE else "two-open"
    return form, Number(value, cite(formula, (*pairs[0], *pairs[1])), P_DIGITS)


def _test_claims(form: str, p: Number) -> tuple[Source, ...]:
    """The claim that chance explains the difference, or does not."""
    assert p.source is not None
    sign = "<=" if form == "two" else ">"
    return (Source(f"{p.source.formula} {sign} SIGNIFICANCE", p.source.runs),)


def _kind(group: _Starts) -> str:
    """Whether every start succeeds, some, or none."""
    return "every" if group.rate == 1 else "some" if group.rate else "none"


def _by_value(groups: Sequence[_Starts]) -> tuple[str, Facts]:
    """The values at which all starts succeed, some of them, and none."""
    kinds = {
        kind: tuple(g.subject for g in groups if _kind(g) == kind)
        for kind in ("every", "some", "none")
    }
    there: Facts = {kind: names for kind, names in kinds.items() if names}
    return "-".join(there), {**there, "count": Count(len(groups[0].members))}


def _most_and_fewest(groups: Sequence[_Starts]) -> tuple[str, Facts]:
    """Who succeeds from most starts and who from fewest, and who is between them."""
    most, fewest = (pick(groups, key=lambda g: g.rate) for pick in (max, min))
    between = tuple(g.subject for g in groups if fewest.rate < g.rate < most.rate)
    facts: Facts = {
        "first": tuple(g.subject for g in groups if g.rate == most.rate),
        "most": most.share,
        "last": tuple(g.subject for g in groups if g.rate == fewest.rate),
        "fewest": fewest.share,
    }
    if between:
        return "between", {**facts, "between": between}
    return "two" if len(groups) == 2 else "variants", facts
