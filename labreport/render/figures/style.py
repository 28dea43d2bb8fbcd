"""The common style of all figures: font, colours, lines, and how a figure becomes bytes."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from labreport.render.svg import compact
from labreport.report.illustration.extents import MOST as MOST
from labreport.report.illustration.extents import drawable as drawable

WIDTH = 6.3
"""Inches of a figure; print sets it in the text width of an A4 page, 6.3 to 6.7 inches."""

HEIGHT = 1.7
"""Inches of a figure of one row of panels: a fifth of a page with its caption, or less."""

BOTTOM = 0.42 / HEIGHT
"""Share of that height that the horizontal axis takes, with its name."""

# Okabe and Ito's palette, which colour-blind readers can tell apart, without its yellow, which
# paper swallows; line styles tell the lines apart in black and white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#665000", "#444444", "#E69F00")
STYLES: tuple[Any, ...] = (
    "-",
    (0, (6, 1.5)),
    (0, (3, 1.2, 1, 1.2)),
    (0, (1, 1)),
    (0, (8, 2, 2, 2)),
)
MARKERS = ("o", "s", "^")

PLAIN = (1e-4, 1e4)
"""Numbers between which a logarithmic axis may have plain numbers instead of powers of ten."""

MOST_NAMED, NEXT_MARK = 10, 0.07
"""Values that are marked on a logarithmic axis, at the most, and the share of it between two."""

EM = 8.5 / 72
"""Size of the letters of a figure, in inches."""

HANDLE = 2.6
"""Length of a line in a legend, in units of the font size."""

FLOOR: dict[str, Any] = {"color": "#777777", "linewidth": 0.8, "linestyle": (0, (4, 3))}

BUDGET: dict[str, Any] = {"color": "#999999", "linewidth": 0.7, "linestyle": (0, (1, 2))}
"""The style of the mark of a number of rounds at which results are compared."""

LEGEND_ROW = 0.19
"""Inches of a row of a legend."""

LEGEND_ROWS = 2
"""Rows for which a figure has room above its panels."""

MANY_ROWS = 5
"""Rows from which on a legend is in small letters, if it then has fewer."""

SMALL = 0.84
"""Size of small letters, as a share of the usual size."""

NAME_WIDTH = 1.55
"""Inches that the longest name may take at the end of its line; longer ones go into a legend."""

NAME_HEIGHT = 0.15
"""Inches from one name to the next."""

DPI = 200
"""Dots per inch of the parts of a figure that are pictures."""

MOST_POINTS = 200
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
        # Points: half of the width of the thinnest line.
        "path.simplify_threshold": 0.2,
    }


def colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def marker(index: int) -> str:
    """Return the marker of a variant's points: another shape where a colour comes again."""
    return MARKERS[index // len(COLOURS) % len(MARKERS)]


def line(index: int) -> dict[str, Any]:
    """Colour and style of the line of one variant."""
    return {"color": colour(index), "linestyle": STYLES[index % len(STYLES)]}


def literal(label: str) -> str:
    """A label that matplotlib draws as it is written: one line, no formula, never left out."""
    escaped = " ".join(label.split()).replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def tick(value: float) -> str:
    """A number beside an axis; a large one as a power of ten, which it has to be."""
    if abs(value) < 10_000:
        return f"{value:g}".replace("-", "−")
    sign = "-" if value < 0 else ""
    return f"$\\mathdefault{{{sign}10^{{{round(np.log10(abs(value)))}}}}}$"


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


def scale_by_ratio(axis: Axis, named: Sequence[float] = ()) -> None:
    """Few marks on a logarithmic axis, with plain numbers where it spans less than two decades.

    Args:
        axis: which is logarithmic; everything on it has been drawn.
        named: numbers that are marked instead, if there are few, and none close to the next.
    """
    low, high = axis.get_view_interval()
    spaced = np.log(sorted(named)) / (np.log(high) - np.log(low))
    plain = all(PLAIN[0] <= value < PLAIN[1] for value in named)
    if plain and 0 < len(named) <= MOST_NAMED and (np.diff(spaced) > NEXT_MARK).all():
        axis.set_ticks(list(named))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(lambda value, _: tick(value))
        return
    axis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
    if PLAIN[0] <= low and high < PLAIN[1] and high < 100 * low:
        axis.set_major_formatter(lambda value, _: tick(value))
        axis.set_minor_formatter(lambda value, _: tick(value))


def mark_floors(axes: Axes, floors: Sequence[float], name: str) -> None:
    """Levels that losses cannot get below, as dashed lines with one entry among the names."""
    for number, level in enumerate(dict.fromkeys(floors)):
        axes.axhline(level, label=name if number == 0 else None, **FLOOR)


def name_lines(figure: Figure, axes: Axes) -> None:
    """Say which line is which: each at its end where there is room, or else in a legend above.

    Everything else has been drawn: where a line ends depends on the limits of the panel.
    """
    handles, labels = axes.get_legend_handles_labels()
    widest = max(map(_inches, labels), default=0.0)
    width, height = map(float, figure.get_size_inches())
    # Without a legend the panel may have all of the height.
    room = (0.95 - figure.subplotpars.bottom) * height
    if widest > NAME_WIDTH or len(labels) * NAME_HEIGHT > room:
        legend_above(figure, axes)
        return
    figure.subplots_adjust(right=1 - (widest + 0.42) / width, top=0.95)
    box = axes.get_position()
    inch = 1 / (box.width * width)
    wanted = [_end(axes, handle) for handle in handles]
    for k, place in zip(*_apart(wanted, NAME_HEIGHT / (box.height * height)), strict=True):
        pointer = Line2D([], [])
        pointer.update_from(handles[k])
        pointer.set_data([1.0, 1 + 0.09 * inch, 1 + 0.33 * inch], [wanted[k], place, place])
        pointer.set(transform=axes.transAxes, clip_on=False, marker="", linewidth=1.3)
        axes.add_artist(pointer)
        axes.text(
            1 + 0.38 * inch, place, labels[k], transform=axes.transAxes, va="center", fontsize=8
        )


def _end(axes: Axes, line: Any) -> float:
    """Height of the end of a line, as a share of its panel's; 0.5 where it shows no point."""
    heights = np.asarray(line.get_ydata(), dtype=float)
    shown = heights[np.isfinite(heights)]
    if not len(shown):
        return 0.5
    right = axes.get_xlim()[1]
    heights = np.array([*axes.get_ylim(), shown[-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high, here = axes.transData.transform([(right, height) for height in heights])[:, 1]
    share = (here - low) / (high - low)
    return min(max(float(share), 0.0), 1.0) if np.isfinite(share) else 0.0


def _apart(wanted: Sequence[float], least: float) -> tuple[list[int], list[float]]:
    """Places near the wanted ones, each at least so far from the next, as far as 0 … 1 has room.

    Returns:
        Indices in the order of their places, and the places.
    """
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    places: list[float] = []
    for k in order:
        places.append(max(wanted[k], places[-1] + least if places else 0.0))
    highest = 1.0
    for k in reversed(range(len(places))):
        places[k] = min(places[k], highest)
        highest = places[k] - least
    return order, places


def legend_above(figure: Figure, axes: Axes) -> None:
    """One legend for the whole figure, above it, where it covers no curve."""
    handles, labels = axes.get_legend_handles_labels()
    width = float(figure.get_size_inches()[0])
    columns, size = _columns_that_fit(labels, width), 1.0
    if len(labels) / columns > MANY_ROWS:
        small = _columns_that_fit(labels, width / SMALL)
        columns, size = (small, SMALL) if small > columns else (columns, 1.0)
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
        fontsize=8.5 * size,
    )
    # A legend of many rows makes the figure higher, and takes nothing away from the panels.
    width, height = map(float, figure.get_size_inches())
    row = LEGEND_ROW * size
    higher = height + max(row * rows - LEGEND_ROW * LEGEND_ROWS, 0)
    figure.set_size_inches(width, higher)
    figure.subplots_adjust(
        top=1 - (0.12 + row * rows) / higher,
        bottom=figure.subplotpars.bottom * height / higher,
    )


def finish(
    figure: Figure,
    axes: Axes,
    labels: Sequence[str],
    *,
    say_names: Callable[[Figure, Axes], None] = name_lines,
) -> bytes:
    """A figure of one panel, with the names of its axes and of its lines, as SVG.

    Args:
        figure: the figure.
        axes: its panel.
        labels: of the horizontal and the vertical axis.
        say_names: says which line is which.
    """
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    figure.subplots_adjust(left=0.11, right=0.97, bottom=BOTTOM)
    say_names(figure, axes)
    return svg(figure)


def _columns_that_fit(labels: Sequence[str], width: float) -> int:
    """Columns of a legend in so many inches."""
    beside = (HANDLE + 2.4) * EM
    for columns in range(len(labels), 1, -1):
        widest = [max(map(_inches, labels[c::columns])) + beside for c in range(columns)]
        if sum(widest) <= width - 0.2:
            return columns
    return 1


def _inches(label: str) -> float:
    """Measure the width of a name in inches."""
    font = font_manager.get_font(str(font_path()))
    font.set_size(EM * 72, 72)
    with _told_elsewhere():
        font.set_text(label)
    # In 64ths of a pixel, of which an inch has 72.
    return float(font.get_width_height()[0]) / 64 / 72


@contextmanager
def _told_elsewhere() -> Iterator[None]:
    """A character that no font has is told by the PDF, in which every label stands as text."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing")
        yield


def svg(figure: Figure) -> bytes:
    """The figure as an SVG document, the same bytes for the same figure."""
    buffer = BytesIO()
    with _told_elsewhere():
        figure.savefig(buffer, format="svg", dpi=DPI, metadata={"Date": None, "Creator": None})
    return compact(buffer.getvalue())


def drawing() -> Any:
    """A context in which the shared settings hold."""
    return mpl.rc_context(settings())  # type: ignore[arg-type]
