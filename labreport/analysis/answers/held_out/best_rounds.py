"""A choice on validation rows that is another one when each run is taken at its best round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    compared_on,
    loss_on,
    on_parts,
)
from labreport.analysis.answers.held_out.overfitting import FEWEST_ROWS
from labreport.analysis.answers.held_out.validation_pairs import distinct_groups
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import Count, Facts, Number, Observation, Rounds
from labreport.analysis.points import point_or_variant
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule

LEAST = f'min(losses_on("{VALIDATION}"))'
"""Formula of the lowest loss on the validation rows on the way."""

Group = Sequence[Result]


@rule(
    "best-rounds",
    "generalisation",
    {"": 0.99, "starts": 0.99},
    thresholds=("NO_ODDS", "SIGNIFICANCE"),
    part="scope",
)
def best_rounds(results: ExperimentResults) -> Iterator[Observation]:
    """Who is lowest on validation rows at the end, and who is if each stops at its best round."""
    swept = next(iter(results.swept.values())) if len(results.swept) == 1 else ()
    yield from _of_single_runs(results.singles or swept, results.last)
    grids = [*results.gridded.values()]
    points = [*grids[0].values()] if len(grids) == 1 else []
    yield from _of_starts(distinct_groups(results.replicated.values() or points), results.last)


def _of_single_runs(members: Group, last: int) -> Iterator[Observation]:
    there = _with_whole_course(members, last)
    if len(there) < 2:
        return
    first = min(there, key=lambda r: loss_on(r, VALIDATION, last))
    other = min(there, key=_least)
    if not _is_lower(other, first):
        return
    step = on_parts(other).best_step(VALIDATION) or 0
    place = on_parts(other).steps.index(step)
    facts: Facts = {
        "subject": point_or_variant(first),
        "other": point_or_variant(other),
        "least": _told(other),
        "own": _told(first),
        "step": Rounds(step),
        "budget": Count(last),
    }
    at_end = [f'r{k}.loss_on("{VALIDATION}", {last})' for k in (1, 2)]
    claims = [
        *(cite(f"{at_end[0]} <= {at_end[1]}", (first, r)) for r in there if r is not first),
        cite(_lower_formula("r1", "r2"), (other, first)),
        other.cite(f'losses_on("{VALIDATION}")[{place}] == {LEAST}'),
    ]
    yield Observation("best-rounds", facts, len(there), claims=tuple(claims))


def _of_starts(groups: Sequence[Group], last: int) -> Iterator[Observation]:
    if len(groups) < 2 or not _with_whole_course([r for g in groups for r in g], last):
        return
    first = min(groups, key=lambda g: float(np.median([loss_on(r, VALIDATION, last) for r in g])))
    other = min(groups, key=lambda g: float(np.median([_least(r) for r in g])))
    if {r.trial.seed for r in first} != {r.trial.seed for r in other} or other is first:
        return
    mine, theirs = (sorted(g, key=lambda r: r.trial.seed or 0) for g in (other, first))
    pairs = list(zip(mine, theirs, strict=True))
    lower, higher = (sum(_is_lower(*pair[::way]) for pair in pairs) for way in (1, -1))
    if lower <= higher or sign_test(lower, higher) > thresholds.SIGNIFICANCE:
        return
    runs, count = (*mine, *theirs), len(pairs)
    below, above = (_pairs_formula(count, sign) for sign in ("", "-"))
    facts: Facts = {
        "subject": point_or_variant(first[0]),
        "other": point_or_variant(other[0]),
        "lower": Count(lower, cite(below, runs)),
        "count": Count(count, cite("size(each(rounds)) // 2", runs)),
        "budget": Count(last),
    }
    at_end = f'each(loss_on("{VALIDATION}", {last}))'
    claims = [
        cite(f"{below} > {above} and sign_test({below}, {above}) <= SIGNIFICANCE", runs),
        cite(f"median({at_end}[{count}:]) <= median({at_end}[:{count}])", runs),
    ]
    made = Observation("best-rounds", facts, len(runs), form="starts", claims=tuple(claims))
    yield replace(made, strength="statistical")


def _with_whole_course(members: Group, last: int) -> list[Result]:
    """These results, if all are known on enough validation rows from their start to their end."""
    there = compared_on(members, VALIDATION, last, same_training=False) if members else []
    known = all(
        not on_parts(r).data_set.keeps_best
        and r.index(last) == r.run.config.rounds == on_parts(r).steps[-1]
        and len(on_parts(r).data_set.parts[VALIDATION]) >= FEWEST_ROWS
        and np.isfinite(on_parts(r).losses(VALIDATION)).all()
        for r in there
    )
    return there if known else []


def _least(result: Result) -> float:
    """The lowest loss on the validation rows on the way."""
    return float(on_parts(result).losses(VALIDATION).min())


def _told(result: Result) -> Number:
    return Number(_least(result), result.cite(LEAST), 4)


def _is_lower(one: Result, other: Result) -> bool:
    """Return whether the first is lower at its best round by more than anybody would mind."""
    starts = (on_parts(r).losses(VALIDATION)[0] for r in (one, other))
    scale = max(abs(float(start)) for start in starts)
    return _least(other) - _least(one) > thresholds.NO_ODDS * scale


def _lower_formula(one: str, other: str) -> str:
    """The same of two runs, with the prefixes of their names."""
    mine, theirs = (f'min({run}.losses_on("{VALIDATION}"))' for run in (one, other))
    starts = ", ".join(f'abs({run}.losses_on("{VALIDATION}")[0])' for run in (one, other))
    return f"{theirs} - {mine} > NO_ODDS * max(({starts}))"


def _pairs_formula(count: int, sign: str) -> str:
    """The number of pairs of which the first is lower, or with a minus higher."""
    least, start = f"each({LEAST})", f'abs(each(losses_on("{VALIDATION}")[0]))'
    apart = f"{sign}({least}[{count}:] - {least}[:{count}])"
    return f"count({apart} > NO_ODDS * larger({start}[:{count}], {start}[{count}:]))"
