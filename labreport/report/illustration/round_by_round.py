"""The course of a run, round by round, for a page on which a reader moves through it."""

from __future__ import annotations

import numpy as np

from labreport.lab.naming import display_order, parameter_names, unit_names
from labreport.reference.evaluation import evaluate_if_defined, layers_of
from labreport.reference.surface import cells_of, plane_losses
from labreport.report import numbers
from labreport.report.illustration.drawings import Course, Edge, Surface
from labreport.runs.run import Run

MOST_ROUNDS = 60
"""Rounds at which a reader can stop."""

MOST_PARAMETERS = 40
"""Parameters of a network whose drawing a reader can follow, and whose numbers a page can carry."""

CELLS = 40
"""Of the map of the loss, along each side."""

MARGIN = 0.35
"""The margin of the map around the path, as a share of the path's extent."""


def round_by_round(run: Run) -> Course | None:
    """A run at some of its rounds; None where it is too large, or hardly has any."""
    trace, config = run.trace, run.config
    if config.network.parameter_count > MOST_PARAMETERS or len(trace.weights) < 2:
        return None
    chosen = _chosen(len(trace.weights))
    weights = trace.weights[chosen].astype(np.float64)
    gradients = trace.gradients[chosen].astype(np.float64)
    if not (np.isfinite(weights).all() and np.isfinite(gradients).all()):
        return None
    rounds = trace.recorded[chosen]
    evaluated = evaluate_if_defined(config, weights)
    if evaluated is None:
        return None
    passed = evaluated.passed
    # The inputs are the same in every round.
    shapes = [(len(rounds), *values.shape[-2:]) for values in passed.activations]
    units = [np.broadcast_to(v, s)[:, 0] for v, s in zip(passed.activations, shapes, strict=True)]
    order = display_order(config.network)
    names = parameter_names(config.network)
    return Course(
        rounds=tuple(int(step) for step in rounds),
        losses=_numbers(trace.losses[rounds]),
        layers=unit_names(config.network),
        units=tuple(tuple(_numbers(layer[k]) for layer in units) for k in range(len(rounds)))
        if len(config.data.inputs) == 1
        else (),
        edges=_edges(run),
        names=tuple(names[k] for k in order),
        weights=tuple(_numbers(row[list(order)]) for row in weights),
        gradients=tuple(_numbers(row[list(order)]) for row in gradients),
        surface=_surface(run, weights),
    )


def _chosen(count: int) -> np.ndarray:
    """Indices of the rounds, close together at the start, where most happens."""
    if count <= MOST_ROUNDS:
        return np.arange(count)
    spaced = np.geomspace(1, count - 1, MOST_ROUNDS - 1).round().astype(int)
    return np.unique(np.concatenate([[0], spaced]))


def _edges(run: Run) -> tuple[Edge, ...]:
    """List the edges: the units that each parameter connects, by its place in reading order."""
    network = run.config.network
    order = list(display_order(network))
    # Each parameter's own index, put where a network has the parameter.
    places = layers_of(run.config, np.arange(network.parameter_count, dtype=np.float64))
    return tuple(
        Edge(layer, source, target, order.index(int(index)))
        for layer, parameters in enumerate(places)
        for (target, source), index in np.ndenumerate(parameters.weight)
    )


def _surface(run: Run, weights: np.ndarray) -> Surface | None:
    """The loss on the plane through the last weights along which they moved most."""
    moved = weights - weights[-1]
    if moved.shape[1] < 2:
        return None
    _, sizes, directions = np.linalg.svd(moved, full_matrices=False)
    if len(sizes) < 2 or sizes[0] == 0:
        return None
    cells = cells_of(run.config, CELLS)
    if not cells:
        return None
    plane = directions[:2]
    path = moved @ plane.T
    low, high = path.min(axis=0), path.max(axis=0)
    extent = np.maximum(high - low, 0.15 * float((high - low).max()))
    middle = (low + high) / 2
    sides = [
        np.linspace(m - e * (0.5 + MARGIN), m + e * (0.5 + MARGIN), cells)
        for m, e in zip(middle, extent, strict=True)
    ]
    losses = plane_losses(run.config, weights[-1], plane, (sides[0], sides[1]))
    if losses is None:
        return None
    return Surface(
        horizontal=_numbers(sides[0]),
        vertical=_numbers(sides[1]),
        losses=_numbers(losses.ravel()),
        path=tuple(_numbers(place) for place in path),
        share=round(float((sizes[:2] ** 2).sum() / (sizes**2).sum()), 4),
    )


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    """Numbers as tables have them, rounded only once."""
    return tuple(float(f"{value:.{numbers.DIGITS}g}") for value in values)
