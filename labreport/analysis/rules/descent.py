"""The course of a loss: whether it keeps rising, lies flat for long, or still falls at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from labreport.analysis import thresholds
from labreport.analysis.measures.digits import printed_alike
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    RoundNumber,
    Share,
    Source,
    With,
)
from labreport.analysis.persistence import longer
from labreport.analysis.results import PRECISION, SMALLEST_SCALE, ExperimentResults, Result, cite
from labreport.analysis.rule import rule

Values = NDArray[np.float64]
Truths = NDArray[np.bool_]

LAST_PART = 10
"""The end of a training is its last tenth."""


def rising(result: Result, step: int) -> Truths:
    """In which of the first ``step`` updates [step] the loss rose by more than rounding."""
    losses = _losses(result, step)
    return np.asarray(np.diff(losses) > _rounding(result, losses[:-1]), dtype=np.bool_)


def rising_formula(step: int) -> str:
    """Return the formula that marks the updates in which the loss rose."""
    return f"({_changes(step)} > {_rounding_formula(step)})"


def _losses(result: Result, step: int) -> Values:
    return result.losses[: step + 1].astype(np.float64)


def _rounding(result: Result, losses: Values) -> Values:
    """Bound the rounding error of each of these losses."""
    scale = np.maximum(np.abs(losses), SMALLEST_SCALE)
    return thresholds.ROUNDING * PRECISION[result.run.config.dtype] * scale


def _changes(step: int) -> str:
    return f"difference(wide(losses[:{step + 1}]))"


def _rounding_formula(step: int) -> str:
    return f"ROUNDING * precision * larger(abs(wide(losses[:{step + 1}][:-1])), {SMALLEST_SCALE})"


@rule(
    "oscillation",
    "stability",
    0.72,
    thresholds=("FEW_ROUNDS", "OFTEN_RISING", "ROUNDING", "UP_AND_DOWN"),
)
def oscillation(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose loss goes up and down again and again."""
    for result in results.singles:
        step = result.index(results.last)
        if step is None or step < thresholds.FEW_ROUNDS or not result.sees_all_rows:
            continue
        rises, turns = _rises_and_turns(result, step)
        if rises < thresholds.OFTEN_RISING * step or turns < thresholds.UP_AND_DOWN:
            continue
        end = _end_of_swinging(result, step)
        if end is None:
            continue
        form, ending, end_formula = end
        moved, room = _changes(step), _rounding_formula(step)
        turned = f"count(difference(sign({moved}[abs({moved}) > {room}])) != 0)"
        up = f"count({rising_formula(step)})"
        facts: Facts = {
            "subject": result.subject,
            "rises": OutOf(rises, step, result.cite(up)),
            "turns": Count(turns, result.cite(turned)),
            "budget": Count(results.last),
            "final": result.number(results.last),
            **ending,
        }
        claims = (
            result.cite("sees_all_rows"),
            result.cite(f"{step} >= FEW_ROUNDS"),
            result.cite(f"{up} >= OFTEN_RISING * {step}"),
            result.cite(f"{turned} >= UP_AND_DOWN"),
            result.cite(end_formula),
        )
        yield Observation("oscillation", facts, runs=1, form=form, claims=claims)


def _rises_and_turns(result: Result, step: int) -> tuple[int, int]:
    """Count the rises of the loss in the first ``step`` updates, and the changes of direction."""
    losses = _losses(result, step)
    changes, noise = np.diff(losses), _rounding(result, losses[:-1])
    directions = np.sign(changes[np.abs(changes) > noise])
    return int(np.sum(changes > noise)), int(np.sum(directions[1:] != directions[:-1]))


def _end_of_swinging(result: Result, step: int) -> tuple[str, Facts, str] | None:
    """The form that tells how a swinging loss ended, its facts, and the formula of its claim.

    None where it has come to rest at its lowest: a later stop would give the same.
    """
    losses = _losses(result, step)
    lowest = int(losses.argmin())
    if losses[step] != losses[lowest]:
        if printed_alike(result.number(lowest), result.number(step)):
            return "beside-lowest", {}, f"losses[{step}] > min(losses[:{step}])"
        updates = Count(lowest, result.cite(f"argmin(losses[:{step + 1}])"))
        facts: Facts = {"lowest": result.number(lowest), "updates": updates}
        return "", facts, f"losses[{step}] > min(losses[:{step}])"
    if losses[step - 1] == losses[step]:
        return None
    rested = f"losses[{step}] < losses[{step - 1}]"
    formula = f"losses[{step}] <= min(losses[:{step}]) and {rested}"
    return "lowest-last", {}, formula


