"""Tables of an experiment: what differs, what came out, with the best of each column marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labreport.analysis.observation import Count, Keys, Number, Subject
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.comparison import (
    MOST_OUTPUTS,
    comparable,
    rankable,
    same_rows,
)
from labreport.lab.changes import shown_differences
from labreport.lab.lab import Variant
from labreport.lab.plan import Point
from labreport.report.best_cells import NONE, Best, cells, lowest, nearest
from labreport.report.phrases import Concatenation, Named, Phrase, configured, passage, text
from labreport.report.tree import Cell, Table


def measured(value: Number | float | None, *, best: bool = False) -> Cell:
    """A cell with a measured number."""
    number = value if isinstance(value, Number | None) else Number(float(value))
    return Cell(NONE if number is None else number, numeric=True, best=best)


def _loss(result: Result | None, budget: int) -> Number | None:
    """The loss of a result at a budget; None where it ended before, or there is no such result."""
    there = result is not None and result.loss(budget) is not None
    return result.number(budget) if there and result is not None else None


def _error(result: Result, budget: int) -> Number | None:
    return None if result.error(budget) is None else result.told(lambda r: r.error(budget))


def head(name: str, *, numeric: bool = False, **values: Phrase) -> Cell:
    """The head of a column, ``report.column-<name>`` in the catalogues."""
    return Cell(text(f"report.column-{name}", **values), numeric=numeric)


def pairs_table(caption: Phrase, pairs: Sequence[tuple[Phrase, Phrase]]) -> Table:
    """A table of items and values."""
    rows = tuple((Cell(item), Cell(value)) for item, value in pairs)
    return Table(caption, (head("key"), head("value")), rows)


def differences_table(results: ExperimentResults) -> Table | None:
    """Keys in which variants differ from the base, and those only.

    None if there are none, and if of a single key the names of the variants tell the values.
    """
    plan = results.plan
    swept = [key for key, _ in plan.axes]
    # Rounds that all have are told by the budgets.
    same_rounds = len({r.run.config.rounds for r in results.results}) == 1
    told = ["seed", *(["rounds"] if same_rounds else []), *_varied(results)]
    keys: list[str] = []
    for variant in plan.variants:
        config = results.of(variant.name)[0].run.config
        others = (plan.base, *(results.of(v.name)[0].run.config for v in plan.variants))
        # Of two that both have another scheme or optimizer than the base, also how they differ.
        differ = [k for other in others for k in shown_differences(other, config)]
        keys += [k for k in dict.fromkeys(differ) if k not in (*keys, *swept, *told)]
    seeds = any(v.seeds is not None for v in plan.variants) or plan.experiment.seeds is not None
    if not keys or (len(keys) == 1 and _tells(results, keys[0])):
        return None
    header = [head("variant")]
    header += [Cell(Keys((key,))) for key in (*keys, *swept)]
    header += [head("seeds")] if seeds else []
    rows = []
    for variant in plan.variants:
        members = results.of(variant.name)
        flat, base = members[0].run.config.flat(), plan.base.flat()
        row = [Cell(named(results, variant.name))]
        for key in keys:
            same = flat.get(key) == base.get(key)
            row.append(Cell(NONE if same else configured(key, flat.get(key))))
        for key in swept:
            values = [dict(r.point)[key] for r in members if key in dict(r.point)]
            row.append(Cell(_range(key, values) if values else NONE))
        if seeds:
            count = len({r.trial.seed for r in members if r.trial.seed is not None})
            row.append(Cell(text("report.seeds", count=count) if count else NONE))
        rows.append(tuple(row))
    return Table(text("report.differences-table"), tuple(header), tuple(rows))


def _varied(results: ExperimentResults) -> list[str]:
    """Keys in which the points of a sweep differ, beside those that the lab names."""
    found: dict[str, None] = {}
    grids = [[m[0] for m in points.values()] for points in results.gridded.values()]
    for members in (*results.swept.values(), *grids) if results.plan.axes else ():
        for result in members[1:]:
            found |= dict.fromkeys(shown_differences(members[0].run.config, result.run.config))
    return list(found)


def _tells(results: ExperimentResults, key: str) -> bool:
    """Return whether the value of a key, where it is not the base's, stands in each name."""
    plan = results.plan
    base = plan.base.flat().get(key)
    values = [(v, results.of(v.name)[0].run.config.flat().get(key)) for v in plan.variants]
    return all(value == base or _is_in_names(variant, value) for variant, value in values)


def _is_in_names(variant: Variant, value: object) -> bool:
    label = variant.label
    names = [variant.name] if label is None else [label.within("zh"), label.within("en")]
    parts = value if isinstance(value, tuple | list) else (value,)
    words = [f"{part:g}" if isinstance(part, float) else str(part) for part in parts]
    return all(word.lower() in name.lower() for word in words for name in names)


