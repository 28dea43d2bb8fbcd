"""`labreport check`: the lab file and its notes, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from labreport.cli.arguments import JsonOption, LabArgument
from labreport.cli.terminal import (
    fault_as_json,
    print_fault,
    print_json,
    printable,
    reported,
    say,
    say_shipped,
    say_stray,
    terminal_language,
    told_as_json,
)

if TYPE_CHECKING:
    from labreport.build.checking import CheckedLab


def check(lab: LabArgument = None, as_json: JsonOption = False) -> None:
    """Parse `labreport check`, and print what the lab holds or every fault of it."""
    from labreport.build.checking import check

    if not as_json:
        say_shipped(lab)
    with told_as_json() if as_json else reported(writes=False):
        checked = check(lab)
    if as_json:
        print_json(_as_json(checked))
    else:
        typer.echo(_in_words(checked))
        if checked.controls:
            typer.echo(terminal_language().text("cli.checked-controls", controls=checked.controls))
        say_stray(checked.stray)
        if checked.warnings:
            say(terminal_language().text("cli.warnings", count=len(checked.warnings)))
            for warning in checked.warnings:
                print_fault(warning, terminal_language())
        if checked.refused:
            say(terminal_language().text("cli.would-be-refused"))
            for fault in checked.refused:
                print_fault(fault, terminal_language())


def _in_words(checked: CheckedLab) -> str:
    needs = checked.needs
    return terminal_language().text(
        "cli.checked",
        path=printable(checked.path),
        experiments=checked.experiments,
        runs=needs.runs.runs,
        notes=len(checked.notes),
        seconds=max(1, round(needs.seconds)),
        memory=_mebibytes(needs.memory),
        disk=_mebibytes(needs.runs.disk),
    )


def _mebibytes(count: int) -> int:
    return max(1, round(count / 2**20))


def _as_json(checked: CheckedLab) -> dict[str, object]:
    from dataclasses import asdict

    words = terminal_language()
    return {
        "file": str(checked.path),
        "faults": [],
        "warnings": [fault_as_json(warning, words) for warning in checked.warnings],
        "experiments": checked.experiments,
        "controls": checked.controls,
        "notes": [str(path) for path in checked.notes],
        "stray_notes": [str(path) for path, _ in checked.stray],
        "needs": {
            **asdict(checked.needs.runs),
            "training_seconds": checked.needs.runs.seconds,
            "checking_seconds": checked.needs.checking,
            "writing_seconds": checked.needs.writing,
            "seconds": checked.needs.seconds,
            "memory": checked.needs.memory,
        },
        "refused": [fault_as_json(fault, words) for fault in checked.refused],
    }
