"""The kinds of A and B, and reading both so that the faults of both are reported at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, Literal, TypeVar

from labreport.errors import Fault, InputError
from labreport.runs.files import NotRegularError, read_regular

Kind = Literal["lab", "folder", "observations"]
Read = TypeVar("Read")

ENDINGS: dict[str, Kind] = {".toml": "lab", ".json": "observations"}
"""The kind of a file, by the ending of its name."""


def kind_of(a: Path, b: Path) -> Kind:
    """Return the kind of both sides.

    Raises:
        InputError: if one is missing or nothing that can be compared, or they are not the same.
    """
    ours, theirs = both(_kind, a, b)
    if ours != theirs:
        values = {"a": str(a), "of_a": ours, "b": str(b), "of_b": theirs}
        raise InputError(Fault("diff-kinds", values))
    return ours


def _kind(path: Path) -> Kind:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InputError(Fault("file-missing", file=path)) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if S_ISDIR(mode):
        return "folder"
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None or not S_ISREG(mode):
        raise InputError(Fault("diff-unknown-kind", file=path))
    return kind


def both(read: Callable[[Path], Read], a: Path, b: Path) -> tuple[Read, Read]:
    """Both sides read. Raises InputError with the faults of both."""
    old, new = together(lambda: read(a), lambda: read(b))
    return old, new


def together(*reads: Callable[[], Any]) -> list[Any]:
    """Return the result of each. Raises InputError with the faults of all."""
    found: list[Any] = []
    faults: list[Fault] = []
    for read in reads:
        try:
            found.append(read())
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return found


def text_of(path: Path) -> str:
    """The text of a file of a report. Raises InputError if there is none."""
    try:
        return read_regular(path).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(Fault("no-report", file=path)) from None
    except NotRegularError:
        raise InputError(Fault("not-regular", file=path)) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError:
        raise InputError(Fault("not-utf-8", file=path)) from None


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(Fault("file-unreadable", {"detail": error.strerror or str(error)}, file=path))
