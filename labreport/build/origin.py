"""The origin of a report: machine, versions and the command that builds it."""

from __future__ import annotations

import os
import platform
import shlex
from importlib.metadata import version
from typing import TYPE_CHECKING

from labreport.formats.table import USUAL
from labreport.lab.plan import Lab
from labreport.runs.run import Environment
from labreport.shipped import LAB_FILE
from labreport.training import SEMANTICS

if TYPE_CHECKING:
    pass
from labreport.build.inputs import chosen_formats, chosen_languages
from labreport.build.request import Request

VERSIONS = ("labreport", "torch", "numpy", "matplotlib", "weasyprint")


def this_environment(device: str = "cpu") -> Environment:
    """Return what determines numbers beside a configuration, without importing torch."""
    return Environment(trainer=SEMANTICS, torch=version("torch"), device=device)


def printed_environment(device: str) -> tuple[tuple[str, str, str], ...]:
    """Device, versions and system: key in the catalogue, name that the key takes, value."""
    versions = tuple(("environment-version", name, version(name)) for name in VERSIONS)
    system = f"{platform.system()} {platform.machine()}"
    python = ("environment-version", "Python", platform.python_version())
    return (
        ("environment-device", "", "CPU"),
        ("environment-system", "", system),
        python,
        *versions,
    )


def command_again(request: Request, whole: Lab) -> str:
    """The command that builds the same report; what goes without saying is left out."""
    words = ["labreport", "build"]
    named = request.lab is not None and request.lab.name != LAB_FILE
    words += [request.lab.name] if named and request.lab is not None else []
    words += [word for name in request.only for word in ("--only", name)]
    if chosen_languages(request.languages, whole) != chosen_languages((), whole):
        words += [word for code in request.languages for word in ("--lang", code)]
    if chosen_formats(request.formats) != USUAL:
        words += [word for name in request.formats for word in ("--format", name)]
    words += ["--evidence"] if request.evidence else []
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word as a shell takes it; one with bytes that are no text, by the numbers of these."""
    try:
        word.encode()
    except UnicodeEncodeError:
        escaped = (
            chr(b) if 32 <= b < 127 and chr(b) not in "'\\" else f"\\x{b:02x}"
            for b in os.fsencode(word)
        )
        return f"$'{''.join(escaped)}'"
    return shlex.quote(word)
