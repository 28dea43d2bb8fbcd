"""Comparing two sides, whatever they are."""

from __future__ import annotations

from pathlib import Path

from labreport.diff.compared_inputs import Kind, kind_of
from labreport.diff.difference import Comparison
from labreport.diff.findings import compare_findings
from labreport.diff.folders import compare_folders
from labreport.diff.labs import compare_labs

COMPARE = {
    "lab": compare_labs,
    "folder": compare_folders,
    "observations": compare_findings,
}


def compare(a: Path, b: Path) -> tuple[Kind, Comparison]:
    """Return the kind of both sides, and all that differs between them.

    Raises:
        InputError: if they cannot be compared: one is missing, damaged, at fault, or of another
            kind than the other.
    """
    kind = kind_of(a, b)
    return kind, COMPARE[kind](a, b)
