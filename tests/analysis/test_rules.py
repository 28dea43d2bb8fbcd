"""Each rule where it speaks and where it is silent, with a near miss on each side of a threshold.

Further cases stand in the files cases_*.py beside this one.

Every case is a small experiment made by hand, so that what the rule must say is known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from math import log, nextafter
from pathlib import Path
from statistics import stdev
from typing import Any

import numpy as np
import pytest
from babel.messages.pofile import read_po
from cases import CASES, Build, Case, fires, made, observed, said, silent
from concluded_labs import LABS, conclude
from synthetic_runs import (
    MOMENTUM,
    RATE,
    ROWS,
    Made,
    check,
    experiment,
    fading,
    plain,
    single,
    starts,
    sweep,
)

from labreport.analysis.formulas.evidence import failures, known_of, thresholds_of
from labreport.analysis.formulas.flattened_facts import flattened
from labreport.analysis.observation import Number, Observation, Share, With
from labreport.analysis.observe import RULES, observe_base
from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import (
    ALIKE,
    FAR_FROM_FLOOR,
    MOST_OF_THE_WAY,
    NO_ODDS,
    OTHER_START,
    OVERSHOOT,
    ROUNDING,
    SIGNIFICANCE,
    STANDING_STILL,
    VANISHED,
)
from labreport.language.catalogue import language
from labreport.runs.run import Run
from labreport.shipped import shipped

MSE_BELOW_ZERO = {"data.targets": [[0.25, -0.07]]}
FLOOR_BELOW_ZERO = 0.5 * 0.07**2
LINEAR = {"network.activations": "identity"}
RELU = {"network.activations": "relu"}
UNIT = float(np.finfo(float).eps)
BCE = {"loss": "bce"}


@fires("best-at-own-end", subject="a", points=(("", 3),), value=1.0, total=2)
def swept_rounds_of_which_each_is_told_at_its_end() -> ExperimentResults:
    return experiment(sweep("a", "rounds", {1: [3, 2], 3: [3, 2, 1.5, 1]}), budgets=(3,))


@silent("best-at-own-end")
def swept_rounds_that_end_level() -> ExperimentResults:
    return experiment(sweep("a", "rounds", {1: [3, 1], 3: [3, 2, 1.5, 1]}), budgets=(3,))


@silent("best-at-own-end")
def swept_rounds_that_all_get_to_the_budget() -> ExperimentResults:
    return experiment(sweep("a", "rounds", {1: [3, 2], 3: [3, 2, 1.5, 1]}), budgets=(1,))


# --- coincide ----------------------------------------------------------------------------------


@fires("coincide", subjects=("a", "b"), rounds=2)
@silent("several-changes")
def two_configurations_with_the_same_bits() -> ExperimentResults:
    changes = {MOMENTUM: 1.0, "gradients": "accumulated"}
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], changes))


@fires("coincide", "momentum", subject="b", other="a", rounds=2)
@silent("several-changes")
def gradients_never_cleared_and_a_momentum_of_one() -> ExperimentResults:
    summed = single("b", [3, 2, 1], {"gradients": "accumulated"})
    return experiment(single("a", [3, 2, 1], {MOMENTUM: 1.0}), summed)


@fires("coincide", "key", subject="b", other="a", keys=(MOMENTUM,))
def gradients_never_cleared_and_a_momentum_of_less_than_one() -> ExperimentResults:
    summed = {"gradients": "accumulated"}
    return experiment(
        single("a", [3, 2, 1], summed), single("b", [3, 2, 1], {**summed, MOMENTUM: 0.5})
    )


@fires("coincide", "key", subject="b", other="a", keys=("network.bias",), rounds=2)
def one_key_that_has_no_effect() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], {"network.bias": "none"}))


@silent("coincide")
def one_bit_of_one_loss_differs() -> ExperimentResults:
    losses = [3, 2, nextafter(1, 2)]
    return experiment(single("a", [3, 2, 1]), single("b", losses, {MOMENTUM: 0.5}))


@silent("coincide")
def one_bit_of_one_weight_differs() -> ExperimentResults:
    weights = single("a", [3, 2, 1]).rows[0][3].weights.copy()
    weights[1, 5] = nextafter(weights[1, 5], 2)
    other = single("b", [3, 2, 1], {MOMENTUM: 0.5}, weights=weights)
    return experiment(single("a", [3, 2, 1]), other)


@fires("coincide", "same", subjects=("a", "b"))
def the_same_configuration_under_two_names() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1]))


@silent("coincide")
def two_runs_that_never_move() -> ExperimentResults:
    still = np.ones((3, 8))
    return experiment(
        single("a", [3, 3, 3], weights=still),
        single("b", [3, 3, 3], {"optimizer.name": "adam"}, weights=still),
    )


# --- refused -----------------------------------------------------------------------------------


@fires("refused", subject="b", loss="bce", round=1, message="RuntimeError: no")
def a_loss_that_refuses_its_target() -> ExperimentResults:
    refused = single("b", [], BCE, rounds=2, kind="refused", message="RuntimeError: no")
    return experiment(single("a", [3, 2, 1]), refused)


@fires("refused", subject="b", round=3)
def a_loss_that_refuses_a_later_output() -> ExperimentResults:
    changes = {**BCE, **LINEAR}
    refused = single("b", [2, 1], changes, rounds=5, kind="refused", message="RuntimeError: no")
    return experiment(single("a", [3, 2, 1]), refused)


@silent("refused")
def nothing_is_refused() -> ExperimentResults:
    diverged = single("b", [3, 9], rounds=2, kind="diverged")
    return experiment(single("a", [3, 2, 1]), diverged)


# --- silent weights ----------------------------------------------------------------------------

STORED = ("w1", "w3", "w2", "w4", "w5", "w7", "w6", "w8")


def recorded(silent_names: tuple[str, ...], first_weights: list[float]) -> dict[str, Any]:
    """Weights and gradients in which these parameters have no gradient and stay as they are."""
    quiet = np.array([name in silent_names for name in STORED])
    steps = np.arange(3)[:, None]
    return {
        "gradients": np.where(quiet, 0.0, 0.5) * np.ones((3, 1)),
        "weights": np.array(first_weights) + np.where(quiet, 0.0, 0.1) * steps,
    }


@fires("silent-weights", names=("w1", "w3", "w8"), count=3, total=8, rounds=2, units=())
def weights_without_a_gradient() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1], **recorded(("w8", "w1", "w3"), [0.1] * 8)))


@fires(
    "silent-weights",
    "dead",
    names=("w2", "w4", "w7", "w8"),
    count=4,
    total=8,
    units=("h2",),
)
def a_dead_hidden_unit() -> ExperimentResults:
    # x = (0.5, 0.3): the sum of h2 is 0.5 · (−0.3) + 0.3 · 0.5 = 0, which is not above 0.
    weights = [0.1, 0.1, -0.3, 0.5, 0.1, 0.1, 0.1, 0.1]
    silent_names = ("w2", "w4", "w7", "w8")
    return experiment(single("a", [3, 2, 1], RELU, **recorded(silent_names, weights)))


@fires("silent-weights", "", names=("w2", "w4", "w7", "w8"), units=())
def a_hidden_unit_that_is_just_alive() -> ExperimentResults:
    weights = [0.1, 0.1, -0.3, nextafter(0.5, 1), 0.1, 0.1, 0.1, 0.1]
    silent_names = ("w2", "w4", "w7", "w8")
    return experiment(single("a", [3, 2, 1], RELU, **recorded(silent_names, weights)))


@silent("silent-weights")
def the_smallest_gradient_in_one_round() -> ExperimentResults:
    parts = recorded(("w1",), [0.1] * 8)
    parts["gradients"][1, 0] = 5e-324
    return experiment(single("a", [3, 2, 1], **parts))


@silent("silent-weights")
def no_gradient_but_weight_decay() -> ExperimentResults:
    parts = recorded(("w1",), [0.1] * 8)
    parts["weights"][:, 0] = [0.1, 0.09, 0.081]
    return experiment(single("a", [3, 2, 1], **parts))


# --- sweeps ------------------------------------------------------------------------------------


@silent("edge-of-grid")
def the_best_value_stays() -> ExperimentResults:
    losses = {0.5: [9, 5, 3], 1.0: [9, 2, 0.5], 2.0: [9, 3, 8]}
    return experiment(sweep("a", RATE, losses), budgets=(1, 2))


@silent("edge-of-grid", "rises")
@silent("worse-than-start", "stuck-points")
def nothing_is_swept() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 4], {MOMENTUM: 0.5}))


@silent("edge-of-grid")
def a_sweep_over_losses_that_cannot_be_ranked() -> ExperimentResults:
    return experiment(sweep("a", "loss", {"mse": [3, 2, 1], "l1": [3, 2, 0.5]}))


@silent("edge-of-grid")
def a_sweep_over_targets_that_cannot_be_ranked() -> ExperimentResults:
    made = sweep("a", "data.targets", {((0.25, 0.0),): [3, 2, 1], ((0.5, 0.0),): [3, 2, 2]})
    return experiment(made)


@fires("edge-of-grid", subjects=((("a", 2.0), 1), (("a", 0.5), 2)))
def the_best_values_are_the_ends() -> ExperimentResults:
    losses = {0.5: [9, 5, 3], 1.0: [9, 4, 4], 2.0: [9, 1, 8]}
    return experiment(sweep("a", RATE, losses), budgets=(1, 2))


@fires("edge-of-grid", subjects=((("a", 0.5), 2), (("a", 2.0), 2)))
def both_ends_are_level_and_the_middle_is_a_little_above() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [9, 5, 3], 1.0: [9, 5, 3.00003], 2.0: [9, 5, 3]}))


@silent("edge-of-grid")
def a_grid_of_one_value() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [9, 5, 3]}))


@silent("edge-of-grid", "rises")
def a_grid_of_names() -> ExperimentResults:
    activations = {("tanh", "tanh"): [9, 5, 3], ("relu", "relu"): [9, 10, 4]}
    return experiment(sweep("a", "network.activations", activations))


NINE_TENTHS = 1 - MOST_OF_THE_WAY


@fires("rises", steady=("", 1.0), rising=("", 2.0), count=2, total=3)
def losses_rise_from_a_value_on() -> ExperimentResults:
    losses = {2.0: [9, 5, 6], 0.5: [9, 5, 5], 1.0: [9, 5, 3], 4.0: [9, 1, 1], 8.0: [9, 10, 1]}
    return experiment(sweep("a", RATE, losses))


@silent("rises")
def losses_rise_where_a_penalty_falls() -> ExperimentResults:
    losses = {0.0: [9, 5, 3], 0.5: [9, 5, 6], 1.0: [9, 5, 6]}
    return experiment(sweep("a", "optimizer.weight_decay", losses))


@fires("rises", "all", steady=("", 0.5), rising=("", 2.0), count=2, total=2)
def losses_rise_at_every_larger_value() -> ExperimentResults:
    losses = {2.0: [9, 5, 6], 0.5: [9, 5, 5], 8.0: [9, 10, 1]}
    return experiment(sweep("a", RATE, losses))


@fires("rises", "one", steady=("", 1.0), rising=("", 2.0), count=1, total=1)
def losses_rise_at_the_largest_value_alone() -> ExperimentResults:
    return experiment(sweep("a", RATE, {2.0: [9, 5, 6], 0.5: [9, 5, 5], 1.0: [9, 5, 3]}))


@silent("rises")
def losses_rise_already_at_the_first_value() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [9, 5, 6], 1.0: [9, 5, 3]}))


@silent("rises")
def losses_never_rise() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [9, 9, 9], 1.0: [9, 5, 3]}))


@silent("rises")
def losses_rise_after_the_last_budget() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [9, 5, 4, 3], 1.0: [9, 5, 3, 8]}), budgets=(2,))


def pairs_with(*other: float) -> ExperimentResults:
    """Learning rates 1, 10, … and rounds 10, 1: the loss of a pair is 100 against the other's."""
    curves: dict[float, list[float]] = {1.0: [500, 400, *[300] * 8, 100]}
    for power, loss in enumerate(other, start=1):
        curves[10.0**power] = [500, loss, *[300] * 8, 100]
    return experiment(sweep("a", RATE, curves), budgets=(1, 10))


