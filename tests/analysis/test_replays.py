"""Which runs of a lab are computed again by hand, and what is said of them."""

from pathlib import Path

import pytest

from labreport.analysis.replays import MOST_STARTS, Replays, replay_lab
from labreport.lab.load import load
from labreport.lab.plan import Lab
from labreport.run import Environment, Run
from labreport.shipped import shipped
from labreport.training.family import families
from labreport.training.record import Memory
from labreport.training.trainer import train


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    base = shipped("experiments.toml").read_text(encoding="utf-8").split("[experiment.")[0]
    text = """
[experiment.starts]
title = "x"
change.initial.scheme = "pytorch"
seeds = 30
[experiment.steps]
title = "y"
sweep.optimizer.learning_rate = [0.1, 0.2, 0.4]
[experiment.batches]
title = "z"
change.data = { inputs = [[0.5, 0.3], [0.1, 0.2]], targets = [[0.2, 0.1], [0.3, 0.4]] }
[[experiment.batches.variant]]
name = "one"
change.data.batch_size = 1
"""
    path: Path = tmp_path_factory.mktemp("replays") / "lab.toml"
    path.write_text(base + text, encoding="utf-8")
    return load(path)


@pytest.fixture(scope="module")
def replays(lab: Lab) -> Replays:
    configurations, strides = zip(*lab.recordings(), strict=True)
    runs = {}
    for family in families(configurations, strides, 2**30):
        traces = train(family, "cpu", Memory())
        for config, trace in zip(family.configurations, traces, strict=True):
            runs[config.digest] = Run(config, trace, Environment(1, "test"), config.digest)
    return replay_lab(lab, runs)


def test_all_runs_but_of_many_random_starts_a_sample(replays: Replays) -> None:
    places = [(found.experiment, found.variant) for found in replays.replayed]
    assert places.count(("starts", "base")) == MOST_STARTS
    assert places.count(("steps", "base")) == 3
    # The base itself is the worked example of the report.
    assert places.count(("base", "base")) == 1
    # … and the base with its control, a linear output.
    assert places.count(("controls", "control")) == 1
    assert replays.runs == 1 + 30 + 3 + 1 + 1


def test_all_agree_and_batches_are_counted(replays: Replays) -> None:
    assert 0 < replays.largest < 1e-5
    assert replays.steps == sum(found.replay.steps for found in replays.replayed)
    assert replays.batched == 1
    replays.refuse_differences()
