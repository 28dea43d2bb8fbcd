"""Runs of an experiment on held-out rows: which can be compared, and the facts and claims of it."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.analysis import thresholds
from labreport.analysis.held_out import HeldOut, held_out
from labreport.analysis.observation import Count, Number, Share, Source
from labreport.analysis.results import Result, cite
from labreport.lab.changes import quantity

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def compared_on(
    members: Sequence[Result], part: str, budget: int, *, same_training: bool = True
) -> list[Result]:
    """Results whose loss on a part is known, if all measure the same thing on the same rows.

    Args:
        members: results.
        part: of their data sets.
        budget: updates after which they are compared.
        same_training: whether they must have been trained on the same rows, too, with whatever
            is made of their inputs.
    """
    there = [
        r
        for r in members
        if (found := held_out(r)) is not None
        and part in found.data_set.parts
        and r.index(budget) is not None
        and found.loss(part, kept_step(r, budget)) is not None
    ]
    if not there or len(there) < len(members):
        return []
    sets = [on_parts(r).data_set for r in there]
    parts = (TRAIN, part) if same_training else (part,)
    rows = {(data_set.source, *(data_set.places[name] for name in parts)) for data_set in sets}
    quantities = {quantity(r.run.config) for r in there}
    return there if len(quantities) == len(rows) == 1 else []


def chosen_of(
    members: Sequence[Result], budget: int, *, same_training: bool = True
) -> Result | None:
    """The result that the validation rows choose: that with the lowest loss, ahead of all others.

    The only one, if there is one; None where the best ones are level, or nothing was held out.
    """
    if len(members) == 1:
        return members[0] if held_out(members[0]) is not None else None
    there = compared_on(members, VALIDATION, budget, same_training=same_training)
    best = min(there, key=lambda r: loss_on(r, VALIDATION, budget), default=None)
    if best is None or not all(is_ahead(best, r, budget) for r in there if r is not best):
        return None
    return best


def held_parts(result: Result) -> tuple[str, ...]:
    """Names of the parts of a result's data set that training does not see."""
    found = held_out(result)
    return () if found is None else found.data_set.held_out


def has_classes(result: Result) -> bool:
    """Return whether the targets of a result's data set are classes."""
    return result.trial.data_set is not None and bool(result.trial.data_set.classes)


def on_parts(result: Result) -> HeldOut:
    """A result on the parts of its data set, of which some are held out."""
    found = held_out(result)
    assert found is not None
    return found


def kept_step(result: Result, budget: int) -> int:
    """The step whose weights count on held-out rows after so many updates."""
    return on_parts(result).kept(result.index(budget) or 0)


def step_formula(result: Result, budget: int) -> str:
    """Return the formula of that step, the same for all runs of as many rounds."""
    step = str(result.index(budget))
    return f"kept({step})" if on_parts(result).data_set.keeps_best else step


def loss_on(result: Result, part: str, budget: int) -> float:
    """The loss on a part, which must be there, of what is kept after so many updates."""
    return on_parts(result).loss(part, kept_step(result, budget)) or 0.0


def loss_number(result: Result, part: str, budget: int) -> Number:
    """The loss on a part of what is kept after so many updates, with its source."""
    formula = f'loss_on("{part}", {step_formula(result, budget)})'
    return result.told(lambda r: _known_loss(r, part, _kept_of(r, budget)), formula)


def _kept_of(result: Result, budget: int) -> int:
    """The step that is kept of a run, or of one with another rounding."""
    return kept_step(result, budget) if held_out(result) is not None else budget


def loss_number_at(result: Result, part: str, step: int) -> Number:
    """The loss on a part at a step, with the digits that other roundings agree on."""
    return result.told(lambda r: _known_loss(r, part, step), f'loss_on("{part}", {step})')


def _known_loss(result: Result, part: str, step: int) -> float | None:
    found = held_out(result)
    there = found is not None and result.run.trace.weights_at(step) is not None
    return found.loss(part, step) if there and found is not None else None


