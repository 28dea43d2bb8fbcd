"""Rows that losses are over: those of mini-batches, and rows that no run has seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    compared_on,
    is_ahead,
    lead_claim,
    loss_number,
    loss_on,
)
from labreport.analysis.comparing import Measure, from_other_starts, is_lower, lower_claim
from labreport.analysis.held_out import held_out
from labreport.analysis.observation import Count, Facts, Keys, Observation, Source
from labreport.analysis.passes import equal_passes
from labreport.analysis.persistence import longer
from labreport.analysis.results import ExperimentResults, Result, cite, distinct
from labreport.analysis.rule import rule
from labreport.lab.configuration import RunConfig

MOST_COMPARED = 12
"""Runs that a sentence sets side by side; more belong into a table."""


@rule(
    "over-all-rows",
    "comparison",
    {"": 0.88, "turns": 0.96},
    thresholds=("NO_ODDS",),
    part={"turns": "scope"},
)
def over_all_rows(results: ExperimentResults) -> Iterator[Observation]:
    """Variants with batches of different sizes: equal rounds are not equally many rows."""
    groups: dict[object, list[Result]] = {}
    for result in (*results.singles, *results.everywhere):
        config = result.run.config
        key = (config.loss, config.data.inputs, config.data.targets)
        if result.loss(results.last) is not None:
            groups.setdefault(key, []).append(result)
    for members in groups.values():
        sizes = {r.run.config.data.batch_rows for r in members}
        if len(sizes) > 1 and len(members) <= MOST_COMPARED:
            yield _compared(results, members)


def _compared(results: ExperimentResults, members: list[Result]) -> Observation:
    last = results.last
    most, fewest = (
        pick(members, key=lambda r: r.run.config.data.batch_rows) for pick in (max, min)
    )
    facts: Facts = {
        "budget": Count(last),
        "most": most.subject,
        "most_rows": _rows_seen(most, last),
        "fewest": fewest.subject,
        "fewest_rows": _rows_seen(fewest, last),
    }
    # Rounds after which the one has seen no more rows than the other at the end.
    rounds = last * fewest.run.config.data.batch_rows // most.run.config.data.batch_rows
    form = ""
    if rounds and most.loss(rounds) is not None:
        form = "equal-rows"
        facts |= {
            "rounds": Count(rounds, cite(_rounds_formula(most, fewest, last), (most, fewest))),
            "value": most.number(rounds),
            "other_value": fewest.number(last),
        }
    claims = [r.cite("not sees_all_rows") for r in members if _is_batched(r.run.config)]
    measure = Measure(is_loss=True, budget=last)
    if form and is_lower(most, fewest, measure):
        # Whether it is the other way round after as many rows.
        scale = thresholds.NO_ODDS * measure.scale((most, fewest))
        if (most.loss(rounds) or 0.0) - (fewest.loss(last) or 0.0) > scale:
            form = "turns"
            apart = f"wide(r1.{most.loss_formula(rounds)}) - wide(r2.{fewest.loss_formula(last)})"
            limit = f"NO_ODDS * {measure.scale_formula((most, fewest))}"
            claims.append(cite(f"{apart} > {limit}", (most, fewest)))
            claims.append(lower_claim(most, fewest, measure))
    return Observation("over-all-rows", facts, runs=len(members), form=form, claims=tuple(claims))


def _rounds_formula(most: Result, fewest: Result, budget: int) -> str:
    mine, other = (_batch_formula(r, f"r{k}.") for k, r in enumerate((most, fewest), 1))
    return f"{budget} * {other} // {mine}"


def _is_batched(config: RunConfig) -> bool:
    return config.data.batch_rows < len(config.data.inputs)


def _rows_seen(result: Result, budget: int) -> Count:
    """Count the rows in so many updates, each as often as it was shown."""
    rows = budget * result.run.config.data.batch_rows
    return Count(rows, result.cite(f"{budget} * {_batch_formula(result)}"))


def _batch_formula(result: Result, run: str = "") -> str:
    """The formula of the rows of an update; ``run`` is r1. or the like for one of several."""
    is_batched = _is_batched(result.run.config)
    return f"{run}setting('data.batch_size')" if is_batched else f"size({run}inputs[:, 0])"


OF_PASSES = ("passes", "passes-level", "passes-validation")
"""Forms of what is told of runs that make as many passes through all rows."""


@rule(
    "own-ends",
    "comparison",
    {"": 0.9, "level": 0.9, "validation": 0.9, **dict.fromkeys(OF_PASSES, 1.0)},
    thresholds=("NO_ODDS",),
    part={
        "": "effect",
        "level": "effect",
        "validation": "effect",
        "passes": "verdict",
        "passes-level": "verdict",
        "passes-validation": "verdict",
    },
)
def own_ends(results: ExperimentResults) -> Iterator[Observation]:
    """Runs of which some are longer than what is compared: which is lowest, each at its own end.

    With passes through all rows in place of rounds, smaller batches make more rounds: then it is at
    their ends that runs are to be compared.
    """
    members, end = _with_longer_ones(results)
    if end is None:
        return
    shortest = tuple(r.subject for r in members if r.run.config.rounds == results.last)
    passes, shown = _passes(results, members)
    facts: Facts = {"budget": Count(results.last), "shortest": shortest, **shown}
    held = compared_on(members, VALIDATION, end.budget)

    def ended(result: Result) -> float:
        return loss_on(result, VALIDATION, end.budget) if held else end.value(result) or 0.0

    best = min(members, key=ended)
    others = [r for r in members if r is not best]
    behind = [is_ahead(best, r, end.budget) if held else is_lower(best, r, end) for r in others]

    def claim(result: Result, *, holds: bool) -> Source:
        if held:
            return lead_claim(best, result, end.budget, holds=holds)
        return lower_claim(best, result, end, holds=holds)

    if not all(behind):
        level = claim(others[behind.index(False)], holds=False)
        form = f"{passes}level"
        yield Observation("own-ends", facts, len(members), form=form, claims=(level,))
        return
    facts |= {
        "best": best.subject,
        "value": loss_number(best, VALIDATION, end.budget) if held else end.number(best),
        "rounds": Count(best.run.config.rounds, best.cite("rounds")),
    }
    claims = tuple(claim(r, holds=True) for r in others)
    form = f"{passes}validation" if held else passes.rstrip("-")
    yield Observation("own-ends", facts, len(members), form=form, claims=claims)


@rule(
    "ends-over-starts",
    "reliability",
    {"": 0.98, "depends": 1.0},
    thresholds=("FEWEST_PAIRS", "MOSTLY_STARTS", "NO_ODDS"),
    part="scope",
)
def ends_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Of runs with as many passes: from how many other starts the lowest ends lower than the next.

    By the loss of training; where rows are held out it does not decide.
    """
    members, end = _with_longer_ones(results)
    if end is None or equal_passes(results) is None or compared_on(members, VALIDATION, end.budget):
        return
    first, second = sorted(members, key=lambda r: end.value(r) or 0.0)[:2]
    pairs = from_other_starts(results, first, second, end)
    if pairs is None or pairs.count < thresholds.FEWEST_PAIRS or not is_lower(first, second, end):
        return
    form = "" if pairs.lower >= thresholds.MOSTLY_STARTS * pairs.count else "depends"
    facts: Facts = {
        "subject": first.subject,
        "other": second.subject,
        "lower": Count(pairs.lower, pairs.cite(pairs.formula())),
        "count": Count(pairs.count),
    }
    sign = "<" if form else ">="
    claims = (
        lower_claim(first, second, end),
        pairs.cite(f"{pairs.formula()} {sign} MOSTLY_STARTS * {pairs.count}"),
        pairs.cite(f"{pairs.count} >= FEWEST_PAIRS"),
    )
    runs = len(pairs.runs)
    yield Observation(
        "ends-over-starts", facts, runs, form=form, strength="statistical", claims=claims
    )


