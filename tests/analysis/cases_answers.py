"""Cases of the answers on variants: who is ahead, by how much, for how long and from which starts.

Losses begin at 9, so that what differs by less than 0.009 is level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import (
    MOMENTUM,
    RATE,
    experiment,
    single,
    sweep,
    trace,
    with_controls,
    with_twins,
)

from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import STARTS
from labreport.runs.run import Trace

ODDS = 9e-3
"""What makes no odds beside a first loss of 9."""

B = {MOMENTUM: 0.5}
C = {MOMENTUM: 0.6}
BCE = {"loss": "bce"}


def is_b(config: RunConfig) -> bool:
    """Whether a control is one of variant b."""
    return config.flat()[MOMENTUM] == B[MOMENTUM]


# --- who leads ---------------------------------------------------------------------------------


@fires("who-leads", "one", subjects=("b",), budget=2, count=2)
@fires("end-values", "", subject="b", other="a", value=1.0, other_value=2.0, budget=2)
def one_leads_at_the_only_number_of_rounds() -> ExperimentResults:
    return experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))


@fires("who-leads", "one", subjects=("a", "b"))
def two_lead_that_differ_by_no_odds() -> ExperimentResults:
    return experiment(
        single("a", [9, 5, 1 + ODDS]), single("b", [9, 5, 1], B), single("c", [9, 5, 2], C)
    )


@fires("who-leads", "throughout", subjects=("a",), others=("b",), budget=2, count=2)
def one_leads_at_every_number_of_rounds() -> ExperimentResults:
    return experiment(single("a", [9, 2, 1]), single("b", [9, 2.5, 1.5], B), budgets=(1, 2))


@fires("who-leads", "shared", subjects=("a",), level=("b",), budget=2, count=3)
def one_leads_throughout_and_shares_the_lead_in_the_end() -> ExperimentResults:
    others = single("b", [9, 2.5, 1], B), single("c", [9, 3, 2], {MOMENTUM: 0.6})
    return experiment(single("a", [9, 2, 1]), *others, budgets=(1, 2))


@fires("who-leads", "one", subjects=("a",), others=("b",), budget=2)
def one_leads_that_was_level_at_first() -> ExperimentResults:
    return experiment(single("a", [9, 8, 1]), single("b", [9, 8, 1.5], B), budgets=(1, 2))


@fires("who-leads", "turns", early=("b",), first=1, subjects=("a",), budget=2)
@fires("end-values", "", subject="a", other="b")
def the_lead_changes_with_the_rounds() -> ExperimentResults:
    return experiment(single("a", [9, 2, 1]), single("b", [9, 1.5, 1.25], B), budgets=(1, 2))


@fires("who-leads", "turns", early=("c",), first=2, subjects=("a",), budget=3)
def the_lead_is_lost_and_comes_back() -> ExperimentResults:
    return experiment(
        single("a", [9, 2, 2, 1]),
        single("b", [9, 2, 2, 2], B),
        single("c", [9, 3, 1, 2], C),
        budgets=(1, 2, 3),
    )


@fires("who-leads", "evens", early=("b",), first=1, subjects=("a", "b"), budget=2)
@silent("end-values", "holds-over-starts", "leads-longer", "larger-step")
def the_lead_is_gone_in_the_end() -> ExperimentResults:
    return experiment(single("a", [9, 2, 1]), single("b", [9, 1.5, 1 + ODDS], B), budgets=(1, 2))


@fires("who-leads", "level", subjects=("a", "b"), budget=2)
@silent("end-values", "holds-over-starts", "leads-longer", "larger-step")
def losses_that_differ_by_no_odds() -> ExperimentResults:
    return experiment(single("a", [9, 2, 1 + ODDS]), single("b", [9, 2, 1], B), budgets=(1, 2))


@fires("who-leads", "one", subjects=("b",))
def losses_that_differ_by_just_more() -> ExperimentResults:
    return experiment(single("a", [9, 5, 1 + 1.001 * ODDS]), single("b", [9, 5, 1], B))


@fires("who-leads", "one", subjects=("b",))
@fires("end-values", "error", subject="b", other="a", value=1.0, other_value=4.0)
def losses_of_two_kinds_are_compared_by_their_error() -> ExperimentResults:
    # The loss of b is higher, its outputs are nearer.
    outputs = np.array([[[0.25, 0.0625]]]) + np.array([3.0, 2.0, 1.0])[:, None, None]
    return experiment(single("a", [9, 5, 4]), single("b", [9, 8, 7], BCE, outputs=outputs))


@silent("who-leads", "end-values")
def one_variant_has_no_rival() -> ExperimentResults:
    return experiment(single("a", [9, 5, 1]))


@silent("who-leads", "end-values", "nearer-to-targets", "holds-over-starts", "larger-step")
def variants_with_other_targets() -> ExperimentResults:
    other = {"data.targets": [[0.25, 0.5]]}
    return experiment(single("a", [9, 5, 1]), single("b", [9, 5, 2], other))


# --- from other starts -------------------------------------------------------------------------


def from_starts(lower: int, higher: int, changes: Any = None) -> ExperimentResults:
    """B is ahead; from so many other starts it is lower, from so many higher, else level."""

    def made(number: int, config: RunConfig) -> Trace:
        if not is_b(config):
            return trace(config, [9, 5, 2])
        last = 1.0 if number < lower else 3.0 if number < lower + higher else 2.0
        return trace(config, [9, 5, last])

    variants = single("a", [9, 5, 2], changes), single("b", [9, 5, 1], {**B, **(changes or {})})
    return with_controls(experiment(*variants), "other-starts", made)


@fires(
    "holds-over-starts",
    "all",
    subject="b",
    other="a",
    count=STARTS,
    lower=STARTS,
    higher=0,
    budget=2,
)
def lower_from_every_start() -> ExperimentResults:
    return from_starts(STARTS, 0)


@fires("holds-over-starts", "mostly", lower=27, higher=3)
def lower_from_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(27, 3)


@fires("holds-over-starts", "more", lower=26, higher=4)
def lower_from_fewer_than_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(26, 4)


@fires("holds-over-starts", "fewer", lower=9, higher=21)
def higher_from_more_starts_than_chance_explains() -> ExperimentResults:
    return from_starts(9, 21)


@fires("holds-over-starts", "depends", lower=20, higher=10)
def lower_from_no_more_starts_than_chance_explains() -> ExperimentResults:
    return from_starts(20, 10)


@fires("holds-over-starts", "reversed", lower=3, higher=27)
def higher_from_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(3, 27)


@fires("holds-over-starts", "level", lower=2, higher=1)
def level_from_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(2, 1)


@fires("holds-over-starts", "depends", lower=4, higher=0)
def level_from_fewer_than_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(4, 0)


@fires("holds-over-starts", "all", count=STARTS)
def a_start_of_ones_own_is_none_of_the_others() -> ExperimentResults:
    return from_starts(STARTS, 0, {"initial": {"scheme": "pytorch"}, "seed": 3})


@silent("holds-over-starts")
def no_other_starts_were_tried() -> ExperimentResults:
    return experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))


@silent("holds-over-starts")
def a_start_from_which_one_of_them_ended() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        if number == 5 and is_b(config):
            return trace(config, [9, 99], kind="diverged")
        return trace(config, [9, 5, 1.0 if is_b(config) else 2.0])

    variants = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))
    return with_controls(variants, "other-starts", made)


@silent("holds-over-starts", "reaches-from-starts")
def nine_other_starts_are_too_few() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace | None:
        last = 0.5 if is_b(config) else 5.0
        return trace(config, [9, 5, last]) if number < 9 else None

    variants = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))
    return with_controls(variants, "other-starts", made)


# --- how many starts come near the floor -------------------------------------------------------

NEARLY = 0.9 - 1e-6
"""Nine tenths of the way from 9 to 0, and a little more."""


def reaching(count: int, other: int) -> ExperimentResults:
    """A comes near the floor from so many starts, b from so many others."""

    def made(number: int, config: RunConfig) -> Trace:
        most = other if is_b(config) else count
        end = NEARLY if number < most else 0.9 + 1e-6
        return trace(config, [9, 5, 0.1 if number == 0 < most else end])

    variants = experiment(single("a", [9, 5, 0.1]), single("b", [9, 5, 0.2], B))
    return with_controls(variants, "other-starts", made)


@silent("reaches-from-starts")
def all_starts_end_at_one_loss() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        first = 9.0 if is_b(config) or number % 2 else 4.0
        return trace(config, [first, 2, 0.5 if not is_b(config) else 0.1])

    variants = experiment(single("a", [9, 5, 0.5]), single("b", [9, 5, 0.1], B))
    return with_controls(variants, "other-starts", made)


@fires(
    "reaches-from-starts", "", subject="a", safe=("b",), count=STARTS, failed=STARTS - 27, budget=2
)
def nine_of_ten_starts_come_near_the_floor() -> ExperimentResults:
    return reaching(27, STARTS)


@fires("reaches-from-starts", "", failed=14)
def more_than_half_of_the_starts_come_near_the_floor() -> ExperimentResults:
    return reaching(16, STARTS)


@fires("reaches-from-starts", "often", failed=15)
def half_of_the_starts_come_near_the_floor() -> ExperimentResults:
    return reaching(15, STARTS)


@fires("reaches-from-starts", "often", failed=STARTS - 1)
def one_start_comes_near_the_floor() -> ExperimentResults:
    return reaching(1, STARTS)


@fires("reaches-from-starts", "always", subject="a", safe=("b",), count=STARTS, budget=2)
def no_start_comes_near_the_floor() -> ExperimentResults:
    return reaching(0, STARTS)


@silent("reaches-from-starts")
def one_that_begins_at_its_floor_succeeds_at_nothing() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        return trace(config, [0, 0, 0] if is_b(config) else [9, 5, 5])

    variants = experiment(single("a", [9, 5, 5]), single("b", [0, 0, 0], B))
    return with_controls(variants, "other-starts", made)


@silent("reaches-from-starts")
def more_than_nine_of_ten_starts_come_near_the_floor() -> ExperimentResults:
    return reaching(28, STARTS)


@silent("reaches-from-starts")
def no_variant_always_comes_near_the_floor() -> ExperimentResults:
    return reaching(10, STARTS - 1)


@silent("reaches-from-starts")
def a_start_that_ended_is_not_known_to_fail() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        if number == 0 and is_b(config):
            return trace(config, [9, 99], kind="diverged")
        return trace(config, [9, 5, 0.5 if is_b(config) else 5.0])

    variants = experiment(single("a", [9, 5, 0.1]), single("b", [9, 5, 0.2], B))
    return with_controls(variants, "other-starts", made)


# --- when training goes on ---------------------------------------------------------------------


def going_on(a: float, b: float, c: float = 5.0, last_of_c: float = 5.0) -> ExperimentResults:
    """B leads after 2 rounds, before a and c; after ten times as many they end like this."""

    def made(_: int, config: RunConfig) -> Trace:
        momentum = config.flat()[MOMENTUM]
        start, end = {0.0: (2.0, a), 0.5: (1.0, b), 0.6: (last_of_c, c)}[momentum]
        return trace(config, [9, 5, start, *[end] * (config.rounds - 2)])

    variants = (
        single("a", [9, 5, 2]),
        single("b", [9, 5, 1], B),
        single("c", [9, 5, last_of_c], C),
    )
    return with_controls(experiment(*variants), "longer", made)


@fires("leads-longer", "", subjects=("b",), before=("b",), rounds=20, budget=2)
def the_lead_stays_when_training_goes_on() -> ExperimentResults:
    return going_on(0.5, 0.25)


@fires("leads-longer", "joined", subjects=("a", "b"), before=("b",))
def another_one_comes_level_when_training_goes_on() -> ExperimentResults:
    return going_on(0.25, 0.25 + ODDS / 2)


@fires("leads-longer", "joined", subjects=("a", "b"), before=("b",), rounds=20)
def another_one_shares_the_lead_when_training_goes_on() -> ExperimentResults:
    return going_on(0.25, 0.25, 5.0, 4.0)


@fires("leads-longer", "turns", subjects=("a",), before=("b",), rounds=20)
def the_lead_turns_round_when_training_goes_on() -> ExperimentResults:
    return going_on(0.25, 0.25 + 1.001 * ODDS)


@fires("leads-longer", "level", subjects=("a", "b", "c"), rounds=20)
def the_lead_is_gone_when_training_goes_on() -> ExperimentResults:
    return going_on(0.25 + ODDS / 4, 0.25, 0.25 + ODDS / 2)


@silent("leads-longer")
def one_of_them_is_not_continued() -> ExperimentResults:
    def made(_: int, config: RunConfig) -> Trace | None:
        return trace(config, [9, 5, 1, *[0.5] * 18]) if is_b(config) else None

    variants = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))
    return with_controls(variants, "longer", made)


def trained_on(*ends: float) -> ExperimentResults:
    """B leads before a; c is the same run as a; continued, each stands where ``ends`` says."""

    def made(number: int, config: RunConfig) -> Trace:
        place = {0.0: 0, 0.5: 1, 0.6: 2}[config.flat()[MOMENTUM]]
        return trace(config, [9, 5, 1.0 if place == 1 else 2.0, *[ends[place]] * 18])

    variants = single("a", [9, 5, 2]), single("b", [9, 5, 1], B), single("c", [9, 5, 2], C)
    return with_controls(experiment(*variants), "longer", made)


@fires("leads-longer", "", subjects=("b",), rounds=20)
def equal_runs_that_stay_equal_when_training_goes_on() -> ExperimentResults:
    return trained_on(0.5, 0.25, 0.5)


@silent("leads-longer")
def equal_runs_that_part_when_training_goes_on() -> ExperimentResults:
    return trained_on(0.5, 0.25, 0.375)


@silent("leads-longer")
def the_lead_changes_hands_in_the_last_fifth() -> ExperimentResults:
    def made(_: int, config: RunConfig) -> Trace:
        last = [0.25, 0.25, 0.25] if is_b(config) else [0.5, 0.125, 0.5]
        return trace(config, [9, 5, 1.0 if is_b(config) else 2.0, *[0.5] * 15, *last])

    variants = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))
    return with_controls(variants, "longer", made)


def in_other_roundings(a: float, b: float) -> ExperimentResults:
    """B leads a; in double precision they end like this, and with moved weights as they did."""
    ends = {False: (2.0, a), True: (1.0, b)}

    def made(number: int, config: RunConfig) -> Trace:
        return trace(config, [9, 5, ends[is_b(config)][number == 0]])

    variants = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))
    return with_twins(with_controls(variants, "rounding", made))


@fires("rounding-decides", subjects=("a",), before=("b",), budget=2)
def another_one_leads_in_double_precision() -> ExperimentResults:
    return in_other_roundings(1.0, 1 + 1.001 * ODDS)


@silent("rounding-decides")
def who_leads_is_level_in_double_precision() -> ExperimentResults:
    return in_other_roundings(1.0, 1 + ODDS / 2)


@silent("rounding-decides")
def the_lead_is_as_large_in_every_rounding() -> ExperimentResults:
    return in_other_roundings(2.0, 1.0)


# --- another loss ------------------------------------------------------------------------------


def off_by(*distances: float) -> Any:
    """Outputs so far from the targets: the mean squared error is the square."""
    targets = np.array([[[0.25, 0.0625]]])
    return targets + np.array(distances)[:, None, None]


def two_losses(*last: float, other: float = 0.5) -> ExperimentResults:
    """A variant of MSE that ends at an error of 0.25, and others of BCE; all begin at 9."""
    others = [
        single(f"b{k}", [3, 2 + k, 1], {**BCE, MOMENTUM: k / 10}, outputs=off_by(3, 2, distance))
        for k, distance in enumerate(last)
    ]
    return experiment(single("a", [9, 4, other**2]), *others)


@fires(
    "nearer-to-targets",
    "all",
    loss="bce",
    other_loss="mse",
    count=2,
    lower=2,
    value=0.0625,
    other_value=0.25,
    subject="b1",
    other="a",
    budget=2,
)
def two_of_another_loss_come_nearer() -> ExperimentResults:
    return two_losses(0.125, 0.25)


@fires("nearer-to-targets", "none", count=1, lower=0, value=1.0)
@silent("error-term")
def another_loss_stays_farther() -> ExperimentResults:
    return two_losses(1.0)


@fires("nearer-to-targets", "some", count=2, lower=1)
def another_loss_comes_nearer_in_one_of_two_comparisons() -> ExperimentResults:
    return two_losses(1.0, 0.25)


@fires("nearer-to-targets", "level", count=1, lower=0)
def another_loss_that_ends_level() -> ExperimentResults:
    return two_losses(0.5)


@fires("nearer-to-targets", "all", budget=1, value=1.0, other_value=4.0)
def another_loss_that_comes_nearer_first_and_level_then() -> ExperimentResults:
    other = single("b", [3, 2, 1], BCE, outputs=off_by(3, 1, 0.5))
    return experiment(single("a", [9, 4, 0.25]), other, budgets=(1, 2))


@fires("nearer-to-targets", "none", budget=2, value=1.0, other_value=0.25)
def another_loss_that_comes_nearer_first_and_stays_farther_then() -> ExperimentResults:
    other = single("b", [3, 2, 1], BCE, outputs=off_by(3, 1, 1))
    return experiment(single("a", [9, 4, 0.25]), other, budgets=(1, 2))


@silent("nearer-to-targets", "error-term")
def one_loss_alone() -> ExperimentResults:
    return experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], B))


# --- nothing to compare in a sweep -------------------------------------------------------------


@silent("who-leads", "leads-longer", "larger-step", "nearer-to-targets")
def a_sweep_has_no_variants_to_compare() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [9, 5, 3], 1.0: [9, 5, 1], 2.0: [9, 5, 2]}))


@silent("several-changes")
def a_loss_of_logits_that_takes_the_last_activation_in() -> ExperimentResults:
    logits = {"loss": "bce_with_logits", "network.activations": ["sigmoid", "identity"]}
    return experiment(single("a", [9, 2, 1]), single("b", [9, 2, 0.5], logits))


@silent("several-changes")
def further_inputs_that_a_network_follows() -> ExperimentResults:
    wider = {
        "data": {"inputs": [[0.5, 0.3, 0.15]], "targets": [[0.23, -0.07]]},
        "network.layers": [3, 2, 2],
        "initial": {"scheme": "ones"},
    }
    narrow = {**wider, "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]}}
    one = single("a", [9, 2, 1], {**narrow, "network.layers": [2, 2, 2]})
    return experiment(one, single("b", [9, 2, 0.5], wider))


@fires("several-changes", "", count=2, keys=("network.activations", "loss"))
def a_loss_of_logits_of_another_hidden_layer() -> ExperimentResults:
    logits = {"loss": "bce_with_logits", "network.activations": ["tanh", "identity"]}
    return experiment(single("a", [9, 2, 1]), single("b", [9, 2, 0.5], logits))
