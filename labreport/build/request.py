"""The request for a build, and a summary of what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.freshness import (
    WantedReport,
    wanted,
)
from labreport.training.execution import (
    Resources,
)

if TYPE_CHECKING:
    pass

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Request:
    """The arguments of `labreport build`."""

    lab: Path | None
    only: tuple[str, ...]
    languages: tuple[str, ...]
    output: Path
    machine: Resources = field(default_factory=Resources)
    force: bool = False
    """True if files of the output folder are to be replaced that no build wrote there."""
    formats: tuple[str, ...] = ()
    """Formats of the report; the usual ones if empty."""
    evidence: bool = False
    """True if paper and text are to have the evidence of every finding, too."""

    @property
    def report(self) -> WantedReport:
        """The report that this is about, whoever builds it and however."""
        device = self.machine.device
        asked = (self.lab, self.only, self.languages, device, self.output, self.formats)
        return wanted(*asked, evidence=self.evidence)


@dataclass(frozen=True)
class Summary:
    """The results of a build.

    Attributes:
        trained: runs that were trained.
        stored: runs that were stored before.
        written: files of the report.
        damaged: stored files that were found damaged, and moved aside.
        restored: files of rows that were damaged or gone, and written again.
        outdated: stored files of another version, if runs were trained that they may hold.
        without_reflection: whether the student has not written one.
        unfilled: lines of the cover that still have a text in brackets, by their keys.
        stray: notes that belong to no experiment, each with the name that is nearest.
        altered: files of the report before that were not as they had been written.
    """

    trained: int
    stored: int
    written: tuple[Path, ...]
    damaged: tuple[Path, ...]
    restored: tuple[Path, ...]
    outdated: tuple[Path, ...]
    without_reflection: bool
    unfilled: tuple[str, ...] = ()
    stray: tuple[tuple[Path, str], ...] = ()
    altered: tuple[str, ...] = ()
