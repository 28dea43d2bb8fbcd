"""Figures: the same bytes each time, both ends of every curve, and labels as they are written."""

from __future__ import annotations

import itertools
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
from printing_parts import words_of

from labreport.render.figures import style
from labreport.render.figures.curve_figure import curve_figure
from labreport.render.figures.landscape_figure import landscape_figure
from labreport.render.figures.layer_heatmap import layers_figure
from labreport.render.figures.panels import sizes_figure, weights_figure
from labreport.render.figures.start_distribution import starts_figure
from labreport.render.figures.sweep_figure import sweep_figure
from labreport.render.printed import PrintedFigure, PrintedFormula
from labreport.report.illustration.curves import (
    single_curves,
    swept_curves,
    wants_log,
)
from labreport.report.illustration.drawings import Curve, Level, SweptSeries, Trajectory
from labreport.report.illustration.extents import RUNAWAY, run_away

AXES = ("updates", "loss", "floor")
CURVES = [
    Curve("甲", np.linspace(1, 0.1, 1001), 0),
    Curve("B", np.geomspace(1, 1e-6, 1001), 1),
]
RUNS = [
    Trajectory(c.name, ("w1", "w2"), np.stack([c.values, -c.values], axis=1), c.look)
    for c in CURVES
]
LAYERS = [
    Trajectory(
        c.name,
        tuple(f"layer {k + 1}" for k in range(10)),
        c.values[:, None] * 10.0 ** -np.arange(10),
        c.look,
    )
    for c in CURVES
]
SIDE = np.linspace(-1, 1, 20)
WAYS = (np.stack([SIDE, SIDE], axis=1), np.stack([SIDE, -SIDE], axis=1))


def landscape(names: tuple[str, str]) -> bytes:
    losses = SIDE[:, None] ** 2 + SIDE**2 + 0.1
    ways = [
        Curve(name, way, look) for look, (name, way) in enumerate(zip(names, WAYS, strict=True))
    ]
    return landscape_figure(("w1", "w2"), (SIDE, SIDE), losses, ways, "loss")


