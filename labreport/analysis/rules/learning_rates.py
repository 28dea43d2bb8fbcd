"""Learning rates side by side: where losses begin to rise, equal products, first steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    Source,
    Subject,
)
from labreport.analysis.points import RATE, is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.descent import rising, rising_formula


@rule("rises", "stability", 0.75, thresholds=("ROUNDING",))
def rises(results: ExperimentResults) -> Iterator[Observation]:
    """From which value of the one swept key on the loss no longer falls in every round."""
    if len(results.swept) != 1 or len(results.plan.axes) != 1:
        return
    ((_, members),) = results.swept.items()
    # With a penalty it is the loss and the penalty together that fall.
    if members[0].point[0][0] == "optimizer.weight_decay":
        return
    if not all(is_number(r.point[0][1]) and len(r.losses) > 2 for r in members):
        return
    ordered = sorted(members, key=lambda r: float(r.point[0][1]))
    rises = [bool(rising(r, results.last).any()) for r in ordered]
    if not any(rises) or rises[0]:
        return
    first = rises.index(True)
    form = "one" if first == len(ordered) - 1 else "all" if all(rises[first:]) else ""
    ever = f"any({rising_formula(results.last)})"
    facts: Facts = {
        "steady": Subject("", ordered[first - 1].point),
        "rising": Subject("", ordered[first].point),
        "count": Count(
            sum(rises),
            cite(f"count(each({ever}))", ordered),
        ),
        "total": Count(len(ordered) - first, cite("size(each(rounds))", ordered[first:])),
        "budget": Count(results.last),
    }
    claims = (
        *(r.cite(f"not {ever}") for r in ordered[:first]),
        ordered[first].cite(ever),
    )
    yield Observation("rises", facts, runs=len(ordered), form=form, claims=claims)


def _by_learning_rate(members: Sequence[Result]) -> dict[float, Result]:
    """Plain descent at each learning rate above 0; none where runs differ in anything else."""
    plain = [
        r
        for r in members
        if r.run.config.optimizer.name == "sgd"
        and not r.run.config.optimizer.momentum
        and r.run.config.gradients == "cleared"
        and r.is_trained
    ]
    others = {tuple(place for place in r.point if place[0] != RATE) for r in plain}
    return {r.run.config.optimizer.learning_rate: r for r in plain} if len(others) == 1 else {}


@dataclass(frozen=True)
class EqualProduct:
    """Two runs with the same product of learning rate and rounds.

    Attributes:
        slow: with the smaller learning rate.
        quick: with the larger one.
        many: rounds of the slow one.
        few: rounds of the quick one.
        apart: the relative difference of their losses.
    """

    slow: Result
    quick: Result
    many: int
    few: int
    apart: float

    @property
    def rate(self) -> float:
        """The larger of the two learning rates."""
        return self.quick.run.config.optimizer.learning_rate

    @property
    def formula(self) -> str:
        return self.formula_of(1)

    def formula_of(self, place: int) -> str:
        """How far their losses are apart, where the slow run is that of this place in a source."""
        one, other = (
            f"r{place}.{self.slow.loss_formula(self.many)}",
            f"r{place + 1}.{self.quick.loss_formula(self.few)}",
        )
        return f"abs({one} - {other}) / {one}"

    def cite(self, formula: str) -> Source:
        return cite(formula, (self.slow, self.quick))


def equal_products(results: ExperimentResults) -> Iterator[EqualProduct]:
    """Pairs of plain descent with n times the learning rate in one n-th of the rounds."""
    for members in results.swept.values() if len(results.swept) == 1 else ():
        plain = _by_learning_rate(members)
        for few, many in combinations(results.budgets, 2):
            for rate, slow in plain.items():
                quick = plain.get(float(f"{rate * many / few:.12g}"))
                one, other = slow.loss(many), quick.loss(few) if quick else None
                if quick is not None and one and other:
                    yield EqualProduct(slow, quick, many, few, abs(one - other) / one)


@rule(
    "first-step",
    "optimizer",
    0.74,
    thresholds=("ALIKE", "UNLIKE_GRADIENTS"),
    needs_budget=False,
    # A lead is due to larger first steps only where larger steps make up for it.
    borne_out_by=("larger-step", "each-at-its-best"),
    part="reason",
)
def first_step(results: ExperimentResults) -> Iterator[Observation]:
    """Optimizers whose first step is the same multiple of the learning rate in every weight.

    The bias-corrected first step of Adam is lr · g / (|g| + eps) (Kingma and Ba 2015, section 2),
    that of RMSprop, whose mean square is not corrected, lr · g / (√(1 − α) |g| + eps).
    """
    groups = _by_first_step(results)
    others = [factor for factor in groups if factor != 1]
    told = [factor for factor in (1.0, *others[:1]) if factor in groups]
    if not told:
        return
    facts: Facts = {}
    claims: list[Source] = []
    for factor, key in zip(told, ("subject", "other"), strict=False):
        members = [r for name in groups[factor] for r in results.of(name)]
        subjects = tuple(map(Subject, groups[factor]))
        facts[key] = subjects if len(subjects) > 1 else subjects[0]
        if factor != 1:
            facts["factor"] = _first_step_factor(members)
        claims += [
            cite(f"min(each(min({_FIRST_STEP}))) >= {factor!r} * (1 - ALIKE)", members),
            cite(f"max(each(max({_FIRST_STEP}))) <= {factor!r} * (1 + ALIKE)", members),
            cite(f"min(each(max({_SLOPES}) / min({_SLOPES}))) >= UNLIKE_GRADIENTS", members),
        ]
    form = "" if told == [1.0] else "scaled" if len(told) == 1 else "both"
    runs = sum(len(results.of(name)) for factor in told for name in groups[factor])
    yield Observation("first-step", facts, runs=runs, form=form, claims=tuple(claims))


_FIRST_STEP = "(abs(wide(weights[1]) - wide(weights[0])) / learning_rate)[gradients[0] != 0]"
"""The first step of each weight that has a gradient, over the learning rate."""

_SLOPES = "abs(wide(gradients[0]))[gradients[0] != 0]"
"""The absolute values of the gradients before training, of those that are not 0."""


def _by_first_step(results: ExperimentResults) -> dict[float, list[str]]:
    """Variants whose first steps are all the same multiple of the rate, by this multiple.

    A multiple has two digits: to within a hundredth nothing else can be told.
    """
    groups: dict[float, list[str]] = {}
    for name in dict.fromkeys(r.variant for r in results.results):
        own = results.of(name)
        ratios = [ratio for r in own if (ratio := _first_step_ratio(r)) is not None]
        if not ratios or len(ratios) < len(own):
            continue
        low, high = min(low for low, _ in ratios), max(high for _, high in ratios)
        for factor in (1.0, float(f"{(low + high) / 2:.1e}")):
            if factor * (1 - thresholds.ALIKE) <= low and high <= factor * (1 + thresholds.ALIKE):
                groups.setdefault(factor, []).append(name)
                break
    return groups


def _first_step_factor(members: Sequence[Result]) -> Number:
    """By what the learning rate is multiplied in the first step: the middle of all weights."""
    ratios = [ratio for r in members if (ratio := _first_step_ratio(r)) is not None]
    middle = (min(low for low, _ in ratios) + max(high for _, high in ratios)) / 2
    formula = f"(min(each(min({_FIRST_STEP}))) + max(each(max({_FIRST_STEP})))) / 2"
    return Number(middle, cite(formula, members), digits=2)


def _first_step_ratio(result: Result) -> tuple[float, float] | None:
    """Smallest and largest first step of the weights that have a gradient, over the rate."""
    trace, rate = result.run.trace, result.run.config.optimizer.learning_rate
    if len(trace.weights) < 2 or rate == 0 or not trace.is_whole:
        return None
    moving = trace.gradients[0] != 0
    slopes = np.abs(trace.gradients[0][moving].astype(np.float64))
    # Gradients of one size would give steps of one size with any optimizer.
    if not slopes.size or slopes.max() / slopes.min() < thresholds.UNLIKE_GRADIENTS:
        return None
    moved = np.abs(trace.weights[1].astype(np.float64) - trace.weights[0].astype(np.float64))
    ratios = moved[moving] / rate
    return (float(ratios.min()), float(ratios.max())) if ratios.min() > 0 else None
