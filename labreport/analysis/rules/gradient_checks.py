"""Formulas for gradients that are right or wrong, and what would have shown it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis import thresholds
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
from labreport.analysis.rule import rule
from labreport.lab.lab import Formula
from labreport.reference.gradient_check.check_result import CheckedFormula, GradientCheck
from labreport.reference.gradient_check.formula_training import DECIMALS, falls
from labreport.reference.gradient_check.four_ways import VISIBLE

ROUGH = 1
"""Digits of a rounding error: the rest of it is chance."""


def wording(formula: Formula) -> Wording:
    """Return the label of a formula, or else its name."""

    def written(code: str) -> str:
        return (formula.label.within(code) if formula.label else "") or formula.name

    return Wording(written("zh"), written("en"), is_name=True)


def wrong_formulas(check: GradientCheck) -> list[CheckedFormula]:
    return [checked for checked in check.formulas if checked.is_wrong]


@rule("gradients-agree", "gradients", 0.97, of_gradient_checks=True)
def gradients_agree(results: ExperimentResults) -> Iterator[Observation]:
    """By hand, by autograd and by differences: whether they are the same gradients."""
    check = results.check
    if check is None:
        return
    run = results.results[0]
    hand, differences = check.hand.deviation, check.differences.deviation
    # Where clamps or rounding decide autograd's value, nothing is compared with it.
    rounds = int(np.sum(~check.left_out.any(axis=1)))
    if not rounds:
        return
    facts: Facts = {
        "rounds": Count(rounds, run.cite("size(losses) - sum(left_out)")),
        "count": Count(check.hand.gradients.shape[1], run.cite("size(weights[0])")),
        "hand": Number(hand.relative, run.cite("max(apart('by hand'))"), ROUGH),
        "differences": Number(
            differences.relative, run.cite("max(apart('by differences'))"), ROUGH
        ),
    }
    right = hand.round is None and differences.round is None
    agree = " and ".join(
        f"max(apart('{way}')) <= run_tolerance" for way in ("by hand", "by differences")
    )
    claims = (run.cite(agree if right else f"not ({agree})"),)
    form = "" if right else "apart"
    yield Observation("gradients-agree", facts, runs=1, form=form, claims=claims)


@rule("clamped-gradients", "gradients", 0.975, of_gradient_checks=True)
def clamped_gradients(results: ExperimentResults) -> Iterator[Observation]:
    """Rounds in which torch's clamp, or an output rounded to 0 or 1, decides autograd's value."""
    check = results.check
    if check is None or not check.clamped.any():
        return
    run = results.results[0]
    rounds = np.any(check.clamped, axis=1)
    step = int(rounds.argmax())
    gap = np.abs(check.hand.gradients[step] - run.run.trace.gradients[step])
    weight = int(np.where(check.clamped[step], gap, -1.0).argmax())
    facts: Facts = {
        "count": Count(int(rounds.sum()), run.cite("sum(clamped)")),
        "total": Count(rounds.size, run.cite("size(losses)")),
        "round": RoundNumber(step + 1, run.cite("argmax(clamped) + 1")),
        "weight": Names((run.names[weight],)),
        "made": Number(
            float(run.run.trace.gradients[step, weight]),
            run.cite(f"gradients[{step}, {weight}]"),
        ),
        "right": Number(
            float(check.hand.gradients[step, weight]), run.cite(f"by_hand[{step}, {weight}]")
        ),
    }
    far = f"abs(by_hand[{step}, {weight}] - gradients[{step}, {weight}])"
    claims = (run.cite(f"{far} > run_tolerance * abs(by_hand[{step}, {weight}])"),)
    yield Observation("clamped-gradients", facts, runs=1, claims=claims)


@rule("open-formula", "gradients", 0.96, of_gradient_checks=True)
def open_formula(results: ExperimentResults) -> Iterator[Observation]:
    """Formulas of which these weights do not tell: a small mistake in them would not be seen."""
    check = results.check
    if check is None:
        return
    run = results.results[0]
    for checked in check.formulas:
        if checked.is_wrong or checked.is_right:
            continue
        name = checked.formula.name
        facts: Facts = {
            "label": wording(checked.formula),
            "weights": Names(checked.unseen),
            "count": Count(len(checked.unseen)),
        }
        claims = (
            run.cite(f"max(apart({name!r})) <= tolerance"),
            run.cite(f"min(felt({name!r})) <= {VISIBLE} * tolerance"),
        )
        yield Observation("open-formula", facts, runs=1, claims=claims)


@rule("wrong-formula", "gradients", 0.9, of_gradient_checks=True)
def wrong_formula(results: ExperimentResults) -> Iterator[Observation]:
    """A formula that gives other gradients than the chain rule."""
    check = results.check
    if check is None:
        return
    run = results.results[0]
    for checked in wrong_formulas(check):
        deviation, name = checked.way.deviation, checked.formula.name
        assert deviation.round is not None
        step, weight = deviation.round - 1, run.names.index(deviation.weight)
        made = float(checked.way.gradients[step, weight])
        facts: Facts = {
            "label": wording(checked.formula),
            "round": RoundNumber(
                deviation.round, run.cite(f"argmax(apart({name!r}) > tolerance) + 1")
            ),
            "weight": Names((deviation.weight,)),
            "made": Number(made, run.cite(f"by_formula({name!r})[{step}, {weight}]")),
            "right": Number(
                float(check.hand.gradients[step, weight]),
                run.cite(f"by_hand[{step}, {weight}]"),
            ),
        }
        form = "plain"
        if checked.formula.reason is not None:
            reason = checked.formula.reason
            facts["reason"] = Wording(reason.within("zh"), reason.within("en"))
            form = ""
        claims = [run.cite(f"apart({name!r})[{step}] > tolerance")]
        yield Observation("wrong-formula", facts, runs=1, form=form, claims=tuple(claims))


@rule(
    "right-formula",
    "gradients",
    {"": 0.8, "some": 0.98, "none": 0.98},
    of_gradient_checks=True,
    part="verdict",
)
def right_formula(results: ExperimentResults) -> Iterator[Observation]:
    """Report how many formulas give the gradients of the chain rule, and which."""
    check = results.check
    if check is None:
        return
    run = results.results[0]
    # Of derivatives next to their rounding formulas with small mistakes would pass.
    right = [c for c in check.formulas if c.is_right]
    wrong = wrong_formulas(check)
    if not right and not wrong:
        return
    facts: Facts = {"count": Count(len(right)), "total": Count(len(right) + len(wrong))}
    if right:
        farthest = max(right, key=lambda checked: checked.way.deviation.relative)
        facts["labels"] = tuple(wording(checked.formula) for checked in right)
        facts["relative"] = Number(
            farthest.way.deviation.relative,
            run.cite(f"max(apart({farthest.formula.name!r}))"),
            ROUGH,
        )
    if wrong:
        facts["wrong"] = tuple(wording(checked.formula) for checked in wrong)
    names = [repr(c.formula.name) for c in right]
    claims = [
        run.cite(f"max(apart({name})) <= tolerance < min(felt({name})) / {VISIBLE}")
        for name in names
    ]
    claims += [run.cite(is_wrong(c)) for c in wrong]
    form = "" if not wrong else "some" if right else "none"
    runs = 1 + len(right) + len(wrong)
    yield Observation("right-formula", facts, runs=runs, form=form, claims=tuple(claims))


def is_wrong(checked: CheckedFormula) -> str:
    """The claim that a formula gives other gradients than the chain rule."""
    return f"any(apart({checked.formula.name!r}) > tolerance)"


def is_right(checked: CheckedFormula) -> str:
    """The claim that it gives the same."""
    return f"max(apart({checked.formula.name!r})) <= tolerance"


@rule(
    "falling-loss",
    "gradients",
    1.0,
    thresholds=("NO_ODDS",),
    of_gradient_checks=True,
    part="effect",
)
def falling_loss(results: ExperimentResults) -> Iterator[Observation]:
    """Wrong formulas with which the loss falls in every round all the same."""
    check = results.check
    if check is None:
        return
    run = results.results[0]
    rounds = len(check.hand.steps) - 1
    falling = [c for c in wrong_formulas(check) if falls(c.training, rounds)]
    if not falling or not falls(check.truth, rounds):
        return
    right = float(check.truth.losses[-1])
    odds = thresholds.NO_ODDS * abs(float(check.truth.losses[0]))
    lower = [c for c in falling if right - float(c.training.losses[-1]) > odds]

    def last_loss(checked: CheckedFormula) -> Number:
        source = run.cite(f"trained_by({checked.formula.name!r})[-1]")
        return Number(float(checked.training.losses[-1]), source)

    facts: Facts = {
        "losses": tuple(With(wording(c.formula), last_loss(c)) for c in falling),
        "count": Count(len(falling)),
        "budget": Count(rounds),
        "right": Number(right, run.cite("trained_right[-1]")),
    }
    names = [repr(c.formula.name) for c in falling]
    claims = [run.cite(f"all(difference(trained_by({name})) < 0)") for name in names]
    claims += [run.cite(is_wrong(c)) for c in falling]
    ahead = "trained_right[-1] - trained_by({!r})[-1] > NO_ODDS * abs(trained_right[0])"
    claims += [run.cite(ahead.format(c.formula.name)) for c in lower]
    claims += [run.cite(is_right(c)) for c in check.formulas if c.is_right]
    form = ""
    if lower:
        facts["lower"] = tuple(wording(c.formula) for c in lower)
        form = "lower-one" if len(lower) == 1 else "lower"
    runs = 1 + len(falling)
    yield Observation("falling-loss", facts, runs=runs, form=form, claims=tuple(claims))


@rule("shown-decimals", "gradients", 0.95, of_gradient_checks=True)
def shown_decimals(results: ExperimentResults) -> Iterator[Observation]:
    """In which round two printed decimals of the gradients first show a wrong formula."""
    check = results.check
    if check is None:
        return
    run = results.results[0]
    wrong = wrong_formulas(check)
    shown = [c for c in wrong if c.shown.gradient is not None]
    hidden = [c for c in wrong if c.shown.gradient is None]
    if not wrong:
        return
    facts: Facts = {"rounds": Count(len(check.truth.losses) - 1)}
    if shown:
        facts["shown"] = tuple(
            With(
                wording(c.formula),
                RoundNumber(c.shown.gradient or 0, run.cite(f"{_seen(c)} + 1")),
            )
            for c in shown
        )
    if hidden:
        facts["hidden"] = tuple(wording(c.formula) for c in hidden)
    form = "" if shown and hidden else "shown" if shown else "hidden"
    claims = [
        run.cite(f"{_seen(c)} {'==' if c in hidden else '<'} size(trained_right)") for c in wrong
    ]
    claims += [run.cite(is_wrong(c)) for c in wrong]
    claims += [run.cite(is_right(c)) for c in check.formulas if c.is_right]
    runs = 1 + len(wrong)
    yield Observation("shown-decimals", facts, runs=runs, form=form, claims=tuple(claims))


def _seen(checked: CheckedFormula) -> str:
    """Return the formula that counts the rounds that look right at the printed decimals."""
    name = checked.formula.name
    return f"rounds_alike(gradients_by({name!r}), gradients_right, {DECIMALS})"
