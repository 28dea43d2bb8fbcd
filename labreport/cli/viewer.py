"""The file of a report that a reader wants, and a program of the system to show it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from labreport.build.output import usable_folder
from labreport.build.request import LANGUAGES
from labreport.errors import BuildError, Fault, InputError
from labreport.lab.reading.faults import nearest
from labreport.language.catalogue import HTML_NAMES
from labreport.runs.files import open_regular

_LANGUAGE = re.compile(rb'<html lang="([A-Za-z-]+)"')
_BEGINNING = 1000
"""Bytes of a page within which it names its language."""

_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"
_PATIENCE = 3.0
"""Seconds after which a program that is still at work is taken to show the file."""


def report_file(output: Path, language: str | None, ending: str) -> Path:
    """The report in a language, or in the lab's first one if none is asked for.

    The file without a language in its name is that of the language that its page names.

    Raises:
        InputError: if the output is no folder, or the language is none.
        BuildError: if the report is not there.
    """
    usable_folder(output)
    if language is not None and language not in LANGUAGES:
        values, hint = {"found": language}, nearest(language, LANGUAGES)
        raise InputError(Fault("unknown-language", values, allowed=LANGUAGES, nearest=hint))
    stem = "report"
    if language is not None and _language(output / "report.html") != HTML_NAMES[language]:
        stem = f"report.{language}"
    file = output / f"{stem}.{ending}"
    if not file.is_file():
        raise BuildError(Fault("no-report", file=file))
    return file


def _language(page: Path) -> str | None:
    """The language that a page names; None if there is no page that does."""
    try:
        with open_regular(page) as file:
            found = _LANGUAGE.search(file.read(_BEGINNING))
    except OSError:
        return None
    return found.group(1).decode() if found else None


def show_file(file: Path) -> bool:
    """Open a file with a program of the system; False if it has none to show it with.

    No shell sees the name. Without a screen nothing is started unless the user has named it, and
    what is started gets no terminal, so that it can neither take it over nor wait for it.
    """
    has_screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not has_screen:
        return False
    opener = subprocess.Popen(
        [sys.executable, "-I", "-c", _OPEN, file.resolve().as_uri()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return opener.wait(_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        # Some browsers end only when their window is closed.
        return True
