"""`labreport diff`: what differs between two labs, output folders or files of observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labreport.cli.arguments import JsonOption
from labreport.cli.terminal import (
    clean,
    print_json,
    printable,
    reported,
    terminal_language,
    told_as_json,
)

if TYPE_CHECKING:
    from labreport.diff.difference import Alone, Change, Comparison, Where
    from labreport.language.catalogue import Language

SHOWN = 100
"""Lines of a list that are printed: more of them nobody reads, and a program has them all."""

MOST_VALUES = 6
"""Values of a list that are printed."""


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="help.diff-a")],
    b: Annotated[Path, typer.Argument(metavar="B", help="help.diff-b")],
    as_json: JsonOption = False,
) -> None:
    """Parse `labreport diff`, and print what differs; exit code 0 if nothing does, else 1."""
    from labreport.diff.compare import compare

    with told_as_json() if as_json else reported(writes=False):
        kind, found = compare(a, b)
    if as_json:
        print_json(_as_json(a, b, kind, found))
    else:
        typer.echo("\n".join(_lines(a, b, kind, found, terminal_language())))
    raise typer.Exit(0 if found.is_same else 1)


def _lines(a: Path, b: Path, kind: str, found: Comparison, words: Language) -> Iterator[str]:
    yield f"A: {printable(a)}"
    yield f"B: {printable(b)}"
    if found.is_same:
        yield words.text("cli.diff-same")
    lists = {
        "settings": [*(_alone(x, words) for x in found.alone), *map(_setting, found.settings)],
        "numbers": list(map(_measured, found.numbers)),
        "findings": [
            *(_alone(x, words) for x in found.found_alone),
            *map(_measured, found.findings),
        ],
    }
    for name, lines in lists.items():
        if lines:
            yield f"\n{words.text(f'cli.diff-{name}')}"
            yield from (f"  {clean(line)}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  {words.text('cli.more-faults', count=len(lines) - SHOWN)}"
    yield from _totals(kind, found, words)


def _totals(kind: str, found: Comparison, words: Language) -> Iterator[str]:
    """Yield how much was compared, and how much of it is the same."""
    if kind == "folder":
        differing = len({change.where for change in found.numbers})
        yield "\n" + words.text("cli.diff-runs", same=found.same_runs, differing=differing)
    if kind != "lab":
        differing = len({(c.where, c.key.partition(":")[0]) for c in found.findings})
        alone = len(found.found_alone)
        yield words.text(
            "cli.diff-found", same=found.same_findings, differing=differing, alone=alone
        )


def _place(where: Where) -> str:
    """Name a place in the words of the lab file; "" for the lab as a whole."""
    part = "" if where.part == "main" else where.part
    seed = f"seed={where.seed}" if where.seed else ""
    names = (part, where.experiment, where.variant, where.point, seed)
    return " · ".join(name for name in names if name)


def _setting(change: Change) -> str:
    runs = f" (×{change.runs})" if change.runs > 1 else ""
    return f"{_key(change)}: {_value(change.old)} → {_value(change.new)}{runs}"


def _key(change: Change) -> str:
    place = _place(change.where)
    return f"{place}: {change.key}" if place else change.key


def _measured(change: Change) -> str:
    """A measured number, with as many digits as tell it from the other, and how much it changed."""
    from labreport.report import numbers

    if change.difference is None or not isinstance(change.old, float):
        return f"{_key(change)}: {_value(change.old)} → {_value(change.new)}"
    old, new = numbers.measured(change.old), numbers.measured(change.new)
    if old == new:
        old, new = repr(change.old), repr(change.new)
    sizes = [numbers.measured(abs(change.difference), 2)]
    if change.relative is not None:
        sizes.append(numbers.percentage(abs(change.relative)))
    sign = numbers.MINUS if change.difference < 0 else "+"
    return f"{_key(change)}: {old} → {new} ({', '.join(sign + size for size in sizes)})"


def _value(value: Any) -> str:
    """A value as a lab file would have it, a long list by its beginning and its length.

    An array of many numbers by its shape and a digest, which tells it from another one.
    """
    from labreport.language import array_summary

    if value is None:
        return "—"
    if isinstance(value, str):
        return printable(value)
    if array_summary.is_long(value):
        return f"[{array_summary.shape(value)}; SHA-256 {array_summary.digest(value)}…]"
    if isinstance(value, list | tuple) and len(value) > MOST_VALUES:
        shown = ", ".join(map(_value, value[:MOST_VALUES]))
        return f"[{shown}, … ({len(value)})]"
    import json

    return printable(json.dumps(value, ensure_ascii=False))


def _alone(found: Alone, words: Language) -> str:
    place = _place(found.where) or words.text("cli.diff-lab")
    said = dict(found.sentence)
    if not found.rule:
        return words.text("cli.diff-alone", what=place, side=found.side)
    sentence = said.get(words.code) or next(iter(said.values()), "")
    return words.text(
        "cli.diff-found-alone",
        what=place,
        side=found.side,
        rule=found.rule,
        sentence=clean(sentence),
    )


def _as_json(a: Path, b: Path, kind: str, found: Comparison) -> dict[str, Any]:
    return {
        "kind": kind,
        "a": str(a),
        "b": str(b),
        "same": found.is_same,
        "alone": [_alone_as_json(x) for x in found.alone],
        "settings": [_change_as_json(x) for x in found.settings],
        "numbers": [_change_as_json(x) for x in found.numbers],
        "runs_that_are_the_same": found.same_runs,
        "findings": [_change_as_json(x) for x in found.findings],
        "findings_alone": [_alone_as_json(x) for x in found.found_alone],
        "findings_that_are_the_same": found.same_findings,
    }


def _change_as_json(change: Change) -> dict[str, Any]:
    from labreport.export.observations_json import strict

    return {
        **asdict(change.where),
        "key": change.key,
        "a": strict(change.old),
        "b": strict(change.new),
        "difference": change.difference,
        "relative": change.relative,
        "runs": change.runs,
    }


def _alone_as_json(found: Alone) -> dict[str, Any]:
    told = {**asdict(found.where), "side": found.side}
    return told | ({"rule": found.rule, "sentence": dict(found.sentence)} if found.rule else {})
