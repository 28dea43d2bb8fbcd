"""Leads that hang on the size of the step, or on the very round at which they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.along_axes import lowest_claims
from labreport.analysis.answers.single_runs import pair_at_end
from labreport.analysis.comparing import Measure, SeedPairs, StartPairs, is_lower, lower_claim
from labreport.analysis.measures.over_starts import median, number_over
from labreport.analysis.observation import Count, Facts, Number, Observation, Source, Subject
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.reliability import compared_starts, pairs_of
from labreport.analysis.standings import last_moments
from labreport.lab.changes import differing_keys, quantity
from labreport.lab.configuration import RunConfig

_QUARTERS = (0.25, 0.5, 0.75)
"""Shares of the starts up to which the losses of two variants are compared."""


@rule(
    "larger-step",
    "optimizer",
    {"": 0.9, "both": 0.9, "not": 0.25},
    thresholds=("NO_ODDS",),
    part={"": "reason", "both": "reason"},
)
def larger_step(results: ExperimentResults) -> Iterator[Observation]:
    """A lead that the other variant has as well once its learning rate is larger.

    Who leads may gain by larger steps as well, and lead again: each with its best rate.
    """
    pair = pair_at_end(results) or _other_loss(results)
    if pair is None:
        return
    ahead, behind, measure = pair
    config, other = ahead.run.config, behind.run.config
    changed = changed_besides_steps(config, other)
    if changed is None or config.initial != other.initial:
        return
    larger = [r for r in faster(results.control("rates", behind), behind) if _got(r, measure)]
    if not larger:
        return
    enough = next((r for r in larger if not is_lower(ahead, r, measure)), None)
    told = larger[-1] if enough is None else enough
    facts: Facts = {
        "subject": ahead.subject,
        "other": behind.subject,
        "budget": Count(measure.budget),
        "factor": times_the_rate(told, behind),
        "count": Count(larger.index(told) + 1),
    }
    differ = f"r1.setting({changed!r}) != r2.setting({changed!r})"
    claims = [lower_claim(ahead, behind, measure), cite(differ, (ahead, behind))]
    for r in larger[: larger.index(told) + 1]:
        claims.append(lower_claim(ahead, r, measure, holds=r is not enough))
    form, runs = "not", 2 + len(larger)
    if enough is not None:
        facts["value"] = measure.number(enough)
        again, led = _ahead_again(results, (ahead, behind), measure)
        form, facts, claims = "both" if again else "", {**facts, **again}, claims + led
    yield Observation(
        "larger-step", facts, runs, form=form, strength="explanation", claims=tuple(claims)
    )


def _ahead_again(
    results: ExperimentResults, pair: tuple[Result, Result], measure: Measure
) -> tuple[Facts, list[Source]]:
    """What both come to, each with its best rate, if who leads then leads all rates of the other.

    Nothing where it gains nothing by a larger rate, or leads no longer.
    """
    ahead, _ = pair
    own, theirs = (
        [r for r in (result, *results.control("rates", result)) if _got(r, measure)]
        for result in pair
    )
    best = min(own, key=lambda r: measure.value(r) or 0.0)
    gains = best in faster(own, ahead) and is_lower(best, ahead, measure)
    if not gains or not all(is_lower(best, r, measure) for r in theirs):
        return {}, []
    lowest = min(theirs, key=lambda r: measure.value(r) or 0.0)
    facts: Facts = {"own": measure.number(best), "theirs": measure.number(lowest)}
    claims = [lower_claim(best, r, measure) for r in theirs]
    claims += [*lowest_claims(best, own, measure), *lowest_claims(lowest, theirs, measure)]
    return facts, claims


def changed_besides_steps(config: RunConfig, other: RunConfig) -> str | None:
    """A key that differs besides the size of the steps; None where it is alone, or their number."""
    differing = differing_keys(config, other)
    besides = [key for key in differing if key != "optimizer.learning_rate"]
    return besides[0] if besides and "rounds" not in besides else None


def faster(members: Sequence[Result], result: Result) -> Iterator[Result]:
    """Those with a larger learning rate than a result."""
    rate = result.run.config.optimizer.learning_rate
    return (r for r in members if r.run.config.optimizer.learning_rate > rate)


def at_rate(members: Sequence[Result], result: Result, factor: float) -> list[Result]:
    """Those with a result's learning rate times a factor."""
    rate = result.run.config.optimizer.learning_rate * factor
    return [r for r in members if r.run.config.optimizer.learning_rate == rate]


def _got(result: Result, measure: Measure) -> bool:
    """Return whether a result got so far, and can be measured."""
    return measure.value(result) is not None


def times_the_rate(result: Result, other: Result) -> Number:
    """How many times as large the learning rate of a result is as that of another."""
    pair = (result, other)
    factor = result.run.config.optimizer.learning_rate / other.run.config.optimizer.learning_rate
    return Number(factor, cite("r1.learning_rate / r2.learning_rate", pair), digits=2)


