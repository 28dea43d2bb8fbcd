"""An experiment's section in a language without its figures, with curves to draw anywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.language.catalogue import Language
from labreport.language.words import Words
from labreport.render.printed import PrintedParagraph, PrintedSentences, PrintedTable
from labreport.render.printing import print_blocks
from labreport.report.compose import experiment_names
from labreport.report.experiment_summary import summarise
from labreport.report.illustration.curves import Curves


@dataclass(frozen=True, eq=False)
class PrintedSummary:
    """An experiment in one language.

    Attributes:
        name: of the experiment.
        title: its heading.
        question: what it asks; "" if it does not say.
        tables: what differs, and what came out.
        findings: lists of sentences, and a paragraph where nothing was found.
        observations: behind the sentences of all lists, in the same order.
        curves: of its losses, those that share their axes together; their names are strings.
    """

    name: str
    title: str
    question: str
    tables: tuple[PrintedTable, ...]
    findings: tuple[PrintedSentences | PrintedParagraph, ...]
    observations: tuple[Observation, ...]
    curves: tuple[Curves, ...]


def printed_summary(
    results: ExperimentResults, observed: Observations, language: Language
) -> PrintedSummary:
    """Print an experiment's section of the report, in a language."""
    made = summarise(results, observed)
    names = {results.plan.name: experiment_names(results.plan)}
    words = Words(language, names)
    tables = print_blocks(made.tables, names, language)
    findings = print_blocks(made.findings, names, language)
    return PrintedSummary(
        made.name,
        words(made.title),
        words(made.question) if made.question else "",
        tuple(block for block in tables if isinstance(block, PrintedTable)),
        tuple(b for b in findings if isinstance(b, PrintedSentences | PrintedParagraph)),
        made.observations,
        tuple(_named(curves, words) for curves in made.curves),
    )


def _named(curves: Curves, words: Words) -> Curves:
    renamed = tuple(curve._replace(name=words(curve.name)) for curve in curves.curves)
    return replace(curves, curves=renamed)
