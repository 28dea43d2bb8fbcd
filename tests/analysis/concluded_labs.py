"""Small labs of several experiments made by hand, and what they must conclude together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from cases_answers import from_starts
from cases_mechanisms import with_rates
from synthetic_runs import (
    MOMENTUM,
    RATE,
    check,
    experiment,
    single,
    starts,
    sweep,
    trace,
    with_controls,
)

from labreport.analysis.lab_rules import conclusions
from labreport.analysis.lab_rules.lab_rule import Conclusion, Observed
from labreport.analysis.observe import observe
from labreport.analysis.results import ExperimentResults
from labreport.analysis.thresholds import STAYING
from labreport.lab.configuration import RunConfig
from labreport.lab.lab import Experiment, Text
from labreport.runs.run import Run, Trace

Lab = tuple[ExperimentResults, ...]


def conclude(lab: Lab) -> tuple[Conclusion, ...]:
    """What experiments say together, with all that is observed in them."""
    return conclusions.conclude([Observed(results, observe(results)) for results in lab])


RELU = {"network.activations": "relu"}


def completed() -> Lab:
    return (
        experiment(
            single("a", [1, 0.5, 0.05]),
            single("b", [1, 0.5, 0.5], {MOMENTUM: 0.5}),
            budgets=(1, 2),
        ),
    )


def one_diverged() -> Lab:
    # Run names are made of variant, point and seed, so "a" of both experiments is one run.
    ended = experiment(
        single("a", [1, 0.5, 0.05]), single("c", [1], {RATE: 9.0}, rounds=2, kind="diverged")
    )
    return (*completed(), ended)


def one_alone_diverged() -> Lab:
    return (experiment(single("c", [1], {RATE: 9.0}, rounds=2, kind="diverged")),)


def one_refused() -> Lab:
    refused = single("c", [], {RATE: 9.0}, rounds=2, kind="refused", message="no")
    return (*completed(), experiment(single("a", [1, 0.5, 0.05]), refused))


def one_alone_refused() -> Lab:
    return (experiment(single("c", [], {RATE: 9.0}, rounds=2, kind="refused", message="no")),)


def all_near() -> Lab:
    return (experiment(single("a", [1, 0.5, 0.05]), single("b", [1, 0.5, 0.01], {MOMENTUM: 0.5})),)


def none_near() -> Lab:
    return (experiment(single("a", [1, 0.5, 0.5]), single("b", [1, 0.5, 0.25], {MOMENTUM: 0.5})),)


def turning(name: str) -> ExperimentResults:
    """The first variant leads after one round, the second after two."""
    return experiment(
        single(f"{name}1", [1, 0.25, 0.25]),
        single(f"{name}2", [1, 0.5, 0.125], {MOMENTUM: 0.5}),
        budgets=(1, 2),
    )


def steady(name: str) -> ExperimentResults:
    return experiment(
        single(f"{name}1", [1, 0.25, 0.125]),
        single(f"{name}2", [1, 0.5, 0.25], {MOMENTUM: 0.5}),
        budgets=(1, 2),
    )


def some_turn() -> Lab:
    return turning("a"), steady("b")


def all_turn() -> Lab:
    return turning("a"), turning("b")


def none_turns() -> Lab:
    return steady("a"), steady("b")


def with_own_runs(*experiments: ExperimentResults) -> Lab:
    """Experiments made by hand alike, their runs with names of their own."""

    def named(run: Run, place: int) -> Run:
        return replace(run, name=f"{place} {run.name}")

    return tuple(
        replace(
            made,
            results=tuple(replace(r, run=named(r.run, place)) for r in made.results),
            controls={digest: named(run, place) for digest, run in made.controls.items()},
        )
        for place, made in enumerate(experiments)
    )


def starts_decide_in_some() -> Lab:
    return with_own_runs(from_starts(20, 10), from_starts(30, 0))


def starts_decide_in_all() -> Lab:
    return with_own_runs(from_starts(20, 10), from_starts(2, 1))


def starts_decide_nowhere() -> Lab:
    return with_own_runs(from_starts(30, 0), from_starts(27, 3))


def the_step_decides_in_some() -> Lab:
    return with_own_runs(with_rates(1.5, 1, 0.5, 3), with_rates(1.5, 2, 3, 4))


def the_step_decides_in_all() -> Lab:
    return with_own_runs(with_rates(1.5, 1, 0.5, 3), with_rates(1, 2, 3, 4))


def the_step_decides_nowhere() -> Lab:
    return with_own_runs(with_rates(1.5, 2, 3, 4), with_rates(2, 2, 3, 4))


def another_value_than_the_rate_decides() -> Lab:
    """Variants that are level at their best momentum, beside one that a larger step makes level."""
    level = experiment(
        sweep("a", MOMENTUM, {0.0: [9, 5, 2], 0.25: [9, 5, 1]}),
        sweep("b", MOMENTUM, {0.0: [9, 5, 1.5], 0.25: [9, 5, 1]}, RELU),
    )
    return with_own_runs(level, with_rates(1.5, 1, 0.5, 3), with_rates(1.5, 2, 3, 4))


def wrong_formulas_whose_loss_falls() -> Lab:
    return check("summed", "right"), steady("a")


def right_formulas_alone() -> Lab:
    return check("right"), steady("a")


def random_starts(width: float, count: int = 20) -> ExperimentResults:
    """Losses spread evenly over an interval, nine tenths of which lie between the quantiles."""
    last = np.linspace(1, 1 + width, count)
    return experiment(
        single("g", [9, 5, 1.25]), starts("r", [[9, 5, loss] for loss in last.tolist()])
    )


def apart(name: str, difference: float) -> ExperimentResults:
    return experiment(
        single(f"{name}1", [9, 5, 1]), single(f"{name}2", [9, 5, 1 + difference], {MOMENTUM: 0.5})
    )


def less_than_chance() -> Lab:
    return apart("a", 4.0), apart("b", 0.875), random_starts(1.0)


def more_than_chance() -> Lab:
    return apart("a", 4.0), apart("b", 0.9375), random_starts(1.0)


def too_few_starts() -> Lab:
    return apart("a", 4.0), apart("b", 0.5), random_starts(1.0, 19)


def no_starts() -> Lab:
    return apart("a", 4.0), apart("b", 0.5)


def with_an_idle_run(lab: Lab) -> Lab:
    """The same, the first experiment with a run that a learning rate of 0 leaves where it is."""
    idle = single("idle", [99.0, 99.0, 99.0], {RATE: 0.0})
    first, *others = lab
    rows = tuple((r.point, r.trial.seed, r.run.config, r.run.trace) for r in first.results)
    made = [type(idle)(r.variant, (row,)) for r, row in zip(first.results, rows, strict=True)]
    return (experiment(*made, idle), *others)


def halted(rate: float, others: dict[float, list[float]]) -> ExperimentResults:
    """One value at which the gradient vanishes far from the floor, and others."""
    still = np.ones((5, 8))
    still[1:] *= 1e-3
    stuck = sweep("s", RATE, {rate: [4, 1, 1, 1, 1]}, gradients=still)
    moving = sweep("s", RATE, others)
    return experiment(type(stuck)("s", (*stuck.rows, *moving.rows)), budgets=(4,))


FALLING = [4.0, 3.0, 2.0, 1.0, 0.5]


def stuck_above_a_rate() -> Lab:
    return halted(8.0, {1.0: FALLING, 2.0: FALLING}), steady("b")


def stuck_with_rmsprop() -> Lab:
    still = np.ones((5, 8))
    still[1:] = 2.4e-14
    rmsprop = {"optimizer.name": "rmsprop", "optimizer.eps": 1e-8}
    return experiment(single("s", [4, 1, 1, 1, 1], rmsprop, gradients=still)), steady("b")


def stuck_when_it_is_continued() -> Lab:
    """A run that is trained on, and comes to no other loss than it may."""

    def made(_: int, config: RunConfig) -> Trace:
        rest = [1 + 0.9 * STAYING] * (config.rounds - 4)
        return trace(config, [4, 1, 1, 1, 1, *rest])

    first = halted(8.0, {1.0: FALLING, 2.0: FALLING})
    return with_controls(first, "longer", made), steady("b")


def stuck_beside_a_better_run() -> Lab:
    """A run of two rows that only the second experiment shows to be stuck."""
    rows = {"data": {"inputs": [[0.5, 0.3]] * 2, "targets": [[0.25, 0.0625]] * 2}}
    still = np.ones((5, 8))
    still[1:] *= 1e-3
    twin = single("s", [4, 1, 1, 1, 1], rows, gradients=still)
    other = {**rows, "network.activations": "tanh"}
    alone = experiment(twin, single("o", FALLING, other), budgets=(4,))
    return alone, experiment(twin, single("t", FALLING, {**rows, RATE: 0.5}), budgets=(4,))


def classified(first: float) -> Lab:
    """Four rows of two classes, if the first target is 0; no classes otherwise."""
    changes = {
        "data.inputs": [[0.0, 0.1 * k] for k in range(4)],
        "data.targets": [[first], [1.0], [0.0], [1.0]],
        "network.layers": [2, 2, 1],
        "initial.scheme": "zeros",
    }
    outputs = np.full((3, 4, 1), 0.75)
    return (experiment(single("a", [3, 2, 1], changes, outputs=outputs)),)


def no_other_rows() -> Lab:
    """The four rows of XOR."""
    changes = {
        "data.inputs": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
        "data.targets": [[0.0], [1.0], [1.0], [0.0]],
        "network.layers": [2, 2, 1],
        "initial.scheme": "zeros",
    }
    outputs = np.full((3, 4, 1), 0.75)
    return (experiment(single("a", [3, 2, 1], changes, outputs=outputs)),)


def rows_in_classes() -> Lab:
    return classified(0.0)


def rows_that_are_no_classes() -> Lab:
    return classified(0.5)


def classes_beside_swept_rounds() -> Lab:
    """Shares are told of the first experiment, and of the second, whose rounds are swept, none."""
    (told,) = rows_in_classes()
    first = told.singles[0].run.config
    changes = {
        "data.inputs": first.data.inputs,
        "data.targets": first.data.targets,
        "network.layers": [2, 2, 1],
        "initial.scheme": "zeros",
    }
    curves = {1: [3, 2], 2: [3, 2, 1]}
    made = sweep("s", "rounds", curves, changes)
    untold = experiment(made)
    plan = replace(untold.plan, name="untold", experiment=renamed(untold, "untold"))
    return told, replace(untold, plan=plan)


def renamed(results: ExperimentResults, title: str) -> Experiment:
    return results.plan.experiment.model_copy(update={"title": Text(zh=title, en=title)})


def silent_weights() -> dict[str, np.ndarray]:
    quiet = np.arange(8) == 0
    steps = np.arange(3)[:, None]
    return {
        "gradients": np.where(quiet, 0.0, 0.5) * np.ones((3, 1)),
        "weights": np.ones(8) + np.where(quiet, 0.0, 0.1) * steps,
    }


def silent_with_relu() -> Lab:
    return (
        experiment(
            single("a", [3, 2, 1]), single("b", [3, 2, 1], RELU, **silent_weights()), budgets=(2,)
        ),
        steady("c"),
    )


def silent_without_relu() -> Lab:
    return (
        experiment(
            single("a", [3, 2, 1], **silent_weights()),
            single("b", [3, 2, 1], RELU, **silent_weights()),
            budgets=(2,),
        ),
        steady("c"),
    )


LABS: tuple[Callable[[], Lab], ...] = (
    completed,
    one_diverged,
    all_near,
    none_near,
    some_turn,
    all_turn,
    none_turns,
    less_than_chance,
    more_than_chance,
    too_few_starts,
    no_starts,
    stuck_above_a_rate,
    stuck_with_rmsprop,
    stuck_when_it_is_continued,
    stuck_beside_a_better_run,
    silent_with_relu,
    silent_without_relu,
    rows_in_classes,
    classes_beside_swept_rounds,
    rows_that_are_no_classes,
    one_alone_diverged,
    one_alone_refused,
    one_refused,
    starts_decide_in_some,
    starts_decide_in_all,
    the_step_decides_in_some,
    the_step_decides_in_all,
    wrong_formulas_whose_loss_falls,
)
"""All of them: between them every conclusion is drawn in each of its forms."""
