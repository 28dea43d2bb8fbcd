"""Three or more variants from random starts: which is the lowest, and which are not told apart."""

from __future__ import annotations

from collections.abc import Sequence

from cases import fires, silent
from synthetic_runs import experiment, starts

from labreport.analysis.results import ExperimentResults

BIAS, TANH = {"network.bias": "trained"}, {"network.activations": "tanh"}


def three(*last: Sequence[float]) -> ExperimentResults:
    """Three variants with these losses at the end, from seeds 0, 1 and so on."""
    changes: list[dict[str, str]] = [{}, BIAS, TANH]
    made = [
        starts(name, [[9, 5, loss] for loss in losses], change)
        for name, losses, change in zip("abc", last, changes, strict=False)
    ]
    return experiment(*made)


LOW, MIDDLE, HIGH = [1.0] * 8, [2.0] * 8, [3.0] * 8


@fires(
    "lowest-variant",
    "all",
    subject="c",
    other="b",
    total=3,
    median=1.0,
    other_median=2.0,
    lower=8,
    count=8,
)
def the_last_is_below_each_of_the_others() -> ExperimentResults:
    return three(HIGH, MIDDLE, LOW)


@fires("lowest-variant", "", subject="a", other="b", lower=11, count=12)
def one_is_below_the_others_but_for_one_start() -> ExperimentResults:
    return three([1.0] * 11 + [2.5], [2.0] * 12, [3.0] * 12)


@fires("lowest-variant", "open", subject="a", others=("b",), count=8)
def one_of_the_others_is_as_often_below() -> ExperimentResults:
    return three([1.0] * 5 + [2.0] * 3, [1.5] * 8, HIGH)


@fires("lowest-variant", "open", subject="a", others=("b",))
def seven_of_eight_are_not_enough_for_the_best_of_three() -> ExperimentResults:
    # p is 0.07; twice that, for the best was chosen among two others.
    return three([1.0] * 7 + [4.0], MIDDLE, [5.0] * 8)


@fires("lowest-variant", "beside", subject="a", others=("b",), count=8)
def one_of_the_others_is_level_from_every_seed() -> ExperimentResults:
    return three(LOW, [1.001] * 8, HIGH)


@silent("lowest-variant")
def two_variants_are_a_pair() -> ExperimentResults:
    return three(LOW, HIGH)


@fires("lowest-variant", "level", median=1.0, highest=1.002, total=3)
def all_are_level() -> ExperimentResults:
    return three([1.0] * 8, [1.001] * 8, [1.002] * 8)


@silent("lowest-variant")
def too_few_starts_for_three() -> ExperimentResults:
    return three([1.0] * 6, [2.0] * 6, [3.0] * 6)


@silent("lowest-variant")
def one_start_ended_early() -> ExperimentResults:
    ended = [[9, 5, 3.0]] * 7 + [[9, 5]]
    kinds = ["completed"] * 7 + ["diverged"]
    return experiment(
        starts("a", [[9, 5, 1.0]] * 8),
        starts("b", [[9, 5, 2.0]] * 8, BIAS),
        starts("c", ended, TANH, rounds=2, kinds=kinds),
    )
