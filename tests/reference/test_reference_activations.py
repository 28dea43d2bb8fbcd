"""Every activation and its pullback against torch's, kinks and far tails included."""

import numpy as np
import pytest
import torch

from labreport.reference.activations import ACTIVATIONS

# Every kink of every activation, its neighbours in float64, and values far out on both
# sides. One column a batch, so that the activations over units see them in many rows.
KINKS = np.array([0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 20.0, -20.0])
PRE_ACTIVATIONS = np.concatenate(
    [
        KINKS,
        np.nextafter(KINKS, np.inf),
        np.nextafter(KINKS, -np.inf),
        [-0.0, 50.0, -50.0, 700.0, -700.0],
        np.random.default_rng(1).normal(scale=4.0, size=64),
    ]
).reshape(-1, 4)


def in_torch(reference, name, pre_activation, upstream):
    z = torch.tensor(pre_activation, requires_grad=True)
    value = reference.activations[name](z)
    value.backward(torch.tensor(upstream))
    return value.detach().numpy(), z.grad.numpy()


def test_the_vocabulary_is_that_of_the_lab_file(reference):
    assert list(ACTIVATIONS) == list(reference.activations)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_pullback_agree_with_torch(reference, name):
    upstream = np.random.default_rng(2).normal(size=PRE_ACTIVATIONS.shape)
    value = ACTIVATIONS[name].value(PRE_ACTIVATIONS)
    gradient = ACTIVATIONS[name].pullback(PRE_ACTIVATIONS, value, upstream)
    expected_value, expected_gradient = in_torch(reference, name, PRE_ACTIVATIONS, upstream)
    # Absolute room for one rounding of numbers of the size of one, which is what is left
    # of 1 - a² in a tail.
    np.testing.assert_allclose(value, expected_value, rtol=1e-13, atol=2e-15)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-13, atol=2e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_single_precision_stays_single(reference, name):
    narrow = PRE_ACTIVATIONS.clip(-80.0, 80.0).astype(np.float32)
    upstream = np.ones_like(narrow)
    upstream[:, 0] = 2.0
    value = ACTIVATIONS[name].value(narrow)
    gradient = ACTIVATIONS[name].pullback(narrow, value, upstream)
    assert value.dtype == gradient.dtype == np.float32
    expected_value, expected_gradient = in_torch(reference, name, narrow, upstream)
    np.testing.assert_allclose(value, expected_value, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "pre_activation", "derivative"),
    [
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.0, 0.01),
        ("elu", 0.0, 1.0),
        ("selu", 0.0, 1.0507009873554805 * 1.6732632423543772),
        ("hardtanh", 1.0, 0.0),
        ("hardtanh", -1.0, 0.0),
        ("relu6", 0.0, 0.0),
        ("relu6", 6.0, 0.0),
        ("hardsigmoid", 3.0, 0.0),
        ("hardsigmoid", -3.0, 0.0),
        ("hardsigmoid", 0.0, 0.1666666716337204),
        ("softsign", 0.0, 1.0),
        ("softplus", 20.0, 0.9999999979388464),
        ("softplus", 20.1, 1.0),
    ],
)
def test_derivative_at_a_kink_is_the_documented_one(name, pre_activation, derivative):
    z = np.array([[pre_activation]])
    activation = ACTIVATIONS[name]
    pullback = activation.pullback(z, activation.value(z), np.ones_like(z))
    assert pullback.item() == pytest.approx(derivative, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_constant_added_to_a_row_changes_nothing(name):
    logits = np.random.default_rng(3).normal(size=(3, 5))
    shifted = ACTIVATIONS[name].value(logits + 1000.0)
    np.testing.assert_allclose(shifted, ACTIVATIONS[name].value(logits), rtol=1e-11)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_pre_activation_is_left_alone(name):
    before = PRE_ACTIVATIONS.copy()
    value = ACTIVATIONS[name].value(before)
    ACTIVATIONS[name].pullback(before, value, np.ones_like(before))
    np.testing.assert_array_equal(before, PRE_ACTIVATIONS)
    assert not np.shares_memory(value, before)
