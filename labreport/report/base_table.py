"""The table of the base configuration: every key of it, and its value."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.analysis.observation import Keys, Setting
from labreport.lab.configuration import RunConfig
from labreport.lab.naming import parameter_names
from labreport.report.phrases import Concatenation, Phrase, configured, listed, text
from labreport.report.tables import head
from labreport.report.tree import Cell, Table

MOST_NAMED = 16
"""Given weights that are told one by one, each with its name: as many as a line or two hold."""

ROWS = ("data.inputs", "data.targets")

Matrices = Sequence[Sequence[Sequence[float]]]


def base_table(base: RunConfig, *, has_data_set: bool = False) -> Table:
    """Every key of the base configuration; the rows of a data set have tables of their own."""
    rows = [
        (Cell(Keys((path,))), Cell(_value(base, path, value)))
        for path, value in base.flat().items()
        if value is not None
        and path != "seed"
        and not _is_default(path, value)
        and not (has_data_set and path in ROWS)
    ]
    return Table(text("report.base-table"), (head("key"), head("value")), tuple(rows))


def _is_default(path: str, value: object) -> bool:
    """Switches that are off and terms that are 0 say nothing of a configuration."""
    return path.startswith("optimizer.") and value in (0.0, False) and "rate" not in path


def _value(base: RunConfig, path: str, value: object) -> Phrase:
    """A value of the base configuration; of few given weights each with its name."""
    a_pass = base.data.rounds_of_a_pass
    if path == "rounds" and base.rounds > a_pass > 1:
        passes = base.rounds / a_pass
        return text("report.rounds-of-passes", rounds=base.rounds, passes=f"{passes:.4g}")
    weights: Matrices = getattr(base.initial, "weights", ())
    if (
        path != "initial.weights"
        or sum(len(row) for layer in weights for row in layer) > MOST_NAMED
    ):
        return configured(path, value)
    # Stored unit by unit, and read in the order of the numbers of their names.
    names = [name for name in parameter_names(base.network) if name[0] == "w"]
    values = [number for layer in weights for row in layer for number in row]
    named = sorted(zip(names, values, strict=True), key=lambda pair: int(pair[0][1:]))
    return listed((Concatenation((name, " = ", Setting(v))) for name, v in named), "commas")
