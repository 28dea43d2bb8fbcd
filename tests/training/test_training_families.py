"""Families: runs that can train together do, others do not, and none is too large for memory."""

from typing import Any

import numpy as np
import pytest
from training_stock import INPUTS, PROBABILITIES, alone, example, same_bits

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule
from labreport.lab.size import run_seconds, training_bytes
from labreport.training import family as family_module
from labreport.training.family import CHUNK_SECONDS, PADDING, families
from labreport.training.trainer import train

SGD = {"name": "sgd", "learning_rate": 0.1}
ADAM = {"name": "adam", "learning_rate": 0.1}
NETWORK = {"layers": [2, 3, 2], "activations": ["tanh", "tanh"], "bias": "trained"}


def with_optimizer(**keys: Any) -> dict[str, Any]:
    return {"optimizer": {**SGD, **keys}}


TOGETHER = [
    {"seed": 4},
    {"initial": {"scheme": "zeros"}},
    {"data": {"inputs": INPUTS[::-1], "targets": PROBABILITIES}},
    with_optimizer(learning_rate=0.0),
    with_optimizer(learning_rate=7.0),
    with_optimizer(dampening=0.5),
    with_optimizer(momentum=0.9),
    with_optimizer(weight_decay=0.1),
    {"gradients": "accumulated"},
]
APART = [
    with_optimizer(momentum=0.9, nesterov=True),
    with_optimizer(name="adam"),
    {"optimizer": {**ADAM, "amsgrad": True}},
    {"optimizer": {"name": "rmsprop", "learning_rate": 0.1, "centered": True}},
    {"loss": "l1"},
    {"rounds": 21},
    {"optimizer": {"name": "rmsprop", "learning_rate": 0.1}},
    {"optimizer": {"name": "rmsprop", "learning_rate": 0.1, "momentum": 0.5}},
    {"dtype": "float64"},
    {"network": {**NETWORK, "layers": [2, 4, 2]}},
    {"network": {**NETWORK, "activations": ["tanh", "relu"]}},
    {"network": {**NETWORK, "activations": ["relu", "tanh"]}},
    {"network": {**NETWORK, "bias": "zero"}},
    {"network": {**NETWORK, "bias": "none"}},
    {"data": {"inputs": INPUTS[:2], "targets": PROBABILITIES[:2]}},
    {"data": {"inputs": INPUTS, "targets": PROBABILITIES, "batch_size": 3}},
    {"data": {"inputs": INPUTS, "targets": PROBABILITIES, "batch_size": 2}},
]


@pytest.mark.parametrize("change", TOGETHER, ids=str)
def test_numbers_do_not_keep_runs_apart(change: dict[str, Any]) -> None:
    one, other = example(), example(**change)
    (family,) = families([one, other])
    assert family.configurations == (one, other)


@pytest.mark.parametrize("change", APART, ids=str)
def test_what_changes_the_operations_keeps_runs_apart(change: dict[str, Any]) -> None:
    one, other = example(), example(**change)
    assert [f.configurations for f in families([one, other])] == [(one,), (other,)]


def test_all_ways_to_be_apart_at_once() -> None:
    runs = [example(), *(example(**change) for change in APART)]
    # Each twice, in two orders: every run is in exactly one family, beside its twin.
    every = [*runs, *(run.with_seed(9) for run in reversed(runs))]
    grouped = families(every)
    assert [family.first for family in grouped] == runs
    for family in grouped:
        one, other = family.configurations
        assert other == one.with_seed(9)
        assert all(map(same_bits, train(family), map(alone, family.configurations)))


def test_no_runs_no_families() -> None:
    assert families([]) == ()


@pytest.mark.parametrize("change", TOGETHER, ids=str)
def test_what_trains_together_gives_the_bits_of_training_alone(change: dict[str, Any]) -> None:
    """A term that is 0 for one run and not for its neighbour is 0 to the bit."""
    one, other = example(rounds=30), example(**{"rounds": 30, **change})
    (family,) = families([one, other])
    assert all(map(same_bits, train(family), (alone(one), alone(other))))


