"""Cases of what replicates allow to be said."""

from __future__ import annotations

from typing import Any

from cases import fires, silent
from synthetic_runs import MOMENTUM, RATE, Made, experiment, grid, single, starts, sweep, trace

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import NO_ODDS


def two_points(lower: int, higher: int) -> ExperimentResults:
    """Of two values, 0.5 ends lower from so many seeds and higher from so many others."""
    count = lower + higher
    best = [0.5] * lower + [1.5] * higher
    return experiment(grid("a", RATE, {0.5: best, 1.0: [1.0] * count, 2.0: [8.0] * count}))


@fires(
    "best-over-starts",
    "clear",
    subject="a",
    best=("", 0.5),
    second=("", 1.0),
    median=0.5,
    other_median=1.0,
    lower=7,
    count=7,
    p=2 * 2 / 2**7,
    points=3,
    comparisons=2,
)
def just_enough_seeds_that_agree() -> ExperimentResults:
    return two_points(7, 0)


@fires("best-over-starts", "open", lower=6, count=6, p=2 * 2 / 2**6, level=0.05)
def one_seed_too_few() -> ExperimentResults:
    # Of two values alone six seeds are enough: the best of three has two to be told from.
    return two_points(6, 0)


@fires("best-over-starts", "clear", lower=6, p=2 / 2**6, comparisons=1)
def just_enough_seeds_of_two_values() -> ExperimentResults:
    return experiment(grid("a", RATE, {0.5: [0.5] * 6, 1.0: [1.0] * 6}))


@fires("best-over-starts", "clear", lower=9, p=2 * 2 * 11 / 2**10)
def nine_of_ten_seeds() -> ExperimentResults:
    return two_points(9, 1)


@fires("best-over-starts", "open", lower=8, p=2 * 2 * 56 / 2**10)
def eight_of_ten_seeds() -> ExperimentResults:
    return two_points(8, 2)


@fires("best-over-starts", "clear", lower=11, p=2 * 2 / 2**11)
def one_seed_too_few_to_be_beyond_doubt() -> ExperimentResults:
    return two_points(11, 0)


@fires("best-over-starts", "sure", lower=12, p=2 * 2 / 2**12)
def enough_seeds_to_be_beyond_doubt() -> ExperimentResults:
    return two_points(12, 0)


@fires("best-over-starts", "level", lower=0, even=12, count=12)
def values_that_differ_by_what_makes_no_odds() -> ExperimentResults:
    first = NO_ODDS * 9
    return experiment(grid("a", RATE, {0.5: [0.5] * 12, 1.0: [0.5 + first * 0.99] * 12}))


@fires("best-over-starts", "mostly-level", lower=5, even=7, count=12)
def values_of_which_too_few_pairs_differ() -> ExperimentResults:
    return experiment(grid("a", RATE, {0.5: [0.5] * 12, 1.0: [1.0] * 5 + [0.501] * 7}))


@fires("best-over-starts", "open", lower=5, even=0, count=5)
def too_few_pairs_that_all_differ() -> ExperimentResults:
    return experiment(grid("a", RATE, {0.5: [0.5] * 5, 1.0: [1.0] * 5}))


@fires("best-over-starts", "level", lower=5, even=7, alike=1)
def a_third_value_is_level_from_every_seed() -> ExperimentResults:
    # The median of the third is not lower than that of the second, which is nowhere below it.
    third = [0.503] * 12
    losses = {0.5: [0.5] * 12, 1.0: [1.0] * 5 + [0.501] * 7, 2.0: third}
    return experiment(grid("a", RATE, losses))


@fires("best-over-starts", "own-mostly-level", best=("", 3), lower=5, even=7)
def swept_rounds_of_which_too_few_pairs_differ() -> ExperimentResults:
    return rounds_swept([1.0] * 5 + [0.501] * 7, [0.5] * 12)


@fires("best-over-starts", "own-level", best=("", 3), lower=0, even=7)
def swept_rounds_that_are_level() -> ExperimentResults:
    return rounds_swept([0.501] * 7, [0.5] * 7)


