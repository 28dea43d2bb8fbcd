"""What a chosen run answers on rows that it has not seen: classes taken for others, predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.answers.held_out.held_out_facts import (
    TEST,
    VALIDATION,
    chosen_of,
    held_parts,
    kept_step,
    on_parts,
)
from labreport.analysis.held_out import Labels
from labreport.analysis.observation import Names, Number, Share
from labreport.analysis.passes import told_after
from labreport.analysis.results import ExperimentResults, Result
from labreport.report.best_cells import NONE
from labreport.report.phrases import Phrase, text
from labreport.report.tables import head, named
from labreport.report.tree import Cell, Table

MOST_CLASSES = 10
"""Classes that a table has columns for."""

FEW_PREDICTIONS = 6
"""Rows whose prediction is told, the first ones."""

MOST_INPUTS = 5
"""Inputs of a row that a table tells."""


def answer_tables(results: ExperimentResults) -> list[Table]:
    """Tables of the run that the validation rows choose of single runs, or of the only one."""
    last = told_after(results)
    result = chosen_of(results.singles, last)
    if result is None or result.index(last) is None:
        return []
    part = TEST if TEST in held_parts(result) else VALIDATION
    step = kept_step(result, last)
    classes = on_parts(result).data_set.classes
    if classes:
        return [confusion_table(results, result, part, step)] if _fits(classes) else []
    return [predictions_table(results, result, part, step)]


def _fits(classes: Sequence[str]) -> bool:
    return len(classes) <= MOST_CLASSES


def confusion_table(results: ExperimentResults, result: Result, part: str, step: int) -> Table:
    """Rows by their own class and that which they are put into, and how good that is by class.

    Precision is the share of right ones among those put into a class, recall that among those of
    the class, F1 their harmonic mean.
    """
    classes = on_parts(result).data_set.classes
    counts = on_parts(result).confusion(part, step)
    header = [head("class"), *(Cell(Names((name,)), numeric=True) for name in classes)]
    header += [head(name, numeric=True) for name in ("precision", "recall", "f1")]
    rows = []
    for number, name in enumerate(classes):
        cells = [Cell(str(n), numeric=True) for n in counts[number]]
        rows.append((Cell(Names((name,))), *cells, *map(_share, measures(counts)[number])))
    return Table(_caption("confusion-table", results, result, part), tuple(header), tuple(rows))


def measures(counts: Labels) -> list[tuple[float | None, float | None, float | None]]:
    """Precision, recall and F1 of each class, from the counts [own class, class put into].

    None where nothing is put into a class, or nothing belongs to it.
    """
    found = []
    for k, right in enumerate(np.diag(counts)):
        precision = _ratio(right, counts[:, k].sum())
        recall = _ratio(right, counts[k].sum())
        f1 = _ratio(2 * right, counts[:, k].sum() + counts[k].sum())
        found.append((precision, recall, f1))
    return found


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _share(value: float | None) -> Cell:
    return Cell(NONE if value is None else Share(value), numeric=True)


def predictions_table(results: ExperimentResults, result: Result, part: str, step: int) -> Table:
    """The first rows of a part: their inputs as the source has them, target and prediction."""
    on = on_parts(result)
    data = on.data_set
    columns = data.columns_of(part)[:FEW_PREDICTIONS, :MOST_INPUTS]
    targets = np.array(data.parts[part].targets)[:FEW_PREDICTIONS]
    outputs = on.outputs(part, (step,))[0][:FEW_PREDICTIONS]
    header = [Cell(Names((name,)), numeric=True) for name in data.columns[:MOST_INPUTS]]
    for name in data.targets:
        header += [
            Cell(Names((name,)), numeric=True),
            head("prediction", numeric=True),
            head("residual", numeric=True),
        ]
    rows = tuple(
        tuple(
            _number(value) for value in (*inputs, *np.column_stack([y, o, y - o]).ravel().tolist())
        )
        for inputs, y, o in zip(columns, targets, outputs, strict=True)
    )
    return Table(_caption("predictions-table", results, result, part), tuple(header), rows)


def _number(value: float) -> Cell:
    return Cell(Number(float(value), None, 4), numeric=True)


def _caption(key: str, results: ExperimentResults, result: Result, part: str) -> Phrase:
    named_part = text(f"report.part-{part}")
    run = named(results, result.variant)
    # A run that ends before the others is shown at its end.
    budget = result.index(told_after(results)) or 0
    return text(f"report.{key}", name=run, part=named_part, budget=budget)
