"""Pictures of notes: files of the folder, looked at before they are taken in."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

from labreport.freshness import WantedReport, input_digests, stamps
from labreport.render.notes.note_pictures import KINDS, LARGEST, PictureError, picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">%s</svg>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of notes with pictures of each kind, and a file outside of it."""
    notes = tmp_path / "notes"
    (notes / "more").mkdir(parents=True)
    Image.new("RGB", (4, 3), "red").save(notes / "curve.png")
    Image.new("RGB", (4, 3), "red").save(notes / "more" / "two words.jpg")
    (notes / "drawn.svg").write_bytes(SVG % b'<path d="M0 0L1 1"/>')
    Image.new("RGB", (4, 3), "red").save(tmp_path / "outside.png")
    return notes


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("curve.png", "image/png"),
        ("./more/../curve.png", "image/png"),
        ("more/two%20words.jpg", "image/jpeg"),
        ("drawn.svg", "image/svg+xml"),
    ],
)
def test_a_picture_comes_along(folder: Path, address: str, kind: str) -> None:
    found = re.fullmatch(r"data:([^;]+);base64,(.*)", picture(folder, address))
    assert found is not None
    assert found[1] == kind
    assert b64decode(found[2]) == (folder / address.replace("%20", " ")).read_bytes()


def refused(folder: Path, address: str) -> PictureError:
    with pytest.raises(PictureError) as caught:
        picture(folder, address)
    return caught.value


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://x.example/a.png", "note-picture-address"),
        ("data:image/png;base64,AAAA", "note-picture-address"),
        ("/etc/a.png", "note-picture-address"),
        ("a\\b.png", "note-picture-address"),
        ("../outside.png", "note-picture-outside"),
        ("..%2foutside.png", "note-picture-outside"),
        ("curve.gif", "note-picture-kind"),
        ("curve", "note-picture-kind"),
        ("more.png/x.png", "note-picture-missing"),
    ],
)
def test_what_is_no_picture_of_the_folder_is_told(folder: Path, address: str, code: str) -> None:
    assert refused(folder, address).code == code


def test_a_picture_that_is_not_there_is_told_with_those_that_are(folder: Path) -> None:
    error = refused(folder, "curv.png")
    assert (error.code, error.nearest) == ("note-picture-missing", "curve.png")
    assert error.allowed == ("curve.png", "drawn.svg", "more/two words.jpg")


def test_links_and_what_is_no_file_are_told(folder: Path) -> None:
    (folder / "link.png").symlink_to("../outside.png")
    (folder / "inside.png").symlink_to("curve.png")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    (folder / "round.png").symlink_to("round.png")
    assert refused(folder, "link.png").code == "note-picture-outside"
    assert picture(folder, "inside.png") == picture(folder, "curve.png")
    assert refused(folder, "folder.png").code == "note-picture-irregular"
    assert refused(folder, "pipe.png").code == "note-picture-irregular"
    assert refused(folder, "round.png").code == "note-picture-unreadable"


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"x" * 100],
)
def test_what_is_not_what_its_name_says_is_told(folder: Path, content: bytes) -> None:
    for name in ("bad.png", "bad.jpg", "bad.svg"):
        (folder / name).write_bytes(content)
        assert refused(folder, name).code == "note-picture"


def test_half_a_picture_is_told(folder: Path) -> None:
    whole = (folder / "curve.png").read_bytes()
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    assert refused(folder, "half.png").code == "note-picture"


def test_large_pictures_are_told(folder: Path) -> None:
    (folder / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * LARGEST)
    assert refused(folder, "large.png").code == "note-picture-large"
    Image.new("1", (5000, 4000)).save(folder / "wide.png")
    assert refused(folder, "wide.png").code == "note-picture-pixels"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        (b"<script>x()</script>", "note-picture-svg"),
        (b'<g onload="x()"/>', "note-picture-svg"),
        (b'<image href="http://x.example/a.png"/>', "note-picture-svg"),
        (b'<rect fill="url(http://x.example/a.svg#b)"/>', "note-picture-svg"),
        (b"<style>@import 'http://x.example/a.css';</style>", "note-picture-svg"),
        (b"<g>", "note-picture-svg"),
        (b'<g id="a"><use href="#a"/></g>', "note-picture-drawing"),
        (
            b'<g id="a0"/>'
            + b"".join(
                b'<g id="a%d"><use href="#a%d"/><use href="#a%d"/></g>' % (k, k - 1, k - 1)
                for k in range(1, 30)
            ),
            "note-picture-drawing",
        ),
        (b"<g/>" * 20_001, "note-picture-drawing"),
    ],
)
def test_a_drawing_runs_nothing_leads_nowhere_and_ends(
    folder: Path, inner: bytes, code: str
) -> None:
    (folder / "bad.svg").write_bytes(SVG % inner)
    assert refused(folder, "bad.svg").code == code


def test_a_drawing_may_refer_to_its_own_parts(folder: Path) -> None:
    inner = b'<g id="a"><path d="M0 0"/></g><use href="#a"/><rect fill="url(#a)" style="fill:red"/>'
    (folder / "fine.svg").write_bytes(SVG % inner)
    assert picture(folder, "fine.svg").startswith("data:image/svg+xml;")


def test_a_picture_is_a_part_of_what_a_report_is_made_of(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text("", encoding="utf-8")
    report = WantedReport(
        tmp_path / "lab.toml", folder, tmp_path / "theme", (), (), "cpu", tmp_path
    )
    for name in ("curve.png", "more/two words.jpg", "drawn.svg"):
        before, watched = input_digests(report), stamps(report)
        (folder / name).write_bytes(b"another")
        assert {k for k, v in input_digests(report).items() if v != before[k]} == {"notes"}
        assert stamps(report) != watched


def test_every_kind_of_picture_is_watched(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text("", encoding="utf-8")
    report = WantedReport(
        tmp_path / "lab.toml", folder, tmp_path / "theme", (), (), "cpu", tmp_path
    )
    for ending in KINDS:
        before = stamps(report)
        (folder / f"new{ending.upper()}").touch()
        assert len(stamps(report)) == len(before) + 1
