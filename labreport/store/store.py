"""The store of runs: one safetensors file a family, which says of itself all that is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from labreport.lab.configuration import RunConfig
from labreport.run import Ending, Environment, Run, Trace, Traces
from labreport.store.files import write_atomically, writing
from labreport.store.format import (
    ARRAYS,
    STEPS,
    UNREADABLE,
    DamagedError,
    Entry,
    check,
    entries,
    pack,
)
from labreport.store.turns import Waiting, turn

FEW = 8
"""Runs of a file up to which each is read by itself; for more, the whole file is read."""

ASIDE = "damaged"
"""Folder beside the runs to which damaged files are moved."""


@dataclass(frozen=True)
class Place:
    """Where a stored run lies, and how often its weights were recorded."""

    path: Path
    column: int
    name: str
    stride: int
    entry: Entry


class Store:
    """The runs under one output folder.

    Looking and reading change nothing on the disk. Whoever stores runs, or mends the store, does
    so in a ``turn``.

    Attributes:
        folder: where the files are.
        outdated: files of another version, which are left alone.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output / "runs"
        self._aside: list[Path] = []
        self.look()

    def look(self) -> None:
        """Find out what is stored now."""
        self.outdated: list[Path] = []
        self._damaged: list[Path] = []
        self._places: dict[str, Place] = {}
        self._files: dict[Path, frozenset[str]] = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            self.add(path)

    @property
    def damaged(self) -> list[Path]:
        """Files that were found damaged, by the names that they had."""
        return [*self._aside, *self._damaged]

    @property
    def aside(self) -> Path:
        """Where damaged files are kept."""
        return self.folder / ASIDE

    @property
    def files(self) -> Mapping[Path, frozenset[str]]:
        """The names of the runs in each file."""
        return self._files

    def has(self, name: str, stride: int = 1) -> bool:
        """Whether a run is stored with its weights at least every ``stride`` steps."""
        place = self._places.get(name)
        return place is not None and place.stride <= stride

    def place(self, name: str) -> tuple[str, int]:
        """The file of a stored run, as seen from the output folder, and its index in the arrays.

        Raises:
            KeyError: if the run is not in the store.
        """
        place = self._places[name]
        return f"{self.folder.name}/{place.path.name}", place.column

    def entry(self, name: str) -> Entry | None:
        """What is said of a stored run (config, environment, ending); None if there is none."""
        place = self._places.get(name)
        return None if place is None else place.entry

    @contextmanager
    def turn(self, waiting: Waiting) -> Iterator[None]:
        """Be the only one to change the store, having seen what others stored before.

        Raises:
            BuildError: if the store cannot be written to.
        """
        with turn(self.folder, waiting):
            self.look()
            yield

    def mend(self) -> None:
        """In a turn: move damaged files aside, under names that are free.

        Raises:
            BuildError: if one cannot be moved.
        """
        if not self._damaged:
            return
        for path in self._damaged:
            with writing(path):
                self.aside.mkdir(exist_ok=True)
                path.rename(_free(self.aside / path.name))
            self._aside.append(path)
        self.look()

    def add(self, path: Path) -> None:
        """Take in a file, which another process may have written."""
        try:
            found = entries(path)
            if found is None:
                self.outdated.append(path)
                return
            places = [
                Place(path, column, str(entry["name"]), int(entry["stride"]), entry)
                for column, entry in enumerate(found)
            ]
        except (DamagedError, *UNREADABLE):
            self._lose(path)
            return
        self._files[path] = frozenset(place.name for place in places)
        for place in places:
            known = self._places.get(place.name)
            # Of two records of a run, the one that keeps more.
            if known is None or place.stride < known.stride:
                self._places[place.name] = place

    def _lose(self, path: Path) -> None:
        """Count a file's runs as not stored; a file that somebody removed is not damaged."""
        if path.exists():
            self._damaged.append(path)
        self._files.pop(path, None)
        self._places = {name: p for name, p in self._places.items() if p.path != path}

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

    def read(self, names: Sequence[str]) -> dict[str, Run]:
        """Runs by name, each equal to the bit to what was stored.

        All bytes of a file are compared with its digest before any of them is used.

        Raises:
            KeyError: if a run is not in the store.
            DamagedError: if files are damaged or gone; all of their runs count as not stored now.
        """
        by_file: dict[Path, list[Place]] = {}
        for name in dict.fromkeys(names):
            place = self._places[name]
            by_file.setdefault(place.path, []).append(place)
        runs: dict[str, Run] = {}
        lost: list[Path] = []
        for path, places in by_file.items():
            try:
                check(path)
                runs |= _read(path, places)
            except (DamagedError, *UNREADABLE):
                lost.append(path)
        for path in lost:
            self._lose(path)
        if lost:
            raise DamagedError(*lost)
        return {name: runs[name] for name in names}


def write_runs(
    folder: Path,
    configurations: Sequence[RunConfig],
    traces: Traces,
    environment: Environment,
    stride: int,
) -> Path:
    """Write one file with runs that were trained together; says where it is."""
    name, content = pack(configurations, traces, environment, stride)
    write_atomically(folder / name, content)
    return folder / name


def _read(path: Path, places: Sequence[Place]) -> dict[str, Run]:
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
        endings.get(column, Ending("completed", 0)) for column in range(arrays["losses"].shape[-1])
    )
    traces = Traces(endings=everyone, **steps, **arrays)
    return {
        place.name: _run(place.entry, traces[column])
        for place, column in zip(places, columns, strict=True)
    }


def _run(entry: Entry, trace: Trace) -> Run:
    config = RunConfig.model_validate(entry["config"])
    return Run(config, trace, Environment(**entry["environment"]), str(entry["name"]))


def _free(path: Path) -> Path:
    """The path, or with a number before its ending the first one that nothing has."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return free
