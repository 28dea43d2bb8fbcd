"""Runs on disk: read back to the bit, named by all that determines them, damaged ones noted."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from stored_files import ROWS, RUNS

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule
from labreport.runs.file_format import FORMAT, DamagedError, entries, run_name
from labreport.runs.run import Ending, Environment, Trace, Traces
from labreport.runs.store import FEW, Store

Trained = Callable[..., Traces]
ARRAYS = (
    *("losses", "weights", "gradients", "outputs", "overall"),
    *("recorded", "shown", "measured"),
)


def keep(
    store: Store, runs: list[RunConfig], traces: Traces, environment: Environment, stride: int = 1
) -> list[str]:
    store.keep(runs, traces, environment, Schedule(stride))
    return [run_name(config, environment) for config in runs]


def assert_same(found: Trace, wanted: Trace) -> None:
    assert found.ending == wanted.ending
    for key in ARRAYS:
        one, other = getattr(found, key), getattr(wanted, key)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()


def test_runs_are_read_back_to_the_bit(
    tmp_path: Path, runs: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    traces = trained(runs)
    names = keep(Store(tmp_path), runs, traces, environment)
    store = Store(tmp_path)  # as another process would open it
    assert store.damaged == []
    assert all(store.has(name) for name in names)
    found = store.read(names)
    assert list(found) == names
    for name, config, trace in zip(names, runs, traces, strict=True):
        run = found[name]
        assert (run.name, run.config, run.environment) == (name, config, environment)
        assert run.config.digest == config.digest
        assert_same(run.trace, trace)


def test_the_fixtures_are_what_they_say(trained: Trained, mixed: list[RunConfig]) -> None:
    """The runs of this folder's tests do end in every way, and after different times."""
    traces = trained(mixed)
    assert {ending.kind for ending in traces.endings} == {"completed", "diverged"}
    assert len({ending.step for ending in traces.endings}) >= 3
    assert len(mixed) > FEW


