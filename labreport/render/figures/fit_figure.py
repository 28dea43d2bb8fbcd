"""Outputs of runs against their one input, with the examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnCurve, DrawnPoints


def fit_figure(
    values: np.ndarray,
    curves: Sequence[DrawnCurve],
    points: Sequence[DrawnPoints],
    labels: tuple[str, str],
) -> bytes:
    """A line for each run, dots for the rows of training, rings for those that were held out.

    Args:
        values: [places] of the input.
        curves: [places] outputs of each run.
        points: examples [rows, 2], those of training first.
        labels: of the input and of the target.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, style.HEIGHT + 0.5))
        axes = figure.subplots()
        for number, kind in enumerate(points):
            _examples(axes, kind, is_training=number == 0)
        heights = np.concatenate([places[:, 1] for _, places, _ in points])
        room = 0.25 * max(float(np.ptp(heights)), 1e-9)
        for name, outputs, look in curves:
            axes.plot(
                values, style.drawable(outputs), label=style.literal(name), **style.line(look)
            )
        axes.set_ylim(float(heights.min()) - room, float(heights.max()) + room)
        axes.set_xlim(float(values[0]), float(values[-1]))
        axes.set(xlabel=style.literal(labels[0]), ylabel=style.literal(labels[1]))
        axes.grid(visible=True)
        figure.subplots_adjust(left=0.1, right=0.97, bottom=0.42 / (style.HEIGHT + 0.5))
        style.legend_above(figure, axes)
        return style.svg(figure)


def _examples(axes: Axes, kind: DrawnPoints, *, is_training: bool) -> None:
    """Dots for the rows of training, rings for others."""
    colour = "#8a949c" if is_training else "#444444"
    axes.plot(
        kind.places[:, 0],
        kind.places[:, 1],
        "o",
        markersize=2.6,
        markeredgewidth=0.6,
        markerfacecolor=colour if is_training else "none",
        color=colour,
        label=style.literal(kind.name),
    )
