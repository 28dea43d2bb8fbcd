"""The blocks of a gradient check: its formulas, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labreport.analysis.observation import Number, Setting
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rules.gradient_checks import wording
from labreport.lab.expression import parse
from labreport.reference.gradient_check.check_result import CheckedFormula, GradientCheck, Way
from labreport.reference.gradient_check.formula_training import falls
from labreport.reference.training import HandTrace
from labreport.report.best_cells import NONE
from labreport.report.formulas import latex
from labreport.report.illustration.drawings import (
    Array,
    Curve,
    CurveDrawing,
    DifferenceCurve,
    DifferenceDrawing,
    Drawing,
)
from labreport.report.phrases import Concatenation, Phrase, Reference, listed, text, written
from labreport.report.tables import head, measured
from labreport.report.tree import Block, Cell, Figure, Formula, Paragraph, Table


def check_blocks(results: ExperimentResults) -> list[Block]:
    """Compose the blocks of a gradient check, in reading order; none for other experiments."""
    check = results.check
    if check is None:
        return []
    shown = _Shown(results, check)
    return [
        *shown.formulas(),
        *shown.comparison(),
        *shown.figures(),
    ]


def check_tables(results: ExperimentResults) -> list[Block]:
    """The tables of a gradient check alone, with the words before them."""
    check = results.check
    if check is None:
        return []
    return _Shown(results, check).comparison()


class _Shown:
    """The blocks of one gradient check."""

    def __init__(self, results: ExperimentResults, check: GradientCheck) -> None:
        self.results, self.check = results, check
        self.units = f"{results.plan.name}/differences"
        """The key of the table that says what differences are measured in."""

    def formulas(self) -> list[Block]:
        """Each formula of the lab, by the example of the first weight that it replaces."""
        if not self.check.formulas:
            return []
        weight = next(iter(self.check.formulas[0].formula.derivatives))
        blocks: list[Block] = [Paragraph(self._text("check-formulas", weight=weight))]
        for checked in self.check.formulas:
            formula = checked.formula
            words: Phrase = self._label(checked)
            if formula.reason is not None:
                reason = written(formula.reason)
                words = self._text("check-reason", label=words, reason=reason)
            name, right = next(iter(formula.derivatives.items()))
            line = f"{latex.derivative(name)} = {latex.expression(parse(right))}"
            blocks += [Paragraph(words), Formula(line)]
        return blocks

    def comparison(self) -> list[Block]:
        """Compare how far each way is from autograd, and state what would have shown it."""
        rounds = len(self.check.truth.losses) - 1
        columns = ("absolute", "relative", "leaves", "shown-gradient", "shown-loss")
        header = [head("way")]
        header += [head(name, numeric=name in ("absolute", "relative")) for name in columns]
        header += [head("trained", numeric=True, budget=rounds), head("verdict")]
        right = self._loss_after(self.check.truth, rounds)
        rows = [
            self._row("way-hand", self.check.hand, right),
            self._row("way-differences", self.check.differences, Cell(NONE, numeric=True)),
        ]
        for checked in self.check.formulas:
            cells = (
                *self._measures(checked.way, checked),
                self._loss_after(checked.training, rounds),
                self._verdict(checked.way, checked),
            )
            rows.append((Cell(self._label(checked)), *cells))
        told = self._text("check-text", tolerance=Setting(self.check.tolerance))
        table = Table(self._text("check-table"), tuple(header), tuple(rows), self.units)
        return [Paragraph(told), table]

    def _loss_after(self, training: HandTrace, rounds: int) -> Cell:
        """The loss after so many rounds; where a training ended before, how it did."""
        if rounds < len(training.losses):
            return measured(float(training.losses[rounds]))
        kind = "refused" if training.divergence is None else "diverged"
        ended = text(f"ending.{kind}", step=len(training.losses))
        return Cell(Concatenation((NONE, ended), " "), numeric=True)

    def _row(self, name: str, way: Way, last: Cell) -> tuple[Cell, ...]:
        return (Cell(self._text(name)), *self._measures(way), last, self._verdict(way))

    def _measures(self, way: Way, checked: CheckedFormula | None = None) -> tuple[Cell, ...]:
        deviation = way.deviation
        leaves: Phrase = NONE
        if deviation.round is not None:
            leaves = self._text("check-at", round=deviation.round, weight=deviation.weight)
        shown = (None, None) if checked is None else (checked.shown.gradient, checked.shown.loss)
        return (
            measured(_difference(way, deviation.absolute)),
            measured(_difference(way, deviation.relative)),
            Cell(leaves),
            *(Cell(NONE if r is None else self._text("check-round", round=r)) for r in shown),
        )

    def _verdict(self, way: Way, checked: CheckedFormula | None = None) -> Cell:
        if way.deviation.round is not None:
            return Cell(self._text("check-wrong"))
        is_open = checked is not None and not checked.is_right
        return Cell(self._text("check-open" if is_open else "check-right"))

    def figures(self) -> list[Block]:
        """Differences round by round, and the losses that each formula trains to."""
        ways = [
            (self._text(f"way-{name}"), way)
            for name, way in (("hand", self.check.hand), ("differences", self.check.differences))
        ]
        ways += [(self._label(checked), checked.way) for checked in self.check.formulas]
        axes = (self._text("axis-updates"), self._text("axis-difference"))
        apart = [DifferenceCurve(name, Array.of(w.steps), Array.of(w.apart)) for name, w in ways]
        facts = [_beside(name, _difference(way, way.deviation.relative)) for name, way in ways]
        caption = "check-caption" if self.check.formulas else "check-caption-plain"
        drawing = DifferenceDrawing(tuple(apart), axes)
        blocks: list[Block] = [self._figure(caption, "check-alternative", drawing, facts)]
        rounds = len(self.check.hand.steps) - 1
        # A formula looks as it does among the ways above, after those by hand and by differences.
        right = self.check.truth.losses
        losses: list[Curve[Phrase, Array]] = [Curve(self._text("way-hand"), Array.of(right), 0)]
        losses += [
            Curve(self._label(c), Array.of(c.training.losses), look)
            for look, c in enumerate(self.check.formulas, start=2)
            if not c.is_right and len(c.training.losses) > 1
        ]
        if len(losses) > 1 and all(falls(c.training, rounds) for c in self.check.formulas):
            labels = (self._text("axis-updates"), self._text("axis-loss"), "")
            curves = CurveDrawing(tuple(losses), self.results.budgets, (), labels)
            facts = [_beside(c.name, Number(_last(c.values.numpy) or 0.0)) for c in losses]
            words = "check-losses-alternative"
            blocks.append(self._figure("check-losses-caption", words, curves, facts))
        return blocks

    def _figure(
        self,
        caption: str,
        alternative: str,
        drawing: Drawing,
        facts: Sequence[Phrase],
    ) -> Figure:
        words = self._text(alternative, facts=listed(facts, "clauses"))
        return Figure(self._text(caption, table=Reference(self.units)), drawing, words)

    def _label(self, checked: CheckedFormula) -> Phrase:
        return replace(wording(checked.formula), is_name=False)

    def _text(self, key: str, **values: Phrase) -> Phrase:
        return text(f"report.{key}", **values)


def _beside(name: Phrase, number: Number) -> Phrase:
    return Concatenation((name, " ", number))


def _difference(way: Way, value: float) -> Number:
    """A difference; one that is the doing of rounding has one digit."""
    return Number(value, digits=1 if way.deviation.round is None else None)


def _last(values: np.ndarray) -> float | None:
    return float(values[-1]) if len(values) else None
