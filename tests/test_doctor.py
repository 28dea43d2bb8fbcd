"""`labreport doctor` finds what is broken, says how to put it right, and changes nothing."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from labreport.cli import environment_checks
from labreport.cli.app import app
from labreport.errors import BuildError, Fault
from labreport.formats import font_coverage, pdf
from labreport.language.catalogue import language
from labreport.render.figures import style

LAB = '[experiment.a]\ntitle = "A"\n'
NAMES = ["python", "torch", "pango", "font", "lab", "characters", "disk", "output"]

Run = Callable[..., Result]
Break = Callable[[pytest.MonkeyPatch, Path], None]


@pytest.fixture
def run(tmp_path: Path, base_text: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the doctor on a sound lab in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text(base_text + LAB, encoding="utf-8")

    def run(*arguments: str, locale: str = "en_US.UTF-8") -> Result:
        environment = {"LC_ALL": locale, "COLUMNS": "100"}
        return CliRunner().invoke(app, ["doctor", "lab.toml", *arguments], env=environment)

    return run


def test_a_machine_that_is_well(run: Run, tmp_path: Path) -> None:
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(NAMES)
    assert all(line.startswith("[ok] ") for line in done.stdout.splitlines())
    assert [path.name for path in tmp_path.iterdir()] == ["lab.toml"]
    checks = json.loads(run("--json").stdout)
    assert [check["check"] for check in checks] == NAMES
    assert all(check["ok"] and not check["faults"] and check["fix"] is None for check in checks)


def no_torch(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    real = importlib.import_module

    def fails(name: str, *arguments: Any) -> Any:
        if name == "torch":
            raise OSError("libtorch_cpu.so: cannot open shared object file\nmore")
        return real(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", fails)


def no_pango(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def fails() -> Any:
        raise BuildError(Fault("pango-missing", {"detail": "cannot load library 'pango'"}))

    monkeypatch.setattr(pdf, "_weasyprint", fails)


def no_font(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(style, "font_path", lambda: folder / "none.ttf")


def bad_lab(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    text = (folder / "lab.toml").read_text(encoding="utf-8")
    (folder / "lab.toml").write_text(text.replace('loss = "mse"', 'loss = "mes"'))


def bad_note(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "a.md").write_bytes(b"\xff")


def lost_character(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    text = (folder / "lab.toml").read_text(encoding="utf-8")
    (folder / "lab.toml").write_text(text.replace('"A"', '"\U0010fff0"'), encoding="utf-8")


def full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(environment_checks, "free_space", lambda _: 2**20)


def output_is_a_file(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "output").write_text("mine")


def output_is_locked(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def refuse(**_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(environment_checks.tempfile, "TemporaryFile", refuse)


def old_python(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(environment_checks, "OLDEST_PYTHON", (99, 1))


BROKEN: list[tuple[Break, str, str, str]] = [
    (old_python, "python", "old-python", "PYTHON="),
    (no_torch, "torch", "does-not-work", "pip install"),
    (no_pango, "pango", "pango-missing", "pango"),
    (no_font, "font", "does-not-work", "zhplot"),
    (bad_lab, "lab", "unknown-name", ""),
    (bad_note, "lab", "notes-unreadable", ""),
    (lost_character, "characters", "missing-glyphs", ""),
    (full_disk, "disk", "little-disk", "--output"),
    (output_is_a_file, "output", "not-a-folder", "--output"),
    (output_is_locked, "output", "not-written", "--output"),
]


@pytest.mark.parametrize(("break_it", "name", "code", "fix"), BROKEN)
def test_what_is_broken_is_named_with_its_remedy(
    break_it: Break,
    name: str,
    code: str,
    fix: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    font_coverage._shipped.cache_clear()
    break_it(monkeypatch, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for locale in ("zh_CN.UTF-8", "en_US.UTF-8"):
        done = run("--json", locale=locale)
        assert done.exit_code == 1
        broken = {check["check"]: check for check in json.loads(done.stdout) if not check["ok"]}
        assert name in broken
        assert {fault["code"] for fault in broken[name]["faults"]} == {code}
        assert fix in (broken[name]["fix"] or "")
        assert bool(fix) == bool(broken[name]["fix"])
        words = run(locale=locale)
        assert words.exit_code == 1
        assert "Traceback" not in words.output
        assert len(words.stdout.splitlines()) > len(broken)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    font_coverage._shipped.cache_clear()


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows", "Plan9"])
@pytest.mark.parametrize("code", ["zh", "en"])
def test_the_remedy_for_pango_is_the_systems_own(
    system: str, code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment_checks.platform, "system", lambda: system)
    no_pango(monkeypatch, tmp_path)
    check = environment_checks._pango()
    assert not check.is_well
    fix = language(code).text(f"doctor-fix.{check.fix}")
    wanted = {"Darwin": "brew", "Windows": "MSYS2"}.get(system, "apt-get")
    assert wanted in fix
