"""Which of two results is ahead, and which are level: a thousandth makes no odds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from claim_checks.losses import has_reached, identity_of, quantity_of, squared_error
from claim_checks.reading import can_move
from claim_checks.seen import Seen, other_starts
from labreport.lab.configuration import RunConfig
from labreport.lab.schema.losses import LOSSES
from labreport.runs.run import Run

SLACK = 1e-3
"""How near to a thousandth a lead may be either way, for the rounding of what it is a part of."""


def value_of(run: Run, budget: int, by_loss: bool) -> float | None:
    """Return the loss or the error after so many updates; None where there is none."""
    if not has_reached(run, budget):
        return None
    if by_loss:
        found = float(run.losses[budget])
    elif (
        run.config.loss in ("soft_margin", "hinge_embedding")
        or run.trace.outputs_at(budget) is None
    ):
        return None
    else:
        found = squared_error(run, budget)
    # An error that the run's own type cannot hold is no number there. What is predicted by other
    # than the outputs themselves is computed in double precision.
    is_output = LOSSES[run.config.loss].prediction == "identity"
    largest = float(np.finfo(run.config.dtype if is_output else float).max)
    return found if isfinite(found) and (by_loss or found < largest) else None


def by_loss(runs: Iterable[Run]) -> bool:
    """Return whether the losses of these runs are of one kind."""
    return len({quantity_of(run.config) for run in runs}) == 1


def lead(one: Run, other: Run, budget: int, losses: bool) -> float | None:
    """Return by how much one is ahead of another, in units of what makes no odds.

    None where either of them has no result.
    """
    mine, theirs = value_of(one, budget, losses), value_of(other, budget, losses)
    if mine is None or theirs is None:
        return None
    starts = [value_of(run, 0, losses) for run in (one, other)]
    scale = 1e-3 * max((abs(start) for start in starts if start is not None), default=0.0)
    if scale:
        return (theirs - mine) / scale
    return inf if theirs > mine else -inf if mine > theirs else 0.0


def is_ahead(one: Run, other: Run, budget: int, losses: bool) -> bool:
    """Check that one is ahead of another by more than makes no odds."""
    found = lead(one, other, budget, losses)
    return found is not None and found > 1 - SLACK


def is_not_ahead(one: Run, other: Run, budget: int, losses: bool) -> bool:
    """Check that it is not."""
    found = lead(one, other, budget, losses)
    return found is None or found <= 1 + SLACK


def same_rows(one: RunConfig, other: RunConfig) -> bool:
    """Check that two runs have the same inputs and targets."""
    a, b = one.data, other.data
    return (a.inputs, a.targets) == (b.inputs, b.targets)


def rivals(seen: Seen, named: Run, budget: int) -> dict[str, Run]:
    """Return the single variants that can be compared with one, and that can learn at all."""
    return {
        name: run
        for name, run in seen.singles.items()
        if can_move(run.config) and has_reached(run, budget) and same_rows(run.config, named.config)
    }


@dataclass(frozen=True)
class Field:
    """Runs that are compared after so many rounds."""

    runs: Mapping[str, Run]
    budget: int
    losses: bool

    @property
    def lowest(self) -> Run:
        """The run with the lowest result."""
        there = {n: value_of(r, self.budget, self.losses) for n, r in self.runs.items()}
        return self.runs[min(there, key=lambda n: inf if there[n] is None else there[n])]

    def are_first(self, named: Sequence[Run]) -> bool:
        """Check that these are the runs that nobody is ahead of, but for their twins."""
        lowest, known = self.lowest, {identity_of(run) for run in named}
        behind = [r for r in self.runs.values() if identity_of(r) not in known]
        return self.nobody_ahead(named) and all(
            is_ahead(lowest, r, self.budget, self.losses) for r in behind
        )

    def nobody_ahead(self, named: Sequence[Run]) -> bool:
        """Check that nobody is ahead of any of these."""
        return all(is_not_ahead(self.lowest, r, self.budget, self.losses) for r in named)

    def is_level(self) -> bool:
        """Check that nobody is ahead of anybody."""
        return self.nobody_ahead(list(self.runs.values()))

    def has_behind(self) -> bool:
        """Check that somebody is behind."""
        lowest = self.lowest
        return any(is_ahead(lowest, r, self.budget, self.losses) for r in self.runs.values())


def best_of(runs: Sequence[Run], budget: int, losses: bool) -> Run:
    """Return the run that comes lowest."""
    there = [r for r in runs if value_of(r, budget, losses) is not None]
    return min(there, key=lambda r: value_of(r, budget, losses) or 0.0)


def best_from_each_start(seen: Seen, name: str, budget: int, losses: bool) -> dict[int, Run]:
    """Return of each other start the run of a swept variant that comes lowest from it."""
    points = [other_starts(seen, run) for _, run in seen.swept[name]]
    seeds = set.intersection(*(set(starts) for starts in points))
    return {s: best_of([starts[s] for starts in points], budget, losses) for s in sorted(seeds)}
