"""What the trainer is compared with: torch's own modules and optimizers, run alone.

Everything is found by its name, so that a new row of a table is compared without a change here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.runs.run import Trace
from labreport.training.family import Family
from labreport.training.operations.losses import LOSSES
from labreport.training.trainer import train

ARRAYS = ("losses", "weights", "gradients", "outputs")

EXERCISE: dict[str, Any] = {
    "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]},
    "network": {"layers": [2, 2, 2], "activations": "sigmoid", "bias": "zero"},
    "initial": {
        "scheme": "given",
        "weights": [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3], [-0.5, 0.8]]],
    },
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
}
"""The exercise: w1…w8 = 0.2, −0.4, 0.5, 0.6, 0.1, −0.5, −0.3, 0.8."""

INPUTS = [[0.5, -0.3], [-0.9, 0.7], [0.1, 0.8]]
PROBABILITIES = [[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]]
SIGNS = [[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]


def exercise(**keys: Any) -> RunConfig:
    """The exercise with some keys replaced."""
    return RunConfig.model_validate({**EXERCISE, **keys})


def example(
    activation: str = "tanh",
    loss: str = "mse",
    bias: str = "trained",
    optimizer: dict[str, Any] | None = None,
    **keys: Any,
) -> RunConfig:
    """Three examples, a 2-3-2 network, random weights: data and outputs that the loss takes."""
    low, high = LOSSES[loss].domain or (-np.inf, np.inf)
    legal = low <= ACTIVATIONS[activation].low and ACTIVATIONS[activation].high <= high
    raw = {
        "data": {"inputs": INPUTS, "targets": SIGNS if wants_signs(loss) else PROBABILITIES},
        "network": {
            "layers": [2, 3, 2],
            "activations": [activation, activation if legal else "sigmoid"],
            "bias": bias,
        },
        "initial": {"scheme": "pytorch"},
        "loss": loss,
        "optimizer": {"name": "sgd", "learning_rate": 0.1, **(optimizer or {})},
        "rounds": 20,
        "seed": 3,
    }
    return RunConfig.model_validate({**raw, **keys})


def wants_signs(loss: str) -> bool:
    """Whether a loss compares with −1 and 1."""
    return loss in ("soft_margin", "hinge_embedding")


def alone(config: RunConfig) -> Trace:
    """The trace of a run that trains without company."""
    (trace,) = train(Family((config,)))
    return trace


def together(configurations: Iterable[RunConfig]) -> tuple[Trace, ...]:
    return train(Family(tuple(configurations)))


def same_bits(one: Trace, other: Trace) -> bool:
    """Whether two traces are equal to the last bit, and ended alike."""
    return one.ending == other.ending and all(
        getattr(one, key).dtype == getattr(other, key).dtype
        and getattr(one, key).shape == getattr(other, key).shape
        and getattr(one, key).tobytes() == getattr(other, key).tobytes()
        for key in ARRAYS
    )


# ------------------------------------------------------------------------------------------ stock


def named(namespace: Any, name: str) -> Callable[..., Any]:
    """What a namespace of torch has under a name of the vocabulary: leaky_relu is LeakyReLU."""
    wanted = name.replace("_", "").lower()
    (found,) = {key for key in dir(namespace) if key.lower() == wanted and not key.islower()}
    return getattr(namespace, found)


def activation_module(name: str) -> nn.Module:
    kind = named(nn, name)
    along_units = {"dim": 1} if "dim" in inspect.signature(kind).parameters else {}
    return kind(**along_units)


def loss_module(name: str) -> nn.Module:
    options = {"reduction": "batchmean"} if name == "kl_div" else {}
    return named(nn, f"{name}_loss")(**options)


def optimizer_of(config: RunConfig, parameters: list[Tensor]) -> torch.optim.Optimizer:
    keys = config.optimizer.model_dump()
    spelt_out = {"learning_rate": "lr", "learning_rate_decay": "lr_decay"}
    kind = named(torch.optim, keys.pop("name"))
    return kind(parameters, **{spelt_out.get(key, key): value for key, value in keys.items()})


@dataclass(frozen=True)
class Stock:
    """A run by stock torch; ``complaint`` is the error of the loss that ended it, if one did."""

    losses: np.ndarray
    weights: np.ndarray
    gradients: np.ndarray
    complaint: str = ""


def stock(config: RunConfig, start: np.ndarray) -> Stock:
    """Train one run by torch's modules and optimizers in a plain loop.

    Args:
        config: the run.
        start: its initial parameters, flat, as the trace has them.
    """
    kind = getattr(torch, config.dtype)
    network, parameters = network_of(config, start)
    originals = [parameter.detach().clone() for parameter in parameters]
    optimizer = optimizer_of(config, parameters)
    criterion = loss_module(config.loss)
    inputs = torch.tensor(config.data.inputs, dtype=kind)
    targets = torch.tensor(config.data.targets, dtype=kind)
    losses, weights, gradients = [], [], []
    complaint = ""
    for step in range(config.rounds + 1):
        if config.updates == "discarded":
            for parameter, original in zip(parameters, originals, strict=True):
                parameter.data = original.clone()
        try:
            loss = criterion(network(inputs), targets)
        except RuntimeError as error:
            complaint = f"RuntimeError: {error}"
            break
        gradients.append(flat(torch.autograd.grad(loss, parameters, retain_graph=True)))
        losses.append(loss.item())
        weights.append(flat(parameters))
        if config.gradients == "cleared":
            optimizer.zero_grad()
        loss.backward()
        if step < config.rounds:
            optimizer.step()
    return Stock(np.array(losses), np.array(weights), np.array(gradients), complaint)


def network_of(config: RunConfig, start: np.ndarray) -> tuple[nn.Module, list[Tensor]]:
    """Stock modules with given parameters, and those of them that are trained."""
    kind = getattr(torch, config.dtype)
    numbers = torch.from_numpy(np.array(start))
    modules: list[nn.Module] = []
    parameters: list[Tensor] = []
    for (out, into), name in zip(config.network.shapes, config.network.activations, strict=True):
        linear = nn.Linear(into, out, bias=config.network.bias != "none", dtype=kind)
        weight, numbers = numbers[: out * into], numbers[out * into :]
        linear.weight.data = weight.clone().view(out, into)
        parameters.append(linear.weight)
        if config.network.bias == "trained":
            bias, numbers = numbers[:out], numbers[out:]
            linear.bias.data = bias.clone()
            parameters.append(linear.bias)
        elif config.network.bias == "zero":
            linear.bias.data.zero_()
        modules += [linear, activation_module(name)]
    assert not len(numbers)
    return nn.Sequential(*modules), parameters


def flat(tensors: Iterable[Tensor]) -> np.ndarray:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).numpy()


def ulps(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest difference, in units of the last place of the largest number there is."""
    if not wanted.size:
        return 0.0
    scale = np.abs(wanted).max() or 1.0
    return float(np.abs(found - wanted).max() / scale / np.finfo(found.dtype).eps)
