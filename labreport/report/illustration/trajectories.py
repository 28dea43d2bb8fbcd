"""Weights and gradients of runs by round, as figures show them; drawn elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from labreport.analysis.results import Result
from labreport.lab.naming import display_order
from labreport.reference.evaluation import layers_of

MOST_WEIGHTS = 8
"""Weights that a figure has a panel for."""


class Move(NamedTuple):
    """The displacement of a weight of a run: from where to where."""

    run: int
    weight: str
    start: float
    end: float


def weights_of(result: Result, rounds: int) -> np.ndarray:
    """Weights [steps, parameters] up to so many rounds, float64."""
    return result.run.trace.weights[: rounds + 1].astype(np.float64)


def gradient_sizes(result: Result, rounds: int) -> np.ndarray:
    """Euclidean norm [steps, layers] of the derivatives by all parameters of each layer."""
    gradients = result.run.trace.gradients[: rounds + 1].astype(np.float64)
    trains = result.run.config.network.trains_bias
    with np.errstate(over="ignore", invalid="ignore"):
        squares = [
            (layer.weight**2).sum(axis=(-2, -1))
            + ((layer.bias**2).sum(axis=-1) if trains and layer.bias is not None else 0.0)
            for layer in layers_of(result.run.config, gradients)
        ]
        sizes: np.ndarray = np.sqrt(np.stack(squares, axis=-1))
    return sizes


def most_moved(results: Sequence[Result], rounds: int) -> tuple[str, ...]:
    """Names of the weights to show, in reading order: those that moved most in some run."""
    moved: dict[str, float] = {}
    order: dict[str, int] = {}
    for result in results:
        weights = weights_of(result, rounds)
        distance = np.abs(weights[-1] - weights[0])
        for rank, k in enumerate(display_order(result.run.config.network)):
            name = result.names[k]
            moved[name] = max(moved.get(name, 0.0), float(distance[k]))
            order.setdefault(name, rank)
    chosen = sorted(moved, key=lambda name: -moved[name])[:MOST_WEIGHTS]
    return tuple(sorted(chosen, key=lambda name: order[name]))


def longest_moves(results: Sequence[Result], rounds: int) -> tuple[Move, ...]:
    """The weight that came furthest, in each run in which it came so far; empty if none moved."""
    moves: list[Move] = []
    for number, result in enumerate(results):
        weights = weights_of(result, rounds)
        for name, first, last in zip(result.names, weights[0], weights[-1], strict=True):
            moves.append(Move(number, name, float(first), float(last)))
    furthest = max((abs(m.end - m.start) for m in moves), default=0.0)
    return tuple(m for m in moves if furthest and abs(m.end - m.start) == furthest)
