"""What runs predict for rows that the lab asks about, whose targets nobody knows."""

from __future__ import annotations

import numpy as np

from labreport.analysis.held_out import HeldOut
from labreport.analysis.observation import Names, Number, Setting, Share
from labreport.analysis.passes import told_after
from labreport.analysis.results import ExperimentResults
from labreport.report.best_cells import NONE
from labreport.report.held_out.answers_table import MOST_INPUTS
from labreport.report.phrases import Phrase, text
from labreport.report.tables import head, named
from labreport.report.tree import Cell, Table


def asked_rows_table(results: ExperimentResults) -> Table | None:
    """Each row asked about, with the prediction of each single run after the last round compared.

    Of classes that into which the row is put, and its probability where outputs tell one.
    """
    budget = told_after(results)
    asked = [
        (HeldOut(r.run, data), r, step)
        for r in results.singles
        if (data := r.trial.data_set) is not None
        and data.asked
        and (step := r.index(budget)) is not None
    ]
    sets = [on.data_set for on, _, _ in asked]
    if len({(s.columns, s.targets, s.classes) for s in sets}) != 1:
        return None
    data = sets[0]
    found = [row for on, r, step in asked for row in _rows(on, named(results, r.variant), step)]
    header = [Cell(Names((name,)), numeric=True) for name in data.columns[:MOST_INPUTS]]
    header.append(head("variant"))
    if data.classes:
        header += [head("class"), head("probability", numeric=True)]
    else:
        header += [Cell(Names((name,)), numeric=True) for name in data.targets]
    rows = sorted(found, key=lambda row: row[0])
    caption = text("report.asked-rows-table", budget=budget)
    return Table(caption, tuple(header), tuple(cells for _, cells in rows))


def _rows(on: HeldOut, name: Phrase, step: int) -> list[tuple[int, tuple[Cell, ...]]]:
    """The rows that a run is asked about, by their place, with what it predicts after a step."""
    data = on.data_set
    outputs = on.outputs_at(np.array(data.asked), on.kept(step))
    if data.classes:
        told = _classes(on, outputs)
    else:
        told = [tuple(map(_number, row)) for row in outputs.tolist()]
    inputs = [[Cell(Setting(v), numeric=True) for v in row[:MOST_INPUTS]] for row in data.asked]
    return [(k, (*inputs[k], Cell(name), *told[k])) for k in range(len(data.asked))]


def _classes(on: HeldOut, outputs: np.ndarray) -> list[tuple[Cell, ...]]:
    names = on.data_set.classes
    probabilities = on.probabilities_of(outputs)
    found: list[tuple[Cell, ...]] = []
    for row, number in enumerate(on.classes_of(outputs)):
        if not np.isfinite(outputs[row]).all():
            found.append((Cell(NONE), Cell(NONE, numeric=True)))
            continue
        chance: Share | str = NONE
        if probabilities is not None:
            chance = Share(float(probabilities[row, number]))
        found.append((Cell(Names((names[number],))), Cell(chance, numeric=True)))
    return found


def _number(value: float) -> Cell:
    return Cell(Number(value, None, 4) if np.isfinite(value) else NONE, numeric=True)