def named(results: ExperimentResults, variant: str, point: Point = ()) -> Named:
    """A variant or a point of an experiment, as tables and figures call it."""
    return Named(Subject(variant, point), results.plan.name)


def _range(key: str, values: list[object]) -> Phrase:
    distinct = [configured(key, value) for value in dict.fromkeys(values)]
    if len(distinct) <= 4:
        return Concatenation(tuple(distinct), ", ")
    return Concatenation((distinct[0], " … ", distinct[-1], f" ({len(distinct)})"))


def comparison_table(results: ExperimentResults) -> Table | None:
    """Single runs: losses at each budget, floor, distance, lowest loss, squared error, ending."""
    singles = results.singles
    if not singles:
        return None
    ranked = all(comparable(r, singles[0]) for r in singles)
    header = [head("variant")]
    columns: list[list[Number | None]] = []

    def column(name: str, values: list[Number | None], **given: Phrase) -> None:
        header.append(head(name, numeric=True, **given))
        columns.append(values)

    column("initial", [_loss(r, 0) for r in singles])
    for budget in results.budgets:
        column("loss" + ending_of(results), [_loss(r, budget) for r in singles], budget=budget)
    column("floor", [_finite(r.floor.value) for r in singles])
    # The squared error of a run that minimises just that is its loss.
    errors = any(r.run.config.loss != "mse" for r in singles)
    if errors:
        column("error", [_error(r, results.last) for r in singles])
    best = _best_of_singles(results, columns, ranked, errors)
    filled = [cells(values, stars) for values, stars in zip(columns, best, strict=True)]
    header.append(head("best", numeric=True))
    whole = all(r.run.trace.ending.kind == "completed" for r in singles)
    header += [] if whole else [head("ending")]
    rows = tuple(
        (
            Cell(named(results, result.variant)),
            *(column[index] for column in filled),
            _lowest_on_the_way(result),
            *(() if whole else (Cell(ending(result)),)),
        )
        for index, result in enumerate(singles)
    )
    errors_are_marked = bool(best[-1]) if errors and not ranked else None
    return Table(_comparison_caption(singles, ranked, errors_are_marked), tuple(header), rows)


def _best_of_singles(
    results: ExperimentResults,
    columns: Sequence[Sequence[Number | None]],
    ranked: bool,
    errors: bool,
) -> list[Best]:
    """What is marked in each column; the last one has squared errors, if there are any."""
    singles = results.singles
    # The floor is given and the initial loss is no merit: nothing in them is best.
    best: list[Best] = [frozenset()] * len(columns)
    if ranked:
        best[1 : 1 + len(results.budgets)] = [lowest(singles, b) for b in results.budgets]
    data = [r.run.config.data for r in singles]
    if errors and all(same_rows(data[0], other) for other in data):
        best[-1] = nearest(columns[-1])
    return best


def _comparison_caption(
    singles: Sequence[Result], ranked: bool, errors_are_marked: bool | None
) -> Phrase:
    """Describe the columns and the marks; of squared errors alone where losses differ."""
    caption = [text("report.comparison-table" if ranked else "report.comparison-table-plain")]
    if errors_are_marked is not None:
        marked = "best-error" if errors_are_marked else "errors"
        caption.append(text(f"report.comparison-table-{marked}"))
    if not all(r.sees_all_rows for r in singles):
        caption.append(text("report.comparison-table-batches"))
    return passage(caption)


def _lowest_on_the_way(result: Result) -> Cell:
    """The lowest loss of a run, and after how many updates."""
    if result.best_round is None:
        return Cell(NONE, numeric=True)
    least = result.told(lambda r: None if r.best_round is None else r.loss(r.best_round))
    # Where the loss hardly changes any more, rounding decides when it is lowest.
    if any(twin.best_round != result.best_round for twin in result.twins):
        return Cell(least, numeric=True)
    return Cell(Concatenation((least, f" ({result.best_round})")), numeric=True)


def ending(result: Result) -> Phrase:
    """Describe how a run ended, in words."""
    state = result.run.trace.ending
    return text(f"ending.{state.kind}", step=state.step)


def _finite(value: float | None) -> Number | None:
    return Number(value) if value is not None and np.isfinite(value) else None


