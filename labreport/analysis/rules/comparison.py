"""Variants against each other: what may be compared, what coincides, who leads when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.observation import (
    Count,
    Facts,
    Keys,
    Number,
    Observation,
    Part,
    Share,
    Source,
    Subject,
)
from labreport.analysis.results import PRECISION, ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.lab.changes import (
    differing_keys,
    has_same_outputs,
    is_one_function,
    quantity,
)
from labreport.lab.configuration import Data, Network

MOST_OUTPUTS = 4
"""Outputs that a sentence or a cell writes out before it stops with an ellipsis."""


@rule("goes-on", "comparison", 0.45)
def goes_on(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that are longer than what variants are compared after."""
    longer = [
        r
        for r in results.singles
        if r.run.config.rounds > results.last and r.loss(r.run.config.rounds) is not None
    ]
    if not longer or any(key == "rounds" for key, _ in results.plan.axes):
        return
    facts: Facts = {
        "subjects": tuple(r.subject for r in longer),
        "budget": Count(results.last),
    }
    claims = tuple(r.cite(f"rounds > {results.last}") for r in longer)
    yield Observation("goes-on", facts, runs=len(longer), claims=claims)


def _leaves_out_layers(one: Network, other: Network) -> bool:
    """Return whether one network is the other without some hidden layers and their activations."""
    short, long = sorted((one, other), key=lambda network: len(network.layers))
    if len(short.layers) == len(long.layers):
        return False

    def layers(network: Network) -> list[tuple[int, str]]:
        return list(zip(network.layers[1:], network.activations, strict=True))

    rest = iter(layers(long)[:-1])
    is_part = all(layer in rest for layer in layers(short)[:-1])
    return is_part and layers(short)[-1] == layers(long)[-1]


def _following(one: Network, other: Network) -> str:
    """The key that other inputs alone change: a network has as many inputs as its rows."""
    return "network.layers" if one.layers[1:] == other.layers[1:] else ""


@rule("several-changes", "comparison", 0.5, needs_budget=False, of_constant_losses=True)
def several_changes(results: ExperimentResults) -> Iterator[Observation]:
    """Comparisons that change more than one thing at once."""
    for variant in results.plan.variants:
        other = results.plan.against(variant)
        if other is None:
            continue
        mine, reference = results.of(variant.name)[0], results.of(other.name)[0]
        keys = differing_keys(reference.run.config, mine.run.config)
        follows = _following(mine.run.config.network, reference.run.config.network)
        keys = tuple(key for key in keys if key not in ("seed", follows))
        if _leaves_out_layers(mine.run.config.network, reference.run.config.network):
            # A layer has an activation: that both keys change is one change.
            keys = tuple(key for key in keys if key != "network.activations")
        pair = mine.run.config, reference.run.config
        if "loss" in keys and (is_one_function(*pair) or has_same_outputs(*pair)):
            # A loss of logits takes the last activation in: no more than the loss has changed.
            keys = tuple(key for key in keys if key != "network.activations")
        # Where there is no difference, there is nothing to put down to anything.
        if len(keys) > 1 and mine.bits != reference.bits:
            changed = [f"(r1.setting({k!r}) != r2.setting({k!r}))" for k in keys]
            facts: Facts = {
                "subject": Subject(variant.name),
                "other": Subject(other.name),
                "keys": Keys(keys),
                "count": Count(len(keys), cite(" + ".join(changed), (mine, reference))),
            }
            claims = tuple(cite(formula, (mine, reference)) for formula in changed)
            yield Observation("several-changes", facts, runs=2, limits=True, claims=claims)


@rule("different-losses", "comparison", 0.8, needs_budget=False, of_constant_losses=True)
def different_losses(results: ExperimentResults) -> Iterator[Observation]:
    """Losses of different kinds, whose values cannot be ranked."""
    computed = [r for r in results.results if not r.refused]
    # One key may be another's quantity: BCE of a sigmoid is BCE with logits of what it is made of.
    first = {quantity(r.run.config): r for r in reversed(computed)}
    members = tuple(first[kind] for kind in dict.fromkeys(quantity(r.run.config) for r in computed))
    kinds = tuple(r.run.config.loss for r in members)
    # Of one name, it is the targets that make two quantities of it.
    if len(set(kinds)) > 1:
        facts: Facts = {"losses": tuple(Part("loss", kind) for kind in kinds)}
        named = zip(members, kinds, strict=True)
        claims = (
            *(r.cite(f"setting('loss') == {kind!r}") for r, kind in named),
            *(cite("r1.quantity != r2.quantity", pair) for pair in combinations(members, 2)),
        )
        yield Observation("different-losses", facts, runs=0, limits=True, claims=claims)


