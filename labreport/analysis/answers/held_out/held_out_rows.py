"""Which result the held-out rows choose, how good it is on rows that chose nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import (
    TEST,
    TRAIN,
    VALIDATION,
    chosen_of,
    compared_on,
    has_classes,
    held_parts,
    is_ahead,
    kept_step,
    lead_claim,
    loss_number,
    loss_on,
    not_above,
    on_parts,
    row_count,
    score,
    training_loss,
    validation_formula,
)
from labreport.analysis.answers.held_out.validation_pairs import ValidationPairs
from labreport.analysis.held_out import held_out
from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Source,
    Subject,
)
from labreport.analysis.points import is_number
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.sweeps import at_end
from labreport.lab.bounds import allowed


@rule(
    "leads-on-validation",
    "generalisation",
    1.0,
    thresholds=("NO_ODDS",),
    part="verdict",
)
def leads_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """The variant with the lowest loss on validation rows, and whether it leads in training."""
    there, last = compared_on(results.singles, VALIDATION, results.last), results.last
    if len(there) < 2:
        return
    ranked = sorted(there, key=lambda r: loss_on(r, VALIDATION, last))
    first = ranked[0]
    trained = min(there, key=lambda r: r.loss(last) or 0.0)
    turned = trained is not first and is_ahead(first, trained, last)
    other = trained if turned else ranked[1]
    level = not is_ahead(first, other, last)
    facts: Facts = {
        "subject": first.subject,
        "loss": loss_number(first, VALIDATION, last),
        "other": other.subject,
        "other_loss": loss_number(other, VALIDATION, last),
        "rows": row_count(first, VALIDATION),
        "budget": Count(last),
    }
    claims = [lead_claim(first, other, last, holds=not level)]
    claims += [not_above(first, r, last) for r in ranked[1:]]
    form = "turned" if turned else "level" if level else ""
    if not level:
        claims.append(_lowest_in_training(trained, there, last))
    yield Observation("leads-on-validation", facts, len(there), form=form, claims=tuple(claims))


def _lowest_in_training(lowest: Result, there: Sequence[Result], budget: int) -> Source:
    """The claim that none of these results has a lower loss in training than this one."""
    own = training_loss(lowest, budget)
    return cite(f"{own} <= min(each({own}))", (lowest, *(r for r in there if r is not lowest)))


@rule(
    "validation-over-starts",
    "generalisation",
    {"": 0.98, "depends": 1.0, "reversed": 1.0},
    thresholds=("FEWEST_PAIRS", "MOSTLY_STARTS", "NO_ODDS", "SIGNIFICANCE"),
    part="scope",
)
def validation_over_starts(results: ExperimentResults) -> Iterator[Observation]:
    """From how many other starts the result that validation prefers has the lower loss there.

    Lower than that of the next one, variant or value of a sweep.
    """
    last, is_sweep = results.last, not results.singles
    members = results.singles or _one_sweep(results)
    there = compared_on(members, VALIDATION, last, same_training=not is_sweep)
    if len(there) < 2:
        return
    first, other = sorted(there, key=lambda r: loss_on(r, VALIDATION, last))[:2]
    if not is_ahead(first, other, last):
        return
    pairs = list(zip(*(results.control("other-starts", r) for r in (first, other)), strict=False))
    known = [p for p in pairs if len(compared_on(p, VALIDATION, last)) == 2]
    if len(known) < max(thresholds.FEWEST_PAIRS, len(pairs)):
        return
    pairs_there = ValidationPairs(known, last)
    named = [Subject("", r.point) if is_sweep else r.subject for r in (first, other)]
    yield _over_starts(named[0], named[1], pairs_there)


def _over_starts(subject: Subject, other: Subject, pairs: ValidationPairs) -> Observation:
    """From how many pairs of starts the first is lower: most, some, or fewer than the other."""
    lower, higher = pairs.below, pairs.above
    mostly = lower >= thresholds.MOSTLY_STARTS * len(pairs.runs)
    turned = lower < higher and pairs.is_sure
    form = "" if mostly else "reversed" if turned else "depends"
    facts: Facts = {
        "subject": subject,
        "other": other,
        "lower": pairs.lower,
        "total": pairs.count,
        "budget": Count(pairs.budget),
    }
    count, total = pairs.below_formula, pairs.count.source
    assert total is not None
    claims = (
        pairs.cite(f"{count} {'<' if form else '>='} MOSTLY_STARTS * {total.formula}"),
        *([pairs.cite(_open_claim(pairs, turned))] if form else []),
        pairs.cite(f"{total.formula} >= FEWEST_PAIRS"),
    )
    runs = len(pairs.members)
    return Observation("validation-over-starts", facts, runs, form=form, claims=claims)


def _open_claim(pairs: ValidationPairs, turned: bool) -> str:
    """That the first is lower less often than the second, more than chance explains, or is not."""
    count, more = pairs.below_formula, pairs.above_formula
    if pairs.below >= pairs.above:
        return f"{count} >= {more}"
    surely = f"{count} < {more} and {pairs.test} <= SIGNIFICANCE"
    return surely if turned else f"not ({surely})"


@rule("held-out-score", "generalisation", 0.95, thresholds=("NO_ODDS",), part="effect")
def held_out_score(results: ExperimentResults) -> Iterator[Observation]:
    """How well a run does on rows that it has not seen: on the test, that which validation chose.

    Where there is one run, on the test, or else on the validation rows.
    """
    members = results.singles or _one_sweep(results)
    same_training = bool(results.singles)
    there = compared_on(members, VALIDATION, results.last, same_training=same_training)
    result = chosen_of(members, results.last, same_training=same_training)
    rivals = [r for r in there if r is not result]
    if result is None or held_out(result) is None or result.index(results.last) is None:
        return
    if results.replicated or results.gridded:
        return  # Others from several starts are compared with it, on the validation rows.
    part = TEST if TEST in held_parts(result) else VALIDATION
    step = kept_step(result, results.last)
    if (part == VALIDATION and len(members) > 1) or None in (
        on_parts(result).score(name, step) for name in (part, TRAIN)
    ):
        return
    kind = "" if has_classes(result) else "explained"
    form = "-".join(word for word in ("chosen" if len(members) > 1 else "", kind) if word)
    facts: Facts = {
        "subject": result.subject,
        "score": score(result, part, results.last),
        "seen_score": score(result, TRAIN, results.last),
        "rows": row_count(result, part),
        "budget": Count(results.last),
    }
    claims = tuple(lead_claim(result, r, results.last, holds=True) for r in rivals)
    yield Observation("held-out-score", facts, 1, form=form, claims=claims)


def _one_sweep(results: ExperimentResults) -> Sequence[Result]:
    """The results of the one variant that was swept; none if there are several."""
    return next(iter(results.swept.values())) if len(results.swept) == 1 else ()


@rule("best-on-validation", "generalisation", 1.0, thresholds=("NO_ODDS",), part="verdict")
def best_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """The value of a sweep with the lowest loss on validation rows, and that of training."""
    members, last = _one_sweep(results), results.last
    there = compared_on(members, VALIDATION, last, same_training=False)
    if len(there) < 2:
        return
    best = min(there, key=lambda r: loss_on(r, VALIDATION, last))
    trained = min(there, key=lambda r: r.loss(last) or 0.0)
    level = [r for r in there if r is best or not is_ahead(best, r, last)]
    differs = trained is not best and len(level) == 1
    facts: Facts = {
        "best": Subject("", best.point),
        "loss": loss_number(best, VALIDATION, last),
        "total": Count(len(there), cite("size(each(rounds))", there)),
        "rows": row_count(best, VALIDATION),
        "budget": Count(last),
    }
    claims = [not_above(best, r, last) for r in there if r is not best]
    if differs:
        facts["trained"] = Subject("", trained.point)
        facts["there"] = loss_number(trained, VALIDATION, last)
        claims.append(lead_claim(best, trained, last, holds=True))
    elif len(level) > 1:
        facts["points"] = tuple(Subject("", r.point) for r in level)
        facts["count"] = Count(len(level))
    claims += [lead_claim(best, r, last, holds=r not in level) for r in there if r is not best]
    form = "other" if differs else "level" if len(level) > 1 else ""
    if form != "level":
        claims.append(_lowest_in_training(trained, there, last))
    yield Observation("best-on-validation", facts, len(there), form=form, claims=tuple(claims))


@rule(
    "accuracy-on-validation",
    "generalisation",
    {"same": 0.9, "turned": 0.95},
    thresholds=("NO_ODDS",),
    part="scope",
)
def accuracy_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """Classes: the lowest loss on validation rows is not the highest accuracy, or not alone."""
    is_sweep, last = not results.singles, results.last
    members = results.singles or _one_sweep(results)
    there = compared_on(members, VALIDATION, last, same_training=not is_sweep)
    first = chosen_of(there, last, same_training=not is_sweep) if len(there) > 1 else None
    if first is None or not has_classes(first):
        return
    ranked = sorted(there, key=lambda r: loss_on(r, VALIDATION, last))
    right = {r.run.name: on_parts(r).score(VALIDATION, kept_step(r, last)) or 0.0 for r in there}
    other = max(ranked[1:], key=lambda r: right[r.run.name])
    if right[other.run.name] < right[first.run.name]:
        return
    form = "turned" if right[other.run.name] > right[first.run.name] else "same"
    named = [Subject("", r.point) if is_sweep else r.subject for r in (first, other)]
    facts: Facts = {
        "subject": named[0],
        "other": named[1],
        "score": score(first, VALIDATION, last),
        "rows": row_count(first, VALIDATION),
        "budget": Count(last),
    }
    if form == "turned":
        facts["other_score"] = score(other, VALIDATION, last)
    mine, theirs = (
        validation_formula(r, last, run, share=True) for r, run in ((first, "r1"), (other, "r2"))
    )
    claims = [lead_claim(first, r, last, holds=True) for r in ranked[1:]]
    claims.append(cite(f"{theirs} {'>' if form == 'turned' else '=='} {mine}", (first, other)))
    yield Observation("accuracy-on-validation", facts, len(there), form=form, claims=tuple(claims))


@rule("edge-on-validation", "generalisation", 0.8, thresholds=("NO_ODDS",))
def edge_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """The value with the lowest loss on validation rows is the first or the last of a sweep."""
    there = compared_on(_one_sweep(results), VALIDATION, results.last, same_training=False)
    best = chosen_of(there, results.last, same_training=False) if len(there) > 2 else None
    if best is None or len(best.point) != 1:
        return
    ((key, value),) = best.point
    values = [r.point[0][1] for r in there]
    if not all(is_number(v) for v in values) or value not in (min(values), max(values)):
        return
    if value in allowed(best.run.config, key):
        return  # Beyond the edge of what is allowed there is nothing to try.
    others = [r for r in there if r is not best]
    claims = [lead_claim(best, r, results.last, holds=True) for r in others]
    claims.append(at_end(best, there, key))
    facts: Facts = {"best": Subject("", best.point), "budget": Count(results.last)}
    yield Observation("edge-on-validation", facts, len(there), limits=True, claims=tuple(claims))


@rule("chosen-on-test", "generalisation", 0.5)
def chosen_on_test(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that can be compared on nothing but the test rows."""
    there = [r for r in results.singles if held_out(r) is not None]
    if len(there) > 1 and not any(VALIDATION in held_parts(r) for r in there):
        facts: Facts = {"count": Count(len(there)), "rows": row_count(there[0], TEST)}
        yield Observation("chosen-on-test", facts, len(there), limits=True)
