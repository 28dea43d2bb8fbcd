"""`labreport list`: experiments, their runs, and what is stored."""

from __future__ import annotations

from pathlib import Path

from labreport.cli.arguments import JsonOption, LabArgument, OutputOption
from labreport.cli.startup_texts import short_text, terminal_code
from labreport.cli.terminal import print_json, printable, reported, say_shipped


def list_(
    lab: LabArgument = None, output: OutputOption = Path("output"), as_json: JsonOption = False
) -> None:
    """Parse `labreport list`, and print a table or JSON."""
    from labreport.build.listing import list_experiments

    if not as_json:
        say_shipped(lab)
    with reported(writes=False):
        listed = list_experiments(lab, output)
    if as_json:
        rows = [
            {"name": e.name, "title": e.title, "runs": e.runs, "stored": e.stored} for e in listed
        ]
        print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column(short_text("list-experiment"))
    table.add_column(short_text("list-title"))
    table.add_column(short_text("list-runs"), justify="right")
    table.add_column(short_text("list-stored"), justify="right")
    for entry in listed:
        title = printable(entry.title[terminal_code()])
        table.add_row(entry.name, Text(title), str(entry.runs), str(entry.stored))
    Console().print(table)
