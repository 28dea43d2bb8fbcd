"""Rows on disk: each distinct set once, under the name of its content; lost ones are told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from stored_files import ROWS, RUNS

from labreport.lab.configuration import Data, Rows, RunConfig
from labreport.runs.file_format import UNREADABLE, DamagedError, run_name
from labreport.runs.rows_files import digest_of_rows, open_rows, pack_rows, rows_file
from labreport.runs.run import Environment, Traces
from labreport.runs.store import Store

Trained = Callable[..., Traces]

ODD: dict[str, Any] = {
    "inputs": [[0.1, -0.0, 1e-300], [1e300, 5e-324, 1 / 3]],
    "targets": [[0.0], [2.0**53]],
}


def rows_of(**keys: Any) -> Rows:
    return Data.model_validate({**ODD, **keys}).rows


# ----------------------------------------------------------------------------------------- digest


def test_the_digest_is_that_of_the_rows_alone() -> None:
    rows = rows_of()
    turned = {"targets": ODD["targets"], "batch_size": 1, "inputs": ODD["inputs"]}
    assert Data.model_validate(turned).rows == rows
    assert Data.model_validate(turned).rows.digest == rows.digest
    assert rows_of(targets=[[0], [2**53]]).digest == rows.digest
    assert len(rows.digest) == 64


@pytest.mark.parametrize(
    "keys",
    [
        {"targets": [[0.0], [2.0**53 - 1]]},
        {"targets": [[-0.0], [2.0**53]]},
        {"inputs": [[0.1, -0.0, 1e-300], [1e300, 5e-324, 0.33333333333333337]]},
        {"inputs": ODD["inputs"][::-1]},
        {"inputs": ODD["targets"], "targets": ODD["inputs"]},
        {"targets": [[0.0, 2.0**53]]},
    ],
)
def test_other_rows_have_another_digest(keys: dict[str, Any]) -> None:
    assert rows_of(**keys).digest != rows_of().digest


def test_a_configuration_with_many_rows_is_named_in_few_words() -> None:
    many = {"inputs": [[k / 7] for k in range(5000)], "targets": [[k % 3] for k in range(5000)]}
    config = RunConfig.model_validate(
        {
            "data": many,
            "network": {"layers": [1, 1], "activations": "identity"},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )
    assert len(config.canonical) < 600
    assert f'"rows":"{config.data.rows.digest}"' in config.canonical
    other = config.model_copy(update={"data": config.data.in_batches(7)})
    assert other.data.rows is config.data.rows
    assert other.digest != config.digest
    assert config.data.in_batches(None) == config.data


# ------------------------------------------------------------------------------------------ files


def test_rows_are_read_back_to_the_bit(tmp_path: Path) -> None:
    rows = rows_of()
    path = tmp_path / rows_file(rows.digest)
    path.write_bytes(pack_rows(rows))
    assert digest_of_rows(path) == rows.digest
    found, _ = open_rows(path)
    assert found == rows
    assert np.signbit(found.inputs[0][1])
    arrays = load_file(path)
    assert {key: (a.dtype, a.shape) for key, a in arrays.items()} == {
        "inputs": (np.dtype(np.float64), (2, 3)),
        "targets": (np.dtype(np.float64), (2, 1)),
    }


def test_a_single_flipped_bit_is_found(tmp_path: Path) -> None:
    rows = rows_of()
    content = pack_rows(rows)
    path = tmp_path / rows_file(rows.digest)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(UNREADABLE):
            open_rows(path)


@pytest.mark.parametrize("name", ["rows-1.safetensors", f"rows-{'A' * 64}.safetensors", "rows"])
def test_files_of_another_name_are_no_rows(tmp_path: Path, name: str) -> None:
    assert digest_of_rows(tmp_path / name) is None


# ------------------------------------------------------------------------------------------ store


@pytest.fixture
def two(tmp_path: Path, runs: list[RunConfig], trained: Trained, environment: Environment) -> Path:
    """A store with two files of runs, which saw the same rows."""
    store = Store(tmp_path)
    for some in (runs[:1], runs[1:]):
        store.keep(some, trained(some), environment)
    return tmp_path


@pytest.fixture
def names(runs: list[RunConfig], environment: Environment) -> list[str]:
    return [run_name(config, environment) for config in runs]


def test_runs_share_a_file_of_rows(two: Path, runs: list[RunConfig], names: list[str]) -> None:
    (path,) = (two / "runs").glob(ROWS)
    assert path.name == rows_file(runs[0].data.rows.digest)
    store = Store(two)
    assert store.rows == {path: frozenset((two / "runs").glob(RUNS))}
    assert store.lacking == frozenset()
    assert store.opened == {}
    found = store.read(names)
    assert [run.config for run in found.values()] == runs
    assert len({id(run.config.data.rows) for run in found.values()}) == 1
    assert list(store.opened) == [f"runs/{path.name}"]


def test_other_rows_have_a_file_of_their_own(
    two: Path, runs: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    data = runs[0].data
    batches = data.in_batches(len(data.inputs))
    inputs = [[2.0 * value for value in row] for row in data.inputs]
    others = data.model_validate({**data.model_dump(), "inputs": inputs})
    for changed, files in ((batches, 1), (others, 2)):
        config = runs[0].model_copy(update={"data": changed})
        Store(two).keep([config], trained([config]), environment)
        assert len(list((two / "runs").glob(ROWS))) == files
        (run,) = Store(two).read([run_name(config, environment)]).values()
        assert run.config == config


def test_settings_have_the_rows_in_full(two: Path, runs: list[RunConfig], names: list[str]) -> None:
    told = Store(two).settings([*names, "0" * 64])
    assert list(told) == names
    for config, name in zip(runs, names, strict=True):
        environment = told[name].pop("environment")
        assert environment["torch"] == "2.13.0"
        assert told[name] == config.model_dump(mode="json")
    next(iter(Store(two).rows)).unlink()
    assert Store(two).settings(names) == {}


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "other rows": lambda path: path.write_bytes(pack_rows(rows_of())),
    "no file": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("way", ["read", "settings"])
def test_damaged_rows_are_named_and_nothing_is_read_with_them(
    two: Path, names: list[str], damage: str, way: str
) -> None:
    path = next(iter(Store(two).rows))
    DAMAGE[damage](path)
    store = Store(two)
    with pytest.raises(DamagedError) as caught:
        getattr(store, way)(names)
    assert caught.value.args == (path,)
    assert store.damaged == [path]
    # What is damaged are the rows: the runs are not trained again.
    assert all(store.has(name) for name in names)
    assert store.lacking == {digest_of_rows(path)}


def test_rows_that_are_gone_are_not_damaged(two: Path, names: list[str]) -> None:
    store = Store(two)
    (path,) = store.rows
    path.unlink()
    for opened in (store, Store(two)):
        with pytest.raises(DamagedError) as caught:
            opened.read(names)
        assert caught.value.args == (path,)
        assert opened.damaged == []
        assert opened.lacking == {digest_of_rows(path)}


def test_damaged_rows_are_moved_aside_and_written_again(
    two: Path, runs: list[RunConfig], names: list[str]
) -> None:
    path = next(iter(Store(two).rows))
    before = path.read_bytes()
    path.write_bytes(b"damaged")
    store = Store(two)
    with pytest.raises(DamagedError):
        store.read(names)
    store.mend()
    assert (store.aside / path.name).read_bytes() == b"damaged"
    assert store.keep_rows(config.data.rows for config in runs) == [path]
    assert path.read_bytes() == before
    assert store.read(names).keys() == set(names)
    assert store.keep_rows(config.data.rows for config in runs) == []


def test_runs_and_rows_that_are_damaged_are_told_together(two: Path, names: list[str]) -> None:
    store = Store(two)
    paths = {*store.rows, *list(store.files)[:1]}
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedError) as caught:
        store.read(names)
    assert set(caught.value.args) == set(store.damaged) == paths
