"""Back-propagation against autograd and against central differences.

Every activation × loss × bias policy, each on random networks of one to four layers with
batches of one to five rows; and the shapes and the arithmetic of a network small enough
to follow by eye.
"""

import dataclasses

import numpy as np
import pytest

from labreport.reference.activations import ACTIVATIONS
from labreport.reference.finite_differences import central_differences
from labreport.reference.flat_parameters import (
    apply_bias_policy,
    flatten_gradients,
    flatten_parameters,
    restore_parameters,
)
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import LayerParameters, backward, forward

BIAS_POLICIES = ("none", "trained", "zero")


def by_hand(experiment):
    layers = apply_bias_policy(experiment.layers, experiment.bias, np.float64)
    forward_pass = forward(layers, experiment.activations, experiment.inputs)
    gradients = backward(
        forward_pass, layers, experiment.activations, experiment.loss, experiment.targets
    )
    return flatten_gradients(gradients, experiment.bias)


def by_differences(experiment):
    return central_differences(
        experiment.layers,
        experiment.activations,
        experiment.loss,
        experiment.inputs,
        experiment.targets,
        experiment.bias,
    ).gradient


def check_gradients(reference, experiment):
    gradient = by_hand(experiment)
    reference.assert_close(gradient, reference.network(experiment).gradient())
    # 3e-8 for torch's derivative of hardsigmoid, in each of at most four layers, and as
    # much again for what the differences leave out.
    differences = by_differences(experiment)
    room = 3e-7 * max(1.0, float(np.max(np.abs(gradient))))
    np.testing.assert_allclose(gradient, differences, rtol=0.0, atol=room)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_agree_with_autograd_and_differences(reference, activation, loss):
    for bias in BIAS_POLICIES:
        for seed in (1, 2):
            check_gradients(reference, reference.draw_experiment(activation, loss, bias, seed))


@pytest.mark.parametrize("seed", range(40))
def test_gradients_agree_in_mixed_networks(reference, seed):
    # Differing activations in one network catch an activation taken from the wrong layer.
    random = np.random.default_rng(seed)
    loss = str(random.choice(list(LOSSES)))
    bias = str(random.choice(BIAS_POLICIES))
    experiment = reference.draw_experiment("sigmoid", loss, bias, seed)
    hidden = random.choice(list(ACTIVATIONS), size=len(experiment.layers) - 1).tolist()
    mixed = dataclasses.replace(experiment, activations=(*hidden, experiment.activations[-1]))
    check_gradients(reference, mixed)


def test_a_network_to_follow_by_eye():
    layers = (
        LayerParameters(np.array([[1.0, -1.0]]), np.array([0.5])),
        LayerParameters(np.array([[2.0], [-3.0]]), np.array([0.0, 1.0])),
    )
    names = ("relu", "identity")
    forward_pass = forward(layers, names, np.array([[2.0, 1.0], [0.0, 3.0]]))
    np.testing.assert_array_equal(forward_pass.pre_activations[0], [[1.5], [-2.5]])
    np.testing.assert_array_equal(forward_pass.activations[1], [[1.5], [0.0]])
    np.testing.assert_array_equal(forward_pass.output, [[3.0, -3.5], [0.0, 1.0]])
    gradients = backward(forward_pass, layers, names, "mse", np.array([[1.0, -3.5], [0.0, -1.0]]))
    np.testing.assert_array_equal(gradients.deltas[1], [[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(gradients.deltas[0], [[2.0], [0.0]])
    np.testing.assert_array_equal(gradients.weights[1], [[1.5], [0.0]])
    np.testing.assert_array_equal(gradients.weights[0], [[4.0, 2.0]])
    np.testing.assert_array_equal(gradients.biases[1], [1.0, 1.0])
    np.testing.assert_array_equal(gradients.biases[0], [2.0])


def test_one_activation_a_layer_is_needed():
    layers = (LayerParameters(np.eye(2)), LayerParameters(np.eye(2)))
    with pytest.raises(ValueError, match="shorter"):
        forward(layers, ("relu",), np.ones((1, 2)))


def test_an_unknown_activation_is_refused():
    with pytest.raises(KeyError, match="no_such"):
        forward((LayerParameters(np.eye(2)),), ("no_such",), np.ones((1, 2)))


def test_flat_order_is_weight_rows_then_trained_bias():
    layers = (
        LayerParameters(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])),
        LayerParameters(np.array([[7.0, 8.0]]), np.array([9.0])),
    )
    np.testing.assert_array_equal(flatten_parameters(layers, "trained"), np.arange(1.0, 10.0))
    np.testing.assert_array_equal(flatten_parameters(layers, "zero"), [1, 2, 3, 4, 7, 8])


@pytest.mark.parametrize("bias", BIAS_POLICIES)
def test_restoring_undoes_flattening(reference, bias):
    drawn = reference.draw_experiment("tanh", "mse", bias, 0, (3, 2, 4)).layers
    layers = apply_bias_policy(drawn, bias, np.float64)
    restored = restore_parameters(flatten_parameters(layers, bias), layers, bias)
    for one, other in zip(layers, restored, strict=True):
        np.testing.assert_array_equal(one.weight, other.weight)
        assert (one.bias is None) == (other.bias is None) == (bias == "none")
        if one.bias is not None:
            np.testing.assert_array_equal(one.bias, other.bias)


@pytest.mark.parametrize(
    ("bias", "values"),
    [("none", [0.0, 0.0]), ("trained", None), ("zero", [0.0, 1.0]), ("no_such", None)],
)
def test_a_layer_that_contradicts_the_policy_is_refused(bias, values):
    layer = LayerParameters(np.eye(2), None if values is None else np.array(values))
    with pytest.raises(ValueError, match="bias policy"):
        apply_bias_policy((layer,), bias, np.float64)


def test_differences_of_a_parabola_are_its_derivative():
    # mse of an identity neuron is a parabola in each weight: no truncation error at all.
    layers = (LayerParameters(np.array([[3.0, -200.0]])),)
    inputs, targets = np.array([[1.0, 0.5]]), np.array([[4.0]])
    differences = central_differences(layers, ("identity",), "mse", inputs, targets, "none")
    np.testing.assert_allclose(differences.gradient, [-202.0, -101.0], rtol=1e-8)
    assert (np.abs(differences.gradient - [-202.0, -101.0]) <= differences.error).all()
    assert (differences.error < 1e-3).all()
