"""Weight trajectories: a small panel for each run, a line for each weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from labreport.analysis.results import Result
from labreport.lab.naming import display_order
from labreport.report.figures import style

MOST_WEIGHTS = 8
"""Lines that one panel can hold and a reader can follow."""

LINEAR = 5
"""Up to where a vertical axis is linear on which weights run away: where they usually are."""


def most_moved(results: Sequence[Result]) -> tuple[str, ...]:
    """Names of the weights to show, in reading order: those that moved most in some run."""
    moved: dict[str, float] = {}
    order: dict[str, int] = {}
    for result in results:
        weights = result.run.trace.weights.astype(np.float64)
        distance = np.abs(weights[-1] - weights[0])
        for rank, k in enumerate(display_order(result.run.config.network)):
            name = result.names[k]
            moved[name] = max(moved.get(name, 0.0), float(distance[k]))
            order.setdefault(name, rank)
    chosen = sorted(moved, key=lambda name: -moved[name])[:MOST_WEIGHTS]
    return tuple(sorted(chosen, key=lambda name: order[name]))


def _powers(weights: np.ndarray) -> list[float]:
    """Ticks of an axis that is logarithmic far from 0: none where labels would meet around it."""
    largest = int(np.log10(np.nanmax(np.abs(weights))))
    powers = range(1, largest + 1, 1 + largest // 3)
    ticks = [0.0, *(sign * 10.0**power for power in powers for sign in (1, -1))]
    low, high = float(np.nanmin(weights)), float(np.nanmax(weights))
    return sorted(tick for tick in ticks if min(low, 0.0) <= tick <= max(high, 0.0))


def _tick(value: float, _: int) -> str:
    exponent = round(np.log10(abs(value))) if value else 0
    if exponent < 4:
        return f"{value:g}".replace("-", "−")
    sign = "-" if value < 0 else ""
    return f"$\\mathdefault{{{sign}10^{{{exponent}}}}}$"


def weights_figure(
    results: Sequence[Result], names: Sequence[str], budget: int, labels: tuple[str, str]
) -> bytes:
    """Small multiples of weights over updates.

    Args:
        results: runs, each with a trace of at least two steps.
        names: of the runs.
        budget: rounds to show.
        labels: of the horizontal and the vertical axis.
    """
    chosen = most_moved(results)
    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 0.75 + 1.45 * rows))
        panels = figure.subplots(rows, columns, squeeze=False)
        for index, panel in enumerate(panels.flat):
            if index >= len(results):
                panel.set_visible(False)
                continue
            result = results[index]
            weights = style.drawable(result.run.trace.weights[: budget + 1].astype(np.float64))
            steps = style.thinned(len(weights), by_ratio=len(weights) > style.MOST_POINTS)
            for number, name in enumerate(chosen):
                if name in result.names:
                    values = weights[steps, result.names.index(name)]
                    panel.plot(steps, values, label=name, **style.line(number))
            if len(weights) > style.MOST_POINTS:
                panel.set_xscale("symlog", linthresh=1, linscale=0.3)
                panel.set_xticks([0, 1, 10, 100, 1000][: len(str(len(weights))) + 1])
                panel.get_xaxis().set_major_formatter(lambda value, _: f"{value:g}")
                panel.minorticks_off()
            if np.nanmax(np.abs(weights)) > 50:
                # A run that runs away would flatten the start, where everything happens.
                panel.set_yscale("symlog", linthresh=LINEAR)
                panel.set_yticks(_powers(weights))
                panel.get_yaxis().set_major_formatter(_tick)
                panel.minorticks_off()
            panel.set_xlim(0, len(weights) - 1)
            panel.grid(visible=True)
            panel.set_title(style.literal(names[index]))
            if index % columns == 0:
                panel.set_ylabel(labels[1])
            if index >= len(results) - columns:
                panel.set_xlabel(labels[0])
        height = float(figure.get_size_inches()[1])
        figure.subplots_adjust(
            left=0.105, right=0.97, bottom=0.46 / height, hspace=0.55, wspace=0.28
        )
        widest = max(results, key=lambda r: len(set(r.names) & set(chosen)))
        style.legend_above(figure, panels.flat[results.index(widest)])
        # Room for the titles of the panels under the legend.
        figure.subplots_adjust(top=figure.subplotpars.top - 0.2 / height)
        return style.svg(figure)
