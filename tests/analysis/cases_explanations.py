"""Cases of explanations: with controls made by hand, so that it is known what they must show."""

from __future__ import annotations

from math import nextafter
from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import MOMENTUM, experiment, single, trace, with_controls

from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import STARTS
from labreport.runs.run import Trace

ACCUMULATED = {"gradients": "accumulated"}
OUT_OF_REACH = {"data.targets": [[0.25, -0.07]]}
FLOOR = 0.5 * 0.07**2
LINEAR_OUTPUT = {"network.activations": ["sigmoid", "identity"]}
RELU = {"network.activations": "relu"}


# --- undamped ----------------------------------------------------------------------------------


def same_losses(number: int, config: RunConfig) -> Trace:
    return trace(config, [3, 2, 1])


@fires("undamped", subject="a", rounds=2)
def a_control_with_the_same_bits() -> ExperimentResults:
    return with_controls(experiment(single("a", [3, 2, 1], ACCUMULATED)), "momentum", same_losses)


@silent("undamped")
def a_control_with_one_other_bit() -> ExperimentResults:
    return with_controls(
        experiment(single("a", [3, 2, 1], ACCUMULATED)),
        "momentum",
        lambda _, config: trace(config, [3, 2, nextafter(1, 2)]),
    )


@silent("undamped")
def a_control_that_is_a_variant_itself() -> ExperimentResults:
    made = experiment(single("a", [3, 2, 1], ACCUMULATED), single("b", [3, 2, 1], {MOMENTUM: 1.0}))
    return with_controls(made, "momentum", same_losses)


@silent("undamped", "linear-reaches", "revived")
def no_controls_were_trained() -> ExperimentResults:
    return experiment(
        single("a", [3, 2, 1], {**OUT_OF_REACH, **ACCUMULATED}),
        single("b", [3, 2, 1], {**OUT_OF_REACH, **LINEAR_OUTPUT}),
        single("c", [3, 2, 1], {**OUT_OF_REACH, **RELU}, **dead_parts()),
    )


# --- linear outputs ----------------------------------------------------------------------------


def out_of_reach(control_loss: float) -> ExperimentResults:
    made = experiment(
        single("a", [0.5, 0.3, 0.01], OUT_OF_REACH),
        single("b", [0.5, 0.3, 0.001], {**OUT_OF_REACH, **LINEAR_OUTPUT, MOMENTUM: 0.5}),
    )
    return with_controls(
        made, "linear-output", lambda _, config: trace(config, [0.5, 0.3, control_loss])
    )


@fires("linear-reaches", "some", floor=FLOOR, subjects=("a",), budget=2)
def a_linear_output_below_the_floor() -> ExperimentResults:
    return out_of_reach(0.001)


@fires("linear-reaches", "some")
def a_linear_output_just_below_the_floor() -> ExperimentResults:
    return out_of_reach(nextafter(made_floor(), 0))


@fires("linear-reaches", "some-open")
def a_linear_output_at_the_floor() -> ExperimentResults:
    return out_of_reach(made_floor())


def made_floor() -> float:
    """The floor as it is computed, which may differ from 0.5 · 0.07² in its last bit."""
    (result, *_) = experiment(single("a", [0.5, 0.3, 0.01], OUT_OF_REACH)).results
    assert result.floor.value is not None
    return result.floor.value


@silent("linear-reaches")
def variants_that_all_miss_the_same_target() -> ExperimentResults:
    made = experiment(
        single("a", [0.5, 0.3, 0.01], OUT_OF_REACH),
        single("b", [0.5, 0.3, 0.01], {**OUT_OF_REACH, MOMENTUM: 0.5}),
    )
    return with_controls(made, "linear-output", lambda _, config: trace(config, [0.5, 0.3, 0.001]))


# --- dead units --------------------------------------------------------------------------------

# Stored as w1, w3, w2, w4, w5, w7, w6, w8; x = (0.5, 0.3).
DEAD = [0.1, 0.1, -0.3, 0.5, 0.1, 0.1, 0.1, 0.1]
ALIVE = [0.1, 0.1, -0.3, nextafter(0.5, 1), 0.1, 0.1, 0.1, 0.1]
OF_H2 = np.array([False, False, True, True, False, True, False, True])


