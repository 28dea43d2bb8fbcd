"""Help in the language of the terminal.

Typer's texts are keys of the catalogues here, and are replaced when the program starts.
"""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from labreport.cli.startup_texts import startup_text
from labreport.cli.usage import told_in_words

_HEADINGS = {"argument": "arguments", "option": "options"}
_COMPLETION = {
    "install_completion": "install-completion",
    "show_completion": "show-completion",
}


def _text(key: str, /, **values: object) -> str:
    return startup_text(f"help.{key}", **values)


def _translated(key: str | None, **values: object) -> str | None:
    """The text for a key; whatever is no key stays as it is."""
    if key is None or not key.startswith("help."):
        return key
    return _text(key.removeprefix("help."), **values)


def _translate(command: Any) -> None:
    """Put texts in place of keys; an option's default goes where its text asks for it."""
    for name in ("help", "short_help"):
        setattr(command, name, _translated(getattr(command, name)))
    command.options_metavar = f"[{_text('options')}]"
    if command.epilog:
        # A backspace keeps the lines of a paragraph as they are.
        command.epilog = f"\b\n{_translated(command.epilog)}"
    for parameter in command.params:
        parameter.help = _translated(parameter.help, default=parameter.default)


class _Translated:
    """The common part of a command and the group of commands: words of the terminal's language."""

    def get_help_option(self: Any, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _text("help")
        return option

    def format_usage(self: Any, ctx: Any, formatter: Any) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=_text("usage") + " ")

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        records: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                name, said = record
                said = said.replace("[required]", "").strip()
                # Typer adds the type in Python's words, which say nothing to a reader.
                name = re.sub(r" <[\w\[\]| ,.]+>", "", name)
                records[parameter.param_type_name].append((name, said))
        for kind, rows in records.items():
            if rows:
                with formatter.section(_text(_HEADINGS[kind])):
                    formatter.write_dl(rows)
        if isinstance(self, TyperGroup):
            commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
            with formatter.section(_text("commands")):
                formatter.write_dl([(name, command.help or "") for name, command in commands])


class Command(_Translated, TyperCommand):
    """A command whose help is in the language of the terminal."""


class Group(_Translated, TyperGroup):
    """The program: its help, and that of all commands, in the language of the terminal."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Do as typer does, but report errors in the language of the terminal."""
        with told_in_words():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Do as typer does, but report errors in the language of the terminal."""
        with told_in_words():
            return super().invoke(ctx)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the program, as typer does, after its texts have been put in."""
        _translate(self)
        self.subcommand_metavar = _text("command-metavar")
        for parameter in self.params:
            # Typer's own options, which have no other handle than their names.
            if parameter.name in _COMPLETION:
                text = _text(_COMPLETION[parameter.name])
                setattr(parameter, "help", text)  # noqa: B010, only arguments and options have it
        for command in self.commands.values():
            _translate(command)
        return super().main(*arguments, **options)


def option(*names: str, text: str, metavar: str | None = None, **settings: Any) -> Any:
    """A typer option whose help is a key; its default is told by the text."""
    return typer.Option(
        *names, help=f"help.{text}", metavar=metavar, show_default=False, **settings
    )
