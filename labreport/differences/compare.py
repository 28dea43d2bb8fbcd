"""Comparing two sides, whatever they are."""

from __future__ import annotations

from pathlib import Path

from labreport.differences.difference import Comparison
from labreport.differences.findings import compare_findings
from labreport.differences.folders import compare_folders
from labreport.differences.labs import compare_labs
from labreport.differences.sides import Kind, kind_of

COMPARE = {
    "lab": compare_labs,
    "folder": compare_folders,
    "observations": compare_findings,
}


def compare(a: Path, b: Path) -> tuple[Kind, Comparison]:
    """What both sides are, and all that differs between them.

    Raises:
        InputError: if they cannot be compared: one is missing, damaged, at fault, or of another
            kind than the other.
    """
    kind = kind_of(a, b)
    return kind, COMPARE[kind](a, b)
