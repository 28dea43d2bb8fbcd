"""Differences of several ways of computing gradients from autograd, round by round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.report.illustration.drawings import DifferenceCurve

LEAST = 1e-17
"""The value drawn for exact agreement: below anything that float64 can tell apart from 1."""


def difference_figure(
    ways: Sequence[DifferenceCurve[str, np.ndarray]], labels: tuple[str, str]
) -> bytes:
    """Curves on a logarithmic axis.

    Args:
        ways: name, steps, and relative differences at these steps.
        labels: of the horizontal and the vertical axis.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, style.HEIGHT))
        axes = figure.subplots()
        for index, (name, steps, apart) in enumerate(ways):
            shown = np.fmax(style.drawable(apart), LEAST)
            kept = style.thinned(len(steps), by_ratio=False)
            axes.plot(steps[kept], shown[kept], label=style.literal(name), **style.line(index))
        axes.set_yscale("log")
        axes.grid(visible=True)
        return style.finish(figure, axes, labels)