def first_steps(
    *moved: float, gradient: Any = 0.5, rate: float = 1.0, name: str = "a", unlike: float = 2.0
) -> Made:
    """A run whose weights start at 0 and whose first step is so long in each weight.

    The gradient of the first weight is so many times that of the others.
    """
    weights = np.zeros((3, 8))
    weights[1:] = np.resize(np.array(moved), 8)
    gradients = np.full((3, 8), 0.5) * gradient
    gradients[:, 0] *= unlike
    changes = {"optimizer.name": "adam", RATE: rate}
    return single(name, [3, 2, 1], changes, weights=weights, gradients=gradients)


@fires("first-step", "", subject="a")
def first_steps_of_nearly_the_learning_rate() -> ExperimentResults:
    return experiment(first_steps(1 - ALIKE, 1 + ALIKE))


@fires("first-step", "", subject="a")
def a_first_step_is_measured_by_the_learning_rate() -> ExperimentResults:
    return experiment(first_steps(0.5, -0.5, rate=0.5))


@fires("first-step", "", subject=("a", "c"))
def first_steps_of_several_variants() -> ExperimentResults:
    return experiment(
        first_steps(1 - ALIKE, 1),
        first_steps(2, 1, name="b"),
        first_steps(1, 1 + ALIKE / 2, name="c"),
    )


@silent("first-step")
def a_first_step_that_is_just_too_short() -> ExperimentResults:
    return experiment(first_steps(nextafter(1 - ALIKE, 0), 1))


@silent("first-step")
def a_first_step_that_is_just_too_long() -> ExperimentResults:
    return experiment(first_steps(nextafter(1 + ALIKE, 2), 1))


@fires("first-step", "scaled", subject="a", factor=10.0)
def first_steps_of_ten_times_the_learning_rate() -> ExperimentResults:
    return experiment(first_steps(10 - 10 * ALIKE, 10 + 10 * ALIKE))


@fires("first-step", "both", subject="b", other="a", factor=10.0)
def first_steps_of_two_multiples() -> ExperimentResults:
    return experiment(first_steps(10, 10), first_steps(1, 1, name="b"))


@silent("first-step")
def first_steps_of_no_common_multiple() -> ExperimentResults:
    return experiment(first_steps(10 - 10 * ALIKE, nextafter(10 + 10 * ALIKE, 11)))


@silent("first-step")
def first_steps_by_gradients_of_nearly_one_size() -> ExperimentResults:
    return experiment(first_steps(1, 1, unlike=nextafter(2, 1)))


@silent("first-step")
def weights_that_do_not_move_though_they_have_a_gradient() -> ExperimentResults:
    return experiment(first_steps(0, 0))


@silent("first-step")
def a_first_step_of_one_weight_alone() -> ExperimentResults:
    return experiment(first_steps(1, gradient=np.eye(8)[0]))


@silent("first-step")
def a_learning_rate_of_nothing() -> ExperimentResults:
    return experiment(first_steps(0, rate=0.0))


@fires("worse-than-start", subjects=(("a", 2.0),), count=1, total=2, budget=2)
def one_value_ends_above_its_start() -> ExperimentResults:
    return experiment(sweep("a", RATE, {1.0: [9, 5, 9], 2.0: [9, 1, nextafter(9, 10)]}))


