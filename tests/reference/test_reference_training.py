"""Whole trainings by hand against whole trainings by torch.

Covered at 1000 rounds in float64: in test_backprop_optimizers.py every optimizer with
its options, cleared and accumulated; here seventeen trainings that between them use
every activation, loss, bias policy, optimizer and gradient policy.

Covered at three rounds in float64, on random networks of one to four layers: every
activation × loss, every activation × bias policy × optimizer and every loss × bias
policy × optimizer; with LABREPORT_TESTS=all every activation × loss × bias policy ×
optimizer (6732 trainings). Cleared and accumulated gradients take turns, and the
options of each optimizer do too.
"""

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import torch
from whole import turns

from labreport.reference.activations import ACTIVATIONS
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import LayerParameters
from labreport.reference.optimizers.adam import AdamRule
from labreport.reference.optimizers.all_optimizers import OPTIMIZERS
from labreport.reference.training import Divergence, train

BIAS_POLICIES = ("none", "trained", "zero")
GRADIENT_POLICIES = ("cleared", "accumulated")

# The options that the product of everything with everything goes through in turn.
OPTIONS = {
    "sgd": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.5, "dampening": 0.2},
        {"momentum": 0.9, "nesterov": True},
    ],
    "adam": [{}, {"amsgrad": True}, {"weight_decay": 0.1}],
    "adamw": [{}, {"amsgrad": True}, {"weight_decay": 0.2}],
    "rmsprop": [{}, {"momentum": 0.9}, {"centered": True}, {"weight_decay": 0.1}],
    "adagrad": [{}, {"learning_rate_decay": 0.1}, {"initial_accumulator_value": 0.1}],
    "adadelta": [{}, {"rho": 0.5}, {"weight_decay": 0.1}],
    "adamax": [{}, {"weight_decay": 0.1}],
    "nadam": [{}, {"momentum_decay": 0.1}, {"weight_decay": 0.1}],
    "radam": [{}, {"betas": (0.5, 0.7)}, {"weight_decay": 0.1}],
    "asgd": [{}, {"lambd": 0.1}, {"weight_decay": 0.1}],
    "rprop": [{}, {"etas": (0.3, 1.5)}],
}
# Small enough that no training below leaps, or bounces about a minimum.
LEARNING_RATES = {
    "sgd": 0.01,
    "adam": 0.001,
    "adamw": 0.001,
    "rmsprop": 0.0003,
    "adagrad": 0.01,
    "adadelta": 0.1,
    "adamax": 0.001,
    "nadam": 0.001,
    "radam": 0.001,
    "asgd": 0.01,
    "rprop": 0.001,
}


def is_rounding(gradient):
    """Tell whether an element is only what rounding has left of an exact zero.

    Its sign is then an accident, and rprop takes a whole step by it.
    """
    return np.any((gradient != 0.0) & (np.abs(gradient) < 1e-13))


def draw_with_real_gradients(reference, activation, loss, bias, widths=None):
    for seed in itertools.count():
        experiment = reference.draw_experiment(activation, loss, bias, seed, widths)
        if not is_rounding(reference.network(experiment).gradient()):
            return experiment
    raise AssertionError("unreachable")


def tried_with(activation, loss):
    """Bias policies and optimizers that a pair is tried with, each with its turn."""
    # A turn of its own for every pair, so that the options meet all of them.
    first = 5 * list(ACTIVATIONS).index(activation) + list(LOSSES).index(loss) + 1
    return turns(itertools.product(BIAS_POLICIES, OPTIMIZERS), first)