@rule("common-measure", "comparison", 0.9, thresholds=("NO_ODDS",), part="effect")
def common_measure(results: ExperimentResults) -> Iterator[Observation]:
    """Two losses on the same target, compared by the distance of outputs and targets."""
    for result in results.singles:
        other = results.against(result)
        if other is None or quantity(result.run.config) == quantity(other.run.config):
            continue
        if result.run.config.data.targets != other.run.config.data.targets:
            continue
        measure = Measure(is_loss=False, budget=results.last)
        if measure.value(result) is None or measure.value(other) is None:
            continue
        facts: Facts = {
            "subject": result.subject,
            "other": other.subject,
            "budget": Count(results.last),
            "value": measure.number(result),
            "other_value": measure.number(other),
        }
        lower, higher = is_lower(result, other, measure), is_lower(other, result, measure)
        form = "lower" if lower else "higher" if higher else "equal"
        claims = (
            lower_claim(result, other, measure, holds=lower),
            lower_claim(other, result, measure, holds=higher),
        )
        yield Observation("common-measure", facts, runs=2, form=form, claims=claims)


@rule(
    "threshold",
    "convergence",
    0.55,
    thresholds=("LONGER_WAY", "MOST_OF_THE_WAY", "ROUNDING"),
    part="effect",
)
def threshold(results: ExperimentResults) -> Iterator[Observation]:
    """Rounds to nine tenths of the way from the first variant's start to its floor, for good.

    Who is above it once more, long after first coming there, is named and not counted.
    """
    singles = [r for r in results.singles if len(r.losses)]
    if len(singles) < 2:
        return
    reference = singles[0]
    start, bottom = reference.gap(0), reference.floor.value
    # A reference that starts at its floor has no way to go.
    if start is None or bottom is None or start <= reference.at_floor:
        return
    level = bottom + (1 - thresholds.MOST_OF_THE_WAY) * start
    # Between the steps at which a loss over all rows is known, nobody knows when it was reached.
    same = [r for r in singles if comparable(r, reference) and r.sees_all_rows]
    # Who begins there has no way to go.
    away = [r for r in same if float(r.losses[0]) > level]
    reached = [(r, _reached(r, level, results.last)) for r in away]
    arrived = [r for r, step in reached if step is not None]
    again = [r for r in arrived if _rises_again(r, level, results.last)]
    steady = len(arrived) - len(again)
    if len(reached) < 2 or not steady or (again and steady == 1):
        return
    told = [(r, step) for r, step in reached if r not in again]
    facts = _threshold_facts(reference, level, told, results.last)
    if again:
        facts["again"] = tuple(r.subject for r in again)
        form = "both" if facts["never"] else "again"
    else:
        form = "only" if steady == 1 else "some" if facts["never"] else "all"
    claims = tuple(_threshold_claims(reference, reached, again, results.last))
    yield Observation("threshold", facts, runs=len(same), form=form, claims=claims)


def _threshold_claims(
    reference: Result,
    reached: Sequence[tuple[Result, int | None]],
    again: Sequence[Result],
    budget: int,
) -> Iterator[Source]:
    """The claims: who is there at the end, and who has stayed since soon after coming there."""
    below = _below_formula(budget)
    early = f"{_stays_formula(budget)} <= LONGER_WAY * argmax({below})"
    for result, step in reached:
        pair = (reference, result)
        if step is not None:
            yield cite(f"({below})[-1]", pair)
            yield cite(f"not ({early})" if result in again else early, pair)
        elif result.loss(budget) is not None:
            yield cite(f"not ({below})[-1]", pair)
        else:
            yield result.cite("ending != 'completed'")
    yield reference.cite(f"{reference.gap_formula(0)} > allowance")


_GOAL = "r1.floor + (1 - MOST_OF_THE_WAY) * max((r1.losses[0] - r1.floor, 0))"
"""Formula of the loss that runs are to reach, with the numbers of the reference."""


def _below_formula(budget: int) -> str:
    """Formula of the steps [steps] at which a run has reached that loss."""
    return f"wide(r2.losses[:{budget + 1}]) <= {_GOAL}"


def _stays_formula(budget: int) -> str:
    """Formula of the updates from which on a run stays there."""
    return f"last_true(wide(r2.losses[:{budget + 1}]) > {_GOAL}) + 1"


def _threshold_facts(
    reference: Result, level: float, reached: Sequence[tuple[Result, int | None]], budget: int
) -> Facts:
    """The facts: the loss, the runs that reached it, the quickest first, and those that did not."""
    first = _stays_formula(budget)
    arrived = sorted(((r, n) for r, n in reached if n is not None), key=lambda pair: pair[1])
    quickest, slowest = arrived[0], arrived[-1]
    return {
        "level": Number(level, reference.cite(_GOAL)),
        "share": Share(thresholds.MOST_OF_THE_WAY),
        "reference": reference.subject,
        "first": quickest[0].subject,
        "quick": Count(quickest[1], cite(first, (reference, quickest[0]))),
        "last": slowest[0].subject,
        "slow": Count(slowest[1], cite(first, (reference, slowest[0]))),
        "never": tuple(r.subject for r, n in reached if n is None),
        "rounds": Count(budget),
    }


