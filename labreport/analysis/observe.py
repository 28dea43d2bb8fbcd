"""Every rule, and what they find in an experiment or in a whole lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from labreport.analysis.observation import Observation, Subject
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rules import (
    classification,
    comparison,
    constant_answers,
    descent,
    equal_start,
    equivalence,
    explanations,
    gradient_checks,
    gradients,
    initialisation,
    layer_gradients,
    mini_batches,
    path,
    reliability,
    same_answer,
    stability,
    stability_limits,
    sweeps,
    target,
    trajectory,
    unseen_rows,
)
from labreport.analysis.seen_observations import SeenObservations
from labreport.runs.run import Run

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


SIZEABLE = 0.25
"""What a quarter of a network, its runs or its rounds shows is told as what all of them do."""

LEAST_WEIGHT = 0.35
"""What is left of the relevance of a finding that is about next to nothing."""


def weight(effect: float) -> float:
    """By how much the relevance of a finding is multiplied that has so large an effect."""
    return LEAST_WEIGHT + (1 - LEAST_WEIGHT) * min(1.0, effect / SIZEABLE)


@dataclass(frozen=True)
class Rule:
    """One row of the table of rules.

    Attributes:
        find: a pure function from the results of an experiment to observations.
        theme: what it looks at.
        relevance: how directly what it finds answers the experiment's question; by form where
            forms differ, then the key "" is for all others. It is less for a small effect.
        thresholds: those of ``analysis/thresholds.py`` that decide whether it speaks.
        covers: rules whose findings on the same subjects say less than its own, and are left out.
    """

    find: Callable[[ExperimentResults], Iterator[Observation]]
    theme: Theme
    relevance: float | Mapping[str, float]
    thresholds: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()

    def __call__(self, results: ExperimentResults) -> Iterator[Observation]:
        """What it finds, each with its relevance, unless the rule itself has given less."""
        for observation in self.find(results):
            relevance = observation.relevance or self.relevance_of(observation.form)
            yield replace(observation, relevance=relevance * weight(observation.effect))

    def relevance_of(self, form: str) -> float:
        if isinstance(self.relevance, float | int):
            return float(self.relevance)
        return self.relevance.get(form, self.relevance.get("", 0.0))


RULES: dict[str, Rule] = {
    "falling-loss": Rule(gradient_checks.falling_loss, "gradients", 1.0),
    "gradients-agree": Rule(gradient_checks.gradients_agree, "gradients", 0.97),
    "shown-decimals": Rule(gradient_checks.shown_decimals, "gradients", 0.95),
    "wrong-formula": Rule(gradient_checks.wrong_formula, "gradients", 0.9),
    "clamped-gradients": Rule(gradient_checks.clamped_gradients, "gradients", 0.975),
    "open-formula": Rule(gradient_checks.open_formula, "gradients", 0.96),
    "right-formula": Rule(
        gradient_checks.right_formula, "gradients", {"": 0.8, "some": 0.98, "none": 0.98}
    ),
    "coincide": Rule(equivalence.coincide, "equivalence", {"": 1.0, "key": 0.94}),
    "undamped": Rule(explanations.undamped, "equivalence", 1.0),
    "refused": Rule(target.refused, "target", 1.0),
    "constant-answer": Rule(
        constant_answers.constant_answers,
        "target",
        {"": 1.0, "one-class": 0.6},
        covers=("silent-weights", "same-answer", "frozen"),
    ),
    "unbounded": Rule(target.unbounded, "target", {"": 0.7, "negative": 0.88}),
    "frozen": Rule(trajectory.frozen, "trajectory", 0.87, covers=("float-limit",)),
    "silent-weights": Rule(gradients.silent_weights, "gradients", 0.95, ("ROUNDING",)),
    "revived": Rule(explanations.revived, "gradients", 0.92),
    "equal-start": Rule(
        equal_start.equal_start,
        "comparison",
        0.93,
        ("OTHER_START", "MOSTLY", "OFTEN_RISING", "ROUNDING"),
        covers=("start-differs",),
    ),
    "linear-reaches": Rule(explanations.linear_reaches, "target", 0.82),
    "sweep-best": Rule(sweeps.sweep_best, "comparison", {"": 0.95, "level": 0.7}, ("ROUNDING",)),
    "place-among-starts": Rule(initialisation.place_among_starts, "initialisation", 0.95),
    "overshoot": Rule(trajectory.overshoot, "trajectory", 0.9, ("OVERSHOOT", "ROUNDING")),
    "stuck": Rule(
        gradients.stuck,
        "gradients",
        0.9,
        ("VANISHED", "STANDING_STILL", "FAR_FROM_FLOOR", "ROUNDING"),
    ),
    "same-value": Rule(sweeps.same_value, "comparison", 0.9, ("ROUNDING",)),
    "common-measure": Rule(comparison.common_measure, "comparison", 0.9, ("LOOK_ALIKE",)),
    "diverged": Rule(stability.diverged, "stability", {"": 0.9, "all": 0.96}),
    "start-differs": Rule(comparison.start_differs, "comparison", 0.65, ("OTHER_START",)),
    "symmetry": Rule(initialisation.symmetry, "initialisation", 0.85),
    "spread": Rule(initialisation.spread, "initialisation", {"": 0.8, "lost": 0.9}),
    "paired-starts": Rule(reliability.paired_starts, "reliability", 0.75, ("SIGNIFICANCE",)),
    "best-over-starts": Rule(
        reliability.best_over_starts,
        "reliability",
        {"": 0.9, "open": 0.88, "variants": 0.93},
        ("SIGNIFICANCE",),
    ),
    "solved-starts": Rule(reliability.solved_starts, "reliability", 0.86, ("MOST_OF_THE_WAY",)),
    "goes-on": Rule(comparison.goes_on, "comparison", 0.9),
    "over-all-rows": Rule(mini_batches.over_all_rows, "comparison", 0.88),
    "pairs-needed": Rule(reliability.pairs_needed, "reliability", 0.6, ("CONFIDENCE", "POWER")),
    "share-right": Rule(
        classification.share_right, "classification", {"": 0.92, "one": 0.7}, ("ROUNDING",)
    ),
    "share-right-swept": Rule(
        classification.share_right_swept, "classification", 0.86, ("ROUNDING",)
    ),
    "share-right-starts": Rule(classification.share_right_starts, "classification", 0.82),
    "level-answers": Rule(classification.level_answers, "classification", 0.6, ("ROUNDING",)),
    "loss-against-share": Rule(
        classification.loss_against_share, "classification", 0.84, ("ROUNDING",)
    ),
    "mistaken": Rule(classification.mistaken, "classification", 0.45, ("ROUNDING",)),
    "unreachable-target": Rule(target.unreachable_target, "target", 0.8, ("ROUNDING",)),
    "ranking": Rule(comparison.ranking, "comparison", {"": 0.7, "flips": 0.75}, ("ROUNDING",)),
    "floor-above-zero": Rule(
        target.floor_above_zero, "target", 0.7, ("ROUNDING",), covers=("distance-to-floor",)
    ),
    "distance-to-floor": Rule(
        target.distance_to_floor, "target", {"": 0.6, "left": 0.35}, ("ROUNDING",)
    ),
    "first-step": Rule(sweeps.first_step, "optimizer", 0.5, ("ALIKE",)),
    "worse-than-start": Rule(stability.worse_than_start, "stability", 0.6),
    "threshold": Rule(comparison.threshold, "convergence", 0.55, ("MOST_OF_THE_WAY", "ROUNDING")),
    "tolerance": Rule(sweeps.tolerance, "convergence", 0.65, ("MOST_OF_THE_WAY",)),
    "leaders-along-axis": Rule(sweeps.leaders_along_axis, "comparison", 0.85, ("ROUNDING",)),
    "rises": Rule(sweeps.rises, "stability", 0.75, ("ROUNDING",)),
    "stuck-points": Rule(
        gradients.stuck_points,
        "gradients",
        0.72,
        ("VANISHED", "STANDING_STILL", "FAR_FROM_FLOOR", "ROUNDING"),
    ),
    "same-product": Rule(sweeps.same_product, "optimizer", 0.7, ("CLOSE",)),
    "largest-move": Rule(trajectory.largest_move, "trajectory", 0.3, ("ROUNDING",)),
    "monotone": Rule(trajectory.monotone, "convergence", 0.2),
    "different-losses": Rule(comparison.different_losses, "comparison", 0.8),
    "edge-of-grid": Rule(sweeps.edge_of_grid, "comparison", 0.8, ("ROUNDING",)),
    "several-changes": Rule(comparison.several_changes, "comparison", 0.5),
    "unseen-rows": Rule(unseen_rows.unseen_rows, "comparison", 0.7),
    "single-start": Rule(initialisation.single_start, "reliability", 0.3),
    "same-answer": Rule(same_answer.same_answer, "target", 0.9, ("SAME_ANSWER",)),
    "oscillation": Rule(
        descent.oscillation,
        "stability",
        0.72,
        ("FEW_ROUNDS", "OFTEN_RISING", "ROUNDING", "UP_AND_DOWN"),
    ),
    "stable-rate": Rule(stability_limits.stable_rate, "stability", 0.7, ("ROUNDING",)),
    "edge-of-stability": Rule(
        stability_limits.edge_of_stability,
        "stability",
        {"beyond": 0.65, "near": 0.4},
        ("NEAR_LIMIT",),
    ),
    "plateau": Rule(
        descent.plateau,
        "convergence",
        0.65,
        ("FEW_ROUNDS", "PLATEAU_FALL", "PLATEAU_HEIGHT", "PLATEAU_LENGTH", "ROUNDING"),
    ),
    "saturated-units": Rule(
        layer_gradients.saturated_units, "gradients", 0.6, ("MANY_SATURATED", "SATURATED")
    ),
    "float-limit": Rule(path.float_limit, "convergence", 0.5, ("FEW_ROUNDS", "IDLE_SHARE")),
    "still-falling": Rule(
        descent.still_falling, "convergence", 0.55, ("FEW_ROUNDS", "ROUNDING", "STILL_FALLING")
    ),
    "layer-gradients": Rule(
        layer_gradients.layer_gradients, "gradients", 0.75, ("EXPLODING", "VANISHING")
    ),
    "path": Rule(path.path, "trajectory", {"": 0.4, "straight": 0.15}, ("STRAIGHT", "WINDING")),
    "sign-changes": Rule(path.sign_changes, "trajectory", 0.22),
}
"""Rules by name; of findings with the same relevance, the earlier rule's comes first."""

