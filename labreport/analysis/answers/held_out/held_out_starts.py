"""Random starts on held-out rows, how scores vary there, and after which round runs are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    compared_on,
    has_classes,
    kept_step,
    on_parts,
    row_count,
    score_formula,
    scores,
)
from labreport.analysis.answers.held_out.validation_pairs import ValidationPairs, validation_pairs
from labreport.analysis.answers.step_sizes import at_rate, changed_besides_steps
from labreport.analysis.held_out import held_out
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    Rounds,
    Share,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, cite, distinct
from labreport.analysis.rule import rule
from labreport.analysis.rules.reliability import compared_starts

FEW_KEPT = 3
"""Runs of which it is told after which round each is kept."""


@rule(
    "starts-on-validation",
    "generalisation",
    0.995,
    thresholds=("SIGNIFICANCE", "NO_ODDS"),
    part="verdict",
)
def starts_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """Two variants from the same seeds: in how many pairs one has the lower loss on validation."""
    for members, theirs in compared_starts(results):
        pairs = validation_pairs(members, theirs, results.last)
        if len(pairs.runs) > 1:
            yield _compared(Subject(members[0].variant), Subject(theirs[0].variant), pairs)


def _compared(mine: Subject, theirs: Subject, pairs: ValidationPairs) -> Observation:
    """What the pairs show; the variant that is ahead more often comes first."""
    if pairs.below < pairs.above:
        mine, theirs, pairs = theirs, mine, pairs.turned
    facts: Facts = {
        "subject": mine,
        "other": theirs,
        "lower": pairs.lower,
        "even": pairs.even,
        "count": pairs.count,
        "rows": row_count(pairs.runs[0][0], VALIDATION),
        "budget": Count(pairs.budget),
    }
    form, claim = "" if pairs.is_sure else "open", pairs.claim
    if pairs.level == len(pairs.runs):
        form, claim = "level", pairs.cite(f"{pairs.below_formula} + {pairs.above_formula} == 0")
    made = Observation("starts-on-validation", facts, len(pairs.members), form=form)
    return replace(made, strength="statistical", claims=(claim,))


@rule(
    "validation-at-other-rates",
    "generalisation",
    {"": 0.9, "open": 0.98, "turns": 0.99},
    thresholds=("FEWEST_PAIRS", "SIGNIFICANCE", "NO_ODDS"),
    part="scope",
)
def validation_at_other_rates(results: ExperimentResults) -> Iterator[Observation]:
    """Whether a lead on the validation rows is there at half and at twice the learning rate."""
    for members, theirs in compared_starts(results):
        own = validation_pairs(members, theirs, results.last)
        if len(own.runs) < thresholds.FEWEST_PAIRS or not own.is_sure:
            continue
        own = own if own.below > own.above else own.turned
        at = [_at_rate(results, own, factor) for factor in (0.5, 2.0)]
        there = [found for found in at if found is not None]
        if changed_besides_steps(*(r.run.config for r in own.runs[0])) and len(there) == len(at):
            yield _at_other_rates(own, there)


def _at_rate(
    results: ExperimentResults, own: ValidationPairs, factor: float
) -> ValidationPairs | None:
    """The same pairs with another learning rate; None where not all of them got so far."""
    pairs = [
        tuple(c for r in pair for c in at_rate(results.control("neighbours", r), r, factor))
        for pair in own.runs
    ]
    whole = [(p[0], p[1]) for p in pairs if len(p) == 2]
    there = [p for p in whole if len(compared_on(p, VALIDATION, own.budget)) == 2]
    return ValidationPairs(there, own.budget) if len(there) == len(own.runs) else None


def _at_other_rates(own: ValidationPairs, at: Sequence[ValidationPairs]) -> Observation:
    """The observation: pairs of which the first is lower, and the same at both other rates."""
    turned = any(o.is_sure and o.below < o.above for o in at)
    form = "turns" if turned else "" if all(o.is_sure for o in at) else "open"
    facts: Facts = {
        "subject": Subject(own.runs[0][0].variant),
        "other": Subject(own.runs[0][1].variant),
        "half": at[0].lower,
        "twice": at[1].lower,
        "count": Count(len(own.runs)),
        "budget": Count(own.budget),
    }
    claims = [own.claim, *(o.claim for o in at)]
    claims += [o.cite_order() for o in (own, *at) if o.is_sure]
    claims.append(cite("size(each(rounds)) // 2 >= FEWEST_PAIRS", own.members))
    return Observation(
        "validation-at-other-rates",
        facts,
        3 * len(own.members),
        form=form,
        strength="statistical",
        claims=tuple(claims),
    )


@rule("held-out-starts", "generalisation", 0.9, part="effect")
def held_out_starts(results: ExperimentResults) -> Iterator[Observation]:
    """The median of the score on held-out rows over random starts, of each variant."""
    medians: list[With] = []
    variants = {r.variant for r in results.results}
    kinds: set[type[Share] | type[Number]] = set()
    runs = 0
    for name, members in results.replicated.items():
        there = [r for r in members if r.index(results.last) is not None and held_out(r)]
        whole = len(there) == len(members)
        part, values = scores(there, len(variants), results.last) if whole else ("", [])
        if not part:
            continue
        runs += len(there)
        each = f"each({score_formula(there[0], part, results.last)})"
        kind = Share if has_classes(there[0]) else Number
        kinds.add(kind)
        middle = kind(float(np.median(values)), cite(f"median({each})", there))
        medians.append(With(Subject(name), middle))
    if medians and len(kinds) == 1:
        form = "" if kinds == {Share} else "explained"
        facts: Facts = {"scores": tuple(medians), "budget": Count(results.last)}
        yield Observation("held-out-starts", facts, runs, form=form, strength="statistical")


@rule("kept-rounds", "generalisation", 0.5, part="effect")
def kept_rounds(results: ExperimentResults) -> Iterator[Observation]:
    """After which round the weights of each run are best on the validation rows, and count."""
    last = results.last
    known = [r for r in results.results if held_out(r) is not None and r.index(last) is not None]
    there = [r for r in distinct(known) if on_parts(r).data_set.keeps_best]
    if not there:
        return
    steps = [kept_step(r, last) for r in there]
    of_run = f"kept({last})"
    if len(there) <= FEW_KEPT:
        facts: Facts = {
            "kept": tuple(
                With(r.subject, Rounds(step, r.cite(f"kept({r.index(last)})")))
                for r, step in zip(there, steps, strict=True)
            ),
            "budget": Count(last),
        }
        yield Observation("kept-rounds", facts, len(there))
        return
    facts = {
        "earliest": Count(min(steps), cite(f"min(each({of_run}))", there)),
        "latest": Count(max(steps), cite(f"max(each({of_run}))", there)),
        "count": Count(len(there), cite("size(each(rounds))", there)),
        "budget": Count(last),
    }
    yield Observation("kept-rounds", facts, len(there), form="many")
