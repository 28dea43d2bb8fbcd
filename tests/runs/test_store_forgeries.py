"""Stored runs that somebody has changed, with every digest made right again.

Each row of FORGERIES changes the file of a lab and names the step that catches it: "damaged", when
what the file says of itself does not fit together, so that it is set aside and its runs are trained
again; or the quantity that is not what the derivation by hand gives, so that there is no report.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save
from stored_files import RUNS

from labreport.analysis.replays import replay_lab
from labreport.build.origin import this_environment
from labreport.errors import BuildError
from labreport.lab.configuration import Rows, RunConfig
from labreport.lab.plan import Lab
from labreport.lab.reading.load import load
from labreport.runs.consistency import name_of
from labreport.runs.file_format import FORMAT, DamagedError, run_name
from labreport.runs.rows_files import open_rows, pack_rows, rows_file
from labreport.runs.run import Run
from labreport.runs.store import Store
from labreport.training.execution import Resources, train_missing

LAB = """format = 1
robustness = "none"
languages = ["en"]
[base]
loss = "mse"
rounds = 20
[base.data]
inputs = [[0.5, 0.3], [0.1, -0.4], [-0.7, 0.2], [0.9, 0.9]]
targets = [[0.23], [0.6], [0.1], [0.8]]
[base.network]
layers = [2, 2, 1]
activations = ["tanh", "sigmoid"]
[base.initial]
scheme = "given"
weights = [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3]]]
[base.optimizer]
name = "sgd"
learning_rate = 0.5
[experiment.optimizers]
title = "x"
[[experiment.optimizers.variant]]
name = "sgd"
[[experiment.optimizers.variant]]
name = "adam"
change.optimizer = { name = "adam", learning_rate = 0.01 }
[[experiment.optimizers.variant]]
name = "diverges"
change.network.activations = "identity"
change.optimizer.learning_rate = 1e6
[[experiment.optimizers.variant]]
name = "refused"
change.loss = "bce"
change.network.activations = "identity"
[[experiment.optimizers.variant]]
name = "targets"
change.data.targets = [[0.3], [0.6], [0.1], [0.8]]
change.optimizer.learning_rate = 0.25
[experiment.starts]
title = "y"
change.initial = { scheme = "pytorch" }
seeds = 30
record_every = 7
[experiment.batches]
title = "z"
change.data.batch_size = 2
[[experiment.batches.variant]]
name = "two"
"""

Arrays = dict[str, np.ndarray]
Entries = list[dict[str, Any]]
Forge = Callable[[Arrays, Entries], None]


def first(entries: Entries, **values: Any) -> int:
    """The column of the first run whose configuration has some values at dotted keys."""

    def has(entry: dict[str, Any], key: str, wanted: Any) -> bool:
        value = entry["config"]
        for part in key.split("__"):
            value = value.get(part) if isinstance(value, dict) else None
        return bool(value == wanted)

    return next(i for i, e in enumerate(entries) if all(has(e, k, v) for k, v in values.items()))


def exchange_configurations(arrays: Arrays, entries: Entries) -> None:
    entries[0]["config"], entries[1]["config"] = entries[1]["config"], entries[0]["config"]


def exchange_names(arrays: Arrays, entries: Entries) -> None:
    entries[0]["name"], entries[1]["name"] = entries[1]["name"], entries[0]["name"]


def exchange_runs(arrays: Arrays, entries: Entries) -> None:
    for key in ("losses", "weights", "gradients", "outputs", "overall"):
        arrays[key][..., [3, 25]] = arrays[key][..., [25, 3]]


def another_torch(arrays: Arrays, entries: Entries) -> None:
    entries[0]["environment"]["torch"] = "9.9"


def other_schedule(arrays: Arrays, entries: Entries) -> None:
    for entry in entries:
        entry["schedule"]["stride"] = 1


def record_first_step_alone(arrays: Arrays, entries: Entries) -> None:
    for key in ("weights", "gradients", "recorded"):
        arrays[key] = arrays[key][:1]


def other_precision(arrays: Arrays, entries: Entries) -> None:
    for key in ("losses", "weights", "gradients", "outputs", "overall"):
        arrays[key] = arrays[key].astype(np.float64)


def fewer_rows(arrays: Arrays, entries: Entries) -> None:
    arrays["outputs"] = arrays["outputs"][:, :1]


def change(key: str, at: tuple[Any, ...], factor: float = 1.001, by: float = 0.0) -> Forge:
    def forge(arrays: Arrays, entries: Entries) -> None:
        arrays[key][at] = arrays[key][at] * factor + by

    return forge


def ends(kind: str, step: int, message: str = "") -> Forge:
    def forge(arrays: Arrays, entries: Entries) -> None:
        entries[0]["ending"] = {"kind": kind, "step": step, "message": message}

    return forge


def exchange_rows(arrays: Arrays, entries: Entries) -> None:
    """Each run says that it saw the rows of the other; what they are called is left."""
    (one, *_), other = entries, seen_by_others(entries)
    data = one["config"]["data"]
    one["config"]["data"], entries[other]["config"]["data"] = entries[other]["config"]["data"], data


def exchange_runs_of_rows(arrays: Arrays, entries: Entries) -> None:
    other = seen_by_others(entries)
    for key in ("losses", "weights", "gradients", "outputs", "overall"):
        arrays[key][..., [0, other]] = arrays[key][..., [other, 0]]


def seen_by_others(entries: Entries) -> int:
    """The column of the first run that saw other rows than the first of all."""
    rows = [entry["config"]["data"]["rows"] for entry in entries]
    return next(column for column, digest in enumerate(rows) if digest != rows[0])


def call_rows(digest: str) -> Forge:
    def forge(arrays: Arrays, entries: Entries) -> None:
        entries[0]["config"]["data"]["rows"] = digest

    return forge


def rows_in_full(arrays: Arrays, entries: Entries) -> None:
    entries[0]["config"]["data"] = {"inputs": [[0.5, 0.3]], "targets": [[0.23]]}


def first_row_alone(arrays: Arrays, entries: Entries) -> None:
    arrays |= {key: array[:1] for key, array in arrays.items()}


def rows_in_another_order(arrays: Arrays, entries: Entries) -> None:
    arrays |= {key: array[::-1] for key, array in arrays.items()}


def single_precision(arrays: Arrays, entries: Entries) -> None:
    arrays |= {key: array.astype(np.float32) for key, array in arrays.items()}


def no_targets(arrays: Arrays, entries: Entries) -> None:
    del arrays["targets"]


def more_than_rows(arrays: Arrays, entries: Entries) -> None:
    arrays["more"] = np.zeros(3)


def flat_targets(arrays: Arrays, entries: Entries) -> None:
    arrays["targets"] = arrays["targets"][:, 0]


def not_a_number(arrays: Arrays, entries: Entries) -> None:
    arrays["losses"][5, 0] = np.nan


def endless_number(arrays: Arrays, entries: Entries) -> None:
    entries[0]["config"]["optimizer"]["learning_rate"] = float("inf")


REFUSAL = "all elements of input should be between 0 and 1"

FORGERIES: dict[str, tuple[str, Forge, str]] = {
    "configurations exchanged": ("starts", exchange_configurations, "damaged"),
    "names exchanged": ("starts", exchange_names, "damaged"),
    "runs of two seeds exchanged": ("starts", exchange_runs, "start"),
    "another version of torch": ("sgd", another_torch, "damaged"),
    "another schedule": ("starts", other_schedule, "damaged"),
    "only the first step recorded": ("starts", record_first_step_alone, "damaged"),
    "another precision": ("sgd", other_precision, "damaged"),
    "outputs of fewer rows": ("sgd", fewer_rows, "damaged"),
    "a loss that is no number": ("sgd", not_a_number, "damaged"),
    "a learning rate without end": ("sgd", endless_number, "damaged"),
    "another start": ("sgd", change("weights", (0, 0, 0)), "start"),
    "another random start": ("starts", change("weights", (0, 0, 27)), "start"),
    "a first loss": ("sgd", change("losses", (0, 0)), "losses"),
    "a last loss": ("sgd", change("losses", (-1, 0)), "losses"),
    "a loss of 1e-6 of the last start": (
        "starts",
        change("losses", (-1, -1), 0.0, 1e-6),
        "losses",
    ),
    "all losses of the last start": ("starts", change("losses", (slice(None), -1)), "losses"),
    "a loss between stored steps": ("starts", change("losses", (3, 22)), "losses"),
    "a gradient": ("sgd", change("gradients", (4, 0, 0)), "gradients"),
    "a gradient of a late start": ("starts", change("gradients", (1, 1, 26)), "gradients"),
    "a weight": ("sgd", change("weights", (4, 1, 0)), "gradients"),
    "an output": ("sgd", change("outputs", (4, 1, 0, 0)), "outputs"),
    "a step of Adam": ("adam", change("weights", (slice(2, None), 1, 0)), "gradients"),
    "a loss of a batch": ("two", change("losses", (4, 0)), "losses"),
    "a loss over all rows": ("two", change("overall", (1, 0)), "losses"),
    "a completed run is said to end": ("sgd", ends("diverged", 5), "ending"),
    "a completed run is said to be refused": ("sgd", ends("refused", 5, REFUSAL), "damaged"),
    "an ending of no kind": ("sgd", ends("tired", 5), "damaged"),
    "an ending beyond the rounds": ("sgd", ends("completed", 400), "damaged"),
    "a diverged run is said to have completed": ("diverges", ends("completed", 21), "damaged"),
    "a diverged run is said to end earlier": ("diverges", ends("diverged", 1), "ending"),
    "a refused run is said to have diverged": ("refused", ends("diverged", 0), "ending"),
    "a refusal in other words": ("refused", ends("refused", 0, "Ask somebody else."), "damaged"),
    "rows of another run": ("targets", exchange_rows, "damaged"),
    "runs of two sets of rows exchanged": ("targets", exchange_runs_of_rows, "losses"),
    "rows that are nowhere": ("sgd", call_rows("0" * 64), "damaged"),
    "rows by a path": ("sgd", call_rows("/../../../" + "0" * 54), "damaged"),
    "rows in full": ("sgd", rows_in_full, "damaged"),
    "an input": ("rows", change("inputs", (1, 0)), "damaged"),
    "a target": ("rows", change("targets", (3, 0)), "damaged"),
    "the last bit of an input": ("rows", change("inputs", (0, 0), 1 + 2**-52), "damaged"),
    "an input that is no number": ("rows", change("inputs", (0, 0), np.nan), "damaged"),
    "the first row alone": ("rows", first_row_alone, "damaged"),
    "rows in another order": ("rows", rows_in_another_order, "damaged"),
    "rows in single precision": ("rows", single_precision, "damaged"),
    "rows without targets": ("rows", no_targets, "damaged"),
    "rows and something else": ("rows", more_than_rows, "damaged"),
    "targets that are no rows": ("rows", flat_targets, "damaged"),
    "an input, the file called by it": ("renamed rows", change("inputs", (1, 0)), "damaged"),
}

PLACES = {
    "sgd": {
        "network__activations": ["tanh", "sigmoid"],
        "loss": "mse",
        "data__batch_size": None,
        "initial__scheme": "given",
        "optimizer__learning_rate": 0.5,
    },
    "targets": {"optimizer__learning_rate": 0.25},
    "adam": {"optimizer__name": "adam"},
    "diverges": {"optimizer__learning_rate": 1e6},
    "refused": {"loss": "bce"},
    "starts": {"initial__scheme": "pytorch"},
    "two": {"data__batch_size": 2},
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forgeries")
    (folder / "lab.toml").write_text(LAB, encoding="utf-8")
    environment, store = this_environment(), Store(folder)
    recordings = load(folder / "lab.toml").recordings()
    train_missing(recordings, environment, store, Resources(), lambda *_: None)
    return folder


@pytest.fixture
def folder(stored: Path, tmp_path: Path) -> Path:
    shutil.copytree(stored, tmp_path / "lab")
    return tmp_path / "lab"


def read(folder: Path) -> tuple[Lab, dict[str, Run]]:
    lab = load(folder / "lab.toml")
    names = {c.digest: run_name(c, this_environment()) for c, _ in lab.recordings()}
    runs = Store(folder).read(list(names.values()))
    return lab, {digest: runs[name] for digest, name in names.items()}


def forge(folder: Path, place: str, change: Forge) -> None:
    """Change the file with the runs of a place, and make all digests right."""
    if place in ("rows", "renamed rows"):
        forge_rows(folder, change, place == "renamed rows")
        return
    for path in sorted((folder / "runs").glob(RUNS)):
        arrays = dict(load_file(path))
        entries = json.loads(arrays["runs"].tobytes())
        try:
            column = first(entries, **PLACES[place])
        except StopIteration:
            continue
        # The run in question comes first, so that a row can name it.
        order = [column, *(c for c in range(len(entries)) if c != column)]
        entries = [entries[c] for c in order]
        for key in ("losses", "weights", "gradients", "outputs", "overall"):
            arrays[key] = np.ascontiguousarray(arrays[key][..., order])
        change(arrays, entries)
        about = json.dumps(entries).encode()
        arrays["runs"] = np.frombuffer(about, np.uint8)
        arrays["runs_sha256"] = np.frombuffer(hashlib.sha256(about).digest(), np.uint8)
        content = save({k: np.ascontiguousarray(v) for k, v in arrays.items()}, {"format": FORMAT})
        path.unlink()
        name = f"{hashlib.sha256(content).hexdigest()}.safetensors"
        path.with_name(name).write_bytes(content)
        return
    raise AssertionError(place)


def forge_rows(folder: Path, change: Forge, rename: bool) -> None:
    """Change the rows that most runs saw, and if wanted call their file by what they are then."""
    path = rows_path(folder, load(folder / "lab.toml").base)
    arrays = {key: array.copy() for key, array in load_file(path).items()}
    change(arrays, [])
    path.write_bytes(save({k: np.ascontiguousarray(v) for k, v in arrays.items()}))
    if rename:
        rows = Rows(*(tuple(map(tuple, arrays[key].tolist())) for key in ("inputs", "targets")))
        path.rename(path.with_name(rows_file(rows.digest)))
        assert open_rows(path.with_name(rows_file(rows.digest)))[0] == rows


def rows_path(folder: Path, config: RunConfig) -> Path:
    return folder / "runs" / rows_file(config.data.rows.digest)


def caught(folder: Path) -> str:
    """What catches a forgery: "damaged", the quantity that differs, or "" for nothing."""
    try:
        lab, runs = read(folder)
    except (DamagedError, KeyError):
        return "damaged"
    replays = replay_lab(lab, runs)
    different = [f.replay.worst[0] for f in replays.replayed if not f.replay.agrees]
    if not different:
        return ""
    with pytest.raises(BuildError):
        replays.refuse_differences()
    return different[0]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_caught(folder: Path, forgery: str) -> None:
    place, change, by = FORGERIES[forgery]
    forge(folder, place, change)
    assert caught(folder) == by


def test_what_is_not_forged_is_believed(folder: Path) -> None:
    assert caught(folder) == ""
    # Putting a file together again changes nothing by itself.
    forge(folder, "starts", lambda arrays, entries: None)
    assert caught(folder) == ""
    forge(folder, "rows", lambda arrays, entries: None)
    assert caught(folder) == ""


def test_rows_with_every_name_made_right_are_those_of_another_run(folder: Path) -> None:
    """The lab names the rows that it has, and asks for a run that saw them."""
    forged, path = Rows(((0.1, 0.2),) * 4, ((0.5,),) * 4), next(iter(Store(folder).rows))
    path.with_name(rows_file(forged.digest)).write_bytes(pack_rows(forged))

    def rename(arrays: Arrays, entries: Entries) -> None:
        entries[0]["config"]["data"]["rows"] = forged.digest
        entries[0]["name"] = name_of(entries[0]["config"], entries[0]["environment"])

    forge(folder, "sgd", rename)
    assert Store(folder).damaged == []
    with pytest.raises(KeyError):
        read(folder)
