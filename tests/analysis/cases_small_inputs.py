"""Cases of small inputs of which a rule once said what is not there."""

from __future__ import annotations

from dataclasses import replace
from math import e, log
from typing import Any

import numpy as np
from cases import fires, silent
from synthetic_runs import BASE, MOMENTUM, RATE, experiment, single, starts, sweep

from labreport.analysis.results import ExperimentResults

TARGETS = np.array([BASE["data"]["targets"]] * 3)

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
    return experiment(
        starts("a", ([9, 5, 1], [9, 5, 3])), starts("b", ([9, 5, 2], [9, 5, 4]), other)
    )


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


# --- why there is no gradient ------------------------------------------------------------------

# As stored: w1, w3 lead into h1, w2, w4 into h2; w5, w7 into o1, w6, w8 into o2.
POSITIONS = {name: k for k, name in enumerate(("w1", "w3", "w2", "w4", "w5", "w7", "w6", "w8"))}


def without_gradient(names: str, weights: list[float]) -> dict[str, Any]:
    quiet = np.zeros(8, dtype=bool)
    quiet[[POSITIONS[name] for name in names.split()]] = True
    steps = np.arange(3)[:, None]
    return {
        "gradients": np.where(quiet, 0.0, 0.5) * np.ones((3, 1)),
        "weights": np.array(weights) + np.where(quiet, 0.0, 0.1) * steps,
    }


@fires("silent-weights", "input", units=("x1",), names=("w1", "w2"), count=2, total=8)
def an_input_that_is_always_0() -> ExperimentResults:
    changes = {"data.inputs": [[0.0, 0.3]]}
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w1 w2", [0.1] * 8)))


@fires("silent-weights", "dead", units=("h2",), names=("w2", "w4", "w7", "w8"))
@fires("silent-weights", "input", units=("x1",), names=("w1", "w2"))
@fires("silent-weights", "", names=("w6",), units=())
def a_dead_unit_an_input_of_0_and_a_weight_without_a_cause() -> ExperimentResults:
    changes = {"data.inputs": [[0.0, 0.3]], "network.activations": ["relu", "identity"]}
    weights = [0.1, 0.1, 0.1, -0.5, 0.1, 0.1, 0.1, 0.1]
    return experiment(
        single("a", [3, 2, 1], changes, **without_gradient("w1 w2 w4 w6 w7 w8", weights))
    )


@fires("silent-weights", "flat", units=("h2",), names=("w2", "w4", "w7", "w8"))
@silent("revived")
def a_relu6_unit_that_gives_0() -> ExperimentResults:
    changes = {"network.activations": ["relu6", "identity"]}
    weights = [0.1, 0.1, 0.1, -0.5, 0.1, 0.1, 0.1, 0.1]
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w2 w4 w7 w8", weights)))


@fires("silent-weights", "flat", units=("h2",), names=("w2", "w4"))
@fires("silent-weights", "", names=("w7",), units=())
def a_relu6_unit_that_gives_6() -> ExperimentResults:
    changes = {"network.activations": ["relu6", "identity"]}
    weights = [0.1, 0.1, 20.0, 20.0, 0.1, 0.1, 0.1, 0.1]
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w2 w4 w7", weights)))


@fires("silent-weights", "saturated", units=("h2",), names=("w2", "w4"))
def a_tanh_unit_whose_derivative_is_rounded_to_0() -> ExperimentResults:
    changes = {"network.activations": ["tanh", "identity"]}
    weights = [0.1, 0.1, 100.0, 100.0, 0.1, 0.1, 0.1, 0.1]
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w2 w4", weights)))


@fires("silent-weights", "", names=("w2", "w4"), units=())
def a_tanh_unit_whose_derivative_is_not_rounded() -> ExperimentResults:
    changes = {"network.activations": ["tanh", "identity"], "dtype": "float64"}
    weights = [0.1, 0.1, 20.0, 20.0, 0.1, 0.1, 0.1, 0.1]
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w2 w4", weights)))


