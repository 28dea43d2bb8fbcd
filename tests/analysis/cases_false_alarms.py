"""Cases of what rules once said of labs drawn at random, and what is not true."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import fires, silent
from cases_course import LINEAR, course, line
from cases_explanations import ALIVE, DEAD, RELU, dead_parts
from synthetic_runs import MOMENTUM, RATE, experiment, single, sweep, trace, with_controls

from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import STARTS
from labreport.runs.run import Trace

# --- who is level with the first leads as well -------------------------------------------------


@silent("edge-of-grid")
def a_value_in_the_midst_of_the_grid_that_is_as_good_as_its_end() -> ExperimentResults:
    return experiment(sweep("a", RATE, {1.0: [3, 2, 1], 2.0: [3, 2, 1], 3.0: [3, 2, 2]}))


@fires("edge-of-grid", subjects=((("a", 1.0), 2), (("a", 3.0), 2)))
def both_ends_of_the_grid_that_are_as_good() -> ExperimentResults:
    return experiment(sweep("a", RATE, {1.0: [3, 2, 1], 2.0: [3, 2, 2], 3.0: [3, 2, 1]}))


# --- what is said of all -----------------------------------------------------------------------


def two_and_one_that_ended(**recorded: Any) -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1], weights=line(0, 0.5, 1)),
        single("b", [3, 2, 1], {MOMENTUM: 0.5}, weights=line(0, 0.5, 1)),
        single("c", [3], {MOMENTUM: 0.9}, rounds=2, kind="diverged"),
    )


@silent("path")
def two_straight_ways_and_one_that_is_not_known() -> ExperimentResults:
    return two_and_one_that_ended()


CLASSES = {
    "data.inputs": [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
    "data.targets": [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]],
}
OTHER_CLASSES = {**CLASSES, "data.targets": [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]}


def with_other_classes() -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1], CLASSES),
        single("b", [3, 2, 1], {**CLASSES, MOMENTUM: 0.5}),
        single("c", [3, 2, 1], OTHER_CLASSES),
    )


@fires("share-right", "level", subjects=("a", "b"), share=1.0, largest=0.75)
def shares_of_the_same_classes() -> ExperimentResults:
    return with_other_classes()


@fires("share-right", "one", shares=(("c", 1.0),), largest=0.5)
def a_share_of_other_classes() -> ExperimentResults:
    return with_other_classes()


# --- floors, ends and standing still -----------------------------------------------------------


@silent("floor-above-zero")
def an_output_that_cannot_grow_beyond_its_target() -> ExperimentResults:
    # The best margin is infinite, the largest that sigmoid gives is 1; that is no entropy.
    return experiment(single("a", [3, 2, 1], {"loss": "soft_margin", "data.targets": [[1.0, 1.0]]}))


@silent("stuck")
def a_loss_that_happens_to_be_where_it_was_half_way() -> ExperimentResults:
    still = np.ones((5, 8))
    still[-1] *= 1e-3
    return course([4, 1, 1, 3, 1], gradients=still)


UNIT = 1e-18
"""Less than rounding: 16 units of it beside the smallest scale of a loss are 3.6e-18."""


@silent("stuck")
def a_run_that_is_at_its_floor_but_for_rounding() -> ExperimentResults:
    return course([UNIT, UNIT, UNIT], gradients=np.zeros((3, 8)))


@silent("threshold")
def a_reference_that_starts_at_its_floor_but_for_rounding() -> ExperimentResults:
    return experiment(single("a", [UNIT, UNIT, 0.0]), single("b", [3, 2, 0.0], {MOMENTUM: 0.5}))


@fires("share-right", "one", shares=(("a", 0.25),))
def probabilities_that_are_all_rounded_to_one() -> ExperimentResults:
    # The second unit's output is the largest for each row, and right for one of them.
    outputs = np.broadcast_to([1e3, 2e3], (3, 4, 2))
    changes = {**CLASSES, **LINEAR, "loss": "bce_with_logits"}
    return experiment(single("a", [3, 2, 1], changes, outputs=outputs))


@fires("revived", "some", count=STARTS - 1, dead=STARTS - 2)
def a_start_that_ended_at_once() -> ExperimentResults:
    def made(number: int, config: RunConfig) -> Trace:
        if number == 0:
            return trace(config, [], kind="diverged")
        return trace(config, [3, 2, 1], **dead_parts(ALIVE if number == 1 else DEAD))

    one = experiment(single("a", [3, 2, 1], RELU, **dead_parts()))
    return with_controls(one, "other-starts", made)


@silent("common-measure")
def errors_that_are_out_of_bounds() -> ExperimentResults:
    far = np.full((3, 1, 2), 1e300)
    changes = {**LINEAR, "loss": "poisson_nll"}
    return experiment(
        single("a", [3, 2, 1], LINEAR, outputs=far), single("b", [3, 2, 1], changes, outputs=far)
    )


@silent("stuck", "stuck-points")
def a_run_without_any_gradient_has_none_that_vanished() -> ExperimentResults:
    return experiment(single("a", [4, 1, 1, 1, 1], gradients=np.zeros((5, 8))), budgets=(4,))
