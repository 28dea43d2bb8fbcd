"""Networks that learn what only their training rows have: by round, and by a swept value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    compared_on,
    loss_number_at,
    loss_on,
    on_parts,
    trained_formula,
    training_number,
    validation_formula,
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
        part = on_parts(result).judged_by
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


@rule(
    "overfits-starts",
    "generalisation",
    0.96,
    thresholds=("FEWEST_PAIRS", "NO_ODDS", "OVERFITTED"),
    part="scope",
)
def overfits_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that overfit from more than half of their random starts."""
    found = [
        (members, turned)
        for members in results.replicated.values()
        if _is_known(members, results.last)
        and 2 * (turned := sum(_has_turned(r) for r in members)) > len(members)
    ]
    counts = {len(members) for members, _ in found}
    if len(counts) != 1:
        return
    fewest, least = min(found, key=lambda entry: entry[1])
    facts: Facts = {
        "subjects": tuple(Subject(members[0].variant) for members, _ in found),
        "least": Count(least, _turned_source(fewest)),
        "count": Count(counts.pop(), cite("size(each(rounds))", fewest)),
    }
    claims = [
        cite(f"{_turned_source(members).formula} >= {least}", members) for members, _ in found
    ]
    claims.append(cite("size(each(rounds)) >= FEWEST_PAIRS", fewest))
    claims.append(cite(f"2 * {_turned_source(fewest).formula} > size(each(rounds))", fewest))
    runs = sum(len(members) for members, _ in found)
    yield Observation("overfits-starts", facts, runs, strength="statistical", claims=tuple(claims))


def _is_known(members: Sequence[Result], last: int) -> bool:
    """Return whether all of enough starts tell how held-out rows fare up to their last round."""
    return len(members) >= thresholds.FEWEST_PAIRS and all(
        held_out(r) is not None
        and not on_parts(r).data_set.keeps_best
        and r.index(last) == r.run.config.rounds == on_parts(r).steps[-1]
        and len(on_parts(r).data_set.parts[on_parts(r).judged_by]) >= FEWEST_ROWS
        and np.isfinite(on_parts(r).losses(on_parts(r).judged_by)).all()
        and r.loss(last // 2) is not None
        for r in members
    )


def _has_turned(result: Result) -> bool:
    """Return whether held-out rows are worse off for good, while the loss of training falls."""
    losses = on_parts(result).losses(on_parts(result).judged_by)
    least, last = float(losses.min()), result.run.config.rounds
    rises = losses[_tail(len(losses)) :].min() > (1 + thresholds.OVERFITTED) * least
    learnt = least < (1 - thresholds.NO_ODDS) * float(losses[0])
    falls = (result.loss(last) or 0.0) < (result.loss(last // 2) or 0.0)
    return bool(rises and learnt and falls)


def _turned_source(members: Sequence[Result]) -> Source:
    """The number of such runs among these, of as many steps each."""
    first, last = on_parts(members[0]), members[0].run.config.rounds
    losses, tail = f'losses_on("{first.judged_by}")', _tail(len(first.steps))
    rises = f"min({losses}[{tail}:]) > (1 + OVERFITTED) * min({losses})"
    learnt = f"min({losses}) < (1 - NO_ODDS) * {losses}[0]"
    falls = f"losses[{last}] < losses[{last // 2}]"
    return cite(f"count(each({rises} and {learnt} and {falls}))", members)


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
    there = compared_on(ordered, VALIDATION, last, same_training=False)
    if len(there) < 3:
        return
    best = min(there, key=lambda r: loss_on(r, VALIDATION, last))
    if len(on_parts(best).data_set.parts[VALIDATION]) < FEWEST_ROWS:
        return
    for start, end in ((there[0], there[-1]), (there[-1], there[0])):
        if not (_is_worse_off(end, best, last) and _fits_better(end, best, last)):
            continue
        too_little = _is_worse_off(start, best, last) and _fits_better(best, start, last)
        facts: Facts = {
            "best": Subject("", best.point),
            "end": Subject("", end.point),
            "training": training_number(end, last),
            "own_training": training_number(best, last),
            "budget": Count(last),
        }
        claims = [_worse_claim(end, best, last), _better_claim(end, best, last)]
        if too_little:
            claims += [_worse_claim(start, best, last), _better_claim(best, start, last)]
        form = "both" if too_little else ""
        yield Observation("fits-its-rows", facts, len(there), form=form, claims=tuple(claims))


def _is_worse_off(one: Result, best: Result, last: int) -> bool:
    """Return whether the loss on validation rows is above the best one by more than a little."""
    losses = (loss_on(r, VALIDATION, last) for r in (one, best))
    return next(losses) > (1 + thresholds.OVERFITTED) * next(losses)


def _fits_better(one: Result, other: Result, last: int) -> bool:
    """Return whether the loss of training is below another one by a difference that counts."""
    mine, theirs = training_number(one, last).value, training_number(other, last).value
    return mine < (1 - thresholds.NO_ODDS) * theirs


def _worse_claim(one: Result, best: Result, last: int) -> Source:
    held = [validation_formula(r, last, f"r{k}") for k, r in enumerate((one, best), 1)]
    return cite(f"{held[0]} > (1 + OVERFITTED) * {held[1]}", (one, best))


def _better_claim(one: Result, other: Result, last: int) -> Source:
    own = [trained_formula(r, last, f"r{k}") for k, r in enumerate((one, other), 1)]
    return cite(f"{own[0]} < (1 - NO_ODDS) * {own[1]}", (one, other))
