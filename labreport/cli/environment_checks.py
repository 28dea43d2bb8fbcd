"""Checks of whether this machine can build this lab: each requirement, tried by itself."""

from __future__ import annotations

import importlib
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from labreport.build.inputs import check_notes
from labreport.errors import BuildError, Fault, InputError, LabreportError
from labreport.estimate import estimate
from labreport.lab.plan import Lab
from labreport.lab.reading.load import load
from labreport.runs.files import nearest_there
from labreport.shipped import lab_path, notes_folder
from labreport.training.execution import free_space

PANGO = {"Linux": "pango-linux", "Darwin": "pango-macos", "Windows": "pango-windows"}
"""The way to install Pango on each system, as a key of the catalogues."""

OLDEST_PYTHON = (3, 11)

REPORT_BYTES = 50 * 2**20
"""Room for the report itself, and for a second copy of it while it is written."""


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: what, a key of the catalogues (``doctor.<name>``).
        found: what was found, in few words or numbers.
        faults: what is wrong with it; nothing if all is well.
        fix: how to put it right, a key of the catalogues (``doctor-fix.<fix>``); "" if the faults
            say so themselves.
        values: what the text of the fix mentions.
    """

    name: str
    found: str = ""
    faults: tuple[Fault, ...] = ()
    fix: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        return not self.faults


def examine(given: Path | None, output: Path) -> tuple[Check, ...]:
    """Every check, in the order in which a build would need it; none stops the others."""
    return tuple(_checks(given, output))


def _checks(given: Path | None, output: Path) -> Iterator[Check]:
    yield _python()
    yield _torch()
    yield _pango()
    yield _font()
    lab, checked = _lab(given)
    yield checked
    if lab is not None:
        yield _characters(lab, lab_path(given))
    yield _disk(lab, output)
    yield _output(output)


def _python() -> Check:
    found = platform.python_version()
    oldest = ".".join(map(str, OLDEST_PYTHON))
    faults = (
        ()
        if sys.version_info >= OLDEST_PYTHON
        else (Fault("old-python", {"found": found, "oldest": oldest}),)
    )
    return Check("python", found, faults, "python")


def _torch() -> Check:
    return _tried("torch", lambda: str(importlib.import_module("torch").__version__), "torch")


def _pango() -> Check:
    def load() -> str:
        from labreport.formats.pdf import glyphless

        # A page with a letter goes through all of the libraries.
        glyphless("<p>a</p>")
        return f"WeasyPrint {version('weasyprint')}"

    return _tried("pango", load, _pango_fix())


def _pango_fix() -> str:
    return PANGO.get(platform.system(), PANGO["Linux"])


def _font() -> Check:
    def find() -> str:
        from labreport.render.figures.style import font_path

        return f"{font_path().name} ({len(font_path().read_bytes()) // 2**20} MiB)"

    return _tried("font", find, "font")


def _tried(name: str, attempt: Callable[[], str], fix: str) -> Check:
    """A check of something that may fail in as many ways as libraries can."""
    try:
        return Check(name, attempt())
    except BuildError as error:
        return Check(name, faults=error.faults, fix=fix)
    except Exception as error:
        detail = f"{type(error).__name__}: {error}".splitlines()[0]
        return Check(name, faults=(Fault("does-not-work", {"detail": detail}),), fix=fix)


def _lab(given: Path | None) -> tuple[Lab | None, Check]:
    path = lab_path(given)
    try:
        lab = load(path)
        check_notes(lab, lab, notes_folder(path), lab.languages)
    except LabreportError as error:
        return None, Check("lab", faults=error.faults)
    return lab, Check("lab", str(path))


def _characters(lab: Lab, path: Path) -> Check:
    from labreport.formats.missing_characters import missing_characters

    try:
        notes = check_notes(lab, lab, notes_folder(path), lab.languages)
        faults = missing_characters(lab, path, notes.files, lab.languages)
        return Check("characters", faults=faults)
    except BuildError as error:
        return Check("characters", faults=error.faults, fix=_pango_fix())


def _disk(lab: Lab | None, output: Path) -> Check:
    needed = REPORT_BYTES + (estimate(lab.recordings()).disk if lab else 0)
    try:
        free = free_space(output)
    except InputError as error:
        return Check("disk", faults=error.faults, fix="output")
    values = {"found": free // 2**20, "needed": -(-needed // 2**20)}
    faults = () if free >= needed else (Fault("little-disk", values, file=output),)
    return Check("disk", f"{free // 2**20} MiB", faults, "disk", values)


def _output(output: Path) -> Check:
    try:
        there = nearest_there(output)
    except InputError as error:
        return Check("output", faults=error.faults, fix="output")
    if not there.is_dir():
        return Check("output", faults=(Fault("not-a-folder", file=there),), fix="output")
    try:
        # Only trying tells: permissions, quotas and read-only disks are many things.
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"labreport")
    except OSError as error:
        detail = {"detail": error.strerror or str(error)}
        return Check("output", faults=(Fault("not-written", detail, file=there),), fix="output")
    return Check("output", str(output))