@fires("best-over-starts", "open", lower=3, p=1.0)
def no_p_is_above_1() -> ExperimentResults:
    return two_points(3, 2)


@silent("best-over-starts")
def one_value_from_several_seeds() -> ExperimentResults:
    return experiment(single("g", [9, 5, 2]), starts("r", ([9, 5, 1], [9, 5, 3])))


def rounds_swept(shorter: list[float], longer: list[float], budget: int = 3) -> ExperimentResults:
    """Runs of one, two and three rounds from several seeds, by their last losses."""
    ends = {1: [8.0] * len(shorter), 2: shorter, 3: longer}
    return experiment(grid("a", "rounds", ends), budgets=(budget,))


@fires(
    "best-over-starts",
    "own-clear",
    subject="a",
    best=("", 3),
    second=("", 2),
    median=0.5,
    other_median=1.0,
    lower=7,
    count=7,
    p=2 * 2 / 2**7,
    points=3,
)
def swept_rounds_from_several_starts() -> ExperimentResults:
    return rounds_swept([1.0] * 7, [0.5] * 7)


@fires("best-over-starts", "own-clear", best=("", 2), second=("", 3))
def fewer_rounds_that_end_lower() -> ExperimentResults:
    return rounds_swept([0.5] * 7, [1.0] * 7)


@fires("best-over-starts", "own-sure", best=("", 3), lower=12)
def swept_rounds_from_many_starts() -> ExperimentResults:
    return rounds_swept([1.0] * 12, [0.5] * 12)


@fires("best-over-starts", "own-open", best=("", 3), lower=6, level=0.05)
def swept_rounds_from_too_few_starts() -> ExperimentResults:
    return rounds_swept([1.0] * 6, [0.5] * 6)


@silent("best-over-starts")
def swept_rounds_that_all_get_to_the_budget() -> ExperimentResults:
    return rounds_swept([1.0] * 7, [0.5] * 7, budget=1)


@fires("best-over-starts", "own-variants", medians=((("b", 2), 0.25), (("a", 3), 0.5)))
def two_variants_each_after_its_best_rounds() -> ExperimentResults:
    one = grid("a", "rounds", {2: [1.0] * 7, 3: [0.5] * 7})
    other = grid("b", "rounds", {2: [0.25] * 7, 3: [1.0] * 7}, {"network.bias": "trained"})
    return experiment(one, other, budgets=(3,))


def pairs(*differences: float) -> ExperimentResults:
    return experiment(
        starts("a", [[9, 5, 8.0]] * len(differences)),
        starts("b", [[9, 5, 8.0 + d] for d in differences], {"network.bias": "trained"}),
    )


@fires("pairs-needed", subject="b", other="a", count=20, lower=14, even=0, needed=50)
def a_small_difference_that_is_left_open() -> ExperimentResults:
    # 14 of 20 are lower: (1.959964 + 0.841621)² / (4 · 0.2²) = 49.06, rounded up.
    return pairs(*[-0.5] * 14, *[0.5] * 6)


@fires("pairs-needed", lower=8, even=4, needed=236)
def a_few_large_differences_among_many_small_ones() -> ExperimentResults:
    # The sign test counts 8 of 20, whatever their size; as many more are needed as are level.
    return pairs(*[0.01] * 12, *[-5.0] * 8, *[0.001] * 4)


@silent("pairs-needed")
def a_difference_that_is_clear() -> ExperimentResults:
    return pairs(*[-0.5, -0.25] * 10)


@silent("pairs-needed")
def no_difference_on_average() -> ExperimentResults:
    return pairs(*[-0.5, 0.5] * 10)


@fires(
    "spread",
    "several-ended",
    first="b",
    median=1.5,
    last="a",
    other_median=2.0,
    total=5,
    ended=1,
    budget=2,
)
def two_variants_of_which_one_start_ended() -> ExperimentResults:
    return experiment(
        starts("a", [[9, 5, 1], [9, 5, 3], [9]], rounds=2, kinds=["completed"] * 2 + ["diverged"]),
        starts("b", [[9, 5, 1], [9, 5, 2]], {"network.bias": "trained"}),
    )