@rule(
    "still-falling",
    "convergence",
    0.55,
    thresholds=("FEW_ROUNDS", "MOST_OF_THE_WAY", "ROUNDING", "STILL_FALLING"),
)
def still_falling(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that the last budget cuts off on their way down."""
    for form, group in _falls_by_form(results).items():
        if group:
            facts: Facts = {
                "subjects": tuple(fall.result.subject for fall in group),
                "count": Count(len(group)),
                "share": Share(thresholds.STILL_FALLING),
                "budget": Count(results.last),
            }
            claims = tuple(claim for fall in group for claim in fall.claims)
            yield Observation(
                "still-falling", facts, runs=len(group), form=form, limits=True, claims=claims
            )
    # Not a variant of one run that is the same as another one, and told of with it.
    several = [r for r in results.results if len(results.of(r.variant)) > 1]
    # Of those that are near their floor it is known where training would end.
    falls = [f for f in _falls_of(several, results) if not f.result.is_closed(results.last)]
    if falls:
        yield _many_falls(results, several, falls)


def _many_falls(
    results: ExperimentResults, several: Sequence[Result], falls: Sequence[_Fall]
) -> Observation:
    """How many of several runs fall to the end, and are not near their floor."""
    facts: Facts = {
        "most": max(falls, key=lambda fall: fall.share).told,
        "count": Count(len(falls)),
        "total": Count(len(several), cite("size(each(rounds))", several)),
        "share": Share(thresholds.STILL_FALLING),
        "budget": Count(results.last),
    }
    far = (
        fall.result.cite(f"not {fall.result.closed_formula(results.last)}")
        for fall in falls
        if fall.result.gap(results.last) is not None
    )
    claims = (*(claim for fall in falls for claim in fall.claims), *far)
    return Observation(
        "still-falling", facts, runs=len(several), form="many", limits=True, claims=claims
    )


def _falls_by_form(results: ExperimentResults) -> dict[str, list[_Fall]]:
    """Falls of single runs by the sentence that tells them."""
    found: dict[str, list[_Fall]] = {"": [], "loss": [], "batches": []}
    for fall in _falls_of(results.singles, results):
        form = "loss" if fall.of_loss else ""
        found[form if fall.result.sees_all_rows else "batches"].append(fall)
    return found


def _falls_of(members: Sequence[Result], results: ExperimentResults) -> list[_Fall]:
    return [
        fall
        for r in members
        if not _goes_on(r, results) and (fall := _last_fall(r, results.last)) is not None
    ]


def _goes_on(result: Result, results: ExperimentResults) -> bool:
    """Return whether there is a longer run of the same, which shows what comes next."""
    return longer(results, result) is not None or any(
        len(other.losses) - 1 > results.last
        and other.run.config.trajectory == result.run.config.trajectory
        for other in results.singles
    )


@dataclass(frozen=True)
class _Fall:
    """The share of the remaining loss that a run gained at its end.

    Attributes:
        share: of the distance from the floor; of the loss itself, where no floor is known.
        of_loss: whether it is of the loss itself.
        formula: how the share is computed.
    """

    result: Result
    share: float
    of_loss: bool
    formula: str
    claims: tuple[Source, ...]

    @property
    def told(self) -> With:
        return With(self.result.subject, Share(self.share, self.result.cite(self.formula)))


FEWEST_KNOWN = 3
"""Known losses in the last tenth of a run with mini-batches from which on they show a course."""


def _last_fall(result: Result, budget: int) -> _Fall | None:
    step = result.index(budget)
    if step is None or step < thresholds.FEW_ROUNDS:
        return None
    losses = _losses(result, step)
    known = np.flatnonzero(~np.isnan(losses))
    # The last step of a run with mini-batches up to which a loss over all rows is known.
    start = int(known[known <= step - step // LAST_PART][-1])
    last_part = losses[start:][~np.isnan(losses[start:])]
    if len(last_part) < FEWEST_KNOWN and not result.sees_all_rows:
        return None
    before, after = result.gap(start), result.gap(step)
    of_loss = before is None or after is None
    if before is not None and after is not None:
        one, other = result.gap_formula(start), result.gap_formula(step)
        if after * thresholds.STILL_FALLING <= result.at_floor:
            # So close to the floor that the share, or another such fall, would be rounding.
            return None
    else:
        before, after = float(losses[start]), float(losses[step])
        one, other = f"losses[{start}]", f"losses[{step}]"
    fell = losses[start] - losses[step]
    if before <= 0 or fell <= _rounding(result, losses[start : start + 1])[0]:
        return None
    share = (before - after) / before
    rises = np.diff(last_part) > _rounding(result, last_part[:-1])
    if share <= thresholds.STILL_FALLING or rises.any():
        return None
    formula = f"({one} - {other}) / {one}"
    room = f"ROUNDING * precision * larger(abs(losses[{start}]), {SMALLEST_SCALE})"
    more = () if of_loss else (result.cite(f"{other} * STILL_FALLING > allowance"),)
    claims = (
        result.cite(f"{step} >= FEW_ROUNDS"),
        result.cite(f"{one} > 0"),
        *more,
        result.cite(f"losses[{start}] - losses[{step}] > {room}"),
        result.cite(f"{formula} > STILL_FALLING"),
        result.cite(f"not any({_rises_from(result, start, step)})"),
    )
    return _Fall(result, share, of_loss, formula, claims)


def _rises_from(result: Result, start: int, step: int) -> str:
    """Return the formula that marks the known losses, from a step on, above the one before."""
    part = f"wide(losses[{start}:{step + 1}])"
    if not result.sees_all_rows:
        # What is no number is not equal to itself.
        part = f"{part}[{part} == {part}]"
    room = f"ROUNDING * precision * larger(abs({part}[:-1]), {SMALLEST_SCALE})"
    return f"difference({part}) > {room}"


@rule(
    "plateau",
    "convergence",
    0.65,
    thresholds=("FEW_ROUNDS", "PLATEAU_FALL", "PLATEAU_HEIGHT", "PLATEAU_LENGTH", "ROUNDING"),
)
def plateau(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose loss lay flat for a good part of the training, and then fell after all."""
    for result in results.singles:
        step = result.index(results.last)
        if step is None or step < thresholds.FEW_ROUNDS or not result.sees_all_rows:
            continue
        losses = _losses(result, step)
        whole = float(losses.max() - losses.min())
        stretch = _flat_stretch(losses, ceil(thresholds.PLATEAU_LENGTH * step), whole)
        if stretch is None:
            continue
        first, last = stretch
        fell = float(losses[last] - losses[last:].min())
        noise = float(_rounding(result, losses[last : last + 1])[0])
        if fell < thresholds.PLATEAU_FALL * whole or fell <= noise:
            continue
        lowest = last + int(losses[last:].argmin())
        facts: Facts = {
            "subject": result.subject,
            "first": RoundNumber(first + 1),
            "last": RoundNumber(last + 1),
            "before": result.number(first),
            "after": result.number(last),
            "lowest": Number(float(losses[lowest]), result.cite(f"min(losses[{last}:{step + 1}])")),
            "budget": Count(results.last),
        }
        all_of_it = _range(f"wide(losses[:{step + 1}])")
        fall = f"losses[{last}] - min(losses[{last}:{step + 1}])"
        room = f"ROUNDING * precision * larger(abs(losses[{last}]), {SMALLEST_SCALE})"
        claims = (
            result.cite("sees_all_rows"),
            result.cite(f"{step} >= FEW_ROUNDS"),
            result.cite(
                f"{_range(f'wide(losses[{first}:{last + 1}])')} < PLATEAU_HEIGHT * {all_of_it}"
            ),
            result.cite(f"{last} - {first} >= PLATEAU_LENGTH * {step}"),
            result.cite(f"{fall} >= PLATEAU_FALL * {all_of_it}"),
            result.cite(f"{fall} > {room}"),
        )
        yield Observation("plateau", facts, runs=1, claims=claims)


def _range(values: str) -> str:
    return f"(max({values}) - min({values}))"


def _flat_stretch(losses: Values, length: int, whole: float) -> tuple[int, int] | None:
    """First and last step of the earliest flat stretch of at least so many rounds."""
    band = thresholds.PLATEAU_HEIGHT * whole
    width = length + 1
    heights = _rolling(np.maximum, losses, width) - _rolling(np.minimum, losses, width)
    starts = np.flatnonzero(heights < band)
    if not len(starts):
        return None
    first = int(starts[0])
    on = losses[first:]
    flat = np.maximum.accumulate(on) - np.minimum.accumulate(on) < band
    return first, first + (len(on) if flat.all() else int(flat.argmin())) - 1


def _rolling(combine: Callable[[Values, Values], Values], values: Values, width: int) -> Values:
    """Largest or smallest of each ``width`` neighbours, by doubling the width that is known."""
    known, span = values, 1
    while 2 * span <= width:
        known, span = combine(known[:-span], known[span:]), 2 * span
    rest = width - span
    return combine(known[: len(known) - rest], known[rest:]) if rest else known
