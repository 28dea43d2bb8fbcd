"""Cases of the rules on linear models beside the best that any of them can be.

Three rows, x = −1, 0, 1 and y = 1, 0, 1: the best line is y = 2/3, and its loss 2/9.
"""

from __future__ import annotations

from typing import Any

from cases import fires, silent
from cases_held_out import held
from synthetic_runs import RATE, Made, experiment, single, sweep

from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import NO_ODDS
from labreport.data.data_set import DataPart, DataSet, Origin

BEST = 2 / 9
ROWS = {"inputs": [[-1.0], [0.0], [1.0]], "targets": [[1.0], [0.0], [1.0]]}
LINEAR: dict[str, Any] = {
    "data": ROWS,
    "network": {"layers": [1, 1], "activations": "identity", "bias": "trained"},
    "initial": {"scheme": "zeros"},
}
HIDDEN = {
    **LINEAR,
    "network": {"layers": [1, 1, 1], "activations": ["tanh", "identity"], "bias": "trained"},
}


def line(name: str, last: float, **changes: Any) -> Made:
    return single(name, [9, 5, last], {**LINEAR, **changes})


def hidden(name: str, last: float) -> Made:
    return single(name, [9, 5, last], HIDDEN)


LEVEL = BEST + NO_ODDS * 9
"""A loss that is a thousandth of the first one above that of the best line."""


@fires("linear-optimum", "one", optimum=BEST, nearest="a", loss=BEST + 1e-9, total=1)
@silent("beyond-linear", "linear-unfinished")
def a_line_that_is_trained_out() -> ExperimentResults:
    return experiment(line("a", BEST + 1e-9))


@fires("linear-optimum", "one")
def a_line_that_is_level_with_the_best() -> ExperimentResults:
    return experiment(line("a", LEVEL - 1e-9))


@fires("linear-optimum", "", nearest="a", loss=LEVEL + 1e-9)
def a_line_that_is_just_not_level_with_the_best() -> ExperimentResults:
    return experiment(line("a", LEVEL + 1e-9))


@fires("linear-optimum", "reached", count=2, total=3)
def lines_by_learning_rate() -> ExperimentResults:
    lasts = {0.1: BEST + 1e-9, 0.5: BEST + 2e-9, 1.0: 1.0}
    return experiment(
        sweep("a", RATE, {rate: [9, 5, last] for rate, last in lasts.items()}, LINEAR)
    )


@fires("beyond-linear", "", subject="b", loss=0.1, other="a", optimum=BEST)
@silent("linear-unfinished")
def a_hidden_layer_comes_below_the_best_line() -> ExperimentResults:
    return experiment(line("a", BEST + 1e-9), hidden("b", 0.1))


@silent("beyond-linear")
def a_hidden_layer_comes_hardly_below_the_best_line() -> ExperimentResults:
    return experiment(line("a", BEST + 1e-9), hidden("b", BEST - NO_ODDS * 9 + 1e-9))


@fires("linear-unfinished", "", subject="a", loss=1.0, other="b", optimum=BEST)
@silent("beyond-linear")
def a_line_that_is_not_trained_out_is_behind() -> ExperimentResults:
    return experiment(line("a", 1.0), hidden("b", 0.5))


@silent("linear-unfinished")
def a_line_that_is_not_trained_out_is_ahead() -> ExperimentResults:
    return experiment(line("a", 0.5), hidden("b", 1.0))


@silent("linear-optimum", "beyond-linear")
def networks_with_hidden_layers_alone() -> ExperimentResults:
    return experiment(hidden("a", 0.5), hidden("b", 0.1))


@silent("linear-optimum")
def two_rows_are_on_a_line_anyhow() -> ExperimentResults:
    two = {"inputs": [[0.0], [1.0]], "targets": [[1.0], [0.0]]}
    return experiment(line("a", 0.5, data=two))


@silent("linear-optimum")
def inputs_that_are_nearly_the_same_have_no_optimum_to_speak_of() -> ExperimentResults:
    alike = {"inputs": [[1.0], [1.0 + 1e-6], [1.0 - 1e-6]], "targets": ROWS["targets"]}
    return experiment(line("a", 0.5, data=alike))


@silent("linear-optimum")
def a_loss_without_a_known_optimum() -> ExperimentResults:
    return experiment(line("a", 0.5, loss="l1"))


@silent("linear-optimum")
def classes_that_a_point_separates_have_no_optimum() -> ExperimentResults:
    apart = {"inputs": [[-1.0], [0.0], [1.0]], "targets": [[0.0], [0.0], [1.0]]}
    return experiment(line("a", 0.5, data=apart, loss="bce_with_logits"))


@silent("beyond-linear")
def a_hidden_layer_that_is_worse_on_held_out_rows() -> ExperimentResults:
    """Its outputs for x = 1 are farther from 0 than those of the line."""
    one = DataPart(((1.0,),), ((0.0,),))
    parts = {"train": one, "validation": one}
    places = {"train": (0,), "validation": (1,)}
    made = DataSet(Origin("inline", ""), ("x1",), 1, ("x1",), ("y",), (), parts, places)
    return held(experiment(line("a", BEST + 1e-9), hidden("b", 0.1)), made)
