"""A rule over all experiments of a lab, and its row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from labreport.analysis.observation import Observation, Wording
from labreport.analysis.observe import Observations
from labreport.analysis.points import title_of
from labreport.analysis.results import ExperimentResults
from labreport.lab.plan import Plan

Conclusion = tuple[Plan, Observation]
"""A statement, and the plan whose variants it names."""

Experiments = Sequence[ExperimentResults]


@dataclass(frozen=True)
class Observed:
    """An experiment, and what was observed in it."""

    results: ExperimentResults
    observations: Observations


Topic = Literal["common", "deceptive", "runs"]
"""The subject of a conclusion: what experiments have in common, which comparisons would have
deceived, and what was run. They are stated in this order, a paragraph each."""

TOPICS: tuple[Topic, ...] = get_args(Topic)

OfResults = Callable[[Experiments], Iterator[Conclusion]]

OfObservations = Callable[[Sequence[Observed]], Iterator[Conclusion]]


@dataclass(frozen=True)
class LabRule:
    """A rule over all experiments.

    Attributes:
        find: a pure function from all experiments, and what was observed in them, to conclusions.
        topic: what it is about.
        relevance: how much it says of the lab as a whole.
        thresholds: those that decide whether it speaks.
        of_constant_losses: whether it also speaks of runs whose loss is 0 whatever their weights.
    """

    find: OfObservations
    topic: Topic
    relevance: float
    thresholds: tuple[str, ...] = ()
    of_constant_losses: bool = False


REGISTERED: dict[str, LabRule] = {}
"""Rules over all experiments by name, as they are defined."""


def lab_rule(
    name: str,
    topic: Topic,
    relevance: float,
    *,
    thresholds: tuple[str, ...] = (),
    of_constant_losses: bool = False,
) -> Callable[[OfResults], OfResults]:
    """Make a rule of a function that looks at results alone."""

    def register(find: OfResults) -> OfResults:
        def of_observed(experiments: Sequence[Observed]) -> Iterator[Conclusion]:
            telling = [e.results for e in experiments]
            yield from find(telling if of_constant_losses else [e.with_a_loss for e in telling])

        _register(name, LabRule(of_observed, topic, relevance, thresholds, of_constant_losses))
        return find

    return register


def rule_of_observations(
    name: str, topic: Topic, relevance: float, thresholds: tuple[str, ...] = ()
) -> Callable[[OfObservations], OfObservations]:
    """Make a rule of a function that looks at what was observed in the experiments.

    Its conclusions rest on the claims of observations, and so on the thresholds of their rules.
    """

    def register(find: OfObservations) -> OfObservations:
        _register(name, LabRule(find, topic, relevance, thresholds))
        return find

    return register


def _register(name: str, rule: LabRule) -> None:
    assert name not in REGISTERED, name
    REGISTERED[name] = rule


def title(results: ExperimentResults) -> Wording:
    """Return the title of an experiment."""
    return title_of(results.plan)