@fires("worse-than-start", subjects=(("from", ("a", 1.0)),), count=2)
def two_values_end_above_their_start() -> ExperimentResults:
    return experiment(sweep("a", RATE, {1.0: [9, 5, 10], 2.0: [9, 1, 10]}))


# --- stuck -------------------------------------------------------------------------------------


@fires("stuck", "sigmoid", subject="a", loss=2.0, floor=0.0, norm=VANISHED, largest=1.0)
def the_gradient_has_vanished_in_saturation() -> ExperimentResults:
    return experiment(single("a", [9, 2, 2], gradients=fading(VANISHED)))


@fires("stuck", "", subject="a", loss=2.0, norm=VANISHED, largest=1.0)
def the_gradient_has_vanished_without_a_sigmoid() -> ExperimentResults:
    return experiment(single("a", [9, 2, 2], LINEAR, gradients=fading(VANISHED)))


@silent("stuck")
def the_gradient_has_vanished_and_no_run_shows_that_the_network_could_do_better() -> (
    ExperimentResults
):
    worse = single("b", [9, 2, 2 - 2 * STANDING_STILL], {**ROWS, MOMENTUM: 0.5})
    other = single("c", [9, 2, 1], {**ROWS, **LINEAR})
    return experiment(single("a", [9, 2, 2], ROWS, gradients=fading(VANISHED)), worse, other)


@fires("stuck", "rows", subject="a", loss=2.0, better=("b", 1.979))
def another_run_shows_that_the_network_could_do_better() -> ExperimentResults:
    better = single("b", [9, 2, 1.979], {**ROWS, MOMENTUM: 0.5})
    return experiment(single("a", [9, 2, 2], ROWS, gradients=fading(VANISHED)), better)


@fires("stuck", "rows", subject="a", loss=2.0, better=("a", 1.0))
@silent("stuck-points")
def the_run_itself_was_lower_on_the_way() -> ExperimentResults:
    gradients = np.vstack([fading(0.0)[:1], np.zeros((4, 8))])
    return experiment(single("a", [9, 1, 2, 2, 2], ROWS, gradients=gradients), budgets=(4,))


@fires("stuck-points", "", count=1, subjects=(("a", 1.0),), lowest=2.0)
def one_point_of_several_rows_is_stuck_where_another_gets_lower() -> ExperimentResults:
    moving = sweep("a", RATE, {2.0: [9, 5, 1]}, ROWS).rows
    stopped = sweep("a", RATE, {1.0: [9, 2, 2]}, ROWS, gradients=fading(0.0)).rows
    return experiment(Made("a", moving + stopped))


@silent("stuck-points")
def points_of_several_rows_that_all_end_level() -> ExperimentResults:
    curves = {1.0: [9, 2, 2], 2.0: [9, 2, 2]}
    return experiment(sweep("a", RATE, curves, ROWS, gradients=fading(0.0)))


@fires("stuck-points", "", count=2, subjects=(("from", ("a", 2.0)),), lowest=2.0)
def all_points_from_a_value_on_are_stuck() -> ExperimentResults:
    curves = {4.0: [9, 3, 3], 2.0: [9, 2, 2]}
    stopped = sweep("a", RATE, curves, gradients=fading(0.0)).rows
    return experiment(Made("a", sweep("a", RATE, {1.0: [9, 5, 1]}).rows + stopped))


@fires("stuck", "sigmoid", slope=0.25 * 0.75, outputs=(0.25, 0.9))
def the_slope_of_the_sigmoid() -> ExperimentResults:
    outputs = np.broadcast_to([[0.25, 0.9]], (3, 1, 2))
    return experiment(single("a", [9, 2, 2], gradients=fading(0.0), outputs=outputs))


@silent("stuck")
def the_gradient_has_not_quite_vanished() -> ExperimentResults:
    return experiment(single("a", [9, 2, 2], gradients=fading(nextafter(VANISHED, 1))))


@silent("stuck", "stuck-points")
def the_gradient_has_vanished_at_the_floor() -> ExperimentResults:
    first = 1.0
    made = single("a", [first, 0.5, FAR_FROM_FLOOR * first], gradients=fading(0.0))
    curves = {0.5: [first, 0.5, FAR_FROM_FLOOR * first]}
    return experiment(made, sweep("b", RATE, curves, gradients=fading(0.0)))


@fires("stuck", "sigmoid")
def the_gradient_has_vanished_just_above_the_floor() -> ExperimentResults:
    last = nextafter(FAR_FROM_FLOOR, 1)
    return experiment(single("a", [1, last, last], gradients=fading(0.0)))


@silent("stuck")
def the_loss_still_moved_in_the_second_half() -> ExperimentResults:
    before = 2 * (1 + nextafter(STANDING_STILL, 1))
    return experiment(single("a", [9, before, 2], gradients=fading(0.0)))


@fires("stuck", "sigmoid", loss=2.0)
def the_loss_hardly_moved_in_the_second_half() -> ExperimentResults:
    before = 2 * (1 + STANDING_STILL / 2)
    return experiment(single("a", [9, before, 2], gradients=fading(0.0)))


def stuck_at(count: int) -> ExperimentResults:
    curves = {float(rate): [9.0, float(rate), float(rate)] for rate in range(1, count + 1)}
    moving = sweep("a", RATE, {100.0: [9, 5, 1], 200.0: [9, 5, 1]}).rows
    stopped = sweep("a", RATE, curves, gradients=fading(0.0)).rows
    return experiment(Made("a", moving + stopped))


@fires(
    "stuck-points",
    "",
    subjects=tuple(("a", float(r)) for r in range(1, 10)),
    count=9,
    total=11,
    budget=2,
)
def many_stuck_points() -> ExperimentResults:
    return stuck_at(9)


# --- overshoot ---------------------------------------------------------------------------------


@fires("overshoot", subject="a", round=2, updates=1, lowest=1.0, budget=2, final=1.5000000000000002)
def the_loss_ends_just_too_far_above_its_lowest() -> ExperimentResults:
    return experiment(single("a", [9, 1, nextafter(OVERSHOOT, 2)]))


@fires("overshoot", "start", subject="a", updates=0, lowest=1.0, final=2.0)
def a_loss_that_is_never_lower_than_before_training() -> ExperimentResults:
    return experiment(single("a", [1.0, 1.5, 2.0]))


@silent("overshoot")
def the_loss_ends_just_near_enough_to_its_lowest() -> ExperimentResults:
    return experiment(single("a", [9, 1, OVERSHOOT]))


@silent("overshoot")
def the_loss_is_lowest_at_the_end() -> ExperimentResults:
    return experiment(single("a", [9, 8, 1]))


@fires("overshoot", final=FLOOR_BELOW_ZERO + 0.0016, lowest=FLOOR_BELOW_ZERO + 0.001)
def an_overshoot_is_measured_from_the_floor() -> ExperimentResults:
    low, end = FLOOR_BELOW_ZERO + 0.001, FLOOR_BELOW_ZERO + 0.0016
    return experiment(single("a", [0.2, low, end], MSE_BELOW_ZERO))


@silent("overshoot")
def a_small_rise_above_a_floor() -> ExperimentResults:
    low, end = FLOOR_BELOW_ZERO + 0.001, FLOOR_BELOW_ZERO + 0.0014
    return experiment(single("a", [0.2, low, end], MSE_BELOW_ZERO))


@silent("overshoot")
def a_rise_within_rounding() -> ExperimentResults:
    return experiment(single("a", [0.2, 0, 1e-9], {"dtype": "float32"}))


# --- common measure ----------------------------------------------------------------------------


