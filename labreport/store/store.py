"""The store of runs: one safetensors file a family, which says of itself all that is in it.

A file ``runs/<name>.safetensors`` holds the arrays of some runs that were trained together,
stacked, and in the array ``runs``, as bytes of JSON, the name, configuration, ending and
environment of each. It can be read with nothing but the safetensors library. A run is named by
the digest of everything that determines its numbers, a file by the digest of the names of its
runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from labreport.lab.configuration import RunConfig, canonical_json
from labreport.run import Ending, Environment, Run, Trace
from labreport.store.files import write_atomically

FORMAT = "1"
"""Version of the files; a file of another version is left alone and its runs trained again."""

ARRAYS = ("losses", "weights", "gradients", "outputs")


def run_name(config: RunConfig, environment: Environment) -> str:
    """64 hexadecimal digits that name a run: the same name, the same numbers."""
    determined_by = {"config": config.model_dump(mode="json"), "environment": asdict(environment)}
    return hashlib.sha256(canonical_json(determined_by).encode()).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where a stored run lies."""

    path: Path
    row: int
    name: str
    entry: Mapping[str, Any]


class Store:
    """The runs under one output folder."""

    def __init__(self, output: Path) -> None:
        self.folder = output / "runs"
        self.damaged: list[Path] = []
        self._places = {place.name: place for place in self._scan()}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def _scan(self) -> Iterator[Place]:
        for path in sorted(self.folder.glob("*.safetensors")):
            try:
                yield from _places(path)
            except (SafetensorError, OSError, ValueError, LookupError, TypeError):
                self.damaged.append(path)

    def keep(
        self, configurations: Sequence[RunConfig], traces: Sequence[Trace], environment: Environment
    ) -> None:
        """Store runs that were trained together, as one file."""
        entries = [
            {
                "name": run_name(config, environment),
                "config": config.model_dump(mode="json"),
                "ending": asdict(trace.ending),
                "environment": asdict(environment),
            }
            for config, trace in zip(configurations, traces, strict=True)
        ]
        path = self.folder / f"{_file_name(entries)}.safetensors"
        stacked = {key: _stacked([getattr(t, key) for t in traces]) for key in ARRAYS}
        # An array, because a header has room for some thousand runs only; and nothing else in the
        # header, because safetensors writes its items in any order.
        stacked["runs"] = np.frombuffer(canonical_json(entries).encode(), dtype=np.uint8)
        write_atomically(path, save(stacked, {"format": FORMAT}))
        for row, entry in enumerate(entries):
            name = str(entry["name"])
            self._places[name] = Place(path, row, name, entry)

    def read(self, names: Sequence[str]) -> dict[str, Run]:
        """Runs by name, each equal to the bit to what was stored.

        Raises:
            KeyError: if a run is not in the store.
        """
        by_file: dict[Path, list[str]] = {}
        for name in dict.fromkeys(names):
            by_file.setdefault(self._places[name].path, []).append(name)
        runs: dict[str, Run] = {}
        for path, members in by_file.items():
            with safe_open(path, "numpy") as file:
                slices = {key: file.get_slice(key) for key in ARRAYS}
                for name in members:
                    place = self._places[name]
                    runs[name] = _run(place.entry, {key: slices[key][place.row] for key in ARRAYS})
        return {name: runs[name] for name in names}


def _places(path: Path) -> list[Place]:
    """What lies in a file; raises one of many errors if it is no whole file of runs."""
    with safe_open(path, "numpy") as file:
        if (file.metadata() or {}).get("format") != FORMAT:
            return []
        entries = json.loads(file.get_tensor("runs").tobytes())
        for key in ARRAYS:
            if file.get_slice(key).get_shape()[0] != len(entries):
                raise ValueError(key)
    return [Place(path, row, str(entry["name"]), entry) for row, entry in enumerate(entries)]


def _file_name(entries: Sequence[Mapping[str, Any]]) -> str:
    names = "".join(sorted(str(entry["name"]) for entry in entries))
    return hashlib.sha256(names.encode()).hexdigest()[:32]


def _stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of different lengths in one, [runs, longest, …]; the rest is nan."""
    longest = max(len(array) for array in arrays)
    first = arrays[0]
    stacked = np.full((len(arrays), longest, *first.shape[1:]), np.nan, dtype=first.dtype)
    for row, array in enumerate(arrays):
        stacked[row, : len(array)] = array
    return stacked


def _run(entry: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Run:
    ending = Ending(**entry["ending"])
    config = RunConfig.model_validate(entry["config"])
    cut = {key: array[: ending.step] for key, array in arrays.items()}
    trace = Trace(ending=ending, **cut)
    return Run(config, trace, Environment(**entry["environment"]), entry["name"])
