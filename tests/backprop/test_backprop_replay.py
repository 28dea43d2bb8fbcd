"""Stored runs computed again by hand: right ones pass, and any changed number is found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from labreport.backprop import activations, optimizers
from labreport.backprop.replay import replay
from labreport.lab.configuration import RunConfig
from labreport.lab.vocabulary.activations import ACTIVATIONS
from labreport.lab.vocabulary.losses import LOSSES
from labreport.lab.vocabulary.optimizers import OPTIMIZER_TITLES
from labreport.run import Environment, Run
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
    (family,) = families([config], [stride], 2**30)
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
    found = replay(run(stride=7))
    assert found.agrees
    assert found.steps < 61


def test_batches_leave_outputs_and_updates_to_check() -> None:
    batches = run(data={**BASE["data"], "batch_size": 1})
    found = replay(batches)
    assert found.agrees
    assert not found.compares_gradients
    assert found.compares_updates
    thinned = replay(run(stride=7, data={**BASE["data"], "batch_size": 1}))
    assert thinned.agrees
    assert not thinned.compares_updates
    weights = batches.trace.weights.copy()
    weights[30, 2] *= 1.001
    assert not replay(replace(batches, trace=replace(batches.trace, weights=weights))).agrees


@pytest.mark.parametrize("quantity", ["losses", "gradients", "weights", "outputs"])
def test_one_changed_number_is_found(quantity: str) -> None:
    good = run()
    changed = getattr(good.trace, quantity).copy()
    # At a step that is there in full: outputs are not recorded at every one.
    step = 10 if quantity != "outputs" else len(changed) - 1
    changed[step] += 1e-3 * np.abs(changed[step]).max()
    found = replay(replace(good, trace=replace(good.trace, **{quantity: changed})))
    assert not found.agrees
    assert not getattr(found, quantity).allowed
    if quantity in ("losses", "gradients"):
        assert getattr(found, quantity).step == 10


def test_a_wrong_derivative_and_a_wrong_rule_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    good = run(dtype="float64")
    right = activations.ACTIVATIONS["tanh"]
    with monkeypatch.context() as patch:
        wrong = replace(right, pullback=lambda z, a, upstream: upstream * (1 - a))
        patch.setitem(activations.ACTIVATIONS, "tanh", wrong)
        assert not replay(good).gradients.allowed
    with monkeypatch.context() as patch:
        step = optimizers.Sgd.step
        patch.setattr(
            optimizers.Sgd, "step", lambda self, w, g, state: step(self, w, 1.001 * g, state)
        )
        assert not replay(good).weights.allowed
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
    assert not found.outputs.allowed


def test_what_is_not_allowed_is_told_before_what_is_large() -> None:
    good = run(dtype="float64")
    losses = good.trace.losses.copy()
    losses[40] *= 1 + 1e-9
    found = replay(replace(good, trace=replace(good.trace, losses=losses)))
    assert found.worst == ("losses", found.losses)
    assert found.losses.step == 40
