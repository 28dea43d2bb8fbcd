"""Phrases that describe a figure: for its caption and its alternative text.

Every number comes from what is drawn, so that a caption is as true as the picture above it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.measures.digits import printed_alike
from labreport.analysis.observation import Count, Number, Subject
from labreport.analysis.results import PRECISION, ExperimentResults, Result
from labreport.analysis.thresholds import ROUNDING
from labreport.report.illustration.loss_landscape import FAR
from labreport.report.illustration.trajectories import Move
from labreport.report.phrases import Counted, Named, Phrase, listed, passage, text

Measured = tuple[Phrase, Number | None]
"""The name of something, and its number; None where it has none."""

EQUAL = ROUNDING * PRECISION["float32"]
"""Share by which numbers differ that rounding alone may set apart in single precision."""

MOST_SIZES = 8
"""Layers whose sizes a sentence tells; of more it tells the first and the last ones."""

MOST_NAMED = 3
"""Names that a caption lists; a reader finds more of them in a table."""


class Captions:
    """Captions of the figures of one experiment."""

    def __init__(self, results: ExperimentResults) -> None:
        self.results = results

    @property
    def at_own_end(self) -> str:
        """The ending of the key of a text about the last round that is compared."""
        return "-own" if self.results.at_own_end else ""

    def name(self, result: Result) -> Named:
        """A run as a sentence calls it."""
        subject = Subject(result.variant, result.point)
        return Named(subject, self.results.plan.name, quoted=True)

    def ends(self, named: Sequence[Measured]) -> Phrase:
        """Name the curves that end lowest and highest at the last round that is compared."""
        known = [(name, n) for name, n in named if n is not None and np.isfinite(n.value)]
        if not known:
            return ""
        rounds, own = Counted("rounds", self.results.last), self.at_own_end
        ordered = sorted((number for _, number in known), key=lambda number: number.value)
        low, high = ordered[0], ordered[-1]
        if len(known) == 1:
            return self._text(f"read-end{own}", rounds=rounds, what=known[0][0], value=low)
        if printed_alike(low, high):
            return self._text(f"read-level{own}", rounds=rounds, value=low)
        return self._text(
            f"read-ends{own}",
            rounds=rounds,
            low=self._all(known, low.value),
            lowest=low,
            high=self._all(known, high.value),
            highest=high,
        )

    def _all(self, named: Sequence[tuple[Phrase, Number]], value: float) -> Phrase:
        """Everything with this number, but for rounding."""
        alike = [name for name, n in named if np.isclose(n.value, value, rtol=EQUAL, atol=0)]
        return self.some(alike)

    def some(self, names: Sequence[Phrase]) -> Phrase:
        """The first of these names, and how many more there are."""
        if len(names) <= MOST_NAMED:
            return listed(names)
        first = listed(names[:MOST_NAMED], "items")
        return self._text("read-and-more", names=first, count=len(names) - MOST_NAMED)

    def ended(self, names: Sequence[Phrase]) -> Phrase:
        """Name the curves that have no number at the last round that is compared."""
        return self._text("read-ended", names=self.some(names)) if names else ""

    def left_out(self, results: Sequence[Result]) -> Phrase:
        """Name the runs that a figure does not show, beside those in the figures before it."""
        names = [self.name(result) for result in results]
        return self._text("read-left-out", names=self.some(names)) if names else ""

    def off_the_landscape(self, far: Sequence[Result], beside: Sequence[Result]) -> Phrase:
        """Name the runs that a landscape has no place for, and why."""
        reasons = (("far", far), ("others", beside))
        return passage(
            self._text(
                f"read-landscape-{reason}",
                names=self.some([self.name(result) for result in results]),
                **({"far": FAR} if reason == "far" else {}),
            )
            for reason, results in reasons
            if results
        )

    def floors(self, levels: Sequence[float], drawn: Sequence[Result] = ()) -> Phrase:
        """Explain the dashed lines, and name those of the drawn runs that have a floor of 0."""
        if not levels:
            return ""
        shown = listed(Number(level) for level in dict.fromkeys(levels))
        without = [self.name(result) for result in drawn if result.floor.value == 0]
        if without:
            return self._text("read-floor-zero", levels=shown, names=self.some(without))
        return self._text("read-floor", levels=shown)

    def budgets(self) -> Phrase:
        """Explain the dotted lines."""
        marked = self.results.budgets[:-1]
        if not marked:
            return ""
        shown = listed(map(Count, marked))
        return self._text("read-budgets" + ("-one" if len(marked) == 1 else ""), budgets=shown)

    def moves(self, moves: Sequence[Move], names: Sequence[Phrase]) -> Phrase:
        """Name the weight that moved furthest, and the runs in which it did."""
        if not moves:
            return self._text("read-still", what=listed(names[:MOST_NAMED]))
        furthest = moves[0]
        alike = [m for m in moves if m[1:] == furthest[1:]]
        return self._text(
            "read-furthest",
            weight=furthest.weight,
            what=listed(names[m.run] for m in alike[:MOST_NAMED]),
            start=Number(furthest.start),
            end=Number(furthest.end),
        )

    def sizes(self, values: np.ndarray, name: Phrase) -> Phrase:
        """The sizes [steps, columns] of a run before training, column by column."""
        first = self._ends([Number(float(value)) for value in values[0]])
        return self._text("read-sizes", what=name, first=first)

    def _ends(self, sizes: Sequence[Phrase]) -> Phrase:
        """Sizes of all layers; of many, those of the first and of the last ones."""
        half = MOST_SIZES // 2
        shown = sizes if len(sizes) <= MOST_SIZES else [*sizes[:half], "…", *sizes[-half:]]
        return listed(shown, "commas")

    def _text(self, key: str, **values: Phrase) -> Phrase:
        return text(f"report.{key}", **values)


def with_number(what: Phrase, number: float) -> Phrase:
    """Something with its number in brackets."""
    return text("with", what=what, detail=Number(number))
