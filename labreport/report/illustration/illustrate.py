"""Figures and tables of an experiment: chosen by its structure, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from labreport.analysis.observation import Keys, Number, Subject
from labreport.analysis.points import is_number
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.initialisation import final_losses
from labreport.analysis.rules.sweeps import best
from labreport.analysis.thresholds import OVERSHOOT
from labreport.lab.configuration import RunConfig
from labreport.report import tables
from labreport.report.illustration.captions import Captions, with_number
from labreport.report.illustration.curves import (
    Curves,
    comparable_all,
    drawn_losses,
    look,
    single_curves,
    starts_curves,
    swept_curves,
)
from labreport.report.illustration.drawings import (
    Array,
    Curve,
    CurveDrawing,
    Drawing,
    HeatmapDrawing,
    LandscapeDrawing,
    Level,
    MapDrawing,
    MarkedAxes,
    SizesDrawing,
    SpreadDrawing,
    StartsDrawing,
    SweepDrawing,
    SweptSeries,
    Trajectory,
    WeightsDrawing,
    kept,
)
from labreport.report.illustration.extents import LINEAR, RUNAWAY, extent_of, is_cut, run_away
from labreport.report.illustration.gradient_checks import check_blocks, check_tables
from labreport.report.illustration.loss_landscape import CELLS, Landscape, landscape
from labreport.report.illustration.trajectories import (
    gradient_sizes,
    longest_moves,
    most_moved,
    weights_of,
)
from labreport.report.phrases import Counted, Named, Phrase, listed, passage, text
from labreport.report.tree import Block, Figure, Paragraph, Table

TableMaker = Callable[[ExperimentResults], Table | None]

MOST_RUNS = 12
"""Runs whose weights and gradients a figure can hold apart."""

MOST_LAYERS = 8
"""Layers that a figure has a panel for."""

MOST_FACTS = 6
"""Runs that an alternative text speaks of."""

FEWEST_ROWS = 4
"""Values from which on a map shows more than a table."""


def illustrate(results: ExperimentResults, title: Phrase) -> list[Block]:
    """The figures and tables of an experiment: what came out, then how it came about."""
    checked = check_blocks(results)
    if checked:
        return checked
    drawing = _Illustration(results, title)
    return [
        *drawing.sweep(),
        *drawing.map(),
        *drawing.table(tables.sweep_table),
        *drawing.sweep_curves(),
        *drawing.starts(),
        *drawing.table(tables.starts_table),
        *drawing.curves(),
        *drawing.table(tables.comparison_table),
        *drawing.weights(),
        *drawing.sizes(),
        *drawing.landscape(),
    ]


def tables_of(results: ExperimentResults) -> list[Table]:
    """The tables of an experiment alone, in reading order."""
    makers = (tables.sweep_table, tables.starts_table, tables.comparison_table)
    blocks: Sequence[Block | None] = check_tables(results) or [m(results) for m in makers]
    return [block for block in blocks if isinstance(block, Table)]


class _Illustration:
    """The figures of one experiment."""

    def __init__(self, results: ExperimentResults, title: Phrase) -> None:
        self.results = results
        self.title = title
        self.readings = Captions(results)

    def table(self, make: TableMaker) -> list[Block]:
        """A table, where the experiment has something to put in it."""
        made = make(self.results)
        return [made] if made else []

    def curves(self) -> list[Block]:
        """Losses of single runs, or their squared errors where losses differ in kind."""
        chosen = single_curves(self.results)
        if chosen is None:
            return []
        same = chosen.kind == "losses"
        floors = self._floors(chosen.results) if same and comparable_all(chosen.results) else []
        return [self._curves(chosen, floors, chosen.kind, f"{chosen.kind}-title")]

    def sweep_curves(self) -> list[Block]:
        """Loss curves at some points of a sweep: each variant's best, or points along one axis."""
        chosen = swept_curves(self.results)
        if chosen is None:
            return []
        which = ""
        if len(self.results.swept) > 1:
            which = "-best"
        elif len(chosen.results) == len(self.results.everywhere):
            which = "-all"
        title = f"sweep-curves-title{which}"
        return [self._curves(chosen, self._floors(chosen.results), "losses", title)]

    def _curves(self, chosen: Curves, floors: list[float], kind: str, title: str) -> Figure:
        axes = self._axes("axis-loss" if kind == "losses" else "axis-error")
        drawing = CurveDrawing(kept(chosen.curves), self.results.budgets, tuple(floors), axes)
        read, last = self.readings, self.results.last
        names = [read.name(r) for r in chosen.results]
        lasts = [r.loss(last) if kind == "losses" else r.error(last) for r in chosen.results]
        same = comparable_all(chosen.results)
        lines = [
            read.floors(floors, chosen.results),
            read.budgets() if chosen.by_ratio else "",
        ]
        caption = [
            read.ends(list(zip(names, lasts, strict=True)))
            if same or kind == "errors"
            else self._text("read-incomparable"),
            self._text("read-errors") if kind == "errors" else "",
            read.ended([name for name, value in zip(names, lasts, strict=True) if value is None]),
            self._missing(chosen.results),
            *lines,
        ]
        facts = [self._course(curve.name, curve.values) for curve in chosen.curves]
        return self._figure(title, caption, drawing, f"alternative-{kind}", facts, lines)

    def weights(self) -> list[Block]:
        """Weights of single runs by round, a panel for each."""
        singles, last = self._recorded(), self.results.last
        if not singles:
            return []
        shown = most_moved(singles, last)
        runs = [self._shown_weights(r, shown) for r in singles]
        some = any(len(r.names) > len(shown) for r in singles)
        names = [self.readings.name(r) for r in singles]
        far = run_away(run.values for run in runs)
        caption = [
            self._text("read-weights"),
            self._text("read-weights-far", far=RUNAWAY, linear=LINEAR) if far else "",
            self._text("read-weights-some", count=len(shown)) if some else "",
            self.readings.moves(longest_moves(singles, last), names),
            self._missing(singles),
        ]
        axes = (self._text("axis-updates"), self._text("axis-weight"))
        read = [
            self.readings.moves(longest_moves([r], last), [name])
            for r, name in zip(singles[:MOST_FACTS], names, strict=False)
        ]
        drawing = WeightsDrawing(kept(runs), shown, axes)
        words = "alternative-weights"
        return [self._figure("weights-title", caption, drawing, words, sentences=read)]

    def _shown_weights(
        self, result: Result, shown: Sequence[str]
    ) -> Trajectory[Phrase, np.ndarray]:
        """Those weights of a run that have a panel, of those that it has."""
        names = tuple(name for name in shown if name in result.names)
        columns = [result.names.index(name) for name in names]
        values = weights_of(result, self.results.last)[:, columns]
        return Trajectory(self._label(result), names, values, self._look(result))

    def sizes(self) -> list[Block]:
        """Sizes of the gradient of single runs by layer and round."""
        singles = self._recorded()
        # Layers are compared by their place, so networks are of one shape.
        if not singles or len({r.run.config.network.layers for r in singles}) > 1:
            return []
        network = singles[0].run.config.network
        titles: tuple[Phrase, ...] = tuple(
            self._text("layer-panel", number=k, source=into, target=out)
            for k, (out, into) in enumerate(network.shapes, start=1)
        )
        runs = [
            Trajectory(
                self._label(r),
                titles,
                gradient_sizes(r, self.results.last),
                self._look(r),
            )
            for r in singles
        ]
        read = [
            self.readings.sizes(run.values, self.readings.name(r))
            for run, r in zip(runs, singles, strict=True)
        ]
        axes = (self._text("axis-updates"), self._text("axis-norm"))
        sizes = [run.values for run in runs]
        drawing: Drawing
        if len(titles) <= MOST_LAYERS:
            drawing, how = SizesDrawing(kept(runs), titles, axes), "read-norms"
        else:
            named = (axes[0], self._text("axis-layer"), axes[1])
            drawing, how = HeatmapDrawing(kept(runs), extent_of(sizes), named), "read-norms-map"
        cut = self._text("read-norms-cut") if is_cut(sizes) else ""
        batched = [self.readings.name(r) for r in singles if not r.sees_all_rows]
        batches = self._text("read-norms-batches", names=listed(batched)) if batched else ""
        caption = [self._text(how), cut, batches, read[0], self._missing(singles)]
        read = read[:MOST_FACTS]
        words = "alternative-sizes"
        return [self._figure("sizes-title", caption, drawing, words, sentences=read)]

    def landscape(self) -> list[Block]:
        """The ways of runs over the loss, where several begin at the same place of the same one."""
        chosen = swept_curves(self.results) or single_curves(self.results)
        if chosen is None or not chosen.results:
            return []
        found = landscape(chosen.results, self.results.budgets)
        if found is None:
            return []
        if found.losses is None:
            return [self._too_large(chosen.results[found.held].run.config)]
        shown = [chosen.results[k] for k in found.members]
        told = {*found.members, *found.far, *found.beside}
        lengths = self.readings.lengths(
            [(self.readings.name(r), weights_of(r, found.rounds)) for r in shown], found.rounds
        )
        held = self.readings.name(chosen.results[found.held])
        on = listed(self.readings.name(chosen.results[k]) for k in found.on)
        flat = "-flat" if found.flat else ""
        return [
            self._figure(
                "landscape-title",
                [
                    self._text(f"read-landscape{flat}", held=held, on=on, budget=found.rounds),
                    self._coarser(found.cells),
                    self.readings.off_the_landscape(
                        [chosen.results[k] for k in found.far],
                        [chosen.results[k] for k in found.beside],
                    ),
                    self.readings.left_out(
                        [r for k, r in enumerate(chosen.results) if k not in told]
                    ),
                    lengths,
                ],
                self._landscape_drawing(found, chosen, found.losses),
                "alternative-landscape",
                sentences=[lengths],
                first=found.names[0],
                second=found.names[1],
            )
        ]

    def _landscape_drawing(
        self, found: Landscape, chosen: Curves, losses: np.ndarray
    ) -> LandscapeDrawing:
        ways: tuple[Curve[Phrase, Array], ...] = tuple(
            Curve(chosen.curves[k].name, Array.of(way), chosen.curves[k].look)
            for k, way in zip(found.members, found.ways, strict=True)
        )
        shades = self._text("axis-loss")
        return LandscapeDrawing(found.names, kept(found.sides), Array.of(losses), ways, shades)

    def _too_large(self, config: RunConfig) -> Paragraph:
        """Why there is no landscape of a network."""
        return Paragraph(
            self._text(
                "no-landscape",
                rows=len(config.data.inputs),
                parameters=config.network.parameter_count,
            )
        )

    def _coarser(self, cells: int) -> Phrase:
        """That a landscape has fewer cells than others."""
        return self._text("read-landscape-coarser", cells=cells) if cells < CELLS else ""

    def _missing(self, drawn: Sequence[Result]) -> Phrase:
        """Which single runs are not among those that are drawn."""
        return self.readings.left_out([r for r in self.results.singles if r not in drawn])

    def _recorded(self) -> list[Result]:
        """Single runs whose every round is recorded, and that have at least one."""
        whole = [r for r in self.results.singles if r.run.trace.is_whole]
        return [r for r in whole if len(r.losses) > 1][:MOST_RUNS]

    def sweep(self) -> list[Block]:
        """Final loss against the one swept key."""
        lines, found = self._sweep_lines()
        if not found:
            return []
        key = self.results.plan.axes[0][0]
        axes = (Keys((key,)), self._text("axis-loss"), self._text("floor"))
        floors = self._floors(self.results.everywhere)
        drawing = SweepDrawing(tuple(lines), tuple(floors), axes)
        facts = self._best_of_each(found)
        after = self._text("read-budget", budget=found[0][1]) if self._is_one_budget else ""
        caption = [after, self._lowest_points(found), self.readings.floors(floors)]
        return [self._figure("sweep-title", caption, drawing, "alternative-sweep", facts)]

    def _sweep_lines(self) -> tuple[list[SweptSeries[Phrase]], list[tuple[Result, int]]]:
        """Lines of final loss: one a budget for one variant, one a variant for several."""
        swept, last = self.results.swept, self.results.last
        if len(self.results.plan.axes) != 1 or not swept:
            return [], []
        everywhere = self.results.everywhere
        if not all(is_number(r.point[0][1]) for r in everywhere) or not comparable_all(everywhere):
            return [], []
        series: list[tuple[Phrase, tuple[Result, ...], int, int]]
        if len(swept) == 1:
            ((_, members),) = swept.items()
            series = [
                (Counted("rounds", budget), members, budget, place)
                for place, budget in enumerate(self.results.budgets)
            ]
        else:
            series = [
                (self._named(name), members, last, self._place(name))
                for name, members in swept.items()
            ]
        lines, found = [], []
        for name, members, budget, place in series:
            ordered = sorted(members, key=lambda r: float(r.point[0][1]))
            losses = tuple(_known(r.loss(budget)) for r in ordered)
            values = tuple(float(r.point[0][1]) for r in ordered)
            lines.append(SweptSeries(name, values, losses, place))
            top = best(members, budget)
            found += [(top, budget)] if top else []
        return lines, found

    def map(self) -> list[Block]:
        """Loss over the swept key and the rounds, for a single variant."""
        _, found = self._sweep_lines()
        if not found or len(self.results.swept) != 1:
            return []
        ((_, members),) = self.results.swept.items()
        ordered = sorted(members, key=lambda r: float(r.point[0][1]))
        positive = [r for r in ordered if np.nanmax(r.losses[1:], initial=0.0) > 0]
        if len(ordered) < FEWEST_ROWS or not positive:
            return []
        last = self.results.last
        key = Keys((members[0].point[0][0],))
        drawing = MapDrawing(
            tuple(float(r.point[0][1]) for r in ordered),
            tuple(Array.of(drawn_losses(r)) for r in ordered),
            last,
            self.results.budgets,
            (self._text("axis-updates"), key, self._text("axis-loss")),
        )
        facts = self._best_of_each(found)
        lowest = min(
            (float(r.losses[k]), k, place)
            for place, r in enumerate(ordered)
            if len(r.losses) > 1
            for k in [1 + int(np.nanargmin(r.losses[1 : last + 1]))]
        )
        reading = self._text(
            "read-map-lowest",
            point=Named(Subject("", ordered[lowest[2]].point), self.results.plan.name),
            round=lowest[1],
            value=Number(lowest[0]),
        )
        ended = any(r.loss(last) is None for r in ordered)
        crosses = self._text("read-map-ended") if ended else ""
        caption = [self._text("read-map"), crosses, reading]
        return [self._figure("map-title", caption, drawing, "alternative-map", facts, [reading])]

    @property
    def _is_one_budget(self) -> bool:
        """Whether all lines of a sweep are losses after the same number of rounds."""
        return len(self.results.swept) > 1 or len(self.results.budgets) == 1

    def _lowest_points(self, found: Sequence[tuple[Result, int]]) -> Phrase:
        """Where the dots of a sweep stand, line by line."""
        facts = []
        for result, budget in found:
            point = with_number(self.readings.name(result), result.loss(budget) or 0.0)
            line = self._text("best-of-line", line=Counted("rounds", budget), best=point)
            facts.append(point if self._is_one_budget else line)
        return self._text("read-lowest", facts=listed(facts, "clauses"))

    def _best_of_each(self, found: Sequence[tuple[Result, int]]) -> list[Phrase]:
        """The lowest point of each line; lines of one variant are told apart by their rounds."""
        best = [self._best(result, budget) for result, budget in found]
        if self._is_one_budget:
            return best
        return [
            self._text("best-of-line", line=Counted("rounds", budget), best=words)
            for (_, budget), words in zip(found, best, strict=True)
        ]

    def _best(self, result: Result, budget: int) -> Phrase:
        value = Number(result.loss(budget) or 0.0)
        return self._text("alternative-best", subject=self.readings.name(result), value=value)

    def starts(self) -> list[Block]:
        """Distribution of the final loss over random starts, and the spread of the curves."""
        last = self.results.last
        groups = [
            (name, members)
            for name, members in self.results.replicated.items()
            if len(final_losses(members, last)) > 1
        ]
        if not groups:
            return []
        singles = [r for r in self.results.singles if r.loss(last) is not None]
        losses = [self._group(name, final_losses(members, last)) for name, members in groups]
        marks: list[Level[Phrase]] = [
            Level(self._label(r), r.loss(last) or 0.0, self._look(r)) for r in singles
        ]
        axes = (self._text("axis-loss"), self._text("axis-starts"))
        facts = [
            self._text(
                "alternative-median",
                subject=group.name,
                value=Number(float(np.median(group.values))),
            )
            for group in losses
        ]
        medians = self.readings.medians([(group.name, group.values) for group in losses])
        lines = self._single_starts([(name, value) for name, value, _ in marks])
        drawing = StartsDrawing(kept(losses), tuple(marks), axes)
        histogram = self._figure(
            "starts-title",
            [self._text("read-starts", budget=last), lines, medians],
            drawing,
            "alternative-starts",
            facts,
            [lines],
        )
        return [histogram, self._spread(groups, singles)]

    def _single_starts(self, named: Sequence[tuple[Phrase, float]]) -> Phrase:
        """What the lines beside a distribution are."""
        if not named:
            return ""
        facts = listed((with_number(name, value) for name, value in named), "clauses")
        return self._text("read-starts-singles", facts=facts)

    def _spread(
        self, groups: Sequence[tuple[str, tuple[Result, ...]]], singles: Sequence[Result]
    ) -> Figure:
        """Medians and ranges of the curves over random starts."""
        last = self.results.last
        curves = [self._group(name, starts_curves(members, last)) for name, members in groups]
        lines: list[Curve[Phrase, np.ndarray]] = [
            Curve(self._label(r), drawn_losses(r)[: last + 1], self._look(r)) for r in singles
        ]
        floors = self._floors([m for _, members in groups for m in members[:1]])
        axes = self._axes("axis-loss")
        drawing = SpreadDrawing(kept(curves), kept(lines), tuple(floors), axes)
        facts = [self._course(c.name, np.median(c.values, axis=0)) for c in curves]
        caption = [
            self._text("read-spread"),
            self._text("read-medians", facts=listed(facts, "clauses")),
            self.readings.floors(floors),
        ]
        facts += [self._course(line.name, line.values) for line in lines]
        described = [self._text("read-spread"), caption[-1]]
        return self._figure(
            "starts-curves-title", caption, drawing, "alternative-losses", facts, described
        )

    def _group(self, name: str, values: np.ndarray) -> Curve[Phrase, np.ndarray]:
        return Curve(self._named(name), values, self._place(name))

    def _figure(
        self,
        title: str,
        caption: Sequence[Phrase],
        drawing: Drawing,
        alternative: str,
        facts: Sequence[Phrase] = (),
        sentences: Sequence[Phrase] = (),
        **values: Phrase,
    ) -> Figure:
        """A figure; its caption is a title and sentences, of which empty ones are left out.

        Its alternative text has the facts in its first sentence, and then sentences of their own.
        """
        told = listed(facts, "clauses")
        words = self._text(alternative, what=self.title, facts=told, **values)
        under = passage([self._text(title), *caption])
        return Figure(under, drawing, passage([words, *sentences]))

    def _course(self, name: Phrase, values: np.ndarray) -> Phrase:
        """What a curve does: where it begins and ends, and its lowest point if that is another."""
        first, last = float(values[0]), float(values[-1])
        said = {"subject": name, "first": Number(first), "last": Number(last)}
        k = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
        lowest = float(values[k])
        if 0 < lowest < min(first, last / OVERSHOOT):
            return self._text("alternative-fact-low", **said, lowest=Number(lowest), updates=k)
        return self._text("alternative-fact", **said)

    def _axes(self, vertical: str) -> MarkedAxes:
        return self._text("axis-updates"), self._text(vertical), self._text("floor")

    def _text(self, key: str, **values: Phrase) -> Phrase:
        return text(f"report.{key}", **values)

    def _label(self, result: Result) -> Named:
        return self._named(result.variant)

    def _named(self, variant: str) -> Named:
        return tables.named(self.results, variant)

    def _look(self, result: Result) -> int:
        return self._place(result.variant)

    def _place(self, variant: str) -> int:
        return look(self.results, variant)

    def _floors(self, members: Sequence[Result]) -> list[float]:
        values = {r.floor.value for r in members}
        return sorted(v for v in values if v is not None and np.isfinite(v) and v > 0)


def _known(loss: float | None) -> float | None:
    """A loss that can be drawn; None where a run had ended."""
    return None if loss is None or np.isnan(loss) else float(loss)
