"""Variants that overfit from random starts, and those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from cases import fires, silent
from cases_held_out import LINE_DRAWN, ONE, data_set, held
from synthetic_runs import MOMENTUM, Made, config, experiment, trace

from labreport.analysis.results import ExperimentResults
from labreport.data.data_set import DataPart, DataSet

FALLS, RISES = [9.0, 5, 3, 2, 1], [9.0, 5, 3, 4, 5]
TURNS, LEARNS = [3.0, 1, 1.2, 1.4, 1.6], [3.0, 2.5, 2, 1.5, 1]


def from_starts(
    name: str, weights: Sequence[Sequence[float]], losses: Sequence[float], **changes: float
) -> Made:
    """Runs from seeds 0, 1 and so on: the weight at each step, and losses of training for all."""
    rows = []
    for seed, course in enumerate(weights):
        written = config({**LINE_DRAWN, "rounds": 4, **changes}).with_seed(seed)
        rows.append(((), seed, written, trace(written, losses, weights=np.array(course)[:, None])))
    return Made(name, tuple(rows))


def turning(
    count: int,
    turned: int,
    losses: Sequence[float] = FALLS,
    made: DataSet | None = None,
    last: float = 1.6,
) -> ExperimentResults:
    """Two variants, the first of which overfits from so many of its starts."""
    turns = [*TURNS[:-1], last]
    first = from_starts("a", [turns] * turned + [LEARNS] * (count - turned), losses)
    second = from_starts("b", [LEARNS] * count, FALLS, **{MOMENTUM: 0.5})
    return held(experiment(first, second, budgets=(4,)), made)


@fires("overfits-starts", "", subjects=("a",), least=10, count=10)
def all_starts_overfit() -> ExperimentResults:
    return turning(10, 10)


@fires("overfits-starts", "", subjects=("a",), least=6, count=10)
def six_of_ten_starts_overfit() -> ExperimentResults:
    return turning(10, 6)


@fires("overfits-starts", "", subjects=("a", "b"), least=7, count=10)
def two_variants_overfit() -> ExperimentResults:
    first = from_starts("a", [TURNS] * 7 + [LEARNS] * 3, FALLS)
    second = from_starts("b", [TURNS] * 10, FALLS, **{MOMENTUM: 0.5})
    return held(experiment(first, second, budgets=(4,)))


@silent("overfits-starts")
def half_of_the_starts_overfit() -> ExperimentResults:
    return turning(10, 5)


@silent("overfits-starts")
def nine_starts_are_too_few() -> ExperimentResults:
    return turning(9, 9)


@silent("overfits-starts")
def training_does_not_fall_either() -> ExperimentResults:
    return turning(10, 10, losses=RISES)


@silent("overfits-starts")
def held_out_rows_rise_by_next_to_nothing_from_starts() -> ExperimentResults:
    return turning(10, 10, last=1.04)


@silent("overfits-starts")
def the_best_round_counts_anyway() -> ExperimentResults:
    return turning(10, 10, made=replace(data_set("validation", "test"), keeps_best=True))


@silent("overfits-starts")
def nine_rows_of_starts_are_too_few() -> ExperimentResults:
    made = data_set("validation", "test")
    few = DataPart(ONE.inputs[:9], ONE.targets[:9])
    return turning(10, 10, made=replace(made, parts={**made.parts, "validation": few}))
