"""What the tests of the hand-derived side compare with: stock torch, and random networks."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from labreport.reference.activations import ACTIVATIONS
from labreport.reference.network import LayerParameters
from labreport.reference.training import HandTrace, train

TORCH_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "identity": torch.nn.Identity(),
    "sigmoid": torch.nn.Sigmoid(),
    "tanh": torch.nn.Tanh(),
    "relu": torch.nn.ReLU(),
    "leaky_relu": torch.nn.LeakyReLU(),
    "elu": torch.nn.ELU(),
    "selu": torch.nn.SELU(),
    "gelu": torch.nn.GELU(),
    "silu": torch.nn.SiLU(),
    "softplus": torch.nn.Softplus(),
    "softsign": torch.nn.Softsign(),
    "hardtanh": torch.nn.Hardtanh(),
    "relu6": torch.nn.ReLU6(),
    "hardsigmoid": torch.nn.Hardsigmoid(),
    "mish": torch.nn.Mish(),
    "softmax": torch.nn.Softmax(dim=1),
    "log_softmax": torch.nn.LogSoftmax(dim=1),
}

TORCH_LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "mse": torch.nn.MSELoss(),
    "l1": torch.nn.L1Loss(),
    "smooth_l1": torch.nn.SmoothL1Loss(),
    "huber": torch.nn.HuberLoss(),
    "bce": torch.nn.BCELoss(),
    "bce_with_logits": torch.nn.BCEWithLogitsLoss(),
    "cross_entropy": torch.nn.CrossEntropyLoss(),
    "kl_div": torch.nn.KLDivLoss(reduction="batchmean"),
    "poisson_nll": torch.nn.PoissonNLLLoss(log_input=True, full=False),
    "soft_margin": torch.nn.SoftMarginLoss(),
    "multilabel_soft_margin": torch.nn.MultiLabelSoftMarginLoss(),
    "hinge_embedding": torch.nn.HingeEmbeddingLoss(),
}

TORCH_OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "asgd": torch.optim.ASGD,
    "rprop": torch.optim.Rprop,
}

TORCH_HYPERPARAMETERS = {"learning_rate": "lr", "learning_rate_decay": "lr_decay"}

# The activations whose values are legal outputs for bce.
INTO_UNIT_INTERVAL = ("sigmoid", "hardsigmoid", "softmax")


@dataclass(frozen=True)
class Experiment:
    """A network, a batch and a loss that go together."""

    layers: tuple[LayerParameters, ...]
    activations: tuple[str, ...]
    loss: str
    bias: str
    inputs: np.ndarray
    targets: np.ndarray


def draw_targets(loss: str, shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Targets [rows, units] of the kind that the loss is meant for."""
    if loss in ("cross_entropy", "kl_div"):
        return random.dirichlet(np.ones(shape[1]), size=shape[0])
    if loss in ("bce", "bce_with_logits"):
        return random.uniform(size=shape)
    if loss == "multilabel_soft_margin":
        return random.integers(0, 2, size=shape).astype(float)
    if loss in ("soft_margin", "hinge_embedding"):
        return random.choice([-1.0, 1.0], size=shape)
    if loss == "poisson_nll":
        return random.poisson(2.0, size=shape).astype(float)
    return random.normal(size=shape)


def draw_experiment(
    activation: str, loss: str, bias: str, seed: int, widths: Sequence[int] | None = None
) -> Experiment:
    """Draw a random network of one to four layers, with a batch of one to five rows.

    Every layer has the activation, except an output layer that it would make illegal for
    the loss (bce): that one gets a sigmoid, and a hidden layer with the activation.
    """
    random = np.random.default_rng([seed, *f"{activation} {loss} {bias}".encode()])
    legal = loss != "bce" or activation in INTO_UNIT_INTERVAL
    if widths is None:
        depth = int(random.integers(1 if legal else 2, 5))
        widths = random.integers(1, 5, size=depth + 1).tolist()
    layers = []
    for units_in, units_out in itertools.pairwise(widths):
        weight = random.normal(size=(units_out, units_in)) / math.sqrt(units_in)
        values = random.normal(size=units_out)
        layers.append(LayerParameters(weight, values if bias == "trained" else None))
    rows = int(random.integers(1, 6))
    return Experiment(
        layers=tuple(layers),
        activations=(activation,) * (len(layers) - 1) + (activation if legal else "sigmoid",),
        loss=loss,
        bias=bias,
        inputs=random.normal(size=(rows, widths[0])),
        targets=draw_targets(loss, (rows, widths[-1]), random),
    )


