"""Cases of classifiers: six rows of three classes, and what a run answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import RATE, Made, experiment, single, starts, sweep

from labreport.analysis.results import ExperimentResults

CLASSES = [0, 0, 0, 1, 1, 2]
CHANGES: dict[str, Any] = {
    "data": {
        "inputs": [[0.1 * k, 0.5] for k in range(6)],
        "targets": np.eye(3)[CLASSES].tolist(),
    },
    "network": {"layers": [2, 2, 3], "activations": ["tanh", "identity"]},
    "initial": {"scheme": "xavier_normal"},
    "loss": "cross_entropy",
}


def outputs(answers: list[int]) -> np.ndarray:
    """Outputs [3 steps, rows, units] with these classes ahead in the end."""
    rows = np.eye(3)[answers]
    return np.stack([0 * rows, 0.5 * rows, rows])


def answering(name: str, answers: list[int], last: float = 1.0, **changes: Any) -> Made:
    return single(name, [3, 2, last], {**CHANGES, **changes}, outputs=outputs(answers))


ALL_RIGHT = CLASSES
ONE_WRONG = [0, 0, 0, 1, 2, 2]
TWO_WRONG = [0, 0, 0, 2, 2, 2]
MIXED = [0, 0, 1, 2, 2, 2]
LARGEST = [0] * 6


@fires(
    "share-right",
    "two",
    shares=(("b", 5 / 6), ("a", 4 / 6)),
    first=("b",),
    share=5 / 6,
    last=("a",),
    other_share=4 / 6,
    largest=0.5,
    rows=6,
    budget=2,
)
@fires("mistaken", "only", subjects=("a", "b"), own=("o2",), other=("o3",))
@silent("loss-against-share")
def the_lower_loss_is_the_better_classifier() -> ExperimentResults:
    return experiment(answering("a", TWO_WRONG), answering("b", ONE_WRONG, 0.5, seed=1))


@fires(
    "loss-against-share",
    subject="a",
    loss=0.5,
    share=4 / 6,
    other="b",
    other_loss=1.0,
    other_share=5 / 6,
)
def the_lower_loss_is_not_the_better_classifier() -> ExperimentResults:
    return experiment(answering("a", TWO_WRONG, 0.5), answering("b", ONE_WRONG, seed=1))


@silent("loss-against-share")
def the_lower_loss_is_as_good_a_classifier() -> ExperimentResults:
    return experiment(answering("a", ONE_WRONG, 0.5), answering("b", ONE_WRONG, seed=1))


@fires("share-right", "level", subjects=("a", "b"), share=1.0, largest=0.5)
def every_row_is_right_with_each() -> ExperimentResults:
    return experiment(answering("a", ALL_RIGHT), answering("b", ALL_RIGHT, 0.5, seed=1))


@fires("share-right", "one", shares=(("a", 1.0),))
@silent("mistaken", "loss-against-share")
def every_row_is_right() -> ExperimentResults:
    return experiment(answering("a", ALL_RIGHT))


@fires("mistaken", subjects=("a",), own=("o2",), other=("o3",))
def the_most_frequent_mistake_of_two() -> ExperimentResults:
    return experiment(answering("a", MIXED))


@silent("mistaken")
def two_mistakes_of_which_none_is_the_most_frequent() -> ExperimentResults:
    return experiment(answering("a", [0, 0, 1, 2, 1, 2]))


@silent("share-right", "share-right-swept", "share-right-starts", "mistaken", "loss-against-share")
def targets_that_are_no_classes() -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1]),
        sweep("b", RATE, {0.5: [9, 5, 3], 1.0: [9, 5, 2]}),
        starts("r", ([9, 5, 1], [9, 5, 3])),
    )


@silent("share-right", "mistaken")
def rows_with_two_ones_are_no_classes() -> ExperimentResults:
    targets = np.eye(3)[CLASSES]
    targets[0] = (1, 1, 0)
    data = {**CHANGES["data"], "targets": targets.tolist()}
    return experiment(answering("a", ONE_WRONG, data=data))


@silent("share-right")
def three_rows_are_too_few() -> ExperimentResults:
    data = {"inputs": [[0.1, 0.5]] * 3, "targets": np.eye(3).tolist()}
    made = outputs([0, 1, 2])
    return experiment(single("a", [3, 2, 1], {**CHANGES, "data": data}, outputs=made))


@silent("share-right")
def one_class_is_no_choice() -> ExperimentResults:
    data = {**CHANGES["data"], "targets": np.eye(3)[[0] * 6].tolist()}
    return experiment(answering("a", LARGEST, data=data))


@fires("share-right", "one", shares=(("a", 0.75),), largest=0.5)
@silent("mistaken", "level-answers")
def one_unit_that_says_yes_or_no() -> ExperimentResults:
    changes = {
        "data": {"inputs": [[0.1, 0.5]] * 4, "targets": [[0.0], [0.0], [1.0], [1.0]]},
        "network": {"layers": [2, 2, 1], "activations": "sigmoid"},
        "initial": {"scheme": "xavier_normal"},
    }
    last = np.array([[0.1], [0.4999], [0.50001], [0.49]])
    return experiment(single("a", [3, 2, 1], changes, outputs=np.stack([last] * 3)))


@fires("level-answers", ties=(("a", (1, 0.75)),), rows=4, budget=2)
@silent("share-right", "mistaken")
def a_row_that_only_rounding_puts_into_a_class() -> ExperimentResults:
    changes = {
        "data": {"inputs": [[0.1, 0.5]] * 4, "targets": [[0.0], [0.0], [1.0], [1.0]]},
        "network": {"layers": [2, 2, 1], "activations": "sigmoid"},
        "initial": {"scheme": "xavier_normal"},
    }
    last = np.array([[0.1], [0.5 + 1e-15], [0.9], [0.49]])
    return experiment(single("a", [3, 2, 1], changes, outputs=np.stack([last] * 3)))


@fires("level-answers", ties=(("a", (6, 0.5)),))
@silent("share-right", "mistaken")
def rows_whose_largest_outputs_are_level() -> ExperimentResults:
    level = np.full((6, 3), 0.25) + np.array([0.0, 1e-16, -1e-16])
    return experiment(single("a", [3, 2, 1], CHANGES, outputs=np.stack([level] * 3)))


def swept(*right: list[int]) -> ExperimentResults:
    rows = []
    for k, answers in enumerate(right):
        made = sweep("a", RATE, {0.5 + k: [9, 5, 3]}, CHANGES, outputs=outputs(answers))
        rows += made.rows
    return experiment(Made("a", tuple(rows)))


@fires(
    "share-right-swept",
    "",
    subject="a",
    points=(("", 1.5),),
    count=1,
    share=5 / 6,
    total=2,
)
def one_value_classifies_best() -> ExperimentResults:
    return swept(TWO_WRONG, ONE_WRONG)


@fires(
    "share-right-swept",
    "range",
    count=3,
    points=(("", 0.5), ("", 1.5), ("", 2.5)),
    lowest=("", 0.5),
    highest=("", 2.5),
)
def three_values_classify_best() -> ExperimentResults:
    return swept(ONE_WRONG, ONE_WRONG, ONE_WRONG, TWO_WRONG)


@fires("share-right-swept", "", count=3, points=(("", 0.5), ("", 1.5), ("", 3.5)))
def three_values_with_a_gap_classify_best() -> ExperimentResults:
    return swept(ONE_WRONG, ONE_WRONG, TWO_WRONG, ONE_WRONG)


@fires(
    "share-right-swept",
    "level",
    count=4,
    total=4,
    points=(("", 0.5), ("", 1.5), ("", 2.5), ("", 3.5)),
)
def four_values_classify_best() -> ExperimentResults:
    return swept(ONE_WRONG, ONE_WRONG, ONE_WRONG, ONE_WRONG)


XOR: dict[str, Any] = {
    "data": {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [[0.0], [1.0], [1.0], [0.0]]},
    "network": {"layers": [2, 2, 1], "activations": "sigmoid"},
    "initial": {"scheme": "xavier_normal"},
}


def answering_xor(name: str, last: float, *answers: float) -> Made:
    rows = np.array(answers)[:, None]
    return single(name, [3, 2, last], XOR, outputs=np.stack([rows] * 3))


@fires("level-answers", ties=(("a", (4, 0.5)),), rows=4)
@fires("share-right", "one", shares=(("b", 0.75),))
@silent("loss-against-share")
def an_answer_that_is_always_exactly_a_half() -> ExperimentResults:
    # As `> 0.5` and round() count it: 0 everywhere, which is right for half of the rows.
    level = answering_xor("a", 0.5, 0.5, 0.5, 0.5, 0.5)
    return experiment(level, answering_xor("b", 1.0, 0.25, 0.75, 0.75, 0.75))


@silent("share-right-swept")
def a_sweep_with_a_value_that_ends_level() -> ExperimentResults:
    made = swept(ONE_WRONG, TWO_WRONG)
    (rows,) = sweep("a", RATE, {9.5: [9, 5, 3]}, CHANGES, outputs=np.zeros((3, 6, 3))).rows
    old = tuple((r.point, None, r.run.config, r.run.trace) for r in made.results)
    return experiment(Made("a", (*old, rows)))


@silent("share-right-starts")
def a_start_that_ends_level() -> ExperimentResults:
    return experiment(a_start_that_ends_level_of("a"))


def a_start_that_ends_level_of(name: str) -> Made:
    rows = []
    for seed, given in enumerate((outputs(TWO_WRONG), np.zeros((3, 6, 3)))):
        ((point, _, config, made),) = single("a", [3, 2, 1], CHANGES, outputs=given).rows
        rows.append((point, seed, config.with_seed(seed), made))
    return Made(name, tuple(rows))


@fires("share-right-starts", "beside", first=("a",), others=("c",), middle=5 / 6)
def of_two_variants_one_has_a_start_that_ends_level() -> ExperimentResults:
    return experiment(
        from_starts("a", ONE_WRONG, ONE_WRONG), a_start_that_ends_level_of("c"), budgets=(2,)
    )


def sooner_or_later(before: list[int]) -> ExperimentResults:
    """Two variants from two starts that end alike, and the second answers so after a round."""
    at_once, by_and_by = outputs(ALL_RIGHT), outputs(ALL_RIGHT)
    by_and_by[1] = 0.5 * np.eye(3)[before]
    made = []
    for name, given in (("a", at_once), ("b", by_and_by)):
        ((point, _, config, run),) = single(name, [3, 2, 1], CHANGES, outputs=given).rows
        rows = tuple((point, seed, config.with_seed(seed), run) for seed in range(2))
        made.append(Made(name, rows))
    return experiment(*made, budgets=(1, 2))


@fires(
    "share-right-starts",
    "later",
    first=("a", "b"),
    middle=1.0,
    budget=2,
    early=1,
    ahead="a",
    early_middle=1.0,
    behind="b",
    early_other=5 / 6,
)
def one_of_two_variants_has_its_rows_right_sooner() -> ExperimentResults:
    return sooner_or_later(ONE_WRONG)


@fires("share-right-starts", "level", middle=1.0, budget=2)
def two_variants_have_their_rows_right_equally_soon() -> ExperimentResults:
    return sooner_or_later(ALL_RIGHT)


@fires("share-right-starts", "some", among=("a", "b"), first=("b",), last=("a",))
def of_three_variants_one_has_a_start_that_ends_level() -> ExperimentResults:
    made = a_start_that_ends_level_of("c")
    one, other = from_starts("a", TWO_WRONG, ONE_WRONG), from_starts("b", ALL_RIGHT, ONE_WRONG)
    return experiment(one, other, made)


@silent("share-right-swept")
def a_sweep_of_one_value() -> ExperimentResults:
    return swept(ONE_WRONG)


def from_starts(name: str, *right: list[int]) -> Made:
    """A variant from several starts that answer like this."""
    rows = []
    for seed, answers in enumerate(right):
        ((point, _, config, made),) = answering(name, answers).rows
        rows.append((point, seed, config.with_seed(seed), made))
    return Made(name, tuple(rows))


@fires("share-right-starts", "one", middle=5 / 6, least=4 / 6, most=1.0, budget=2)
def three_starts() -> ExperimentResults:
    return experiment(from_starts("a", TWO_WRONG, ALL_RIGHT, ONE_WRONG))


@fires("share-right-starts", "level", middle=5 / 6, least=4 / 6)
def two_variants_that_classify_as_well_from_three_starts() -> ExperimentResults:
    right = (TWO_WRONG, ALL_RIGHT, ONE_WRONG)
    return experiment(from_starts("a", *right), from_starts("b", *right))


@fires(
    "share-right-starts",
    "several",
    first=("b", "c"),
    middle=1.0,
    least=5 / 6,
    last=("a",),
    other_middle=5 / 6,
    other_least=4 / 6,
)
def three_variants_from_three_starts() -> ExperimentResults:
    better = (ALL_RIGHT, ALL_RIGHT, ONE_WRONG)
    return experiment(
        from_starts("a", TWO_WRONG, ALL_RIGHT, ONE_WRONG),
        from_starts("b", *better),
        from_starts("c", *better),
    )


@fires("share-right", "several", first=("a",), share=1.0, last=("b", "c"), other_share=5 / 6)
def the_best_of_three_classifiers() -> ExperimentResults:
    return experiment(
        answering("a", ALL_RIGHT),
        answering("b", ONE_WRONG, 0.5, seed=1),
        answering("c", ONE_WRONG, 0.25, seed=2),
    )


def values_from_starts(*answers: list[list[int]], name: str = "a") -> Made:
    """A sweep over 1, 2, … of the learning rate: what each start answers at each value."""
    rows = []
    for value, starting in enumerate(answers, 1):
        for seed, given in enumerate(starting):
            changes = {**CHANGES, RATE: float(value)}
            ((_, _, config, run),) = single(name, [3, 2, 1], changes, outputs=outputs(given)).rows
            rows.append((((RATE, float(value)),), seed, config.with_seed(seed), run))
    return Made(name, tuple(rows))


RIGHT, SOME, WRONG = [ALL_RIGHT] * 2, [ALL_RIGHT, ONE_WRONG], [ONE_WRONG] * 2


def at(*values: float) -> tuple[tuple[str, float], ...]:
    """Values of the sweep as they are told."""
    return tuple(("", value) for value in values)


@fires("all-right-starts", "every-some-none", every=at(3.0), some=at(2.0), none=at(1.0), budget=2)
def all_rows_are_right_from_every_start_from_some_and_from_none() -> ExperimentResults:
    return experiment(values_from_starts(WRONG, SOME, RIGHT))


@fires("all-right-starts", "every-some", every=at(2.0, 3.0), some=at(1.0))
def all_rows_are_right_from_every_start_and_from_some() -> ExperimentResults:
    return experiment(values_from_starts(SOME, RIGHT, RIGHT))


@fires("all-right-starts", "every-none", every=at(2.0), none=at(1.0))
def all_rows_are_right_from_every_start_and_from_none() -> ExperimentResults:
    return experiment(values_from_starts(WRONG, RIGHT))


@fires("all-right-starts", "some-none", some=at(2.0), none=at(1.0))
def all_rows_are_right_from_some_starts_and_from_none() -> ExperimentResults:
    return experiment(values_from_starts(WRONG, SOME))


@fires("all-right-starts", "two-open", first=at(1.0), most=(2, 3), last=at(2.0), fewest=(1, 3), p=1)
def all_rows_are_right_from_some_starts_of_each_value() -> ExperimentResults:
    two, one = [ALL_RIGHT, ALL_RIGHT, ONE_WRONG], [ALL_RIGHT, ONE_WRONG, ONE_WRONG]
    return experiment(values_from_starts(two, one))


@fires("all-right-starts", "two", first=("b",), most=(8, 8), last=("a",), fewest=(2, 8))
def six_starts_succeed_with_one_of_two_variants_alone() -> ExperimentResults:
    some = [ALL_RIGHT] * 2 + [ONE_WRONG] * 6
    return experiment(from_starts("a", *some), from_starts("b", *[ALL_RIGHT] * 8))


@fires("all-right-starts", "two-open", most=(7, 8), fewest=(2, 8), p=0.125)
def six_starts_with_one_and_one_with_the_other_may_be_chance() -> ExperimentResults:
    some, others = [ALL_RIGHT] * 2 + [ONE_WRONG] * 6, [ONE_WRONG] + [ALL_RIGHT] * 7
    return experiment(from_starts("a", *some), from_starts("b", *others))


@fires("all-right-starts", "two-open", first=("b",), most=(2, 2), last=("a",), fewest=(0, 2))
def all_rows_are_right_with_one_of_two_variants() -> ExperimentResults:
    return experiment(from_starts("a", *WRONG), from_starts("b", *RIGHT))


@fires("all-right-starts", "between", first=("b",), last=("a",), between=("c",))
def all_rows_are_right_with_three_variants_to_different_degrees() -> ExperimentResults:
    made = (from_starts("a", *WRONG), from_starts("b", *RIGHT), from_starts("c", *SOME))
    return experiment(*made)


@fires("all-right-starts", "variants", first=("b",), last=("a", "c"), fewest=(1, 2))
def all_rows_are_right_with_one_of_three_variants() -> ExperimentResults:
    made = (from_starts("a", *SOME), from_starts("b", *RIGHT), from_starts("c", *SOME))
    return experiment(*made)


@silent("all-right-starts")
def all_rows_are_right_from_every_start_of_each() -> ExperimentResults:
    return experiment(from_starts("a", *RIGHT), from_starts("b", *RIGHT))


@silent("all-right-starts")
def all_rows_are_right_from_no_start_of_any() -> ExperimentResults:
    return experiment(from_starts("a", *WRONG), from_starts("b", *WRONG))


@silent("all-right-starts")
def all_rows_are_right_from_equally_many_starts() -> ExperimentResults:
    return experiment(from_starts("a", *SOME), from_starts("b", *SOME))


@silent("all-right-starts")
def nine_values_are_too_many_to_name() -> ExperimentResults:
    return experiment(values_from_starts(*[SOME] * 8, RIGHT))
