"""Several variants swept over one number: who is lower at the same values, how far, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from math import inf

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.along_axes import along_axis, best_of
from labreport.analysis.comparing import (
    Measure,
    StartPairs,
    from_other_starts,
    is_lower,
    lower_claim,
)
from labreport.analysis.observation import (
    Count,
    Fact,
    Facts,
    Number,
    Observation,
    Share,
    Source,
    Subject,
    UpTo,
)
from labreport.analysis.points import RATE, from_a_value_on
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.descent import rising, rising_formula
from labreport.analysis.rules.gradients import LARGEST_SLOPE

FEWEST_VALUES = 4
"""Values of a sweep of which it is counted at how many something is so."""


@dataclass(frozen=True)
class SameValues:
    """A variant beside the first one, at the values that both have, in order.

    Attributes:
        name: of the variant.
        pairs: its result at each value, and the first variant's.
        ahead: whether it is the lower one, value by value.
    """

    name: str
    pairs: Sequence[tuple[Result, Result]]
    ahead: Sequence[bool]

    @property
    def count(self) -> int:
        """Values from the smallest on at which it is the lower one, up to the first where not."""
        return self.ahead.index(False) if False in self.ahead else len(self.ahead)

    @property
    def has_range(self) -> bool:
        """True if it is lower up to some value, and at none beyond it."""
        return 0 < self.count < len(self.ahead) and not any(self.ahead[self.count :])

    @property
    def range(self) -> UpTo:
        return UpTo(Subject(self.name, self.pairs[self.count - 1][0].point))

    @property
    def beyond(self) -> list[tuple[Result, Result]]:
        return list(self.pairs[self.count :])


def side_by_side(results: ExperimentResults, measure: Measure) -> list[SameValues]:
    """Each variant but the first; none where a result is missing: it is neither lower nor level."""
    swept = along_axis(results)
    (_, reference), *others = swept.items()
    by_point = {r.point: r for r in reference}
    found = []
    for name, members in others:
        pairs = [(r, by_point[r.point]) for r in members if r.point in by_point]
        if any(measure.value(r) is None for pair in pairs for r in pair):
            return []
        found.append(SameValues(name, pairs, [is_lower(*pair, measure) for pair in pairs]))
    return found


def _measured(results: ExperimentResults, budget: int) -> tuple[Measure, list[SameValues]] | None:
    """The variants side by side after so many rounds; None where fewer than two are swept."""
    swept = along_axis(results)
    if len(swept) < 2:
        return None
    measure = Measure.of([r for members in swept.values() for r in members], budget)
    assert measure is not None
    return measure, side_by_side(results, measure)


@rule("at-same-values", "comparison", 0.97, thresholds=("NO_ODDS",), part="verdict")
def at_same_values(results: ExperimentResults) -> Iterator[Observation]:
    """Up to which value each variant is lower than the first one, at the same values."""
    measured = _measured(results, results.last)
    if measured is None:
        return
    measure, variants = measured
    told: dict[str, tuple[Fact, ...]] = {
        "ranges": tuple(v.range for v in variants if v.has_range),
        "everywhere": tuple(Subject(v.name) for v in variants if v.ahead and all(v.ahead)),
        "nowhere": tuple(Subject(v.name) for v in variants if v.ahead and not any(v.ahead)),
    }
    form = next((key for key, names in told.items() if 0 < len(variants) == len(names)), "")
    mixed = tuple(
        Subject(v.name) for v in variants if not v.has_range and 0 < sum(v.ahead) < len(v.ahead)
    )
    if told["ranges"]:
        form = "ranges-mixed" if mixed else "ranges"
    if not form:
        return
    facts: Facts = {"other": _first(results), "budget": Count(results.last), **told}
    if mixed:
        facts["mixed"] = mixed
    claims = tuple(
        lower_claim(*pair, measure, holds=is_ahead)
        for v in variants
        for pair, is_ahead in zip(v.pairs, v.ahead, strict=True)
    )
    runs = sum(map(len, results.swept.values()))
    yield Observation("at-same-values", facts, runs=runs, form=form, claims=claims)


@rule("usable-values", "comparison", 0.7, thresholds=("MOST_OF_THE_WAY", "ROUNDING"))
def usable_values(results: ExperimentResults) -> Iterator[Observation]:
    """At how many of the same values each swept variant comes most of the way to its floor."""
    swept, last = along_axis(results), results.last
    points = [tuple(r.point for r in members) for members in swept.values()]
    everyone = [r for members in swept.values() for r in members]
    same = len(points) > 1 and len(set(points)) == 1 and len(points[0]) >= FEWEST_VALUES
    if not same or any(r.gap(0) is None or r.starts_at_floor for r in everyone):
        return
    counts = {name: sum(r.is_closed(last) for r in members) for name, members in swept.items()}
    most, least = max(counts.values()), min(counts.values())
    if most == least:
        return
    facts: Facts = {
        "subjects": tuple(Subject(name) for name, count in counts.items() if count == most),
        "others": tuple(Subject(name) for name, count in counts.items() if count == least),
        "count": Count(most),
        "fewest": Count(least),
        "points": Count(len(points[0])),
        "budget": Count(last),
    }
    claims = tuple(
        r.cite(r.closed_formula(last) if r.is_closed(last) else f"not ({r.closed_formula(last)})")
        for r in everyone
        if r.index(last) is not None
    )
    claims += tuple(r.cite(f"{r.gap_formula(0)} > allowance") for r in everyone)
    yield Observation("usable-values", facts, runs=len(everyone), claims=claims)


def _first(results: ExperimentResults) -> Subject:
    """The variant that the others are compared with."""
    return Subject(next(iter(along_axis(results))))


@rule(
    "at-same-values-starts",
    "reliability",
    0.96,
    thresholds=("NO_ODDS", "FEWEST_PAIRS", "MOSTLY_STARTS"),
    part="scope",
)
def at_same_values_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Up to which value variants are lower from nearly every other start, early and at the end."""
    measured = _measured(results, results.last)
    if measured is None or not any(v.count for v in measured[1]):
        return
    facts: Facts = {
        "other": _first(results),
        "budget": Count(results.last),
        "share": Share(thresholds.MOSTLY_STARTS),
    }
    claims: list[Source] = []
    counts: list[int] = []
    for key, budget in (("early", results.budgets[0]), ("ranges", results.last)):
        ranges = []
        for variant in (_measured(results, budget) or measured)[1]:
            pairs = _from_starts(results, variant, Measure(measured[0].is_loss, budget))
            often = [p for p in pairs if p.lower >= thresholds.MOSTLY_STARTS * p.count]
            if often:
                end = often[-1].pairs[0][0]
                ranges.append(UpTo(Subject(variant.name, end.point)))
            for pair in pairs:
                sign = ">=" if pair in often else "<"
                claims.append(pair.cite(f"{pair.formula()} {sign} MOSTLY_STARTS * {pair.count}"))
                claims.append(pair.cite(f"{pair.count} >= FEWEST_PAIRS"))
            counts += [p.count for p in pairs] or [0]
        facts[key] = tuple(ranges)
    # Without other starts of each variant nobody knows that none is lower.
    if not (facts["early"] if facts["ranges"] else all(counts)):
        return
    facts["first"], facts["count"] = Count(results.budgets[0]), Count(min(filter(None, counts)))
    form = "none" if not facts["ranges"] else "rounds" if len(results.budgets) > 1 else ""
    yield Observation(
        "at-same-values-starts",
        facts,
        runs=2 * sum(counts),
        form=form,
        strength="statistical",
        claims=tuple(claims),
    )


