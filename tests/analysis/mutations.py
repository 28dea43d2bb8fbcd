"""Experiments with one thing changed: a stored number, a run for another one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from synthetic_runs import plain

from labreport.analysis.formulas.evidence import Known, data_sets_of, failures, same, sourced
from labreport.analysis.observation import Observation, Verbatim
from labreport.analysis.results import ExperimentResults, Result
from labreport.runs.run import Run

Lab = tuple[ExperimentResults, ...]
"""Experiments that are looked at together; one alone is a lab of one."""

ARRAYS = ("losses", "weights", "gradients", "outputs")

FAR = 1000.0
"""How much is added to a number, in units of the largest beside it."""


@dataclass(frozen=True)
class Mutation:
    """What to change: a number of a run's array, or the whole of what is stored of it.

    Attributes:
        run: name of the run.
        array: which of its arrays; "" where the run is put in another one's place.
        place: which number of it.
        by: what is added to it; where the array is "", nothing.
        other: name of the run whose numbers are taken, where they are.
    """

    run: str
    array: str = ""
    place: tuple[int, ...] = ()
    by: float = 0.0
    other: str = ""


def runs_of(lab: Lab) -> dict[str, Run]:
    """All stored runs by name, controls among them."""
    everywhere = [*lab, *(other for results in lab for other in results.elsewhere)]
    found = {r.run.name: r.run for results in everywhere for r in results.results}
    return found | {run.name: run for results in lab for run in results.controls.values()}


def read_by(observation: Observation) -> list[str]:
    """Names of the runs that an observation's formulas read."""
    sources = [
        source for name, fact in observation.facts.items() for _, _, source in sourced(fact, name)
    ]
    return list(dict.fromkeys(n for s in (*sources, *observation.claims) for n in s.runs))


def mutated(lab: Lab, mutation: Mutation) -> Lab:
    """The same experiments with one thing changed, wherever the run stands in them."""
    runs = runs_of(lab)
    changed = {mutation.run: _changed(runs[mutation.run], mutation, runs)}
    if mutation.other:
        back = Mutation(mutation.other, other=mutation.run)
        changed[mutation.other] = _changed(runs[mutation.other], back, runs)

    def of(run: Run) -> Run:
        return changed.get(run.name, run)

    def of_twins(result: Result) -> tuple[Result, ...]:
        return tuple(replace(twin, run=of(twin.run)) for twin in result.twins)

    def again(results: ExperimentResults) -> ExperimentResults:
        return ExperimentResults(
            results.plan,
            tuple(replace(r, run=of(r.run), twins=of_twins(r)) for r in results.results),
            {digest: of(run) for digest, run in results.controls.items()},
            elsewhere=tuple(map(again, results.elsewhere)),
        )

    return tuple(map(again, lab))


def _changed(run: Run, mutation: Mutation, runs: Mapping[str, Run]) -> Run:
    if mutation.other:
        return replace(run, trace=runs[mutation.other].trace)
    values = getattr(run.trace, mutation.array).copy()
    values[mutation.place] += mutation.by
    return replace(run, trace=replace(run.trace, **{mutation.array: values}))


def numbers(lab: Lab, observation: Observation, draw: random.Random, count: int) -> list[Mutation]:
    """Random numbers of the runs that an observation reads, far up or far down."""
    runs = runs_of(lab)
    names = read_by(observation)
    found = []
    for _ in range(count if names else 0):
        run = runs[draw.choice(names)]
        array = draw.choice(ARRAYS)
        values: Any = getattr(run.trace, array)
        if not values.size:
            continue
        place = tuple(draw.randrange(length) for length in values.shape)
        size = float(np.abs(values).max()) or 1.0
        by = draw.choice((-1, 1)) * draw.choice((0.5, FAR)) * size
        if np.isfinite(by):
            found.append(Mutation(run.name, array, place, by))
    return found


def swaps(lab: Lab, observation: Observation, draw: random.Random, count: int) -> list[Mutation]:
    """Runs that an observation reads, each in the place of another one as long.

    Of runs with the same numbers a rule may name any, as it names one of those that are lowest;
    where one of them changes places, what is said of another one is as true as before.
    """
    runs = runs_of(lab)
    numbers = {name: numbers_of(run) for name, run in runs.items()}
    alike = Counter(numbers.values())
    unique = {name for name in runs if alike[numbers[name]] == 1}
    found = []
    for name in draw.sample(read_by(observation), min(count, len(read_by(observation)))):
        others = [
            other
            for other, run in runs.items()
            if other != name and {other, name} <= unique and fits(run, runs[name])
        ]
        if others:
            found.append(Mutation(name, other=draw.choice(others)))
    return found


def fits(one: Run, other: Run) -> bool:
    """Whether the arrays of one could be the other's."""
    return one.config.dtype == other.config.dtype and all(
        getattr(one.trace, a).shape == getattr(other.trace, a).shape for a in ARRAYS
    )


def numbers_of(run: Run) -> tuple[object, ...]:
    """What two runs have in common whose numbers are the same to the last bit."""
    arrays = [getattr(run.trace, a) for a in ARRAYS]
    return tuple((a.dtype.str, a.shape, sha256(a.tobytes()).digest()) for a in arrays)


def is_among(observation: Observation, found: Sequence[Observation]) -> bool:
    """Whether a rule still says the same thing, but for the rounding of numbers."""
    return any(_says_the_same(observation, o) for o in found)


def is_meant_among(observation: Observation, found: Sequence[Observation]) -> bool:
    """Whether a rule still says the same thing, and means it of the same runs."""
    return any(_says_the_same(observation, o) and o.claims == observation.claims for o in found)


def _says_the_same(one: Observation, other: Observation) -> bool:
    told, said = (sorted(o.facts.items()) for o in (one, other))
    return one.form == other.form and _alike(plain(_values(told)), plain(_values(said)))


def _values(facts: list[tuple[str, Any]]) -> tuple[Any, ...]:
    return tuple(part for name, fact in facts for part in (Verbatim(name), fact))


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return same(one, other)
    return bool(one == other)


def failed(observation: Observation, lab: Lab) -> Iterator[Any]:
    """What of an observation is not true of these experiments."""
    check = next((results.check for results in lab if results.check is not None), None)
    sets = {name: found for results in lab for name, found in data_sets_of(results).items()}
    with np.errstate(all="ignore"):
        yield from failures(observation, Known(runs_of(lab), check, sets))
