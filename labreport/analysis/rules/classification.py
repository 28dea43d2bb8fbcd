"""Rows put into the right class: how many, from how many starts, and which are mistaken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from labreport.analysis.classes import (
    accuracy,
    accuracy_formula,
    answers,
    decided,
    labels,
    largest_class,
    ties,
    ties_formula,
)
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Observation,
    Share,
    Source,
    Subject,
    With,
)
from labreport.analysis.points import is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import level, rankable
from labreport.lab.naming import unit_names


@rule(
    "share-right", "classification", {"": 0.92, "one": 0.7}, thresholds=("ROUNDING",), part="effect"
)
def share_right(results: ExperimentResults) -> Iterator[Observation]:
    """The share of rows that each single run puts into their own class."""
    groups: dict[tuple[int, ...], list[Result]] = {}
    for result in _classified(results.singles, results.last):
        own = labels(result.run.config)
        assert own is not None
        groups.setdefault(tuple(own.tolist()), []).append(result)
    # Shares are of the same rows in the same classes, or there is no single share to be had.
    for there in groups.values():
        if not _rounding_decides(there, results.last):
            yield _shares(results, there)


def _rounding_decides(there: Sequence[Result], budget: int) -> bool:
    """Return whether another rounding moves a share by as much as shares differ."""
    shares = [accuracy(r, budget) or 0.0 for r in there]
    moved = max(
        (
            abs((accuracy(twin, budget) or 0.0) - share)
            for r, share in zip(there, shares, strict=True)
            for twin in r.twins
        ),
        default=0.0,
    )
    return moved > 0 and moved >= max(shares) - min(shares)


@rule("level-answers", "classification", 0.6, thresholds=("ROUNDING",))
def level_answers(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that put rows into a class by convention alone: no conclusion rests on their share."""
    members = (*results.singles, *results.everywhere)
    level = [
        (r, int(tied.sum()))
        for r in {r.run.name: r for r in members}.values()
        if (tied := ties(r, results.last)) is not None and tied.any()
    ]
    if not level:
        return
    facts: Facts = {
        "ties": tuple(
            With(
                r.subject,
                (Count(n, r.cite(ties_formula(r, results.last))), _share(r, results.last)),
            )
            for r, n in level
        ),
        "rows": Count(len(level[0][0].run.config.data.inputs), level[0][0].cite("size(classes)")),
        "budget": Count(results.last),
    }
    claims = tuple(r.cite(f"{ties_formula(r, results.last)} > 0") for r, _ in level)
    yield Observation("level-answers", facts, runs=len(level), limits=True, claims=claims)


def _shares(results: ExperimentResults, there: list[Result]) -> Observation:
    ranked = sorted(there, key=lambda r: -(accuracy(r, results.last) or 0.0))
    first = ranked[0]
    facts: Facts = {
        "shares": tuple(With(r.subject, _share(r, results.last)) for r in ranked),
        "largest": Share(
            largest_class(first.run.config), first.cite("mean(classes == most_frequent(classes))")
        ),
        "rows": Count(len(first.run.config.data.inputs), first.cite("size(classes)")),
        "budget": Count(results.last),
    }
    claims = tuple(_not_below(one, other, results.last) for one, other in pairwise(ranked))
    if len(ranked) == 1:
        return Observation("share-right", facts, runs=1, form="one")
    top, least = (_as_right_as(r, ranked, results.last) for r in (first, ranked[-1]))
    facts["share"] = _share(first, results.last)
    if len(top) == len(ranked):
        form, facts["subjects"] = "level", top
        claims = (*claims, _not_below(ranked[-1], first, results.last))
    else:
        form = "two" if len(ranked) == 2 else "several"
        facts |= {"first": top, "last": least, "other_share": _share(ranked[-1], results.last)}
    return Observation("share-right", facts, runs=len(ranked), form=form, claims=claims)


def _as_right_as(one: Result, others: list[Result], budget: int) -> tuple[Subject, ...]:
    """All that put as many rows into their class, itself among them."""
    return tuple(r.subject for r in others if accuracy(r, budget) == accuracy(one, budget))


@rule("share-right-swept", "classification", 0.86, thresholds=("ROUNDING",))
def share_right_swept(results: ExperimentResults) -> Iterator[Observation]:
    """The largest share of right rows along a sweep, and where it is reached."""
    for name, members in results.swept.items():
        there = _classified(members, results.last)
        # A value that ends level has no share to be ranked by, so none of the sweep has.
        if len(there) < 2 or any(_is_level(r, results.last) for r in members):
            continue
        best = max(there, key=lambda r: accuracy(r, results.last) or 0.0)
        top = accuracy(best, results.last)
        tied = [r for r in there if accuracy(r, results.last) == top]
        formula = accuracy_formula(best, results.last)
        others = [r for r in there if r is not best]
        same_steps = {r.index(results.last) for r in there} == {best.index(results.last)}
        shares = f"each({formula})"
        counted = cite(f"count({shares} == {formula})", (best, *others)) if same_steps else None
        facts: Facts = {
            "subject": Subject(name),
            "points": tuple(Subject("", r.point) for r in tied),
            "count": Count(len(tied), counted),
            "share": _share(best, results.last),
            "total": Count(len(there), cite("size(each(rounds))", there)),
            "budget": Count(results.last),
        }
        claims = (
            tuple(
                cite(f"{formula} == max({shares})", (one, *(r for r in there if r is not one)))
                for one in tied
            )
            if same_steps
            else ()
        )
        form = "level" if len(tied) == len(there) else ""
        if not form and (ends := _ends_of_stretch(tied, there)) is not None:
            form = "range"
            facts["lowest"], facts["highest"] = (Subject("", r.point) for r in ends)
        yield Observation("share-right-swept", facts, runs=len(there), form=form, claims=claims)


