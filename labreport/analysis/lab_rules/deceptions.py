"""Comparisons that would have deceived: of one number of rounds, start or learning rate alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from labreport.analysis.lab_rules.lab_rule import (
    Conclusion,
    Observed,
    rule_of_observations,
    title,
)
from labreport.analysis.observation import Count, Facts, Observation
from labreport.analysis.observe import RULES
from labreport.analysis.points import RATE

Forms = Mapping[str, Collection[str]]
"""Rules that ask a question, each with those forms of its findings that answer it with yes."""

ROUNDS_DECIDE: Forms = {"who-leads": ("turns",), "sweep-values": ("moves",)}

STARTS_DECIDE: Forms = {
    "holds-over-starts": ("depends", "level", "reversed", "fewer"),
    "tuned-over-starts": ("depends", "level", "reversed", "fewer", "not-level"),
}

STEP_DECIDES: Forms = {
    "larger-step": ("",),
    "larger-step-starts": ("",),
    "each-at-its-best": ("some", "level"),
}

FALLS_ANYWAY: Forms = {"falling-loss": ("", "lower", "lower-one")}


def _thresholds(question: Forms) -> tuple[str, ...]:
    """Thresholds of the rules that ask a question."""
    return tuple(dict.fromkeys(name for rule in question for name in RULES[rule].thresholds))


@rule_of_observations("budget-decides", "deceptive", 0.95, _thresholds(ROUNDS_DECIDE))
def budget_decides(experiments: Sequence[Observed]) -> Iterator[Conclusion]:
    """Experiments whose best run depends on the number of rounds."""
    several = [e for e in experiments if len(e.results.budgets) > 1]
    yield from _decides("budget-decides", several, ROUNDS_DECIDE)


@rule_of_observations("start-decides", "deceptive", 0.9, _thresholds(STARTS_DECIDE))
def start_decides(experiments: Sequence[Observed]) -> Iterator[Conclusion]:
    """Experiments in which the order of the two that are compared depends on the start."""
    yield from _decides("start-decides", experiments, STARTS_DECIDE)


@rule_of_observations("step-decides", "deceptive", 0.88, _thresholds(STEP_DECIDES))
def step_decides(experiments: Sequence[Observed]) -> Iterator[Conclusion]:
    """Experiments in which another learning rate makes up for the difference."""
    # Each variant at its best value says something of the step only where that is the value.
    of_rates = [e for e in experiments if all(key == RATE for key, _ in e.results.plan.axes)]
    yield from _decides("step-decides", of_rates, STEP_DECIDES)


@rule_of_observations("loss-falls-anyway", "deceptive", 0.8)
def loss_falls_anyway(experiments: Sequence[Observed]) -> Iterator[Conclusion]:
    """Wrong formulas of a gradient whose loss falls all the same."""
    for experiment in experiments:
        for found in _found(experiment, FALLS_ANYWAY):
            facts: Facts = {"count": found.facts["count"], "experiment": title(experiment.results)}
            yield (
                experiment.results.plan,
                Observation("loss-falls-anyway", facts, found.runs, claims=found.claims),
            )


def _decides(rule: str, experiments: Sequence[Observed], question: Forms) -> Iterator[Conclusion]:
    """In how many of the experiments that ask a question the answer is yes, if in any."""
    asked = [e for e in experiments if _found(e, question)]
    answers = [(e, _yes(e, question)) for e in asked]
    deceptive = [(e, found) for e, found in answers if found]
    if not deceptive or len(asked) < 2:
        return
    facts: Facts = {
        "experiments": tuple(title(e.results) for e, _ in deceptive),
        "count": Count(len(deceptive)),
        "total": Count(len(asked)),
    }
    form = "all" if len(deceptive) == len(asked) else "some"
    grounds = [o for _, found in deceptive for o in found]
    runs = sum(o.runs for o in grounds)
    claims = tuple(claim for o in grounds for claim in o.claims)
    yield asked[0].results.plan, Observation(rule, facts, runs=runs, form=form, claims=claims)


def _found(experiment: Observed, question: Forms) -> list[Observation]:
    """What the rules of a question have found in an experiment."""
    return [o for o in experiment.observations if o.rule in question]


def _yes(experiment: Observed, question: Forms) -> list[Observation]:
    """Those findings that answer the question with yes."""
    return [o for o in _found(experiment, question) if o.form in question[o.rule]]
