"""Runs of two variants from the same seeds, compared by their loss on the validation rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    compared_on,
    loss_on,
    on_parts,
    step_formula,
)
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import Count, Source
from labreport.analysis.results import Result, cite
from labreport.data.data_set import DataSet

Pair = tuple[Result, Result]


def validation_pairs(
    mine: Sequence[Result], theirs: Sequence[Result], budget: int
) -> ValidationPairs:
    """Pair runs by their seed; no pairs if one of them has no loss that can be compared.

    Nor if they are the same runs, of which the same weights count.
    """
    if len(distinct_groups((mine, theirs))) < 2:
        return ValidationPairs([], budget)
    by_seed = {r.trial.seed: r for r in theirs}
    pairs = [(r, by_seed[r.trial.seed]) for r in mine if r.trial.seed in by_seed]
    there = [p for p in pairs if len(compared_on(p, VALIDATION, budget, same_training=False)) == 2]
    steps = {r.index(budget) for pair in there for r in pair}
    return ValidationPairs(there if len(steps) == 1 and len(there) == len(mine) else [], budget)


def distinct_groups(groups: Iterable[Sequence[Result]]) -> list[Sequence[Result]]:
    """Groups of runs, of those that are the same runs on the same data set the first."""
    found: dict[object, Sequence[Result]] = {}
    for group in groups:
        kept = {
            (r.run.config.digest, r.trial.data_set and _kept_of(r.trial.data_set)) for r in group
        }
        found.setdefault(frozenset(kept), group)
    return list(found.values())


def _kept_of(data_set: DataSet) -> tuple[bool, int | None]:
    """What decides which weights of a run count."""
    return data_set.keeps_best, data_set.patience


@dataclass(frozen=True)
class ValidationPairs:
    """Runs of two variants seed by seed, by their loss on the validation rows.

    One is lower than the other only by more than a thousandth of the loss before training.

    Attributes:
        runs: from one seed each; that of the first variant comes first.
        budget: rounds after which they are compared.
    """

    runs: Sequence[Pair]
    budget: int

    @property
    def turned(self) -> ValidationPairs:
        """The same pairs, the other way round."""
        return ValidationPairs([(other, one) for one, other in self.runs], self.budget)

    @cached_property
    def below(self) -> int:
        """Pairs of which the first has the lower loss."""
        return sum(_is_lower(one, other, self.budget) for one, other in self.runs)

    @cached_property
    def above(self) -> int:
        """Pairs of which it has the higher loss."""
        return sum(_is_lower(other, one, self.budget) for one, other in self.runs)

    @property
    def level(self) -> int:
        """Pairs of which neither is lower."""
        return len(self.runs) - self.below - self.above

    @property
    def is_sure(self) -> bool:
        """True if one of them is lower more often than chance explains."""
        return sign_test(self.below, self.above) <= thresholds.SIGNIFICANCE

    @property
    def members(self) -> list[Result]:
        """The first run of every pair, followed by the second of every pair."""
        return [*(one for one, _ in self.runs), *(other for _, other in self.runs)]

    @property
    def below_formula(self) -> str:
        """Formula of the number of pairs in which the first is lower."""
        return self._count_formula("({1} - {0})")

    @property
    def above_formula(self) -> str:
        """Formula of the number of pairs in which it is higher."""
        return self._count_formula("({0} - {1})")

    def _count_formula(self, apart: str) -> str:
        count = len(self.runs)
        losses, start = (
            f'each(loss_on("{VALIDATION}", {step}))'
            for step in (step_formula(self.runs[0][0], self.budget), "0")
        )
        difference = apart.format(f"{losses}[:{count}]", f"{losses}[{count}:]")
        largest = f"larger(abs({start}[:{count}]), abs({start}[{count}:]))"
        return f"count({difference} > NO_ODDS * {largest})"

    @property
    def test(self) -> str:
        """Formula of the p-value of the sign test."""
        return f"sign_test({self.below_formula}, {self.above_formula})"

    @property
    def lower(self) -> Count:
        """Number of pairs in which the first has the lower loss."""
        return Count(self.below, self.cite(self.below_formula))

    @property
    def even(self) -> Count:
        """Number of pairs of which neither is lower."""
        formula = f"{len(self.runs)} - ({self.below_formula} + {self.above_formula})"
        return Count(self.level, self.cite(formula))

    @property
    def count(self) -> Count:
        return Count(len(self.runs), self.cite("size(each(rounds)) // 2"))

    def cite(self, formula: str) -> Source:
        """Source over the runs in the order of `members`."""
        return cite(formula, self.members)

    def cite_order(self) -> Source:
        """The claim that the first is lower more often, or less."""
        sign = ">" if self.below > self.above else "<"
        return self.cite(f"{self.below_formula} {sign} {self.above_formula}")

    @property
    def claim(self) -> Source:
        """The claim that one of them is lower more often than chance explains, or is not."""
        return self.cite(f"{self.test} {'<=' if self.is_sure else '>'} SIGNIFICANCE")


def _is_lower(one: Result, other: Result, budget: int) -> bool:
    """Return whether the first has the lower loss by more than anybody would mind."""
    apart = loss_on(other, VALIDATION, budget) - loss_on(one, VALIDATION, budget)
    starts = (on_parts(r).loss(VALIDATION, 0) for r in (one, other))
    # Beside a start that is no finite number nothing is lower; so has it the formula.
    largest = max(abs(start) if start is not None else np.inf for start in starts)
    return bool(apart > thresholds.NO_ODDS * largest)
