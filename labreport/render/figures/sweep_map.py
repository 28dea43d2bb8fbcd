"""A map of a sweep: loss over the swept value and the number of updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from labreport.render.figures import style

COLUMNS = 80
"""Columns of the map: steps, evenly in their logarithm."""

EMPTY: dict[str, Any] = {
    "hatch": "xxx",
    "facecolor": "none",
    "edgecolor": "#999999",
    "linewidth": 0,
}
"""The style of cells without a loss."""

LEFT = 0.7
"""The position at which the column of the first update begins."""


def map_figure(
    values: Sequence[float],
    curves: Sequence[np.ndarray],
    rounds: int,
    budgets: Sequence[int],
    labels: tuple[str, str, str],
) -> bytes:
    """Colour each pair of a swept value and a number of updates by its loss.

    Cells behind a run's end, and losses that are not positive, are hatched.

    Args:
        values: the swept values, ascending.
        curves: losses [steps] at each of them.
        rounds: the last number of updates.
        budgets: numbers of updates at which results are compared; marked by lines.
        labels: of the horizontal axis, the vertical axis and the colours.
    """
    steps = np.unique(np.geomspace(1, rounds, COLUMNS).round().astype(int))
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 2.75))
        axes = figure.subplots()
        axes.set_facecolor("white")
        rows = np.arange(len(values) + 1)
        axes.fill_between([0.5, rounds * 2], 0, len(values), **EMPTY)
        mesh = _mesh(axes, _cells(curves, steps), steps, rounds)
        for budget in budgets[:-1]:
            axes.axvline(budget, color="white", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xscale("log")
        axes.get_xaxis().set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_yticks(rows[:-1] + 0.5, [f"{value:g}" for value in values])
        axes.set(xlim=(LEFT, rounds), ylim=(0, len(values)), xlabel=labels[0], ylabel=labels[1])
        bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=28)
        bar.set_label(labels[2])
        figure.subplots_adjust(left=0.11, right=0.99, bottom=0.175, top=0.98)
        return style.svg(figure)


def _cells(curves: Sequence[np.ndarray], steps: np.ndarray) -> np.ndarray:
    """The loss [values, steps] in every cell; nan where there is none that can be drawn."""
    cells = np.full((len(curves), len(steps)), np.nan)
    for row, losses in enumerate(curves):
        there = steps < len(losses)
        cells[row, there] = losses[steps[there]]
    return style.drawable(np.where(cells > 0, cells, np.nan))


def _mesh(axes: Axes, cells: np.ndarray, steps: np.ndarray, rounds: int) -> QuadMesh:
    """Draw the cells, each as wide as half of the way to its neighbours."""
    edges = np.concatenate([[LEFT], np.sqrt(steps[1:] * steps[:-1].astype(float)), [rounds]])
    shown = np.ma.masked_invalid(cells)
    low, high = (float(shown.min()), float(shown.max())) if shown.count() else (1.0, 1.0)
    norm = LogNorm(low, max(high, low * 1.01))
    rows = np.arange(len(cells) + 1)
    # A small picture: as many paths as there are cells would be thirty times as long.
    return axes.pcolormesh(edges, rows, shown, cmap="viridis", norm=norm, rasterized=True)
