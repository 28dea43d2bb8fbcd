"""The report as a frozen tree: what every output format renders, and nothing to decide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """Running text. ``kind`` chooses a style: "text", "question", "command"."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Sentences:
    """A list of statements, with a heading of their own."""

    heading: str
    items: tuple[str, ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    numeric: bool = False
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A numbered table."""

    anchor: str
    label: str
    caption: str
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A numbered figure: an SVG of its own, and what it shows in words."""

    anchor: str
    label: str
    caption: str
    svg: bytes
    alternative: str


@dataclass(frozen=True)
class Formula:
    """A numbered formula, typeset, with its LaTeX source as alternative text."""

    anchor: str
    label: str
    svg: bytes
    latex: str
    height: float
    width: float


@dataclass(frozen=True)
class Prose:
    """The student's own text, rendered from Markdown to HTML that is known to be safe."""

    heading: str
    html: str


Block = Paragraph | Sentences | Table | Figure | Formula | Prose


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it, and its subsections."""

    anchor: str
    number: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A key finding and the section that it comes from."""

    anchor: str
    source: str
    text: str


@dataclass(frozen=True)
class Report:
    """A whole report in one language."""

    language: str
    html_language: str
    title: str
    course: str
    cover: tuple[tuple[str, str], ...]
    part: str
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]
    check_fonts: bool = True
