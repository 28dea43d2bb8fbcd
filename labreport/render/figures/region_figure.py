"""Regions of a plane by the class that runs put them into, with the examples on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnPoints, DrawnRegion

PALE = 0.78
"""How much of white the colour of a region has: its points stand out on it."""

MARKS = ("o", "s", "^", "D", "v", "P")
"""Shapes of the points of each class: they tell classes apart in grey, too."""


def region_figure(
    regions: Sequence[DrawnRegion],
    sides: tuple[np.ndarray, np.ndarray],
    points: Sequence[DrawnPoints],
    labels: tuple[str, str],
) -> bytes:
    """A panel for each run: pale regions with lines between them, and the examples as points.

    Args:
        regions: class [cells up, cells across] of each place.
        sides: [cells] values across and up.
        points: examples [rows, 2] of each class, in the order of the classes.
        labels: of the two inputs.
    """
    height = 2.45
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, height))
        panels = figure.subplots(1, max(len(regions), 2), squeeze=False, sharey=True)[0]
        for panel in panels[len(regions) :]:
            panel.set_visible(False)
        for number, (panel, region) in enumerate(zip(panels, regions, strict=False)):
            _panel(panel, region, sides, points)
            panel.set_xlabel(style.literal(labels[0]))
            if number == 0:
                panel.set_ylabel(style.literal(labels[1]))
        figure.subplots_adjust(left=0.09, right=0.985, bottom=0.42 / height, wspace=0.08)
        style.legend_above(figure, panels[0])
        height = float(figure.get_size_inches()[1])
        figure.subplots_adjust(top=figure.subplotpars.top - 0.2 / height)
        return style.svg(figure)


def _panel(
    panel: Axes,
    region: DrawnRegion,
    sides: tuple[np.ndarray, np.ndarray],
    points: Sequence[DrawnPoints],
) -> None:
    across, up = sides
    count = max(len(points), 2)
    shades = ListedColormap([_pale(style.colour(look)) for _, _, look in points])
    levels = np.arange(count + 1) - 0.5
    panel.contourf(across, up, region.classes, levels=levels, cmap=shades)
    inner = list(levels[1:-1])
    panel.contour(across, up, region.classes, levels=inner, colors="#555555", linewidths=0.7)
    for name, places, look in points:
        panel.plot(
            places[:, 0],
            places[:, 1],
            MARKS[look % len(MARKS)],
            markersize=2.0,
            markeredgewidth=0,
            color=style.colour(look),
            label=style.literal(name),
        )
    panel.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    panel.set_title(style.literal(region.name), pad=2.5)


def _pale(colour: str) -> tuple[float, float, float]:
    red, green, blue = (PALE + (1 - PALE) * part for part in to_rgb(colour))
    return red, green, blue
