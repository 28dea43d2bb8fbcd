"""Conclusions from all experiments of a lab: the findings that open the report, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labreport.analysis.lab_rules import against_chance, summaries
from labreport.analysis.lab_rules.lab_rule import REGISTERED, Conclusion, Experiments, LabRule
from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations
from labreport.analysis.rule import weight

KEY_FINDINGS = 5
"""Findings that open the report: what a reader keeps who reads nothing else."""

MODULES = (against_chance, summaries)
"""Modules that define rules: importing them registers their rules."""

LAB_RULES: dict[str, LabRule] = dict(
    sorted(REGISTERED.items(), key=lambda item: (-item[1].relevance, item[0]))
)
"""Rules over all experiments by name, the most relevant first."""


def key_findings(
    observed: Sequence[tuple[str, Observations]],
) -> tuple[tuple[str, Observation], ...]:
    """The most relevant findings of the whole lab, each with its experiment's name.

    Those that are the first of their experiment come first, in the order of the report; no
    experiment has a second one while another has none.
    """
    ranked = [
        (rank, -found.relevance, place, name, found)
        for place, (name, observations) in enumerate(observed)
        for rank, found in enumerate(observations.answers)
    ]
    ranked.sort(key=lambda entry: entry[:3])
    chosen = sorted(ranked[:KEY_FINDINGS], key=lambda entry: (entry[0], entry[2]))
    return tuple((name, found) for *_, name, found in chosen)


def conclude(experiments: Experiments) -> tuple[Conclusion, ...]:
    """Statements over all experiments together, the most relevant first."""
    telling = [e.with_a_loss for e in experiments]
    found = [
        (plan, replace(observation, relevance=rule.relevance * weight(observation.effect)))
        for rule in LAB_RULES.values()
        for plan, observation in rule.find(experiments if rule.of_constant_losses else telling)
    ]
    return tuple(sorted(found, key=lambda conclusion: -conclusion[1].relevance))
