"""Findings of an experiment as lists of sentences, under the headings of its section."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations
from labreport.report.claims import by_theme, theme_of
from labreport.report.phrases import Phrase, text
from labreport.report.tree import Paragraph, Sentences, Statement

State = Callable[[Observation, Phrase], Statement]
"""Makes a statement of an observation and the heading of the theme that begins with it, or ""."""

KINDS = ("answers", "others", "limits")
"""The lists of a section: what it shows first, further observations, what it does not show."""


def found(kind: str, observed: Observations) -> tuple[Observation, ...]:
    """The observations of a list, in the order in which they are stated."""
    if kind == "others":
        return by_theme(observed.others)
    return observed.answers if kind == "answers" else observed.limits


def sentences(kind: str, observed: Observations, state: State) -> list[Sentences | Paragraph]:
    """A list with its heading; that nothing was found is said in the place of the answers."""
    members = found(kind, observed)
    if not members:
        if kind != "answers":
            return []
        return [Paragraph(text("report.nothing-found"))]
    themes = [f"theme.{theme_of(o.rule)}" for o in members]
    heads = headings(themes) if kind == "others" else [""] * len(members)
    return [Sentences(text(f"report.{kind}"), tuple(map(state, members, heads)), kind)]


def headings(keys: Sequence[str]) -> list[Phrase]:
    """The heading, by its key, for the first sentence of each group, "" for those that follow."""
    return [
        text("evidence.group", name=text(key)) if key != before else ""
        for before, key in zip(["", *keys], keys, strict=False)
    ]
