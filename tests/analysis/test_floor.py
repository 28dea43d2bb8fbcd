"""Floors against a search: no output that an activation can give has a lower loss."""

from __future__ import annotations

from math import e, inf, log, log2

import numpy as np
import pytest
from scipy.optimize import minimize

from labreport.analysis.measures.floor import Floor, floor, gap, outside
from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS as RANGES
from labreport.reference.activations import ACTIVATIONS, log_softmax
from labreport.reference.losses.all_losses import LOSSES

TARGETS = ((0.23, -0.07), (0.23, 0.07), (0.3, 0.7), (1.0, 0.0), (1.0, -1.0), (3.0, -2.0))
NEAR = 1e-5
BELOW = 1e-9


def config(loss: str, activation: str, *targets: tuple[float, ...]) -> RunConfig:
    units = len(targets[0])
    return RunConfig.model_validate(
        {
            "data": {"inputs": [[1.0]] * len(targets), "targets": targets},
            "network": {"layers": [1, units], "activations": activation, "bias": "none"},
            "loss": loss,
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )


def losses(loss: str, outputs: np.ndarray, target: tuple[float, float]) -> np.ndarray:
    """The loss of each of many rows of outputs [n, 2], each as if it were alone."""
    targets = np.broadcast_to(np.array(target), outputs.shape)
    if loss == "cross_entropy":
        return -(targets * log_softmax(outputs)).sum(axis=1)
    if loss == "bce":
        # Torch computes nothing for any other output.
        legal = ((outputs >= 0) & (outputs <= 1)).all(axis=1)
        values = LOSSES[loss].elementwise(outputs.clip(0, 1), targets).mean(axis=1)
        return np.where(legal, values, inf)
    terms = LOSSES[loss].elementwise(outputs, targets)
    return terms.sum(axis=1) if loss == "kl_div" else terms.mean(axis=1)


def lowest(loss: str, activation: str, target: tuple[float, float], reach: float) -> float:
    """The lowest loss found over weighted sums within ±reach: a grid, refined around its best."""
    axis = np.sinh(np.linspace(-np.arcsinh(reach), np.arcsinh(reach), 201))
    # Small sums first: of equally good ones, such as all below 0 for ReLU, they win.
    small_first = axis[np.abs(axis).argsort()]
    sums = np.stack(np.meshgrid(small_first, small_first), axis=-1).reshape(-1, 2)
    found = inf
    width = np.array([inf, inf])
    for _ in range(16):
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            values = losses(loss, ACTIVATIONS[activation].value(sums), target)
        values = np.where(np.isnan(values), inf, values)
        best = sums[values.argmin()]
        found = min(found, float(values.min()))
        if not np.isfinite(width).all():
            places = np.searchsorted(axis, best).clip(1, len(axis) - 2)
            width = axis[places + 1] - axis[places - 1]
        offsets = np.linspace(-1, 1, 31)
        around = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
        sums = best + around * width
        width = width / 3
    return found


def may_be_unknown(loss: str, activation: str, target: tuple[float, float]) -> bool:
    """Bounds of a unit that depend on the other unit, and targets that a loss refuses."""
    on_simplex = min(target) >= 0 and sum(target) == 1
    if loss == "bce" and not all(0 <= t <= 1 for t in target):
        return True
    if loss in ("kl_div", "cross_entropy") and min(target) < 0:
        return True
    if activation == "log_softmax":
        return loss != "cross_entropy" and not (loss == "kl_div" and on_simplex)
    if activation == "softmax":
        if loss == "cross_entropy":
            return all(target)
        compares = loss in ("l1", "smooth_l1", "huber", "bce")
        return loss != "mse" and not (compares and on_simplex)
    return False


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", RANGES)
def test_floor_is_the_infimum(loss: str, activation: str) -> None:
    for target in TARGETS:
        bottom = floor(config(loss, activation, target))
        if bottom.value is None:
            assert may_be_unknown(loss, activation, target), target
            continue
        far = lowest(loss, activation, target, 1e7)
        if bottom.value == -inf:
            # However far the sums go, going farther is better.
            near = lowest(loss, activation, target, 1e3)
            assert far < near - 100, target
        else:
            assert far >= bottom.value - BELOW * max(1, abs(bottom.value)), target
            assert far <= bottom.value + NEAR * max(1, abs(bottom.value)), target


@pytest.mark.parametrize("loss", LOSSES)
def test_search_computes_the_loss_itself(loss: str) -> None:
    outputs = np.array([[0.2, 0.9]])
    target = (0.3, 0.7)
    expected = LOSSES[loss].value(outputs, np.array([target]))
    assert losses(loss, outputs, target)[0] == pytest.approx(expected, rel=1e-12)


def test_floor_of_the_exercise() -> None:
    # ½ · 0.07²: the sigmoid cannot give −0.07, and the mean is over two outputs.
    bottom = floor(config("mse", "sigmoid", (0.23, -0.07)))
    assert bottom.value == pytest.approx(0.00245, rel=1e-12)
    assert bottom.outputs == ((0.23, 0.0),)


@pytest.mark.parametrize("targets", [(0.23, 0.07), (0.5, 0.5), (0.999, 0.25)])
def test_floor_of_binary_cross_entropy_is_the_entropy(targets: tuple[float, float]) -> None:
    bits = [-t * log2(t) - (1 - t) * log2(1 - t) for t in targets]
    expected = sum(bits) / 2 * log(2)
    assert floor(config("bce", "sigmoid", targets)).value == pytest.approx(expected, rel=1e-12)
    assert floor(config("bce_with_logits", "identity", targets)).value == pytest.approx(
        expected, rel=1e-12
    )


def test_floor_averages_over_rows() -> None:
    both = floor(config("mse", "sigmoid", (0.23, -0.07), (0.5, 1.5))).value
    one, other = (
        floor(config("mse", "sigmoid", target)).value for target in ((0.23, -0.07), (0.5, 1.5))
    )
    assert both == pytest.approx((one + other) / 2, rel=1e-12)
    rows = floor(config("cross_entropy", "sigmoid", (0.3, 0.7), (1.0, 0.0))).value
    one, other = (
        floor(config("cross_entropy", "sigmoid", target)).value
        for target in ((0.3, 0.7), (1.0, 0.0))
    )
    assert rows == pytest.approx((one + other) / 2, rel=1e-12)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "relu6", "identity"])
