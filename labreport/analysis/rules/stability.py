"""Divergence, and runs that end worse than they began."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.observation import Count, Facts, Observation, Rounds, With
from labreport.analysis.results import ExperimentResults, cite
from labreport.analysis.rules.points import from_a_value_on


def diverged(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose numbers stopped being finite."""
    alone = [r for r in results.results if r.trial.seed is None]
    ended = [r for r in alone if r.diverged]
    if ended:
        facts: Facts = {
            "subjects": tuple(
                With(r.subject, Rounds(r.run.trace.ending.step, r.cite("ending_step")))
                for r in ended
            ),
            "count": Count(len(ended), cite("count(each(ending == 'diverged'))", ended)),
        }
        claims = (cite("all(each(ending == 'diverged'))", ended),)
        form = "all" if len(ended) == len(alone) > 1 else ""
        effect = len(ended) / len(alone)
        yield Observation(
            "diverged", facts, runs=len(ended), form=form, claims=claims, effect=effect
        )


def worse_than_start(results: ExperimentResults) -> Iterator[Observation]:
    """Points of a sweep at which training ended above the loss that it began with."""
    swept = results.everywhere
    worse = [r for r in swept if (end := r.loss(results.last)) is not None and end > r.losses[0]]
    if worse:
        claims = tuple(
            r.cite(f"{r.loss_formula(results.last)} {'>' if r in worse else '<='} losses[0]")
            for r in swept
            if r.loss(results.last) is not None
        )
        facts: Facts = {
            "subjects": from_a_value_on(results, worse),
            "count": Count(len(worse), cite("size(each(rounds))", worse)),
            "total": Count(len(swept), cite("size(each(rounds))", swept)),
            "budget": Count(results.last),
        }
        effect = len(worse) / len(swept)
        yield Observation("worse-than-start", facts, runs=len(swept), claims=claims, effect=effect)
