"""What could go from a store, and that nothing else does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from labreport.lab.configuration import RunConfig
from labreport.run import Environment, Traces
from labreport.store.clean import Removable, removable, remove
from labreport.store.files import UNFINISHED
from labreport.store.format import run_name
from labreport.store.store import Store


@pytest.fixture
def stored(
    tmp_path: Path,
    mixed: list[RunConfig],
    trained: Callable[..., Traces],
    environment: Environment,
) -> tuple[Path, Path, list[str]]:
    """A store with two files, and the names of all runs; the first file holds seven of them."""
    store = Store(tmp_path)
    paths = [store.keep(half, trained(half), environment) for half in (mixed[:7], mixed[7:])]
    return paths[0], paths[1], [run_name(config, environment) for config in mixed]


def kinds(found: tuple[Removable, ...]) -> dict[str, tuple[Path, ...]]:
    return {group.kind: group.paths for group in found}


def test_a_file_stays_as_long_as_one_of_its_runs_is_wanted(
    tmp_path: Path, stored: tuple[Path, Path, list[str]]
) -> None:
    first, second, names = stored
    assert removable(tmp_path, names) == ()
    assert removable(tmp_path, [names[0], names[-1]]) == ()
    (found,) = removable(tmp_path, names[:1])
    assert found == Removable("runs", (second,), len(names) - 7, second.stat().st_size)
    (found,) = removable(tmp_path, [])
    assert (set(found.paths), found.runs) == ({first, second}, len(names))


def test_all_that_is_of_no_use_is_found_and_removed(
    tmp_path: Path, stored: tuple[Path, Path, list[str]]
) -> None:
    first, second, names = stored
    runs = first.parent
    old = runs / "old.safetensors"
    save_file({"x": np.zeros(3)}, old, {"format": "3"})
    bad = runs / "bad.safetensors"
    bad.write_bytes(b"bad")
    (runs / "damaged").mkdir()
    aside = runs / "damaged" / "aside.safetensors"
    aside.write_bytes(b"worse")
    left = [runs / f".x.y{UNFINISHED}", tmp_path / f".report.pdf.y{UNFINISHED}"]
    mine = [tmp_path / "report.html", runs / "mine.txt", tmp_path / ".hidden"]
    for path in (*left, *mine):
        path.write_bytes(b"1234567")
    found = removable(tmp_path, names[:1])
    assert kinds(found) == {
        "runs": (second,),
        "outdated": (old,),
        "damaged": (bad, aside),
        "unfinished": (left[1], left[0]),
    }
    assert {group.kind: group.size for group in found} == {
        "runs": second.stat().st_size,
        "outdated": old.stat().st_size,
        "damaged": 8,
        "unfinished": 14,
    }
    second_size = second.stat().st_size
    assert second_size > 0
    remove(tmp_path, names[:1], found, lambda: None)
    assert not any(path.exists() for path in (second, old, bad, aside, *left))
    assert all(path.exists() for path in (first, *mine))
    assert removable(tmp_path, names[:1]) == ()


def test_a_folder_that_was_moved_aside_goes_with_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "damaged" / "x.safetensors"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "file").write_bytes(b"12345")
    found = removable(tmp_path, [])
    assert [(group.kind, group.size) for group in found] == [("damaged", 5)]
    remove(tmp_path, [], found, lambda: None)
    assert not folder.exists()


def test_only_what_was_agreed_upon_is_removed(
    tmp_path: Path, stored: tuple[Path, Path, list[str]]
) -> None:
    """Between the question and the answer a build may have stored, or removed, something."""
    first, second, names = stored
    agreed = removable(tmp_path, names[:1])
    late = first.parent / "late.safetensors"
    late.write_bytes(b"bad")
    remove(tmp_path, names[:1], agreed, lambda: None)
    assert not second.exists()
    assert late.exists()
    remove(tmp_path, names[:1], agreed, lambda: None)
    agreed = removable(tmp_path, [])
    remove(tmp_path, names[:1], agreed, lambda: None)
    assert first.exists()
    assert not late.exists()


def test_no_folder_has_nothing_to_remove(tmp_path: Path) -> None:
    assert removable(tmp_path / "none", []) == ()
    assert not (tmp_path / "none").exists()
