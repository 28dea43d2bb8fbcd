"""Stored runs computed again by hand: right ones pass, and any changed number is found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES
from labreport.reference import activations
from labreport.reference.optimizers.gradient_descent import Sgd
from labreport.reference.replay.continuation import Carried
from labreport.reference.replay.replay import replay, replay_together
from labreport.runs.run import Environment, Run
from labreport.training.family import families
from labreport.training.trainer import train

BASE: dict[str, Any] = {
    "data": {"inputs": [[0.5, 0.3], [-0.2, 0.9]], "targets": [[0.23, 0.77], [0.6, 0.4]]},
    "network": {"layers": [2, 3, 2], "activations": ["tanh", "sigmoid"], "bias": "trained"},
    "initial": {"scheme": "pytorch"},
    "loss": "mse",
    "optimizer": {"name": "sgd", "learning_rate": 0.5},
    "rounds": 60,
    "seed": 3,
}


def run(stride: int = 1, **changes: Any) -> Run:
    config = RunConfig.model_validate({**BASE, **changes})
    (family,) = families([config], [Schedule(stride)], 2**30)
    return Run(config, train(family)[0], Environment(1, "test"), "replayed")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation: str, dtype: str) -> None:
    network = {**BASE["network"], "activations": [activation, "sigmoid"]}
    found = replay(run(network=network, dtype=dtype))
    assert found.agrees
    assert found.steps == 61
    assert found.largest < (1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss: str) -> None:
    assert replay(run(loss=loss)).agrees


@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("optimizer", OPTIMIZER_TITLES)
def test_every_optimizer(optimizer: str, gradients: str) -> None:
    changes = {"name": optimizer, "learning_rate": 0.05}
    assert replay(run(optimizer=changes, gradients=gradients)).agrees


@pytest.mark.parametrize("updates", ["kept", "discarded"])
@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("optimizer", OPTIMIZER_TITLES)
def test_all_steps_at_once_are_as_one_after_another(
    optimizer: str, gradients: str, updates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"name": optimizer, "learning_rate": 0.05}
    made = run(optimizer=settings, gradients=gradients, updates=updates)
    at_once = replay(made)
    monkeypatch.setattr(Carried, "_is_stored", lambda self: False)
    assert replay(made) == at_once


@pytest.mark.parametrize("gradients", ["cleared", "accumulated"])
@pytest.mark.parametrize("optimizer", OPTIMIZER_TITLES)
@pytest.mark.parametrize("stride", [1, 20])
def test_updates_of_copies(stride: int, optimizer: str, gradients: str) -> None:
    settings = {"name": optimizer, "learning_rate": 0.05}
    made = run(stride, optimizer=settings, gradients=gradients, updates="discarded")
    assert replay(made).agrees
    # The same numbers are none of a run whose updates are kept, nor the other way round.
    kept = made.config.model_copy(update={"updates": "kept"})
    assert not replay(replace(made, config=kept)).agrees
    moved = run(stride, optimizer=settings, gradients=gradients)
    assert not replay(replace(moved, config=made.config)).agrees


def test_a_run_that_diverges_is_checked_up_to_its_end() -> None:
    network = {"layers": [2, 3, 2], "activations": "identity", "bias": "none"}
    optimizer = {"name": "sgd", "learning_rate": 1000.0}
    diverged = run(network=network, optimizer=optimizer)
    assert diverged.trace.ending.kind == "diverged"
    assert replay(diverged).agrees


def test_a_refused_run_has_nothing_to_check() -> None:
    refused = run(loss="bce", data={"inputs": [[0.5, 0.3]], "targets": [[0.2, -0.1]]})
    assert refused.trace.ending.kind == "refused"
    found = replay(refused)
    assert (found.agrees, found.steps, found.largest) == (True, 0, 0.0)


def test_records_that_are_thinned_are_bridged() -> None:
    good = run(stride=7)
    found = replay(good)
    assert found.agrees
    assert found.steps == 61
    losses = good.trace.losses.copy()
    losses[30] *= 1.001
    changed = replay(replace(good, trace=replace(good.trace, losses=losses)))
    assert not changed.of("losses").allowed
    assert changed.of("losses").step == 30


@pytest.mark.parametrize("stride", [1, 7])
@pytest.mark.parametrize("quantity", ["losses", "gradients", "weights"])
def test_rows_of_batches_are_drawn_again(quantity: str, stride: int) -> None:
    data = {
        "inputs": [[0.5, 0.3], [-0.2, 0.9], [0.1, -0.4], [0.8, 0.2], [-0.6, -0.1]],
        "targets": [[0.23, 0.77], [0.6, 0.4], [0.1, 0.9], [0.5, 0.5], [0.3, 0.3]],
        "batch_size": 2,
    }
    good = run(stride=stride, data=data)
    assert replay(good).agrees
    changed = getattr(good.trace, quantity).copy()
    changed[5] *= 1.001
    found = replay(replace(good, trace=replace(good.trace, **{quantity: changed})))
    assert not found.of(quantity).allowed


def test_many_starts_are_compared_together() -> None:
    runs = [run(seed=seed, stride=7) for seed in range(20)]
    assert all(found.agrees for found in replay_together(runs))
    weights = runs[13].trace.weights.copy()
    weights[2, 4] *= 1.001
    runs[13] = replace(runs[13], trace=replace(runs[13].trace, weights=weights))
    found = replay_together(runs)
    assert [number for number, each in enumerate(found) if not each.agrees] == [13]


@pytest.mark.parametrize("quantity", ["losses", "gradients", "weights", "outputs"])
def test_one_changed_number_is_found(quantity: str) -> None:
    good = run()
    changed = getattr(good.trace, quantity).copy()
    # At a step that is there in full: outputs are not recorded at every one.
    step = 10 if quantity != "outputs" else len(changed) - 1
    changed[step] += 1e-3 * np.abs(changed[step]).max()
    found = replay(replace(good, trace=replace(good.trace, **{quantity: changed})))
    assert not found.agrees
    assert not found.of(quantity).allowed
    if quantity in ("losses", "gradients"):
        assert found.of(quantity).step == 10


def test_a_wrong_derivative_and_a_wrong_rule_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    good = run(dtype="float64")
    right = activations.ACTIVATIONS["tanh"]
    with monkeypatch.context() as patch:
        wrong = replace(right, pullback=lambda z, a, upstream: upstream * (1 - a))
        patch.setitem(activations.ACTIVATIONS, "tanh", wrong)
        assert not replay(good).of("gradients").allowed
    with monkeypatch.context() as patch:
        step = Sgd.step
        patch.setattr(Sgd, "step", lambda self, w, g, state: step(self, w, 1.001 * g, state))
        assert not replay(good).of("weights").allowed
    assert replay(good).agrees


def test_outputs_are_checked_however_large_the_weights_are() -> None:
    """With weights in the thousands an output that is off by a thousandth is still found."""
    initial = {"scheme": "constant", "value": 3000.0}
    network = {"layers": [2, 3, 2], "activations": ["tanh", "sigmoid"], "bias": "none"}
    large = run(network=network, initial=initial, rounds=1)
    assert replay(large).agrees
    outputs = large.trace.outputs.copy()
    outputs[0, 0, 0] -= 1e-3
    found = replay(replace(large, trace=replace(large.trace, outputs=outputs)))
    assert not found.of("outputs").allowed


def test_what_is_not_allowed_is_told_before_what_is_large() -> None:
    good = run(dtype="float64")
    losses = good.trace.losses.copy()
    losses[40] *= 1 + 1e-9
    found = replay(replace(good, trace=replace(good.trace, losses=losses)))
    assert found.worst == ("losses", found.of("losses"))
    assert found.of("losses").step == 40
