"""A build of many rows stays within a gibibyte: training, reading, replaying and drawing."""

from __future__ import annotations

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
languages = ["en"]
[base]
loss = "cross_entropy"
rounds = 60
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


@pytest.fixture
def many_rows(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    classes = draw.integers(0, CLASSES, ROWS)
    centers = draw.uniform(0, 1, (CLASSES, INPUTS))
    inputs = (centers[classes] + draw.normal(0, 0.2, (ROWS, INPUTS))).round(3)
    targets = np.eye(CLASSES)[classes]
    text = LAB.format(inputs=inputs.tolist(), targets=targets.tolist())
    (tmp_path / "experiments.toml").write_text(text, encoding="utf-8")
    return tmp_path


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
