"""The report as a frozen tree that knows no language, draws nothing and numbers nothing.

Texts are phrases, sentences are observations, figures say what is drawn, formulas are LaTeX and
notes are Markdown. Renderers make a document of it in a language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labreport.analysis.observation import Observation, Wording
from labreport.report.illustration.drawings import Course, Drawing
from labreport.report.phrases import Phrase


@dataclass(frozen=True)
class Paragraph:
    """Running text.

    ``kind`` chooses a style: "text", "question", "introduction" (which stays with what follows),
    "pointer" (to the figures and tables after it) or "command".
    """

    text: Phrase
    kind: str = "text"


@dataclass(frozen=True)
class Statement:
    """One sentence of a list.

    Attributes:
        said: what was observed, or a text in which nothing was computed.
        experiment: whose variants an observation names.
        number: of its evidence; None where it has none.
        quoted: whether it is stated elsewhere, where its evidence is shown.
        theme: heading of the group of statements that begins with it, if one does.
    """

    said: Observation | Phrase
    experiment: str = ""
    number: int | None = None
    quoted: bool = False
    theme: Phrase = ""


@dataclass(frozen=True)
class Sentences:
    """A list of statements, with a heading of their own."""

    heading: Phrase
    items: tuple[Statement, ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: Phrase
    numeric: bool = False
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table; ``key`` is what references call it, if there are any."""

    caption: Phrase
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    key: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure, and what it shows in words.

    Attributes:
        caption: what stands under it.
        drawing: what is drawn.
        alternative: what it shows.
        course: the run of which it shows one round, if it does.
        key: what references call it, if there are any.
    """

    caption: Phrase
    drawing: Drawing
    alternative: Phrase
    course: Course | None = None
    key: str = ""


@dataclass(frozen=True)
class Formula:
    """A numbered formula in LaTeX."""

    latex: str


@dataclass(frozen=True)
class Note:
    """The student's own text.

    Attributes:
        name: of the experiment or chapter that it is on.
        heading: what stands over it; "" where the heading of the section does.
        markdown: the text by language; where one is missing, there is no note in it.
    """

    name: str
    heading: Phrase
    markdown: tuple[tuple[str, str], ...]


Block = Paragraph | Sentences | Table | Figure | Formula | Note


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it, its subsections, and what stands after these.

    ``part`` is the title of the part of the report that begins with it; "" where none does.
    """

    anchor: str
    title: Phrase
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    closing: tuple[Block, ...] = ()
    part: Phrase = ""


@dataclass(frozen=True)
class KeyAnswer:
    """The answer of an experiment in short, as a row of the table that opens the report.

    Attributes:
        anchor: of its section.
        source: its title.
        effect: what the change did.
        reason: why.
        advice: what to do next time.
    """

    anchor: str
    source: Phrase
    effect: tuple[Statement, ...]
    reason: tuple[Statement, ...]
    advice: tuple[Statement, ...]


@dataclass(frozen=True)
class CoverLine:
    """A line of the cover: its key in the lab file ("" for an own one), its label, what it says."""

    key: str
    name: Phrase
    value: Wording


@dataclass(frozen=True)
class VariantName:
    """A variant and what its author calls it; None where the lab file does not say."""

    name: str
    label: Wording | None


@dataclass(frozen=True)
class ExperimentNames:
    """The variants of an experiment, in its order."""

    experiment: str
    variants: tuple[VariantName, ...]


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        title: its title; None for the usual one.
        course: that it is for.
        cover: further lines of its cover.
        experiments: names of their variants, which phrases and observations refer to.
        part: which part of the lab it is of; "" if it is of all.
        answers: the answers in short, an experiment a row.
        sections: its chapters and appendices.
        check_fonts: whether characters without a glyph are refused.
    """

    title: Wording | None
    course: Wording | None
    cover: tuple[CoverLine, ...]
    experiments: tuple[ExperimentNames, ...] = ()
    part: Phrase = ""
    answers: tuple[KeyAnswer, ...] = ()
    sections: tuple[Section, ...] = ()
    check_fonts: bool = True


def with_keys(experiment: str, blocks: Sequence[Block]) -> list[Block]:
    """Blocks of an experiment whose figures and tables can be referred to."""
    return [
        replace(block, key=block.key or f"{experiment}/{place}")
        if isinstance(block, Figure | Table)
        else block
        for place, block in enumerate(blocks)
    ]
