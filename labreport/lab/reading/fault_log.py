"""The faults of a lab file, collected in one pass and told in the order of its lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labreport.errors import Fault, InputError
from labreport.lab.reading.faults import MAXIMUM_FAULTS, Location, Mismatch, SourceText


class FaultLog:
    """Notes the faults of a lab file, each place and code once."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._faults: dict[tuple[Location, str], Fault] = {}
        self._consequences: dict[tuple[Location, str], Fault] = {}

    @property
    def folder(self) -> Path:
        """The folder of the lab file, from which it names other files."""
        return self._source.path.parent

    @property
    def has_faults(self) -> bool:
        """True if a fault was noted that does not merely follow from others."""
        return bool(self._faults)

    @property
    def is_empty(self) -> bool:
        """True if nothing was noted, not even what may follow from other faults."""
        return not self._faults and not self._consequences

    def fault(self, location: Location, code: str, **details: Any) -> None:
        """Note a fault.

        Raises:
            InputError: with all faults, once there are as many as are told.
        """
        key = (location, code)
        if key not in self._faults:
            self._faults[key] = self._source.fault(location, code, **details)
        if len(self._faults) == MAXIMUM_FAULTS:
            raise InputError(self.told())

    def blame(self, location: Location, finding: Mismatch) -> None:
        """Note what pydantic has found as a fault at a location."""
        self.fault(
            location,
            finding.code,
            values=finding.values,
            allowed=finding.allowed,
            nearest=finding.nearest,
        )

    def consequence(self, location: Location, code: str, **details: Any) -> None:
        """Note a fault that may only follow from others, and so is told when there are none."""
        if not self._faults:
            self._consequences[location, code] = self._source.fault(location, code, **details)

    def told(self) -> list[Fault]:
        """List the faults in the order of the file; consequences only if there is nothing else."""
        faults = self._faults or self._consequences
        told = sorted(faults.values(), key=lambda f: (f.line, f.column, f.key))
        if len(told) == MAXIMUM_FAULTS:
            told.append(Fault("more-faults", {"limit": MAXIMUM_FAULTS}, self._source.path))
        return told
