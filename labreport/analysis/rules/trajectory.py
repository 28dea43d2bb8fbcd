"""The way of the loss and of the weights: its length and turns, where it ends, how fast it goes."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    Source,
    Subject,
)
from labreport.analysis.persistence import longer, stays, stays_claims
from labreport.analysis.results import PRECISION, ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.lab.controls import STARTS
from labreport.reference.norms import norms

MOST_WEIGHTS = 30
"""Of more weights than a reader can look at one by one, the name of one says nothing."""


@rule(
    "overshoot",
    "trajectory",
    0.91,
    thresholds=("OVERSHOOT", "ROUNDING", "STAYING", "NO_ODDS"),
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
        # Next to nothing on the scale of where training began is no way back.
        began = result.gap(0)
        if began is None or end - lowest <= thresholds.NO_ODDS * began:
            continue
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
            result.cite(f"{high} - {low} > NO_ODDS * {result.gap_formula(0)}"),
        ]
        form, shown = _continued(results, result, best) if best else ("start", None)
        if shown is not None:
            continued, proof = shown
            facts["longer"] = Count(continued.run.config.rounds, continued.cite("rounds"))
            claims += proof
        yield Observation("overshoot", facts, runs=1, form=form, claims=tuple(claims))


def _continued(
    results: ExperimentResults, result: Result, best: int
) -> tuple[str, tuple[Result, list[Source]] | None]:
    """What becomes of a run that has overshot when it is trained for longer, and what shows that.

    It stays where it is; or it comes clearly below its lowest loss, so that it swung.
    """
    if (there := stays(results, result, results.last)) is not None:
        return "stays", (there, list(stays_claims(result, there, results.last)))
    continued, lowest = longer(results, result), result.gap(best) or 0.0
    if continued is None or not continued.sees_all_rows or len(continued.losses) <= results.last:
        return "", None
    later = float(np.nanmin(continued.losses[results.last :])) - (result.floor.value or 0.0)
    if lowest <= thresholds.OVERSHOOT * max(later, result.at_floor):
        return "", None
    left = f"min(wide(r2.losses[{results.last}:])) - r2.floor"
    below = f"r1.losses[{best}] - r1.floor > OVERSHOOT * max(({left}, r1.allowance))"
    return "swings", (continued, [cite(below, (result, continued))])


@rule("frozen", "trajectory", 0.87)
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
        form = ""
        if result.run.config.updates == "discarded":
            claims.append(result.cite("setting('updates') == 'discarded'"))
            form = "copies"
        elif not result.is_trained:
            claims.append(result.cite("learning_rate == 0"))
            form = "rate"
        if form == "copies" and result.run.config.gradients == "accumulated":
            claims.append(result.cite("setting('gradients') == 'accumulated'"))
            facts["gathered"] = _gathered(result)
            form = "copies-gathered"
        yield Observation("frozen", facts, runs=1, form=form, claims=tuple(claims))


def _gathered(result: Result) -> Number:
    """The norm of the gradients of all rounds added up."""
    trace = result.run.trace
    value = float(norms(trace.gradients[:-1].astype(np.float64).mean(axis=0) * trace.rounds))
    formula = "norm(average_row(wide(gradients[:rounds])) * rounds)"
    return Number(value, result.cite(formula))


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


@rule(
    "speed-over-starts",
    "convergence",
    0.85,
    thresholds=("LONGER_WAY", "MOST_OF_THE_WAY", "ROUNDING", "SIGNIFICANCE"),
)
def speed_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Variants from the same starts: updates to nine tenths of the way to each one's own floor.

    Where the quickest is sooner than the slowest from more starts than chance explains. Who begins
    far higher than another one goes most of a longer way, and has come no farther down.
    """
    groups = {
        name: members[:STARTS]
        for name, members in results.replicated.items()
        if all(r.sees_all_rows and len(r.losses) and r.gap(0) is not None for r in members)
        and not any(r.starts_at_floor for r in members)
    }
    seeds = {tuple(r.trial.seed for r in members) for members in groups.values()}
    if len(groups) < 2 or len(groups) < len(results.replicated) or len(seeds) > 1:
        return
    begun = [_median_way(members) for members in groups.values()]
    if max(begun) > thresholds.LONGER_WAY * min(begun):
        return
    needed = {n: [_updates_needed(r, results.last) for r in groups[n]] for n in groups}
    ranked = sorted(groups, key=lambda name: float(np.median(needed[name])))
    soon, late = needed[ranked[0]], needed[ranked[-1]]
    sooner, later = (sum(map(way, soon, late)) for way in (operator.lt, operator.gt))
    sure = sooner > later and sign_test(sooner, later) <= thresholds.SIGNIFICANCE
    if sure and np.median(soon) <= results.last:
        yield _speeds({name: groups[name] for name in ranked}, needed, results.last)


