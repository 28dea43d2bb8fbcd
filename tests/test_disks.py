"""A disk that is full, or may not be written to: what was there stays, and the message helps."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

APART = ("unshare", "--map-root-user", "--mount")

SMALL = """
[experiment.small]
title = "Small"
"""

# Some megabytes for each of the long ones: the short ones fit into what is left, not all do.
LARGE = """
[experiment.large]
title = "Large"
sweep.rounds = [50, 60, 70, 900, 910, 920]
change.initial.scheme = "pytorch"
seeds = 50
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    test = [*APART, "sh", "-c", "mount -t tmpfs labreport /mnt"]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory, base_text: str) -> dict[str, Any]:
    """What became of each build in small_disk.py."""
    if not can_mount():
        pytest.skip("this machine does not let this user mount a small disk")
    folder = tmp_path_factory.mktemp("disk")
    (folder / "small.toml").write_text(base_text + SMALL, encoding="utf-8")
    (folder / "large.toml").write_text(base_text + LARGE, encoding="utf-8")
    program = Path(__file__).with_name("small_disk.py")
    done = subprocess.run(
        [*APART, sys.executable, str(program), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def report(step: dict[str, Any]) -> dict[str, str]:
    return {name: digest for name, digest in step["files"].items() if "/" not in name}


def runs(step: dict[str, Any]) -> set[str]:
    """The stored files, each of which is what its name says; nothing else lies among them."""
    files = {name: d for name, d in step["files"].items() if name.startswith("runs/")}
    runs = {name: digest for name, digest in files.items() if not name.startswith("runs/rows-")}
    assert runs == {f"runs/{digest}.safetensors": digest for digest in runs.values()}
    return set(runs)


def test_a_disk_that_is_full_while_training_keeps_the_report_and_finished_runs(
    steps: dict[str, Any],
) -> None:
    before, full = steps["small"], steps["full while training"]
    assert before["code"] == 0
    names = (
        "observations.json",
        "report.html",
        "report.json",
        "report.pdf",
        "runs.csv",
    )
    assert tuple(sorted(report(before))) == names
    assert full["code"] == 1
    assert "Traceback" not in full["said"]
    assert "No space left on device. Make room and run the command again" in full["said"]
    assert report(full) == report(before)
    assert runs(before) < runs(full)


def test_the_next_build_goes_on_from_there(steps: dict[str, Any]) -> None:
    full, trained = steps["full while training"], steps["trained"]
    assert trained["code"] == 0, trained["said"]
    assert runs(full) < runs(trained)
    assert len(runs(trained)) == 7
    finished = 50 * (len(runs(full)) - 1)
    # The base of the lab is the run that was there before.
    assert f"runs: {300 - finished} trained, {finished + 1} from the store" in trained["said"]


def test_a_disk_that_is_full_while_writing_keeps_the_whole_report(steps: dict[str, Any]) -> None:
    before, full = steps["trained"], steps["full while writing"]
    assert full["code"] == 1
    assert "the report that was there is as it was" in full["said"]
    assert full["files"] == before["files"]


@pytest.mark.parametrize("step", ["read-only", "read-only, something to train"])
def test_a_disk_that_may_not_be_written_to(steps: dict[str, Any], step: str) -> None:
    refused = steps[step]
    assert refused["code"] == 1
    assert "Traceback" not in refused["said"]
    assert "Read-only file system" in refused["said"]
    assert "--output" in refused["said"]
    assert refused["files"] == steps["trained"]["files"]


def test_with_room_again_the_report_is_written(steps: dict[str, Any]) -> None:
    again, before = steps["room again"], steps["small"]
    assert again["code"] == 0
    assert "runs: 0 trained, 1 from the store" in again["said"]
    assert runs(again) == runs(steps["trained"])
    # The same runs under a new title: the numbers are the same, the pages are not.
    assert report(again)["runs.csv"] == report(before)["runs.csv"]
    assert report(again)["report.html"] != report(before)["report.html"]
