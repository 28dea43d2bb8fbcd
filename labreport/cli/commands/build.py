"""`labreport build`: run what is missing and write the report, unless it is current."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labreport.cli.arguments import (
    DeviceOption,
    FormatOption,
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
from labreport.cli.terminal import (
    printable,
    progress_bar,
    reported,
    say,
    say_shipped,
    say_stray,
    terminal_language,
)

if TYPE_CHECKING:
    from labreport.build.request import Summary


def build(
    lab: LabArgument = None,
    only: OnlyOption = None,
    lang: LangOption = None,
    formats: FormatOption = None,
    output: OutputOption = Path("output"),
    jobs: JobsOption = None,
    memory: MemoryOption = None,
    hours: HoursOption = 12.0,
    device: DeviceOption = "cpu",
    evidence: Annotated[bool, option("--evidence", text="evidence")] = False,
    force: Annotated[bool, option("--force", text="force")] = False,
) -> None:
    """Parse `labreport build`, and say what was done, or at once that nothing is to be done."""
    from labreport.freshness import current_record, wanted

    chosen, languages, kinds = tuple(only or ()), tuple(lang or ()), tuple(formats or ())
    asked = wanted(lab, chosen, languages, device, output, kinds, evidence=evidence)
    found = None if force else current_record(asked)
    if found is not None:
        say(short_text("up-to-date"))
        _print_files(short_text("unchanged"), (output / name for name in found.files), chosen)
        return

    say_shipped(lab)
    with reported(), progress_bar() as progress:
        # Within, because to import them takes long enough to be interrupted.
        from labreport.build.pipeline import build
        from labreport.build.request import Request
        from labreport.training.execution import Resources

        machine = Resources(device, jobs or os.cpu_count() or 1, hours=hours)
        if memory is not None:
            machine = machine.within(memory * 2**20)
        request = Request(lab, chosen, languages, output, machine, force, kinds, evidence)
        summary = build(request, progress)
    _print_summary(summary, chosen)


def _print_summary(summary: Summary, only: tuple[str, ...]) -> None:
    words = terminal_language()
    say(words.text("cli.trained", trained=summary.trained, stored=summary.stored))
    if summary.damaged:
        names = ", ".join(path.name for path in summary.damaged)
        say(words.text("cli.damaged", count=len(summary.damaged), names=names))
    if summary.restored:
        names = ", ".join(path.name for path in summary.restored)
        say(words.text("cli.rows-restored", count=len(summary.restored), names=names))
    if summary.altered:
        say(words.text("cli.altered", names=", ".join(summary.altered)))
    if summary.outdated:
        say(words.text("cli.outdated", count=len(summary.outdated)))
    say_stray(summary.stray)
    if summary.without_reflection:
        say(words.text("cli.no-reflection"))
    if summary.unfilled:
        lines = words.join([words.text(f"cover.{key}") for key in summary.unfilled])
        say(words.text("cli.placeholders", names=lines))
    _print_files(words.text("cli.written"), summary.written, only)


def _print_files(what: str, files: Iterable[Path], only: tuple[str, ...]) -> None:
    """Print what became of each file, and, if the report is partial, how to have all of it."""
    for path in files:
        typer.echo(f"{what} {printable(path)}")
    if only:
        say(short_text("part", names=", ".join(only)))
