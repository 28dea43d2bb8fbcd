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

    @cached_property
    def level(self) -> Sequence[int]:
        """Places of the results that the best one is not ahead of, its own among them."""
        there = enumerate(self.there)
        return [k for k, r in there if not is_lower(self.best, r, self.measure)]

    @property
    def worse(self) -> Sequence[Result]:
        """The results at the end that are all worse than the best."""
        return self.there[self.level[-1] + 1 :]

    @property
    def flat(self) -> Result | None:
        """Where several results begin, or end, that are level up to the end of the sweep.

        None where they are one, or all, or where a result beyond them is level as well.
        """
        places = range(self.level[0], self.level[-1] + 1)
        if len(places) < 2 or [*places] != self.level:
            return None
        return self.there[places[0] if self.form == "rising" else places[-1]]

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
        if self.form in ("rising", "falling"):
            for place, other in enumerate(self.there):
                if other is not best:
                    yield lower_claim(best, other, measure, holds=place not in self.level)
        elif self.form == "level":
            for place in (0, -1):
                if self.there[place] is not best:
                    yield lower_claim(best, self.there[place], measure, holds=False)
        else:
            for place in (0, *self._worse_places):
                yield lower_claim(best, self.there[place], measure)
            before = self.there[len(self.there) - len(self.worse) - 1]
            if before is not best:
                yield lower_claim(best, before, measure, holds=False)

    @property
    def _worse_places(self) -> range:
        return range(len(self.there) - len(self.worse), len(self.there))
