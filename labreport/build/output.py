"""The output folder: whose files it has, and what a build replaces and removes there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING

from labreport.errors import Fault, InputError
from labreport.formats.table import file_names
from labreport.freshness import (
    RECORD,
    ReportRecord,
    foreign,
)
from labreport.runs.files import set_aside, writing

if TYPE_CHECKING:
    pass


def usable_folder(output: Path) -> None:
    """Refuse an output that is there and is no folder, or that can be none."""
    try:
        is_folder = S_ISDIR(output.stat().st_mode)
    except NotADirectoryError:
        # What stands in the way is told when the folder is made.
        return
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not output.is_symlink():
            return
        detail = {"detail": error.strerror or str(error)}
        raise InputError(Fault("file-unreadable", detail, file=output)) from None
    if not is_folder:
        raise InputError(Fault("not-a-folder", file=output))


def refuse_foreign(output: Path, languages: Sequence[str], formats: Sequence[str]) -> None:
    """Refuse to replace what this program did not write.

    Raises:
        InputError: naming each such file.
    """
    names = ["runs.csv", "observations.json"]
    names += [name for name, _, _ in file_names(formats, languages)]
    if others := foreign(output, names):
        raise InputError([Fault("not-ours", file=path) for path in others])


def keep_others(paths: Sequence[Path], before: ReportRecord | None) -> None:
    """Give files another name that are about to be replaced, and not as a build had written them.

    Raises:
        BuildError: if one cannot be renamed.
    """
    for path in paths:
        if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
            continue
        with writing(path):
            ours = before is not None and (path.name == RECORD or before.has_written(path))
            if not ours or path.is_symlink():
                set_aside(path)


def remove_earlier(output: Path, before: ReportRecord | None, now: ReportRecord) -> None:
    """Remove files of the report before that this one has not: they tell what is no longer so.

    A file that somebody has changed since stays.
    """
    if before is None:
        return
    for path in (output / name for name in before.files):
        with suppress(OSError):
            if path.name not in now.files and before.has_written(path):
                path.unlink()
