"""What replicates allow to be said: differences against chance, and how many starts it takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Count, Facts, Number, Observation, Share, Subject
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rules.comparison import comparable
from labreport.analysis.statistics import median_interval, sign_test, smallest_p

ROUGH = 2
"""Digits of a probability: more say nothing."""

Pair = tuple[Result, Result]


def pairs_of(mine: tuple[Result, ...], theirs: tuple[Result, ...], budget: int) -> list[Pair]:
    """Runs from the same seed that both got so far and whose losses measure the same thing."""
    by_seed = {r.trial.seed: r for r in theirs}
    return [
        (r, other)
        for r in mine
        if (other := by_seed.get(r.trial.seed)) is not None
        and r.loss(budget) is not None
        and other.loss(budget) is not None
        and comparable(r, other)
    ]


def differences_of(pairs: list[Pair], budget: int) -> np.ndarray:
    """Differences [pairs] of the losses, float64."""
    return np.array([(a.loss(budget) or 0.0) - (b.loss(budget) or 0.0) for a, b in pairs])


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
    if least > thresholds.SIGNIFICANCE:
        form, claims = "few", [f"smallest_p(count({apart} != 0)) > SIGNIFICANCE"]
    elif p > thresholds.SIGNIFICANCE:
        form, claims = "open", [f"{tested} > SIGNIFICANCE"]
    else:
        form = "lower" if below > above else "higher"
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