def dead_parts(first: list[float] = DEAD) -> dict[str, Any]:
    """Weights with which the sum of h2 is 0 or just above, and its gradients 0 in every round."""
    steps = np.arange(3)[:, None]
    return {
        "gradients": np.where(OF_H2, 0.0, 0.5) * np.ones((3, 1)),
        "weights": np.array(first) + np.where(OF_H2, 0.0, 0.1) * steps,
    }


def with_starts(alive: int) -> ExperimentResults:
    made = experiment(single("a", [3, 2, 1], RELU, **dead_parts()))
    return with_controls(
        made,
        "other-starts",
        lambda number, config: trace(
            config, [3, 2, 1], **dead_parts(ALIVE if number < alive else DEAD)
        ),
    )


@fires("revived", "all", subject="a", units=("h2",), count=STARTS, dead=0, rounds=2)
def no_start_has_a_dead_unit() -> ExperimentResults:
    return with_starts(STARTS)


@fires("revived", "some", dead=1)
def one_start_has_a_dead_unit() -> ExperimentResults:
    return with_starts(STARTS - 1)


@fires("revived", "some", dead=STARTS - 1)
def one_start_has_none() -> ExperimentResults:
    return with_starts(1)


@fires("revived", "none", dead=STARTS)
def every_start_has_a_dead_unit() -> ExperimentResults:
    return with_starts(0)


@silent("revived")
def a_unit_that_is_just_alive() -> ExperimentResults:
    made = experiment(single("a", [3, 2, 1], RELU, **dead_parts(ALIVE)))
    return with_controls(
        made, "other-starts", lambda _, config: trace(config, [3, 2, 1], **dead_parts())
    )


# --- equal starts ------------------------------------------------------------------------------


def equal_start(
    high: list[float],
    low: list[float],
    changes: dict[str, Any] | None = None,
    budgets: tuple[int, ...] = (2,),
) -> ExperimentResults:
    """B starts at 0.5; a comes down to it after one update; compared after two rounds."""
    relu = {"network.activations": ["relu", "sigmoid"], **(changes or {})}
    return experiment(single("a", high), single("b", low, relu), budgets=budgets)


@fires(
    "equal-start",
    "kept",
    subject="b",
    other="a",
    updates=1,
    rounds=2,
    gone=0.5,
)
def just_half_of_the_lead_is_the_start() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.375, 0.25], [0.5, 0.25, 0.125, 0.1])


LATE = [0.5, 0.26, 0.125, 0.1]
"""Losses of which a round earlier or later is more than half of the lead."""


@silent("equal-start")
def more_than_half_is_the_start_if_the_other_one_has_more_rounds_alone() -> ExperimentResults:
    # A round less for the one that leads leaves half of its lead.
    return equal_start([1.0, 0.5, 0.375, nextafter(0.25, 0)], [0.5, 0.25, 0.125, 0.1])


@fires("equal-start", "mostly")
def more_than_half_of_the_lead_is_the_start() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.375, nextafter(0.25, 0)], LATE)


@fires("equal-start", "gone", gone=1.0, rounds=2)
def all_of_the_lead_is_the_start() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.375, 0.125], LATE)


@fires("equal-start", "mostly")
def nearly_all_of_the_lead_is_the_start() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.375, 0.1250001], LATE)


@fires("equal-start", "kept", updates=1)
def starts_that_differ_by_just_more_than_a_hundredth() -> ExperimentResults:
    return equal_start([100.0, 98.0, 97.0, 96.0], [98.9, 50.0, 25.0, 10.0])


@fires("equal-start", "mixed", gone=2 / 3, rounds=1, left=0.0, later=2)
def a_lead_whose_start_matters_less_with_more_rounds() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.25, 0.25], [0.5, 0.125, 0.0, 0.0], budgets=(1, 2, 3))