@pytest.mark.parametrize("target", [(0.2, 0.3, 0.5), (1.0, 0.0, 0.0), (0.9, 0.9, 0.9)])
def test_floor_of_cross_entropy_against_a_descent(
    activation: str, target: tuple[float, ...]
) -> None:
    """Projected gradient descent on the outputs: the loss is convex and so is the box."""
    limits = RANGES[activation]
    low, high = max(limits.low, -60), min(limits.high, 60)
    weights = np.array(target)
    outputs = np.clip(np.zeros(3), low, high)
    for _ in range(20_000):
        shares = np.exp(outputs - outputs.max())
        shares /= shares.sum()
        outputs = np.clip(outputs - (weights.sum() * shares - weights), low, high)
    found = float(-(weights * log_softmax(outputs[None])[0]).sum())
    bottom = floor(config("cross_entropy", activation, target)).value
    assert bottom is not None
    assert found >= bottom - 1e-12
    assert found == pytest.approx(bottom, abs=1e-4)


def test_outside_names_each_target_that_is_out_of_reach() -> None:
    missed = outside(config("mse", "tanh", (0.5, -1.5), (1.0, 2.0)))
    assert [(m.row, m.unit, m.target, m.nearest) for m in missed] == [
        (0, 1, -1.5, -1.0),
        (1, 1, 2.0, 1.0),
    ]