def outputs_of(*values: float) -> np.ndarray:
    return np.broadcast_to(np.array([values]), (3, 1, 2))


def measured_alike(mine: tuple[float, float], theirs: tuple[float, float]) -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1], outputs=outputs_of(*theirs)),
        single("b", [3, 2, 9], BCE, outputs=outputs_of(*mine)),
    )


@fires(
    "common-measure",
    "lower",
    subject="b",
    other="a",
    value=0.5 * 0.25**2,
    other_value=0.5 * 0.5**2,
)
def the_other_loss_comes_closer() -> ExperimentResults:
    return measured_alike((0.5, 0.0625), (0.75, 0.0625))


@fires("common-measure", "higher", value=0.5 * 0.5**2, other_value=0.5 * 0.25**2)
def the_other_loss_stays_away() -> ExperimentResults:
    return measured_alike((0.75, 0.0625), (0.5, 0.0625))


@fires("common-measure", "equal")
def both_losses_come_equally_close() -> ExperimentResults:
    return measured_alike((0.5, 0.0625), (0.0, 0.0625))


@fires("common-measure", "lower", value=0.0, other_value=1.0)
def the_other_loss_comes_closer_on_several_rows() -> ExperimentResults:
    rows = {"data.inputs": [[0.5, 0.3]] * 3, "data.targets": [[0.25, 0.0625]] * 3}
    return experiment(
        single("a", [3, 2, 1], rows),
        single("b", [3, 2, 0], {**rows, **BCE}),
    )


@fires("common-measure", "higher", value=1.0, other_value=0.0)
def the_other_loss_stays_away_on_several_rows() -> ExperimentResults:
    rows = {"data.inputs": [[0.5, 0.3]] * 3, "data.targets": [[0.25, 0.0625]] * 3}
    return experiment(
        single("a", [3, 2, 0], {**rows, **BCE}),
        single("b", [3, 2, 1], rows),
    )


@silent("common-measure")
def two_losses_on_different_targets() -> ExperimentResults:
    other = single("b", [3, 2, 1], {**BCE, "data.targets": [[0.25, 0.5]]})
    return experiment(single("a", [3, 2, 1]), other)


@silent("common-measure", "different-losses")
def one_loss_on_one_target() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 0.5], {MOMENTUM: 0.5}))


@silent("common-measure")
def a_loss_whose_outputs_are_margins() -> ExperimentResults:
    other = single("b", [3, 2, 1], {"loss": "soft_margin", **LINEAR})
    return experiment(single("a", [3, 2, 1]), other)


@fires("common-measure", "lower", value=0.0, other_value=1.0)
def a_loss_whose_outputs_are_logits() -> ExperimentResults:
    logits = np.broadcast_to(np.log([0.25 / 0.75, 0.0625 / 0.9375]), (3, 1, 2))
    changes = {"loss": "bce_with_logits", **LINEAR}
    other = single("b", [3, 2, 1], changes, outputs=logits)
    return experiment(single("a", [3, 2, 1]), other)


@fires("worse-than-start", subjects=(("a", 1.0), ("a", 3.0)), count=2, total=3)
def two_values_with_a_better_one_between() -> ExperimentResults:
    return experiment(sweep("a", RATE, {1.0: [9, 5, 10], 2.0: [9, 1, 1], 3.0: [9, 1, 10]}))


@silent("common-measure", "different-losses")
def a_refused_loss_has_no_measure() -> ExperimentResults:
    refused = single("b", [], BCE, rounds=2, kind="refused", message="RuntimeError: no")
    return experiment(single("a", [3, 2, 1]), refused)


def beside_another_loss(*others: Made) -> ExperimentResults:
    apart = single("x", [3, 2, 0.1], BCE)
    return experiment(*others, apart, budgets=(1, 2))


@fires("different-losses", losses=("mse", "bce"))
def values_of_different_losses() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], BCE))


LOGITS = {"loss": "bce_with_logits", "network.activations": ["sigmoid", "identity"]}
CLASSES = {"data": {"inputs": [[0.5, 0.3]], "targets": [[0, 1]]}}
ENTROPY = {
    **CLASSES,
    "loss": "cross_entropy",
    "network.activations": ["sigmoid", "identity"],
}
DIVERGENCE = {
    **CLASSES,
    "loss": "kl_div",
    "network.activations": ["sigmoid", "log_softmax"],
}


@silent("different-losses", "common-measure", "several-changes")
def bce_of_logits_is_bce_of_their_sigmoid() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1], BCE), single("b", [3, 2, 1.5], LOGITS))


@silent("different-losses", "several-changes")
def divergence_from_one_class_is_cross_entropy() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1], ENTROPY), single("b", [3, 2, 1.5], DIVERGENCE))


@silent("different-losses")
def smooth_l1_is_huber_with_a_bend_at_1() -> ExperimentResults:
    smooth = single("a", [3, 2, 1], {"loss": "smooth_l1"})
    return experiment(smooth, single("b", [3, 2, 1.5], {"loss": "huber"}))


@fires("different-losses", losses=("cross_entropy", "kl_div"))
@fires("several-changes", keys=("network.activations", "loss"), count=2)
def divergence_from_shares_is_not_cross_entropy() -> ExperimentResults:
    shares = {"data": {"inputs": [[0.5, 0.3]], "targets": [[0.25, 0.75]]}}
    return experiment(
        single("a", [3, 2, 1], {**ENTROPY, **shares}),
        single("b", [3, 2, 1.5], {**DIVERGENCE, **shares}),
    )


@fires("different-losses", losses=("mse", "bce"))
def one_of_each_quantity_is_named() -> ExperimentResults:
    logits = single("c", [3, 2, 1], LOGITS)
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], BCE), logits)


# --- divergence --------------------------------------------------------------------------------


@fires("diverged", subjects=(("a", 2),), count=1)
def one_run_diverges() -> ExperimentResults:
    return experiment(single("a", [3, 9], rounds=5, kind="diverged"))


@fires("diverged", "all", subjects=((("a", 1.0), 2), (("a", 2.0), 2)), count=2)
def two_runs_diverge() -> ExperimentResults:
    return experiment(
        sweep("a", RATE, {1.0: [3, 9], 2.0: [3, 99]}, rounds=5, kind="diverged"),
    )


@silent("diverged")
def all_runs_end_as_they_should() -> ExperimentResults:
    return experiment(single("a", [3, 9, 99]))


# --- starts that differ ------------------------------------------------------------------------


@fires(
    "start-differs",
    subject="b",
    other="a",
    start=101.01,
    other_start=100.0,
    budget=1,
    left=10 / 101.01,
    other_left=50 / 100,
)
def a_start_that_is_just_too_different() -> ExperimentResults:
    just = 100 * (1 + OTHER_START) + 0.01
    other = single("b", [just, 10, 1], {MOMENTUM: 0.5})
    return experiment(single("a", [100, 50, 1]), other, budgets=(1, 2))


@silent("start-differs")
def a_start_that_is_near_enough() -> ExperimentResults:
    other = single("b", [100 * (1 + OTHER_START), 10, 1], {MOMENTUM: 0.5})
    return experiment(single("a", [100, 50, 1]), other)


@silent("start-differs")
def equal_starts_above_different_floors() -> ExperimentResults:
    one = single("a", [0.5, 0.3, 0.3], {**MSE_BELOW_ZERO, "data.targets": [[0.25, -0.7]]})
    changes = {"data.targets": [[0.25, -0.7]], "network.activations": ["sigmoid", "identity"]}
    return experiment(one, single("b", [0.5, 0.1, 0.1], changes))


@silent("start-differs", "threshold")
def starts_of_losses_that_are_not_comparable() -> ExperimentResults:
    return experiment(single("a", [100, 50, 1]), single("b", [5, 10, 1], BCE))