@rule(
    "more-updates",
    "optimizer",
    {"": 0.9, "not": 0.5},
    thresholds=("NO_ODDS",),
    part={"": "reason"},
)
def more_updates(results: ExperimentResults) -> Iterator[Observation]:
    """As many passes: whether the run with the fewest updates gets as low with as many updates."""
    members, end = _with_longer_ones(results)
    if end is None or equal_passes(results) is None:
        return
    best = min(members, key=lambda r: end.value(r) or 0.0)
    short = min(members, key=lambda r: r.run.config.rounds)
    continued, rounds = longer(results, short), best.run.config.rounds
    if continued is None or continued.run.config.rounds < rounds or not is_lower(best, short, end):
        return
    at = Measure(is_loss=True, budget=rounds)
    if at.value(continued) is None:
        return
    is_behind = is_lower(best, continued, at)
    facts: Facts = {
        "subject": short.subject,
        "other": best.subject,
        "rounds": Count(rounds, best.cite("rounds")),
        "value": at.number(continued),
        "own": at.number(best),
    }
    claims = (lower_claim(best, short, end), lower_claim(best, continued, at, holds=is_behind))
    form = "not" if is_behind else ""
    yield Observation("more-updates", facts, 3, form=form, strength="explanation", claims=claims)


def _passes(results: ExperimentResults, members: Sequence[Result]) -> tuple[str, Facts]:
    """How the form of an observation begins where all runs make as many passes, and how many."""
    passes = equal_passes(results)
    if passes is None:
        return "", {}
    formula = f"rounds // (size(inputs[:, 0]) // {_batch_formula(members[0])})"
    return "passes-", {"passes": Count(passes, members[0].cite(formula))}


