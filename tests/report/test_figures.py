"""Figures: the same bytes each time, both ends of every curve, and labels as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rcParams
from matplotlib.figure import Figure as Canvas

from labreport.report.curves import MOST_CURVES, _spread_out, wants_log
from labreport.report.figures import style
from labreport.report.figures.curves import curve_figure
from labreport.report.figures.starts import starts_curves_figure, starts_figure
from labreport.report.figures.sweep import sweep_figure
from labreport.report.tree import Figure, Formula

AXES = ("updates", "loss", "floor")
CURVES = [("甲", np.linspace(1, 0.1, 1001)), ("B", np.geomspace(1, 1e-6, 1001))]

DRAWINGS: dict[str, Callable[[], bytes]] = {
    "curves": lambda: curve_figure(CURVES, (10, 1000), (0.01,), AXES),
    "sweep": lambda: sweep_figure([("A", [0.1, 1.0], [0.5, np.nan])], (0.1,), AXES),
    "starts": lambda: starts_figure([("A", np.array([1.0, 2.0, 4.0]))], [("g", 3.0)], AXES[:2]),
    "spread": lambda: starts_curves_figure(
        [("A", np.geomspace(1, 0.1, 2 * 400).reshape(2, 400))], [("g", CURVES[0][1])], (), AXES
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_figure_has_the_same_bytes(name: str) -> None:
    assert DRAWINGS[name]() == DRAWINGS[name]()


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing_leaves_global_settings_alone(name: str) -> None:
    before = dict(rcParams)
    DRAWINGS[name]()
    assert dict(rcParams) == before


def test_figures_and_formulas_of_a_report_are_closed_svg(shipped_build: Any) -> None:
    def blocks(sections: Any) -> Any:
        for section in sections:
            yield from section.blocks
            yield from blocks(section.sections)

    for report in shipped_build.reports.values():
        pictures = [b for b in blocks(report.sections) if isinstance(b, Figure | Formula)]
        assert len(pictures) > 15
        for picture in pictures:
            root = ElementTree.fromstring(picture.svg)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            for element in root.iter():
                name = element.tag.rpartition("}")[2]
                assert name not in ("script", "foreignObject", "a"), picture.label
                for key, value in element.attrib.items():
                    assert not key.startswith("on")
                    if key.rpartition("}")[2] == "href":
                        # The colour bar of a map is a picture of its own.
                        start = "data:image/png;base64," if name == "image" else "#"
                        assert value.startswith(start)
            # Neither a date nor a path of this machine.
            assert not re.search(rb"/home/|/tmp/|dc:date|20\d\d-\d\d-\d\d", picture.svg)


# --- thinning ----------------------------------------------------------------------------------


@given(st.integers(1, 200_000), st.booleans())
def test_thinned_curves_keep_both_ends_and_their_order(count: int, by_ratio: bool) -> None:
    steps = style.thinned(count, by_ratio=by_ratio)
    assert steps[0] == 0
    assert steps[-1] == count - 1
    assert (np.diff(steps) > 0).all()
    assert len(steps) <= style.MOST_POINTS + 1
    if count <= style.MOST_POINTS:
        assert len(steps) == count


def test_thinning_by_ratio_keeps_the_first_rounds() -> None:
    steps = style.thinned(100_001, by_ratio=True)
    assert steps[:10].tolist() == list(range(10))
    assert np.diff(steps).max() < 0.06 * 100_000


@given(st.integers(1, 60))
def test_curves_of_a_sweep_include_both_ends(count: int) -> None:
    chosen = _spread_out(list(range(count)))  # type: ignore[arg-type]
    assert chosen[0] == 0
    assert chosen[-1] == count - 1
    assert len(set(chosen)) == len(chosen) == min(count, MOST_CURVES)


# --- labels ------------------------------------------------------------------------------------

LABELS = ["$x_{$", "$\\alpha$", "cost $5", r"\$", "a$b$c", "_hidden", "100%", "{x}", "<b>&", "甲"]


@pytest.mark.parametrize("label", LABELS)
def test_labels_are_drawn_as_they_are_written(label: str) -> None:
    """No label is read as a formula, and none is left out of the legend."""
    canvas = Canvas()
    axes = canvas.subplots()
    (line,) = axes.plot([0, 1], label=style.literal(label))
    style.legend_above(canvas, axes)
    (text,) = canvas.legends[0].get_texts()
    drawn, is_formula = text._preprocess_math(text.get_text())
    assert drawn.strip() == label
    assert not is_formula
    assert line.get_label() == style.literal(label)


@pytest.mark.parametrize("label", LABELS)
def test_every_figure_takes_any_label(label: str) -> None:
    curves = [(label, CURVES[0][1])]
    assert curve_figure(curves, (10, 1000), (), AXES)
    assert sweep_figure([(label, [0.1, 1.0], [0.5, 0.25])], (), AXES)
    assert starts_figure([(label, np.array([1.0, 2.0]))], [(label, 3.0)], AXES[:2])
    assert starts_curves_figure([(label, CURVES[0][1][None])], curves, (), AXES)


def test_labels_change_the_picture() -> None:
    pictures = {curve_figure([(x, CURVES[0][1])], (10, 1000), (), AXES) for x in ("a", "$a$", "_a")}
    assert len(pictures) == 3


# --- extremes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.0, 1e308]),
        np.array([1.0, 1e-320, 0.0]),
        np.array([-1.0, -1e30]),
        np.array([0.0, 0.0]),
        np.array([1e300, 1e305, 1e308]),
        np.full(2000, 0.25),
    ],
)
def test_curves_take_any_number(values: np.ndarray) -> None:
    budget = len(values) - 1
    for budgets in ((budget,), (1, 1000)):
        assert curve_figure([("a", values), ("b", values[:2])], budgets, (0.1,), AXES)


@pytest.mark.parametrize(
    "losses", [[1.0, 1e308], [np.nan, np.nan], [-1.0, 2.0], [0.0, 0.0], [1e300, 1e300]]
)
def test_sweeps_take_any_number(losses: list[float]) -> None:
    assert sweep_figure([("a", [0.0, 1.0], losses)], (), AXES)
    assert sweep_figure([("a", [0.1, 1.0], losses)], (0.5,), AXES)


@pytest.mark.parametrize("values", [[1.0, 1.0], [-1.0, 2.0], [0.0, 0.0], [1e30, 1e38]])
def test_random_starts_take_any_number(values: list[float]) -> None:
    assert starts_figure([("a", np.array(values))], [], AXES[:2])
    curves = np.array([values, values[::-1]])
    assert starts_curves_figure([("a", curves)], [], (0.1,), AXES)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([1.0, 29.0], False), ([1.0, 31.0], True), ([0.0, 31.0], False), ([-1.0, 1e9], False)],
)
def test_an_axis_is_logarithmic_where_values_span_much(values: list[float], wanted: bool) -> None:
    assert wants_log(values) is wanted


def test_no_axis_for_nothing() -> None:
    assert wants_log([]) is False


def test_the_font_that_is_shipped_has_the_characters_of_the_exercise() -> None:
    from fontTools.ttLib import TTFont

    characters = TTFont(style.font_path()).getBestCmap()
    assert all(ord(c) in characters for c in "神经网络实验报告学习率损失下限更新次数−×“”，。αβ")