# --- symmetry ----------------------------------------------------------------------------------


def twins(changes: dict[str, Any] | None = None) -> np.ndarray:
    """Weights [3, 8] in which h1 and h2 are equal, in and out."""
    first = np.array([0.1, 0.2, 0.1, 0.2, 0.3, 0.3, 0.4, 0.4])
    return first + np.arange(3)[:, None] * 0.1


@fires("symmetry", subject="a", units=("h1", "h2"), rounds=2, scheme="zeros")
def hidden_units_that_stay_equal() -> ExperimentResults:
    zeros = {"initial": {"scheme": "zeros"}}
    return experiment(single("a", [3, 2, 1], zeros, weights=twins()))


@silent("symmetry")
def hidden_units_that_part_in_the_last_round() -> ExperimentResults:
    weights = twins()
    weights[2, 0] += 1.01 * ROUNDING * UNIT * weights.max()
    return experiment(single("a", [3, 2, 1], weights=weights))


@fires("symmetry", units=("h1", "h2"))
def hidden_units_that_rounding_sets_apart() -> ExperimentResults:
    weights = twins()
    weights[2, 0] += 0.9 * ROUNDING * UNIT * weights.max()
    return experiment(single("a", [3, 2, 1], weights=weights))


@silent("symmetry")
def hidden_units_that_differ_at_first_and_grow_large() -> ExperimentResults:
    weights = twins()
    weights[2] = 1e9
    weights[0, 0] += 0.5
    return experiment(single("a", [3, 2, 1], weights=weights))


@silent("symmetry")
def hidden_units_with_other_ways_out() -> ExperimentResults:
    weights = twins()
    weights[:, 5] += 1
    return experiment(single("a", [3, 2, 1], weights=weights))


@silent("symmetry")
def hidden_units_with_different_biases() -> ExperimentResults:
    first = np.array([0.1, 0.2, 0.1, 0.2, 0.7, 0.8, 0.3, 0.3, 0.4, 0.4, 0, 0])
    weights = first + np.arange(3)[:, None] * 0.1
    return experiment(single("a", [3, 2, 1], {"network.bias": "trained"}, weights=weights))


@fires("symmetry", units=("h1", "h2"))
def hidden_units_with_equal_biases() -> ExperimentResults:
    first = np.array([0.1, 0.2, 0.1, 0.2, 0.7, 0.7, 0.3, 0.3, 0.4, 0.4, 0, 0])
    weights = first + np.arange(3)[:, None] * 0.1
    return experiment(single("a", [3, 2, 1], {"network.bias": "trained"}, weights=weights))


@silent("symmetry")
def one_hidden_unit_has_no_twin() -> ExperimentResults:
    narrow = {
        "network.layers": [2, 1, 2],
        "initial": {"scheme": "zeros"},
    }
    return experiment(single("a", [3, 2, 1], narrow))


# --- random starts -----------------------------------------------------------------------------

THREE = ([9, 5, 1], [9, 5, 2], [9, 5, 6])


@fires(
    "spread",
    "",
    count=3,
    ended=0,
    mean=3.0,
    deviation=stdev([1, 2, 6]),
    median=2.0,
    lowest=1.0,
    highest=6.0,
)
@silent("single-start")
def three_random_starts() -> ExperimentResults:
    return experiment(starts("a", THREE))


@fires("spread", "ended", count=2, ended=1, mean=1.5, deviation=stdev([1, 2]))
def a_random_start_that_ended() -> ExperimentResults:
    losses = ([9, 5, 1], [9, 5, 2], [9, 99])
    kinds = ("completed", "completed", "diverged")
    return experiment(starts("a", losses, rounds=2, kinds=kinds))


@fires("spread", "lost", ended=2, total=3)
def too_few_random_starts_are_left() -> ExperimentResults:
    losses = ([9, 5, 1], [9, 99], [9, 99])
    return experiment(starts("a", losses, rounds=2, kinds=("completed", "diverged", "diverged")))


@silent("spread", "paired-starts", "place-among-starts")
def one_start_has_no_spread() -> ExperimentResults:
    return experiment(single("a", [9, 5, 1]), starts("b", ([9, 5, 2],)))


@fires(
    "place-among-starts",
    "inside",
    subject="g",
    starts="r",
    loss=2.0,
    median=2.0,
    better=1,
    count=3,
    share=1 / 3,
)
def a_start_as_good_as_some() -> ExperimentResults:
    return experiment(single("g", [9, 5, 2]), starts("r", THREE))


@fires("place-among-starts", "inside", better=0)
def a_start_as_good_as_the_best() -> ExperimentResults:
    return experiment(single("g", [9, 5, 1]), starts("r", THREE))


@fires("place-among-starts", "below", better=0, count=3)
def a_start_better_than_all() -> ExperimentResults:
    return experiment(single("g", [9, 5, 1 - 1.001 * 9 * NO_ODDS]), starts("r", THREE))


@fires("place-among-starts", "inside", better=0)
def a_start_hardly_better_than_all() -> ExperimentResults:
    return experiment(single("g", [9, 5, 1 - 0.999 * 9 * NO_ODDS]), starts("r", THREE))


@fires("place-among-starts", "above", better=3, share=1.0)
def a_start_worse_than_all() -> ExperimentResults:
    return experiment(single("g", [9, 5, 6 + 1.001 * 9 * NO_ODDS]), starts("r", THREE))


@fires("place-among-starts", "other", subject="z", loss=2.0, share=1 / 3, count=3)
def zeros_with_a_given_start_beside_them() -> ExperimentResults:
    zeros = single("z", [9, 5, 2], {"initial": {"scheme": "zeros"}})
    return experiment(single("g", [9, 5, 3]), zeros, starts("r", THREE))


@fires("place-among-starts", "inside", subject="z", loss=2.0)
def zeros_without_a_given_start_beside_them() -> ExperimentResults:
    zeros = single("z", [9, 5, 2], {"initial": {"scheme": "zeros"}})
    return experiment(zeros, starts("r", THREE))


@silent("place-among-starts")
def random_starts_that_differ_in_the_bias_too() -> ExperimentResults:
    changes = {"network.bias": "trained"}
    return experiment(single("g", [9, 5, 2]), starts("r", THREE, changes))


@silent("place-among-starts", "several-changes")
def random_starts_that_have_all_ended() -> ExperimentResults:
    ended = starts("r", ([9, 99], [9, 99]), rounds=2, kinds=("diverged", "diverged"))
    return experiment(single("g", [9, 5, 2]), ended)


def paired(count: int, *differences: float) -> ExperimentResults:
    """So many pairs of starts whose losses differ by these numbers in turn."""
    last = [1.0 + differences[seed % len(differences)] for seed in range(count)]
    return experiment(
        starts("a", [[9, 5, 1.0]] * count),
        starts("b", [[9, 5, loss] for loss in last], {"network.bias": "trained"}),
    )


@fires(
    "paired-starts",
    "lower-all",
    subject="b",
    other="a",
    count=6,
    lower=6,
    median=-0.375,
    low=-0.5,
    high=-0.25,
    coverage=1 - 2 / 2**6,
    p=2 / 2**6,
    least=2 / 2**6,
)
def just_enough_pairs_that_are_lower() -> ExperimentResults:
    return paired(6, -0.5, -0.25)


@fires("paired-starts", "few", count=5, lower=5, least=2 / 2**5, level=SIGNIFICANCE)
def one_pair_too_few() -> ExperimentResults:
    return paired(5, -0.5, -0.25)


@fires("paired-starts", "level", count=9, lower=5, even=4, least=2 / 2**5)
def enough_pairs_but_too_few_that_differ() -> ExperimentResults:
    return paired(9, -0.5, 0.0)


