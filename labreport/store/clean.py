"""What could go from a store, and making it go."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labreport.errors import BuildError, Fault
from labreport.store.files import unfinished
from labreport.store.store import Store
from labreport.store.turns import Waiting, turn

Kind = Literal["runs", "outdated", "damaged", "unfinished"]


@dataclass(frozen=True)
class Removable:
    """Files that could go for one reason.

    Attributes:
        kind: ``runs`` that nothing refers to, files of an ``outdated`` version, ``damaged`` ones,
            and those that a killed process left ``unfinished``.
        paths: the files.
        runs: how many runs are in them, where that can be said.
        size: bytes of all of them.
    """

    kind: Kind
    paths: tuple[Path, ...]
    runs: int
    size: int


def removable(output: Path, wanted: Collection[str]) -> tuple[Removable, ...]:
    """What could go from an output folder if only some runs are wanted, given by name.

    A file holds many runs: it stays as long as one of them is wanted.
    """
    store = Store(output)
    unwanted = [path for path, names in store.files.items() if names.isdisjoint(wanted)]
    aside = sorted(store.aside.iterdir()) if store.aside.is_dir() else []
    found: list[tuple[Kind, Sequence[Path], int]] = [
        ("runs", unwanted, len({name for path in unwanted for name in store.files[path]})),
        ("outdated", store.outdated, 0),
        ("damaged", [*store.damaged, *aside], 0),
        ("unfinished", [*unfinished(output), *unfinished(store.folder)], 0),
    ]
    return tuple(
        Removable(kind, tuple(paths), runs, sum(map(_size, paths)))
        for kind, paths, runs in found
        if paths
    )


def remove(
    output: Path, wanted: Collection[str], agreed: Sequence[Removable], waiting: Waiting
) -> None:
    """Remove what was agreed upon, as far as it could still go, in turn with builds.

    Raises:
        BuildError: if a file cannot be removed.
    """
    folder = Store(output).folder
    # A build has one turn or the other, so nobody waits for somebody who waits.
    with turn(folder, waiting), turn(output, waiting):
        still = {path for group in removable(output, wanted) for path in group.paths}
        for path in (path for group in agreed for path in group.paths if path in still):
            _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        values = {"detail": error.strerror or str(error)}
        raise BuildError(Fault("not-removed", values, file=path)) from None


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in _files(path) if not file.is_dir())


def _files(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir() and not path.is_symlink():
        yield from path.rglob("*")
