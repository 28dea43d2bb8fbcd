"""The network as a drawing: units in columns, weights as lines with their values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.report.illustration.drawings import Written
from labreport.report.numbers import setting

MOST_UNITS = 5
"""Units of a layer that are drawn; of a wider layer the first ones, and dots for the rest."""

MOST_LABELS = 4
"""Weights of a layer that can carry names and values before these run into one another."""

LARGEST = 22.0
"""Points across a unit, at most."""

AWAY = 0.4
"""From the middle of a unit to the number at it; a unit is 1 from the next."""

DECIMALS = 4
"""Of the numbers that are written."""

POSITIVE, NEGATIVE = style.COLOURS[0], style.COLOURS[1]


Row = tuple[tuple[float, ...], tuple[float, ...]] | None
"""Inputs and targets of the one row; None where there are more."""

DrawnNumbers = Written[np.ndarray]


def network_figure(units: Sequence[Sequence[str]], row: Row, written: DrawnNumbers | None) -> bytes:
    """Draw a network.

    Args:
        units: their names, layer by layer.
        row: inputs and targets of the one row.
        written: numbers to write on lines and under units, or None to leave them bare.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, _height(units)))
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
        _draw(axes, units, row, written)
        return style.svg(figure)


def _height(units: Sequence[Sequence[str]]) -> float:
    return min(style.HEIGHT, 0.56 * max(_shown(units)) + 0.4)


def _shown(units: Sequence[Sequence[str]]) -> list[int]:
    """Return the number of units drawn in each layer."""
    return [min(len(names), MOST_UNITS) for names in units]


def _largest(written: DrawnNumbers | None) -> float:
    matrices = () if written is None else written.weights
    return max((float(np.abs(matrix).max(initial=0.0)) for matrix in matrices), default=0.0)


def _draw(
    axes: Axes, units: Sequence[Sequence[str]], row: Row, written: DrawnNumbers | None
) -> None:
    """Fill a panel with a network."""
    shown = _shown(units)
    axes.set_axis_off()
    gap = 2.6 if len(shown) <= 4 else 1.8
    places = [
        [(gap * layer, (count - 1) / 2 - unit) for unit in range(count)]
        for layer, count in enumerate(shown)
    ]
    _edges(axes, units, places, written)
    _units(axes, units, row, places)
    if written is not None:
        _numbers(axes, places, written)
    axes.set_xlim(-1.6, gap * (len(places) - 1) + 2.0)
    half = (max(shown) - 1) / 2 + 0.5
    more = 0.5 if max(map(len, units)) > MOST_UNITS else 0.0
    axes.set_ylim(-half - 0.15 - more, half + 0.15)


def _edges(
    axes: Axes,
    units: Sequence[Sequence[str]],
    places: list[list[tuple[float, float]]],
    written: DrawnNumbers | None,
) -> None:
    largest = _largest(written)
    matrices = None if written is None else written.weights
    shapes = [(len(after), len(before)) for before, after in pairwise(units)]
    labelled = max(out * into for out, into in shapes) <= MOST_LABELS
    numbers = count(1)
    for layer, (out, into) in enumerate(shapes):
        # Names run by source, then by target; the matrix has a row for each target.
        grid = {(i, o): f"w{next(numbers)}" for i in range(into) for o in range(out)}
        for (i, o), name in grid.items():
            if i >= len(places[layer]) or o >= len(places[layer + 1]):
                continue
            (x0, y0), (x1, y1) = places[layer][i], places[layer + 1][o]
            value = float(matrices[layer][o, i]) if matrices else 0.0
            colour = "#999999" if value == 0 else (POSITIVE if value > 0 else NEGATIVE)
            width = 0.6 + (2.4 * abs(value) / largest if largest else 0.0)
            axes.plot([x0, x1], [y0, y1], color=colour, linewidth=width, zorder=1)
            if labelled:
                share = _label_share(i, o, out * into)
                place = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
                _label(axes, place, name, value, written)


def _label(
    axes: Axes,
    place: tuple[float, float],
    name: str,
    value: float,
    written: DrawnNumbers | None,
) -> None:
    """Write the name of a weight on its line, and its value if there are any."""
    text = name
    if written is not None:
        text = f"{name} = {setting(round(value, DECIMALS))}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.text(*place, text, fontsize=7.5, ha="center", va="center", zorder=2, bbox=box)


def _label_share(source: int, target: int, lines: int) -> float:
    """Return how far along its line a label stands, so that crossing lines keep theirs apart."""
    if lines <= 4:
        return 0.3 if source != target else 0.62
    # Lines that meet in a unit are apart near it, by as much as their sources differ.
    return 0.6


def _numbers(axes: Axes, places: list[list[tuple[float, float]]], written: DrawnNumbers) -> None:
    """A number at each unit that has one: above it in the upper half, below it in the lower one.

    Between the halves are the lines that cross, with labels of their own.
    """
    for layer, values in zip(places, written.units, strict=False):
        for (x, y), value in zip(layer, values, strict=False):
            text = setting(round(float(value), DECIMALS))
            beside = y + AWAY if y > 0 else y - AWAY
            axes.text(x, beside, text, ha="center", va="center", fontsize=7.5, zorder=5)


def _units(
    axes: Axes,
    units: Sequence[Sequence[str]],
    row: Row,
    places: list[list[tuple[float, float]]],
) -> None:
    inputs, targets = row or ((), ())
    # In points: as large as the distance between units leaves room for.
    size = min(LARGEST, 62 * _height(units) / (max(_shown(units)) + 0.8))
    for layer, names in enumerate(units):
        for unit, (x, y) in enumerate(places[layer]):
            axes.plot(
                x, y, "o", markersize=size, color="white", markeredgecolor="#333333", zorder=3
            )
            small = 7.2 if len(names[unit]) > 2 else 8.5
            axes.text(x, y, names[unit], ha="center", va="center", fontsize=small, zorder=4)
        x, bottom = places[layer][-1]
        if len(names) > len(places[layer]):
            axes.text(x, bottom - 0.75, f"⋮ {len(names)}", ha="center", va="center", zorder=4)
        if layer == 0 and row:
            for unit, (_, y) in enumerate(places[0]):
                value = setting(inputs[unit])
                axes.text(x - 0.4, y, value, ha="right", va="center", fontsize=8)
        if layer == len(places) - 1 and row:
            for unit, (_, y) in enumerate(places[-1]):
                target = setting(targets[unit])
                axes.text(
                    x + 0.4, y, f"→ y{unit + 1} = {target}", ha="left", va="center", fontsize=8
                )