@fires("paired-starts", "same", count=9, lower=0, even=9)
def pairs_that_differ_by_what_makes_no_odds() -> ExperimentResults:
    return paired(9, -0.5 * NO_ODDS * 9, 0.99 * NO_ODDS * 9)


@fires("paired-starts", "lower-all", count=9, lower=9, even=0)
def pairs_that_differ_by_hardly_more() -> ExperimentResults:
    return paired(9, -1.01 * NO_ODDS * 9)


@fires("paired-starts", "higher-all", lower=0, p=2 / 2**40)
def pairs_that_are_higher() -> ExperimentResults:
    return paired(40, 0.5, 0.25)


@fires("paired-starts", "higher-sure", count=40, lower=1)
def pairs_of_which_all_but_one_are_higher() -> ExperimentResults:
    return experiment(
        starts("a", [[9, 5, 2.0]] * 40),
        starts("b", [[9, 5, 1.0], *[[9, 5, 3.0]] * 39], {"network.bias": "trained"}),
    )


@fires("paired-starts", "lower-sure", count=40, lower=39)
def pairs_of_which_all_but_one_are_lower() -> ExperimentResults:
    return paired(40, *[-0.5] * 39, 0.5)


# Of 20 pairs, 17 to 3 has p = 0.0026, and 18 to 2 p = 0.0004.
@fires("paired-starts", "higher", lower=3, p=2 * 1351 / 2**20)
def pairs_that_are_mostly_higher() -> ExperimentResults:
    return paired(20, *[-0.5] * 3, *[0.5] * 17)


@fires("paired-starts", "higher-sure", lower=2, p=2 * 211 / 2**20)
def pairs_that_are_higher_but_for_two() -> ExperimentResults:
    return paired(20, *[-0.5] * 2, *[0.5] * 18)


@fires("paired-starts", "same", count=6, untied=0)
@silent("pairs-needed")
def pairs_that_are_all_level() -> ExperimentResults:
    return paired(6, 0.0, 1e-7)


@fires("goes-on", subjects=("b",), budget=2)
@silent("still-falling")
def a_variant_that_is_trained_for_longer() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1, 0.75, 0.5]), budgets=(2,))


@silent("goes-on")
def a_longer_variant_that_ended_early() -> ExperimentResults:
    longer = single("b", [3, 2, 1], rounds=4, kind="diverged")
    return experiment(single("a", [3, 2, 1]), longer, budgets=(2,))


@silent("goes-on")
def variants_that_are_trained_as_long() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], {MOMENTUM: 0.5}))


@silent("rises")
def losses_that_rise_by_rounding_alone() -> ExperimentResults:
    last = 1 + ROUNDING * float(np.finfo(float).eps)
    return experiment(sweep("a", RATE, {0.5: [9, 5, 1], 1.0: [9, 1, last]}))


@silent("silent-weights")
def a_run_that_starts_at_its_floor() -> ExperimentResults:
    still = {"weights": np.ones((3, 8)), "gradients": np.zeros((3, 8))}
    return experiment(single("a", [0, 0, 0], **still))


@silent("stuck")
def weights_that_decay_bring_down_more_than_the_loss() -> ExperimentResults:
    decays = {"optimizer.weight_decay": 0.1}
    return experiment(single("a", [9, 2, 2], decays, gradients=fading(VANISHED)))


@fires("paired-starts", "open", lower=20, count=40, p=1.0)
def pairs_that_are_now_lower_now_higher() -> ExperimentResults:
    return paired(40, 0.5, -0.5)


# Of 20 pairs, 15 to 5 has p = 0.0414 and 14 to 6 has p = 0.1153.
@fires("paired-starts", "lower", lower=15, p=2 * 21_700 / 2**20)
def just_uneven_enough() -> ExperimentResults:
    return paired(20, -0.5, -0.5, -0.5, 0.5)


@fires("paired-starts", "open", lower=14, p=2 * 60_460 / 2**20)
def not_quite_uneven_enough() -> ExperimentResults:
    return paired(20, *[-0.5] * 14, *[0.5] * 6)


@silent("paired-starts")
def pairs_of_different_losses() -> ExperimentResults:
    losses = [[9, 5, 1.0]] * 40
    return experiment(starts("a", losses), starts("b", losses, BCE))


@fires("single-start", "given", count=2, budget=2)
def all_from_one_given_start() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], {MOMENTUM: 0.5}))


@fires("single-start", "", count=2)
def one_given_start_and_one_random_one() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), starts("b", ([3, 2, 1],)))


@fires("single-start", "", count=2)
def two_given_starts() -> ExperimentResults:
    zeros = single("b", [3, 2, 1], {"initial": {"scheme": "zeros"}})
    return experiment(single("a", [3, 2, 1]), zeros)


@silent("single-start", "spread")
def a_sweep_with_several_starts_at_each_value() -> ExperimentResults:
    rows = []
    for rate in (0.5, 1.0):
        for _, seed, configuration, run in starts("a", THREE, {RATE: rate}).rows:
            rows.append((((RATE, rate),), seed, configuration, run))
    return experiment(Made("a", tuple(rows)))


# --- targets and floors ------------------------------------------------------------------------


@fires(
    "unreachable-target",
    "some",
    subjects=("a",),
    unit=("o2",),
    target=-0.07,
    nearest=0.0,
    floor=pytest.approx(FLOOR_BELOW_ZERO),
    low=0.0,
    high=1.0,
)
def one_variant_cannot_reach_the_target() -> ExperimentResults:
    other = {**MSE_BELOW_ZERO, "network.activations": ["sigmoid", "identity"]}
    return experiment(single("a", [3, 2, 1], MSE_BELOW_ZERO), single("b", [3, 2, 1], other))


@fires("unreachable-target", "some-half", subjects=("a",), low=0.0)
def a_half_open_range_misses_the_target() -> ExperimentResults:
    other = {**MSE_BELOW_ZERO, **LINEAR}
    return experiment(
        single("a", [3, 2, 1], {**MSE_BELOW_ZERO, **RELU}), single("b", [3, 2, 1], other)
    )


@silent("unreachable-target")
def no_variant_can_reach_the_target() -> ExperimentResults:
    # What holds for all of them stands with the base, once.
    return experiment(
        single("a", [3, 2, 1], MSE_BELOW_ZERO),
        single("b", [3, 2, 1], {**MSE_BELOW_ZERO, MOMENTUM: 0.5}),
    )


@silent("unreachable-target")
def a_target_at_the_end_of_the_range() -> ExperimentResults:
    at_end = {"data.targets": [[1.0, 0.0]]}
    return experiment(single("a", [3, 2, 1], at_end), single("b", [3, 2, 1], {**at_end, **LINEAR}))


def entropy(*targets: float) -> float:
    """Mean binary entropy in nats."""
    terms = [-t * log(t) - (1 - t) * log(1 - t) for t in targets]
    return sum(terms) / len(terms)


@fires(
    "floor-above-zero",
    "",
    subject="a",
    loss="bce",
    floor=pytest.approx(entropy(0.25, 0.0625), rel=1e-12),
    value=1.0,
)
def a_cross_entropy_above_the_entropy() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1], BCE))


@fires("floor-above-zero", "reached", floor=pytest.approx(entropy(0.25, 0.0625), rel=1e-12))
def a_cross_entropy_at_the_entropy() -> ExperimentResults:
    return experiment(single("a", [3, 2, entropy(0.25, 0.0625)], BCE))


@silent("floor-above-zero")
def a_squared_error_can_be_nothing() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]))


@silent("floor-above-zero")
def a_cross_entropy_of_certain_targets() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1], {**BCE, "data.targets": [[1.0, 0.0]]}))


