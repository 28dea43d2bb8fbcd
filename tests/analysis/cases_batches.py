"""Cases of mini-batches, compared by what holds for all rows."""

from __future__ import annotations

import numpy as np
from cases import fires, silent
from cases_course import BATCHES, TWO_ROWS
from synthetic_runs import RATE, Made, experiment, single, trace, with_controls

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import NO_ODDS
from labreport.lab.configuration import RunConfig
from labreport.runs.run import Trace

# Both units of both rows are wrong by this much, whose square is the error.
FAR, NEAR = 0.5, 0.25


def off_by(name: str, distance: float, changes: dict[str, object], rounds: int = 2) -> Made:
    """A run whose outputs end so far from their targets."""
    targets = np.array([[0.0, 1.0], [1.0, 0.0]])
    outputs = np.stack([np.abs(targets - distance)] * (rounds + 1))
    return single(name, [3.0, 2.0, 1.0], changes, outputs=outputs)


@fires(
    "over-all-rows",
    "equal-rows",
    budget=2,
    most="a",
    most_rows=4,
    fewest="b",
    fewest_rows=2,
    rounds=1,
)
def batches_of_two_sizes() -> ExperimentResults:
    return experiment(off_by("a", FAR, TWO_ROWS), off_by("b", NEAR, BATCHES))


def one_after_another(last: float, after_one: float) -> ExperimentResults:
    """All rows come to 1 by way of a loss after one round, mini-batches end at another one."""
    targets = np.array([[0.0, 1.0], [1.0, 0.0]])
    outputs = np.stack([np.abs(targets - FAR)] * 3)
    whole = single("a", [9.0, after_one, 1.0], TWO_ROWS, outputs=outputs)
    return experiment(whole, single("b", [9.0, 5.0, last], BATCHES, outputs=outputs))


@fires(
    "over-all-rows", "turns", most="a", fewest="b", rounds=1, value=4.0, other_value=2.0, budget=2
)
def mini_batches_that_are_ahead_after_as_many_rows() -> ExperimentResults:
    return one_after_another(2.0, 4.0)


@fires("over-all-rows", "equal-rows", value=2.005)
def mini_batches_that_are_level_after_as_many_rows() -> ExperimentResults:
    return one_after_another(2.0, 2.005)


@fires("over-all-rows", "equal-rows", other_value=0.5)
def mini_batches_that_are_ahead_after_as_many_rounds_too() -> ExperimentResults:
    return one_after_another(0.5, 4.0)


@silent("over-all-rows")
def batches_of_one_size() -> ExperimentResults:
    other = {**BATCHES, "network.bias": "trained"}
    return experiment(off_by("a", FAR, BATCHES), off_by("b", NEAR, other))


@silent("over-all-rows")
def a_batch_of_all_rows_is_no_mini_batch() -> ExperimentResults:
    whole = {**TWO_ROWS, "data.batch_size": 2}
    return experiment(off_by("a", FAR, TWO_ROWS), off_by("b", NEAR, whole))


@silent("over-all-rows")
def batches_of_other_targets() -> ExperimentResults:
    other = {**TWO_ROWS, "data.targets": [[0.0, 0.5], [1.0, 0.0]]}
    return experiment(off_by("a", FAR, other), off_by("b", NEAR, BATCHES))


# --- each at the end of its own rounds ---------------------------------------------------------


def of_own_rounds(short: float, long: float) -> ExperimentResults:
    """Two runs, of which the second goes on for two rounds more; where each of them ends."""
    return experiment(single("a", [9, 5, short], {RATE: 2.0}), single("b", [9, 5, 4, 3, long]))


@fires("own-ends", "", budget=2, shortest=("a",), best="b", value=1.0, rounds=4)
def the_longer_run_is_lower_in_the_end() -> ExperimentResults:
    return of_own_rounds(2.0, 1.0)


@fires("own-ends", "", best="a", value=1.0, rounds=2)
def the_shorter_run_is_lower_in_the_end() -> ExperimentResults:
    return of_own_rounds(1.0, 2.0)


@fires("own-ends", "level", budget=2, shortest=("a",))
def both_are_level_in_the_end() -> ExperimentResults:
    return of_own_rounds(1.0, 1.0 + 9 * NO_ODDS)


