"""Tables that many runs have in common, checked once and kept once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from labreport.lab.class_targets import beyond, class_numbers, of_one_output, one_hot
from labreport.lab.configuration import Data, RunConfig
from labreport.lab.lab import Change
from labreport.lab.reading.named_data import ExamplesReader, is_written_out
from labreport.lab.schema.initialisers import Given
from labreport.lab.schema.written import WrittenConfig, WrittenData


class Shared:
    """Resolves configurations whose data and given weights are one object where they are equal.

    A table of the file is told by the objects that it was read into, which are compared by
    identity: thousands of rows would take as long to compare as to check.
    """

    def __init__(self, folder: Path) -> None:
        self.examples = ExamplesReader(folder)
        self._rows: dict[tuple[int, int], tuple[list[list[float]], list[int]]] = {}
        self._known: dict[tuple[object, ...], tuple[BaseModel, tuple[object, ...]]] = {}

    def resolve(self, merged: Change) -> RunConfig:
        """The configuration that merged tables state.

        Raises:
            ValidationError: if one of its keys is wrong.
            UnusableDataError: if its data cannot be used.
        """
        if not is_written_out(merged):
            return self._resolve_written(merged)
        merged = self._with_rows(merged)
        known = dict(merged)
        if isinstance(data := merged.get("data"), dict):
            known["data"] = self._data(data)
        initial = merged.get("initial")
        if isinstance(initial, dict) and initial.get("scheme") == "given":
            known["initial"] = self._table(initial, Given.model_validate)
        return RunConfig.model_validate(known)

    def _resolve_written(self, merged: Change) -> RunConfig:
        """The same where a lab writes where its examples come from, hidden layers or epochs."""
        known = dict(merged)
        if isinstance(data := merged.get("data"), dict):
            known["data"] = self._table(data, WrittenData.model_validate)
        written = WrittenConfig.model_validate(known)
        return RunConfig.model_validate(self.examples.resolved(merged, written))

    def _with_rows(self, merged: Change) -> Change:
        """The same with a row in place of each number of a class, if targets are such numbers."""
        single = of_one_output(merged)
        found = class_numbers(merged) if single is None else (single, 1)
        if found is None or any(beyond(merged)):
            return merged
        numbers, classes = found
        key = (id(numbers), classes)
        if key not in self._rows:
            rows = [[float(n)] for n in numbers] if classes == 1 else one_hot(numbers, classes)
            self._rows[key] = (rows, numbers)
        return {**merged, "data": {**merged["data"], "targets": self._rows[key][0]}}

    def _data(self, raw: Change) -> object:
        """Data whose rows are one object in all sizes of batches."""
        rows = {name: value for name, value in raw.items() if name != "batch_size"}
        data = self._table(rows, Data.model_validate)
        if not isinstance(data, Data):
            return raw
        return self._table(raw, lambda raw: data.in_batches(raw.get("batch_size")))

    def _table(self, raw: Change, checked: Callable[[Change], BaseModel]) -> object:
        """What a table is when it is checked; the table itself if it is at fault."""
        key = tuple((name, id(value)) for name, value in raw.items())
        if key not in self._known:
            try:
                # What an identity belongs to is kept, so that nothing else can get it.
                self._known[key] = (checked(raw), tuple(raw.values()))
            except ValidationError:
                return raw
        return self._known[key][0]