@silent("floor-above-zero")
def the_best_logit_is_not_the_target() -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1], {"loss": "bce_with_logits", **LINEAR}),
        single("b", [3, 2, 1], {"loss": "poisson_nll", **LINEAR}),
        single("c", [3, 2, 1], {"loss": "cross_entropy", **LINEAR}),
    )


@silent("floor-above-zero")
def the_target_is_no_point_of_the_simplex() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1], {"network.activations": ["sigmoid", "softmax"]}))


SLACK = ROUNDING * float(np.finfo(np.float64).eps) * 1e-3


@silent("threshold", "overshoot", "stuck")
def losses_without_a_floor() -> ExperimentResults:
    changes = {"loss": "kl_div", **LINEAR}
    return experiment(
        single("a", [3, 1, 2], changes, gradients=fading(0.0)),
        single("b", [3, 1, 2], {**changes, MOMENTUM: 0.5}),
    )


# --- ranking and thresholds --------------------------------------------------------------------


@fires(
    "threshold",
    "all",
    level=pytest.approx(0.1),
    reference="a",
    first="b",
    quick=1,
    last="a",
    slow=2,
    never=(),
)
def all_get_most_of_the_way() -> ExperimentResults:
    other = single("b", [1, 0.999 * NINE_TENTHS, 0.01], {MOMENTUM: 0.5})
    return experiment(single("a", [1, 1.001 * NINE_TENTHS, 0.01]), other)


@fires("threshold", "only", first="a", quick=1, never=("b",))
def one_gets_most_of_the_way_and_does_not_stay() -> ExperimentResults:
    other = single("b", [1, 0.01, 1.001 * NINE_TENTHS], {MOMENTUM: 0.5})
    return experiment(single("a", [1, 0.999 * NINE_TENTHS, 0.01]), other)


@fires("threshold", "only", first="a", quick=2, never=("b",), rounds=2)
def one_does_not_get_most_of_the_way() -> ExperimentResults:
    other = single("b", [1, 0.5, 1.001 * NINE_TENTHS], {MOMENTUM: 0.5})
    return experiment(single("a", [1, 0.5, 0.01]), other)


@fires("threshold", "some", first="b", quick=1, last="a", slow=2, never=("c",), rounds=2)
def two_of_three_get_most_of_the_way() -> ExperimentResults:
    return experiment(
        single("a", [1, 0.5, 0.01]),
        single("b", [1, 0.01, 0.01], {MOMENTUM: 0.5}),
        single("c", [1, 0.5, 0.2], {MOMENTUM: 0.6}),
    )


def _back_for_a_moment(*others: Made) -> ExperimentResults:
    """Two that come down for good, and one that comes down first and rises for one round."""
    back = single("c", [1, 0.01, 0.01, 0.2, 0.01], {MOMENTUM: 0.6})
    steady = single("b", [1, 0.5, 0.5, 0.01, 0.01], {MOMENTUM: 0.5})
    first = single("a", [1, 0.5, 0.01, 0.01, 0.01])
    return experiment(first, steady, back, *others, budgets=(4,))


@fires("threshold", "again", first="a", quick=2, last="b", slow=3, again=("c",), never=())
def one_of_three_rises_again() -> ExperimentResults:
    return _back_for_a_moment()


@fires("threshold", "both", first="a", quick=2, last="b", slow=3, again=("c",), never=("d",))
def one_rises_again_and_another_does_not_come_down() -> ExperimentResults:
    return _back_for_a_moment(single("d", [1, 0.5, 0.5, 0.5, 0.5], {MOMENTUM: 0.7}))


@fires("threshold", "all", first="a", quick=2, last="c", slow=4)
def a_loss_that_swings_about_the_level_stays_there_soon_after() -> ExperimentResults:
    swings = single("c", [1, 0.5, 0.01, 0.2, 0.01], {MOMENTUM: 0.6})
    return experiment(single("a", [1, 0.5, 0.01, 0.01, 0.01]), swings, budgets=(4,))


@silent("threshold")
def only_one_of_two_stays() -> ExperimentResults:
    back = single("c", [1, 0.01, 0.01, 0.2, 0.01], {MOMENTUM: 0.6})
    return experiment(single("a", [1, 0.5, 0.01, 0.01, 0.01]), back, budgets=(4,))


@silent("threshold")
def nobody_gets_most_of_the_way() -> ExperimentResults:
    return experiment(single("a", [1, 0.5, 0.2]), single("b", [1, 0.5, 0.3], {MOMENTUM: 0.5}))


# --- changes and moves -------------------------------------------------------------------------


@fires("several-changes", subject="b", other="a", keys=("network.bias", "optimizer.momentum"))
def two_changes_at_once() -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1]),
        single("b", [3, 2, 1.5], {"network.bias": "none", MOMENTUM: 0.5}),
    )


@silent("several-changes")
def a_new_optimizer_is_one_change() -> ExperimentResults:
    adam = {"optimizer.name": "adam"}
    return experiment(single("a", [3, 2, 1], {MOMENTUM: 0.5}), single("b", [3, 2, 1.5], adam))


@silent("several-changes")
def a_new_start_has_weights_and_biases() -> ExperimentResults:
    biases = {"network.bias": "trained"}
    given = {
        **biases,
        "initial.weights": [[[1, 1], [1, 1]]] * 2,
        "initial.biases": [[1, 1], [1, 1]],
    }
    drawn = {**biases, "initial.scheme": "pytorch"}
    return experiment(single("a", [3, 2, 1], drawn), single("b", [3, 2, 1.5], given))


@fires(
    "several-changes",
    keys=("optimizer.name", "optimizer.betas"),
    subject="b",
    other="a",
    count=2,
)
def a_new_optimizer_with_a_value_that_is_not_its_default() -> ExperimentResults:
    adam = {"optimizer.name": "adam", "optimizer.betas": [0.5, 0.5]}
    return experiment(single("a", [3, 2, 1], {MOMENTUM: 0.5}), single("b", [3, 2, 1.5], adam))


@silent("several-changes")
def a_new_start_with_values_that_are_not_its_defaults() -> ExperimentResults:
    normal = {
        "initial.scheme": "normal",
        "initial.mean": -2.0,
        "initial.standard_deviation": 1000.0,
    }
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1.5], normal))


@silent("several-changes")
def two_changes_from_the_first_but_one_from_the_reference() -> ExperimentResults:
    one = {"network.bias": "none"}
    return experiment(
        single("a", [3, 2, 1]),
        single("b", [3, 2, 1.5], one),
        single("c", [3, 2, 1.25], {**one, MOMENTUM: 0.5}, against="b"),
    )


# --- gradient checks ---------------------------------------------------------------------------


@fires("gradients-agree", rounds=4, count=8)
@fires("right-formula", labels=("right",), count=1, total=1)
@silent("wrong-formula", "falling-loss", "shown-decimals")
def the_chain_rule_written_out() -> ExperimentResults:
    return check("right")


@fires("gradients-agree", "apart")
def autograd_that_is_wrong() -> ExperimentResults:
    return check(shift=1e-4)


@fires("gradients-agree")
def autograd_that_is_right_but_for_rounding() -> ExperimentResults:
    return check(shift=1e-9)


@fires("clamped-gradients", count=4, total=4)
@fires("right-formula", labels=("output",), count=1, total=1)
@silent("gradients-agree")
def outputs_that_torch_clamps() -> ExperimentResults:
    weights = ((0.2, 0.5), (-0.4, 0.6)), ((-60.0, -60.0), (0.1, 0.2))
    return check(
        "output",
        changes={
            "loss": "bce",
            "dtype": "float64",
            "initial": {"scheme": "given", "weights": weights},
            "data": {"inputs": ((0.5, 0.3),), "targets": ((1.0, 0.5),)},
            "optimizer": {"name": "sgd", "learning_rate": 1e-6},
        },
    )


