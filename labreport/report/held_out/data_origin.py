"""Where a data set comes from, as a phrase, and as a column of what differs between variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from labreport.analysis.observation import Keys, Names, Setting
from labreport.analysis.results import ExperimentResults
from labreport.data.data_set import DataSet
from labreport.report.best_cells import NONE
from labreport.report.phrases import Counted, Phrase, configured, listed, text
from labreport.report.tree import Cell, Table

MOST_NAMED = 8
"""Names of inputs or classes that a table lists; of more it tells how many there are."""

ROWS = (Keys(("data.inputs",)), Keys(("data.targets",)))
"""Heads of columns that have the rows themselves."""


def origin_of(data_set: DataSet) -> Phrase:
    """Where a data set comes from."""
    origin = data_set.origin
    match origin.kind:
        case "file":
            return text("report.data-file", name=Names((origin.name,)), digest=origin.digest[:12])
        case "set":
            return text("report.data-set", name=configured("data.set", origin.name))
        case "rule":
            noise = origin.settings.get("noise", 0.0)
            seed = origin.settings.get("seed", 0)
            assert isinstance(noise, float | int)
            named = configured("data.rule.name", origin.name)
            given = Setting(float(noise))
            return text("report.data-rule", name=named, noise=given, seed=str(seed))
        case _:
            return text("report.data-inline")


def names_or_count(names: tuple[str, ...]) -> Phrase:
    """Names; of many how many there are."""
    if len(names) > MOST_NAMED:
        return Counted("units", len(names))
    return Names(names)


def treatment_of(data_set: DataSet) -> Iterator[tuple[Phrase, Phrase]]:
    """What was done with the rows before training saw them."""
    if data_set.dropped:
        yield text("report.data-dropped"), Counted("rows", data_set.dropped)
    if data_set.filled:
        yield text("report.data-filled"), str(data_set.filled)
    if data_set.means:
        yield text("report.data-scaling"), text("report.data-standardised")
    if data_set.keeps_best:
        yield text("report.data-kept"), _kept(data_set.patience)
    if data_set.constant:
        yield text("report.data-constant"), names_or_count(data_set.constant)


def _kept(patience: int | None) -> Phrase:
    """Which weights of a run count on held-out rows."""
    if patience is None:
        return text("report.data-kept-best")
    return text("report.data-kept-patience", rounds=Counted("rounds", patience))


def with_origins(table: Table, results: ExperimentResults) -> Table:
    """A table of what differs, with the source of data sets in place of their rows.

    Args:
        table: a row for each variant.
        results: of the experiment.
    """
    sets = [results.of(v.name)[0].trial.data_set for v in results.plan.variants]
    places = [k for k, cell in enumerate(table.header) if cell.text in ROWS]
    if not places or None in sets:
        return table
    first, others = places[0], set(places[1:])
    is_scaled = any(s.means for s in sets if s is not None)
    made = []
    for row, data_set in zip((table.header, *table.rows), (None, *sets), strict=True):
        cells = list(row)
        if data_set is None:
            cells[first] = Cell(text("report.column-data"))
        elif any(cells[k].text != NONE for k in places):
            cells[first] = Cell(_told(data_set, is_scaled=is_scaled))
        made.append(tuple(cell for k, cell in enumerate(cells) if k not in others))
    return replace(table, header=made[0], rows=tuple(made[1:]))


def _told(data_set: DataSet, *, is_scaled: bool) -> Phrase:
    """The source of a data set, and what was done with it; also that it is not scaled as others."""
    parts = [origin_of(data_set)]
    if is_scaled and not data_set.means:
        parts.append(text("report.data-not-standardised"))
    if data_set.degree > 1:
        degree = configured("data.degree", data_set.degree)
        parts.append(text("report.change-item", key=Keys(("data.degree",)), value=degree))
    items = treatment_of(data_set)
    parts += [text("report.change-item", key=key, value=value) for key, value in items]
    return listed(parts, "commas")
