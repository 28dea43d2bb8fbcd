"""Random starts on held-out rows, how scores vary there, and after which round runs are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out_facts import (
    VALIDATION,
    compared_on,
    has_classes,
    kept_step,
    loss_on,
    on_parts,
    row_count,
    score_formula,
    scores,
    step_formula,
)
from labreport.analysis.held_out import held_out
from labreport.analysis.measures.statistics import sign_test
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
from labreport.analysis.results import ExperimentResults, Result, cite, distinct
from labreport.analysis.rule import rule
from labreport.analysis.rules.reliability import compared_starts

Pair = tuple[Result, Result]

FEW_KEPT = 3
"""Runs of which it is told after which round each is kept."""


@rule(
    "starts-on-validation",
    "generalisation",
    1.0,
    thresholds=("SIGNIFICANCE",),
    part="verdict",
)
def starts_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """Two variants from the same seeds: in how many pairs one has the lower loss on validation."""
    for members, theirs in compared_starts(results):
        pairs = _pairs(members, theirs, results.last)
        if len(pairs) > 1:
            subjects = Subject(members[0].variant), Subject(theirs[0].variant)
            yield _compared(*subjects, pairs, results.last)


def _pairs(mine: Sequence[Result], theirs: Sequence[Result], budget: int) -> list[Pair]:
    """Runs from the same seed whose losses on the validation rows can be compared."""
    by_seed = {r.trial.seed: r for r in theirs}
    pairs = [(r, by_seed[r.trial.seed]) for r in mine if r.trial.seed in by_seed]
    there = [p for p in pairs if len(compared_on(p, VALIDATION, budget)) == 2]
    steps = {r.index(budget) for pair in there for r in pair}
    return there if len(steps) == 1 and len(there) == len(mine) else []


def _compared(mine: Subject, theirs: Subject, pairs: Sequence[Pair], budget: int) -> Observation:
    """What the pairs show; the variant that is ahead more often comes first."""
    losses = np.array([[loss_on(r, VALIDATION, budget) for r in pair] for pair in pairs])
    below = int((losses[:, 0] < losses[:, 1]).sum())
    if 2 * below < len(pairs):
        mine, theirs = theirs, mine
        pairs = [(other, one) for one, other in pairs]
        below = int((losses[:, 1] < losses[:, 0]).sum())
    above = len(pairs) - below - int((losses[:, 0] == losses[:, 1]).sum())
    runs = [*(one for one, _ in pairs), *(other for _, other in pairs)]
    each = f'each(loss_on("{VALIDATION}", {step_formula(pairs[0][0], budget)}))'
    one, other = f"{each}[:{len(pairs)}]", f"{each}[{len(pairs)}:]"
    test = f"sign_test(count({one} < {other}), count({one} > {other}))"
    p = sign_test(below, above)
    sure = p <= thresholds.SIGNIFICANCE
    facts: Facts = {
        "subject": mine,
        "other": theirs,
        "lower": Count(below, cite(f"count({one} < {other})", runs)),
        "count": Count(len(pairs), cite("size(each(rounds)) // 2", runs)),
        "rows": row_count(pairs[0][0], VALIDATION),
        "budget": Count(budget),
    }
    claims = (cite(f"{test} {'<=' if sure else '>'} SIGNIFICANCE", runs),)
    made = Observation("starts-on-validation", facts, len(runs), form="" if sure else "open")
    return replace(made, strength="statistical", claims=claims)


@rule("held-out-starts", "generalisation", 0.9, part="effect")
def held_out_starts(results: ExperimentResults) -> Iterator[Observation]:
    """The median of the score on held-out rows over random starts, of each variant."""
    medians: list[With] = []
    kinds: set[type[Share] | type[Number]] = set()
    runs = 0
    for name, members in results.replicated.items():
        there = [r for r in members if r.index(results.last) is not None and held_out(r)]
        whole = len(there) == len(members)
        part, values = scores(there, len(results.replicated), results.last) if whole else ("", [])
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