@fires("open-formula", label="nothing", weights=("w1",), count=1)
@silent("clamped-gradients", "right-formula")
def an_input_of_0_shows_nothing_of_its_weights() -> ExperimentResults:
    data = {"inputs": ((0.0, 0.3),), "targets": ((0.23, 0.1),)}
    return check("nothing", changes={"data": data})


@silent("open-formula")
def an_input_that_is_not_0_shows_it() -> ExperimentResults:
    return check("nothing", "right")


@silent("gradients-agree", "right-formula", "wrong-formula", "falling-loss", "shown-decimals")
def a_comparison_checks_no_gradients() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1], {MOMENTUM: 0.5}))


@fires("wrong-formula", "plain", label="summed", weight=("w1",), round=1)
@fires("falling-loss", "", count=1, budget=3)
@fires("shown-decimals", "shown", shown=(("summed", 1),))
@fires("right-formula", "none", wrong=("summed",), count=0, total=1)
def a_wrong_formula_that_the_loss_does_not_show() -> ExperimentResults:
    return check("summed")


@fires("wrong-formula", "", label="slip", reason="another unit")
@fires("shown-decimals", "hidden", hidden=("slip",), rounds=3)
def a_wrong_formula_that_two_decimals_do_not_show() -> ExperimentResults:
    return check("slip", reason="another unit")


@fires("shown-decimals", "", shown=(("summed", 1),), hidden=("slip",))
def one_formula_is_shown_and_one_is_not() -> ExperimentResults:
    return check("summed", "slip")


@fires("falling-loss", "lower-one", lower=("double",))
def a_wrong_formula_that_trains_faster() -> ExperimentResults:
    return check("double")


@fires("falling-loss", "lower", lower=("double", "triple"))
@fires("right-formula", "some", labels=("right",), wrong=("double", "triple"), count=1, total=3)
def two_wrong_formulas_that_train_faster() -> ExperimentResults:
    return check("double", "right", "triple")


@silent("falling-loss")
def a_wrong_formula_that_climbs() -> ExperimentResults:
    return check("uphill")


for _ in (Path(__file__).parent).glob("cases_*.py"):
    import_module(_.stem)

# --- the tests ---------------------------------------------------------------------------------

BUILDS = tuple(dict.fromkeys(case.build for case in CASES))
"""Experiments, each once: several rules can have a case in one."""


def name_of(build: Build) -> str:
    return build.__name__


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule_says_just_what_is_there(case: Case) -> None:
    found = [o for o in said(case.build)[case.rule] if o.form == case.form or case.form is None]
    if case.form is None:
        assert found == []
        return
    (observation,) = found
    assert observation.rule == case.rule
    facts = {name: plain(observation.facts[name]) for name in case.facts}
    assert facts == pytest.approx(case.facts) if _numbers_only(case.facts) else facts == case.facts


def _numbers_only(facts: dict[str, Any]) -> bool:
    return all(isinstance(value, int | float) for value in facts.values())


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_every_fact_and_claim_holds_when_it_is_computed_apart(build: Build) -> None:
    known = known_of(made(build))
    for observations in said(build).values():
        for observation in observations:
            assert list(failures(observation, known)) == []


# Where a sentence has no claim, there is nothing that could be false but its facts.
WITHOUT_CLAIMS = {
    "chosen-on-test",
    "held-out-score",
    "held-out-starts",
    "kept-rounds",
    "share-right",
    "share-right-starts",
    "single-start",
    "spread",
}


@pytest.mark.parametrize("case", [c for c in CASES if c.form is not None], ids=str)
def test_measured_facts_name_their_source(case: Case) -> None:
    for observation in said(case.build)[case.rule]:
        assert observation.claims or case.rule in WITHOUT_CLAIMS
        for name, fact in observation.facts.items():
            for part in parts_of(fact):
                if isinstance(part, Number) or (isinstance(part, Share) and name not in CHOSEN):
                    assert part.source is not None, (name, part)


CHOSEN = {"share", "level", "confidence", "power"}
"""Shares that are thresholds, where a sentence has no share of the same name that is measured."""


def parts_of(fact: Any) -> Iterator[Any]:
    if isinstance(fact, tuple):
        for part in fact:
            yield from parts_of(part)
    elif isinstance(fact, With):
        yield from parts_of((fact.what, fact.detail))
    else:
        yield fact


@pytest.mark.parametrize("rule", RULES)
def test_declared_thresholds_are_those_that_claims_name(rule: str) -> None:
    named = {
        name
        for case in CASES
        if case.rule == rule and case.form is not None
        for observation in said(case.build)[rule]
        for name in thresholds_of(observation)
    }
    assert named == set(RULES[rule].thresholds)


@pytest.mark.parametrize("rule", RULES)
def test_rule_has_a_case_that_fires_and_one_that_is_silent(rule: str) -> None:
    forms = {case.form is None for case in CASES if case.rule == rule}
    assert forms == {True, False}


def test_cases_name_rules_that_exist() -> None:
    assert {case.rule for case in CASES} <= set(RULES)


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_no_case_breaks_another_rule(build: Build) -> None:
    """A case is an experiment like any other: each rule must cope with it."""
    for rule, observations in said(build).items():
        for observation in observations:
            assert observation.rule == rule
            assert 0 <= observation.relevance <= 1
            assert observation.runs >= 0


def based() -> list[Observation]:
    """What is said of a base whose last activation misses the target, by its range."""
    bases = (MSE_BELOW_ZERO, {**MSE_BELOW_ZERO, **RELU})
    found = [observation for changes in bases for observation in observe_base(base_run(changes))]
    for reached in (0.001, 1):
        tested = (base_run(MSE_BELOW_ZERO), base_run({**MSE_BELOW_ZERO, **LINEAR}, reached))
        found += [o for o in observe_base(tested[0], tested) if o.rule == "linear-reaches"]
    return found


def base_run(changes: dict[str, Any] | None = None, last: float = 1) -> Run:
    return experiment(single("base", [3, 2, last], changes)).results[0].run


def test_base_that_misses_its_target_says_so() -> None:
    assert [o.form for o in based()] == ["base", "base-half", "base", "base-open"]
    assert [plain(o.facts["floor"]) for o in based()] == pytest.approx([FLOOR_BELOW_ZERO] * 4)
    assert observe_base(base_run()) == ()


@pytest.mark.parametrize("code", ["zh", "en"])
def test_every_measured_fact_has_a_name_in_words(code: str) -> None:
    found = [o for c in CASES if c.form is not None for o in said(c.build)[c.rule]]
    found += [o for build in LABS for _, o in conclude(build())]
    names = {leaf.name for o in found for leaf in flattened(o) if leaf.is_measured}
    assert sorted(n for n in names if not language(code).has(f"fact.{n}")) == []


@pytest.mark.parametrize("code", ["zh", "en"])
def test_every_observation_has_a_sentence_and_every_sentence_an_observation(code: str) -> None:
    told: set[str] = set()
    words = language(code)
    pairs = [
        (o, made(build).plan)
        for build in BUILDS
        for o in (*observed(build), *chain.from_iterable(said(build).values()))
    ]
    pairs += [(o, plan) for build in LABS for plan, o in conclude(build())]
    pairs += [(o, experiment(single("a", [3, 2, 1])).plan) for o in based()]
    for observation, plan in pairs:
        sentence = words.sentence(observation, plan)
        assert "{" not in sentence
        assert "None" not in sentence
        assert sentence.endswith(("。", "."))
        told.add(observation.message)
    with Path(shipped("templates") / "languages" / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    written = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue}
    assert told == {key for key in written if key.startswith("observation.")}
