"""Cases of the rules on rows that training does not see.

The network is one weight w without a bias, its loss the mean square of w·x − y. Held-out rows have
x = 1 and y = 0, so that their loss is w², whatever the losses of training are said to be; the test
has x = ±1 and y = ±1, so that R² is 1 − (1 − w)².
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nextafter, sqrt
from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import (
    MOMENTUM,
    RATE,
    Made,
    config,
    experiment,
    single,
    starts,
    sweep,
    trace,
    with_controls,
)

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import FEWEST_PAIRS, NO_ODDS, OVERFITTED
from labreport.data.data_set import DataPart, DataSet, Origin
from labreport.lab.configuration import RunConfig
from labreport.runs.run import Trace

OTHER = {RATE: 2.0}
ONE = DataPart(((1.0,),) * 10, ((0.0,),) * 10)
SIGNS = DataPart(((1.0,), (-1.0,)), ((1.0,), (-1.0,)))
PLACES = {"train": (0,), "validation": tuple(range(1, 11)), "test": (11, 12)}

LINE = {
    "data": {"inputs": [[1.0]], "targets": [[0.0]]},
    "network": {"layers": [1, 1], "activations": "identity", "bias": "none"},
    "initial": {"scheme": "given", "weights": [[[1.0]]]},
}


LINE_DRAWN = {**LINE, "initial": {"scheme": "pytorch"}}


def data_set(*held_out: str, classes: Sequence[str] = ()) -> DataSet:
    """A data set with these parts beside that of training."""
    every = {"train": SIGNS, "validation": ONE, "test": SIGNS}
    parts = {name: every[name] for name in ("train", *held_out)}
    places = {name: PLACES[name] for name in parts}
    return DataSet(Origin("inline", ""), ("x1",), 1, ("x1",), ("y",), tuple(classes), parts, places)


def held(results: ExperimentResults, made: DataSet | None = None) -> ExperimentResults:
    """The same experiment on a data set with rows held out."""
    found = made or data_set("validation", "test")
    members = tuple(replace(r, trial=replace(r.trial, data_set=found)) for r in results.results)
    plan = replace(results.plan, trials=tuple(r.trial for r in members))
    return replace(results, plan=plan, results=members)


def way(name: str, losses: Sequence[float], weights: Sequence[float], **changes: Any) -> Made:
    """A run of one weight: its training losses, and the weight at each step."""
    return single(name, losses, {**LINE, **changes}, weights=np.array(weights)[:, None])


def by_rate(weights: dict[float, float], losses: dict[float, float]) -> Made:
    """A sweep: the last weight and the last training loss at each learning rate."""
    return by_value(RATE, weights, losses)


def by_value(key: str, weights: Mapping[Any, float], losses: Mapping[Any, float]) -> Made:
    """The same of any key."""
    rows = [
        sweep("a", key, {value: [9, 5, losses[value]]}, LINE, weights=np.array([[3], [2], [last]]))
        for value, last in weights.items()
    ]
    return Made("a", tuple(made.rows[0] for made in rows))


# --- which result the held-out rows choose -----------------------------------------------------


@fires("leads-on-validation", "", subject="b", loss=0.25, other="a", other_loss=1.0, rows=10)
@fires("held-out-score", "chosen-explained", subject="b", score=0.75, rows=2, budget=2)
@silent("overfits", "chosen-on-test", "validation-over-starts", "unseen-rows")
def the_lead_of_training_is_that_of_validation() -> ExperimentResults:
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, 2, 0.5], **OTHER)
    return held(experiment(first, second))


@fires("leads-on-validation", "turned", subject="b", other="a", loss=0.25, other_loss=1.0)
def training_leads_elsewhere_than_validation() -> ExperimentResults:
    first, second = way("a", [9, 5, 2], [3, 2, 1]), way("b", [9, 5, 3], [3, 2, 0.5], **OTHER)
    return held(experiment(first, second))


LEVEL = sqrt(1 + NO_ODDS * 9)
"""A weight whose loss is above that of 1 by a thousandth of that of 3."""


@fires("leads-on-validation", "level", subject="a", other="b")
def the_best_two_are_level_on_validation() -> ExperimentResults:
    near = nextafter(LEVEL, 1)
    first, second = way("a", [9, 5, 2], [3, 2, 1]), way("b", [9, 5, 3], [3, 2, near], **OTHER)
    return held(experiment(first, second))


@fires("leads-on-validation", "")
def the_best_two_are_just_not_level_on_validation() -> ExperimentResults:
    far = LEVEL + 1e-9
    first, second = way("a", [9, 5, 2], [3, 2, 1]), way("b", [9, 5, 3], [3, 2, far], **OTHER)
    return held(experiment(first, second))


@silent("leads-on-validation", "held-out-score", "best-on-validation", "overfits")
def nothing_is_held_out() -> ExperimentResults:
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, 2, 0.5], **OTHER)
    return experiment(first, second)


@fires("held-out-score", "explained", subject="a", score=0.75, rows=2)
@silent("leads-on-validation", "chosen-on-test")
def one_run_with_a_test() -> ExperimentResults:
    return held(experiment(way("a", [9, 5, 3], [3, 2, 0.5])))


@fires("held-out-score", "", subject="a", score=1.0, seen_score=1.0)
def one_run_with_classes() -> ExperimentResults:
    made = data_set("validation", "test", classes=("no", "yes"))
    return held(experiment(way("a", [9, 5, 3], [3, 2, 0.6])), made)


@fires("held-out-score", "chosen", subject="b", score=1.0, seen_score=1.0)
def two_runs_with_classes() -> ExperimentResults:
    made = data_set("validation", "test", classes=("no", "yes"))
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, 2, 0.6], **OTHER)
    return held(experiment(first, second), made)


def two_with_classes(first: float, second: float) -> ExperimentResults:
    """Two runs that end at these weights; rows have x = 1 and belong to class no."""
    made = data_set("validation", "test", classes=("no", "yes"))
    one, other = way("a", [9, 5, 3], [3, 2, first]), way("b", [9, 5, 2], [3, 2, second], **OTHER)
    return held(experiment(one, other), made)


@fires("accuracy-on-validation", "same", subject="b", other="a", score=1.0, rows=10)
@fires("leads-on-validation", "", subject="b")
def the_loss_decides_where_the_accuracy_does_not() -> ExperimentResults:
    return two_with_classes(0.4, 0.2)


@fires("accuracy-on-validation", "turned", subject="b", other="a", score=0.0, other_score=1.0)
def who_has_the_lower_loss_has_fewer_rows_right() -> ExperimentResults:
    return two_with_classes(-2, 0.9)


@silent("accuracy-on-validation")
def who_has_the_lower_loss_has_more_rows_right() -> ExperimentResults:
    return two_with_classes(0.9, 0.4)


@silent("accuracy-on-validation")
def the_loss_decides_nothing() -> ExperimentResults:
    return two_with_classes(0.4, 0.4)


@fires("accuracy-on-validation", "same", subject=("", 2.0), other=("", 1.0), score=1.0)
def the_value_with_the_lowest_loss_is_not_alone_by_accuracy() -> ExperimentResults:
    made = data_set("validation", "test", classes=("no", "yes"))
    ended = by_rate({0.5: 3.0, 1.0: 0.4, 2.0: 0.1}, {0.5: 3, 1.0: 2, 2.0: 1})
    return held(experiment(ended), made)


@fires("chosen-on-test", "", count=2, rows=2)
@silent("leads-on-validation", "held-out-score")
def two_runs_with_a_test_alone() -> ExperimentResults:
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, 2, 0.5], **OTHER)
    return held(experiment(first, second), data_set("test"))


# --- from other starts -------------------------------------------------------------------------


def from_starts(lower: int) -> ExperimentResults:
    """Two runs of which the first leads on validation, and from so many of ten starts."""
    first = way("a", [9, 5, 2], [3, 2, 0.5])
    second = way("b", [9, 5, 3], [3, 2, 1], **{RATE: 2.0})

    def made(number: int, config: RunConfig) -> Any:
        if number >= FEWEST_PAIRS:
            return None
        ahead = number < lower
        last = 0.5 if ahead == (config.optimizer.learning_rate == 1.0) else 1.0
        return trace(config, [9, 5, 2], weights=np.array([[3], [2], [last]]))

    return with_controls(held(experiment(first, second)), "other-starts", made)


@fires("validation-over-starts", "", subject="a", other="b", lower=9, total=10)
def validation_leads_from_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(9)


@fires("validation-over-starts", "depends", lower=8, total=10)
def validation_leads_from_eight_of_ten_starts() -> ExperimentResults:
    return from_starts(8)


@fires("validation-over-starts", "depends", lower=2, total=10)
def validation_leads_elsewhere_from_eight_of_ten_starts() -> ExperimentResults:
    return from_starts(2)


@fires("validation-over-starts", "reversed", subject="a", other="b", lower=1, total=10)
def validation_leads_elsewhere_from_nine_of_ten_starts() -> ExperimentResults:
    return from_starts(1)


def from_seeds(*lasts: float) -> Made:
    """Runs from random starts: the last weight of each."""
    made = starts("r", [[9, 5, 1]] * len(lasts), LINE_DRAWN)
    rows = tuple(
        (point, seed, drawn, trace(drawn, [9, 5, 1], weights=np.array([[3], [2], [last]])))
        for (point, seed, drawn, _), last in zip(made.rows, lasts, strict=True)
    )
    return Made("r", rows)


@fires("held-out-starts", "explained", scores=(("r", 0.75),))
def scores_over_random_starts() -> ExperimentResults:
    return held(experiment(from_seeds(0.5, 2.0, 1.0)))


@fires("held-out-starts", "", scores=(("r", 1.0),))
def shares_over_random_starts() -> ExperimentResults:
    made = data_set("validation", "test", classes=("no", "yes"))
    return held(experiment(from_seeds(0.6, 0.4, 1.0)), made)


@silent("held-out-starts")
def starts_without_rows_held_out() -> ExperimentResults:
    return experiment(from_seeds(0.5, 2.0, 1.0))


def two_variants(lower: int) -> ExperimentResults:
    """Ten pairs of starts, of which so many are lower for the first variant."""
    first, second = from_seeds(*[0.5] * 10), from_seeds(*[1.0] * lower, *[0.2] * (10 - lower))
    rows = tuple(
        (point, seed, config(LINE_DRAWN | {RATE: 2.0, "rounds": 2}).with_seed(seed or 0), made)
        for point, seed, _, made in second.rows
    )
    return held(experiment(Made("a", first.rows), Made("b", rows)))


@fires("starts-on-validation", "", subject="a", other="b", lower=9, count=10, rows=10)
def nine_pairs_of_ten_are_lower() -> ExperimentResults:
    return two_variants(9)


@fires("starts-on-validation", "", subject="b", other="a", lower=10)
def all_pairs_are_higher() -> ExperimentResults:
    return two_variants(0)


@fires("starts-on-validation", "open", subject="a", other="b", lower=8)
def eight_pairs_of_ten_may_be_chance() -> ExperimentResults:
    return two_variants(8)


@fires("starts-on-validation", "level", subject="b", other="a", lower=0, even=10)
def what_nobody_would_mind_is_level_on_validation() -> ExperimentResults:
    # The loss before training is 9, so that 0.009 make no odds.
    return three_variants([0.5] * 10, [0.5001] * 10)


def three_variants(*lasts: Sequence[float]) -> ExperimentResults:
    """Variants from the same starts whose weight ends at these values."""
    made = []
    for name, momentum, last in zip("abc", (0.0, 0.5, 0.9), lasts, strict=False):
        changed = LINE_DRAWN | {MOMENTUM: momentum, "rounds": 2}
        rows = tuple(
            (point, seed, config(changed).with_seed(seed or 0), made_trace)
            for point, seed, _, made_trace in from_seeds(*last).rows
        )
        made.append(Made(name, rows))
    return held(experiment(*made))


@fires("lowest-on-validation", "all", subject="b", other="a", total=3, lower=10, count=10, rows=10)
def the_second_is_lowest_on_validation_from_every_seed() -> ExperimentResults:
    return three_variants([0.6] * 10, [0.5] * 10, [1.0] * 10)


@fires("lowest-on-validation", "", subject="a", other="b", lower=9)
def one_start_of_ten_is_not_lowest() -> ExperimentResults:
    return three_variants([0.5] * 9 + [0.8], [0.6] * 10, [1.0] * 10)


@fires("lowest-on-validation", "open", subject="a", others=("b",), count=10)
def two_of_three_cannot_be_told_apart_on_validation() -> ExperimentResults:
    return three_variants([0.5] * 6 + [0.8] * 4, [0.6] * 10, [1.0] * 10)


@fires("lowest-on-validation", "beside", subject="a", others=("b",))
def two_of_three_are_level_on_validation() -> ExperimentResults:
    return three_variants([0.5] * 10, [0.5001] * 10, [1.0] * 10)


@fires("lowest-on-validation", "level", total=3)
def three_are_level_on_validation() -> ExperimentResults:
    return three_variants([0.5] * 10, [0.5001] * 10, [0.5002] * 10)


def values_from_starts(lasts: Mapping[float, Sequence[float]]) -> ExperimentResults:
    """Learning rates from the same starts each, and the weights that their runs end at."""
    rows = tuple(
        (((RATE, rate),), seed, drawn_at(rate, seed), made)
        for rate, ends in lasts.items()
        for _, seed, _, made in from_seeds(*ends).rows
    )
    return held(experiment(Made("a", rows)))


@fires("best-rounds", "", subject="a", other="b", least=0.25, own=1.0, budget=2)
def the_best_round_of_another_one_is_better() -> ExperimentResults:
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, 0.5, 1.5], **OTHER)
    return held(experiment(first, second))


@fires("best-rounds", "", subject=("", 1.0), other=("", 2.0))
def the_best_round_of_another_value_is_better() -> ExperimentResults:
    rows = [
        sweep("a", RATE, {rate: [9, 5, 3]}, LINE, weights=np.array([[3], [middle], [last]])).rows[0]
        for rate, middle, last in ((1.0, 2, 1), (2.0, 0.5, 1.5))
    ]
    return held(experiment(Made("a", tuple(rows))))


@silent("best-rounds")
def the_best_round_of_another_one_is_hardly_better() -> ExperimentResults:
    near = sqrt(1 - 0.999 * NO_ODDS * 9)
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, near, 1.5], **OTHER)
    return held(experiment(first, second))


@silent("best-rounds")
def the_best_round_of_a_run_of_which_it_is_kept() -> ExperimentResults:
    first, second = way("a", [9, 5, 3], [3, 2, 1]), way("b", [9, 5, 2], [3, 0.5, 1.5], **OTHER)
    kept = replace(data_set("validation", "test"), keeps_best=True)
    return held(experiment(first, second), kept)


def at_best_rounds(lower: int) -> ExperimentResults:
    """Ten starts of a end lower; b has been lower on the way from so many of them."""
    first = from_seeds(*[1.0] * 10)
    middles = [0.5] * lower + [1.2] * (10 - lower)
    rows = []
    for (point, seed, _, _), middle in zip(first.rows, middles, strict=True):
        drawn = drawn_at(2.0, seed)
        course = np.array([[3], [middle], [1.5]])
        rows.append((point, seed, drawn, trace(drawn, [9, 5, 1], weights=course)))
    return held(experiment(Made("a", first.rows), Made("b", tuple(rows))))


@fires("best-rounds", "starts", subject="a", other="b", lower=9, count=10)
def the_best_rounds_of_another_variant_are_better() -> ExperimentResults:
    return at_best_rounds(9)


@silent("best-rounds")
def the_best_rounds_of_another_variant_may_be_better_by_chance() -> ExperimentResults:
    return at_best_rounds(8)


def drawn_at(rate: float, seed: int | None) -> RunConfig:
    """The configuration of one weight from a random start."""
    return config(LINE_DRAWN | {RATE: rate, "rounds": 2}).with_seed(seed or 0)


def at(rate: float) -> tuple[str, float]:
    """The point of a learning rate."""
    return ("", rate)


@fires("best-starts-on-validation", "all", subject=at(2.0), other=at(3.0), total=3, lower=8)
def one_value_is_lowest_on_validation_from_every_seed() -> ExperimentResults:
    return values_from_starts({1.0: [1.0] * 8, 2.0: [0.5] * 8, 3.0: [0.8] * 8})


@fires("best-starts-on-validation", "", subject=at(1.0), other=at(2.0), total=2, lower=9)
def one_of_two_values_is_lowest_on_validation_but_for_one_seed() -> ExperimentResults:
    return values_from_starts({1.0: [0.5] * 9 + [1.0], 2.0: [0.8] * 10})


@fires("best-starts-on-validation", "open", subject=at(1.0), others=(at(2.0),), count=5)
def five_starts_of_two_values_are_too_few() -> ExperimentResults:
    return values_from_starts({1.0: [0.5] * 5, 2.0: [0.8] * 5})


@fires("best-starts-on-validation", "beside", subject=at(1.0), others=(at(2.0),))
def two_of_three_values_are_level_on_validation() -> ExperimentResults:
    return values_from_starts({1.0: [0.5] * 8, 2.0: [0.5001] * 8, 3.0: [0.8] * 8})


@fires("best-starts-on-validation", "level", total=2)
def two_values_are_level_on_validation_from_every_seed() -> ExperimentResults:
    return values_from_starts({1.0: [0.5] * 8, 2.0: [0.5001] * 8})


@silent("best-starts-on-validation")
def one_value_from_several_starts() -> ExperimentResults:
    return held(experiment(from_seeds(0.5, 2.0, 1.0)))


@silent("lowest-on-validation", "starts-on-validation")
def two_names_of_the_same_starts_on_validation() -> ExperimentResults:
    first = from_seeds(*[0.5] * 10)
    return held(experiment(Made("a", first.rows), Made("b", first.rows)))


@silent("lowest-on-validation")
def two_variants_on_validation_are_a_pair() -> ExperimentResults:
    return three_variants([0.5] * 10, [1.0] * 10)


@fires("lowest-on-validation", "open", subject="a", others=("b", "c"), count=6)
def six_starts_are_too_few_for_three_on_validation() -> ExperimentResults:
    # The smallest p of six pairs is 0.031; twice that, for the best was chosen among three.
    return three_variants([0.5] * 6, [0.6] * 6, [1.0] * 6)


def at_other_rates(half: int, twice: int, count: int = 10, lower: int = 10) -> ExperimentResults:
    """Pairs of starts, of which a is lower in so many; at other rates in these numbers of them."""
    heavy = LINE_DRAWN | {MOMENTUM: 0.5}

    def lasts(wins: int) -> list[float]:
        return [1.0] * wins + [0.2] * (count - wins)

    first, second = from_seeds(*[0.5] * count), from_seeds(*lasts(lower))
    rows = tuple(
        (point, seed, config(heavy | {"rounds": 2}).with_seed(seed or 0), made)
        for point, seed, _, made in second.rows
    )

    def made(_: int, changed: RunConfig) -> Trace:
        wins = half if changed.optimizer.learning_rate < 1 else twice
        is_b = bool(changed.flat()[MOMENTUM])
        last = lasts(wins)[changed.seed or 0] if is_b else 0.5
        return trace(changed, [9, 5, 1], weights=np.array([[3], [2], [last]]))

    found = held(experiment(Made("a", first.rows), Made("b", rows)))
    return with_controls(found, "neighbours", made)


@fires("validation-at-other-rates", "", subject="a", other="b", half=9, twice=10, count=10)
def the_lead_on_validation_is_there_at_other_rates() -> ExperimentResults:
    return at_other_rates(9, 10)


@fires("validation-at-other-rates", "open", subject="a", other="b", half=8, twice=10)
def the_lead_on_validation_is_open_at_half_the_rate() -> ExperimentResults:
    return at_other_rates(8, 10)


@fires("validation-at-other-rates", "turns", subject="a", other="b", half=10, twice=1)
def the_lead_on_validation_turns_at_twice_the_rate() -> ExperimentResults:
    return at_other_rates(10, 1)


@fires("validation-at-other-rates", "open", subject="b", other="a", half=8, twice=5)
def the_lead_of_the_other_one_is_open_at_other_rates() -> ExperimentResults:
    return at_other_rates(2, 5, lower=1)


@silent("validation-at-other-rates")
def nine_pairs_are_too_few_for_other_rates() -> ExperimentResults:
    return at_other_rates(9, 9, count=9, lower=9)


@silent("validation-at-other-rates")
def no_lead_on_validation_to_ask_at_other_rates() -> ExperimentResults:
    return at_other_rates(10, 10, lower=8)


@silent("starts-on-validation")
def starts_of_one_variant() -> ExperimentResults:
    return held(experiment(from_seeds(0.5, 2.0, 1.0)))


# --- sweeps ------------------------------------------------------------------------------------


@fires("best-on-validation", "other", best=("", 2.0), loss=0.25, trained=("", 3.0), there=1.0)
@fires("fits-its-rows", "both", best=("", 2.0), end=("", 3.0), training=1.0, own_training=2.0)
@fires("held-out-score", "chosen-explained", score=0.75)
@silent("edge-on-validation")
def too_little_and_too_much() -> ExperimentResults:
    return held(experiment(by_rate({1.0: 2, 2.0: 0.5, 3.0: 1}, {1.0: 3, 2.0: 2, 3.0: 1})))


@fires("fits-its-rows", "", best=("", 1.0), end=("", 3.0))
def too_much_alone() -> ExperimentResults:
    return held(experiment(by_rate({1.0: 0.5, 2.0: 0.7, 3.0: 1}, {1.0: 3, 2.0: 2, 3.0: 1})))


@fires("best-on-validation", "level", best=("", 3.0), points=(("", 2.0), ("", 3.0)))
@silent("held-out-score", "edge-on-validation")
def two_values_are_level_on_validation() -> ExperimentResults:
    near = 0.5 + NO_ODDS
    return held(experiment(by_rate({1.0: 2, 2.0: near, 3.0: 0.5}, {1.0: 3, 2.0: 2, 3.0: 1})))


@fires("edge-on-validation", "", best=("", 3.0), budget=2)
@fires("best-on-validation", "", best=("", 3.0), total=3)
@silent("fits-its-rows")
def the_more_the_better() -> ExperimentResults:
    return held(experiment(by_rate({1.0: 2, 2.0: 1, 3.0: 0.5}, {1.0: 3, 2.0: 2, 3.0: 1})))


@silent("edge-on-validation")
def the_best_value_is_the_edge_of_what_is_allowed() -> ExperimentResults:
    momentum = by_value("optimizer.momentum", {0.0: 0.5, 0.5: 1, 0.9: 2}, {0.0: 1, 0.5: 2, 0.9: 3})
    return held(experiment(momentum))


@silent("edge-on-validation")
def the_best_of_names_is_at_no_edge() -> ExperimentResults:
    names = {("relu",): 2.0, ("elu",): 1.0, ("selu",): 0.5}
    return held(experiment(by_value("network.activations", names, dict.fromkeys(names, 1.0))))


def sweep_from_starts(lower: int) -> ExperimentResults:
    """A sweep of which 3 is chosen by validation, before 2, and so from some of ten starts."""

    def made(number: int, config: RunConfig) -> Any:
        if number >= FEWEST_PAIRS:
            return None
        ends = {1.0: 2.0, 2.0: 1.0, 3.0: 0.5 if number < lower else 1.5}
        last = ends[config.optimizer.learning_rate]
        return trace(config, [9, 5, 2], weights=np.array([[3], [2], [last]]))

    swept = by_rate({1.0: 2, 2.0: 1, 3.0: 0.5}, {1.0: 3, 2.0: 2, 3.0: 1})
    return with_controls(held(experiment(swept)), "other-starts", made)


@fires("validation-over-starts", "", subject=("", 3.0), other=("", 2.0), lower=9, total=10)
def validation_chooses_a_value_from_nine_of_ten_starts() -> ExperimentResults:
    return sweep_from_starts(9)


@fires("validation-over-starts", "depends", subject=("", 3.0), other=("", 2.0), lower=8)
def validation_chooses_a_value_from_eight_of_ten_starts() -> ExperimentResults:
    return sweep_from_starts(8)


@silent("best-on-validation", "fits-its-rows", "held-out-score")
def validation_rows_that_are_others_for_each_value() -> ExperimentResults:
    results = held(experiment(by_rate({1.0: 2, 2.0: 0.5, 3.0: 1}, {1.0: 3, 2.0: 2, 3.0: 1})))
    drawn = [
        replace(data_set("validation", "test"), origin=Origin("rule", "line", {"noise": noise}))
        for noise in (0.1, 0.2, 0.3)
    ]
    members = tuple(
        replace(r, trial=replace(r.trial, data_set=made))
        for r, made in zip(results.results, drawn, strict=True)
    )
    return replace(results, results=members)


@silent("fits-its-rows")
def nine_validation_rows_are_too_few_to_tell() -> ExperimentResults:
    made = data_set("validation", "test")
    few = DataPart(ONE.inputs[:9], ONE.targets[:9])
    made = replace(made, parts={**made.parts, "validation": few})
    return held(experiment(by_rate({1.0: 2, 2.0: 0.5, 3.0: 1}, {1.0: 3, 2.0: 2, 3.0: 1})), made)


@silent("fits-its-rows")
def held_out_rows_are_hardly_worse_off_at_the_end() -> ExperimentResults:
    last = nextafter(0.5 * sqrt(1 + OVERFITTED), 0)
    return held(experiment(by_rate({1.0: 2, 2.0: 0.5, 3.0: last}, {1.0: 3, 2.0: 2, 3.0: 1})))


@fires("own-ends", "validation", budget=2, shortest=("a",), best="b", value=0.25, rounds=3)
def the_longer_run_is_lower_on_held_out_rows_in_the_end() -> ExperimentResults:
    first, second = (
        way("a", [9, 5, 2], [3, 2, 1]),
        way("b", [9, 5, 3, 2.5], [3, 2, 1.5, 0.5], **OTHER),
    )
    return held(experiment(first, second))


TWO_LINES = {"data": {"inputs": [[1.0], [1.0]], "targets": [[0.0], [0.0]]}}
ONE_AT_A_TIME = {"data": {**TWO_LINES["data"], "batch_size": 1}}


@fires("own-ends", "passes-validation", passes=2, budget=2, best="b", value=0.25, rounds=4)
@silent("ends-over-starts")
def batches_are_lower_on_held_out_rows_after_as_many_passes() -> ExperimentResults:
    first = way("a", [9, 5, 2], [3, 2, 1], **TWO_LINES)
    return held(experiment(first, way("b", [9, 5, 4, 3, 2], [3, 2, 2, 1, 0.5], **ONE_AT_A_TIME)))


# --- the best round ----------------------------------------------------------------------------


def best_kept(
    *ways: Sequence[float], patience: int | None = None, budgets: Sequence[int] = (4,)
) -> ExperimentResults:
    """Runs of which the best weights on the validation rows are kept."""
    made = [
        way(name, [9, 8, 7, 6, 5], weights, **{RATE: rate})
        for name, rate, weights in zip("abcd", (1.0, 2.0, 3.0, 4.0), ways, strict=False)
    ]
    kept = replace(data_set("validation", "test"), keeps_best=True, patience=patience)
    return held(experiment(*made, budgets=budgets), kept)


@fires("kept-rounds", "", kept=(("a", 2), ("b", 4)), budget=4)
@fires("leads-on-validation", "", subject="a", loss=0.25, other="b", other_loss=1.0)
@fires("held-out-score", "chosen-explained", subject="a", score=0.75)
def the_best_round_of_each_run_counts() -> ExperimentResults:
    return best_kept([3, 2, 0.5, 1.5, 2], [3, 2.5, 2, 1.5, 1])


@fires("kept-rounds", "", kept=(("a", 1), ("b", 3)), budget=3)
@fires("leads-on-validation", "turned", subject="b", loss=2.25, other="a", other_loss=4.0)
def no_round_after_the_last_that_is_compared_counts() -> ExperimentResults:
    return best_kept([3, 2, 2.5, 2.2, 0.5], [3, 2.5, 2, 1.5, 1], budgets=(3,))


@fires("kept-rounds", "", kept=(("a", 1),))
def no_round_counts_after_two_without_a_lower_loss() -> ExperimentResults:
    return best_kept([3, 1, 1.5, 1.2, 0.5], patience=2)


@fires("kept-rounds", "", kept=(("a", 4),))
def the_last_round_within_patience_counts() -> ExperimentResults:
    return best_kept([3, 1, 1.5, 1.2, 0.5], patience=3)


@fires("kept-rounds", "many", earliest=1, latest=4, count=4, budget=4)
def of_many_runs_the_first_and_the_last_of_their_best_rounds_are_told() -> ExperimentResults:
    return best_kept([3, 1, 2, 2, 2], [3, 2, 1, 2, 2], [3, 2, 2, 1, 2], [3, 2, 2, 2, 1])


@silent("kept-rounds")
def the_last_round_counts() -> ExperimentResults:
    return held(experiment(way("a", [9, 5, 3], [3, 2, 1])))


# --- by round ----------------------------------------------------------------------------------


def turning(last: float, falling: float = 0.5) -> ExperimentResults:
    """Three rounds: held-out rows are at their best after the first, training falls on."""
    made = way("a", [9, 5, 3, falling], [3, 1, 1.2, last])
    return held(experiment(made, budgets=(3,)))


@fires("overfits", "", subject="a", step=1, least=1.0, end=2.25)
def held_out_rows_are_worse_off_at_the_end() -> ExperimentResults:
    return turning(1.5)


@fires("overfits", "leader", subject="a", step=1)
def the_run_that_leads_on_validation_overfits_all_the_same() -> ExperimentResults:
    ahead = way("a", [9, 5, 3, 0.5], [3, 1, 1.2, 1.5])
    behind = way("b", [9, 5, 3, 0.6], [3, 2.5, 2.2, 2.0], **OTHER)
    return held(experiment(ahead, behind, budgets=(3,)))


@silent("overfits")
def held_out_rows_rise_by_next_to_nothing() -> ExperimentResults:
    return turning(nextafter(sqrt(1 + OVERFITTED), 1))


@silent("overfits")
def nine_rows_are_too_few_to_tell() -> ExperimentResults:
    few = DataPart(ONE.inputs[:9], ONE.targets[:9])
    made = data_set("validation", "test")
    made = replace(made, parts={**made.parts, "validation": few})
    turned = way("a", [9, 5, 3, 0.5], [3, 1, 1.2, 1.5])
    return held(experiment(turned, budgets=(3,)), made)


@silent("overfits")
def training_does_not_fall_any_more() -> ExperimentResults:
    return turning(1.5, falling=5)


@silent("overfits")
def held_out_rows_come_down_again() -> ExperimentResults:
    losses = np.linspace(9, 1, 31).tolist()
    ways = [3, 1, *[1.5] * 25, *[1.4, 1.2, 1.01, 1.4]]
    return held(experiment(way("a", losses, ways), budgets=(30,)))
