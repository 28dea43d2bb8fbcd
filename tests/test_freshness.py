"""An unchanged build says so at once, and never says so when anything has changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from labreport import freshness as current_module
from labreport.build import pipeline as build_module
from labreport.build.request import Request
from labreport.formats import pdf
from labreport.freshness import (
    RECORD,
    ReportRecord,
    WantedReport,
    current_record,
    input_digests,
    read_record,
)
from labreport.render.figures import style
from labreport.runs import files as files_module

LAB = """
[experiment.speed]
title = "Speed"
change.rounds = 3
[experiment.grid]
title = "Grid"
sweep.optimizer.learning_rate = [0.1, 1.0]
"""

NOTES = {"speed.md": "What I saw.", "reflection.md": "What I think."}

UP_TO_DATE = {"zh": "报告已是最新", "en": "The report is up to date"}
LOCALES = {"zh": "zh_CN.UTF-8", "en": "en_US.UTF-8"}

LARGE = ("torch", "numpy", "matplotlib", "weasyprint", "safetensors", "babel", "rich", "jinja2")


@pytest.fixture
def request_(write_lab: Callable[..., Path], base_text: str, tmp_path: Path) -> Request:
    return Request(write_lab(base_text + LAB, NOTES), (), ("en",), tmp_path / "output")


@pytest.fixture
def build() -> Callable[[Request], None]:
    """Build without the PDF, which takes most of the time."""

    def build(request: Request) -> None:
        with patch.object(pdf, "render", lambda *_: b"%PDF-left-out"):
            build_module.build(request, lambda *_: None)

    return build


@pytest.fixture
def built(
    request_: Request, build: Callable[[Request], None], made_once: Callable[..., Any]
) -> WantedReport:
    def make(folder: Path) -> None:
        shutil.copytree(request_.lab.parent, folder, dirs_exist_ok=True)
        build(replace(request_, lab=folder / request_.lab.name, output=folder / "output"))

    made_once((__file__, "built"), make, request_.lab.parent)
    return request_.report


def found(report: WantedReport) -> ReportRecord:
    kept = read_record(report.output)
    assert kept is not None
    return kept


def test_a_report_is_current_until_it_is_wanted_otherwise(built: WantedReport) -> None:
    kept = current_record(built)
    assert kept == found(built)
    assert set(kept.files) == {"runs.csv", "observations.json", "report.html", "report.pdf"}
    for other in (
        replace(built, only=("speed",)),
        replace(built, languages=("en", "zh")),
        replace(built, languages=()),
        replace(built, device="cuda"),
        replace(built, evidence=True),
        replace(built, output=built.output.parent / "elsewhere"),
        replace(built, lab=built.lab.parent / "missing.toml"),
    ):
        assert current_record(other) is None
    # The report prints the command that builds it, with the name of the lab.
    renamed = built.lab.rename(built.lab.parent / "renamed.toml")
    assert current_record(replace(built, lab=renamed)) is None
    assert current_record(replace(built, lab=renamed.rename(built.lab))) == kept


Change = Callable[[WantedReport], None]


def rewrite(name: str, old: str, new: str) -> Change:
    def change(report: WantedReport) -> None:
        path = report.lab.parent / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return change


CHANGES: dict[str, Change] = {
    "title": rewrite("lab.toml", '"Speed"', '"Spead"'),
    "number": rewrite("lab.toml", "learning_rate = 1.0", "learning_rate = 1.5"),
    "a note": rewrite("notes/speed.md", "saw", "was"),
    "a note is gone": lambda report: (report.notes / "speed.md").unlink(),
    "all notes are gone": lambda report: shutil.rmtree(report.notes),
    "a further note": lambda report: (report.notes / "grid.md").write_text("x", encoding="utf-8"),
    "two notes change places": lambda report: swap(
        report.notes / "speed.md", report.notes / "reflection.md"
    ),
    "a note is no longer readable": lambda report: make_folder(report.notes / "speed.md"),
}


def swap(one: Path, other: Path) -> None:
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_the_author_writes_is_seen(built: WantedReport, name: str) -> None:
    assert current_record(built) is not None
    CHANGES[name](built)
    assert current_record(built) is None


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program and what it stands on, where a test may change it."""
    for name in ("PACKAGE", "TEMPLATES"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(getattr(current_module, name), tmp_path / name, ignore=ignored)
        monkeypatch.setattr(current_module, name, tmp_path / name)
    fonts = tmp_path / "fonts" / "truetype"
    fonts.mkdir(parents=True)
    (fonts / "Some.ttf").write_bytes(b"a font")
    monkeypatch.setattr(current_module, "FONT_FOLDERS", (str(tmp_path / "fonts"),))
    package = tmp_path / "packages" / "carrier"
    package.mkdir(parents=True)
    (package / "Carried.ttf").write_bytes(b"a font")
    monkeypatch.setattr(current_module, "CARRIED_FONTS", (("carrier", "Carried.ttf"),))
    (tmp_path / "packages" / "carrier-1.0.dist-info").mkdir()
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "libpango-1.0.so.1").write_bytes(b"")
    monkeypatch.setattr(current_module, "LIBRARY_FOLDERS", (str(libraries),))
    monkeypatch.syspath_prepend(tmp_path / "packages")
    return tmp_path