DRAWINGS: dict[str, Callable[[], bytes]] = {
    "curves": lambda: curve_figure(CURVES, (10, 1000), (0.01,), AXES),
    "sweep": lambda: sweep_figure([SweptSeries("A", (0.1, 1.0), (0.5, None), 0)], (0.1,), AXES),
    "starts": lambda: starts_figure(
        [Curve("A", np.array([1.0, 2.0, 4.0]), 0)], [Level("g", 3.0, 1)], AXES[:2]
    ),
    "weights": lambda: weights_figure(RUNS, ("w1", "w2"), AXES[:2]),
    "sizes": lambda: sizes_figure(RUNS, ("w1", "w2"), AXES[:2]),
    "layers": lambda: layers_figure(LAYERS, (1e-12, 1.0), ("updates", "layer", "norm")),
    "landscape": lambda: landscape(("A", "B")),
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
        pictures = [
            b for b in blocks(report.sections) if isinstance(b, PrintedFigure | PrintedFormula)
        ]
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


def test_curves_of_a_sweep_are_those_of_the_base_the_best_and_the_worst(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    def drawn(rates: str) -> list[float]:
        lab = f'[experiment.a]\ntitle = "a"\nsweep.optimizer.learning_rate = {rates}\n'
        (found,) = build_pages(base_text + lab).measured.experiments
        curves = swept_curves(found)
        assert curves is not None
        last = {r.point[0][1]: r.loss(found.last) for r in found.everywhere}
        chosen = [r.point[0][1] for r in curves.results]
        assert {min(last, key=last.get), max(last, key=last.get)} <= set(chosen)
        return chosen

    # The base has 1.0, and of these rates each is better than the ones below it.
    assert drawn("[0.01, 0.1, 1.0, 2.0, 3.0]") == [0.01, 1.0, 3.0]
    assert drawn("[3.0, 2.0, 0.1, 0.01]") == [3.0, 0.01]
    assert drawn("[1.0, 0.5]") == [1.0, 0.5]


def test_runs_that_are_the_same_are_one_curve_with_all_names(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    lab = '[experiment.a]\ntitle = "a"\n'
    for name, rate in (("one", 1.0), ("two", 2.0), ("three", 1.0)):
        lab += (
            f'[[experiment.a.variant]]\nname = "{name}"\nchange.optimizer.learning_rate = {rate}\n'
        )
    (found,) = build_pages(base_text + lab).measured.experiments
    curves = single_curves(found)
    assert curves is not None
    words = words_of([found])
    assert [words(curve.name) for curve in curves.curves] == ["one, three", "two"]
    assert [curve.look for curve in curves.curves] == [0, 1]
    assert [r.variant for r in curves.results] == ["one", "two"]


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
    curves = [CURVES[0]._replace(name=label)]
    assert curve_figure(curves, (10, 1000), (), AXES)
    assert sweep_figure([SweptSeries(label, (0.1, 1.0), (0.5, 0.25), 0)], (), AXES)
    groups = [Curve(label, np.array([1.0, 2.0]), 0)]
    assert starts_figure(groups, [Level(label, 3.0, 1)], AXES[:2])
    runs = [RUNS[0]._replace(name=label)]
    assert weights_figure(runs, ("w1",), AXES[:2])
    assert landscape((label, label))


def test_labels_change_the_picture() -> None:
    pictures = {
        curve_figure([CURVES[0]._replace(name=x)], (10, 1000), (), AXES) for x in ("a", "$a$", "_a")
    }
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
        curves = [Curve("a", values, 0), Curve("b", values[:2], 1)]
        assert curve_figure(curves, budgets, (0.1,), AXES)
    runs = [Trajectory("a", ("w1",), values[:, None], 0)]
    assert weights_figure(runs, ("w1",), AXES[:2])
    assert sizes_figure(runs, ("w1",), AXES[:2])
    assert layers_figure(runs, (0.5, 2.0), AXES)


@pytest.fixture
def axes_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Any]]:
    """The axes of a figure, as they are drawn."""

    def axes(name: str) -> list[Any]:
        drawn: list[Any] = []
        monkeypatch.setattr(style, "svg", lambda figure: drawn.append(figure) or b"")
        DRAWINGS[name]()
        (figure,) = drawn
        return list(figure.axes)

    return axes


def test_curves_are_as_high_as_the_losses_and_run_over_updates(
    axes_of: Callable[[str], list[Any]],
) -> None:
    panels = axes_of("curves")
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in panels] == [
        ("updates", "loss"),
        ("updates", ""),
    ]
    for axes, last in zip(panels, (10, 1000), strict=True):
        for line, (_, values, _) in zip(axes.lines, CURVES, strict=False):
            steps = np.asarray(line.get_xdata())
            assert (steps[0], steps[-1]) == (0, last)
            assert np.array_equal(line.get_ydata(), values[steps.astype(int)])


def test_a_sweep_is_as_high_as_the_losses_and_runs_over_what_is_swept(
    axes_of: Callable[[str], list[Any]],
) -> None:
    (axes,) = axes_of("sweep")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("updates", "loss")
    line = axes.lines[0]
    assert list(line.get_xdata()) == [0.1, 1.0]
    assert np.array_equal(line.get_ydata(), [0.5, np.nan], equal_nan=True)


def test_a_map_of_layers_has_every_layer(axes_of: Callable[[str], list[Any]]) -> None:
    maps = [axes for axes in axes_of("layers") if axes.get_title("left")]
    assert [axes.get_title("left") for axes in maps] == ["甲", "B"]
    for axes in maps:
        (mesh,) = axes.collections
        assert mesh.get_array().shape[0] == 10
        assert axes.get_ylim() == (0.5, 10.5)


@pytest.mark.parametrize(
    "losses", [[1.0, 1e308], [np.nan, np.nan], [-1.0, 2.0], [0.0, 0.0], [1e300, 1e300]]
)
def test_sweeps_take_any_number(losses: list[float]) -> None:
    known = tuple(None if np.isnan(loss) else loss for loss in losses)
    assert sweep_figure([SweptSeries("a", (0.0, 1.0), known, 0)], (), AXES)
    assert sweep_figure([SweptSeries("a", (0.1, 1.0), known, 0)], (0.5,), AXES)


