"""Cases of the reasons that answers give, and of what a continued run bears out.

Losses begin at 9, so that what differs by less than 0.009 is level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from cases import fires, silent
from cases_answers import BCE, ODDS, B, off_by
from synthetic_runs import (
    MOMENTUM,
    RATE,
    ROWS,
    check,
    experiment,
    fading,
    single,
    starts,
    sweep,
    trace,
    with_controls,
    with_twins,
)

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import (
    CLOSE,
    LONG_AFTER,
    NOWHERE,
    OVERSHOOT,
    STANDING_STILL,
    STAYING,
    VANISHED,
)
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import RATES
from labreport.runs.run import Trace

LARGER = [factor for factor in RATES if factor > 1]

# --- a larger step -----------------------------------------------------------------------------


def with_rates(
    *last: float | None, changes: Any = None, rate: float = 1.0, apart: Any = B
) -> ExperimentResults:
    """B leads at 1 before a at 2; at each larger rate a ends like this, or ends early at None."""

    def made(number: int, config: RunConfig) -> Trace:
        factor = config.optimizer.learning_rate
        end = last[LARGER.index(factor)] if factor in LARGER else 5.0
        if end is None:
            return trace(config, [9, 99], kind="diverged")
        return trace(config, [9, 5, end])

    other = single("b", [9, 5, 1], {**apart, **(changes or {}), RATE: rate})
    return with_controls(experiment(single("a", [9, 5, 2]), other), "rates", made)


@fires("larger-step", "", subject="b", other="a", factor=4.0, value=1 + ODDS / 2, budget=2)
def as_low_with_four_times_the_rate() -> ExperimentResults:
    return with_rates(1.5, 1 + ODDS / 2, 0.5, 3)


@fires("larger-step", "not", subject="b", other="a", factor=40.0, budget=2)
def not_as_low_with_any_rate() -> ExperimentResults:
    return with_rates(1.5, 1 + 1.001 * ODDS, 3, 4)


@fires("larger-step", "not", factor=4.0)
def not_as_low_until_it_ends_early() -> ExperimentResults:
    return with_rates(1.5, 1.25, None, None)


@fires("larger-step", "", subject="b", other="a", factor=2.0)
def as_near_to_the_targets_with_twice_the_rate() -> ExperimentResults:
    def made(_: int, config: RunConfig) -> Trace:
        return trace(config, [9, 5, 0.1])

    other = single("b", [3, 2, 1], BCE, outputs=off_by(3, 2, 0.5))
    return with_controls(experiment(single("a", [9, 5, 2]), other), "rates", made)


@fires("larger-step", "", factor=4.0)
def variants_of_two_rates_and_optimizers() -> ExperimentResults:
    return with_rates(1.5, 1 + ODDS / 2, 0.5, 3, rate=3.0)


def with_rates_of_both(best: float, at: float) -> ExperimentResults:
    """B leads at 1 before a at 2; a comes to 1 with four times its rate, b to ``best`` at one."""

    def made(_: int, config: RunConfig) -> Trace:
        factor, momentum = config.optimizer.learning_rate, config.optimizer.momentum
        end = 5.0 if not momentum and factor != 4 else 1.0 if not momentum else 3.0
        return trace(config, [9, 5, best if momentum and factor == at else end])

    other = single("b", [9, 5, 1], {MOMENTUM: 0.5})
    return with_controls(experiment(single("a", [9, 5, 2]), other), "rates", made)


@fires("larger-step", "both", subject="b", other="a", factor=4.0, own=1 - 1.1 * ODDS, theirs=1.0)
def who_leads_gains_by_a_larger_step_as_well() -> ExperimentResults:
    return with_rates_of_both(1 - 1.1 * ODDS, 10)


@fires("larger-step", "", subject="b", other="a", factor=4.0)
def who_leads_gains_nothing_that_counts() -> ExperimentResults:
    return with_rates_of_both(1 - 0.9 * ODDS, 10)


@fires("larger-step", "", subject="b", other="a", factor=4.0)
def who_leads_gains_by_a_smaller_step() -> ExperimentResults:
    return with_rates_of_both(0.5, 0.5)


@silent("larger-step")
def variants_of_two_rates_alone() -> ExperimentResults:
    return with_rates(1.5, 1, 0.5, 3, rate=3.0, apart={})


@silent("larger-step")
def every_larger_rate_ends_early() -> ExperimentResults:
    return with_rates(None, None, None, None)


# --- a larger step, from several starts --------------------------------------------------------


def with_twice_the_rate(
    doubled: float,
    mine: float = 1.0,
    theirs: float = 2.0,
    count: int = 10,
    both: Sequence[float] = (),
) -> ExperimentResults:
    """B ends at ``mine``, a at ``theirs`` from so many starts, with twice the rate at another.

    B with twice the rate at ``both``, seed after seed; there as a does, if they are left out.
    """

    def made(_: int, config: RunConfig) -> Trace:
        if config.optimizer.learning_rate != 2:
            return trace(config, [9, 5, 5.0])
        own = both[config.seed or 0] if both and config.network.trains_bias else doubled
        return trace(config, [9, 5, own])

    one = starts("a", [[9, 5, theirs]] * count)
    other = starts("b", [[9, 5, mine]] * count, {"network.bias": "trained"})
    return with_controls(experiment(one, other), "neighbours", made)


@fires(
    "larger-step-starts",
    "",
    subject="b",
    other="a",
    median=1.0,
    other_median=2.0,
    doubled=1 + CLOSE - 1e-6,
    count=10,
    budget=2,
)
def twice_the_rate_makes_up_for_the_difference() -> ExperimentResults:
    return with_twice_the_rate(1 + CLOSE - 1e-6)


@fires("larger-step-starts", "both", subject="b", other="a", lower=9, count=10, budget=2)
def who_leads_gains_by_twice_the_rate_as_well() -> ExperimentResults:
    return with_twice_the_rate(1.0, both=[0.9] * 9 + [1.1])


@fires("larger-step-starts", "", subject="b", other="a")
def who_leads_gains_by_twice_the_rate_from_too_few_starts() -> ExperimentResults:
    return with_twice_the_rate(1.0, both=[0.9] * 8 + [1.1] * 2)


@silent("larger-step-starts")
def twice_the_rate_does_not_make_up_for_the_difference() -> ExperimentResults:
    return with_twice_the_rate(1 + CLOSE + 1e-6)


@silent("larger-step-starts")
def there_is_hardly_a_difference_to_make_up_for() -> ExperimentResults:
    return with_twice_the_rate(0.9, theirs=1 + CLOSE - 1e-6)


@silent("larger-step-starts")
def it_is_the_other_one_that_leads() -> ExperimentResults:
    return with_twice_the_rate(0.5, mine=3.0)


@silent("larger-step-starts")
def nine_starts_with_twice_the_rate_are_too_few() -> ExperimentResults:
    return with_twice_the_rate(1.0, count=9)


# --- pairs at other rates ----------------------------------------------------------------------


def at_other_rates(
    half: list[float], twice: list[float | None], *, own: float = 1.0, changes: Any = None
) -> ExperimentResults:
    """A ends at 2 everywhere; b at ``own``, and from seed after seed like this at other rates."""

    def made(_: int, config: RunConfig) -> Trace:
        is_b = config.network.trains_bias
        factor = config.optimizer.learning_rate
        ends = half if factor < 1 else twice
        end = ends[(config.seed or 0) % len(ends)] if is_b else 2.0
        return (
            trace(config, [9, 99], kind="diverged") if end is None else trace(config, [9, 5, end])
        )

    one = starts("a", [[9, 5, 2.0]] * 10)
    other = starts("b", [[9, 5, own]] * 10, {"network.bias": "trained", **(changes or {})})
    return with_controls(experiment(one, other), "neighbours", made)


@fires("pairs-at-other-rates", "", subject="b", other="a", count=10, half=10, twice=9, budget=2)
def lower_at_both_other_rates() -> ExperimentResults:
    return at_other_rates([1.0], [1.0] * 9 + [3.0])


@fires("pairs-at-other-rates", "", subject="a", other="b", half=9, twice=10)
def higher_at_both_other_rates() -> ExperimentResults:
    return at_other_rates([3.0] * 9 + [1.0], [3.0], own=3.0)


@fires("pairs-at-other-rates", "open", subject="b", other="a", half=8, twice=10)
def as_chance_may_have_it_at_half_the_rate() -> ExperimentResults:
    return at_other_rates([1.0] * 8 + [3.0] * 2, [1.0])


@fires("pairs-at-other-rates", "open", half=10, twice=0)
def level_at_twice_the_rate() -> ExperimentResults:
    return at_other_rates([1.0], [2.0 - 0.99 * ODDS])


@fires("pairs-at-other-rates", "turns", half=1, twice=10)
def turned_round_at_half_the_rate() -> ExperimentResults:
    return at_other_rates([3.0] * 9 + [1.0], [1.0])


@silent("pairs-at-other-rates")
def one_that_diverges_at_twice_the_rate() -> ExperimentResults:
    return at_other_rates([1.0], [1.0] * 9 + [None])


@silent("pairs-at-other-rates")
def a_difference_that_is_not_there_at_the_own_rate() -> ExperimentResults:
    return at_other_rates([3.0], [1.0], own=2.0)


@silent("pairs-at-other-rates")
def variants_that_differ_in_the_rate_alone() -> ExperimentResults:
    def made(_: int, config: RunConfig) -> Trace:
        return trace(config, [9, 5, 2.0])

    one, other = (
        starts(n, [[9, 5, end]] * 10, {RATE: r}) for n, end, r in (("a", 2, 1.0), ("b", 1, 3.0))
    )
    return with_controls(experiment(one, other), "neighbours", made)


def crossing(*before: float, ends: float = 1.0) -> ExperimentResults:
    """Two variants from ten starts: the first ends lower, and is at these losses a round before."""
    calm = [9, 8, 7, 6, 5, 4, 3, 2.5, 2.5, 2.0, 2.0]
    losses = [[9, 8, 7, 6, 5, 4, 3, 2.5, 2.2, loss, ends] for loss in before]
    one = starts("a", losses)
    other = starts("b", [calm] * len(before), {"network.bias": "trained"})
    return experiment(one, other, budgets=(10,))


@fires(
    "pairs-by-round",
    "",
    subject="a",
    other="b",
    count=10,
    lower=10,
    early_lower=5,
    step=9,
    budget=10,
)
def half_of_the_pairs_were_not_lower_a_round_before() -> ExperimentResults:
    return crossing(*[1.0] * 5, *[3.0] * 5)


@silent("pairs-by-round")
def most_pairs_were_lower_a_round_before() -> ExperimentResults:
    return crossing(*[1.0] * 6, *[3.0] * 4)


@fires("pairs-by-round", "", early_lower=0, early_higher=0)
def all_pairs_were_level_a_round_before() -> ExperimentResults:
    return crossing(*[2.0] * 10)


@silent("pairs-by-round")
def pairs_that_show_no_difference_at_the_end() -> ExperimentResults:
    return crossing(*[3.0] * 10, ends=2.0)


# --- the error term ----------------------------------------------------------------------------


def gradients_of(first: float, of_last_layer: float) -> np.ndarray:
    """Gradients [3, 8]: those of the last layer are the last four."""
    return np.ones((3, 1)) * np.array([first] * 4 + [of_last_layer] * 4)


def cross_entropy(
    mine: float = 4.0, distance: float = 0.5, changes: Any = None, first: float = 1.0
) -> ExperimentResults:
    """A with MSE, b with BCE: gradients of the last layer, and how far b is from the targets."""
    outputs = off_by(3, 2, distance)
    other = single(
        "b",
        [3, 2, 1],
        {**BCE, **(changes or {})},
        outputs=outputs,
        gradients=gradients_of(first, mine),
    )
    return experiment(single("a", [9, 4, 1], gradients=gradients_of(5.0, 2.0)), other)


@fires("error-term", "", subject="b", other="a", loss="bce", other_loss="mse", factor=2.0)
def the_gradient_of_the_last_layer_is_larger() -> ExperimentResults:
    return cross_entropy()


@silent("error-term")
def the_gradient_of_the_last_layer_is_as_large() -> ExperimentResults:
    return cross_entropy(mine=2.0, first=9.0)


@silent("error-term")
def cross_entropy_that_does_not_come_nearer() -> ExperimentResults:
    return cross_entropy(distance=1.0)


@silent("error-term")
def cross_entropy_of_an_output_that_is_no_sigmoid() -> ExperimentResults:
    return cross_entropy(changes={"network.activations": ["sigmoid", "identity"]})


@silent("error-term")
def cross_entropy_from_another_start() -> ExperimentResults:
    return cross_entropy(changes={"initial": {"scheme": "ones"}})


# --- the range of the output -------------------------------------------------------------------

OUT_OF_REACH = {"data.targets": [[0.25, -1.0]]}
"""A target whose least loss is 0.5 with an output that is not below 0."""

LINEAR = {**OUT_OF_REACH, "network.activations": ["sigmoid", "identity"]}


def with_a_range(*last: float, leader: float, changes: Any = LINEAR) -> ExperimentResults:
    """Sigmoids that end like this, and one whose output has another range, if any."""
    bound = [
        single(name, [9, 5, end], {**OUT_OF_REACH, RATE: rate})
        for name, rate, end in zip("ac", (1.0, 2.0), last, strict=False)
    ]
    return experiment(*bound, single("b", [9, 5, leader], changes))


@fires("range-decides", "", subjects=("a",), other=("b",), target=-1.0, nearest=0.0, floor=0.5)
def an_output_that_cannot_equal_its_target() -> ExperimentResults:
    return with_a_range(0.5 + 1.001 * ODDS, leader=0.5 - 1.001 * ODDS)


@fires("range-decides", "ended", subjects=("a", "c"), ended=("c",), floor=0.5, unit=("o2",))
def one_of_two_has_come_to_the_floor() -> ExperimentResults:
    return with_a_range(2, 0.5 + 0.999 * ODDS, leader=0.1)


@silent("range-decides")
def a_leader_that_is_hardly_below_the_floor() -> ExperimentResults:
    return with_a_range(2, leader=0.5 - 0.999 * ODDS)


@silent("range-decides")
def a_leader_with_the_same_range() -> ExperimentResults:
    return with_a_range(2, leader=0.1, changes={**OUT_OF_REACH, RATE: 3.0})


@silent("range-decides")
def a_target_within_reach_of_all() -> ExperimentResults:
    linear = {"network.activations": ["sigmoid", "identity"]}
    return experiment(single("a", [9, 5, 2]), single("b", [9, 5, 0.1], linear))


# --- hidden layers without an activation -------------------------------------------------------

LINEAR_INSIDE = {"network.activations": ["identity", "sigmoid"]}


def linear_inside(own: float, without: float, leader: float = 1.0) -> ExperimentResults:
    """A leader, and a linear network with what it and one without its layer come to at length."""
    made = experiment(single("a", [9, 5, leader]), single("b", [9, 5, 4], LINEAR_INSIDE))

    def ending_at(end: float) -> Callable[[int, RunConfig], Trace | None]:
        return lambda _, changed: trace(changed, [9.0] * changed.rounds + [end])

    longer = with_controls(made, "longer", ending_at(own))
    return with_controls(longer, "without-hidden", ending_at(without))


@fires("linear-hidden", subject="b", other="a", value=2.0, without=2.0 + 0.999 * ODDS, rounds=20)
def a_network_without_hidden_layers_comes_as_far() -> ExperimentResults:
    return linear_inside(2.0, 2.0 + 0.999 * ODDS)


@silent("linear-hidden")
def a_network_without_hidden_layers_comes_farther() -> ExperimentResults:
    return linear_inside(2.0, 2.0 - 1.001 * ODDS)


@silent("linear-hidden")
def a_network_without_hidden_layers_does_not_come_as_far() -> ExperimentResults:
    return linear_inside(2.0, 2.0 + 1.001 * ODDS)


@silent("linear-hidden")
def a_network_without_hidden_layers_comes_to_the_lead() -> ExperimentResults:
    return linear_inside(1.0, 1.0)


@silent("linear-hidden")
def a_linear_network_that_leads() -> ExperimentResults:
    return linear_inside(2.0, 2.0, leader=5.0)


# --- wrong gradients that point downhill -------------------------------------------------------


@fires("points-downhill", "", count=1)
def one_wrong_formula_that_points_downhill() -> ExperimentResults:
    return check("summed", "right")


@fires("points-downhill", "", count=2)
def two_wrong_formulas_that_point_downhill() -> ExperimentResults:
    return check("summed", "double")


@silent("points-downhill")
def a_wrong_formula_that_points_uphill() -> ExperimentResults:
    return check("summed", "uphill")


@silent("points-downhill")
def a_right_formula_points_downhill_of_itself() -> ExperimentResults:
    return check("right")


# --- what the continued run bears out ----------------------------------------------------------


def continued(results: ExperimentResults, last: float, **recorded: Any) -> ExperimentResults:
    """Every run goes on for ten times as many rounds, in which its loss is at ``last``."""
    made_of = {r.run.config.trajectory: r.losses.tolist() for r in results.results}

    def made(_: int, config: RunConfig) -> Trace:
        losses = made_of[config.trajectory]
        rest = config.rounds + 1 - len(losses)
        return trace(config, [*losses, *[last] * rest], **recorded)

    return with_controls(results, "longer", made)


STAYS = 2 + STAYING
"""Just as far from 2 as a loss may be that stays there: the floor is 0."""


@fires("stuck", "sigmoid-longer", subject="a", loss=2.0, longer=20)
def stuck_in_saturation_to_the_end() -> ExperimentResults:
    return continued(experiment(single("a", [9, 2, 2], gradients=fading(VANISHED))), STAYS)


@silent("stuck")
def a_run_that_gets_away_when_it_is_continued() -> ExperimentResults:
    made = experiment(single("a", [9, 2, 2], gradients=fading(VANISHED)))
    return continued(made, 2 - 2.001 * STAYING)


def growing(*last: float) -> np.ndarray:
    """Gradients [21, 8] of 20 rounds: as `fading`, and in the last quarter of the rest like this.

    The rest are 19 steps, from the second on: their quarters have four.
    """
    norms = [1.0, 0.5, *[VANISHED] * 15, *last]
    return np.array(norms)[:, None] * np.eye(8)[0]


@silent("stuck")
def the_gradient_grows_when_it_is_continued() -> ExperimentResults:
    made = experiment(single("a", [9, 2, 2], gradients=fading(VANISHED)))
    return continued(made, 2.0, gradients=growing(*[1.001 * VANISHED] * 4))


@fires("stuck", "sigmoid-longer", subject="a", longer=20)
def the_gradient_grows_and_shrinks_again_when_it_is_continued() -> ExperimentResults:
    made = experiment(single("a", [9, 2, 2], gradients=fading(VANISHED)))
    return continued(made, 2.0, gradients=growing(*[1.001 * VANISHED] * 3, VANISHED))


@silent("stuck")
def a_run_that_stands_still_in_single_precision_alone() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        return trace(config, [9, 2 + 2.001 * STANDING_STILL * (number == 0), 2])

    results = experiment(single("a", [9, 2, 2], gradients=fading(VANISHED)))
    return with_twins(with_controls(results, "rounding", made))


@silent("stuck")
def a_momentum_above_1_stands_nowhere() -> ExperimentResults:
    return experiment(single("a", [9, 2, 2], {MOMENTUM: 1.2}, gradients=fading(VANISHED)))


@silent("stuck")
def rprop_needs_the_sign_of_a_gradient_alone() -> ExperimentResults:
    rprop = {"optimizer.name": "rprop"}
    return experiment(single("a", [9, 2, 2], rprop, gradients=fading(VANISHED)))


def divided(name: str, last: float) -> ExperimentResults:
    """A run of an optimizer that divides by the size of past gradients; its last gradient."""
    settings = {"optimizer": {"name": name, "learning_rate": 1.0, "eps": 1e-8}}
    fades = np.array([[1.0] * 8, [last] * 8, [last] * 8])
    return experiment(single("a", [9, 2, 2], settings, gradients=fades))


TOO_SMALL = 1e-8 * NOWHERE / (2 * LONG_AFTER)
"""A gradient with which a weight moves by a hundredth in a thousand times two rounds."""


@fires("stuck", "sigmoid", subject="a", loss=2.0)
def rmsprop_gets_nowhere_with_its_last_gradient() -> ExperimentResults:
    return divided("rmsprop", 0.999 * TOO_SMALL)


@silent("stuck")
def rmsprop_gets_away_once_it_has_forgotten_its_large_gradients() -> ExperimentResults:
    return divided("rmsprop", 1.001 * TOO_SMALL)


@silent("stuck")
def adam_gets_away_once_it_has_forgotten_its_large_gradients() -> ExperimentResults:
    return divided("adam", 1.001 * TOO_SMALL)


@fires("stuck", "sigmoid")
def adagrad_never_forgets_its_large_gradients() -> ExperimentResults:
    return divided("adagrad", VANISHED)


def rates_of_rmsprop(last: float) -> ExperimentResults:
    settings = {"optimizer": {"name": "rmsprop", "learning_rate": 1.0, "eps": 1e-8}}
    fades = np.array([[1.0] * 8, [last] * 8, [last] * 8])
    return experiment(sweep("a", RATE, {1.0: [9, 2, 2]}, settings, gradients=fades))


@fires("stuck-points", "", count=1, total=1, lowest=2.0)
def a_rate_of_rmsprop_gets_nowhere() -> ExperimentResults:
    return rates_of_rmsprop(0.999 * TOO_SMALL)


@silent("stuck-points")
def a_rate_of_rmsprop_gets_away() -> ExperimentResults:
    return rates_of_rmsprop(1.001 * TOO_SMALL)


@fires("stuck", "longer", loss=2.0, longer=20)
def stuck_without_a_sigmoid_to_the_end() -> ExperimentResults:
    linear = {"network.activations": "identity"}
    return continued(experiment(single("a", [9, 2, 2], linear, gradients=fading(VANISHED))), STAYS)


@fires("stuck", "rows-longer", loss=2.0, better=("b", 1.0), longer=20)
def stuck_where_another_run_gets_lower_to_the_end() -> ExperimentResults:
    better = single("b", [9, 2, 1], {**ROWS, **B})
    made = experiment(single("a", [9, 2, 2], ROWS, gradients=fading(VANISHED)), better)
    return continued(made, STAYS)


@fires("stuck-points", "longer", count=1, total=1, lowest=2.0, longer=20)
def a_point_that_is_stuck_to_the_end() -> ExperimentResults:
    made = sweep("a", RATE, {1.0: [9, 2, 2]}, gradients=fading(0.0))
    return continued(experiment(made), STAYS)


@silent("stuck-points")
def a_point_that_gets_away_when_it_is_continued() -> ExperimentResults:
    made = sweep("a", RATE, {1.0: [9, 2, 2]}, gradients=fading(0.0))
    return continued(experiment(made), 1.9)


@fires("overshoot", "stays", lowest=1.0, updates=1, final=2.0, longer=20)
def a_loss_that_stays_above_its_lowest() -> ExperimentResults:
    return continued(experiment(single("a", [9, 1, 2])), STAYS)


@fires("overshoot", "", lowest=1.0, final=2.0)
def a_loss_that_comes_down_again_when_it_is_continued() -> ExperimentResults:
    return continued(experiment(single("a", [9, 1, 2])), 1.0)


@fires("overshoot", "swings", lowest=1.0, updates=1, final=2.0, longer=20)
def a_loss_that_comes_much_lower_when_it_is_continued() -> ExperimentResults:
    return continued(experiment(single("a", [9, 1, 2])), 0.999 / OVERSHOOT)


@fires("overshoot", "", lowest=1.0, final=2.0)
def a_loss_that_comes_a_little_lower_when_it_is_continued() -> ExperimentResults:
    return continued(experiment(single("a", [9, 1, 2])), 1.001 / OVERSHOOT)


@silent("still-falling")
def a_loss_that_is_continued_has_no_open_end() -> ExperimentResults:
    made = experiment(single("a", [*[9.0] * 9, 1, 0.5]), budgets=(10,))
    return continued(made, 0.25)


@silent("single-start")
def other_starts_were_tried() -> ExperimentResults:
    made = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))
    return with_controls(made, "other-starts", lambda _, config: trace(config, [9, 5, 1]))


# --- losses that take probabilities ------------------------------------------------------------


def refused_target(target: float) -> ExperimentResults:
    changes = {**BCE, "data.targets": [[0.25, target]]}
    refused = single("b", [], changes, rounds=2, kind="refused", message="RuntimeError: no")
    return experiment(single("a", [3, 2, 1], {"data.targets": [[0.25, target]]}), refused)


@fires("refused", "target", subject="b", loss="bce", target=-0.07)
def a_target_below_0_is_no_probability() -> ExperimentResults:
    return refused_target(-0.07)


@fires("refused", "target", target=1.5)
def a_target_above_1_is_no_probability() -> ExperimentResults:
    return refused_target(1.5)


@fires("refused", "", subject="b")
def a_target_of_1_is_a_probability() -> ExperimentResults:
    return refused_target(1.0)


@silent("larger-step-starts")
def a_loss_below_0_that_is_the_same_with_both() -> ExperimentResults:
    return with_twice_the_rate(-3.0, mine=-1.0, theirs=-1.0)
