"""runs.csv: one row a run, every number of the tables at full precision."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

import numpy as np

from labreport.analysis.results import ExperimentResults, Result

BYTE_ORDER_MARK = "\ufeff"
"""Tells spreadsheets that the file is UTF-8."""

FIRST = ("part", "experiment", "variant", "point", "seed")
LAST = (
    "initial_loss",
    "floor",
    "lowest_loss",
    "lowest_after_updates",
    "squared_error",
    "ending",
    "ending_step",
    "message",
    "run",
)


def render(parts: Sequence[tuple[str, Sequence[ExperimentResults]]]) -> bytes:
    """The table of all runs of the main part ("main") and of each appendix, by its name."""
    budgets = sorted(
        {b for _, experiments in parts for e in experiments for r in e.results for b in _of(e, r)}
    )
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([*FIRST, *(f"loss_after_{b}" for b in budgets), *LAST])
    for part, experiments in parts:
        for experiment in experiments:
            for result in experiment.results:
                writer.writerow(list(map(harmless, _row(part, experiment, result, budgets))))
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode("utf-8")


def _of(experiment: ExperimentResults, result: Result) -> tuple[int, ...]:
    """Rounds after which the loss of a run is told: its own last one where rounds are swept."""
    return (result.run.config.rounds,) if experiment.at_own_end else experiment.budgets


def _row(
    part: str, experiment: ExperimentResults, result: Result, budgets: Iterable[int]
) -> list[object]:
    ending = result.run.trace.ending
    own = _of(experiment, result)
    losses = [result.loss(b) if b in own else None for b in budgets]
    return [
        part,
        experiment.plan.name,
        result.variant,
        "; ".join(f"{key}={value}" for key, value in result.point),
        result.trial.seed,
        *losses,
        result.loss(0),
        result.floor.value,
        float(np.nanmin(result.losses)) if len(result.losses) else None,
        result.best_round,
        result.error(experiment.last),
        ending.kind,
        ending.step,
        ending.message,
        result.run.name,
    ]


def harmless(value: object) -> object:
    """A cell that a spreadsheet takes for no formula and a terminal for no order.

    Numbers stay numbers, and characters that control something are written by their numbers.
    """
    if not isinstance(value, str):
        return value
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
