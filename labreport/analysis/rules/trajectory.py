"""How the loss and the weights went."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.norms import norms
from labreport.analysis.observation import Count, Facts, Names, Number, Observation, With
from labreport.analysis.results import PRECISION, ExperimentResults, cite

MOST_WEIGHTS = 30
"""Of more weights than a reader can look at one by one, the name of one says nothing."""


def overshoot(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that were nearer to the floor once than they are at the end."""
    for result in results.singles:
        if not result.sees_all_rows:
            continue
        best, end, final = result.best_round, result.gap(results.last), result.loss(results.last)
        if best is None or end is None or final is None or best >= results.last:
            continue
        lowest = result.gap(best)
        if lowest is None or end <= thresholds.OVERSHOOT * lowest or end <= 2 * result.at_floor:
            continue
        low, high = result.gap_formula(best), result.gap_formula(results.last)
        facts: Facts = {
            "subject": result.subject,
            "round": Count(best + 1, result.cite("argmin(losses) + 1")),
            "updates": Count(best, result.cite("argmin(losses)")),
            "lowest": result.number(best),
            "budget": Count(results.last),
            "final": result.number(results.last),
        }
        claims = (
            result.cite(f"{high} > OVERSHOOT * {low}"),
            result.cite(f"{high} > 2 * allowance"),
        )
        form = "" if best else "start"
        yield Observation("overshoot", facts, runs=1, form=form, claims=claims)


def frozen(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose weights never move although there is a gradient to move them."""
    for result in results.singles:
        trace = result.run.trace
        if not trace.is_whole or len(trace.weights) < 2:
            continue
        if (trace.weights != trace.weights[0]).any() or not (trace.gradients != 0).any():
            continue
        norm = float(norms(trace.gradients[0]))
        facts: Facts = {
            "subject": result.subject,
            "rounds": Count(trace.rounds, result.cite("rounds")),
            "value": result.number(trace.rounds),
            "norm": Number(norm, result.cite("norm(wide(gradients[0]))")),
        }
        claims = [result.cite("all(weights == weights[0])"), result.cite("any(gradients != 0)")]
        idle = result.run.config.optimizer.learning_rate == 0
        if idle:
            claims.append(result.cite("learning_rate == 0"))
        form = "rate" if idle else ""
        yield Observation("frozen", facts, runs=1, form=form, claims=tuple(claims))


def monotone(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose loss never rose, of those that moved at all."""
    measured = [r for r in results.singles if len(r.losses) > 2 and (r.losses != r.losses[0]).any()]
    steady = [r for r in measured if bool((np.diff(r.losses) <= 0).all())]
    if steady and len(measured) > 1:
        facts: Facts = {
            "subjects": tuple(r.subject for r in steady),
            "rounds": Count(
                min(r.run.trace.rounds for r in steady), cite("min(each(rounds))", steady)
            ),
        }
        # Of any variant: also of those that ended at once, or that are more than one run.
        form = "all" if len(steady) == len(results.plan.variants) else ""
        claims = tuple(r.cite("all(difference(losses) <= 0)") for r in steady)
        yield Observation("monotone", facts, runs=len(steady), form=form, claims=claims)


def largest_move(results: ExperimentResults) -> Iterator[Observation]:
    """Which weight moved most, by how much."""
    moves, claims = [], []
    # What is told of some variants reads as if it were told of all.
    if any(len(result.names) > MOST_WEIGHTS for result in results.singles):
        return
    for result in results.singles:
        step = result.index(results.last)
        if step is None:
            continue
        last = result.run.trace.weights_at(step)
        if last is None:
            continue
        moved = last.astype(np.float64) - result.run.trace.weights[0].astype(np.float64)
        which = int(np.abs(moved).argmax())
        # What rounding alone may move says nothing of one weight.
        room = thresholds.ROUNDING * PRECISION[result.run.config.dtype]
        if np.abs(moved[which]) <= room * np.abs(last[which]):
            continue
        move = f"(wide(weights_at({step})) - wide(weights_at(0)))"
        distance = Number(float(moved[which]), result.cite(f"{move}[{which}]"))
        moves.append(With(result.subject, (Names((result.names[which],)), distance)))
        claims.append(result.cite(f"argmax(abs({move})) == {which}"))
        size = f"abs(wide(weights_at({step}))[{which}])"
        claims.append(result.cite(f"abs({move}[{which}]) > ROUNDING * precision * {size}"))
    if moves:
        facts: Facts = {"moves": tuple(moves), "budget": Count(results.last)}
        yield Observation("largest-move", facts, runs=len(moves), claims=tuple(claims))
