"""The student's own notes: which there are, where they stand, and what is at fault in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from labreport.errors import Fault, InputError
from labreport.lab.lab import UNPRINTABLE
from labreport.lab.reading.faults import nearest
from labreport.render.printed import PrintedFormula, PrintedNote
from labreport.report.facts import CHAPTERS, WrittenNote
from labreport.runs.files import NotRegularError, read_regular

MAXIMUM_BYTES = 200_000

MAXIMUM_ALL = 1_000_000
"""Bytes of all notes of a report."""

PLACES = ("before", "after")
"""The places of a note: before or after what is computed; after it, unless it says so."""

_PLACE = re.compile(r"\s*<!--\s*(\S+)\s*-->\s*\Z")


@dataclass(frozen=True)
class RenderedNote:
    """A note in one language.

    Attributes:
        file: where it stands.
        text: its Markdown.
        before: whether it stands before what is computed.
        html: for a page.
        paper: for paper.
        formulas: those of the text.
    """

    file: Path
    text: str
    before: bool
    html: str
    paper: str
    formulas: tuple[PrintedFormula, ...]

    def under(self, heading: str) -> PrintedNote:
        """The note as a part of a section."""
        return PrintedNote(heading, self.html, self.paper, self.formulas)


@dataclass(frozen=True)
class NotesOfReport:
    """All notes that a report takes in, read once."""

    by_place: Mapping[tuple[str, str], RenderedNote] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(dict.fromkeys(note.file for note in self.by_place.values()))

    def of(self, name: str, language: str) -> RenderedNote | None:
        """The note on an experiment, or on a chapter, in a language."""
        return self.by_place.get((name, language))

    @property
    def written(self) -> tuple[WrittenNote, ...]:
        """The notes by name and place, each in the languages that it is in."""
        texts: dict[tuple[str, bool], list[tuple[str, str]]] = {}
        for (name, language), note in self.by_place.items():
            texts.setdefault((name, note.before), []).append((language, note.text))
        return tuple(WrittenNote(*key, tuple(found)) for key, found in texts.items())


def read_all(
    folder: Path,
    experiments: Sequence[str],
    names: Sequence[str],
    languages: Sequence[str],
    first: str,
) -> NotesOfReport:
    """Read every note that a report takes in.

    Args:
        folder: where they are; there may be none.
        experiments: of the whole lab.
        names: of the experiments that the report has.
        languages: of the report.
        first: the first language of the lab.

    Raises:
        InputError: with everything that is at fault in them.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(Fault("not-a-folder", file=folder))
    found: dict[tuple[str, str], RenderedNote] = {}
    by_file: dict[Path, Sequence[Fault]] = {}
    chapters = [name for name in CHAPTERS if name not in experiments]
    for name, code in product((*names, *chapters), languages):
        file = notes_file(folder, name, code, first)
        try:
            note = read_note(file, under=3 if name in names else 2, anchor=f"{name}-{code}")
        except InputError as error:
            # Of a file for both languages once.
            by_file.setdefault(file, error.faults)
        else:
            found |= {(name, code): note} if note else {}
    faults = [fault for told in by_file.values() for fault in told]
    sizes = {note.file: note.file.stat().st_size for note in found.values()}
    if (total := sum(sizes.values())) > MAXIMUM_ALL:
        faults.append(Fault("notes-too-large", {"bytes": total, "limit": MAXIMUM_ALL}, file=folder))
    if faults:
        raise InputError(faults)
    return NotesOfReport(found)


def read_note(path: Path, *, under: int = 3, anchor: str = "") -> RenderedNote | None:
    """A note, or None if there is no such file or nothing in it.

    Args:
        path: the file.
        under: level of the heading that the note stands under; its own headings go deeper.
        anchor: begins the anchors of its footnotes.

    Raises:
        InputError: if it cannot be read as UTF-8 text, or holds what the report cannot show.
    """
    from labreport.render.notes.markdown import render

    text = _text(path)
    if not text.strip():
        return None
    first, _, rest = text.partition("\n")
    place = _place(path, first)
    start = 1
    if place:
        text, start = rest, 2
        if not text.strip():
            return None
    rendered, faults = render(text, path, anchor, under, start)
    if faults:
        raise InputError(faults)
    # After rendering, because Markdown can also write a character by its number.
    html, paper = (UNPRINTABLE.sub("", made) for made in (rendered.html, rendered.paper))
    return RenderedNote(path, text, place == "before", html, paper, rendered.formulas)


def _text(path: Path) -> str:
    """The text of a note; "" if there is none. Raises InputError."""
    if not os.path.lexists(path):
        return ""
    try:
        if not path.resolve(strict=True).is_relative_to(path.parent.resolve()):
            raise InputError(Fault("note-outside", file=path))
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            values = {"bytes": size, "limit": MAXIMUM_BYTES}
            raise InputError(Fault("note-too-large", values, file=path))
        content = read_regular(path, MAXIMUM_BYTES)
    except NotRegularError:
        raise InputError(Fault("not-regular", file=path)) from None
    except (OSError, RuntimeError) as error:
        # A link that leads to itself is one or the other, by the version of Python.
        detail = getattr(error, "strerror", None) or str(error)
        raise InputError(Fault("notes-unreadable", {"detail": detail}, file=path)) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        detail = {"detail": str(error)}
        raise InputError(Fault("notes-unreadable", detail, file=path, line=line)) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c >= " " or c in "\n\t")


def _place(path: Path, line: str) -> str:
    """Read the place that the first line of a note states; "" if it is a line of the text."""
    found = _PLACE.match(line)
    if found is None:
        return ""
    word = found[1]
    if word in PLACES:
        return word
    if near := nearest(word, PLACES):
        values = {"found": word}
        raise InputError(
            Fault(
                "note-place",
                values,
                file=path,
                line=1,
                column=line.index(word) + 1,
                excerpt=line,
                allowed=PLACES,
                nearest=near,
            )
        )
    return ""


def stray_notes(
    folder: Path, names: Sequence[str], first: str, others: Sequence[str]
) -> Iterator[tuple[Path, str]]:
    """Notes that belong to nothing, each with the nearest of the names that notes may have.

    Args:
        folder: where they are.
        names: that notes may have.
        first: the first language of the lab, whose notes have no code in their names.
        others: languages that a translation may have.
    """
    for path in sorted(folder.glob("*.md")):
        name, _, code = path.name.removesuffix(".md").partition(".")
        if name not in names:
            if name.lower() != "readme":
                yield path, nearest(name, names)
        elif code == first or (code and code not in others):
            yield path, name


def notes_file(folder: Path, name: str, language: str, first: str) -> Path:
    """``notes/NAME.md``; in a further language ``notes/NAME.en.md``, if it is there."""
    translated = folder / f"{name}.{language}.md"
    if language != first and os.path.lexists(translated):
        return translated
    return folder / f"{name}.md"