def test_all_that_may_train_together_at_once_gives_the_bits_of_training_alone() -> None:
    changes = [
        *TOGETHER,
        {},
        with_optimizer(momentum=0.9, dampening=0.5),
        {**with_optimizer(momentum=0.5, weight_decay=0.1), "gradients": "accumulated"},
        {**with_optimizer(weight_decay=0.1, dampening=0.5), "gradients": "accumulated"},
    ]
    runs = [example(**{"rounds": 30, **change}) for change in changes]
    (family,) = families(runs)
    assert all(map(same_bits, train(family), map(alone, runs)))


@pytest.mark.parametrize("stride", [1, 7])
@pytest.mark.parametrize(
    "config",
    [
        example(),
        example(bias="none", dtype="float64", rounds=3),
        example(data={"inputs": INPUTS[:1], "targets": PROBABILITIES[:1]}),
    ],
    ids=["float32", "float64", "one row"],
)
def test_the_estimate_covers_the_record(config: RunConfig, stride: int) -> None:
    (family,) = families([config], [Schedule(stride)])
    traces = train(family)
    arrays = (traces.losses, traces.weights, traces.gradients, traces.outputs)
    assert sum(array.nbytes for array in arrays) < training_bytes(config, Schedule(stride))


@pytest.mark.parametrize("multiples", [1, 1.5, 2, 3.99])
def test_chunks_fit_into_memory(multiples: float) -> None:
    runs = [example(rounds=2, seed=seed) for seed in range(5 * PADDING + 1)]
    memory = int(multiples * PADDING * training_bytes(runs[0], Schedule()))
    chunks = families(runs, memory=memory)
    assert [c for family in chunks for c in family.configurations] == runs
    for family in chunks:
        padded = family_module.padded_count(len(family.configurations))
        assert padded * training_bytes(runs[0], Schedule()) <= memory
    # As few as fit.
    assert len(chunks) == -(-len(runs) // (int(multiples) * PADDING))


def test_chunks_change_no_number() -> None:
    runs = [example(rounds=5, seed=seed) for seed in range(2 * PADDING + 5)]
    (whole,) = families(runs)
    wanted = train(whole)
    chunks = families(runs, memory=1)
    assert len(chunks) == 3
    found = [trace for family in chunks for trace in train(family)]
    assert all(map(same_bits, found, wanted))


@pytest.mark.parametrize(("rounds", "stride"), [(10, 1), (10, 3), (10, 5), (10, 10), (10, 99)])
def test_thinning_keeps_first_and_last_and_every_loss(rounds: int, stride: int) -> None:
    config = example(rounds=rounds)
    (family,) = families([config], [Schedule(stride)])
    (thinned,), whole = train(family), alone(config)
    assert thinned.recorded[0] == 0
    assert thinned.recorded[-1] == rounds
    assert set(np.diff(thinned.recorded[:-1])) <= {stride}
    assert np.array_equal(thinned.losses, whole.losses)
    assert np.array_equal(thinned.weights, whole.weights[thinned.recorded])
    assert np.array_equal(thinned.gradients, whole.gradients[thinned.recorded])
    assert np.array_equal(thinned.outputs, whole.outputs[thinned.recorded])
    assert thinned.is_whole == (stride == 1)
    assert np.array_equal(thinned.weights_at(rounds), whole.weights[rounds])
    assert thinned.weights_at(1) is None or stride == 1


@pytest.mark.parametrize("runs", [1, PADDING - 1, PADDING, PADDING + 1, 3 * PADDING])
def test_padding(runs: int) -> None:
    padded = family_module.padded_count(runs)
    assert padded % PADDING == 0
    assert runs <= padded < runs + PADDING


def test_chunks_take_no_longer_than_an_interruption_may_cost() -> None:
    network = {"layers": [64, 128, 10], "activations": "relu"}
    data = {"inputs": [[0.1] * 64] * 200, "targets": [[0.2] * 10] * 200}
    first = RunConfig.model_validate(
        {
            "network": network,
            "data": data,
            "initial": {"scheme": "pytorch"},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
            "rounds": 400,
        }
    )
    slow = [first.with_seed(seed) for seed in range(500)]
    chunks = families(slow, memory=2**40)
    seconds = run_seconds(slow[0])
    assert seconds * len(slow) > 3 * CHUNK_SECONDS
    for chunk in chunks:
        # Fewer than are padded to would cost as much.
        assert len(chunk.configurations) <= max(PADDING, CHUNK_SECONDS / seconds)
