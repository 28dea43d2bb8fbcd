"""Two results against each other, from the start of the lab and from others, in one measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.measures.over_starts import Statistic, loss_over
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import Count, Number, Source
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.lab.changes import quantity


@dataclass(frozen=True)
class Measure:
    """What results are compared by: their loss, or where losses differ in kind, one error.

    Attributes:
        is_loss: whether it is the loss that was trained.
        budget: rounds after which it is read.
    """

    is_loss: bool
    budget: int

    @classmethod
    def of(cls, results: Iterable[Result], budget: int) -> Measure | None:
        """The measure that these results share; None where their rows or targets differ."""
        configs = [r.run.config for r in results]
        first = configs[0]
        rows = (first.data.inputs, first.data.targets)
        if any((c.data.inputs, c.data.targets) != rows for c in configs):
            return None
        return cls(len({quantity(c) for c in configs}) == 1, budget)

    def value(self, result: Result) -> float | None:
        """What a result has come to; None where it ended before, or predicts no number."""
        return result.loss(self.budget) if self.is_loss else result.error(self.budget)

    def formula(self, result: Result, run: str = "") -> str:
        """The same of the stored arrays; ``run`` is r1. or the like."""
        if self.is_loss:
            return f"wide({run}{result.loss_formula(self.budget)})"
        return f"wide({result.error_formula(self.budget, run)})"

    def number(self, result: Result) -> Number:
        return result.told(self.value, self.formula(result))

    def scale(self, results: Sequence[Result]) -> float:
        """The largest of these results before training, of which a thousandth makes no odds."""
        starts = (Measure(self.is_loss, 0).value(r) for r in results)
        return max((abs(s) for s in starts if s is not None), default=0.0)

    def scale_formula(self, results: Sequence[Result]) -> str:
        start = Measure(self.is_loss, 0)
        first = ", ".join(f"abs({start.formula(r, f'r{k}.')})" for k, r in enumerate(results, 1))
        return f"max(({first},))"


def is_lower(one: Result, other: Result, measure: Measure) -> bool:
    """Return whether one result is lower than another by more than anybody would mind."""
    mine, theirs = measure.value(one), measure.value(other)
    if mine is None or theirs is None:
        return False
    return theirs - mine > thresholds.NO_ODDS * measure.scale((one, other))


def lower_claim(one: Result, other: Result, measure: Measure, *, holds: bool = True) -> Source:
    """The claim that it is, or is not."""
    apart = f"{measure.formula(other, 'r2.')} - {measure.formula(one, 'r1.')}"
    sign = ">" if holds else "<="
    return cite(f"{apart} {sign} NO_ODDS * {measure.scale_formula((one, other))}", (one, other))


@dataclass(frozen=True)
class StartPairs:
    """The same two results from other random starts, seed by seed.

    Attributes:
        pairs: both from one seed.
        measure: by which they are compared.
    """

    pairs: tuple[tuple[Result, Result], ...]
    measure: Measure

    @property
    def count(self) -> int:
        return len(self.pairs)

    @cached_property
    def lower(self) -> int:
        """Pairs in which the first result is lower."""
        return sum(is_lower(one, other, self.measure) for one, other in self.pairs)

    @cached_property
    def higher(self) -> int:
        """Pairs in which it is higher."""
        return sum(is_lower(other, one, self.measure) for one, other in self.pairs)

    @property
    def runs(self) -> list[Result]:
        """The first of every pair, followed by the second of every pair."""
        return [one for one, _ in self.pairs] + [other for _, other in self.pairs]

    def formula(self, *, higher: bool = False) -> str:
        """How many pairs differ in that direction, of the stored arrays of `runs`."""
        one, other = self.pairs[0]
        half, start = self.count, Measure(self.measure.is_loss, 0)
        mine, theirs = (self.measure.formula(r) for r in (one, other))
        if self.measure.is_loss and mine != theirs:
            # Runs of different length, each at its own end.
            mine = theirs = "wide(losses[-1])"
        mine, theirs = f"each({mine})[:{half}]", f"each({theirs})[{half}:]"
        first, second = (f"abs(each({start.formula(r)})" for r in (one, other))
        scale = f"larger({first}[:{half}]), {second}[{half}:]))"
        apart = f"({mine} - {theirs})" if higher else f"({theirs} - {mine})"
        return f"count({apart} > NO_ODDS * {scale})"

    def cite(self, formula: str) -> Source:
        return cite(formula, self.runs)


def from_other_starts(
    results: ExperimentResults, one: Result, other: Result, measure: Measure
) -> StartPairs | None:
    """Two results from other starts; None where there are too few such controls.

    Nor where one of them ended before: of the starts that are left alone nothing is said, for those
    that failed would be passed over. A run of one configuration under two names is no pair.
    """
    mine, theirs = (results.control("other-starts", r) for r in (one, other))
    pairs = tuple(
        (a, b)
        for a, b in zip(mine, theirs, strict=False)
        if a.run.config.digest != b.run.config.digest
    )
    if any(measure.value(r) is None for pair in pairs for r in pair):
        return None
    return StartPairs(pairs, measure) if len(pairs) >= thresholds.FEWEST_PAIRS else None


def losses_formula(members: Iterable[Result], budget: int, told: str = "{}") -> str:
    """Formula of the losses of runs that got so far: where rounds are swept, to their own end."""
    steps = {r.index(budget) for r in members}
    loss = f"losses[{steps.pop() if len(steps) == 1 else -1}]"
    return f"each({told.format(loss)})"


def median_claim(one: Sequence[Result], other: Sequence[Result], losses: str) -> Source:
    """The claim that the first has no higher median than the other, of such losses of all."""
    lower = f"median({losses}[:{len(one)}]) <= median({losses}[{len(one)}:])"
    return cite(lower, (*one, *other))


@dataclass(frozen=True)
class SeedPairs:
    """Runs from the same seeds, of two variants or at two points.

    Attributes:
        runs: from one seed each; that of the first variant or point comes first.
        budget: rounds after which their losses are compared.
    """

    runs: Sequence[tuple[Result, Result]]
    budget: int

    @cached_property
    def differences(self) -> np.ndarray:
        """Differences [pairs] of the losses, float64."""
        losses = [[r.loss(self.budget) or 0.0 for r in pair] for pair in self.runs]
        one, other = np.array(losses, dtype=np.float64).reshape(-1, 2).T
        found: np.ndarray = one - other
        return found

    @cached_property
    def _compared(self) -> StartPairs:
        """The same pairs, of which one is lower only by more than anybody would mind."""
        return StartPairs(tuple(self.runs), Measure(is_loss=True, budget=self.budget))

    @property
    def below(self) -> int:
        return self._compared.lower

    @property
    def above(self) -> int:
        return self._compared.higher

    @property
    def level(self) -> int:
        """Pairs of which neither is lower."""
        return len(self.runs) - self.below - self.above

    @property
    def direction(self) -> int:
        """1 if the first is lower more often than chance explains, −1 if it is higher, else 0."""
        if sign_test(self.below, self.above) > thresholds.SIGNIFICANCE:
            return 0
        return 1 if self.below > self.above else -1

    def direction_claim(self, direction: int) -> Source:
        """The claim that the direction is 1 or −1."""
        more = f"{self.below_formula} {'>' if direction > 0 else '<'} {self.above_formula}"
        return self.cite(f"{more} and {self.test} <= SIGNIFICANCE")

    @property
    def turned(self) -> SeedPairs:
        """The same pairs with the second first."""
        return SeedPairs([(other, one) for one, other in self.runs], self.budget)

    @property
    def below_formula(self) -> str:
        """Formula of the number of pairs in which the first is lower."""
        return self._count_formula("({1} - {0})")

    @property
    def above_formula(self) -> str:
        """Formula of the number of pairs in which it is higher."""
        return self._count_formula("({0} - {1})")

    def _count_formula(self, apart: str) -> str:
        losses, count = losses_formula(self.runs[0], self.budget, "wide({})"), len(self.runs)
        difference = apart.format(f"{losses}[:{count}]", f"{losses}[{count}:]")
        first = "abs(each(wide(losses[0])))"
        return f"count({difference} > NO_ODDS * larger({first}[:{count}], {first}[{count}:]))"

    @property
    def untied(self) -> str:
        """Formula of the number of pairs that differ."""
        return f"{self.below_formula} + {self.above_formula}"

    @property
    def apart(self) -> str:
        """Formula of the differences, over the runs in the order of `cite`."""
        losses, count = losses_formula(self.runs[0], self.budget), len(self.runs)
        return f"({losses}[:{count}] - {losses}[{count}:])"

    @property
    def test(self) -> str:
        """Formula of the p-value of the sign test."""
        return f"sign_test({self.below_formula}, {self.above_formula})"

    @property
    def count(self) -> Count:
        return Count(len(self.runs), self.cite(f"size({self.apart})"))

    @property
    def lower(self) -> Count:
        """Number of pairs in which the first variant or point has the lower loss."""
        return Count(self.below, self.cite(self.below_formula))

    @property
    def even(self) -> Count:
        """Number of pairs of which neither is lower."""
        return Count(self.level, self.cite(f"{len(self.runs)} - ({self.untied})"))

    def number(self, statistic: Statistic, formula: str) -> Number:
        """A statistic of the differences, over the runs in the order of `cite`."""
        count = len(self.runs)
        return loss_over(
            self._compared.runs, self.budget, lambda v: statistic(v[:count] - v[count:]), formula
        )

    def cite(self, formula: str) -> Source:
        """Source over the first run of every pair, followed by the second of every pair."""
        return self._compared.cite(formula)
