"""runs.csv: every number of the tables at full precision, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from labreport.export.runs_csv import BYTE_ORDER_MARK, harmless


def rows(built: Any) -> list[dict[str, str]]:
    text = (built.output / "runs.csv").read_bytes().decode("utf-8")
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(StringIO(text[1:], newline="")))


def test_as_many_rows_as_trials(shipped_build: Any) -> None:
    measured = shipped_build.measured
    found = rows(shipped_build)
    main = [row for row in found if row["part"] == "main"]
    assert len(main) == sum(len(e.results) for e in measured.experiments)
    for appendix, repeated in measured.appendices:
        part = [row for row in found if row["part"] == appendix.name]
        assert len(part) == sum(len(r.results.results) for r in repeated)
    assert {row["part"] for row in found} == {"main", *(a.name for a, _ in measured.appendices)}


def test_numbers_are_those_of_the_runs_to_the_last_bit(shipped_build: Any) -> None:
    found = iter(rows(shipped_build))
    for experiment in shipped_build.measured.experiments:
        for result in experiment.results:
            row = next(found)
            assert (row["experiment"], row["variant"]) == (experiment.plan.name, result.variant)
            assert row["seed"] == ("" if result.trial.seed is None else str(result.trial.seed))
            assert row["point"] == "; ".join(f"{k}={v}" for k, v in result.point)
            assert row["run"] == result.run.name
            assert row["ending"] == result.run.trace.ending.kind
            assert int(row["ending_step"]) == result.run.trace.ending.step
            losses = result.losses
            for budget in (10, 100, 1000):
                written = row[f"loss_after_{budget}"]
                there = budget in experiment.budgets and budget < len(losses)
                assert written == "" if not there else float(written) == float(losses[budget])
            if len(losses):
                assert float(row["initial_loss"]) == float(losses[0])
                assert float(row["lowest_loss"]) == float(losses.min())
                assert int(row["lowest_after_updates"]) == int(losses.argmin())
            else:
                assert row["initial_loss"] == row["lowest_loss"] == row["squared_error"] == ""


def test_a_refused_run_says_why(shipped_build: Any) -> None:
    refused = [row for row in rows(shipped_build) if row["ending"] == "refused"]
    assert {row["variant"] for row in refused} == {"bce"}
    for row in refused:
        assert row["message"] == ("RuntimeError: all elements of target should be between 0 and 1")


def test_swept_rounds_stand_each_under_their_own_number(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    built = build_pages(base_text + '[experiment.a]\ntitle = "a"\nsweep.rounds = [2, 5]\n')
    short, long = rows(built)
    first, second = built.measured.experiments[0].results
    assert float(short["loss_after_2"]) == float(first.losses[2])
    assert float(long["loss_after_5"]) == float(second.losses[5])
    assert (short["loss_after_5"], long["loss_after_2"]) == ("", "")


def test_points_and_infinite_floors_can_be_read_back(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    text = base_text + (
        '[experiment.a]\ntitle = "a"\nchange.loss = "kl_div"\n'
        "change.data.targets = [[0.23, 0.07]]\n"
        'sweep.network.activations = ["identity", ["relu", "identity"]]\n'
    )
    found = rows(build_pages(text))
    assert len(found) == 2
    assert [float(row["floor"]) for row in found] == [-math.inf] * 2
    assert found[1]["point"].startswith("network.activations=")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "-"])
def test_a_formula_is_defused(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "a=1", "bce", 1.5, -1.5, -3, None, math.inf])
def test_a_number_or_a_word_stays_as_it_is(cell: object) -> None:
    assert harmless(cell) == cell


def test_no_cell_of_the_shipped_lab_is_a_formula(shipped_build: Any) -> None:
    for row in rows(shipped_build):
        for cell in row.values():
            if cell[:1] in ("=", "+", "-", "@"):
                assert not math.isnan(float(cell))