@fires("nothing-moves", subjects=("a",))
def a_network_of_which_no_weight_gets_a_gradient() -> ExperimentResults:
    every = " ".join(f"w{k}" for k in range(1, 9))
    changes = {"network.activations": ["relu", "identity"]}
    return experiment(single("a", [3, 3, 3], changes, **without_gradient(every, [-0.1] * 8)))


@silent("nothing-moves")
def a_network_of_which_one_weight_gets_a_gradient() -> ExperimentResults:
    most = " ".join(f"w{k}" for k in range(1, 8))
    changes = {"network.activations": ["relu", "identity"]}
    return experiment(single("a", [3, 3, 3], changes, **without_gradient(most, [-0.1] * 8)))


@silent("nothing-moves")
def a_network_that_starts_at_its_floor() -> ExperimentResults:
    every = " ".join(f"w{k}" for k in range(1, 9))
    return experiment(single("a", [0, 0, 0], None, **without_gradient(every, [0.1] * 8)))


@fires("silent-weights", "flat", units=("h2", "o1"), names=("w2", "w4", "w5", "w7"))
def units_of_hardtanh_and_hardsigmoid_that_are_level() -> ExperimentResults:
    changes = {"network.activations": ["hardtanh", "hardsigmoid"]}
    weights = [0.1, 0.1, -9.0, 0.1, 30.0, -30.0, 0.1, 0.1]
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w2 w4 w5 w7", weights)))


@fires("silent-weights", "blocked", units=("h1", "h2"), names=("w1", "w2", "w3", "w4"))
@fires("silent-weights", "dead", units=("o1", "o2"), names=("w5", "w6", "w7", "w8"))
def every_path_leads_through_dead_units() -> ExperimentResults:
    weights = [0.1] * 4 + [-0.1] * 4
    changes = {"network.activations": ["sigmoid", "relu"]}
    every = "w1 w2 w3 w4 w5 w6 w7 w8"
    return experiment(single("a", [3, 3, 3], changes, **without_gradient(every, weights)))


@fires("silent-weights", "blocked", units=("h2",), names=("w2", "w4"))
def a_unit_whose_weights_to_the_outputs_are_0() -> ExperimentResults:
    weights = [0.1, 0.1, 0.1, 0.1, 0.1, 0.0, 0.1, 0.0]
    return experiment(single("a", [3, 2, 1], **without_gradient("w2 w4 w7 w8", weights)))


@fires("silent-weights", "input", units=("h2",), names=("w7", "w8"))
def a_hidden_unit_that_gives_0() -> ExperimentResults:
    weights = [0.1, 0.1, 0.0, 0.0, 0.1, 0.1, 0.1, 0.1]
    changes = {"network.activations": ["tanh", "sigmoid"]}
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w2 w4 w7 w8", weights)))


@fires("silent-weights", "rows", units=(), names=("w1",))
def a_weight_without_a_cause_and_several_rows() -> ExperimentResults:
    changes = {"data": {"inputs": [[0.5, 0.3]] * 2, "targets": [[0.25, 0.0625]] * 2}}
    return experiment(single("a", [3, 2, 1], changes, **without_gradient("w1", [0.1] * 8)))


# --- level is level ----------------------------------------------------------------------------


@silent("edge-of-grid")
def values_that_are_level() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.5: [3, 1, 0.25], 1.0: [3, 1, 0.25], 2.0: [3, 1, 0.25]}))


@silent("edge-of-grid")
def values_that_all_reach_a_loss_of_0() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.0: [3, 1, 0], 0.05: [3, 1, 0]}))


@fires("common-measure", "equal", value=1.0)
def squared_errors_that_print_alike() -> ExperimentResults:
    other = single("b", [3, 2, 1], {"loss": "bce"}, outputs=1.0000001 + TARGETS)
    return experiment(single("a", [3, 2, 1], outputs=1.0 + TARGETS), other)


