"""The edge of the grid of a sweep, where the best value may lie beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Rounds,
    Source,
    Subject,
    With,
)
from labreport.analysis.points import is_number, title_of
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import above, level, level_claims, rankable
from labreport.lab.bounds import allowed
from labreport.lab.changes import differing_keys
from labreport.lab.plan import Plan


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
    """A best value at the end of its grid, at some budget: the true best may lie outside.

    Where another experiment has the same at values beyond, it says whether that is so.
    """
    found: list[With] = []
    claims: list[Source] = []
    for budget in results.budgets:
        for members in results.swept.values():
            best_ones, keys = _best_at_edge(results, members, budget)
            if not keys:
                continue
            top = best_ones[0]
            edges = [tuple((k, v) for k, v in r.point if k in keys) for r in best_ones]
            proof = [*_best_claims(members, best_ones, budget)]
            proof += [at_end(r, members, key) for r in best_ones for key in keys]
            inside = [r for r in members if _is_inside(r, members, keys)]
            proof += [above(top, r, budget) for r in inside if r.loss(budget) is not None]
            farther = _farther(results, top, keys[0], budget) if len(top.point) == 1 else None
            if farther is None or farther.is_open:
                subjects = (Subject(top.variant, edge) for edge in dict.fromkeys(edges))
                found += [With(subject, Rounds(budget)) for subject in subjects]
                claims += proof
            elif not farther.best_stays:
                yield farther.observation(budget, proof)
    if found:
        facts: Facts = {"subjects": tuple(found)}
        yield Observation("edge-of-grid", facts, runs=len(found), limits=True, claims=tuple(claims))


def _best_at_edge(
    results: ExperimentResults, members: tuple[Result, ...], budget: int
) -> tuple[list[Result], list[str]]:
    """The best points of a variant, and the keys at whose edge of the grid all of them are."""
    ends: Mapping[str, tuple[float, float]] = {
        key: (min(values), max(values))
        for key, values in results.plan.axes
        if len(values) > 1 and all(is_number(v) for v in values)
    }
    top = best(members, budget)
    # Where a value in the midst of the grid is as good, the best is not at its edge.
    best_ones = _tied(top, members, budget) if top else []
    # … and where all are as good, there is no best.
    if top is None or len(best_ones) == len(members):
        return [], []
    tied = [dict(r.point) for r in best_ones]
    keys = [
        key
        for key, value in top.point
        if key in ends
        and all(point[key] in ends[key] for point in tied)
        # Beyond the edge of what is allowed there is nothing to try.
        and value not in allowed(top.run.config, key)
    ]
    return [top, *(r for r in best_ones if r is not top)], keys


def _is_inside(result: Result, members: Sequence[Result], keys: Sequence[str]) -> bool:
    """Return whether a point is at no edge of the grid in one of these keys."""
    values = {key: [dict(r.point)[key] for r in members] for key in keys}
    point = dict(result.point)
    return any(point[key] not in (min(values[key]), max(values[key])) for key in keys)


@dataclass(frozen=True)
class Farther:
    """What another experiment shows beyond the edge of a grid, with nothing else changed.

    Attributes:
        top: the best of the grid.
        beyond: the results there that got so far, in the order of their distance from it.
        plan: of the experiment that has them.
        budget: rounds after which they are compared.
    """

    top: Result
    beyond: tuple[tuple[float, Result], ...]
    plan: Plan
    budget: int

    @property
    def lowest(self) -> tuple[float, Result]:
        return min(self.beyond, key=lambda pair: pair[1].loss(self.budget) or 0.0)

    @property
    def best_stays(self) -> bool:
        """True if none of them is lower than the best of the grid."""
        return level(self.lowest[1], self.top, self.budget)

    @property
    def is_open(self) -> bool:
        """True if the lowest is itself the farthest, so that the best may lie farther still."""
        return not self.best_stays and self.lowest is self.beyond[-1]

    def observation(self, budget: int, proof: Sequence[Source]) -> Observation:
        """The observation that the best lies beyond the edge."""
        value, lowest = self.lowest
        ((key, edge),) = self.top.point
        facts: Facts = {
            "subject": Subject(self.top.variant),
            "best": Subject("", ((key, edge),)),
            "farther": Subject("", ((key, value),)),
            "experiment": title_of(self.plan),
            "budget": Count(budget),
        }
        claims = (*proof, above(lowest, self.top, budget))
        claims += (lowest_of(lowest, [r for _, r in self.beyond], budget),)
        runs = len(self.beyond) + 1
        form = "elsewhere"
        return Observation("edge-of-grid", facts, runs, form=form, limits=True, claims=claims)


def _farther(results: ExperimentResults, top: Result, key: str, budget: int) -> Farther | None:
    """The first other experiment that has the best of a grid at values beyond its edge."""
    ((_, edge),) = top.point
    values = [dict(r.point)[key] for r in results.swept[top.variant]]
    upward = edge == max(values)
    for other in results.elsewhere:
        there: dict[float, Result] = {}
        for result in other.results:
            config = result.run.config
            value: Any = config.flat().get(key)
            if not is_number(value) or not (value > edge if upward else value < edge):
                continue
            same = {*differing_keys(config, top.run.config)} <= {key, "rounds"}
            if same and config.rounds >= budget and result.loss(budget) is not None:
                there[float(value)] = result
        if there:
            beyond = sorted(there.items(), key=lambda pair: abs(pair[0] - edge))
            return Farther(top, tuple(beyond), other.plan, budget)
    return None


def at_end(top: Result, members: Sequence[Result], key: str) -> Source:
    """The claim that a run has the smallest or the largest value of a key."""
    mine, all_of_them = f"r1.setting({key!r})", f"each(setting({key!r}))"
    formula = f"{mine} == min({all_of_them}) or {mine} == max({all_of_them})"
    return cite(formula, (top, *(r for r in members if r is not top)))
