"""Controls: which runs are made to test an explanation of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labreport.lab.configuration import RunConfig
from labreport.lab.controls import MOST_WORK, STARTS, changed, controls
from labreport.lab.reading.load import load
from labreport.shipped import shipped

RELU = {"network": {"activations": ["relu", "sigmoid"]}}


@pytest.fixture(scope="module")
def base() -> RunConfig:
    return load(shipped("experiments.toml")).base


def made(config: RunConfig, kind: str) -> tuple[RunConfig, ...]:
    return next((c.configurations for c in controls(config) if c.kind == kind), ())


def differences(one: RunConfig, other: RunConfig) -> dict[str, tuple[Any, Any]]:
    a, b = one.flat(), other.flat()
    return {key: (a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key)}


def test_accumulated_gradients_are_tested_by_a_momentum_of_one(base: RunConfig) -> None:
    accumulated = changed(base, {"gradients": "accumulated"})
    (control,) = made(accumulated, "momentum")
    assert differences(accumulated, control) == {
        "gradients": ("accumulated", "cleared"),
        "optimizer.momentum": (0.0, 1.0),
    }


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"gradients": "accumulated", "optimizer": {"name": "adam"}},
        {"gradients": "accumulated", "optimizer": {"momentum": 0.5}},
        {"gradients": "accumulated", "optimizer": {"weight_decay": 0.5}},
    ],
)
def test_nothing_else_is_a_momentum_of_one(base: RunConfig, change: dict[str, Any]) -> None:
    assert made(changed(base, change), "momentum") == ()


def test_a_target_out_of_reach_is_tested_by_a_linear_output(base: RunConfig) -> None:
    (control,) = made(base, "linear-output")
    assert differences(base, control) == {
        "network.activations": (["sigmoid", "sigmoid"], ["sigmoid", "identity"])
    }


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"targets": [[0.0, 1.0]]}},
        {"network": {"activations": ["sigmoid", "identity"]}},
        {"loss": "bce_with_logits"},
    ],
)
def test_a_target_within_reach_needs_no_linear_output(
    base: RunConfig, change: dict[str, Any]
) -> None:
    assert made(changed(base, change), "linear-output") == ()


def test_relu_is_tested_from_other_starts(base: RunConfig) -> None:
    starts = made(changed(base, RELU), "other-starts")
    assert len({start.digest for start in starts}) == STARTS
    assert {start.initial.scheme for start in starts} == {"pytorch"}
    assert made(base, "other-starts") == ()


def test_large_runs_are_not_repeated_twenty_times(base: RunConfig) -> None:
    rows = {"data": {"inputs": [[0.5, 0.3]] * 100, "targets": [[0.2, 0.1]] * 100}}
    rounds = MOST_WORK // (100 * base.network.parameter_count)
    assert made(changed(base, {**RELU, **rows, "rounds": rounds}), "other-starts")
    assert not made(changed(base, {**RELU, **rows, "rounds": rounds + 1}), "other-starts")


def test_controls_of_a_lab_can_be_left_out(tmp_path: Path) -> None:
    text = shipped("experiments.toml").read_text(encoding="utf-8")
    with_controls = load(shipped("experiments.toml"))
    path = tmp_path / "experiments.toml"
    path.write_text(text.replace("format = 1", "format = 1\ntest_explanations = false"), "utf-8")
    without = load(path)
    assert without.controls == ()
    assert with_controls.controls
    assert {c.digest for c in without.configurations()} < {
        c.digest for c in with_controls.configurations()
    }


def test_swept_and_random_runs_have_no_controls() -> None:
    lab = load(shipped("experiments.toml"))
    for name in ("step-size", "adam", "companion"):
        assert lab.plan(name).explained == ()
    assert not any(config.by_chance for plan in lab.plans for config in plan.explained)
