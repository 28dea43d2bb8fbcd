"""`labreport show`: an experiment's tables, curves and findings, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.cli.arguments import (
    ExperimentArgument,
    JsonOption,
    LabArgument,
    OutputOption,
)
from labreport.cli.sparkline import ENDED, Axes, sparklines
from labreport.cli.terminal import (
    clean,
    print_json,
    reported,
    say_shipped,
    terminal_language,
    told_as_json,
)
from labreport.cli.wrapping import wrapped

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, RenderableType
    from rich.text import Text

    from labreport.language.catalogue import Language
    from labreport.render.printed import (
        PrintedCell,
        PrintedParagraph,
        PrintedSentences,
        PrintedTable,
    )
    from labreport.render.summary import PrintedSummary
    from labreport.report.illustration.curves import Curves

NARROWEST = 10
"""Columns of a curve below which nothing could be seen in it."""

WIDEST = 60
"""Columns of a curve beyond which it is long, and no better to read."""

GAP = 2
"""Blanks between the columns of a table."""

LONGEST_WORD = 16
"""Columns of a word beyond which it may be broken; Chinese has no blanks between its words."""

BULLET = " · "


def show(
    name: ExperimentArgument,
    lab: LabArgument = None,
    output: OutputOption = Path("output"),
    as_json: JsonOption = False,
) -> None:
    """Parse `labreport show`, and print an experiment out of its stored runs."""
    from labreport.cli.stored_experiments import Selection, stored_results
    from labreport.render.summary import printed_summary

    if not as_json:
        say_shipped(lab)
    words = terminal_language()
    with told_as_json() if as_json else reported(writes=False):
        shown = printed_summary(*stored_results(Selection(name, lab, output)), words)
    if as_json:
        print_json(_as_json(shown))
        return
    from rich.console import Console

    # On a terminal alone rich colours what it prints; nothing here is markup.
    console = Console(highlight=False, markup=False, emoji=False)
    for part in _parts(shown, words, console):
        console.print(part)


def _parts(shown: PrintedSummary, words: Language, console: Console) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text(clean(shown.title), style="bold")
    if shown.question:
        yield Text(clean(shown.question), style="italic")
    for table in shown.tables:
        yield from _table(table, console)
    for curves in shown.curves:
        yield from _curves(curves, words, console.width)
    for block in shown.findings:
        yield from _finding(block, console)


def _table(table: PrintedTable, console: Console) -> Iterator[RenderableType]:
    """A table; turned round, or as a list of its rows, where the terminal is too narrow."""
    from rich.text import Text

    yield Text("\n" + "\n".join(wrapped(clean(table.caption), console.width)))
    heads = [Text(clean(cell.text), "dim") for cell in table.header]
    rows = [list(map(_cell, row)) for row in table.rows]
    numeric = [cell.numeric for cell in table.header]
    names, *values = zip(*rows, strict=True)
    turned = [[head, *cells] for head, cells in zip(heads[1:], values, strict=True)]
    yield (
        _grid(heads, rows, numeric, console.width)
        or _grid([heads[0], *names], turned, [False, *[True] * len(names)], console.width)
        or _list(heads[1:], rows)
    )


def _cell(cell: PrintedCell) -> Text:
    from rich.text import Text

    return Text(f"★ {clean(cell.text)}", "bold green") if cell.best else Text(clean(cell.text))


def _grid(
    heads: Sequence[Text], rows: Sequence[Sequence[Text]], numeric: Sequence[bool], width: int
) -> RenderableType | None:
    """Rows and columns; None if they would be wider than ``width``."""
    from rich.table import Table as Grid

    columns = list(zip(heads, *rows, strict=True))
    # Of numbers only the head may be broken between words, of words everything.
    least = [
        max([_word(head), *((c.cell_len if is_number else _word(c)) for c in cells)])
        for (head, *cells), is_number in zip(columns, numeric, strict=True)
    ]
    spare = width - sum(least) - GAP * (len(columns) - 1)
    if spare < 0:
        return None
    grid = Grid(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for column, needed, is_number in zip(columns, least, numeric, strict=True):
        more = min(max(text.cell_len for text in column) - needed, spare)
        spare -= more
        justify: JustifyMethod = "right" if is_number else "left"
        grid.add_column(column[0], justify=justify, width=needed + more, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _word(text: Text) -> int:
    """Columns of the longest word, which is broken only if nobody could expect room for it."""
    from rich.cells import cell_len

    return min(max(map(cell_len, text.plain.split()), default=0), LONGEST_WORD)


def _list(heads: Sequence[Text], rows: Sequence[Sequence[Text]]) -> RenderableType:
    """The rows one under the other, each cell with the head of its column."""
    from rich.console import Group
    from rich.table import Table as Grid

    parts: list[RenderableType] = []
    for name, *cells in rows:
        grid = Grid.grid(padding=(0, GAP, 0, 0))
        for _ in range(3):
            grid.add_column(overflow="fold")
        for head, cell in zip(heads, cells, strict=True):
            grid.add_row("", head, cell)
        parts += [name, grid]
    return Group(*parts)


def _curves(curves: Curves, words: Language, width: int) -> Iterator[RenderableType]:
    """A line a curve: its name, its shape, its first and its last value."""
    from rich.cells import cell_len
    from rich.table import Table as Grid
    from rich.text import Text

    from labreport.report import numbers

    axes = Axes(curves.rounds, curves.by_ratio, curves.logarithmic)
    yield Text(f"\n{_heading(curves.kind, axes, words)}")
    names = [clean(str(curve.name)) for curve in curves.curves]
    drawn = [curve.values[: axes.rounds + 1] for curve in curves.curves]
    firsts = [numbers.measured(float(values[0])) for values in drawn]
    lasts = [numbers.measured(float(values[-1])) for values in drawn]
    ends = sum(max(map(cell_len, column)) for column in (firsts, lasts, "→")) + len(ENDED)
    beside = min(max(map(cell_len, names)), width // 3) + GAP
    room = width - ends - 3 * GAP
    is_wide = room - beside >= NARROWEST
    lines = sparklines(drawn, axes, max(NARROWEST, min(WIDEST, room - beside * is_wide)))
    grid = Grid.grid(padding=(0, GAP, 0, 0))
    sides: tuple[JustifyMethod, ...] = ("left", "left", "right", "left", "right")
    # Names give way, and curves do not: one that is cut looks as if it ended there.
    widths = (beside - GAP, max(map(cell_len, lines)), None, None, None)
    for justify, wide in tuple(zip(sides, widths, strict=True))[not is_wide :]:
        grid.add_column(justify=justify, overflow="fold", min_width=wide, max_width=wide)
    for name, line, first, last in zip(names, lines, firsts, lasts, strict=True):
        # Where there is no room beside a curve, its name stands above it.
        beside_it = [Text(name)] if is_wide else []
        if not is_wide:
            grid.add_row(Text(name))
        grid.add_row(*beside_it, Text(line, "cyan"), first, "→", last)
    yield grid


def _heading(kind: str, axes: Axes, words: Language) -> str:
    """Describe the curves, and name those of their axes that are logarithmic."""
    what = words.text(f"cli.show-{kind}", rounds=axes.rounds)
    named = [(axes.by_ratio, "rounds"), (axes.logarithmic, "height")]
    scaled = [words.text(f"cli.show-axis-{name}") for is_so, name in named if is_so]
    return words.text("cli.show-scaled", what=what, axes=words.join(scaled)) if scaled else what


def _finding(block: PrintedSentences | PrintedParagraph, console: Console) -> Iterator[Text]:
    from rich.text import Text

    from labreport.render.printed import PrintedParagraph

    if isinstance(block, PrintedParagraph):
        yield Text("\n" + "\n".join(wrapped(clean(block.text), console.width)))
        return
    yield Text(f"\n{clean(block.heading)}", style="bold")
    for item in block.items:
        if item.theme:
            yield Text(clean(item.theme), style="dim")
        lines = wrapped(clean(item.text), max(1, console.width - len(BULLET)))
        for place, line in enumerate(lines):
            yield Text((BULLET if place == 0 else " " * len(BULLET)) + line)


def _as_json(shown: PrintedSummary) -> dict[str, Any]:
    from labreport.render.printed import PrintedSentences

    said = iter(shown.observations)
    lists = [block for block in shown.findings if isinstance(block, PrintedSentences)]
    return {
        "name": shown.name,
        "title": shown.title,
        "question": shown.question or None,
        "tables": [
            {
                "caption": table.caption,
                "header": [cell.text for cell in table.header],
                "rows": [[cell.text for cell in row] for row in table.rows],
            }
            for table in shown.tables
        ],
        "findings": {
            block.kind: [
                {"rule": o.rule, "strength": o.strength, "sentence": item.text}
                for item, o in zip(block.items, said, strict=False)
            ]
            for block in lists
        },
        "curves": [
            {"kind": c.kind, "name": name, "values": values[: c.rounds + 1].tolist()}
            for c in shown.curves
            for name, values, _ in c.curves
        ],
    }
