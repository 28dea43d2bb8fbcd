"""The stored arrays of an experiment's runs, as every format of `labreport export` has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

import numpy as np

from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.configuration import Network, Rows
from labreport.lab.naming import names_as_read, unit_names
from labreport.reference.gradient_check.check_result import CheckedFormula
from labreport.runs.run import Array, Ending, Steps, Trace

Parts = Sequence[tuple[str, ExperimentResults]]
"""An experiment in the main part ("main") and in each appendix, by its name."""

ABOUT = ("part", "experiment", "variant", "point", "seed", "run")
"""Columns that say which run a row belongs to."""

SERIES = ("round", "loss")
"""Columns that every row has; round 0 is before any update."""


def members(parts: Parts) -> Iterator[tuple[str, ExperimentResults, Result]]:
    """Every run with the part and the experiment that it stands in, in the order of the report.

    Behind the run of a gradient check stand the trainings by the formulas of the lab, each as a
    variant with the formula's name; they are not stored, but computed from the run, in float64.
    """
    for part, experiment in parts:
        for result in experiment.results:
            yield part, experiment, result
        for checked in experiment.check.formulas if experiment.check else ():
            yield part, experiment, _by_formula(experiment.results[0], checked)


def _by_formula(result: Result, checked: CheckedFormula) -> Result:
    """The training by a formula, as a run that begins where the checked one does."""
    name, made = checked.formula.name, checked.training
    steps, rounds = np.arange(len(made.losses)), result.run.config.rounds
    kind: Literal["completed", "diverged", "refused"] = "completed"
    if len(steps) <= rounds:
        kind = "refused" if made.divergence is None else "diverged"
    trace = Trace(
        losses=made.losses,
        recorded=steps,
        weights=made.weights[: len(steps)],
        gradients=made.gradients[: len(steps)],
        shown=steps,
        outputs=made.outputs[: len(steps)],
        ending=Ending(kind, len(steps)),
    )
    run = replace(result.run, trace=trace, name=f"{result.run.name}-{name}")
    return Result(replace(result.trial, variant=name), run)


def about(part: str, experiment: ExperimentResults, result: Result) -> tuple[object, ...]:
    """Return the values of ``ABOUT`` for a run; no seed is None."""
    point = "; ".join(f"{key}={value}" for key, value in result.point)
    values = (part, experiment.plan.name, result.variant, point)
    return (*values, result.trial.seed, result.run.name)


def rows_of(parts: Parts) -> dict[str, Rows]:
    """The rows that runs saw, by the digest by which their configurations name them."""
    found = (result.run.config.data.rows for _, _, result in members(parts))
    return {rows.digest: rows for rows in found}


def describe(part: str, experiment: ExperimentResults, result: Result) -> dict[str, Any]:
    """Describe a run and how it ended, its rows by their name, for formats that nest."""
    run = result.run
    return {
        "part": part,
        "experiment": experiment.plan.name,
        "variant": result.variant,
        "point": dict(result.point),
        "seed": result.trial.seed,
        "run": run.name,
        "configuration": json.loads(run.config.canonical),
        "environment": asdict(run.environment),
        "ending": asdict(run.trace.ending),
        "parameters": list(result.names),
    }


def columns(parts: Parts) -> tuple[str, ...]:
    """Batch losses, weights, gradients and outputs of all runs: w1, gradient_w1, row1_o1."""
    networks = dict.fromkeys(
        (r.run.config.network, len(r.run.config.data.inputs)) for _, _, r in members(parts)
    )
    names = [name for network, _ in networks for name in names_as_read(network)]
    weights = sorted(dict.fromkeys(names), key=lambda name: (name[0] != "w", int(name[1:])))
    outputs = [name for network, rows in networks for name in _output_names(network, rows)]
    batched = any(not result.sees_all_rows for _, _, result in members(parts))
    losses = ("batch_loss",) if batched else ()
    gradients = (f"gradient_{name}" for name in weights)
    return (*losses, *weights, *gradients, *dict.fromkeys(outputs))


def _output_names(network: Network, rows: int) -> list[str]:
    units = unit_names(network)[-1]
    return [f"row{row + 1}_{unit}" for row in range(rows) for unit in units]


def series(result: Result) -> dict[str, tuple[Steps | None, Array]]:
    """Each array of a run by its column: the rounds that it has values of, and the values.

    No rounds stand for all of them. A loss is over all rows; that of a mini-batch is called so.
    """
    trace, network = result.run.trace, result.run.config.network
    found: dict[str, tuple[Steps | None, Array]] = {"loss": (None, trace.losses)}
    if not result.sees_all_rows:
        found = {"loss": (trace.measured, trace.overall), "batch_loss": (None, trace.losses)}
    for position, name in enumerate(result.names):
        found[name] = (trace.recorded, trace.weights[:, position])
        found[f"gradient_{name}"] = (trace.recorded, trace.gradients[:, position])
    names = _output_names(network, trace.outputs.shape[1])
    # A run that was refused at once has no rounds, whose length could not be told from the rest.
    outputs = trace.outputs.reshape(len(trace.shown), len(names))
    for position, name in enumerate(names):
        found[name] = (trace.shown, outputs[:, position])
    return found


def filled(result: Result, names: Sequence[str]) -> list[list[float | None]]:
    """Columns of a run, a value a round; None where nothing was recorded or there is no such."""
    rounds, found = len(result.losses), series(result)
    made: list[list[float | None]] = []
    for name in names:
        column: list[float | None] = [None] * rounds
        steps, values = found.get(name, (None, np.empty(0)))
        places = range(len(values)) if steps is None else steps.tolist()
        for place, value in zip(places, values.tolist(), strict=True):
            column[place] = value
        made.append(column)
    return made