def test_what_is_tried_has_each_activation_and_each_loss_with_all_options():
    met = {
        (one, bias, optimizer, *further)
        for activation, loss in itertools.product(ACTIVATIONS, LOSSES)
        for turn, (bias, optimizer) in tried_with(activation, loss)
        for one, *further in (
            (f"activation {activation}",),
            (f"loss {loss}",),
            ("option", turn % len(OPTIONS[optimizer])),
            ("gradients", turn // 4 % 2),
        )
    }
    kinds = [
        *((f"activation {name}",) for name in ACTIVATIONS),
        *((f"loss {name}",) for name in LOSSES),
        ("gradients", 0),
        ("gradients", 1),
    ]
    for bias, optimizer in itertools.product(BIAS_POLICIES, OPTIMIZERS):
        options = [("option", number) for number in range(len(OPTIONS[optimizer]))]
        for one, *further in (*kinds, *options):
            assert (one, bias, optimizer, *further) in met


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_everything_with_everything_agrees_with_torch(reference, activation, loss):
    draw = functools.cache(functools.partial(draw_with_real_gradients, reference, activation, loss))
    for turn, (bias, optimizer) in tried_with(activation, loss):
        experiment = draw(bias)
        options = OPTIONS[optimizer][turn % len(OPTIONS[optimizer])]
        keywords = {"learning_rate": LEARNING_RATES[optimizer], **options}
        gradients = GRADIENT_POLICIES[turn // 4 % 2]
        expected = reference.train_in_torch(experiment, optimizer, keywords, 3, gradients)
        actual = reference.train_by_hand(experiment, optimizer, keywords, 3, gradients)
        reference.assert_same_training(actual, expected)


@pytest.mark.parametrize("number", range(len(ACTIVATIONS)))
def test_a_thousand_rounds_of_each_agree_with_torch(reference, number):
    activation = list(ACTIVATIONS)[number]
    loss = list(LOSSES)[number % len(LOSSES)]
    bias = BIAS_POLICIES[number % len(BIAS_POLICIES)]
    optimizer = list(OPTIMIZERS)[number % len(OPTIMIZERS)]
    gradients = GRADIENT_POLICIES[number % 2]
    experiment = draw_with_real_gradients(reference, activation, loss, bias, (3, 3, 2))
    keywords = {"learning_rate": LEARNING_RATES[optimizer] / 10}
    expected = reference.train_in_torch(experiment, optimizer, keywords, 1000, gradients)
    actual = reference.train_by_hand(experiment, optimizer, keywords, 1000, gradients)
    reference.assert_same_training(actual, expected)
    assert np.any(actual.weights[-1] != actual.weights[0])


# The numbers of the companion text: 2-2-2, sigmoid, mse, one sample, sgd of rate 1.
COMPANION_LAYERS = (
    LayerParameters(np.array([[0.2, 0.5], [-0.4, 0.6]])),
    LayerParameters(np.array([[0.1, -0.3], [-0.5, 0.8]])),
)


def train_companion(gradients, rounds=10):
    inputs, targets = np.array([[0.5, 0.3]]), np.array([[0.23, -0.07]])
    return train(
        COMPANION_LAYERS,
        ("sigmoid", "sigmoid"),
        "mse",
        "sgd",
        {"learning_rate": 1.0},
        inputs,
        targets,
        rounds,
        "none",
        gradients,
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("gradients", GRADIENT_POLICIES)
def test_discarded_updates_move_nothing(gradients, optimizer):
    inputs, targets = np.array([[0.5, 0.3]]), np.array([[0.23, -0.07]])
    settings = ("mse", optimizer, {"learning_rate": 1.0}, inputs, targets, 10, "none", gradients)
    trace = train(COMPANION_LAYERS, ("sigmoid", "sigmoid"), *settings, updates="discarded")
    np.testing.assert_array_equal(trace.losses, np.full(11, trace.losses[0]))
    np.testing.assert_array_equal(trace.weights, np.tile(trace.weights[0], (11, 1)))
    assert trace.gradients[10].any()


def test_companion_losses():
    losses = train_companion("cleared").losses
    np.testing.assert_allclose(losses[[0, 1, 9]], [0.209710, 0.195033, 0.110823], atol=5e-7)


@pytest.mark.parametrize(
    ("gradients", "first", "second"),
    [
        (
            "cleared",
            [[0.3273, 0.5764], [-0.4547, 0.5672]],
            [[-0.1985, -0.5561], [-1.2127, 0.1883]],
        ),
        (
            "accumulated",
            [[0.8080, 0.8648], [-0.6265, 0.4641]],
            [[-1.2940, -1.4920], [-3.7744, -2.0040]],
        ),
    ],
)
def test_companion_weights_after_ten_updates(gradients, first, second):
    final = train_companion(gradients).weights[10]
    np.testing.assert_allclose(final[:4], np.ravel(first), atol=5e-5)
    np.testing.assert_allclose(final[4:], np.ravel(second), atol=5e-5)


def test_a_trace_starts_before_the_first_update():
    trace = train_companion("cleared", rounds=3)
    assert trace.losses.shape == (4,)
    assert trace.weights.shape == trace.gradients.shape == (4, 8)
    assert trace.outputs.shape == (4, 1, 2)
    np.testing.assert_array_equal(trace.weights[0], [0.2, 0.5, -0.4, 0.6, 0.1, -0.3, -0.5, 0.8])
    np.testing.assert_allclose(trace.weights[1], trace.weights[0] - trace.gradients[0])


def test_recorded_gradients_are_not_the_accumulated_ones():
    trace = train_companion("accumulated", rounds=2)
    expected = trace.weights[1] - (trace.gradients[0] + trace.gradients[1])
    np.testing.assert_allclose(trace.weights[2], expected, rtol=1e-14)


def test_no_rounds_leave_one_point():
    assert train_companion("cleared", rounds=0).losses.shape == (1,)


def test_single_precision_agrees_with_torch(reference):
    experiment = reference.draw_experiment("tanh", "mse", "trained", 3, (2, 3, 2))
    arguments = (experiment, "sgd", {"learning_rate": 0.1}, 50, "cleared")
    expected = reference.train_in_torch(*arguments, dtype=torch.float32)
    actual = reference.train_by_hand(*arguments, dtype=np.float32)
    # Fifty rounds of roundings of 6e-8; assert_close leaves a thousandth of the tolerance
    # to elements near zero.
    reference.assert_same_training(actual, expected, relative=1e-3)
    assert actual.weights.dtype == actual.gradients.dtype == actual.outputs.dtype == np.float32
    # Really computed in float32, not computed in float64 and then rounded.
    wide = reference.train_by_hand(*arguments)
    assert np.any(wide.weights[-1].astype(np.float32) != actual.weights[-1])


def diverge(learning_rate, rounds=500):
    layers = (LayerParameters(np.array([[1.0]])),)
    inputs, targets = np.array([[1.0]]), np.array([[0.0]])
    return train(
        layers,
        ("identity",),
        "mse",
        "sgd",
        {"learning_rate": learning_rate},
        inputs,
        targets,
        rounds,
        "none",
        "cleared",
    )


def test_divergence_cuts_the_trace_where_the_loss_overflows():
    # w doubles with changing sign: w² overflows at w = 2^512.
    trace = diverge(learning_rate=1.5, rounds=600)
    assert trace.divergence == Divergence(updates=512, quantity="loss")
    assert len(trace.losses) == len(trace.weights) == 512
    assert len(trace.gradients) == len(trace.outputs) == 512
    assert np.all(np.isfinite(trace.losses))
    assert abs(trace.weights[-1, 0]) == 2.0**511


def test_divergence_cuts_the_trace_where_the_weights_overflow():
    trace = diverge(learning_rate=1e308)
    assert trace.divergence == Divergence(updates=1, quantity="weights")
    assert trace.weights.shape == (1, 1)


def test_divergence_agrees_with_torch(reference):
    experiment = reference.draw_experiment("identity", "mse", "trained", 5, (2, 3, 2))
    arguments = (experiment, "sgd", {"learning_rate": 5.0}, 40, "cleared")
    expected = reference.train_in_torch(*arguments)
    actual = reference.train_by_hand(*arguments)
    finite = np.isfinite(expected.losses) & np.isfinite(expected.weights).all(axis=1)
    first = int(np.argmin(finite))
    assert not finite[first]
    assert actual.divergence is not None
    assert actual.divergence.updates == first == len(actual.losses)
    reference.assert_close(actual.losses, expected.losses[:first])


def test_a_trace_that_is_never_finite_is_empty():
    layers = (LayerParameters(np.array([[np.nan, 1.0]])),)
    inputs, targets = np.ones((3, 2)), np.ones((3, 1))
    rates = {"learning_rate": 1.0}
    trace = train(layers, ("tanh",), "mse", "sgd", rates, inputs, targets, 5, "none", "cleared")
    assert trace.divergence == Divergence(updates=0, quantity="weights")
    assert trace.weights.shape == (0, 2)
    assert trace.outputs.shape == (0, 3, 1)


def test_weights_that_are_not_finite_do_not_reach_the_domain_check_of_bce():
    # The gradient is 0.9 / (0.9 · 0.1) = 10, so that the first update overflows.
    layers = (LayerParameters(np.array([[0.9]])),)
    inputs, targets = np.array([[1.0]]), np.array([[0.0]])
    rates = {"learning_rate": 1e308}
    trace = train(layers, ("identity",), "bce", "sgd", rates, inputs, targets, 5, "none", "cleared")
    assert trace.divergence == Divergence(updates=1, quantity="weights")


def test_outputs_outside_the_domain_of_bce_are_refused():
    layers = (LayerParameters(np.array([[3.0]])),)
    inputs, targets = np.array([[0.5]]), np.array([[0.0]])
    rates = {"learning_rate": 0.1}
    with pytest.raises(ValueError, match="between 0 and 1"):
        train(layers, ("identity",), "bce", "sgd", rates, inputs, targets, 5, "none", "cleared")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"gradients": "no_such"}, ValueError),
        ({"updates": "no_such"}, ValueError),
        ({"bias": "no_such"}, ValueError),
        ({"bias": "trained"}, ValueError),
        ({"loss": "no_such"}, KeyError),
        ({"optimizer": "no_such"}, KeyError),
        ({"activations": ("no_such", "sigmoid")}, KeyError),
        ({"activations": ("sigmoid",)}, ValueError),
        ({"hyperparameters": {}}, TypeError),
        ({"hyperparameters": {"learning_rate": 1.0, "no_such": 1.0}}, TypeError),
        ({"targets": np.zeros((1, 1))}, ValueError),
        ({"targets": np.zeros((2, 2))}, ValueError),
    ],
)
def test_a_contradiction_is_refused(changes, error):
    arguments = {
        "initial": COMPANION_LAYERS,
        "activations": ("sigmoid", "sigmoid"),
        "loss": "mse",
        "optimizer": "sgd",
        "hyperparameters": {"learning_rate": 1.0},
        "inputs": np.ones((1, 2)),
        "targets": np.ones((1, 2)),
        "rounds": 1,
        "bias": "none",
        "gradients": "cleared",
    }
    train(**arguments)
    with pytest.raises(error):
        train(**{**arguments, **changes})


