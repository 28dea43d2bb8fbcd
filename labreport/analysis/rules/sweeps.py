"""Findings of a sweep over a grid: the best point, its place on the grid, same against tuned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    OutOf,
    Rounds,
    Share,
    Source,
    Subject,
    With,
)
from labreport.analysis.points import is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import above, leading, level, level_claims, rankable
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


def _best_of_one(
    members: tuple[Result, ...], budgets: Sequence[int]
) -> list[tuple[int, list[Result]]]:
    """The best points at each budget; those that are among the best at all of them, if any are."""
    found = [(b, _tied(r, members, b)) for b in budgets if (r := best(members, b)) is not None]
    always = [r for r in members if all(r in tied for _, tied in found)]
    return [(b, always) for b, _ in found] if always else found


def _point_and_loss(result: Result, budget: int) -> tuple[Subject, Number]:
    return Subject("", result.point), result.number(budget)


def _points_and_loss(tied: Sequence[Result], budget: int) -> tuple[Subject | Number, ...]:
    lowest = min(tied, key=lambda r: r.loss(budget) or 0.0)
    return (*(Subject("", r.point) for r in tied), lowest.number(budget))


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


@rule("sweep-best", "comparison", {"": 0.95, "level": 0.7}, thresholds=("ROUNDING",))
def sweep_best(results: ExperimentResults) -> Iterator[Observation]:
    """The best point of each swept variant."""
    if len(results.swept) == 1:
        ((name, members),) = results.swept.items()
        found = _best_of_one(members, results.budgets)
        if found:
            yield _best_value(results, name, members, found)
    elif results.swept and rankable(results.everywhere):
        tuned = [(r, m) for m in results.swept.values() if (r := best(m, results.last)) is not None]
        tuned.sort(key=lambda pair: pair[0].loss(results.last) or 0.0)
        # Where no variant is ahead of another one, there is no order to tell.
        if len(tuned) == 1 or (tuned and not level(tuned[0][0], tuned[-1][0], results.last)):
            yield _best_of_several(results, tuned)


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


def _best_of_several(
    results: ExperimentResults, tuned: Sequence[tuple[Result, tuple[Result, ...]]]
) -> Observation:
    """Rank variants by their best points, which ``tuned`` has in order, each with all points."""
    ranked = [r for r, _ in tuned]
    leaders = _leading_when_tuned(results)
    flips = len({r.variant for _, r in leaders}) > 1
    facts: Facts = {
        "ranking": tuple(
            With(Subject(r.variant), _point_and_loss(r, results.last)) for r in ranked
        ),
        "subject": Subject(ranked[0].variant),
        "budget": Count(results.last),
        "total": Count(len(results.everywhere), cite("size(each(rounds))", results.everywhere)),
    }
    if flips:
        facts["leaders"] = tuple(
            With(Rounds(b), (Subject(r.variant), *_point_and_loss(r, b))) for b, r in leaders
        )
    claims = (
        *(lowest_of(r, m, results.last) for r, m in tuned),
        *in_order(ranked, results.last),
        *([above(ranked[0], ranked[-1], results.last)] if len(ranked) > 1 else ()),
        *(claim for b, r in leaders for claim in _best_claims(results.everywhere, [r], b)),
    )
    form = "several-flips" if flips else "several"
    return Observation("sweep-best", facts, len(results.everywhere), form=form, claims=claims)


def _best_value(
    results: ExperimentResults,
    name: str,
    members: tuple[Result, ...],
    found: Sequence[tuple[int, list[Result]]],
) -> Observation:
    """The best points of a single sweep."""
    budget, final = found[-1]
    ended = [r for r in members if r.loss(results.last) is None]
    form = _form_of_one(found, members, ended)
    lowest = min(final, key=lambda r: r.loss(budget) or 0.0)
    points = tuple(Subject("", r.point) for r in final)
    facts: Facts = {
        "best": tuple(With(Rounds(b), _points_and_loss(tied, b)) for b, tied in found),
        "subject": Subject(name, lowest.point),
        "total": Count(len(members), cite("size(each(rounds))", members)),
        "budget": Count(results.last),
        "point": points if len(points) > 1 else points[0],
        "value": lowest.number(budget),
    }
    if form == "ended":
        facts["end"] = Count(budget)
    claims = (
        *(claim for b, tied in found for claim in _best_claims(members, tied, b)),
        *(r.cite(f"rounds < {results.last}") for r in ended if form in ("ended", "only")),
    )
    return Observation("sweep-best", facts, runs=len(members), form=form, claims=claims)


def _form_of_one(
    found: Sequence[tuple[int, list[Result]]], members: Sequence[Result], ended: Sequence[Result]
) -> str:
    """Choose the sentence for the best points of a single sweep, some of which may have ended."""
    if len(ended) == len(members):
        return "ended"
    if len(ended) == len(members) - 1 and ended:
        return "only"
    if len(members) > 1 and all(len(tied) == len(members) for _, tied in found):
        return "level"
    if any({r.point for r in tied} != {r.point for r in found[0][1]} for _, tied in found):
        return "moves"
    return "one" if len(found) == 1 else "stays"


def _leading_when_tuned(results: ExperimentResults) -> list[tuple[int, Result]]:
    """At each budget a run with the lowest loss of all; always of one variant, if one always leads.

    Whoever is level with it.
    """
    tops = [(b, top) for b in results.budgets if (top := best(results.everywhere, b)) is not None]
    tied = {b: _tied(top, results.everywhere, b) for b, top in tops}
    throughout = [
        name
        for name in results.swept
        if all(name in {r.variant for r in members} for members in tied.values())
    ]
    if not throughout:
        return tops
    # The lowest of that variant's, which others may be below by no more than rounding.
    return [
        (b, min(there, key=lambda r: r.loss(b) or 0.0))
        for b, members in tied.items()
        if (there := [r for r in members if r.variant == throughout[0]])
    ]


def in_order(ranked: Sequence[Result], budget: int) -> Iterator[Source]:
    """The claim that losses rise in this order."""
    for one, other in pairwise(ranked):
        formula = f"r1.{one.loss_formula(budget)} <= r2.{other.loss_formula(budget)}"
        yield cite(formula, (one, other))


@rule("same-value", "comparison", 0.9, thresholds=("ROUNDING",))
def same_value(results: ExperimentResults) -> Iterator[Observation]:
    """Variants at the reference's own value of the swept key, against each at its best."""
    if len(results.swept) < 2 or len(results.plan.axes) != 1:
        return
    key = results.plan.axes[0][0]
    value = results.plan.base.flat().get(key)
    at_value = [r for r in results.everywhere if r.point == ((key, value),)]
    tuned = [r for m in results.swept.values() if (r := best(m, results.last)) is not None]
    if len(at_value) != len(results.swept) or len(tuned) != len(results.swept):
        return
    if any(r.loss(results.last) is None for r in at_value) or not rankable(results.everywhere):
        return
    at_value.sort(key=lambda r: r.loss(results.last) or 0.0)
    tuned.sort(key=lambda r: r.loss(results.last) or 0.0)
    # Of variants that are level the order says nothing.
    if any(level(*pair, results.last) for order in (at_value, tuned) for pair in pairwise(order)):
        return
    facts: Facts = {
        "point": Subject("", ((key, value),)),
        "at_value": tuple(With(Subject(r.variant), r.number(results.last)) for r in at_value),
        "tuned": tuple(Subject(r.variant) for r in tuned),
        "order": tuple(Subject(r.variant) for r in at_value),
        "budget": Count(results.last),
    }
    same = [r.variant for r in at_value] == [r.variant for r in tuned]
    form = "agrees" if same else "differs"
    claims = tuple(
        above(one, other, results.last)
        for order in (at_value, tuned)
        for one, other in pairwise(order)
    )
    yield Observation("same-value", facts, runs=len(at_value) * 2, form=form, claims=claims)


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


