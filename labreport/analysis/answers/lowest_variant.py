"""Three or more variants from random starts: which of them is the lowest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.analysis import thresholds
from labreport.analysis.answers.best_from_starts import got, middle
from labreport.analysis.comparing import SeedPairs, losses_formula
from labreport.analysis.measures.statistics import sign_test, smallest_p
from labreport.analysis.observation import Count, Facts, Number, Observation, Source, Subject
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import rankable
from labreport.analysis.rules.reliability import pairs_of


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
    complete = all(got(members, last) for members in groups)
    if len(groups) < 3 or not complete or not rankable(r for group in groups for r in group):
        return
    best, *others = sorted(groups, key=lambda group: middle(group, last))
    pairs = [pairs_of(best, other, last) for other in others]
    if not all(_are_enough(p, len(best), len(pairs)) for p in pairs):
        return
    if all(p.level == len(p.runs) for p in pairs):
        return
    level = [p for p in pairs if not _is_sure(p, len(pairs))]
    form = "open" if level else "all" if all(p.below == len(best) for p in pairs) else ""
    facts: Facts = {
        "subject": Subject(best[0].variant),
        "total": Count(len(groups)),
        "median": _median_of(best, last),
        "count": pairs[0].count,
        "budget": Count(last),
        **(_not_told_apart(level) if level else _next(pairs, last)),
    }
    yield Observation(
        "lowest-variant",
        facts,
        runs=sum(map(len, groups)),
        form=form,
        strength="statistical",
        claims=(*_lowest_claims(pairs, last), *(() if level else _next_claims(pairs, last))),
    )


def _not_told_apart(level: Sequence[SeedPairs]) -> Facts:
    return {"others": tuple(Subject(p.runs[0][1].variant) for p in level)}


def _next(pairs: Sequence[SeedPairs], budget: int) -> Facts:
    """The facts on the runner-up, and in how many pairs the best is lower at least."""
    second = [other for _, other in pairs[0].runs]
    least = min(pairs, key=lambda p: p.below)
    return {
        "other": Subject(second[0].variant),
        "other_median": _median_of(second, budget),
        "lower": least.lower,
    }


def _lowest_claims(pairs: Sequence[SeedPairs], budget: int) -> Iterator[Source]:
    """The claims that no median is lower, and of whom chance explains that it is higher."""
    for p in pairs:
        sure = _sure_formula(p, len(pairs))
        yield p.cite(sure if _is_sure(p, len(pairs)) else f"not ({sure})")
        mine, theirs = zip(*p.runs, strict=True)
        yield _median_claim(mine, theirs, budget)


def _next_claims(pairs: Sequence[SeedPairs], budget: int) -> Iterator[Source]:
    """The claims that the runner-up is that, and that the best is lower in so many pairs."""
    least = min(p.below for p in pairs)
    second = [other for _, other in pairs[0].runs]
    for p in pairs:
        yield p.cite(f"{p.below_formula} >= {least}")
    for p in pairs[1:]:
        yield _median_claim(second, [other for _, other in p.runs], budget)


def _are_enough(pairs: SeedPairs, starts: int, others: int) -> bool:
    """Return whether every start has its pair, and so many could show a difference."""
    return len(pairs.runs) == starts and others * smallest_p(starts) <= thresholds.SIGNIFICANCE


def _is_sure(pairs: SeedPairs, others: int) -> bool:
    """Return whether the first is lower more often than chance explains, chosen among so many."""
    p = others * sign_test(pairs.below, pairs.above)
    return pairs.below > pairs.above and p <= thresholds.SIGNIFICANCE


def _sure_formula(pairs: SeedPairs, others: int) -> str:
    more = f"{pairs.below_formula} > {pairs.above_formula}"
    return f"{more} and {others} * {pairs.test} <= SIGNIFICANCE"


def _median_of(members: Sequence[Result], budget: int) -> Number:
    source = cite(f"median({losses_formula(members, budget)})", members)
    return Number(middle(members, budget), source)


def _median_claim(one: Sequence[Result], other: Sequence[Result], budget: int) -> Source:
    """The claim that the first has no higher median."""
    losses = losses_formula((*one, *other), budget)
    lower = f"median({losses}[:{len(one)}]) <= median({losses}[{len(one)}:])"
    return cite(lower, (*one, *other))
