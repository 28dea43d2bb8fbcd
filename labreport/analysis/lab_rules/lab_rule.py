"""A rule over all experiments of a lab, and its row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from labreport.analysis.observation import Observation, Wording
from labreport.analysis.results import ExperimentResults
from labreport.lab.plan import Plan

Conclusion = tuple[Plan, Observation]
"""A statement, and the plan whose variants it names."""

Experiments = Sequence[ExperimentResults]

Conclude = Callable[[Experiments], Iterator[Conclusion]]


@dataclass(frozen=True)
class LabRule:
    """A rule over all experiments.

    Attributes:
        find: a pure function from the results of all experiments to conclusions.
        relevance: how much it says of the lab as a whole.
        thresholds: those that decide whether it speaks.
        of_constant_losses: whether it also speaks of runs whose loss is 0 whatever their weights.
    """

    find: Conclude
    relevance: float
    thresholds: tuple[str, ...] = ()
    of_constant_losses: bool = False


REGISTERED: dict[str, LabRule] = {}
"""Rules over all experiments by name, as they are defined."""


def lab_rule(
    name: str,
    relevance: float,
    *,
    thresholds: tuple[str, ...] = (),
    of_constant_losses: bool = False,
) -> Callable[[Conclude], Conclude]:
    """Make a rule over all experiments of a function."""

    def register(find: Conclude) -> Conclude:
        assert name not in REGISTERED, name
        REGISTERED[name] = LabRule(find, relevance, thresholds, of_constant_losses)
        return find

    return register


def title(results: ExperimentResults) -> Wording:
    """Return the title of an experiment."""
    return title_of(results.plan)


def title_of(plan: Plan) -> Wording:
    """Return the title of the experiment of a plan."""
    written = plan.experiment.title
    return Wording(written.within("zh"), written.within("en"), is_name=True)
