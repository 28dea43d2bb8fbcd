"""`labreport export`: the stored arrays of an experiment, printed or written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labreport.cli.arguments import ExperimentArgument, LabArgument, OutputOption
from labreport.cli.help import option
from labreport.cli.terminal import printable, reported, terminal_language


def _formats(incomplete: str) -> list[str]:
    from labreport.cli.export_choice import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def export(
    name: ExperimentArgument,
    lab: LabArgument = None,
    format_: Annotated[
        str | None,
        option("--format", metavar="FORMAT", text="format", autocompletion=_formats),
    ] = None,
    to: Annotated[Path, option("--to", metavar="FILE", text="to")] = Path("-"),
    force: Annotated[bool, option("--force", text="replace")] = False,
    output: OutputOption = Path("output"),
) -> None:
    """Parse `labreport export`, and print the arrays or say where they were written."""
    from labreport.cli.export_choice import Export, export
    from labreport.cli.stored_experiments import Selection

    file = None if to == Path("-") else to
    with reported():
        stdout = typer.get_binary_stream("stdout")
        for chunk in export(Export(Selection(name, lab, output), format_, file, force)):
            stdout.write(chunk)
        stdout.flush()
    if file is not None:
        typer.echo(f"{terminal_language().text('cli.written')} {printable(file)}")
