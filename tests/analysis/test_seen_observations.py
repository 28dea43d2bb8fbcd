"""What was told of the same runs is not told again."""

from __future__ import annotations

from dataclasses import replace

from synthetic_runs import MOMENTUM, experiment, single, trace

from labreport.analysis.observation import (
    Count,
    Facts,
    Keys,
    Names,
    Number,
    Observation,
    OutOf,
    Part,
    Source,
)
from labreport.analysis.seen_observations import SeenObservations
from labreport.runs.run import Environment, Run

CONFIGS = {
    name: experiment(single(name, [3, 2, 1], changes)).results[0].run.config
    for name, changes in (("a", {}), ("b", {MOMENTUM: 0.5}))
}
LONGER = CONFIGS["a"].model_copy(update={"rounds": 9})
RUNS = {
    name: Run(config, trace(config, [3, 2, 1]), Environment(1, "0"), name)
    for name, config in (*CONFIGS.items(), ("longer", LONGER))
}


def said(rule: str, run: str, *values: float) -> Observation:
    facts: Facts = {
        f"f{k}": Number(value, Source("losses[1]", (run,))) for k, value in enumerate(values)
    }
    return Observation(rule, facts, runs=1)


def told(*observations: Observation) -> SeenObservations:
    made = SeenObservations(RUNS)
    made.add(observations)
    return made


def test_the_same_numbers_of_the_same_run_are_told_once() -> None:
    assert told(said("stuck", "a", 1.0, 2.0)).has(said("stuck", "a", 1.0, 2.0))
    assert told(said("stuck", "a", 1.0, 2.0)).has(said("stuck", "a", 2.0))


def test_a_longer_run_of_the_same_configuration_is_the_same_run() -> None:
    assert told(said("stuck", "a", 1.0)).has(said("stuck", "longer", 1.0))


def test_other_numbers_runs_and_rules_are_new() -> None:
    before = told(said("stuck", "a", 1.0))
    assert not before.has(said("stuck", "a", 1.0, 2.0))
    assert not before.has(said("stuck", "b", 1.0))
    assert not before.has(said("path", "a", 1.0))


def test_what_rests_on_no_run_is_never_told_already() -> None:
    bare = Observation("different-losses", {"count": Count(2)}, runs=0)
    assert not told(bare).has(bare)


def test_another_key_weight_or_part_is_new() -> None:
    for one, other in (
        (Keys(("network.bias",)), Keys(("loss",))),
        (Names(("w1",)), Names(("w2",))),
        (Part("loss", "mse"), Part("loss", "l1")),
        (OutOf(1, 2), OutOf(1, 3)),
    ):
        first, second = (
            replace(said("coincide", "a", 1.0), facts={**said("x", "a", 1.0).facts, "more": fact})
            for fact in (one, other)
        )
        assert told(first).has(first)
        assert not told(first).has(second)
        # What says less is told with it.
        assert told(first).has(said("coincide", "a", 1.0))
