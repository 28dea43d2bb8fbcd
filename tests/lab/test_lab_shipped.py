"""The lab that ships with the tool: the exercise, number by number."""

import subprocess
import sys

import pytest

from labreport.lab.plan import Lab

EXPERIMENTS = ("published", "relu", "bce", "step-size", "no-init", "adam", "companion")


def test_experiments_follow_the_exercise_sheet(shipped_lab: Lab) -> None:
    assert shipped_lab.names == EXPERIMENTS
    assert [appendix.name for appendix in shipped_lab.appendices] == ["accumulated"]
    assert [plan.name for plan in shipped_lab.appendices[0].plans] == list(EXPERIMENTS)


def test_base_is_the_network_of_the_exercise(shipped_lab: Lab) -> None:
    base = shipped_lab.base
    assert base.data.inputs == ((0.5, 0.3),)
    assert base.data.targets == ((0.23, -0.07),)
    assert base.network.layers == (2, 2, 2)
    assert base.network.activations == ("sigmoid", "sigmoid")
    assert base.network.bias == "zero"
    # w1…w8 = 0.2, −0.4, 0.5, 0.6, 0.1, −0.5, −0.3, 0.8; fc1.weight = [[w1, w3], [w2, w4]]
    assert base.initial.weights == (
        ((0.2, 0.5), (-0.4, 0.6)),
        ((0.1, -0.3), (-0.5, 0.8)),
    )
    assert base.loss == "mse"
    assert base.optimizer.model_dump() == {
        "learning_rate": 1.0,
        "weight_decay": 0.0,
        "name": "sgd",
        "momentum": 0.0,
        "dampening": 0.0,
        "nesterov": False,
    }
    assert (base.rounds, base.gradients, base.dtype) == (10, "cleared", "float32")


def test_bce_is_tried_with_the_given_target_and_with_two_legal_ones(shipped_lab: Lab) -> None:
    trials = {trial.variant: trial.config for trial in shipped_lab.plan("bce").trials}
    assert {name: config.data.targets[0] for name, config in trials.items()} == {
        "mse": (0.23, -0.07),
        "bce": (0.23, -0.07),
        "bce-by-hand": (0.23, -0.07),
        "mse-zero": (0.23, 0.0),
        "bce-zero": (0.23, 0.0),
        "mse-positive": (0.23, 0.07),
        "bce-positive": (0.23, 0.07),
    }
    by_hand = trials.pop("bce-by-hand")
    assert (by_hand.loss, by_hand.network.activations[-1]) == ("bce_with_logits", "identity")
    assert all(config.loss == name.split("-")[0] for name, config in trials.items())


def test_weights_are_given_drawn_and_zero(shipped_lab: Lab) -> None:
    plan = shipped_lab.plan("no-init")
    schemes = {
        name: {trial.config.initial.scheme for trial in plan.of(name)}
        for name in ("given", "random", "random-bias", "zeros")
    }
    assert schemes == {
        "given": {"given"},
        "random": {"pytorch"},
        "random-bias": {"pytorch"},
        "zeros": {"zeros"},
    }
    starts = len(plan.of("random"))
    assert starts >= 200
    assert [trial.seed for trial in plan.of("random")] == list(range(starts))
    assert [trial.config.seed for trial in plan.of("random")] == list(range(starts))
    assert all(trial.config.network.bias == "trained" for trial in plan.of("random-bias"))
    assert [trial.seed for trial in plan.of("given")] == [None]


def test_every_optimizer_is_tried_at_every_learning_rate(shipped_lab: Lab) -> None:
    plan = shipped_lab.plan("adam")
    ((key, rates),) = plan.axes
    assert key == "optimizer.learning_rate"
    for variant in plan.variants:
        trials = plan.of(variant.name)
        assert [trial.point for trial in trials] == [((key, rate),) for rate in rates]
        assert [trial.config.optimizer.learning_rate for trial in trials] == list(rates)


def test_the_appendix_changes_gradients_and_nothing_else(shipped_lab: Lab) -> None:
    (appendix,) = shipped_lab.appendices
    for plan, again in zip(shipped_lab.plans, appendix.plans, strict=True):
        if plan.name == "published":  # it sets the gradients itself
            continue
        for trial, other in zip(plan.trials, again.trials, strict=True):
            assert other.config.gradients == "accumulated"
            assert other.config.model_copy(update={"gradients": "cleared"}) == trial.config


def test_runs_that_occur_twice_are_listed_once(shipped_lab: Lab) -> None:
    plans = (*shipped_lab.plans, *shipped_lab.appendices[0].plans)
    every = [trial.config.digest for plan in plans for trial in plan.trials]
    every += [config.digest for config in shipped_lab.controls]
    listed = [config.digest for config in shipped_lab.configurations()]
    assert listed == list(dict.fromkeys([shipped_lab.base.digest, *every]))
    assert len(every) > len(listed)


@pytest.mark.parametrize("heavy", ["torch", "numpy"])
def test_reading_a_lab_needs_no_numerical_library(heavy: str) -> None:
    code = f"import labreport.lab.reading.load, sys; sys.exit({heavy!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
