"""Every rule, and what they find in an experiment or in a whole lab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labreport.analysis.answers import (
    along_axes,
    best_from_starts,
    layer_gradients,
    linear_hidden,
    linear_models,
    lowest_variant,
    mechanisms,
    mixed_points,
    momentum_steps,
    same_values,
    single_runs,
    step_sizes,
    symmetry,
)
from labreport.analysis.answers.assembly import answers_of
from labreport.analysis.answers.held_out import (
    best_rounds,
    held_out_rows,
    held_out_starts,
    lowest_on_validation,
    overfitting,
)
from labreport.analysis.observation import Observation, Subject
from labreport.analysis.passes import is_one_trajectory
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rule import REGISTERED, Part, Rule, part_of
from labreport.analysis.rules import (
    all_rows_right,
    classification,
    comparison,
    descent,
    equal_start,
    equivalence,
    explanations,
    gradient_checks,
    gradients,
    initialisation,
    learning_rates,
    reliability,
    rows,
    stability,
    sweeps,
    target,
    trajectory,
)
from labreport.analysis.rules.rows import OF_PASSES
from labreport.analysis.seen_observations import SeenObservations
from labreport.runs.run import Run

MODULES = (
    mechanisms,
    step_sizes,
    along_axes,
    same_values,
    best_from_starts,
    best_rounds,
    layer_gradients,
    single_runs,
    classification,
    comparison,
    descent,
    equal_start,
    equivalence,
    explanations,
    gradient_checks,
    gradients,
    held_out_rows,
    held_out_starts,
    initialisation,
    learning_rates,
    linear_hidden,
    linear_models,
    lowest_on_validation,
    lowest_variant,
    mixed_points,
    momentum_steps,
    overfitting,
    reliability,
    rows,
    stability,
    sweeps,
    symmetry,
    target,
    trajectory,
    all_rows_right,
)
"""Modules that define rules: importing them registers their rules."""

RULES: dict[str, Rule] = dict(
    sorted(REGISTERED.items(), key=lambda item: (-item[1].highest_relevance, item[0]))
)
"""Rules by name, the most relevant first: of findings with the same relevance, the earlier rule's
comes first."""

APPENDIX_ANSWERS = 3
"""Findings that a repetition in an appendix begins with."""


DECIDED_ELSEWHERE = ("best-rounds", "own-ends", "pairs-by-round", "rounding-decides")
"""Rules of what decides a verdict that the experiment does not ask for."""


REVERSED = (
    ("holds-over-starts", "reversed"),
    ("tuned-over-starts", "reversed"),
    ("validation-over-starts", "reversed"),
)
"""Findings without which a verdict from one start would deceive."""


@dataclass(frozen=True)
class Observations:
    """The findings of one experiment.

    Attributes:
        answers: the answer to its question, part by part: verdict, effect, reason, scope, advice,
            of which some may be missing.
        others: the rest, the most relevant first.
        limits: what it does not show.
    """

    answers: tuple[Observation, ...]
    others: tuple[Observation, ...]
    limits: tuple[Observation, ...]

    def part(self, part: Part) -> tuple[Observation, ...]:
        """What the answer has of one part."""
        return tuple(o for o in self.answers if part_of(o) == part)

    @property
    def in_short(self) -> tuple[Observation, ...]:
        """What came out: the verdict, else the effect, else the first thing that was found.

        A verdict that rounding decides, or the very round, does not stand without saying so.
        """
        if verdict := self.part("verdict"):
            beside = (
                o
                for o in self.answers
                if o.rule in DECIDED_ELSEWHERE or (o.rule, o.form) in REVERSED
            )
            return (*verdict, *(o for o in beside if o not in verdict))
        return self.part("effect") or self.answers[:1]

    def __iter__(self) -> Iterator[Observation]:
        return iter((*self.answers, *self.others, *self.limits))

    def without(self, told: SeenObservations) -> Observations:
        """Leave out what was already reported; the answers of an experiment are always kept."""
        others = tuple(o for o in self.others if not told.has(o))
        return replace(self, others=others)

    def only_new(self, told: SeenObservations, said: Observations) -> Observations:
        """Keep what is neither already reported nor stated elsewhere in the same words."""
        words = {o.words for o in said}
        kept = [o for o in self if o.words not in words and not told.has(o)]
        findings = [o for o in kept if not o.limits]
        limits = tuple(o for o in kept if o.limits)
        return Observations(
            tuple(findings[:APPENDIX_ANSWERS]), tuple(findings[APPENDIX_ANSWERS:]), limits
        )


def observe(results: ExperimentResults) -> Observations:
    """Apply every rule to an experiment."""
    # The one run of a gradient check stands for the weights at which gradients are compared, and
    # for no variant; where rounds are swept, there is no number of rounds that all points have.
    is_check = results.plan.experiment.kind == "gradient-check"
    rules = [
        rule
        for rule in RULES.values()
        if (rule.of_gradient_checks or not is_check)
        and not (rule.needs_budget and results.sweeps_rounds)
    ]
    # Rules that are given the same share what is computed of it.
    given: dict[tuple[bool, bool], ExperimentResults] = {}
    for rule in rules:
        given.setdefault(_kind_given(rule), _given_to(rule, results))
    found = _uncovered([o for rule in rules for o in rule(given[_kind_given(rule)])])
    found = _merged(_judged_once(results, found))
    found.sort(key=lambda observation: -observation.relevance)
    findings = [o for o in found if not o.limits]
    limits = tuple(o for o in found if o.limits)
    answers = answers_of(results, findings, limits)
    others = tuple(o for o in findings if o not in answers)
    return Observations(tuple(answers), others, limits)


BY_VALIDATION = (
    "leads-on-validation",
    "best-on-validation",
    "best-starts-on-validation",
    "lowest-on-validation",
    "starts-on-validation",
)
"""Rules whose verdict is by rows that training does not see."""

BESIDE_THEM = ("generalisation", "stability", "target")
"""Themes of verdicts and scopes that stand beside theirs: not who leads by the loss of training."""

BY_TRAINING = ("edge-of-grid", "pairs-needed")
"""What besides verdicts and scopes compares by the loss of training."""


OF_ENDS = ("own-ends", "ends-over-starts", "more-updates")
"""Rules of runs each at its own end."""

BY_ROUNDS = (
    *BY_TRAINING,
    "edge-on-validation",
    "held-out-score",
    "over-all-rows",
    "share-right",
    "share-right-swept",
)
"""What besides verdicts and scopes compares after as many rounds."""


def _judged_once(results: ExperimentResults, found: list[Observation]) -> list[Observation]:
    """Without verdicts by the loss of training, and their scope, where held-out rows judge.

    And without those after as many rounds, where there are as many passes through all rows, or
    where all are one run until then.
    """
    if is_one_trajectory(results) or any(o.form in OF_PASSES for o in found):
        return [
            o
            for o in found
            if o.rule in OF_ENDS
            or (part_of(o) not in ("verdict", "scope", "reason") and o.rule not in BY_ROUNDS)
        ]
    if not any(o.rule in BY_VALIDATION for o in found):
        return found
    return [
        o
        for o in found
        if RULES[o.rule].theme in BESIDE_THEM
        or (part_of(o) not in ("verdict", "scope") and o.rule not in BY_TRAINING)
    ]


def _kind_given(rule: Rule) -> tuple[bool, bool]:
    """What decides which results a rule is given."""
    return rule.of_constant_losses, rule.of_equal_runs


def _given_to(rule: Rule, results: ExperimentResults) -> ExperimentResults:
    """The results that a rule looks at."""
    telling = results if rule.of_constant_losses else results.with_a_loss
    return telling if rule.of_equal_runs else replace(telling, names_once=True)


def _uncovered(found: list[Observation]) -> list[Observation]:
    """Without findings that another one on the same subjects, or on more, makes needless."""
    covering = [(rule, _about(o)) for o in found for rule in RULES[o.rule].covers]
    return [
        o
        for o in found
        if not any(o.rule == rule and set() < _about(o) <= about for rule, about in covering)
    ]


def _about(observation: Observation) -> frozenset[Subject]:
    """Collect the subjects of an observation, and those that it compares them with."""
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
    """Find what holds for the lab's base configuration whatever its weights are.

    Args:
        base: its run.
        tested: the same trained longer, and its control with a linear output, if there is one.
    """
    unreachable = target.unreachable(base.config, (), (base.name,))
    found = [unreachable] if unreachable else []
    if len(tested) == 2:
        found += explanations.base_reaches(*tested)
    return tuple(replace(o, relevance=RULES[o.rule].relevance_of(o.form)) for o in found)
