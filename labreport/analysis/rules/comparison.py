"""Variants against each other: what may be compared, what coincides, who leads when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labreport.analysis.observation import (
    Count,
    Fact,
    Facts,
    Keys,
    Number,
    Observation,
    Part,
    Rounds,
    Share,
    Subject,
    Verbatim,
    With,
)
from labreport.analysis.results import PRECISION, ExperimentResults, Result
from labreport.lab.configuration import RunConfig

OTHER_START = 0.01
"""Initial losses that differ by less than a hundredth cannot make up a lead that a reader sees."""

ROUNDING = 16
"""Units of rounding within which two losses are the same: what a few operations can make."""

MOST_OF_THE_WAY = 0.9
"""A threshold that separates quick from slow: nine tenths of the way from the reference's first
loss to its floor, so the rest is the slow end that every run has."""


MOST_OUTPUTS = 4
"""Outputs that a sentence or a cell writes out before it stops with an ellipsis."""


def differing_keys(one: RunConfig, other: RunConfig) -> tuple[str, ...]:
    """Keys in which two configurations differ; a table of another kind counts as one key.

    The keys that a new optimizer or initialiser brings along are part of that one change.
    """
    first, second = one.flat(), other.flat()
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    for tag in ("optimizer.name", "initial.scheme"):
        if tag in keys:
            table = tag.split(".")[0] + "."
            keys = [
                key
                for key in keys
                if not key.startswith(table) or key in (tag, "optimizer.learning_rate")
            ]
    return tuple(keys)


def coincide(results: ExperimentResults) -> Iterator[Observation]:
    """Variants with different configurations that give the same bits in every round."""
    groups: dict[bytes, list[Result]] = {}
    for result in results.singles:
        # Runs that never move say nothing of what moves them.
        trace = result.run.trace
        if trace.is_whole and (trace.weights != trace.weights[:1]).any():
            groups.setdefault(bits(result), []).append(result)
    for members in groups.values():
        if len({result.run.config.digest for result in members}) > 1:
            facts: Facts = {
                "subjects": tuple(_subject(r) for r in members),
                "rounds": Count(members[0].run.trace.rounds),
            }
            yield Observation("coincide", facts, runs=len(members), strength="explanation")


def bits(result: Result) -> bytes:
    """Every loss and every weight of a run: equal for runs that are the same to the last bit."""
    return result.run.trace.losses.tobytes() + result.run.trace.weights.tobytes()


def start_differs(results: ExperimentResults) -> Iterator[Observation]:
    """A lead that a variant has before the first update, and how fast each closes its gap."""
    budget = results.budgets[0]
    for result in results.singles:
        other = results.against(result)
        if other is None or not comparable(result, other):
            continue
        first, reference = result.gap(0), other.gap(0)
        later, reference_later = result.gap(budget), other.gap(budget)
        if None in (first, reference, later, reference_later) or not first or not reference:
            continue
        assert later is not None
        assert reference_later is not None
        start, other_start = float(result.losses[0]), float(other.losses[0])
        if abs(start - other_start) <= OTHER_START * abs(other_start):
            continue
        facts: Facts = {
            "subject": _subject(result),
            "other": _subject(other),
            "start": Number(start, "losses[0]"),
            "other_start": Number(other_start, "losses[0]"),
            "budget": Count(budget),
            "left": Share(later / first, f"(losses[{budget}] − floor) / (losses[0] − floor)"),
            "other_left": Share(reference_later / reference),
        }
        yield Observation("start-differs", facts, runs=2)


def several_changes(results: ExperimentResults) -> Iterator[Observation]:
    """Comparisons that change more than one thing at once."""
    for variant in results.plan.variants:
        other = results.plan.against(variant)
        if other is None:
            continue
        mine, reference = results.of(variant.name)[0], results.of(other.name)[0]
        keys = differing_keys(mine.run.config, reference.run.config)
        keys = tuple(key for key in keys if key != "seed")
        # Where there is no difference, there is nothing to put down to anything.
        if len(keys) > 1 and bits(mine) != bits(reference):
            facts: Facts = {
                "subject": Subject(variant.name),
                "other": Subject(other.name),
                "keys": Keys(keys),
                "count": Count(len(keys)),
            }
            yield Observation("several-changes", facts, runs=2, limits=True)


def different_losses(results: ExperimentResults) -> Iterator[Observation]:
    """Losses of different kinds, whose values cannot be ranked."""
    kinds = tuple(dict.fromkeys(r.run.config.loss for r in results.results if not r.refused))
    if len(kinds) > 1:
        facts: Facts = {"losses": tuple(Part("loss", kind) for kind in kinds)}
        yield Observation("different-losses", facts, runs=0, limits=True)


def common_measure(results: ExperimentResults) -> Iterator[Observation]:
    """Two losses on the same target, compared by the distance of outputs and targets."""
    for result in results.singles:
        other = results.against(result)
        if other is None or result.run.config.loss == other.run.config.loss:
            continue
        if result.run.config.data.targets != other.run.config.data.targets:
            continue
        mine, theirs = result.error(results.last), other.error(results.last)
        if mine is None or theirs is None:
            continue
        facts: Facts = {
            "subject": _subject(result),
            "other": _subject(other),
            "budget": Count(results.last),
            "value": Number(mine, f"mean of (outputs[{results.last}] − targets)²"),
            "other_value": Number(theirs, f"mean of (outputs[{results.last}] − targets)²"),
            "outputs": _numbers(result, results.last),
            "other_outputs": _numbers(other, results.last),
        }
        form = "lower" if mine < theirs else ("higher" if mine > theirs else "equal")
        yield Observation("common-measure", facts, runs=2, form=form)


def _numbers(result: Result, budget: int) -> tuple[Fact, ...]:
    outputs = result.outputs(budget)
    assert outputs is not None
    numbers = tuple(Number(float(o), f"outputs[{budget}]") for o in outputs.ravel()[:MOST_OUTPUTS])
    return numbers if outputs.size <= MOST_OUTPUTS else (*numbers, Verbatim("…"))


def threshold(results: ExperimentResults) -> Iterator[Observation]:
    """Rounds to nine tenths of the way from the first variant's start to its floor."""
    singles = [r for r in results.singles if len(r.losses)]
    if len(singles) < 2:
        return
    reference = singles[0]
    start, bottom = reference.gap(0), reference.floor.value
    if start is None or bottom is None:
        return
    level = bottom + (1 - MOST_OF_THE_WAY) * start
    same = [r for r in singles if comparable(r, reference)]
    reached = {r.variant: _reached(r, level, results.last) for r in same}
    if len(same) < 2 or all(step is None for step in reached.values()):
        return
    arrived = [
        With(_subject(r), Rounds(step)) for r in same if (step := reached[r.variant]) is not None
    ]
    never = tuple(_subject(r) for r in same if reached[r.variant] is None)
    arrived.sort(key=lambda pair: pair.detail.value if isinstance(pair.detail, Rounds) else 0)
    facts: Facts = {
        "level": Number(level, "floor + 0.1 · (losses[0] − floor) of the first variant"),
        "share": Share(MOST_OF_THE_WAY),
        "reference": _subject(reference),
        "arrived": tuple(arrived),
        "never": never,
        "rounds": Count(results.last),
    }
    form = "some" if never else "all"
    yield Observation("threshold", facts, runs=len(same), form=form)


