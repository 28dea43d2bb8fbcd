"""A build that is too big is refused beforehand, and the estimate that says so is honest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from labreport.build.origin import this_environment
from labreport.errors import InputError
from labreport.estimate import (
    CHUNK,
    MOST_PADDING,
    PROGRAM_BYTES,
    TOGETHER,
    Estimate,
    checking,
    estimate,
    whole_memory,
)
from labreport.lab.configuration import RunConfig
from labreport.lab.reading.load import load
from labreport.lab.schedule import Schedule
from labreport.lab.size import recorded_bytes
from labreport.reference.replay.replay import replay_together
from labreport.runs.store import Store
from labreport.training import execution, family, recording
from labreport.training.execution import Resources, check_size, train_missing

Recordings = tuple[tuple[RunConfig, int], ...]

LAB = """
[experiment.a]
title = "A"
[experiment.b]
title = "B"
change.network.bias = "trained"
change.initial = {{ scheme = "pytorch" }}
change.rounds = {rounds}
seeds = {seeds}
"""


@pytest.fixture
def recordings(write_lab: Callable[..., Path], base_text: str) -> Callable[..., Recordings]:
    def recordings(rounds: int = 300, seeds: int = 120) -> Recordings:
        return load(write_lab(base_text + LAB.format(rounds=rounds, seeds=seeds))).recordings()

    return recordings


def test_runs_are_padded_and_divided_as_the_trainer_does() -> None:
    assert TOGETHER == family.PADDING
    assert CHUNK == family.CHUNK
    assert MOST_PADDING == recording.MOST_PADDING


def test_the_estimate_of_disk_and_reading_is_what_is_stored(
    recordings: Callable[..., Recordings], tmp_path: Path
) -> None:
    runs = recordings()
    told = estimate(runs)
    store = Store(tmp_path)
    train_missing(runs, this_environment(), store, Resources(), lambda *_: None)
    stored = sum(path.stat().st_size for path in store.folder.iterdir())
    assert told.runs == 121
    assert told.run_rounds == 10 + 120 * 300
    assert stored / 1.3 < told.disk < stored * 1.3
    for config, schedule in runs:
        (run,) = store.read([work_name(store, config)]).values()
        trace = run.trace
        kept = (trace.losses, trace.weights, trace.gradients, trace.outputs)
        assert sum(array.nbytes for array in kept) == pytest.approx(
            recorded_bytes(config, schedule), rel=0.02
        )


def test_rows_are_counted_once_however_many_runs_saw_them(tmp_path: Path) -> None:
    first = of_shape(500, [40, 1], "sigmoid", "sgd", 2, None)
    runs = [(first.with_seed(k), Schedule.of(first, 1, (2,))) for k in range(20)]
    store = Store(tmp_path)
    train_missing(runs, this_environment(), store, Resources(), lambda *_: None)
    (rows,) = store.rows
    assert rows.stat().st_size == pytest.approx(500 * 41 * 8, rel=0.01)
    stored = sum(path.stat().st_size for path in store.folder.iterdir())
    assert estimate(runs).disk == pytest.approx(stored, rel=0.1)
    assert estimate(runs).disk - estimate(runs[:10]).disk < rows.stat().st_size * 2


def work_name(store: Store, config: RunConfig) -> str:
    from labreport.runs.file_format import run_name

    return run_name(config, this_environment())


def test_more_rounds_and_runs_need_more(recordings: Callable[..., Recordings]) -> None:
    small, longer, more = (
        estimate(recordings(*args)) for args in ((100, 60), (900, 60), (100, 200))
    )
    for larger in (longer, more):
        assert larger.seconds > small.seconds
        assert larger.reading > small.reading
        assert larger.disk > small.disk
    assert longer.training > small.training
    assert estimate(()) == Estimate(0, 0, 0, 0, 0, 0)


def codes(path: Path, runs: Recordings, missing: Recordings, machine: Resources) -> list[str]:
    try:
        check_size(path, runs, missing, path.parent / "not" / "yet" / "there", machine)
    except InputError as error:
        return [fault.code for fault in error.faults if fault.file == path]
    return []


def test_each_limit_refuses_and_may_be_raised_to_what_is_asked(
    recordings: Callable[..., Recordings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, path = recordings(5000, 200), tmp_path / "lab.toml"
    needs = estimate(runs)
    memory = whole_memory(needs.training, needs, 0)
    assert codes(path, runs, runs, Resources()) == []
    assert codes(path, runs, runs, Resources(limit=memory - 1)) == ["too-much-memory"]
    assert codes(path, runs, runs, Resources(limit=memory)) == []
    hours = needs.seconds / 3600
    assert codes(path, runs, runs, Resources(hours=hours * 0.99)) == ["too-much-time"]
    assert codes(path, runs, runs, Resources(hours=hours)) == []
    monkeypatch.setattr(execution, "free_space", lambda _: needs.disk - 1)
    assert codes(path, runs, runs, Resources()) == ["too-much-disk"]
    # What is stored takes no time and no more room, but is read for the report.
    assert codes(path, runs, (), Resources(hours=0.0)) == []
    reading = whole_memory(0, needs, 0)
    assert codes(path, runs, (), Resources(limit=reading)) == []
    assert codes(path, runs, (), Resources(limit=reading - 1)) == ["too-much-memory"]
    monkeypatch.setattr(execution, "free_space", lambda _: 0)
    together = codes(path, runs, runs, Resources(limit=1, hours=0.0))
    assert together == ["too-much-memory", "too-much-disk", "too-much-time"]


def test_fewer_processes_train_where_memory_is_not_enough_for_more(
    recordings: Callable[..., Recordings],
) -> None:
    needs = estimate(recordings(20000, 400))
    assert needs.seconds > execution.WORTH_SECONDS
    each = needs.training + execution.PROCESS_BYTES
    for fitting, processes in ((0, 1), (each, 1), (2 * each, 2), (9 * each, 4)):
        machine = Resources(jobs=4).within(PROGRAM_BYTES + fitting)
        assert execution.processes(needs, machine) == processes


def test_what_is_asked_for_is_the_same_however_many_processes_there_are(
    recordings: Callable[..., Recordings], tmp_path: Path
) -> None:
    runs, path = recordings(5000, 200), tmp_path / "lab.toml"
    needs = estimate(runs)
    memory = whole_memory(needs.training, needs, 0)
    for jobs in (1, 16):
        assert codes(path, runs, runs, Resources(jobs=jobs).within(memory)) == []


Shape = tuple[int, list[int], str, str, int, int, int | None]

SHAPES: tuple[Shape, ...] = (
    # Rows, layers, activation, optimizer, rounds, starts, rows of a mini-batch.
    (1, [2, 2, 2], "sigmoid", "sgd", 1500, 40, None),
    (1, [2, 2, 2], "sigmoid", "sgd", 300, 600, None),
    (4, [2, 3, 1], "tanh", "sgd", 1000, 60, None),
    (40, [1, 20, 1], "tanh", "adam", 400, 3, None),
    (150, [4, 8, 3], "tanh", "sgd", 300, 20, None),
    (12, [4, 6, 6, 6, 6, 6, 6, 6, 6, 6, 1], "tanh", "sgd", 250, 20, None),
    (20, [4, 16, 16, 3], "relu", "rmsprop", 300, 20, None),
    (100, [10, 50, 10], "relu", "sgd", 100, 8, None),
    (400, [64, 32, 10], "relu", "sgd", 60, 2, 64),
    (150, [50, 60, 10], "relu", "sgd", 40, 4, None),
)
"""Ten trainings, from a small network of many starts to one of some thousand parameters."""


def of_shape(
    rows: int, layers: list[int], activation: str, optimizer: str, rounds: int, batch: int | None
) -> RunConfig:
    draw = np.random.default_rng(0)
    return RunConfig.model_validate(
        {
            "data": {
                "inputs": draw.normal(size=(rows, layers[0])).tolist(),
                "targets": draw.random((rows, layers[-1])).tolist(),
                **({"batch_size": batch} if batch else {}),
            },
            "network": {
                "layers": layers,
                "activations": [activation] * (len(layers) - 2) + ["sigmoid"],
                "bias": "trained",
            },
            "initial": {"scheme": "pytorch"},
            "loss": "mse",
            "optimizer": {"name": optimizer, "learning_rate": 0.01},
            "rounds": rounds,
            "seed": 0,
        }
    )


def seconds_over_estimate(shape: Shape, folder: Path) -> float:
    rows, layers, activation, optimizer, rounds, starts, batch = shape
    first = of_shape(rows, layers, activation, optimizer, rounds, batch)
    recordings = [(first.with_seed(k), Schedule.of(first, 1, (rounds,))) for k in range(starts)]
    store = Store(folder)
    store.folder.mkdir(parents=True)
    start = process_time()
    train_missing(recordings, this_environment(), store, Resources(), lambda *_: None)
    runs = list(store.read([work_name(store, c) for c, _ in recordings]).values())
    replay_together(runs)
    return (process_time() - start) / (estimate(recordings).seconds + checking(recordings))


def test_estimates_of_ten_trainings_keep_their_proportions(tmp_path: Path) -> None:
    # Ratios of processor times: how fast the machine is, is the same in all. Other work on it
    # comes and goes and only adds, so that the least of up to three measurements counts.
    found = np.full(len(SHAPES), np.inf)
    for attempt in range(3):
        folders = [tmp_path / f"{attempt}-{number}" for number in range(len(SHAPES))]
        again = [seconds_over_estimate(*each) for each in zip(SHAPES, folders, strict=True)]
        found = np.minimum(found, again)
        middle = np.exp(np.mean(np.log(found)))
        if middle / 2 < found.min() and found.max() < 2 * middle:
            return
    pytest.fail(f"time over estimate, by shape: {found}")
