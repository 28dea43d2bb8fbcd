"""Points of a sweep, as sentences name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labreport.analysis.observation import Fact, From, Subject, Wording
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.plan import Plan

RATE = "optimizer.learning_rate"
"""The key of the learning rate, as points have it."""


def from_a_value_on(results: ExperimentResults, members: Sequence[Result]) -> tuple[Fact, ...]:
    """Points as they are told: from a value on, where a variant's larger ones are all among them.

    Args:
        results: the experiment.
        members: some of the points of its sweeps.
    """
    return among_points(results.swept, members)


def among_points(
    sweeps: Mapping[str, Sequence[Result]], members: Sequence[Result]
) -> tuple[Fact, ...]:
    """The same of points that have one result each, by their variant."""
    told: list[Fact] = []
    for name, points in sweeps.items():
        mine = [r for r in members if r.variant == name]
        ordered = sorted(points, key=_value_of) if _is_line(points) else []
        if len(mine) > 1 and {id(r) for r in ordered[-len(mine) :]} == {id(r) for r in mine}:
            told.append(From(ordered[-len(mine)].subject))
        else:
            told += [r.subject for r in mine]
    return tuple(told)


def _is_line(points: Sequence[Result]) -> bool:
    """Return whether the points differ in one number."""
    return all(len(r.point) == 1 and is_number(r.point[0][1]) for r in points)


def _value_of(result: Result) -> float:
    return float(result.point[0][1])


def is_number(value: object) -> bool:
    """Return whether a swept value is a number, which truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def title_of(plan: Plan) -> Wording:
    """The title of the experiment of a plan."""
    written = plan.experiment.title
    return Wording(written.within("zh"), written.within("en"), is_name=True)


def point_or_variant(result: Result) -> Subject:
    """What a result is called beside others: by its point where it has one, or by its variant."""
    return Subject("", result.point) if result.point else Subject(result.variant)
