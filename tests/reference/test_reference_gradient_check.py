"""The exercise's gradients by the right formula and by the three wrong ones in circulation."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from labreport.lab.configuration import Data, Network, RunConfig
from labreport.lab.lab import Formula
from labreport.lab.reading.load import load
from labreport.lab.schedule import Schedule
from labreport.lab.schema.initialisers import Given
from labreport.lab.schema.optimizers import SGD
from labreport.reference import activations
from labreport.reference.gradient_check.check_result import CheckedFormula, GradientCheck
from labreport.reference.gradient_check.formula_training import falls
from labreport.reference.gradient_check.four_ways import check_gradients
from labreport.runs.run import Environment, Run
from labreport.shipped import shipped
from labreport.training.family import families
from labreport.training.trainer import train

# d_w1, d_w2, d_w3, d_w4 in round 1, and the losses of rounds 2 and 10.
KNOWN = {
    "chain-rule": ((-0.00842, 0.01261, -0.00505, 0.00756), 0.195033, 0.110823),
    "published": ((0.01458, 0.01304, 0.00875, 0.00782), 0.195336, 0.116185),
    "wrong-unit": ((-0.00843, 0.01264, -0.00506, 0.00758), 0.195032, 0.110824),
    "left-out": ((-0.0338, 0.0506, -0.0203, 0.0304), 0.194144, 0.104589),
}
W1_TO_W4 = [0, 2, 1, 3]


@pytest.fixture(scope="module")
def checked_run() -> Run:
    trial = load(shipped("experiments.toml")).plan("companion").trials[0]
    (family,) = families([trial.config], [Schedule()], 2**30)
    return Run(trial.config, train(family)[0], Environment(1, "test"), "companion")


@pytest.fixture(scope="module")
def check(checked_run: Run) -> GradientCheck:
    plan = load(shipped("experiments.toml")).plan("companion")
    return check_gradients(checked_run, plan.experiment.formula)


def named(check: GradientCheck, name: str) -> CheckedFormula:
    return next(checked for checked in check.formulas if checked.formula.name == name)


def test_by_hand_autograd_and_differences_agree(check: GradientCheck) -> None:
    assert check.hand.deviation.relative < 1e-12
    assert check.differences.deviation.relative < 1e-8
    assert check.hand.deviation.round is None
    assert check.differences.deviation.round is None


@pytest.mark.parametrize("name", KNOWN)
def test_known_numbers(check: GradientCheck, name: str) -> None:
    derivatives, second, tenth = KNOWN[name]
    checked = named(check, name)
    found = checked.way.gradients[0][W1_TO_W4]
    assert found == pytest.approx(derivatives, abs=6e-5 if name == "left-out" else 6e-6)
    losses = checked.training.losses
    assert (losses[1], losses[9]) == pytest.approx((second, tenth), abs=6e-7)


def test_verdicts(check: GradientCheck) -> None:
    assert {c.formula.name: c.is_right for c in check.formulas} == {
        "chain-rule": True,
        "published": False,
        "wrong-unit": False,
        "left-out": False,
    }
    assert all(falls(c.training, 100) for c in check.formulas)


def test_what_two_decimals_show(check: GradientCheck) -> None:
    shown = {c.formula.name: c.shown.gradient for c in check.formulas}
    assert shown == {"chain-rule": None, "published": 1, "wrong-unit": 41, "left-out": 1}
    losses = {c.formula.name: c.shown.loss for c in check.formulas}
    assert losses == {"chain-rule": None, "published": 10, "wrong-unit": None, "left-out": 2}
    # Printed with two decimals, the wrong unit is not to be seen before that round, and is there.
    right, wrong = check.truth.gradients, named(check, "wrong-unit").training.gradients
    assert (np.round(right[:40], 2) == np.round(wrong[:40], 2)).all()
    assert (np.round(right[40], 2) != np.round(wrong[40], 2)).any()


def test_first_round_of_the_published_companion(check: GradientCheck) -> None:
    """Hidden and output values, loss, gradients and new weights of w1…w8, as it prints them."""
    training = named(check, "published").training
    order = [0, 2, 1, 3, 4, 6, 5, 7]
    assert np.round(training.outputs[0][0], 2).tolist() == [0.48, 0.53]
    assert round(training.losses[0], 2) == 0.21
    assert np.round(training.gradients[0][order], 2).tolist() == [
        0.01, 0.01, 0.01, 0.01, 0.03, 0.08, 0.03, 0.07,
    ]  # fmt: skip
    assert np.round(training.weights[1][order], 2).tolist() == [
        0.19, -0.41, 0.49, 0.59, 0.07, -0.58, -0.33, 0.73,
    ]  # fmt: skip


def test_a_planted_wrong_derivative_is_caught(
    checked_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = activations.SIMPLIFIED["sigmoid"]

    def wrong(z: np.ndarray, a: np.ndarray, upstream: np.ndarray) -> np.ndarray:
        return right.pullback(z, a, upstream) * 1.001

    monkeypatch.setitem(activations.SIMPLIFIED, "sigmoid", replace(right, pullback=wrong))
    check = check_gradients(checked_run, ())
    assert check.hand.deviation.round == 1
    # Differences need no derivation: they still side with autograd.
    assert check.differences.deviation.round is None


def checked_alone(derivatives: dict[str, str], **changes: Any) -> CheckedFormula:
    plan = load(shipped("experiments.toml")).plan("companion")
    config = plan.trials[0].config.model_copy(update={"rounds": 20, **changes})
    (family,) = families([config], [Schedule()], 2**30)
    run = Run(config, train(family)[0], Environment(1, "test"), "alone")
    formula = Formula.model_validate({"name": "alone", "derivatives": derivatives})
    return check_gradients(run, [formula]).formulas[0]


@pytest.mark.parametrize("text", ["x1 / (x1 - x1)", "0 / (x1 - x1)"])
def test_division_by_zero_is_wrong_and_ends_the_training(text: str) -> None:
    checked = checked_alone({"w1": text})
    assert checked.way.deviation.round == 1
    assert checked.way.deviation.absolute == np.inf
    assert len(checked.training.losses) == 1
    assert checked.shown.gradient == 1
    assert not falls(checked.training, 20)


def test_a_training_ends_where_the_loss_refuses_its_outputs() -> None:
    """A formula that drives a linear output out of what binary cross entropy takes."""
    network = Network(layers=(2, 2, 2), activations=("sigmoid", "identity"), bias="zero")
    weights = (((0.2, 0.5), (-0.4, 0.6)), ((0.5, 0.5), (0.5, 0.5)))
    checked = checked_alone(
        {"w5": "-5"},
        loss="bce",
        network=network,
        initial=Given(scheme="given", weights=weights),
        data=Data(inputs=((0.5, 0.3),), targets=((0.5, 0.5),)),
        optimizer=SGD(name="sgd", learning_rate=0.05),
    )
    losses = checked.training.losses
    assert 1 <= len(losses) < 21
    assert not falls(checked.training, 20)
    assert checked.shown.loss is not None


def test_differences_that_the_loss_refuses_are_infinitely_far_away() -> None:
    # The output is 1, and a little more of the weight would take it out of what BCE takes.
    config = RunConfig.model_validate(
        {
            "data": {"inputs": [[1.0]], "targets": [[1.0]]},
            "network": {"layers": [1, 1], "activations": "identity", "bias": "none"},
            "initial": {"scheme": "ones"},
            "loss": "bce",
            "optimizer": {"name": "sgd", "learning_rate": 0.0},
            "rounds": 1,
        }
    )
    (family,) = families([config])
    found = check_gradients(Run(config, train(family)[0], Environment(1, "test"), "edge"), ())
    assert found.differences.deviation.relative == np.inf
    assert found.differences.deviation.round == 1
    assert found.hand.deviation.round is None
