"""What is read off one run, and how runs are grouped."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_runs import MOMENTUM, RATE, experiment, single, starts, sweep

from labreport.analysis.results import Result

BELOW_ZERO = {"data.targets": [[0.25, -0.07]]}
FLOOR = 0.5 * 0.07**2


def result(*losses: float, changes: dict | None = None, **recorded: object) -> Result:
    made = experiment(single("a", losses, changes, **recorded))  # type: ignore[arg-type]
    return made.results[0]


def test_losses_by_updates() -> None:
    run = result(3, 2, 0.5, 1)
    assert run.loss(0) == 3
    assert [run.loss(budget) for budget in (0, 1, 2, 3)] == [3, 2, 0.5, 1]
    assert run.best_round == 2
    assert run.first_below(2) == 1
    assert run.first_below(0.4) is None


def test_lowest_loss_is_the_first_of_equals() -> None:
    assert result(3, 1, 1, 2).best_round == 1


def test_a_run_that_ended_has_no_later_loss() -> None:
    run = result(3, 9, rounds=5, kind="diverged")
    assert run.loss(1) == 9
    assert run.loss(2) is None
    assert run.gap(5) is None
    assert run.outputs(3) is None
    assert run.error(3) is None
    assert run.diverged
    assert not run.refused


def test_a_refused_run_has_nothing() -> None:
    run = result(changes={"loss": "bce"}, rounds=2, kind="refused", message="no")
    assert run.refused
    assert run.loss(0) is None
    assert run.best_round is None
    assert run.loss(0) is None
    assert run.never_moved_by_gradient == ()


def test_distance_is_measured_from_the_floor() -> None:
    run = result(1, FLOOR + 0.125, changes=BELOW_ZERO)
    assert run.floor.value == pytest.approx(FLOOR, rel=1e-12)
    assert run.gap(1) == pytest.approx(0.125, rel=1e-12)


def test_a_loss_a_rounding_below_its_floor_is_at_it() -> None:
    run = result(1, FLOOR - 1e-18, changes=BELOW_ZERO)
    assert run.gap(1) == 0


@pytest.mark.parametrize(("dtype", "epsilon"), [("float32", 2.0**-23), ("float64", 2.0**-52)])
def test_rounding_at_the_floor_depends_on_precision(dtype: str, epsilon: float) -> None:
    small = result(1, 1, changes={"dtype": dtype})
    assert small.at_floor == pytest.approx(16 * epsilon * 1e-3)
    large = result(1, 1, changes={"dtype": dtype, "data.targets": [[0.25, 9.0]]})
    assert large.floor.value == pytest.approx(32)
    assert large.at_floor == pytest.approx(16 * epsilon * 32)


def test_error_is_the_mean_square_over_rows_and_units() -> None:
    changes = {"data.inputs": [[0.5, 0.3]] * 2, "data.targets": [[0.25, 0.0], [0.5, 1.0]]}
    outputs = np.broadcast_to([[0.5, 0.5], [0.5, 0.75]], (2, 2, 2))
    run = result(1, 1, changes=changes, outputs=outputs)
    assert run.error(1) == (0.25**2 + 0.5**2 + 0 + 0.25**2) / 4


@pytest.mark.parametrize(
    ("loss", "predictions"),
    [
        ("mse", [-800.0, 0.0, 800.0]),
        ("bce_with_logits", [0.0, 0.5, 1.0]),
        ("multilabel_soft_margin", [0.0, 0.5, 1.0]),
        ("cross_entropy", [0.0, 0.0, 1.0]),
    ],
)
def test_logits_are_turned_into_probabilities(loss: str, predictions: list[float]) -> None:
    changes = {
        "loss": loss,
        "network": {"layers": [2, 2, 3], "activations": "identity"},
        "data.targets": [[0.0, 0.25, 0.75]],
        "initial": {"scheme": "zeros"},
    }
    run = result(1, 1, changes=changes, outputs=[[[-800.0, 0.0, 800.0]]] * 2)
    assert run.predictions(1) == pytest.approx(np.array([predictions]), abs=1e-300)
    expected = np.mean((np.array(predictions) - [0.0, 0.25, 0.75]) ** 2)
    assert run.error(1) == pytest.approx(expected, rel=1e-15)
    assert run.errors == pytest.approx([expected] * 2, rel=1e-15)


@pytest.mark.parametrize("loss", ["soft_margin", "hinge_embedding"])
def test_margins_have_no_error(loss: str) -> None:
    run = result(1, 1, changes={"loss": loss, "network.activations": "identity"})
    assert run.error(1) is None
    assert run.errors is None


def test_names_of_silent_parameters_are_in_reading_order() -> None:
    gradients = np.ones((2, 12))
    # Stored: w1 w3 w2 w4 b1 b2 w5 w7 w6 w8 b3 b4.
    gradients[:, [9, 1, 2, 5]] = 0
    run = result(
        1,
        1,
        changes={"network.bias": "trained"},
        gradients=gradients,
        weights=np.ones((2, 12)),
    )
    assert run.never_moved_by_gradient == ("w2", "w3", "w8", "b2")


def test_variants_are_single_swept_or_replicated() -> None:
    made = experiment(
        single("a", [3, 2, 1]),
        sweep("b", RATE, {0.5: [3, 2, 1], 1.0: [3, 2, 1]}),
        starts("c", ([3, 2, 1], [3, 2, 2])),
        sweep("d", RATE, {0.5: [3, 2, 1]}),
    )
    assert [r.variant for r in made.singles] == ["a", "d"]
    assert set(made.swept) == {"b", "d"}
    assert set(made.replicated) == {"c"}


def test_reference_is_the_first_variant_unless_another_is_named() -> None:
    made = experiment(
        single("a", [3, 2, 1]),
        single("b", [3, 2, 1], {MOMENTUM: 0.5}),
        single("c", [3, 2, 1], {MOMENTUM: 0.6}, against="b"),
        starts("d", ([3, 2, 1], [3, 2, 2]), against="c"),
    )
    a, b, c, d, _ = made.results
    assert made.against(a) is None
    assert made.against(b) is a
    assert made.against(c) is b
    assert made.against(d) is c


def test_a_variant_of_many_runs_is_no_reference() -> None:
    made = experiment(starts("a", ([3, 2, 1], [3, 2, 2])), single("b", [3, 2, 1]))
    assert made.against(made.results[-1]) is None