WITHOUT_A_BUDGET = frozenset(
    {
        "coincide",
        "refused",
        "constant-answer",
        "diverged",
        "first-step",
        "different-losses",
        "several-changes",
        "unseen-rows",
    }
)
"""Rules whose sentences speak of no number of rounds."""

OF_A_GRADIENT_CHECK = frozenset(
    {
        "falling-loss",
        "gradients-agree",
        "shown-decimals",
        "wrong-formula",
        "right-formula",
        "clamped-gradients",
        "open-formula",
        "refused",
        "diverged",
        "single-start",
    }
)
"""Rules that speak of gradient checks."""

OF_ALL_RUNS = frozenset(
    {
        "coincide",
        "constant-answer",
        "different-losses",
        "refused",
        "several-changes",
        "single-start",
        "unseen-rows",
    }
)
"""Rules that also speak of runs whose loss is 0 whatever their weights; no other is built on it."""

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

    def __iter__(self) -> Iterator[Observation]:
        return iter((*self.answers, *self.others, *self.limits))

    def without(self, told: SeenObservations) -> Observations:
        """What is not told already; the answers of an experiment are always told."""
        others = tuple(o for o in self.others if not told.has(o))
        return replace(self, others=others)

    def only_new(self, told: SeenObservations, said: Observations) -> Observations:
        """What is neither told already nor said elsewhere in the same words."""
        words = {o.words for o in said}
        kept = [o for o in self if o.words not in words and not told.has(o)]
        findings = [o for o in kept if not o.limits]
        limits = tuple(o for o in kept if o.limits)
        return Observations(tuple(findings[:ANSWERS]), tuple(findings[ANSWERS:]), limits)


