"""Observations already reported: the same numbers of the same runs are not reported twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from labreport.analysis.formulas.evidence import sourced
from labreport.analysis.observation import (
    Count,
    Fact,
    Keys,
    Names,
    Number,
    Observation,
    OutOf,
    Part,
    Rounds,
    Setting,
    Share,
    With,
)
from labreport.runs.run import Run


@dataclass(frozen=True)
class _Content:
    """The content of an observation, whatever its runs are called.

    Attributes:
        rule: that found it.
        runs: that it rests on, as configurations without their number of rounds: a run of ten
            rounds is the beginning of a run of a thousand.
        told: numbers of them, weights, units and keys; not the words of a lab, which each
            experiment has of its own.
    """

    rule: str
    runs: frozenset[str]
    told: frozenset[object]


class SeenObservations:
    """The observations of a report so far."""

    def __init__(self, runs: Mapping[str, Run]) -> None:
        """Start with nothing told.

        Args:
            runs: all that observations may rest on, by name.
        """
        self._runs = runs
        self._said: list[_Content] = []

    def add(self, observations: Iterable[Observation]) -> None:
        """Remember what is told."""
        self._said += map(self._content, observations)

    def has(self, observation: Observation) -> bool:
        """Return whether a rule has already reported all of this of all of these runs."""
        new = self._content(observation)
        return any(
            old.rule == new.rule and new.runs <= old.runs and new.told <= old.told
            for old in self._said
            if new.runs and new.told
        )

    def _content(self, observation: Observation) -> _Content:
        names = {
            name
            for key, fact in observation.facts.items()
            for _, _, source in sourced(fact, key)
            for name in source.runs
        }
        courses = frozenset(self._runs[name].config.trajectory for name in names)
        told = frozenset(part for fact in observation.facts.values() for part in _parts(fact))
        return _Content(observation.rule, courses, told)


def _parts(fact: Fact) -> Iterator[object]:
    if isinstance(fact, tuple):
        for inner in fact:
            yield from _parts(inner)
    elif isinstance(fact, With):
        yield from _parts((fact.what, fact.detail))
    elif isinstance(fact, OutOf):
        yield fact.value, fact.total
    elif isinstance(fact, Number | Share | Setting | Count | Rounds):
        yield fact.value
    elif isinstance(fact, Names | Keys):
        yield fact.values
    elif isinstance(fact, Part):
        yield fact.kind, fact.name
