"""The spread of the final losses of variants, against the spread of random starts alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.lab_rules.lab_rule import Conclusion, Experiments, lab_rule, title
from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Source,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rules.comparison import comparable


@lab_rule("change-against-chance", "deceptive", 0.85)
def change_against_chance(experiments: Experiments) -> Iterator[Conclusion]:
    """Compare how far apart variants end with how far apart random starts alone end.

    Runs with a learning rate of 0 are left aside.
    """
    budget = _shared_budget(experiments)
    if budget is None:
        return
    ranges = [r for e in experiments if (r := _range(e, budget)) is not None]
    if len(ranges) < 2:
        return
    ranges.sort(key=lambda r: -r.width)
    ranges = [r for r in ranges if comparable(r.low, ranges[0].low)]
    groups = _starts(experiments, ranges[0].low, budget)
    chances = [(r, farthest) for r in ranges if (farthest := _farthest(r, groups, budget))]
    if not chances and any(_tried_elsewhere(r) for r in ranges):
        return  # The experiments themselves say what other starts come to.
    smaller = [r for r, starts in chances if r.width < _middle(starts, budget)]
    told = smaller or [r for r, _ in chances]
    facts: Facts = {
        "budget": Count(budget),
        "experiments": tuple(title(r.results) for r in told),
        "enough": Count(thresholds.ENOUGH_STARTS),
    }
    members = sum(len(r.members) for r in ranges) + (sum(map(len, groups)) if chances else 0)
    found = Observation(
        "change-against-chance",
        facts,
        runs=members,
        form="alone" if not chances else "smaller" if smaller else "larger",
        strength="statistical" if chances else "exact",
        claims=(
            *(source for r in ranges for source in r.claims),
            *_chance_claims(chances, groups, budget),
        ),
    )
    yield experiments[0].plan, found


def _chance_claims(
    chances: Sequence[_Chance], groups: Sequence[tuple[Result, ...]], budget: int
) -> Iterator[Source]:
    """The claims that runs differ by less or by more than starts, those that end farthest apart."""
    for of, starts in chances:
        less = "<" if of.width < _middle(starts, budget) else ">="
        chance = _middle_formula(f"each(losses[{budget}])[2:]")
        yield cite(f"{of.difference} {less} {chance}", (of.low, of.high, *starts))
        for other in _starts_of(of, groups):
            if other is not starts:
                yield _wider(starts, other, budget)


@dataclass(frozen=True)
class _Range:
    """The lowest and the highest loss of an experiment's runs at a budget."""

    results: ExperimentResults
    members: tuple[Result, ...]
    low: Result
    high: Result
    budget: int

    @property
    def width(self) -> float:
        return (self.high.loss(self.budget) or 0.0) - (self.low.loss(self.budget) or 0.0)

    @property
    def difference(self) -> str:
        """The formula of the width, the lowest run being r1 and the highest r2."""
        losses = (r.loss_formula(self.budget) for r in (self.low, self.high))
        return "r2.{1} - r1.{0}".format(*losses)

    @property
    def claims(self) -> Iterator[Source]:
        for extreme, function in ((self.low, "min"), (self.high, "max")):
            others = (r for r in self.members if r is not extreme)
            losses = f"each(losses[{self.budget}])"
            formula = f"losses[{self.budget}] == {function}({losses})"
            yield cite(formula, (extreme, *others))


_Chance = tuple[_Range, tuple[Result, ...]]
"""An experiment, and those random starts of one of its variants that end farthest apart."""


def _range(results: ExperimentResults, budget: int) -> _Range | None:
    shown = (*results.singles, *results.everywhere)
    long = [r for r in shown if r.run.config.rounds >= budget]
    there = [r for r in long if r.loss(budget) is not None and r.is_trained]
    members = tuple(r for r in there if comparable(r, there[0]))
    if len({r.run.name for r in members}) < 2:
        return None
    losses = {id(r): r.loss(budget) or 0.0 for r in members}
    low, high = (choose(members, key=lambda r: losses[id(r)]) for choose in (min, max))
    return _Range(results, members, low, high, budget)


def _shared_budget(experiments: Experiments) -> int | None:
    """The largest number of rounds after which all comparing experiments are compared."""
    compared = [e for e in experiments if len(e.singles) + len(e.everywhere) > 1]
    shared = set.intersection(*({*e.budgets} for e in compared)) if compared else set()
    return max(shared, default=None)


def _starts(experiments: Experiments, like: Result, budget: int) -> list[tuple[Result, ...]]:
    """The random starts of each variant that has enough, whose losses measure the same thing."""
    found = []
    for experiment in experiments:
        for members in experiment.replicated.values():
            there = tuple(r for r in members if r.loss(budget) is not None)
            enough = len(there) >= thresholds.ENOUGH_STARTS
            if enough and comparable(there[0], like) and budget <= there[0].run.config.rounds:
                found.append(there)
    return found


def _tried_elsewhere(of: _Range) -> bool:
    """Return whether the runs of an experiment were trained from other starts for comparison."""
    return any(of.results.control("other-starts", r) for r in of.members)


def _starts_of(of: _Range, groups: Sequence[tuple[Result, ...]]) -> Iterator[tuple[Result, ...]]:
    """Those starts of which a run of an experiment differs in nothing but its own start."""
    settings = [_besides_the_start(r) for r in of.members]
    return (starts for starts in groups if _besides_the_start(starts[0]) in settings)


def _besides_the_start(result: Result) -> dict[str, object]:
    flat = result.run.config.flat()
    return {k: v for k, v in flat.items() if k not in ("seed", "rounds") and "initial." not in k}


def _farthest(
    of: _Range, groups: Sequence[tuple[Result, ...]], budget: int
) -> tuple[Result, ...] | None:
    """Of the starts of an experiment's variants those that end farthest apart."""
    own = _starts_of(of, groups)
    return max(own, key=lambda starts: _middle(starts, budget), default=None)


def _middle(starts: Sequence[Result], budget: int) -> float:
    losses = [r.loss(budget) or 0.0 for r in starts]
    low, high = np.quantile(np.array(losses), thresholds.MIDDLE)
    return float(high - low)


def _middle_formula(losses: str) -> str:
    low, high = (f"quantile({losses}, {q})" for q in thresholds.MIDDLE)
    return f"({high} - {low})"


def _wider(starts: Sequence[Result], other: Sequence[Result], budget: int) -> Source:
    """The claim that some starts end at least as far apart as others."""
    losses, count = f"each(losses[{budget}])", len(starts)
    one, two = (_middle_formula(f"{losses}[{part}]") for part in (f":{count}", f"{count}:"))
    return cite(f"{one} >= {two}", (*starts, *other))
