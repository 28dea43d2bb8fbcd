"""Obtaining runs: from the store, by training, after damage, and when something goes wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labreport.build.origin import this_environment
from labreport.errors import BuildError, Fault, TrainingInterrupted
from labreport.lab.configuration import RunConfig
from labreport.lab.reading.load import load
from labreport.lab.schedule import Schedule
from labreport.runs.file_format import run_name
from labreport.runs.store import Store
from labreport.training import execution
from labreport.training.execution import (
    LoadedRuns,
    Recording,
    Resources,
    load_or_train,
    train_missing,
)

LAB = """
[experiment.lengths]
title = "Lengths"
sweep.rounds = [5, 6, 7]
"""


@pytest.fixture
def recordings(write_lab: Callable[..., Path], base_text: str) -> tuple[Recording, ...]:
    """Three runs that are stored in a file each."""
    return load(write_lab(base_text + LAB)).recordings()


def obtained(
    recordings: tuple[Recording, ...], output: Path, jobs: int = 1
) -> tuple[LoadedRuns, Store, list[str]]:
    seen: list[str] = []
    store = Store(output)
    machine = Resources(jobs=jobs)
    found = load_or_train(
        recordings, this_environment(), store, machine, lambda what, *_: seen.append(what)
    )
    return found, store, seen


def digests(recordings: tuple[Recording, ...]) -> set[str]:
    return {config.digest for config, _ in recordings}


def test_what_is_stored_is_not_trained(recordings: tuple[Recording, ...], tmp_path: Path) -> None:
    first, _, _ = obtained(recordings[:2], tmp_path)
    assert first.runs.keys() == first.trained == digests(recordings[:2])
    second, _, _ = obtained(recordings, tmp_path)
    assert second.runs.keys() == digests(recordings)
    assert second.trained == digests(recordings[2:])


def test_who_has_all_runs_takes_no_turn(
    recordings: tuple[Recording, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtained(recordings, tmp_path)
    monkeypatch.setattr(Store, "turn", lambda *_: pytest.fail("nobody needs to wait"))
    found, _, seen = obtained(recordings, tmp_path)
    assert (found.trained, seen) == (frozenset(), [])


def test_what_another_build_stored_meanwhile_is_not_trained(
    recordings: tuple[Recording, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = Store.turn

    @contextmanager
    def late(store: Store, waiting: Any) -> Any:
        monkeypatch.setattr(Store, "turn", turn)
        obtained(recordings[:2], tmp_path)
        with turn(store, waiting):
            yield

    monkeypatch.setattr(Store, "turn", late)
    found, _, _ = obtained(recordings, tmp_path)
    assert found.trained == digests(recordings[2:])
    assert found.runs.keys() == digests(recordings)


def test_damage_among_the_numbers_is_mended_and_said(
    recordings: tuple[Recording, ...], tmp_path: Path
) -> None:
    before, store, _ = obtained(recordings, tmp_path)
    bad = sorted(store.files)[:2]
    contents = [path.read_bytes() for path in bad]
    for path, content in zip(bad, contents, strict=True):
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    found, store, _ = obtained(recordings, tmp_path)
    assert len(found.trained) == 2
    assert store.damaged == bad
    assert [path.read_bytes() for path in bad] == contents
    for digest, run in found.runs.items():
        assert run.trace.weights.tobytes() == before.runs[digest].trace.weights.tobytes()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("lose", [damage, replace_by_folder, Path.unlink])
def test_rows_that_are_lost_are_written_again_and_no_run_is_trained(
    recordings: tuple[Recording, ...], tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    _, store, _ = obtained(recordings, tmp_path)
    (path,) = store.rows
    content = path.read_bytes()
    lose(path)
    found, store, _ = obtained(recordings, tmp_path)
    assert (found.trained, found.restored) == (frozenset(), (path,))
    assert store.damaged == ([] if lose is Path.unlink else [path])
    assert path.read_bytes() == content
    assert found.runs.keys() == digests(recordings)
    again, store, _ = obtained(recordings, tmp_path)
    assert (again.trained, again.restored, store.damaged) == (frozenset(), (), [])


def test_lost_rows_and_damaged_runs_are_mended_together(
    recordings: tuple[Recording, ...], tmp_path: Path
) -> None:
    _, store, _ = obtained(recordings, tmp_path)
    paths = [*store.rows, sorted(store.files)[0]]
    contents = [path.read_bytes() for path in paths]
    for path in paths:
        damage(path)
    found, store, _ = obtained(recordings, tmp_path)
    assert (len(found.trained), found.restored) == (1, tuple(paths[:1]))
    assert set(store.damaged) == set(paths)
    assert [path.read_bytes() for path in paths] == contents


def test_a_disk_that_damages_all_that_is_written_is_told(
    recordings: tuple[Recording, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = execution.write_runs

    def damaging(*arguments: Any) -> Path:
        path = write(*arguments)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        return path

    monkeypatch.setattr(execution, "write_runs", damaging)
    with pytest.raises(BuildError) as caught:
        obtained(recordings[:1], tmp_path)
    assert caught.value.faults == (Fault("store-unreliable", file=tmp_path / "runs"),)
    assert len(list((tmp_path / "runs" / "damaged").iterdir())) >= 2


@pytest.fixture
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes for however little there is to train; they know what a test has patched."""
    if not hasattr(os, "fork"):
        pytest.skip("processes are forked")
    monkeypatch.setattr(execution, "WORTH_SECONDS", 0.0)


