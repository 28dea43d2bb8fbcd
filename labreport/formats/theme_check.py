"""A theme tried out on a cover with nothing behind it, and notes, before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from labreport.errors import Fault, InputError
from labreport.formats.limits import limited
from labreport.formats.page import page, paper
from labreport.formats.pdf import complaints, complaints_of
from labreport.lab.plan import Lab
from labreport.language.catalogue import Language
from labreport.render.notes.note_pictures import DRAWING
from labreport.render.notes.reading import NotesOfReport
from labreport.render.printed import PrintedReport
from labreport.render.printing import print_report
from labreport.render.theme import SHEETS, Sheet, Theme
from labreport.report.title_page import title_page

MOST = 20
"""Complaints that are told."""

TRIAL_SECONDS, TRIAL_MEMORY = 60, 2**30
"""Limits of a cover with nothing behind it, which takes two seconds and 100 MB."""

_DATA = re.compile(r"data:\S+")

_PLACE = re.compile(r" at ([0-9]+):([0-9]+)")
"""The place of what WeasyPrint has found: line and column of the style sheet of the document."""


def try_theme(lab: Lab, theme: Theme, languages: Sequence[Language]) -> None:
    """Make the page and the PDF of a report that is nothing but its cover.

    Raises:
        InputError: if the cover's template or a style sheet is at fault.
        BuildError: if Pango is missing.
    """
    own = [words.saying(theme.texts.get(words.code, {})) for words in languages]
    front = title_page(lab)
    reports = [(print_report(front, words, theme=theme), words) for words in own]
    if faults := limited(lambda: _faults(reports, theme), TRIAL_SECONDS, TRIAL_MEMORY):
        # The same in every language.
        once = {(f.file, f.line, f.column, f.values["detail"]): f for f in faults}
        raise InputError(list(once.values())[:MOST])


def _faults(reports: Sequence[tuple[PrintedReport, Language]], theme: Theme) -> list[Fault]:
    page(reports)
    faults = []
    for report, words in reports:
        sheets = list(_sheets(paper(report, words), theme))
        faults += [_fault(text, theme, sheets) for text in complaints(report, words)]
    return faults


def try_notes(notes: NotesOfReport) -> None:
    """Draw the drawings of notes once: there are some that WeasyPrint stumbles over.

    Raises:
        InputError: naming the notes that have such.
        BuildError: if Pango is missing.
    """
    papers = {note.file: note.paper for note in notes.by_place.values() if DRAWING in note.paper}
    faults = [
        Fault("note-drawing", {"detail": _DATA.sub("…", text)[:300]}, file=file)
        for file, paper in papers.items()
        for text in complaints_of(f'<html lang="en"><title>.</title><body>{paper}</body></html>')
    ]
    if faults:
        raise InputError(faults[:MOST])


def _sheets(html: str, theme: Theme) -> Iterator[tuple[int, Sheet]]:
    """The theme's style sheets in the one of a document, each with the line before it."""
    begin = place = html.index("<style>")
    for name in ("style.css", "print.css"):
        for sheet in theme.sheets.get(name, ()):
            place = html.index(sheet.text, place)
            yield html.count("\n", begin, place), sheet
            place += len(sheet.text)


def _fault(text: str, theme: Theme, sheets: Sequence[tuple[int, Sheet]]) -> Fault:
    """A complaint, where it can be said at the line of a file."""
    detail = _PLACE.sub("", text)[:300]
    if found := _PLACE.search(text):
        line, column = int(found[1]), int(found[2])
        for before, sheet in sheets:
            lines = sheet.text.split("\n")
            if before < line <= before + len(lines):
                at, excerpt = line - before, lines[line - before - 1][:200]
                return Fault("theme-sheet", {"detail": detail}, sheet.file, at, column, "", excerpt)
    names = " ".join(name for name in SHEETS if name in theme.sheets)
    return Fault("theme-style", {"detail": detail, "names": names})
