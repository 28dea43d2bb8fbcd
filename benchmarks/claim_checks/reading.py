"""Read the facts of an observation, and compare numbers."""

from __future__ import annotations

from math import comb, isclose
from typing import Any

from labreport.analysis.observation import Keys, Names, Observation, Part, Subject
from labreport.lab.configuration import RunConfig

RELATIVE = 1e-6
"""How far two ways of computing one number may be apart."""


def as_tuple(fact: Any) -> tuple[Any, ...]:
    """Return a fact that is a list of facts."""
    assert isinstance(fact, tuple)
    return fact


def value(fact: Any) -> Any:
    """Return what a fact says, without words."""
    if isinstance(fact, Names | Keys):
        return fact.values
    return fact.name if isinstance(fact, Part) else fact.value


def stated(observation: Observation, name: str) -> Any:
    """Return what the fact of this name says."""
    return value(observation.facts[name])


def listed(observation: Observation, name: str) -> tuple[Any, ...]:
    """Return the facts of which the fact of this name is a list."""
    return as_tuple(observation.facts[name])


def subjects_of(fact: Any) -> tuple[Subject, ...]:
    """Return the subjects of a fact; variants that say the same are told together."""
    return fact if isinstance(fact, tuple) else (fact,)


def first_variant(fact: Any) -> str:
    """Return the variant of the first subject of a fact."""
    return subjects_of(fact)[0].variant


def near(one: float, other: float, relative: float = RELATIVE) -> bool:
    """Check that two computations of one number agree."""
    return isclose(one, other, rel_tol=relative, abs_tol=1e-14)


def can_move(config: RunConfig) -> bool:
    """Return whether updates can move the weights of a run."""
    return config.optimizer.learning_rate > 0 and config.updates == "kept"


def coin_toss_probability(below: int, over: int) -> float:
    """Return the two-sided probability that a fair coin falls so unevenly."""
    count, few = below + over, min(below, over)
    tail = sum(comb(count, k) for k in range(few + 1)) / 2**count
    return min(1.0, 2 * tail)