@pytest.mark.usefixtures("_forked")
def test_a_process_that_is_killed_is_told(
    recordings: tuple[Recording, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "train_and_write", lambda *_: os._exit(9))
    with pytest.raises(BuildError) as caught:
        obtained(recordings, tmp_path, jobs=2)
    assert caught.value.faults == (Fault("process-died"),)
    monkeypatch.undo()
    assert obtained(recordings, tmp_path)[0].trained == digests(recordings)  # the turn is free


@pytest.mark.usefixtures("_forked")
def test_what_a_process_could_not_write_is_told_whole(
    recordings: tuple[Recording, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BuildError) as caught:
        obtained(recordings, tmp_path, jobs=2)
    (fault,) = caught.value.faults
    assert (fault.code, fault.values) == ("disk-full", {"detail": "full"})
    assert fault.file is not None
    assert fault.file.parent == tmp_path / "runs"


def test_an_interruption_says_how_many_runs_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = [
        RunConfig.model_validate(
            {
                "data": {"inputs": [[0.5]], "targets": [[0.2]]},
                "network": {"layers": [1, 1], "activations": name},
                "optimizer": {"name": "sgd", "learning_rate": 0.1},
                "rounds": 3,
            }
        )
        for name in ("tanh", "sigmoid", "relu")
    ]
    first = execution.train_and_write
    done: list[object] = []

    def train_and_interrupt(*given: Any) -> Path:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(given)
        return first(*given)

    monkeypatch.setattr(execution, "train_and_write", train_and_interrupt)
    store = Store(tmp_path)
    missing = [(config, Schedule()) for config in slow]
    with pytest.raises(TrainingInterrupted) as told:
        train_missing(missing, this_environment(), store, Resources(), lambda *_: None)
    assert (told.value.kept, told.value.missing) == (2, 3)
    assert sum(store.has(run_name(config, this_environment())) for config in slow) == 2


def test_what_is_finished_while_an_interruption_waits_counts_as_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = [
        RunConfig.model_validate(
            {
                "data": {"inputs": [[0.5]], "targets": [[0.2]]},
                "network": {"layers": [1, 1], "activations": name},
                "optimizer": {"name": "sgd", "learning_rate": 0.1},
                "rounds": 3,
            }
        )
        for name in ("tanh", "sigmoid")
    ]

    def interrupted(_: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(execution, "as_completed", interrupted)
    monkeypatch.setattr(execution, "processes", lambda *_: 2)
    store = Store(tmp_path)
    missing = [(config, Schedule()) for config in slow]
    with pytest.raises(TrainingInterrupted) as told:
        train_missing(missing, this_environment(), store, Resources(jobs=2), lambda *_: None)
    stored = sum(Store(tmp_path).has(run_name(config, this_environment())) for config in slow)
    assert told.value.kept == stored > 0
