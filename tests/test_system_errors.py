"""What the system refuses is told with the file that it is about, and never as a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from command_line import run

from labreport.build import listing
from labreport.build import pipeline as build_module
from labreport.cli.terminal import print_fault
from labreport.errors import BuildError, Fault
from labreport.export.runs_csv import harmless
from labreport.formats import pdf
from labreport.language.catalogue import language

LAB = "[experiment.a]\ntitle = 'a'\nchange.rounds = 2\n"
PACKAGE = Path(build_module.__file__).parents[2]


@pytest.fixture
def lab(write_lab: Callable[..., Path], base_text: str) -> Path:
    return write_lab(base_text + LAB)


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the shell, in which LABREPORT stands for the program."""
    program = f"'{sys.executable}' -m labreport"
    return subprocess.run(
        ["sh", "-c", command.replace("LABREPORT", program)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "LC_ALL": "en_US.UTF-8", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        (">&-", 1, "labreport: stdout: Bad file descriptor\n"),
        (">&- 2>&-", 1, ""),
        (">/dev/full", 1, "labreport: stdout: No space left on device\n"),
        ("2>&-", 0, ""),
        ("<&-", 0, ""),
        ("<&- >&- 2>&-", 1, ""),
    ],
)
def test_streams_that_are_closed_or_full(lab: Path, redirected: str, code: int, said: str) -> None:
    done = shell(f"LABREPORT check {lab} {redirected}")
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_is_printed_in_part_only_is_told(tmp_path: Path, unbuffered: str) -> None:
    # With PYTHONUNBUFFERED Python itself takes a write that was cut short for a whole one.
    whole = shell("LABREPORT schema").stdout
    cut = tmp_path / "schema.json"
    done = shell(f"ulimit -f 1; LABREPORT schema > '{cut}'", PYTHONUNBUFFERED=unbuffered)
    assert len(whole) > cut.stat().st_size
    assert (done.returncode, done.stderr) == (1, "labreport: stdout: File too large\n")


def test_a_backend_of_matplotlib_that_is_none_stops_nothing() -> None:
    code = (
        "import sys; sys.argv[1:] = ['--version']; from labreport.__main__ import main\n"
        "try:\n main()\nexcept SystemExit: pass\n"
        "import matplotlib; print(matplotlib.rcParams['backend'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "MPLBACKEND": "nope"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("agg\n")


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("command", ["list", "build", "clean"])
@pytest.mark.parametrize("target", ["loop", "none"])
def test_an_output_that_is_a_link_to_nowhere_is_told_early(
    lab: Path, tmp_path: Path, command: str, code: str, target: str
) -> None:
    output = tmp_path / "loop"
    output.symlink_to(target)
    done = run(command, lab, "-o", output, code=code)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"{output}: ")


@pytest.mark.parametrize("code", ["en", "zh"])
def test_what_the_system_says_of_a_file_names_the_file(lab: Path, code: str) -> None:
    error = PermissionError(13, "Permission denied", "output/runs/x.safetensors")
    with patch.object(listing, "Store", side_effect=error):
        told = run("list", lab, code=code)
        as_json = run("list", lab, "--json", code=code)
    for done in (told, as_json):
        assert done.exit_code == 1
        assert "output/runs/x.safetensors" in done.output + done.stderr
        assert "Permission denied" in done.output + done.stderr


def test_a_limit_on_the_size_of_files_is_told_with_the_folder_of_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weasyprint = pdf._weasyprint()

    def too_large(*_: object, **__: object) -> bytes:
        raise OSError(27, "File too large")

    monkeypatch.setattr(weasyprint.HTML, "write_pdf", too_large)
    with pytest.raises(BuildError) as caught:
        pdf.glyphless("<p>x</p>")
    (fault,) = caught.value.faults
    assert (fault.code, fault.values["detail"]) == ("not-written", "File too large")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\r\nb\tc\x00", "a\\r\\nb\\tc\\x00"),
        ("\u202eabc\u2028", "\\u202eabc\\u2028"),
        ("\t=1+1", "\\t=1+1"),
        ("=1+1", "'=1+1"),
        ("甲 – “x”", "甲 – “x”"),
    ],
)
def test_no_character_of_a_cell_controls_anything(text: str, written: str) -> None:
    assert harmless(text) == written


def test_names_that_are_allowed_reach_the_terminal_without_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault = Fault(
        "theme-undefined", {"found": "x"}, allowed=("\x1b[2J.png",), nearest="\x1b[2J.png"
    )
    print_fault(fault, language("en"))
    said = capsys.readouterr().err
    assert ".png" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("place", ["main", "imports", "command"])
@pytest.mark.parametrize(
    ("locale", "said"), [("en_US.UTF-8", "Interrupted."), ("zh_CN.UTF-8", "已中断。")]
)
def test_an_interruption_is_one_line_however_early(
    lab: Path, place: str, locale: str, said: str
) -> None:
    """As the streams are looked at, as commands are imported, and as one of them begins."""
    interrupts = {
        "main": "labreport.__main__._open_streams = interrupted",
        "imports": "builtins.__import__ = lambda name, *rest: interrupted()"
        " if name == 'labreport.cli.app' else imported(name, *rest)",
        "command": "import labreport.build.checking; labreport.build.checking.check = interrupted;"
        "import labreport.cli.commands.check as c; c.say_shipped = interrupted",
    }
    code = (
        "import builtins, os, signal, sys, labreport.__main__\n"
        "imported = builtins.__import__\n"
        "def interrupted(*_):\n os.kill(os.getpid(), signal.SIGINT); signal.sigpending()\n"
        f"sys.argv[1:] = ['check', {str(lab)!r}]\n"
        f"{interrupts[place]}\n"
        "labreport.__main__.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "LC_ALL": locale},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{said}\n")