def _speeds(
    ranked: Mapping[str, Sequence[Result]], needed: Mapping[str, Sequence[int]], budget: int
) -> Observation:
    """The observation: variants with their runs, the quickest first, and what each run needed."""
    (first, mine), *_, (last, theirs) = ranked.items()
    half, each = len(mine), f"each({_updates_formula(budget)})"
    sooner, later = (f"count({each}[:{half}] {sign} {each}[{half}:])" for sign in "<>")
    quick, slow = (ceil(np.median(needed[name])) for name in (first, last))
    middle = f"-(-median({each}) // 1)"
    facts: Facts = {
        "first": Subject(first),
        "quick": Count(quick, cite(middle, mine)),
        "last": Subject(last),
        "count": Count(half, cite("size(each(rounds))", mine)),
        "budget": Count(budget),
    }
    form = "never" if slow > budget else "two" if len(ranked) == 2 else "several"
    if form != "never":
        facts["slow"] = Count(slow, cite(middle, theirs))
    sure = f"sign_test({sooner}, {later}) <= SIGNIFICANCE and {sooner} > {later}"
    claims = [
        cite(sure, (*mine, *theirs)),
        cite(f"{middle} {'>' if form == 'never' else '<='} {budget}", theirs),
    ]
    for (_, one), (_, other) in pairwise(ranked.items()):
        order = f"median({each}[:{half}]) <= median({each}[{half}:])"
        claims.append(cite(order, (*one, *other)))
    claims.append(_alike_ways([*ranked.values()]))
    for members in ranked.values():
        gap = members[0].gap_formula(0)
        claims.append(cite(f"min(each({gap} - allowance)) > 0", members))
    runs = sum(map(len, ranked.values()))
    return Observation(
        "speed-over-starts", facts, runs, form=form, strength="statistical", claims=tuple(claims)
    )


def _alike_ways(groups: Sequence[Sequence[Result]]) -> Source:
    """The claim that starts of no group are much farther from the floor than those of another."""
    by_way = sorted(groups, key=_median_way)
    shortest, longest = by_way[0], by_way[-1]
    gaps, count = f"each({longest[0].gap_formula(0)})", len(longest)
    far = f"median({gaps}[:{count}]) <= LONGER_WAY * median({gaps}[{count}:])"
    return cite(far, (*longest, *shortest))


def _median_way(members: Sequence[Result]) -> float:
    """The median distance of starts from their floor."""
    return float(np.median([r.gap(0) or 0.0 for r in members]))


def _updates_needed(result: Result, budget: int) -> int:
    """Updates to most of the way to a run's floor; one more than the budget, if it is not there."""
    losses = result.losses[: budget + 1].astype(np.float64)
    bottom, start = result.floor.value or 0.0, result.gap(0) or 0.0
    there = losses - bottom <= (1 - thresholds.MOST_OF_THE_WAY) * start
    return int(there.argmax()) if there.any() else budget + 1


def _updates_formula(budget: int) -> str:
    """The same of the stored losses."""
    goal = "(1 - MOST_OF_THE_WAY) * max((losses[0] - floor, 0))"
    there = f"(wide(losses[:{budget + 1}]) - floor <= {goal})"
    return f"argmax({there}) + {budget + 1} * (1 - any({there}))"
