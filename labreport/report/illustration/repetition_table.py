"""The experiments of an appendix beside those of the main part that they repeat, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labreport.analysis.observation import Number
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.comparison import same_rows
from labreport.lab.plan import Point
from labreport.report.best_cells import NONE
from labreport.report.phrases import Concatenation, Phrase, text, written
from labreport.report.tables import head, in_brackets
from labreport.report.tree import Cell, Table

Pair = tuple[ExperimentResults, ExperimentResults]
"""An experiment of the main part, and its repetition."""


def repetition_table(pairs: Sequence[Pair]) -> Table | None:
    """A row for each experiment with other runs than the main part: what came out best in either.

    None without any. Gradient checks have none: their run stands for the weights at which
    gradients are compared.
    """
    compared = [pair for pair in pairs if pair[0].plan.experiment.kind != "gradient-check"]
    rows = tuple(_row(*pair) for pair in compared if _digests(pair[0]) != _digests(pair[1]))
    if not rows:
        return None
    numeric = (False, True, False, True, False, True)
    names = ("experiment", "after", "best-main", "error", "best-again", "error")
    header = (head(name, numeric=n) for name, n in zip(names, numeric, strict=True))
    return Table(text("report.repetition-table"), tuple(header), rows)


def _digests(experiment: ExperimentResults) -> list[str]:
    return [result.run.config.digest for result in experiment.results]


def _row(main: ExperimentResults, again: ExperimentResults) -> tuple[Cell, ...]:
    budget = min(main.last, again.last)
    best = (cell for side in (main, again) for cell in _best(side, budget))
    title = written(main.plan.experiment.title)
    return (Cell(title), Cell(str(budget), numeric=True), *best)


def _best(experiment: ExperimentResults, budget: int) -> tuple[Cell, Cell]:
    """The variant or point with the smallest squared error, and that error."""
    found = list(_errors(experiment, budget))
    if not found:
        return Cell(NONE), Cell(NONE, numeric=True)
    error, members = min(found, key=lambda pair: pair[0])
    alike = [others for other, others in found if other == error]
    names: list[Phrase] = [in_brackets(experiment, others[0]) for others in alike]
    single = len(members) == 1
    number = members[0].told(lambda r: r.error(budget)) if single else Number(error)
    return Cell(Concatenation(tuple(names), "; ")), Cell(number, numeric=True)


def _errors(
    experiment: ExperimentResults, budget: int
) -> Iterator[tuple[float, tuple[Result, ...]]]:
    """Squared errors on the rows of the base, of several starts their median, with their runs."""
    groups: dict[tuple[str, Point], list[Result]] = {}
    for result in experiment.results:
        groups.setdefault((result.variant, result.point), []).append(result)
    for members in groups.values():
        there = [r for r in members if r.run.config.rounds >= budget]
        errors = [r.error(budget) for r in there]
        own = all(same_rows(r.run.config.data, experiment.plan.base.data) for r in there)
        if there and own and all(error is not None for error in errors):
            yield float(np.median([error or 0.0 for error in errors])), tuple(there)
