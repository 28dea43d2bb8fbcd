"""Figures and tables of an experiment: chosen by its structure, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan

import numpy as np

from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.initialisation import final_losses
from labreport.analysis.rules.points import is_number
from labreport.analysis.rules.sweeps import best
from labreport.analysis.thresholds import OVERSHOOT
from labreport.lab.configuration import RunConfig
from labreport.report import numbers, tables
from labreport.report.captions import Captions
from labreport.report.curves import (
    Curve,
    Curves,
    comparable_all,
    drawn_losses,
    look,
    single_curves,
    starts_curves,
    swept_curves,
)
from labreport.report.drawing_cache import DrawingCache
from labreport.report.gradient_check_section import check_blocks, check_tables
from labreport.report.language import Language
from labreport.report.loss_landscape import CELLS, landscape
from labreport.report.numbering import Numbering
from labreport.report.trajectories import (
    Trajectory,
    gradient_sizes,
    longest_moves,
    most_moved,
    weights_of,
)
from labreport.report.tree import Block, Figure, Paragraph, Plot, Table

TableMaker = Callable[[ExperimentResults, Language, Numbering], Table | None]

MOST_RUNS = 12
"""Runs whose weights and gradients a figure can hold apart."""

MOST_LAYERS = 8
"""Layers that a figure has a panel for."""

MOST_FACTS = 6
"""Runs that an alternative text speaks of."""

FEWEST_ROWS = 4
"""Values from which on a map shows more than a table."""


def illustrate(
    results: ExperimentResults,
    title: str,
    language: Language,
    numbering: Numbering,
    kept: DrawingCache,
) -> list[Block]:
    """The figures and tables of an experiment: what came out, then how it came about."""
    checked = check_blocks(results, language, numbering, kept)
    if checked:
        return checked
    drawing = _Illustration(results, title, language, numbering, kept)
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


def tables_of(results: ExperimentResults, language: Language, numbering: Numbering) -> list[Table]:
    """The tables of an experiment alone, in reading order."""
    drawing = _Illustration(results, "", language, numbering, DrawingCache())
    blocks = check_tables(results, language, numbering) or [
        *drawing.table(tables.sweep_table),
        *drawing.table(tables.starts_table),
        *drawing.table(tables.comparison_table),
    ]
    return [block for block in blocks if isinstance(block, Table)]


class _Illustration:
    """The figures of one experiment in one language."""

    def __init__(
        self,
        results: ExperimentResults,
        title: str,
        language: Language,
        numbering: Numbering,
        kept: DrawingCache,
    ) -> None:
        self.results = results
        self.title = title
        self.language = language
        self.numbering = numbering
        self.kept = kept
        self.readings = Captions(results, language)

    def table(self, make: TableMaker) -> list[Block]:
        """A table, where the experiment has something to put in it."""
        made = make(self.results, self.language, self.numbering)
        return [made] if made else []

    def curves(self) -> list[Block]:
        """Losses of single runs, or their squared errors where losses differ in kind."""
        chosen = single_curves(self.results, self.language)
        if chosen is None:
            return []
        same = chosen.kind == "losses"
        floors = self._floors(chosen.results) if same and comparable_all(chosen.results) else []
        return [self._curves(chosen, floors, chosen.kind, f"{chosen.kind}-title")]

    def sweep_curves(self) -> list[Block]:
        """Loss curves at some points of a sweep: each variant's best, or points along one axis."""
        chosen = swept_curves(self.results, self.language)
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
        from labreport.report.figures.curve_figure import curve_figure
        from labreport.report.figures.page_plot import plot_of_curves

        axis = "axis-loss" if kind == "losses" else "axis-error"
        drawn = (chosen.curves, self.results.budgets, floors, self._axes(axis))
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
        return self._figure(
            title,
            caption,
            self.kept.draw(curve_figure, *drawn),
            f"alternative-{kind}",
            facts,
            lines,
            plot=plot_of_curves(*drawn),
        )

    def weights(self) -> list[Block]:
        """Weights of single runs by round, a panel for each."""
        from labreport.report.figures.panels import LINEAR, RUNAWAY, runs_away, weights_figure

        singles, last = self._recorded(), self.results.last
        if not singles:
            return []
        runs = [
            Trajectory(self._label(r), r.names, weights_of(r, last), self._look(r)) for r in singles
        ]
        shown = most_moved(singles, last)
        some = any(len(r.names) > len(shown) for r in singles)
        names = [self.readings.name(r) for r in singles]
        far = any(runs_away(runs, name) for name in shown)
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
        svg = self.kept.draw(weights_figure, runs, shown, axes)
        return [self._figure("weights-title", caption, svg, "alternative-weights", sentences=read)]

    def sizes(self) -> list[Block]:
        """Sizes of the gradient of single runs by layer and round."""
        from labreport.report.figures.layer_heatmap import layers_figure
        from labreport.report.figures.panels import extent_of, is_cut, sizes_figure

        singles = self._recorded()
        # Layers are compared by their place, so networks are of one shape.
        if not singles or len({r.run.config.network.layers for r in singles}) > 1:
            return []
        network = singles[0].run.config.network
        titles = tuple(
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
            self.readings.sizes(run, self.readings.name(r))
            for run, r in zip(runs, singles, strict=True)
        ]
        axes = (self._text("axis-updates"), self._text("axis-norm"))
        if len(titles) <= MOST_LAYERS:
            svg, how = self.kept.draw(sizes_figure, runs, titles, axes), "read-norms"
        else:
            names = (axes[0], self._text("axis-layer"), axes[1])
            extent = extent_of([run.values for run in runs])
            svg, how = self.kept.draw(layers_figure, runs, extent, names), "read-norms-map"
        cut = self._text("read-norms-cut") if is_cut([run.values for run in runs]) else ""
        batched = [self.readings.name(r) for r in singles if not r.sees_all_rows]
        names_of = self.language.join(batched)
        batches = self._text("read-norms-batches", names=names_of) if batched else ""
        caption = [self._text(how), cut, batches, read[0], self._missing(singles)]
        read = read[:MOST_FACTS]
        return [self._figure("sizes-title", caption, svg, "alternative-sizes", sentences=read)]

    def landscape(self) -> list[Block]:
        """The ways of runs over the loss, where several begin at the same place of the same one."""
        from labreport.report.figures.landscape_figure import landscape_figure

        chosen = swept_curves(self.results, self.language) or single_curves(
            self.results, self.language
        )
        if chosen is None or not chosen.results:
            return []
        found = landscape(chosen.results, self.results.budgets)
        if found is None:
            return []
        if found.losses is None:
            return [self._too_large(chosen.results[found.held].run.config)]
        named = [(chosen.curves[k].name, chosen.curves[k].look) for k in found.members]
        shown = [chosen.results[k] for k in found.members]
        told = {*found.members, *found.far, *found.beside}
        lengths = self.readings.lengths(
            [(self.readings.name(r), weights_of(r, found.rounds)) for r in shown], found.rounds
        )
        held = self.readings.name(chosen.results[found.held])
        on = self.language.join([self.readings.name(chosen.results[k]) for k in found.on])
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
                self.kept.draw(landscape_figure, found, named, self._text("axis-loss")),
                "alternative-landscape",
                sentences=[lengths],
                first=found.names[0],
                second=found.names[1],
            )
        ]

    def _too_large(self, config: RunConfig) -> Paragraph:
        """Why there is no landscape of a network."""
        return Paragraph(
            self._text(
                "no-landscape",
                rows=len(config.data.inputs),
                parameters=config.network.parameter_count,
            )
        )

    def _coarser(self, cells: int) -> str:
        """That a landscape has fewer cells than others."""
        return self._text("read-landscape-coarser", cells=cells) if cells < CELLS else ""

    def _missing(self, drawn: Sequence[Result]) -> str:
        """Which single runs are not among those that are drawn."""
        return self.readings.left_out([r for r in self.results.singles if r not in drawn])

    def _recorded(self) -> list[Result]:
        """Single runs whose every round is recorded, and that have at least one."""
        whole = [r for r in self.results.singles if r.run.trace.is_whole]
        return [r for r in whole if len(r.losses) > 1][:MOST_RUNS]

    def sweep(self) -> list[Block]:
        """Final loss against the one swept key."""
        from labreport.report.figures.page_plot import plot_of_sweep
        from labreport.report.figures.sweep_figure import SweptSeries, sweep_figure

        series, found = self._sweep_lines()
        if not found:
            return []
        lines = [SweptSeries(*line) for line in series]
        key = self.results.plan.axes[0][0]
        axes = (self.language.key(key), self._text("axis-loss"), self._text("floor"))
        floors = self._floors(self.results.everywhere)
        svg = self.kept.draw(sweep_figure, lines, floors, axes)
        plot = plot_of_sweep(lines, floors, axes)
        facts = self._best_of_each(found)
        after = self._text("read-budget", budget=found[0][1]) if self._is_one_budget else ""
        caption = [after, self._lowest_points(found), self.readings.floors(floors)]
        return [self._figure("sweep-title", caption, svg, "alternative-sweep", facts, plot=plot)]

    def _sweep_lines(
        self,
    ) -> tuple[list[tuple[str, list[float], list[float], int]], list[tuple[Result, int]]]:
        """Lines of final loss: one a budget for one variant, one a variant for several."""
        swept, last = self.results.swept, self.results.last
        if len(self.results.plan.axes) != 1 or not swept:
            return [], []
        everywhere = self.results.everywhere
        if not all(is_number(r.point[0][1]) for r in everywhere) or not comparable_all(everywhere):
            return [], []
        if len(swept) == 1:
            ((_, members),) = swept.items()
            series = [
                (self.language.counted("rounds", budget), members, budget, place)
                for place, budget in enumerate(self.results.budgets)
            ]
        else:
            series = [
                (self.language.label(self.results.plan, name), members, last, self._place(name))
                for name, members in swept.items()
            ]
        lines, found = [], []
        for name, members, budget, place in series:
            ordered = sorted(members, key=lambda r: float(r.point[0][1]))
            losses = [loss if (loss := r.loss(budget)) is not None else nan for r in ordered]
            lines.append((name, [float(r.point[0][1]) for r in ordered], losses, place))
            top = best(members, budget)
            found += [(top, budget)] if top else []
        return lines, found

    def map(self) -> list[Block]:
        """Loss over the swept key and the rounds, for a single variant."""
        from labreport.report.figures.sweep_map import map_figure

        _, found = self._sweep_lines()
        if not found or len(self.results.swept) != 1:
            return []
        ((_, members),) = self.results.swept.items()
        ordered = sorted(members, key=lambda r: float(r.point[0][1]))
        positive = [r for r in ordered if np.nanmax(r.losses[1:], initial=0.0) > 0]
        if len(ordered) < FEWEST_ROWS or not positive:
            return []
        last = self.results.last
        svg = self.kept.draw(
            map_figure,
            [float(r.point[0][1]) for r in ordered],
            [drawn_losses(r) for r in ordered],
            last,
            self.results.budgets,
            (
                self._text("axis-updates"),
                self.language.key(members[0].point[0][0]),
                self._text("axis-loss"),
            ),
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
            point=self.language.point(ordered[lowest[2]].point),
            round=lowest[1],
            value=numbers.measured(lowest[0]),
        )
        ended = any(r.loss(last) is None for r in ordered)
        crosses = self._text("read-map-ended") if ended else ""
        caption = [self._text("read-map"), crosses, reading]
        return [self._figure("map-title", caption, svg, "alternative-map", facts, [reading])]

    @property
    def _is_one_budget(self) -> bool:
        """Whether all lines of a sweep are losses after the same number of rounds."""
        return len(self.results.swept) > 1 or len(self.results.budgets) == 1

    def _lowest_points(self, found: Sequence[tuple[Result, int]]) -> str:
        """Where the dots of a sweep stand, line by line."""
        facts = []
        for result, budget in found:
            value = numbers.measured(result.loss(budget) or 0.0)
            point = self.language.text("with", what=self.readings.name(result), detail=value)
            rounds = self.language.counted("rounds", budget)
            line = self._text("best-of-line", line=rounds, best=point)
            facts.append(point if self._is_one_budget else line)
        return self._text("read-lowest", facts=self.language.enumerate(facts))

    def _best_of_each(self, found: Sequence[tuple[Result, int]]) -> list[str]:
        """The lowest point of each line; lines of one variant are told apart by their rounds."""
        best = [self._best(result, budget) for result, budget in found]
        if self._is_one_budget:
            return best
        return [
            self._text("best-of-line", line=self.language.counted("rounds", budget), best=words)
            for (_, budget), words in zip(found, best, strict=True)
        ]

    def _best(self, result: Result, budget: int) -> str:
        return self.language.text(
            "report.alternative-best",
            subject=self.readings.name(result),
            value=numbers.measured(result.loss(budget) or 0.0),
        )

    def starts(self) -> list[Block]:
        """Distribution of the final loss over random starts, and the spread of the curves."""
        from labreport.report.figures import start_distribution

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
        marks = [(self._label(r), r.loss(last) or 0.0, self._look(r)) for r in singles]
        axes = (self._text("axis-loss"), self._text("axis-starts"))
        facts = [
            self.language.text(
                "report.alternative-median",
                subject=group.name,
                value=numbers.measured(float(np.median(group.values))),
            )
            for group in losses
        ]
        medians = self.readings.medians([(group.name, group.values) for group in losses])
        lines = self._single_starts([(name, value) for name, value, _ in marks])
        histogram = self._figure(
            "starts-title",
            [self._text("read-starts", budget=last), lines, medians],
            self.kept.draw(start_distribution.starts_figure, losses, marks, axes),
            "alternative-starts",
            facts,
            [lines],
        )
        return [histogram, self._spread(groups, singles)]

    def _single_starts(self, named: Sequence[tuple[str, float]]) -> str:
        """What the lines beside a distribution are."""
        facts = [
            self.language.text("with", what=name, detail=numbers.measured(value))
            for name, value in named
        ]
        return (
            self._text("read-starts-singles", facts=self.language.enumerate(facts)) if facts else ""
        )

    def _spread(
        self, groups: Sequence[tuple[str, tuple[Result, ...]]], singles: Sequence[Result]
    ) -> Figure:
        """Medians and ranges of the curves over random starts."""
        from labreport.report.figures.start_distribution import starts_curves_figure

        last = self.results.last
        curves = [self._group(name, starts_curves(members, last)) for name, members in groups]
        lines = [Curve(self._label(r), drawn_losses(r)[: last + 1], self._look(r)) for r in singles]
        floors = self._floors([m for _, members in groups for m in members[:1]])
        axes = self._axes("axis-loss")
        svg = self.kept.draw(starts_curves_figure, curves, lines, floors, axes)
        facts = [self._course(c.name, np.median(c.values, axis=0)) for c in curves]
        caption = [
            self._text("read-spread"),
            self._text("read-medians", facts=self.language.enumerate(facts)),
            self.readings.floors(floors),
        ]
        facts += [self._course(line.name, line.values) for line in lines]
        described = [self._text("read-spread"), caption[-1]]
        return self._figure(
            "starts-curves-title", caption, svg, "alternative-losses", facts, described
        )

    def _group(self, name: str, values: np.ndarray) -> Curve:
        return Curve(self.language.label(self.results.plan, name), values, self._place(name))

    def _figure(
        self,
        title: str,
        caption: Sequence[str],
        svg: bytes,
        alternative: str,
        facts: Sequence[str] = (),
        sentences: Sequence[str] = (),
        plot: Plot | None = None,
        **values: object,
    ) -> Figure:
        """A figure; its caption is a title and sentences, of which empty ones are left out.

        Its alternative text has the facts in its first sentence, and then sentences of their own.
        """
        anchor, label = self.numbering.next("figure")
        words = self.language.text(
            f"report.{alternative}",
            what=self.title,
            facts=self.language.enumerate(list(facts)),
            **values,
        )
        words = self.language.paragraph([words, *sentences])
        text = self.language.paragraph([self._text(title), *caption])
        return Figure(anchor, label, text, svg, words, plot)

    def _course(self, name: str, values: np.ndarray) -> str:
        """What a curve does: where it begins and ends, and its lowest point if that is another."""
        first, last = float(values[0]), float(values[-1])
        said = {
            "subject": name,
            "first": numbers.measured(first),
            "last": numbers.measured(last),
        }
        k = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
        lowest = float(values[k])
        if 0 < lowest < min(first, last / OVERSHOOT):
            return self._text(
                "alternative-fact-low", **said, lowest=numbers.measured(lowest), updates=k
            )
        return self._text("alternative-fact", **said)

    def _axes(self, vertical: str) -> tuple[str, str, str]:
        return self._text("axis-updates"), self._text(vertical), self._text("floor")

    def _text(self, key: str, **values: object) -> str:
        return self.language.text(f"report.{key}", **values)

    def _label(self, result: Result) -> str:
        return self.language.label(self.results.plan, result.variant)

    def _look(self, result: Result) -> int:
        return self._place(result.variant)

    def _place(self, variant: str) -> int:
        return look(self.results, variant)

    def _floors(self, members: Sequence[Result]) -> list[float]:
        values = {r.floor.value for r in members}
        return sorted(v for v in values if v is not None and np.isfinite(v) and v > 0)