def of_equal_passes(all_rows: float, batches: float) -> ExperimentResults:
    """Two passes through two rows: two rounds of all rows, four of batches; where each ends."""
    whole = single("a", [9, 5, all_rows], TWO_ROWS)
    return experiment(whole, single("b", [9, 5, 4, 3, batches], BATCHES))


@fires("own-ends", "passes", passes=2, budget=2, shortest=("a",), best="b", value=1.0, rounds=4)
def batches_are_lower_after_as_many_passes() -> ExperimentResults:
    return of_equal_passes(2.0, 1.0)


@fires("own-ends", "passes", passes=2, best="a", rounds=2)
def all_rows_are_lower_after_as_many_passes() -> ExperimentResults:
    return of_equal_passes(1.0, 2.0)


@fires("own-ends", "passes-level", passes=2, budget=2, shortest=("a",))
def both_are_level_after_as_many_passes() -> ExperimentResults:
    return of_equal_passes(1.0, 1.0 + 9 * NO_ODDS)


def from_starts_of_equal_passes(lower: int) -> ExperimentResults:
    """The same, where b ends lower; from so many other starts it does so again."""

    def made(number: int, config: RunConfig) -> Trace:
        is_b = config.data.batch_size == 1
        end = 1.0 if is_b else 2.0 if number < lower else 0.5
        return trace(config, [9, *[5] * (config.rounds - 1), end])

    return with_controls(of_equal_passes(2.0, 1.0), "other-starts", made)


@fires("ends-over-starts", "", subject="b", other="a", lower=27, count=30)
def batches_are_lower_after_as_many_passes_from_most_starts() -> ExperimentResults:
    return from_starts_of_equal_passes(27)


@fires("ends-over-starts", "depends", subject="b", other="a", lower=26, count=30)
def batches_are_lower_after_as_many_passes_from_some_starts() -> ExperimentResults:
    return from_starts_of_equal_passes(26)


@silent("ends-over-starts")
def other_starts_of_runs_that_are_level_after_as_many_passes() -> ExperimentResults:
    def made(_: int, config: RunConfig) -> Trace:
        return trace(config, [9, *[5] * (config.rounds - 1), 1.0])

    return with_controls(of_equal_passes(1.0, 1.0), "other-starts", made)


def continued_after_equal_passes(last: float) -> ExperimentResults:
    """Batches lead; all rows are continued, and after as many updates end like this."""

    def made(_: int, config: RunConfig) -> Trace:
        start = [9, 5, 2.0] if config.data.batch_size is None else [9, 5, 4, 3, 1.0]
        return trace(config, [*start, *[last] * (config.rounds + 1 - len(start))])

    return with_controls(of_equal_passes(2.0, 1.0), "longer", made)


@fires("more-updates", "", subject="a", other="b", rounds=4, value=1.0 + 9 * NO_ODDS)
def all_rows_are_as_low_after_as_many_updates() -> ExperimentResults:
    return continued_after_equal_passes(1.0 + 9 * NO_ODDS)


@fires("more-updates", "not", subject="a", other="b", rounds=4, own=1.0)
def all_rows_are_not_as_low_after_as_many_updates() -> ExperimentResults:
    return continued_after_equal_passes(1.0 + 9.01 * NO_ODDS)


@silent("more-updates")
def nothing_was_continued_after_as_many_passes() -> ExperimentResults:
    return of_equal_passes(2.0, 1.0)


@fires("own-ends", "", best="b", rounds=3)
@silent("ends-over-starts", "more-updates")
def passes_that_are_not_as_many() -> ExperimentResults:
    whole = single("a", [9, 5, 2.0], TWO_ROWS)
    return experiment(whole, single("b", [9, 5, 4, 1.0], BATCHES))


@silent("own-ends")
def two_runs_of_as_many_rounds() -> ExperimentResults:
    return experiment(single("a", [9, 5, 2], {RATE: 2.0}), single("b", [9, 5, 1]))


@silent("own-ends")
def both_go_on_beyond_what_is_compared() -> ExperimentResults:
    made = single("a", [9, 5, 2, 1], {RATE: 2.0}), single("b", [9, 5, 3, 2, 1])
    return experiment(*made, budgets=(2,))


@silent("own-ends")
def the_longer_run_ends_early() -> ExperimentResults:
    ended = single("b", [9, 5, 4, 3], rounds=4, kind="diverged")
    return experiment(single("a", [9, 5, 2], {RATE: 2.0}), ended)
