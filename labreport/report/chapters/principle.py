"""The chapter on back-propagation: each step as a formula, with the numbers of this lab."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from labreport.analysis.observation import Number, Part, Setting
from labreport.lab.configuration import RunConfig
from labreport.lab.naming import display_order, parameter_names, unit_names
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.reference.evaluation import layers_of
from labreport.report.best_cells import NONE
from labreport.report.formulas import latex as formulas
from labreport.report.formulas.stated_formula import MOST_LINES
from labreport.report.formulas.used_formulas import (
    activation_formulas,
    error_terms,
    loss_formulas,
    optimizer_formulas,
)
from labreport.report.formulas.worked_formulas import WorkedFormulas
from labreport.report.illustration.drawings import (
    Array,
    Course,
    NetworkDrawing,
    Written,
)
from labreport.report.illustration.first_rounds import first_rounds_table
from labreport.report.illustration.round_by_round import round_by_round
from labreport.report.phrases import Concatenation, Phrase, listed, text
from labreport.report.tables import head
from labreport.report.tree import (
    Block,
    Cell,
    Figure,
    Formula,
    Paragraph,
    Section,
    Sentences,
    Statement,
    Table,
)
from labreport.report.worked_example import WorkedExample, compute_example
from labreport.runs.run import Run

MOST_UNITS = 16
"""Units of all layers together that a table lists, of a network too large for formulas."""

MOST_NAMED = 2
"""Parameters that the table of program steps names."""


def principle(
    run: Run, row: int | None, examined: Sequence[RunConfig], twins: Sequence[Run] = ()
) -> Section:
    """The chapter for a lab whose base configuration gave this run.

    Args:
        run: of the base.
        row: of its data, counted from 1, whose numbers are shown; chosen if left out.
        examined: runs whose activations, losses and optimizers are stated, the base first.
        twins: the base in other roundings, which say how many digits the first rounds have.
    """
    worked = compute_example(run, row)
    chapter = _Chapter(run.config, worked, examined)
    sections = [chapter.forward(), chapter.backward(), chapter.update()]
    if worked is not None:
        sections.append(chapter.program(worked, twins))
    return Section("principle", text("report.principle"), (), tuple(sections))


class _Chapter:
    """The sections of the chapter."""

    def __init__(
        self, config: RunConfig, worked: WorkedExample | None, examined: Sequence[RunConfig]
    ) -> None:
        self.config, self.worked, self.examined = config, worked, examined
        self.small = WorkedFormulas(worked) if worked is not None and worked.is_small else None

    def forward(self) -> Section:
        """From the inputs to the loss."""
        blocks: list[Block] = [
            Paragraph(self._text("principle-forward")),
            *self._stated(formulas.NET_INPUT, formulas.ACTIVATION),
            self._lead("principle-activations"),
            *activation_formulas(self.examined),
        ]
        if self.small is not None:
            blocks.append(self._lead("principle-forward-numbers"))
            blocks += self._lines(self.small.forward(0), self.small.forward(1))
        blocks.append(self._drawing())
        blocks += self._loss()
        if self.small is not None:
            blocks += [self._lead("principle-loss-numbers")]
            blocks += self._lines(self.small.loss())
        last = ACTIVATIONS[self.config.network.activations[-1]]
        if (last.low, last.high) != (-inf, inf):
            blocks.append(Paragraph(self._text("principle-floor")))
        return self._section("forward", blocks)

    def _loss(self) -> list[Block]:
        """The losses as formulas, and whether that of the base can be computed."""
        loss = Part("loss", self.config.loss)
        blocks = [self._lead("principle-loss", loss=loss), *loss_formulas(self.examined)]
        if self.worked is None:
            blocks.append(Paragraph(self._text("principle-refused", loss=loss)))
        return blocks

    def backward(self) -> Section:
        """From the loss to the derivative by every parameter."""
        blocks: list[Block] = [Paragraph(self._text("principle-backward"))]
        blocks += self._stated(formulas.OUTPUT_DELTA, formulas.HIDDEN_DELTA)
        blocks.append(Formula(formulas.GRADIENT))
        if terms := error_terms(self.examined):
            blocks += [self._lead("principle-error-terms"), *terms]
            blocks.append(Paragraph(self._text("principle-error-terms-compared")))
        if any(ACTIVATIONS[name].couples_units for name in self.config.network.activations):
            blocks.append(Paragraph(self._text("principle-coupled")))
            blocks.append(Formula(formulas.COUPLED_DELTA))
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
        elif self.worked is not None:
            blocks += [self._units_table(self.worked), self._layers_table(self.worked)]
        blocks.append(self._lead("principle-matrix"))
        blocks.append(Formula(formulas.MATRIX_FORM))
        return self._section("backward", blocks)

    def update(self) -> Section:
        """From the gradient to new weights, and the whole algorithm in steps."""
        blocks: list[Block] = [
            self._lead("principle-update"),
            *optimizer_formulas(self.examined),
        ]
        if self.worked is not None and not self.worked.is_plain:
            name = Part("optimizer", self.config.optimizer.name)
            blocks.append(Paragraph(self._text("principle-optimizer", optimizer=name)))
        elif self.small is not None:
            blocks.append(self._lead("principle-update-numbers"))
            blocks += self._lines(self.small.updates(display_order(self.config.network)))
        steps = tuple(
            Statement(self._text(f"principle-step-{step}"))
            for step in ("start", "forward", "loss", "output", "hidden", "update", "again")
        )
        blocks.append(Sentences(self._text("principle-algorithm"), steps, "numbered"))
        return self._section("update", blocks)

    def program(self, worked: WorkedExample, twins: Sequence[Run]) -> Section:
        """Tabulate the steps of a program, by hand and with torch, and the first rounds."""
        names = ("program-step", "program-hand", "program-torch", "program-numbers")
        rows = [
            self._program_row("forward", self._outputs(worked)),
            self._program_row("loss", _equation("L", float(worked.first.losses))),
            self._program_row("backward", self._some("∂L/∂{name}", worked.first.gradient)),
            self._program_row("step", self._some("{name}", worked.updated)),
            self._program_row("zero", self._gathered(worked)),
        ]
        table = Table(self._text("program-table"), tuple(map(head, names)), tuple(rows))
        blocks: list[Block] = [
            Paragraph(self._text("principle-program")),
            table,
        ]
        if worked.apart is not None:
            relative = Number(worked.apart, digits=1)
            agrees = self._text("program-agrees", relative=relative, precision=self.config.dtype)
            blocks.append(Paragraph(agrees))
        first = first_rounds_table(worked.run, twins)
        return self._section("program", [*blocks, first] if first else blocks)

    def _program_row(self, step: str, shown: Phrase) -> tuple[Cell, ...]:
        words = (self._text(f"program-{step}-{column}") for column in ("step", "hand", "torch"))
        return (*map(Cell, words), Cell(shown))

    def _row_shown(self, worked: WorkedExample) -> Phrase:
        """Name the row whose numbers stand for single units, where there are several rows."""
        inputs, targets = (
            listed(map(Setting, rows[worked.row]), "values")
            for rows in (self.config.data.inputs, self.config.data.targets)
        )
        return self._text("principle-row", row=worked.row + 1, inputs=inputs, targets=targets)

    def _outputs(self, worked: WorkedExample) -> Phrase:
        names = unit_names(self.config.network)[-1][:MOST_NAMED]
        values = worked.first.passed.output[worked.row]
        items = [_equation(n, float(v)) for n, v in zip(names, values, strict=False)]
        return self._listed(items, len(values))

    def _some(self, name: str, values: np.ndarray) -> Phrase:
        """The first parameters in reading order, with their numbers."""
        names = self._names
        order = display_order(self.config.network)
        items = [
            _equation(name.format(name=names[k]), float(values[k])) for k in order[:MOST_NAMED]
        ]
        return self._listed(items, len(order))

    def _listed(self, items: list[Phrase], count: int) -> Phrase:
        return listed([*items, *(["…"] if count > len(items) else [])], "clauses")

    def _gathered(self, worked: WorkedExample) -> Phrase:
        """State what `.grad` holds in round 2 with and without clearing it."""
        if worked.second is None:
            return NONE
        index = display_order(self.config.network)[0]
        first = float(worked.first.gradient[index])
        second = float(worked.second.gradient[index])
        return self._text(
            "program-zero-numbers",
            name=self._names[index],
            second=Number(second),
            first=Number(first),
            both=Number(first + second),
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return parameter_names(self.config.network)

    def _units_table(self, worked: WorkedExample) -> Table:
        """z, a and δ of the first units of every layer, for the row that is shown."""
        names = unit_names(self.config.network)[1:]
        header = [head("unit"), *(Cell(symbol, numeric=True) for symbol in ("z", "a", "δ"))]
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
                cells = [Cell(Number(v), numeric=True) for v in values]
                rows.append((Cell(unit), *cells))
        shown = sum(min(each, len(units)) for units in names)
        some = shown < sum(map(len, names))
        caption = self._text("units-table" + ("-some" if some else ""), row=worked.row + 1)
        return Table(caption, tuple(header), tuple(rows))

    def _layers_table(self, worked: WorkedExample) -> Table:
        """Size of the derivatives of every layer."""
        names = ("layer-weights", "layer-norm", "layer-largest")
        header = (head("layer"), *(head(name, numeric=True) for name in names))
        rows = []
        for number, weight in enumerate(worked.first.found.weights, start=1):
            values = (float(np.linalg.norm(weight)), float(np.abs(weight).max()))
            cells = [Cell(Number(v), numeric=True) for v in values]
            rows.append((Cell(f"W({number})"), Cell(str(weight.size), numeric=True), *cells))
        return Table(self._text("layers-table"), header, tuple(rows))

    def _drawing(self) -> Figure:
        """The network, with the values of the forward pass where there are any."""
        worked, written = self.worked, None
        facts: Phrase = ""
        course: Course | None = None
        if worked is not None:
            values = [a[worked.row] for a in worked.first.passed.activations[1:]]
            units = _at_units(values) if self.small else ()
            written = Written(self._matrices(worked.weights), units)
            facts, course = self._outputs(worked), round_by_round(worked.run)
        layers = "-".join(map(str, self.config.network.layers))
        way = "bare" if worked is None else "forward"
        caption = "plain" if worked is not None and self.small is None else way
        return Figure(
            self._text(f"network-caption-{caption}"),
            NetworkDrawing(unit_names(self.config.network), self._only_row, written),
            self._text(f"network-alternative-{way}", layers=layers, facts=facts),
            course,
        )

    @property
    def _only_row(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Inputs and targets of data with one row."""
        data = self.config.data
        if len(data.inputs) > 1:
            return None
        return tuple(data.inputs[0]), tuple(data.targets[0])

    def _matrices(self, flat: np.ndarray) -> tuple[Array, ...]:
        """Weights, or derivatives by them, as a matrix for each layer."""
        return tuple(Array.of(layer.weight) for layer in layers_of(self.config, flat))

    def _lead(self, key: str, **values: Phrase) -> Paragraph:
        """A sentence that leads to the formula after it, and stays with it."""
        return Paragraph(self._text(key, **values), kind="introduction")

    def _stated(self, *equations: str) -> list[Block]:
        """Equations in one line, as one numbered formula."""
        return [Formula(r", \quad ".join(equations))]

    def _lines(self, *groups: Sequence[str]) -> list[Block]:
        """Equations as numbered formulas, no formula with equations of two groups."""
        return [
            Formula(formulas.aligned(lines[start : start + MOST_LINES]))
            for lines in map(formulas.in_columns, groups)
            for start in range(0, len(lines), MOST_LINES)
        ]

    def _section(self, name: str, blocks: Sequence[Block]) -> Section:
        return Section(f"principle-{name}", self._text(f"principle-{name}-title"), tuple(blocks))

    def _text(self, key: str, **values: Phrase) -> Phrase:
        return text(f"report.{key}", **values)


def _equation(name: str, value: float) -> Phrase:
    return Concatenation((f"{name} = ", Number(value)))


def _at_units(values: Sequence[np.ndarray]) -> tuple[Array, ...]:
    """Numbers at units, layer by layer: none at inputs, which stand beside their units already."""
    return (Array.of(np.array([])), *map(Array.of, values))
