"""Figures of weights and gradients of single runs, and of their ways over the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.results import Result
from labreport.lab.configuration import RunConfig
from labreport.report.illustration.curves import (
    Curves,
    single_curves,
    swept_curves,
)
from labreport.report.illustration.drawings import (
    Array,
    Curve,
    Drawing,
    HeatmapDrawing,
    LandscapeDrawing,
    SizesDrawing,
    Trajectory,
    WeightsDrawing,
    kept,
)
from labreport.report.illustration.extents import LINEAR, RUNAWAY, extent_of, is_cut, run_away
from labreport.report.illustration.figure_maker import FigureMaker
from labreport.report.illustration.loss_landscape import CELLS, Landscape, landscape
from labreport.report.illustration.trajectories import (
    gradient_sizes,
    longest_moves,
    most_moved,
    weights_of,
)
from labreport.report.phrases import Phrase
from labreport.report.tree import Block, Paragraph

MOST_LAYERS = 8
"""Layers that a figure has a panel for."""

MOST_FACTS = 6
"""Runs that an alternative text speaks of."""


class RunFigures(FigureMaker):
    """Figures of weights and gradients of single runs, and of their ways over the loss."""

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
        last = self.results.last
        runs = [
            Trajectory(self._label(r), titles, gradient_sizes(r, last), self._look(r))
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
        batches = (
            self._text("read-norms-batches", names=self.readings.some(batched)) if batched else ""
        )
        caption = [self._text(how), cut, batches, self._missing(singles)]
        read = read[:MOST_FACTS]
        words = "alternative-sizes"
        return [self._figure("sizes-title", caption, drawing, words, sentences=read)]

    def landscape(self) -> list[Block]:
        """The ways of runs over the loss, where several begin at the same place of the same one."""
        chosen = swept_curves(self.results) or single_curves(self.every_name)
        if chosen is None or not chosen.results:
            return []
        found = landscape(chosen.results, self.results.budgets)
        if found is None:
            return []
        if found.losses is None:
            return [self._too_large(chosen.results[found.held].run.config)]
        told = {*found.members, *found.far, *found.beside}
        held = self.readings.name(chosen.results[found.held])
        on = self.readings.some([self.readings.name(chosen.results[k]) for k in found.on])
        flat = ("-flat" if found.flat else "") + self.readings.at_own_end
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
                ],
                self._landscape_drawing(found, chosen, found.losses),
                "alternative-landscape",
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
        """State why there is no landscape of a network."""
        return Paragraph(
            self._text(
                "no-landscape",
                rows=len(config.data.inputs),
                parameters=config.network.parameter_count,
            )
        )

    def _coarser(self, cells: int) -> Phrase:
        """State that a landscape has fewer cells than others."""
        return self._text("read-landscape-coarser", cells=cells) if cells < CELLS else ""
