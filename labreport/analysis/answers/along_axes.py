"""Sweeps over one number: how the result depends on it, alone and for several variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from labreport.analysis import thresholds
from labreport.analysis.answers.shapes import Shape
from labreport.analysis.answers.single_runs import in_order, over_starts
from labreport.analysis.comparing import (
    Measure,
    StartPairs,
    is_lower,
    lower_claim,
)
from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Share,
    Source,
    Subject,
)
from labreport.analysis.points import RATE, is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.learning_rates import EqualProduct, equal_products
from labreport.lab.bounds import allowed
from labreport.lab.plan import Point


def along_axis(results: ExperimentResults) -> Mapping[str, list[Result]]:
    """The results of every swept variant in the order of the one number that is swept.

    Empty where something else is swept, or where a result is missing at some value.
    """
    if len(results.plan.axes) != 1:
        return {}
    found = {}
    for name, members in results.swept.items():
        if not all(len(r.point) == 1 and is_number(r.point[0][1]) for r in members):
            return {}
        found[name] = sorted(members, key=lambda r: float(r.point[0][1]))
    everything = [r for members in found.values() for r in members]
    if len(everything) < 3 or Measure.of(everything, results.last) is None:
        return {}
    return found


@dataclass(frozen=True)
class OneAxis:
    """The results of one variant along the one number that is swept, and by what they compare."""

    members: list[Result]
    measure: Measure

    @property
    def there(self) -> list[Result]:
        """Those that got so far; the others ended before, and are worse than any."""
        return _there(self.members, self.measure)

    @property
    def best(self) -> Result | None:
        """The lowest of them, the first of equals."""
        return best_of(self.members, self.measure)


def one_axis(results: ExperimentResults) -> OneAxis | None:
    """The one variant that is swept over one number; None where several are, or none is."""
    swept = list(along_axis(results).values())
    if len(swept) != 1:
        return None
    measure = Measure.of(swept[0], results.last)
    assert measure is not None
    return OneAxis(swept[0], measure)


def _there(members: Sequence[Result], measure: Measure) -> list[Result]:
    """Results that got so far."""
    return [r for r in members if measure.value(r) is not None]


def best_of(members: Sequence[Result], measure: Measure) -> Result | None:
    """The result that is lowest, the first of equals."""
    return min(_there(members, measure), key=lambda r: measure.value(r) or 0.0, default=None)


def lowest_claims(best: Result, members: Sequence[Result], measure: Measure) -> Iterator[Source]:
    """The claims that none of these results is lower than the best of them."""
    for other in _there(members, measure):
        if other is not best:
            formula = f"{measure.formula(best, 'r1.')} <= {measure.formula(other, 'r2.')}"
            yield cite(formula, (best, other))


@rule("sweep-shape", "comparison", 0.97, thresholds=("NO_ODDS",), part="verdict")
def sweep_shape(results: ExperimentResults) -> Iterator[Observation]:
    """Whether a larger value is better, and from where on it is not."""
    axis = one_axis(results)
    if axis is None or axis.best is None or len(axis.there) < 3:
        return
    members, measure, there, best = axis.members, axis.measure, axis.there, axis.best
    shape = Shape(best, there, measure)
    ended = [r for r in members if r not in there]
    claims = [*lowest_claims(best, members, measure)]
    facts: Facts = {
        "best": Subject("", best.point),
        "budget": Count(results.last),
        "lowest": Subject("", members[0].point),
        "highest": Subject("", members[-1].point),
    }
    if ended and members.index(ended[0]) < members.index(there[-1]):
        form = "uneven"  # Some values do not get so far, and larger ones do.
        claims += [r.cite("ending != 'completed'") for r in ended[:1]]
    elif ended and shape.form in ("level", "falling"):
        return
    else:
        form = f"{shape.form}-ended" if ended and shape.form == "rising" else shape.form
        claims += shape.claims
    if form == "peak":
        facts["worse"] = Subject("", shape.worse[0].point)
    first, last = shape.level[0], shape.level[-1]
    if form in ("peak", "rising-ended") and last - first == len(shape.level) - 1 > 0:
        form = f"{form}-level"
        facts["first"], facts["last"] = (Subject("", there[k].point) for k in (first, last))
        claims += [lower_claim(best, there[k], measure, holds=False) for k in shape.level]
    elif form in ("rising", "falling") and shape.flat is not None:
        form = f"{form}-flat"
        facts["flat"] = Subject("", shape.flat.point)
    elif form in ("rising", "falling") and _is_at_bound(best):
        form = f"{form}-bound"
    yield Observation("sweep-shape", facts, len(members), form=form, claims=tuple(claims))


def _is_at_bound(result: Result) -> bool:
    """Return whether beyond the value of a result there is nothing that may be tried."""
    ((key, value),) = result.point
    return value in allowed(result.run.config, key)


@rule("sweep-values", "comparison", 0.7, thresholds=("NO_ODDS",), part="effect")
def sweep_values(results: ExperimentResults) -> Iterator[Observation]:
    """What the best value of a sweep comes to, and the worst."""
    axis = one_axis(results)
    if axis is None or axis.best is None:
        return
    members, measure, best = axis.members, axis.measure, axis.best
    worst = max(axis.there, key=lambda r: measure.value(r) or 0.0)
    if not is_lower(best, worst, measure):
        return
    early = Measure(measure.is_loss, results.budgets[0])
    quick = best_of(members, early)
    facts: Facts = {
        "best": Subject("", best.point),
        "value": measure.number(best),
        "worst": Subject("", worst.point),
        "other_value": measure.number(worst),
        "budget": Count(results.last),
        "total": Count(len(members), cite("size(each(rounds))", members)),
    }
    form = ""
    claims = [*lowest_claims(best, members, measure)]
    if quick is not None and quick is not best:
        ended = quick not in axis.there
        led, leads = is_lower(quick, best, early), ended or is_lower(best, quick, measure)
        claims += lowest_claims(quick, members, early)
        claims.append(lower_claim(quick, best, early, holds=led))
        if not ended:
            claims.append(lower_claim(best, quick, measure, holds=leads))
        if led and leads:
            form = "moves"
            facts["early"], facts["first"] = Subject("", quick.point), Count(early.budget)
    yield Observation("sweep-values", facts, len(members), form=form, claims=tuple(claims))


@rule("best-point", "comparison", 0.9, thresholds=("NO_ODDS",), part="verdict")
def best_point(results: ExperimentResults) -> Iterator[Observation]:
    """The best of the points of a sweep that have no order: of several keys, or of names."""
    if len(results.swept) != 1 or along_axis(results):
        return
    ((_, members),) = results.swept.items()
    measure = Measure.of(members, results.last)
    best = best_of(members, measure) if measure is not None else None
    if measure is None or not measure.is_loss or best is None or len(members) < 2:
        return
    others = [r for r in _there(members, measure) if r is not best]
    level = [r for r in others if not is_lower(best, r, measure)]
    facts: Facts = {
        "best": Subject("", best.point),
        "value": measure.number(best),
        "total": Count(len(members), cite("size(each(rounds))", members)),
        "level": Count(len(level)),
        "budget": Count(results.last),
    }
    form = "level" if len(level) == len(members) - 1 else "shared" if level else "one"
    claims = [lower_claim(best, r, measure, holds=r not in level) for r in others]
    claims += lowest_claims(best, members, measure)
    yield Observation("best-point", facts, len(members), form=form, claims=tuple(claims))


def tuned(results: ExperimentResults) -> list[Result]:
    """Each swept variant at its best point, the lowest first; none where one has no such point."""
    everything = results.everywhere
    measure = Measure.of(everything, results.last) if len(results.swept) > 1 else None
    if measure is None:
        return []
    found = [best_of(members, measure) for members in results.swept.values()]
    there = [r for r in found if r is not None]
    return sorted(there, key=lambda r: measure.value(r) or 0.0) if len(there) == len(found) else []


@rule("each-at-its-best", "comparison", 0.8, thresholds=("NO_ODDS",), part="effect")
def each_at_its_best(results: ExperimentResults) -> Iterator[Observation]:
    """What is left of the differences when each variant has its best value."""
    ranked = tuned(results)
    if len(ranked) < 2:
        return
    measure = Measure.of(ranked, results.last)
    assert measure is not None
    level = [r for r in ranked if not is_lower(ranked[0], r, measure)]
    behind = [r for r in ranked if r not in level]
    facts: Facts = {
        "subjects": in_order(results, level),
        "others": in_order(results, behind),
        "value": measure.number(ranked[0]),
        "other_value": measure.number(ranked[-1]),
        "budget": Count(results.last),
    }
    form = "ahead" if len(level) == 1 else "some" if behind else "level"
    claims = [lower_claim(ranked[0], r, measure, holds=r in behind) for r in ranked[1:]]
    pairs = list(_at_equal_points(results))
    # Of what ended before nobody knows whether it would be level.
    known = all(measure.value(r) is not None for pair in pairs for r in pair)
    if form == "level" and known and not any(is_lower(*pair, measure) for pair in pairs):
        form = "alike"
        claims += [lower_claim(*pair, measure, holds=False) for pair in pairs]
    for result in ranked:
        claims += lowest_claims(result, results.swept[result.variant], measure)
    runs = len(results.everywhere)
    yield Observation("each-at-its-best", facts, runs, form=form, claims=tuple(claims))


def _at_equal_points(results: ExperimentResults) -> Iterator[tuple[Result, Result]]:
    """Every two results of different variants at one point, either of them first."""
    points: dict[Point, list[Result]] = {}
    for result in results.everywhere:
        points.setdefault(result.point, []).append(result)
    for members in points.values():
        yield from permutations(members, 2)


@rule(
    "tuned-over-starts",
    "reliability",
    0.95,
    thresholds=("NO_ODDS", "FEWEST_PAIRS", "MOSTLY_STARTS", "SIGNIFICANCE"),
    part="scope",
)
def tuned_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """How often the variant that is best at its best value is so from other starts.

    From each start with the value that is best there, which another start may not have.
    """
    ranked = tuned(results)
    if len(ranked) < 2:
        return
    measure = Measure.of(ranked, results.last)
    assert measure is not None
    behind = [r for r in ranked if is_lower(ranked[0], r, measure)]
    # The first variant, as elsewhere; if that is itself the best, the next one behind it.
    first = next(iter(results.swept))
    others = [r for r in ranked[1:] if r.variant == first] or behind or ranked[1:]
    other = others[0]
    mine, theirs = (_tuned_from_starts(results, r.variant, measure) for r in (ranked[0], other))
    if mine is None or theirs is None or len(mine.best) != len(theirs.best):
        return
    # A run of one configuration under two names is no pair.
    both = zip(mine.best, theirs.best, strict=True)
    apart = tuple((a, b) for a, b in both if a.run.config.digest != b.run.config.digest)
    if len(apart) < thresholds.FEWEST_PAIRS:
        return
    pairs = StartPairs(apart, measure)
    found = over_starts("tuned-over-starts", ranked[0], other, pairs)
    named = {"subject": Subject(ranked[0].variant), "other": Subject(other.variant)}
    found = replace(found, facts={**found.facts, **named})
    if other in behind:
        lead = lower_claim(ranked[0], other, measure)
    else:
        # Level from the start of the lab: whoever is lower from others is so by the start.
        own = {"level": "still-level", "depends": "depends"}
        found = replace(found, form=own.get(found.form, "not-level"))
        lead = lower_claim(ranked[0], other, measure, holds=False)
    yield replace(found, claims=(*found.claims, lead, *mine.claims, *theirs.claims))


@dataclass(frozen=True)
class _TunedFromStarts:
    """A swept variant from other starts, at the best value of each.

    Attributes:
        best: the run with the lowest loss from each start.
        claims: that no other value has a lower one there.
    """

    best: Sequence[Result]
    claims: Sequence[Source]


def _tuned_from_starts(
    results: ExperimentResults, variant: str, measure: Measure
) -> _TunedFromStarts | None:
    """None where there are too few other starts, or from one of them no value gets so far."""
    points = [results.control("other-starts", r) for r in results.swept[variant]]
    counts = {len(members) for members in points}
    if len(counts) != 1 or min(counts) < thresholds.FEWEST_PAIRS:
        return None
    found = [best_of(at_start, measure) for at_start in zip(*points, strict=True)]
    best = [r for r in found if r is not None]
    if len(best) < len(found):
        return None
    claims = []
    for lowest, at_start in zip(best, zip(*points, strict=True), strict=True):
        each = f"each({measure.formula(lowest)})"
        there = (r for r in at_start if r is not lowest and measure.value(r) is not None)
        claims.append(cite(f"{each}[0] <= min({each})", (lowest, *there)))
    return _TunedFromStarts(best, claims)


@rule("rate-times-rounds", "optimizer", 0.9, thresholds=("CLOSE",), part="reason")
def rate_times_rounds(results: ExperimentResults) -> Iterator[Observation]:
    """Up to which learning rate only the product of rate and rounds counts.

    To first order in the learning rate, gradient descent follows the gradient flow for the time
    learning rate × rounds.
    """
    found = sorted(equal_products(results), key=lambda pair: pair.rate)
    alike = []
    for pair in found:
        if pair.apart > thresholds.CLOSE:
            break
        alike.append(pair)
    # All pairs up to a rate agree; where a pair with that rate does not, the rate is too large.
    if alike and len(alike) < len(found):
        alike = [pair for pair in alike if pair.rate < found[len(alike)].rate]
    # Where a loss has hardly moved, any products give the same.
    moved = [pair for pair in alike if _has_moved(pair)]
    if len(moved) < 3:
        return
    apart = ", ".join(pair.formula_of(2 * k + 1) for k, pair in enumerate(alike))
    everyone = [r for pair in alike for r in (pair.slow, pair.quick)]
    facts: Facts = {
        "largest": Subject("", ((RATE, alike[-1].rate),)),
        "difference": Share(max(p.apart for p in alike), cite(f"max(({apart},))", everyone)),
        "count": Count(len(alike)),
    }
    claims = [pair.cite(f"{pair.formula} <= CLOSE") for pair in alike]
    claims += [pair.cite(f"{_moved_formula(pair)} > CLOSE") for pair in moved]
    yield Observation("rate-times-rounds", facts, 2 * len(alike), claims=tuple(claims))


def _has_moved(pair: EqualProduct) -> bool:
    start, end = float(pair.slow.losses[0]), pair.slow.loss(pair.many)
    return end is not None and start > 0 and abs(start - end) / start > thresholds.CLOSE


def _moved_formula(pair: EqualProduct) -> str:
    return f"abs(r1.losses[0] - r1.{pair.slow.loss_formula(pair.many)}) / r1.losses[0]"