def _ends_of_stretch(
    some: Sequence[Result], members: Sequence[Result]
) -> tuple[Result, Result] | None:
    """The ends of three or more points without a gap along one number; None where they are not."""
    if len(some) < 3 or not all(len(r.point) == 1 and is_number(r.point[0][1]) for r in members):
        return None
    ordered = sorted(members, key=lambda r: float(r.point[0][1]))
    places = [k for k, r in enumerate(ordered) if r in some]
    whole = places[-1] - places[0] == len(places) - 1
    return (ordered[places[0]], ordered[places[-1]]) if whole else None


@rule("share-right-starts", "classification", 0.82, thresholds=("ROUNDING",), part="effect")
def share_right_starts(results: ExperimentResults) -> Iterator[Observation]:
    """The share of right rows over random starts."""
    groups = [
        (Subject(name), _over_starts(there, results.last))
        for name, members in results.replicated.items()
        if len(there := _classified(members, results.last)) > 1
        # Without the starts that end level, the others would be a choice of starts.
        and not any(_is_level(r, results.last) for r in members)
    ]
    if not groups:
        return
    groups.sort(key=lambda group: [-share.value for share in group[1][:2]])
    first, last = groups[0][1], groups[-1][1]
    facts: Facts = {
        "shares": tuple(With(subject, shares) for subject, shares in groups),
        "middle": first[0],
        "least": first[1],
        "most": first[2],
        "budget": Count(results.last),
    }
    form = "one" if len(groups) == 1 else "level" if _alike(first, last) else "several"
    facts["first"] = tuple(subject for subject, shares in groups if _alike(shares, first))
    if form == "one" and len(tied := _with_ties(results)) == len(results.replicated) - 1 > 0:
        form, facts["others"] = "beside", tied
    early, claims = _apart_before(results, [s for s, _ in groups]) if form == "level" else ({}, ())
    if early:
        form, facts = "later", {**facts, **early}
    if form == "several":
        facts |= {
            "among": tuple(Subject(n) for n in results.replicated if Subject(n) in dict(groups)),
            "last": tuple(subject for subject, shares in groups if _alike(shares, last)),
            "other_middle": last[0],
            "other_least": last[1],
        }
        if len(groups) < len(results.replicated):
            form = "some"
    runs = sum(len(results.of(subject.variant)) for subject, _ in groups)
    found = Observation("share-right-starts", facts, runs, form=form, claims=claims)
    yield replace(found, strength="statistical")


def _with_ties(results: ExperimentResults) -> tuple[Subject, ...]:
    """Variants of which some start ends level, so that its rows are in no class."""
    return tuple(
        Subject(name)
        for name, members in results.replicated.items()
        if any(_is_level(r, results.last) for r in members)
    )


def _apart_before(
    results: ExperimentResults, subjects: Sequence[Subject]
) -> tuple[Facts, tuple[Source, ...]]:
    """The last number of rounds before the end at which the median shares of some differ.

    With the variant whose share is the largest there, and that whose share is the smallest; no
    facts where there is none, and the claims that they are alike until then.
    """
    claims: list[Source] = []
    for budget in reversed(results.budgets[:-1]):
        there = [(s, _classified(results.of(s.variant), budget)) for s in subjects]
        whole = all(len(members) == len(results.of(s.variant)) for s, members in there)
        if not whole or any(_is_level(r, budget) for _, members in there for r in members):
            continue
        shares = [(s, _over_starts(members, budget)[0]) for s, members in there]
        shares.sort(key=lambda pair: -pair[1].value)
        if shares[0][1].value > shares[-1][1].value:
            return {
                "early": Count(budget),
                "ahead": shares[0][0],
                "early_middle": shares[0][1],
                "behind": shares[-1][0],
                "early_other": shares[-1][1],
            }, tuple(claims)
        for (_, mine), (_, theirs) in pairwise(there):
            each = f"each({accuracy_formula(mine[0], budget)})"
            alike = f"median({each}[:{len(mine)}]) == median({each}[{len(mine)}:])"
            claims.append(cite(alike, (*mine, *theirs)))
    return {}, tuple(claims)


_Shares = tuple[Share, Share, Share]
"""The median of some shares, the lowest and the highest."""


