"""The edge of the grid of a sweep, where the best value may lie beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labreport.analysis.observation import (
    Facts,
    Observation,
    Rounds,
    Source,
    Subject,
    With,
)
from labreport.analysis.points import is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import above, level, rankable
from labreport.lab.bounds import allowed


def best(members: tuple[Result, ...], budget: int) -> Result | None:
    """The point with the lowest loss at a budget, the first of equals.

    None where no run got so far, or where the losses are of different kinds.
    """
    measured = [r for r in members if r.loss(budget) is not None and rankable(members)]
    return min(measured, key=lambda r: r.loss(budget) or 0.0, default=None)


def _tied(top: Result, members: Sequence[Result], budget: int) -> list[Result]:
    """All points whose loss at a budget is that of the best, but for rounding."""
    there = (r for r in members if r.loss(budget) is not None)
    return [r for r in there if r is top or level(top, r, budget)]


def lowest_of(result: Result, members: Sequence[Result], budget: int) -> Source:
    """The claim that no other of these runs has a lower loss at a budget."""
    others = [r for r in members if r is not result and r.loss(budget) is not None]
    # Points may differ in their rounds, so that the same budget is another step.
    steps = {r.index(budget) for r in (result, *others)}
    if len(steps) == 1:
        losses = f"each(losses[{result.index(budget)}])"
        return cite(f"r1.{result.loss_formula(budget)} <= min({losses})", (result, *others))
    mine = f"r1.{result.loss_formula(budget)}"
    each = [f"{mine} <= r{k}.{r.loss_formula(budget)}" for k, r in enumerate(others, 2)]
    return cite(" and ".join(each) or "True", (result, *others))


@rule("edge-of-grid", "comparison", 0.8, thresholds=("ROUNDING",))
def edge_of_grid(results: ExperimentResults) -> Iterator[Observation]:
    """A best value at the end of its grid, at some budget: the true best may lie outside."""
    ends: Mapping[str, tuple[float, float]] = {
        key: (min(values), max(values))
        for key, values in results.plan.axes
        if len(values) > 1 and all(is_number(v) for v in values)
    }
    found, claims = [], []
    for budget in results.budgets:
        for members in results.swept.values():
            top = best(members, budget)
            # Where a value in the midst of the grid is as good, the best is not at its edge.
            best_ones = _tied(top, members, budget) if top else []
            # … and where all are as good, there is no best.
            if len(best_ones) == len(members):
                continue
            tied = [dict(r.point) for r in best_ones]
            at_end = [
                (k, v)
                for k, v in (top.point if top else ())
                if k in ends
                and all(point[k] in ends[k] for point in tied)
                # Beyond the edge of what is allowed there is nothing to try.
                and v not in allowed(top.run.config, k)  # type: ignore[union-attr]
            ]
            if top is not None and at_end:
                found.append(With(Subject(top.variant, tuple(at_end)), Rounds(budget)))
                claims.append(lowest_of(top, members, budget))
                claims += [_at_end(top, members, key) for key, _ in at_end]
                claims += [
                    above(top, r, budget)
                    for r in members
                    if r.loss(budget) is not None
                    and any(dict(r.point)[key] not in ends[key] for key, _ in at_end)
                ]
    if found:
        facts: Facts = {"subjects": tuple(found)}
        yield Observation("edge-of-grid", facts, runs=len(found), limits=True, claims=tuple(claims))


def _at_end(top: Result, members: Sequence[Result], key: str) -> Source:
    """The claim that a run has the smallest or the largest value of a key."""
    mine, all_of_them = f"r1.setting({key!r})", f"each(setting({key!r}))"
    formula = f"{mine} == min({all_of_them}) or {mine} == max({all_of_them})"
    return cite(formula, (top, *(r for r in members if r is not top)))
