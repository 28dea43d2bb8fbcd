"""Characters of a lab and its notes that the report could not show, found beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from labreport.errors import Fault
from labreport.lab.plan import Lab
from labreport.lab.reading.texts import texts
from labreport.lab.reading.toml_file import read

Place = Callable[[], Fault]
"""Looks up where a text stands: most texts are never asked."""


def missing_characters(
    lab: Lab, path: Path, notes: Sequence[Path], languages: Sequence[str]
) -> tuple[Fault, ...]:
    """A fault for each text of the lab and each line of a note with characters no font has.

    Args:
        lab: the lab, or the part of it that is built.
        path: its file.
        notes: notes that the report takes in.
        languages: of the report.

    Raises:
        BuildError: if Pango is missing.
    """
    from labreport.formats.font_coverage import lacking

    written = [*_in_lab(lab, path, tuple(languages)), *_in_data(lab, path), *_in_notes(notes)]
    lost = lacking({c for text, _ in written for c in text if c >= " "})
    faults = (_at(place(), text, lost) for text, place in written if lost & set(text))
    # A text that stands in for its translation is printed twice, and told once.
    return tuple({(fault.file, fault.line, fault.key): fault for fault in faults}.values())


def _at(place: Fault, text: str, lost: frozenset[str]) -> Fault:
    """The fault of a text, at the first character that is lost if its line shows it."""
    found = [c for c in dict.fromkeys(text) if c in lost]
    column = place.excerpt.find(found[0]) + 1 or place.column
    named = " ".join(f"{c} (U+{ord(c):04X})" for c in found)
    return replace(place, values={"characters": named}, column=column)


def _in_lab(lab: Lab, path: Path, languages: tuple[str, ...]) -> Iterator[tuple[str, Place]]:
    source = read(path)
    for location, text in texts(lab.file, languages):
        if location[0] != "experiment" or location[1] in lab.names:
            yield text, partial(source.fault, location, "missing-glyphs")


def _in_data(lab: Lab, path: Path) -> Iterator[tuple[str, Place]]:
    """Names of columns and classes of the data sets of a lab."""
    source = read(path)
    trials = [trial.data_set for plan in lab.plans for trial in plan.trials]
    for data_set in {id(found): found for found in (lab.data_set, *trials)}.values():
        if data_set is not None:
            kind = data_set.origin.kind
            key = "targets" if kind == "inline" else kind
            for name in (*data_set.columns, *data_set.targets, *data_set.classes):
                yield name, partial(source.fault, ("base", "data", key), "missing-glyphs")


def _in_notes(notes: Sequence[Path]) -> Iterator[tuple[str, Place]]:
    for file in notes:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
        for number, line in enumerate(lines, start=1):
            yield (
                line,
                partial(Fault, "missing-glyphs", file=file, line=number, excerpt=line),
            )
