"""The table of random starts: statistics of the losses of each variant."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import stdev

from labreport.analysis.classes import labels
from labreport.analysis.measures.over_starts import Statistic, loss_over, median
from labreport.analysis.observation import OutOf
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.all_rows_right import is_all_right
from labreport.analysis.rules.initialisation import arrived
from labreport.lab.plan import Point
from labreport.report.phrases import passage, text
from labreport.report.tables import ending_of, head, measured, named
from labreport.report.tree import Cell, Table

MOST_FURTHER = 3
"""Further budgets in a table of random starts, the last of them: a page is no wider."""


def starts_table(results: ExperimentResults) -> Table | None:
    """Statistics over random starts, with the single starts beside them.

    A row for each variant, and for each of its points where it was also swept. Of budgets before
    the last one there is the median.
    """
    groups: dict[tuple[str, Point], list[Result]] = {}
    for result in results.results:
        groups.setdefault((result.variant, result.point), []).append(result)
    if all(len(members) == 1 for members in groups.values()):
        return None
    further = results.budgets[:-1][-MOST_FURTHER:]
    names = ("count", "mean", "deviation", "lowest", "median", "highest")
    header = [head("variant"), *(head(name, numeric=True) for name in names)]
    header += [head("median-at", numeric=True, budget=budget) for budget in further]
    # Where targets are classes, how many starts put every row into its own.
    has_classes = all(labels(r.run.config) is not None for r in results.results)
    header += [head("all-right", numeric=True)] if has_classes else []
    rows = []
    for (variant, point), members in groups.items():
        subject = Cell(named(results, variant, point))
        earlier = (_median_at(members, budget) for budget in further)
        count = Cell(str(len(arrived(tuple(members), results.last))), numeric=True)
        right = [_all_right(members, results.last)] if has_classes else []
        rows.append((subject, count, *_statistics(members, results.last), *earlier, *right))
    singles = any(len(members) == 1 for members in groups.values())
    key = "report.starts-table" + ("-singles" if singles else "") + ending_of(results)
    caption = [text(key, budget=results.last)]
    caption += [text("report.starts-table-further")] if further else []
    caption += [text("report.starts-table-rest")] if len(further) + 1 < len(results.budgets) else []
    return Table(passage(caption), tuple(header), tuple(rows))


def _all_right(members: Sequence[Result], budget: int) -> Cell:
    """The number of runs that put all training rows into their own class, of all."""
    right = sum(is_all_right(r, budget) for r in members)
    return Cell(OutOf(right, len(members)), numeric=True)


def _median_at(members: Sequence[Result], budget: int) -> Cell:
    """The median of the losses of those runs that got so far."""
    there = arrived(tuple(members), budget)
    if not there:
        return measured(None)
    formula = f"median(each({there[0].loss_formula(budget)}))"
    return measured(loss_over(there, budget, median, formula))


def _statistics(members: Sequence[Result], budget: int) -> tuple[Cell, ...]:
    """Mean, standard deviation, lowest, median and highest of losses."""
    there = arrived(tuple(members), budget)
    if not there:
        return (measured(None),) * len(STATISTICS)
    losses = f"each({there[0].loss_formula(budget)})"
    return tuple(
        measured(None)
        if name == "deviation" and len(there) < 2
        else measured(loss_over(there, budget, statistic, f"{name}({losses})"))
        for name, statistic in STATISTICS.items()
    )


STATISTICS: dict[str, Statistic] = {
    "mean": lambda values: float(values.mean()),
    # Exactly 0 where all are equal, which a sum of rounded squares need not be.
    "deviation": lambda values: stdev(values.tolist()),
    "min": lambda values: float(values.min()),
    "median": median,
    "max": lambda values: float(values.max()),
}
"""What a row has of the losses of its runs, by the name that formulas have for it."""