@fires("spread", "several", ended=0, first="a", median=2.0, last="b", other_median=5.0)
def two_variants_in_the_order_of_their_medians() -> ExperimentResults:
    return experiment(
        starts("b", [[9, 5, 4], [9, 5, 6]], {"network.bias": "trained"}),
        starts("a", [[9, 5, 1], [9, 5, 3]]),
    )


@fires(
    "best-over-starts",
    "variants",
    medians=((("b", 0.5), 0.25), (("a", 1.0), 0.5)),
    budget=2,
)
def two_variants_each_at_its_best_value() -> ExperimentResults:
    one = grid("a", RATE, {0.5: [1.0] * 6, 1.0: [0.5] * 6})
    other = grid("b", RATE, {0.5: [0.25] * 6, 1.0: [1.0] * 6}, {"network.bias": "trained"})
    return experiment(one, other)


# Floor 0 and a first loss of 9: nine tenths of the way end at 0.9.
NEARLY = 0.9 - 1e-6


@fires(
    "solved-starts",
    starts=((("a", 0.5), (2, 3)), (("a", 1.0), (0, 3))),
    budget=2,
    share=0.9,
)
def some_starts_come_near_their_floor() -> ExperimentResults:
    ends = {0.5: [NEARLY, 0.1, 0.91], 1.0: [2.0, 3.0, 4.0]}
    return experiment(grid("a", RATE, ends), budgets=(1, 2))


@fires("solved-starts", starts=(("r", (1, 2)),), budget=2)
def one_of_two_starts_of_a_single_point() -> ExperimentResults:
    return experiment(starts("r", [[9, 5, NEARLY], [9, 5, 3.0]]))


@fires("solved-starts", "two", first=("a",), most=(2, 2), last=("b",), fewest=(0, 2), budget=2)
def one_variant_comes_near_its_floor() -> ExperimentResults:
    return experiment(
        starts("a", [[9, 5, 0.1], [9, 5, NEARLY]]), starts("b", [[9, 5, 2.0], [9, 5, 3.0]])
    )


@fires("solved-starts", "variants", first=("a", "c"), most=(1, 2), last=("b",), fewest=(0, 2))
def two_of_three_variants_come_near_their_floor_from_one_start() -> ExperimentResults:
    half = [[9, 5, 0.1], [9, 5, 2.0]]
    none = starts("b", [[9, 5, 2.0], [9, 5, 3.0]])
    return experiment(starts("a", half), none, starts("c", half))


@fires("solved-starts", "many", points=9, every=1, some=7, none=1, budget=2, share=0.9)
def of_many_points_their_number_is_told() -> ExperimentResults:
    ends = {float(k): [0.1, 0.1] if k == 3 else [0.1, 5.0] for k in range(1, 9)}
    return experiment(grid("a", RATE, {**ends, 9.0: [5.0, 5.0]}))


@silent("solved-starts")
def no_start_comes_near_its_floor() -> ExperimentResults:
    return experiment(starts("r", [[9, 5, 0.9 + 1e-6], [9, 5, 3.0]]))


@silent("solved-starts")
def every_start_comes_near_its_floor() -> ExperimentResults:
    return experiment(starts("r", [[9, 5, 0.1], [9, 5, NEARLY]]))


@silent("solved-starts")
def starts_without_a_floor() -> ExperimentResults:
    changes = {"loss": "kl_div", "network.activations": "identity"}
    return experiment(starts("r", [[9, 5, 0.1], [9, 5, 3.0]], changes))


def _diverging_grid(name: str, ended: dict[float, int], starts: int = 3) -> Made:
    """A variant at some learning rates, of whose starts some diverge: after one round, or more."""
    whole = grid(name, RATE, dict.fromkeys(ended, [1.0] * starts))
    rows = []
    for point, seed, configuration, recorded in whole.rows:
        rate = float(point[0][1])
        if seed < ended[rate]:
            recorded = trace(configuration, [9, 99][: 1 + (rate < 10)], kind="diverged")
        rows.append((point, seed, configuration, recorded))
    return Made(name, tuple(rows))


