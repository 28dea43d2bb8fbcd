"""Formulas as they are printed: from the same tree that is evaluated, and no wider than a page."""

import pytest

from labreport.lab.expression import parse
from labreport.render.drawing_cache import DrawingCache
from labreport.render.typeset_formulas import WIDEST, formula
from labreport.report.formulas.latex import aligned, expression, symbol


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
