"""How well `labreport check` knows what a build takes: ten labs, each checked, then built anew.

    python benchmarks/estimates.py

Each build is a process of its own, on one core; its time is that of the processor, its memory the
most that it held. What is estimated is to be within a factor of two of both.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from labreport.shipped import lab_path

LABREPORT = (sys.executable, "-m", "labreport")
DRAW = np.random.default_rng(0)

BASE = """format = 1
languages = {languages}
[base]
loss = "{loss}"
rounds = {rounds}
[base.data]
inputs = {inputs}
targets = {targets}
{batch}
[base.network]
layers = {layers}
activations = {activations}
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "{optimizer}"
learning_rate = 0.1
"""


def base(
    rows: int,
    layers: list[int],
    rounds: int,
    *,
    optimizer: str = "sgd",
    languages: tuple[str, ...] = ("zh", "en"),
    batch: int | None = None,
) -> str:
    """The head of a lab with so many rows of random numbers, of as many classes as outputs."""
    inputs = DRAW.normal(size=(rows, layers[0])).round(3)
    classes = DRAW.integers(0, max(2, layers[-1]), rows)
    targets = np.eye(layers[-1])[classes] if layers[-1] > 1 else classes[:, None]
    return BASE.format(
        languages=json.dumps(languages),
        loss="cross_entropy" if layers[-1] > 1 else "bce",
        rounds=rounds,
        inputs=inputs.tolist(),
        targets=targets.tolist(),
        batch=f"batch_size = {batch}" if batch else "",
        layers=layers,
        activations=json.dumps(
            ["tanh"] * (len(layers) - 2) + ["identity" if layers[-1] > 1 else "sigmoid"]
        ),
        optimizer=optimizer,
    )


def experiment(name: str, body: str) -> str:
    return f'[experiment.{name}]\ntitle = {{ zh = "{name}", en = "{name}" }}\n{body}\n'


RELU = '[[experiment.a.variant]]\nname = "tanh"\n[[experiment.a.variant]]\nname = "relu"\n'
RELU += "change.network.activations = {activations}\n"
RATES = "sweep.optimizer.learning_rate = [0.01, 0.1, 1.0, 10.0]\n"
GRID = (
    "seeds = 10\nsweep.optimizer.learning_rate = [0.1, 0.5]\nsweep.optimizer.momentum = [0.0, 0.9]"
)
GRID += "\nsweep.optimizer.weight_decay = [0.0, 0.01]\nsweep.network.bias = ['trained', 'zero']"
SIXTY = "".join(
    f'[[experiment.a.variant]]\nname = "v{k}"\nchange.optimizer.learning_rate = {rate:.2f}\n'
    for k, rate in enumerate(np.linspace(0.02, 1.2, 60))
)

LABS: dict[str, Callable[[], str]] = {
    "smallest": lambda: base(4, [2, 3, 1], 20, languages=("en",)) + experiment("a", ""),
    "sweep and starts": lambda: (
        base(4, [2, 3, 1], 2000) + experiment("a", RATES) + experiment("b", "seeds = 30")
    ),
    "200 rows": lambda: base(200, [2, 5, 1], 1000) + experiment("a", RATES) + experiment("b", ""),
    "150 rows, 3 classes": lambda: (
        base(150, [4, 8, 3], 500, optimizer="adam")
        + experiment("a", RELU.format(activations='["relu", "identity"]'))
        + experiment("b", "seeds = 20")
    ),
    "40 units": lambda: base(40, [1, 40, 1], 2000, optimizer="adam") + experiment("a", RATES),
    "grid of 16, 10 starts": lambda: base(40, [2, 6, 1], 200) + experiment("a", GRID),
    "ten layers": lambda: base(12, [4, *[6] * 9, 1], 300) + experiment("a", RATES),
    "1797 rows, mini-batches": lambda: (
        base(1797, [64, 32, 10], 500, batch=64, languages=("en",))
        + experiment("a", RELU.format(activations='["relu", "identity"]'))
    ),
    "60 variants": lambda: base(4, [2, 3, 1], 200) + experiment("a", SIXTY),
    "5000 starts": lambda: base(4, [2, 3, 1], 300) + experiment("a", "seeds = 5000"),
    "the lab that ships": lambda: lab_path(None).read_text(encoding="utf-8"),
}


def measured(folder: Path) -> tuple[float, float]:
    """Seconds of processor time and mebibytes that a build takes in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*LABREPORT, "build", "--jobs", "1"]
    # The most memory is that of any child so far: it is asked of the child itself.
    script = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], check=False);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(done.stdout.split()[-1]) / 1024


def estimated(folder: Path) -> tuple[float, float]:
    """Seconds and mebibytes as `labreport check` tells them."""
    done = subprocess.run(
        [*LABREPORT, "check", "--json"], cwd=folder, capture_output=True, text=True, check=True
    )
    needs = json.loads(done.stdout)["needs"]
    return needs["seconds"], needs["memory"] / 2**20


def main() -> None:
    """Print a table, and what is off by more than a factor of two."""
    print("| lab | estimated s | measured s | ratio | estimated MiB | measured MiB | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    off = []
    for name, text in LABS.items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "experiments.toml").write_text(text(), encoding="utf-8")
            told, found = estimated(Path(folder)), measured(Path(folder))
        ratios = [t / f for t, f in zip(told, found, strict=True)]
        print(
            f"| {name} | {told[0]:.0f} | {found[0]:.1f} | {ratios[0]:.2f} "
            f"| {told[1]:.0f} | {found[1]:.0f} | {ratios[1]:.2f} |",
            flush=True,
        )
        off += [name] if not all(0.5 <= ratio <= 2 for ratio in ratios) else []
    if off:
        raise SystemExit(f"off by more than a factor of two: {', '.join(off)}")


if __name__ == "__main__":
    main()
