"""What a figure shows, in words and numbers: for its caption and its alternative text.

Every number comes from what is drawn, so that a caption is as true as the picture above it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.observation import Subject
from labreport.analysis.results import PRECISION, ExperimentResults, Result
from labreport.analysis.thresholds import ROUNDING
from labreport.report import numbers
from labreport.report.language import Language
from labreport.report.loss_landscape import FAR
from labreport.report.trajectories import Move, Trajectory

Named = tuple[str, float | None]
"""What something is called, and its number; None where it has none."""

EQUAL = ROUNDING * PRECISION["float32"]
"""Share by which numbers differ that rounding alone may set apart in single precision."""

MOST_SIZES = 8
"""Layers whose sizes a sentence tells; of more it tells the first and the last ones."""

MOST_NAMED = 4
"""Names that a caption lists; a reader finds more of them in a table."""


MOST_LENGTHS = 6
"""Paths whose lengths a caption lists; of more it says where they begin and end."""


class Captions:
    """Readings of the figures of one experiment in one language."""

    def __init__(self, results: ExperimentResults, language: Language) -> None:
        self.results, self.language = results, language

    def name(self, result: Result) -> str:
        """A run as a sentence calls it."""
        subject = Subject(result.variant, result.point)
        return self.language.subject(subject, self.results.plan, quoted=True)

    def ends(self, named: Sequence[Named]) -> str:
        """Which of the curves end lowest and highest at the last round that is compared."""
        known = [(name, value) for name, value in named if value is not None and np.isfinite(value)]
        if not known:
            return ""
        rounds = self.language.counted("rounds", self.results.last)
        ordered = sorted(known, key=lambda pair: pair[1])
        low, high = (numbers.measured(value) for value in (ordered[0][1], ordered[-1][1]))
        if len(known) == 1:
            return self._text("read-end", rounds=rounds, what=known[0][0], value=low)
        if low == high:
            return self._text("read-level", rounds=rounds, value=low)
        return self._text(
            "read-ends",
            rounds=rounds,
            low=self._all(known, ordered[0][1]),
            lowest=low,
            high=self._all(known, ordered[-1][1]),
            highest=high,
        )

    def _all(self, named: Sequence[tuple[str, float]], value: float) -> str:
        """Everything with this number, but for rounding."""
        names = [name for name, number in named if np.isclose(number, value, rtol=EQUAL, atol=0)]
        if len(names) <= MOST_NAMED:
            return self.language.join(names)
        first = self.language.text("list.item").join(names[:MOST_NAMED])
        return self._text("read-and-more", names=first, count=len(names) - MOST_NAMED)

    def ended(self, names: Sequence[str]) -> str:
        """Which curves have no number at the last round that is compared."""
        return self._text("read-ended", names=self.language.join(names)) if names else ""

    def left_out(self, results: Sequence[Result]) -> str:
        """Which runs a figure does not show, beside those that are in the figures before it."""
        names = [self.name(result) for result in results]
        return self._text("read-left-out", names=self.language.join(names)) if names else ""

    def off_the_landscape(self, far: Sequence[Result], beside: Sequence[Result]) -> str:
        """Which runs a landscape has no place for, and why."""
        reasons = (("far", far), ("others", beside))
        return self.language.paragraph(
            [
                self._text(
                    f"read-landscape-{reason}",
                    names=self.language.join([self.name(result) for result in results]),
                    **({"far": FAR} if reason == "far" else {}),
                )
                for reason, results in reasons
                if results
            ]
        )

    def floors(self, levels: Sequence[float], drawn: Sequence[Result] = ()) -> str:
        """What the dashed lines are, and which of the runs that are drawn have a floor of 0."""
        if not levels:
            return ""
        shown = self.language.join([numbers.measured(level) for level in dict.fromkeys(levels)])
        without = [self.name(result) for result in drawn if result.floor.value == 0]
        if without:
            names = self.language.join(without)
            return self._text("read-floor-zero", levels=shown, names=names)
        return self._text("read-floor", levels=shown)

    def budgets(self) -> str:
        """What the dotted lines are."""
        marked = self.results.budgets[:-1]
        if not marked:
            return ""
        shown = self.language.join([numbers.count(budget) for budget in marked])
        return self._text("read-budgets" + ("-one" if len(marked) == 1 else ""), budgets=shown)

    def medians(self, named: Sequence[tuple[str, np.ndarray]]) -> str:
        """The median of each group of numbers."""
        items = [
            self.language.text("with", what=name, detail=numbers.measured(float(np.median(values))))
            for name, values in named
        ]
        return self._text("read-medians", facts=self.language.enumerate(items))

    def moves(self, moves: Sequence[Move], names: Sequence[str]) -> str:
        """Which weight came furthest, in which runs."""
        if not moves:
            return self._text("read-still", what=self.language.join(names[:MOST_NAMED]))
        furthest = moves[0]
        alike = [m for m in moves if m[1:] == furthest[1:]]
        return self._text(
            "read-furthest",
            weight=furthest.weight,
            what=self.language.join([names[m.run] for m in alike[:MOST_NAMED]]),
            start=numbers.measured(furthest.start),
            end=numbers.measured(furthest.end),
        )

    def sizes(self, run: Trajectory, name: str) -> str:
        """The sizes of a run at its first and last round, column by column."""
        first, last = ([numbers.measured(float(v)) for v in run.values[k]] for k in (0, -1))
        return self._text(
            "read-sizes",
            what=name,
            first=self._ends(first),
            last=self._ends(last),
            count=len(run.values) - 1,
        )

    def _ends(self, sizes: Sequence[str]) -> str:
        """Sizes of all layers; of many, those of the first and of the last ones."""
        half = MOST_SIZES // 2
        shown = sizes if len(sizes) <= MOST_SIZES else [*sizes[:half], "…", *sizes[-half:]]
        return self.language.text("list.comma").join(shown)

    def lengths(self, named: Sequence[tuple[str, np.ndarray]], rounds: int) -> str:
        """How long the way of each run was through the space of all weights [steps, weights]."""
        with np.errstate(over="ignore"):
            found = [
                (name, float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum()))
                for name, way in named
            ]
        items = [
            self.language.text("with", what=name, detail=numbers.measured(length))
            for name, length in found
        ]
        if len(found) > MOST_LENGTHS:
            low, high = (
                items[pick(range(len(found)), key=lambda k: found[k][1])] for pick in (min, max)
            )
            return self._text("read-lengths-many", low=low, high=high, budget=rounds)
        return self._text("read-lengths", lengths=self.language.enumerate(items), budget=rounds)

    def _text(self, key: str, **values: object) -> str:
        return self.language.text(f"report.{key}", **values)