def _with_longer_ones(results: ExperimentResults) -> tuple[list[Result], Measure | None]:
    """Runs of which some have all rounds that are compared, and others more.

    With the measure by which they compare at their ends; without one where there are no such runs,
    or these do not compare.
    """
    members = distinct(results.singles or results.everywhere)
    rounds = [r.run.config.rounds for r in members]
    differ = bool(members) and min(rounds) == results.last < max(rounds)
    if not differ or results.sweeps_rounds:
        return [], None
    end = Measure.of(members, max(rounds))
    whole = end is not None and end.is_loss and all(end.value(r) is not None for r in members)
    return members, end if whole else None


def has_all_rows(config: RunConfig) -> bool:
    """Return whether inputs are 0 or 1, or −1 or 1, and rows every combination: as those of XOR."""
    inputs = set(config.data.inputs)
    columns = [set(column) for column in zip(*inputs, strict=True)]
    binary = all(values in ({0.0, 1.0}, {-1.0, 1.0}) for values in columns)
    return binary and len(columns) > 1 and len(inputs) == 2 ** len(columns)


OF_GENERALISATION = ("optimizer.weight_decay", "network.layers", "data.batch_size")
"""Keys that are changed for the sake of rows that a network has not seen."""


def _same_rows(one: Result, other: Result) -> bool:
    mine, theirs = one.run.config.data, other.run.config.data
    return (mine.inputs, mine.targets) == (theirs.inputs, theirs.targets)


@rule("unseen-rows", "comparison", 0.7, needs_budget=False, of_constant_losses=True)
def unseen_rows(results: ExperimentResults) -> Iterator[Observation]:
    """An experiment that changes what bears on overfitting, judged by the training loss alone."""
    # On other rows it is another question.
    alike = [r for r in results.results if _same_rows(r, results.results[0])]
    first = dict.fromkeys(OF_GENERALISATION, alike[0]) if alike else {}
    differing = {
        key: next((r for r in alike if _setting(r, key) != _setting(one, key)), None)
        for key, one in first.items()
    }
    changed = {key: other for key, other in differing.items() if other is not None}
    most = alike[0] if alike else None
    if not changed or most is None or len(most.run.config.data.inputs) < 2:
        return
    if all(held_out(r) is not None or has_all_rows(r.run.config) for r in results.results):
        return
    facts: Facts = {
        "keys": Keys(tuple(changed)),
        "rows": Count(len(most.run.config.data.inputs), most.cite("size(inputs[:, 0])")),
    }
    claims = tuple(
        cite(f"{_formula(first[key], key, 1)} != {_formula(other, key, 2)}", (first[key], other))
        for key, other in changed.items()
    )
    yield Observation("unseen-rows", facts, runs=len(results.results), limits=True, claims=claims)


def _setting(result: Result, key: str) -> object:
    """The value of a key; where it is left out, or an optimizer has no such key, what that is."""
    config = result.run.config
    left_out = {"data.batch_size": config.data.batch_rows, "optimizer.weight_decay": 0.0}
    table, name = key.split(".")
    found = getattr(getattr(config, table), name, None)
    return left_out.get(key) if found is None else found


def _formula(result: Result, key: str, number: int) -> str:
    """The same as a formula of the run with this number."""
    left_out = {"data.batch_size": f"size(r{number}.inputs[:, 0])", "optimizer.weight_decay": "0"}
    is_there = result.run.config.flat().get(key) is not None
    return f"r{number}.setting({key!r})" if is_there else left_out[key]
