"""Two files of observations: facts that changed, and findings that one side has."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from labreport.diff.compared_inputs import both, text_of
from labreport.diff.difference import Alone, Change, Comparison, Where, changes
from labreport.errors import Fault, InputError

FILE = "observations.json"


class Fact(BaseModel):
    """A fact, as far as it is compared."""

    name: str
    type: str
    value: Any


class Finding(BaseModel):
    """An observation, as far as it is compared."""

    part: str
    experiment: str | None
    rule: str
    form: str
    sentence: dict[str, str]
    facts: list[Fact]

    @property
    def where(self) -> Where:
        """The place where it stands."""
        return Where(self.part, self.experiment or "")

    @property
    def identity(self) -> Hashable:
        """A key for what it is about: equal in two reports that find the same in other numbers."""
        named = [(f.name, repr(f.value)) for f in self.facts if not _is_measured(f.value)]
        return (self.where, self.rule, self.form, *named)

    def told(self) -> dict[str, Any]:
        """Return what can change in it: its numbers, and its words."""
        numbers = {f"{self.rule}: {f.name}": f.value for f in self.facts if _is_measured(f.value)}
        words = {f"{self.rule}: sentence.{code}": text for code, text in self.sentence.items()}
        return numbers | words


class _File(BaseModel):
    observations: list[Finding]


def compare_findings(a: Path, b: Path) -> Comparison:
    """Compare two files of observations.

    Raises:
        InputError: with the faults of both files.
    """
    old, new = both(_read, a, b)
    found: list[Change] = []
    alone: list[Alone] = []
    same = 0
    for identity, finding in old.items():
        other = new.get(identity)
        if other is None:
            alone.append(Alone(finding.where, "A", finding.rule, _sentence(finding)))
            continue
        differing = changes(finding.where, finding.told(), other.told())
        same += not differing
        # The words follow from the numbers, and are told only if they changed by themselves.
        numbers = [change for change in differing if "sentence." not in change.key]
        found += numbers or differing
    for identity, finding in new.items():
        if identity not in old:
            alone.append(Alone(finding.where, "B", finding.rule, _sentence(finding)))
    return Comparison(findings=tuple(found), found_alone=tuple(alone), same_findings=same)


def with_findings(comparison: Comparison, findings: Comparison) -> Comparison:
    """A comparison of runs, with that of what was found in them."""
    return replace(
        comparison,
        findings=findings.findings,
        found_alone=findings.found_alone,
        same_findings=findings.same_findings,
    )


def _read(path: Path) -> dict[Hashable, Finding]:
    """Findings by what they are about; of several about the same each has its place."""
    try:
        file = _File.model_validate(json.loads(text_of(path)))
    except (ValidationError, ValueError, RecursionError) as error:
        raise InputError(Fault("not-observations", {"detail": _first(error)}, file=path)) from None
    found: dict[Hashable, Finding] = {}
    for finding in file.observations:
        place = 0
        while (finding.identity, place) in found:
            place += 1
        found[finding.identity, place] = finding
    return found


def _first(error: Exception) -> str:
    """Format the first thing that is wrong in one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)


def _is_measured(value: Any) -> bool:
    """Return whether a fact is a number; those that JSON has no number for are texts."""
    if isinstance(value, dict):
        return value.keys() == {"value", "total"}
    return isinstance(value, int | float) or value in ("NaN", "Infinity", "-Infinity")


def _sentence(finding: Finding) -> tuple[tuple[str, str], ...]:
    return tuple(finding.sentence.items())
