"""Builds that are killed, and builds that race: nothing is lost, mixed or trained twice.

``LABREPORT_KILLS=200 script/test tests/test_crashes.py -s`` kills that many builds in place of a
few, and prints what happened.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from stored_files import ROWS, RUNS

from labreport.runs.files import UNFINISHED
from labreport.runs.rows_files import open_rows

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="builds are forked")

KILLS = int(os.environ.get("LABREPORT_KILLS", "10"))
FAMILIES = 24
"""Experiments train runs of as many lengths, so that there are as many files to be cut off in."""

ALONE = 2
"""Runs that are a file each: the base of the lab, and the one run that both labs have."""

PREVIOUS = """
[experiment.before]
title = "Before"
change.rounds = 60
"""

NEXT = f"""
[experiment.before]
title = "Before, told anew"
change.rounds = 60
[experiment.lengths]
title = "Lengths"
sweep.rounds = {[100 + length for length in range(FAMILIES)]}
sweep.optimizer.learning_rate = [0.1, 1.0, 10.0]
"""

OTHER = f"""
[experiment.other]
title = "Some of the same runs"
sweep.rounds = {[100 + length for length in range(FAMILIES // 2, FAMILIES + 4)]}
sweep.optimizer.learning_rate = [0.1, 1.0, 10.0]
"""

Builds = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def builds() -> Iterator[Builds]:
    """Carry out an order of many_builds.py."""
    program = Path(__file__).with_name("many_builds.py")
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Files that are to be equal must not depend on the order of sets.
        env={**os.environ, "PYTHONHASHSEED": "0"},
    ) as process:

        def order(*wanted: dict[str, Any], kill: int = 0, after: float = 0) -> list[Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"builds": wanted, "kill": kill, "after": after}) + "\n")
            process.stdin.flush()
            answers: list[Any] = json.loads(process.stdout.readline())
            return answers

        yield order
        assert process.stdin is not None
        process.stdin.close()


@dataclass(frozen=True)
class Undisturbed:
    """Labs, and what builds of them give that nothing disturbs.

    Attributes:
        labs: files of the labs by name.
        outputs: the folder of each.
        seconds: how long the build of the next lab took, after the one of the previous lab.
        training: how long it took until all of its runs were stored.
    """

    labs: dict[str, Path]
    outputs: dict[str, Path]
    seconds: float
    training: float


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, base_text: str, builds: Builds
) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    labs, outputs = {}, {}
    texts = {"previous": PREVIOUS, "next": NEXT, "other": OTHER}
    for name, text in texts.items():
        # The report names its lab file; two labs of one name give what one lab gives that changed.
        labs[name] = folder / name / "lab.toml"
        labs[name].parent.mkdir()
        labs[name].write_text(base_text + text, encoding="utf-8")
        outputs[name] = folder / name / "output"
    for name in ("previous", "other"):
        (done,) = builds({"lab": str(labs[name]), "output": str(outputs[name])})
        assert "error" not in done
    shutil.copytree(outputs["previous"], outputs["next"])
    (done,) = builds({"lab": str(labs["next"]), "output": str(outputs["next"])})
    assert (done["trained"], done["stored"]) == (3 * FAMILIES, ALONE)
    return Undisturbed(labs, outputs, done["seconds"], done["seconds of training"])


def stored(output: Path) -> set[str]:
    """The names of the stored files, each of which is what its name says, and can be read."""
    paths = sorted((output / "runs").glob(RUNS))
    for path in paths:
        assert sha256(path.read_bytes()).hexdigest() == path.stem
        assert load_file(path)["losses"].size
    for path in (output / "runs").glob(ROWS):
        assert open_rows(path)
    return {path.name for path in paths}


def report(output: Path) -> dict[str, bytes]:
    """What depends on the lab alone; report.json also names the files of the stored runs."""
    files = (path for path in output.glob("r*.*") if path.name != "report.json")
    return {path.name: path.read_bytes() for path in files}


def everything(output: Path) -> dict[str, bytes]:
    files = (path for path in output.rglob("*") if path.is_file())
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def test_the_labs_are_told_apart_by_every_file_of_their_reports(undisturbed: Undisturbed) -> None:
    one, other, third = (report(output) for output in undisturbed.outputs.values())
    assert one.keys() == other.keys() == third.keys()
    assert one.keys() == {"report.html", "report.pdf", "runs.csv"}
    for name in one:
        assert len({one[name], other[name], third[name]}) == 3
    assert len(stored(undisturbed.outputs["next"])) == FAMILIES + ALONE


def test_builds_that_are_killed_lose_nothing(
    tmp_path: Path, undisturbed: Undisturbed, builds: Builds
) -> None:
    """At any moment; the next one goes on; the last one gives what an undisturbed one gives."""
    chance = random.Random(KILLS)
    previous, following = (report(undisturbed.outputs[name]) for name in ("previous", "next"))
    whole = stored(undisturbed.outputs["next"])
    output = tmp_path / "output"
    lab = str(undisturbed.labs["next"])
    shutil.copytree(undisturbed.outputs["previous"], output)
    kept = stored(output)
    told = {"killed": 0, "before it ended": 0, "amid a write": 0, "amid training": 0, "rounds": 1}
    for attempt in range(KILLS):
        # Two processes train in every other build.
        build = {"lab": lab, "output": str(output), "jobs": 1 + attempt % 2}
        # Half of them early, because most of a build's time goes into its figures.
        after = chance.uniform(0, chance.choice([undisturbed.training, undisturbed.seconds]))
        (answer,) = builds(build, kill=1, after=after)
        there = stored(output)
        assert kept <= there <= whole
        assert not (output / "runs" / "damaged").exists()
        for name, content in report(output).items():
            assert content in (previous[name], following[name])
        assert report(output).keys() == previous.keys()
        told["killed"] += 1
        told["before it ended"] += answer is None
        told["amid a write"] += any(output.rglob(f".*{UNFINISHED}"))
        told["amid training"] += there != whole
        kept = there
        is_new = report(output) == following
        if there == whole and (is_new or chance.random() < 0.5) and attempt + 1 < KILLS:
            shutil.rmtree(output)
            shutil.copytree(undisturbed.outputs["previous"], output)
            kept = stored(output)
            told["rounds"] += 1
    print(f"\n{told}")
    (done,) = builds({"lab": lab, "output": str(output)})
    assert done["damaged"] == []
    assert everything(output) == everything(undisturbed.outputs["next"])
    assert done["trained"] == 3 * (len(whole) - len(kept))
    assert told["before it ended"] > KILLS // 2
    assert told["amid training"] > 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_processes_of_a_build_that_is_killed_end_with_it(
    tmp_path: Path, undisturbed: Undisturbed, builds: Builds
) -> None:
    # With the imports done, most of a build's first half is training.
    build = {"lab": str(undisturbed.labs["next"]), "output": str(tmp_path), "jobs": 2}
    before = running()
    for part in (0.1, 0.2, 0.3, 0.4):
        builds(build, kill=1, after=part * undisturbed.seconds)
    deadline = time.monotonic() + 10
    while running() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running() <= before


def running() -> set[int]:
    """Processes of many_builds.py that are alive, and no zombies."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if b"many_builds.py" in command and state != "Z":
            found.add(int(folder.name))
    return found


def assert_of_one_lab(output: Path, undisturbed: Undisturbed, *names: str) -> None:
    assert report(output) in [report(undisturbed.outputs[name]) for name in names]
    assert not list(output.rglob(f".*{UNFINISHED}"))


def test_eight_builds_at_once_train_each_run_once(
    tmp_path: Path, undisturbed: Undisturbed, builds: Builds
) -> None:
    labs = [str(undisturbed.labs[name]) for name in ("next", "other")]
    answers = builds(
        *({"lab": labs[k % 2], "output": str(tmp_path), "jobs": 1 + k // 4} for k in range(8))
    )
    assert all("error" not in answer for answer in answers)
    assert sum(answer["trained"] for answer in answers) == ALONE + 3 * (FAMILIES + 4)
    assert sum(answer["waited"] > 0 for answer in answers) >= 4
    assert not any(answer["damaged"] for answer in answers)
    assert_of_one_lab(tmp_path, undisturbed, "next", "other")
    names = [
        name
        for path in (tmp_path / "runs").glob(RUNS)
        for name in (entry["name"] for entry in json.loads(load_file(path)["runs"].tobytes()))
    ]
    assert len(names) == len(set(names)) == ALONE + 3 * (FAMILIES + 4)
    stored(tmp_path)


@pytest.mark.parametrize("part", [0.1, 0.3])
def test_eight_builds_at_once_of_which_five_are_killed(
    tmp_path: Path, undisturbed: Undisturbed, builds: Builds, part: float
) -> None:
    """Whoever has the turn may be among them: nobody waits for the dead."""
    build = {"lab": str(undisturbed.labs["next"]), "output": str(tmp_path), "jobs": 2}
    answers = builds(*[build] * 8, kill=5, after=part * undisturbed.seconds)
    assert all("error" not in answer for answer in answers[5:])
    assert len(stored(tmp_path)) == FAMILIES + ALONE
    assert_of_one_lab(tmp_path, undisturbed, "next")


def test_a_damaged_file_is_mended_by_one_of_the_builds_that_need_it(
    tmp_path: Path, undisturbed: Undisturbed, builds: Builds
) -> None:
    """A flipped bit among the numbers, which shows only when they are about to be used."""
    output = tmp_path / "output"
    shutil.copytree(undisturbed.outputs["next"], output)
    path = max((output / "runs").glob(RUNS), key=lambda path: path.name)
    damaged = bytearray(path.read_bytes())
    damaged[-9] ^= 4
    path.write_bytes(damaged)
    build = {"lab": str(undisturbed.labs["next"]), "output": str(output)}
    answers = builds(*[build] * 4)
    assert sorted(answer["trained"] for answer in answers) == [0, 0, 0, 3]
    assert [answer["damaged"] for answer in answers if answer["trained"]] == [[str(path)]]
    assert (output / "runs" / "damaged" / path.name).read_bytes() == damaged
    shutil.rmtree(output / "runs" / "damaged")
    assert everything(output) == everything(undisturbed.outputs["next"])
