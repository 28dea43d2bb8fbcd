"""Sizes by layer and round as colours: of a network that has too many layers for a panel each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnTrajectory

COLUMNS = 80
"""Columns of the map of a run: steps, spread as those of a curve are."""

SIDE_BY_SIDE = 3
"""Maps in a row."""


def layers_figure(
    runs: Sequence[DrawnTrajectory], extent: tuple[float, float], labels: tuple[str, str, str]
) -> bytes:
    """A map for each run: the number of updates across, every layer from the first one up.

    What is 0 is left white.

    Args:
        runs: sizes [steps, layers] of each, at two steps at least.
        extent: the smallest and the largest size that has a colour of its own.
        labels: of the horizontal axis, the vertical axis and the colours.
    """
    columns = min(SIDE_BY_SIDE, len(runs))
    rows = -(-len(runs) // columns)
    count = runs[0].values.shape[1]
    height = 0.55 + rows * (0.35 + 0.075 * min(count, 16))
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, height), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False)
        colours = LogNorm(extent[0], max(extent[1], extent[0] * 1.01))
        for index, panel in enumerate(panels.flat):
            if index >= len(runs):
                panel.set_visible(False)
                continue
            mesh = _map(panel, runs[index], colours)
            panel.set_title(style.literal(runs[index].name), pad=2.5)
            if index % columns == 0:
                panel.set_ylabel(labels[1])
            if index >= len(runs) - columns:
                panel.set_xlabel(labels[0])
        bar = figure.colorbar(mesh, ax=list(panels.flat), pad=0.02, aspect=28)
        bar.set_label(labels[2])
        return style.svg(figure)


def _map(panel: Axes, run: DrawnTrajectory, colours: LogNorm) -> QuadMesh:
    steps, count = run.values.shape
    by_ratio = steps > style.MOST_POINTS
    shown = style.thinned(steps, by_ratio=by_ratio, most=COLUMNS)
    values = style.drawable(run.values[shown])
    edges = np.concatenate([[shown[0]], (shown[1:] + shown[:-1]) / 2, [shown[-1]]])
    mesh = panel.pcolormesh(
        edges,
        np.arange(count + 1) + 0.5,
        np.ma.masked_where(~(values > 0), values).T,
        cmap="viridis",
        norm=colours,
        # A small picture: as many paths as there are cells would be thirty times as long.
        rasterized=True,
    )
    if by_ratio:
        panel.set_xscale("symlog", linthresh=1, linscale=0.3)
        powers = [10**k for k in range(len(str(steps - 1)))]
        panel.set_xticks([0, *powers[:: 1 + (len(powers) - 1) // 4]])
        panel.get_xaxis().set_major_formatter(lambda value, _: style.tick(value))
        panel.minorticks_off()
    panel.set_xlim(0, steps - 1)
    panel.set_yticks(range(1, count + 1, -(-count // 6)))
    return mesh