@fires(
    "diverged",
    "starts",
    whole=(("from", ("a", 3.0)),),
    diverged=((("a", 1.0), (1, 3)),),
    count=7,
    total=12,
    first=1,
)
def all_starts_diverge_from_a_rate_on_and_some_below_it() -> ExperimentResults:
    return experiment(_diverging_grid("a", {0.5: 0, 1.0: 1, 3.0: 3, 10.0: 3}))


@fires("diverged", "starts-whole", whole=(("a", 1.0),), diverged=(), count=3, total=9, first=2)
def all_starts_diverge_at_a_rate_between_others() -> ExperimentResults:
    return experiment(_diverging_grid("a", {0.5: 0, 1.0: 3, 3.0: 0}))


@fires("diverged", "starts-partly", whole=(), diverged=((("a", 1.0), (2, 3)),), count=2, total=6)
def some_starts_diverge_at_one_rate() -> ExperimentResults:
    return experiment(_diverging_grid("a", {0.5: 0, 1.0: 2}))


@fires("diverged", "starts-all", count=6, total=6, first=2)
def all_starts_diverge_at_all_rates() -> ExperimentResults:
    return experiment(_diverging_grid("a", {0.5: 3, 1.0: 3}))


@fires("diverged", "starts", whole=("b",), diverged=(("a", (1, 2)),), count=3, total=4, first=1)
def starts_of_two_variants_diverge() -> ExperimentResults:
    return experiment(
        starts("a", [[9, 5, 1], [9]], rounds=2, kinds=["completed", "diverged"]),
        starts("b", [[9], [9]], {"network.bias": "trained"}, rounds=2, kinds=["diverged"] * 2),
    )


@silent("diverged")
def starts_of_one_variant_are_told_by_their_spread() -> ExperimentResults:
    return experiment(starts("a", [[9, 5, 1], [9]], rounds=2, kinds=["completed", "diverged"]))


@silent("diverged")
def no_start_diverges() -> ExperimentResults:
    return experiment(_diverging_grid("a", {0.5: 0, 1.0: 0}))


SCHEME = "initial.scheme"


def _schemes(drawn: dict[str, list[float]], fixed: dict[str, float], **changes: Any) -> Made:
    """A variant at some schemes: from seeds where they draw, and one run elsewhere."""
    several = grid("a", SCHEME, drawn, {"initial": {"scheme": "zeros"}, **changes})
    ends = {scheme: [9, 5, loss] for scheme, loss in fixed.items()}
    one = sweep("a", SCHEME, ends, {"initial": {"scheme": "zeros"}, **changes})
    return Made("a", several.rows + one.rows)


@fires(
    "points-with-and-without-chance",
    medians=((("a", "pytorch"), 2.0), (("a", "ones"), 4.0), (("a", "zeros"), 8.0)),
    alone=(("a", "zeros"), ("a", "ones")),
    budget=2,
)
def at_two_schemes_nothing_is_drawn() -> ExperimentResults:
    return experiment(_schemes({"pytorch": [1.0, 2.0, 7.0]}, {"zeros": 8.0, "ones": 4.0}))


@fires(
    "points-with-and-without-chance",
    "own",
    medians=((("a", 3), 2.0), (("a", 2), 4.0), (("a", 1), 8.0)),
    alone=(("a", 3),),
)
def of_rounds_each_value_is_told_at_its_own_end() -> ExperimentResults:
    several = grid("a", "rounds", {1: [7.0, 8.0, 9.0], 2: [4.0] * 3})
    one = sweep("a", "rounds", {3: [9, 5, 4, 2]})
    return experiment(Made("a", several.rows + one.rows), budgets=(3,))


@silent("points-with-and-without-chance")
def at_all_schemes_something_is_drawn() -> ExperimentResults:
    return experiment(_schemes({"pytorch": [1.0, 2.0], "orthogonal": [1.0, 3.0]}, {}))


@silent("points-with-and-without-chance")
def at_no_scheme_anything_is_drawn() -> ExperimentResults:
    return experiment(_schemes({}, {"zeros": 8.0, "ones": 4.0}))


