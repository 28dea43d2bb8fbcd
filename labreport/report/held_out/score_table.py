"""Losses and scores of an experiment's runs on the parts of their data set, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import stdev

import numpy as np

from labreport.analysis.answers.held_out.held_out_facts import (
    TEST,
    TRAIN,
    VALIDATION,
    chosen_of,
    kept_step,
    loss_on,
    on_parts,
    part_of_starts,
    training_number,
)
from labreport.analysis.held_out import held_out
from labreport.analysis.observation import Count, Keys, Number, Share
from labreport.analysis.passes import told_after
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.plan import Point
from labreport.report.best_cells import NONE, cells, nearest
from labreport.report.held_out.answers_table import answer_tables
from labreport.report.phrases import Concatenation, configured, text
from labreport.report.tables import head, named, parameter_cells
from labreport.report.tree import Cell, Table

MOST_POINTS = 16
"""Points of a sweep that the table has; of more it has some, evenly chosen."""


def score_tables(results: ExperimentResults) -> list[Table]:
    """The tables of an experiment whose data set has rows that are held out."""
    made = (_of_singles(results), _of_sweep(results), _of_starts(results))
    return [*(table for table in made if table is not None), *answer_tables(results)]


def _of_singles(results: ExperimentResults) -> Table | None:
    """A row for each single run: its loss and score on training and validation, and on the test.

    The test is told of the one run that the validation rows choose, or of all where there are no
    validation rows.
    """
    budget = told_after(results)
    there = _with_rows(results.singles, budget)
    if not there:
        return None
    rows = [Cell(named(results, r.variant)) for r in there]
    caption = "report.scores-table" + ("" if budget == results.last else "-own")
    return _table(there, rows, [head("variant")], budget, caption)


def _of_sweep(results: ExperimentResults) -> Table | None:
    """A row for each point of a sweep."""
    if len(results.swept) != 1:
        return None
    ((_, members),) = results.swept.items()
    budget = told_after(results)
    there = _with_rows(members, budget)
    if len(there) < 2:
        return None
    places = np.unique(np.linspace(0, len(there) - 1, min(len(there), MOST_POINTS)).round())
    there = [there[int(place)] for place in places]
    keys = [key for key, _ in there[0].point]
    header = [Cell(text("report.column-point"))] if len(keys) > 1 else []
    labels = [
        Cell(Concatenation(tuple(configured(key, value) for key, value in r.point), ", "))
        for r in there
    ]
    header = header or [Cell(Keys((keys[0],)))]
    caption = "report.scores-sweep-table" + ("" if budget == results.last else "-own")
    return _table(there, labels, header, budget, caption)


def _with_rows(members: Sequence[Result], budget: int) -> list[Result]:
    """Results that got so far, with rows held out."""
    return [r for r in members if held_out(r) is not None and r.index(budget) is not None]


def _table(
    there: Sequence[Result],
    labels: Sequence[Cell],
    header: Sequence[Cell],
    budget: int,
    caption: str,
) -> Table:
    first = on_parts(there[0])
    parts = [p for p in (TRAIN, VALIDATION) if p in first.data_set.parts]
    validated = VALIDATION in parts
    tested = TEST in first.data_set.parts
    parts += [] if validated or not tested else [TEST]
    columns: list[list[Cell]] = []
    titles = list(header)
    if (sizes := parameter_cells(there)) is not None:
        columns.append(sizes)
        titles.append(head("parameters", numeric=True))
    if first.data_set.keeps_best:
        columns.append([Cell(Count(kept_step(r, budget)), numeric=True) for r in there])
        titles.append(head("kept", numeric=True))
    ranked = len({r.run.config.loss for r in there}) == 1
    for part in parts:
        losses = [_loss(r, part, budget) for r in there]
        best = nearest(losses) if ranked and _is_marked(there, part, budget) else frozenset()
        columns.append(cells(losses, best))
        titles.append(head("part-loss", numeric=True, part=text(f"report.part-{part}")))
    kind = "share" if first.data_set.classes else "explained"
    for part in parts:
        columns.append([_score(r, part, budget) for r in there])
        titles.append(head(f"part-{kind}", numeric=True, part=text(f"report.part-{part}")))
    if validated and tested:
        columns.append(_tested(there, budget))
        titles.append(head(f"part-{kind}", numeric=True, part=text("report.part-test")))
    rows = tuple(zip(labels, *columns, strict=True))
    said = text(caption, budget=budget)
    return Table(said, tuple(titles), rows)


def _is_marked(there: Sequence[Result], part: str, budget: int) -> bool:
    """Return whether the lowest loss of a part is marked: on validation what is chosen by it."""
    chosen = chosen_of(there, budget, same_training=False)
    return part == TRAIN or (part == VALIDATION and chosen is not None)


def _tested(there: Sequence[Result], budget: int) -> list[Cell]:
    """The score on the test of the run that the validation rows choose; none where none is."""
    chosen = chosen_of(there, budget, same_training=False)
    return [_score(r, TEST, budget) if r is chosen else Cell(NONE, numeric=True) for r in there]


def _loss(result: Result, part: str, budget: int) -> Number | None:
    if part == TRAIN:
        return None if result.loss(budget) is None else training_number(result, budget)
    value = on_parts(result).loss(part, kept_step(result, budget))
    return None if value is None else Number(value, None, 4)


def _score(result: Result, part: str, budget: int) -> Cell:
    value = on_parts(result).score(part, kept_step(result, budget))
    if value is None:
        return Cell(NONE, numeric=True)
    has_classes = bool(on_parts(result).data_set.classes)
    return Cell(Share(value) if has_classes else Number(value, None, 3), numeric=True)


def _of_starts(results: ExperimentResults) -> Table | None:
    """A row for each variant or value from several starts: scores and loss on what was held out."""
    last = results.last
    every: dict[tuple[str, Point], Sequence[Result]] = {
        (name, ()): members for name, members in results.replicated.items()
    }
    for name, points in results.gridded.items():
        every |= {(name, point): members for point, members in points.items()}
    known = {place: _with_rows(members, last) for place, members in every.items()}
    groups = {place: members for place, members in known.items() if len(members) > 1}
    if not groups:
        return None
    first = on_parts(next(iter(groups.values()))[0])
    kind = "share" if first.data_set.classes else "explained"
    compared = max(len(every), len({r.variant for r in results.results}))
    part = part_of_starts(first.data_set.held_out, compared)
    names = ("count", "mean", "deviation", "lowest", "median", "highest", "median-loss")
    header = (head("variant"), *(head(name, numeric=True) for name in names))
    rows = [
        (Cell(named(results, *place)), *_row_of_starts(members, part, last))
        for place, members in groups.items()
    ]
    caption = text(f"report.scores-starts-{kind}", budget=last, part=text(f"report.part-{part}"))
    return Table(caption, header, tuple(rows))


def _row_of_starts(members: Sequence[Result], part: str, last: int) -> tuple[Cell, ...]:
    """How many runs have a score on a part, statistics of these, and the median of their loss."""
    found = [(r, on_parts(r).score(part, kept_step(r, last))) for r in members]
    values = np.array([value for _, value in found if value is not None])
    count = Cell(str(len(values)), numeric=True)
    if len(values) < 2:
        return (count, *[Cell(NONE, numeric=True)] * 6)
    # Exactly 0 where all are equal, which a sum of rounded squares need not be.
    deviation = stdev(values.tolist())
    shown = (values.mean(), deviation, values.min(), np.median(values), values.max())
    has_classes = bool(on_parts(members[0]).data_set.classes)
    cells_of = [Share(float(v)) if has_classes else Number(float(v), None, 3) for v in shown]
    losses = [loss_on(r, part, last) for r, value in found if value is not None]
    middle = Number(float(np.median(losses)), None, 4)
    return (count, *(Cell(value, numeric=True) for value in (*cells_of, middle)))
