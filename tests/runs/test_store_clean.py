"""What could go from a store, and that nothing else does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from labreport.errors import InputError
from labreport.lab.configuration import RunConfig
from labreport.runs.file_format import run_name
from labreport.runs.files import UNFINISHED
from labreport.runs.run import Environment, Traces
from labreport.runs.store import Store
from labreport.runs.unused import Removable, removable, remove


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
    (seen,) = Store(tmp_path).rows
    assert removable(tmp_path, names) == ()
    assert removable(tmp_path, [names[0], names[-1]]) == ()
    (found,) = removable(tmp_path, names[:1])
    assert found == Removable("runs", (second,), len(names) - 7, second.stat().st_size)
    found, rows = removable(tmp_path, [])
    assert (set(found.paths), found.runs) == ({first, second}, len(names))
    assert rows == Removable("rows", (seen,), 0, seen.stat().st_size)


def test_all_that_is_of_no_use_is_found_and_removed(
    tmp_path: Path, stored: tuple[Path, Path, list[str]]
) -> None:
    first, second, names = stored
    runs = first.parent
    old = runs / "old.safetensors"
    save_file({"x": np.zeros(3)}, old, {"format": "3"})
    bad = runs / f"{'b' * 64}.safetensors"
    bad.write_bytes(b"bad")
    (runs / "damaged").mkdir()
    aside = runs / "damaged" / f"{'a' * 64}.2.safetensors"
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


def test_what_has_no_name_of_ours_stays(
    tmp_path: Path, stored: tuple[Path, Path, list[str]]
) -> None:
    """Models of the user's own, folders, and what somebody put beside damaged files."""
    _, _, names = stored
    runs = tmp_path / "runs"
    (runs / "damaged" / f"{'d' * 64}.safetensors" / "inside").mkdir(parents=True)
    mine = [
        runs / "model.safetensors",
        runs / "notes.safetensors",
        runs / "damaged" / "thesis.docx",
        runs / "damaged" / "aside.safetensors",
        runs / "damaged" / f"{'d' * 64}.safetensors" / "inside" / "file",
        tmp_path / f".folder{UNFINISHED}" / "file",
    ]
    mine[-1].parent.mkdir()
    save_file({"x": np.zeros(3)}, mine[0], {"format": "pt"})
    for path in mine[1:]:
        path.write_bytes(b"1234567")
    assert removable(tmp_path, names) == ()
    found = removable(tmp_path, [])
    remove(tmp_path, [], found, lambda: None)
    assert all(path.exists() for path in mine)


def test_rows_stay_as_long_as_a_run_that_stays_saw_them(
    tmp_path: Path,
    stored: tuple[Path, Path, list[str]],
    mixed: list[RunConfig],
    trained: Callable[..., Traces],
    environment: Environment,
) -> None:
    _, _, names = stored
    (seen,) = Store(tmp_path).rows
    data = mixed[0].data.model_validate({"inputs": [[0.1, 0.2]], "targets": [[0.3, 0.4]]})
    other = mixed[0].model_copy(update={"data": data})
    file = Store(tmp_path).keep([other], trained([other]), environment)
    (alone,) = Store(tmp_path).rows.keys() - {seen}
    never = Store(tmp_path).keep_rows([data.model_copy(update={"inputs": ((1.0, 2.0),)}).rows])
    aside = file.parent / "damaged" / f"rows-{'d' * 64}.2.safetensors"
    aside.parent.mkdir()
    aside.write_bytes(b"damaged")
    mine = [file.parent / "rows-mine.safetensors", file.parent / "rows.txt"]
    for path in mine:
        path.write_bytes(b"mine")
    wanted = [*names, run_name(other, environment)]
    assert kinds(removable(tmp_path, wanted)) == {"rows": tuple(never), "damaged": (aside,)}
    found = kinds(removable(tmp_path, names))
    assert (found["runs"], set(found["rows"])) == ((file,), {alone, *never})
    remove(tmp_path, names, removable(tmp_path, names), lambda: None)
    assert list(Store(tmp_path).rows) == [seen]
    assert Store(tmp_path).read(names).keys() == set(names)
    assert all(path.exists() for path in mine)


@pytest.mark.parametrize("linked", ["runs", "runs/damaged"])
def test_nothing_is_removed_where_a_link_leads(tmp_path: Path, linked: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    theirs = elsewhere / f"{'c' * 64}.safetensors"
    theirs.write_bytes(b"bad")
    link = tmp_path / "output" / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    with pytest.raises(InputError) as caught:
        removable(tmp_path / "output", [])
    (fault,) = caught.value.faults
    assert (fault.code, fault.file) == ("clean-link", link)
    assert theirs.exists()


def test_a_link_among_the_files_goes_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"bad")
    link = tmp_path / "output" / "runs" / f"{'c' * 64}.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(theirs)
    remove(tmp_path / "output", [], removable(tmp_path / "output", []), lambda: None)
    assert not link.is_symlink()
    assert theirs.read_bytes() == b"bad"


def test_only_what_was_agreed_upon_is_removed(
    tmp_path: Path, stored: tuple[Path, Path, list[str]]
) -> None:
    """Between the question and the answer a build may have stored, or removed, something."""
    first, second, names = stored
    agreed = removable(tmp_path, names[:1])
    late = first.parent / f"{'e' * 64}.safetensors"
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
