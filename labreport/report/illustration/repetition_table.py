"""The experiments of an appendix beside those of the main part that they repeat, as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from labreport.analysis.observation import Number
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.plan import Point
from labreport.report.best_cells import NONE
from labreport.report.phrases import Concatenation, Phrase, text, written
from labreport.report.tables import head, in_brackets
from labreport.report.tree import Cell, Table

MOST_BUDGETS = 3
"""Columns of losses."""

Pair = tuple[ExperimentResults, ExperimentResults]
"""An experiment of the main part, and its repetition."""


@dataclass(frozen=True, eq=False)
class _Line:
    """A variant at its only point, or at its best one: runs from one start or from several."""

    experiment: ExperimentResults
    members: tuple[Result, ...]

    @property
    def name(self) -> Phrase:
        return in_brackets(self.experiment, self.members[0])

    def loss(self, budget: int) -> Phrase:
        """The loss after so many rounds, of several starts the median; NONE where there is none."""
        if any(budget > r.run.config.rounds or r.loss(budget) is None for r in self.members):
            return NONE
        if len(self.members) == 1:
            return self.members[0].number(budget)
        return Number(_median(self.members, budget))


def repetition_table(pairs: Sequence[Pair]) -> Table | None:
    """A row for each variant whose runs are not those of the main part; None without any.

    Gradient checks have none: their run stands for the weights at which gradients are compared.
    """
    compared = [pair for pair in pairs if pair[0].plan.experiment.kind != "gradient-check"]
    lines = [line for pair in compared for line in _lines(*pair)]
    if not lines:
        return None
    budgets = _budgets([main for main, _ in compared])
    header = (head("variant"), *(head("loss", numeric=True, budget=b) for b in budgets))
    losses = [[_beside(main.loss(b), again.loss(b)) for b in budgets] for main, again in lines]
    rows = tuple(
        (Cell(_name(*line)), *(Cell(loss, numeric=True) for loss in told))
        for line, told in zip(lines, losses, strict=True)
        if set(told) != {NONE}
    )
    return Table(text("report.repetition-table"), header, rows)


def _lines(main: ExperimentResults, again: ExperimentResults) -> Iterator[tuple[_Line, _Line]]:
    """Variants with other runs in the repetition, each at its best point in either."""
    for variant in main.plan.variants:
        sides = main.of(variant.name), again.of(variant.name)
        before, after = ([r.run.config.digest for r in side] for side in sides)
        if before != after:
            yield _Line(main, _at_best(sides[0], main)), _Line(again, _at_best(sides[1], again))


def _at_best(members: Sequence[Result], experiment: ExperimentResults) -> tuple[Result, ...]:
    """The runs at the point with the lowest loss at last, of several starts by their median."""
    points: dict[Point, list[Result]] = {}
    for result in members:
        points.setdefault(result.point, []).append(result)
    best = min(points.values(), key=lambda there: _median(there, experiment.last))
    return tuple(best)


def _median(members: Sequence[Result], budget: int) -> float:
    """The median of the losses after so many rounds; infinite where a run had ended."""
    losses = [r.loss(budget) for r in members]
    return float(np.median([np.inf if loss is None else loss for loss in losses]))


def _budgets(experiments: Sequence[ExperimentResults]) -> list[int]:
    """Rounds that most experiments are compared after, and some that all of them have."""
    everywhere = min(e.last for e in experiments)
    counts = Counter(b for e in experiments for b in e.budgets if b != everywhere)
    return sorted([everywhere, *(b for b, _ in counts.most_common(MOST_BUDGETS - 1))])


def _name(main: _Line, again: _Line) -> Phrase:
    """An experiment with the variant, and both of its best points where they differ."""
    names = dict.fromkeys((main.name, again.name))
    title = written(main.experiment.plan.experiment.title)
    return Concatenation((title, ": ", Concatenation(tuple(names), " → ")))


def _beside(main: Phrase, again: Phrase) -> Phrase:
    return NONE if main == again == NONE else Concatenation((main, again), " → ")
