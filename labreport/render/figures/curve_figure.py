"""Curves by round: losses or errors of single runs, quantiles over random starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnCurve
from labreport.report.illustration import curves as read


def curve_figure(
    curves: Sequence[DrawnCurve],
    budgets: Sequence[int],
    floors: Sequence[float],
    labels: tuple[str, str, str],
) -> bytes:
    """Curves [steps] over updates, with the first rounds in a panel of their own.

    Args:
        curves: the curves.
        budgets: rounds at which results are compared.
        floors: levels to mark with a dashed line.
        labels: of the horizontal axis, the vertical axis and the floor.
    """
    split = read.by_ratio(budgets)
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, style.HEIGHT))
        if split:
            left, right = figure.subplots(1, 2, width_ratios=(2, 3))
            _panel(left, curves, budgets[0], floors, labels, by_ratio=False)
            _panel(right, curves, budgets[-1], floors, labels, by_ratio=True)
            for budget in budgets[:-1]:
                right.axvline(budget, **style.BUDGET)
            right.set_ylabel("")
            last = right
        else:
            last = figure.subplots()
            _panel(last, curves, budgets[-1], floors, labels, by_ratio=False)
        figure.subplots_adjust(left=0.1, right=0.97, bottom=style.BOTTOM, wspace=0.22)
        style.name_lines(figure, last)
        return style.svg(figure)


def _panel(
    axes: Axes,
    curves: Sequence[DrawnCurve],
    rounds: int,
    floors: Sequence[float],
    labels: tuple[str, str, str],
    *,
    by_ratio: bool,
) -> None:
    shown: list[float] = []
    for index, (name, values, look) in enumerate(curves):
        values = style.drawable(values[: rounds + 1])
        steps = style.thinned(len(values), by_ratio=by_ratio)
        marker: dict[str, Any] = {"marker": "o", "markersize": 2.4} if len(values) <= 15 else {}
        # Where curves coincide, the later one is thinner, so that both are seen.
        width = 2.4 - 1.2 * index / max(len(curves) - 1, 1)
        line = {**style.line(look), "linewidth": width}
        axes.plot(steps, values[steps], label=style.literal(name), **line, **marker)
        shown += [float(v) for v in values if np.isfinite(v)]
    style.mark_floors(axes, floors, labels[2])
    if read.wants_log(shown):
        axes.set_yscale("log")
        style.scale_by_ratio(axes.yaxis)
    if by_ratio:
        axes.set_xscale("symlog", linthresh=1, linscale=0.3)
        axes.set_xlim(0, rounds)
        axes.set_xticks([0, *(10**k for k in range(len(str(rounds))) if 10**k <= rounds)])
        axes.get_xaxis().set_major_formatter(lambda value, _: style.tick(value))
        axes.minorticks_off()
    axes.grid(visible=True)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
