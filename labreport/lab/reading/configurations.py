"""Configurations of a lab file resolved from layers, with each fault at the key that has it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from labreport.lab.class_targets import are_no_signs, beyond, class_numbers
from labreport.lab.configuration import RunConfig, misfits
from labreport.lab.lab import Change, change_at, merge
from labreport.lab.reading.fault_log import FaultLog
from labreport.lab.reading.faults import MAXIMUM_FAULTS, Location, Mismatch, findings
from labreport.lab.reading.layers import Settings, merged_layers, owner_of
from labreport.lab.reading.named_data import UnusableDataError
from labreport.lab.reading.raw_tables import has, without
from labreport.lab.schema.written import WrittenConfig
from labreport.lab.shared import Shared

if TYPE_CHECKING:
    from labreport.data.data_set import DataSet

PLACEHOLDERS: dict[str, Any] = {
    "data": {"inputs": [[0.0]], "targets": [[0.0]]},
    "data.inputs": [[0.0]],
    "data.targets": [[0.0]],
    "network": {"layers": [1, 1], "activations": "identity"},
    "network.layers": [1, 1],
    "network.activations": "identity",
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
    "optimizer.name": "sgd",
    "optimizer.learning_rate": 1.0,
}
"""Stand in for a required key of the base that is at fault, so that the rest can be checked."""


TOGETHER = ("data", "network", "epochs")
"""Keys of which one is found out by the other."""

INLINE = (("inputs",), ("targets",), ("batch_size",))
"""Keys of data that stand for themselves."""


class ConfigurationReader:
    """Resolves the configurations of a lab file, and notes their faults."""

    def __init__(self, log: FaultLog) -> None:
        self._log = log
        self._shared = Shared(log.folder)
        self._unsound: set[str] = set()

    def resolve(self, merged: Change) -> RunConfig:
        """The configuration of merged tables that are known to be right."""
        return self._shared.resolve(merged)

    def data_set(self, config: RunConfig) -> DataSet | None:
        """The data set that a configuration trains on; None where its rows stand in the lab."""
        return self._shared.examples.data_set(config.data)

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of each file with examples, as the lab names it."""
        return self._shared.examples.files

    def sound(self, *layers: Settings, swept: Collection[Location] = ()) -> Settings:
        """The last layer without its faults, after they have been noted.

        A key that is missing is none if it is to be swept.
        """
        *outer, last = layers
        for _ in range(3):
            merged = merged_layers([*outer, last])
            try:
                config = self._shared.resolve(merged)
            except UnusableDataError as error:
                return self._without_data(error, outer, last)
            except ValidationError as error:
                found = [f for f in _found(error, merged) if not _is_to_come(f, swept)]
            else:
                # A change may need another one to fit: that is checked when all are merged.
                if not outer:
                    self._fit(config, [last])
                return last
            for finding in found:
                owner = owner_of([*outer, last], finding)
                self._log.blame(owner.at(finding.location), finding)
                if owner is last:
                    change = self._mended(last.change, finding.location, is_base=not outer)
                    last = replace(last, change=change)
        return last

    def resolved(self, merged: Change, layers: list[Settings]) -> RunConfig | None:
        """The configuration of a run, if nothing is wrong with it."""
        try:
            config = self._shared.resolve(merged)
        except UnusableDataError as error:
            self._blame_data(error, layers)
            return None
        except ValidationError as error:
            for finding in _found(error, merged):
                owner = owner_of(layers, finding)
                # A key that is not there is at fault itself, once for all of its values.
                is_key = finding.code == "unknown-key"
                place = (*owner.place, *finding.location) if is_key else owner.at(finding.location)
                self._log.blame(place, finding)
            return None
        self._fit(config, layers)
        return config

    def _without_data(
        self, error: UnusableDataError, outer: Sequence[Settings], last: Settings
    ) -> Settings:
        """The last layer without the data and the network that do not go together.

        All of its other keys have been found right before its data were looked at.
        """
        self._blame_data(error, [*outer, last])
        if outer:
            kept = {key: v for key, v in last.change.items() if key not in TOGETHER}
            return replace(last, change=kept)
        self._unsound.update(TOGETHER)
        stand_ins = {key: PLACEHOLDERS[key] for key in ("data", "network")}
        kept = {key: v for key, v in last.change.items() if key != "epochs"}
        return replace(last, change={**kept, **stand_ins})

    def _blame_data(self, error: UnusableDataError, layers: Sequence[Settings]) -> None:
        """Note what is wrong with data, unless stand-ins of the base are what they do not fit."""
        if self._unsound & {*TOGETHER, "data.inputs", "data.targets", "network.layers"}:
            return
        for finding in error.found:
            self._log.blame(owner_of(layers, finding).at(finding.location), finding)

    def _mended(self, change: Change, location: Location, *, is_base: bool) -> Change:
        """A change without the key at fault; the base gets a stand-in if it needs that key."""
        if location[0] == "initial" or (location[0] == "data" and location[1:2] not in INLINE):
            # Its keys depend on one another: what is left of it would be called incomplete.
            location = location[:1]
        if has(change, location):
            change = cast(Change, without(change, location))
        for length in range(len(location), 0, -1):
            key = ".".join(str(part) for part in location[:length])
            if is_base and key in PLACEHOLDERS:
                self._unsound.add(key)
                return merge(change, change_at([(key.split("."), PLACEHOLDERS[key])]))
        return change

    def _fit(self, config: RunConfig, layers: Sequence[Settings]) -> None:
        for key, code, values, involved in misfits(config):
            if any(other.startswith(bad) for other in (key, *involved) for bad in self._unsound):
                continue
            places = [_location_of(key), *(_location_of(other) for other in involved)]
            owners = [
                (index, place)
                for place in places
                for index, layer in enumerate(layers)
                if has(layer.change, place)
            ]
            index, place = max(owners, key=lambda pair: pair[0], default=(0, places[0]))
            layer = layers[index]
            place = places[0] if has(layer.change, places[0]) else place
            self._log.fault(layer.at(place), code, values={**values, "of": key})


def _found(error: ValidationError, merged: Change) -> list[Mismatch]:
    """Find what is wrong with a configuration; of targets that are classes, which do not exist."""
    found = findings(error.errors(include_url=False), WrittenConfig, merged)
    others = [finding for finding in found if finding.location[:2] != ("data", "targets")]
    if are_no_signs(merged):
        # Each target would be called no row, where the loss is what does not fit.
        return [*others, Mismatch(("loss",), "classes-for-signs", {"found": merged["loss"]})]
    if class_numbers(merged) is None:
        return found
    classes = (
        Mismatch(("data", "targets", index), "out-of-range", values)
        for index, values in beyond(merged)
    )
    return [*others, *islice(classes, MAXIMUM_FAULTS)]


def _is_to_come(finding: Mismatch, swept: Collection[Location]) -> bool:
    return finding.code == "missing-key" and finding.location in swept


def _location_of(key: str) -> Location:
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))
