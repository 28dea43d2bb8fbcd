"""One at a time: waiting, going on after a kill, and putting away what was left."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from labreport.errors import BuildError
from labreport.runs.files import UNFINISHED
from labreport.runs.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from labreport.runs.lock import locked
with locked(Path(sys.argv[1]), lambda: None):
    print("mine", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def somebody(folder: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the turn for some time."""
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_turn_that_is_free_is_had_at_once(tmp_path: Path) -> None:
    waited: list[int] = []
    for _ in range(2):
        with locked(tmp_path / "new", lambda: waited.append(1)):
            pass
    assert waited == []
    assert {path.name for path in (tmp_path / "new").iterdir()} == {".lock"}


def test_who_waits_says_so_once_and_gets_the_turn(tmp_path: Path) -> None:
    waited: list[float] = []
    with (
        somebody(tmp_path, 0.5) as process,
        locked(tmp_path, lambda: waited.append(time.monotonic())),
    ):
        assert process.wait() == 0
        assert time.monotonic() - waited[0] > 0.2
    assert len(waited) == 1


def test_the_turn_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    with somebody(tmp_path, 600) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked(tmp_path, lambda: pytest.fail("nobody is there to wait for")):
            pass


def test_unfinished_files_are_put_away_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / f".report.html.x{UNFINISHED}").write_bytes(b"half")
    mine = [".hidden", f"mine{UNFINISHED}", ".report.html.swp"]
    for name in mine:
        (tmp_path / name).write_bytes(b"mine")
    with locked(tmp_path, lambda: None):
        assert {path.name for path in tmp_path.iterdir()} == {".lock", *mine}


def test_an_unfinished_file_that_is_in_use_stays(tmp_path: Path) -> None:
    with somebody(tmp_path, 600):
        used = tmp_path / f".report.html.x{UNFINISHED}"
        used.write_bytes(b"half")

        class WaitedError(Exception):
            pass

        def waiting() -> None:
            raise WaitedError

        with pytest.raises(WaitedError), locked(tmp_path, waiting):
            pytest.fail("two at once")
        assert used.read_bytes() == b"half"


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"mine")
    with pytest.raises(BuildError) as caught, locked(tmp_path / "runs", lambda: None):
        pytest.fail("no folder")
    (fault,) = caught.value.faults
    assert (fault.code, fault.file) == ("in-the-way", tmp_path / "runs")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "not-allowed"),
        (NotImplementedError(), "no-locks"),
    ],
)
def test_a_folder_that_cannot_be_locked(tmp_path: Path, error: Exception, code: str) -> None:
    with (
        patch("filelock.FileLock.acquire", side_effect=error),
        pytest.raises(BuildError) as caught,
        locked(tmp_path, lambda: None),
    ):
        pytest.fail("no lock")
    assert caught.value.faults[0].code == code
