"""Random starts: how the final loss is distributed."""

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
        figure = Figure(figsize=(style.WIDTH, style.HEIGHT))
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
