"""Every rule, and what they find in an experiment or in a whole lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from labreport.analysis.observation import Count, Facts, Number, Observation, Subject, With
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rules import (
    comparison,
    gradient_check,
    gradients,
    initialisation,
    stability,
    sweep,
    target,
    trajectory,
)
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Plan

Rule = Callable[[ExperimentResults], Iterator[Observation]]

RULES: dict[str, Rule] = {
    "falling-loss": gradient_check.falling_loss,
    "gradients-agree": gradient_check.gradients_agree,
    "shown-decimals": gradient_check.shown_decimals,
    "wrong-formula": gradient_check.wrong_formula,
    "right-formula": gradient_check.right_formula,
    "coincide": comparison.coincide,
    "refused": target.refused,
    "silent-weights": gradients.silent_weights,
    "sweep-best": sweep.sweep_best,
    "place-among-starts": initialisation.place_among_starts,
    "overshoot": trajectory.overshoot,
    "stuck": gradients.stuck,
    "same-value": sweep.same_value,
    "common-measure": comparison.common_measure,
    "diverged": stability.diverged,
    "start-differs": comparison.start_differs,
    "symmetry": initialisation.symmetry,
    "spread": initialisation.spread,
    "paired-starts": initialisation.paired_starts,
    "unreachable-target": target.unreachable_target,
    "ranking": comparison.ranking,
    "floor-above-zero": target.floor_above_zero,
    "distance-to-floor": target.distance_to_floor,
    "first-step": sweep.first_step,
    "worse-than-start": stability.worse_than_start,
    "threshold": comparison.threshold,
    "tolerance": sweep.tolerance,
    "leaders-along-axis": sweep.leaders_along_axis,
    "rises": sweep.rises,
    "stuck-points": gradients.stuck_points,
    "same-product": sweep.same_product,
    "largest-move": trajectory.largest_move,
    "monotone": trajectory.monotone,
    "different-losses": comparison.different_losses,
    "edge-of-grid": sweep.edge_of_grid,
    "several-changes": comparison.several_changes,
    "single-start": initialisation.single_start,
}
"""Rules by name; of findings with the same relevance, the earlier rule's comes first."""

WITHOUT_A_BUDGET = frozenset(
    {"coincide", "refused", "diverged", "first-step", "different-losses", "several-changes"}
)
"""Rules whose sentences speak of no number of rounds."""

ANSWERS = 3
"""Findings that open an experiment's section: what a reader keeps in mind at once."""


@dataclass(frozen=True)
class Observations:
    """What was found in one experiment, the most relevant first.

    Attributes:
        answers: the findings that answer its question.
        others: the rest.
        limits: what it does not show.
    """

    answers: tuple[Observation, ...]
    others: tuple[Observation, ...]
    limits: tuple[Observation, ...]


def observe(results: ExperimentResults) -> Observations:
    """Apply every rule to an experiment."""
    rules = list(RULES.items())
    if any(key == "rounds" for key, _ in results.plan.axes):
        # There is no number of rounds that all points have, so nothing is said of one.
        rules = [(name, rule) for name, rule in rules if name in WITHOUT_A_BUDGET]
    found = _merged([observation for _, rule in rules for observation in rule(results)])
    found.sort(key=lambda observation: -observation.relevance)
    findings = tuple(o for o in found if not o.limits)
    limits = tuple(o for o in found if o.limits)
    return Observations(findings[:ANSWERS], findings[ANSWERS:], limits)


def _merged(found: list[Observation]) -> list[Observation]:
    """Findings that differ in their subject alone, as one: variants that coincide say it once."""
    groups: dict[tuple[object, ...], list[Observation]] = {}
    for observation in found:
        facts = tuple((k, v) for k, v in observation.facts.items() if k != "subject")
        groups.setdefault((observation.rule, observation.form, facts), []).append(observation)
    return [
        members[0]
        if len(members) == 1
        else replace(
            members[0],
            facts={**members[0].facts, "subject": tuple(o.facts["subject"] for o in members)},
            runs=sum(o.runs for o in members),
        )
        for members in groups.values()
    ]


def observe_base(base: RunConfig) -> tuple[Observation, ...]:
    """What holds for the lab's base configuration before anything is trained."""
    found = target.unreachable(base, ())
    return (found,) if found else ()


def key_findings(
    observed: Sequence[tuple[str, Observations]],
) -> tuple[tuple[str, Observation], ...]:
    """The first finding of each experiment, with the experiment's name."""
    return tuple((name, found.answers[0]) for name, found in observed if found.answers)


Conclusion = tuple[Plan, Observation]
"""A statement, and the plan whose variants it names."""


def conclude(experiments: Sequence[ExperimentResults]) -> tuple[Conclusion, ...]:
    """Statements over all experiments together."""
    rules = (_how_runs_ended, _near_floor, _lowest_error)
    return tuple(found for rule in rules for found in rule(experiments))


def _how_runs_ended(experiments: Sequence[ExperimentResults]) -> Iterator[Conclusion]:
    runs = {r.run.name: r for e in experiments for r in e.results}
    kinds = [r.run.trace.ending.kind for r in runs.values()]
    facts: Facts = {
        "count": Count(len(kinds)),
        "experiments": Count(len(experiments)),
        "completed": Count(kinds.count("completed")),
        "diverged": Count(kinds.count("diverged")),
        "refused": Count(kinds.count("refused")),
    }
    form = "" if kinds.count("completed") < len(kinds) else "completed"
    found = Observation("all-runs", facts, runs=len(kinds), relevance=0.5, form=form)
    yield experiments[0].plan, found


def _near_floor(experiments: Sequence[ExperimentResults]) -> Iterator[Conclusion]:
    """Of the single runs, which end within a tenth of their first distance from the floor."""
    near: list[str] = []
    far: list[str] = []
    for experiment in experiments:
        for result in experiment.singles:
            first, last = result.gap(0), result.gap(experiment.last)
            if first and last is not None:
                (near if last <= 0.1 * first else far).append(result.run.name)
    count = len(set(near) | set(far))
    if count > 1:
        facts: Facts = {"near": Count(len(set(near))), "count": Count(count)}
        yield experiments[0].plan, Observation("near-floor", facts, runs=count, relevance=0.5)


def _lowest_error(experiments: Sequence[ExperimentResults]) -> Iterator[Conclusion]:
    """The smallest squared error on the lab's own data among all runs with the same budget."""
    shared = min(e.last for e in experiments) if experiments else 0
    candidates = [
        (error, e.plan, r)
        for e in experiments
        for r in e.results
        if r.run.config.data == e.plan.base.data
        and r.trial.seed is None
        and r.run.config.rounds >= shared
        and (error := r.error(shared)) is not None
    ]
    distinct = {r.run.name for _, _, r in candidates}
    if len(distinct) > 1:
        error, plan, result = min(candidates, key=lambda c: c[0])
        facts: Facts = {
            "subject": With(Subject(result.variant, result.point), Number(error)),
            "count": Count(len(distinct)),
            "budget": Count(shared),
        }
        yield plan, Observation("lowest-error", facts, runs=len(distinct), relevance=0.6)
