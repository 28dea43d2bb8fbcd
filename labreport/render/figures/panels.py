"""Small multiples over updates: a panel for each number, a line in it for each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnTrajectory
from labreport.report.illustration.extents import DEEPEST, LINEAR, extremes, run_away

Finish = Callable[[Axes, str], None]
"""The function that finishes the panel of a name once its lines are drawn."""

COLUMNS = 4

POINTS = 80
"""Points of a curve that a panel of this size can show."""


def weights_figure(
    runs: Sequence[DrawnTrajectory], names: Sequence[str], labels: tuple[str, str]
) -> bytes:
    """Weights over updates; where each begins is marked by a ring, where it ends by a dot.

    Args:
        runs: the weights of each, at two steps at least.
        names: of the weights that have a panel.
        labels: of the horizontal and the vertical axis.
    """

    def finish(panel: Axes, name: str) -> None:
        for run in runs:
            if name not in run.columns:
                continue
            values = _drawn(run, name)
            there = np.flatnonzero(np.isfinite(values))
            if not len(there):
                continue
            for place, face in ((there[0], "white"), (there[-1], style.colour(run.look))):
                panel.plot(
                    place,
                    values[place],
                    style.marker(run.look),
                    markersize=3,
                    color=style.colour(run.look),
                    markerfacecolor=face,
                    clip_on=False,
                    zorder=4,
                )
        if run_away(_drawn(run, name) for run in runs if name in run.columns):
            _far(panel)

    return _multiples(runs, names, labels, finish)


def sizes_figure(
    runs: Sequence[DrawnTrajectory], names: Sequence[str], labels: tuple[str, str]
) -> bytes:
    """Sizes over updates on a logarithmic axis that all panels share; 0 is a gap.

    What is smaller than the largest by more than DEEPEST lies below the axis.

    Args:
        runs: sizes of each, at two steps at least.
        names: of the sizes that have a panel.
        labels: of the horizontal and the vertical axis.
    """
    positive = [run._replace(values=np.where(run.values > 0, run.values, np.nan)) for run in runs]
    low, high = extremes([run.values for run in runs])

    def finish(panel: Axes, _: str) -> None:
        panel.set_yscale("log")
        panel.set_ylim(max(low, DEEPEST * high) / 2, high * 2)

    return _multiples(positive, names, labels, finish, shared=True)


def _multiples(
    runs: Sequence[DrawnTrajectory],
    names: Sequence[str],
    labels: tuple[str, str],
    finish: Finish,
    *,
    shared: bool = False,
) -> bytes:
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    # Few panels may be a little higher: they are wider, too.
    height = 0.62 + (0.82 if rows > 1 else 1.1) * rows
    steps = max(len(run.values) for run in runs)
    by_ratio = steps > style.MOST_POINTS
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, height))
        panels = figure.subplots(rows, columns, squeeze=False)
        for index, panel in enumerate(panels.flat):
            if index >= len(names):
                panel.set_visible(False)
                continue
            _draw(panel, runs, names[index], by_ratio=by_ratio)
            _across(panel, steps, by_ratio=by_ratio)
            finish(panel, names[index])
            panel.set_title(style.literal(names[index]), pad=2.5)
            is_last = index >= len(names) - columns
            _label(panel, labels, is_first=index % columns == 0, is_last=is_last, shared=shared)
        figure.subplots_adjust(
            left=0.095,
            right=0.972,
            bottom=0.42 / height,
            hspace=0.36,
            wspace=0.14 if shared else 0.36,
        )
        style.legend_above(figure, panels.flat[0])
        # Room for the titles of the panels under the legend.
        height = float(figure.get_size_inches()[1])
        figure.subplots_adjust(top=figure.subplotpars.top - 0.2 / height)
        return style.svg(figure)


def _label(
    panel: Axes, labels: tuple[str, str], *, is_first: bool, is_last: bool, shared: bool
) -> None:
    """Name the axes of the first panel of a row, and of the last one of a column."""
    if is_first:
        panel.set_ylabel(labels[1])
    elif shared:
        panel.tick_params(labelleft=False)
    if is_last:
        panel.set_xlabel(labels[0])
    else:
        panel.tick_params(labelbottom=False)


def _drawn(run: DrawnTrajectory, name: str) -> np.ndarray:
    values: np.ndarray = style.drawable(run.values[:, run.columns.index(name)])
    return values


def _draw(panel: Axes, runs: Sequence[DrawnTrajectory], name: str, *, by_ratio: bool) -> None:
    for index, run in enumerate(runs):
        if name not in run.columns:
            # An empty line keeps the run among the names of the figure.
            panel.plot([], [], label=style.literal(run.name), **style.line(run.look))
            continue
        values = _drawn(run, name)
        shown = style.thinned(len(values), by_ratio=by_ratio, most=POINTS)
        # Where curves coincide, the later one is thinner, so that both are seen.
        width = 2.0 - 1.0 * index / max(len(runs) - 1, 1)
        line = {**style.line(run.look), "linewidth": width}
        panel.plot(shown, values[shown], label=style.literal(run.name), **line)
    panel.grid(visible=True)


def _across(panel: Axes, steps: int, *, by_ratio: bool) -> None:
    if by_ratio:
        panel.set_xscale("symlog", linthresh=1, linscale=0.3)
        powers = [10**k for k in range(len(str(steps - 1)))]
        panel.set_xticks([0, *powers[:: 1 + (len(powers) - 1) // 4]])
        panel.get_xaxis().set_major_formatter(lambda value, _: style.tick(value))
        panel.minorticks_off()
    panel.set_xlim(0, steps - 1)


def _far(panel: Axes) -> None:
    """A run that runs away would flatten the start, where everything happens."""
    low, high = panel.get_ylim()
    panel.set_yscale("symlog", linthresh=LINEAR)
    panel.set_yticks(_powers(low, high))
    panel.get_yaxis().set_major_formatter(lambda value, _: style.tick(value))
    panel.minorticks_off()


def _powers(low: float, high: float) -> list[float]:
    """Ticks of an axis that is logarithmic far from 0: none where labels would meet around it."""
    largest = int(np.log10(max(abs(low), abs(high))))
    powers = range(1, largest + 1, 1 + largest // 3)
    ticks = [0.0, *(sign * 10.0**power for power in powers for sign in (1, -1))]
    return sorted(tick for tick in ticks if min(low, 0.0) <= tick <= max(high, 0.0))
