"""Formulas of a lab are arithmetic, and nothing else is let in."""

import re
import time

import pytest

from labreport.lab.expression import DEEPEST, LONGEST, NotAFormulaError, evaluate, parse, symbols

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


@pytest.mark.parametrize(
    "text",
    [
        "-" * (DEEPEST + 1) + "w1",
        "1/(" * (DEEPEST + 1) + "w1" + ")" * (DEEPEST + 1),
        "(" * (DEEPEST + 1) + "w1" + ")**2" * (DEEPEST + 1),
        "w1*(1-" * (DEEPEST + 1) + "w2" + ")" * (DEEPEST + 1),
        "-" * (LONGEST - 2) + "w1",
    ],
)
def test_what_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(NotAFormulaError) as caught:
        parse(text)
    assert caught.value.code == "formula-too-deep"


@pytest.mark.parametrize(
    "text",
    [
        "-" * DEEPEST + "w1",
        "1/(" * DEEPEST + "w1" + ")" * DEEPEST,
        "+".join(["w1"] * 160),
        "(" * 50 + "w1" + ")" * 50,
        "w1*(w2+(w3*(w4+w5)))",
    ],
)
def test_length_is_no_depth(text: str) -> None:
    assert "w1" in symbols(parse(text))


@pytest.mark.parametrize("text", ["1/0", "w1/(1-1)", "w1/0**2", "1/(2-2*w1**0)", "w1/-0"])
def test_a_division_by_a_constant_0_is_the_labs_fault(text: str) -> None:
    with pytest.raises(NotAFormulaError) as caught:
        parse(text)
    assert caught.value.code == "formula-divides-by-zero"


@pytest.mark.parametrize("text", ["(1e9**8)**8", "1e9**8*w1", "-(1e8**8)", "1e9*1e9*1e9*1e9"])
def test_numbers_that_overflow(text: str) -> None:
    with pytest.raises(NotAFormulaError) as caught:
        parse(text)
    assert caught.value.code == "formula-too-large"


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("1e300 * w1", "formula-number", "1e300"),
        ("123456789012345 * w1", "formula-number", "123456789012345"),
        ("w1 + " + "9" * 60, "formula-number", "9" * 30 + "…"),
        ("w1 ** 9", "formula-power", "w1 ** 9"),
        ("2 * w1 ** 0.5", "formula-power", "w1 ** 0.5"),
        ("w1 ** -1", "formula-power", "w1 ** -1"),
        ("True * w1", "not-a-formula", "True"),
    ],
)
def test_limits_of_a_formula_are_told(text: str, code: str, part: str) -> None:
    with pytest.raises(NotAFormulaError, match=re.escape(part)) as caught:
        parse(text)
    assert caught.value.code == code


def test_whatever_may_be_written_is_typeset_in_little_time() -> None:
    from labreport.render.typeset_formulas import typeset
    from labreport.report.formulas.latex import expression

    start = time.process_time()
    for text in ("-" * DEEPEST + "w1", "1/(" * DEEPEST + "w1" + ")" * DEEPEST):
        typeset(expression(parse(text)))
    assert time.process_time() - start < 10  # seconds; twelve levels take minutes
