"""Terminal output of all commands: language, faults, progress, exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from labreport.cli.startup_texts import startup_text, terminal_code

if TYPE_CHECKING:
    from pathlib import Path

    from labreport.errors import BuildError, Fault, LabreportError
    from labreport.language.catalogue import Language
    from labreport.training.execution import Progress

SHOWN_FAULTS = 100
"""Faults that are printed: nobody mends more at once, and a long array can have thousands."""


def terminal_language() -> Language:
    """The language of the terminal, with its catalogue."""
    from labreport.language.catalogue import language

    return language(terminal_code())


@contextmanager
def reported(*, writes: bool = True) -> Iterator[None]:
    """The one place that catches the tool's own errors, prints them and sets the exit code.

    Args:
        writes: whether the command would have written anything, of which the last line speaks.
    """
    from labreport.errors import LabreportError, TrainingInterrupted

    try:
        yield
    except LabreportError as error:
        print_faults(error, writes=writes)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        if error.filename is None:
            raise
        print_faults(_of_the_system(error))
        raise typer.Exit(1) from None
    except TrainingInterrupted as interrupted:
        told = {"kept": interrupted.kept, "missing": interrupted.missing}
        say(terminal_language().text("cli.training-interrupted", **told))
        raise typer.Exit(130) from None
    except KeyboardInterrupt:
        say(terminal_language().text("cli.interrupted"))
        raise typer.Exit(130) from None


@contextmanager
def told_as_json() -> Iterator[None]:
    """Catch errors as ``reported`` does, for a program that asked: faults as JSON on stdout."""
    from labreport.errors import LabreportError

    try:
        yield
    except LabreportError as error:
        words = terminal_language()
        faults = [fault_as_json(fault, words) for fault in error.faults]
        print_json({"faults": faults})
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        if error.filename is None:
            raise
        (fault,) = _of_the_system(error).faults
        print_json({"faults": [fault_as_json(fault, terminal_language())]})
        raise typer.Exit(1) from None


def _of_the_system(error: OSError) -> BuildError:
    """Wrap an error of the system about a file, where no code has examined it more closely."""
    from pathlib import Path

    from labreport.errors import BuildError, Fault

    file = Path(os.fsdecode(error.filename))
    return BuildError(Fault("system", {"detail": error.strerror or str(error)}, file=file))


def fault_as_json(fault: Fault, words: Language) -> dict[str, object]:
    """A fault for a program: where, what in words, and what could stand there."""
    return {
        "file": None if fault.file is None else str(fault.file),
        "line": fault.line or None,
        "column": fault.column or None,
        "key": fault.key or None,
        "code": fault.code,
        "message": message(fault, words),
        "allowed": list(fault.allowed),
        "nearest": fault.nearest or None,
    }


def print_json(value: object) -> None:
    """A value for the program that asked."""
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def say(line: str) -> None:
    """A line for the person at the terminal: on stderr, beside what a program would read."""
    typer.echo(line, err=True)


def say_shipped(given: Path | None) -> None:
    """Say so where there is no lab file here, and the one that ships is taken."""
    from labreport.shipped import LAB_FILE, lab_path, shipped

    if given is None and lab_path(None) == shipped(LAB_FILE) and not is_checkout():
        say(startup_text("cli.shipped-lab", path=printable(shipped(LAB_FILE))))


def is_checkout() -> bool:
    """Return whether the lab that ships is the one in the current folder."""
    from pathlib import Path

    from labreport.shipped import LAB_FILE, shipped

    return Path(LAB_FILE).resolve() == shipped(LAB_FILE).resolve()


def say_stray(notes: Iterable[tuple[Path, str]]) -> None:
    """Notes that no report takes in, each with the name that may have been meant."""
    words = terminal_language()
    for path, near in notes:
        key = "cli.stray-note-near" if near else "cli.stray-note"
        say(words.text(key, path=printable(path), near=near))


def print_faults(error: LabreportError, *, writes: bool = True) -> None:
    """Every fault of an error, as many as anybody would read, and how many there are."""
    words = terminal_language()
    for fault in error.faults[:SHOWN_FAULTS]:
        print_fault(fault, words)
    if len(error.faults) > SHOWN_FAULTS:
        say(words.text("cli.more-faults", count=len(error.faults) - SHOWN_FAULTS))
    key = "cli.faults" if error.exit_code == 2 else "cli.failed"
    if not writes:
        key = "cli.faults-found"
    say(words.text(key, count=len(error.faults)))


def print_fault(fault: Fault, words: Language) -> None:
    """Where, what, the line with a caret, the nearest name and what is allowed."""
    from unicodedata import east_asian_width

    say(printable(headline(fault, words)))
    if fault.excerpt:
        # A long line is cut around the place that is at fault.
        start = max(0, fault.column - 60)
        say("    " + printable(fault.excerpt[start : start + 110]))
        before = fault.excerpt[start : max(fault.column, 1) - 1]
        # A Chinese character is as wide as two others in a terminal.
        say("    " + " " * sum(1 + (east_asian_width(c) in "WF") for c in before) + "^")
    if fault.nearest:
        say("    " + words.text("fault-part.nearest", name=printable(fault.nearest)))
    if fault.allowed:
        say("    " + words.text("fault-part.allowed", names=clean(", ".join(fault.allowed))))


def headline(fault: Fault, words: Language) -> str:
    """Format a fault in one line: where it is and what it is."""
    place = "" if fault.file is None else str(fault.file)
    place += f":{fault.line}" if fault.line else ""
    place += f":{fault.column}" if fault.column else ""
    head = ": ".join(part for part in (place, fault.key) if part)
    return f"{head}: {message(fault, words)}" if head else message(fault, words)


def message(fault: Fault, words: Language) -> str:
    """Format what is wrong, without the place."""
    values = {name: _value(fault.code, value, words) for name, value in fault.values.items()}
    return words.text(f"fault.{fault.code}", **values)


_VOCABULARIES = {
    "wrong-type": "type",
    "toml-syntax": "toml",
    "replay-differs": "quantity",
    "replay-ends": "quantity",
    "diff-kinds": "diff-kind",
}
"""Faults some of whose values are words of the catalogue, and what their keys begin with."""


def _value(code: str, value: object, words: Language) -> str:
    """A value of a fault, in words where the catalogue has some for it."""
    key = f"{_VOCABULARIES.get(code)}.{value}"
    return words.text(key) if code in _VOCABULARIES and words.has(key) else printable(value)


def clean(text: str) -> str:
    """Text without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "�" for c in text)


def printable(value: object) -> str:
    """A value of any length as one line without control characters."""
    text = clean(_as_written(value))
    return text if len(text) <= 400 else text[:400] + "…"


def _as_written(value: object) -> str:
    """A value as a lab file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_as_written, value))}]"
    return str(value)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr, where that is a terminal; that a build waits is said everywhere."""
    words = terminal_language()

    def say_if_waiting(what: str, done: int, total: int) -> None:
        if what == "waiting":
            say(words.text("cli.waiting"))

    if not sys.stderr.isatty():
        yield say_if_waiting
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    description = TextColumn("{task.description}")
    columns = (description, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {
            what: bar.add_task(words.text(f"cli.{what}"), total=None, visible=False)
            for what in ("training", "writing")
        }

        def show(what: str, done: int, total: int) -> None:
            if what in tasks:
                bar.update(tasks[what], completed=done, total=total, visible=True)
            else:
                say_if_waiting(what, done, total)

        yield show
