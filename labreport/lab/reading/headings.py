"""Headings, in which there must be something to read, and the languages that they are read in."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.lab.lab import LabFile, Text
from labreport.lab.reading.fault_log import FaultLog
from labreport.lab.reading.faults import Location
from labreport.lab.reading.sweeps import are_different


def check_headings(file: LabFile, log: FaultLog) -> None:
    """Note titles and labels with nothing to be read in a language, and languages listed twice."""
    are_different(("languages",), file.languages, log, elements=True)
    for location, heading in _headings(file):
        if not all(heading.within(code).strip() for code in file.languages):
            log.fault(location, "blank-text")


def _headings(file: LabFile) -> Iterator[tuple[Location, Text]]:
    """Everything that stands over a section or for a variant."""
    for name, experiment in file.experiment.items():
        here: Location = ("experiment", name)
        yield (*here, "title"), experiment.title
        labels = {
            "variant": [variant.label for variant in experiment.variant],
            "formula": [formula.label for formula in experiment.formula],
        }
        for kind, members in labels.items():
            for index, label in enumerate(members):
                if label is not None:
                    yield (*here, kind, index, "label"), label
    for name, appendix in file.appendix.items():
        yield ("appendix", name, "title"), appendix.title
    for key, title in file.theme.titles:
        if title is not None:
            yield ("theme", "titles", key.replace("_", "-")), title
