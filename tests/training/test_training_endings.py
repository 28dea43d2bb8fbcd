"""How runs end: after their rounds, diverged, or refused by their loss; and what neighbours see."""

from typing import Any

import numpy as np
import pytest
import torch
from training_stock import alone, exercise, same_bits, stock, together, ulps

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule
from labreport.runs.run import Ending, Trace
from labreport.training.family import families
from labreport.training.operations.losses import LOSSES
from labreport.training.trainer import train

DTYPES = ("float32", "float64")
TARGET_MESSAGE = "RuntimeError: all elements of target should be between 0 and 1"


def line(rate: float, **keys: Any) -> RunConfig:
    """One weight, w ← w − 2·rate·w: grows without bound if the rate is above 1."""
    raw = {
        "data": {"inputs": [[1.0]], "targets": [[0.0]]},
        "network": {"layers": [1, 1], "activations": "identity", "bias": "none"},
        "initial": {"scheme": "given", "weights": [[[1.0]]]},
        "optimizer": {"name": "sgd", "learning_rate": rate},
        "rounds": 30,
    }
    return RunConfig.model_validate({**raw, **keys})


def first_not_finite(config: RunConfig) -> int:
    wanted = stock(config, alone(line(0.1, dtype=config.dtype)).weights[0])
    finite = (
        np.isfinite(wanted.losses)
        & np.isfinite(wanted.weights).all(axis=1)
        & np.isfinite(wanted.gradients).all(axis=1)
    )
    return int((~finite).argmax())


def assert_cut(trace: Trace, rows: int, units: int, parameters: int) -> None:
    """Whether all arrays end where the trace does, and hold nothing but numbers."""
    steps = trace.ending.step
    assert trace.losses.shape == (steps,)
    assert trace.weights.shape == trace.gradients.shape == (steps, parameters)
    assert trace.outputs.shape == (steps, rows, units)
    for array in (trace.losses, trace.weights, trace.gradients, trace.outputs):
        assert np.isfinite(array).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [1e3, 1e10, 1e30])
def test_a_run_that_diverges_is_cut_where_numbers_end(rate: float, dtype: str) -> None:
    config = line(rate, dtype=dtype, rounds=100)
    trace = alone(config)
    step = first_not_finite(config)
    assert 0 < step < 100
    assert trace.ending == Ending("diverged", step)
    assert_cut(trace, 1, 1, 1)
    wanted = stock(config, trace.weights[0])
    assert ulps(trace.weights, wanted.weights[:step]) <= 8


def test_a_run_may_diverge_before_the_first_update() -> None:
    trace = alone(line(0.1, data={"inputs": [[1e30]], "targets": [[0.0]]}))
    assert trace.ending == Ending("diverged", 0)
    assert trace.rounds == -1
    assert_cut(trace, 1, 1, 1)


def test_a_run_may_diverge_at_its_very_last_step() -> None:
    config = line(1e10)
    step = first_not_finite(config)
    assert alone(line(1e10, rounds=step)).ending == Ending("diverged", step)
    assert alone(line(1e10, rounds=step - 1)).ending == Ending("completed", step)


@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbours_of_a_run_that_diverges_go_on_untouched(dtype: str) -> None:
    runs = [line(rate, dtype=dtype) for rate in (0.1, 1e30, 0.4, 1e10, 0.9, 1e3)]
    traces = together(runs)
    kinds = [trace.ending.kind for trace in traces]
    assert kinds[0::2] == ["completed"] * 3
    assert kinds[1] == kinds[3] == "diverged"
    for config, trace in zip(runs, traces, strict=True):
        assert same_bits(trace, alone(config))


@pytest.mark.parametrize("stride", [2, 7, 60, 99])
@pytest.mark.parametrize(
    "config",
    [
        line(1e10, rounds=60),
        # The outputs saturate: the loss is finite for ever, while the weights grow past float32.
        exercise(
            gradients="accumulated",
            optimizer={"name": "sgd", "learning_rate": 1e38},
            rounds=60,
        ),
        exercise(
            network={"layers": [2, 2], "activations": "sigmoid", "bias": "none"},
            initial={"scheme": "zeros"},
            gradients="accumulated",
            optimizer={"name": "sgd", "learning_rate": 1e38},
            rounds=60,
        ),
    ],
    ids=["loss", "weights of two layers", "weights"],
)
def test_a_run_ends_where_it_ends_however_often_it_is_recorded(
    config: RunConfig, stride: int
) -> None:
    whole = alone(config)
    assert whole.ending.kind == "diverged"
    (family,) = families([config], [Schedule(stride)])
    (thinned,) = train(family)
    assert thinned.ending == whole.ending
    assert thinned.losses.tobytes() == whole.losses.tobytes()
    assert thinned.weights.tobytes() == whole.weights[thinned.recorded].tobytes()


