"""Cases of the answers on sweeps: the shape along one number, best values, and reasons for them.

Losses begin at 9, so that what differs by less than 0.009 is level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from cases import fires, silent
from cases_answers import ODDS
from synthetic_runs import (
    MOMENTUM,
    RATE,
    Made,
    config,
    experiment,
    grid,
    single,
    sweep,
    trace,
    with_controls,
)

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import CLOSE, SATURATED
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import RATES, STARTS
from labreport.runs.run import Trace

B = {MOMENTUM: 0.5}
C = {MOMENTUM: 0.6}


def ending(*last: float, budgets: Sequence[int] = (2,), half: Sequence[float] = ()) -> Any:
    """A sweep over 1, 2, 3, … of the learning rate, by the last losses."""
    middle = half or [5.0] * len(last)
    curves = {float(k): [9, middle[k - 1], end] for k, end in enumerate(last, 1)}
    return experiment(sweep("a", RATE, curves), budgets=budgets)


def value(number: float) -> tuple[str, float]:
    """A value of the sweep as it is told."""
    return "", number


# --- the shape ---------------------------------------------------------------------------------


@fires("sweep-shape", "peak", best=value(2), worse=value(3), budget=2)
@fires("sweep-values", "", best=value(2), value=1.0, worst=value(3), other_value=4.0, total=3)
def lowest_in_the_midst() -> ExperimentResults:
    return ending(3, 1, 4)


@fires("sweep-shape", "peak-level", best=value(2), first=value(2), last=value(3), worse=value(4))
def lowest_in_the_midst_and_level_with_the_next_one() -> ExperimentResults:
    return ending(3, 1, 1 + ODDS / 2, 4)


@fires("sweep-shape", "rising", best=value(3), budget=2)
def the_larger_the_better() -> ExperimentResults:
    return ending(3, 2, 1)


@fires("sweep-shape", "falling", best=value(1))
def the_smaller_the_better() -> ExperimentResults:
    return ending(1, 2, 3)


@fires("sweep-shape", "falling-bound", best=value(0))
def the_smaller_the_better_down_to_what_is_allowed() -> ExperimentResults:
    curves = {momentum: [9, 5, 1 + momentum] for momentum in (0.0, 0.5, 0.9)}
    return experiment(sweep("a", "optimizer.momentum", curves))


@fires("sweep-shape", "rising-bound", best=value(3))
def the_larger_the_better_up_to_what_is_allowed() -> ExperimentResults:
    rows = {"data.inputs": [[0.5, 0.3]] * 3, "data.targets": [[0.2, 0.1]] * 3}
    curves = {size: [9, 5, 4 - size] for size in (1, 2, 3)}
    return experiment(sweep("a", "data.batch_size", curves, rows))


@fires("sweep-shape", "level", lowest=value(1), highest=value(3), budget=2)
@silent("sweep-values")
def values_that_differ_by_no_odds() -> ExperimentResults:
    return ending(1, 1 + ODDS, 1 + ODDS / 2)


@fires("sweep-shape", "falling-flat", best=value(1), flat=value(2))
def one_value_that_differs_by_just_more() -> ExperimentResults:
    return ending(1, 1, 1 + 1.001 * ODDS)


@fires("sweep-shape", "rising-flat", best=value(2), flat=value(2), budget=2)
def values_that_are_level_from_the_second_on() -> ExperimentResults:
    return ending(3, 1, 1, 1 + ODDS / 2)


@fires("sweep-shape", "rising-flat", best=value(3), flat=value(2))
def values_that_are_level_before_the_lowest() -> ExperimentResults:
    return ending(3, 1 + ODDS / 2, 1, 1 + ODDS / 3)


@fires("sweep-shape", "uneven", best=value(4))
def losses_that_rise_on_the_way_down() -> ExperimentResults:
    return ending(3, 2, 2 + 1.001 * ODDS, 1, 2)


@fires("sweep-shape", "peak", best=value(4))
def losses_that_rise_by_no_odds_on_the_way_down() -> ExperimentResults:
    return ending(3, 2, 2 + ODDS / 2, 1, 2)


@fires("sweep-shape", "uneven", best=value(2))
def losses_that_come_down_again_behind_the_lowest() -> ExperimentResults:
    return ending(3, 1, 4, 2)


def with_ended(ended: float, last: Mapping[float, float]) -> ExperimentResults:
    """The same with one value whose run ends early."""
    rows = sweep("a", RATE, {k: [9, 5, end] for k, end in last.items()}).rows
    diverged = sweep("a", RATE, {ended: [9.0]}, rounds=2, kind="diverged").rows
    return experiment(Made("a", rows + diverged))


@fires("sweep-shape", "rising-ended", best=value(3))
def the_larger_the_better_until_one_ends() -> ExperimentResults:
    return with_ended(4.0, {1.0: 3, 2.0: 2, 3.0: 1})


@fires("sweep-shape", "rising-ended-level", best=value(3), first=value(2), last=value(3))
def two_that_are_level_before_one_ends() -> ExperimentResults:
    return with_ended(4.0, {1.0: 3, 2.0: 1 + 0.999 * ODDS, 3.0: 1})


@fires("sweep-shape", "peak", best=value(2), worse=value(3))
def lowest_in_the_midst_and_the_largest_ends() -> ExperimentResults:
    return with_ended(4.0, {1.0: 3, 2.0: 1, 3.0: 2})


@fires("sweep-shape", "uneven", best=value(4))
def a_value_that_ends_among_others_that_do_not() -> ExperimentResults:
    return with_ended(2.0, {1.0: 3, 3.0: 2, 4.0: 1})


@silent("sweep-shape")
def level_values_and_one_that_ends() -> ExperimentResults:
    return with_ended(4.0, {1.0: 1, 2.0: 1, 3.0: 1})


@silent("sweep-shape", "sweep-values")
def two_values_have_no_shape() -> ExperimentResults:
    return ending(3, 1)


@fires("sweep-values", "moves", best=value(3), early=value(1), first=1, budget=2)
def another_value_is_best_at_first() -> ExperimentResults:
    return ending(3, 2, 1, budgets=(1, 2), half=(4, 5, 6))


@fires("sweep-values", "")
def another_value_is_best_at_first_and_level_at_the_end() -> ExperimentResults:
    return ending(3, 1, 1 + ODDS / 2, budgets=(1, 2), half=(6, 5, 4))


@fires("sweep-values", "")
def another_value_is_best_at_first_by_no_odds() -> ExperimentResults:
    return ending(3, 2, 1, budgets=(1, 2), half=(4, 5, 4 + ODDS / 2))


# --- points that have no order -----------------------------------------------------------------


def named(*last: float) -> ExperimentResults:
    """A sweep over the activation of both layers."""
    names = ("sigmoid", "tanh", "relu", "elu")
    curves = {(n, n): [9, 5, end] for n, end in zip(names, last, strict=False)}
    return experiment(sweep("a", "network.activations", curves))


@fires("best-point", "one", best=("", ("tanh", "tanh")), value=1.0, total=3, level=0, budget=2)
@silent("sweep-shape", "sweep-values")
def one_name_is_best() -> ExperimentResults:
    return named(3, 1, 2)


@fires("best-point", "shared", best=("", ("tanh", "tanh")), level=1)
def two_names_are_best() -> ExperimentResults:
    return named(3, 1, 1 + ODDS / 2)


@fires("best-point", "level", total=3, level=2)
def all_names_are_level() -> ExperimentResults:
    return named(1 + ODDS / 2, 1, 1 + ODDS / 2)


@silent("best-point")
def a_sweep_over_losses_has_no_lowest_loss() -> ExperimentResults:
    outputs = np.full((3, 1, 2), 0.5)
    curves = {"mse": [3, 2, 1], "l1": [3, 2, 0.5]}
    return experiment(sweep("a", "loss", curves, outputs=outputs))


# --- several variants at the same values -------------------------------------------------------


def side_by_side(
    a: Sequence[float], b: Sequence[float], *c: float, half: float = 5
) -> ExperimentResults:
    """Sweeps over 1, 2, …, by the last losses of each variant."""
    made = [
        sweep(name, RATE, {float(k): [9, half, end] for k, end in enumerate(last, 1)}, changes)
        for name, last, changes in (("a", a, {}), ("b", b, B), ("c", c, C))
        if last
    ]
    return experiment(*made)


@fires("at-same-values", "ranges", other="a", ranges=(("up to", ("b", 1.0)),), budget=2)
def lower_up_to_a_value() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 2, 1))


@fires("at-same-values", "ranges", ranges=(("up to", ("b", 2.0)),))
def lower_up_to_a_value_beside_one_that_never_is() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 1, 1), 3, 2, 1)


@fires("at-same-values", "ranges-mixed", ranges=(("up to", ("b", 1.0)),), mixed=("c",))
def lower_up_to_a_value_beside_one_that_is_lower_here_and_there() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 2, 1), 3, 1, 2)


@fires("at-same-values", "everywhere", everywhere=("b",), other="a")
def lower_at_every_value() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 1, 0.5))


@fires("at-same-values", "nowhere", nowhere=("b",), other="a")
def lower_at_no_value() -> ExperimentResults:
    return side_by_side((3, 2, 1), (4, 2 - ODDS / 2, 1))


@silent("at-same-values")
def lower_at_every_other_value() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 2, 0.5))


@silent("at-same-values", "each-at-its-best", "tuned-over-starts")
def one_variant_alone() -> ExperimentResults:
    return ending(3, 2, 1)


@silent("at-same-values")
def a_value_at_which_one_of_them_ends() -> ExperimentResults:
    ended = sweep("b", RATE, {3.0: [9.0]}, B, rounds=2, kind="diverged").rows
    there = sweep("b", RATE, {1.0: [9, 5, 2], 2.0: [9, 5, 1]}, B).rows
    one = sweep("a", RATE, {1.0: [9, 5, 3], 2.0: [9, 5, 2], 3.0: [9, 5, 1]})
    return experiment(one, Made("b", there + ended))


def lower_from_starts(
    *lower: int, budgets: Sequence[int] = (2,), early: int = STARTS
) -> ExperimentResults:
    """B is lower than a at 1 from this start; from so many others at 1, 2 and 3, ``early`` at 1."""

    def made(number: int, config: RunConfig) -> Trace:
        if not config.flat()[MOMENTUM]:
            return trace(config, [9, 5, 2])
        place = int(config.optimizer.learning_rate) - 1
        half = 4 if number < early else 5
        return trace(config, [9, half, 1 if number < lower[place] else 2])

    found = side_by_side((3, 2, 1), (2, 2, 1))
    there = replace(found, plan=replace(found.plan, budgets=tuple(budgets)))
    return with_controls(there, "other-starts", made)


@fires(
    "at-same-values-starts",
    "",
    ranges=(("up to", ("b", 1.0)),),
    other="a",
    count=STARTS,
    share=0.9,
    budget=2,
)
def lower_up_to_a_value_from_nine_of_ten_starts() -> ExperimentResults:
    return lower_from_starts(27, 26, STARTS)


@fires("at-same-values-starts", "", ranges=(("up to", ("b", 2.0)),))
def lower_from_other_starts_beyond_the_value_of_this_one() -> ExperimentResults:
    return lower_from_starts(STARTS, 27, 26)


@fires(
    "at-same-values-starts",
    "rounds",
    early=(("up to", ("b", 3.0)),),
    ranges=(("up to", ("b", 1.0)),),
    first=1,
    budget=2,
)
def lower_at_more_values_after_fewer_rounds() -> ExperimentResults:
    return lower_from_starts(27, 0, 0, budgets=(1, 2), early=27)


@fires("at-same-values-starts", "none", other="a", count=STARTS, share=0.9, budget=2)
def lower_from_eight_of_ten_starts() -> ExperimentResults:
    return lower_from_starts(26, STARTS, STARTS)


@silent("at-same-values-starts")
def other_starts_that_end_before_the_last_round() -> ExperimentResults:
    """After one round b is not lower from most starts; after two, one start of it has ended."""

    def made(number: int, config: RunConfig) -> Trace:
        if config.flat()[MOMENTUM] and not number:
            return trace(config, [9, 5], kind="diverged")
        return trace(config, [9, 5, 2])

    found = side_by_side((3, 2, 1), (2, 2, 1))
    there = replace(found, plan=replace(found.plan, budgets=(1, 2)))
    return with_controls(there, "other-starts", made)


@silent("at-same-values-starts")
def lower_at_the_end_and_not_before() -> ExperimentResults:
    return lower_from_starts(27, 27, 27, budgets=(1, 2), early=26)


@silent("at-same-values-starts", "steps-too-large")
def no_other_starts_and_outputs_that_are_not_flat() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 2, 1))


def beyond(output: float, end: float, losses: Sequence[float], changes: Any = B) -> Made:
    """Lower than a at 1, it ends like this with such outputs at 2 and 3."""
    name, outputs = ("b" if changes is B else "c"), np.full((len(losses) + 1, 1, 2), output)
    curves = {key: [9, *losses[:-1], end] for key in (2.0, 3.0)}
    here = sweep(name, RATE, {1.0: [9, *losses[:-1], 1]}, changes).rows
    return Made(name, here + sweep(name, RATE, curves, changes, outputs=outputs).rows)


def beside_falling(*variants: Made, rounds: int) -> ExperimentResults:
    """These, compared with a, which ends at 2 at every value."""
    falling = {k: [9.0, *np.linspace(8, 2, rounds)] for k in (1.0, 2.0, 3.0)}
    return experiment(sweep("a", RATE, falling), *variants, budgets=(rounds,))


def flat_by(output: float, end: float, losses: Sequence[float]) -> ExperimentResults:
    return beside_falling(beyond(output, end, losses), rounds=len(losses))


FLAT_AT = (1 - np.sqrt(1 - 4 * 0.25 * SATURATED)) / 2
"""An output at which the slope of the sigmoid is a hundredth of its largest."""


@fires("steps-too-large", "", saturated=(("from", ("b", 2.0)),), budget=2)
def larger_steps_end_in_saturation() -> ExperimentResults:
    return flat_by(FLAT_AT * 0.9999, 3, [5, 5])


@silent("steps-too-large")
def larger_steps_end_nearly_in_saturation() -> ExperimentResults:
    return flat_by(FLAT_AT * 1.001, 3, [5, 5])


@silent("steps-too-large")
def larger_steps_end_flat_and_level() -> ExperimentResults:
    return flat_by(FLAT_AT / 2, 2 + ODDS / 2, [5, 5])


@fires("steps-too-large", "swings", swinging=(("from", ("b", 2.0)),), share=0.1, budget=10)
def larger_steps_rise_in_a_tenth_of_the_rounds() -> ExperimentResults:
    return flat_by(0.5, 5, [9 - k / 2 for k in range(1, 11)])


@silent("steps-too-large")
def steps_that_swing_are_the_best_of_their_variant() -> ExperimentResults:
    falls = np.linspace(8, 2, 10)
    rises = [9.0, 8, 7, 7.5, 6, 5, 4, 3, 2, 1.5]
    mine = {1.0: [9.0, *falls], 2.0: [9.0, *falls[:-1], 0.25], 3.0: [9.0, *falls[:-1], 0.25]}
    theirs = {1.0: [*rises, 1.0], 2.0: [*rises, 0.5], 3.0: [*rises, 0.5]}
    made = sweep("a", RATE, mine), sweep("b", RATE, theirs, B)
    return experiment(*made, budgets=(10,))


@fires(
    "steps-too-large",
    "both",
    saturated=(("from", ("b", 2.0)),),
    swinging=(("from", ("c", 2.0)),),
)
def larger_steps_saturate_one_variant_and_swing_with_another() -> ExperimentResults:
    losses = [9 - k / 2 for k in range(1, 11)]
    flat, swinging = beyond(FLAT_AT / 2, 3, losses), beyond(0.5, 5, losses, C)
    return beside_falling(flat, swinging, rounds=10)


@silent("steps-too-large")
def larger_steps_rise_in_less_than_a_tenth() -> ExperimentResults:
    return flat_by(0.5, 5, [9 - k / 2 for k in range(1, 12)])


@fires(
    "each-at-its-best",
    "ahead",
    subjects=("b",),
    others=("a", "c"),
    value=0.5,
    other_value=1.0,
    budget=2,
)
def one_is_ahead_at_its_best() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 0.5, 4), 0.75, 1, 2)


@fires("each-at-its-best", "some", subjects=("b", "c"), others=("a",), value=0.5, other_value=1.0)
def two_are_level_at_their_best() -> ExperimentResults:
    return side_by_side((3, 2, 1), (2, 0.5, 4), 0.5 + ODDS / 2, 1, 2)


@fires("each-at-its-best", "level", subjects=("a", "b"), value=1.0, other_value=1 + ODDS / 2)
def all_are_level_at_their_best() -> ExperimentResults:
    return side_by_side((3, 2, 1 + ODDS / 2), (2, 1, 3))


@fires("each-at-its-best", "alike", subjects=("a", "b"), value=1.0, other_value=1 + ODDS / 2)
def all_are_level_at_every_value() -> ExperimentResults:
    return side_by_side((3, 2, 1 + ODDS / 2), (3, 2 + ODDS / 2, 1))


# --- from other starts -------------------------------------------------------------------------


def tuned_from_starts(lower: int, higher: int, best_of_a: float = 2.0) -> ExperimentResults:
    """B is best at 1 and a at 2; from so many other starts b is lower there, else higher, level."""

    def made(number: int, config: RunConfig) -> Trace:
        if not config.flat()[MOMENTUM]:
            return trace(config, [9, 5, 2])
        last = 1.0 if number < lower else 3.0 if number < lower + higher else 2.0
        return trace(config, [9, 5, last])

    return with_controls(side_by_side((3, best_of_a), (1, 2)), "other-starts", made)


@fires("tuned-over-starts", "all", subject="b", other="a", count=STARTS, budget=2)
def tuned_lower_from_every_start() -> ExperimentResults:
    return tuned_from_starts(STARTS, 0)


@fires("tuned-over-starts", "all", lower=STARTS)
def tuned_at_another_value_from_each_start() -> ExperimentResults:
    """From each start one value of b is low, and now this one, now that."""

    def made(number: int, config: RunConfig) -> Trace:
        if not config.flat()[MOMENTUM]:
            return trace(config, [9, 5, 2])
        low = config.optimizer.learning_rate == 1 + number % 2
        return trace(config, [9, 5, 1.0 if low else 4.0])

    return with_controls(side_by_side((3, 2.0), (1, 2)), "other-starts", made)


@fires("tuned-over-starts", "mostly", lower=27, higher=3)
def tuned_lower_from_most_starts() -> ExperimentResults:
    return tuned_from_starts(27, 3)


@fires("tuned-over-starts", "reversed", lower=3, higher=27)
def tuned_higher_from_most_starts() -> ExperimentResults:
    return tuned_from_starts(3, 27)


@fires("tuned-over-starts", "level", lower=2, higher=1)
def tuned_level_from_most_starts() -> ExperimentResults:
    return tuned_from_starts(2, 1)


@fires("tuned-over-starts", "depends", lower=20, higher=10)
def tuned_lower_from_no_more_starts_than_chance_explains() -> ExperimentResults:
    return tuned_from_starts(20, 10)


@fires("tuned-over-starts", "more", lower=21, higher=9)
def tuned_lower_from_more_starts_than_chance_explains() -> ExperimentResults:
    return tuned_from_starts(21, 9)


@fires("tuned-over-starts", "fewer", lower=9, higher=21)
def tuned_higher_from_more_starts_than_chance_explains() -> ExperimentResults:
    return tuned_from_starts(9, 21)


@fires("tuned-over-starts", "depends", lower=20, higher=10)
def level_from_this_start_and_apart_from_others_by_chance() -> ExperimentResults:
    return tuned_from_starts(20, 10, best_of_a=1 + ODDS / 2)


@fires("tuned-over-starts", "not-level", lower=STARTS, higher=0)
def level_from_this_start_and_lower_from_all_others() -> ExperimentResults:
    return tuned_from_starts(STARTS, 0, best_of_a=1 + ODDS / 2)


@fires("tuned-over-starts", "still-level", lower=0, higher=0, even=STARTS)
def level_from_this_start_and_from_all_others() -> ExperimentResults:
    return tuned_from_starts(0, 0, best_of_a=1 + ODDS / 2)


def best_elsewhere(*places: int, starts: int = STARTS) -> ExperimentResults:
    """A sweep over 1, 2, 3; from other starts the best value is at each of these in turn."""

    def made(number: int, config: RunConfig) -> Trace | None:
        best = places[number % len(places)]
        is_best = config.optimizer.learning_rate == best
        return trace(config, [9, 5, 1.0 if is_best else 2.0]) if number < starts else None

    return with_controls(ending(3, 1, 2), "other-starts", made)


@fires("best-from-starts", "", count=STARTS, lowest=value(1), highest=value(2), budget=2)
def the_best_value_depends_on_the_start() -> ExperimentResults:
    return best_elsewhere(1, 2)


@fires("best-from-starts", "same", count=10, lowest=value(2))
@silent("point-over-starts")
def the_best_value_is_the_same_from_every_start() -> ExperimentResults:
    return best_elsewhere(2, starts=10)


@silent("best-from-starts")
def too_few_starts_for_the_best_value() -> ExperimentResults:
    return best_elsewhere(2, starts=9)


@silent("best-from-starts", "tuned-over-starts", "rate-times-rounds")
def a_sweep_without_controls() -> ExperimentResults:
    return ending(3, 1, 2)


def named_elsewhere(*places: int, starts: int = 10) -> ExperimentResults:
    """Three names of which the second is best; from other starts each of these places in turn.

    The place 3 stands for the second and the third, which are then level.
    """
    order = ("sigmoid", "tanh", "relu")

    def made(number: int, config: RunConfig) -> Trace | None:
        place = places[number % len(places)]
        mine = order.index(config.network.activations[0])
        is_best = mine == place or (place == 3 and mine > 0)
        return trace(config, [9, 5, 1.0 if is_best else 2.0]) if number < starts else None

    return with_controls(named(3, 1, 2), "other-starts", made)


NAME = ("tanh", "tanh")


@fires("point-over-starts", "", best=("", NAME), wins=10, count=10, budget=2)
@silent("best-from-starts")
def a_name_is_best_from_every_start() -> ExperimentResults:
    return named_elsewhere(1)


@fires("point-over-starts", "", wins=9)
def a_name_is_best_from_nine_of_ten_starts() -> ExperimentResults:
    return named_elsewhere(*[1] * 9, 0)


@fires("point-over-starts", "some", best=("", NAME), wins=8, count=10)
def a_name_is_best_from_eight_of_ten_starts() -> ExperimentResults:
    return named_elsewhere(*[1] * 8, 0, 2)


@fires("point-over-starts", "some", wins=5)
def two_names_are_best_from_equally_many_starts() -> ExperimentResults:
    return named_elsewhere(1, 0)


@fires("point-over-starts", "other", best=("", NAME), wins=4, other_wins=10)
def a_name_that_is_level_or_best_from_every_start() -> ExperimentResults:
    return named_elsewhere(3, 2, 2, 3, 2)


@silent("point-over-starts")
def too_few_starts_for_the_best_name() -> ExperimentResults:
    return named_elsewhere(1, starts=9)


@silent("point-over-starts")
def names_that_are_level_have_no_best() -> ExperimentResults:
    return with_controls(
        named(3, 1, 1 + ODDS / 2), "other-starts", lambda _, config: trace(config, [9, 5, 1.0])
    )


@fires("point-over-starts", "some", best=value(2), wins=10, count=STARTS)
@silent("best-from-starts")
def any_value_may_be_the_best_one() -> ExperimentResults:
    return best_elsewhere(1, 2, 3)


# --- learning rate times rounds ----------------------------------------------------------------


def products(*apart: float, start: float = 900.0) -> ExperimentResults:
    """Rates 1, 10, …: after 10 rounds and after 1 round of ten times as much, so far apart."""
    curves: dict[float, list[float]] = {1.0: [start, 400, *[300] * 8, 100]}
    for power, far in enumerate(apart, 1):
        curves[10.0**power] = [start, 100 * (1 + far), *[90.0] * 8, 100]
    return experiment(sweep("a", RATE, curves), budgets=(1, 10))


@fires("rate-times-rounds", "", largest=value(1000.0), difference=CLOSE, count=3)
def three_equal_products_that_agree() -> ExperimentResults:
    return products(0.01, CLOSE, 0.02)


@fires("rate-times-rounds", "", largest=value(1000.0), count=3)
def products_that_agree_up_to_a_rate() -> ExperimentResults:
    return products(0.01, 0.02, 0.03, 0.5)


@silent("rate-times-rounds")
def products_of_which_one_in_between_does_not_agree() -> ExperimentResults:
    return products(0.01, CLOSE + 1e-3, 0.02, 0.01)


@silent("rate-times-rounds")
def two_products_are_too_few() -> ExperimentResults:
    return products(0.01, 0.02)


@silent("rate-times-rounds")
def losses_that_hardly_move_agree_whatever_the_product() -> ExperimentResults:
    return products(0.01, 0.02, 0.01, start=104.0)


# --- the first step lands where the sigmoid is flat --------------------------------------------

EDGE = float((1 + np.sqrt(1 - SATURATED)) / 2)
"""An output whose slope o(1 − o) is a hundredth of the largest."""


def landing(*outputs: float, last: Sequence[float] = (1, 2, 3)) -> ExperimentResults:
    """A sweep over 1, 2, …, by the outputs after one step, and the last losses."""
    rows = []
    for k, (output, end) in enumerate(zip(outputs, last, strict=True), 1):
        shown = np.broadcast_to(np.array([0.5, output, 0.5])[:, None, None], (3, 1, 2))
        rows += sweep("a", RATE, {float(k): [9, 5, end]}, outputs=shown).rows
    return experiment(Made("a", tuple(rows)))


@fires("lands-in-saturation", "", start=value(2), slope=0.999 * (1 - 0.999), share=SATURATED)
def from_the_second_value_on() -> ExperimentResults:
    return landing(0.5, 0.9999, 0.999)


@fires("lands-in-saturation", "", start=value(3))
def at_the_last_value_alone() -> ExperimentResults:
    return landing(0.5, EDGE - 1e-6, EDGE + 1e-6)


@silent("lands-in-saturation")
def the_last_value_does_not() -> ExperimentResults:
    return landing(0.5, 0.999, 0.5)


@silent("lands-in-saturation")
def the_first_value_does_as_well() -> ExperimentResults:
    return landing(0.999, 0.999, 0.999)


@silent("lands-in-saturation")
def it_does_no_harm() -> ExperimentResults:
    return landing(0.5, 0.5, 0.999, last=(3, 2, 1))


@silent("lands-in-saturation")
def variants_are_not_swept() -> ExperimentResults:
    return experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))


# --- the edge of a grid, and other experiments that go on --------------------------------------


def continued_elsewhere(*last: float, changes: Any = None) -> ExperimentResults:
    """The best of 1, 2 and 3 is the last; another experiment has 4, 5, … and ends like this."""
    curves = {float(k): [9, 5, end] for k, end in enumerate(last, 4)}
    other = experiment(sweep("b", RATE, curves, changes))
    return replace(ending(3, 2, 1), elsewhere=(other,))


@fires(
    "edge-of-grid",
    "elsewhere",
    subject="a",
    best=value(3),
    farther=value(4),
    experiment="made by hand",
    budget=2,
)
def lower_beyond_the_edge_in_another_experiment() -> ExperimentResults:
    return continued_elsewhere(0.5, 2)


@silent("edge-of-grid")
def no_lower_beyond_the_edge_in_another_experiment() -> ExperimentResults:
    return continued_elsewhere(1.5, 2)


@fires("edge-of-grid", "", subjects=((("a", 3.0), 2),))
def lower_still_at_the_edge_of_another_experiment() -> ExperimentResults:
    return continued_elsewhere(0.75, 0.5)


@fires("edge-of-grid", "", subjects=((("a", 3.0), 2),))
def another_experiment_in_which_something_else_differs() -> ExperimentResults:
    return continued_elsewhere(0.5, 2, changes=B)


# --- a best value that fails from some starts --------------------------------------------------


@fires("best-may-fail", "", subject="a", best=value(1), failed=1, count=10, budget=2)
def the_lowest_median_fails_from_one_start() -> ExperimentResults:
    return experiment(grid("a", RATE, {1.0: [*[0.3] * 9, 0.901], 2.0: [0.75] * 10}))


@silent("best-may-fail")
def the_lowest_median_comes_most_of_the_way_from_every_start() -> ExperimentResults:
    return experiment(grid("a", RATE, {1.0: [*[0.25] * 9, 0.899], 2.0: [8] * 10}))


@silent("best-may-fail")
def the_lowest_median_ends_close_to_the_best_start_from_every_start() -> ExperimentResults:
    # Three times 0.31 is 0.93: all of them are a little short of most of the way, or just there.
    return experiment(grid("a", RATE, {1.0: [*[0.31] * 9, 0.92], 2.0: [8] * 10}))


@silent("best-may-fail")
def nine_starts_are_too_few_to_say_that_some_fail() -> ExperimentResults:
    return experiment(grid("a", RATE, {1.0: [*[0.25] * 8, 5], 2.0: [0.75] * 9}))


@fires("best-may-fail", "", best=value(2), failed=12, count=STARTS)
def the_best_of_single_runs_fails_from_other_starts() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        return trace(config, [9, 5, 2 if number < 12 else 0.5])

    return with_controls(ending(3, 0.5, 2), "other-starts", made)


@silent("best-may-fail")
def starts_that_end_a_thousandth_of_the_first_loss_from_their_floor() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        # One starts next to its floor, and does not come nearer.
        return trace(config, [9, 5, 0.0] if number else [0.009, 0.009, 0.009])

    return with_controls(ending(3, 0.5, 2), "other-starts", made)


@silent("best-may-fail")
def starts_that_are_at_their_floor_have_no_way_to_go() -> ExperimentResults:
    def made(_: int, config: RunConfig) -> Trace:
        return trace(config, [0.0, 0.0, 0.0])

    return with_controls(ending(3, 0.5, 2), "other-starts", made)


CLOSED = 0.9 - 1e-9
"""The highest loss of runs that begin at 9 and have most of the way to 0 behind them."""


@fires("usable-values", "", subjects=("b",), others=("a",), count=3, fewest=2, points=4, budget=2)
def one_depends_less_on_the_value() -> ExperimentResults:
    return side_by_side((3, CLOSED, 0.5, 4), (CLOSED, CLOSED, CLOSED, 0.9 + 1e-9))


@fires("usable-values", "", subjects=("a", "b"), others=("c",), count=1, fewest=0)
def two_depend_equally_on_the_value() -> ExperimentResults:
    return side_by_side((3, 0.5, 4, 4), (0.5, 4, 4, 4), 2, 2, 2, 2)


@silent("usable-values")
def all_depend_equally_on_the_value() -> ExperimentResults:
    return side_by_side((3, 0.5, 4, 4), (0.5, 4, 4, 4))


@silent("usable-values")
def too_few_values_to_count() -> ExperimentResults:
    return side_by_side((3, 0.5, 4), (0.5, 0.4, 0.3))


@silent("usable-values")
def one_has_other_values() -> ExperimentResults:
    first = {float(k): [9, 5, end] for k, end in enumerate((3, 2, 2, 1), 1)}
    other = {float(k): [9, 5, 0.5] for k in range(2, 6)}
    return experiment(sweep("a", RATE, first), sweep("b", RATE, other, B))


# --- momentum and longer steps -----------------------------------------------------------------


def momenta(plain: float, best: float, *faster: float, at: float = 0.9) -> ExperimentResults:
    """Losses at the end with no momentum, and with some; and without any at larger rates."""
    curves = {0.0: [9, 5, plain], 0.5: [9, 5, plain], at: [9, 5, best]}
    made = experiment(sweep("a", "optimizer.momentum", curves))
    larger = [factor for factor in RATES if factor > 1]
    ends = dict(zip(larger, faster, strict=True))

    def at_rate(_: int, changed: RunConfig) -> Trace | None:
        end = ends.get(changed.optimizer.learning_rate / BASE_RATE, 8.0)
        return trace(changed, [9, 5, end])

    return with_controls(made, "rates", at_rate)


BASE_RATE = config().optimizer.learning_rate


@fires("momentum-step", "", best=("", 0.9))
@fires("momentum-step", "", times=10.0, factor=4.0, value=1 + 0.999 * ODDS)
def a_step_four_times_as_long_does_the_same() -> ExperimentResults:
    return momenta(3, 1, 2, 1 + 0.999 * ODDS, 5, 8)


@fires("momentum-step", "more", times=10.0, factor=40.0, value=2.0)
def no_longer_step_does_the_same() -> ExperimentResults:
    return momenta(3, 1, 2, 2.5, 5, 8)


@fires("momentum-step", "more", value=1 + 1.001 * ODDS)
def a_longer_step_does_nearly_the_same() -> ExperimentResults:
    return momenta(3, 1, 2, 1 + 1.001 * ODDS, 5, 8)


@silent("momentum-step")
def no_momentum_is_level_with_the_best() -> ExperimentResults:
    return momenta(1 + 0.999 * ODDS, 1, 2, 2, 2, 2)


@silent("momentum-step")
def a_momentum_of_1_is_no_longer_step() -> ExperimentResults:
    return momenta(3, 1, 2, 2, 2, 2, at=1.0)


# --- values at which a layer dies --------------------------------------------------------------

# Stored as w1, w3, w2, w4, w5, w7, w6, w8; x = (0.5, 0.3). Both sums are negative, or one is not.
ALL_DEAD = [-0.1, -0.1, -0.1, -0.1, 0.1, 0.1, 0.1, 0.1]
HALF_DEAD = [-0.1, -0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]


def dying(*ends: tuple[float, list[float]]) -> ExperimentResults:
    """A layer with ReLU at values 1, 2 and so on: its loss and its weights at the end."""
    relu = {"network.activations": ["relu", "sigmoid"]}
    rows = [
        sweep("a", RATE, {float(k): [9, 5, loss]}, relu, weights=np.array([HALF_DEAD] * 2 + [end]))
        for k, (loss, end) in enumerate(ends, 1)
    ]
    return experiment(Made("a", tuple(made.rows[0] for made in rows)))


@fires("dead-values", start=value(3), count=2, budget=2)
def a_layer_dies_from_a_value_on() -> ExperimentResults:
    return dying((2, HALF_DEAD), (1, HALF_DEAD), (3, ALL_DEAD))


@silent("dead-values")
def a_layer_of_which_one_unit_dies() -> ExperimentResults:
    return dying((2, HALF_DEAD), (1, HALF_DEAD), (3, HALF_DEAD))


@silent("dead-values")
def a_layer_that_dies_at_a_value_among_others() -> ExperimentResults:
    return dying((2, ALL_DEAD), (1, HALF_DEAD), (3, ALL_DEAD))


@silent("dead-values")
def a_layer_that_is_dead_and_no_higher() -> ExperimentResults:
    return dying((2, HALF_DEAD), (1, HALF_DEAD), (1 + 0.999 * ODDS, ALL_DEAD))