def observe(results: ExperimentResults) -> Observations:
    """Apply every rule to an experiment."""
    rules = list(RULES.items())
    if results.plan.experiment.kind == "gradient-check":
        # Its one run stands for the weights at which gradients are compared, and for no variant.
        rules = [(name, rule) for name, rule in rules if name in OF_A_GRADIENT_CHECK]
    if any(key == "rounds" for key, _ in results.plan.axes):
        # There is no number of rounds that all points have, so nothing is said of one.
        rules = [(name, rule) for name, rule in rules if name in WITHOUT_A_BUDGET]
    telling = results.with_a_loss
    found = _uncovered(
        [
            observation
            for name, rule in rules
            for observation in rule(results if name in OF_ALL_RUNS else telling)
        ]
    )
    found = _merged(found)
    found.sort(key=lambda observation: -observation.relevance)
    findings = [o for o in found if not o.limits]
    limits = tuple(o for o in found if o.limits)
    answers = _answers(findings)
    others = tuple(o for o in findings if o not in answers)
    return Observations(tuple(answers), others, limits)


COMPARING = frozenset({"comparison", "equivalence", "reliability", "classification"})
"""Themes whose findings say how variants compare, which is what an experiment asks."""


def _answers(findings: list[Observation]) -> list[Observation]:
    """The most relevant findings, of each rule only one as long as other rules have any.

    One at least compares, if any finding does.
    """
    first = [o for i, o in enumerate(findings) if o.rule not in {p.rule for p in findings[:i]}]
    chosen = [*first, *(o for o in findings if o not in first)][:ANSWERS]
    if not any(RULES[o.rule].theme in COMPARING for o in chosen):
        compares = [o for o in first if RULES[o.rule].theme in COMPARING]
        chosen = [*chosen[: ANSWERS - 1], *compares[:1], *chosen[ANSWERS - 1 :]][:ANSWERS]
    return sorted(chosen, key=findings.index)


def _uncovered(found: list[Observation]) -> list[Observation]:
    """Without findings that another one on the same subjects, or on more, makes needless."""
    covering = [(rule, _about(o)) for o in found for rule in RULES[o.rule].covers]
    return [
        o
        for o in found
        if not any(o.rule == rule and set() < _about(o) <= about for rule, about in covering)
    ]


def _about(observation: Observation) -> frozenset[Subject]:
    """What an observation speaks of, and what it compares that with."""
    named = [observation.facts.get(key, ()) for key in ("subject", "other", "subjects")]
    flat = [s for fact in named for s in (fact if isinstance(fact, tuple) else (fact,))]
    return frozenset(s for s in flat if isinstance(s, Subject))


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


def observe_base(base: Run, tested: Sequence[Run] = ()) -> tuple[Observation, ...]:
    """What holds for the lab's base configuration whatever its weights are.

    Args:
        base: its run.
        tested: the same trained longer, and its control with a linear output, if there is one.
    """
    unreachable = target.unreachable(base.config, (), (base.name,))
    found = [unreachable] if unreachable else []
    if len(tested) == 2:
        found += explanations.base_reaches(*tested)
    return tuple(replace(o, relevance=RULES[o.rule].relevance_of(o.form)) for o in found)