def test_a_bias_held_at_zero_is_the_same_as_none(reference):
    experiment = reference.draw_experiment("tanh", "mse", "none", 3, (2, 3, 2))
    arguments = ("adamw", {"learning_rate": 0.01}, 20, "cleared")
    without = reference.train_by_hand(experiment, *arguments)
    held = reference.train_by_hand(dataclasses.replace(experiment, bias="zero"), *arguments)
    np.testing.assert_array_equal(without.weights, held.weights)


def test_the_initial_layers_are_left_alone():
    before = [layer.weight.copy() for layer in COMPANION_LAYERS]
    train_companion("cleared")
    for layer, weight in zip(COMPANION_LAYERS, before, strict=True):
        np.testing.assert_array_equal(layer.weight, weight)


# A comparison that cannot fail proves nothing: planted errors have to be found.


def agrees(reference, experiment, optimizer="adam", rounds=3):
    keywords = {"learning_rate": 0.01}
    expected = reference.train_in_torch(experiment, optimizer, keywords, rounds, "cleared")
    actual = reference.train_by_hand(experiment, optimizer, keywords, rounds, "cleared")
    reference.assert_same_training(actual, expected)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_wrong_pullback_is_caught(reference, monkeypatch, name):
    experiment = draw_with_real_gradients(reference, name, "mse", "trained", (3, 4, 3))
    agrees(reference, experiment)
    right = ACTIVATIONS[name]

    def wrong(pre_activation, value, upstream):
        return right.pullback(pre_activation, value, upstream) * (1.0 + 1e-7)

    monkeypatch.setitem(ACTIVATIONS, name, dataclasses.replace(right, pullback=wrong))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agrees(reference, experiment)