def _from_starts(
    results: ExperimentResults, variant: SameValues, measure: Measure
) -> list[StartPairs]:
    """A variant and the first one from other starts, up to where it is no longer mostly lower."""
    found = []
    for pair in variant.pairs:
        pairs = from_other_starts(results, *pair, measure)
        if pairs is None:
            break
        found.append(pairs)
        if pairs.lower < thresholds.MOSTLY_STARTS * pairs.count:
            break
    return found


@rule(
    "steps-too-large",
    "optimizer",
    0.72,
    thresholds=("NO_ODDS", "SATURATED", "OFTEN_RISING", "ROUNDING"),
    part="reason",
)
def steps_too_large(results: ExperimentResults) -> Iterator[Observation]:
    """Learning rates beyond those at which variants are lower: saturation, or swinging losses."""
    measured = _measured(results, results.last)
    if measured is None or any(key != RATE for key, _ in results.plan.axes):
        return
    measure, variants = measured
    beyond = [pair for v in variants if v.has_range for pair in v.beyond]
    saturated = _saturated(results, beyond, measure)
    swings = {r: _rises(r, results.last) for r, _ in beyond if r not in saturated}
    # A step at which a variant ends as low as at any other is not too large.
    often = thresholds.OFTEN_RISING * results.last
    lower = {r: _lower_elsewhere(results, r, measure) for r, n in swings.items() if n >= often}
    swinging = [r for r, best in lower.items() if best is not None]
    facts: Facts = {"budget": Count(results.last)}
    claims: list[Source] = []
    if saturated:
        slope = f"max({_slope_formula(results.last)})"
        largest = max(_slope_at_end(r, results.last) for r in saturated)
        facts["saturated"] = from_a_value_on(results, saturated)
        facts["slope"] = Number(largest, cite(f"max(each({slope}))", saturated), digits=2)
        claims += [r.cite(f"{slope} <= SATURATED * {LARGEST_SLOPE['sigmoid']}") for r in saturated]
        claims += [lower_claim(o, r, measure) for r, o in beyond if r in saturated]
    if swinging:
        rises = f"count({rising_formula(results.last)})"
        facts["swinging"] = from_a_value_on(results, swinging)
        facts["share"] = Share(thresholds.OFTEN_RISING)
        claims += [r.cite(f"{rises} >= OFTEN_RISING * {results.last}") for r in swinging]
        claims += [lower_claim(r, o, measure, holds=False) for r, o in beyond if r in swinging]
        claims += [lower_claim(best, r, measure) for r, best in lower.items() if best is not None]
    if claims:
        claims += _up_to_these(variants, {*saturated, *swinging}, measure)
        form = "both" if saturated and swinging else "" if saturated else "swings"
        runs = len(saturated) + len(swinging)
        yield Observation("steps-too-large", facts, runs, form=form, claims=tuple(claims))


