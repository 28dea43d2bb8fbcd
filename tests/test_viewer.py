"""`labreport open`: the right file, no shell, and no waiting."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import run

from labreport.cli import viewer

PROGRAM = "import sys; sys.argv[0] = 'labreport'; from labreport.cli.app import app; app()"


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a report in both languages, and no screen."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    folder = tmp_path / "output"
    folder.mkdir()
    for suffix, tag in (("", "zh-CN"), (".en", "en")):
        page = f'<!DOCTYPE html>\n<html lang="{tag}">'
        (folder / f"report{suffix}.html").write_text(page, encoding="utf-8")
        (folder / f"report{suffix}.pdf").write_bytes(b"%PDF")
    return folder


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "report.html"),
        (["--pdf"], "report.pdf"),
        (["--lang", "en"], "report.en.html"),
        (["--lang", "zh"], "report.html"),
        (["--lang", "en", "--pdf"], "report.en.pdf"),
        (["--lang", "zh", "--pdf"], "report.pdf"),
    ],
)
def test_without_a_screen_the_place_is_told(output: Path, arguments: list[str], name: str) -> None:
    done = run("open", *arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"there is no browser to open it with; the report is {output / name}\n"
    assert str(output / name) in run("open", *arguments, code="zh").stdout


def test_a_page_in_the_first_language_is_newer_than_an_old_one_of_its_name(output: Path) -> None:
    page = '<!DOCTYPE html>\n<html lang="en">'
    (output / "report.html").write_text(page, encoding="utf-8")
    assert viewer.report_file(output, "en", "html") == output / "report.html"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-o", "nowhere"], 1, "“labreport build” writes it"),
        (["--lang", "fr"], 2, "there is no language “fr”"),
        (["-o", "output/report.html"], 2, "this must be a folder"),
        (["--lang", "zh", "-o", "english"], 1, "report.zh.html"),
    ],
)
def test_what_is_not_there_is_told(
    output: Path, arguments: list[str], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "english").mkdir()
    (tmp_path / "english" / "report.html").write_text('<html lang="en">', encoding="utf-8")
    done = run("open", *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in done.stderr


def browser(tmp_path: Path, code: str) -> str:
    """A program to be named as browser, which runs some Python."""
    script = tmp_path / "browser.py"
    script.write_text(f"import sys, time, pathlib\n{code}\n", encoding="utf-8")
    return f"{sys.executable} {script} %s"


def opened(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BROWSER": command, "LC_ALL": "en_US.UTF-8"}
    arguments = [sys.executable, "-c", PROGRAM, "open", "-o", str(folder)]
    return subprocess.run(
        arguments, env=environment, capture_output=True, text=True, check=False, timeout=30
    )


def test_the_browser_gets_the_address_and_no_shell_sees_it(output: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a b; touch hacked $(touch hacked) `touch hacked` & 中%s"
    output.rename(folder)
    seen = tmp_path / "seen"
    done = opened(folder, browser(tmp_path, f"pathlib.Path({str(seen)!r}).write_text(sys.argv[1])"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"opened {folder / 'report.html'}\n"
    assert seen.read_text() == (folder / "report.html").as_uri()
    assert not list(tmp_path.rglob("hacked"))


def test_a_browser_that_fails_is_none(output: Path, tmp_path: Path) -> None:
    done = opened(output, browser(tmp_path, "sys.exit(3)"))
    assert done.returncode == 0
    assert str(output / "report.html") in done.stdout
    assert "there is no browser" in done.stdout


def test_a_browser_that_stays_is_not_waited_for(output: Path, tmp_path: Path) -> None:
    before = time.monotonic()
    done = opened(output, browser(tmp_path, "time.sleep(12)"))
    assert time.monotonic() - before < 10
    assert done.stdout == f"opened {output / 'report.html'}\n"
