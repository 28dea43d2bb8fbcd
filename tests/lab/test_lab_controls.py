"""Controls: which runs are made to test an explanation of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lab_texts import MINIMAL

from labreport.lab.configuration import RunConfig
from labreport.lab.controls import (
    FEWEST_STARTS,
    KINDS,
    MOST_OF_EXPERIMENT,
    RATES,
    ROBUSTNESS,
    STARTS,
    Compared,
    Kind,
    changed,
    longer,
    neighbours,
    other_starts,
    rates,
    reasons,
    repetitions,
    rounding,
)
from labreport.lab.plan import Plan
from labreport.lab.reading.load import load
from labreport.shipped import shipped

Make = Callable[[RunConfig], tuple[RunConfig, ...]]


@pytest.fixture(scope="module")
def base() -> RunConfig:
    return load(shipped("experiments.toml")).base


def made(config: RunConfig, kind: str) -> tuple[RunConfig, ...]:
    found = reasons(Compared((config,), (), (), (config.rounds,)))
    return next((c.configurations for c in found if c.kind == kind), ())


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
        {"gradients": "accumulated", "updates": "discarded"},
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


def test_of_a_sweep_of_momentum_the_run_without_it_has_other_rates(base: RunConfig) -> None:
    swept = tuple(changed(base, {"optimizer": {"momentum": m}}) for m in (0.0, 0.5, 0.9))
    found = [*repetitions(Compared((), swept, (), (base.rounds,)), ("rates",), 5_000)]
    rates = {c.optimizer.learning_rate for control in found for c in control.configurations}
    assert len(rates) == len(RATES)
    assert {c.flat()["optimizer.momentum"] for f in found for c in f.configurations} == {0.0}
    other = (swept[0], changed(base, {"optimizer": {"learning_rate": 0.7}}))
    assert [*repetitions(Compared((), other, (), (base.rounds,)), ("rates",), 5_000)] == []


def test_linear_hidden_layers_are_tested_by_the_network_without_them(base: RunConfig) -> None:
    deep = changed(base, {"network": {"activations": ["identity", "sigmoid"]}})
    (control,) = made(deep, "without-hidden")
    (longer,) = KINDS["longer"](deep)
    assert control.network.layers == (base.network.layers[0], base.network.layers[-1])
    assert control.network.activations == ("sigmoid",)
    assert control.rounds == longer.rounds
    assert control.initial.scheme == "pytorch"
    assert (control.data, control.loss, control.optimizer) == (deep.data, deep.loss, deep.optimizer)


@pytest.mark.parametrize(
    "network",
    [
        {"activations": ["sigmoid", "identity"]},
        {"layers": [2, 2], "activations": ["identity"]},
    ],
)
def test_nothing_is_left_out_where_no_hidden_layer_is_linear(
    base: RunConfig, network: dict[str, Any]
) -> None:
    simple = changed(base, {"network": network, "initial": {"scheme": "pytorch"}})
    assert made(simple, "without-hidden") == ()


def repeated(plan: Plan) -> dict[str, list[RunConfig]]:
    """The controls of an experiment by their kind."""
    found: dict[str, list[RunConfig]] = {}
    for control in plan.controls:
        found.setdefault(control.kind, []).extend(control.configurations)
    return found


def test_a_given_start_is_repeated_from_others(base: RunConfig) -> None:
    starts = other_starts(base)
    assert len({start.digest for start in starts}) == STARTS
    assert {start.initial.scheme for start in starts} == {"pytorch"}
    assert {start.seed for start in starts} == set(range(STARTS))


def test_a_drawn_start_is_repeated_by_its_own_scheme(base: RunConfig) -> None:
    drawn = changed(base, {"initial": {"scheme": "xavier_uniform"}})
    assert {start.initial for start in other_starts(drawn)} == {drawn.initial}


def test_no_other_start_is_drawn_beside_biases_that_are_held(base: RunConfig) -> None:
    held = {"network": {"bias": "held"}, "initial": {"biases": [[0.1, 0.1], [0.1, 0.1]]}}
    assert other_starts(changed(base, held)) == ()


@pytest.mark.parametrize(("rounds", "times"), [(10, 10), (200, 10), (201, 5), (1000, 5), (1001, 3)])
def test_short_runs_are_continued_for_longer(base: RunConfig, rounds: int, times: int) -> None:
    (control,) = longer(changed(base, {"rounds": rounds}))
    assert differences(changed(base, {"rounds": rounds}), control) == {
        "rounds": (rounds, rounds * times)
    }


def test_a_run_has_twins_in_other_roundings(base: RunConfig) -> None:
    double, larger, smaller, twice = rounding(base)
    assert differences(base, double) == {"dtype": ("float32", "float64")}
    for nudged, way in ((larger, 1), (smaller, -1)):
        assert list(differences(base, nudged)) == ["initial.weights"]
        one, other = (np.array(c.initial.weights, dtype=np.float32) for c in (base, nudged))
        assert (way * (np.abs(other) - np.abs(one)) > 0).all()
        assert np.allclose(one, other, rtol=3e-7, atol=0)
    assert np.allclose(base.initial.weights, twice.initial.weights, rtol=6e-7, atol=0)
    assert not np.allclose(base.initial.weights, twice.initial.weights, rtol=1e-7, atol=0)


def test_a_run_from_a_drawn_start_has_twins_of_another_rate(base: RunConfig) -> None:
    drawn = changed(base, {"initial": {"scheme": "pytorch"}, "dtype": "float64"})
    rate, unit = drawn.optimizer.learning_rate, 2.0**-52
    found = rounding(drawn)
    assert [c.optimizer.learning_rate / rate - 1 for c in found] == [unit, -unit, 2 * unit]
    assert {c.initial for c in found} == {drawn.initial}
    assert rounding(changed(drawn, {"updates": "discarded"})) == ()
    assert [c.dtype for c in rounding(changed(drawn, {"dtype": "float32"}))] == [
        "float64",
        *["float32"] * 3,
    ]


def test_other_rates_are_multiples_of_the_own_one(base: RunConfig) -> None:
    slow = changed(base, {"optimizer": {"learning_rate": 0.5}})
    assert [c.optimizer.learning_rate for c in rates(slow)] == [0.5 * f for f in RATES]
    assert [c.optimizer.learning_rate for c in neighbours(slow)] == [0.25, 1.0]
    assert rates(changed(base, {"optimizer": {"learning_rate": 0.0}})) == ()


def test_what_is_repeated_of_the_shipped_lab() -> None:
    lab = load(shipped("experiments.toml"))
    assert repeated(lab.plan("companion")) == {}
    sweep = repeated(lab.plan("step-size"))
    assert len(sweep["other-starts"]) == 16 * STARTS
    assert len(sweep["longer"]) == 16
    assert "rates" not in sweep
    starts = repeated(lab.plan("no-init"))
    # The start is what it compares.
    assert "other-starts" not in starts
    assert len(starts["neighbours"]) == 2 * 2 * STARTS


@pytest.mark.parametrize(
    ("robustness", "kinds"),
    [
        ("full", {"momentum", "linear-output", "longer", "rounding", "rates", "other-starts"}),
        ("starts", {"momentum", "linear-output", "other-starts"}),
        ("none", {"momentum", "linear-output"}),
    ],
)
def test_robustness_says_what_is_repeated(tmp_path: Path, robustness: str, kinds: set[str]) -> None:
    text = shipped("experiments.toml").read_text(encoding="utf-8")
    path = tmp_path / "experiments.toml"
    path.write_text(
        text.replace("format = 1", f'format = 1\nrobustness = "{robustness}"'), encoding="utf-8"
    )
    assert repeated(load(path).plan("published")).keys() == kinds


def test_large_runs_are_repeated_less(base: RunConfig) -> None:
    def counted(rounds: int) -> Counter[str]:
        config = changed(base, {"rounds": rounds})
        compared = Compared((config,), (), (), (rounds,))
        return Counter(
            c.kind for c in repetitions(compared, ROBUSTNESS["full"], MOST_OF_EXPERIMENT)
        )

    assert counted(10)["other-starts"] == STARTS
    assert counted(1_000_000)["other-starts"] == FEWEST_STARTS
    assert counted(1_000_000)["longer"] == 0


def test_controls_that_would_be_too_many_are_not_made(
    base: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other starts are fewer first; what is not taken is never resolved."""
    resolved: Counter[str] = Counter()
    for kind in KINDS:

        def counted(
            config: RunConfig, kind: Kind = kind, make: Make = KINDS[kind]
        ) -> tuple[RunConfig, ...]:
            resolved[kind] += len(found := make(config))
            return found

        monkeypatch.setitem(KINDS, kind, counted)
    for runs, most, taken in (
        (4, 4 * STARTS, {"longer": 4, "rounding": 16, "other-starts": 4 * STARTS}),
        (4, 4 * STARTS - 1, {"longer": 4, "rounding": 16, "other-starts": 4 * FEWEST_STARTS}),
        (4, 4 * FEWEST_STARTS - 1, {"longer": 4, "rounding": 16}),
        (4, 15, {"longer": 4}),
        (9000, 5000, {}),
    ):
        resolved.clear()
        compared = Compared((), (base,) * runs, (), (10,))
        found = Counter(c.kind for c in repetitions(compared, ROBUSTNESS["full"], most))
        assert found == taken
        assert resolved.keys() == taken.keys()
        assert resolved["other-starts"] <= runs * STARTS


def test_many_experiments_share_the_controls_of_a_lab(tmp_path: Path) -> None:
    sweep = "sweep.optimizer.learning_rate = { from = 0.1, to = 1, count = 150 }\n"
    path = tmp_path / "lab.toml"
    for experiments, starts in ((1, STARTS), (5, FEWEST_STARTS), (20, 0)):
        heads = (f'[experiment.e{k}]\ntitle = "{k}"\n{sweep}' for k in range(experiments))
        text = MINIMAL[: MINIMAL.index("[experiment")].partition("\n")[2] + "".join(heads)
        path.write_text(text, encoding="utf-8")
        lab = load(path)
        for plan in lab.plans:
            kinds = Counter(control.kind for control in plan.survival)
            assert kinds["other-starts"] == 150 * starts
            assert kinds["longer"] == 150


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


def test_swept_and_random_runs_have_no_controls_of_reasons() -> None:
    lab = load(shipped("experiments.toml"))
    for name in ("step-size", "adam", "companion"):
        assert lab.plan(name).compared.singles == ()
    singles = (config for plan in lab.plans for config in plan.compared.singles)
    assert not any(config.by_chance for config in singles)