def test_runs_of_different_lengths_lie_in_one_file(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    traces = trained(mixed)
    names = keep(Store(tmp_path), mixed, traces, environment)
    assert len(list((tmp_path / "runs").glob(RUNS))) == 1
    # All of them, few of them, one of them, in any order, and some of them twice.
    for wanted in (names, names[::-1], names[:FEW], names[3:5], names[7:8], names[:2] * 2, []):
        found = Store(tmp_path).read(wanted)
        assert list(found) == list(dict.fromkeys(wanted))
        for name, run in found.items():
            position = names.index(name)
            assert run.config == mixed[position]
            assert_same(run.trace, traces[position])


def test_a_run_that_was_refused_at_once_is_stored_without_steps(
    tmp_path: Path, trained: Trained, environment: Environment
) -> None:
    base = RunConfig.model_validate(
        {
            "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]},
            "network": {"layers": [2, 2, 2], "activations": "sigmoid", "bias": "zero"},
            "loss": "bce",
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )
    names = keep(Store(tmp_path), [base], trained([base]), environment)
    trace = Store(tmp_path).read(names)[names[0]].trace
    assert (trace.ending.kind, trace.ending.step, trace.rounds) == ("refused", 0, -1)
    assert trace.ending.message.startswith("RuntimeError: all elements of target")
    assert trace.losses.shape == (0,)
    assert trace.weights.shape == (0, 8)
    assert trace.outputs.shape == (0, 1, 2)


def test_what_was_just_kept_can_be_read_at_once(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    store = Store(tmp_path)
    names = [run_name(config, environment) for config in mixed]
    assert not any(store.has(name) for name in names)
    traces = trained(mixed)
    keep(store, mixed, traces, environment)
    assert all(store.has(name) for name in names)
    assert_same(store.read(names[-1:])[names[-1]].trace, traces[len(mixed) - 1])


def test_a_run_that_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Store(tmp_path).read(["0" * 64])


def test_no_folder_is_an_empty_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.damaged == []
    assert not store.has("0" * 64)
    assert not (tmp_path / "none").exists()  # looking creates nothing


# ------------------------------------------------------------------------------------- thinning


def test_a_thinned_record_is_kept_as_it_is(
    tmp_path: Path, runs: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    traces = trained(runs, 4)
    names = keep(Store(tmp_path), runs, traces, environment, 4)
    store = Store(tmp_path)
    assert [store.has(names[0], Schedule(stride)) for stride in (1, 3, 4, 5, 8)] == [
        *(False, False, True, True, True)
    ]
    for name, trace in zip(names, traces, strict=True):
        assert_same(store.read([name])[name].trace, trace)


@pytest.mark.parametrize("order", [(1, 4), (4, 1)])
def test_of_two_records_of_a_run_the_one_that_keeps_more_is_read(
    tmp_path: Path,
    order: tuple[int, int],
    runs: list[RunConfig],
    trained: Trained,
    environment: Environment,
) -> None:
    store = Store(tmp_path)
    for stride in order:
        names = keep(store, runs, trained(runs, stride), environment, stride)
    assert len(list((tmp_path / "runs").glob(RUNS))) == 2
    whole = trained(runs)
    for opened in (store, Store(tmp_path)):
        assert opened.has(names[0], Schedule(1))
        assert_same(opened.read(names[:1])[names[0]].trace, whole[0])


# ---------------------------------------------------------------------------------------- names


def base_configuration() -> RunConfig:
    return RunConfig.model_validate(
        {
            "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]},
            "network": {"layers": [2, 2, 2], "activations": "sigmoid"},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )


def test_names_change_with_the_configuration_and_the_environment(
    environment: Environment,
) -> None:
    config = base_configuration()
    changed = [
        *(
            config.model_copy(update={key: value})
            for key, value in (
                *(("rounds", 11), ("loss", "l1"), ("gradients", "accumulated")),
                *(("dtype", "float64"), ("seed", 1)),
                ("optimizer", config.optimizer.model_copy(update={"learning_rate": 1.5})),
                ("network", config.network.model_copy(update={"bias": "zero"})),
            )
        )
    ]
    elsewhere = [
        replace(environment, trainer=2),
        replace(environment, torch="2.14.0"),
        replace(environment, device="cuda"),
    ]
    names = [
        run_name(config, environment),
        *(run_name(other, environment) for other in changed),
        *(run_name(config, other) for other in elsewhere),
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) == 64 and set(name) <= set("0123456789abcdef") for name in names)


def test_names_change_with_nothing_else(environment: Environment) -> None:
    config = base_configuration()
    again = RunConfig.model_validate(json.loads(config.model_dump_json()))
    assert run_name(again, Environment(1, "2.13.0")) == run_name(config, environment)


def test_a_run_of_another_environment_is_another_run(
    tmp_path: Path, trained: Trained, environment: Environment
) -> None:
    config = base_configuration()
    keep(Store(tmp_path), [config], trained([config]), environment)
    newer = replace(environment, torch="2.14.0")
    assert not Store(tmp_path).has(run_name(config, newer))


# ---------------------------------------------------------------------------------------- files


def test_the_same_runs_make_the_same_file(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    """Stored often, because what safetensors leaves to chance need not show at once."""
    contents = set()
    for attempt in range(12):
        folder = tmp_path / str(attempt)
        keep(Store(folder), mixed, trained(mixed), environment)
        (path,) = (folder / "runs").glob(RUNS)
        contents.add((path.name, path.read_bytes()))
    assert len(contents) == 1


def test_storing_again_replaces_the_file(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    for _ in range(2):
        keep(Store(tmp_path), mixed, trained(mixed), environment)
    assert len(list((tmp_path / "runs").glob(RUNS))) == 1


def test_files_can_be_read_with_safetensors_alone(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    traces = trained(mixed)
    names = keep(Store(tmp_path), mixed, traces, environment)
    (path,) = (tmp_path / "runs").glob(RUNS)
    arrays = load_file(path)
    told = json.loads(arrays["runs"].tobytes())
    assert [entry["name"] for entry in told] == names
    assert [entry["ending"]["kind"] for entry in told] == [e.kind for e in traces.endings]
    (rows,) = (tmp_path / "runs").glob(ROWS)
    data = {key: array.tolist() for key, array in load_file(rows).items()}
    data["batch_size"] = told[3]["config"]["data"].pop("batch_size")
    assert rows.stem == f"rows-{told[3]['config'].pop('data')['rows']}"
    assert {**told[3]["config"], "data": data} == mixed[3].model_dump(mode="json")
    assert told[3]["environment"]["torch"] == "2.13.0"
    for column, trace in enumerate(traces):
        steps = told[column]["ending"]["step"]
        assert arrays["losses"][:steps, column].tobytes() == trace.losses.tobytes()
        kept = arrays["weights"][arrays["recorded"] < steps, :, column]
        assert kept.tobytes() == trace.weights.tobytes()


def test_what_is_said_of_runs_may_be_longer_than_a_header_of_safetensors(
    tmp_path: Path, trained: Trained, environment: Environment
) -> None:
    """Some thousand runs with some hundred rows of data are: here, one run and its message."""
    config = base_configuration()
    long = Ending("refused", 0, "x" * 100_000_001)
    traces = replace(trained([config]), endings=(long,))
    keep(Store(tmp_path), [config], traces, environment)
    store = Store(tmp_path)
    assert store.damaged == []
    (path,) = store.files
    (entry,) = entries(path) or ()
    assert entry["ending"]["message"] == long.message


# --------------------------------------------------------------------------------------- damage


@pytest.fixture
def beside(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> tuple[Path, list[str]]:
    """A store with a file that is whole: the path for one that is not, and the names of its runs.

    The path is the first in the order of names.
    """
    names = keep(Store(tmp_path), mixed, trained(mixed), environment)
    return tmp_path / "runs" / "0.safetensors", names


def whole(bad: Path) -> bytes:
    (path,) = (path for path in bad.parent.glob(RUNS) if path != bad)
    return path.read_bytes()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "one byte": lambda content: content[:1],
    "cut in its header": lambda content: content[:100],
    "cut in its middle": lambda content: content[: len(content) // 2],
    "a byte short": lambda content: content[:-1],
    "a byte too long": lambda content: content + b"\0",
    "garbage": lambda content: bytes(range(256)) * 40,
    "zeros": lambda content: bytes(len(content)),
    "a header as long as can be": lambda content: b"\xff" * 8 + content[8:],
    "text": lambda content: "这不是数据\n".encode() * 100,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_noted_and_the_others_are_read(
    beside: tuple[Path, list[str]], damage: str
) -> None:
    bad, names = beside
    bad.write_bytes(DAMAGE[damage](whole(bad)))
    store = Store(bad.parents[1])
    assert store.damaged == [bad]
    assert store.read(names).keys() == set(names)


JSON = {
    "no json": b"{",
    "no utf-8": b"\xff\xfe",
    "no list": b"3",
    "no tables": b"[1, 2]",
    "no names": b'[{"schedule": {"stride": 1, "budgets": []}}]',
    "too few": b"[]",
}


@pytest.mark.parametrize("about", JSON)
def test_a_whole_file_that_does_not_say_what_is_in_it_is_damaged(
    beside: tuple[Path, list[str]], about: str
) -> None:
    bad, names = beside
    arrays = {key: np.zeros((1, 1, 1, 1), np.float32) for key in ARRAYS}
    arrays["runs"] = np.frombuffer(JSON[about], np.uint8)
    arrays["runs_sha256"] = np.frombuffer(hashlib.sha256(JSON[about]).digest(), np.uint8)
    save_file(arrays, bad, {"format": FORMAT})
    store = Store(bad.parents[1])
    assert store.damaged == [bad]
    assert store.read(names).keys() == set(names)


def test_a_file_without_runs_is_damaged(beside: tuple[Path, list[str]]) -> None:
    bad, _ = beside
    save_file({"losses": np.zeros(3)}, bad, {"format": FORMAT})
    assert Store(bad.parents[1]).damaged == [bad]


def test_a_folder_with_the_name_of_a_file_is_damaged(beside: tuple[Path, list[str]]) -> None:
    bad, names = beside
    bad.mkdir()
    store = Store(bad.parents[1])
    assert store.damaged == [bad]
    assert store.read(names).keys() == set(names)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "0"}, {"format": FORMAT + "0"}])
def test_a_file_of_another_format_is_left_alone(
    beside: tuple[Path, list[str]], metadata: dict[str, str] | None
) -> None:
    bad, names = beside
    save_file({"x": np.zeros(3)}, bad, metadata)
    content = bad.read_bytes()
    store = Store(bad.parents[1])
    assert store.damaged == []
    assert store.outdated == [bad]
    assert store.read(names).keys() == set(names)
    assert bad.read_bytes() == content


def test_a_file_is_named_by_its_bytes(beside: tuple[Path, list[str]]) -> None:
    (path,) = beside[0].parent.glob(RUNS)
    assert path.name == f"{hashlib.sha256(path.read_bytes()).hexdigest()}.safetensors"
    renamed = path.rename(path.with_name(f"{'0' * 64}.safetensors"))
    with pytest.raises(DamagedError):
        Store(renamed.parents[1]).read(beside[1])


def test_a_single_flipped_bit_is_found_before_a_number_is_used(
    tmp_path: Path, runs: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    """Each byte of the header, and some of all others; what is said of runs, at first sight."""
    store = Store(tmp_path)
    names = keep(store, runs, trained(runs), environment)
    (path,) = (tmp_path / "runs").glob(RUNS)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    said = content.index(b'[{"config"')
    chance = random.Random(0)
    places = [*range(header), *(chance.randrange(header, len(content)) for _ in range(60))]
    places += [chance.randrange(said, content.rindex(b"}]") + 2) for _ in range(60)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        opened = Store(tmp_path)
        assert opened.damaged == [path] or not said <= place <= content.rindex(b"}]")
        if not opened.damaged:
            with pytest.raises(DamagedError):
                opened.read(names[:1])
        assert opened.damaged == [path]
        assert not any(opened.has(name) for name in names)
        # Nor is it found too late by a store that was opened before.
        with pytest.raises(DamagedError):
            Store.read(store, names)
        path.write_bytes(content)
        store.look()


def test_every_damaged_file_is_told_at_once(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    store = Store(tmp_path)
    halves = [mixed[:7], mixed[7:]]
    names = [name for half in halves for name in keep(store, half, trained(half), environment)]
    for path in store.files:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedError) as caught:
        store.read(names)
    assert set(caught.value.args) == set(store.damaged)
    assert len(store.damaged) == 2


def test_a_file_that_is_gone_is_not_damaged(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    names = keep(Store(tmp_path), mixed, trained(mixed), environment)
    store = Store(tmp_path)
    next(iter(store.files)).unlink()
    with pytest.raises(DamagedError):
        store.read(names)
    assert store.damaged == []
    assert not store.has(names[0])


# ------------------------------------------------------------------------------------- mending


def test_damaged_files_are_moved_aside_and_none_is_overwritten(
    beside: tuple[Path, list[str]],
) -> None:
    bad, names = beside
    contents = [b"first", b"second", b"third"]
    for content in contents:
        bad.write_bytes(content)
        store = Store(bad.parents[1])
        with store.turn(lambda: None):
            store.mend()
        assert store.damaged == [bad]  # by the name that it had
        assert not bad.exists()
        assert Store(bad.parents[1]).damaged == []
    aside = bad.parent / "damaged"
    assert [(aside / f"0{n}.safetensors").read_bytes() for n in ("", ".2", ".3")] == contents
    assert Store(bad.parents[1]).read(names).keys() == set(names)


def test_a_turn_shows_what_another_process_stored_before(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    store = Store(tmp_path)
    (name, *_) = keep(Store(tmp_path), mixed, trained(mixed), environment)
    assert not store.has(name)
    with store.turn(lambda: None):
        assert store.has(name)


def test_a_damaged_file_is_replaced_when_its_runs_are_stored_again(
    tmp_path: Path, mixed: list[RunConfig], trained: Trained, environment: Environment
) -> None:
    names = keep(Store(tmp_path), mixed, trained(mixed), environment)
    (path,) = (tmp_path / "runs").glob(RUNS)
    path.write_bytes(path.read_bytes()[:1000])
    store = Store(tmp_path)
    assert store.damaged == [path]
    assert not store.has(names[0])
    keep(store, mixed, trained(mixed), environment)
    again = Store(tmp_path)
    assert again.damaged == []
    assert all(again.has(name) for name in names)
