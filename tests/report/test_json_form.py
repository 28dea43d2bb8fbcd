"""The report as JSON: read back it is equal, prints the same, and fits its schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from labreport.analysis.observation import Number, Observation
from labreport.build.pipeline import build
from labreport.build.request import Request
from labreport.cli.app import app
from labreport.language.catalogue import language
from labreport.render.drawing_cache import DrawingCache
from labreport.render.printing import print_report
from labreport.report.illustration.drawings import Array
from labreport.report.json_form import CLASSES, from_json, schema, to_json
from labreport.report.phrases import text
from labreport.report.title_page import title_page
from labreport.report.tree import Paragraph, Report, Section, Sentences, Statement

LAB = """
[experiment.rate]
title = {zh = "步长", en = "Step size"}
sweep.optimizer.learning_rate = [0.1, 1.0, 10.0]
[experiment.kinds]
title = "kinds"
[[experiment.kinds.variant]]
name = "mse"
[[experiment.kinds.variant]]
name = "l1"
change.loss = "l1"
"""


HELD_OUT = {"FitDrawing", "Picture", "PicturesDrawing", "Points", "Region", "RegionsDrawing"}
"""Classes of reports on data sets with rows held out."""

ELSEWHERE = {
    *("Note", "HeatmapDrawing", "LandscapeDrawing", "OutOf", "Rounds", "SizesDrawing"),
    *HELD_OUT,
}
"""Classes that the shipped report has no values of."""

DATA = """
test_explanations = false
[base]
loss = "{loss}"
rounds = 5
[base.data]
{source}
split = {{ train = {train}, validation = {train}, test = {train} }}
[base.network]
hidden = [2]
activations = ["tanh", "identity"]
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "sgd"
learning_rate = 0.1
[experiment.first]
title = "First"
"""


def classes_in(value: Any) -> set[str]:
    """Names of all classes that a JSON value has."""
    if isinstance(value, list):
        return set().union(*map(classes_in, value))
    if isinstance(value, dict):
        return {value["type"]}.union(*map(classes_in, value.values()))
    return set()


def test_the_shipped_report_is_read_back_as_it_was(shipped_build: Any) -> None:
    made = to_json(shipped_build.tree)
    again = from_json(made)
    assert again == shipped_build.tree
    # What is equal may still say less: the formulas of facts are not compared.
    assert to_json(again) == made
    assert classes_in(json.loads(made)["report"]) >= set(CLASSES) - ELSEWHERE


def test_reports_on_held_out_rows_are_read_back_as_they_were(
    build_pages: Callable[..., Any],
) -> None:
    seen: set[str] = set()
    for source, loss in (
        ('rule = { name = "moons", rows = 30 }', "bce_with_logits"),
        ('rule = { name = "sine", rows = 30 }', "mse"),
        ('set = "digits"', "cross_entropy"),
    ):
        train = 599 if "digits" in source else 10
        built = build_pages(DATA.format(source=source, loss=loss, train=train))
        made = to_json(built.tree)
        assert to_json(from_json(made)) == made
        assert from_json(made) == built.tree
        seen |= classes_in(json.loads(made)["report"])
    assert seen >= HELD_OUT


@pytest.mark.parametrize("code", ["zh", "en"])
def test_what_is_read_back_prints_the_same(shipped_build: Any, code: str) -> None:
    again = from_json(to_json(shipped_build.tree))
    printed = print_report(again, language(code), cache=DrawingCache())
    assert printed.sections == shipped_build.reports[code].sections
    assert printed.answers == shipped_build.reports[code].answers
    asked_for = print_report(again, language(code), with_evidence=True)
    assert (
        asked_for.notes
        == print_report(shipped_build.tree, language(code), with_evidence=True).notes
    )


def test_a_build_writes_one_file_that_fits_the_schema(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    path = write_lab(base_text + LAB)
    build(Request(path, (), (), tmp_path / "out", formats=("json",)), lambda *_: None)
    (file,) = (tmp_path / "out").glob("report*.tree.json")
    whole = json.loads(file.read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema())
    assert [error.message for error in validator.iter_errors(whole)] == []
    whole["report"]["sections"][0]["blocks"] = "none"
    assert not validator.is_valid(whole)
    made = CliRunner().invoke(app, ["schema", "--report"])
    assert json.loads(made.stdout) == schema()


def test_two_builds_write_the_same_bytes(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    path, made = write_lab(base_text + LAB), []
    for name in ("one", "two"):
        build(Request(path, (), (), tmp_path / name, formats=("json",)), lambda *_: None)
        made.append((tmp_path / name / "report.tree.json").read_bytes())
    assert made[0] == made[1]


def small(said: Any) -> Report:
    block = Sentences("", (Statement(said, "e", 1),))
    return Report(None, None, (), sections=(Section("a", text("report.purpose"), (block,)),))


@pytest.mark.parametrize("value", [inf, -inf, 0.1, -0.0, 1e-320, 5e-324, 1.7976931348623157e308])
def test_numbers_are_read_back_to_the_bit(value: float) -> None:
    report = small(Observation("plateau", {"type": Number(value)}, 1))
    again = from_json(to_json(report))
    assert again == report
    (statement,) = again.sections[0].blocks[0].items  # type: ignore[union-attr]
    assert repr(statement.said.facts["type"].value) == repr(value)  # type: ignore[union-attr]


def test_arrays_are_values(shipped_build: Any) -> None:
    numbers = np.array([[1.0, nan, inf], [-inf, 5e-324, 0.1]])
    array = Array.of(numbers)
    assert array == Array.of(numbers.copy())
    np.testing.assert_array_equal(array.numpy, numbers)
    assert Array.of(np.array([])).numpy.shape == (0,)
    assert array != replace(array, shape=(3, 2))


def test_what_has_no_place_in_a_report_is_refused() -> None:
    for value in ([1, 2], {1, 2}, np.float64(1.0).reshape(1), object()):
        with pytest.raises(TypeError, match="has no place"):
            to_json(Report(None, None, (), sections=(Section("a", value),)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "[]",
        "null",
        '{"version": 1}',
        '{"version": 2, "report": {"type": "Report"}}',
        '{"version": 1, "report": {"type": "Report"}}',
        '{"version": 1, "report": {"type": "Paragraph", "text": "a", "kind": "b"}}',
        '{"version": 1, "report": {"type": "os.system", "command": "true"}}',
        '{"version": 1, "report": {"type": "Paragraph", "text": "a", "other": 1}}',
        '{"version": 1, "report": {"no type": 1}}',
        '{"version": 1, "report": {"type": ["Report"]}}',
        '{"version": 1, "report": {"type": "Float", "value": "one"}}',
        '{"version": 1, "report": {"type": "Mapping", "items": [1]}}',
        '{"version": 1, "report": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
    ids=range(14),
)
def test_what_is_no_report_is_told(given: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, whichever it is
        from_json(given)


def test_a_title_page_is_a_report(shipped_build: Any) -> None:
    front = title_page(shipped_build.measured.lab)
    assert from_json(to_json(front)) == front
    assert Paragraph("a") != Paragraph("b")
