"""A rule and its row: what it finds, how relevant that is, and where it applies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from labreport.analysis.observation import Observation
from labreport.analysis.results import ExperimentResults, Result

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
    "generalisation",
]
"""Topics of rules; findings are grouped by them, in this order."""

Part = Literal["verdict", "effect", "reason", "scope", "advice"]
"""Parts of an answer, in the order in which they are stated."""

PARTS: tuple[Part, ...] = get_args(Part)

THEMES: tuple[Theme, ...] = get_args(Theme)

SIZEABLE = 0.25
"""The share of a network, its runs or its rounds from which a finding counts as one about all."""

LEAST_WEIGHT = 0.35
"""The factor that remains of the relevance of a finding that is about next to nothing."""

Find = Callable[[ExperimentResults], Iterator[Observation]]


def weight(effect: float) -> float:
    """By how much the relevance of a finding is multiplied that has so large an effect."""
    return LEAST_WEIGHT + (1 - LEAST_WEIGHT) * min(1.0, effect / SIZEABLE)


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        name: of the rule, by which the catalogues have its sentences.
        find: a pure function from the results of an experiment to observations.
        theme: what it looks at.
        relevance: how directly what it finds answers the experiment's question; by form where
            forms differ, then the key "" is for all others. It is less for a small effect.
        thresholds: those of ``analysis/thresholds.py`` that decide whether it speaks.
        covers: rules whose findings on the same subjects say less than its own, and are left out.
        needs_budget: whether its sentences speak of a number of rounds that all runs have.
        of_gradient_checks: whether it speaks of gradient checks.
        of_constant_losses: whether it also speaks of runs whose loss is 0 whatever their weights;
            no other is built on it.
        of_equal_runs: whether it is given single runs that are the same to the last bit; for all
            others such runs are one.
        hinders: whether a run has what it finds, where that holds a run back: a reason only of
            those that are behind, and only where other starts bear it out.
        borne_out_by: rules of which one must have found something for its findings to be a reason.
        part: of an answer that its findings can be, or that those of a form can be; None for those
            that are only details.
    """

    name: str
    find: Find
    theme: Theme
    relevance: float | Mapping[str, float]
    thresholds: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    needs_budget: bool = True
    of_gradient_checks: bool = False
    of_constant_losses: bool = False
    of_equal_runs: bool = False
    hinders: Callable[[Result], bool] | None = None
    borne_out_by: tuple[str, ...] = ()
    part: Part | Mapping[str, Part] | None = None

    def __call__(self, results: ExperimentResults) -> Iterator[Observation]:
        """Yield its findings, each with its relevance, unless the rule itself has given less."""
        for observation in self.find(results):
            relevance = observation.relevance or self.relevance_of(observation.form)
            yield replace(observation, relevance=relevance * weight(observation.effect))

    def relevance_of(self, form: str) -> float:
        """The relevance of what a form of its sentence states."""
        if isinstance(self.relevance, float | int):
            return float(self.relevance)
        return self.relevance.get(form, self.relevance.get("", 0.0))

    def part_of(self, form: str) -> Part | None:
        """The part of an answer that a form of its sentence can be."""
        return self.part.get(form) if isinstance(self.part, Mapping) else self.part

    @property
    def highest_relevance(self) -> float:
        """The relevance of its most relevant form."""
        if isinstance(self.relevance, float | int):
            return float(self.relevance)
        return max(self.relevance.values())


REGISTERED: dict[str, Rule] = {}
"""Rules by name, as they are defined."""


def rule(
    name: str,
    theme: Theme,
    relevance: float | Mapping[str, float],
    *,
    thresholds: tuple[str, ...] = (),
    covers: tuple[str, ...] = (),
    needs_budget: bool = True,
    of_gradient_checks: bool = False,
    of_constant_losses: bool = False,
    of_equal_runs: bool = False,
    hinders: Callable[[Result], bool] | None = None,
    borne_out_by: tuple[str, ...] = (),
    part: Part | Mapping[str, Part] | None = None,
) -> Callable[[Find], Find]:
    """Make a rule of a function; the arguments are the attributes of `Rule`."""

    def register(find: Find) -> Find:
        assert name not in REGISTERED, name
        REGISTERED[name] = Rule(
            name,
            find,
            theme,
            relevance,
            thresholds,
            covers,
            needs_budget,
            of_gradient_checks,
            of_constant_losses,
            of_equal_runs,
            hinders,
            borne_out_by,
            part,
        )
        return find

    return register


WITHOUT_ROW: Mapping[str, Part] = {"advice": "advice", "no-reason": "reason"}
"""Parts of an answer that follow from its other parts, and not from a rule of their own."""


def part_of(observation: Observation) -> Part | None:
    """The part of an answer that a finding is; None if it is only a detail."""
    if observation.rule in WITHOUT_ROW:
        return WITHOUT_ROW[observation.rule]
    return REGISTERED[observation.rule].part_of(observation.form)
