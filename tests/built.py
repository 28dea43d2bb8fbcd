"""A lab that was built for tests, as a value that processes of the tests can hand on."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

from layout_of import Layout

from labreport.build.request import Summary
from labreport.render.printed import PrintedReport
from labreport.report.measured import Measured
from labreport.report.tree import Report

LANGUAGES = ("zh", "en")


def layout_file(folder: Path, code: str) -> Path:
    """Where the layout of a PDF is kept, beside the lab."""
    return folder / f"layout.{code}.pickle"


@dataclass(frozen=True, repr=False)
class Built:
    """A lab that was built into a folder, and what it was made of.

    Attributes:
        path: the lab file.
        output: the folder.
        summary: what the build said of itself.
        measured: its results and observations.
        tree: the report in no language.
        reports: the report in each language.
    """

    path: Path
    output: Path
    summary: Summary
    measured: Measured
    tree: Report
    reports: dict[str, PrintedReport]

    def html(self, code: str) -> str:
        return self._file(code, "html").read_text(encoding="utf-8")

    def pdf(self, code: str) -> Path:
        return self._file(code, "pdf")

    def layout(self, code: str) -> Layout:
        """Of the pages of the PDF in a language; of the lab that ships alone."""
        found = pickle.loads(layout_file(self.path.parent, code).read_bytes())
        assert isinstance(found, Layout)
        return found

    def _file(self, code: str, ending: str) -> Path:
        suffix = "" if code == LANGUAGES[0] else f".{code}"
        return self.output / f"report{suffix}.{ending}"