def training_number(result: Result, budget: int) -> Number:
    """The loss of training of what is kept after so many updates."""
    keeps = on_parts(result).data_set.keeps_best
    return loss_number(result, TRAIN, budget) if keeps else result.number(budget)


def row_count(result: Result, part: str) -> Count:
    """The number of rows of a part."""
    return Count(
        len(on_parts(result).data_set.parts[part]), result.cite(f'size(rows_on("{part}"))')
    )


def training_loss(result: Result, budget: int) -> str:
    """Return the formula of the loss of training."""
    return f"losses[{result.index(budget)}]"


def trained_formula(result: Result, budget: int, run: str) -> str:
    """Formula of the loss of training of one of two runs, of what is kept."""
    if not on_parts(result).data_set.keeps_best:
        return f"{run}.{training_loss(result, budget)}"
    step = step_formula(result, budget).replace("kept(", f"{run}.kept(")
    return f'{run}.loss_on("{TRAIN}", {step})'


def validation_formula(result: Result, budget: int, run: str, *, share: bool = False) -> str:
    """Formula of the loss on the validation rows of one of two runs, or the share that is right."""
    step = step_formula(result, budget).replace("kept(", f"{run}.kept(")
    if share:
        return f'mean({run}.right_on("{VALIDATION}", {step}))'
    return f'{run}.loss_on("{VALIDATION}", {step})'


def _margin(first: Result) -> float:
    """The difference from which on one loss on the validation rows is ahead of another."""
    return thresholds.NO_ODDS * (on_parts(first).loss(VALIDATION, 0) or 0.0)


def is_ahead(first: Result, other: Result, budget: int) -> bool:
    """Return whether the first has the lower loss on validation rows, by a margin that counts."""
    apart = loss_on(other, VALIDATION, budget) - loss_on(first, VALIDATION, budget)
    return apart > _margin(first)


def lead_claim(first: Result, other: Result, budget: int, *, holds: bool) -> Source:
    """The claim that the first is ahead of the other by a difference that counts, or is not."""
    apart = f"{validation_formula(other, budget, 'r2')} - {validation_formula(first, budget, 'r1')}"
    sign = ">" if holds else "<="
    return cite(f'{apart} {sign} NO_ODDS * r1.loss_on("{VALIDATION}", 0)', (first, other))


def not_above(first: Result, other: Result, budget: int) -> Source:
    """The claim that the first has no higher loss on validation rows than the other."""
    formula = (
        f"{validation_formula(first, budget, 'r1')} <= {validation_formula(other, budget, 'r2')}"
    )
    return cite(formula, (first, other))


def score_formula(result: Result, part: str, budget: int) -> str:
    """Return the formula of the score on a part after so many updates."""
    step = step_formula(result, budget)
    if has_classes(result):
        return f'mean(right_on("{part}", {step}))'
    return f'explained_on("{part}", {step})'


def score(result: Result, part: str, budget: int) -> Share | Number:
    """The share of a part's rows in their own class, or R², after so many updates."""
    value = on_parts(result).score(part, kept_step(result, budget))
    assert value is not None
    source = result.cite(score_formula(result, part, budget))
    return Share(value, source) if has_classes(result) else Number(value, source, 3)


def part_of_starts(held: Sequence[str], variants: int) -> str:
    """The part by which random starts are told: the test of one variant alone, else validation."""
    compared = variants > 1 and VALIDATION in held
    return TEST if TEST in held and not compared else VALIDATION


def scores(there: Sequence[Result], variants: int, budget: int) -> tuple[str, list[float]]:
    """The part by which starts of so many variants are told, and the score of each run on it."""
    part = part_of_starts(held_parts(there[0]), variants)
    found = [on_parts(r).score(part, kept_step(r, budget)) for r in there]
    values = [value for value in found if value is not None]
    return (part, values) if len(values) == len(there) else ("", [])