def _over_starts(members: Sequence[Result], budget: int) -> _Shares:
    values = [accuracy(r, budget) or 0.0 for r in members]
    each = f"each({accuracy_formula(members[0], budget)})"
    return (
        Share(float(np.median(values)), cite(f"median({each})", members)),
        Share(min(values), cite(f"min({each})", members)),
        Share(max(values), cite(f"max({each})", members)),
    )


def _alike(one: _Shares, other: _Shares) -> bool:
    """Return whether the median and the lowest share are the same."""
    return [share.value for share in one[:2]] == [share.value for share in other[:2]]


@rule("mistaken", "classification", 0.45, thresholds=("ROUNDING",))
def mistaken(results: ExperimentResults) -> Iterator[Observation]:
    """The class that is taken for another one most often, and with which variants."""
    found: dict[tuple[str, str, str], list[tuple[Result, Source]]] = {}
    for result in _classified(results.singles, results.last):
        confused = _most_confused(result, results.last)
        if confused is not None:
            own, other, form = confused
            names = _class_names(result)
            answered = f"classes_at({result.index(results.last)})"
            there = f"(classes == {own}) & ({answered} == {other})"
            claim = f"any({there})"
            if form:
                claim = f"count({there}) == count(classes != {answered}) and {claim}"
            place = (names[own], names[other], form)
            found.setdefault(place, []).append((result, result.cite(claim)))
    for (own_name, other_name, form), members in found.items():
        facts: Facts = {
            "subjects": tuple(result.subject for result, _ in members),
            "own": Names((own_name,)),
            "other": Names((other_name,)),
            "budget": Count(results.last),
        }
        claims = tuple(claim for _, claim in members)
        yield Observation("mistaken", facts, runs=len(members), form=form, claims=claims)


def _most_confused(result: Result, budget: int) -> tuple[int, int, str] | None:
    """The most frequent mistake: own class, what it is taken for, "only" if there is no other.

    None if several are as frequent.
    """
    given, found = labels(result.run.config), answers(result, budget)
    assert given is not None
    assert found is not None
    wrong, count = given != found, len(_class_names(result))
    if not wrong.any() or count < 3:
        return None
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (given[wrong], found[wrong]), 1)
    # Where several mistakes are as frequent, none is the most frequent one.
    if (table == table.max()).sum() > 1:
        return None
    own, other = np.unravel_index(table.argmax(), table.shape)
    return int(own), int(other), "only" if np.count_nonzero(table) == 1 else ""


@rule("loss-against-share", "classification", 0.84, thresholds=("ROUNDING",))
def loss_against_share(results: ExperimentResults) -> Iterator[Observation]:
    """A variant with a lower loss than another one that puts more rows into their class."""
    there = _classified(results.singles, results.last)
    if len(there) < 2 or not rankable(there):
        return
    lowest = min(there, key=lambda r: r.loss(results.last) or 0.0)
    # Of those whose loss is as low but for rounding, the one that classifies best.
    by_loss = max(
        (r for r in there if level(lowest, r, results.last)),
        key=lambda r: accuracy(r, results.last) or 0.0,
    )
    by_share = max(there, key=lambda r: accuracy(r, results.last) or 0.0)
    if (accuracy(by_loss, results.last) or 0.0) >= (accuracy(by_share, results.last) or 0.0):
        return
    facts: Facts = {
        "subject": by_loss.subject,
        "loss": by_loss.number(results.last),
        "share": _share(by_loss, results.last),
        "other": by_share.subject,
        "other_loss": by_share.number(results.last),
        "other_share": _share(by_share, results.last),
        "budget": Count(results.last),
    }
    pair = (by_loss, by_share)
    losses = [f"r{k}.{r.loss_formula(results.last)}" for k, r in enumerate(pair, 1)]
    shares = [accuracy_formula(r, results.last, f"r{k}.") for k, r in enumerate(pair, 1)]
    claims = (cite(" < ".join(losses), pair), cite(" < ".join(shares), pair))
    yield Observation("loss-against-share", facts, runs=len(there), claims=claims)


def _class_names(result: Result) -> tuple[str, ...]:
    """Names of the classes: those of the data set, or else of the units that stand for them."""
    data_set = result.trial.data_set
    named = data_set.classes if data_set is not None else ()
    return named or unit_names(result.run.config.network)[-1]


def _classified(members: Sequence[Result], budget: int) -> list[Result]:
    """The runs that put every row into a class, none by convention alone."""
    return [r for r in members if decided(r, budget)]


def _is_level(result: Result, budget: int) -> bool:
    level = ties(result, budget)
    return level is not None and bool(level.any())


def _share(result: Result, budget: int) -> Share:
    return Share(accuracy(result, budget) or 0.0, result.cite(accuracy_formula(result, budget)))


def _not_below(one: Result, other: Result, budget: int) -> Source:
    formulas = (accuracy_formula(r, budget, f"r{k}.") for k, r in enumerate((one, other), 1))
    return cite(" >= ".join(formulas), (one, other))
