"""Networks that learn what only their training rows have: by round, and by a swept value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out_facts import (
    TEST,
    VALIDATION,
    compared_on,
    held_parts,
    loss_number_at,
    loss_on,
    on_parts,
    training_loss,
)
from labreport.analysis.held_out import held_out
from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Rounds,
    Source,
    Subject,
)
from labreport.analysis.points import is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule

FEWEST_ROWS = 10
"""Held-out rows from which on a rise is more than the luck of one or two of them."""

LAST = 10
"""The last tenth of the steps: a loss that has risen stays up for as long as that."""


@rule(
    "overfits",
    "generalisation",
    0.93,
    thresholds=("NO_ODDS", "OVERFITTED"),
    part={"": "reason"},
)
def overfits(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose loss on held-out rows has risen for good while that of training still falls."""
    there = compared_on(results.singles, VALIDATION, results.last)
    leader = min(there, key=lambda r: loss_on(r, VALIDATION, results.last), default=None)
    for result in results.singles:
        last = result.index(results.last)
        if held_out(result) is None or last is None:
            continue
        part = VALIDATION if VALIDATION in held_parts(result) else TEST
        step = _turning(result, part, last)
        if step is not None:
            facts: Facts = {
                "subject": result.subject,
                "step": Rounds(step),
                "least": loss_number_at(result, part, step),
                "end": loss_number_at(result, part, last),
            }
            claims = tuple(_claims(result, part, step, last))
            # What the run does that is ahead all the same is no reason for the difference.
            form = "leader" if result is leader and len(there) > 1 else ""
            yield Observation("overfits", facts, 1, form=form, claims=claims)


def _turning(result: Result, part: str, last: int) -> int | None:
    """The step from which on the loss of held-out rows rises for good; None if it does not."""
    on = on_parts(result)
    if len(on.data_set.parts[part]) < FEWEST_ROWS:
        return None
    losses, best = on.losses(part), on.best_step(part)
    if best is None or best >= last or last != on.steps[-1] or not np.isfinite(losses).all():
        return None
    # Other roundings agree on the step, or it is not told.
    agreed = all(on_parts(t).best_step(part) == best for t in result.twins if held_out(t))
    least = float(losses.min())
    rises = losses[_tail(len(losses)) :].min() > (1 + thresholds.OVERFITTED) * least
    falls = (result.loss(last) or 0.0) < (result.loss(best) or 0.0)
    learnt = least < (1 - thresholds.NO_ODDS) * float(losses[0])
    return best if agreed and rises and falls and learnt else None


def _tail(count: int) -> int:
    """The first of the last tenth of so many steps, of one at least."""
    return count - max(1, count // LAST)


def _claims(result: Result, part: str, step: int, last: int) -> Iterator[Source]:
    """The claims that a loss rises on held-out rows for good, and falls in training."""
    steps = on_parts(result).steps
    here, tail = f'loss_on("{part}", {step})', _tail(len(steps))
    losses = f'losses_on("{part}")'
    yield result.cite(f"min({losses}[{tail}:]) > (1 + OVERFITTED) * {here}")
    yield result.cite(f"{losses}[{steps.index(step)}] == min({losses})")
    yield result.cite(f"losses[{last}] < losses[{step}]")
    yield result.cite(f'{here} < (1 - NO_ODDS) * loss_on("{part}", 0)')


@rule("fits-its-rows", "generalisation", 0.92, thresholds=("NO_ODDS", "OVERFITTED"), part="reason")
def fits_its_rows(results: ExperimentResults) -> Iterator[Observation]:
    """A swept number with whose size training goes on to fit better, and held-out rows worse."""
    swept, last = results.swept, results.last
    if len(swept) != 1 or len(results.plan.axes) != 1:
        return
    (members,) = swept.values()
    if not all(is_number(r.point[0][1]) for r in members):
        return
    ordered = sorted(members, key=lambda r: float(r.point[0][1]))
    there = compared_on(ordered, VALIDATION, last, same_inputs=False)
    if len(there) < 3:
        return
    best = min(there, key=lambda r: loss_on(r, VALIDATION, last))
    for end in (there[-1], there[0]):
        if _fits_worse(best, end, last):
            form = _form(there, best, end, last)
            facts: Facts = {
                "best": Subject("", best.point),
                "end": Subject("", end.point),
                "training": end.number(last),
                "own_training": best.number(last),
                "budget": Count(last),
            }
            claims = (*_worse(best, end, last), *_under(there, best, end, last, form))
            yield Observation("fits-its-rows", facts, len(there), form=form, claims=claims)


def _fits_worse(best: Result, end: Result, last: int) -> bool:
    """Return whether training fits better at an end of a sweep, and held-out rows are worse off."""
    worse = loss_on(end, VALIDATION, last) > (1 + thresholds.OVERFITTED) * loss_on(
        best, VALIDATION, last
    )
    return worse and (end.loss(last) or 0.0) < (1 - thresholds.NO_ODDS) * (best.loss(last) or 0.0)


def _worse(best: Result, end: Result, last: int) -> Iterator[Source]:
    pair = (best, end)
    held = [f'r{k}.loss_on("{VALIDATION}", {r.index(last)})' for k, r in enumerate(pair, 1)]
    own = [f"r{k}.{training_loss(r, last)}" for k, r in enumerate(pair, 1)]
    yield cite(f"{held[1]} > (1 + OVERFITTED) * {held[0]}", pair)
    yield cite(f"{own[1]} < (1 - NO_ODDS) * {own[0]}", pair)


def _form(there: Sequence[Result], best: Result, end: Result, last: int) -> str:
    """``both`` if at the other end training and held-out rows are worse off than at the best."""
    start = there[0] if end is there[-1] else there[-1]
    if start is best:
        return ""
    too_little = loss_on(start, VALIDATION, last) > (1 + thresholds.OVERFITTED) * loss_on(
        best, VALIDATION, last
    ) and (start.loss(last) or 0.0) > (best.loss(last) or 0.0)
    return "both" if too_little else ""


def _under(
    there: Sequence[Result], best: Result, end: Result, last: int, form: str
) -> Iterator[Source]:
    """The claims that at the other end neither fits."""
    if form == "both":
        pair = (best, there[0] if end is there[-1] else there[-1])
        held = [f'r{k}.loss_on("{VALIDATION}", {r.index(last)})' for k, r in enumerate(pair, 1)]
        own = [f"r{k}.{training_loss(r, last)}" for k, r in enumerate(pair, 1)]
        yield cite(f"{held[1]} > (1 + OVERFITTED) * {held[0]}", pair)
        yield cite(f"{own[1]} > {own[0]}", pair)
