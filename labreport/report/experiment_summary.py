"""An experiment's section without figures: its tables, its findings, and curves to draw anywhere.

All of it is what the report has; nothing that draws or typesets is imported.
"""

from __future__ import annotations

from dataclasses import dataclass

from labreport.analysis.observation import Observation, Wording
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.report.illustration.curves import Curves, curves_of
from labreport.report.illustration.illustrate import tables_of
from labreport.report.phrases import Phrase, written
from labreport.report.sentences import KINDS, found, sentences
from labreport.report.tables import differences_table
from labreport.report.tree import Paragraph, Sentences, Statement, Table


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """An experiment.

    Attributes:
        name: of the experiment.
        title: its heading.
        question: what it asks; None if it does not say.
        tables: what differs, and what came out.
        findings: lists of sentences, and a paragraph where nothing was found.
        observations: behind the sentences of all lists, in the same order.
        curves: of its losses, those that share their axes together.
    """

    name: str
    title: Wording
    question: Wording | None
    tables: tuple[Table, ...]
    findings: tuple[Sentences | Paragraph, ...]
    observations: tuple[Observation, ...]
    curves: tuple[Curves, ...]


def summarise(results: ExperimentResults, observed: Observations) -> ExperimentSummary:
    """Compose what an experiment's section of the report states of what was observed."""
    plan = results.plan

    def state(observation: Observation, theme: Phrase) -> Statement:
        return Statement(observation, plan.name, theme=theme)

    differences = differences_table(results)
    question = plan.experiment.question
    return ExperimentSummary(
        plan.name,
        written(plan.experiment.title),
        written(question) if question else None,
        (*([differences] if differences else []), *tables_of(results)),
        tuple(block for kind in KINDS for block in sentences(kind, observed, state)),
        tuple(observation for kind in KINDS for observation in found(kind, observed)),
        curves_of(results),
    )