def lower_but_rarer(lower: int, solved: int, other_solved: int, count: int) -> ExperimentResults:
    """B is lower than a from so many of the seeds; both go most of the way from so many."""
    mine = [0.25 if k < solved else (5.0 if k < lower else 7.0) for k in range(count)]
    theirs = [0.5 if k < other_solved else 6.0 for k in range(count)]
    return experiment(
        starts("a", [[9, 5, end] for end in theirs]),
        starts("b", [[9, 5, end] for end in mine], {"network.bias": "trained"}),
    )


@fires("solved-less-often", "", subject="b", other="a", fewer=(24, 30), more=(30, 30), budget=2)
def lower_from_most_seeds_and_near_the_floor_from_fewer() -> ExperimentResults:
    return lower_but_rarer(24, 24, 30, 30)


@silent("solved-less-often")
def lower_from_most_seeds_and_near_the_floor_as_often() -> ExperimentResults:
    return lower_but_rarer(16, 16, 16, 20)


@silent("solved-less-often")
def lower_from_most_seeds_and_near_the_floor_from_hardly_fewer() -> ExperimentResults:
    return lower_but_rarer(25, 25, 30, 30)


@silent("solved-less-often")
def lower_from_too_few_seeds_to_tell() -> ExperimentResults:
    return lower_but_rarer(12, 12, 20, 20)


def arriving(*at: int, total: int = 9) -> list[list[float]]:
    """Losses of runs that come most of the way to a floor of 0 after so many updates each."""
    return [[9.0] * step + [0.5] * (total + 1 - step) for step in at]


@fires("speed-over-starts", "two", first="b", quick=2, last="a", slow=4, budget=9)
def one_is_sooner_from_every_start() -> ExperimentResults:
    first = starts("a", arriving(*[4] * 6))
    return experiment(first, starts("b", arriving(*[2] * 6), {MOMENTUM: 0.5}), budgets=(9,))


@fires("speed-over-starts", "several", first="b", quick=2, last="c", slow=6)
def one_of_three_is_sooner_from_every_start() -> ExperimentResults:
    first, second = (starts("a", arriving(*[4] * 6)), starts("c", arriving(*[6] * 6), {RATE: 0.5}))
    return experiment(first, starts("b", arriving(*[2] * 6), {MOMENTUM: 0.5}), second, budgets=(9,))


@fires("speed-over-starts", "never", first="b", quick=3, last="a", budget=9)
def one_does_not_arrive_from_most_starts() -> ExperimentResults:
    first = starts("a", arriving(10, 10, 10, 10, 4, 4))
    return experiment(first, starts("b", arriving(2, 2, 2, 3, 3, 3), {MOMENTUM: 0.5}), budgets=(9,))


@silent("speed-over-starts")
def five_starts_are_too_few_to_be_sooner() -> ExperimentResults:
    first = starts("a", arriving(*[4] * 5))
    return experiment(first, starts("b", arriving(*[2] * 5), {MOMENTUM: 0.5}), budgets=(9,))


@silent("speed-over-starts")
def neither_arrives_from_most_starts() -> ExperimentResults:
    first = starts("a", arriving(*[10] * 8))
    return experiment(
        first, starts("b", arriving(*[10] * 5, 2, 2, 2), {MOMENTUM: 0.5}), budgets=(9,)
    )


@silent("speed-over-starts")
def starts_that_begin_at_their_floor() -> ExperimentResults:
    first = starts("a", [[0.0] * 10] * 8)
    return experiment(first, starts("b", arriving(*[2] * 8), {MOMENTUM: 0.5}), budgets=(9,))


@fires("paired-starts", "lower-all", subject="b", other="a", lower=8)
@fires("still-falling", "many", count=7, total=16)
def the_lower_of_two_of_which_some_still_fall() -> ExperimentResults:
    high = [[*[9.0] * 9, 6 + k / 64, 6 + k / 64] for k in range(8)]
    low = [[9.0, *[8.0] * 8, 4 + k / 64, (2 if k < 7 else 4) + k / 64] for k in range(8)]
    return experiment(starts("a", high), starts("b", low, {MOMENTUM: 0.5}), budgets=(10,))
