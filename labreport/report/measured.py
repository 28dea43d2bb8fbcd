"""A lab with its results and what was observed in them: what every report of it is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from labreport.analysis.attach import attach, attach_all
from labreport.analysis.formulas.evidence import Failure, Known, data_sets_of, failures
from labreport.analysis.lab_rules.conclusions import conclude
from labreport.analysis.lab_rules.lab_rule import Conclusion, Observed
from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations, observe, observe_base
from labreport.analysis.replays import Replays, replaying
from labreport.analysis.results import ExperimentResults
from labreport.analysis.seen_observations import SeenObservations
from labreport.errors import BuildError, Fault
from labreport.lab.controls import rounding
from labreport.lab.plan import AppendixPlan, Lab
from labreport.report.claims import (
    Claim,
    Repetition,
    claims_of,
    printed_of_repetition,
    printed_others,
)
from labreport.runs.run import Run


@dataclass(frozen=True, eq=False)
class Measured:
    """A lab with its results and what was observed in them; the same for every language.

    Attributes:
        replays: all runs, computed again by hand.
        failing: facts and claims that are not what their formulas give.
    """

    lab: Lab
    experiments: tuple[ExperimentResults, ...]
    observed: tuple[Observations, ...]
    appendices: tuple[tuple[AppendixPlan, tuple[Repetition, ...]], ...]
    conclusions: tuple[Conclusion, ...]
    of_base: tuple[Observation, ...]
    runs: tuple[Run, ...]
    base: Run
    replays: Replays
    failing: tuple[Fault, ...]

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Every observation, with the number that it has in every language."""
        return claims_of(
            self.of_base, self.experiments, self.observed, self.conclusions, self.appendices
        )

    @cached_property
    def base_twins(self) -> tuple[Run, ...]:
        """Controls that begin with the base in another rounding."""
        config = self.base.config
        wanted = {twin.trajectory for twin in rounding(config)}
        there = {
            control.digest
            for control in self.lab.controls
            if control.rounds >= config.rounds and control.trajectory in wanted
        }
        return tuple(run for run in self.runs if run.config.digest in there)

    def refuse_failures(self) -> None:
        """Raises BuildError where a fact or a claim is not what its formula gives."""
        if self.failing:
            raise BuildError(self.failing)

    def _failing(self) -> tuple[Fault, ...]:
        by_name = {run.name: run for run in self.runs}
        repeated = (again.results for _, repetitions in self.appendices for again in repetitions)
        known = {
            id(r.plan): Known(by_name, r.check, data_sets_of(r))
            for r in (*self.experiments, *repeated)
        }
        return tuple(
            _fault(claim, failure)
            for claim in self.claims
            for failure in failures(claim.observation, known.get(id(claim.plan), Known(by_name)))
        )


def _fault(claim: Claim, failure: Failure) -> Fault:
    values = {
        "rule": claim.observation.rule,
        "experiment": claim.experiment or claim.part,
        "what": failure.what,
        "formula": failure.formula,
        "said": str(failure.said),
        "found": str(failure.found),
    }
    return Fault("claim-fails", values)


def measure(lab: Lab, runs: dict[str, Run], processes: int = 0) -> Measured:
    """Attach runs to a lab, observe, evaluate formulas, and compute the runs again by hand.

    Args:
        lab: the lab.
        runs: by the digest of their configuration.
        processes: beside this one, which compute runs again meanwhile.
    """
    with replaying(lab, runs, processes) as replays:
        measured = _observed(lab, runs)
        failing = measured._failing()
        return replace(measured, replays=replays(), failing=failing)


def _observed(lab: Lab, runs: dict[str, Run]) -> Measured:
    """What is observed, before anything is checked."""
    controls = {config.digest for config in lab.controls}
    of_base, experiments, observed, seen = _observe_in_order(lab, runs)
    return Measured(
        lab,
        experiments,
        observed,
        tuple((a, _repeat(a, lab, runs, controls, observed, seen)) for a in lab.appendices),
        conclude(tuple(map(Observed, experiments, observed))),
        of_base,
        tuple(runs.values()),
        runs[lab.base.digest],
        Replays(()),
        (),
    )


def observed_in(
    lab: Lab, runs: dict[str, Run], name: str
) -> tuple[ExperimentResults, Observations]:
    """One experiment, and what the report of a lab states of it."""
    _, experiments, observed, _ = _observe_in_order(lab, runs)
    place = lab.names.index(name)
    return experiments[place], observed[place]


def _observe_in_order(
    lab: Lab, runs: dict[str, Run]
) -> tuple[
    tuple[Observation, ...],
    tuple[ExperimentResults, ...],
    tuple[Observations, ...],
    SeenObservations,
]:
    """Observe the base and each experiment; what was stated before is left out."""
    controls = {config.digest for config in lab.controls}
    experiments = attach_all(lab.plans, runs, controls)
    tested = [runs[c.digest] for c in lab.base_tested if c.digest in controls]
    of_base = observe_base(runs[lab.base.digest], tested)
    seen = SeenObservations({run.name: run for run in runs.values()})
    seen.add(of_base)
    observed = tuple(_observe_what_is_new(results, seen) for results in experiments)
    return of_base, experiments, observed, seen


def _observe_what_is_new(results: ExperimentResults, told: SeenObservations) -> Observations:
    found = observe(results).without(told)
    # What stands in observations.json alone has been told to no reader of the report.
    told.add((*found.answers, *printed_others(found.others), *found.limits))
    return found


def _repeat(
    appendix: AppendixPlan,
    lab: Lab,
    runs: dict[str, Run],
    controls: Collection[str],
    observed: Sequence[Observations],
    told: SeenObservations,
) -> tuple[Repetition, ...]:
    """The experiments of an appendix; what the main part has said already is not said again."""
    repetitions = []
    for plan, main, said in zip(appendix.plans, lab.plans, observed, strict=True):
        results = attach(plan, runs, controls)
        is_same = {t.config.digest for t in plan.trials} == {t.config.digest for t in main.trials}
        found = observe(results).only_new(told, said)
        repetition = Repetition(results, found, is_same)
        told.add(printed_of_repetition(repetition))
        repetitions.append(repetition)
    return tuple(repetitions)