@pytest.mark.parametrize("name", LOSSES)
def test_a_wrong_loss_gradient_is_caught(reference, monkeypatch, name):
    experiment = draw_with_real_gradients(reference, "sigmoid", name, "trained", (3, 4, 3))
    agrees(reference, experiment)
    right = LOSSES[name]

    def wrong(output, target):
        return right.gradient(output, target) * (1.0 + 1e-7)

    monkeypatch.setitem(LOSSES, name, dataclasses.replace(right, gradient=wrong))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agrees(reference, experiment)


def test_a_derivative_of_relu_that_differs_only_at_the_kink_is_caught(reference, monkeypatch):
    # A first layer of zeros puts every unit on the kink.
    drawn = reference.draw_experiment("relu", "mse", "trained", 0, (2, 3, 2))
    flat_layer = LayerParameters(np.zeros((3, 2)), np.zeros(3))
    experiment = dataclasses.replace(
        drawn, layers=(flat_layer, drawn.layers[1]), activations=("relu", "identity")
    )
    agrees(reference, experiment)

    def wrong(pre_activation, value, upstream):
        return np.where(pre_activation >= 0, upstream, 0.0)

    right = ACTIVATIONS["relu"]
    monkeypatch.setitem(ACTIVATIONS, "relu", dataclasses.replace(right, pullback=wrong))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agrees(reference, experiment)


def test_a_wrong_default_of_an_optimizer_is_caught(reference, monkeypatch):
    experiment = reference.draw_experiment("tanh", "mse", "trained", 0, (3, 4, 3))

    def wrong(**keywords):
        return AdamRule(**keywords, eps=1.1e-8)

    monkeypatch.setitem(OPTIMIZERS, "adam", wrong)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agrees(reference, experiment)
