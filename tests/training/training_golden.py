"""Golden traces: files of numbers that were right once, and are to stay what they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from labreport.lab.configuration import RunConfig
from labreport.lab.naming import display_order, parameter_names
from labreport.runs.run import Trace

FOLDER = Path(__file__).resolve().parents[1] / "golden"

RELATIVE = 1e-5
"""On another processor torch takes other kernels: the last bits of float32 numbers may differ, and
training carries them on."""

ABSOLUTE = 1e-6
"""The same for numbers near 0."""


def check(
    request: pytest.FixtureRequest,
    name: str,
    config: RunConfig,
    trace: Trace,
    steps: Sequence[int],
) -> None:
    """Compare steps of a trace with a golden file, or write it with --force-regen, --regen-all."""
    path = FOLDER / f"{name}.csv"
    header, table = as_table(config, trace, steps)
    option = request.config.getoption
    if option("regen_all"):
        write(path, header, table)
        return
    try:
        assert path.exists(), f"no {path}: write it with --force-regen, and look at it"
        first, *rows = path.read_text(encoding="ascii").splitlines()
        assert first == header
        golden = np.array([[float(number) for number in row.split(",")] for row in rows])
        np.testing.assert_allclose(table, golden, rtol=RELATIVE, atol=ABSOLUTE)
    except AssertionError:
        if option("force_regen"):
            write(path, header, table)
        raise


def as_table(config: RunConfig, trace: Trace, steps: Sequence[int]) -> tuple[str, np.ndarray]:
    """One row a step: its number, the loss, and the weights in the order in which people read."""
    order = list(display_order(config.network))
    names = parameter_names(config.network)
    header = ",".join(["step", "loss", *(names[position] for position in order)])
    picked = list(steps)
    columns = [np.array(picked), trace.losses[picked], *trace.weights[picked][:, order].T]
    return header, np.column_stack(columns)


def write(path: Path, header: str, table: np.ndarray) -> None:
    rows = [
        ",".join(f"{number:.9g}" for number in row) for row in table
    ]  # 9 digits: all of float32
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="ascii")