class TorchNetwork:
    """The same network in torch, differentiated by autograd."""

    def __init__(self, experiment: Experiment, dtype: torch.dtype = torch.float64) -> None:
        self.experiment = experiment
        self.inputs = torch.tensor(experiment.inputs, dtype=dtype)
        self.targets = torch.tensor(experiment.targets, dtype=dtype)
        self.layers: list[tuple[torch.Tensor, torch.Tensor | None]] = []
        self.trained: list[torch.Tensor] = []
        for layer in experiment.layers:
            weight = torch.tensor(layer.weight, dtype=dtype, requires_grad=True)
            self.trained.append(weight)
            bias = None
            if experiment.bias == "trained":
                bias = torch.tensor(layer.bias, dtype=dtype, requires_grad=True)
                self.trained.append(bias)
            elif experiment.bias == "zero":
                bias = torch.zeros(len(layer.weight), dtype=dtype)
            self.layers.append((weight, bias))

    def output(self) -> torch.Tensor:
        value = self.inputs
        for (weight, bias), name in zip(self.layers, self.experiment.activations, strict=True):
            value = TORCH_ACTIVATIONS[name](F.linear(value, weight, bias))
        return value

    def loss(self, output: torch.Tensor) -> torch.Tensor:
        return TORCH_LOSSES[self.experiment.loss](output, self.targets)

    def gradient(self) -> np.ndarray:
        return flat(torch.autograd.grad(self.loss(self.output()), self.trained))


def flat(tensors: Sequence[torch.Tensor]) -> np.ndarray:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).numpy()


def train_in_torch(
    experiment: Experiment,
    optimizer: str,
    hyperparameters: Mapping[str, Any],
    rounds: int,
    gradients: str,
    dtype: torch.dtype = torch.float64,
) -> HandTrace:
    """Do the same training in torch, with its own optimizer; never cut."""
    network = TorchNetwork(experiment, dtype)
    keywords = {
        TORCH_HYPERPARAMETERS.get(name, name): value
        for name, value in hyperparameters.items()
        if name != "scalar_dtype"
    }
    torch_optimizer = TORCH_OPTIMIZERS[optimizer](network.trained, **keywords)
    losses, weights, true_gradients, outputs = [], [], [], []
    for index in range(rounds + 1):
        output = network.output()
        loss = network.loss(output)
        losses.append(loss.item())
        outputs.append(output.detach().numpy())
        weights.append(flat(network.trained))
        if gradients == "cleared":
            torch_optimizer.zero_grad()
            loss.backward()
            true_gradients.append(flat([tensor.grad for tensor in network.trained]))
        else:
            kept = torch.autograd.grad(loss, network.trained, retain_graph=True)
            true_gradients.append(flat(kept))
            loss.backward()
        if index < rounds:
            torch_optimizer.step()
    return HandTrace(
        np.array(losses), np.array(weights), np.array(true_gradients), np.array(outputs), None
    )


def train_by_hand(
    experiment: Experiment,
    optimizer: str,
    hyperparameters: Mapping[str, Any],
    rounds: int,
    gradients: str,
    dtype: type[np.floating] = np.float64,
) -> HandTrace:
    return train(
        experiment.layers,
        experiment.activations,
        experiment.loss,
        optimizer,
        hyperparameters,
        experiment.inputs,
        experiment.targets,
        rounds,
        experiment.bias,
        gradients,
        dtype,
    )


def assert_close(actual: np.ndarray, expected: np.ndarray, relative: float = 1e-9) -> None:
    """Demand that every element agrees to the relative difference.

    An element that cancels to almost nothing keeps only the rounding errors of what
    cancelled; a thousandth of the tolerance, of the largest element, is left for them,
    and a few roundings of one, for arrays in which everything cancels.
    """
    room = 1e-3 * relative * np.max(np.abs(expected)) + 1e-15
    np.testing.assert_allclose(actual, expected, rtol=relative, atol=room)


def assert_same_training(actual: HandTrace, expected: HandTrace, relative: float = 1e-9) -> None:
    assert actual.divergence is None
    for name in ("losses", "weights", "gradients", "outputs"):
        assert_close(getattr(actual, name), getattr(expected, name), relative)


@dataclass(frozen=True)
class Reference:
    """The functions of this file, for tests that cannot import it."""

    activations = TORCH_ACTIVATIONS
    losses = TORCH_LOSSES
    optimizers = TORCH_OPTIMIZERS
    experiment_type = Experiment
    network = TorchNetwork
    draw_targets = staticmethod(draw_targets)
    draw_experiment = staticmethod(draw_experiment)
    train_in_torch = staticmethod(train_in_torch)
    train_by_hand = staticmethod(train_by_hand)
    assert_close = staticmethod(assert_close)
    assert_same_training = staticmethod(assert_same_training)


@pytest.fixture(scope="session")
def reference() -> Reference:
    assert set(TORCH_ACTIVATIONS) == set(ACTIVATIONS)
    return Reference()
