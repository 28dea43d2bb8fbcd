"""How near training came to what the loss and the last activation allow."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.floor import floor, outside
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Part,
    Setting,
    Subject,
    Verbatim,
    With,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.configuration import RunConfig
from labreport.lab.naming import unit_names
from labreport.lab.vocabulary.activations import ACTIVATIONS


def unreachable(config: RunConfig, subjects: tuple[Subject, ...]) -> Observation | None:
    """A target that the last activation cannot give, and the floor that follows."""
    missed = outside(config)
    bottom = floor(config).value
    if not missed or bottom is None:
        return None
    worst = max(missed, key=lambda m: abs(m.target - m.nearest))
    activation = config.network.activations[-1]
    facts: Facts = {
        "unit": Names((unit_names(config.network)[-1][worst.unit],)),
        "target": Setting(worst.target),
        "nearest": Setting(worst.nearest),
        "low": Setting(ACTIVATIONS[activation].low),
        "high": Setting(ACTIVATIONS[activation].high),
        "activation": Part("activation", activation),
        "loss": Part("loss", config.loss),
        "floor": Number(bottom, "infimum of the loss over the outputs that are possible"),
        "subjects": subjects,
    }
    bounded = ACTIVATIONS[activation].high < float("inf")
    form = ("some" if subjects else "base") + ("" if bounded else "-half")
    return Observation("unreachable-target", facts, runs=len(subjects), form=form)


def unreachable_target(results: ExperimentResults) -> Iterator[Observation]:
    """Where variants differ in what they can reach, say which cannot reach the target."""
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in results.singles:
        config = result.run.config
        key = (config.network.activations[-1], config.data.targets, config.loss)
        groups.setdefault(key, []).append(result)
    if len({key[:2] for key in groups}) < 2:
        return
    for members in groups.values():
        if members[0].refused:
            continue
        subjects = tuple(_subject(result) for result in members)
        found = unreachable(members[0].run.config, subjects)
        if found is not None:
            yield found


def refused(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that would not compute."""
    for result in results.singles:
        if result.refused:
            ending = result.run.trace.ending
            facts: Facts = {
                "subject": _subject(result),
                "loss": Part("loss", result.run.config.loss),
                "round": Count(ending.step + 1, "ending.step + 1"),
                "message": Verbatim(ending.message, "ending.message"),
            }
            yield Observation("refused", facts, runs=1)


def distance_to_floor(results: ExperimentResults) -> Iterator[Observation]:
    """How far each single run ended from the lowest loss that is possible for it."""
    measured = [(r, g) for r in results.singles if (g := r.gap(results.last)) is not None]
    there = [r for r, distance in measured if distance <= r.at_floor]
    away = [(r, g) for r, g in measured if g > r.at_floor]
    if there:
        facts: Facts = {
            "subjects": tuple(_subject(r) for r in there),
            "budget": Count(results.last),
        }
        form = "reached" if len(there) > 1 else "reached-one"
        yield Observation("distance-to-floor", facts, runs=len(there), form=form)
    if away:
        if len({r.run.config.loss for r, _ in away}) == 1:
            away.sort(key=lambda pair: pair[1])
        facts = {
            "distances": tuple(
                With(_subject(r), Number(g, f"losses[{r.index(results.last)}] − floor"))
                for r, g in away
            ),
            "budget": Count(results.last),
        }
        yield Observation("distance-to-floor", facts, runs=len(away), form="left")


def floor_above_zero(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that is not 0 even where every output equals its target."""
    for result in results.singles:
        bottom = result.floor.value
        # Elsewhere the best output is not the target itself: a logit, or a point of a simplex.
        at_target = result.floor.outputs == result.run.config.data.targets
        if result.refused or not at_target or bottom is None:
            continue
        loss = result.loss(results.last)
        if bottom > 1e-6 and loss is not None:
            facts: Facts = {
                "subject": _subject(result),
                "loss": Part("loss", result.run.config.loss),
                "floor": Number(bottom, "loss at output = target"),
                "value": Number(loss, f"losses[{result.index(results.last)}]"),
                "budget": Count(results.last),
            }
            form = "reached" if abs(loss - bottom) <= result.at_floor else ""
            yield Observation("floor-above-zero", facts, runs=1, form=form)


def _subject(result: Result) -> Subject:
    return Subject(result.variant, result.point)