@rule("tolerance", "convergence", 0.65, thresholds=("MOST_OF_THE_WAY",))
def tolerance(results: ExperimentResults) -> Iterator[Observation]:
    """At how many points of the grid training goes most of the way to the floor."""
    shares, claims = [], []
    for name, members in results.swept.items():
        for budget in results.budgets if len(results.swept) == 1 else (results.last,):
            good = [r for r in members if r.is_closed(budget)]
            what = Rounds(budget) if len(results.swept) == 1 else Subject(name)
            shares.append(With(what, OutOf(len(good), len(members))))
            claims += [
                r.cite(
                    f"{'' if r in good else 'not '}"
                    f"({r.gap_formula(0)} > 0 and {r.closed_formula(budget)})"
                )
                for r in members
                if r.gap(budget) is not None
            ]
    if any(isinstance(s.detail, OutOf) and s.detail.value for s in shares):
        facts: Facts = {
            "shares": tuple(shares),
            "share": Share(thresholds.MOST_OF_THE_WAY),
            "budget": Count(results.last),
        }
        form = "several" if len(results.swept) > 1 else ""
        runs = sum(map(len, results.swept.values()))
        yield Observation("tolerance", facts, runs=runs, form=form, claims=tuple(claims))


@rule("leaders-along-axis", "comparison", 0.85, thresholds=("ROUNDING",))
def leaders_along_axis(results: ExperimentResults) -> Iterator[Observation]:
    """At how many points of the grid each variant has the lowest loss."""
    if len(results.swept) < 2 or len(results.plan.axes) != 1:
        return
    if not rankable(results.everywhere):
        return
    wins = dict.fromkeys(results.swept, 0)
    points, claims = 0, []
    key, values = results.plan.axes[0]
    for value in values:
        here = [
            r
            for r in results.everywhere
            if r.point == ((key, value),) and r.loss(results.last) is not None
        ]
        if len(here) == len(results.swept):
            points += 1
            ahead = leading(here, results.last)
            for result in ahead.tied:
                wins[result.variant] += 1
            claims.append(lowest_of(ahead.tied[0], here, results.last))
            claims += ahead.claims
    if points and max(wins.values()) < points:
        facts: Facts = {
            "wins": tuple(With(Subject(name), OutOf(n, points)) for name, n in wins.items() if n),
            "points": Count(points),
            "budget": Count(results.last),
        }
        runs = points * len(results.swept)
        form = "level" if sum(wins.values()) > points else ""
        yield Observation("leaders-along-axis", facts, runs=runs, form=form, claims=tuple(claims))
