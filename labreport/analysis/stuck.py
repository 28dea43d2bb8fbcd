"""Runs whose gradient has vanished although the same network could do better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Source
from labreport.analysis.persistence import (
    held_fast_claims,
    is_held_fast,
    longer,
    stays,
    stays_claims,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.reference.norms import norms

OF_STUCK = (
    "LONG_AFTER",
    "NOWHERE",
    "VANISHED",
    "STANDING_STILL",
    "STAYING",
    "FAR_FROM_FLOOR",
    "ROUNDING",
)
"""Names of the thresholds of what is called stuck."""


@dataclass(frozen=True)
class Stuck:
    """A run that is stuck, and why that is no end which this network could not help.

    Attributes:
        claims: what must be true of it.
        better: a run of the same network on the same rows that got lower; None where there is
            only one row, whose floor the weights of the last layer alone can reach.
        longer: the same run continued, in which it stays where it is; None where there is none.
    """

    claims: tuple[Source, ...]
    better: Result | None = None
    longer: Result | None = None


def find_stuck(results: ExperimentResults, result: Result) -> Stuck | None:
    """Find evidence that the gradient has vanished although the network could do better.

    Where the run was continued, to the end of that: whoever gets away later was not stuck. And in
    other roundings, as far as there are any.
    """
    budget = results.last
    if not _has_vanished(result, budget):
        return None
    if not all(_stands_still(twin, budget) for twin in result.twins):
        return None
    continued = longer(results, result)
    if continued is not None and stays(results, result, budget) is None:
        return None
    claims = list(_stuck_claims(result, budget))
    if continued is not None:
        claims += stays_claims(result, continued, budget)
    if len(result.run.config.data.inputs) == 1:
        return Stuck(tuple(claims), None, continued)
    better = _better(result, result.gap(budget) or 0.0, results.results)
    found = (*claims, *(_better_claims(result, better, budget) if better else ()))
    return Stuck(found, better, continued) if better else None


def _has_vanished(result: Result, budget: int) -> bool:
    """True if a run stands still by then far from its floor, with next to no gradient."""
    if not (result.run.trace.is_whole and _stands_still(result, budget)):
        return False
    # With weight decay it is not the loss alone that is brought down, and with a momentum above 1
    # the steps grow by themselves until something gives way. Rprop asks for the sign alone.
    settings = result.run.config.flat()
    if settings.get("optimizer.weight_decay") or (settings.get("optimizer.momentum") or 0) > 1:
        return False
    step = result.index(budget) or 0
    if result.run.config.optimizer.name == "rprop" or not is_held_fast(result, step):
        return False
    sizes = gradient_norms(result)
    # Where there never was a gradient, none has vanished.
    last = sizes[step]
    vanished = sizes.max() > 0 and last <= thresholds.VANISHED * sizes.max()
    return bool(vanished and np.isfinite(sizes).all())


def _stands_still(result: Result, budget: int) -> bool:
    """True if the loss of a run stands still by then, far from its floor."""
    step, gap, first = result.index(budget), result.gap(budget), result.gap(0)
    if step is None or gap is None or not first or not result.sees_all_rows:
        return False
    # Throughout: a loss that swings may happen to be at the end where it was half-way.
    half = result.losses[step // 2 : step + 1].astype(np.float64)
    # What rounding leaves between a loss and its floor is no distance.
    far = gap > thresholds.FAR_FROM_FLOOR * first and gap > result.at_floor
    return bool(far and np.abs(half - half[-1]).max() <= thresholds.STANDING_STILL * gap)


def _better(result: Result, gap: float, among: Sequence[Result]) -> Result | None:
    """The run of the same network, loss and rows that got lowest, if it got lower than this one."""
    config, bottom = result.run.config, result.floor.value or 0.0
    alike = [
        r
        for r in among
        if (r.run.config.network, r.run.config.loss, r.run.config.data)
        == (config.network, config.loss, config.data)
        and len(r.losses)
    ]
    lowest = min(alike, key=lambda r: float(r.losses.min()), default=result)
    lower = float(lowest.losses.min()) - bottom < (1 - thresholds.STANDING_STILL) * gap
    return lowest if lower else None


def _better_claims(result: Result, better: Result, budget: int) -> Iterator[Source]:
    """The claims that another run of the same network on the same rows got lower."""
    pair = (result, better)
    left = f"(1 - STANDING_STILL) * (r1.{result.loss_formula(budget)} - r1.floor)"
    yield cite(f"min(wide(r2.losses)) - r2.floor < {left}", pair)
    same = "all(r1.inputs == r2.inputs) and all(r1.given_targets == r2.given_targets)"
    yield cite(same, pair)
    for key in ("loss", "network.layers", "network.activations", "network.bias"):
        yield cite(f"r1.setting({key!r}) == r2.setting({key!r})", pair)


def _stuck_claims(result: Result, budget: int) -> Iterator[Source]:
    yield from _still_claims(result, budget)
    for twin in result.twins:
        yield from _still_claims(twin, budget)
    step = result.index(budget)
    yield result.cite(f"norm(wide(gradients[{step}])) <= VANISHED * max(norm(wide(gradients)))")
    yield result.cite("any(gradients != 0)")
    yield result.cite("not setting('optimizer.weight_decay')")
    yield result.cite("setting('optimizer.name') != 'rprop'")
    yield from held_fast_claims(result, step or 0)
    if result.run.config.flat().get("optimizer.momentum"):
        yield result.cite("setting('optimizer.momentum') <= 1")


def _still_claims(result: Result, budget: int) -> Iterator[Source]:
    """The claims that the loss stands still, far from its floor."""
    step = result.index(budget) or 0
    gap, half = result.gap_formula(budget), f"wide(losses[{step // 2}:{step + 1}])"
    yield result.cite(f"max(abs({half} - losses[{step}])) <= STANDING_STILL * {gap}")
    yield result.cite(f"{result.gap_formula(0)} > 0")
    yield result.cite(f"{gap} > FAR_FROM_FLOOR * {result.gap_formula(0)}")
    yield result.cite(f"{gap} > allowance")


def gradient_norms(result: Result) -> np.ndarray:
    """Euclidean norm of the gradient at each step [steps], float64."""
    return norms(result.run.trace.gradients)
