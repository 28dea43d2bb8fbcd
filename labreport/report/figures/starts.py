"""Random starts: how the final loss is distributed, and how the curves spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from labreport.report.figures import style

BINS = 28


def starts_figure(
    groups: Sequence[tuple[str, np.ndarray]],
    singles: Sequence[tuple[str, float]],
    labels: tuple[str, str],
) -> bytes:
    """Histograms of final losses on shared bins, single starts as vertical lines.

    Args:
        groups: name and final losses [starts] of each replicated variant.
        singles: name and final loss of each single start.
        labels: of the horizontal and the vertical axis.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 2.6))
        axes = figure.subplots()
        low = min(*(v.min() for _, v in groups), *(v for _, v in singles), np.inf)
        high = max(*(v.max() for _, v in groups), *(v for _, v in singles), -np.inf)
        edges = np.linspace(low, high, BINS + 1).tolist() if high > low else BINS
        for index, (name, values) in enumerate(groups):
            hatch = ("", "////", "....", "xxxx")[index % 4]
            axes.hist(
                values,
                bins=edges,
                label=style.literal(name),
                histtype="stepfilled",
                facecolor=style.colour(index) + "55",
                edgecolor=style.colour(index),
                hatch=hatch,
                linewidth=1.0,
            )
        for index, (name, value) in enumerate(singles, start=len(groups)):
            axes.axvline(
                value, label=style.literal(name), **{**style.line(index), "linewidth": 1.8}
            )
        axes.grid(visible=True, axis="y")
        return style.finish(figure, axes, labels, bottom=0.18)


def starts_curves_figure(
    groups: Sequence[tuple[str, np.ndarray]],
    singles: Sequence[tuple[str, np.ndarray]],
    floors: Sequence[float],
    labels: tuple[str, str, str],
) -> bytes:
    """Median and 5 … 95 % range of loss curves [starts, steps], single starts as lines."""
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 2.6))
        axes = figure.subplots()
        for index, (name, curves) in enumerate(groups):
            steps = style.thinned(curves.shape[1], by_ratio=False)
            low, middle, high = np.quantile(curves[:, steps], (0.05, 0.5, 0.95), axis=0)
            axes.fill_between(steps, low, high, color=style.colour(index), alpha=0.25, linewidth=0)
            axes.plot(steps, middle, label=style.literal(name), **style.line(index))
        for index, (name, values) in enumerate(singles, start=len(groups)):
            steps = style.thinned(len(values), by_ratio=False)
            axes.plot(steps, values[steps], label=style.literal(name), **style.line(index))
        for number, level in enumerate(dict.fromkeys(floors)):
            axes.axhline(level, label=labels[2] if number == 0 else None, **style.FLOOR)
        if all(curves.min() > 0 for _, curves in [*groups, *singles]):
            axes.set_yscale("log")
        axes.grid(visible=True)
        return style.finish(figure, axes, labels, bottom=0.18)
