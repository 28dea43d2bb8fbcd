"""A report in one language as a frozen tree: what every format sets, and nothing to decide."""

from __future__ import annotations

from dataclasses import dataclass

from labreport.render.theme import PLAIN, Theme
from labreport.report.illustration.drawings import Course


@dataclass(frozen=True)
class PrintedParagraph:
    """Running text. ``kind`` chooses a style: "text", "question", "command"."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Reading:
    """One number of a statement: what it is, at full precision, its unit and its formula."""

    name: str
    value: str
    unit: str
    formula: str


@dataclass(frozen=True)
class Basis:
    """The numbers and claims computed from the same runs.

    Attributes:
        runs: which runs these are, in words and first digits; "" for none.
        readings: the numbers.
        claims: formulas that have to be true.
    """

    runs: str
    readings: tuple[Reading, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """The evidence of a statement.

    Attributes:
        number: of its note, the same wherever the statement stands.
        anchor: of the place where the statement stands first.
        note: anchor of the note on paper.
        label: what a link to it is called.
        rule: name of the rule that found it.
        looks_for: what the rule looks for.
        strength: what kind of statement it is, in words.
        count: how many runs it rests on, in words; "" for none.
        bases: numbers and claims, by the runs that they are computed from.
        thresholds: those that its claims name, each with its value.
        more: how many formulas are left out, in words; "" for none.
    """

    number: int
    anchor: str
    note: str
    label: str
    rule: str
    looks_for: str
    strength: str
    count: str
    bases: tuple[Basis, ...]
    thresholds: tuple[tuple[str, str], ...]
    more: str = ""


@dataclass(frozen=True)
class PrintedStatement:
    """One sentence of a list.

    Attributes:
        text: the sentence.
        evidence: what it rests on; None where nothing was computed.
        quoted: whether it is told elsewhere, where its evidence is shown.
        theme: heading of the group of statements that begins with it, if one does.
    """

    text: str
    evidence: Evidence | None = None
    quoted: bool = False
    theme: str = ""

    @property
    def after_theme(self) -> str:
        """The blank between the heading and the sentence: marks of full width bring their own."""
        return "" if not self.theme or self.theme.endswith("：") else " "


@dataclass(frozen=True)
class PrintedSentences:
    """A list of statements, with a heading of their own."""

    heading: str
    items: tuple[PrintedStatement, ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Notes:
    """The evidence of all statements, for a medium that cannot show it beside them."""

    items: tuple[Evidence, ...]


@dataclass(frozen=True)
class PrintedCell:
    """One cell of a table."""

    text: str
    numeric: bool = False
    best: bool = False


@dataclass(frozen=True)
class PrintedTable:
    """A numbered table."""

    anchor: str
    label: str
    caption: str
    header: tuple[PrintedCell, ...]
    rows: tuple[tuple[PrintedCell, ...], ...]


@dataclass(frozen=True)
class Line:
    """One curve of a plot.

    Attributes:
        name: what it is called.
        values: one at each of the plot's places; None for a gap.
        colour: as #rrggbb.
        dash: lengths drawn and left out in turn, in line widths; empty for a solid line.
    """

    name: str
    values: tuple[float | None, ...]
    colour: str
    dash: tuple[float, ...]


@dataclass(frozen=True)
class Plot:
    """The curves of a figure as numbers, rounded to what can be read off.

    Attributes:
        horizontal: name of the horizontal axis.
        vertical: name of the vertical axis.
        across: scale of the horizontal axis: "linear", "log", or "from-zero" for a logarithmic
            one that begins with 0.
        logarithmic: whether the vertical axis is.
        places: on the horizontal axis, ascending.
        lines: the curves.
        floors: levels to mark.
        floor: what these are called.
        marks: places on the horizontal axis to mark.
        lowest: whether the lowest point of each curve is marked, and no other.
    """

    horizontal: str
    vertical: str
    across: str
    logarithmic: bool
    places: tuple[float, ...]
    lines: tuple[Line, ...]
    floors: tuple[float, ...]
    floor: str
    marks: tuple[float, ...] = ()
    lowest: bool = False


@dataclass(frozen=True)
class PrintedFigure:
    """A numbered figure: an SVG of its own, and what it shows in words.

    Attributes:
        anchor: where links lead.
        label: its number.
        caption: what stands under it.
        svg: the picture.
        alternative: what it shows.
        plot: its curves as numbers, if it has some.
        course: the run of which it shows one round, if it does.
    """

    anchor: str
    label: str
    caption: str
    svg: bytes
    alternative: str
    plot: Plot | None = None
    course: Course | None = None


@dataclass(frozen=True)
class PrintedFormula:
    """A formula, typeset for paper, as MathML for a page, and as LaTeX for reading.

    Attributes:
        anchor: where links lead; "" in a note.
        label: its number; "" in a note.
        svg: the picture.
        mathml: the same for a page.
        latex: the same for reading.
        height: of the picture, in em.
        width: of the picture, in em.
        below: how much of the height is below the line of text that it stands in, in em.
    """

    anchor: str
    label: str
    svg: bytes
    mathml: str
    latex: str
    height: float
    width: float
    below: float = 0.0


@dataclass(frozen=True)
class PrintedNote:
    """The student's own text, rendered from Markdown to HTML that is known to be safe.

    Attributes:
        heading: what stands over it; "" where the heading of the section does.
        html: for a page.
        paper: for paper, where formulas are pictures.
        formulas: those of the text.
    """

    heading: str
    html: str
    paper: str
    formulas: tuple[PrintedFormula, ...] = ()


PrintedBlock = (
    PrintedParagraph
    | PrintedSentences
    | Notes
    | PrintedTable
    | PrintedFigure
    | PrintedFormula
    | PrintedNote
)


@dataclass(frozen=True)
class PrintedSection:
    """A heading, what stands under it, its subsections, and what stands after these.

    ``part`` is the title of the part of the report that begins with it.
    """

    anchor: str
    number: str
    title: str
    blocks: tuple[PrintedBlock, ...] = ()
    sections: tuple[PrintedSection, ...] = ()
    closing: tuple[PrintedBlock, ...] = ()
    part: str = ""

    @property
    def formulas(self) -> tuple[PrintedFormula, ...]:
        """Formulas of the section and its subsections, also those of notes."""
        found: list[PrintedFormula] = []
        for block in (*self.blocks, *self.closing):
            if isinstance(block, PrintedFormula):
                found.append(block)
            elif isinstance(block, PrintedNote):
                found += block.formulas
        return (*found, *(formula for inner in self.sections for formula in inner.formulas))


@dataclass(frozen=True)
class PrintedAnswer:
    """The answer of an experiment in short: its section, effect, reason and advice."""

    anchor: str
    source: str
    effect: tuple[PrintedStatement, ...]
    reason: tuple[PrintedStatement, ...]
    advice: tuple[PrintedStatement, ...]

    @property
    def columns(self) -> tuple[tuple[PrintedStatement, ...], ...]:
        """The cells beside the title."""
        return self.effect, self.reason, self.advice

    @property
    def statements(self) -> tuple[PrintedStatement, ...]:
        """All of its sentences."""
        return (*self.effect, *self.reason, *self.advice)


@dataclass(frozen=True)
class PrintedLine:
    """A line of the cover: its key in the lab file ("" for an own one), its label, what it says."""

    key: str
    name: str
    value: str


@dataclass(frozen=True)
class PrintedReport:
    """A whole report in one language; ``notes`` has the evidence, where it is asked for."""

    language: str
    html_language: str
    title: str
    course: str
    cover: tuple[PrintedLine, ...]
    part: str = ""
    answers: tuple[PrintedAnswer, ...] = ()
    sections: tuple[PrintedSection, ...] = ()
    notes: PrintedSection | None = None
    check_fonts: bool = True
    theme: Theme = PLAIN

    def on_cover(self, key: str) -> str:
        """Return the text of the cover for a key of the lab file; "" where it has none."""
        return next((field.value for field in self.cover if field.key == key), "")
