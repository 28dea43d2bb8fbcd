"""Formulas as they are printed: from the same tree that is evaluated, and no wider than a page."""

import pytest

from labreport.lab.expression import parse
from labreport.render.drawing_cache import DrawingCache
from labreport.render.typeset_formulas import WIDEST, formula
from labreport.report.formulas.latex import (
    GAP,
    ROOM,
    aligned,
    breadth,
    expression,
    in_columns,
    symbol,
)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("w1 * x1 + w3 * x2", r"w_{1} \, x_{1} + w_{3} \, x_{2}"),
        ("(d_w5 + d_w6) * h1", None),
        ("a1 - (b1 - c1)", r"a_{1} - \left(b_{1} - c_{1}\right)"),
        ("(a1 + b1) + c1", "a_{1} + b_{1} + c_{1}"),
        ("h1 * (1 - h1)", r"h_{1} \, \left(1 - h_{1}\right)"),
        ("(h1 + 1) / 2", r"\frac{h_{1} + 1}{2}"),
        ("(1 - h1) ** 2", r"\left(1 - h_{1}\right)^{2}"),
        ("-(h1 + x1)", r"-\left(h_{1} + x_{1}\right)"),
        ("-h1 * x1", r"\left(-h_{1}\right) \, x_{1}"),
        ("2 * -h1", r"2 \, \left(-h_{1}\right)"),
    ],
)
def test_brackets_are_those_that_are_needed(text: str, latex: str | None) -> None:
    found = expression(parse(text))
    if latex is None:
        derivatives = [rf"\frac{{\partial L}}{{\partial w_{{{k}}}}}" for k in (5, 6)]
        latex = rf"\left({derivatives[0]} + {derivatives[1]}\right) \, h_{{1}}"
    assert found == latex


def test_units_of_several_hidden_layers() -> None:
    assert symbol("h2_1") == symbol("h2.1") == "h_{2,1}"


def test_a_wide_formula_is_set_smaller_and_a_narrow_one_is_not() -> None:
    place = ("formula-1", "(1)")
    narrow = formula("a = b", place, DrawingCache())
    wide = formula(aligned(["a &= " + " + ".join(["0.1234"] * 20)]), place, DrawingCache())
    assert narrow.width < 6
    assert wide.width == pytest.approx(WIDEST)
    # Its shape is kept: it is smaller, not squeezed.
    plain = formula(aligned(["a &= 0.1234"]), place, DrawingCache())
    assert wide.height < 0.9 * plain.height


@pytest.mark.parametrize(
    "line",
    [
        r"z_{h_{1}} &= w_{1} x_{1} + w_{3} x_{2} = 0.2 \times 0.5 + 0.5 \times 0.3 = 0.2500",
        r"h_{1} &= \frac{1}{1 + e^{-z_{h_{1}}}} = \frac{1}{1 + e^{{-0.2500}}} = 0.5622",
        r"\frac{\partial L}{\partial w_{5}} &= \delta_{o_{1}} h_{1} = 0.06161 \times 0.5622 = 0.03",
        r"w_{1} &\leftarrow 0.2 - 1 \times ({-0.008421}) = 0.2084",
        r"L &= \frac{1}{2} \left[(o_{1} - y_{1})^2 + (o_{2} - y_{2})^2\right] = 0.2097",
    ],
)
def test_the_width_of_a_line_is_estimated_about_as_it_is_set(line: str) -> None:
    typeset = formula(line.replace("&", ""), ("formula-1", "(1)"), DrawingCache())
    assert breadth(line) == pytest.approx(typeset.width, rel=0.12)


def test_equations_stand_beside_one_another_where_a_line_has_room() -> None:
    short = [f"a_{{{k}}} &= {k}" for k in range(5)]
    assert in_columns(short[:2]) == [r"a_{0} &= 0 & \quad a_{1} &= 1"]
    (first, second) = in_columns(short, room=2 * breadth(short[0]) + 2 * GAP + breadth(short[0]))
    assert [row.count("&=") for row in (first, second)] == [3, 2]
    long = ["a &= " + " + ".join(["0.1234"] * 20)] * 2
    assert breadth(long[0]) > ROOM
    assert in_columns(long) == long
    assert in_columns([]) == []
