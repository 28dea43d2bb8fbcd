"""What a report was made of, written beside it, so that a build with nothing new does nothing.

A report follows from bytes: of the lab file, the notes, the tool with its templates and
catalogues, from what was asked for, and from the versions of what computes and draws. Where these
are the ones that the receipt names, the files are the ones that were written, and the stored runs
are there, another build would write the same bytes. To find that out takes reading and hashing,
and none of the libraries that a build needs.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labreport.places import lab_path, notes_folder
from labreport.shipped import shipped

NAME = "receipt.json"

FORMAT = 1

DEPENDENCIES = (
    "babel",
    "jinja2",
    "labreport",
    "markdown-it-py",
    "matplotlib",
    "numpy",
    "safetensors",
    "torch",
    "weasyprint",
    "ziamath",
    "zhplot",
)
"""Packages whose version may show in a number, a figure or a page."""

MadeOf = Mapping[str, Any]
"""What a report follows from, as JSON has it."""


@dataclass(frozen=True)
class Asked:
    """What decides what is in a report, of all that a build is asked for."""

    lab: Path | None
    only: Sequence[str]
    languages: Sequence[str]
    device: str


def made_of(asked: Asked) -> MadeOf | None:
    """What a report follows from; None where that cannot be read.

    To be asked before any of it is read for the report: what changes in between is then new to
    the next build.
    """
    path = lab_path(asked.lab)
    try:
        return {
            "format": FORMAT,
            "lab": {"name": path.name, "is_named": asked.lab is not None, "sha256": _digest(path)},
            "notes": {note.name: _digest(note) for note in _files(notes_folder(path))},
            "only": list(asked.only),
            "languages": list(asked.languages),
            "device": asked.device,
            "tool": _digest_of_the_tool(),
            "versions": {name: version(name) for name in DEPENDENCIES},
            "system": [platform.system(), platform.machine(), platform.python_version()],
        }
    except OSError:
        return None


def receipt(made: MadeOf, files: Mapping[str, bytes], stored: Sequence[str], trained: int) -> bytes:
    """The receipt of a report.

    Args:
        made: what it follows from.
        files: its files by name, which lie beside the receipt.
        stored: files of the runs that it was made from, seen from the same folder.
        trained: how many runs those are.
    """
    written = {
        "made_of": made,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "stored": list(stored),
        "runs": trained,
    }
    return (json.dumps(written, ensure_ascii=False, indent=1) + "\n").encode()


@dataclass(frozen=True)
class Standing:
    """A report that is there and is what a build would write: its files, and of how many runs."""

    files: tuple[Path, ...]
    runs: int


def standing(output: Path, made: MadeOf | None) -> Standing | None:
    """The report in a folder, if it is up to date.

    Args:
        output: the folder.
        made: what a report would follow from now.

    Returns:
        None where anything is new, lacking or not as it was written, or nothing is known.
    """
    try:
        known = json.loads((output / NAME).read_bytes())
        if made is None or known["made_of"] != made:
            return None
        files = tuple(output / name for name in known["files"])
        whole = all(_digest(p) == d for p, d in zip(files, known["files"].values(), strict=True))
        there = all(_is_untouched(output / name, output / NAME) for name in known["stored"])
        return Standing(files, int(known["runs"])) if whole and there else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _is_untouched(stored: Path, written: Path) -> bool:
    """Whether a file of runs is there and was not written after the receipt.

    It is named by its bytes, and compared with them before its numbers are used, which here they
    are not.
    """
    return stored.is_file() and stored.stat().st_mtime_ns <= written.stat().st_mtime_ns


def _digest_of_the_tool() -> str:
    """SHA-256 of the code, templates, style sheets and catalogues."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for folder in (package, shipped("templates")):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(folder).as_posix()}\0{_digest(path)}\n".encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file())
