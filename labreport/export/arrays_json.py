"""The arrays of runs as strict JSON: each run with its configuration, ending and arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from labreport.analysis.results import Result
from labreport.export.arrays import Parts, describe, members, rows_of
from labreport.export.observations_json import strict
from labreport.lab.naming import unit_names
from labreport.runs.run import Array


def render(parts: Parts) -> Iterator[bytes]:
    """An object: ``rows`` by their digest, and ``runs`` in the order of the report, one a line."""
    rows = {digest: asdict(each) for digest, each in rows_of(parts).items()}
    yield f'{{"rows": {json.dumps(rows, allow_nan=False)},\n"runs": ['.encode()
    for place, (part, experiment, result) in enumerate(members(parts)):
        told = describe(part, experiment, result) | _arrays(result)
        text = json.dumps(told, ensure_ascii=False, allow_nan=False)
        yield f"{',' * (place > 0)}\n{text}".encode()
    yield b"\n]}\n"


def _arrays(result: Result) -> dict[str, Any]:
    """Weights and gradients by parameter; outputs by unit, for each row of the data."""
    trace = result.run.trace
    units = unit_names(result.run.config.network)[-1]
    losses: dict[str, Any] = {"losses": _numbers(trace.losses)}
    if not result.sees_all_rows:
        losses = {
            "measured": trace.measured.tolist(),
            "losses": _numbers(trace.overall),
            "batch_losses": _numbers(trace.losses),
        }
    return losses | {
        "recorded": trace.recorded.tolist(),
        "weights": _by_name(result.names, trace.weights),
        "gradients": _by_name(result.names, trace.gradients),
        "shown": trace.shown.tolist(),
        "outputs": [
            _by_name(units, trace.outputs[:, row]) for row in range(trace.outputs.shape[1])
        ],
    }


def _by_name(names: tuple[str, ...], values: Array) -> dict[str, list[object]]:
    return {name: _numbers(values[:, position]) for position, name in enumerate(names)}


def _numbers(values: Array) -> list[object]:
    found: list[object] = values.tolist()
    return found if np.isfinite(values).all() else strict(found)
