"""Every update rule against stock torch.optim, for a thousand rounds in float64.

Every optimizer, plain and with each of its options, with gradients cleared and
accumulated, trains the same small tanh network in torch and by hand; losses, weights,
gradients and outputs of all 1001 points agree to a relative 1e-9.

A training that bounces about a minimum, or whose accumulated gradients make it swing
ever wider, doubles its rounding errors every few rounds, and two correct
implementations part. The learning rates below are small enough for none of that: the
weights agree to about 1e-13.
"""

import dataclasses

import numpy as np
import pytest
import torch

from labreport.reference.optimizers.adam import Nadam
from labreport.reference.optimizers.all_optimizers import OPTIMIZERS
from labreport.reference.optimizers.gradient_descent import Asgd, Sgd
from labreport.reference.optimizers.squared_gradients import Rmsprop

VARIATIONS = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "sgd-momentum": {"optimizer": "sgd", "learning_rate": 0.02, "momentum": 0.9},
    "sgd-dampening": {
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.8,
        "dampening": 0.3,
    },
    "sgd-nesterov": {
        "optimizer": "sgd",
        "learning_rate": 0.02,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.01,
    },
    "sgd-weight_decay": {"optimizer": "sgd", "learning_rate": 0.02, "weight_decay": 0.02},
    "adam": {"optimizer": "adam", "learning_rate": 0.01},
    "adam-betas-eps": {
        "optimizer": "adam",
        "learning_rate": 0.002,
        "betas": (0.8, 0.95),
        "eps": 1e-3,
    },
    "adam-weight_decay": {"optimizer": "adam", "learning_rate": 0.01, "weight_decay": 0.05},
    "adam-amsgrad": {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "amsgrad": True,
        "betas": (0.9, 0.9),
    },
    "adamw": {"optimizer": "adamw", "learning_rate": 0.01},
    "adamw-amsgrad": {
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "amsgrad": True,
        "weight_decay": 0.1,
        "betas": (0.9, 0.9),
    },
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.001},
    "rmsprop-momentum": {
        "optimizer": "rmsprop",
        "learning_rate": 0.0005,
        "momentum": 0.5,
        "alpha": 0.9,
        "eps": 1e-3,
    },
    "rmsprop-centered": {
        "optimizer": "rmsprop",
        "learning_rate": 0.001,
        "centered": True,
        "weight_decay": 0.01,
        "eps": 1e-3,
    },
    "rmsprop-centered-momentum": {
        "optimizer": "rmsprop",
        "learning_rate": 0.0005,
        "centered": True,
        "momentum": 0.3,
        "eps": 1e-3,
    },
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.05},
    "adagrad-options": {
        "optimizer": "adagrad",
        "learning_rate": 0.05,
        "learning_rate_decay": 0.01,
        "weight_decay": 0.02,
        "initial_accumulator_value": 0.3,
        "eps": 1e-3,
    },
    "adadelta": {"optimizer": "adadelta", "learning_rate": 0.2},
    "adadelta-options": {
        "optimizer": "adadelta",
        "learning_rate": 0.1,
        "rho": 0.8,
        "eps": 1e-4,
        "weight_decay": 0.02,
    },
    "adamax": {"optimizer": "adamax", "learning_rate": 0.01},
    "adamax-options": {
        "optimizer": "adamax",
        "learning_rate": 0.002,
        "betas": (0.7, 0.99),
        "eps": 1e-3,
        "weight_decay": 0.02,
    },
    "nadam": {"optimizer": "nadam", "learning_rate": 0.01},
    "nadam-options": {
        "optimizer": "nadam",
        "learning_rate": 0.002,
        "betas": (0.8, 0.99),
        "eps": 1e-3,
        "weight_decay": 0.02,
        "momentum_decay": 0.05,
    },
    "radam": {"optimizer": "radam", "learning_rate": 0.01},
    "radam-options": {
        "optimizer": "radam",
        "learning_rate": 0.002,
        "betas": (0.8, 0.99),
        "eps": 1e-3,
        "weight_decay": 0.02,
    },
    "asgd": {"optimizer": "asgd", "learning_rate": 0.1},
    "asgd-options": {
        "optimizer": "asgd",
        "learning_rate": 0.1,
        "lambd": 0.01,
        "alpha": 0.5,
        "t0": 10.0,
        "weight_decay": 0.02,
    },
    "rprop": {"optimizer": "rprop", "learning_rate": 0.01},
    "rprop-options": {
        "optimizer": "rprop",
        "learning_rate": 0.02,
        "etas": (0.3, 1.5),
        "step_sizes": (1e-4, 0.5),
    },
}


# Accumulated gradients grow with the rounds, and rules that take a step in proportion to
# the gradient need a far smaller rate than those that normalise it.
ACCUMULATED_SHARE_OF_RATE = {"sgd": 1e-3, "asgd": 1e-3}


def variation(name, gradients="cleared"):
    keywords = dict(VARIATIONS[name])
    optimizer = keywords.pop("optimizer")
    if gradients == "accumulated":
        keywords["learning_rate"] *= ACCUMULATED_SHARE_OF_RATE.get(optimizer, 0.1)
    return optimizer, keywords


@pytest.fixture(scope="module")
def experiment(reference):
    drawn = reference.draw_experiment("tanh", "mse", "trained", 11, (2, 3, 2))
    return dataclasses.replace(drawn, activations=("tanh", "identity"))


