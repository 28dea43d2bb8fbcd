"""Tables of an experiment: what differs, what came out, with the best of each column marked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.observation import Subject
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.comparison import (
    MOST_OUTPUTS,
    comparable,
    differing_keys,
    rankable,
    same_rows,
)
from labreport.analysis.rules.initialisation import final_losses
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Point
from labreport.report import numbers
from labreport.report.language import Language
from labreport.report.numbering import Numbering
from labreport.report.tree import Cell, Table

NONE = "—"


def measured(value: float | None, *, best: bool = False) -> Cell:
    """A cell with a measured number."""
    return Cell(NONE if value is None else numbers.measured(value), numeric=True, best=best)


def _text(text: str) -> Cell:
    return Cell(text)


def _head(text: str, *, numeric: bool = False) -> Cell:
    return Cell(text, numeric=numeric)


def base_table(base: RunConfig, language: Language, numbering: Numbering) -> Table:
    """Every key of the base configuration."""
    anchor, label = numbering.next("table")
    rows = [
        (_text(language.key(path)), _text(language.value(path, value)))
        for path, value in base.flat().items()
        if value is not None and path != "seed" and not _is_default(path, value)
    ]
    return Table(
        anchor,
        label,
        language.text("report.base-table"),
        (_head(language.text("report.column-key")), _head(language.text("report.column-value"))),
        tuple(rows),
    )


def _is_default(path: str, value: object) -> bool:
    """Switches that are off and terms that are 0 say nothing of a configuration."""
    return path.startswith("optimizer.") and value in (0.0, False) and "rate" not in path


def pairs_table(
    caption: str, pairs: Sequence[tuple[str, str]], language: Language, numbering: Numbering
) -> Table:
    """A table of items and values."""
    anchor, label = numbering.next("table")
    head = (_head(language.text("report.column-key")), _head(language.text("report.column-value")))
    return Table(anchor, label, caption, head, tuple((_text(k), _text(v)) for k, v in pairs))


def differences_table(
    results: ExperimentResults, language: Language, numbering: Numbering
) -> Table | None:
    """Keys in which variants differ from the base, and those only; None if there are none."""
    plan = results.plan
    swept = [key for key, _ in plan.axes]
    keys: list[str] = []
    for variant in plan.variants:
        config = results.of(variant.name)[0].run.config
        others = (plan.base, *(results.of(v.name)[0].run.config for v in plan.variants))
        # Of two that both have another scheme or optimizer than the base, also how they differ.
        differ = [k for other in others for k in differing_keys(other, config)]
        keys += [k for k in dict.fromkeys(differ) if k not in (*keys, *swept, "seed")]
    seeds = any(v.seeds is not None for v in plan.variants) or plan.experiment.seeds is not None
    if not keys and not swept and not seeds:
        return None
    anchor, label = numbering.next("table")
    header = [_head(language.text("report.column-variant"))]
    header += [_head(language.key(key)) for key in (*keys, *swept)]
    header += [_head(language.text("report.column-seeds"))] if seeds else []
    rows = []
    for variant in plan.variants:
        members = results.of(variant.name)
        flat, base = members[0].run.config.flat(), plan.base.flat()
        row = [_text(language.label(plan, variant.name))]
        for key in keys:
            same = flat.get(key) == base.get(key)
            row.append(_text(NONE if same else language.value(key, flat.get(key))))
        for key in swept:
            values = [dict(r.point)[key] for r in members if key in dict(r.point)]
            row.append(_text(_range(key, values, language) if values else NONE))
        if seeds:
            count = len({r.trial.seed for r in members if r.trial.seed is not None})
            row.append(_text(language.text("report.seeds", count=count) if count else NONE))
        rows.append(tuple(row))
    caption = language.text("report.differences-table")
    return Table(anchor, label, caption, tuple(header), tuple(rows))


def _range(key: str, values: list[object], language: Language) -> str:
    distinct = list(dict.fromkeys(values))
    if len(distinct) <= 4:
        return ", ".join(language.value(key, value) for value in distinct)
    ends = f"{language.value(key, distinct[0])} … {language.value(key, distinct[-1])}"
    return f"{ends} ({len(distinct)})"


def comparison_table(
    results: ExperimentResults, language: Language, numbering: Numbering
) -> Table | None:
    """Single runs: losses at each budget, floor, distance, lowest loss, squared error, ending."""
    singles = results.singles
    if not singles:
        return None
    ranked = all(comparable(r, singles[0]) for r in singles)
    anchor, label = numbering.next("table")
    header = [_head(language.text("report.column-variant"))]
    columns: list[list[float | None]] = []

    def column(title: str, values: list[float | None]) -> None:
        header.append(_head(title, numeric=True))
        columns.append(values)

    column(language.text("report.column-initial"), [r.initial_loss for r in singles])
    for budget in results.budgets:
        title = language.text("report.column-loss", budget=budget)
        column(title, [r.loss(budget) for r in singles])
    column(language.text("report.column-floor"), [_finite(r.floor.value) for r in singles])
    # The squared error of a run that minimises just that is its loss.
    errors = any(r.run.config.loss != "mse" for r in singles)
    if errors:
        column(language.text("report.column-error"), [r.error(results.last) for r in singles])
    # The floor is given and the initial loss is no merit: nothing in them is best.
    marks = [ranked and 1 <= c <= len(results.budgets) for c in range(len(columns))]
    data = [r.run.config.data for r in singles]
    marks[-1] = errors and all(same_rows(data[0], other) for other in data)
    best = [_lowest(values) if mark else None for values, mark in zip(columns, marks, strict=True)]
    header.append(_head(language.text("report.column-best"), numeric=True))
    whole = all(r.run.trace.ending.kind == "completed" for r in singles)
    header += [] if whole else [_head(language.text("report.column-ending"))]
    rows = []
    for index, result in enumerate(singles):
        row = [_text(language.label(results.plan, result.variant))]
        for values, lowest in zip(columns, best, strict=True):
            value = values[index]
            row.append(measured(value, best=_is_best(value, lowest)))
        row.append(_lowest_on_the_way(result))
        row += [] if whole else [_text(ending(result, language))]
        rows.append(tuple(row))
    caption = [
        language.text("report.comparison-table" if ranked else "report.comparison-table-plain")
    ]
    if errors and not ranked:
        told = "best-error" if best[-1] is not None else "errors"
        caption.append(language.text(f"report.comparison-table-{told}"))
    if not all(r.sees_all_rows for r in singles):
        caption.append(language.text("report.comparison-table-batches"))
    return Table(anchor, label, language.paragraph(caption), tuple(header), tuple(rows))


def _lowest_on_the_way(result: Result) -> Cell:
    """The lowest loss of a run, and after how many updates."""
    if result.best_round is None:
        return Cell(NONE, numeric=True)
    lowest = numbers.measured(float(result.losses[result.best_round]))
    return Cell(f"{lowest} ({result.best_round})", numeric=True)


def ending(result: Result, language: Language) -> str:
    """How a run ended, in words."""
    state = result.run.trace.ending
    return language.text(f"ending.{state.kind}", step=state.step)


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _lowest(values: Sequence[float | None]) -> float | None:
    present = [v for v in values if v is not None]
    # Where all look equal there is no best one.
    return min(present) if len(set(map(numbers.measured, present))) > 1 else None


def _is_best(value: float | None, lowest: float | None) -> bool:
    """Whether a value is the best of its column, or is printed like it."""
    if value is None or lowest is None:
        return False
    return numbers.measured(value) == numbers.measured(lowest)


def sweep_table(
    results: ExperimentResults, language: Language, numbering: Numbering
) -> Table | None:
    """A row a point of the sweep; columns are budgets, or variants at the last budget."""
    swept = results.swept
    if not swept:
        return None
    anchor, label = numbering.next("table")
    points = list(dict.fromkeys(r.point for members in swept.values() for r in members))
    if len(swept) == 1:
        ((_, members),) = swept.items()
        by_point = {r.point: r for r in members}
        titles = [language.text("report.column-loss", budget=b) for b in results.budgets]
        columns = [[_at(by_point.get(p), b) for p in points] for b in results.budgets]
        caption = language.text("report.sweep-table")
    else:
        titles = [language.label(results.plan, name) for name in swept]
        tables = [{r.point: r for r in members} for members in swept.values()]
        columns = [[_at(table.get(p), results.last) for p in points] for table in tables]
        caption = language.text("report.sweep-variants-table", budget=results.last)
    keys = [key for key, _ in points[0]]
    header = [_head(language.key(key), numeric=True) for key in keys]
    header += [_head(title, numeric=True) for title in titles]
    ranked = all(map(rankable, swept.values()))
    best = [_lowest(values) if ranked else None for values in columns]
    rows = []
    for index, point in enumerate(points):
        row = [Cell(language.value(key, value), numeric=True) for key, value in point]
        for values, lowest in zip(columns, best, strict=True):
            value = values[index]
            row.append(measured(value, best=_is_best(value, lowest)))
        rows.append(tuple(row))
    return Table(anchor, label, caption, tuple(header), tuple(rows))


def _at(result: Result | None, budget: int) -> float | None:
    return result.loss(budget) if result else None


def starts_table(
    results: ExperimentResults, language: Language, numbering: Numbering
) -> Table | None:
    """Statistics over random starts, with the single starts beside them.

    A row for each variant, and for each of its points where it was also swept.
    """
    groups: dict[tuple[str, Point], list[Result]] = {}
    for result in results.results:
        groups.setdefault((result.variant, result.point), []).append(result)
    if all(len(members) == 1 for members in groups.values()):
        return None
    anchor, label = numbering.next("table")
    names = ("count", "mean", "deviation", "lowest", "median", "highest")
    header = [_head(language.text("report.column-variant"))]
    header += [_head(language.text(f"report.column-{name}"), numeric=True) for name in names]
    rows = []
    for (variant, point), members in groups.items():
        values = final_losses(tuple(members), results.last)
        subject = language.subject(Subject(variant, point), results.plan)
        rows.append((_text(subject), Cell(str(len(values)), numeric=True), *_statistics(values)))
    singles = any(len(members) == 1 for members in groups.values())
    key = "report.starts-table" + ("-singles" if singles else "")
    caption = language.text(key, budget=results.last)
    return Table(anchor, label, caption, tuple(header), tuple(rows))


def _statistics(values: np.ndarray) -> tuple[Cell, ...]:
    """Mean, standard deviation, lowest, median and highest of final losses."""
    if not len(values):
        return (measured(None),) * 5
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    return (
        measured(float(values.mean())),
        measured(deviation),
        measured(float(values.min())),
        measured(float(np.median(values))),
        measured(float(values.max())),
    )


def cross_table(
    experiments: Sequence[ExperimentResults],
    titles: Sequence[str],
    language: Language,
    numbering: Numbering,
) -> Table | None:
    """Variants of all experiments on the lab's own data, by squared error at a shared budget."""
    pairs = [p for p in zip(experiments, titles, strict=True) if p[0].check is None]
    if len(pairs) < 2:
        # Of one experiment there is a table already.
        return None
    budget = min(e.last for e, _ in pairs)
    lines: dict[str, tuple[float, list[str], Result]] = {}
    for experiment, title in pairs:
        candidates = list(experiment.singles)
        for members in experiment.swept.values():
            measured_members = [r for r in members if r.error(budget) is not None]
            if measured_members:
                candidates.append(min(measured_members, key=lambda r: r.error(budget) or 0.0))
        for result in candidates:
            error = result.error(budget)
            own, given = result.run.config.data, experiment.plan.base.data
            if not same_rows(own, given) or error is None:
                continue
            subject = language.label(experiment.plan, result.variant)
            if result.point:
                point = language.point(result.point)
                single = len(experiment.plan.variants) == 1
                subject = point if single else f"{subject} ({point})"
            # The same run under two names is one line.
            digest = experiment_key(result, budget)
            if digest in lines:
                lines[digest][1].append(f"{title}: {subject}")
            else:
                lines[digest] = (error, [f"{title}: {subject}"], result)
    if len(lines) < 2:
        return None
    anchor, label = numbering.next("table")
    ordered = sorted(lines.values(), key=lambda line: line[0])
    rows = []
    for error, names, result in ordered:
        # What the error is of: probabilities, where outputs are logits.
        outputs = result.predictions(budget)
        values = [] if outputs is None else [numbers.measured(float(o)) for o in outputs.ravel()]
        shown = ", ".join(values[:MOST_OUTPUTS] + ["…"] * (len(values) > MOST_OUTPUTS))
        rows.append(
            (
                _text("; ".join(names)),
                measured(error, best=error == ordered[0][0]),
                Cell(f"({shown})", numeric=True),
            )
        )
    header = (
        _head(language.text("report.column-variant")),
        _head(language.text("report.column-error"), numeric=True),
        _head(language.text("report.column-predictions"), numeric=True),
    )
    caption = language.text("report.cross-table", budget=budget)
    return Table(anchor, label, caption, header, tuple(rows))


def experiment_key(result: Result, budget: int) -> str:
    """The same for runs that are the same up to a budget, whatever they are called."""
    trace = result.run.trace
    return trace.losses[: budget + 1].tobytes().hex() + trace.weights[: budget + 1].tobytes().hex()
