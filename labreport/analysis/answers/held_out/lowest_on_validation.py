"""Which of several variants or values from random starts is lowest on the validation rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    compared_on,
    loss_on,
    row_count,
    step_formula,
)
from labreport.analysis.answers.held_out.validation_pairs import distinct_groups, validation_pairs
from labreport.analysis.answers.lowest_variant import Members, Pairs, lowest_of
from labreport.analysis.measures.over_starts import median, number_over
from labreport.analysis.observation import Count, Number, Observation
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rule import rule


@dataclass(frozen=True)
class _ValidationLoss:
    """The loss on the validation rows of what is kept after so many rounds."""

    budget: int

    def median(self, members: Members) -> Number:
        formula = f"median({self.formula(members)})"
        return number_over(members, self._value, median, formula)

    def _value(self, result: Result) -> float | None:
        return loss_on(result, VALIDATION, self.budget)

    def formula(self, members: Members) -> str:
        return f'each(loss_on("{VALIDATION}", {step_formula(members[0], self.budget)}))'

    def pairs(self, mine: Members, theirs: Members) -> Pairs:
        return validation_pairs(mine, theirs, self.budget)


@rule(
    "lowest-on-validation",
    "generalisation",
    1.0,
    thresholds=("SIGNIFICANCE", "NO_ODDS"),
    part="verdict",
)
def lowest_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """Of three or more variants that with the lowest median loss on the validation rows."""
    groups = distinct_groups(results.replicated.values())
    if len(groups) > 2:
        yield from _lowest(groups, "lowest-on-validation", results.last)


@rule(
    "best-starts-on-validation",
    "generalisation",
    1.0,
    thresholds=("SIGNIFICANCE", "NO_ODDS"),
    part="verdict",
)
def best_starts_on_validation(results: ExperimentResults) -> Iterator[Observation]:
    """A sweep from several starts: the value with the lowest median loss on validation rows."""
    points = [*results.gridded.values()]
    groups = distinct_groups(points[0].values()) if len(points) == 1 else []
    # Values at which some starts diverge are told as such.
    groups = [group for group in groups if compared_on(group, VALIDATION, results.last)]
    if len(groups) > 1:
        yield from _lowest(groups, "best-starts-on-validation", results.last)


def _lowest(groups: Sequence[Members], name: str, last: int) -> Iterator[Observation]:
    """The observation of a rule, if all runs can be compared on validation rows."""
    everyone = [r for group in groups for r in group]
    there = compared_on(everyone, VALIDATION, last, same_training=False)
    if len({r.index(last) for r in there}) != 1:
        return
    found = lowest_of(groups, _ValidationLoss(last))
    if found is not None:
        facts = {**found.facts, "rows": row_count(there[0], VALIDATION), "budget": Count(last)}
        yield replace(found, rule=name, facts=facts)
