"""Initial weights are torch's own, from a generator of the run's own."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn
from torch.nn import init
from training_stock import alone, example, flat

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.initialisers import WITHOUT_CHANCE
from labreport.training.fully_connected import initial_parameters
from labreport.training.operations.initialisers import INITIALISERS

SEEDS = (0, 1, 199, 2**63 - 1)

SCHEMES: dict[str, tuple[dict[str, Any], Callable[[Tensor, Generator], Any]]] = {
    "zeros": ({}, lambda w, g: w.zero_()),
    "ones": ({}, lambda w, g: w.fill_(1)),
    "constant": ({"value": -0.25}, lambda w, g: w.fill_(-0.25)),
    "uniform": ({"low": -2.0, "high": 3.0}, lambda w, g: init.uniform_(w, -2, 3, generator=g)),
    "normal": (
        {"mean": 1.0, "standard_deviation": 0.5},
        lambda w, g: init.normal_(w, mean=1, std=0.5, generator=g),
    ),
    "truncated_normal": (
        {"mean": 1.0, "standard_deviation": 3.0},
        lambda w, g: init.trunc_normal_(w, mean=1, std=3, generator=g),
    ),
    "xavier_uniform": ({"gain": 2.0}, lambda w, g: init.xavier_uniform_(w, gain=2, generator=g)),
    "xavier_normal": ({"gain": 2.0}, lambda w, g: init.xavier_normal_(w, gain=2, generator=g)),
    "kaiming_uniform": (
        {},
        lambda w, g: init.kaiming_uniform_(w, nonlinearity="relu", generator=g),
    ),
    "kaiming_normal": ({}, lambda w, g: init.kaiming_normal_(w, nonlinearity="relu", generator=g)),
    "orthogonal": ({"gain": 2.0}, lambda w, g: init.orthogonal_(w, gain=2, generator=g)),
    "pytorch": ({}, lambda w, g: w.uniform_(-1, 1, generator=g).div_(w.shape[1] ** 0.5)),
}
"""Options of each scheme, and what torch is asked for."""


def config_of(layers: list[int], bias: str, initial: dict[str, Any], **keys: Any) -> RunConfig:
    network = {"layers": layers, "activations": "tanh", "bias": bias}
    data = {"inputs": [[0.5] * layers[0]], "targets": [[0.5] * layers[-1]]}
    return example(network=network, data=data, initial=initial, **keys)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bias", ["none", "zero", "trained"])
@pytest.mark.parametrize("layers", [[2, 2, 2], [3, 5, 4, 1], [1, 1]])
def test_pytorch_means_what_linear_does_by_itself(layers: list[int], bias: str, seed: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        linears = [
            nn.Linear(into, out, bias=bias != "none") for into, out in itertools.pairwise(layers)
        ]
    tensors = []
    for linear in linears:
        tensors += [linear.weight, linear.bias] if bias == "trained" else [linear.weight]
    config = config_of(layers, bias, {"scheme": "pytorch"}, seed=seed)
    found = initial_parameters(config).numpy()
    assert found.dtype == np.float32
    assert found.tobytes() == flat(tensors).tobytes()
    assert alone(config).weights[0].tobytes() == found.tobytes()


@pytest.mark.parametrize("scheme", INITIALISERS)
def test_schemes_are_torchs(scheme: str) -> None:
    options, draw = SCHEMES[scheme]
    layers = [3, 5, 2]
    generator = torch.Generator().manual_seed(7)
    wanted = []
    for into, out in itertools.pairwise(layers):
        weight = torch.empty(out, into)
        draw(weight, generator)
        wanted.append(weight)
    config = config_of(layers, "none", {"scheme": scheme, **options}, seed=7)
    found = initial_parameters(config)
    torch.testing.assert_close(found, torch.cat([w.flatten() for w in wanted]), rtol=1e-6, atol=0)


@pytest.mark.parametrize("scheme", INITIALISERS)
def test_only_where_something_is_drawn_does_the_seed_matter(scheme: str) -> None:
    config = config_of([3, 5, 2], "trained", {"scheme": scheme, **SCHEMES[scheme][0]})
    starts = {
        tuple(initial_parameters(config.model_copy(update={"seed": s})).tolist()) for s in SEEDS
    }
    assert len(starts) == (1 if scheme in WITHOUT_CHANCE else len(SEEDS))


@pytest.mark.parametrize("scheme", sorted(set(INITIALISERS) - {"pytorch"}))
def test_biases_start_at_0(scheme: str) -> None:
    config = config_of([3, 5], "trained", {"scheme": scheme, **SCHEMES[scheme][0]})
    assert initial_parameters(config)[15:].tolist() == [0.0] * 5


@pytest.mark.parametrize("scheme", INITIALISERS)
def test_float64_runs_start_from_the_same_numbers(scheme: str) -> None:
    config = config_of([3, 5], "trained", {"scheme": scheme, **SCHEMES[scheme][0]})
    double = initial_parameters(config.model_copy(update={"dtype": "float64"}))
    assert double.dtype == torch.float64
    assert torch.equal(double, initial_parameters(config).double())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_given_numbers_are_taken_as_written(dtype: str) -> None:
    given = {
        "scheme": "given",
        "weights": [[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6]]],
        "biases": [[0.7, 0.8], [0.9]],
    }
    found = alone(config_of([2, 2, 1], "trained", given, dtype=dtype)).weights[0]
    wanted = np.array([0.1, 0.2, 0.3, 0.4, 0.7, 0.8, 0.5, 0.6, 0.9], dtype)
    assert found.tobytes() == wanted.tobytes()


def test_biases_that_are_not_given_start_at_0() -> None:
    given = {"scheme": "given", "weights": [[[0.1, 0.2]]]}
    found = alone(config_of([2, 1], "trained", given)).weights[0]
    assert found.tolist() == np.array([0.1, 0.2, 0.0], "float32").tolist()