def sweep_table(results: ExperimentResults) -> Table | None:
    """A row a point of the sweep; columns are budgets, or variants at the last budget."""
    swept = results.swept
    if not swept:
        return None
    points = list(dict.fromkeys(r.point for members in swept.values() for r in members))
    if len(swept) == 1:
        ((_, members),) = swept.items()
        titles = [_loss_head(results, budget) for budget in results.budgets]
        columns = [(members, budget) for budget in results.budgets]
        caption = text("report.sweep-table" + ending_of(results))
    else:
        titles = [Cell(named(results, name), numeric=True) for name in swept]
        columns = [(members, results.last) for members in swept.values()]
        key = "report.sweep-variants-table" + ending_of(results)
        caption = text(key, budget=results.last)
    header = [Cell(Keys((key,)), numeric=True) for key, _ in points[0]]
    ranked = all(map(rankable, swept.values()))
    filled = [_losses_at(points, members, budget, ranked) for members, budget in columns]
    if len(swept) == 1 and (sizes := parameter_cells(members)) is not None:
        filled, titles = [sizes, *filled], [head("parameters", numeric=True), *titles]
    rows = []
    for index, point in enumerate(points):
        row = [Cell(configured(key, value), numeric=True) for key, value in point]
        rows.append((*row, *(column[index] for column in filled)))
    return Table(caption, (*header, *titles), tuple(rows))


def parameter_cells(members: Sequence[Result]) -> list[Cell] | None:
    """How many parameters each network has; None where all have as many."""
    counts = [r.run.config.network.parameter_count for r in members]
    return [Cell(Count(n), numeric=True) for n in counts] if len(set(counts)) > 1 else None


def _losses_at(
    points: Sequence[Point], members: Sequence[Result], budget: int, ranked: bool
) -> list[Cell]:
    """A column of losses at these points, the lowest marked if they can be ranked."""
    by_point = {r.point: r for r in members}
    there = [by_point.get(point) for point in points]
    best: Best = lowest(there, budget) if ranked else frozenset()
    return cells([_loss(result, budget) for result in there], best)


def _loss_head(results: ExperimentResults, budget: int) -> Cell:
    """The head of a column of losses after so many rounds, or after each run's own."""
    return head("loss" + ending_of(results), numeric=True, budget=budget)


def ending_of(results: ExperimentResults) -> str:
    """The ending of a text's key: of each run at its own end, where rounds are swept."""
    return "-own" if results.at_own_end else ""


def cross_table(experiments: Sequence[ExperimentResults], titles: Sequence[Phrase]) -> Table | None:
    """Variants of all experiments on the lab's own data, by squared error at a shared budget."""
    pairs = [p for p in zip(experiments, titles, strict=True) if p[0].check is None]
    if len(pairs) < 2:
        # Of one experiment there is a table already.
        return None
    budget = min(e.last for e, _ in pairs)
    lines: dict[str, tuple[float, list[Phrase], Result]] = {}
    for experiment, title in pairs:
        for error, result in _by_error(experiment, budget):
            name = Concatenation((title, ": ", in_brackets(experiment, result)))
            # The same run under two names is one line.
            digest = experiment_key(result, budget)
            lines.setdefault(digest, (error, [], result))[1].append(name)
    if len(lines) < 2:
        return None
    ordered = sorted(lines.values(), key=lambda line: line[0])
    rows = tuple(
        (
            Cell(Concatenation(tuple(names), "; ")),
            measured(_error(result, budget), best=error == ordered[0][0]),
            Cell(_predictions(result, budget), numeric=True),
        )
        for error, names, result in ordered
    )
    header = (head("variant"), head("error", numeric=True), head("predictions", numeric=True))
    return Table(text("report.cross-table", budget=budget), header, rows)


def _by_error(experiment: ExperimentResults, budget: int) -> Iterator[tuple[float, Result]]:
    """Single runs and the best of each sweep, of those on the lab's own data, with their errors."""
    candidates = list(experiment.singles)
    for members in experiment.swept.values():
        long = [r for r in members if r.run.config.rounds >= budget]
        there = [r for r in long if r.error(budget) is not None]
        candidates += [min(there, key=lambda r: r.error(budget) or 0.0)] if there else []
    for result in candidates:
        error = result.error(budget)
        if result.run.config.rounds < budget:
            continue
        if error is not None and same_rows(result.run.config.data, experiment.plan.base.data):
            yield error, result


def _predictions(result: Result, budget: int) -> Phrase:
    """Format what the error of a run is of: probabilities, where outputs are logits."""
    outputs = result.predictions(budget)
    values = [] if outputs is None else [Number(float(o)) for o in outputs.ravel()]
    shown: list[Phrase] = [*values[:MOST_OUTPUTS], *(["…"] if len(values) > MOST_OUTPUTS else [])]
    return Concatenation(("(", Concatenation(tuple(shown), ", "), ")"))


def in_brackets(experiment: ExperimentResults, result: Result) -> Phrase:
    """A variant with its point in brackets; the point alone where there is one variant."""
    name = named(experiment, result.variant)
    if not result.point:
        return name
    point = named(experiment, "", result.point)
    single = len(experiment.plan.variants) == 1
    return point if single else Concatenation((name, " (", point, ")"))


def experiment_key(result: Result, budget: int) -> str:
    """The same for runs that are the same up to a budget, whatever they are called."""
    trace = result.run.trace
    return trace.losses[: budget + 1].tobytes().hex() + trace.weights[: budget + 1].tobytes().hex()
