"""`labreport export`: the stored arrays of an experiment in a format that others read."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labreport.cli.stored_experiments import Selection, stored_parts
from labreport.errors import Fault, InputError
from labreport.lab.reading.faults import nearest
from labreport.runs.files import write_atomically, writing

FORMATS = ("csv", "json", "parquet", "safetensors")
TEXT = ("csv", "json")
"""Formats that a terminal or a pipe takes."""


@dataclass(frozen=True)
class Export:
    """The arguments of an export.

    Attributes:
        wanted: the experiment.
        format: one of ``FORMATS``; None for that of the file's ending, or else CSV.
        to: the file; None for whoever asked to print.
        force: whether a file that is there may be replaced.
    """

    wanted: Selection
    format: str | None
    to: Path | None
    force: bool = False


def export(asked: Export) -> Iterable[bytes]:
    """Write the file, or give its bytes where there is none to write.

    Raises:
        InputError: if the lab, a name, the format or the file is at fault; nothing was written.
        BuildError: if runs are not stored or damaged, or the file cannot be written.
    """
    name = _format(asked)
    _check_file(asked, name)
    content = _render(name, asked.wanted)
    if asked.to is None:
        return without_mark(content)
    write_atomically(asked.to, content)
    return ()


def without_mark(content: Iterable[bytes]) -> Iterator[bytes]:
    """Drop the byte-order mark for a pipe: it is for programs that open a file by its name."""
    for place, chunk in enumerate(content):
        yield chunk.removeprefix(BOM_UTF8) if place == 0 else chunk


def _format(asked: Export) -> str:
    ending = "" if asked.to is None else asked.to.suffix.removeprefix(".").lower()
    name = asked.format or (ending if ending in FORMATS else "csv")
    if asked.to is not None and asked.format is None and ending not in (*FORMATS, ""):
        values, allowed = {"found": f".{ending}"}, tuple(f".{known}" for known in FORMATS)
        near = nearest(f".{ending}", allowed)
        raise InputError(Fault("unknown-ending", values, asked.to, allowed=allowed, nearest=near))
    if name not in FORMATS:
        values = {"found": name}
        hint = nearest(name, FORMATS)
        raise InputError(Fault("unknown-format", values, allowed=FORMATS, nearest=hint))
    if name == "parquet":
        from labreport.export.arrays_parquet import require

        require()
    return name


def _check_file(asked: Export, name: str) -> None:
    """Refuse what must not be written, before anything is read."""
    file = asked.to
    if file is None:
        if name not in TEXT:
            raise InputError(Fault("export-needs-file", {"format": name}))
        return
    if (asked.wanted.output / "runs").resolve() in file.resolve().parents:
        raise InputError(Fault("export-into-store", file=file))
    # A name may be too long to ask for.
    with writing(file):
        is_there, is_file = file.exists(), file.is_file()
    if is_there and not is_file:
        raise InputError(Fault("export-no-file", file=file))
    if is_there and not asked.force:
        raise InputError(Fault("export-file-there", file=file))


def _render(name: str, wanted: Selection) -> Iterator[bytes]:
    from labreport.export import arrays_csv, arrays_json, arrays_parquet, arrays_safetensors

    formats = {
        "csv": arrays_csv.render,
        "json": arrays_json.render,
        "parquet": arrays_parquet.render,
        "safetensors": arrays_safetensors.render,
    }
    return formats[name](stored_parts(wanted))
