"""Figures and tables of an experiment: by its structure and its answer, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.report.held_out.asked_rows import asked_rows_table
from labreport.report.held_out.held_out_figures import HeldOutFigures
from labreport.report.held_out.score_table import score_tables
from labreport.report.illustration.curve_figures import CurveFigures
from labreport.report.illustration.gradient_check_blocks import check_blocks, check_tables
from labreport.report.illustration.run_figures import RunFigures
from labreport.report.illustration.start_figures import StartFigures
from labreport.report.illustration.sweep_figures import SweepFigures
from labreport.report.phrases import Phrase
from labreport.report.start_tables import starts_table
from labreport.report.tables import comparison_table, sweep_table
from labreport.report.tree import Block, Table

MOST_FIGURES = 2
"""One that answers the question at a glance, and one that adds something to it."""

DEEP = 5
"""Layers of units, inputs and outputs among them, from which on a network is deep."""

Reason = tuple[str, str | None]
"""A rule, and the form of its finding; None for any."""

SHOWN_BY: tuple[tuple[Callable[[RunFigures], list[Block]], tuple[Reason, ...]], ...] = (
    (
        RunFigures.sizes,
        (
            ("lands-in-saturation", None),
            ("layer-gradients", None),
            ("silent-weights", "dead"),
            ("stuck", None),
        ),
    ),
    (
        RunFigures.weights,
        (("overshoot", None), ("silent-weights", None), ("symmetry", None)),
    ),
    (RunFigures.landscape, (("coincide", "momentum"), ("undamped", None))),
)
"""Figures that show what the answer of an experiment speaks of."""


def illustrate(results: ExperimentResults, observed: Observations, title: Phrase) -> list[Block]:
    """The figures and the tables of an experiment: first what came out.

    Args:
        results: of the experiment.
        observed: what was observed; the parts of its answer say what a second figure shows.
        title: of the experiment.
    """
    checked = check_blocks(results)
    if checked:
        return checked
    held = HeldOutFigures(results, title).figures()
    if held and _is_deep(results) and any(o.rule == "layer-gradients" for o in observed):
        # Gradients that vanish show layer by layer, and not in what the network says of rows.
        held = [*held[:1], *RunFigures(results, title).sizes()]
    if held:
        return [*held[:1], *tables_of(results), *held[1:MOST_FIGURES]]
    swept, begun = SweepFigures(results, title), StartFigures(results, title)
    courses = CurveFigures(results, title)
    figures = [*swept.sweep(), *courses.sweep_curves(), *begun.starts()]
    if not figures:
        figures = [*courses.curves(), *_of_runs(RunFigures(results, title), observed.answers)]
    return [*figures[:1], *tables_of(results), *figures[1:MOST_FIGURES]]


def tables_of(results: ExperimentResults) -> list[Table]:
    """The tables of an experiment alone, in reading order."""
    blocks: Sequence[Block | None] = check_tables(results) or (
        score_tables(results)
        or [sweep_table(results), starts_table(results) or comparison_table(results)]
    )
    return [block for block in (*blocks, asked_rows_table(results)) if isinstance(block, Table)]


def _is_deep(results: ExperimentResults) -> bool:
    """Return whether a single run has at least three hidden layers."""
    return any(len(r.run.config.network.layers) >= DEEP for r in results.singles)


def _of_runs(figures: RunFigures, answers: Sequence[Observation]) -> list[Block]:
    """The figure of what an answer speaks of; none where it speaks of nothing that one shows."""
    spoken = {reason for o in answers for reason in ((o.rule, None), (o.rule, o.form))}
    for make, reasons in SHOWN_BY:
        if spoken & set(reasons):
            return make(figures)
    return []
