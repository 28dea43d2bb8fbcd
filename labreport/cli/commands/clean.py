"""`labreport clean`: remove from the store what no lab refers to, after saying what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from labreport.cli.arguments import OutputOption
from labreport.cli.help import option
from labreport.cli.terminal import printable, progress_bar, reported, terminal_language


def clean(
    labs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LAB.toml...", help="help.labs", show_default=False),
    ] = None,
    output: OutputOption = Path("output"),
    yes: Annotated[bool, option("--yes", text="yes")] = False,
) -> None:
    """Parse `labreport clean`, say what would go, and ask."""
    from labreport.build.cleaning import clean, plan_cleaning
    from labreport.errors import Fault, InputError

    words = terminal_language()
    with reported():
        plan = plan_cleaning(labs or (), output)
        names = ", ".join(printable(path) for path in plan.labs)
        typer.echo(words.text("cli.clean-labs", names=names))
        for group in plan.found:
            count = len(group.paths)
            text = words.text(
                f"cli.clean-{group.kind}", count=count, runs=group.runs, size=group.size
            )
            typer.echo(text)
        if not plan.found:
            typer.echo(words.text("cli.clean-nothing"))
            return
        if not yes and not sys.stdin.isatty():
            raise InputError(Fault("clean-unasked"))
        if not yes and not _agreed(words.text("cli.clean-question")):
            typer.echo(words.text("cli.clean-kept"))
            return
        with progress_bar() as progress:
            clean(plan, progress)
        typer.echo(words.text("cli.clean-done"))


def _agreed(question: str) -> bool:
    typer.echo(f"{question} ", nl=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")
