"""Plans with their runs: the results of every experiment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.controls import rounding
from labreport.lab.plan import Plan, Trial
from labreport.runs.run import Run


def attach(
    plan: Plan, runs: Mapping[str, Run], controls: Collection[str] = ()
) -> ExperimentResults:
    """A plan with its runs.

    Args:
        plan: an experiment's plan.
        runs: of the whole lab, by the digest of their configuration; controls are among them.
        controls: digests of the runs that may test explanations.
    """
    made = (config.digest for control in plan.controls for config in control.configurations)
    tested = (digest for digest in made if digest in controls)
    there = {d: runs[d] for d in tested if d in runs}
    results = tuple(
        Result(trial, runs[trial.config.digest], _twins(trial, there)) for trial in plan.trials
    )
    return ExperimentResults(plan, results, there)


def attach_all(
    plans: Sequence[Plan], runs: Mapping[str, Run], controls: Collection[str] = ()
) -> tuple[ExperimentResults, ...]:
    """The plans of a lab with their runs; each knows the others."""
    alone = [attach(plan, runs, controls) for plan in plans]
    return tuple(replace(e, elsewhere=tuple(o for o in alone if o is not e)) for e in alone)


def _twins(trial: Trial, controls: Mapping[str, Run]) -> tuple[Result, ...]:
    """The same trial in other roundings, as far as there are such controls."""
    made = rounding(trial.config) if controls else ()
    return tuple(
        Result(trial, controls[config.digest]) for config in made if config.digest in controls
    )
