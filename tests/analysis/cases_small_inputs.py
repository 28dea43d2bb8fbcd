"""Cases of small inputs of which a rule once said what is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import experiment, single, starts

from labreport.analysis.results import ExperimentResults

# --- nothing is compared with itself -----------------------------------------------------------


@silent("paired-starts", "pairs-needed", "several-changes")
def seeds_without_variants() -> ExperimentResults:
    # The experiment names no variant: the one that it has is the base.
    made = experiment(starts("base", ([9, 5, 1], [9, 5, 3], [9, 5, 2])))
    written = made.plan.experiment.model_copy(update={"variant": ()})
    return replace(made, plan=replace(made.plan, experiment=written))


@fires("coincide", "same", subjects=("a", "b"))
@silent("paired-starts", "pairs-needed")
def one_training_from_several_seeds_under_two_names() -> ExperimentResults:
    return experiment(starts("a", ([9, 5, 1], [9, 5, 3])), starts("b", ([9, 5, 1], [9, 5, 3])))


@fires("paired-starts", "few", count=2)
def two_trainings_that_end_level_seed_by_seed() -> ExperimentResults:
    other = {"network.bias": "trained"}
    return experiment(starts("a", ([9, 5, 1], [9, 5, 3])), starts("b", ([9, 5, 2], [9, 5, 4]), other))


@fires("place-among-starts", "below", count=1)
def a_single_start_that_stands_among_the_random_ones() -> ExperimentResults:
    first = single("g", [9, 5, 1], {"initial": {"scheme": "pytorch"}})
    return experiment(first, starts("r", ([9, 5, 1], [9, 5, 3])))


# --- what cannot be learned --------------------------------------------------------------------

ROWS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


def one_unit(loss: str, last: str, *targets: float) -> dict[str, Any]:
    return {
        "data": {"inputs": ROWS, "targets": [[t] for t in targets]},
        "network": {"layers": [2, 2, 1], "activations": ["tanh", last]},
        "initial": {"scheme": "xavier_normal"},
        "loss": loss,
    }


CERTAIN = one_unit("cross_entropy", "identity", 0, 1, 1, 0)


def still(output: float) -> dict[str, Any]:
    count = 2 * 2 + 2
    return {
        "gradients": np.zeros((3, count)),
        "weights": np.ones((3, count)),
        "outputs": np.full((3, 4, 1), output),
    }


@fires("constant-answer", "cross-entropy", subject="ce", rows=4, loss="cross_entropy")
def cross_entropy_of_one_unit() -> ExperimentResults:
    logits = one_unit("bce_with_logits", "identity", 0, 1, 1, 0)
    return experiment(
        single("ce", [0, 0, 0], CERTAIN, **still(0.25)),
        single("bcel", [0.7, 0.6, 0.5], logits, outputs=np.full((3, 4, 1), [[1.0]] * 4)),
    )


@fires("constant-answer", "softmax", subject="a")
def softmax_of_one_unit() -> ExperimentResults:
    return experiment(
        single("a", [0.5, 0.5, 0.5], one_unit("mse", "softmax", 0, 1, 1, 0), **still(1.0))
    )


@fires("constant-answer", "log-softmax", subject="a")
def logarithm_of_the_softmax_of_one_unit() -> ExperimentResults:
    changes = one_unit("mse", "log_softmax", 0, 1, 1, 0)
    return experiment(single("a", [0.5, 0.5, 0.5], changes, **still(0.0)))


@fires("constant-answer", "one-class", subject="a", rows=4)
def targets_of_one_class() -> ExperimentResults:
    changes = one_unit("bce", "sigmoid", 1, 1, 1, 1)
    return experiment(single("a", [0.7, 0.5, 0.1], changes))


@silent("constant-answer")
def targets_of_two_classes() -> ExperimentResults:
    return experiment(single("a", [0.7, 0.5, 0.1], one_unit("bce", "sigmoid", 1, 1, 1, 0)))


@silent("constant-answer")
def one_value_that_is_no_class() -> ExperimentResults:
    return experiment(single("a", [0.7, 0.5, 0.1], one_unit("mse", "sigmoid", 1, 1, 1, 1)))


@silent("constant-answer")
def cross_entropy_of_two_units() -> ExperimentResults:
    changes = {
        **CERTAIN,
        "data": {"inputs": ROWS, "targets": [[1, 0], [0, 1], [0, 1], [1, 0]]},
        "network": {"layers": [2, 2, 2], "activations": ["tanh", "identity"]},
    }
    return experiment(single("a", [0.7, 0.5, 0.1], changes))
