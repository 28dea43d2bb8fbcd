"""`labreport doctor`: whether this machine can build this lab, and what to do if it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from labreport.cli.arguments import JsonOption, LabArgument, OutputOption
from labreport.cli.terminal import (
    fault_as_json,
    headline,
    print_json,
    printable,
    reported,
    terminal_language,
)

if TYPE_CHECKING:
    from labreport.cli.environment_checks import Check
    from labreport.language.catalogue import Language


def doctor(
    lab: LabArgument = None, output: OutputOption = Path("output"), as_json: JsonOption = False
) -> None:
    """Parse `labreport doctor`, and print each check; exit code 1 if something is broken."""
    from labreport.cli.environment_checks import examine

    with reported():
        checks = examine(lab, output)
    words = terminal_language()
    if as_json:
        print_json([_as_json(check, words) for check in checks])
    else:
        for check in checks:
            typer.echo("\n".join(_lines(check, words)))
    if not all(check.is_well for check in checks):
        raise typer.Exit(1)


def _lines(check: Check, words: Language) -> list[str]:
    name = words.text(f"doctor.{check.name}")
    if check.is_well:
        found = f" ({printable(check.found)})" if check.found else ""
        return [f"{words.text('doctor-said.well')} {name}{found}"]
    lines = [f"{words.text('doctor-said.broken')} {name}"]
    lines += [f"    {printable(headline(fault, words))}" for fault in check.faults]
    if check.fix:
        lines.append(f"    → {_fix(check, words)}")
    return lines


def _fix(check: Check, words: Language) -> str:
    return words.text(f"doctor-fix.{check.fix}", **check.values)


def _as_json(check: Check, words: Language) -> dict[str, object]:
    return {
        "check": check.name,
        "ok": check.is_well,
        "found": check.found,
        "faults": [fault_as_json(fault, words) for fault in check.faults],
        "fix": _fix(check, words) if check.fix and not check.is_well else None,
    }