def _reached(result: Result, level: float, budget: int) -> int | None:
    """Updates until a loss of at most ``level``, if that is within the budget."""
    step = result.first_below(level)
    return step if step is not None and step <= budget else None


def ranking(results: ExperimentResults) -> Iterator[Observation]:
    """Which variant has the lowest loss at each budget, and whether that changes."""
    same = _largest_comparable([r for r in results.singles if len(r.losses)])
    if len(same) < 2:
        return
    leaders = []
    for budget in results.budgets:
        ranked = [(loss, r) for r in same if (loss := r.loss(budget)) is not None]
        if len(ranked) < 2:
            return
        lowest = min(loss for loss, _ in ranked)
        # What rounding alone can explain is no lead.
        nearly = max(ROUNDING * PRECISION[r.run.config.dtype] for _, r in ranked) * abs(lowest)
        tied = tuple(r for loss, r in ranked if loss - lowest <= nearly)
        leaders.append((budget, lowest, tied))
    if all(len(tied) == len(same) for _, _, tied in leaders):
        return
    winners = {tuple(r.variant for r in tied) for _, _, tied in leaders}
    facts: Facts = {
        "leaders": tuple(
            With(Rounds(budget), (*map(_subject, tied), Number(lowest, f"losses[{budget}]")))
            for budget, lowest, tied in leaders
        ),
        "subjects": tuple(map(_subject, leaders[-1][2])),
        "budget": Count(results.last),
        "value": Number(leaders[-1][1], f"losses[{results.last}]"),
        "count": Count(len(same)),
    }
    form = "same" if len(winners) == 1 else "flips"
    if len(results.budgets) == 1:
        form = "single"
    relevance = 0.75 if form == "flips" else 0.7
    yield Observation("ranking", facts, runs=len(same), relevance=relevance, form=form)


def comparable(one: Result, other: Result) -> bool:
    """Whether two losses measure the same thing: same kind, same examples."""
    a, b = one.run.config, other.run.config
    return a.loss == b.loss and a.data == b.data


def rankable(results: Iterable[Result]) -> bool:
    """Whether all of these losses measure the same thing."""
    first, *others = results
    return all(comparable(first, other) for other in others)


def _largest_comparable(results: list[Result]) -> list[Result]:
    groups: list[list[Result]] = []
    for result in results:
        home = next((g for g in groups if comparable(g[0], result)), None)
        if home is None:
            groups.append([result])
        else:
            home.append(result)
    return max(groups, key=len, default=[])


def _subject(result: Result) -> Subject:
    return Subject(result.variant, result.point)
