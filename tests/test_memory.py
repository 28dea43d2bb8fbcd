"""A build stays within the memory that it is given: training, reading, replaying and drawing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

resource = pytest.importorskip("resource", reason="limits of memory are those of Unix")

ROWS, INPUTS, CLASSES = 1797, 64, 10
"""As many as the handwritten digits that come with scikit-learn have (Alpaydin and Kaynak 1998)."""

LAB = """
format = 1
languages = {languages}
test_explanations = {explained}
[base]
loss = "cross_entropy"
rounds = {rounds}
[base.data]
batch_size = 64
inputs = {inputs}
targets = {targets}
[base.network]
layers = [64, 32, 10]
activations = ["relu", "identity"]
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "sgd"
learning_rate = 0.1
[experiment.activation]
title = "Activation"
budgets = [30, 60]
[[experiment.activation.variant]]
name = "relu"
[[experiment.activation.variant]]
name = "tanh"
change.network.activations = ["tanh", "identity"]
[[experiment.activation.variant]]
name = "adam"
change.optimizer = {{ name = "adam", learning_rate = 0.01 }}
"""


def write_lab(folder: Path, rows: int, rounds: int, languages: list[str], explained: str) -> Path:
    draw = np.random.default_rng(0)
    classes = draw.integers(0, CLASSES, rows)
    centers = draw.uniform(0, 1, (CLASSES, INPUTS))
    inputs = (centers[classes] + draw.normal(0, 0.2, (rows, INPUTS))).round(3)
    text = LAB.format(
        languages=json.dumps(languages),
        explained=explained,
        rounds=rounds,
        inputs=inputs.tolist(),
        targets=np.eye(CLASSES)[classes].tolist(),
    )
    (folder / "experiments.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def many_rows(tmp_path: Path) -> Path:
    return write_lab(tmp_path, ROWS, 60, ["en"], "true")


def build(folder: Path, mebibytes: int) -> subprocess.CompletedProcess[str]:
    """Build in a process whose data may not take more."""
    most = mebibytes * 2**20
    return subprocess.run(
        [sys.executable, "-m", "labreport", "build", "--jobs", "1"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "LANG": "en_US.UTF-8"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (most, most)),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit holds for less")
def test_many_rows_are_built_within_a_gibibyte(many_rows: Path) -> None:
    # The limit is one: with a tenth of it nothing can be built.
    assert build(many_rows, 100).returncode != 0
    done = build(many_rows, 1024)
    assert done.returncode == 0, done.stderr
    assert (many_rows / "output" / "report.pdf").stat().st_size > 100_000


MEASURED = """
import sys
from pathlib import Path
from labreport.__main__ import main
sys.argv[0] = "labreport"
try:
    main()
finally:
    status = Path("/proc/self/status").read_text()
    print("peak", int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


def measured(folder: Path, *arguments: str) -> tuple[int, str, int]:
    """Exit code, output and most resident bytes of a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "LANG": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr, int(done.stdout.split()[-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for its peak")
def test_a_build_stays_within_the_memory_that_check_says_it_takes(tmp_path: Path) -> None:
    # Runs whose record is many times what the network takes: kept while the report is written,
    # or copied on their way to the disk, they would go beyond the limit.
    folder = write_lab(tmp_path, 300, 900, ["zh", "en"], "false")
    checked = subprocess.run(
        [sys.executable, "-m", "labreport", "check", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    needs = json.loads(checked.stdout)["needs"]
    limit = -(-needs["memory"] // 2**20)
    code, told, peak = measured(folder, "build", "--jobs", "2", "--memory", str(limit - 1))
    assert code == 2
    assert f"--memory {limit}" in told
    assert not (folder / "output").exists()
    code, told, peak = measured(folder, "build", "--jobs", "2", "--memory", str(limit))
    assert code == 0, told
    assert needs["memory"] / 2 < peak <= limit * 2**20
