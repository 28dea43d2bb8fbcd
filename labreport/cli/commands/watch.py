"""`labreport watch`: build whenever the lab, its notes or a template changes, and show the page."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from labreport.cli.arguments import (
    DeviceOption,
    HoursOption,
    JobsOption,
    LabArgument,
    LangOption,
    MemoryOption,
    OnlyOption,
    OutputOption,
)
from labreport.cli.help import option
from labreport.cli.startup_texts import short_text
from labreport.cli.terminal import reported, say

if TYPE_CHECKING:
    from labreport.cli.serve import Server

EVERY = 0.3
"""Seconds from one look at the files to the next; what changes is left alone for as long."""


def watch(
    lab: LabArgument = None,
    only: OnlyOption = None,
    lang: LangOption = None,
    output: OutputOption = Path("output"),
    jobs: JobsOption = None,
    memory: MemoryOption = None,
    hours: HoursOption = 12.0,
    device: DeviceOption = "cpu",
    port: Annotated[int, option("--port", metavar="N", min=0, max=65535, text="port")] = 0,
    no_browser: Annotated[bool, option("--no-browser", text="no-browser")] = False,
) -> None:
    """Parse `labreport watch`; build, serve and look again until it is interrupted."""
    from labreport.cli.serve import serving
    from labreport.freshness import stamps, wanted

    arguments = [f"--only={name}" for name in only or ()]
    arguments += [f"--lang={code}" for code in lang or ()]
    arguments += [f"--output={output}", f"--hours={hours}", f"--device={device}"]
    arguments += [f"--jobs={jobs}"] if jobs else []
    arguments += [f"--memory={memory}"] if memory else []
    arguments += ["--", str(lab)] if lab else []

    def seen() -> tuple[str, ...]:
        try:
            return stamps(wanted(lab, tuple(only or ()), tuple(lang or ()), device, output))
        except OSError:
            # A file that goes while it is looked at is looked at once more.
            return ()

    with reported(), serving(output, port) as server, _until_interrupted():
        say(short_text("watching", address=server.address))
        _build_on_changes(server, arguments, seen, opens_browser=not no_browser)


def _build_on_changes(
    server: Server,
    arguments: list[str],
    seen: Callable[[], tuple[str, ...]],
    *,
    opens_browser: bool,
) -> None:
    """Build, tell the open pages and wait for a change, until it is interrupted.

    Args:
        server: of the pages.
        arguments: of each build.
        seen: what files are like now.
        opens_browser: once the first build has succeeded.
    """
    while True:
        before = seen()
        built = _build(arguments)
        server.announce()
        if built and opens_browser:
            opens_browser = False
            _open(server.address)
        _wait_for_change(before, seen)


def _build(arguments: list[str]) -> bool:
    """Build in a process of its own, which reads templates and program anew; says whether it did.

    It imports no more than it needs, and whatever becomes of it, watching goes on.
    """
    from labreport.freshness import PACKAGE

    code = "from labreport.__main__ import main; main()"
    place = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-c", code, "build", *arguments]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": place}) as process:
        try:
            return process.wait() == 0
        except KeyboardInterrupt:
            # The terminal has interrupted it, too; if somebody else has not, it is ended here.
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.terminate()


def _wait_for_change(before: tuple[str, ...], seen: Callable[[], tuple[str, ...]]) -> None:
    """Return when something has changed and has been left alone since the last look."""
    while (latest := seen()) == before:
        time.sleep(EVERY)
    while True:
        time.sleep(EVERY)
        now = seen()
        if now == latest:
            return
        latest = now


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """To interrupt is how watching ends: no failure."""
    try:
        yield
    except KeyboardInterrupt:
        say(short_text("watched"))


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
