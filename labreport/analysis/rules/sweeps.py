"""The edge of the grid of a sweep, where the best value may lie beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labreport.analysis.observation import (
    Count,
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
from labreport.analysis.rules.comparison import above, level, level_claims, rankable
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


@rule("best-at-own-end", "comparison", 0.9, thresholds=("ROUNDING",), needs_budget=False)
def best_at_own_end(results: ExperimentResults) -> Iterator[Observation]:
    """The best point of each variant with swept rounds, each point after its own rounds."""
    if not results.at_own_end:
        return
    for name, members in results.swept.items():
        top = best(members, results.last)
        tied = _tied(top, members, results.last) if top else []
        # Where no point is ahead of the others, none is the best.
        if top is None or len(tied) == len(members):
            continue
        facts: Facts = {
            "subject": Subject(name),
            "points": tuple(Subject("", r.point) for r in tied),
            "value": top.number(results.last),
            "total": Count(len(members), cite("size(each(rounds))", members)),
        }
        claims = (
            *_best_claims(members, tied, results.last),
            *(
                above(top, r, results.last)
                for r in members
                if r not in tied and r.loss(results.last) is not None
            ),
        )
        yield Observation("best-at-own-end", facts, runs=len(members), claims=claims)


def _best_claims(
    members: tuple[Result, ...], tied: Sequence[Result], budget: int
) -> Iterator[Source]:
    """The claims that these are the best points at a budget."""
    top = best(members, budget)
    assert top is not None
    yield lowest_of(top, members, budget)
    for result in tied:
        if result is not top:
            yield from level_claims(top, result, budget)


@rule("edge-of-grid", "comparison", 0.8, thresholds=("ROUNDING",))
def edge_of_grid(results: ExperimentResults) -> Iterator[Observation]:
    """A best value at the end of its grid, at some budget: the true best may lie outside."""
    ends: Mapping[str, tuple[float, float]] = {
        key: (min(values), max(values))
        for key, values in results.plan.axes
        if len(values) > 1 and all(is_number(v) for v in values)
    }
    found: list[With] = []
    claims: list[Source] = []
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
                keys = [key for key, _ in at_end]
                edges = [tuple((k, v) for k, v in r.point if k in keys) for r in best_ones]
                found += [
                    With(Subject(top.variant, edge), Rounds(budget))
                    for edge in dict.fromkeys(edges)
                ]
                claims += _best_claims(members, best_ones, budget)
                claims += [_at_end(r, members, key) for r in best_ones for key in keys]
                inside = [r for r in members if any(dict(r.point)[k] not in ends[k] for k in keys)]
                claims += [above(top, r, budget) for r in inside if r.loss(budget) is not None]
    if found:
        facts: Facts = {"subjects": tuple(found)}
        yield Observation("edge-of-grid", facts, runs=len(found), limits=True, claims=tuple(claims))


def _at_end(top: Result, members: Sequence[Result], key: str) -> Source:
    """The claim that a run has the smallest or the largest value of a key."""
    mine, all_of_them = f"r1.setting({key!r})", f"each(setting({key!r}))"
    formula = f"{mine} == min({all_of_them}) or {mine} == max({all_of_them})"
    return cite(formula, (top, *(r for r in members if r is not top)))
