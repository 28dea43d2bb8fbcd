"""How results depend on a number that is swept: where they are level, and where they rise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.observation import Source
from labreport.analysis.results import Result


@dataclass(frozen=True)
class Shape:
    """How results depend on the number that is swept.

    Attributes:
        best: the lowest of them.
        there: the results, in the order of that number.
        measure: by which they are compared.
    """

    best: Result
    there: Sequence[Result]
    measure: Measure

    @property
    def place(self) -> int:
        return self.there.index(self.best)

    @property
    def worse(self) -> Sequence[Result]:
        """The results at the end that are all worse than the best."""
        level = [k for k, r in enumerate(self.there) if not is_lower(self.best, r, self.measure)]
        return self.there[level[-1] + 1 :]

    @cached_property
    def steps(self) -> tuple[tuple[Result, Result, bool], ...]:
        """Neighbours, of which the one that is farther from the best is not to be the better one.

        With each pair, whether it is so all the same.
        """
        up, down = self.there[: self.place + 1], self.there[self.place :][::-1]
        pairs = (pair for side in (up, down) for pair in pairwise(side))
        return tuple((far, near, is_lower(far, near, self.measure)) for far, near in pairs)

    @property
    def form(self) -> str:
        """The form of the sentence."""
        if any(turns for _, _, turns in self.steps):
            return "uneven"
        first, last = (is_lower(self.best, self.there[k], self.measure) for k in (0, -1))
        return {
            (False, False): "level",
            (True, True): "peak",
            (True, False): "rising",
            (False, True): "falling",
        }[first, last]

    @property
    def claims(self) -> Iterator[Source]:
        best, measure = self.best, self.measure
        if self.form == "uneven":
            far, near, _ = next(step for step in self.steps if step[2])
            yield lower_claim(far, near, measure)
            return
        for far, near, _ in self.steps:
            yield lower_claim(far, near, measure, holds=False)
        ends = {"peak": (0, *self._worse_places), "rising": (0,), "falling": (-1,)}
        for place in ends.get(self.form, ()):
            yield lower_claim(best, self.there[place], measure)
        level = {"rising": (-1,), "falling": (0,), "level": (0, -1)}
        for place in level.get(self.form, ()):
            if self.there[place] is not best:
                yield lower_claim(best, self.there[place], measure, holds=False)
        if self.form == "peak":
            before = self.there[len(self.there) - len(self.worse) - 1]
            if before is not best:
                yield lower_claim(best, before, measure, holds=False)

    @property
    def _worse_places(self) -> range:
        return range(len(self.there) - len(self.worse), len(self.there))
