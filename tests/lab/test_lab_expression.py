"""Formulas of a lab are arithmetic, and nothing else is let in."""

import pytest

from labreport.lab.expression import LONGEST, NotAFormulaError, evaluate, parse, symbols

VALUES = {"w1": 0.2, "h1": 0.5, "x1": 3.0, "d_w5": -2.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("w1", 0.2),
        ("-h1 * x1", -1.5),
        ("h1 * (1 - h1) * x1", 0.75),
        ("x1 - h1 - w1", 2.3),
        ("x1 - (h1 - w1)", 2.7),
        ("x1 / h1 / 2", 3.0),
        ("x1 ** 2 + 1e-1", 9.1),
        (" d_w5 + 2 ", 0.0),
    ],
)
def test_value(text: str, value: float) -> None:
    assert evaluate(parse(text), VALUES) == pytest.approx(value)


def test_names_are_told_once_in_order() -> None:
    assert symbols(parse("(d_w5 + w1) * h1 * (1 - h1) * -w1")) == ("d_w5", "w1", "h1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h1 +",
        "h1 h1",
        "__import__('os').system('true')",
        "h1.real",
        "h1[0]",
        "f(h1)",
        "h1 if x1 else w1",
        "h1 < x1",
        "lambda: 1",
        "[h1 for h1 in x1]",
        "'text'",
        "True",
        "1j",
        "1e400",
        "10 ** 9 ** 9",
        "h1 ** 0.5",
        "h1 ** x1",
        "h1 ** -1",
        "h1 // 2",
        "h1 % 2",
        "h1 @ x1",
        "~h1",
        "+h1",
        "(h1 := 2)",
        "h1\nx1",
        "\0",
        "(" * 300,
        "h1 + " * LONGEST + "h1",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(NotAFormulaError):
        parse(text)


def test_a_long_row_of_signs_is_arithmetic_all_the_same() -> None:
    assert evaluate(parse("-" * (LONGEST - 1) + "1"), {}) == (-1) ** (LONGEST - 1)
