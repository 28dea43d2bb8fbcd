"""Random starts: how the final loss is distributed, and how the curves spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnCurve
from labreport.report.illustration.drawings import Level

BINS = 28


def starts_figure(
    groups: Sequence[DrawnCurve], singles: Sequence[Level[str]], labels: tuple[str, str]
) -> bytes:
    """Histograms of final losses on shared bins, single starts as vertical lines.

    Args:
        groups: final losses [starts] of each replicated variant.
        singles: name, final loss and look of each single start.
        labels: of the horizontal and the vertical axis.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 2.2))
        axes = figure.subplots()
        low = min(*(g.values.min() for g in groups), *(value for _, value, _ in singles), np.inf)
        high = max(*(g.values.max() for g in groups), *(value for _, value, _ in singles), -np.inf)
        edges = np.linspace(low, high, BINS + 1).tolist() if high > low else BINS
        for index, (name, values, look) in enumerate(groups):
            hatch = ("", "////", "....", "xxxx")[index % 4]
            axes.hist(
                values,
                bins=edges,
                label=style.literal(name),
                histtype="stepfilled",
                facecolor=style.colour(look) + "55",
                edgecolor=style.colour(look),
                hatch=hatch,
                linewidth=1.0,
            )
        for name, value, look in singles:
            axes.axvline(value, label=style.literal(name), **{**style.line(look), "linewidth": 1.8})
        axes.grid(visible=True, axis="y")
        return style.finish(figure, axes, labels, say_names=style.legend_above)


def starts_curves_figure(
    groups: Sequence[DrawnCurve],
    singles: Sequence[DrawnCurve],
    floors: Sequence[float],
    labels: tuple[str, str, str],
) -> bytes:
    """Median and 5 … 95 % range of loss curves [starts, steps], single starts as lines."""
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 2.2))
        axes = figure.subplots()
        for name, curves, look in groups:
            steps = style.thinned(curves.shape[1], by_ratio=False)
            low, middle, high = np.quantile(curves[:, steps], (0.05, 0.5, 0.95), axis=0)
            axes.fill_between(steps, low, high, color=style.colour(look), alpha=0.25, linewidth=0)
            axes.plot(steps, middle, label=style.literal(name), **style.line(look))
        for name, values, look in singles:
            steps = style.thinned(len(values), by_ratio=False)
            axes.plot(steps, values[steps], label=style.literal(name), **style.line(look))
        style.mark_floors(axes, floors, labels[2])
        if all(curve.values.min() > 0 for curve in [*groups, *singles]):
            axes.set_yscale("log")
        axes.grid(visible=True)
        return style.finish(figure, axes, labels)
