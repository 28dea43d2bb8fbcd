"""Figures of an experiment: one that answers its question, and at most one that adds something."""

from __future__ import annotations

from typing import Any

import pytest

from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.report.illustration.drawings import (
    CurveDrawing,
    DifferenceDrawing,
    LandscapeDrawing,
    SizesDrawing,
    StartsDrawing,
    SweepDrawing,
    WeightsDrawing,
)
from labreport.report.illustration.illustrate import illustrate
from labreport.report.tree import Figure, Table


def shown(results: ExperimentResults, *answers: Observation) -> list[type]:
    """What an experiment shows, in this order: a table, or what is drawn."""
    blocks = illustrate(results, Observations(answers, (), ()), "title")
    return [
        type(block.drawing) if isinstance(block, Figure) else Table
        for block in blocks
        if isinstance(block, Figure | Table)
    ]


def experiment(shipped_build: Any, name: str) -> ExperimentResults:
    found: ExperimentResults = next(
        r for r in shipped_build.measured.experiments if r.plan.name == name
    )
    return found


@pytest.mark.parametrize(
    ("rule", "form", "drawn"),
    [
        ("overshoot", "stays", [WeightsDrawing]),
        ("symmetry", "", [WeightsDrawing]),
        ("silent-weights", "zero-inputs", [WeightsDrawing]),
        ("silent-weights", "dead", [SizesDrawing]),
        ("lands-in-saturation", "", [SizesDrawing]),
        ("layer-gradients", "", [SizesDrawing]),
        ("coincide", "momentum", [LandscapeDrawing]),
        ("undamped", "", [LandscapeDrawing]),
        ("coincide", "key", []),
        ("who-leads", "turns", []),
    ],
)
def test_variants_have_their_curves_and_what_the_answer_speaks_of(
    shipped_build: Any, rule: str, form: str, drawn: list[type]
) -> None:
    results = experiment(shipped_build, "published")
    found = shown(results, Observation(rule, {}, form=form, runs=1))
    assert found == [CurveDrawing, Table, *drawn]


def test_of_two_things_that_an_answer_speaks_of_one_is_shown(shipped_build: Any) -> None:
    results = experiment(shipped_build, "published")
    both = [Observation(rule, {}, runs=1) for rule in ("overshoot", "lands-in-saturation")]
    assert shown(results, *both) == [CurveDrawing, Table, SizesDrawing]


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("step-size", [SweepDrawing, Table, CurveDrawing]),
        ("adam", [SweepDrawing, Table, CurveDrawing]),
        ("no-init", [StartsDrawing, Table]),
        ("companion", [Table, DifferenceDrawing, CurveDrawing]),
    ],
)
def test_other_kinds_show_the_same_whatever_their_answer_is(
    shipped_build: Any, name: str, drawn: list[type]
) -> None:
    results = experiment(shipped_build, name)
    assert shown(results, Observation("overshoot", {}, runs=1)) == drawn
