"""Files that are whole or not there."""

import errno
import os
import stat
from pathlib import Path

import pytest

from labreport.errors import BuildError
from labreport.runs.files import (
    NotRegularError,
    read_regular,
    refuse_irregular,
    unfinished,
    write_atomically,
    write_together,
)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_not_written(path: Path, code: str = "not-written", blamed: Path | None = None) -> None:
    with pytest.raises(BuildError) as caught:
        write_atomically(path, b"new")
    (fault,) = caught.value.faults
    assert (fault.code, fault.file) == (code, blamed or path)
    assert fault.values["detail"]
    assert caught.value.exit_code == 1


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"\0\xffnew")
    assert path.read_bytes() == b"\0\xffnew"
    assert files(path.parent) == {"file"}


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old and longer")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert files(tmp_path) == {"file"}


def test_a_reader_of_the_old_file_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old"


def test_others_may_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (path / "inside").mkdir(parents=True)
    assert_not_written(path, "in-the-way")
    assert files(tmp_path) == {"file"}
    assert files(path) == {"inside"}


def test_a_file_in_the_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"old")
    assert_not_written(tmp_path / "folder" / "file", "in-the-way", tmp_path / "folder")
    assert_not_written(tmp_path / "folder" / "deep" / "file", "in-the-way", tmp_path / "folder")
    assert (tmp_path / "folder").read_bytes() == b"old"
    assert files(tmp_path) == {"folder"}


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert_not_written(tmp_path / ("x" * 5000))
    assert files(tmp_path) == set()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, b"old")
    path.parent.chmod(0o500)
    try:
        assert_not_written(path, "not-allowed")
        assert path.read_bytes() == b"old"
        assert files(path.parent) == {"file"}
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    assert_not_written(path, "disk-full")
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == {"file"}


def test_an_interruption_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == {"file"}


def test_of_files_that_belong_together_none_is_replaced_if_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    (tmp_path / "two").mkdir()
    with pytest.raises(BuildError):
        write_together([(tmp_path / name, b"new") for name in ("one", "two", "three")])
    assert (tmp_path / "one").read_bytes() == b"old"
    assert files(tmp_path) == {"one", "two"}


def test_what_is_being_written_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(unfinished(tmp_path)))
    write_atomically(tmp_path / "file", b"new")
    assert len(seen) == 1
    assert unfinished(tmp_path) == []


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to a pipe", "loop", "nothing"])
def test_only_a_regular_file_is_opened_and_nothing_is_waited_for(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "it"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    elif kind == "loop":
        path.symlink_to("it")
    expected = OSError if kind in ("loop", "nothing") else NotRegularError
    with pytest.raises(expected):
        read_regular(path)
    with pytest.raises(expected):
        refuse_irregular(path)


def test_a_regular_file_is_read_whole_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"1234")
    (tmp_path / "link").symlink_to("it")
    assert read_regular(tmp_path / "link", 4) == b"1234"
    with pytest.raises(OSError, match="too large"):
        read_regular(tmp_path / "it", 3)
