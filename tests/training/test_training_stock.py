"""The trainer against torch's own modules and optimizers, run alone by a plain loop."""

from typing import Any

import numpy as np
import pytest
import torch
from training_cases import CASES, MODELS, case_id
from training_stock import alone, example, exercise, loss_module, network_of, stock, ulps
from whole import pairwise

from labreport.lab.configuration import RunConfig
from labreport.training.operations.activations import ACTIVATIONS
from labreport.training.operations.losses import LOSSES

DTYPES = ("float64", "float32")

ULPS = 32
"""Largest difference after twenty rounds, in units of the last place of the largest number of the
same kind: sums are added up in another order than a matrix product's. (Seen: 19.4 with softmax,
where terms cancel; below 11 elsewhere.)"""


def compare(config: RunConfig, bound: float) -> None:
    trace = alone(config)
    wanted = stock(config, trace.weights[0])
    assert trace.ending.kind == "completed"
    assert trace.losses.dtype == config.dtype
    assert len(trace.losses) == len(wanted.losses) == config.rounds + 1
    assert ulps(trace.losses, wanted.losses) <= bound
    assert ulps(trace.weights, wanted.weights) <= bound
    assert ulps(trace.gradients, wanted.gradients) <= bound


@pytest.mark.parametrize(("activation", "loss", "dtype"), pairwise(ACTIVATIONS, LOSSES, DTYPES))
def test_activations_and_losses(activation: str, loss: str, dtype: str) -> None:
    compare(example(activation, loss, dtype=dtype), ULPS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", ["none", "zero", "trained"])
@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_bias_and_gradients(optimizer: str, gradients: str, bias: str, dtype: str) -> None:
    chosen = {"name": optimizer, "learning_rate": 0.01}
    compare(example(bias=bias, optimizer=chosen, gradients=gradients, dtype=dtype), ULPS)


@pytest.mark.parametrize(
    ("case", "gradients", "dtype"),
    pairwise(CASES, ("cleared", "accumulated"), DTYPES),
    ids=case_id,
)
def test_optimizers(case: dict[str, Any], gradients: str, dtype: str) -> None:
    # Ten rounds and a small step: a rule that is compared over 200 steps in test_training_rules
    # feeds back on its own gradients here, and some way on any difference grows by itself.
    optimizer = {"learning_rate": 0.001, **case}
    compare(example(optimizer=optimizer, gradients=gradients, dtype=dtype, rounds=10), 2 * ULPS)


@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("optimizer", MODELS)
def test_updates_of_copies(optimizer: str, gradients: str) -> None:
    chosen = {"name": optimizer, "learning_rate": 0.5}
    config = example(optimizer=chosen, gradients=gradients, updates="discarded", dtype="float64")
    compare(config, ULPS)
    trace = alone(config)
    assert len(set(trace.losses.tolist())) == 1
    assert (trace.weights == trace.weights[0]).all()
    assert (trace.gradients == trace.gradients[0]).all()
    assert trace.gradients.any()


@pytest.mark.parametrize("layers", [[1, 1], [1, 4, 1], [4, 1], [2, 5, 4, 3], [40, 17, 3]])
def test_shapes(layers: list[int]) -> None:
    generator = np.random.default_rng(1)
    rows = 7
    data = {
        "inputs": generator.uniform(-1, 1, (rows, layers[0])).tolist(),
        "targets": generator.uniform(0, 1, (rows, layers[-1])).tolist(),
    }
    network = {"layers": layers, "activations": "tanh", "bias": "trained"}
    compare(example(data=data, network=network, dtype="float64"), ULPS)


@pytest.mark.parametrize("rounds", [1, 2, 1000])
def test_as_many_rounds_as_asked_for(rounds: int) -> None:
    trace = alone(exercise(rounds=rounds))
    assert trace.ending.step == len(trace.losses) == rounds + 1
    assert trace.rounds == rounds


def test_a_thousand_rounds_of_the_exercise() -> None:
    # Stable training does not let differences grow.
    compare(exercise(rounds=1000, dtype="float64"), 200)


@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("loss", LOSSES)
def test_recorded_gradients_are_those_of_the_recorded_weights(loss: str, gradients: str) -> None:
    """Never the accumulated ones, whatever the optimizer sees."""
    config = example(loss=loss, gradients=gradients, dtype="float64", rounds=5)
    trace = alone(config)
    inputs = torch.tensor(config.data.inputs, dtype=torch.float64)
    targets = torch.tensor(config.data.targets, dtype=torch.float64)
    for step in range(6):
        network, parameters = network_of(config, trace.weights[step])
        value = loss_module(loss)(network(inputs), targets)
        gradient = torch.cat([g.flatten() for g in torch.autograd.grad(value, parameters)])
        assert ulps(trace.gradients[step], gradient.numpy()) <= ULPS
        assert ulps(trace.outputs[step], network(inputs).detach().numpy()) <= ULPS


def test_the_arrays_of_traces_share_no_memory() -> None:
    config = example()
    traces = [alone(config), alone(config.with_seed(4))]
    arrays = [
        getattr(t, key) for t in traces for key in ("losses", "weights", "gradients", "outputs")
    ]
    for position, one in enumerate(arrays):
        for other in arrays[position + 1 :]:
            assert not np.shares_memory(one, other)
    assert not np.array_equal(traces[0].weights[0], traces[0].weights[1])
