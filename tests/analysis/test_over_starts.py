"""Statistics over random starts are told with the digits that another rounding leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from synthetic_runs import experiment, starts, trace, with_controls, with_twins

from labreport.analysis.measures.over_starts import loss_over, median
from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import rounding
from labreport.runs.run import Trace


def moved(losses: Sequence[float], twins: Sequence[float]) -> ExperimentResults:
    """Runs from random starts with these losses at the end, and those of the same in float64."""
    made = experiment(starts("a", [[9, 5, loss] for loss in losses]))
    ends = {
        rounding(r.run.config)[0].digest: end for r, end in zip(made.results, twins, strict=True)
    }

    def twin(_: int, changed: RunConfig) -> Trace | None:
        end = ends.get(changed.digest)
        return None if end is None else trace(changed, [9, 5, end])

    return with_twins(with_controls(made, "rounding-starts", twin))


def told(results: ExperimentResults) -> int | None:
    members = results.replicated["a"]
    return loss_over(members, 2, median, "median(each(losses[2]))").digits


def test_a_median_that_no_rounding_moves_has_all_digits() -> None:
    assert told(moved([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])) is None


@pytest.mark.parametrize(("twin", "digits"), [(2.0001, 3), (2.004, 2), (2.3, 1)])
def test_a_median_has_the_digits_that_another_rounding_leaves_alone(
    twin: float, digits: int
) -> None:
    assert told(moved([1.0, 2.0, 3.0], [1.0, twin, 3.0])) == digits


def test_runs_beside_the_median_may_move() -> None:
    assert told(moved([1.0, 2.0, 3.0], [1.3, 2.0, 2.7])) is None


def test_a_run_that_ends_in_another_rounding_leaves_one_digit() -> None:
    assert told(moved([1.0, 2.0, 3.0], [1.0, 2.0, float("nan")])) == 1


def test_without_twins_a_median_has_all_digits() -> None:
    assert told(experiment(starts("a", [[9, 5, 1.0], [9, 5, 2.0], [9, 5, 2.5]]))) is None