def _other_loss(results: ExperimentResults) -> tuple[Result, Result, Measure] | None:
    """The first variant that is nearer to the same targets than one with another loss."""
    for result in results.singles:
        other = results.against(result)
        if other is None or quantity(result.run.config) == quantity(other.run.config):
            continue
        measure = Measure.of((result, other), results.last)
        if measure is not None and is_lower(result, other, measure):
            return result, other, measure
    return None


@rule(
    "larger-step-starts",
    "optimizer",
    {"": 0.9, "both": 0.9},
    thresholds=("CLOSE", "NO_ODDS", "MOSTLY_STARTS"),
    part="reason",
)
def larger_step_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Variants from several starts: a lead that the other one has too with twice the step.

    Who leads may lead again with twice the step.
    """
    for members, theirs in compared_starts(results):
        measure = Measure.of((*members, *theirs), results.last)
        if measure is None or not measure.is_loss:
            continue
        if changed_besides_steps(members[0].run.config, theirs[0].run.config) is None:
            continue
        found = _with_twice_the_step(results, members, theirs, measure)
        if found is not None:
            yield found


def _with_twice_the_step(
    results: ExperimentResults,
    members: Sequence[Result],
    theirs: Sequence[Result],
    measure: Measure,
) -> Observation | None:
    doubled = _at_twice_the_rate(results, theirs, measure)
    mine = [r for r in members if _got(r, measure)][: len(doubled)]
    others = [r for r in theirs if _got(r, measure)][: len(doubled)]
    if min(map(len, (mine, others, doubled))) < thresholds.FEWEST_PAIRS:
        return None
    medians = [_median(group, measure) for group in (mine, others, doubled)]
    # There is a difference, and twice the step makes up for it, or for more: not in the median
    # alone, which jumps where losses lie in two heaps.
    close = thresholds.CLOSE * abs(medians[0].value)
    quarters = [
        np.quantile([measure.value(r) or 0.0 for r in group], _QUARTERS)
        for group in (mine, doubled)
    ]
    made_up = (quarters[1] - quarters[0] <= thresholds.CLOSE * np.abs(quarters[0])).all()
    pairs = StartPairs(tuple(zip(mine, others, strict=False)), measure)
    if [r.trial.seed for r in mine] != [r.trial.seed for r in others] or not _leads_mostly(pairs):
        return None
    if not made_up or medians[1].value - medians[0].value <= close:
        return None
    both = _at_twice_the_rate(results, mine, measure)
    again = StartPairs(tuple(zip(both, doubled, strict=False)), measure)
    leads_again = again.count == pairs.count and _leads_mostly(again)
    found = _as_a_larger_step((mine, others, doubled), medians, pairs)
    return _both_gain(found, again) if leads_again else found


def _at_twice_the_rate(
    results: ExperimentResults, members: Sequence[Result], measure: Measure
) -> list[Result]:
    """The same runs with twice the learning rate, as far as they are there and got so far."""
    found = (r for result in members for r in faster(results.control("neighbours", result), result))
    return [r for r in found if _got(r, measure)]


def _leads_mostly(pairs: StartPairs) -> bool:
    return pairs.lower >= thresholds.MOSTLY_STARTS * pairs.count


def _both_gain(found: Observation, again: StartPairs) -> Observation:
    """The same observation, where who leads does so with twice the learning rate of both again."""
    lower = Count(again.lower, again.cite(again.formula()))
    claim = again.cite(f"{again.formula()} >= MOSTLY_STARTS * {again.count}")
    facts = {**found.facts, "lower": lower}
    runs, claims = found.runs + again.count, (*found.claims, claim)
    return replace(found, form="both", facts=facts, runs=runs, claims=claims)


def _as_a_larger_step(
    groups: tuple[list[Result], list[Result], list[Result]],
    medians: Sequence[Number],
    pairs: StartPairs,
) -> Observation:
    """The observation: the runs of a variant, of the other one, and of that with twice the step."""
    mine, others, doubled = groups
    losses, half = f"each({pairs.measure.formula(mine[0])})", len(mine)
    own, other = f"median({losses}[:{half}])", f"median({losses}[{half}:])"
    facts: Facts = {
        "subject": Subject(mine[0].variant),
        "other": Subject(others[0].variant),
        "median": medians[0],
        "other_median": medians[1],
        "doubled": medians[2],
        "budget": Count(pairs.measure.budget),
        "count": Count(len(doubled), cite("size(each(rounds))", doubled)),
    }
    quantiles = [(f"quantile({losses}[:{half}], {q})", q) for q in _QUARTERS]
    claims = (
        *(
            cite(f"quantile({losses}[{half}:], {q}) - {of} <= CLOSE * abs({of})", (*mine, *doubled))
            for of, q in quantiles
        ),
        cite(f"{other} - {own} > CLOSE * abs({own})", (*mine, *others)),
        pairs.cite(f"{pairs.formula()} >= MOSTLY_STARTS * {pairs.count}"),
    )
    return Observation(
        "larger-step-starts",
        facts,
        runs=len(mine) + len(others) + len(doubled),
        strength="explanation",
        claims=claims,
    )


def _median(members: Sequence[Result], measure: Measure) -> Number:
    formula = f"median(each({measure.formula(members[0])}))"
    return number_over(members, measure.value, median, formula)


@rule(
    "pairs-at-other-rates",
    "reliability",
    {"": 0.6, "open": 0.9, "turns": 0.95},
    thresholds=("FEWEST_PAIRS", "NO_ODDS", "SIGNIFICANCE"),
    part="scope",
)
def pairs_at_other_rates(results: ExperimentResults) -> Iterator[Observation]:
    """Whether a difference of variants from several starts is there at half and twice the rate."""
    for members, theirs in compared_starts(results):
        own = pairs_of(members, theirs, results.last)
        if len(own.runs) < thresholds.FEWEST_PAIRS or not own.direction:
            continue
        own = own if own.direction > 0 else own.turned
        at = [_at_rate(results, own, factor) for factor in (0.5, 2.0)]
        there = [pairs for pairs in at if pairs is not None]
        if changed_besides_steps(*(r.run.config for r in own.runs[0])) and len(there) == len(at):
            yield _at_other_rates(own, there)


def _at_rate(results: ExperimentResults, own: SeedPairs, factor: float) -> SeedPairs | None:
    """The same pairs with another learning rate, as far as there are such controls.

    None where these are too few, or one of them ended: without it the others were a choice.
    """
    found = []
    for pair in own.runs:
        made = [c for r in pair for c in at_rate(results.control("neighbours", r), r, factor)]
        if len(made) == len(pair):
            found.append((made[0], made[1]))
    ended = any(r.loss(own.budget) is None for pair in found for r in pair)
    return None if ended or len(found) < thresholds.FEWEST_PAIRS else SeedPairs(found, own.budget)


def _at_other_rates(own: SeedPairs, at: Sequence[SeedPairs]) -> Observation:
    """The observation: pairs as they are, of which the first is lower, and at both other rates."""
    directions = [pairs.direction for pairs in at]
    form = "turns" if -1 in directions else "open" if 0 in directions else ""
    facts: Facts = {
        "subject": Subject(own.runs[0][0].variant),
        "other": Subject(own.runs[0][1].variant),
        "count": at[0].count,
        "half": at[0].lower,
        "half_higher": at[0].turned.lower,
        "twice": at[1].lower,
        "twice_higher": at[1].turned.lower,
        "budget": Count(own.budget),
    }
    claims = [own.direction_claim(1)]
    for pairs, direction in zip(at, directions, strict=True):
        claim = pairs.direction_claim(direction or 1)
        claims.append(claim if direction else replace(claim, formula=f"not ({claim.formula})"))
        claims.append(pairs.cite(f"{len(pairs.runs)} >= FEWEST_PAIRS"))
    return Observation(
        "pairs-at-other-rates",
        facts,
        runs=2 * sum(len(pairs.runs) for pairs in (own, *at)),
        form=form,
        strength="statistical",
        claims=tuple(claims),
    )


@rule(
    "pairs-by-round",
    "reliability",
    0.96,
    thresholds=("NO_ODDS", "SIGNIFICANCE"),
    part="scope",
)
def pairs_by_round(results: ExperimentResults) -> Iterator[Observation]:
    """A difference of variants from several starts that is none shortly before the end.

    Losses that swing cross one another again and again; others may just have crossed.
    """
    for members, theirs in compared_starts(results):
        own = pairs_of(members, theirs, results.last)
        if not own.runs or not own.direction:
            continue
        own = own if own.direction > 0 else own.turned
        before = [SeedPairs(own.runs, step) for step in last_moments(results.last)[:-1]]
        known = [p for p in before if all(r.loss(p.budget) is not None for r in _all_of(p))]
        least = min(known, key=lambda p: p.below - p.above, default=None)
        if least is None or least.below > least.above:
            continue
        facts: Facts = {
            "subject": Subject(own.runs[0][0].variant),
            "other": Subject(own.runs[0][1].variant),
            "count": own.count,
            "early_lower": least.lower,
            "early_higher": least.turned.lower,
            "lower": own.lower,
            "step": Count(least.budget),
            "budget": Count(own.budget),
        }
        fewer = f"{least.below_formula} <= {least.above_formula}"
        yield Observation(
            "pairs-by-round",
            facts,
            runs=2 * len(own.runs),
            strength="statistical",
            claims=(own.direction_claim(1), least.cite(fewer)),
        )


def _all_of(pairs: SeedPairs) -> Iterator[Result]:
    """Both runs of every pair."""
    return (r for pair in pairs.runs for r in pair)
