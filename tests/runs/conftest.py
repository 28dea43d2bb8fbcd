"""Runs to store: of every kind of ending, of both precisions, drawn and given."""

from typing import Any

import pytest

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule
from labreport.runs.run import Environment, Traces
from labreport.training.family import families
from labreport.training.trainer import train

EXERCISE: dict[str, Any] = {
    "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]},
    "network": {"layers": [2, 2, 2], "activations": "sigmoid", "bias": "trained"},
    "initial": {"scheme": "pytorch"},
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
}

WITHOUT_BOUND = {
    "network": {"layers": [2, 2], "activations": "identity", "bias": "none"},
    "optimizer": {"name": "sgd", "learning_rate": 1e9},
    "rounds": 30,
}

KINDS: dict[str, dict[str, Any]] = {
    "completed": {},
    "without bias": {"network": {**EXERCISE["network"], "bias": "none"}},
    "given": {
        "network": {"layers": [2, 2], "activations": "tanh", "bias": "trained"},
        "initial": {
            "scheme": "given",
            "weights": [[[0.1, 0.2], [1e-300, -0.0]]],
            "biases": [[0.3, 1e300]],
        },
        "dtype": "float64",
    },
    "float64": {"dtype": "float64"},
    "Adam": {"optimizer": {"name": "adam", "learning_rate": 0.1, "betas": [0.8, 0.9]}},
    "diverged": WITHOUT_BOUND,
    "refused": {"loss": "bce"},
    "batches": {"data": {"inputs": [[0.5, 0.3]] * 4, "targets": [[0.2, 0.1]] * 4, "batch_size": 2}},
}


def configuration(kind: str, number: int = 0) -> RunConfig:
    """One of the runs of a kind: another seed, and another learning rate."""
    config = RunConfig.model_validate({**EXERCISE, **KINDS[kind], "seed": number})
    rate = config.optimizer.learning_rate * (1 + number)
    optimizer = config.optimizer.model_copy(update={"learning_rate": rate})
    return config.model_copy(update={"optimizer": optimizer})


@pytest.fixture(params=KINDS)
def runs(request: pytest.FixtureRequest) -> list[RunConfig]:
    """Some runs of one family."""
    return [configuration(request.param, number) for number in range(3)]


@pytest.fixture
def mixed() -> list[RunConfig]:
    """Runs of one family that end in different ways, more than are read one by one."""
    base = configuration("diverged")
    return [
        base.with_seed(seed).model_copy(
            update={"optimizer": base.optimizer.model_copy(update={"learning_rate": rate})}
        )
        for rate in (0.1, 1e9, 1e6)
        for seed in range(5)
    ]


@pytest.fixture
def environment() -> Environment:
    return Environment(trainer=1, torch="2.13.0", device="cpu")


def train_one_family(runs: list[RunConfig], stride: int = 1) -> Traces:
    (family,) = families(runs, [Schedule(stride)] * len(runs))
    return train(family)


@pytest.fixture
def trained() -> Any:
    """Train runs of one family."""
    return train_one_family
