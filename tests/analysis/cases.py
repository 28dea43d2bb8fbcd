"""Cases of rules: small experiments, and what a rule must say of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from labreport.analysis.observation import Observation
from labreport.analysis.observe import RULES, observe
from labreport.analysis.results import ExperimentResults

Build = Callable[[], ExperimentResults]


@dataclass(frozen=True)
class Case:
    """An experiment, and what a rule must say of it: nothing, where ``form`` is None."""

    rule: str
    build: Build
    form: str | None
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule}: {self.build.__name__}"


CASES: list[Case] = []


@cache
def made(build: Build) -> ExperimentResults:
    """The experiment of a case, made once for all rules and tests that look at it."""
    return build()


@cache
def said(build: Build) -> dict[str, tuple[Observation, ...]]:
    """What each rule says of it, with the thresholds that there are."""
    return {name: tuple(find(made(build))) for name, find in RULES.items()}


@cache
def observed(build: Build) -> tuple[Observation, ...]:
    """What is observed in it altogether, answers first."""
    return tuple(observe(made(build)))


def fires(rule: str, form: str = "", **facts: Any) -> Callable[[Build], Build]:
    """The rule must find exactly one thing of this form, with at least these facts."""

    def register(build: Build) -> Build:
        CASES.append(Case(rule, build, form, facts))
        return build

    return register


def silent(*rules: str) -> Callable[[Build], Build]:
    """The rules must find nothing."""

    def register(build: Build) -> Build:
        CASES.extend(Case(rule, build, None) for rule in rules)
        return build

    return register