@fires("common-measure", "equal", value=1.0001**2, other_value=1.0)
def squared_errors_that_differ_by_no_odds() -> ExperimentResults:
    other = single("b", [3, 2, 1], {"loss": "bce"}, outputs=1.0001 + TARGETS)
    return experiment(single("a", [3, 2, 1], outputs=1.0 + TARGETS), other)


@fires("common-measure", "higher", value=1.001**2)
def squared_errors_that_differ_by_more() -> ExperimentResults:
    other = single("b", [3, 2, 1], {"loss": "bce"}, outputs=1.001 + TARGETS)
    return experiment(single("a", [3, 2, 1], outputs=1.0 + TARGETS), other)


# --- the edge of a grid is not always an edge ----------------------------------------------------


@silent("edge-of-grid")
def the_smallest_weight_decay_that_there_is() -> ExperimentResults:
    key = "optimizer.weight_decay"
    return experiment(sweep("a", key, {0.0: [3, 2, 1], 0.1: [3, 2, 2], 0.2: [3, 2, 3]}))


@fires("edge-of-grid", subjects=((("a", 0.2), 2),))
def the_largest_weight_decay_that_was_tried() -> ExperimentResults:
    key = "optimizer.weight_decay"
    return experiment(sweep("a", key, {0.0: [3, 2, 3], 0.1: [3, 2, 2], 0.2: [3, 2, 1]}))


@fires("edge-of-grid", subjects=((("a", 0.001), 2),))
def the_smallest_learning_rate_that_was_tried() -> ExperimentResults:
    return experiment(sweep("a", RATE, {0.001: [3, 2, 1], 0.1: [3, 2, 2], 1.0: [3, 2, 3]}))


# --- rows that were not trained on ---------------------------------------------------------------

TWO_ROWS = {"data": {"inputs": [[0.5, 0.3], [0.1, 0.2]], "targets": [[0.2, 0.1], [0.3, 0.4]]}}
DECAY = "optimizer.weight_decay"


@fires("unseen-rows", keys=(DECAY,), rows=2)
def weight_decay_judged_by_the_training_loss() -> ExperimentResults:
    other = single("b", [3, 2, 1.5], {**TWO_ROWS, DECAY: 0.1})
    return experiment(single("a", [3, 2, 1], TWO_ROWS), other)


