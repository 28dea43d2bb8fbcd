"""Files that are whole or not there: temporary name, synced, renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG

from labreport.errors import BuildError, Fault, InputError

UNFINISHED = ".labreport-unfinished"
"""The ending of the name of a file while it is being written."""

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
OCCUPIED = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST}


class NotRegularError(OSError):
    """The error that a folder, a pipe, a device or a socket stands under the name of a file."""


def refuse_irregular(path: Path) -> None:
    """Raise NotRegularError if a path leads to no regular file, OSError if it leads nowhere."""
    _refuse_mode(path.stat().st_mode)


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to be read as bytes, never waiting for the other end of a pipe.

    Raises:
        NotRegularError: if the path leads to something else than a regular file.
        OSError: if it cannot be opened.
    """
    # Before it is opened, because to open a device can do something; after it, because what has
    # the name may have changed in between.
    refuse_irregular(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    try:
        _refuse_mode(os.fstat(handle).st_mode)
        return open(handle, "rb")  # noqa: PTH123
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, largest: int | None = None) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        largest: bytes that it may have; any number if None.

    Raises:
        NotRegularError: if the path leads to something else than a regular file.
        OSError: if it cannot be read, or has more bytes.
    """
    with open_regular(path) as file:
        content = file.read(-1 if largest is None else largest + 1)
    if largest is not None and len(content) > largest:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content


def _refuse_mode(mode: int) -> None:
    if not S_ISREG(mode):
        raise NotRegularError(errno.EINVAL, "not a regular file")


Content = bytes | Iterable[bytes]
"""The content of a file, at once or bit by bit."""


def write_atomically(path: Path, content: Content) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one.

    Raises:
        BuildError: if the folder or the file cannot be written; the old file is untouched.
    """
    write_together([(path, content)])


def write_together(files: Sequence[tuple[Path, Content]]) -> None:
    """Write files so that a reader, or a crash, sees of each the old one or the new one.

    All of them are on the disk before the first takes its place, so that what fails for want of
    room or permission leaves all of the old ones. They take their places in the order given, and a
    crash between two renames, which take less than a millisecond, leaves some old and some new.

    Raises:
        BuildError: if a folder or a file cannot be written.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in files:
            with writing(path):
                staged.append((_stage(path, content), path))
        for temporary, path in staged:
            with writing(path):
                temporary.replace(path)
    finally:
        for temporary, _ in staged:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    for folder in dict.fromkeys(path.parent for path, _ in files):
        _sync_folder(folder)


def _stage(path: Path, content: Content) -> Path:
    """Write what is to become a file under a temporary name beside it; says which."""
    # Here, because a build that has nothing to do writes no file, and is to say so at once.
    import tempfile

    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(UNFINISHED, f".{path.name}.", path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner reads; a report is for others, too.
        temporary.chmod(0o644)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    """Flush the new names to the disk, too. Not every system opens folders: there it is left."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def set_aside(path: Path) -> Path:
    """Give a file, or a link, a name that nothing has: ``report.altered.pdf`` for ``report.pdf``.

    Raises:
        OSError: if it cannot be renamed.
    """
    number, aside = 1, path.with_name(f"{path.stem}.altered{path.suffix}")
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.stem}.altered.{number}{path.suffix}")
    return path.rename(aside)


def nearest_there(path: Path) -> Path:
    """A path, or the nearest one above it that is there, be it a link that leads nowhere.

    Raises:
        InputError: if the system takes no such name.
    """
    try:
        return next(p for p in (path, *path.absolute().parents) if p.is_symlink() or p.exists())
    except OSError as error:
        detail = {"detail": error.strerror or str(error)}
        raise InputError(Fault("file-unreadable", detail, file=path)) from None


def unfinished(folder: Path) -> list[Path]:
    """Temporary files in a folder: of a write that is under way, or of one that was killed."""
    found = folder.glob(f".*{UNFINISHED}")
    return sorted(path for path in found if path.is_symlink() or not path.is_dir())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the system into one that says what to do. Raises BuildError."""
    try:
        yield
    except OSError as error:
        raise BuildError(_fault(path, error)) from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the system's refusal to read what is there into an error that names it.

    Raises:
        BuildError: if a file or folder may not be read, or reading it fails.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, NotRegularError):
        # Not there, or not what is looked for: that is the caller's to tell.
        raise
    except OSError as error:
        detail = {"detail": error.strerror or str(error)}
        raise BuildError(Fault("file-unreadable", detail, file=path)) from None


def _fault(path: Path, error: OSError) -> Fault:
    detail = {"detail": error.strerror or str(error)}
    if error.errno in FULL:
        return Fault("disk-full", detail, file=path)
    if error.errno in FORBIDDEN:
        return Fault("not-allowed", detail, file=path)
    if error.errno in OCCUPIED:
        return Fault("in-the-way", detail, file=_obstacle(path))
    return Fault("not-written", detail, file=path)


def _obstacle(path: Path) -> Path:
    """The file that stands where a folder of the path should be; else the path itself."""
    files = (p for p in reversed(path.parents) if p.exists() and not p.is_dir())
    return next(files, path)
