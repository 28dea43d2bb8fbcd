"""The receipt of a report: when there is nothing to do, and that nothing new is overlooked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labreport import receipt as module
from labreport.receipt import NAME, Asked, Standing, made_of, receipt, standing
from labreport.shipped import shipped

FILES = {"report.html": b"<html>", "report.pdf": b"%PDF", "runs.csv": b"run"}
RUNS = "runs/0123.safetensors"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A lab with a note, and a report of it with its receipt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text("format = 1", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "adam.md").write_text("mine", encoding="utf-8")
    asked = Asked(Path("lab.toml"), (), ("zh",), "cpu")
    made = made_of(asked)
    assert made is not None
    output = tmp_path / "output"
    (output / "runs").mkdir(parents=True)
    (output / RUNS).write_bytes(b"numbers")
    for name, content in FILES.items():
        (output / name).write_bytes(content)
    (output / NAME).write_bytes(receipt(made, FILES, [RUNS], 7))
    return asked


def found(asked: Asked) -> Standing | None:
    return standing(Path("output"), made_of(asked))


def test_a_report_of_the_same_is_up_to_date(asked: Asked) -> None:
    assert found(asked) == Standing(tuple(Path("output") / name for name in FILES), 7)


def change_lab() -> None:
    Path("lab.toml").write_text("format = 1 # other", encoding="utf-8")


def change_note() -> None:
    Path("notes/adam.md").write_text("other", encoding="utf-8")


def add_note() -> None:
    Path("notes/adam.en.md").write_text("English", encoding="utf-8")


def remove_note() -> None:
    Path("notes/adam.md").unlink()


def damage_a_file() -> None:
    Path("output/report.pdf").write_bytes(b"%PDE")


def remove_a_file() -> None:
    Path("output/runs.csv").unlink()


def remove_runs() -> None:
    Path("output", RUNS).unlink()


def touch_runs() -> None:
    after = Path("output", NAME).stat().st_mtime_ns + 1
    os.utime(Path("output", RUNS), ns=(after, after))


def remove_the_receipt() -> None:
    Path("output", NAME).unlink()


def cut_the_receipt() -> None:
    path = Path("output", NAME)
    path.write_bytes(path.read_bytes()[:-9])


def empty_the_receipt() -> None:
    Path("output", NAME).write_text("{}", encoding="utf-8")


def make_the_receipt_a_list() -> None:
    Path("output", NAME).write_text("[]", encoding="utf-8")


CHANGES = (
    change_lab,
    change_note,
    add_note,
    remove_note,
    damage_a_file,
    remove_a_file,
    remove_runs,
    touch_runs,
    remove_the_receipt,
    cut_the_receipt,
    empty_the_receipt,
    make_the_receipt_a_list,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_new_lacking_or_damaged_is_noticed(
    asked: Asked, change: Callable[[], None]
) -> None:
    change()
    assert found(asked) is None


@pytest.mark.parametrize(
    "other",
    [
        Asked(Path("lab.toml"), ("adam",), ("zh",), "cpu"),
        Asked(Path("lab.toml"), (), ("zh", "en"), "cpu"),
        Asked(Path("lab.toml"), (), ("zh",), "cuda"),
        Asked(None, (), ("zh",), "cpu"),
        Asked(Path("other.toml"), (), ("zh",), "cpu"),
        Asked(Path("nothing.toml"), (), ("zh",), "cpu"),
    ],
    ids=str,
)
def test_another_question_has_another_report(asked: Asked, other: Asked) -> None:
    # The same bytes under another name: the report prints the command that builds it.
    Path("other.toml").write_text("format = 1", encoding="utf-8")
    assert found(other) is None


@pytest.mark.parametrize("file", ["languages/zh.po", "report.html.j2", "print.css"])
def test_another_template_makes_another_report(
    asked: Asked, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "templates"
    for path in shipped("templates").rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(shipped("templates"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "shipped", lambda name: copy)
    assert found(asked) is not None
    assert (copy / file).is_file()
    (copy / file).write_bytes((copy / file).read_bytes() + b" ")
    assert found(asked) is None


@pytest.mark.parametrize("package", module.DEPENDENCIES)
def test_another_version_makes_another_report(
    asked: Asked, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = module.version
    monkeypatch.setattr(module, "version", lambda n: "9" if n == package else version(n))
    assert found(asked) is None


def test_the_code_of_the_tool_is_looked_at(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_of(asked)
    monkeypatch.setattr(module, "__file__", str(Path(module.__file__).parent / "lab" / "lab.py"))
    other = made_of(asked)
    assert made is not None
    assert other is not None
    assert {key for key in made if made[key] != other[key]} == {"tool"}


def test_a_receipt_names_no_place_of_this_machine(asked: Asked, tmp_path: Path) -> None:
    written = Path("output", NAME).read_text(encoding="utf-8")
    assert str(tmp_path) not in written
    assert json.loads(written)["made_of"]["lab"]["name"] == "lab.toml"


# --- from the command line ---------------------------------------------------------------------

LAB = """
[experiment.a]
title = "A"
[experiment.b]
title = "B"
change.loss = "l1"
"""


def labreport(folder: Path, *arguments: str) -> Any:
    environment = {**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "", "PYTHONPATH": SOURCE}
    command = [sys.executable, "-X", "importtime", "-m", "labreport", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


SOURCE = str(Path(module.__file__).parents[1])


def test_an_unchanged_build_does_nothing_and_imports_nothing_for_it(
    tmp_path: Path, base_text: str
) -> None:
    (tmp_path / "experiments.toml").write_text(base_text + LAB, encoding="utf-8")
    whole = labreport(tmp_path, "build", "--lang", "en")
    assert whole.returncode == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "output").rglob("*")}

    again = labreport(tmp_path, "build", "--lang", "en")
    assert again.returncode == 0
    assert "Up to date (2 runs): nothing to do." in again.stderr
    names = ("runs.csv", "observations.json", "report.html", "report.pdf")
    assert again.stdout == "".join(f"unchanged {Path('output') / name}\n" for name in names)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "output").rglob("*")} == before
    imported = {line.rsplit("|")[-1].strip() for line in again.stderr.splitlines() if "|" in line}
    assert imported.isdisjoint({"torch", "numpy", "matplotlib", "weasyprint", "babel", "jinja2"})
    assert "labreport.receipt" in imported

    part = labreport(tmp_path, "build", "--lang", "en", "--only", "a")
    assert "without 1 other" in part.stderr
    assert "written" in part.stdout
    assert "written" in labreport(tmp_path, "build", "--lang", "en").stdout
    forced = labreport(tmp_path, "build", "--lang", "en", "--force")
    assert "written" in forced.stdout
    # The same bytes, once more.
    assert labreport(tmp_path, "build", "--lang", "en").stdout == again.stdout