def _reached(result: Result, level: float, budget: int) -> int | None:
    """Updates until the loss is at most ``level`` and stays there up to the budget, if it does."""
    if result.loss(budget) is None:
        return None
    above = result.losses[: budget + 1].astype(np.float64) > level
    step = int(np.flatnonzero(above)[-1]) + 1
    return step if step <= budget else None


def _rises_again(result: Result, level: float, budget: int) -> bool:
    """Return whether a run is above a loss once more, long after it has first come there."""
    above = result.losses[: budget + 1].astype(np.float64) > level
    return int(np.flatnonzero(above)[-1]) + 1 > thresholds.LONGER_WAY * int(above.argmin())


@dataclass(frozen=True)
class Leading:
    """The runs with the lowest loss at a budget, and the rest.

    Attributes:
        tied: those whose losses differ from the lowest by no more than rounding, or that are at the
            same floor as it is, to within rounding; the lowest first.
        others: the rest.
    """

    budget: int
    tied: tuple[Result, ...]
    others: tuple[Result, ...]

    @property
    def claims(self) -> Iterator[Source]:
        for result in self.tied[1:]:
            yield from level_claims(self.tied[0], result, self.budget)
        for result in self.others:
            yield above(self.tied[0], result, self.budget)


def level_claims(lowest: Result, result: Result, budget: int) -> Iterator[Source]:
    """The claim that a run's loss is that of the lowest, but for rounding."""
    if _share_a_floor(lowest, result, budget):
        for each in (lowest, result):
            yield each.cite(f"{each.gap_formula(budget)} <= allowance")
    else:
        yield _apart(lowest, result, budget, "<=")


def above(lowest: Result, result: Result, budget: int) -> Source:
    """The claim that a run's loss is higher than that of the lowest by more than rounding."""
    return _apart(lowest, result, budget, ">")


def _apart(lowest: Result, result: Result, budget: int, sign: str) -> Source:
    mine, least = f"r2.{result.loss_formula(budget)}", f"r1.{lowest.loss_formula(budget)}"
    room = f"ROUNDING * max((r1.precision, r2.precision)) * abs({least})"
    return cite(f"{mine} - {least} {sign} {room}", (lowest, result))


def _share_a_floor(one: Result, other: Result, budget: int) -> bool:
    """Return whether two runs are at the same floor, to within rounding: neither can get lower."""
    gaps = [(result.gap(budget), result.at_floor) for result in (one, other)]
    there = all(gap is not None and gap <= allowance for gap, allowance in gaps)
    return there and one.floor.value == other.floor.value


def level(lowest: Result, result: Result, budget: int) -> bool:
    """Return whether two losses, the lower one first, differ by no more than rounding.

    What rounding alone can explain is no lead.
    """
    if _share_a_floor(lowest, result, budget):
        return True
    one, other = result.loss(budget) or 0.0, lowest.loss(budget) or 0.0
    precision = max(PRECISION[r.run.config.dtype] for r in (result, lowest))
    return one - other <= thresholds.ROUNDING * precision * abs(other)


def leading(ranked: Sequence[Result], budget: int) -> Leading:
    """Find the runs with the lowest loss of these at a budget that all of them reached."""
    lowest = min(ranked, key=lambda r: r.loss(budget) or 0.0)
    tied = [r for r in ranked if level(lowest, r, budget)]
    tied.sort(key=lambda r: r is not lowest)
    return Leading(budget, tuple(tied), tuple(r for r in ranked if r not in tied))


def comparable(one: Result, other: Result) -> bool:
    """Return whether two losses measure the same thing: same quantity, same examples."""
    a, b = one.run.config, other.run.config
    return quantity(a) == quantity(b) and same_rows(a.data, b.data)


def same_rows(one: Data, other: Data) -> bool:
    """Return whether these are the same examples, in batches of whatever size."""
    return one is other or (one.inputs, one.targets) == (other.inputs, other.targets)


def same_measure(one: Result, other: Result) -> tuple[Source, ...]:
    """The claim that two losses measure the same thing."""
    return (
        cite("r1.quantity == r2.quantity", (one, other)),
        cite("all(r1.given_targets == r2.given_targets)", (one, other)),
    )


def rankable(results: Iterable[Result]) -> bool:
    """Return whether all of these losses measure the same thing."""
    first, *others = results
    return all(comparable(first, other) for other in others)
