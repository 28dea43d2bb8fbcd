"""What runs predict for rows that the lab asks about, whose targets nobody knows."""

from __future__ import annotations

import numpy as np

from labreport.analysis.held_out import HeldOut
from labreport.analysis.observation import Names, Number, Setting, Share
from labreport.analysis.passes import told_after
from labreport.analysis.results import ExperimentResults, Result
from labreport.report.best_cells import NONE
from labreport.report.held_out.answers_table import MOST_INPUTS
from labreport.report.phrases import text
from labreport.report.tables import head, named
from labreport.report.tree import Cell, Table


def asked_rows_table(results: ExperimentResults) -> Table | None:
    """Each row asked about, with the prediction of each single run after the last round compared.

    Of classes that into which the row is put, and its probability where outputs tell one.
    """
    budget = told_after(results)
    there = [(r, step) for r in results.singles if (step := r.index(budget)) is not None]
    found = [row for r, step in there for row in _rows(results, r, step)]
    sets = [r.trial.data_set for r, _ in there]
    if not found or len({(s.columns, s.targets, s.classes) for s in sets if s is not None}) > 1:
        return None
    data = sets[0]
    assert data is not None
    header = [Cell(Names((name,)), numeric=True) for name in data.columns[:MOST_INPUTS]]
    header.append(head("variant"))
    if data.classes:
        header += [head("class"), head("probability", numeric=True)]
    else:
        header += [Cell(Names((name,)), numeric=True) for name in data.targets]
    rows = sorted(found, key=lambda row: row[0])
    caption = text("report.asked-rows-table", budget=budget)
    return Table(caption, tuple(header), tuple(cells for _, cells in rows))


def _rows(
    results: ExperimentResults, result: Result, step: int
) -> list[tuple[int, tuple[Cell, ...]]]:
    """The rows that a run is asked about, by their place, with what it predicts."""
    data = result.trial.data_set
    if data is None or not data.asked:
        return []
    on = HeldOut(result.run, data)
    outputs = on.outputs_at(np.array(data.asked), on.kept(step))
    if not np.isfinite(outputs).all():
        return []
    name = Cell(named(results, result.variant))
    told = _classes(on, outputs) if data.classes else [tuple(map(_number, o)) for o in outputs]
    inputs = [[Cell(Setting(v), numeric=True) for v in row[:MOST_INPUTS]] for row in data.asked]
    return [(k, (*inputs[k], name, *told[k])) for k in range(len(data.asked))]


def _classes(on: HeldOut, outputs: np.ndarray) -> list[tuple[Cell, ...]]:
    names = on.data_set.classes
    probabilities = on.probabilities_of(outputs)
    found: list[tuple[Cell, ...]] = []
    for row, number in enumerate(on.classes_of(outputs)):
        chance: Share | str = NONE
        if probabilities is not None:
            chance = Share(float(probabilities[row, number]))
        found.append((Cell(Names((names[number],))), Cell(chance, numeric=True)))
    return found


def _number(value: float) -> Cell:
    return Cell(Number(float(value), None, 4), numeric=True)
