"""How near training came to what the loss and the last activation allow."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from labreport.analysis.floor import floor, outside
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Part,
    Setting,
    Source,
    Subject,
    Verbatim,
    With,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.configuration import RunConfig
from labreport.lab.naming import unit_names
from labreport.lab.schema.activations import ACTIVATIONS


def unreachable(
    config: RunConfig, subjects: tuple[Subject, ...], runs: tuple[str, ...]
) -> Observation | None:
    """A target that the last activation cannot give, and the floor that follows.

    Args:
        config: of one of the subjects; the others have the same loss, target and last activation.
        subjects: what the sentence names; none for the base configuration.
        runs: names of the stored runs of the subjects, or of the base.
    """
    missed = outside(config)
    bottom = floor(config).value
    if not missed or bottom is None:
        return None
    worst = max(missed, key=lambda m: abs(m.target - m.nearest))
    activation = config.network.activations[-1]
    low, high = ACTIVATIONS[activation].low, ACTIVATIONS[activation].high
    facts: Facts = {
        "unit": Names((unit_names(config.network)[-1][worst.unit],)),
        "target": Setting(worst.target, Source(f"given_targets[{worst.row}, {worst.unit}]", runs)),
        "nearest": Setting(worst.nearest),
        "low": Setting(low),
        "high": Setting(high),
        "activation": Part("activation", activation),
        "loss": Part("loss", config.loss),
        "floor": Number(bottom, Source("floor", runs)),
        "subjects": subjects,
    }
    beyond = f"< {low!r}" if worst.target < low else f"> {high!r}"
    bounded = high < inf
    return Observation(
        "unreachable-target",
        facts,
        runs=len(subjects),
        form=("some" if subjects else "base") + ("" if bounded else "-half"),
        claims=(
            Source(f"all(each(given_targets[{worst.row}, {worst.unit}]) {beyond})", runs),
            # What was reached bears it out: no loss of any run lies below the floor.
            Source("sum(each(count(losses < floor - allowance))) == 0", runs),
        ),
    )


def unreachable_target(results: ExperimentResults) -> Iterator[Observation]:
    """Where variants differ in what they can reach, say which cannot reach the target."""
    if not differs_in_reach(results):
        return
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in results.singles:
        config = result.run.config
        # Of the same data as well: rounds that see some rows only have no such floor.
        key = (config.network.activations[-1], config.data, config.loss)
        groups.setdefault(key, []).append(result)
    for members in groups.values():
        if members[0].refused:
            continue
        names = tuple(result.run.name for result in members)
        subjects = tuple(result.subject for result in members)
        found = unreachable(members[0].run.config, subjects, names)
        if found is not None:
            yield found


def differs_in_reach(results: ExperimentResults) -> bool:
    """Whether variants differ in their targets or in the outputs that they can give."""
    configs = [result.run.config for result in results.singles]
    return len({(c.network.activations[-1], c.data.targets) for c in configs}) > 1


def refused(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that would not compute."""
    for result in results.singles:
        if result.refused:
            ending = result.run.trace.ending
            facts: Facts = {
                "subject": result.subject,
                "loss": Part("loss", result.run.config.loss),
                "round": Count(ending.step + 1, result.cite("ending_step + 1")),
                "message": Verbatim(ending.message, result.cite("message")),
            }
            claims = (result.cite("ending == 'refused'"),)
            yield Observation("refused", facts, runs=1, claims=claims)


def distance_to_floor(results: ExperimentResults) -> Iterator[Observation]:
    """How far each single run ended from the lowest loss that is possible for it."""
    measured = [(r, g) for r in results.singles if (g := r.gap(results.last)) is not None]
    # A run that starts at its floor has not reached it.
    there = [r for r, distance in measured if distance <= r.at_floor and not r.starts_at_floor]
    away = [(r, g) for r, g in measured if g > r.at_floor]
    if there:
        facts: Facts = {
            "subjects": tuple(r.subject for r in there),
            "budget": Count(results.last),
        }
        form = "reached" if len(there) > 1 else "reached-one"
        claims = tuple(
            claim
            for r in there
            for claim in (
                r.cite(f"{r.gap_formula(results.last)} <= allowance"),
                r.cite(f"{r.gap_formula(0)} > allowance"),
            )
        )
        yield Observation("distance-to-floor", facts, runs=len(there), form=form, claims=claims)
    # Distances of different kinds of loss side by side would look like a ranking.
    if away and len({r.run.config.loss for r, _ in away}) == 1:
        away.sort(key=lambda pair: pair[1])
        facts = {
            "distances": tuple(
                With(r.subject, Number(g, r.cite(r.gap_formula(results.last)))) for r, g in away
            ),
            "budget": Count(results.last),
        }
        claims = tuple(r.cite(f"{r.gap_formula(results.last)} > allowance") for r, _ in away)
        yield Observation("distance-to-floor", facts, runs=len(away), form="left", claims=claims)


def unbounded(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that has no lower bound with the targets that it is given."""
    for result in results.singles:
        value = result.loss(results.last)
        if result.floor.value != -inf or value is None:
            continue
        facts: Facts = {
            "subject": result.subject,
            "loss": Part("loss", result.run.config.loss),
            "budget": Count(results.last),
            "start": result.number(0),
            "value": result.number(results.last),
        }
        formula = result.loss_formula(results.last)
        claims = (
            result.cite("count(floor >= -abs(losses)) == 0"),
            result.cite(f"{formula} {'<' if value < 0 else '>='} 0"),
        )
        form = "negative" if value < 0 else ""
        yield Observation("unbounded", facts, runs=1, form=form, claims=claims)


ENTROPIES = frozenset({"bce"})
"""Losses that are the entropy of their targets where every output equals its target."""


def floor_above_zero(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that is not 0 even where every output equals its target."""
    for result in results.singles:
        bottom, config = result.floor.value, result.run.config
        # Elsewhere the best output is not the target itself: a logit, or a point of a simplex. A
        # logit that the last activation limits may happen to be the target.
        at_target = config.loss in ENTROPIES and result.floor.outputs == config.data.targets
        if result.refused or not at_target or bottom is None:
            continue
        loss = result.loss(results.last)
        if bottom > 1e-6 and loss is not None:
            reached = abs(loss - bottom) <= result.at_floor
            distance = f"abs({result.loss_formula(results.last)} - floor)"
            facts: Facts = {
                "subject": result.subject,
                "loss": Part("loss", config.loss),
                "floor": Number(bottom, result.cite("floor")),
                "value": result.number(results.last),
                "budget": Count(results.last),
            }
            yield Observation(
                "floor-above-zero",
                facts,
                runs=1,
                form="reached" if reached else "",
                claims=(
                    result.cite("floor > 0"),
                    result.cite(f"{distance} {'<=' if reached else '>'} allowance"),
                ),
            )
