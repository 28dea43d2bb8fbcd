"""The store of runs: one safetensors file a family, which says of itself all that is in it.

A file ``runs/<name>.safetensors`` holds the arrays of runs that were trained together, with the
runs along the last axis; the steps at which weights and gradients were ``recorded`` and outputs
``shown``; and in ``runs``, as bytes of JSON, the name, configuration, ending and environment of
each run. It can be read with nothing but the safetensors library. A run is named by the digest of
everything that determines its numbers, a file by the digest of the names of its runs and of what
was recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from labreport.lab.configuration import RunConfig, canonical_json
from labreport.run import Ending, Environment, Run, Trace, Traces
from labreport.store.files import write_atomically

FORMAT = "3"
"""Version of the files; a file of another version is left alone and its runs trained again."""

ARRAYS = ("losses", "weights", "gradients", "outputs")
STEPS = ("recorded", "shown")

FEW = 8
"""Runs of a file up to which each is read by itself; for more, the whole file is read."""


def run_name(config: RunConfig, environment: Environment) -> str:
    """64 hexadecimal digits that name a run: the same name, the same numbers."""
    text = f'{{"config":{config.canonical},"environment":{canonical_json(asdict(environment))}}}'
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where a stored run lies, and how often its weights were recorded."""

    path: Path
    column: int
    name: str
    stride: int
    entry: Mapping[str, Any]


class Store:
    """The runs under one output folder."""

    def __init__(self, output: Path) -> None:
        self.folder = output / "runs"
        self.damaged: list[Path] = []
        self._places: dict[str, Place] = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            for place in self._scan(path):
                self._note(place)

    def has(self, name: str, stride: int = 1) -> bool:
        """Whether a run is stored with its weights at least every ``stride`` steps."""
        place = self._places.get(name)
        return place is not None and place.stride <= stride

    def _note(self, place: Place) -> None:
        """Remember a run; of two records of it, the one that keeps more."""
        known = self._places.get(place.name)
        if known is None or place.stride < known.stride:
            self._places[place.name] = place

    def _scan(self, path: Path) -> list[Place]:
        """What lies in a file; one that is no whole file of runs is noted as damaged."""
        try:
            return _places(path)
        except (SafetensorError, OSError, ValueError, LookupError, TypeError):
            self.damaged.append(path)
            return []

    def keep(
        self,
        configurations: Sequence[RunConfig],
        traces: Traces,
        environment: Environment,
        stride: int = 1,
    ) -> Path:
        """Store runs that were trained together, as one file."""
        path = write_runs(self.folder, configurations, traces, environment, stride)
        self.add(path)
        return path

    def add(self, path: Path) -> None:
        """Take in a file that was written by another process."""
        for place in self._scan(path):
            self._note(place)

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
            runs |= self._read_file(path, members)
        return {name: runs[name] for name in names}

    def _read_file(self, path: Path, names: Sequence[str]) -> dict[str, Run]:
        places = [self._places[name] for name in names]
        with safe_open(path, "numpy") as file:
            steps = {key: file.get_tensor(key) for key in STEPS}
            if len(places) > FEW:
                arrays = {key: file.get_tensor(key) for key in ARRAYS}
                columns = [place.column for place in places]
            else:
                slices = {key: file.get_slice(key) for key in ARRAYS}
                arrays = {
                    key: np.stack([part[..., place.column] for place in places], axis=-1)
                    for key, part in slices.items()
                }
                columns = list(range(len(places)))
        endings = {
            column: Ending(**place.entry["ending"])
            for column, place in zip(columns, places, strict=True)
        }
        everyone = tuple(
            endings.get(column, Ending("completed", 0))
            for column in range(arrays["losses"].shape[-1])
        )
        traces = Traces(endings=everyone, **steps, **arrays)
        return {
            name: _run(place.entry, traces[column])
            for name, place, column in zip(names, places, columns, strict=True)
        }


def write_runs(
    folder: Path,
    configurations: Sequence[RunConfig],
    traces: Traces,
    environment: Environment,
    stride: int,
) -> Path:
    """Write one file with runs that were trained together; says where it is."""
    names = [run_name(config, environment) for config in configurations]
    where = canonical_json(asdict(environment))
    # Put together from what is JSON already: there may be thousands of configurations.
    entries = ",".join(
        f'{{"config":{config.canonical},"ending":{canonical_json(asdict(ending))},'
        f'"environment":{where},"name":"{name}","stride":{stride}}}'
        for config, ending, name in zip(configurations, traces.endings, names, strict=True)
    )
    path = folder / f"{_file_name(names, stride)}.safetensors"
    arrays = {key: np.ascontiguousarray(getattr(traces, key)) for key in (*ARRAYS, *STEPS)}
    # As an array, because a header has room for some thousand runs only. The header has a single
    # item, because safetensors writes them in any order, and the same runs make the same file.
    arrays["runs"] = np.frombuffer(f"[{entries}]".encode(), dtype=np.uint8)
    write_atomically(path, save(arrays, {"format": FORMAT}))
    return path


def _places(path: Path) -> list[Place]:
    """What lies in a file; raises one of many errors if it is no whole file of runs."""
    with safe_open(path, "numpy") as file:
        if (file.metadata() or {}).get("format") != FORMAT:
            return []
        entries = json.loads(file.get_tensor("runs").tobytes())
        if any(file.get_slice(key).get_shape()[-1] != len(entries) for key in ARRAYS):
            raise ValueError("another number of runs than of their names")
    return [
        Place(path, column, str(entry["name"]), int(entry["stride"]), entry)
        for column, entry in enumerate(entries)
    ]


def _file_name(names: Sequence[str], stride: int) -> str:
    return hashlib.sha256(f"{stride}:{''.join(sorted(names))}".encode()).hexdigest()[:32]


def _run(entry: Mapping[str, Any], trace: Trace) -> Run:
    config = RunConfig.model_validate(entry["config"])
    return Run(config, trace, Environment(**entry["environment"]), str(entry["name"]))