@pytest.mark.parametrize("values", [[1.0, 1.0], [-1.0, 2.0], [0.0, 0.0], [1e30, 1e38]])
def test_random_starts_take_any_number(values: list[float]) -> None:
    assert starts_figure([Curve("a", np.array(values), 0)], [], AXES[:2])


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


# --- names at the ends of lines -------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.01, 0.08))
def test_names_stand_apart_inside_their_panel_in_the_order_of_their_lines(
    wanted: list[float], least: float
) -> None:
    order, places = style._apart(wanted, least)
    assert sorted(order) == list(range(len(wanted)))
    assert [wanted[k] for k in order] == sorted(wanted)
    assert all(b - a >= least - 1e-9 for a, b in itertools.pairwise(places))
    assert min(places) >= -1e-9
    assert max(places) <= 1 + 1e-9


def names_of(curves: list[Curve[str, np.ndarray]]) -> tuple[int, int]:
    """How many names stand beside a panel, and how many in a legend."""
    canvas = Canvas(figsize=(style.WIDTH, 2.3))
    axes = canvas.subplots()
    for name, values, look in curves:
        axes.plot(values, label=style.literal(name), **style.line(look))
    style.name_lines(canvas, axes)
    legends = [legend.get_texts() for legend in canvas.legends]
    return len(axes.texts), sum(map(len, legends))


def test_names_stand_at_the_ends_of_their_lines_where_there_is_room() -> None:
    few = [Curve(f"v{k}", np.linspace(1, k / 10, 50), k) for k in range(5)]
    assert names_of(few) == (5, 0)
    assert names_of([few[0]._replace(name="a name that goes on and on")]) == (0, 1)
    assert names_of([Curve(f"v{k}", few[0].values, k) for k in range(20)]) == (0, 20)


# --- one look a variant ---------------------------------------------------------------------------


def test_a_variant_has_one_colour_in_every_figure(shipped_build: Any) -> None:
    """Also where another variant, here one that torch refused, is not in the figure."""
    results = next(r for r in shipped_build.measured.experiments if r.plan.name == "bce")
    curves = single_curves(results)
    assert curves is not None
    names = [v.name for v in results.plan.variants]
    assert len(curves.curves) < len(names)
    assert [c.look for c in curves.curves] == [names.index(r.variant) for r in curves.results]


def test_weights_run_away_beyond_what_a_linear_axis_can_show() -> None:
    values = np.array([[0.0, 1.0], [RUNAWAY + 1, np.inf]])
    assert run_away([values[:, 0]])
    assert run_away([values[:, 1], values[:, 0]])
    assert not run_away([values[:, 1]])
    assert not run_away([])


def marks(low: float, high: float, *named: float) -> list[str]:
    """What stands beside a logarithmic axis that goes from one number to another."""
    with style.drawing():
        figure = Canvas(figsize=(style.WIDTH, style.HEIGHT))
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.plot([low, high], [0, 1])
        style.scale_by_ratio(axes.xaxis, named)
        figure.draw_without_rendering()
        ticks = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)]
        inside = [t for t in ticks if low <= t.get_position()[0] <= high]
        return [t.get_text() for t in inside]


def test_few_values_of_a_sweep_are_marked_themselves() -> None:
    assert marks(16, 256, 16, 64, 256) == ["16", "64", "256"]


def test_close_values_of_a_sweep_are_not_marked() -> None:
    assert marks(0.1, 0.5, 0.1, 0.101, 0.5) == ["0.1", "0.2", "0.5"]


def test_many_values_of_a_sweep_are_not_marked() -> None:
    assert "3" not in marks(1, 9, *range(1, 10), 9.5, 10)


def test_a_short_logarithmic_axis_has_plain_numbers() -> None:
    assert marks(2, 60) == ["10", "2", "5", "20", "50"]


def test_a_long_logarithmic_axis_has_powers_of_ten() -> None:
    assert marks(1e-6, 1)[0] == "$\\mathdefault{10^{-6}}$"
