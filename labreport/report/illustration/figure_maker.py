"""The common parts of an experiment's figures: captions, names, looks and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from labreport.analysis.observation import Number
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.thresholds import OVERSHOOT
from labreport.report import tables
from labreport.report.illustration.captions import Captions
from labreport.report.illustration.curves import look, names_of_runs
from labreport.report.illustration.drawings import (
    Drawing,
    MarkedAxes,
)
from labreport.report.phrases import Named, Phrase, listed, passage, text
from labreport.report.tree import Figure

MOST_RUNS = 12
"""Runs whose weights and gradients a figure can hold apart."""


DIGITS = 2
"""Significant digits of a description, which tells the course of a curve."""


class FigureMaker:
    """Makes figures of one experiment."""

    def __init__(self, results: ExperimentResults, title: Phrase) -> None:
        # Runs that are the same to the last bit are drawn once.
        self.results = replace(results, names_once=True)
        self.every_name = results
        self.title = title
        self.readings = Captions(results)

    def _figure(
        self,
        title: str,
        caption: Sequence[Phrase],
        drawing: Drawing,
        alternative: str,
        facts: Sequence[Phrase] = (),
        sentences: Sequence[Phrase] = (),
        **values: Phrase,
    ) -> Figure:
        """A figure; its caption is a title and sentences, of which empty ones are left out.

        Its alternative text has the facts in its first sentence, and then sentences of their own.
        """
        told = listed(facts, "clauses")
        words = self._text(alternative, what=self.title, facts=told, **values)
        under = passage([self._text(title), *caption])
        return Figure(under, drawing, passage([words, *sentences]))

    def _course(self, name: Phrase, values: np.ndarray) -> Phrase:
        """Describe a curve: where it begins and ends, and its lowest point if that is another."""
        first, last = float(values[0]), float(values[-1])
        numbers = {"first": Number(first, digits=DIGITS), "last": Number(last, digits=DIGITS)}
        said = {"subject": name, **numbers}
        k = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
        lowest = float(values[k])
        if 0 < lowest < min(first, last / OVERSHOOT):
            least = Number(lowest, digits=DIGITS)
            return self._text("alternative-fact-low", **said, lowest=least, updates=k)
        return self._text("alternative-fact", **said)

    def _axes(self, vertical: str) -> MarkedAxes:
        return self._text("axis-updates"), self._text(vertical), self._text("floor")

    def _text(self, key: str, **values: Phrase) -> Phrase:
        return text(f"report.{key}", **values)

    def _label(self, result: Result) -> Phrase:
        """All names of a single run."""
        return self._names[result.bits]

    @cached_property
    def _names(self) -> dict[bytes, Phrase]:
        return names_of_runs(self.every_name)

    def _named(self, variant: str) -> Named:
        return tables.named(self.results, variant)

    def _look(self, result: Result) -> int:
        return self._place(result.variant)

    def _place(self, variant: str) -> int:
        return look(self.results, variant)

    def _floors(self, members: Sequence[Result]) -> list[float]:
        values = {r.floor.value for r in members}
        return sorted(v for v in values if v is not None and np.isfinite(v) and v > 0)

    def _missing(self, drawn: Sequence[Result]) -> Phrase:
        """Name the single runs that are not among those that are drawn."""
        return self.readings.left_out([r for r in self.results.singles if r not in drawn])

    def _recorded(self) -> list[Result]:
        """Single runs whose every round is recorded, and that have at least one."""
        whole = [r for r in self.results.singles if r.run.trace.is_whole]
        return [r for r in whole if len(r.losses) > 1][:MOST_RUNS]
