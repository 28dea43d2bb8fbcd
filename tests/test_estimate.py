"""A build that is too big is refused beforehand, and the estimate that says so is honest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labreport import work
from labreport.errors import InputError
from labreport.estimate import CHUNK, MOST_PADDING, TOGETHER, Estimate, estimate
from labreport.lab.configuration import RunConfig
from labreport.lab.load import load
from labreport.lab.size import recorded_bytes
from labreport.pipeline import this_environment
from labreport.store.store import Store
from labreport.training import family, record
from labreport.work import Machine, check_size, train_missing

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
    assert MOST_PADDING == record.MOST_PADDING


def test_the_estimate_of_disk_and_reading_is_what_is_stored(
    recordings: Callable[..., Recordings], tmp_path: Path
) -> None:
    runs = recordings()
    told = estimate(runs)
    store = Store(tmp_path)
    train_missing(runs, this_environment(), store, Machine(), lambda *_: None)
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


def work_name(store: Store, config: RunConfig) -> str:
    from labreport.store.format import run_name

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


def codes(path: Path, runs: Recordings, missing: Recordings, machine: Machine) -> list[str]:
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
    assert codes(path, runs, runs, Machine()) == []
    assert codes(path, runs, runs, Machine(limit=needs.memory - 1)) == ["too-much-memory"]
    assert codes(path, runs, runs, Machine(limit=needs.memory)) == []
    hours = needs.seconds / 3600
    assert codes(path, runs, runs, Machine(hours=hours * 0.99)) == ["too-much-time"]
    assert codes(path, runs, runs, Machine(hours=hours)) == []
    monkeypatch.setattr(work, "free_space", lambda _: needs.disk - 1)
    assert codes(path, runs, runs, Machine()) == ["too-much-disk"]
    # What is stored takes no time and no more room, but is read for the report.
    assert codes(path, runs, (), Machine(hours=0.0)) == []
    assert codes(path, runs, (), Machine(limit=needs.reading - 1)) == ["too-much-memory"]
    monkeypatch.setattr(work, "free_space", lambda _: 0)
    together = codes(path, runs, runs, Machine(limit=1, hours=0.0))
    assert together == ["too-much-memory", "too-much-disk", "too-much-time"]
