"""The first rounds of a run as a table, beside which somebody may lay what a program prints."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.analysis.measures.digits import agreed
from labreport.analysis.observation import Number
from labreport.lab.naming import display_order, names_as_read
from labreport.report.phrases import text
from labreport.report.tables import head
from labreport.report.tree import Cell, Table
from labreport.runs.run import Run

FIRST_ROUNDS = 10
"""Rounds that are tabled one by one."""

MOST_COLUMNS = 12
"""Weights that have a column each; of more of them a table has losses alone."""


def first_rounds_table(run: Run, twins: Sequence[Run]) -> Table | None:
    """Loss and weights after each of the first updates and after the last one.

    None where rounds see mini-batches, whose order no other program has.

    Args:
        run: that is tabled.
        twins: the same run in other roundings, which say how many digits a number has.
    """
    last = len(run.trace.losses) - 1
    if last < 0 or not run.config.data.sees_all_rows:
        return None
    network = run.config.network
    has_weights = network.parameter_count <= MOST_COLUMNS
    order = display_order(network) if has_weights else ()
    names = names_as_read(network) if has_weights else ()
    steps = dict.fromkeys([*range(min(last, FIRST_ROUNDS) + 1), last])
    rows = [(Cell(str(s), numeric=True), *_cells(run, twins, s, order)) for s in steps]
    header = (
        *(head(name, numeric=True) for name in ("updates", "loss-then")),
        *(Cell(name, numeric=True) for name in names),
    )
    caption = text("report.first-rounds-table" + ("" if has_weights else "-losses"))
    return Table(caption, header, tuple(rows))


def _cells(run: Run, twins: Sequence[Run], step: int, order: Sequence[int]) -> list[Cell]:
    """Numbers of the run at a step, with the digits on which those of its twins agree."""
    others = [found for twin in twins if (found := _numbers(twin, step, order))]
    numbers = zip(_numbers(run, step, order), *others, strict=True)
    return [Cell(Number(n, digits=agreed(n, same)), numeric=True) for n, *same in numbers]


def _numbers(run: Run, step: int, order: Sequence[int]) -> list[float]:
    """The loss and these weights at a step; nothing where they were not recorded."""
    weights = run.trace.weights_at(step)
    if weights is None:
        return []
    return [float(run.trace.losses[step]), *map(float, weights[list(order)])]
