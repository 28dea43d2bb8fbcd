"""How the loss and the weights went."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis.observation import Count, Facts, Names, Number, Observation, Subject, With
from labreport.analysis.results import ExperimentResults

OVERSHOOT = 1.5
"""The distance from the floor at the end against the smallest on the way: half as much again is
more than any figure would hide, and far more than rounding makes."""


def overshoot(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that were nearer to the floor once than they are at the end."""
    for result in results.singles:
        best, end, final = result.best_round, result.gap(results.last), result.loss(results.last)
        if best is None or end is None or final is None or best >= results.last:
            continue
        lowest = result.gap(best)
        if lowest is None or end <= OVERSHOOT * lowest or end <= 2 * result.at_floor:
            continue
        facts: Facts = {
            "subject": Subject(result.variant, result.point),
            "round": Count(best + 1, "argmin of losses, as the round that prints it"),
            "updates": Count(best, "argmin of losses"),
            "lowest": Number(float(result.losses[best]), f"losses[{best}]"),
            "budget": Count(results.last),
            "final": Number(final, f"losses[{result.index(results.last)}]"),
        }
        yield Observation("overshoot", facts, runs=1)


def monotone(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose loss never rose."""
    measured = [r for r in results.singles if len(r.losses) > 2]
    steady = [r for r in measured if bool((np.diff(r.losses) <= 0).all())]
    if steady and len(measured) > 1:
        facts: Facts = {
            "subjects": tuple(Subject(r.variant, r.point) for r in steady),
            "rounds": Count(min(r.run.trace.rounds for r in steady)),
        }
        form = "all" if len(steady) == len(measured) else ""
        yield Observation("monotone", facts, runs=len(steady), form=form)


def largest_move(results: ExperimentResults) -> Iterator[Observation]:
    """Which weight moved most, by how much."""
    moves = []
    for result in results.singles:
        step = result.index(results.last)
        if step is None:
            continue
        last = result.run.trace.weights_at(step)
        if last is None:
            continue
        moved = last.astype(np.float64) - result.run.trace.weights[0].astype(np.float64)
        which = int(np.abs(moved).argmax())
        if moved[which] == 0:
            continue
        source = f"weights[{step}][{which}] − weights[0][{which}]"
        moves.append(
            With(
                Subject(result.variant, result.point),
                (Names((result.names[which],)), Number(float(moved[which]), source)),
            )
        )
    if moves:
        facts: Facts = {"moves": tuple(moves), "budget": Count(results.last)}
        yield Observation("largest-move", facts, runs=len(moves))
