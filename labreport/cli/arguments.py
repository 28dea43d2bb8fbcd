"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labreport.cli.help import option
from labreport.formats.table import FORMATS


def folder(written: str) -> Path:
    """A folder of the command line; an empty text, often a variable without value, is none."""
    if not written:
        raise typer.BadParameter("empty")
    return Path(written)


LabArgument = Annotated[
    Path | None,
    typer.Argument(metavar="LAB.toml", help="help.lab", show_default=False),
]
OutputOption = Annotated[
    Path, option("--output", "-o", metavar="DIR", text="output", parser=folder)
]
JsonOption = Annotated[bool, option("--json", text="json")]
LangOption = Annotated[list[str] | None, option("--lang", metavar="zh|en", text="lang")]
FormatOption = Annotated[
    list[str] | None, option("--format", metavar="|".join(FORMATS), text="report-format")
]
JobsOption = Annotated[int | None, option("--jobs", "-j", metavar="N", min=1, text="jobs")]
MemoryOption = Annotated[int | None, option("--memory", metavar="MIB", min=16, text="memory")]
HoursOption = Annotated[float, option("--hours", metavar="N", min=0.0, text="hours")]
DeviceOption = Annotated[str, option("--device", metavar="cpu|cuda", text="device")]


def experiment_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of experiments that begin so, with their titles, for the shell to complete."""
    from labreport.build.listing import experiment_titles
    from labreport.cli.startup_texts import terminal_code
    from labreport.errors import LabreportError

    # Before an option that still lacks its value, the shell's words are not told apart.
    given: Any = ctx.params.get("lab") or next(iter(ctx.args), None)
    try:
        titles = experiment_titles(Path(given) if given else None, terminal_code())
    except (LabreportError, OSError):
        # The command itself says what is wrong.
        return []
    return [(name, title) for name, title in titles.items() if name.startswith(incomplete)]


ExperimentArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="help.experiment", autocompletion=experiment_names),
]


OnlyOption = Annotated[
    list[str] | None,
    option("--only", metavar="NAME", text="only", autocompletion=experiment_names),
]
