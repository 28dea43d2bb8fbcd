"""The curves of a figure as numbers, for a page on which they can be zoomed and read off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labreport.render.figures import style
from labreport.render.figures.drawn import DrawnCurve
from labreport.render.printed import Line, Plot
from labreport.report import numbers
from labreport.report.illustration import curves as read
from labreport.report.illustration.drawings import SweptSeries

MOST_POINTS = 200
"""Points of a curve that a screen can tell apart."""

_DASHES: tuple[tuple[float, ...], ...] = ((), *(on for _, on in style.STYLES[1:]))
"""The line styles of the figures, in line widths."""


def plot_of_curves(
    curves: Sequence[DrawnCurve],
    budgets: Sequence[int],
    floors: Sequence[float],
    labels: tuple[str, str, str],
) -> Plot:
    """Curves [steps] over updates, as `curve_figure` draws them.

    Args:
        curves: the curves.
        budgets: rounds at which results are compared.
        floors: levels to mark.
        labels: of the horizontal axis, the vertical axis and the floor.
    """
    cut = [(curve, curve.values[: budgets[-1] + 1]) for curve in curves]
    by_ratio = read.by_ratio(budgets)
    longest = max(len(values) for _, values in cut)
    steps = style.thinned(longest, by_ratio=by_ratio, most=MOST_POINTS)
    lines = [
        (curve.name, curve.look, [values[k] if k < len(values) else np.nan for k in steps])
        for curve, values in cut
    ]
    across = "from-zero" if by_ratio else "linear"
    plot = _plot(steps.tolist(), lines, floors, labels, across)
    return replace(plot, marks=tuple(map(float, budgets[:-1]))) if by_ratio else plot


def plot_of_sweep(
    lines: Sequence[SweptSeries[str]], floors: Sequence[float], labels: tuple[str, str, str]
) -> Plot:
    """Loss against the swept value, as `sweep_figure` draws it."""
    places = sorted({value for line in lines for value in line.values})
    found = [dict(zip(line.values, line.losses, strict=True)) for line in lines]
    shown = [
        (line.name, line.look, [_number(losses.get(place)) for place in places])
        for line, losses in zip(lines, found, strict=True)
    ]
    across = "log" if places[0] > 0 else "linear"
    return replace(_plot(places, shown, floors, labels, across), lowest=True)


def _plot(
    places: Sequence[float],
    lines: Sequence[tuple[str, int, Sequence[float]]],
    floors: Sequence[float],
    labels: tuple[str, str, str],
    across: str,
) -> Plot:
    shown = [v for _, _, values in lines for v in values if np.isfinite(v)]
    return Plot(
        horizontal=labels[0],
        vertical=labels[1],
        across=across,
        logarithmic=bool(read.wants_log(shown)),
        places=tuple(_rounded(place) or 0.0 for place in places),
        lines=tuple(
            Line(name, tuple(map(_rounded, values)), style.colour(k), _DASHES[k % len(_DASHES)])
            for name, k, values in lines
        ),
        floors=tuple(_rounded(level) or 0.0 for level in dict.fromkeys(floors)),
        floor=labels[2],
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _rounded(value: float) -> float | None:
    """A number as tables have it, so that what is read off is the same, rounded only once.

    None where it is not finite or too large for an axis.
    """
    if not abs(value) <= style.MOST:
        return None
    return float(f"{value:.{numbers.DIGITS}g}")
