"""How far what was learnt holds for rows that training does not see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.held_out import HeldOut, held_out
from labreport.analysis.observation import (
    Count,
    Facts,
    Number,
    Observation,
    Rounds,
    Share,
    Source,
    Subject,
    With,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import rankable

VALIDATION, TEST = "validation", "test"


@rule(
    "leads-on-validation",
    "generalisation",
    {"": 0.96, "turned": 0.99, "level": 0.96},
    thresholds=("NO_ODDS",),
    part="effect",
)
def leads_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """The variant with the lowest loss on validation rows, and whether it leads in training, too."""
    there = _comparable(results.singles, VALIDATION, results.last)
    if len(there) < 2:
        return
    ranked = sorted(there, key=lambda r: _loss(r, VALIDATION, results.last))
    first, second = ranked[:2]
    trained = min(there, key=lambda r: r.loss(results.last) or 0.0)
    other = trained if trained is not first else second
    form = "turned" if trained is not first else ""
    pair = (first, other)
    if not _is_ahead(first, other, results.last):
        form, other = "level", second if form else other
        pair = (first, other)
    facts: Facts = {
        "subject": first.subject,
        "loss": _number(first, VALIDATION, results.last),
        "other": other.subject,
        "other_loss": _number(other, VALIDATION, results.last),
        "rows": _rows(first, VALIDATION),
        "budget": Count(results.last),
    }
    if form == "turned":
        facts["training"] = other.number(results.last)
        facts["own_training"] = first.number(results.last)
    claims = [_lead(*pair, results.last, holds=form != "level")]
    claims += [_not_above(first, r, results.last) for r in ranked[1:]]
    if form == "turned":
        claims.append(
            cite(f"r2.{_own(other, results.last)} < r1.{_own(first, results.last)}", pair)
        )
    yield Observation("leads-on-validation", facts, len(there), form=form, claims=tuple(claims))


@rule(
    "held-out-score",
    "generalisation",
    {"chosen": 0.95, "chosen-explained": 0.95, "": 0.9, "explained": 0.9},
    part="effect",
)
def held_out_score(results: ExperimentResults) -> Iterator[Observation]:
    """How well the chosen run does on rows that neither training nor the choice has seen.

    Where nothing is chosen, on the rows that were held out.
    """
    there = _comparable(results.singles, VALIDATION, results.last)
    chosen = min(there, key=lambda r: _loss(r, VALIDATION, results.last)) if there else None
    single = results.singles[0] if len(results.singles) == 1 else None
    result = chosen or single
    found = None if result is None else held_out(result)
    if result is None or found is None:
        return
    part = TEST if TEST in found.data_set.parts else VALIDATION
    step = result.index(results.last)
    if step is None or (part == VALIDATION and single is None):
        return
    values = [found.score(name, step) for name in (part, "train")]
    if None in values:
        return
    kind = "" if found.data_set.classes else "explained"
    form = "-".join(word for word in ("chosen" if single is None else "", kind) if word)
    score, own = (_score(result, name, step) for name in (part, "train"))
    facts: Facts = {
        "subject": result.subject,
        "score": score,
        "seen_score": own,
        "rows": _rows(result, part),
        "budget": Count(results.last),
    }
    yield Observation("held-out-score", facts, 1, form=form)


@rule(
    "overfits",
    "generalisation",
    0.93,
    thresholds=("LOOK_ALIKE", "NO_ODDS", "OVERFITTED"),
    part="reason",
)
def overfits(results: ExperimentResults) -> Iterator[Observation]:
    """Runs whose loss on held-out rows turns upwards while that of training goes on falling."""
    found: list[With] = []
    claims: list[Source] = []
    for result in results.singles:
        part, step = _overfitting(result, results.last)
        if part and step is not None:
            last = result.index(results.last)
            least, end = (_number_at(result, part, s) for s in (step, last or 0))
            found.append(With(result.subject, (Rounds(step), least, end)))
            claims += _turns(result, part, step, last or 0)
    if found:
        facts: Facts = {"turns": tuple(found), "budget": Count(results.last)}
        form = "" if len(found) == 1 else "several"
        yield Observation("overfits", facts, len(found), form=form, claims=tuple(claims))


@rule(
    "best-on-validation",
    "generalisation",
    {"": 0.97, "other": 0.99},
    thresholds=("NO_ODDS",),
    part="effect",
)
def best_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """The value of a sweep with the lowest loss on validation rows, and that of training."""
    for name, members in results.swept.items():
        there = _comparable(members, VALIDATION, results.last, same_inputs=False)
        if len(there) < 3 or len(there) < len(members):
            continue
        best = min(there, key=lambda r: _loss(r, VALIDATION, results.last))
        trained = min(there, key=lambda r: r.loss(results.last) or 0.0)
        differs = trained is not best and _is_ahead(best, trained, results.last)
        facts: Facts = {
            "subject": Subject(name),
            "point": Subject("", best.point),
            "loss": _number(best, VALIDATION, results.last),
            "total": Count(len(there), cite("size(each(rounds))", there)),
            "budget": Count(results.last),
        }
        claims = [_not_above(best, r, results.last) for r in there if r is not best]
        if differs:
            facts["trained"] = Subject("", trained.point)
            facts["training"] = trained.number(results.last)
            facts["there"] = _number(trained, VALIDATION, results.last)
            claims.append(_lead(best, trained, results.last, holds=True))
        form = "other" if differs else ""
        yield Observation("best-on-validation", facts, len(there), form=form, claims=tuple(claims))


@rule("held-out-starts", "generalisation", 0.9, part="effect")
def held_out_starts(results: ExperimentResults) -> Iterator[Observation]:
    """How the score on held-out rows varies over random starts."""
    shares: list[With] = []
    kinds: set[type[Share] | type[Number]] = set()
    runs, rows = 0, None
    for name, members in results.replicated.items():
        there = [r for r in members if r.index(results.last) is not None and held_out(r)]
        if len(there) < 2 or len(there) < len(members):
            continue
        part, values = _scores(there, results.last)
        if not part:
            continue
        rows, runs = _rows(there[0], part), runs + len(there)
        each = f"each({_score_formula(there[0], part, results.last)})"
        kind = Share if _has_classes(there[0]) else Number
        kinds.add(kind)
        shares.append(
            With(
                Subject(name),
                (
                    kind(float(np.median(values)), cite(f"median({each})", there)),
                    kind(min(values), cite(f"min({each})", there)),
                    kind(max(values), cite(f"max({each})", there)),
                ),
            )
        )
    if shares and rows is not None:
        form = "" if kinds == {Share} else "explained"
        facts: Facts = {"shares": tuple(shares), "rows": rows, "budget": Count(results.last)}
        yield Observation("held-out-starts", facts, runs, form=form, strength="statistical")


@rule("chosen-on-test", "generalisation", 0.5)
def chosen_on_test(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that can be compared on nothing but the test rows."""
    there = [r for r in results.singles if held_out(r) is not None]
    without = [r for r in there if VALIDATION not in _parts(r)]
    if len(there) > 1 and len(without) == len(there):
        facts: Facts = {"count": Count(len(there)), "rows": _rows(there[0], TEST)}
        yield Observation("chosen-on-test", facts, len(there), limits=True)


