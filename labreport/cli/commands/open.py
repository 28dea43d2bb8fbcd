"""`labreport open`: show the report in a program of the system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labreport.cli.arguments import OutputOption
from labreport.cli.help import option
from labreport.cli.terminal import printable, reported, terminal_language


def open_(
    pdf: Annotated[bool, option("--pdf", text="pdf")] = False,
    lang: Annotated[str | None, option("--lang", metavar="zh|en", text="open-lang")] = None,
    output: OutputOption = Path("output"),
) -> None:
    """Parse `labreport open`, and say what was opened, or what there is to open."""
    from labreport.cli.viewer import report_file, show_file

    with reported(writes=False):
        file = report_file(output, lang, "pdf" if pdf else "html")
        key = "cli.opened" if show_file(file) else "cli.not-opened"
    typer.echo(terminal_language().text(key, path=printable(file.resolve())))