def many_equal_starts(
    high: list[float], low: list[float], budgets: tuple[int, ...] = (2,)
) -> ExperimentResults:
    """As above, but several variants start at 0.5."""
    others = [
        single(f"b{i}", low, {"network.activations": [name, "sigmoid"]})
        for i, name in enumerate(("relu", "tanh", "elu"))
    ]
    return experiment(single("a", high), *others, budgets=budgets)


@fires(
    "equal-start",
    "kept-many",
    count=3,
    subjects=("b0", "b1", "b2"),
    other="a",
    budgets=(2,),
    leads=(("b0", (0.5, 1, 0.5)), ("b1", (0.5, 1, 0.5)), ("b2", (0.5, 1, 0.5))),
)
def three_leads_of_one_kind_are_one_sentence() -> ExperimentResults:
    return many_equal_starts([1.0, 0.5, 0.375, 0.25], [0.5, 0.25, 0.125, 0.1])


@fires("equal-start", "mostly-many", count=3)
def three_leads_that_are_mostly_the_start() -> ExperimentResults:
    return many_equal_starts([1.0, 0.5, 0.375, 0.1875], LATE)


@fires(
    "equal-start",
    "gone-many",
    leads=(("b0", (0.5, 1)), ("b1", (0.5, 1)), ("b2", (0.5, 1))),
)
def three_leads_of_which_nothing_is_left() -> ExperimentResults:
    return many_equal_starts([1.0, 0.5, 0.375, 0.125], LATE)


@fires(
    "equal-start",
    "mixed-many",
    budgets=(1, 2),
    leads=tuple((name, (0.5, 1, 1 - 0.125 / 0.375, 0.0)) for name in ("b0", "b1", "b2")),
)
def three_leads_whose_start_matters_less_with_more_rounds() -> ExperimentResults:
    return many_equal_starts([1.0, 0.5, 0.25, 0.25], [0.5, 0.125, 0.0, 0.0], budgets=(1, 2, 3))


@silent("equal-start")
def starts_that_differ_by_a_hundredth() -> ExperimentResults:
    return equal_start([100.0, 98.0, 97.0, 96.0], [99.0, 50.0, 25.0, 10.0])


@silent("equal-start")
def a_lower_start_without_a_lead() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.125, 0.1], [0.5, 0.25, 0.125, 0.1])


@silent("equal-start")
def a_run_with_momentum_remembers_its_past() -> ExperimentResults:
    return equal_start([1.0, 0.5, 0.375, 0.25], [0.5, 0.25, 0.125, 0.1], {MOMENTUM: 0.5})


@silent("equal-start")
def too_few_rounds_after_the_losses_are_equal() -> ExperimentResults:
    return equal_start([1.0, 0.75, 0.5, 0.25], [0.5, 0.25, 0.125, 0.1])


# --- losses without a lower bound --------------------------------------------------------------

BY_HAND = {"loss": "bce_with_logits", "network.activations": ["sigmoid", "identity"]}


@fires("unbounded", "negative", subject="a", loss="bce_with_logits", start=0.5, value=-0.125)
def a_loss_that_falls_below_nothing() -> ExperimentResults:
    return experiment(single("a", [0.5, 0.25, -0.125], {**BY_HAND, **OUT_OF_REACH}))


@fires("unbounded", "", value=0.0)
def a_loss_that_has_come_to_nothing() -> ExperimentResults:
    return experiment(single("a", [0.5, 0.25, 0.0], {**BY_HAND, **OUT_OF_REACH}))


@silent("unbounded")
def the_same_loss_with_a_probability_for_a_target() -> ExperimentResults:
    return experiment(single("a", [0.5, 0.25, 0.125], {**BY_HAND, "data.targets": [[0.25, 0.0]]}))


@silent("equal-start")
def leads_of_runs_that_swing() -> ExperimentResults:
    swing = [10.0, 5.0, 6.0, 4.0, 5.0, 3.0, 4.0, 2.0]
    return experiment(
        single("high", swing), single("low", [5.0, 4.0, 3.0, 2.5, 2.0, 1.5, 1.2, 1.0]), budgets=(3,)
    )
