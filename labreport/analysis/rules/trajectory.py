"""The way of the loss and of the weights: its length, its turns, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Share,
    Source,
    Verbatim,
    With,
)
from labreport.analysis.persistence import stays, stays_claims
from labreport.analysis.results import PRECISION, ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.lab.naming import display_order
from labreport.reference.norms import norms

MOST_WEIGHTS = 30
"""Of more weights than a reader can look at one by one, the name of one says nothing."""


@rule(
    "overshoot",
    "trajectory",
    0.91,
    thresholds=("OVERSHOOT", "ROUNDING", "STANDING_STILL"),
    part="effect",
)
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
        claims = [
            result.cite(f"{high} > OVERSHOOT * {low}"),
            result.cite(f"{high} > 2 * allowance"),
        ]
        form = "" if best else "start"
        if best and (longer := stays(results, result, results.last)) is not None:
            form = "stays"
            facts["longer"] = Count(longer.run.config.rounds, longer.cite("rounds"))
            claims += stays_claims(result, longer, results.last)
        yield Observation("overshoot", facts, runs=1, form=form, claims=tuple(claims))


@rule("frozen", "trajectory", 0.87, covers=("float-limit",))
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


@rule("monotone", "convergence", 0.2)
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


@rule("largest-move", "trajectory", 0.3, thresholds=("ROUNDING",))
def largest_move(results: ExperimentResults) -> Iterator[Observation]:
    """Report which weight moved most, and by how much."""
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


MOST_WEIGHTS = 30
"""Of more weights than a reader can look at one by one, how many cross 0 says nothing."""


@rule("sign-changes", "trajectory", 0.22)
def sign_changes(results: ExperimentResults) -> Iterator[Observation]:
    """Weights that end on the other side of 0."""
    crossing: list[With] = []
    claims: list[Source] = []
    for result in results.singles:
        step = result.index(results.last)
        last = None if step is None else result.run.trace.weights_at(step)
        if last is None or len(result.names) > MOST_WEIGHTS:
            continue
        crossed = np.sign(result.run.trace.weights[0]) * np.sign(last) < 0
        positions = tuple(k for k in display_order(result.run.config.network) if crossed[k])
        if positions:
            signs = f"sign(weights_at(0)) * sign(weights_at({step}))"
            names = Names(tuple(result.names[k] for k in positions))
            crossing.append(With(result.subject, names))
            claims.append(result.cite(f"all(({signs})[{positions},] < 0)"))
            claims.append(result.cite(f"count({signs} < 0) == {len(positions)}"))
    if crossing:
        facts: Facts = {"weights": tuple(crossing), "budget": Count(results.last)}
        yield Observation("sign-changes", facts, runs=len(crossing), claims=tuple(claims))


@dataclass(frozen=True)
class _Path:
    """The way of a run's weights up to a step.

    Attributes:
        length: of all steps together.
        distance: between its ends.
        turns: pairs of successive steps with more than a right angle between them.
    """

    result: Result
    step: int
    length: float
    distance: float
    turns: int

    @property
    def ratio(self) -> float:
        return self.length / self.distance


@rule("path", "trajectory", {"": 0.4, "straight": 0.15}, thresholds=("STRAIGHT", "WINDING"))
def path(results: ExperimentResults) -> Iterator[Observation]:
    """Compare the length of the path of the weights with the distance between its ends."""
    found = [p for r in results.singles if (p := _path(r, results.last)) is not None]
    for one in found:
        if one.ratio >= thresholds.WINDING:
            facts: Facts = {
                "subject": one.result.subject,
                "length": Number(one.length, one.result.cite(_length_formula(one.step))),
                "distance": Number(one.distance, one.result.cite(_distance_formula(one.step))),
                "ratio": Number(one.ratio, one.result.cite(_ratio_formula(one.step))),
                "turns": Count(one.turns, one.result.cite(_turns_formula(one.step))),
                "budget": Count(results.last),
            }
            claim = one.result.cite(f"{_ratio_formula(one.step)} >= WINDING")
            form = "" if one.turns else "bent"
            yield Observation("path", facts, runs=1, form=form, claims=(claim,))
    # It is said of all variants, so each must be a run whose way is known.
    whole = len(found) == len(results.plan.variants) > 1
    if whole and all(p.ratio <= thresholds.STRAIGHT for p in found):
        longest = max(found, key=lambda p: p.ratio)
        facts = {
            "count": Count(len(found), cite("size(each(rounds))", [p.result for p in found])),
            "subject": longest.result.subject,
            "ratio": Number(longest.ratio, longest.result.cite(_ratio_formula(longest.step))),
            "budget": Count(results.last),
        }
        claims = tuple(p.result.cite(f"{_ratio_formula(p.step)} <= STRAIGHT") for p in found)
        yield Observation("path", facts, runs=len(found), form="straight", claims=claims)


def _path(result: Result, budget: int) -> _Path | None:
    """None where not every step was recorded, where its ends are one point, or out of bounds."""
    step = result.index(budget)
    if step is None or step < 2 or not result.run.trace.is_whole:
        return None
    weights = result.run.trace.weights[: step + 1].astype(np.float64)
    steps = np.diff(weights, axis=0)
    with np.errstate(over="ignore"):
        distance = float(np.linalg.norm(weights[step] - weights[0]))
        lengths = np.linalg.norm(steps, axis=1)
    if distance == 0 or not np.isfinite([distance, lengths.sum()]).all():
        return None
    # Steps of a few units of rounding point anywhere.
    rounding = thresholds.ROUNDING * PRECISION[result.run.config.dtype]
    long = lengths > rounding * np.linalg.norm(weights[:-1], axis=1)
    back = np.sum(steps[:-1] * steps[1:], axis=1) < 0
    turns = int(np.sum(back & long[:-1] & long[1:]))
    return _Path(result, step, float(lengths.sum()), distance, turns)


def _steps_formula(step: int) -> str:
    return f"difference(wide(weights[:{step + 1}]))"


def _length_formula(step: int) -> str:
    return f"sum(norm({_steps_formula(step)}))"


def _distance_formula(step: int) -> str:
    return f"norm(wide(weights[{step}]) - wide(weights[0]))"


def _ratio_formula(step: int) -> str:
    return f"({_length_formula(step)} / {_distance_formula(step)})"


def _turns_formula(step: int) -> str:
    steps = _steps_formula(step)
    long = f"(norm({steps}) > ROUNDING * precision * norm(wide(weights[:{step}])))"
    back = f"(dot({steps}[:-1], {steps}[1:]) < 0)"
    return f"count({back} & {long}[:-1] & {long}[1:])"


@rule("float-limit", "convergence", 0.5, thresholds=("FEW_ROUNDS", "IDLE_SHARE"))
def float_limit(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose weights stay the same to the last bit, although rounds go on."""
    for result in results.singles:
        step, trace = result.index(results.last), result.run.trace
        if step is None or step < thresholds.FEW_ROUNDS or not trace.is_whole:
            continue
        # The loss of a round that sees some rows goes on changing with the rows.
        if not result.sees_all_rows:
            continue
        moved = np.flatnonzero((np.diff(trace.weights[: step + 1], axis=0) != 0).any(axis=1))
        if not len(moved):
            continue
        still = int(moved[-1]) + 1
        share = (step - still) / step
        if share < thresholds.IDLE_SHARE:
            continue
        norm = float(norms(trace.gradients[step]))
        moves = f"in_any(difference(weights[:{step + 1}]) != 0)"
        idle = f"({step} - (last_true({moves}) + 1)) / {step}"
        facts: Facts = {
            "subject": result.subject,
            "updates": Count(still, result.cite(f"last_true({moves}) + 1")),
            "share": Share(share, result.cite(idle)),
            "type": Verbatim(result.run.config.dtype, result.cite("setting('dtype')")),
            "loss": result.number(results.last),
            "budget": Count(results.last),
        }
        if norm:
            facts["norm"] = Number(norm, result.cite(f"norm(wide(gradients[{step}]))"))
        claims = (
            result.cite("sees_all_rows"),
            result.cite(f"{step} >= FEW_ROUNDS"),
            result.cite(f"any({moves})"),
            result.cite(f"{idle} >= IDLE_SHARE"),
            result.cite(f"norm(wide(gradients[{step}])) {'>' if norm else '=='} 0"),
        )
        form = "" if norm else "no-gradient"
        yield Observation("float-limit", facts, runs=1, form=form, claims=claims)
