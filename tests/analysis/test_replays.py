"""Which runs of a lab are computed again by hand, and what is said of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from labreport.analysis.replays import Replays, replay_lab, replaying
from labreport.errors import BuildError
from labreport.lab.plan import Lab
from labreport.lab.reading.load import load
from labreport.runs.run import Environment, Run
from labreport.shipped import shipped
from labreport.training.family import families
from labreport.training.recording import Memory
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
    base = base.replace("format = 1", 'format = 1\nrobustness = "none"')
    path.write_text(base + text, encoding="utf-8")
    return load(path)


@pytest.fixture(scope="module")
def runs(lab: Lab) -> dict[str, Run]:
    configurations, schedules = zip(*lab.recordings(), strict=True)
    runs = {}
    for family in families(configurations, schedules, 2**30):
        traces = train(family, "cpu", Memory())
        for config, trace in zip(family.configurations, traces, strict=True):
            runs[config.digest] = Run(config, trace, Environment(1, "test"), config.digest)
    return runs


@pytest.fixture(scope="module")
def replays(lab: Lab, runs: dict[str, Run]) -> Replays:
    return replay_lab(lab, runs)


def test_all_runs_are_replayed(replays: Replays) -> None:
    places = [(found.experiment, found.variant) for found in replays.replayed]
    assert places.count(("starts", "base")) == 30
    assert places.count(("steps", "base")) == 3
    # The base itself is the worked example of the report.
    assert places.count(("base", "base")) == 1
    # … and the base with its control, a linear output.
    assert places.count(("controls", "control")) == 1
    assert replays.runs == replays.carried == 1 + 30 + 3 + 1 + 1
    assert replays.not_drawn == 0


def test_all_agree(replays: Replays) -> None:
    assert 0 < replays.largest < 1e-5
    assert replays.steps == sum(found.replay.steps for found in replays.replayed)
    replays.refuse_differences()


def test_processes_find_the_same(lab: Lab, runs: dict[str, Run], replays: Replays) -> None:
    with replaying(lab, runs, 2) as found:
        assert [r.replay for r in found().replayed] == [r.replay for r in replays.replayed]


def test_what_takes_too_long_is_compared_at_stored_steps(
    lab: Lab, runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labreport.analysis.replays.MOST_REPLAYED", 0)
    replays = replay_lab(lab, runs)
    assert 0 < replays.carried < replays.runs
    replays.refuse_differences()
    # A loss of a start that is not carried on is still compared with its weights.
    starts = [f.run for f in replays.replayed if f.experiment == "starts"]
    forged = starts[-1]
    losses = forged.trace.losses.copy()
    losses[-1] = 1e-6
    changed = {
        **runs,
        forged.config.digest: replace(forged, trace=replace(forged.trace, losses=losses)),
    }
    with pytest.raises(BuildError):
        replay_lab(lab, changed).refuse_differences()
