"""Starts and orders of rows drawn again in NumPy are those that torch draws."""

import numpy as np
import pytest
import torch

from labreport.lab.configuration import RunConfig
from labreport.reference.replay.initial_weights import DRAWS, NOT_DRAWN, initial_weights
from labreport.reference.replay.torch_generator import Generator
from labreport.training.fully_connected import initial_parameters
from labreport.training.operations.initialisers import INITIALISERS

LAYERS = ((2, 2, 2), (3, 5, 1), (4, 17, 9, 3), (1, 1), (30, 20, 10), (16, 1, 33))
OPTIONS = {
    "constant": {"value": 0.3},
    "uniform": {"low": -0.2, "high": 1.5},
    "normal": {"mean": 0.4, "standard_deviation": 2.0},
    "xavier_uniform": {"gain": 1.6},
    "xavier_normal": {"gain": 0.6},
    "orthogonal": {"gain": 1.2},
}


def config(scheme: str, layers: tuple[int, ...], seed: int, bias: str) -> RunConfig:
    return RunConfig.model_validate(
        {
            "data": {"inputs": [[0.0] * layers[0]], "targets": [[0.0] * layers[-1]]},
            "network": {"layers": layers, "activations": "tanh", "bias": bias},
            "initial": {"scheme": scheme, **OPTIONS.get(scheme, {})},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
            "seed": seed,
        }
    )


def test_every_scheme_of_torch_has_one() -> None:
    assert set(DRAWS) | NOT_DRAWN == set(INITIALISERS)
    assert initial_weights(config("truncated_normal", (2, 2), 0, "none")) is None


@pytest.mark.parametrize("bias", ["trained", "zero", "none"])
@pytest.mark.parametrize("scheme", sorted(DRAWS))
def test_starts_are_those_of_torch(scheme: str, bias: str) -> None:
    for seed in (0, 1, 7, 2**31 + 5, 2**40 + 3, 2**63 - 1):
        for layers in LAYERS:
            run = config(scheme, layers, seed, bias)
            drawn = initial_parameters(run).numpy()
            found = initial_weights(run)
            assert found is not None
            np.testing.assert_allclose(found, drawn, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("seed", [0, 3, 2**40 + 3])
def test_orders_of_rows_are_those_of_torch(seed: int) -> None:
    ours, theirs = Generator(seed), torch.Generator().manual_seed(seed)
    for count in (1, 2, 5, 150, 1797):
        drawn = torch.randperm(count, generator=theirs).tolist()
        assert ours.permutation(count).tolist() == drawn
