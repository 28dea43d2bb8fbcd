"""Errors in a command line, in the language of the terminal.

Typer finds it out and says it in English only; the sentence is known by its English words. One
that is not known is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from labreport.cli.startup_texts import startup_text

UsageError: Any = typer.BadParameter.__mro__[1]
"""Base of all that can be wrong with a command line; typer exports only one of its kinds."""

_KNOWN: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), key)
    for pattern, key in (
        (r"No such option: (?P<found>\S+)", "no-option"),
        (r"No such command '(?P<found>.*?)'", "no-command"),
        (r"Got unexpected extra arguments? ?\(?s?\)? ?\((?P<found>.*)\)", "extra"),
        (r"Option '?(?P<name>-[\w-]+)'? requires an argument", "needs-value"),
        (r"Option '?(?P<name>-[\w-]+)'? does not take a value", "takes-no-value"),
        (r"Missing argument '?(?P<name>[^'.]+)", "missing"),
        (r"Missing option '?(?P<name>[^'.]+)", "missing"),
        (r"Invalid value for (?P<name>.+?): empty", "empty"),
        (r"Invalid value for (?P<name>.+?): .*valid integer", "no-whole-number"),
        (r"Invalid value for (?P<name>.+?): .*(?:valid number|valid float)", "no-number"),
        (
            r"Invalid value for (?P<name>.+?): .*greater than or equal to (?P<least>\S+)",
            "too-small",
        ),
    )
]


@contextmanager
def told_in_words() -> Iterator[None]:
    """Say what is wrong with the command line, and how to get help, and end with exit code 2.

    An interruption that no command has told is told here.
    """
    try:
        yield
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        for line in lines(error):
            typer.echo(line, err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        # Typer would end without a word.
        typer.echo(startup_text("cli.interrupted"), err=True)
        raise typer.Exit(130) from None


def lines(error: Any) -> Iterator[str]:
    """Usage, how to get help, what is wrong, and the nearest name."""
    from labreport.cli.terminal import clean
    from labreport.lab.reading.faults import nearest

    context = error.ctx
    if context is not None:
        yield context.get_usage()
        yield startup_text("cli.usage-help", command=f"{context.command_path} --help")
    message = error.format_message()
    for pattern, key in _KNOWN:
        match = pattern.match(message)
        if match:
            # Typer's quotation marks are of English.
            told = {n: clean(v.replace("'", "")) for n, v in match.groupdict().items()}
            yield startup_text(f"cli.usage-{key}", **told)
            near = nearest(told.get("found", ""), _possible(key, context))
            if near:
                yield "    " + startup_text("fault-part.nearest", name=near)
            return
    yield clean(message)


def _possible(key: str, context: Any) -> list[str]:
    """Names that could stand in the place of one that is not there."""
    if context is None:
        return []
    if key == "no-command":
        return list(context.command.commands)
    options = (p for p in context.command.get_params(context) if p.param_type_name == "option")
    return [name for option in options for name in option.opts] if key == "no-option" else []
