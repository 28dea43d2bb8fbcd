"""The Hessian agrees with autograd's, and descent is stable up to the limit it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.func import functional_call

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES
from labreport.reference import curvature
from labreport.reference.curvature import (
    has_curvature,
    hessian,
    largest_curvature,
    stability_limit,
)
from labreport.reference.evaluation import evaluate, rule_of
from labreport.reference.optimizers.all_optimizers import OPTIMIZERS

SMOOTH = ("sigmoid", "tanh", "gelu", "silu", "mish", "softplus", "softmax")
PIECEWISE = ("relu", "leaky_relu", "hardtanh", "softsign", "elu")
LOSSES = ("mse", "huber", "bce_with_logits", "cross_entropy", "poisson_nll", "soft_margin")


def config_of(**changes: Any) -> RunConfig:
    inputs = [[0.5, 0.3], [-0.2, 0.9], [0.7, -1.1]]
    targets = [[0.23, 0.77], [0.6, 0.4], [0.9, 0.1]]
    base: dict[str, Any] = {
        "data": {"inputs": inputs, "targets": targets},
        "network": {"layers": [2, 3, 2], "activations": ["tanh", "identity"], "bias": "trained"},
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
    }
    return RunConfig.model_validate({**base, **changes})


def drawn_weights(config: RunConfig) -> np.ndarray:
    return np.random.default_rng(7).normal(size=config.network.parameter_count)


def hessian_in_torch(config: RunConfig, flat: np.ndarray, reference: Any) -> np.ndarray:
    """The Hessian that autograd gives for stock modules."""
    modules: list[torch.nn.Module] = []
    for (out, into), name in zip(config.network.shapes, config.network.activations, strict=True):
        linear = torch.nn.Linear(into, out, bias=config.network.trains_bias)
        modules += [linear.double(), reference.activations[name]]
    network = torch.nn.Sequential(*modules)
    names = [name for name, _ in network.named_parameters()]
    shapes = [parameter.shape for parameter in network.parameters()]
    inputs = torch.tensor(config.data.inputs, dtype=torch.float64)
    targets = torch.tensor(config.data.targets, dtype=torch.float64)

    def loss(weights: torch.Tensor) -> torch.Tensor:
        parts = weights.split([shape.numel() for shape in shapes])
        given = {
            name: part.reshape(shape)
            for name, part, shape in zip(names, parts, shapes, strict=True)
        }
        return reference.losses[config.loss](functional_call(network, given, (inputs,)), targets)

    found: torch.Tensor = torch.autograd.functional.hessian(loss, torch.tensor(flat))
    return found.numpy()


@pytest.mark.parametrize("bias", ["none", "trained", "zero"])
@pytest.mark.parametrize("activation", SMOOTH + PIECEWISE)
def test_the_hessian_is_that_of_autograd(activation: str, bias: str, reference: Any) -> None:
    network = {"layers": [2, 3, 3, 2], "activations": [activation, "tanh", "identity"]}
    config = config_of(network={**network, "bias": bias})
    flat = drawn_weights(config)
    found, expected = hessian(config, flat), hessian_in_torch(config, flat, reference)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max(), rtol=0)
    np.testing.assert_array_equal(found, found.T)
    largest = float(torch.linalg.eigvalsh(torch.tensor(expected))[-1])
    assert largest_curvature(config, flat) == pytest.approx(largest, rel=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_kind_of_loss(loss: str, reference: Any) -> None:
    config = config_of(loss=loss)
    flat = drawn_weights(config)
    expected = hessian_in_torch(config, flat, reference)
    room = 1e-8 * np.abs(expected).max()
    np.testing.assert_allclose(hessian(config, flat), expected, atol=room, rtol=0)


def test_large_weights_are_shifted_by_their_own_measure(reference: Any) -> None:
    data = {"inputs": [[1e-4, 3e-4], [2e-4, -1e-4]], "targets": [[0.2, 0.7], [0.4, 0.1]]}
    config = config_of(data=data)
    flat = 1e3 * drawn_weights(config)
    expected = hessian_in_torch(config, flat, reference)
    room = 1e-6 * np.abs(expected).max()
    np.testing.assert_allclose(hessian(config, flat), expected, atol=room, rtol=0)


def test_a_saddle_by_hand() -> None:
    """The loss (w1 w2 + 1)² has second derivatives 2 w2² and 2 w1², mixed ones 4 w1 w2 + 2."""
    data = {"inputs": [[1.0]], "targets": [[-1.0]]}
    network = {"layers": [1, 1, 1], "activations": "identity", "bias": "none"}
    config = config_of(data=data, network=network)
    np.testing.assert_allclose(hessian(config, np.zeros(2)), [[0, 2], [2, 0]], atol=1e-9)
    assert largest_curvature(config, np.zeros(2)) == pytest.approx(2)
    point = np.array([1.0, -3.0])
    np.testing.assert_allclose(hessian(config, point), [[18, -10], [-10, 2]], atol=1e-7)


def test_the_largest_is_not_the_one_of_largest_magnitude() -> None:
    """Each row sees a weight of its own: (σ(w) − 1)² / 2 bends down at −2 and a little up at 3."""
    data = {"inputs": [[1.0, 0.0], [0.0, 1.0]], "targets": [[1.0], [1.0]]}
    network = {"layers": [2, 1], "activations": "sigmoid", "bias": "none"}
    config = config_of(data=data, network=network)
    point = np.array([-2.0, 3.0])
    value = 1 / (1 + np.exp(-point))
    slope = value * (1 - value)
    exact = slope**2 + (value - 1) * slope * (1 - 2 * value)
    assert abs(exact[0]) > 10 * abs(exact[1])
    assert exact[0] < 0 < exact[1]
    assert largest_curvature(config, point) == pytest.approx(exact[1], rel=1e-6)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "hardtanh"])
def test_at_a_kink_there_is_no_curvature(activation: str) -> None:
    network = {"layers": [2, 3, 2], "activations": [activation, "identity"], "bias": "none"}
    config = config_of(network=network)
    flat = drawn_weights(config)
    # Unit 1 gets (0.5, 0.3) · w = 0, and hardtanh 1, from the first row.
    target = 1.0 if activation == "hardtanh" else 0.0
    flat[1] = (target - 0.5 * flat[0]) / 0.3
    with pytest.raises(ValueError, match="jumps"):
        hessian(config, flat)
    flat[1] += 1e-3
    hessian(config, flat)


def test_a_jump_as_large_to_either_side_is_a_kink() -> None:
    """The loss |w − t| at w = t: its slope is −1 below, 0 there and 1 above."""
    network = {"layers": [1, 1], "activations": "identity", "bias": "none"}
    config = config_of(data={"inputs": [[1.0]], "targets": [[0.25]]}, network=network, loss="l1")
    with pytest.raises(ValueError, match="jumps"):
        hessian(config, np.array([0.25]))
    assert np.abs(hessian(config, np.array([0.5]))).max() < 1e-9


def test_a_curvature_that_rounding_hides_is_not_told() -> None:
    """Far out the gradient is too large for what 0.45 of a step adds to it to be seen."""
    network = {"layers": [2, 3, 2], "activations": ["identity", "softplus"], "bias": "none"}
    config = config_of(network=network, loss="l1")
    flat = drawn_weights(config)
    assert largest_curvature(config, flat) > 0.1
    with pytest.raises(ValueError, match="rounding hides"):
        largest_curvature(config, 1e10 * flat)


def test_no_curvature_at_all_is_no_kink() -> None:
    network = {"layers": [2, 2], "activations": "identity", "bias": "trained"}
    config = config_of(network=network, loss="l1")
    assert np.abs(hessian(config, drawn_weights(config))).max() < 1e-9


def test_what_is_too_large_or_not_finite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    large = config_of(network={"layers": [2, 60, 2], "activations": "tanh", "bias": "trained"})
    assert large.network.parameter_count == 302
    assert not has_curvature(large)
    with pytest.raises(ValueError, match="302 parameters"):
        hessian(large, np.zeros(302))
    config = config_of()
    assert has_curvature(config)
    with pytest.raises(ValueError, match="not finite"):
        hessian(config, np.full(config.network.parameter_count, 1e200))
    # 2 · 17 points, 3 rows and 5 units.
    monkeypatch.setattr(curvature, "MOST_VALUES", 2 * 17 * 3 * 5)
    assert has_curvature(config)
    monkeypatch.setattr(curvature, "MOST_VALUES", 2 * 17 * 3 * 5 - 1)
    assert not has_curvature(config)


def quadratic(**optimizer: Any) -> tuple[RunConfig, float]:
    """A linear network, and its largest curvature: that of 2 XᵀX / (rows · units)."""
    config = config_of(
        network={"layers": [2, 2], "activations": "identity", "bias": "trained"},
        optimizer={"name": "sgd", "learning_rate": 0.1, **optimizer},
    )
    with_ones = np.array([[*row, 1.0] for row in config.data.inputs])
    matrix = 2.0 * with_ones.T @ with_ones / (len(with_ones) * 2)
    return config, float(np.linalg.eigvalsh(matrix)[-1])


def test_the_curvature_of_a_quadratic_is_known() -> None:
    config, exact = quadratic()
    for flat in (np.zeros(6), drawn_weights(config)):
        assert largest_curvature(config, flat) == pytest.approx(exact, rel=1e-9)


def size_of_steps(config: RunConfig, rounds: int) -> tuple[float, float]:
    """How far the first and the last round of a descent move the weights."""
    rule, weights = rule_of(config), drawn_weights(config)
    state = rule.start(weights)
    sizes = []
    for _ in range(rounds):
        before = weights
        weights, state = rule.step(weights, evaluate(config, weights).gradient, state)
        sizes.append(float(np.linalg.norm(weights - before)))
    return sizes[0], sizes[-1]


@pytest.mark.parametrize(
    "optimizer",
    [
        {},
        {"momentum": 0.5},
        {"momentum": 0.9},
        {"weight_decay": 0.3},
        {"momentum": 0.7, "weight_decay": 2.0},
        {"dampening": 0.5},
    ],
)
def test_descent_converges_below_the_limit_and_diverges_above(optimizer: dict[str, float]) -> None:
    config, exact = quadratic(**optimizer)
    limit = stability_limit(config, largest_curvature(config, drawn_weights(config)))
    momentum, decay = optimizer.get("momentum", 0.0), optimizer.get("weight_decay", 0.0)
    assert limit == pytest.approx(2 * (1 + momentum) / (exact + decay), rel=1e-8)
    below, above = (
        quadratic(**{**optimizer, "learning_rate": share * limit})[0] for share in (0.99, 1.01)
    )
    first, last = size_of_steps(below, 1500)
    assert last < 1e-6 * first
    first, last = size_of_steps(above, 1500)
    assert last > 1e6 * first


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZER_TITLES if name != "sgd"])
def test_other_optimizers_have_no_such_limit(optimizer: str) -> None:
    assert optimizer in OPTIMIZERS
    config = config_of(optimizer={"name": optimizer, "learning_rate": 0.1})
    assert stability_limit(config, 4.0) is None


def test_where_the_formula_does_not_hold_there_is_no_limit() -> None:
    plain = config_of()
    assert stability_limit(plain, 4.0) == 0.5
    assert stability_limit(plain, 0.0) is None
    assert stability_limit(plain, -1.0) is None
    sgd = {"name": "sgd", "learning_rate": 0.1}
    heavy = {**sgd, "momentum": 0.9}
    assert stability_limit(config_of(optimizer=heavy), 4.0) == pytest.approx(0.95)
    for without in (
        {"optimizer": {**heavy, "nesterov": True}},
        {"optimizer": {**heavy, "dampening": 0.1}},
        {"optimizer": {**sgd, "momentum": 1.0}},
        {"gradients": "accumulated"},
        {"data": {**plain.data.model_dump(), "batch_size": 2}},
    ):
        assert stability_limit(config_of(**without), 4.0) is None
    whole = config_of(data={**plain.data.model_dump(), "batch_size": 3})
    assert stability_limit(whole, 4.0) == 0.5
    # A penalty can bend a loss upwards that does not bend by itself.
    decayed = config_of(optimizer={**sgd, "weight_decay": 0.5})
    assert stability_limit(decayed, -0.1) == pytest.approx(5.0)
    assert stability_limit(decayed, -0.5) is None
