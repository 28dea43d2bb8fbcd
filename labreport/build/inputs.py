"""Inputs of a build: parts of a lab, languages, formats, theme and notes, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.build.output import refuse_foreign, usable_folder
from labreport.build.request import LANGUAGES, Request
from labreport.errors import Fault, InputError
from labreport.formats.table import FORMATS, USUAL
from labreport.freshness import input_digests
from labreport.lab.plan import Lab
from labreport.lab.reading.faults import nearest
from labreport.lab.reading.load import lab_of
from labreport.lab.reading.toml_file import read
from labreport.shipped import lab_path, notes_folder, shipped, theme_folder

if TYPE_CHECKING:
    from labreport.render.notes.reading import NotesOfReport
    from labreport.render.theme import Theme


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a build.

    Attributes:
        path: of the lab file.
        text: of the lab file.
        whole: the lab.
        lab: the part of it that is built.
        languages: of the report.
        formats: of the report.
        theme: how it looks.
        notes_folder: where notes are; there may be none.
        notes: the student's notes, rendered.
        digests: of everything that the report depends on.
    """

    path: Path
    text: str
    whole: Lab
    lab: Lab
    languages: tuple[str, ...]
    formats: tuple[str, ...]
    theme: Theme
    notes_folder: Path
    notes: NotesOfReport
    digests: dict[str, str]


def read_inputs(request: Request) -> Inputs:
    """Read and check everything that a build takes in, before anything is trained.

    Raises:
        InputError: with the faults of the lab, or else of a name, the theme, the notes, the output
            folder, or characters that no font has.
        BuildError: if Pango is missing.
    """
    path = lab_path(request.lab)
    digests = input_digests(request.report)
    source = read(path)
    whole = lab_of(source)
    lab = part_of(whole, request.only, path)
    languages = chosen_languages(request.languages, whole)
    formats = chosen_formats(request.formats)
    theme = check_theme(lab, path, languages)
    folder = notes_folder(path)
    notes = check_notes(whole, lab, folder, languages)
    usable_folder(request.output)
    if not request.force:
        refuse_foreign(request.output, languages, formats)
    check_characters(lab, path, notes.files, languages)
    return Inputs(path, source.text, whole, lab, languages, formats, theme, folder, notes, digests)


def part_of(lab: Lab, only: Sequence[str], path: Path) -> Lab:
    """The experiments asked for; all of them if none is named."""
    unknown = [name for name in only if name not in lab.names]
    if unknown:
        raise InputError(
            [
                Fault(
                    "unknown-experiment",
                    {"found": name},
                    file=path,
                    allowed=lab.names,
                    nearest=nearest(name, lab.names),
                )
                for name in unknown
            ]
        )
    return lab.only(tuple(only)) if only else lab


def chosen_languages(asked: Sequence[str], lab: Lab) -> tuple[str, ...]:
    """Languages to write: those asked for, or the lab's own."""
    unknown = [code for code in asked if code not in LANGUAGES]
    if unknown:
        raise InputError(
            [
                Fault("unknown-language", {"found": code}, allowed=LANGUAGES)
                for code in dict.fromkeys(unknown)
            ]
        )
    return tuple(dict.fromkeys(asked)) or tuple(dict.fromkeys(lab.languages))


def chosen_formats(asked: Sequence[str]) -> tuple[str, ...]:
    """Formats to write: those asked for, or the usual ones."""
    unknown = dict.fromkeys(name for name in asked if name not in FORMATS)
    if unknown:
        allowed = tuple(FORMATS)
        raise InputError(
            [
                Fault("unknown-format", {"found": f}, allowed=allowed, nearest=nearest(f, allowed))
                for f in unknown
            ]
        )
    return tuple(dict.fromkeys(asked)) or USUAL


def check_theme(lab: Lab, path: Path, languages: Sequence[str]) -> Theme:
    """Read the theme and try it out on the cover, so that faults show before training.

    Raises:
        InputError: with the faults of the theme.
        BuildError: if Pango is missing.
    """
    from labreport.render.theme import PLAIN, read_theme

    theme = read_theme(lab.file.theme, shipped("templates") / "themes", theme_folder(path))
    if theme != PLAIN:
        from labreport.formats.theme_check import try_theme
        from labreport.language.catalogue import language

        try_theme(lab, theme, [language(code) for code in languages])
    return theme


def check_notes(whole: Lab, lab: Lab, folder: Path, languages: Sequence[str]) -> NotesOfReport:
    """Read every note before anything trains, so that all their faults show at once.

    Args:
        whole: the lab.
        lab: the part of it that is built.
        folder: of the notes.
        languages: of the report.

    Raises:
        InputError: with everything that is at fault in a note.
        BuildError: if Pango is missing, where a note has a drawing.
    """
    from labreport.render.notes.note_pictures import DRAWING
    from labreport.render.notes.reading import read_all

    notes = read_all(folder, whole.names, lab.names, languages, whole.languages[0])
    if any(DRAWING in note.paper for note in notes.by_place.values()):
        from labreport.formats.theme_check import try_notes

        try_notes(notes)
    return notes


def stray(lab: Lab, notes: Path) -> tuple[tuple[Path, str], ...]:
    """Notes that no report of this lab takes in, each with the name that is nearest."""
    from labreport.render.notes.reading import stray_notes
    from labreport.report.facts import CHAPTERS

    return tuple(stray_notes(notes, (*lab.names, *CHAPTERS), lab.languages[0], LANGUAGES))


def check_characters(lab: Lab, path: Path, notes: Sequence[Path], languages: Sequence[str]) -> None:
    """Refuse texts that the PDF could not show, unless the lab says not to check."""
    from labreport.formats.missing_characters import missing_characters

    faults = missing_characters(lab, path, notes, languages) if lab.file.check_fonts else ()
    if faults:
        raise InputError(faults)
