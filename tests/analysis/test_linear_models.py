"""The lowest loss of linear models: two ways that share nothing, and one that separates classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.datasets import load_iris, make_moons

from labreport.analysis.linear.newton import lowest_entropy, lowest_squares, lowest_unit_entropy
from labreport.analysis.linear.optimum import is_linear, linear_optimum
from labreport.lab.configuration import RunConfig


def config(inputs: np.ndarray, targets: np.ndarray, loss: str, **network: object) -> RunConfig:
    layers = [inputs.shape[1], targets.shape[1]]
    return RunConfig.model_validate(
        {
            "data": {"inputs": inputs.tolist(), "targets": targets.tolist()},
            "network": {"layers": layers, "activations": "identity", **network},
            "loss": loss,
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
        }
    )


def drawn(classes: int, rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(classes)
    inputs = random.normal(size=(rows, 3))
    outputs = inputs @ random.normal(size=(3, classes)) + 3 * random.normal(size=(rows, classes))
    return inputs, np.eye(classes)[outputs.argmax(axis=1)]


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_softmax_regression(classes: int) -> None:
    inputs, targets = drawn(classes)
    found = linear_optimum(config(inputs, targets, "cross_entropy"))
    assert found == pytest.approx(lowest_entropy(inputs, targets), rel=1e-9)

    def entropy(flat: np.ndarray) -> float:
        weights = flat.reshape(4, classes)
        outputs = np.column_stack([inputs, np.ones(len(inputs))]) @ weights
        logs = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
        return float(-(targets * logs).sum(axis=1).mean())

    by_scipy = minimize(entropy, np.zeros(4 * classes), method="BFGS")
    assert found == pytest.approx(by_scipy.fun, rel=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_softmax_regression_of_flowers_of_which_some_rows_decide(seed: int) -> None:
    """One class is apart, so that some weights grow for ever and the last digits come late."""
    inputs, classes = load_iris(return_X_y=True)
    chosen = np.random.RandomState(seed).permutation(len(inputs))[:90]
    targets = np.eye(3)[classes[chosen]]
    found = linear_optimum(config(inputs[chosen], targets, "cross_entropy"))
    if found is not None:
        assert found == pytest.approx(lowest_entropy(inputs[chosen], targets), rel=1e-9)


def test_logistic_regression() -> None:
    inputs, classes = make_moons(300, noise=0.3, random_state=0)
    targets = classes[:, None].astype(float)
    found = linear_optimum(config(inputs, targets, "bce_with_logits"))
    assert found == pytest.approx(lowest_entropy(inputs, targets), rel=1e-9)


def test_a_sigmoid_for_each_of_several_classes() -> None:
    """The mean over units of regressions of one class against all others, and not a softmax."""
    inputs, targets = drawn(3)
    found = linear_optimum(config(inputs, targets, "bce_with_logits"))
    assert found == pytest.approx(lowest_unit_entropy(inputs, targets), rel=1e-9)

    def entropy(flat: np.ndarray) -> float:
        outputs = np.column_stack([inputs, np.ones(len(inputs))]) @ flat.reshape(4, 3)
        return float(np.mean(np.logaddexp(0, outputs) - targets * outputs))

    by_scipy = minimize(entropy, np.zeros(12), method="BFGS")
    assert found == pytest.approx(by_scipy.fun, rel=1e-7)
    assert found != pytest.approx(lowest_entropy(inputs, targets), rel=0.05)


def test_rows_that_a_plane_fits_have_the_lowest_loss_0() -> None:
    inputs, _ = drawn(3)
    targets = inputs @ np.array([[0.3], [-1.7], [0.01]]) + 0.7
    assert linear_optimum(config(inputs, targets, "mse")) == 0 == lowest_squares(inputs, targets)


def test_least_squares() -> None:
    inputs, _ = drawn(3)
    targets = inputs[:, :2] ** 2
    found = linear_optimum(config(inputs, targets, "mse"))
    assert found == pytest.approx(lowest_squares(inputs, targets), rel=1e-9)
    design = np.column_stack([inputs, np.ones(len(inputs))])
    normal = np.linalg.solve(design.T @ design, design.T @ targets)
    assert found == pytest.approx(float(np.mean((design @ normal - targets) ** 2)))


def test_classes_that_a_line_separates_have_no_lowest_loss() -> None:
    inputs = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    targets = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert linear_optimum(config(inputs, targets, "bce_with_logits")) is None
    both = np.hstack([targets, 1 - targets])
    assert linear_optimum(config(inputs, both, "bce_with_logits")) is None
    assert linear_optimum(config(inputs, both, "cross_entropy")) is None


def test_what_is_a_linear_model() -> None:
    inputs, targets = drawn(3)
    assert is_linear(config(inputs, targets, "mse"))
    assert not is_linear(config(inputs, targets, "mse", bias="none"))
    assert not is_linear(config(inputs, targets, "mse", activations="tanh"))
    assert not is_linear(config(inputs, targets, "mse", layers=[3, 2, 3]))
    assert linear_optimum(config(inputs, targets, "l1")) is None
