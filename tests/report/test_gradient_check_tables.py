"""Tables of gradient checks: a training that ended has no loss in the rounds that it never made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from printing_parts import printed

from labreport.analysis.results import ExperimentResults
from labreport.language.catalogue import language
from labreport.render.printed import PrintedTable
from labreport.report.illustration.gradient_check_blocks import check_tables
from labreport.report.tables import NONE

LAB = """
[base]
rounds = 6
dtype = "float64"
data = { inputs = [[1.0, 0.0]], targets = [[0.5]] }
network = { layers = [2, 1], activations = "identity", bias = "none" }
initial = { scheme = "given", weights = [[[0.1, 0.3]]] }
optimizer = { name = "sgd", learning_rate = 0.1 }

[experiment.g]
title = "g"
kind = "gradient-check"
budgets = [1, 6]

[[experiment.g.formula]]
name = "divided"
derivatives.w1 = "2 * (o1 - y1) / x2"
"""


@pytest.fixture
def found(build_pages: Callable[..., Any]) -> ExperimentResults:
    (found,) = build_pages(LAB).measured.experiments
    return replace(found)


def cells(found: ExperimentResults, code: str) -> dict[str, list[str]]:
    """The cells of the one table, by row."""
    blocks = printed(check_tables(found), [found], code)
    (table,) = (block for block in blocks if isinstance(block, PrintedTable))
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


@pytest.mark.parametrize(("code", "ended"), [("en", "diverged"), ("zh", "发散")])
def test_a_formula_that_diverges_has_no_loss_at_the_end(
    found: ExperimentResults, code: str, ended: str
) -> None:
    compared = cells(found, code)
    assert found.check is not None
    for checked in found.check.formulas:
        assert len(checked.training.losses) < 7
        name = checked.formula.name
        assert compared[name][5].startswith(NONE)
        assert ended in compared[name][5]
    assert compared[language(code).text("report.way-hand")][5] != NONE


def test_an_open_formula_is_told_by_what_would_be_seen() -> None:
    words = [
        language(code).text("observation.open-formula", label="f", weights="w1")
        for code in ("en", "zh")
    ]
    assert "a mistake of a hundredth" in words[0]
    assert "百分之一的错误" in words[1]