def test_the_vocabulary_is_that_of_the_lab_file(reference):
    assert list(OPTIMIZERS) == list(reference.optimizers)
    assert {keywords["optimizer"] for keywords in VARIATIONS.values()} == set(OPTIMIZERS)


@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("name", VARIATIONS)
def test_a_thousand_rounds_agree_with_torch(reference, experiment, name, gradients):
    optimizer, keywords = variation(name, gradients)
    expected = reference.train_in_torch(experiment, optimizer, keywords, 1000, gradients)
    actual = reference.train_by_hand(experiment, optimizer, keywords, 1000, gradients)
    reference.assert_same_training(actual, expected)


@pytest.mark.parametrize("name", ["nadam", "asgd"])
def test_the_scalar_dtype_is_the_default_dtype_of_torch(reference, experiment, name):
    optimizer, keywords = variation(name)
    wide = {**keywords, "scalar_dtype": "float64"}
    previous = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        expected = reference.train_in_torch(experiment, optimizer, keywords, 50, "cleared")
    finally:
        torch.set_default_dtype(previous)
    actual = reference.train_by_hand(experiment, optimizer, wide, 50, "cleared")
    reference.assert_same_training(actual, expected, relative=1e-12)
    # And it is a difference that the tolerance of the other tests can see.
    narrow = reference.train_by_hand(experiment, optimizer, keywords, 50, "cleared")
    with pytest.raises(AssertionError):
        reference.assert_same_training(narrow, expected)


@pytest.mark.parametrize("name", VARIATIONS)
def test_single_precision_agrees_with_torch(reference, experiment, name):
    optimizer, keywords = variation(name)
    arguments = (experiment, optimizer, keywords, 20, "cleared")
    expected = reference.train_in_torch(*arguments, dtype=torch.float32)
    actual = reference.train_by_hand(*arguments, dtype=np.float32)
    # A rounding of a small gradient moves an adaptive step by more than a rounding.
    reference.assert_close(actual.weights, expected.weights, relative=1e-4)
    assert actual.weights.dtype == actual.gradients.dtype == actual.outputs.dtype == np.float32


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_step_keeps_the_dtype_and_changes_nothing_in_place(name):
    optimizer, keywords = variation(name)
    rule = OPTIMIZERS[optimizer](**keywords)
    weights = np.array([0.5, -0.25, 0.125], dtype=np.float32)
    gradient = np.array([1.0, -2.0, 0.0], dtype=np.float32)
    copies = weights.copy(), gradient.copy()
    state = rule.start(weights)
    once, _ = rule.step(weights, gradient, state)
    again, later = rule.step(weights, gradient, state)
    twice, _ = rule.step(again, gradient, later)
    assert once.dtype == twice.dtype == np.float32
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(weights, copies[0])
    np.testing.assert_array_equal(gradient, copies[1])


def test_first_velocity_is_not_dampened():
    rule = Sgd(learning_rate=1.0, momentum=0.5, dampening=0.9)
    weights, _ = rule.step(np.array([1.0]), np.array([0.25]), rule.start(np.array([1.0])))
    np.testing.assert_array_equal(weights, [0.75])


def test_rprop_waits_after_a_change_of_sign():
    rule = OPTIMIZERS["rprop"](learning_rate=0.1)
    first, state = rule.step(np.array([0.0]), np.array([1.0]), rule.start(np.array([0.0])))
    second, state = rule.step(first, np.array([-1.0]), state)
    third, state = rule.step(second, np.array([-1.0]), state)
    np.testing.assert_allclose([first[0], second[0], third[0]], [-0.1, -0.1, -0.05])


def test_the_rate_of_asgd_starts_rounded_to_single_precision():
    assert Asgd(learning_rate=0.1).start(np.zeros(1)).rate == float(np.float32(0.1))
    assert Asgd(learning_rate=0.1, scalar_dtype="float64").start(np.zeros(1)).rate == 0.1


@pytest.mark.parametrize(
    "keywords",
    [{"momentum": 0.0}, {"momentum": 0.9, "dampening": 0.1}],
)
def test_nesterov_is_refused_where_torch_refuses_it(keywords):
    with pytest.raises(ValueError, match="esterov"):
        torch.optim.SGD([torch.zeros(1)], lr=0.1, nesterov=True, **keywords)
    with pytest.raises(ValueError, match="nesterov"):
        Sgd(learning_rate=0.1, nesterov=True, **keywords)


@pytest.mark.parametrize("rule", OPTIMIZERS.values())
def test_an_unknown_hyperparameter_is_refused(rule):
    with pytest.raises(TypeError, match="no_such"):
        rule(learning_rate=0.1, no_such=1.0)


@pytest.mark.parametrize("rule", [Nadam, Rmsprop])
def test_the_learning_rate_has_no_default(rule):
    with pytest.raises(TypeError, match="learning_rate"):
        rule()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_those_of_torch(reference, name):
    torch_defaults = reference.optimizers[name]([torch.zeros(1)], lr=0.1).defaults
    renamed = {"learning_rate": "lr", "learning_rate_decay": "lr_decay"}
    rule = OPTIMIZERS[name](learning_rate=0.1)
    for field, value in vars(rule).items():
        if field != "scalar_dtype":
            assert torch_defaults[renamed.get(field, field)] == value
