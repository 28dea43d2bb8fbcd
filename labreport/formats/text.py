"""report.txt: the whole report as plain text, for version control and for readers of any kind.

A sentence is a line and a row of a table is a line, however long, so that a difference between two
reports is a difference between lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from labreport.language.catalogue import Language
from labreport.render.printed import (
    Evidence,
    Notes,
    PrintedBlock,
    PrintedCell,
    PrintedFigure,
    PrintedFormula,
    PrintedParagraph,
    PrintedReport,
    PrintedSection,
    PrintedSentences,
    PrintedStatement,
    PrintedTable,
)

RULE = "=-~"
"""Signs under headings, by level."""

COLUMNS = ("effect", "reason", "advice")
"""Columns of the answers in short, beside what was changed."""

BREAKS = {"p", "li", "tr", "h1", "h2", "h3", "h4", "pre", "div", "br", "dt", "dd", "table"}
"""Elements of a note that begin a line."""


def render(report: PrintedReport, language: Language) -> bytes:
    """The report in one language."""
    parts = list(_front(report, language))
    sections = (*report.sections, *((report.notes,) if report.notes else ()))
    for section in sections:
        parts += _section(section, 0)
    return ("\n\n".join(parts) + "\n").encode("utf-8")


def _front(report: PrintedReport, language: Language) -> Iterator[str]:
    yield _heading(report.title, 0)
    lines = [report.course, report.part, *(f"{c.name}: {c.value}" for c in report.cover)]
    if told := [line for line in lines if line]:
        yield "\n".join(told)
    if report.answers:
        yield _heading(language.text("report.key-answers"), 0)
        titles = [language.text(f"report.answer-{part}") for part in ("change", *COLUMNS)]
        rows = [
            [answer.source, *(" ".join(map(_sentence, cell)) for cell in answer.columns)]
            for answer in report.answers
        ]
        yield "\n".join(" | ".join(row) for row in [titles, *rows])


def _section(section: PrintedSection, level: int) -> Iterator[str]:
    if section.part:
        yield _heading(section.part, 0)
    yield _heading(f"{section.number} {section.title}".strip(), level)
    for block in section.blocks:
        yield _block(block)
    for inner in section.sections:
        yield from _section(inner, level + 1)
    for block in section.closing:
        yield _block(block)


def _heading(text: str, level: int) -> str:
    return f"{text}\n{RULE[min(level, len(RULE) - 1)] * max(3, len(text))}"


def _block(block: PrintedBlock) -> str:
    match block:
        case PrintedParagraph():
            return f"    {block.text}" if block.kind == "command" else block.text
        case PrintedSentences():
            marks = [f"{k}." if block.kind == "numbered" else "-" for k in _numbers(block.items)]
            items = zip(marks, block.items, strict=True)
            lines = [f"{mark} {_sentence(item)}" for mark, item in items]
            return "\n".join([block.heading, *lines] if block.heading else lines)
        case PrintedTable():
            rows = [_row(block.header), *map(_row, block.rows)]
            return "\n".join([f"{block.label} {block.caption}", *rows])
        case PrintedFigure():
            return f"{block.label} {block.caption}\n[{block.alternative}]"
        case PrintedFormula():
            return f"    {block.latex}    {block.label}"
        case Notes():
            return "\n".join(line for item in block.items for line in _evidence(item))
        case _:
            return "\n".join(filter(None, (block.heading, _plain(block.html))))


def _numbers(items: tuple[PrintedStatement, ...]) -> range:
    return range(1, len(items) + 1)


def _sentence(statement: PrintedStatement) -> str:
    number = f" [{statement.evidence.number}]" if statement.evidence else ""
    return f"{statement.theme}{statement.after_theme}{statement.text}{number}"


def _row(cells: tuple[PrintedCell, ...]) -> str:
    return " | ".join(f"{cell.text} ★" if cell.best else cell.text for cell in cells)


def _evidence(item: Evidence) -> Iterator[str]:
    """Yield what a statement rests on, a line for each number and each claim."""
    yield " · ".join(filter(None, (f"[{item.number}] {item.rule}", item.strength, item.count)))
    for basis in item.bases:
        if basis.runs:
            yield f"    {basis.runs}"
        for reading in basis.readings:
            value = f"{reading.name} {reading.value} {reading.unit}".rstrip()
            yield f"    {value} = {reading.formula}" if reading.formula else f"    {value}"
        yield from (f"    {claim}" for claim in basis.claims)
    yield from (f"    {name} = {value}" for name, value in item.thresholds)
    if item.more:
        yield f"    {item.more}"


def _plain(html: str) -> str:
    """The text of a note, a line for each of its parts; programs are kept as they are."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "\n".join(reader.lines())


