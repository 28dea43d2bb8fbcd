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

from labreport.analysis.replays import replay_lab
from labreport.build.origin import this_environment
from labreport.errors import BuildError
from labreport.lab.plan import Lab
from labreport.lab.reading.load import load
from labreport.runs.file_format import FORMAT, DamagedError, run_name
from labreport.runs.run import Run
from labreport.runs.store import Store
from labreport.training.execution import Resources, train_missing

LAB = """format = 1
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
}

PLACES = {
    "sgd": {"network__activations": ["tanh", "sigmoid"], "loss": "mse", "data__batch_size": None},
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
    for path in sorted((folder / "runs").glob("*.safetensors")):
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
