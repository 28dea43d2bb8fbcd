"""A sweep over one key: final loss against the value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from labreport.report.curves import wants_log
from labreport.report.figures import style


def sweep_figure(
    lines: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    floors: Sequence[float],
    labels: tuple[str, str, str],
) -> bytes:
    """Loss against the swept value, a line for each variant or budget, lowest points dotted.

    Args:
        lines: name, values of the swept key, and losses (nan where a run had ended).
        floors: levels to mark.
        labels: of the horizontal axis, the vertical axis and the floor.
    """
    with style.drawing():
        figure = Figure(figsize=(style.WIDTH, 2.75))
        axes = figure.subplots()
        everything: list[float] = []
        for index, (name, values, losses) in enumerate(lines):
            shown = style.drawable(np.array(losses))
            axes.plot(values, shown, label=style.literal(name), **style.line(index))
            if np.isfinite(shown).any():
                lowest = int(np.nanargmin(shown))
                axes.plot(
                    values[lowest], shown[lowest], "o", color=style.colour(index), markersize=5
                )
            everything += [float(loss) for loss in shown if np.isfinite(loss)]
        for number, level in enumerate(dict.fromkeys(floors)):
            axes.axhline(level, label=labels[2] if number == 0 else None, **style.FLOOR)
        if everything and all(value > 0 for _, values, _ in lines for value in values):
            axes.set_xscale("log")
        if wants_log(everything) or (everything and min(everything) > 0):
            axes.set_yscale("log")
        axes.grid(visible=True)
        return style.finish(figure, axes, labels)
