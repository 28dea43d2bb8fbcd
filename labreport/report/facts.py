"""Data that a report needs beside the lab and its runs."""

from __future__ import annotations

from dataclasses import dataclass

CHAPTERS = ("purpose", "principle", "set-up", "conclusions", "reflection")
"""Chapters of the report that may have a note; an experiment of that name has it instead."""


@dataclass(frozen=True)
class WrittenNote:
    """A note on an experiment or a chapter.

    Attributes:
        name: of the experiment or chapter.
        before: whether it stands before what is computed.
        markdown: its text by language.
    """

    name: str
    before: bool
    markdown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Facts:
    """The data that a report needs beside the lab and its runs.

    Attributes:
        all_names: experiments of the whole lab, of which this may be a part.
        notes: the student's notes.
        environment: versions and machine: key in the catalogue, name that the key takes, value.
        again: the command that builds this report.
        stored: names of the folder of runs and of the table of runs, as printed.
        own_look: files of a theme beside the lab, and their digest; none without one.
    """

    all_names: tuple[str, ...]
    notes: tuple[WrittenNote, ...]
    environment: tuple[tuple[str, str, str], ...]
    again: str
    stored: tuple[str, str]
    own_look: tuple[tuple[str, ...], str] = ((), "")
