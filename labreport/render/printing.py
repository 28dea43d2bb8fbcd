"""A report in one language: its phrases in words, its parts numbered, its figures drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from labreport.analysis.observation import Observation
from labreport.language.catalogue import Language
from labreport.language.words import Words, names_of
from labreport.render.draw import draw
from labreport.render.drawing_cache import DrawingCache
from labreport.render.evidence_text import brief, evidence
from labreport.render.numbering import Numbering, blocks_of
from labreport.render.printed import (
    Evidence,
    Notes,
    PrintedAnswer,
    PrintedBlock,
    PrintedCell,
    PrintedFigure,
    PrintedFormula,
    PrintedLine,
    PrintedNote,
    PrintedParagraph,
    PrintedReport,
    PrintedSection,
    PrintedSentences,
    PrintedStatement,
    PrintedTable,
)
from labreport.render.theme import PLAIN, Theme
from labreport.render.typeset_formulas import formula
from labreport.render.used_words import with_used_words
from labreport.report.tree import (
    Block,
    Cell,
    ExperimentNames,
    Figure,
    Formula,
    KeyAnswer,
    Note,
    Paragraph,
    Report,
    Section,
    Sentences,
    Statement,
    Table,
)

if TYPE_CHECKING:
    from labreport.render.notes.reading import NotesOfReport


def print_report(
    report: Report,
    language: Language,
    notes: NotesOfReport | None = None,
    theme: Theme = PLAIN,
    cache: DrawingCache | None = None,
    *,
    with_evidence: bool = False,
) -> PrintedReport:
    """A report in a language.

    Args:
        report: what is printed.
        language: to write in.
        notes: the student's notes as they were rendered; none if the report has none.
        theme: how the report looks.
        cache: pictures and formulas that were drawn already; None to draw none, for text alone.
        with_evidence: whether notes on the evidence of every statement are printed, too.
    """
    language = language.saying(theme.texts.get(language.code, {}))
    return _Printing(report, language, notes, cache).report(theme, with_evidence=with_evidence)


def print_blocks(
    blocks: Sequence[Block], names: Mapping[str, ExperimentNames], language: Language
) -> list[PrintedBlock]:
    """Blocks without notes, numbered from 1; their statements have no evidence."""
    numbering = Numbering(blocks, language)
    printer = _Blocks(Words(language, names, numbering.by_key), numbering, {}, None, None)
    return [printed for block in blocks for printed in printer.block(block)]


class _Blocks:
    """Puts blocks into print."""

    def __init__(
        self,
        words: Words,
        numbering: Numbering,
        found: Mapping[int, Evidence],
        notes: NotesOfReport | None,
        cache: DrawingCache | None,
    ) -> None:
        self.words, self.numbering, self.found = words, numbering, found
        self.notes, self.cache = notes, cache

    def block(self, block: Block) -> Iterator[PrintedBlock]:
        """The block; nothing for a note that there is not in this language."""
        words = self.words
        match block:
            case Paragraph(text, kind):
                yield PrintedParagraph(words(text), kind)
            case Sentences(heading, items, kind):
                yield PrintedSentences(words(heading), tuple(map(self.statement, items)), kind)
            case Table():
                yield self._table(block)
            case Figure():
                yield self._figure(block)
            case Formula(latex):
                yield self._formula(latex, *self.numbering.place(block))
            case Note():
                yield from self._note(block)

    def statement(self, statement: Statement) -> PrintedStatement:
        """A sentence with what it rests on."""
        said, number = statement.said, statement.number
        if isinstance(said, Observation):
            text = self.words.sentence(said, statement.experiment)
        else:
            text = self.words(said)
        known = None if number is None else self.found.get(number)
        return PrintedStatement(text, known, statement.quoted, self.words(statement.theme))

    def _table(self, table: Table) -> PrintedTable:
        anchor, label = self.numbering.place(table)
        header, *rows = (tuple(map(self._cell, row)) for row in (table.header, *table.rows))
        return PrintedTable(anchor, label, self.words(table.caption), header, tuple(rows))

    def _cell(self, cell: Cell) -> PrintedCell:
        return PrintedCell(self.words(cell.text), cell.numeric, cell.best)

    def _figure(self, figure: Figure) -> PrintedFigure:
        anchor, label = self.numbering.place(figure)
        cache = self.cache
        svg, plot = draw(figure.drawing, self.words, cache) if cache is not None else (b"", None)
        caption, alternative = self.words(figure.caption), self.words(figure.alternative)
        return PrintedFigure(anchor, label, caption, svg, alternative, plot, figure.course)

    def _formula(self, latex: str, anchor: str, label: str) -> PrintedFormula:
        if self.cache is None:
            return PrintedFormula(anchor, label, b"", "", latex, height=0.0, width=0.0)
        return formula(latex, (anchor, label), self.cache)

    def _note(self, note: Note) -> Iterator[PrintedNote]:
        code = self.words.language.code
        if self.notes is not None and code in dict(note.markdown):
            found = self.notes.of(note.name, code)
            assert found is not None
            yield found.under(self.words(note.heading))


class _Printing:
    """One report in one language."""

    def __init__(
        self,
        report: Report,
        language: Language,
        notes: NotesOfReport | None,
        cache: DrawingCache | None,
    ) -> None:
        self.tree, self.language = report, language
        blocks = list(blocks_of(report.sections))
        numbering = Numbering(blocks, language)
        names = names_of(report)
        self.words = Words(language, names, numbering.by_key)
        self.evidence = {
            number: evidence(said, number, names[experiment], language)
            for number, said, experiment in sorted(_numbered_statements(blocks))
        }
        self.blocks = _Blocks(self.words, numbering, self.evidence, notes, cache)

    def report(self, theme: Theme, *, with_evidence: bool) -> PrintedReport:
        """The whole report."""
        tree, code = self.tree, self.language.code
        title = tree.title.within(code) if tree.title else ""
        printed = [self._section(section) for section in tree.sections]
        # Some hold nothing but a note, which another language may have alone.
        there = list(_filled(printed))
        there = with_used_words(there, self.language)
        evidence = self._notes_on_evidence() if with_evidence else None
        sections = with_numbers([*there, *([evidence] if evidence else [])])
        return PrintedReport(
            language=code,
            html_language=self.language.html_name,
            title=title or self.language.text("report.default-title"),
            course=tree.course.within(code) if tree.course else "",
            cover=tuple(
                PrintedLine(line.key, self.words(line.name), line.value.within(code))
                for line in tree.cover
            ),
            part=self.words(tree.part),
            answers=tuple(map(self._answer, tree.answers)),
            sections=tuple(sections[: len(there)]),
            notes=sections[-1] if evidence else None,
            check_fonts=tree.check_fonts,
            theme=theme,
        )

    def _answer(self, answer: KeyAnswer) -> PrintedAnswer:
        effect, reason, advice = (
            tuple(map(self.blocks.statement, cell))
            for cell in (answer.effect, answer.reason, answer.advice)
        )
        return PrintedAnswer(answer.anchor, self.words(answer.source), effect, reason, advice)

    def _section(self, section: Section) -> PrintedSection:
        return PrintedSection(
            section.anchor,
            "",
            self.words(section.title),
            tuple(p for block in section.blocks for p in self.blocks.block(block)),
            tuple(map(self._section, section.sections)),
            tuple(p for block in section.closing for p in self.blocks.block(block)),
            self.words(section.part),
        )

    def _notes_on_evidence(self) -> PrintedSection:
        """Compose the notes on the evidence of every statement, for paper."""
        text = self.language.text
        blocks = (
            PrintedParagraph(text("evidence.how-to-read")),
            Notes(tuple(brief(e, self.language) for e in self.evidence.values())),
        )
        title = text("report.appendix-title", title=text("evidence.title"))
        return PrintedSection("evidence", "", title, blocks)


def _filled(sections: Sequence[PrintedSection]) -> Iterator[PrintedSection]:
    """Yield the sections that hold something; the first of these begins a part."""
    part = ""
    for section in sections:
        part = section.part or part
        if section.blocks or section.sections:
            yield replace(section, part=part)
            part = ""


def _numbered_statements(blocks: Sequence[Block]) -> Iterator[tuple[int, Observation, str]]:
    """Statements with evidence: its number, what was observed, and in which experiment."""
    for block in blocks:
        if isinstance(block, Sentences):
            for item in block.items:
                if item.number is not None and isinstance(item.said, Observation):
                    yield item.number, item.said, item.experiment


def with_numbers(sections: Sequence[PrintedSection], prefix: str = "") -> list[PrintedSection]:
    """Sections with their numbers, and those within them: 1, 1.1, 1.2, 2."""
    numbered = []
    for index, section in enumerate(sections, start=1):
        number = f"{prefix}{index}"
        inner = tuple(with_numbers(section.sections, f"{number}."))
        numbered.append(replace(section, number=number, sections=inner))
    return numbered