@silent("unseen-rows")
def weight_decay_where_there_are_no_other_rows() -> ExperimentResults:
    rows = {
        "data.inputs": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
        "data.targets": [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
    }
    return experiment(single("a", [3, 2, 1], rows), single("b", [3, 2, 1.5], {**rows, DECAY: 0.1}))


@silent("unseen-rows")
def weight_decay_with_a_single_row() -> ExperimentResults:
    return experiment(single("a", [3, 2, 1]), single("b", [3, 2, 1.5], {DECAY: 0.1}))


@silent("unseen-rows")
def an_optimizer_that_knows_no_weight_decay() -> ExperimentResults:
    other = single("b", [3, 2, 1.5], {**TWO_ROWS, "optimizer.name": "rprop"})
    return experiment(single("a", [3, 2, 1], TWO_ROWS), other)


@silent("unseen-rows")
def a_batch_of_all_rows() -> ExperimentResults:
    other = single("b", [3, 2, 1.5], {**TWO_ROWS, "data.batch_size": 2})
    return experiment(single("a", [3, 2, 1], TWO_ROWS), other)


@fires("unseen-rows", keys=(DECAY,), rows=2)
def weight_decay_beside_an_optimizer_that_knows_none() -> ExperimentResults:
    other = single("b", [3, 2, 1.5], {**TWO_ROWS, "optimizer.name": "rprop"})
    return experiment(single("a", [3, 2, 1], {**TWO_ROWS, DECAY: 0.1}), other)


@silent("unseen-rows")
def another_momentum_with_several_rows() -> ExperimentResults:
    other = single("b", [3, 2, 1.5], {**TWO_ROWS, MOMENTUM: 0.1})
    return experiment(single("a", [3, 2, 1], TWO_ROWS), other)


# --- fewer layers have fewer activations -------------------------------------------------------

DEEP = {
    "initial": {"scheme": "pytorch"},
    "network.layers": [2, 3, 4, 2],
    "network.activations": ["tanh", "relu", "sigmoid"],
}


def two_networks(layers: list[int], activations: list[str]) -> ExperimentResults:
    other = {**DEEP, "network.layers": layers, "network.activations": activations}
    return experiment(single("a", [3, 2, 1], DEEP), single("b", [3, 2, 1.5], other))


@silent("several-changes")
def a_layer_that_is_left_out_with_its_activation() -> ExperimentResults:
    return two_networks([2, 3, 2], ["tanh", "sigmoid"])


@silent("several-changes")
def a_network_without_hidden_layers() -> ExperimentResults:
    return two_networks([2, 2], ["sigmoid"])


@fires("several-changes", subject="b", other="a", count=2)
def a_layer_that_is_left_out_and_another_activation_at_the_end() -> ExperimentResults:
    return two_networks([2, 3, 2], ["tanh", "identity"])


@fires("several-changes", subject="b", other="a", count=2)
def a_layer_that_is_left_out_and_another_activation_before_it() -> ExperimentResults:
    return two_networks([2, 3, 2], ["relu", "sigmoid"])


# --- probabilities of probabilities ------------------------------------------------------------

OF_CLASSES = {"loss": "cross_entropy", "data.targets": [[0.0, 1.0]]}
SOFTMAX = {**OF_CLASSES, "network.activations": ["sigmoid", "softmax"]}
BEFORE_IDENTITY = {**OF_CLASSES, "network.activations": ["sigmoid", "identity"]}


@fires("squashed-twice", subject=("a",), loss="cross_entropy", within="softmax")
def a_softmax_before_cross_entropy() -> ExperimentResults:
    return experiment(single("a", [0.7, 0.6, 0.5], SOFTMAX), single("b", [0.7, 0.6, 0.5]))


@fires("squashed-twice", subject=("a", "b"), within="softmax", activation="sigmoid")
def a_sigmoid_before_cross_entropy() -> ExperimentResults:
    sigmoid = {**OF_CLASSES, "network.activations": "sigmoid"}
    other = {**sigmoid, "optimizer.learning_rate": 2.0}
    return experiment(single("a", [0.7, 0.6, 0.5], sigmoid), single("b", [0.7, 0.6, 0.5], other))


@fires("squashed-twice", subject=("a",), within="sigmoid", floor=log(1 + 1 / e) / 2 + log(2) / 2)
def a_sigmoid_before_bce_with_logits() -> ExperimentResults:
    # Of the target 1 the best output is 1, of 0 it is 0, where the loss is log 2.
    changes = {**OF_CLASSES, "loss": "bce_with_logits", "network.activations": "sigmoid"}
    return experiment(single("a", [0.7, 0.6, 0.55], changes), budgets=(2,))


@silent("squashed-twice")
def cross_entropy_of_outputs_as_they_are() -> ExperimentResults:
    return experiment(single("a", [0.7, 0.6, 0.1], BEFORE_IDENTITY))


@silent("squashed-twice")
def the_logarithm_of_a_softmax_before_cross_entropy() -> ExperimentResults:
    changes = {**OF_CLASSES, "network.activations": ["sigmoid", "log_softmax"]}
    return experiment(single("a", [0.7, 0.6, 0.1], changes))


@silent("squashed-twice")
def a_softmax_of_targets_that_share_a_row() -> ExperimentResults:
    # What the softmax of a softmax can come to for these, nobody has worked out here.
    return experiment(single("a", [0.7, 0.6, 0.5], {**SOFTMAX, "data.targets": [[0.3, 0.7]]}))
