"""Formulas for gradients that are right or wrong, and what would have shown it."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    RoundNumber,
    With,
    Wording,
)
from labreport.analysis.results import ExperimentResults
from labreport.backprop.gradient_check import Checked, GradientCheck, falls
from labreport.lab.lab import Formula

ROUGH = 2
"""Digits of a rounding error: the rest of it is chance."""


def wording(formula: Formula) -> Wording:
    """What a formula is called."""

    def written(code: str) -> str:
        return (formula.label.within(code) if formula.label else "") or formula.name

    return Wording(written("zh"), written("en"), is_name=True)


def wrong_formulas(check: GradientCheck) -> list[Checked]:
    return [checked for checked in check.formulas if not checked.is_right]


def gradients_agree(results: ExperimentResults) -> Iterator[Observation]:
    """By hand, by autograd and by differences: whether they are the same gradients."""
    check = results.check
    if check is None:
        return
    facts: Facts = {
        "rounds": Count(len(check.hand.steps)),
        "count": Count(check.hand.gradients.shape[1]),
        "hand": Number(
            check.hand.deviation.relative,
            "max |by hand − gradients| / terms of the derivatives",
            ROUGH,
        ),
        "differences": Number(
            check.differences.deviation.relative, "the same by differences", ROUGH
        ),
    }
    right = check.hand.deviation.round is None and check.differences.deviation.round is None
    yield Observation("gradients-agree", facts, runs=1, form="" if right else "apart")


def wrong_formula(results: ExperimentResults) -> Iterator[Observation]:
    """A formula that gives other gradients than the chain rule."""
    check = results.check
    if check is None:
        return
    names = results.results[0].names
    for checked in wrong_formulas(check):
        deviation = checked.way.deviation
        assert deviation.round is not None
        step, weight = deviation.round - 1, names.index(deviation.weight)
        made = float(checked.way.gradients[step, weight])
        facts: Facts = {
            "label": wording(checked.formula),
            "round": RoundNumber(deviation.round),
            "weight": Names((deviation.weight,)),
            "made": Number(made, f"the formula at weights[{step}]"),
            "right": Number(
                float(results.results[0].run.trace.gradients[step, weight]),
                f"gradients[{step}, {weight}]",
            ),
        }
        form = "plain"
        if checked.formula.reason is not None:
            reason = checked.formula.reason
            facts["reason"] = Wording(reason.within("zh"), reason.within("en"))
            form = ""
        yield Observation("wrong-formula", facts, runs=1, form=form)


def right_formula(results: ExperimentResults) -> Iterator[Observation]:
    """Formulas that give the gradients of the chain rule."""
    check = results.check
    if check is None:
        return
    right = [checked for checked in check.formulas if checked.is_right]
    if right:
        facts: Facts = {
            "labels": tuple(wording(checked.formula) for checked in right),
            "relative": Number(
                max(checked.way.deviation.relative for checked in right),
                "max |formula − gradients| / terms of the derivatives",
                ROUGH,
            ),
        }
        yield Observation("right-formula", facts, runs=1)


def falling_loss(results: ExperimentResults) -> Iterator[Observation]:
    """Wrong formulas with which the loss falls in every round all the same."""
    check = results.check
    if check is None:
        return
    rounds = len(check.hand.steps) - 1
    falling = [c for c in wrong_formulas(check) if falls(c.training, rounds)]
    if not falling or not falls(check.truth, rounds):
        return
    right = float(check.truth.losses[-1])
    lower = [c for c in falling if float(c.training.losses[-1]) < right]
    facts: Facts = {
        "losses": tuple(
            With(
                wording(c.formula),
                Number(float(c.training.losses[-1]), "last loss of a training with the formula"),
            )
            for c in falling
        ),
        "count": Count(len(falling)),
        "budget": Count(rounds),
        "right": Number(right, "last loss of the training with the chain rule"),
    }
    form = ""
    if lower:
        facts["lower"] = tuple(wording(c.formula) for c in lower)
        form = "lower"
    yield Observation("falling-loss", facts, runs=1 + len(falling), form=form)


def shown_decimals(results: ExperimentResults) -> Iterator[Observation]:
    """In which round two printed decimals of the gradients first show a wrong formula."""
    check = results.check
    if check is None:
        return
    wrong = wrong_formulas(check)
    shown = [c for c in wrong if c.shown.gradient is not None]
    hidden = [c for c in wrong if c.shown.gradient is None]
    if not wrong:
        return
    facts: Facts = {"rounds": Count(len(check.truth.losses) - 1)}
    if shown:
        facts["shown"] = tuple(
            With(wording(c.formula), RoundNumber(c.shown.gradient or 0)) for c in shown
        )
    if hidden:
        facts["hidden"] = tuple(wording(c.formula) for c in hidden)
    form = "" if shown and hidden else "shown" if shown else "hidden"
    yield Observation("shown-decimals", facts, runs=1 + len(wrong), form=form)
