"""An experiment's section without figures: its tables, its findings, and curves to draw anywhere.

All of it is what the report has; nothing that draws or typesets is imported.
"""

from __future__ import annotations

from dataclasses import dataclass

from labreport.analysis.observation import Observation
from labreport.analysis.observe import observe
from labreport.analysis.results import ExperimentResults
from labreport.report.curves import Curves, curves_of
from labreport.report.illustrate import tables_of
from labreport.report.language import Language
from labreport.report.numbering import Numbering
from labreport.report.sentences import KINDS, found, sentences
from labreport.report.tables import differences_table
from labreport.report.tree import Paragraph, Sentences, Statement, Table


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """An experiment in one language.

    Attributes:
        name: of the experiment.
        title: its heading.
        question: what it asks; "" if it does not say.
        tables: what differs, and what came out.
        findings: lists of sentences, and a paragraph where nothing was found.
        observations: behind the sentences of all lists, in the same order.
        curves: of its losses, those that share their axes together.
    """

    name: str
    title: str
    question: str
    tables: tuple[Table, ...]
    findings: tuple[Sentences | Paragraph, ...]
    observations: tuple[Observation, ...]
    curves: tuple[Curves, ...]


def summarise(results: ExperimentResults, language: Language) -> ExperimentSummary:
    """What an experiment's section of the report says."""
    plan, observed = results.plan, observe(results)
    numbering = Numbering(language)

    def state(observation: Observation, theme: str) -> Statement:
        return Statement(language.sentence(observation, plan), theme=theme)

    differences = differences_table(results, language, numbering)
    question = plan.experiment.question
    return ExperimentSummary(
        plan.name,
        plan.experiment.title.within(language.code),
        question.within(language.code) if question else "",
        (*([differences] if differences else []), *tables_of(results, language, numbering)),
        tuple(block for kind in KINDS for block in sentences(kind, observed, language, state)),
        tuple(observation for kind in KINDS for observation in found(kind, observed)),
        curves_of(results, language),
    )
