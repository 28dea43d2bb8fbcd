"""A run's numbers are its own: to the bit, whatever trains beside it, before it and around it."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from training_cases import CASES, case_id
from training_stock import alone, example, exercise, same_bits, together

from labreport.lab.configuration import RunConfig
from labreport.training.family import PADDING, Family, families
from labreport.training.fully_connected import Parameters
from labreport.training.operations.activations import ACTIVATIONS
from labreport.training.operations.initialisers import INITIALISERS
from labreport.training.operations.losses import LOSSES
from labreport.training.recording import Memory
from labreport.training.trainer import train

SIZES = (2, PADDING - 1, PADDING, PADDING + 1, 2 * PADDING + 3)
WATCHED = (0, 1, 37, PADDING, 2 * PADDING + 2)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def company(config: RunConfig, runs: int = max(SIZES)) -> list[RunConfig]:
    """Runs of one family: as many seeds, and seven learning rates."""
    rate = config.optimizer.learning_rate
    return [
        config.with_seed(seed).model_copy(
            update={
                "optimizer": config.optimizer.model_copy(
                    update={"learning_rate": rate * (1 + seed % 7)}
                )
            }
        )
        for seed in range(runs)
    ]


def assert_company_changes_nothing(config: RunConfig) -> None:
    runs = company(config)
    assert len(families(runs)) == 1
    single = {index: alone(runs[index]) for index in WATCHED}
    for size in SIZES:
        traces = together(runs[:size])
        assert len(traces) == size
        for index in WATCHED:
            assert index >= size or same_bits(traces[index], single[index]), (size, index)
    backwards = together(reversed(runs))
    for index in WATCHED:
        assert same_bits(backwards[len(runs) - 1 - index], single[index]), ("reversed", index)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation: str) -> None:
    assert_company_changes_nothing(example(activation, rounds=8))


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss: str) -> None:
    assert_company_changes_nothing(example(loss=loss, rounds=8))


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_optimizers(case: dict) -> None:
    assert_company_changes_nothing(example(optimizer={"learning_rate": 0.01, **case}, rounds=8))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "softmax", "log_softmax"])
@pytest.mark.parametrize("layers", [[1, 1], [1, 7, 3], [40, 33, 5]])
def test_shapes(layers: list[int], activation: str, dtype: str) -> None:
    generator = np.random.default_rng(1)
    data = {
        "inputs": generator.uniform(-1, 1, (9, layers[0])).tolist(),
        "targets": generator.dirichlet(np.ones(layers[-1]), 9).tolist(),
    }
    network = {"layers": layers, "activations": activation}
    config = example(loss="cross_entropy", data=data, network=network, dtype=dtype, rounds=3)
    assert_company_changes_nothing(config)


def test_every_run_of_a_family_has_numbers_of_its_own() -> None:
    runs = company(example(), PADDING)
    last = {trace.weights[-1].tobytes() for trace in together(runs)}
    assert len(last) == len(runs)


def test_hyper_parameters_of_the_family_do_not_mix() -> None:
    options = [
        {"betas": [0.9, 0.999]},
        {"betas": [0.5, 0.6], "eps": 1e-3},
        {"betas": [0.8, 0.9], "learning_rate": 0.5},
    ]
    runs = [
        example(optimizer={"name": "adam", "learning_rate": 0.1, **option}) for option in options
    ]
    (family,) = families(runs)
    for config, trace in zip(runs, train(family), strict=True):
        assert same_bits(trace, alone(config))


def test_data_of_the_family_do_not_mix() -> None:
    runs = [
        exercise(data={"inputs": [[x, 0.3]], "targets": [[0.23, x]]}) for x in (0.5, 0.25, -1.0)
    ]
    (family,) = families(runs)
    for config, trace in zip(runs, train(family), strict=True):
        assert same_bits(trace, alone(config))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.usefixtures("threads")
def test_threads(activation: str) -> None:
    runs = company(example(activation, rounds=8), 2 * PADDING)
    traces = []
    for count in (1, 2):
        torch.set_num_threads(count)
        traces.append(together(runs))
        assert torch.get_num_threads() == count
    assert all(same_bits(one, two) for one, two in zip(*traces, strict=True))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.usefixtures("threads")
def test_threads_where_torch_would_share_out_the_work(optimizer: str) -> None:
    chosen = {"name": optimizer, "learning_rate": 0.1}
    runs = company(example("sigmoid", optimizer=chosen, rounds=4), 70 * PADDING + 1)
    traces = []
    for count in (1, 2):
        torch.set_num_threads(count)
        traces.append(together(runs))
    assert all(same_bits(one, two) for one, two in zip(*traces, strict=True))
    assert same_bits(traces[0][70 * PADDING], alone(runs[-1]))


@pytest.mark.usefixtures("threads")
def test_training_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(2)
    seen = []
    forward = Parameters.forward

    def watched(parameters: Parameters, inputs: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return forward(parameters, inputs)

    monkeypatch.setattr(Parameters, "forward", watched)
    alone(example())
    assert set(seen) == {1}


@pytest.mark.usefixtures("threads")
def test_threads_are_given_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(2)
    monkeypatch.setattr("labreport.training.trainer.Parameters.forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        alone(example())
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_twice_is_once(case: dict) -> None:
    config = example(optimizer=case, rounds=8)
    assert same_bits(alone(config), alone(config))


def test_memory_that_is_used_again_leaves_no_trace() -> None:
    memory = Memory()
    large = company(example(rounds=30), PADDING + 1)
    for runs in (large, company(example(dtype="float64"), 3), [exercise()], large):
        traces = train(Family(tuple(runs)), memory=memory)
        assert same_bits(traces[0], alone(runs[0]))
        assert same_bits(traces[len(runs) - 1], alone(runs[-1]))


@pytest.mark.parametrize("scheme", INITIALISERS)
def test_global_random_state_is_neither_read_nor_changed(scheme: str) -> None:
    config = example(initial={"scheme": scheme, **({"value": 0.5} if scheme == "constant" else {})})
    traces = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        traces.append(alone(config))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])
        assert random.getstate() == before[2]
    assert same_bits(*traces)


def test_the_global_default_of_numbers_is_not_read() -> None:
    config = example(bias="trained")
    wanted = alone(config)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        found = alone(config)
    finally:
        torch.set_default_dtype(before)
    assert same_bits(found, wanted)
