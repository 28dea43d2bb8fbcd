"""The chapter of the student's own thoughts where nothing is written yet: questions, and room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.analysis.observation import Count, Fact, Observation, Subject
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.report.phrases import Named, Phrase, listed, text, written
from labreport.report.tree import Block, Paragraph, Section, Sentences, Statement

QUESTIONS = 3
"""Questions that the chapter asks."""

ASKED = {
    ("who-leads", "turns"): "turns",
    ("holds-over-starts", "depends"): "starts",
    ("holds-over-starts", "reversed"): "starts",
    ("holds-over-starts", "fewer"): "starts",
    ("falling-loss", "lower"): "falling",
    ("falling-loss", "lower-one"): "falling",
    ("falling-loss", ""): "falling",
    ("sweep-shape", "peak"): "peak",
    ("sweep-shape", "peak-level"): "peak",
    ("refused", "target"): "refused",
    ("at-same-values", "ranges"): "fair",
    ("at-same-values", "ranges-mixed"): "fair",
    ("overshoot", "stays"): "stop",
    ("overshoot", ""): "stop",
    ("place-among-starts", "inside"): "place",
    ("silent-weights", "dead"): "dead",
    ("symmetry", ""): "symmetry",
    ("paired-starts", "open"): "open",
    ("sweep-shape", "rising-flat"): "level",
    ("sweep-shape", "falling-flat"): "level",
    ("who-leads", "level"): "same",
}
"""What is asked about a finding, by its rule and form; the first that were found are asked."""

OF_EVERY_LAB = ("unexpected", "unsure", "next")
"""Questions of which each lab has an answer."""

Found = tuple[ExperimentResults, Observations]


def reflection(found: Sequence[Found], *, is_written: bool) -> Section:
    """A chapter that is the student's alone: until it is written, questions and room for it."""
    return Section("reflection", text("report.reflection"), () if is_written else _empty(found))


def _empty(found: Sequence[Found]) -> tuple[Block, ...]:
    asked = [Statement(question, theme=title) for question, title in _questions(found)]
    asked += [Statement(text(f"question.{key}")) for key in OF_EVERY_LAB]
    return (
        Paragraph(text("report.reflection-empty")),
        Sentences("", tuple(asked[:QUESTIONS]), "numbered"),
        Paragraph("", kind="room"),
    )


def _questions(found: Sequence[Found]) -> Iterator[tuple[Phrase, Phrase]]:
    """Questions and titles of their experiments: one of each experiment, and no question twice."""
    left, asked = list(found), set()
    for place, key in ASKED.items():
        for results, observed in left:
            said = [*observed.answers, *observed.others]
            about = next((o for o in said if (o.rule, o.form) == place), None)
            if about is None or key in asked:
                continue
            asked.add(key)
            left.remove((results, observed))
            title = text("evidence.group", name=written(results.plan.experiment.title))
            yield _question(key, about, results.plan.name), title
            break


def _question(key: str, about: Observation, experiment: str) -> Phrase:
    """A question with the variants and the counts of what it asks about."""
    values = {name: _value(fact, experiment) for name, fact in about.facts.items()}
    return text(f"question.{key}", **{k: v for k, v in values.items() if v is not None})


def _value(fact: Fact, experiment: str) -> Phrase | None:
    """A fact of an observation as a value of a text; None for those that no question has."""
    if isinstance(fact, Count):
        return fact
    subjects = fact if isinstance(fact, tuple) else (fact,)
    named = [Named(s, experiment, quoted=True) for s in subjects if isinstance(s, Subject)]
    return listed(named) if named and len(named) == len(subjects) else None
