"""Cases of the rules on the course of a loss, of weights and of gradients, and on curvature.

Losses have 10 rounds and more here, and every curvature is that of one weight w, whose loss
(2w − 1)² has the second derivative 8 everywhere, and so a limit of 1/4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atanh, log, nextafter, sqrt
from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import MOMENTUM, RATE, Made, experiment, single, starts, sweep, trace

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import (
    EXPLODING,
    FEW_ROUNDS,
    MANY_SATURATED,
    NEAR_LIMIT,
    OFTEN_RISING,
    PLATEAU_FALL,
    PLATEAU_HEIGHT,
    PLATEAU_LENGTH,
    ROUNDING,
    SAME_ANSWER,
    SATURATED,
    STILL_FALLING,
    STRAIGHT,
    UP_AND_DOWN,
    VANISHING,
    WINDING,
)

UNIT = float(np.finfo(float).eps)
TWO_ROWS = {"data.inputs": [[0.5, 0.3], [0.0, 0.0]], "data.targets": [[0.0, 1.0], [1.0, 0.0]]}
BATCHES = {**TWO_ROWS, "data.batch_size": 1}
LINEAR = {"network.activations": "identity"}
# A loss with no lower bound: nothing is known of a floor.
BOTTOMLESS = {"loss": "hinge_embedding", "data.targets": [[1.0, -1.0]], **LINEAR}


def course(losses: list[float], changes: Any = None, **recorded: Any) -> ExperimentResults:
    """One run with these losses, compared at its end."""
    made = single("a", losses, changes, **recorded)
    return experiment(made, budgets=(made.rows[0][2].rounds,))


# --- oscillation -------------------------------------------------------------------------------

THREE_TIMES: list[float] = [9, 8, 9, 7, 8, 6, 7, 5]
assert UP_AND_DOWN == 6


@fires(
    "oscillation",
    subject="a",
    rises=(4, 10),
    turns=7,
    lowest=2.0,
    updates=9,
    final=3.0,
    budget=10,
)
def a_loss_that_goes_up_and_down() -> ExperimentResults:
    return course([*THREE_TIMES, 4, 2, 3])


@fires("oscillation", "lowest-last", rises=(3, 10), turns=UP_AND_DOWN, final=2.0)
def a_loss_that_goes_up_and_down_and_ends_lowest() -> ExperimentResults:
    return course([*THREE_TIMES, 4, 3, 2])


@fires("oscillation", "lowest-last", final=4.0)
def a_loss_that_goes_up_and_down_and_ends_as_low_as_before() -> ExperimentResults:
    return course([9, 8, 9, 7, 8, 4, 7, 5, 6, 5, 4])


@silent("oscillation")
def a_loss_that_goes_up_and_down_and_comes_to_rest() -> ExperimentResults:
    return course([*THREE_TIMES, 4, 2, 2])


@silent("oscillation")
def one_change_of_direction_too_few() -> ExperimentResults:
    return course([9, 8, 7, 6, 5, 4, 5, 3, 4, 2, 3])


def rising_thrice_in(rounds: int) -> ExperimentResults:
    return course([*THREE_TIMES, *np.linspace(4, 2, rounds - len(THREE_TIMES) + 1).tolist()])


@fires("oscillation", "lowest-last", rises=(3, 30))
def a_loss_that_rises_just_often_enough() -> ExperimentResults:
    assert OFTEN_RISING * 30 == 3
    return rising_thrice_in(30)


@silent("oscillation")
def a_loss_that_rises_just_too_rarely() -> ExperimentResults:
    return rising_thrice_in(31)


@silent("oscillation")
def a_loss_that_goes_up_and_down_in_too_few_rounds() -> ExperimentResults:
    made = course([*THREE_TIMES, 4, 3])
    assert made.last == FEW_ROUNDS - 1
    return made


@silent("oscillation")
def a_loss_that_trembles_by_rounding() -> ExperimentResults:
    return course([1 + ROUNDING * UNIT * (k % 2) for k in range(12)])


@fires("oscillation", "beside-lowest", rises=(6, 11))
def a_loss_that_trembles_by_more_than_rounding() -> ExperimentResults:
    return course([1 + (ROUNDING + 1) * UNIT * (k % 2) for k in range(12)])


@silent("oscillation")
def losses_of_different_batches_go_up_and_down() -> ExperimentResults:
    return course([*THREE_TIMES, 4, 2, 3], BATCHES)


@silent("oscillation", "still-falling", "plateau", "edge-of-stability")
@silent("same-answer", "saturated-units", "path")
def a_run_that_ended_early() -> ExperimentResults:
    return course([*THREE_TIMES, 4, 2, 3], TWO_ROWS, rounds=20, kind="diverged")


# --- still falling -----------------------------------------------------------------------------

HIGH = [9.0] * 9


def falls_by(share: float, changes: Any = None) -> ExperimentResults:
    return course([*HIGH, 1, 1 - share], changes)


@fires("still-falling", subjects=("a",), count=1, budget=10)
def a_loss_that_falls_to_the_end() -> ExperimentResults:
    return falls_by(0.5)


@fires("still-falling", "")
def a_loss_that_falls_just_enough() -> ExperimentResults:
    return falls_by(STILL_FALLING + 1e-9)


@silent("still-falling")
def a_loss_that_falls_just_too_little() -> ExperimentResults:
    return falls_by(STILL_FALLING - 1e-9)


@fires("still-falling", "loss", subjects=("a",))
def a_loss_without_a_floor_falls_to_the_end() -> ExperimentResults:
    return falls_by(0.5, BOTTOMLESS)


@silent("still-falling")
def a_loss_without_a_floor_falls_below_nothing() -> ExperimentResults:
    return course([*HIGH, -1, -2], BOTTOMLESS)


@fires("still-falling", "", count=9)
def many_falling_losses() -> ExperimentResults:
    made = [single(f"v{k}", [*HIGH, 1, 0.5 + k / 100], {MOMENTUM: k / 10}) for k in range(9)]
    return experiment(*made, budgets=(10,))


@fires("still-falling", "", subjects=("a", "b"))
def falls_stand_in_the_order_of_the_variants() -> ExperimentResults:
    other = single("b", [*HIGH, 1, 0.25], {MOMENTUM: 0.5})
    return experiment(single("a", [*HIGH, 1, 0.5]), other, budgets=(10,))


@silent("still-falling")
def a_loss_that_rose_in_its_last_tenth() -> ExperimentResults:
    return course([*HIGH, *HIGH, 1, 1.1, 0.5])


@silent("still-falling")
def a_loss_that_falls_by_rounding() -> ExperimentResults:
    small = ROUNDING * UNIT * 1e-3
    return course([*HIGH, 1.5 * small, 0.6 * small])


@fires("still-falling", "")
def a_loss_that_falls_by_more_than_rounding() -> ExperimentResults:
    small = ROUNDING * UNIT * 1e-3
    return course([*HIGH, 22.0 * small, 20.5 * small])


@silent("still-falling")
def a_loss_that_falls_so_close_to_its_floor_that_a_share_is_rounding() -> ExperimentResults:
    small = ROUNDING * UNIT * 1e-3
    return course([*HIGH, 22.0 * small, 19.5 * small])


@silent("still-falling")
def a_loss_that_falls_for_too_few_rounds() -> ExperimentResults:
    return course([9.0 - k for k in range(FEW_ROUNDS)])


@silent("still-falling", "plateau")
def two_known_losses_show_no_course() -> ExperimentResults:
    return course([9, 5, 5, 5, 5, 5, 3, 2, 1, 0.5, 0.25], BATCHES)


def batches_fall(*last: float) -> ExperimentResults:
    return course([*[9.0] * 18, *last], BATCHES)


@fires("still-falling", "batches", subjects=("a",), count=1, budget=20)
def losses_over_all_rows_fall_to_the_end() -> ExperimentResults:
    return batches_fall(1, 0.75, 0.5)


@silent("still-falling")
def a_loss_over_all_rows_rose_in_between() -> ExperimentResults:
    return batches_fall(1, 1.1, 0.5)


@fires("still-falling", "many", most=(("a", 0.3), 0.75), count=2, total=3, budget=10)
def values_of_a_sweep_that_fall_to_the_end() -> ExperimentResults:
    curves = {0.1: [*HIGH, 4, 2], 0.2: [*HIGH, 4, 4], 0.3: [*HIGH, 4, 1]}
    return experiment(sweep("a", RATE, curves), budgets=(10,))


@fires("still-falling", "many", most=(("a", 0.1), 0.5), count=1, total=2, budget=10)
def of_values_that_fall_to_the_end_one_is_near_its_floor() -> ExperimentResults:
    curves = {0.1: [*HIGH, 4, 2], 0.2: [*HIGH, 4, 0.5]}
    return experiment(sweep("a", RATE, curves), budgets=(10,))


@silent("still-falling")
def values_of_a_sweep_that_came_to_rest() -> ExperimentResults:
    curves = {0.1: [*HIGH, 1, 1], 0.2: [*HIGH, 1, 1]}
    return experiment(sweep("a", RATE, curves), budgets=(10,))


@fires("still-falling", "many", most=("r", 0.5), count=1, total=2)
def random_starts_of_which_one_falls_to_the_end() -> ExperimentResults:
    return experiment(starts("r", ([*HIGH, 4, 2], [*HIGH, 4, 4])), budgets=(10,))


@fires("still-falling", "many", count=8, total=16)
def one_of_two_variants_falls_to_the_end_from_all_starts() -> ExperimentResults:
    low, high = [[9, *[8] * 8, 4, 2]] * 8, [[*HIGH, 6, 6]] * 8
    other = starts("b", high, {"network.bias": "trained"})
    return experiment(starts("a", low), other, budgets=(10,))


# --- plateau -----------------------------------------------------------------------------------


def level(*stretch: float, last: float = 1.0, rounds: int = 12, first: float = 9.0) -> Any:
    after = rounds - len(stretch)
    return course([first, *stretch, *[last] * after])


@fires("plateau", subject="a", first=2, last=6, before=5.0, after=5.0, lowest=1.0, budget=12)
def a_level_stretch_of_a_third() -> ExperimentResults:
    assert PLATEAU_LENGTH * 12 == 4
    return level(5, 5, 5, 5, 5)


@silent("plateau")
def a_level_stretch_that_is_just_too_short() -> ExperimentResults:
    return level(5, 5, 5, 5)


@fires("plateau", first=2, last=6, before=5.0)
def a_stretch_that_is_just_level() -> ExperimentResults:
    return level(5, 5, 5, 5, 5 - 8 * PLATEAU_HEIGHT + 1e-9)


@silent("plateau")
def a_stretch_that_just_slopes() -> ExperimentResults:
    return level(5, 5, 5, 5, 5 - 8 * PLATEAU_HEIGHT - 1e-9)


@fires("plateau", first=2, last=6)
def a_level_stretch_with_enough_of_a_fall_after_it() -> ExperimentResults:
    return level(*[1 + 8 * PLATEAU_FALL + 1e-9] * 5)


@silent("plateau")
def a_level_stretch_with_too_little_of_a_fall_after_it() -> ExperimentResults:
    return level(*[1 + 8 * PLATEAU_FALL - 1e-9] * 5)


@silent("plateau")
def a_loss_that_is_level_to_the_end() -> ExperimentResults:
    return level()


@silent("plateau")
def a_loss_that_never_changes() -> ExperimentResults:
    return level(first=1.0)


@silent("plateau")
def a_fall_by_rounding_after_a_level_stretch() -> ExperimentResults:
    return level(*[1 + ROUNDING * UNIT] * 5, first=1 + (ROUNDING + 9) * UNIT)


@fires("plateau", first=2, last=6)
def a_fall_by_more_than_rounding_after_a_level_stretch() -> ExperimentResults:
    return level(*[1 + (ROUNDING + 1) * UNIT] * 5, first=1 + (ROUNDING + 9) * UNIT)


@silent("plateau")
def a_level_stretch_of_too_few_rounds() -> ExperimentResults:
    return level(5, 5, 5, 5, 5, rounds=FEW_ROUNDS - 1)


# --- curvature ---------------------------------------------------------------------------------

LINE: dict[str, Any] = {
    "data.inputs": [[2.0]],
    "data.targets": [[1.0]],
    "network.layers": [1, 1],
    "network.activations": "identity",
    "initial": {"scheme": "zeros"},
}
CURVATURE, LIMIT = 8.0, 0.25
ABOVE, BELOW = 1 + 1e-7, 1 - 1e-7
DECAY = {"optimizer.weight_decay": 2.0}
# One unit of ReLU whose weight is 0, at the kink.
KINK = {"changes": {**LINE, "network.activations": "relu"}, "weights": np.zeros((3, 1))}


RISING = (9, 5, 6)


def at_rate(
    rate: float, changes: Any = None, losses: Sequence[float] = (9, 5, 3)
) -> ExperimentResults:
    return course([*losses], {**LINE, **(changes or {}), RATE: rate})


@fires(
    "edge-of-stability",
    "beyond",
    rate=LIMIT * ABOVE,
    start=CURVATURE,
    curvature=CURVATURE,
    limit=LIMIT,
    share=1.0,
    budget=2,
)
def a_rate_just_beyond_the_limit() -> ExperimentResults:
    return at_rate(LIMIT * ABOVE, losses=RISING)


@silent("edge-of-stability")
def a_rate_beyond_the_limit_with_a_loss_that_never_rises() -> ExperimentResults:
    return at_rate(LIMIT * ABOVE)


@fires("edge-of-stability", "near", rate=LIMIT * BELOW, limit=LIMIT)
def a_rate_just_within_the_limit() -> ExperimentResults:
    return at_rate(LIMIT * BELOW)


@fires("edge-of-stability", "near", share=NEAR_LIMIT, limit=LIMIT)
def a_rate_that_is_just_near_the_limit() -> ExperimentResults:
    return at_rate(NEAR_LIMIT * LIMIT * ABOVE)


@silent("edge-of-stability")
def a_rate_that_is_just_not_near_the_limit() -> ExperimentResults:
    return at_rate(NEAR_LIMIT * LIMIT * BELOW)


@fires("edge-of-stability", "near", limit=1.5 * LIMIT)
def momentum_raises_the_limit() -> ExperimentResults:
    return at_rate(1.5 * LIMIT * BELOW, {MOMENTUM: 0.5})


@fires("edge-of-stability", "beyond", curvature=CURVATURE + 2, limit=0.2)
def weight_decay_lowers_the_limit() -> ExperimentResults:
    return at_rate(0.2 * ABOVE, DECAY, RISING)


@silent("edge-of-stability")
def an_optimizer_without_a_limit() -> ExperimentResults:
    return at_rate(1.0, {"optimizer.name": "adam"})


@silent("edge-of-stability")
def a_loss_without_curvature() -> ExperimentResults:
    return at_rate(1.0, {"loss": "l1"})


@silent("edge-of-stability")
def a_kink_has_no_curvature() -> ExperimentResults:
    return course([9, 5, 3], **KINK)


def swept_rates(curves: dict[float, list[float]], changes: Any = None) -> ExperimentResults:
    return experiment(sweep("a", RATE, curves, {**LINE, **(changes or {})}))


STEADY, RISING = [9.0, 5.0, 3.0], [9.0, 5.0, 6.0]


@fires(
    "stable-rate",
    "between",
    curvature=CURVATURE,
    limit=LIMIT,
    factor=1.5,
    samples=3,
    budget=2,
)
def the_limit_lies_between_the_two_rates() -> ExperimentResults:
    return swept_rates({0.2: STEADY, 0.3: RISING, 0.1: STEADY, 0.4: STEADY})


@fires("stable-rate", "below", limit=LIMIT, factor=1.2)
def the_limit_lies_below_both_rates() -> ExperimentResults:
    return swept_rates({0.2: STEADY, 0.3: STEADY, 0.5: RISING})


@fires("stable-rate", "above", limit=LIMIT, factor=2.0)
def the_limit_lies_above_both_rates() -> ExperimentResults:
    return swept_rates({0.1: STEADY, 0.125: RISING})


@fires("stable-rate", "between", limit=0.2, curvature=CURVATURE + 2)
def the_limit_with_weight_decay() -> ExperimentResults:
    return swept_rates({0.15: STEADY, 0.22: RISING}, DECAY)


@fires("stable-rate", "between", factor=3.0)
def a_run_that_diverges_is_not_steady() -> ExperimentResults:
    steady = sweep("a", RATE, {0.1: STEADY}, LINE).rows
    ended = sweep("a", RATE, {0.3: [9.0]}, LINE, rounds=2, kind="diverged").rows
    return experiment(Made("a", steady + ended))


@silent("stable-rate")
def a_run_that_is_refused_says_nothing_of_rates() -> ExperimentResults:
    rows = sweep("a", RATE, {0.1: STEADY, 0.2: RISING}, LINE).rows
    refused = sweep("a", RATE, {0.3: [9.0]}, LINE, rounds=2, kind="refused", message="no").rows
    return experiment(Made("a", rows + refused))


@silent("stable-rate")
def rates_at_which_losses_rise_by_rounding() -> ExperimentResults:
    return swept_rates({0.2: STEADY, 0.3: [9, 1, 1 + ROUNDING * UNIT]})


@fires("stable-rate", "between", limit=LIMIT)
def rates_at_which_losses_rise_by_more_than_rounding() -> ExperimentResults:
    return swept_rates({0.2: STEADY, 0.3: [9, 1, 1 + (ROUNDING + 1) * UNIT]})


@silent("stable-rate")
def losses_rise_at_every_rate() -> ExperimentResults:
    return swept_rates({0.1: RISING, 0.2: STEADY})


@silent("stable-rate")
def another_key_is_swept() -> ExperimentResults:
    return experiment(sweep("a", MOMENTUM, {0.1: STEADY, 0.3: RISING}, LINE))


@silent("stable-rate")
def rates_of_an_optimizer_without_a_limit() -> ExperimentResults:
    return swept_rates({0.1: STEADY, 0.3: RISING}, {"optimizer.name": "adam"})


@silent("stable-rate")
def rates_of_a_loss_without_curvature() -> ExperimentResults:
    return swept_rates({0.1: STEADY, 0.3: RISING}, {"loss": "l1"})


@silent("stable-rate")
def rates_at_a_kink() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.1: STEADY, 0.3: RISING}, **KINK))


# --- the way of the weights --------------------------------------------------------------------


def ends(start: list[float], end: list[float]) -> ExperimentResults:
    return course([3, 2, 1], weights=np.array([start, start, end]))


@fires("frozen", subject="a", rounds=2, value=1.0, norm=8**0.5 / 2)
@silent("path")
def weights_that_never_move_in_spite_of_a_gradient() -> ExperimentResults:
    return ends([1.0] * 8, [1.0] * 8)


@fires("frozen", "rate", subject="a", value=3.0)
def weights_that_never_move_because_no_step_is_taken() -> ExperimentResults:
    still = single("a", [3, 3, 3], {"optimizer.learning_rate": 0.0}, weights=np.ones((3, 8)))
    return experiment(still)


@fires("frozen", "copies", subject="a", value=3.0)
def weights_that_never_move_because_copies_are_updated() -> ExperimentResults:
    still = single("a", [3, 3, 3], {"updates": "discarded"}, weights=np.ones((3, 8)))
    return experiment(still)


# Of the gradients of two rounds, each of norm √8/2.
@fires("frozen", "copies-gathered", subject="a", norm=8**0.5 / 2, gathered=8**0.5)
def gradients_that_gather_on_copies() -> ExperimentResults:
    changes = {"updates": "discarded", "gradients": "accumulated"}
    return experiment(single("a", [3, 3, 3], changes, weights=np.ones((3, 8))))


@silent("frozen")
def one_weight_that_moves_by_one_bit() -> ExperimentResults:
    return ends([1.0] * 8, [1.0] * 7 + [nextafter(1, 2)])


@silent("frozen")
def weights_that_do_not_move_without_a_gradient() -> ExperimentResults:
    return course([3, 2, 1], weights=np.ones((3, 8)), gradients=np.zeros((3, 8)))


def line(*places: float) -> np.ndarray:
    """Weights [steps, 8] of which the first takes these places, and the others stay at 0."""
    return np.array(places)[:, None] * np.eye(8)[0]


@fires("path", subject="a", length=1.5, distance=1.0, ratio=WINDING, turns=1, budget=2)
def a_way_that_winds_just_enough() -> ExperimentResults:
    return course([3, 2, 1], weights=line(0, 1.25, 1))


@silent("path")
def a_way_that_winds_just_too_little() -> ExperimentResults:
    return course([3, 2, 1], weights=line(0, nextafter(1.25, 0), 1))


@fires("path", "", turns=1)
def a_turn_by_rounding_is_none() -> ExperimentResults:
    return course([4, 3, 2, 1], weights=line(0, 1.25, 1, nextafter(1, 2)))


@fires("path", "bent", turns=0, length=2.0)
def a_way_round_a_corner() -> ExperimentResults:
    # Along one axis, then along another, and never back: 2 against the square root of 2 is too
    # straight; a third axis would be, too. Round three sides of a square it is 3 against 1, with
    # two turns of just 90°.
    corner = np.zeros((4, 8))
    corner[1:, 0] = [0.75, 0.75, 0.0]
    corner[2:, 1] = 0.5
    return course([4, 3, 2, 1], weights=corner)


@silent("path")
def a_way_back_to_its_start() -> ExperimentResults:
    return course([3, 2, 1], weights=line(1, 2, 1))


@silent("path")
def a_way_too_long_to_be_measured() -> ExperimentResults:
    return course([3, 2, 1], weights=line(0, 1e200, 1))


def two_ways(detour: float) -> ExperimentResults:
    """One straight way, and one that is longer than its distance by this factor."""
    one = single("a", [3, 2, 1], weights=line(0, 0.5, 1))
    past = (1 + detour) / 2
    other = single("b", [3, 2, 1], {MOMENTUM: 0.5}, weights=line(0, past, 1))
    return experiment(one, other)


@fires("path", "straight", count=2, budget=2, ratio=STRAIGHT)
def two_ways_that_are_just_straight() -> ExperimentResults:
    return two_ways(STRAIGHT - 1e-9)


@silent("path")
def one_of_two_ways_is_just_not_straight() -> ExperimentResults:
    return two_ways(STRAIGHT + 1e-9)


def still_after(updates: int, rounds: int, gradient: float = 0.5) -> ExperimentResults:
    places = np.minimum(np.arange(rounds + 1.0), updates)
    gradients = np.full((rounds + 1, 8), gradient)
    losses = np.linspace(2, 1, rounds + 1).tolist()
    return course(losses, weights=line(*places), gradients=gradients)


# --- layers ------------------------------------------------------------------------------------


def of_layers(first: float, last: float) -> ExperimentResults:
    gradients = np.array([first] * 4 + [last] * 4) * np.ones((3, 1))
    return course([3, 2, 1], gradients=gradients)


@fires("layer-gradients", "vanishing", subject="a", layers=(0.0625, 1.0), times=16.0)
def gradients_that_fade() -> ExperimentResults:
    return of_layers(-0.0625, 1)


@fires("layer-gradients", "vanishing", times=1 / VANISHING)
def gradients_that_just_fade() -> ExperimentResults:
    return of_layers(VANISHING * BELOW, 1)


@silent("layer-gradients")
def gradients_that_just_do_not_fade() -> ExperimentResults:
    return of_layers(VANISHING * ABOVE, 1)


@fires("layer-gradients", "exploding", times=EXPLODING)
def gradients_that_just_grow() -> ExperimentResults:
    return of_layers(EXPLODING * ABOVE, 1)


@silent("layer-gradients")
def gradients_that_just_do_not_grow() -> ExperimentResults:
    return of_layers(EXPLODING * BELOW, 1)


def of_layers_from_starts(*first: float) -> ExperimentResults:
    """Random starts: the gradients of the first layer, those of the last being 1."""
    rows = []
    for seed, size in enumerate(first):
        made = starts("a", [[3, 2, 1]]).rows[0][2].with_seed(seed)
        gradients = np.array([size] * 4 + [1.0] * 4) * np.ones((3, 1))
        rows.append(((), seed, made, trace(made, [3, 2, 1], gradients=gradients)))
    return experiment(Made("a", tuple(rows)))


@fires(
    "layer-gradients-starts",
    "vanishing",
    times=1 / VANISHING,
    least=2.0,
    most=16.0,
    count=11,
)
def gradients_that_fade_from_half_of_the_starts() -> ExperimentResults:
    return of_layers_from_starts(*[0.0625] * 5, VANISHING * BELOW, *[0.5] * 5)


@fires("layer-gradients-starts", "exploding", times=EXPLODING, least=0.5, most=16.0)
def gradients_that_grow_from_half_of_the_starts() -> ExperimentResults:
    return of_layers_from_starts(*[16.0] * 5, EXPLODING * ABOVE, *[0.5] * 5)


@fires("layer-gradients-starts", "level", times=2.0, least=1.0, most=16.0, count=11)
def gradients_that_fade_from_few_starts() -> ExperimentResults:
    return of_layers_from_starts(*[0.0625] * 5, 0.5, *[1.0] * 5)


@silent("layer-gradients-starts")
def too_few_starts_whose_gradients_were_not_cut() -> ExperimentResults:
    return of_layers_from_starts(*[0.0625] * 9, 0.0, 0.0)


@silent("layer-gradients")
def gradients_that_were_cut_in_the_first_layer() -> ExperimentResults:
    return of_layers(0, 1)


@silent("layer-gradients")
def gradients_that_were_cut_in_the_last_layer() -> ExperimentResults:
    return of_layers(1, 0)


@silent("layer-gradients", "saturated-units")
def a_network_of_one_layer() -> ExperimentResults:
    return course([3, 2, 1], LINE)


@fires("layer-gradients", "exploding", layers=(16.0, 1.0))
def trained_biases_count_among_the_parameters_of_a_layer() -> ExperimentResults:
    gradients = [0.0] * 4 + [16.0 * 3**0.5] * 2 + [1.0] * 6
    changes = {"network.bias": "trained"}
    return course([3, 2, 1], changes, gradients=np.array(gradients) * np.ones((3, 1)))


@fires("layer-gradients", "vanishing", layers=(0.5, 1.0, 2.0, "…", 16.0, 32.0, 64.0))
def more_layers_than_a_sentence_names() -> ExperimentResults:
    changes = {**LINE, "network.layers": [1] * 9, "network.activations": "sigmoid"}
    gradients = 2.0 ** np.arange(-1, 7) * np.ones((3, 1))
    return course([3, 2, 1], changes, gradients=gradients)


def first_sum(value: float, rows: int, activation: str = "sigmoid") -> ExperimentResults:
    """The weighted sum of h1 for the first row at the end; 0 for all other units and rows."""
    changes = {
        "network.activations": [activation, "sigmoid"],
        "data.inputs": [[1.0, 0.0], *[[0.0, 0.0]] * (rows - 1)],
        "data.targets": [[0.25, 0.0625]] * rows,
    }
    return course([3, 2, 1], changes, weights=line(0, value / 2, value))


OUTPUT = (1 + sqrt(1 - SATURATED)) / 2
FLAT_SIGMOID = log(OUTPUT / (1 - OUTPUT))
FLAT_TANH = atanh(sqrt(1 - SATURATED))


@fires("saturated-units", subject="a", saturated=(1, 4), share=MANY_SATURATED, start=0.0)
def a_quarter_of_the_units_is_saturated() -> ExperimentResults:
    return first_sum(50.0, rows=2)


@silent("saturated-units")
def a_sixth_of_the_units_is_saturated() -> ExperimentResults:
    return first_sum(50.0, rows=3)


@fires("saturated-units", share=0.5, level=SATURATED, budget=2)
def a_sigmoid_that_is_just_saturated() -> ExperimentResults:
    return first_sum(-FLAT_SIGMOID * ABOVE, rows=1)


@silent("saturated-units")
def a_sigmoid_that_is_just_not_saturated() -> ExperimentResults:
    return first_sum(-FLAT_SIGMOID * BELOW, rows=1)


@fires("saturated-units", share=0.5)
def a_tanh_that_is_just_saturated() -> ExperimentResults:
    return first_sum(FLAT_TANH * ABOVE, rows=1, activation="tanh")


@silent("saturated-units")
def a_tanh_that_is_just_not_saturated() -> ExperimentResults:
    return first_sum(FLAT_TANH * BELOW, rows=1, activation="tanh")


@silent("saturated-units")
def units_that_cannot_saturate() -> ExperimentResults:
    return first_sum(50.0, rows=1, activation="relu")


# --- one answer for all ------------------------------------------------------------------------


def answers(apart: float, changes: Any = None) -> ExperimentResults:
    """Two rows whose outputs lie so far apart in their first unit at the end."""
    outputs = np.zeros((3, 2, 2))
    outputs[2, 1, 0] = apart
    return course([3, 2, 1], {**TWO_ROWS, **(changes or {})}, outputs=outputs)


@fires(
    "same-answer", "squares", rows=2, apart=SAME_ANSWER, wanted=1.0, loss=1.0, best=0.25, budget=2
)
def two_rows_with_just_the_same_answer() -> ExperimentResults:
    return answers(SAME_ANSWER * BELOW)


@silent("same-answer")
def two_rows_with_answers_just_apart() -> ExperimentResults:
    return answers(SAME_ANSWER * ABOVE)


@fires("same-answer", "", loss=1.0, apart=0.0)
def the_same_answer_under_another_loss() -> ExperimentResults:
    return answers(0, {"loss": "l1"})


@fires("same-answer", "classes", loss=1.0, best=log(2))
def the_same_answer_for_two_classes() -> ExperimentResults:
    return answers(0, {"loss": "cross_entropy", **LINEAR})


@fires("same-answer", "classes", rows=3, best=log(3) - 2 / 3 * log(2))
def the_same_answer_for_classes_of_which_one_is_missing() -> ExperimentResults:
    changes = {
        "loss": "cross_entropy",
        "network.layers": [2, 3],
        "network.activations": "identity",
        "initial": {"scheme": "zeros"},
        "data.inputs": [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        "data.targets": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
    }
    return course([3, 2, 1], changes, outputs=np.zeros((3, 3, 3)))


@fires("same-answer", "")
def the_same_answer_for_targets_that_are_no_classes() -> ExperimentResults:
    targets = [[0.5, 0.5], [1.0, 0.0]]
    return answers(0, {"loss": "cross_entropy", **LINEAR, "data.targets": targets})


@silent("same-answer")
def the_same_answer_to_the_same_question() -> ExperimentResults:
    return answers(0, {"data.inputs": [[0.5, 0.3]] * 2})


@silent("same-answer")
def the_same_answer_where_it_is_wanted() -> ExperimentResults:
    return answers(0, {"data.targets": [[0.5, 0.5]] * 2})


@silent("same-answer")
def the_same_answer_with_losses_of_batches() -> ExperimentResults:
    return answers(0, BATCHES)


@silent("same-answer")
def an_infinite_answer() -> ExperimentResults:
    return answers(float("inf"))
