"""What all figures share: font, colours, lines, and how a figure becomes bytes."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labreport.report.svg import compact

WIDTH = 6.3
"""Inches: the text width of an A4 page."""

# Okabe and Ito's palette, which colour-blind readers can tell apart, without its yellow, which
# paper swallows; line styles tell the lines apart in black and white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8A6D00", "#444444", "#E69F00")
STYLES: tuple[Any, ...] = (
    "-",
    (0, (6, 1.5)),
    (0, (3, 1.2, 1, 1.2)),
    (0, (1, 1)),
    (0, (8, 2, 2, 2)),
)
HANDLE = 2.6
"""Length of a line in a legend, in units of the font size."""

FLOOR: dict[str, Any] = {"color": "#777777", "linewidth": 0.8, "linestyle": (0, (4, 3))}

MOST = 1e60
"""The largest number that a figure shows; only runs on the way to infinity have larger ones."""

MOST_POINTS = 300
"""Points of a curve that paper can show; more only cost time and bytes."""


@cache
def font_path() -> Path:
    """The Chinese font that figures and the PDF share: Noto Sans SC, carried by a package."""
    spec = importlib.util.find_spec("zhplot")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "fonts" / "NotoSansSC-Regular.ttf"


@cache
def code_font_path() -> Path:
    """A monospaced font, DejaVu Sans Mono, which matplotlib carries."""
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"


@cache
def _family() -> str:
    font_manager.fontManager.addfont(str(font_path()))
    return font_manager.FontProperties(fname=str(font_path())).get_name()


def settings() -> dict[str, Any]:
    """Settings under which every figure is drawn and saved; the same bytes each time."""
    return {
        "font.family": [_family(), "DejaVu Sans"],
        "font.size": 8.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "axes.titlesize": 8.5,
        "axes.titlelocation": "left",
        "axes.unicode_minus": True,
        "axes.axisbelow": True,
        "grid.color": "#e4e4e4",
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.4,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "mathtext.fontset": "dejavusans",
        "svg.fonttype": "path",
        "svg.hashsalt": "labreport",
        "path.simplify": True,
    }


def colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def line(index: int) -> dict[str, Any]:
    """Colour and style of the line of one variant."""
    return {"color": colour(index), "linestyle": STYLES[index % len(STYLES)]}


def literal(label: str) -> str:
    """A label that matplotlib draws as it is written: one line, no formula, never left out."""
    escaped = " ".join(label.split()).replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def drawable(values: np.ndarray) -> np.ndarray:
    """Values with gaps where they are too large for an axis: its ticks would overflow."""
    return np.where(np.abs(values) <= MOST, values, np.nan)


def thinned(count: int, *, by_ratio: bool, most: int = MOST_POINTS) -> np.ndarray:
    """Indices 0 … count − 1, at most so many of them, both ends among them.

    Args:
        count: number of points there are.
        by_ratio: evenly in the logarithm, for an axis that is logarithmic.
        most: how many to keep.
    """
    if count <= most:
        return np.arange(count)
    if by_ratio:
        spaced = np.geomspace(1, count - 1, most - 1)
        return np.unique(np.concatenate([[0], spaced.round().astype(int)]))
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def legend_above(figure: Figure, axes: Axes) -> None:
    """One legend for the whole figure, above it, where it covers no curve."""
    handles, labels = axes.get_legend_handles_labels()
    columns = _columns_that_fit(labels, float(figure.get_size_inches()[0]))
    rows = -(-len(labels) // columns)
    # matplotlib fills a legend column by column; readers read it row by row.
    order = [i for c in range(columns) for i in range(c, len(labels), columns)]
    figure.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="upper left",
        bbox_to_anchor=(0.01, 1.0),
        ncols=columns,
        handlelength=HANDLE,
        columnspacing=1.4,
        borderaxespad=0.1,
    )
    top = 1 - (0.12 + 0.19 * rows) / float(figure.get_size_inches()[1])
    figure.subplots_adjust(top=top)


def finish(figure: Figure, axes: Axes, labels: Sequence[str], *, bottom: float = 0.17) -> bytes:
    """A figure of one panel, with the names of its axes and a legend above it, as SVG.

    Args:
        figure: the figure.
        axes: its panel.
        labels: of the horizontal and the vertical axis.
        bottom: share of the height that the horizontal axis takes.
    """
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    figure.subplots_adjust(left=0.13, right=0.97, bottom=bottom)
    legend_above(figure, axes)
    return svg(figure)


def _columns_that_fit(labels: Sequence[str], width: float) -> int:
    """Columns of a legend in so many inches; a Chinese character is as wide as its size."""
    em = 8.5 / 72

    def inches(label: str) -> float:
        return em * (HANDLE + 2.4 + sum(1.0 if ord(c) > 0x2E80 else 0.58 for c in label))

    for columns in range(len(labels), 1, -1):
        widest = [max(inches(label) for label in labels[c::columns]) for c in range(columns)]
        if sum(widest) <= width - 0.2:
            return columns
    return 1


def svg(figure: Figure) -> bytes:
    """The figure as an SVG document, the same bytes for the same figure."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        # A character that no font has is told by the PDF, in which every label stands as text.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return compact(buffer.getvalue())


def drawing() -> Any:
    """A context in which the shared settings hold."""
    return mpl.rc_context(settings())  # type: ignore[arg-type]
