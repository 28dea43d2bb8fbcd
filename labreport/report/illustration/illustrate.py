"""Figures and tables of an experiment: chosen by its structure, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labreport.analysis.results import ExperimentResults
from labreport.report.illustration.curve_figures import CurveFigures
from labreport.report.illustration.gradient_check_blocks import check_blocks, check_tables
from labreport.report.illustration.run_figures import RunFigures
from labreport.report.illustration.start_figures import StartFigures
from labreport.report.illustration.sweep_figures import SweepFigures
from labreport.report.phrases import Phrase
from labreport.report.tables import comparison_table, starts_table, sweep_table
from labreport.report.tree import Block, Table

TableMaker = Callable[[ExperimentResults], Table | None]


def illustrate(results: ExperimentResults, title: Phrase) -> list[Block]:
    """The figures and tables of an experiment: what came out, then how it came about."""
    checked = check_blocks(results)
    if checked:
        return checked
    swept, begun = SweepFigures(results, title), StartFigures(results, title)
    courses, runs = CurveFigures(results, title), RunFigures(results, title)
    return [
        *swept.sweep(),
        *swept.map(),
        *_table(results, sweep_table),
        *courses.sweep_curves(),
        *begun.starts(),
        *_table(results, starts_table),
        *courses.curves(),
        *_table(results, comparison_table),
        *runs.weights(),
        *runs.sizes(),
        *runs.landscape(),
    ]


def tables_of(results: ExperimentResults) -> list[Table]:
    """The tables of an experiment alone, in reading order."""
    makers = (sweep_table, starts_table, comparison_table)
    blocks: Sequence[Block | None] = check_tables(results) or [make(results) for make in makers]
    return [block for block in blocks if isinstance(block, Table)]


def _table(results: ExperimentResults, make: TableMaker) -> list[Block]:
    """A table, where the experiment has something to put in it."""
    made = make(results)
    return [made] if made else []
