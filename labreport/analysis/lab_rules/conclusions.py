"""Conclusions from all experiments of a lab, which close its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labreport.analysis.lab_rules import against_chance, deceptions, summaries
from labreport.analysis.lab_rules.lab_rule import (
    REGISTERED,
    TOPICS,
    Conclusion,
    LabRule,
    Observed,
)
from labreport.analysis.rule import weight

MODULES = (against_chance, deceptions, summaries)
"""Modules that define rules: importing them registers their rules."""

LAB_RULES: dict[str, LabRule] = dict(
    sorted(REGISTERED.items(), key=lambda item: (-item[1].relevance, item[0]))
)
"""Rules over all experiments by name, the most relevant first."""


def conclude(experiments: Sequence[Observed]) -> tuple[Conclusion, ...]:
    """Statements over all experiments together: by topic, the most relevant of each first."""
    found = [
        (plan, replace(observation, relevance=rule.relevance * weight(observation.effect)))
        for rule in LAB_RULES.values()
        for plan, observation in rule.find(experiments)
    ]
    return tuple(sorted(found, key=_place))


def _place(conclusion: Conclusion) -> tuple[int, float]:
    _, observation = conclusion
    return TOPICS.index(LAB_RULES[observation.rule].topic), -observation.relevance