def _comparable(
    members: Sequence[Result], part: str, budget: int, *, same_inputs: bool = True
) -> list[Result]:
    """Results whose loss on a part is known, if all measure the same thing on the same rows."""
    there = [
        r
        for r in members
        if (found := held_out(r)) is not None
        and part in found.data_set.parts
        and (step := r.index(budget)) is not None
        and found.loss(part, step) is not None
    ]
    if not there or len(there) < len(members):
        return []
    places = {held.data_set.places[part] for r in there if (held := held_out(r)) is not None}
    quantities = {r.run.config.loss for r in there}
    same = rankable(there) if same_inputs else len(quantities) == 1
    return there if same and len(places) == 1 else []


def _parts(result: Result) -> tuple[str, ...]:
    found = held_out(result)
    return () if found is None else found.data_set.held_out


def _has_classes(result: Result) -> bool:
    return result.trial.data_set is not None and bool(result.trial.data_set.classes)


def _on(result: Result) -> HeldOut:
    found = held_out(result)
    assert found is not None
    return found


def _loss(result: Result, part: str, budget: int) -> float:
    return _on(result).loss(part, result.index(budget) or 0) or 0.0


def _number(result: Result, part: str, budget: int) -> Number:
    return _number_at(result, part, result.index(budget) or 0)


def _number_at(result: Result, part: str, step: int) -> Number:
    """The loss on a part at a step, with the digits that other roundings agree on."""
    return result.told(lambda r: _lossed(r, part, step), f'loss_on("{part}", {step})')


