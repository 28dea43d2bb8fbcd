"""What has been told already: the same numbers of the same runs are not told twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from labreport.analysis.evidence import sourced
from labreport.analysis.observation import (
    Count,
    Fact,
    Number,
    Observation,
    Rounds,
    Setting,
    Share,
    With,
)
from labreport.run import Run


@dataclass(frozen=True)
class _Content:
    """What an observation says, whatever its runs are called.

    Attributes:
        rule: that found it.
        runs: that it rests on, as configurations without their number of rounds: a run of ten
            rounds is the beginning of a run of a thousand.
        numbers: that it tells of them.
    """

    rule: str
    runs: frozenset[str]
    numbers: frozenset[float]


class Told:
    """The observations of a report so far."""

    def __init__(self, runs: Mapping[str, Run]) -> None:
        """Start with nothing told.

        Args:
            runs: all that observations may rest on, by name.
        """
        self._runs = runs
        self._known: dict[str, str] = {}
        self._said: list[_Content] = []

    def add(self, observations: Iterable[Observation]) -> None:
        """Remember what is told."""
        self._said += map(self._content, observations)

    def has(self, observation: Observation) -> bool:
        """Whether a rule has told all of these numbers of all of these runs."""
        new = self._content(observation)
        return any(
            old.rule == new.rule and new.runs <= old.runs and new.numbers <= old.numbers
            for old in self._said
            if new.runs and new.numbers
        )

    def _content(self, observation: Observation) -> _Content:
        names = {
            name
            for key, fact in observation.facts.items()
            for _, _, source in sourced(fact, key)
            for name in source.runs
        }
        numbers = frozenset(n for f in observation.facts.values() for n in _numbers(f))
        return _Content(observation.rule, frozenset(map(self._identity, names)), numbers)

    def _identity(self, name: str) -> str:
        if name not in self._known:
            config = self._runs[name].config
            self._known[name] = config.model_copy(update={"rounds": 0}).digest
        return self._known[name]


def _numbers(fact: Fact) -> Iterator[float]:
    if isinstance(fact, tuple):
        for inner in fact:
            yield from _numbers(inner)
    elif isinstance(fact, With):
        yield from _numbers((fact.what, fact.detail))
    elif isinstance(fact, Number | Share | Setting | Count | Rounds):
        yield fact.value
