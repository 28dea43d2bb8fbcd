"""Compare what a file of runs says of itself: configuration, name, shapes, steps, endings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labreport.lab.configuration import Data, RunConfig, canonical_json
from labreport.lab.schedule import Schedule
from labreport.runs.run import Ending, Trace

REFUSAL = re.compile(r"[ -~]{0,100}should be between 0 and 1[ -~]{0,100}")
"""Torch's message when it refuses a loss, in each of its versions."""

DIGEST = re.compile("[0-9a-f]{64}")


class InconsistentError(ValueError):
    """Parts of a stored file contradict each other; the message names them."""


def name_of(config: Any, environment: Any) -> str:
    """The name of a run as its file states configuration and environment.

    Raises:
        ValueError: if they have numbers that are not finite.
    """
    text = f'{{"config":{canonical_json(config)},"environment":{canonical_json(environment)}}}'
    return hashlib.sha256(text.encode()).hexdigest()


def rows_named(config: Any) -> str:
    """The digest by which a configuration names its rows.

    Raises:
        InconsistentError: if its data are not rows by name, and the size of batches.
    """
    data = config["data"]
    if not isinstance(data, dict) or data.keys() != {"batch_size", "rows"}:
        raise InconsistentError("data")
    if not isinstance(data["rows"], str) or not DIGEST.fullmatch(data["rows"]):
        raise InconsistentError("rows")
    return data["rows"]


def read_configuration(config: Any, data: Data) -> RunConfig:
    """The configuration that a file states, with the rows that it names.

    Raises:
        ValueError: if there is no such configuration.
    """
    batches = data.in_batches(config["data"]["batch_size"])
    return RunConfig.model_validate({**config, "data": batches})


def read_schedule(written: Any) -> Schedule:
    """At which steps runs were recorded.

    Raises:
        InconsistentError: if that is no schedule.
    """
    if not isinstance(written, dict) or set(written) != {"stride", "budgets"}:
        raise InconsistentError("schedule")
    stride, budgets = written["stride"], written["budgets"]
    if not isinstance(budgets, list) or not all(map(_is_step, (stride, *budgets))) or stride < 1:
        raise InconsistentError("schedule")
    if sorted(set(budgets)) != budgets:
        raise InconsistentError("schedule")
    return Schedule(stride, tuple(budgets))


def read_ending(written: Any, config: RunConfig) -> Ending:
    """Read how a run ended.

    Raises:
        InconsistentError: if a run of this configuration cannot have ended so.
    """
    if not isinstance(written, dict) or set(written) != {"kind", "step", "message"}:
        raise InconsistentError("ending")
    kind, step, message = written["kind"], written["step"], written["message"]
    if not _is_step(step) or not isinstance(message, str):
        raise InconsistentError("ending")
    possible = {
        "completed": step == config.rounds + 1 and not message,
        "diverged": step <= config.rounds and not message,
        # Binary cross entropy is the one loss that takes some numbers only.
        "refused": step <= config.rounds
        and config.loss == "bce"
        and REFUSAL.fullmatch(message) is not None,
    }
    if not isinstance(kind, str) or not possible.get(kind, False):
        raise InconsistentError("ending")
    return Ending(kind, step, message)  # type: ignore[arg-type]


def _is_step(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000


def check_arrays(
    arrays: Mapping[str, np.ndarray],
    steps: Mapping[str, np.ndarray],
    runs: int,
    config: RunConfig,
    schedule: Schedule,
) -> None:
    """Compare shapes, precision and recorded steps with what a configuration gives.

    Args:
        arrays: with ``runs`` runs along the last axis.
        steps: at which they were recorded.
        runs: how many there are.
        config: of one of the runs.
        schedule: of all of them.

    Raises:
        InconsistentError: if one of them is another.
    """
    expected = {
        "recorded": schedule.recorded(config),
        "shown": schedule.shown(config),
        "measured": schedule.measured(config),
    }
    for key, wanted in expected.items():
        if steps[key].dtype != np.int64 or steps[key].tolist() != wanted:
            raise InconsistentError(key)
    parameters, recorded = config.network.parameter_count, len(expected["recorded"])
    rows, units = len(config.data.inputs), config.network.layers[-1]
    shapes: dict[str, Sequence[int]] = {
        "losses": (config.rounds + 1,),
        "weights": (recorded, parameters),
        "gradients": (recorded, parameters),
        "outputs": (len(expected["shown"]), rows, units),
        "overall": (len(expected["measured"]),),
    }
    for key, shape in shapes.items():
        if arrays[key].shape != (*shape, runs) or arrays[key].dtype != np.dtype(config.dtype):
            raise InconsistentError(key)


def check_numbers(trace: Trace) -> None:
    """Refuse a trace with a number that is not finite: a run ends before its first one.

    Raises:
        InconsistentError: if there is one.
    """
    for key in ("losses", "weights", "gradients", "outputs", "overall"):
        if not np.isfinite(getattr(trace, key)).all():
            raise InconsistentError(key)
