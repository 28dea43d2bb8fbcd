"""The loss over the two weights that moved most, and the ways of several runs over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labreport.analysis.results import Result
from labreport.lab.configuration import RunConfig
from labreport.lab.naming import display_order
from labreport.reference.surface import cells_of, plane_losses
from labreport.report.illustration.trajectories import weights_of

CELLS = 60
"""Of the landscape, along each side."""

MARGIN = 0.2
"""The margin of the landscape around the trajectories, as a share of their extent."""

FAR = 15
"""Weights beyond which a run has run away: beside it, the ways of all others would be a dot."""

NARROWEST = 0.15
"""Least extent of one weight's ways, as a share of the other's: a landscape is not a line."""


@dataclass(frozen=True, eq=False)
class Landscape:
    """The loss over two weights, all others held.

    Attributes:
        names: of the two weights.
        sides: [cells] values of each of them.
        losses: [cells of the second, cells of the first] float64; None where they would take too
            long.
        held: which of the runs gave the values that the others are held at: the last weights of
            the one whose loss is then the lowest.
        on: which of the runs end on this surface: their last weights are those that are held.
        flat: whether those that are held never moved, in no run, so that all of it is the surface.
        members: which of the runs have a way here, as places in the given order.
        far: which of the others have a weight that goes too far.
        beside: which of the others have another network, data, loss or start.
        ways: [steps, 2] of each of the members.
        rounds: the last round of the ways.
    """

    names: tuple[str, str]
    sides: tuple[np.ndarray, np.ndarray]
    losses: np.ndarray | None
    held: int
    on: tuple[int, ...]
    flat: bool
    members: tuple[int, ...]
    far: tuple[int, ...]
    beside: tuple[int, ...]
    ways: tuple[np.ndarray, ...]
    rounds: int

    @property
    def cells(self) -> int:
        """Cells along each side."""
        return len(self.sides[0])


def landscape(results: Sequence[Result], budgets: Sequence[int]) -> Landscape | None:
    """Compute the landscape of runs, if at least two went different ways over the same loss.

    Those are taken that stay near for the first budget, and whose network, data, loss and first
    weights are those of the first such run.

    Args:
        results: runs of one experiment.
        budgets: rounds at which results are compared, ascending; the ways end at the last of
            them up to which all stay near.
    """
    near = [k for k, r in enumerate(results) if _is_near(r, budgets[0])]
    members = [k for k in near if _is_beside(results[k], results[near[0]])]
    if not members:
        return None
    rounds = max(b for b in budgets if all(_is_near(results[k], b) for k in members))
    ways = [weights_of(results[k], rounds) for k in members]
    if len({way.tobytes() for way in ways}) < 2:
        return None
    pair = _most_moved(ways, results[members[0]].run.config)
    if pair is None:
        return None
    return _over(results, near, members, ways, pair, rounds)


def _over(
    results: Sequence[Result],
    near: Sequence[int],
    members: Sequence[int],
    ways: Sequence[np.ndarray],
    pair: list[int],
    rounds: int,
) -> Landscape | None:
    """The loss over a pair of weights, and the ways there; None where it is not defined there."""
    first = results[members[0]]
    shown = [way[:, pair] for way in ways]
    cells = cells_of(first.run.config, CELLS)
    sides = _sides(np.concatenate(shown), cells)
    lowest = min(range(len(members)), key=lambda k: _last_loss(results[members[k]], rounds))
    losses = _losses(first.run.config, ways[lowest][-1], pair, sides) if cells else None
    if cells and losses is None:
        return None
    others = [np.delete(way, pair, axis=1) for way in ways]
    held = others[lowest][-1]
    return Landscape(
        names=(first.names[pair[0]], first.names[pair[1]]),
        sides=sides,
        losses=losses,
        held=members[lowest],
        on=tuple(k for k, way in zip(members, others, strict=True) if (way[-1] == held).all()),
        flat=all(bool((way == held).all()) for way in others),
        members=tuple(members),
        far=tuple(k for k, r in enumerate(results) if k not in near and _has_a_way(r)),
        beside=tuple(k for k in near if k not in members),
        ways=tuple(shown),
        rounds=rounds,
    )


def _is_near(result: Result, rounds: int) -> bool:
    """Return whether every weight stays near 0 up to a round; False where it is partly recorded."""
    return _has_a_way(result) and bool((np.abs(weights_of(result, rounds)) <= FAR).all())


def _has_a_way(result: Result) -> bool:
    trace = result.run.trace
    return trace.is_whole and len(trace.weights) > 1


def _is_beside(result: Result, first: Result) -> bool:
    """Return whether two runs begin at the same place of the same landscape."""
    own, other = result.run.config, first.run.config
    same = (own.network, own.data, own.loss) == (other.network, other.data, other.loss)
    return same and np.array_equal(result.run.trace.weights[0], first.run.trace.weights[0])


def _last_loss(result: Result, rounds: int) -> float:
    loss = result.loss(rounds)
    return np.inf if loss is None else loss


def _most_moved(ways: Sequence[np.ndarray], config: RunConfig) -> list[int] | None:
    """Places of the two parameters that moved most in some run, in reading order."""
    moved = np.max([np.abs(way[-1] - way[0]) for way in ways], axis=0)
    if len(moved) < 2 or np.sort(moved)[-2] == 0:
        return None
    order = display_order(config.network)
    furthest = sorted(order, key=lambda k: -moved[k])[:2]
    return sorted(furthest, key=order.index)


def _sides(places: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = places.min(axis=0), places.max(axis=0)
    extent = np.maximum(high - low, NARROWEST * float((high - low).max()))
    middle, half = (low + high) / 2, extent * (0.5 + MARGIN)
    across, up = (np.linspace(m - h, m + h, cells) for m, h in zip(middle, half, strict=True))
    return across, up


def _losses(
    config: RunConfig, held: np.ndarray, pair: list[int], sides: tuple[np.ndarray, np.ndarray]
) -> np.ndarray | None:
    """The loss in every cell; None where it is not defined everywhere."""
    center = held.astype(np.float64)
    center[pair] = 0.0
    directions = np.zeros((2, len(held)))
    directions[[0, 1], pair] = 1.0
    return plane_losses(config, center, directions, sides)
