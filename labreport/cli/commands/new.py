"""`labreport new`: a lab to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labreport.cli.help import option
from labreport.cli.terminal import printable, reported, say, terminal_language


def _exercises(incomplete: str) -> list[str]:
    from labreport.cli.starter_labs import EXERCISES

    return [name for name in EXERCISES if name.startswith(incomplete)]


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="help.new-folder")],
    chosen: Annotated[
        str | None,
        typer.Argument(metavar="EXERCISE", help="help.new-exercise", autocompletion=_exercises),
    ] = None,
    exercise: Annotated[
        str | None, option("--exercise", metavar="NAME", text="exercise", autocompletion=_exercises)
    ] = None,
) -> None:
    """Parse `labreport new`, and say what was written and what comes next."""
    from labreport.cli.starter_labs import one_of, start

    with reported():
        written = start(folder, one_of(chosen, exercise))
    words = terminal_language()
    for path in written:
        typer.echo(f"{words.text('cli.written')} {printable(path)}")
    say(words.text("cli.new-next", folder=printable(folder), lab=written[0].name))
