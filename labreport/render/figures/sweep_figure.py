"""A sweep over one key: final loss against the value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.report.illustration.drawings import SweptSeries

LEAST_RATIO = 4
"""Ratio of the highest loss to the lowest from which on the axis of losses is logarithmic."""


def sweep_figure(
    lines: Sequence[SweptSeries[str]], floors: Sequence[float], labels: tuple[str, str, str]
) -> bytes:
    """Loss against the swept value, a line for each variant or budget, lowest points dotted.

    Args:
        lines: the lines.
        floors: levels to mark.
        labels: of the horizontal axis, the vertical axis and the floor.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, style.HEIGHT))
        axes = figure.subplots()
        everything: list[float] = []
        for name, values, losses, look in lines:
            shown = style.drawable(np.array(losses, dtype=np.float64))
            axes.plot(values, shown, label=style.literal(name), **style.line(look))
            if np.isfinite(shown).any():
                lowest = int(np.nanargmin(shown))
                where = (values[lowest], shown[lowest])
                axes.plot(*where, style.marker(look), color=style.colour(look), markersize=5)
            everything += [float(loss) for loss in shown if np.isfinite(loss)]
        style.mark_floors(axes, floors, labels[2])
        if everything and all(value > 0 for line in lines for value in line.values):
            axes.set_xscale("log")
            style.scale_by_ratio(axes.xaxis, sorted({v for line in lines for v in line.values}))
        if everything and min(everything) > 0 and max(everything) > LEAST_RATIO * min(everything):
            axes.set_yscale("log")
            style.scale_by_ratio(axes.yaxis)
        axes.grid(visible=True)
        return style.finish(figure, axes, labels)
