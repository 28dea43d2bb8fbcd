"""A build replaces and removes what it wrote itself; what is somebody else's is named and kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

import pytest
from command_line import run

from labreport.build import pipeline as build_module
from labreport.build.request import Request, Summary
from labreport.errors import InputError
from labreport.formats import html, pdf
from labreport.freshness import RECORD, ReportRecord, altered, current_record, read_record
from labreport.render import printing
from labreport.report import compose

LAB = "[experiment.a]\ntitle = 'a'\nchange.rounds = 2\n"
DIGEST = sha256(b"mine").hexdigest()


@pytest.fixture
def request_(write_lab: Callable[..., Path], base_text: str, tmp_path: Path) -> Request:
    return Request(write_lab(base_text + LAB), (), ("en",), tmp_path / "output")


def build(request: Request) -> Summary:
    """Build without what is in pages and PDFs, which takes most of the time."""
    with (
        patch.object(compose, "compose", lambda *_: None),
        patch.object(printing, "print_report", lambda *_, **__: None),
        patch.object(pdf, "render", lambda *_, **__: b"%PDF-left-out"),
        patch.object(html, "render", lambda reports: b"<html>left out</html>"),
    ):
        return build_module.build(request, lambda *_: None)


def refused(request: Request) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        build(request)
    return [(fault.code, fault.file.name if fault.file else "") for fault in caught.value.faults]


NAMES = ("runs.csv", "observations.json", "report.html", "report.pdf", RECORD)


def test_files_of_somebody_else_are_named_and_kept(request_: Request) -> None:
    request_.output.mkdir()
    for name in NAMES:
        (request_.output / name).write_bytes(b"mine")
    assert refused(request_) == [("not-ours", name) for name in NAMES]
    assert all((request_.output / name).read_bytes() == b"mine" for name in NAMES)
    assert not (request_.output / "runs").exists()


def test_with_force_they_keep_their_bytes_under_another_name(request_: Request) -> None:
    request_.output.mkdir()
    (request_.output / "report.pdf").write_bytes(b"mine")
    (request_.output / "report.altered.pdf").write_bytes(b"mine too")
    build(replace(request_, force=True))
    assert (request_.output / "report.altered.2.pdf").read_bytes() == b"mine"
    assert (request_.output / "report.altered.pdf").read_bytes() == b"mine too"
    assert (request_.output / "report.pdf").read_bytes() == b"%PDF-left-out"
    build(request_)
    assert current_record(request_.report) is not None


@pytest.mark.parametrize("kind", ["file", "nowhere", "itself", "pipe"])
def test_a_link_or_a_pipe_is_not_written_through(
    request_: Request, tmp_path: Path, kind: str
) -> None:
    build(request_)
    path, theirs = request_.output / "report.pdf", tmp_path / "theirs.pdf"
    if kind == "file":
        # Its bytes are those of the report; it is a link all the same.
        path.rename(theirs)
        path.symlink_to(theirs)
    else:
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to(theirs if kind == "nowhere" else path.name)
    assert current_record(request_.report) is None
    assert refused(request_) == [("not-ours", "report.pdf")]
    build(replace(request_, force=True))
    assert not path.is_symlink()
    assert path.read_bytes() == b"%PDF-left-out"
    assert os.path.lexists(request_.output / "report.altered.pdf")


def test_a_file_that_somebody_worked_on_is_kept_beside_and_told(request_: Request) -> None:
    build(request_)
    path = request_.output / "runs.csv"
    path.write_bytes(b"with remarks")
    assert altered(request_.output) == ("runs.csv",)
    assert build(request_).altered == ("runs.csv",)
    assert (request_.output / "runs.altered.csv").read_bytes() == b"with remarks"
    assert b"remarks" not in path.read_bytes()


def test_a_file_of_a_report_before_goes_only_if_it_is_as_it_was_written(
    request_: Request,
) -> None:
    both = replace(request_, languages=("en", "zh"))
    build(both)
    (request_.output / "report.zh.pdf").write_bytes(b"with remarks")
    build(request_)
    assert not (request_.output / "report.zh.html").exists()
    assert (request_.output / "report.zh.pdf").read_bytes() == b"with remarks"


@pytest.mark.parametrize(
    "name", ["thesis.docx", "runs", ".lock", "report.json", "report.old.html", "../thesis.docx", ""]
)
def test_a_forged_record_removes_nothing(request_: Request, name: str) -> None:
    """A record that names other files than those of a report is none."""
    build(request_)
    theirs = request_.output / "thesis.docx"
    theirs.write_bytes(b"mine")
    content = json.loads((request_.output / RECORD).read_bytes())
    content["files"][name] = DIGEST
    (request_.output / RECORD).write_text(json.dumps(content))
    assert read_record(request_.output) is None
    assert {code for code, _ in refused(request_)} == {"not-ours"}
    build(replace(request_, force=True))
    assert theirs.read_bytes() == b"mine"


def test_a_build_that_is_killed_leaves_nothing_that_nobody_knows(request_: Request) -> None:
    """Also the very first one, at each place where it may be killed."""
    moved = Path.replace
    for survivors in range(6):

        def killed(self: Path, target: Path, left: list[int] = [survivors]) -> Path:  # noqa: B006
            if target.parent == request_.output:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
            return moved(self, target)

        with patch.object(Path, "replace", killed), pytest.raises(KeyboardInterrupt):
            build(request_)
        assert current_record(request_.report) is None
    build(request_)
    assert not list(request_.output.glob("*.altered*"))
    assert current_record(request_.report) is not None


# --- records with odd content ---------------------------------------------------------------------

DEEP = "[" * 100_000

ODD = [
    b"",
    b"null",
    b"1e999",
    b"9" * 5000,
    b"NaN",
    DEEP.encode(),
    b'{"files":' + DEEP.encode(),
    b'"\\ud800"',
    b"\xff\xfe",
    *(
        json.dumps(
            {"only": [], "made_of": {}, "files": {"runs.csv": DIGEST}, "runs": []} | change
        ).encode()
        for change in (
            {"only": "abc"},
            {"only": [3]},
            {"only": [float("inf")]},
            {"made_of": {"lab": 1.5}},
            {"made_of": [["a", "b"]]},
            {"files": {"runs.csv": None}},
            {"files": {"runs.csv": "x"}},
            {"files": {"runs.csv": DIGEST.upper()}},
            {"files": {"runs.csv/": DIGEST}},
            {"files": {"runs.csv\n": DIGEST}},
            {"files": []},
            {"runs": ["/dev/zero"]},
            {"runs": ["../runs/x"]},
            {"runs": [10**400]},
            {"runs": {}},
            {"replaced": {"thesis.docx": DIGEST}},
            {"replaced": 3},
        )
    ),
]


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_a_record_with_odd_content_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    assert read_record(tmp_path) is None
    assert altered(tmp_path) == ()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    runs = (f"runs/{DIGEST}.safetensors",)
    rows = {f"runs/rows-{DIGEST}.safetensors": DIGEST}
    for replaced in ({}, {"report.en.pdf": DIGEST}):
        record = ReportRecord(("a",), {"lab": "x"}, {"runs.csv": DIGEST}, runs, replaced, rows)
        (tmp_path / RECORD).write_bytes(record.content())
        assert read_record(tmp_path) == record


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "itself", "nowhere"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_waits_for_what_is_no_file(request_: Request, name: str, kind: str) -> None:
    """In any command that reads a folder; what is no file there is named."""
    request_.output.mkdir()
    path = request_.output / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        targets = {"device": "/dev/zero", "itself": name, "nowhere": "none"}
        path.symlink_to(targets[kind])
    lab, output = str(request_.lab), str(request_.output)
    for arguments in (
        ("list", lab, "-o", output),
        ("show", "a", lab, "-o", output),
        ("open", "-o", output, "--lang", "en"),
        ("diff", output, output),
        ("diff", str(path), str(path)),
        ("build", lab, "-o", output),
    ):
        done = run(*arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), arguments
        if arguments[0] in ("diff", "build"):
            assert done.exit_code == 2, arguments
            assert name in done.stderr or arguments[0] == "diff"
