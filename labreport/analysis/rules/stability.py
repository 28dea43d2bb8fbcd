"""Divergence, and runs that end worse than they began."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.observation import Count, Facts, Observation, Rounds, Subject, With
from labreport.analysis.results import ExperimentResults


def diverged(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose numbers stopped being finite."""
    ended = [r for r in results.results if r.diverged and r.trial.seed is None]
    if ended:
        facts: Facts = {
            "subjects": tuple(
                With(Subject(r.variant, r.point), Rounds(r.run.trace.ending.step)) for r in ended
            ),
            "count": Count(len(ended)),
        }
        yield Observation("diverged", facts, runs=len(ended))


def worse_than_start(results: ExperimentResults) -> Iterator[Observation]:
    """Points of a sweep at which training ended above the loss that it began with."""
    worse = []
    for members in results.swept.values():
        for result in members:
            final, first = result.loss(results.last), result.initial_loss
            if final is not None and first is not None and final > first:
                worse.append(result)
    if worse:
        facts: Facts = {
            "subjects": tuple(Subject(r.variant, r.point) for r in worse),
            "count": Count(len(worse)),
            "total": Count(sum(map(len, results.swept.values()))),
            "budget": Count(results.last),
        }
        yield Observation("worse-than-start", facts, runs=len(worse))