def _up_to_these(
    variants: Sequence[SameValues], told: Set[Result], measure: Measure
) -> Iterator[Source]:
    """The claims that variants with these results are lower up to them."""
    for variant in variants:
        if any(r in told for r, _ in variant.beyond):
            yield from (lower_claim(*pair, measure) for pair in variant.pairs[: variant.count])


def _lower_elsewhere(results: ExperimentResults, result: Result, measure: Measure) -> Result | None:
    """The best point of the same variant, if it is lower than this one."""
    best = best_of(results.swept[result.variant], measure)
    return best if best is not None and is_lower(best, result, measure) else None


def _saturated(
    results: ExperimentResults, beyond: Sequence[tuple[Result, Result]], measure: Measure
) -> list[Result]:
    """Results that are behind, and all of whose outputs end in saturation."""
    flat = thresholds.SATURATED * LARGEST_SLOPE["sigmoid"]
    return [
        r
        for r, other in beyond
        if is_lower(other, r, measure) and _slope_at_end(r, results.last) <= flat
    ]


def _rises(result: Result, budget: int) -> int:
    """In how many rounds the loss rises."""
    return int(rising(result, budget).sum())


def _slope_formula(budget: int) -> str:
    return f"wide(outputs_at({budget})) * (1 - wide(outputs_at({budget})))"


def _slope_at_end(result: Result, budget: int) -> float:
    """The largest o(1 − o) of any output; infinite where outputs are no sigmoids."""
    outputs = result.outputs(budget)
    if outputs is None or result.run.config.network.activations[-1] != "sigmoid":
        return inf
    wide = outputs.astype(np.float64)
    return float((wide * (1 - wide)).max())
