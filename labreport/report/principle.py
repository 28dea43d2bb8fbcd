"""The chapter on back-propagation: each step as a formula, with the numbers of this lab."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.naming import display_order, parameter_names, unit_names
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.reference.evaluation import evaluate
from labreport.reference.losses import LOSSES
from labreport.report import formulas, numbers
from labreport.report.drawing_cache import DrawingCache
from labreport.report.language import Language
from labreport.report.numbering import Numbering
from labreport.report.round_by_round import round_by_round
from labreport.report.tables import NONE
from labreport.report.tree import (
    Block,
    Cell,
    DisplayedFormula,
    Figure,
    Paragraph,
    Section,
    Sentences,
    Statement,
    Table,
)
from labreport.report.worked_example import WorkedExample, compute_example
from labreport.report.worked_formulas import WorkedFormulas
from labreport.runs.run import Run

MOST_LINES = 10
"""Lines of one numbered formula."""

MOST_UNITS = 16
"""Units of all layers together that a table lists, of a network too large for formulas."""

MOST_NAMED = 2
"""Parameters that the table of program steps names."""


def principle(
    run: Run, row: int | None, language: Language, numbering: Numbering, kept: DrawingCache
) -> Section:
    """The chapter for a lab whose base configuration gave this run.

    Args:
        run: of the base.
        row: of its data, counted from 1, whose numbers are shown; chosen if left out.
        language: to write in.
        numbering: of figures, tables and formulas.
        kept: pictures that are drawn already.
    """
    worked = compute_example(run, row)
    chapter = _Chapter(run.config, worked, language, numbering, kept)
    sections = [chapter.forward(), chapter.backward(), chapter.update()]
    if worked is not None:
        sections.append(chapter.program(worked))
    return Section("principle", "", language.text("report.principle"), (), tuple(sections))


class _Chapter:
    """The sections of the chapter in one language."""

    def __init__(
        self,
        config: RunConfig,
        worked: WorkedExample | None,
        language: Language,
        numbering: Numbering,
        kept: DrawingCache,
    ) -> None:
        self.config, self.language, self.numbering = config, language, numbering
        self.worked, self.kept = worked, kept
        self.small = WorkedFormulas(worked) if worked is not None and worked.is_small else None

    def forward(self) -> Section:
        """From the inputs to the loss."""
        blocks: list[Block] = [
            Paragraph(self._text("principle-forward")),
            self._formula(formulas.NET_INPUT),
            self._formula(formulas.ACTIVATION),
        ]
        if self.small is not None:
            blocks += [self._drawing("forward"), self._lead("principle-forward-numbers")]
            blocks += self._lines(self.small.forward(0), self.small.forward(1))
        else:
            blocks.append(self._drawing("forward"))
        blocks += self._loss()
        if self.small is not None:
            blocks += [self._lead("principle-loss-numbers")]
            blocks += self._lines(self.small.loss())
        last = ACTIVATIONS[self.config.network.activations[-1]]
        if (last.low, last.high) != (-inf, inf):
            blocks.append(Paragraph(self._text("principle-floor")))
        return self._section("forward", blocks)

    def _loss(self) -> list[Block]:
        """The loss as a formula, or its name where none is written down for it."""
        loss = self.config.loss
        title = self.language.name(loss)
        if loss not in formulas.LOSSES:
            return [Paragraph(self._text("principle-loss-other", loss=title))]
        by_rows = LOSSES[loss].averaged_over == "rows"
        words = self._text("principle-loss" + ("-rows" if by_rows else ""), loss=title)
        blocks: list[Block] = [Paragraph(words), self._formula(formulas.LOSSES[loss])]
        if self.worked is None:
            blocks.append(Paragraph(self._text("principle-refused", loss=title)))
        return blocks

    def backward(self) -> Section:
        """From the loss to the derivative by every parameter."""
        blocks: list[Block] = [Paragraph(self._text("principle-backward"))]
        blocks += [
            self._formula(formulas.OUTPUT_DELTA),
            self._formula(formulas.HIDDEN_DELTA),
            self._formula(formulas.GRADIENT),
        ]
        if any(ACTIVATIONS[name].couples_units for name in self.config.network.activations):
            blocks.append(Paragraph(self._text("principle-coupled")))
            blocks.append(self._formula(formulas.COUPLED_DELTA))
        if len(self.config.data.inputs) > 1:
            blocks.append(Paragraph(self._text("principle-rows")))
            if self.worked is not None:
                blocks.append(Paragraph(self._row_shown(self.worked)))
        if self.worked is not None and not self.config.data.sees_all_rows:
            blocks.append(Paragraph(self._text("program-batches")))
        if self.small is not None:
            blocks.append(self._lead("principle-output-numbers"))
            blocks += self._lines(self.small.output_deltas(), self.small.derivatives(1))
            blocks.append(self._lead("principle-hidden-numbers"))
            blocks += self._lines(self.small.hidden_deltas(), self.small.derivatives(0))
            blocks.append(self._drawing("backward"))
        elif self.worked is not None:
            blocks += [self._units_table(self.worked), self._layers_table(self.worked)]
        blocks.append(self._lead("principle-matrix"))
        blocks.append(self._formula(formulas.MATRIX_FORM))
        return self._section("backward", blocks)

    def update(self) -> Section:
        """From the gradient to new weights, and the whole algorithm in steps."""
        blocks: list[Block] = [
            Paragraph(self._text("principle-update")),
            self._formula(formulas.UPDATE),
        ]
        if self.worked is not None and not self.worked.is_plain:
            name = self.language.name(self.config.optimizer.name)
            blocks.append(Paragraph(self._text("principle-optimizer", optimizer=name)))
        elif self.small is not None:
            blocks.append(self._lead("principle-update-numbers"))
            blocks += self._lines(self.small.updates(display_order(self.config.network)))
        blocks += self._before_and_after()
        steps = tuple(
            Statement(self._text(f"principle-step-{step}"))
            for step in ("start", "forward", "loss", "output", "hidden", "update", "again")
        )
        blocks.append(Sentences(self._text("principle-algorithm"), steps, "numbered"))
        return self._section("update", blocks)

    def program(self, worked: WorkedExample) -> Section:
        """What a program does in each step, by hand and with torch, and the numbers of round 1."""
        header = tuple(
            Cell(self._text(f"column-{name}"))
            for name in ("program-step", "program-hand", "program-torch", "program-numbers")
        )
        rows = [
            self._program_row("forward", self._outputs(worked)),
            self._program_row("loss", f"L = {numbers.measured(float(worked.first.losses))}"),
            self._program_row("backward", self._some("∂L/∂{name}", worked.first.gradient)),
            self._program_row("step", self._some("{name}", worked.updated)),
            self._program_row("zero", self._gathered(worked)),
        ]
        anchor, label = self.numbering.next("table")
        table = Table(anchor, label, self._text("program-table"), header, tuple(rows))
        blocks: list[Block] = [
            Paragraph(self._text("principle-program"), kind="introduction"),
            table,
        ]
        if worked.apart is not None:
            relative = numbers.measured(worked.apart, 2)
            agrees = self._text("program-agrees", relative=relative, precision=self.config.dtype)
            blocks.append(Paragraph(agrees))
        return self._section("program", blocks)

    def _program_row(self, step: str, shown: str) -> tuple[Cell, ...]:
        words = (self._text(f"program-{step}-{column}") for column in ("step", "hand", "torch"))
        return (*map(Cell, words), Cell(shown))

    def _row_shown(self, worked: WorkedExample) -> str:
        """Whose numbers stand for single units, where there are several rows."""
        inputs, targets = (
            self.language.row([numbers.setting(value) for value in rows[worked.row]])
            for rows in (self.config.data.inputs, self.config.data.targets)
        )
        return self._text("principle-row", row=worked.row + 1, inputs=inputs, targets=targets)

    def _outputs(self, worked: WorkedExample) -> str:
        names = unit_names(self.config.network)[-1][:MOST_NAMED]
        values = worked.first.passed.output[worked.row]
        items = [f"{n} = {numbers.measured(float(v))}" for n, v in zip(names, values, strict=False)]
        return self._listed(items, len(values))

    def _some(self, name: str, values: np.ndarray) -> str:
        """The first parameters in reading order, with their numbers."""
        names = self._names
        order = display_order(self.config.network)
        items = [
            f"{name.format(name=names[k])} = {numbers.measured(float(values[k]))}"
            for k in order[:MOST_NAMED]
        ]
        return self._listed(items, len(order))

    def _listed(self, items: list[str], count: int) -> str:
        return self.language.enumerate(items + ["…"] * (count > len(items)))

    def _gathered(self, worked: WorkedExample) -> str:
        """What `.grad` holds in round 2 with and without clearing it."""
        if worked.second is None:
            return NONE
        index = display_order(self.config.network)[0]
        first = float(worked.first.gradient[index])
        second = float(worked.second.gradient[index])
        return self._text(
            "program-zero-numbers",
            name=self._names[index],
            second=numbers.measured(second),
            first=numbers.measured(first),
            both=numbers.measured(first + second),
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return parameter_names(self.config.network)

    def _units_table(self, worked: WorkedExample) -> Table:
        """z, a and δ of the first units of every layer, for the row that is shown."""
        names = unit_names(self.config.network)[1:]
        head = [Cell(self._text("column-unit"))]
        head += [Cell(symbol, numeric=True) for symbol in ("z", "a", "δ")]
        each = max(1, MOST_UNITS // len(names))
        rows = []
        for layer, units in enumerate(names):
            columns = (
                worked.first.passed.pre_activations[layer][worked.row],
                worked.first.passed.activations[layer + 1][worked.row],
                worked.first.found.deltas[layer][worked.row],
            )
            for unit in units[:each]:
                values = [float(column[units.index(unit)]) for column in columns]
                cells = [Cell(numbers.measured(v), numeric=True) for v in values]
                rows.append((Cell(unit), *cells))
        shown = sum(min(each, len(units)) for units in names)
        some = shown < sum(map(len, names))
        anchor, label = self.numbering.next("table")
        caption = self._text("units-table" + ("-some" if some else ""), row=worked.row + 1)
        return Table(anchor, label, caption, tuple(head), tuple(rows))

    def _layers_table(self, worked: WorkedExample) -> Table:
        """Size of the derivatives of every layer."""
        head = (
            Cell(self._text("column-layer")),
            *(
                Cell(self._text(f"column-{name}"), numeric=True)
                for name in ("layer-weights", "layer-norm", "layer-largest")
            ),
        )
        rows = []
        for number, weight in enumerate(worked.first.found.weights, start=1):
            values = (float(np.linalg.norm(weight)), float(np.abs(weight).max()))
            cells = [Cell(numbers.measured(v), numeric=True) for v in values]
            rows.append((Cell(f"W({number})"), Cell(str(weight.size), numeric=True), *cells))
        anchor, label = self.numbering.next("table")
        return Table(anchor, label, self._text("layers-table"), head, tuple(rows))

    def _drawing(self, way: str) -> Figure:
        """The network with values forward, or with derivatives backward."""
        from labreport.report.figures.network_drawing import Written, network_figure

        worked = self.worked
        if worked is None:
            written, way = None, "bare"
        elif way == "forward":
            # The inputs stand beside their units already.
            units = [np.array([]), *(a[worked.row] for a in worked.first.passed.activations[1:])]
            written = Written(worked.weights, units if self.small else ())
        else:
            units = [np.array([]), *(d[worked.row] for d in worked.first.found.deltas)]
            written = Written(worked.first.gradient, units, "∂{name} = {value}", "δ = ")
        anchor, label = self.numbering.next("figure")
        layers = "-".join(map(str, self.config.network.layers))
        facts = "" if worked is None else self._facts(worked, way)
        alternative = self._text(f"network-alternative-{way}", layers=layers, facts=facts)
        caption = "plain" if written is not None and not written.units else way
        return Figure(
            anchor,
            label,
            self._text(f"network-caption-{caption}"),
            self.kept.draw(network_figure, self.config, written),
            alternative,
            course=round_by_round(worked.run) if worked is not None and way == "forward" else None,
        )

    def _before_and_after(self) -> list[Block]:
        """The network before the first round and after the last one, with all of its numbers."""
        from labreport.report.figures.network_drawing import Written, networks_figure

        if self.worked is None or self.small is None:
            return []
        trace, rounds = self.worked.run.trace, self.config.rounds
        if len(trace.losses) <= rounds or not np.isfinite(trace.weights[-1]).all():
            return []
        titles = self._text("networks-before"), self._text("networks-after", count=rounds)
        drawings = []
        for title, flat in zip(titles, trace.weights[[0, -1]].astype(np.float64), strict=True):
            passed = evaluate(self.config, flat).passed
            units = [np.array([]), *(layer[0] for layer in passed.activations[1:])]
            drawings.append((title, Written(flat, units, "{value}", decimals=3)))
        before, after = (written.parameters for _, written in drawings)
        furthest = int(np.abs(after - before).argmax())
        moved = self._text(
            "networks-moved",
            weight=self._names[furthest],
            start=numbers.measured(float(before[furthest])),
            end=numbers.measured(float(after[furthest])),
        )
        anchor, label = self.numbering.next("figure")
        layers = "-".join(map(str, self.config.network.layers))
        caption = [self._text("networks-title"), self._text("networks-key"), moved]
        return [
            Figure(
                anchor,
                label,
                self.language.paragraph(caption),
                self.kept.draw(networks_figure, self.config, drawings),
                self._text("networks-alternative", layers=layers, facts=moved),
            )
        ]

    def _facts(self, worked: WorkedExample, way: str) -> str:
        if way == "forward":
            return self._outputs(worked)
        return self._some("∂L/∂{name}", worked.first.gradient)

    def _formula(self, latex: str) -> DisplayedFormula:
        return formulas.formula(latex, self.numbering, self.kept)

    def _lead(self, key: str) -> Paragraph:
        """A sentence that leads to the formula after it, and stays with it."""
        return Paragraph(self._text(key), kind="introduction")

    def _lines(self, *groups: Sequence[str]) -> list[Block]:
        """Lines of LaTeX as numbered formulas, no formula with lines of two groups."""
        return [
            self._formula(formulas.aligned(lines[start : start + MOST_LINES]))
            for lines in groups
            for start in range(0, len(lines), MOST_LINES)
        ]

    def _section(self, name: str, blocks: Sequence[Block]) -> Section:
        return Section(
            f"principle-{name}", "", self._text(f"principle-{name}-title"), tuple(blocks)
        )

    def _text(self, key: str, **values: object) -> str:
        return self.language.text(f"report.{key}", **values)