def _lossed(result: Result, part: str, step: int) -> float | None:
    found = held_out(result)
    there = found is not None and result.run.trace.weights_at(step) is not None
    return found.loss(part, step) if there and found is not None else None


def _rows(result: Result, part: str) -> Count:
    return Count(len(_on(result).data_set.parts[part]), result.cite(f'size(rows_on("{part}"))'))


def _own(result: Result, budget: int) -> str:
    return f"losses[{result.index(budget)}]"


def _formula(result: Result, budget: int, run: str) -> str:
    return f'{run}.loss_on("{VALIDATION}", {result.index(budget)})'


def _margin(first: Result) -> float:
    """The difference from which on one loss on the validation rows is ahead of another."""
    return thresholds.NO_ODDS * (_on(first).loss(VALIDATION, 0) or 0.0)


def _is_ahead(first: Result, other: Result, budget: int) -> bool:
    apart = _loss(other, VALIDATION, budget) - _loss(first, VALIDATION, budget)
    return apart > _margin(first)


def _lead(first: Result, other: Result, budget: int, *, holds: bool) -> Source:
    """The claim that the first is ahead of the other by a difference that counts, or is not."""
    apart = f"{_formula(other, budget, 'r2')} - {_formula(first, budget, 'r1')}"
    sign = ">" if holds else "<="
    return cite(f'{apart} {sign} NO_ODDS * r1.loss_on("{VALIDATION}", 0)', (first, other))


def _not_above(first: Result, other: Result, budget: int) -> Source:
    formula = f"{_formula(first, budget, 'r1')} <= {_formula(other, budget, 'r2')}"
    return cite(formula, (first, other))


def _score_formula(result: Result, part: str, budget: int) -> str:
    step = result.index(budget)
    if _has_classes(result):
        return f'mean(right_on("{part}", {step}))'
    return f'explained_on("{part}", {step})'


def _score(result: Result, part: str, step: int) -> Share | Number:
    """The share of a part's rows in their own class, or R²."""
    value = _on(result).score(part, step)
    assert value is not None
    source = result.cite(_score_formula(result, part, step))
    return Share(value, source) if _has_classes(result) else Number(value, source, 3)


def _scores(there: Sequence[Result], budget: int) -> tuple[str, list[float]]:
    """The part that was kept for the end, and the score of each run on it."""
    part = TEST if TEST in _parts(there[0]) else VALIDATION
    found = [_on(r).score(part, r.index(budget) or 0) for r in there]
    values = [value for value in found if value is not None]
    return (part, values) if len(values) == len(there) else ("", [])


def _overfitting(result: Result, budget: int) -> tuple[str, int | None]:
    """The part and the step from which on the loss of held-out rows rises; "" if it does not."""
    found, last = held_out(result), result.index(budget)
    if found is None or last is None:
        return "", None
    part = VALIDATION if VALIDATION in found.data_set.parts else TEST
    best, end = found.best_step(part), found.loss(part, last)
    if best is None or end is None or best >= last:
        return part, None
    # Rounding twins agree on the step, or the step is not told.
    steps = [_on(twin).best_step(part) for twin in result.twins if held_out(twin)]
    least = found.loss(part, best) or 0.0
    rises = end > (1 + thresholds.OVERFITTED) * least
    falls = (result.loss(last) or 0.0) < (result.loss(best) or 0.0)
    learnt = _has_learnt(found, part, least)
    same = all(step == best for step in steps)
    return (part, best) if rises and falls and learnt and same else (part, None)


def _has_learnt(found: HeldOut, part: str, least: float) -> bool:
    """Return whether the loss of held-out rows has fallen at all before it rises."""
    start = found.loss(part, 0)
    return start is not None and least < (1 - thresholds.NO_ODDS) * start


def _turns(result: Result, part: str, step: int, last: int) -> Iterator[Source]:
    """The claims that a loss rises on held-out rows and falls in training."""
    there = f'loss_on("{part}", {{}})'
    yield result.cite(f"{there.format(last)} > (1 + OVERFITTED) * {there.format(step)}")
    yield result.cite(f"losses[{last}] < losses[{step}]")
    yield result.cite(f"{there.format(step)} < (1 - NO_ODDS) * {there.format(0)}")
    lowest = f'min(losses_on("{part}"))'
    yield result.cite(f"{there.format(step)} <= (1 + LOOK_ALIKE) * {lowest}")
