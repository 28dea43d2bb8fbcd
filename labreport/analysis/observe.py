"""Every rule, and what they find in an experiment or in a whole lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from labreport.analysis.observation import Count, Facts, Number, Observation, Subject, With
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rules import (
    comparison,
    curvature,
    descent,
    gradient_check,
    gradients,
    initialisation,
    layers,
    path,
    reliability,
    same_answer,
    stability,
    sweep,
    target,
    trajectory,
)
from labreport.lab.plan import Plan
from labreport.run import Run

Theme = Literal[
    "convergence",
    "target",
    "trajectory",
    "gradients",
    "stability",
    "optimizer",
    "initialisation",
    "comparison",
    "equivalence",
    "reliability",
    "classification",
]
"""What a rule looks at; findings are grouped by it, in this order."""

THEMES: tuple[Theme, ...] = get_args(Theme)


@dataclass(frozen=True)
class Rule:
    """One row of the table of rules.

    Attributes:
        find: a pure function from the results of an experiment to observations.
        theme: what it looks at.
        relevance: how directly what it finds answers the experiment's question; by form where
            forms differ, then the key "" is for all others.
        thresholds: those of ``analysis/thresholds.py`` that decide whether it speaks.
    """

    find: Callable[[ExperimentResults], Iterator[Observation]]
    theme: Theme
    relevance: float | Mapping[str, float]
    thresholds: tuple[str, ...] = ()

    def __call__(self, results: ExperimentResults) -> Iterator[Observation]:
        """What it finds, each with its relevance, unless the rule itself has given less."""
        for observation in self.find(results):
            relevance = observation.relevance or self.relevance_of(observation.form)
            yield replace(observation, relevance=relevance)

    def relevance_of(self, form: str) -> float:
        if isinstance(self.relevance, float | int):
            return float(self.relevance)
        return self.relevance.get(form, self.relevance.get("", 0.0))


RULES: dict[str, Rule] = {
    "falling-loss": Rule(gradient_check.falling_loss, "gradients", 1.0),
    "gradients-agree": Rule(gradient_check.gradients_agree, "gradients", 0.97),
    "shown-decimals": Rule(gradient_check.shown_decimals, "gradients", 0.95),
    "wrong-formula": Rule(gradient_check.wrong_formula, "gradients", 0.9),
    "right-formula": Rule(gradient_check.right_formula, "gradients", 0.8),
    "coincide": Rule(comparison.coincide, "equivalence", 1.0),
    "refused": Rule(target.refused, "target", 1.0),
    "silent-weights": Rule(gradients.silent_weights, "gradients", 0.95),
    "sweep-best": Rule(sweep.sweep_best, "comparison", 0.95),
    "place-among-starts": Rule(initialisation.place_among_starts, "initialisation", 0.95),
    "overshoot": Rule(trajectory.overshoot, "trajectory", 0.9, ("OVERSHOOT", "ROUNDING")),
    "stuck": Rule(
        gradients.stuck, "gradients", 0.9, ("VANISHED", "STANDING_STILL", "FAR_FROM_FLOOR")
    ),
    "same-value": Rule(sweep.same_value, "comparison", 0.9),
    "common-measure": Rule(comparison.common_measure, "comparison", 0.9),
    "diverged": Rule(stability.diverged, "stability", 0.9),
    "start-differs": Rule(comparison.start_differs, "comparison", 0.85, ("OTHER_START",)),
    "symmetry": Rule(initialisation.symmetry, "initialisation", 0.85),
    "spread": Rule(initialisation.spread, "initialisation", {"": 0.8, "lost": 0.9}),
    "paired-starts": Rule(reliability.paired_starts, "reliability", 0.75, ("SIGNIFICANCE",)),
    "unreachable-target": Rule(target.unreachable_target, "target", 0.8, ("ROUNDING",)),
    "ranking": Rule(comparison.ranking, "comparison", {"": 0.7, "flips": 0.75}, ("ROUNDING",)),
    "floor-above-zero": Rule(target.floor_above_zero, "target", 0.7, ("ROUNDING",)),
    "distance-to-floor": Rule(
        target.distance_to_floor, "target", {"": 0.6, "left": 0.5}, ("ROUNDING",)
    ),
    "first-step": Rule(sweep.first_step, "optimizer", 0.6, ("ALIKE",)),
    "worse-than-start": Rule(stability.worse_than_start, "stability", 0.6),
    "threshold": Rule(comparison.threshold, "convergence", 0.55, ("MOST_OF_THE_WAY",)),
    "tolerance": Rule(sweep.tolerance, "convergence", 0.65, ("MOST_OF_THE_WAY",)),
    "leaders-along-axis": Rule(sweep.leaders_along_axis, "comparison", 0.85),
    "rises": Rule(sweep.rises, "stability", 0.75),
    "stuck-points": Rule(
        gradients.stuck_points,
        "gradients",
        0.72,
        ("VANISHED", "STANDING_STILL", "FAR_FROM_FLOOR"),
    ),
    "same-product": Rule(sweep.same_product, "optimizer", 0.7, ("CLOSE",)),
    "largest-move": Rule(trajectory.largest_move, "trajectory", 0.25),
    "monotone": Rule(trajectory.monotone, "convergence", 0.2),
    "different-losses": Rule(comparison.different_losses, "comparison", 0.8),
    "edge-of-grid": Rule(sweep.edge_of_grid, "comparison", 0.8),
    "several-changes": Rule(comparison.several_changes, "comparison", 0.5),
    "single-start": Rule(initialisation.single_start, "reliability", 0.3),
    "same-answer": Rule(same_answer.same_answer, "convergence", 0.9, ("SAME_ANSWER",)),
    "oscillation": Rule(
        descent.oscillation,
        "stability",
        0.72,
        ("FEW_ROUNDS", "OFTEN_RISING", "ROUNDING", "UP_AND_DOWN"),
    ),
    "stable-rate": Rule(curvature.stable_rate, "stability", 0.7, ("ROUNDING",)),
    "edge-of-stability": Rule(
        curvature.edge_of_stability, "stability", {"beyond": 0.65, "near": 0.4}, ("NEAR_LIMIT",)
    ),
    "plateau": Rule(
        descent.plateau,
        "convergence",
        0.65,
        ("FEW_ROUNDS", "PLATEAU_FALL", "PLATEAU_HEIGHT", "PLATEAU_LENGTH", "ROUNDING"),
    ),
    "saturated-units": Rule(
        layers.saturated_units, "gradients", 0.6, ("MANY_SATURATED", "SATURATED")
    ),
    "float-limit": Rule(path.float_limit, "convergence", 0.5, ("FEW_ROUNDS", "IDLE_SHARE")),
    "still-falling": Rule(
        descent.still_falling, "convergence", 0.55, ("FEW_ROUNDS", "ROUNDING", "STILL_FALLING")
    ),
    "layer-gradients": Rule(layers.layer_gradients, "gradients", 0.45, ("EXPLODING", "VANISHING")),
    "path": Rule(path.path, "trajectory", {"": 0.4, "straight": 0.15}, ("STRAIGHT", "WINDING")),
    "sign-changes": Rule(path.sign_changes, "trajectory", 0.22),
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
            claims=tuple(claim for o in members for claim in o.claims),
        )
        for members in groups.values()
    ]


def observe_base(base: Run) -> tuple[Observation, ...]:
    """What holds for the lab's base configuration whatever its weights are."""
    found = target.unreachable(base.config, (), (base.name,))
    return (replace(found, relevance=RULES[found.rule].relevance_of("")),) if found else ()


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
