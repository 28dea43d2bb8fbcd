"""Loss curves that stand for an experiment, and the axes they are read on; drawn elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labreport.analysis.observation import Subject
from labreport.analysis.results import ExperimentResults, Result, distinct
from labreport.analysis.rules.comparison import comparable
from labreport.analysis.rules.sweeps import best
from labreport.lab.changes import quantity
from labreport.report.illustration.drawings import Curve
from labreport.report.phrases import Named, Phrase, listed

FIRST_ROUNDS = 4
"""The first rounds are shown apart if the last budget is more than so many times the first."""

ComputedCurve = Curve[Phrase, np.ndarray]


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves that share their axes.

    Attributes:
        kind: "losses"; "errors" where losses of different kinds cannot be compared; "medians" of
            losses over random starts, beside which single runs stand for themselves.
        results: a run for each, in the same order; none for medians.
        curves: their names and values.
        budgets: rounds at which they are compared; the figures end at the last of them.
    """

    kind: str
    results: tuple[Result, ...]
    curves: tuple[ComputedCurve, ...]
    budgets: tuple[int, ...]

    @property
    def rounds(self) -> int:
        """The last round that is drawn."""
        return min(self.budgets[-1], max(len(curve.values) for curve in self.curves) - 1)

    @property
    def by_ratio(self) -> bool:
        """True if rounds are read by their ratio, as the report draws them."""
        return self.kind != "medians" and by_ratio(self.budgets)

    @property
    def logarithmic(self) -> bool:
        """True if values are read by their ratio."""
        return wants_log([v for c in self.curves for v in c.values[: self.rounds + 1]])


def curves_of(results: ExperimentResults) -> tuple[Curves, ...]:
    """The curves that stand for an experiment, in the order of the report."""
    candidates = (
        swept_curves(results),
        median_curves(results),
        single_curves(results),
    )
    return tuple(curves for curves in candidates if curves is not None)


def single_curves(results: ExperimentResults) -> Curves | None:
    """Losses of single runs, or their squared errors where losses differ in kind.

    Runs that are the same to the last bit are one curve with all of their names.
    """
    singles = [r for r in distinct(results.singles) if len(r.losses) > 1]
    if not singles or results.replicated:
        return None
    names = names_of_runs(results)
    named = [(names[r.bits], look(results, r.variant)) for r in singles]
    kind = "losses" if len({quantity(r.run.config) for r in singles}) == 1 else "errors"
    return _curves(kind, singles, named, results.budgets)


def names_of_runs(results: ExperimentResults) -> dict[bytes, Phrase]:
    """The names of each single run, by its bits: of those that are the same all, in one phrase."""
    variants: dict[bytes, list[str]] = {}
    for result in results.singles:
        variants.setdefault(result.bits, []).append(result.variant)
    return {
        bits: listed((_name(results, v) for v in names), "commas")
        for bits, names in variants.items()
    }


def swept_curves(results: ExperimentResults) -> Curves | None:
    """Losses at some points of a sweep: of each variant the best, or of one three."""
    swept = results.swept
    if not swept:
        return None
    if len(swept) == 1:
        ((_, members),) = swept.items()
        chosen = _telling(members, results)
    else:
        tops = (best(members, results.last) for members in swept.values())
        chosen = [top for top in tops if top is not None]
    if not comparable_all(chosen):
        return None
    named = [
        (
            Named(Subject(r.variant, r.point), results.plan.name),
            # The points of one variant are told apart by their place in the sweep.
            look(results, r.variant) if len(swept) > 1 else place,
        )
        for place, r in enumerate(chosen)
    ]
    return _curves("losses", chosen, named, results.budgets)


def median_curves(results: ExperimentResults) -> Curves | None:
    """Median of the losses over each variant's random starts, with the single runs beside them."""
    last = results.last
    groups = {name: starts_curves(members, last) for name, members in results.replicated.items()}
    drawn: list[ComputedCurve] = [
        Curve(_name(results, name), np.median(curves, axis=0), look(results, name))
        for name, curves in groups.items()
        if len(curves)
    ]
    if not drawn:
        return None
    singles = [r for r in results.singles if r.loss(last) is not None]
    drawn += [
        Curve(
            _name(results, r.variant),
            drawn_losses(r)[: last + 1],
            look(results, r.variant),
        )
        for r in singles
    ]
    return Curves("medians", (), tuple(drawn), results.budgets)


def starts_curves(members: Sequence[Result], budget: int) -> np.ndarray:
    """Loss curves [starts, steps] of the starts that got so far, float64."""
    return np.array([drawn_losses(r)[: budget + 1] for r in members if r.loss(budget) is not None])


def drawn_losses(result: Result) -> np.ndarray:
    """Losses [steps] as a figure has them, float64.

    Straight lines join those over all rows where only some are known, as with mini-batches.
    """
    losses: np.ndarray = result.losses.astype(np.float64)
    known = np.flatnonzero(~np.isnan(losses))
    if len(known) == len(losses):
        return losses
    joined: np.ndarray = np.interp(np.arange(len(losses)), known, losses[known])
    return joined


def _name(results: ExperimentResults, variant: str) -> Phrase:
    return Named(Subject(variant), results.plan.name)


def look(results: ExperimentResults, variant: str) -> int:
    """The look of a variant: its place in the experiment."""
    return [v.name for v in results.plan.variants].index(variant)


def _curves(
    kind: str,
    chosen: Sequence[Result],
    named: Sequence[tuple[Phrase, int]],
    budgets: tuple[int, ...],
) -> Curves | None:
    drawn: list[tuple[Result, ComputedCurve]] = []
    for (name, place), result in zip(named, chosen, strict=True):
        values = drawn_losses(result) if kind == "losses" else result.errors
        if values is not None and 1 < len(values) == len(result.losses):
            drawn.append((result, Curve(name, values, place)))
    if not drawn:
        return None
    members, curves = zip(*drawn, strict=True)
    return Curves(kind, members, curves, budgets)


def comparable_all(members: Sequence[Result]) -> bool:
    """Return whether the losses of all are the same measure of the same thing."""
    return all(comparable(r, members[0]) for r in members)


def by_ratio(budgets: Sequence[int]) -> bool:
    """Return whether rounds are read by their ratio, because the first are few of all."""
    return budgets[-1] > FIRST_ROUNDS * budgets[0]


def wants_log(values: Sequence[float]) -> bool:
    """Return whether positive values span so much that a linear axis would flatten most of them."""
    positive = [v for v in values if v > 0]
    return len(positive) == len(values) and bool(positive) and max(positive) > 30 * min(positive)


def _telling(members: Sequence[Result], results: ExperimentResults) -> list[Result]:
    """The points with the base's value, the lowest and the highest loss at last, in their order."""
    known = [r for r in members if r.loss(results.last) is not None]
    order = sorted(known, key=lambda r: r.loss(results.last) or 0.0)
    at_base = results.plan.base.flat()
    base = [r for r in members if all(at_base.get(key) == value for key, value in r.point)]
    top = best(tuple(members), results.last)
    chosen = [*base, *([top] if top else []), *order[-1:]]
    return [r for r in members if r in chosen]
