"""The command line: which commands there are. What each one does is in ``commands/``."""

from __future__ import annotations

from typing import Annotated

import typer

from labreport import __version__
from labreport.cli.commands.build import build
from labreport.cli.commands.check import check
from labreport.cli.commands.clean import clean
from labreport.cli.commands.diff import diff
from labreport.cli.commands.doctor import doctor
from labreport.cli.commands.export import export
from labreport.cli.commands.list import list_
from labreport.cli.commands.new import new
from labreport.cli.commands.open import open_
from labreport.cli.commands.rules import rules
from labreport.cli.commands.schema import schema
from labreport.cli.commands.show import show
from labreport.cli.commands.watch import watch
from labreport.cli.help import Command, Group, option

app = typer.Typer(
    name="labreport",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    add_completion=True,
    help="help.program",
    epilog="help.program-epilog",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"labreport {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, option("--version", text="version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command(cls=Command, help="help.build", epilog="help.build-epilog")(build)
app.command(cls=Command, help="help.watch", epilog="help.watch-epilog")(watch)
app.command("list", cls=Command, help="help.list", epilog="help.list-epilog")(list_)
app.command("open", cls=Command, help="help.open", epilog="help.open-epilog")(open_)
app.command(cls=Command, help="help.show", epilog="help.show-epilog")(show)
app.command(cls=Command, help="help.export", epilog="help.export-epilog")(export)
app.command(cls=Command, help="help.diff", epilog="help.diff-epilog")(diff)
app.command(cls=Command, help="help.check", epilog="help.check-epilog")(check)
app.command(cls=Command, help="help.rules", epilog="help.rules-epilog")(rules)
app.command(cls=Command, help="help.schema", epilog="help.schema-epilog")(schema)
app.command(cls=Command, help="help.new", epilog="help.new-epilog")(new)
app.command(cls=Command, help="help.clean", epilog="help.clean-epilog")(clean)
app.command(cls=Command, help="help.doctor", epilog="help.doctor-epilog")(doctor)
