"""`labreport build`: run what is missing and write the report."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labreport.commands.arguments import LabArgument, OutputOption, experiment_names
from labreport.commands.help import option
from labreport.commands.quick import quick_text
from labreport.commands.terminal import printable, progress_bar, reported, say, terminal_language

if TYPE_CHECKING:
    from labreport.pipeline import Summary
    from labreport.receipt import Standing


def build(
    lab: LabArgument = None,
    only: Annotated[
        list[str] | None,
        option("--only", metavar="NAME", text="only", autocompletion=experiment_names),
    ] = None,
    lang: Annotated[list[str] | None, option("--lang", metavar="zh|en", text="lang")] = None,
    output: OutputOption = Path("output"),
    jobs: Annotated[int | None, option("--jobs", "-j", metavar="N", min=1, text="jobs")] = None,
    memory: Annotated[int | None, option("--memory", metavar="MIB", min=16, text="memory")] = None,
    hours: Annotated[float, option("--hours", metavar="N", min=0.0, text="hours")] = 12.0,
    device: Annotated[str, option("--device", metavar="cpu|cuda", text="device")] = "cpu",
    force: Annotated[bool, option("--force", text="force")] = False,
) -> None:
    """Parse `labreport build`, and say what was done."""
    from labreport.receipt import Asked, made_of, standing

    names, languages = tuple(only or ()), tuple(lang or ())
    # Before anything is imported that a build needs: where nothing is new, nothing is needed.
    asked = Asked(lab, names, languages, device)
    report = None if force else standing(output, made_of(asked))
    if report is not None:
        _print_standing(report)
        return

    from labreport.pipeline import Request, build
    from labreport.work import Machine

    machine = Machine(device, jobs or os.cpu_count() or 1, hours=hours)
    if memory is not None:
        machine = replace(machine, memory=memory * 2**20, limit=memory * 2**20)
    request = Request(lab, names, languages, output, machine)
    with reported(), progress_bar() as progress:
        summary = build(request, progress)
    _print_summary(summary)


def _print_standing(report: Standing) -> None:
    say(quick_text("cli.up-to-date", count=report.runs))
    for path in report.files:
        typer.echo(f"{quick_text('cli.unchanged')} {printable(path)}")


def _print_summary(summary: Summary) -> None:
    words = terminal_language()
    say(words.text("cli.trained", trained=summary.trained, stored=summary.stored))
    if summary.damaged:
        names = ", ".join(path.name for path in summary.damaged)
        say(words.text("cli.damaged", count=len(summary.damaged), names=names))
    if summary.outdated:
        say(words.text("cli.outdated", count=len(summary.outdated)))
    if summary.left_out:
        say(words.text("cli.part-of-the-lab", count=summary.left_out))
    if summary.without_reflection:
        say(words.text("cli.no-reflection"))
    for path in summary.written:
        typer.echo(f"{words.text('cli.written')} {printable(path)}")
