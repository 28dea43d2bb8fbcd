"""The trainer against the gradients and rules derived by hand: two programs that share no line."""

from typing import Any

import numpy as np
import pytest
from training_cases import MODELS
from training_stock import alone, example

from labreport.lab.configuration import RunConfig
from labreport.reference.network import LayerParameters
from labreport.reference.training import HandTrace
from labreport.reference.training import train as train_by_hand
from labreport.training.fully_connected import initial_parameters
from labreport.training.operations.activations import ACTIVATIONS
from labreport.training.operations.losses import LOSSES

ROUNDS = 5
RELATIVE = 1e-9

# Its step is the sign of a gradient: where that is an exact 0 in one program and a rounding in
# the other, both are right and they part.
BY_SIGN = "rprop"


def by_hand(config: RunConfig) -> HandTrace:
    """The same run by the NumPy side."""
    flat = initial_parameters(config).numpy()
    layers = []
    start = 0
    for out, into in config.network.shapes:
        weight = flat[start : start + out * into].reshape(out, into)
        start += out * into
        bias = None
        if config.network.trains_bias:
            bias = flat[start : start + out]
            start += out
        elif config.network.bias == "zero":
            bias = np.zeros(out)
        layers.append(LayerParameters(weight, bias))
    hyperparameters: dict[str, Any] = config.optimizer.model_dump(exclude={"name"})
    return train_by_hand(
        layers,
        config.network.activations,
        config.loss,
        config.optimizer.name,
        hyperparameters,
        np.array(config.data.inputs),
        np.array(config.data.targets),
        config.rounds,
        config.network.bias,
        config.gradients,
        np.float64,
    )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_loss_and_optimizer(activation: str, loss: str) -> None:
    for number, optimizer in enumerate(MODELS):
        config = example(
            activation,
            loss,
            bias=("none", "zero", "trained")[number % 3],
            gradients=("cleared", "accumulated")[number % 2],
            optimizer={"name": optimizer, "learning_rate": 0.01},
            rounds=ROUNDS,
            dtype="float64",
        )
        trace, hand = alone(config), by_hand(config)
        assert trace.ending.kind == "completed"
        rounds = 1 if optimizer == BY_SIGN else ROUNDS + 1
        for ours, theirs in (
            (trace.losses, hand.losses),
            (trace.gradients, hand.gradients),
            (trace.weights, hand.weights),
        ):
            scale = np.abs(theirs[:rounds]).max()
            difference = np.abs(ours[:rounds] - theirs[:rounds]).max()
            assert difference <= RELATIVE * scale, (optimizer, difference, scale)
