"""Conclusions from all experiments of a lab, which close its report."""

from __future__ import annotations

from dataclasses import replace

from labreport.analysis.lab_rules import against_chance, summaries
from labreport.analysis.lab_rules.lab_rule import REGISTERED, Conclusion, Experiments, LabRule
from labreport.analysis.rule import weight

MODULES = (against_chance, summaries)
"""Modules that define rules: importing them registers their rules."""

LAB_RULES: dict[str, LabRule] = dict(
    sorted(REGISTERED.items(), key=lambda item: (-item[1].relevance, item[0]))
)
"""Rules over all experiments by name, the most relevant first."""


def conclude(experiments: Experiments) -> tuple[Conclusion, ...]:
    """Statements over all experiments together, the most relevant first."""
    telling = [e.with_a_loss for e in experiments]
    found = [
        (plan, replace(observation, relevance=rule.relevance * weight(observation.effect)))
        for rule in LAB_RULES.values()
        for plan, observation in rule.find(experiments if rule.of_constant_losses else telling)
    ]
    return tuple(sorted(found, key=lambda conclusion: -conclusion[1].relevance))
