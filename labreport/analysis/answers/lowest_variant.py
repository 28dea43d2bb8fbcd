"""Three or more variants from random starts: which of them has the lowest loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from labreport.analysis import thresholds
from labreport.analysis.answers.best_from_starts import got
from labreport.analysis.comparing import losses_formula, median_claim
from labreport.analysis.measures.over_starts import loss_over, median
from labreport.analysis.measures.statistics import sign_test, smallest_p
from labreport.analysis.observation import Count, Facts, Number, Observation, Source
from labreport.analysis.points import point_or_variant
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import rankable
from labreport.analysis.rules.reliability import pairs_of

Members = Sequence[Result]
"""Runs of one variant from random starts."""


class Pairs(Protocol):
    """Runs of two variants seed by seed, of which one may be lower, or neither."""

    @property
    def runs(self) -> Sequence[tuple[Result, Result]]: ...
    @property
    def below(self) -> int: ...
    @property
    def above(self) -> int: ...
    @property
    def level(self) -> int: ...
    @property
    def below_formula(self) -> str: ...
    @property
    def above_formula(self) -> str: ...
    @property
    def test(self) -> str: ...
    @property
    def lower(self) -> Count: ...
    @property
    def count(self) -> Count: ...
    def cite(self, formula: str) -> Source: ...


class LossOf(Protocol):
    """A loss after so many rounds, by which variants are compared."""

    def median(self, members: Members) -> Number:
        """The median over runs."""

    def formula(self, members: Members) -> str:
        """The formula of the losses of runs."""

    def pairs(self, mine: Members, theirs: Members) -> Pairs:
        """Runs of two variants from equal seeds."""


@dataclass(frozen=True)
class _TrainingLoss:
    """The loss that was trained, after so many rounds."""

    budget: int

    def median(self, members: Members) -> Number:
        formula = f"median({self.formula(members)})"
        return loss_over(members, self.budget, median, formula)

    def formula(self, members: Members) -> str:
        return losses_formula(members, self.budget)

    def pairs(self, mine: Members, theirs: Members) -> Pairs:
        return pairs_of(mine, theirs, self.budget)


@rule(
    "lowest-variant",
    "reliability",
    0.94,
    thresholds=("SIGNIFICANCE", "NO_ODDS"),
    part="verdict",
)
def lowest_variant(results: ExperimentResults) -> Iterator[Observation]:
    """Of three or more variants from equal seeds that with the lowest median, against each other.

    It was chosen by the same losses, so that p is multiplied by the number of the others.
    """
    groups, last = list(results.replicated.values()), results.last
    complete = bool(groups) and all(got(members, last) for members in groups)
    if complete and rankable(r for group in groups for r in group):
        found = lowest_of(groups, _TrainingLoss(last)) if len(groups) > 2 else None
        if found is not None and _are_enough(len(groups[0]), len(groups) - 1):
            facts = {**found.facts, "budget": Count(last)}
            yield replace(found, rule="lowest-variant", facts=facts)


def lowest_of(groups: Sequence[Members], loss: LossOf) -> Observation | None:
    """The observation of which group has the lowest median, without the name of its rule.

    None where not every start of the lowest has its pair in every other group.

    Args:
        groups: runs of variants, or at the points of a sweep; two or more.
        loss: by which they are compared.
    """
    best, *others = sorted(groups, key=lambda group: loss.median(group).value)
    pairs = [loss.pairs(best, other) for other in others]
    if not all(len(p.runs) == len(best) for p in pairs):
        return None
    unsure = [p for p in pairs if not _is_sure(p, len(pairs))]
    facts: Facts = {
        "subject": point_or_variant(best[0]),
        "total": Count(len(groups)),
        "median": loss.median(best),
        "count": pairs[0].count,
    }
    more: Facts
    if all(map(_is_level, pairs)):
        form, more = "level", {"highest": loss.median(others[-1])}
    elif unsure:
        form = "beside" if all(_is_level(p) for p in unsure) else "open"
        more = {"others": tuple(point_or_variant(p.runs[0][1]) for p in unsure)}
    else:
        form = "all" if all(p.below == len(best) for p in pairs) else ""
        more = _next(pairs, loss)
    return Observation(
        "",
        {**facts, **more},
        runs=sum(map(len, groups)),
        form=form,
        strength="statistical",
        claims=tuple(_claims(form, pairs, loss)),
    )


def _next(pairs: Sequence[Pairs], loss: LossOf) -> Facts:
    """The facts on the runner-up, and in how many pairs the best is lower at least."""
    second = [other for _, other in pairs[0].runs]
    least = min(pairs, key=lambda p: p.below)
    return {
        "other": point_or_variant(second[0]),
        "other_median": loss.median(second),
        "lower": least.lower,
    }


def _claims(form: str, pairs: Sequence[Pairs], loss: LossOf) -> Iterator[Source]:
    """The claims that no median is lower, of whom chance explains it, and what the form adds."""

    def claim(one: Members, other: Members) -> Source:
        return median_claim(one, other, loss.formula((*one, *other)))

    for p in pairs:
        mine, theirs = zip(*p.runs, strict=True)
        yield claim(mine, theirs)
        if not _is_level(p):
            sure = _sure_formula(p, len(pairs))
            apart = f"{p.below_formula} + {p.above_formula} > 0"
            yield p.cite(sure if _is_sure(p, len(pairs)) else f"not ({sure}) and {apart}")
        elif form in ("level", "beside"):
            yield p.cite(f"{p.below_formula} + {p.above_formula} == 0")
    others = [[other for _, other in p.runs] for p in pairs]
    if form == "level":
        yield from (claim(other, others[-1]) for other in others[:-1])
    if form in ("", "all"):
        least = min(p.below for p in pairs)
        yield from (p.cite(f"{p.below_formula} >= {least}") for p in pairs)
        yield from (claim(others[0], other) for other in others[1:])


def _is_level(pairs: Pairs) -> bool:
    """Return whether neither is lower from any seed."""
    return pairs.level == len(pairs.runs)


def _are_enough(starts: int, others: int) -> bool:
    """Return whether so many starts could show a difference from so many others."""
    return others * smallest_p(starts) <= thresholds.SIGNIFICANCE


def _is_sure(pairs: Pairs, others: int) -> bool:
    """Return whether the first is lower more often than chance explains, chosen among so many."""
    p = others * sign_test(pairs.below, pairs.above)
    return pairs.below > pairs.above and p <= thresholds.SIGNIFICANCE


def _sure_formula(pairs: Pairs, others: int) -> str:
    more = f"{pairs.below_formula} > {pairs.above_formula}"
    return f"{more} and {others} * {pairs.test} <= SIGNIFICANCE"
