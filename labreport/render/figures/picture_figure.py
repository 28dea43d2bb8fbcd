"""Small grey pictures side by side, each with a word above it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnPicture

ACROSS = 10
"""Pictures in a line."""

LINE = 0.78
"""Height of a line of pictures with the words above them, in inches."""


def picture_figure(pictures: Sequence[DrawnPicture]) -> bytes:
    """Pictures [height, width], dark where numbers are large, each from its least to its most."""
    lines = -(-len(pictures) // ACROSS)
    height = lines * LINE + 0.05
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, height))
        panels = figure.subplots(lines, ACROSS, squeeze=False).ravel()
        for panel in panels:
            panel.set_axis_off()
        for panel, picture in zip(panels, pictures, strict=False):
            panel.imshow(picture.pixels, cmap="Greys", interpolation="nearest")
            panel.set_title(style.literal(picture.name), pad=2)
        top = 1 - 0.2 / height
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=top, wspace=0.15, hspace=0.5)
        return style.svg(figure)
