"""Ways of runs over the loss as a landscape: two weights across and up, the loss as shades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnCurve
from labreport.report.numbers import measured

LEVELS = 9
"""Shades: as many as can be told apart in print."""

# Light, so that the lines stand out; on a dark page they are turned round, and their key too.
SHADES = LinearSegmentedColormap.from_list("shades", ["#aab4bd", "#ffffff"])


def landscape_figure(
    names: tuple[str, str],
    sides: tuple[np.ndarray, np.ndarray],
    losses: np.ndarray,
    ways: Sequence[DrawnCurve],
    label: str,
) -> bytes:
    """Shades of the loss, a line for each run, a ring where it begins and a dot where it ends.

    Args:
        names: of the two weights.
        sides: [cells] values of each of them.
        losses: [cells of the second, cells of the first].
        ways: [steps, 2] of the runs.
        label: of the shades.
    """
    across, up = sides
    logarithmic = losses.min() > 0
    spaced = np.geomspace if logarithmic else np.linspace
    levels = spaced(losses.min(), losses.max(), LEVELS + 1)
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, style.HEIGHT))
        axes = figure.subplots()
        bar = None
        if levels[0] < levels[-1]:
            norm = "log" if logarithmic else "linear"
            shades = axes.contourf(across, up, losses, levels=levels, cmap=SHADES, norm=norm)
            axes.contour(across, up, losses, levels=levels, colors="#7c8790", linewidths=0.4)
            bar = _bar(figure, shades, levels, label)
        for number, (name, way, look) in enumerate(ways):
            _way(axes, way, name, look, 2.2 - 1.0 * number / max(len(ways) - 1, 1))
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
        figure.subplots_adjust(left=0.1, right=0.845, bottom=style.BOTTOM)
        style.legend_above(figure, axes)
        if bar is not None:
            place, own = axes.get_position(), bar.ax.get_position()
            bar.ax.set_position((own.x0, place.y0, own.width, place.height))
        return style.svg(figure)


def _bar(figure: Figure, shades: ContourSet, levels: np.ndarray, label: str) -> Colorbar:
    """The key of the shades, beside them."""
    beside = figure.add_axes((0.875, style.BOTTOM, 0.02, 0.87 - style.BOTTOM))
    bar = figure.colorbar(shades, cax=beside)
    # Below, where no legend runs up against it.
    beside.set_xlabel(label, labelpad=4)
    marked = [float(level) for level in levels[:: LEVELS // 3]]
    bar.set_ticks(marked, labels=[measured(level, 3) for level in marked])
    bar.ax.minorticks_off()
    return bar


def _way(axes: Axes, way: np.ndarray, name: str, look: int, width: float) -> None:
    steps = style.thinned(len(way), by_ratio=len(way) > style.MOST_POINTS)
    line = {**style.line(look), "linewidth": width}
    axes.plot(way[steps, 0], way[steps, 1], label=style.literal(name), zorder=3, **line)
    colour, marker = style.colour(look), style.marker(look)
    # A dot fits into a ring: that of a run that never moves does not cover where all begin.
    for place, face, size in ((way[0], "white", 5), (way[-1], colour, 3.4)):
        axes.plot(
            *place,
            marker,
            markersize=size,
            color=colour,
            markerfacecolor=face,
            zorder=5 - size / 10,
        )