class _Text(HTMLParser):
    """Collects the text of a note's HTML, with what marks its parts in Markdown."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[str] = [""]
        self._is_code: list[bool] = [False]
        self._links: list[str] = []
        self._lists: list[int | None] = []
        self._within: list[str] = []
        self._formula, self._mark, self._cells, self._told = "$", "", -1, ""

    def lines(self) -> list[str]:
        """The lines that are not empty."""
        pairs = zip(self._found, self._is_code, strict=True)
        lines = [line.rstrip() if is_code else " ".join(line.split()) for line, is_code in pairs]
        return [line for line in lines if line]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = {name: value or "" for name, value in attrs}
        # What begins behind the mark of an item stays in its line.
        if tag in BREAKS and (not self._mark or self._found[-1] != self._mark):
            self._break()
        match tag:
            case "math":
                self._write(f"{self._formula}{words.get('alttext', '')}{self._formula}")
            case "span" if words.get("class") in ("math", "equation"):
                self._formula = "$$" if words["class"] == "equation" else "$"
            case "img":
                self._write(f"[{words.get('alt', '')}]")
            case "s" | "del":
                self._write("~~")
            case "a":
                self._links.append(words.get("href", ""))
                self._told = ""
            case "ul" | "ol":
                self._lists.append(int(words.get("start", "1")) if tag == "ol" else None)
            case "li":
                self._item(words.get("id", ""))
            case "tr":
                self._cells = 0
            case "td" | "th":
                self._write(" | " if self._cells else "")
                self._cells += 1
        if tag in ("math", "pre") or (tag == "a" and "aria-label" in words):
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("s", "del"):
            self._write("~~")
        if tag == "a":
            address = self._links.pop()
            if not self._skips and address[:1] != "#" and address != self._told:
                self._write(f" ({address})")
        if tag == "tr":
            self._cells = -1
        if tag in ("ul", "ol"):
            self._lists.pop()
        if self._within and self._within[-1] == tag:
            self._within.pop()
        if tag in BREAKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._skips:
            return
        if not self._within and "\n" in data and (self._cells >= 0 or not data.strip()):
            data = data.replace("\n", " ") if data.strip() else ""
        first, *others = data.split("\n")
        self._write(first)
        self._told += data
        for line in others:
            self._break()
            self._write(line)

    @property
    def _skips(self) -> bool:
        """True within formulas, which are told as they were written, and within ways back."""
        return bool(self._within) and self._within[-1] != "pre"

    def _item(self, anchor: str) -> None:
        """The mark of an item of a list, or the number of a footnote."""
        number = self._lists[-1] if self._lists else None
        if anchor.startswith("footnote-"):
            self._mark = f"[{anchor.rpartition('-')[2]}] "
        elif number is None:
            self._mark = "- "
        else:
            self._mark = f"{number}. "
            self._lists[-1] = number + 1
        self._write(self._mark)

    def _write(self, text: str) -> None:
        self._found[-1] += text

    def _break(self) -> None:
        self._found.append("")
        self._is_code.append("pre" in self._within)