def renamed(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


PARTS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "the template": ("templates", lambda at: append(at / "TEMPLATES/report.html.j2")),
    "a style sheet": ("templates", lambda at: append(at / "TEMPLATES/print.css")),
    "a catalogue": ("templates", lambda at: append(at / "TEMPLATES/languages/zh.po")),
    "the program": ("program", lambda at: append(at / "PACKAGE/report/compose.py")),
    "a module more": ("program", lambda at: (at / "PACKAGE/report/more.py").write_bytes(b"")),
    "a module less": ("program", lambda at: (at / "PACKAGE/report/claims.py").unlink()),
    "a font of the system": ("fonts", lambda at: append(at / "fonts/truetype/Some.ttf")),
    "a font more": ("fonts", lambda at: (at / "fonts/More.otf").write_bytes(b"a font")),
    "a font of a package": ("fonts", lambda at: append(at / "packages/carrier/Carried.ttf")),
    "a font is gone": ("fonts", lambda at: (at / "packages/carrier/Carried.ttf").unlink()),
    "a version": (
        "packages",
        lambda at: renamed(at / "packages/carrier-1.0.dist-info", "carrier-1.1.dist-info"),
    ),
    "a library": (
        "system",
        lambda at: renamed(at / "libraries/libpango-1.0.so.1", "libpango-1.0.so.2"),
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_change_of_the_program_and_what_it_stands_on_is_seen(
    request_: Request, copied: Path, name: str
) -> None:
    part, change = PARTS[name]
    before = input_digests(request_.report)
    assert input_digests(request_.report) == before
    change(copied)
    after = input_digests(request_.report)
    assert [key for key in before if before[key] != after[key]] == [part]


@pytest.mark.parametrize(
    ("name", "value"), [("sys.version", "3.99"), ("platform.machine", lambda: "another")]
)
def test_another_python_or_machine_is_seen(
    built: WantedReport, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(name, value)
    assert current_record(built) is None


def test_a_report_in_json_alone_is_current_and_built_again(request_: Request) -> None:
    request = replace(request_, formats=("json",))
    for _ in range(2):
        build_module.build(request, lambda *_: None)
        kept = current_record(request.report)
        assert kept is not None
        assert "report.tree.json" in kept.files


DATA = """
test_explanations = false
[base]
loss = "mse"
rounds = 3
[base.data]
file = "points.csv"
[base.network]
hidden = []
activations = "identity"
[base.optimizer]
name = "sgd"
learning_rate = 0.1
[experiment.first]
title = "First"
"""


def test_a_change_of_a_file_with_examples_is_seen(
    write_lab: Callable[..., Path], build: Callable[[Request], None], tmp_path: Path
) -> None:
    points = tmp_path / "points.csv"
    points.write_text("x,y\n1,2\n3,4\n", encoding="utf-8")
    request = Request(write_lab(DATA), (), ("en",), tmp_path / "output")
    build(request)
    kept = current_record(request.report)
    assert kept is not None
    assert list(kept.data) == ["points.csv"]
    before = current_module.stamps(request.report)
    points.write_text("x,y\n1,2\n3,5\n", encoding="utf-8")
    assert current_record(request.report) is None
    assert current_module.stamps(request.report) != before
    build(request)
    assert current_record(request.report) is not None
    points.unlink()
    assert current_record(request.report) is None


def test_a_setting_of_the_environment_is_seen(
    built: WantedReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert current_record(built) is None


def test_the_fonts_that_are_looked_at_are_those_of_the_report() -> None:
    carried = [
        Path(sys.modules[package].__file__ or "").parent / name
        for package, name in current_module.CARRIED_FONTS
        if package in sys.modules
    ]
    assert style.code_font_path() in carried
    (place,) = (name for package, name in current_module.CARRIED_FONTS if package == "zhplot")
    assert style.font_path().as_posix().endswith(f"zhplot/{place}")
    stamps = list(current_module._fonts())
    for path in (style.font_path(), style.code_font_path()):
        assert any(stamp.startswith(f"{path} {path.stat().st_size} ") for stamp in stamps)


# --- what is written ---------------------------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def files_of(report: WantedReport) -> list[Path]:
    kept = found(report)
    return [report.output / name for name in (*kept.files, *kept.runs, *kept.rows)]


def test_a_flipped_bit_anywhere_is_seen_and_mended(
    request_: Request, built: WantedReport, build: Callable[[Request], None]
) -> None:
    for path in files_of(built):
        before = path.read_bytes()
        flip(path)
        assert current_record(built) is None, path
        build(request_)
        assert path.read_bytes() == before
        assert current_record(built) is not None


def test_a_missing_file_is_seen(built: WantedReport) -> None:
    for path in [*files_of(built), built.output / RECORD]:
        aside = path.rename(path.with_name("aside"))
        assert current_record(built) is None, path
        path.mkdir()
        assert current_record(built) is None, path
        path.rmdir()
        aside.rename(path)
        assert current_record(built) is not None


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"3", b"\xff", b"{}", b'{"made_of": 3}'),
        b'{"only": [], "made_of": {}, "files": {}, "runs": []}',
        b'{"only": 3, "made_of": {}, "files": {"a": "b"}, "runs": [null]}',
        b'{"only": [], "made_of": [], "files": {"../lab.toml": "b"}, "runs": []}',
    ],
)
def test_a_record_of_no_use_is_none(built: WantedReport, content: bytes) -> None:
    (built.output / RECORD).write_bytes(content)
    assert current_record(built) is None


def test_a_record_names_files_of_its_folder_alone(built: WantedReport) -> None:
    content = json.loads((built.output / RECORD).read_bytes())
    outside = built.output.parent / "outside"
    outside.write_bytes(b"")
    digest = current_module._sha256(b"")
    for part in ("files", "rows"):
        changed = {**content, part: {"../outside": digest}}
        (built.output / RECORD).write_text(json.dumps(changed), encoding="utf-8")
        assert current_record(built) is None


def test_a_build_that_is_killed_between_two_files_is_not_taken_for_whole(
    request_: Request, built: WantedReport, build: Callable[[Request], None], monkeypatch: Any
) -> None:
    """At each place where it may be killed: neither for the old report nor for the new one."""
    old = request_.lab.read_bytes() if request_.lab else b""
    new = old.replace(b'"Speed"', b'"Haste"').replace(b"rounds = 3", b"rounds = 4")
    count = len(found(built).files) + 1
    replaced = Path.replace
    for survivors in range(count):
        left = iter(range(survivors))

        def killed(self: Path, target: Path, left: Iterator[int] = left) -> Path:
            if target.parent == built.output and next(left, None) is None:
                raise KeyboardInterrupt
            return replaced(self, target)

        built.lab.write_bytes(new)
        with monkeypatch.context() as patch:
            patch.setattr(files_module.Path, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                build(request_)
        assert current_record(built) is None
        built.lab.write_bytes(old)
        assert (current_record(built) is None) == (survivors > 0)
        build(request_)
        assert current_record(built) is not None


def test_what_changes_while_a_build_is_at_work_is_seen_by_the_next_one(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = request_.report.notes / "speed.md"

    def render(*_: object) -> bytes:
        path.write_text("What I saw later.", encoding="utf-8")
        return b"%PDF-left-out"

    monkeypatch.setattr(pdf, "render", render)
    build_module.build(request_, lambda *_: None)
    assert current_record(request_.report) is None


def test_the_record_is_the_same_wherever_the_report_is_built(
    request_: Request, built: WantedReport, build: Callable[[Request], None], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(built.lab.parent, other, ignore=shutil.ignore_patterns("output", "other"))
    elsewhere = replace(request_, lab=other / built.lab.name, output=other / "out")
    build(elsewhere)
    assert (other / "out" / RECORD).read_bytes() == (built.output / RECORD).read_bytes()


# --- the command -------------------------------------------------------------------------------

TIMED = f"""
import sys
from labreport.__main__ import main
sys.argv[0] = "labreport"
try:
    main()
finally:
    print([name for name in {LARGE} if name in sys.modules])
"""


def labreport(*arguments: str, folder: Path, code: str = "en") -> tuple[str, list[str]]:
    """What is said, and what is printed line by line."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED, *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": LOCALES[code], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr, done.stdout.splitlines()


def test_an_unchanged_build_says_so_and_imports_nothing_large(
    request_: Request, tmp_path: Path
) -> None:
    arguments = ("build", "lab.toml", "--lang", "en")
    said, printed = labreport(*arguments, folder=tmp_path)
    assert "3 trained" in said
    assert "matplotlib" in printed.pop()
    files = [line.removeprefix("written ") for line in printed]
    before = {name: (tmp_path / name).read_bytes() for name in files}
    for code, unchanged in (("en", "unchanged"), ("zh", "未变")):
        said, printed = labreport(*arguments, folder=tmp_path, code=code)
        assert said.startswith(UP_TO_DATE[code])
        assert printed == [*(f"{unchanged} {name}" for name in files), "[]"]
    said, printed = labreport(*arguments, "--force", folder=tmp_path)
    assert "0 trained, 3 from the store" in said
    assert {name: (tmp_path / name).read_bytes() for name in files} == before
    # A part of the report takes the place of all of it, and says so each time.
    for expected in ("0 trained", UP_TO_DATE["en"]):
        said, _ = labreport(*arguments, "--only", "grid", folder=tmp_path)
        assert expected in said
        assert "part of the report (grid); “labreport build” without --only writes" in said
    said, _ = labreport(*arguments, folder=tmp_path)
    assert "0 trained" in said
    assert {name: (tmp_path / name).read_bytes() for name in files} == before


# --- what the report before had, and this one has not ---------------------------------------------


def test_files_of_a_language_that_is_no_longer_built_go_unless_somebody_changed_them(
    request_: Request, build: Callable[[Request], None]
) -> None:
    """They would tell what is no longer so, under the name of this report."""
    both, one = replace(request_, languages=("zh", "en")), replace(request_, languages=("en",))
    output = request_.output
    build(both)
    assert (output / "report.en.html").is_file()
    build(one)
    assert not (output / "report.en.html").exists()
    assert not (output / "report.en.pdf").exists()
    build(both)
    (output / "report.en.html").write_text("my own words")
    build(one)
    assert (output / "report.en.html").read_text() == "my own words"
    assert not (output / "report.en.pdf").exists()


def test_a_file_that_was_changed_since_is_named(
    request_: Request, build: Callable[[Request], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    build(request_)
    (request_.output / "report.html").write_text("changed")
    (request_.output / "runs.csv").unlink()
    summary = build_module.build(request_, lambda *_: None)
    assert summary.altered == ("report.html",)
    assert build_module.build(request_, lambda *_: None).altered == ()