@pytest.mark.parametrize(("classes", "expected"), [(2, 0.31326169), (3, 0.55144471), (10, 1.46115)])
def test_a_softmax_before_cross_entropy_keeps_the_loss_from_falling(
    classes: int, expected: float
) -> None:
    # log(1 + (k − 1)/e): outputs 1 for the right class and 0 for all others.
    target = tuple(float(k == 1) for k in range(classes))
    bottom = floor(config("cross_entropy", "softmax", target)).value
    assert bottom == pytest.approx(log(1 + (classes - 1) / e), rel=1e-9)
    assert bottom == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("activation", ["identity", "relu", "softplus", "selu", "elu"])
def test_floor_of_cross_entropy_where_one_bound_is_away_is_the_entropy(activation: str) -> None:
    assert floor(config("cross_entropy", activation, (1.0, 0.0), (0.0, 1.0))).value == 0.0
    entropy = -(0.3 * log(0.3) + 0.7 * log(0.7))
    bottom = floor(config("cross_entropy", activation, (0.3, 0.7))).value
    assert bottom == pytest.approx(entropy, rel=1e-12)


@pytest.mark.parametrize("loss", ["bce_with_logits", "cross_entropy", "poisson_nll", "kl_div"])
def test_outside_is_silent_where_outputs_are_not_compared_with_targets(loss: str) -> None:
    assert outside(config(loss, "sigmoid", (3.0, 7.0))) == ()


def test_gap_needs_a_finite_floor() -> None:
    assert gap(3.0, Floor(1.0)) == 2.0
    assert gap(3.0, Floor(-inf)) is None
    assert gap(3.0, Floor(None)) is None


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("loss", ["mse", "l1", "bce", "kl_div", "hinge_embedding"])
def test_the_softmax_of_one_unit_has_one_loss(loss: str, target: float) -> None:
    found = floor(config(loss, "softmax", (target,)))
    one, wanted = np.array([[1.0]]), np.array([[target]])
    assert found.value == pytest.approx(float(LOSSES[loss].value(one, wanted)))


def test_the_softmax_of_one_unit_has_no_loss_outside_of_its_domain() -> None:
    assert floor(config("bce", "softmax", (2.0,))).value is None


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        ("bce_with_logits", [[0.0], [1.0], [0.0], [1.0], [1.0]]),
        ("cross_entropy", [[1.0, 0.0, 0.0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    ],
)
def test_a_linear_network_has_the_floor_of_its_regression(
    loss: str, targets: list[list[float]]
) -> None:
    inputs = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    classes, design = np.array(targets), np.column_stack([inputs, np.ones(5)])

    def value(weights: np.ndarray) -> float:
        outputs = design @ weights.reshape(2, -1)
        return float(LOSSES[loss].value(outputs, classes))

    found = minimize(value, np.zeros(2 * classes.shape[1]), tol=1e-12).fun
    linear = linear_config(loss, inputs.tolist(), targets)
    assert 0.1 < found == pytest.approx(floor(linear).value, rel=1e-6)
    # With a hidden layer outputs can be anything.
    wide = linear.model_dump()
    wide["network"] |= {"layers": [1, 4, classes.shape[1]], "activations": ["tanh", "identity"]}
    assert floor(RunConfig.model_validate(wide)).value == 0.0


def test_a_regression_of_classes_that_can_be_separated_has_the_floor_0() -> None:
    linear = linear_config("bce_with_logits", [[0.0], [1.0], [2.0]], [[0.0], [1.0], [1.0]])
    assert floor(linear).value == 0.0


def linear_config(loss: str, inputs: list[list[float]], targets: list[list[float]]) -> RunConfig:
    return RunConfig.model_validate(
        {
            "data": {"inputs": inputs, "targets": targets},
            "network": {"layers": [1, len(targets[0])], "activations": "identity"},
            "loss": loss,
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )
