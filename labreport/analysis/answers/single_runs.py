"""Variants that are one run each: who is ahead, by how much, and from which starts that holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from labreport.analysis import thresholds
from labreport.analysis.comparing import (
    Measure,
    StartPairs,
    from_other_starts,
    is_lower,
    lower_claim,
)
from labreport.analysis.measures.statistics import sign_test
from labreport.analysis.observation import Count, Facts, Observation, Part, Source, Subject
from labreport.analysis.results import ExperimentResults, Result, distinct
from labreport.analysis.rule import rule
from labreport.analysis.standings import (
    Standing,
    compared,
    standing,
    standing_when_continued,
    standings,
)
from labreport.lab.changes import quantity


@rule("who-leads", "comparison", 0.95, thresholds=("NO_ODDS",), part="verdict")
def who_leads(results: ExperimentResults) -> Iterator[Observation]:
    """Which variant is ahead, and whether that depends on how long one trains."""
    found = standings(results)
    if not found:
        return
    last = found[-1]
    always = [r for r in last.first if all(r in s.first for s in found)]
    leading = last.first
    facts: Facts = {"budget": Count(last.measure.budget), "count": Count(_count(found))}
    early = None
    if not any(s.others for s in found):
        form = "level"
    elif not last.others:
        # Who led earlier does not lead in the end.
        form, early = "evens", next(s for s in found if s.others)
    elif not always:
        turned = (s for s in found if not set(s.first) & set(leading))
        form, early = "turns", next(turned, found[0])
    elif len(found) > 1 and all(s.others for s in found):
        # Who shares the lead in the end only has not led throughout.
        form = "throughout" if len(always) == len(last.first) else "shared"
        leading = tuple(always)
        facts["level"] = in_order(results, [r for r in last.first if r not in always])
    else:
        form = "one"
    facts["subjects"] = in_order(results, leading)
    if form in ("one", "throughout"):
        rivals = [r for r in (*last.first, *last.others) if r not in leading]
        facts["others"] = in_order(results, rivals)
    if early is not None:
        facts["early"] = in_order(results, early.first)
        facts["first"] = Count(early.measure.budget)
    claims = tuple(claim for s in found for claim in s.claims)
    yield Observation("who-leads", facts, runs=_count(found), form=form, claims=claims)


@rule("rounding-decides", "comparison", 0.97, thresholds=("NO_ODDS",), part="scope")
def rounding_decides(results: ExperimentResults) -> Iterator[Observation]:
    """Variants of which others are ahead when the same runs are rounded otherwise."""
    found = standings(results)
    if not found:
        return
    now = found[-1]
    for twins in zip(*(r.twins for r in (*now.first, *now.others)), strict=False):
        other = standing(twins, results.last)
        if other is None or {r.variant for r in now.first} <= {r.variant for r in other.first}:
            continue
        facts: Facts = {
            "subjects": in_order(results, other.first),
            "before": in_order(results, now.first),
            "budget": Count(results.last),
        }
        claims = (*now.claims, *other.claims)
        yield Observation("rounding-decides", facts, 2 * _count(found), claims=claims)
        return


def in_order(results: ExperimentResults, members: Sequence[Result]) -> tuple[Subject, ...]:
    """Variants as an experiment has them: those that are level have no order of their own."""
    names = [variant.name for variant in results.plan.variants]
    return tuple(
        sorted((Subject(r.variant) for r in members), key=lambda s: names.index(s.variant))
    )


def _count(found: Sequence[Standing]) -> int:
    return len(found[-1].first) + len(found[-1].others)


def pair_at_end(results: ExperimentResults) -> tuple[Result, Result, Measure] | None:
    """The variant that is ahead at the last budget, and the one that it is compared with.

    That is the first variant; if it is itself ahead, the next one behind it.
    """
    found = standings(results)
    if not found or not found[-1].others:
        return None
    last = found[-1]
    reference = compared(results)[0]
    behind = reference if reference in last.others else last.others[0]
    return last.first[0], behind, last.measure


@rule("end-values", "comparison", 0.6, thresholds=("NO_ODDS",), part="effect")
def end_values(results: ExperimentResults) -> Iterator[Observation]:
    """What the leader and the variant that it is compared with have come to."""
    pair = pair_at_end(results)
    if pair is None:
        return
    ahead, behind, measure = pair
    facts: Facts = {
        "subject": ahead.subject,
        "other": behind.subject,
        "budget": Count(measure.budget),
        "value": measure.number(ahead),
        "other_value": measure.number(behind),
    }
    form = "" if measure.is_loss else "error"
    claims = (lower_claim(ahead, behind, measure),)
    yield Observation("end-values", facts, runs=2, form=form, claims=claims)


@rule(
    "holds-over-starts",
    "reliability",
    {"": 0.9, "mostly": 0.91, **dict.fromkeys(("depends", "level", "reversed", "fewer"), 0.95)},
    thresholds=("NO_ODDS", "FEWEST_PAIRS", "MOSTLY_STARTS", "SIGNIFICANCE"),
    part="scope",
)
def holds_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """From how many other starts the variant that is ahead is ahead as well.

    That it is ahead of the one that it is compared with; and of the next one behind it, or of the
    one that led before, where less can be said of that.
    """
    pair = pair_at_end(results)
    if pair is None:
        return
    ahead, behind, measure = pair
    found = []
    for rival in dict.fromkeys((behind, _hardest_rival(results))):
        pairs = from_other_starts(results, ahead, rival, measure)
        if pairs is not None:
            one = over_starts("holds-over-starts", ahead, rival, pairs)
            found.append(replace(one, claims=(*one.claims, lower_claim(ahead, rival, measure))))
    yield from found[:1]
    yield from (o for o in found[1:] if o.form not in ("all", found[0].form))


def _hardest_rival(results: ExperimentResults) -> Result:
    """Of those that are behind in the end the one that led before, else the next one behind."""
    found = standings(results)
    last = found[-1]
    led = (r for s in found if s.others for r in s.first if r in last.others)
    return next(led, last.others[0])


def over_starts(rule: str, ahead: Result, behind: Result, pairs: StartPairs) -> Observation:
    """How often one of two results is the lower one from other starts, as an observation."""
    most, lower, higher = (
        thresholds.MOSTLY_STARTS * pairs.count,
        pairs.formula(),
        pairs.formula(higher=True),
    )
    nearly_all = f"MOSTLY_STARTS * {pairs.count}"
    level = f"{lower} + {higher} <= {pairs.count} - {nearly_all}"
    if pairs.lower == pairs.count:
        form, claim = "all", f"{lower} == {pairs.count}"
    elif pairs.lower >= most:
        form, claim = "mostly", f"{pairs.count} > {lower} >= {nearly_all}"
    elif pairs.higher >= most:
        form, claim = "reversed", f"{higher} >= {nearly_all}"
    elif pairs.lower + pairs.higher <= pairs.count - most:
        form, claim = "level", level
    else:
        form, test = _by_sign_test(pairs)
        claim = f"max(({lower}, {higher})) < {nearly_all} and not ({level}) and {test}"
    facts: Facts = {
        "subject": ahead.subject,
        "other": behind.subject,
        "count": Count(pairs.count, pairs.cite("size(each(rounds)) // 2")),
        "lower": Count(pairs.lower, pairs.cite(lower)),
        "higher": Count(pairs.higher, pairs.cite(higher)),
        "even": Count(
            pairs.count - pairs.lower - pairs.higher,
            pairs.cite(f"{pairs.count} - {lower} - {higher}"),
        ),
        "budget": Count(pairs.measure.budget),
    }
    claims = tuple(pairs.cite(c) for c in (claim, f"{pairs.count} >= FEWEST_PAIRS"))
    return Observation(
        rule, facts, runs=2 * pairs.count, form=form, strength="statistical", claims=claims
    )


def _by_sign_test(pairs: StartPairs) -> tuple[str, str]:
    """Which of two is lower more often than chance explains, and the formula that says so."""
    lower, higher = pairs.formula(), pairs.formula(higher=True)
    test = f"sign_test({lower}, {higher})"
    if sign_test(pairs.lower, pairs.higher) > thresholds.SIGNIFICANCE:
        return "depends", f"{test} > SIGNIFICANCE"
    form, sign = ("more", ">") if pairs.lower > pairs.higher else ("fewer", "<")
    return form, f"{test} <= SIGNIFICANCE and {lower} {sign} {higher}"


@rule(
    "leads-longer",
    "reliability",
    {"": 0.6, "turns": 0.93, "joined": 0.93},
    thresholds=("NO_ODDS",),
    part="scope",
)
def leads_longer(results: ExperimentResults) -> Iterator[Observation]:
    """Who is ahead when training is continued."""
    found, later = standings(results), standing_when_continued(results)
    if not found or not found[-1].others or later is None:
        return
    rounds = later.measure.budget
    now = {r.variant for r in found[-1].first}
    form = "turns"
    if now & {r.variant for r in later.first}:
        form = "" if {r.variant for r in later.first} <= now else "joined"
    form = form if later.others else "level"
    facts: Facts = {
        "subjects": in_order(results, later.first),
        "before": in_order(results, found[-1].first),
        "rounds": Count(rounds, later.first[0].cite("rounds")),
        "budget": Count(results.last),
    }
    claims = (*found[-1].claims, *later.claims)
    yield Observation("leads-longer", facts, 2 * _count(found), form=form, claims=claims)


@rule(
    "reaches-from-starts",
    "reliability",
    0.92,
    thresholds=("FEWEST_PAIRS", "MOSTLY_STARTS", "MOST_OF_THE_WAY", "NO_ODDS", "ROUNDING"),
    part="scope",
)
def reaches_from_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that fail from other starts, where others do not."""
    shares = _arrived(results)
    safe = [entry for entry in shares if entry[1] == len(entry[2])]
    failing = sorted(
        (e for e in shares if e[1] <= thresholds.MOSTLY_STARTS * len(e[2])), key=lambda e: e[1]
    )
    apart = _ends_apart(failing[0][2], results.last) if failing else None
    if not safe or apart is None:
        return
    result, reached, starts = failing[0]
    closed = f"count(each({starts[0].closed_formula(results.last)}))"
    facts: Facts = {
        "subject": result.subject,
        "safe": tuple(r.subject for r, _, _ in safe),
        "count": Count(len(starts), _cite("size(each(rounds))", starts)),
        "failed": Count(len(starts) - reached, _cite(f"size(each(rounds)) - {closed}", starts)),
        "budget": Count(results.last),
    }
    claims = [
        _cite(f"count(each({members[0].closed_formula(results.last)})) == {len(members)}", members)
        for _, _, members in safe
    ]
    claims += [r.cite(f"{r.gap_formula(0)} > allowance") for r, _, _ in safe]
    claims.append(_cite(f"{closed} <= MOSTLY_STARTS * size(each(rounds))", starts))
    is_often = 2 * reached <= len(starts)
    half = f"2 * {closed} {'<=' if is_often else '>'} size(each(rounds))"
    claims += [_cite(half if reached else f"{closed} == 0", starts), *apart]
    claims += [
        _cite("size(each(rounds)) >= FEWEST_PAIRS", members)
        for _, _, members in (*safe, failing[0])
    ]
    yield Observation(
        "reaches-from-starts",
        facts,
        runs=sum(len(members) for _, _, members in shares),
        form="always" if not reached else "often" if is_often else "",
        strength="statistical",
        claims=tuple(claims),
    )


def _ends_apart(starts: Sequence[Result], budget: int) -> list[Source] | None:
    """The claim that starts do not all end at the same loss; None where they do.

    Such runs differ in where they began, and in nothing else. Where none succeeds, nothing is
    claimed.
    """
    if not any(r.is_closed(budget) for r in starts):
        return []
    ordered = sorted(starts, key=lambda r: r.loss(budget) or 0.0)
    lowest, highest = ordered[0], ordered[-1]
    if not is_lower(lowest, highest, Measure(is_loss=True, budget=budget)):
        return None
    return [lower_claim(lowest, highest, Measure(is_loss=True, budget=budget), holds=True)]


def _arrived(results: ExperimentResults) -> list[tuple[Result, int, list[Result]]]:
    """Each variant, how many of its other starts come near the floor, and these starts."""
    found = []
    # What is at its floor whatever its weights has nothing to succeed at.
    for result in distinct(r for r in results.singles if r.is_trained and not r.starts_at_floor):
        starts = list(results.control("other-starts", result))
        # Of a start that ended before nobody knows how far it would have come.
        known = all(s.gap(results.last) is not None for s in starts)
        if known and len(starts) >= thresholds.FEWEST_PAIRS:
            found.append((result, sum(s.is_closed(results.last) for s in starts), starts))
    return found


def _cite(formula: str, members: Sequence[Result]) -> Source:
    return Source(formula, tuple(r.run.name for r in members))


_Nearer = tuple[Result, Result, Measure]
"""A variant, the one with another loss that it is compared with, and their common measure."""


@rule("nearer-to-targets", "comparison", 0.95, thresholds=("NO_ODDS",), part="effect")
def nearer_to_targets(results: ExperimentResults) -> Iterator[Observation]:
    """Variants with another loss than what they are compared with, by distance from the targets."""
    found = [pairs for b in results.budgets if (pairs := _with_other_losses(results, b))]
    if not found:
        return
    # The last number of rounds at which all comparisons agree; where none does, or where it turns
    # round afterwards, the last one.
    clear = [pairs for pairs in found if all(is_lower(*pair) for pair in pairs)]
    turned = any(is_lower(other, result, measure) for result, other, measure in found[-1])
    pairs = found[-1] if turned else (clear or found)[-1]
    lower = [is_lower(*pair) for pair in pairs]
    higher = [is_lower(other, result, measure) for result, other, measure in pairs]
    result, other, measure = pairs[-1]
    facts: Facts = {
        "loss": Part("loss", result.run.config.loss),
        "other_loss": Part("loss", other.run.config.loss),
        "count": Count(len(pairs)),
        "lower": Count(sum(lower)),
        "value": measure.number(result),
        "other_value": measure.number(other),
        "subject": result.subject,
        "other": other.subject,
        "budget": Count(measure.budget),
    }
    level = not any(lower) and not any(higher)
    form = "all" if all(lower) else "none" if all(higher) else "level" if level else "some"
    claims = [lower_claim(*pair, holds=holds) for pair, holds in zip(pairs, lower, strict=True)]
    claims += [
        lower_claim(o, r, m, holds=holds) for (r, o, m), holds in zip(pairs, higher, strict=True)
    ]
    for later in found[found.index(pairs) + 1 :]:
        # There they agree no longer, and at the end none of them has turned round.
        claims.append(lower_claim(*next(p for p in later if not is_lower(*p)), holds=False))
        claims += [lower_claim(o, r, m, holds=False) for r, o, m in later if later is found[-1]]
    yield Observation("nearer-to-targets", facts, 2 * len(pairs), form=form, claims=tuple(claims))


def _with_other_losses(results: ExperimentResults, budget: int) -> list[_Nearer]:
    """Comparisons of two losses on the same targets, of the kind that is most frequent."""
    found: dict[object, _Nearer] = {}
    for result in replace(results, names_once=False).singles:
        other = results.against(result)
        if other is None or quantity(result.run.config) == quantity(other.run.config):
            continue
        measure = Measure.of((result, other), budget)
        if measure is not None and None not in (measure.value(result), measure.value(other)):
            # The same two runs under other names are no further comparison.
            found.setdefault((result.identity, other.identity), (result, other, measure))
    pairs = list(found.values())
    kinds = [(quantity(r.run.config), quantity(o.run.config)) for r, o, _ in pairs]
    kind = max(dict.fromkeys(kinds), key=kinds.count, default=None)
    return [pair for pair, own in zip(pairs, kinds, strict=True) if own == kind]
