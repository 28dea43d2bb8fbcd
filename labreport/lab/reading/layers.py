"""Layers of a configuration: tables of the file, each of which sets keys over those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labreport.lab.lab import Change, merge
from labreport.lab.reading.faults import Location, Mismatch
from labreport.lab.reading.raw_tables import has


@dataclass(frozen=True)
class Settings:
    """Some keys of a configuration, and the table of the file in which they stand."""

    place: Location
    change: Change

    def at(self, path: Location) -> Location:
        """Locate a key of the configuration in the file, where it stands or would stand."""
        return (*self.place, *path)


@dataclass(frozen=True)
class SweptValue(Settings):
    """One value of a swept key, and where the value stands."""

    path: tuple[str, ...]
    value: Any
    value_place: Location

    def at(self, path: Location) -> Location:
        return self.value_place if has(self.change, path) else super().at(path)


def merged_layers(layers: Sequence[Settings]) -> Change:
    """The keys of all layers, where those of a later one take the place of earlier ones."""
    merged: Change = {}
    for layer in layers:
        merged = merge(merged, layer.change)
    return merged


def owner_of(layers: Sequence[Settings], finding: Mismatch) -> Settings:
    """The innermost layer that sets the key at fault, or the nearest table around it."""
    location = finding.location
    # A key that is missing is not set by any layer, or was, before another one reset its table.
    for length in range(len(location) - (finding.code == "missing-key"), 0, -1):
        for layer in reversed(layers):
            if has(layer.change, location[:length]):
                return layer
    return layers[-1]
