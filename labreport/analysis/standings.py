"""Who is ahead at each number of rounds, of variants that are one run each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.observation import Source
from labreport.analysis.persistence import longer
from labreport.analysis.results import ExperimentResults, Result, distinct

MOMENTS = 10
"""Numbers of rounds in the last fifth of a training at which the lead is looked at."""


def last_moments(rounds: int) -> tuple[int, ...]:
    """Numbers of rounds in the last fifth of a training, that of its end the last."""
    return tuple(np.linspace(-(-4 * rounds // 5), rounds, MOMENTS, dtype=int).tolist())


@dataclass(frozen=True)
class Standing:
    """The runs of an experiment at one number of rounds.

    Attributes:
        measure: that they are compared by.
        first: those that none of the others is lower than by more than anybody would mind; the
            lowest is the first of them.
        others: the rest, the lowest first.
    """

    measure: Measure
    first: tuple[Result, ...]
    others: tuple[Result, ...]

    @property
    def claims(self) -> Iterator[Source]:
        lowest = self.first[0]
        for result in self.first[1:]:
            yield lower_claim(lowest, result, self.measure, holds=False)
            yield lower_claim(result, lowest, self.measure, holds=False)
        for result in self.others:
            yield lower_claim(lowest, result, self.measure)


def compared(results: ExperimentResults) -> tuple[Result, ...]:
    """The distinct single runs that can be compared, the first variant's among them.

    Runs of a learning rate of 0 are no competitors.
    """
    there = [r for r in results.singles if r.is_trained and r.loss(results.last) is not None]
    if not there:
        return ()
    alike = [r for r in there if Measure.of((there[0], r), results.last) is not None]
    return tuple(distinct(alike))


def standing(runs: Sequence[Result], budget: int) -> Standing | None:
    """Who is ahead after so many rounds; None where there is nothing to compare."""
    measure = Measure.of(runs, budget)
    if measure is None or any(measure.value(r) is None for r in runs):
        return None
    ordered = sorted(runs, key=lambda r: measure.value(r) or 0.0)
    lowest = ordered[0]
    behind = [r for r in ordered if is_lower(lowest, r, measure)]
    return Standing(measure, tuple(r for r in ordered if r not in behind), tuple(behind))


def standings(results: ExperimentResults) -> tuple[Standing, ...]:
    """Who is ahead at each budget; none where fewer than two runs can be compared."""
    runs = compared(results)
    found = [standing(runs, budget) for budget in results.budgets] if len(runs) > 1 else []
    return tuple(s for s in found if s is not None) if None not in found else ()


def standing_when_continued(results: ExperimentResults) -> Standing | None:
    """Who is ahead when all are trained on to the same round; None where not all were.

    Nor where runs that are the same so far are no longer when they are continued, or where the lead
    changes hands in the last fifth.
    """
    if _part_later(results):
        return None
    continued = [longer(results, r) for r in compared(results)]
    there = [c for c in continued if c is not None]
    if not there or len(there) < len(continued) or len({c.run.config.rounds for c in there}) > 1:
        return None
    rounds = there[0].run.config.rounds
    found = standing(there, rounds)
    return found if found is not None and _is_steady(found, rounds) else None


def _is_steady(end: Standing, rounds: int) -> bool:
    """Return whether those who are ahead at the end are so throughout the last fifth.

    Losses that swing cross one another again and again: who happens to be ahead then leads nobody.
    """
    names = {r.variant for r in end.first}
    for step in last_moments(rounds):
        before = standing((*end.first, *end.others), step)
        if before is not None and {r.variant for r in before.first}.isdisjoint(names):
            return False
    return True


def _part_later(results: ExperimentResults) -> bool:
    """Return whether single runs that are the same come to different losses when continued."""
    ends: dict[object, set[float | None]] = {}
    for result in replace(results, names_once=False).singles:
        if (continued := longer(results, result)) is not None:
            end = continued.loss(continued.run.config.rounds)
            ends.setdefault(result.identity, set()).add(end)
    return any(len(losses) > 1 for losses in ends.values())
