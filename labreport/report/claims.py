"""Statements of a report: the observations of a lab in reading order, with numbers for notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labreport.analysis.lab_rules.lab_rule import Conclusion
from labreport.analysis.observation import Observation
from labreport.analysis.observe import RULES, Observations
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rule import THEMES
from labreport.lab.plan import AppendixPlan, Plan

MOST_OTHERS = 6
"""Further findings of an experiment that are printed: with the answers, about half a page."""

LEAST_RELEVANCE = 0.3
"""Further findings of less relevance stand in observations.json alone."""

APPENDIX_FINDINGS = 1
"""Findings that are printed of an experiment that an appendix repeats."""


@dataclass(frozen=True, eq=False)
class Claim:
    """An observation where it stands.

    Attributes:
        part: "base", "main", "conclusions", or the name of an appendix.
        plan: of its experiment; elsewhere the one whose variants it names.
        observation: what is stated.
        number: of its note; None where the report has no room for it.
    """

    part: str
    plan: Plan
    observation: Observation
    number: int | None = None

    @property
    def experiment(self) -> str | None:
        """The experiment that it is about; None where it is about the lab."""
        return None if self.part in ("base", "conclusions") else self.plan.name


@dataclass(frozen=True, eq=False)
class Repetition:
    """An experiment that an appendix repeats, and what was observed in it.

    Attributes:
        results: of the repetition.
        observed: in them.
        is_same: whether its runs are those of the main part, so that nothing is said again.
    """

    results: ExperimentResults
    observed: Observations
    is_same: bool


def theme_of(rule: str) -> str | None:
    """The theme of a rule; None for those that look at the whole lab."""
    return RULES[rule].theme if rule in RULES else None


def by_theme(found: Sequence[Observation]) -> tuple[Observation, ...]:
    """The most relevant of the further findings, those of a theme together."""
    order = {theme: place for place, theme in enumerate(THEMES)}
    printed = printed_others(found)
    return tuple(sorted(printed, key=lambda o: order.get(theme_of(o.rule) or "", len(order))))  # type: ignore[call-overload]


def printed_others(found: Sequence[Observation]) -> tuple[Observation, ...]:
    """The further findings that are printed, the most relevant first."""
    return tuple(o for o in found[:MOST_OTHERS] if o.relevance >= LEAST_RELEVANCE)


def claims_of(
    base: Sequence[Observation],
    experiments: Sequence[ExperimentResults],
    observed: Sequence[Observations],
    conclusions: Sequence[Conclusion],
    appendices: Sequence[tuple[AppendixPlan, Sequence[Repetition]]],
) -> tuple[Claim, ...]:
    """Every observation, numbered as it stands in the sections of the report."""
    claims = [(Claim("base", experiments[0].plan, o), True) for o in base]
    for results, found in zip(experiments, observed, strict=True):
        claims += _of_experiment(results.plan, found)
    claims += [(Claim("conclusions", plan, o), True) for plan, o in conclusions]
    for appendix, repeated in appendices:
        for repetition in repeated:
            if not repetition.is_same:
                claims += _of_repetition(appendix.name, repetition)
    return tuple(_numbered(claims))


def _of_experiment(plan: Plan, found: Observations) -> Iterator[tuple[Claim, bool]]:
    for observation in (*found.answers, *by_theme(found.others), *found.limits):
        yield Claim("main", plan, observation), True
    for observation in found.others[len(printed_others(found.others)) :]:
        yield Claim("main", plan, observation), False


def _of_repetition(appendix: str, repetition: Repetition) -> Iterator[tuple[Claim, bool]]:
    printed = printed_of_repetition(repetition)
    for place, observation in enumerate(repetition.observed):
        yield Claim(appendix, repetition.results.plan, observation), place < len(printed)


def printed_of_repetition(repetition: Repetition) -> tuple[Observation, ...]:
    """The first findings of a repeated experiment; none where its runs are those before.

    None of a gradient check, either: of other weights it says the same.
    """
    is_check = repetition.results.plan.experiment.kind == "gradient-check"
    return () if repetition.is_same or is_check else repetition.observed.answers[:APPENDIX_FINDINGS]


def _numbered(claims: Sequence[tuple[Claim, bool]]) -> Iterator[Claim]:
    number = 0
    for claim, is_printed in claims:
        number += is_printed
        yield replace(claim, number=number) if is_printed else claim