def test_outputs_that_are_not_finite_end_a_run_even_if_the_loss_is() -> None:
    # Beyond its margin the hinge embedding loss is 0, and so is its gradient.
    config = line(
        0.1,
        loss="hinge_embedding",
        data={"inputs": [[1e38]], "targets": [[-1.0]]},
        initial={"scheme": "given", "weights": [[[1e38]]]},
    )
    assert alone(config).ending == Ending("diverged", 0)


# --------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("target", [-0.07, -1e-6, 1.0001, 2.0])
def test_a_target_that_is_no_probability_is_refused_in_torchs_words(
    target: float, dtype: str
) -> None:
    data = {"inputs": [[0.5, 0.3]], "targets": [[0.23, target]]}
    config = exercise(data=data, loss="bce", dtype=dtype)
    trace = alone(config)
    assert trace.ending == Ending("refused", 0, TARGET_MESSAGE)
    assert trace.ending.message == stock(config, np.zeros(8, dtype)).complaint
    assert trace.rounds == -1
    assert_cut(trace, 1, 2, 8)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_the_ends_of_the_interval_are_legal(target: float) -> None:
    data = {"inputs": [[0.5, 0.3]], "targets": [[0.23, target]]}
    assert alone(exercise(data=data, loss="bce")).ending == Ending("completed", 11)


def leaving(rate: float, **keys: Any) -> RunConfig:
    """An output that starts at 0.5 and is driven towards 1, and out of the interval if in haste."""
    raw = {
        "data": {"inputs": [[1.0]], "targets": [[1.0]]},
        "network": {"layers": [1, 1], "activations": "identity", "bias": "none"},
        "initial": {"scheme": "given", "weights": [[[0.5]]]},
        "loss": "bce",
        "optimizer": {"name": "sgd", "learning_rate": rate},
        "rounds": 20,
    }
    return RunConfig.model_validate({**raw, **keys})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.3, 0.1, 0.03])
def test_an_output_is_refused_where_it_leaves_the_interval(rate: float, dtype: str) -> None:
    config = leaving(rate, dtype=dtype)
    trace = alone(config)
    wanted = stock(config, np.array([0.5], dtype))
    step = len(wanted.losses)
    assert 0 < step <= config.rounds
    assert trace.ending == Ending("refused", step, wanted.complaint)
    assert "input" in wanted.complaint
    assert_cut(trace, 1, 1, 1)
    assert ulps(trace.losses, wanted.losses) <= 8
    assert ulps(trace.weights, wanted.weights) <= 8
    assert ((trace.outputs >= 0) & (trace.outputs <= 1)).all()


def test_an_output_may_be_refused_at_once() -> None:
    trace = alone(leaving(0.1, initial={"scheme": "given", "weights": [[[1.5]]]}))
    assert (trace.ending.kind, trace.ending.step) == ("refused", 0)
    assert trace.ending.message == stock(leaving(0.1), np.array([1.5], "float32")).complaint


@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbours_of_a_refused_run_go_on_untouched(dtype: str) -> None:
    illegal = {"inputs": [[1.0]], "targets": [[-0.07]]}
    runs = [
        leaving(0.001, dtype=dtype),
        leaving(0.3, dtype=dtype),
        leaving(0.002, dtype=dtype, data=illegal),
        leaving(0.003, dtype=dtype),
        leaving(0.03, dtype=dtype),
    ]
    traces = together(runs)
    assert [trace.ending.kind for trace in traces] == [
        *("completed", "refused", "refused", "completed", "refused")
    ]
    for config, trace in zip(runs, traces, strict=True):
        assert same_bits(trace, alone(config))


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.domain])
def test_every_loss_that_refuses_does_so_while_training(name: str) -> None:
    low, _ = LOSSES[name].domain
    data = {"inputs": [[0.5, 0.3]], "targets": [[0.5, low - 1.0]]}
    config = exercise(data=data, loss=name)
    ending = alone(config).ending
    assert ending == Ending("refused", 0, stock(config, np.zeros(8, "float32")).complaint)


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if not loss.domain])
def test_no_other_loss_refuses_the_exercises_target(name: str) -> None:
    # The logarithm of a negative target is nan, which torch returns without a word.
    expected = Ending("diverged", 0) if name == "kl_div" else Ending("completed", 11)
    assert alone(exercise(loss=name)).ending == expected
    assert not torch.is_anomaly_enabled()
