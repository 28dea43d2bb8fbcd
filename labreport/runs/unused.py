"""Removable files of a store, and their removal."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open

from labreport.errors import BuildError, Fault, InputError
from labreport.runs.files import refuse_irregular, unfinished
from labreport.runs.lock import Waiting, locked
from labreport.runs.store import Store

Kind = Literal["runs", "rows", "outdated", "damaged", "unfinished"]


@dataclass(frozen=True)
class Removable:
    """Files that could go for one reason.

    Attributes:
        kind: ``runs`` that nothing refers to, ``rows`` that no other runs saw, files of an
            ``outdated`` version, ``damaged`` ones, and those that a killed process left
            ``unfinished``.
        paths: the files.
        runs: how many runs are in them, where that can be said.
        size: bytes of all of them.
    """

    kind: Kind
    paths: tuple[Path, ...]
    runs: int
    size: int


def removable(output: Path, wanted: Collection[str]) -> tuple[Removable, ...]:
    """Find what could go from an output folder if only some runs are wanted, given by name.

    A file holds many runs: it stays as long as one of them is wanted, and with it their rows.
    """
    store = Store(output)
    refuse_links(store)
    unwanted = [path for path, names in store.files.items() if names.isdisjoint(wanted)]
    loose = [path for path, files in store.rows.items() if files.issubset(unwanted)]
    aside = sorted(store.aside.iterdir()) if store.aside.is_dir() else []
    damaged = [path for path in (*store.damaged, *aside) if _is_own(path)]
    outdated = [path for path in store.outdated if _is_own(path) or _says_version(path)]
    found: list[tuple[Kind, Sequence[Path], int]] = [
        ("runs", unwanted, len({name for path in unwanted for name in store.files[path]})),
        ("rows", loose, 0),
        ("outdated", outdated, 0),
        ("damaged", damaged, 0),
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
    with locked(folder, waiting), locked(output, waiting):
        still = {path for group in removable(output, wanted) for path in group.paths}
        for path in (path for group in agreed for path in group.paths if path in still):
            _remove(path)


def refuse_links(store: Store) -> None:
    """Refuse to remove anything in a folder that a link leads to: others may have it, too.

    Raises:
        InputError: naming the link.
    """
    links = [folder for folder in (store.folder, store.aside) if folder.is_symlink()]
    if links:
        raise InputError(Fault("clean-link", file=links[0]))


def _is_own(path: Path) -> bool:
    """Return whether a file has a name that the store gives, and is no folder."""
    named = re.fullmatch(r"(rows-)?[0-9a-f]{64}(\.[0-9]+)?\.safetensors", path.name)
    return named is not None and (path.is_symlink() or not path.is_dir())


def _says_version(path: Path) -> bool:
    """Return whether a file of tensors states its store's version: others state no number."""
    try:
        refuse_irregular(path)
        with safe_open(path, "numpy") as file:
            return str((file.metadata() or {}).get("format", "")).isdigit()
    except (OSError, SafetensorError):
        return False


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        values = {"detail": error.strerror or str(error)}
        raise BuildError(Fault("not-removed", values, file=path)) from None


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0
