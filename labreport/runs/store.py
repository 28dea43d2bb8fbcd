"""The store of runs: one safetensors file a family, and one for each distinct set of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from labreport.lab.configuration import Data, Rows, RunConfig
from labreport.lab.schedule import EVERY_STEP, Schedule
from labreport.runs.consistency import (
    check_arrays,
    check_numbers,
    name_of,
    read_configuration,
    read_ending,
    read_schedule,
    rows_named,
)
from labreport.runs.file_format import (
    ARRAYS,
    STEPS,
    UNREADABLE,
    DamagedError,
    Entry,
    check,
    entries,
    pack,
)
from labreport.runs.files import reading, write_atomically, write_together, writing
from labreport.runs.lock import Waiting, locked
from labreport.runs.rows_files import digest_of_rows, open_rows, pack_rows, rows_file
from labreport.runs.run import Ending, Environment, Run, Trace, Traces

FEW = 8
"""Runs of a file up to which each is read by itself; for more, the whole file is read."""

SUFFIX = ".safetensors"

ASIDE = "damaged"
"""Folder beside the runs to which damaged files are moved."""


@dataclass(frozen=True)
class Place:
    """The place of a stored run, the steps at which it was recorded, and the rows that it saw."""

    path: Path
    column: int
    name: str
    schedule: Schedule
    rows: str
    entry: Entry


class Store:
    """The runs under one output folder, and the rows that they saw.

    A run counts as stored also where its rows are not: they are written again, and it is not
    trained again.

    Looking and reading change nothing on the disk. Whoever stores runs, or mends the store, does
    so in a ``turn``.

    Attributes:
        folder: where the files are.
        outdated: files of another version, which are left alone.
        opened: files of rows that were read, as seen from the output folder, with their SHA-256.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output / "runs"
        self._aside: list[Path] = []
        self.look()

    def look(self) -> None:
        """Find out what is stored now."""
        self.outdated: list[Path] = []
        self._damaged: list[Path] = []
        self.opened: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._files: dict[Path, tuple[Place, ...]] = {}
        self._rows: dict[str, Path] = {}
        with reading(self.folder):
            paths = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        for path in paths:
            if path.suffix == SUFFIX and not path.name.startswith("."):
                self.add(path)

    @property
    def damaged(self) -> list[Path]:
        """Files that were found damaged, by the names that they had."""
        return [*self._aside, *self._damaged]

    @property
    def aside(self) -> Path:
        """The folder in which damaged files are kept."""
        return self.folder / ASIDE

    @property
    def files(self) -> Mapping[Path, frozenset[str]]:
        """The names of the runs in each file."""
        return {path: frozenset(p.name for p in places) for path, places in self._files.items()}

    @property
    def rows(self) -> Mapping[Path, frozenset[Path]]:
        """The files of runs that refer to each file of rows."""
        seen: dict[str, set[Path]] = {digest: set() for digest in self._rows}
        for path, places in self._files.items():
            for digest in _digests(places) & seen.keys():
                seen[digest].add(path)
        return {self._rows[digest]: frozenset(paths) for digest, paths in seen.items()}

    @property
    def lacking(self) -> frozenset[str]:
        """Digests of rows that stored runs saw, and that are not there."""
        return _digests(self._places.values()) - self._rows.keys()

    def has(self, name: str, schedule: Schedule = EVERY_STEP) -> bool:
        """Return whether a run is stored with all that a schedule asks for."""
        place = self._places.get(name)
        return place is not None and place.schedule.covers(schedule)

    def with_stored(self, name: str, schedule: Schedule) -> Schedule:
        """A schedule that also covers what is stored of a run, so that nothing of it is lost."""
        place = self._places.get(name)
        return schedule if place is None else schedule.with_(place.schedule)

    def place(self, name: str) -> tuple[str, int]:
        """The file of a stored run, as seen from the output folder, and its index in the arrays.

        Raises:
            KeyError: if the run is not in the store.
        """
        place = self._places[name]
        return f"{self.folder.name}/{place.path.name}", place.column

    @contextmanager
    def turn(self, waiting: Waiting) -> Iterator[None]:
        """Be the only one to change the store, having seen what others stored before.

        Raises:
            BuildError: if the store cannot be written to.
        """
        with locked(self.folder, waiting):
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
        if digest := digest_of_rows(path):
            self._rows[digest] = path
            return
        try:
            with reading(path):
                found = entries(path)
            if found is None:
                self.outdated.append(path)
                return
            places = tuple(_placed(path, column, entry) for column, entry in enumerate(found))
        except (DamagedError, *UNREADABLE):
            self._lose(path)
            return
        self._files[path] = places
        for place in places:
            known = self._places.get(place.name)
            # Of two records of a run, the one that keeps more.
            if known is None or place.schedule.covers(known.schedule):
                self._places[place.name] = place

    def _lose(self, path: Path) -> None:
        """Count a file's runs as not stored; a file that somebody removed is not damaged."""
        if path.exists():
            self._damaged.append(path)
        self._files.pop(path, None)
        self._rows = {digest: p for digest, p in self._rows.items() if p != path}
        self._places = {name: p for name, p in self._places.items() if p.path != path}

    def keep(
        self,
        configurations: Sequence[RunConfig],
        traces: Traces,
        environment: Environment,
        schedule: Schedule = EVERY_STEP,
    ) -> Path:
        """Store runs that were trained together, as one file."""
        self.keep_rows(config.data.rows for config in configurations)
        path = write_runs(self.folder, configurations, traces, environment, schedule)
        self.add(path)
        return path

    def keep_rows(self, several: Iterable[Rows]) -> list[Path]:
        """Store rows that are not there; says where."""
        missing = {rows.digest: rows for rows in several if rows.digest not in self._rows}
        files = [(self.folder / rows_file(d), pack_rows(rows)) for d, rows in missing.items()]
        write_together(files)
        for path, _ in files:
            self.add(path)
        return [path for path, _ in files]

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
        # Before rows are looked for: what they are called must be part of what runs are called.
        misnamed = [path for path, places in by_file.items() if not all(map(_is_named, places))]
        named = {path: places for path, places in by_file.items() if path not in misnamed}
        data, gone = self._open(place.rows for places in named.values() for place in places)
        runs: dict[str, Run] = {}
        damaged: list[Path] = []
        for path, places in named.items():
            try:
                with reading(path):
                    check(path)
                    runs |= _read(path, [place for place in places if place.rows in data], data)
            except (DamagedError, *UNREADABLE):
                damaged.append(path)
        self._refuse([*gone, *misnamed, *damaged])
        return {name: runs[name] for name in names}

    def settings(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Configuration, with its rows, and environment by name of those runs that are stored.

        Raises:
            DamagedError: if files of rows are damaged.
        """
        places = [place for name in names if (place := self._places.get(name))]
        data, lost = self._open({place.rows for place in places} - self.lacking)
        self._refuse(lost)
        told = {digest: one.model_dump(mode="json") for digest, one in data.items()}
        return {p.name: _settings(p.entry, told[p.rows]) for p in places if p.rows in told}

    def _open(self, digests: Iterable[str]) -> tuple[dict[str, Data], list[Path]]:
        """All of some rows, by their digest, and the files of those that are damaged or gone."""
        data: dict[str, Data] = {}
        lost: list[Path] = []
        for digest in sorted(set(digests)):
            path = self.folder / rows_file(digest)
            try:
                with reading(path):
                    rows, sha256 = open_rows(path)
            except UNREADABLE:
                lost.append(path)
            else:
                data[digest] = Data.of(rows)
                self.opened[f"{self.folder.name}/{path.name}"] = sha256
        return data, lost

    def _refuse(self, lost: Sequence[Path]) -> None:
        """Raise DamagedError if files were found damaged or gone; they count as not stored now."""
        for path in lost:
            self._lose(path)
        if lost:
            raise DamagedError(*lost)


def _is_named(place: Place) -> bool:
    """Return whether a run is called what its configuration and environment say."""
    try:
        return name_of(place.entry["config"], place.entry["environment"]) == place.name
    except UNREADABLE:
        return False


def _placed(path: Path, column: int, entry: Entry) -> Place:
    schedule, rows = read_schedule(entry["schedule"]), rows_named(entry["config"])
    return Place(path, column, str(entry["name"]), schedule, rows, entry)


def _settings(entry: Entry, data: Mapping[str, Any]) -> dict[str, Any]:
    """Configuration, with all data in place of their name, and environment."""
    config = entry["config"]
    batches = {"batch_size": config["data"]["batch_size"]}
    return {**config, "data": {**data, **batches}, "environment": entry["environment"]}


def _digests(places: Iterable[Place]) -> frozenset[str]:
    return frozenset(place.rows for place in places)


def write_runs(
    folder: Path,
    configurations: Sequence[RunConfig],
    traces: Traces,
    environment: Environment,
    schedule: Schedule,
) -> Path:
    """Write one file with runs that were trained together; says where it is."""
    name, content = pack(configurations, traces, environment, schedule)
    write_atomically(folder / name, content)
    return folder / name


def _read(path: Path, places: Sequence[Place], data: Mapping[str, Data]) -> dict[str, Run]:
    """Runs of a file, with every part of it compared with their configurations.

    Args:
        path: the file.
        places: of the runs.
        data: what they saw, by the digest of its rows.

    Raises:
        ValueError: and others of UNREADABLE, if something does not fit.
    """
    if not places:
        return {}
    steps = {key: _array(path, key) for key in STEPS}
    if len(places) > FEW:
        arrays = {key: _array(path, key) for key in ARRAYS}
        columns = [place.column for place in places]
    else:
        arrays = {key: _columns(path, key, places) for key in ARRAYS}
        columns = list(range(len(places)))
    configurations = [read_configuration(p.entry["config"], data[p.rows]) for p in places]
    endings = {
        column: read_ending(place.entry["ending"], config)
        for column, place, config in zip(columns, places, configurations, strict=True)
    }
    runs = arrays["losses"].shape[-1]
    everyone = tuple(endings.get(column, Ending("completed", 0)) for column in range(runs))
    for place, config in zip(places, configurations, strict=True):
        check_arrays(arrays, steps, runs, config, place.schedule)
    traces = Traces(endings=everyone, **steps, **arrays)
    return {
        place.name: _run(place, config, traces[column])
        for place, config, column in zip(places, configurations, columns, strict=True)
    }


def _array(path: Path, key: str) -> np.ndarray:
    """An array of a file, opened for it alone: what is read of an open file stays in memory."""
    with safe_open(path, "numpy") as file:
        array: np.ndarray = file.get_tensor(key)
    return array


def _columns(path: Path, key: str, places: Sequence[Place]) -> np.ndarray:
    """An array of some runs of a file."""
    with safe_open(path, "numpy") as file:
        part = file.get_slice(key)
        if 0 not in part.get_shape():
            return np.stack([part[..., place.column] for place in places], axis=-1)
    # The library cuts nothing out of nothing.
    return _array(path, key)[..., [place.column for place in places]]


def _run(place: Place, config: RunConfig, trace: Trace) -> Run:
    check_numbers(trace)
    return Run(config, trace, Environment(**place.entry["environment"]), place.name)


def _free(path: Path) -> Path:
    """The path, or with a number before its ending the first one that nothing has."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return free
