"""Small experiments made by hand: runs whose every number a test has written itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labreport.analysis.observation import (
    Count,
    From,
    Keys,
    Names,
    Number,
    OutOf,
    Part,
    RoundNumber,
    Rounds,
    Setting,
    Share,
    Subject,
    UpTo,
    Verbatim,
    With,
    Wording,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import KINDS, Kind
from labreport.lab.lab import Experiment, change_at, merge
from labreport.lab.plan import Plan, Point, Trial
from labreport.lab.schema.initialisers import Given
from labreport.reference.network import LayerParameters
from labreport.reference.training import train
from labreport.runs.run import Ending, Environment, Run, Trace

RATE = "optimizer.learning_rate"
MOMENTUM = "optimizer.momentum"

BASE: dict[str, Any] = {
    "data": {"inputs": [[0.5, 0.3]], "targets": [[0.25, 0.0625]]},
    "network": {"layers": [2, 2, 2], "activations": "sigmoid", "bias": "zero"},
    "initial": {
        "scheme": "given",
        "weights": [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3], [-0.5, 0.8]]],
    },
    "loss": "mse",
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
    "rounds": 2,
    # Float64, and a target that is within reach: the distance from the floor is the loss itself.
    "dtype": "float64",
}


def config(changes: Mapping[str, Any] | None = None) -> RunConfig:
    """The base with some keys changed, each by its dotted path."""
    change = change_at([(key.split("."), value) for key, value in (changes or {}).items()])
    return RunConfig.model_validate(merge(BASE, change))


def trace(
    configuration: RunConfig,
    losses: Sequence[float],
    *,
    weights: Any = None,
    gradients: Any = None,
    outputs: Any = None,
    kind: str = "completed",
    message: str = "",
) -> Trace:
    """A trace with these losses; unless given, weights move, no gradient is 0 or fades.

    Outputs are so far from the targets that the mean squared error equals the loss.
    """
    steps, count = len(losses), configuration.network.parameter_count
    dtype = np.dtype(configuration.dtype)
    targets = np.array(configuration.data.targets)
    values = np.array(losses, dtype=dtype)
    if weights is None:
        step, position = np.mgrid[0:steps, 0:count]
        weights = 0.1 * (position + 1) + 0.01 * step * (position + 1)
    if gradients is None:
        gradients = np.full((steps, count), 0.5)
    if outputs is None:
        outputs = targets + np.sqrt(np.maximum(values, 0.0))[:, None, None]
    return Trace(
        losses=values,
        recorded=np.arange(steps),
        weights=np.array(weights, dtype=dtype).reshape(steps, count),
        gradients=np.array(gradients, dtype=dtype).reshape(steps, count),
        shown=np.arange(steps),
        outputs=np.array(outputs, dtype=dtype).reshape(steps, *targets.shape),
        ending=Ending(kind, steps, message),  # type: ignore[arg-type]
        measured=np.arange(0 if configuration.data.sees_all_rows else steps),
        overall=values[: 0 if configuration.data.sees_all_rows else steps],
    )


@dataclass(frozen=True)
class Made:
    """One variant with all of its runs."""

    name: str
    rows: tuple[tuple[Point, int | None, RunConfig, Trace], ...]
    against: str | None = None


def single(
    name: str,
    losses: Sequence[float],
    changes: Mapping[str, Any] | None = None,
    *,
    against: str | None = None,
    rounds: int | None = None,
    **recorded: Any,
) -> Made:
    """A variant that is one run; with ``rounds``, one that ended before them."""
    rounds = max(len(losses) - 1, 1) if rounds is None else rounds
    configuration = config({**(changes or {}), "rounds": rounds})
    return Made(
        name, (((), None, configuration, trace(configuration, losses, **recorded)),), against
    )


def sweep(
    name: str,
    key: str,
    losses: Mapping[Any, Sequence[float]],
    changes: Mapping[str, Any] | None = None,
    *,
    against: str | None = None,
    rounds: int | None = None,
    **recorded: Any,
) -> Made:
    """A variant that is swept over one key: the losses at each value."""
    rows = []
    for value, curve in losses.items():
        length = len(curve) - 1 if rounds is None else rounds
        configuration = config({**(changes or {}), "rounds": length, key: value})
        run = trace(configuration, curve, **recorded)
        rows.append((((key, value),), None, configuration, run))
    return Made(name, tuple(rows), against)


def starts(
    name: str,
    losses: Sequence[Sequence[float]],
    changes: Mapping[str, Any] | None = None,
    *,
    against: str | None = None,
    rounds: int | None = None,
    kinds: Sequence[str] = (),
) -> Made:
    """A variant from random starts, seeds 0, 1, …: the losses of each."""
    rows = []
    for seed, curve in enumerate(losses):
        length = max(len(curve) - 1, 1) if rounds is None else rounds
        written = {"initial": {"scheme": "pytorch"}, "rounds": length, **(changes or {})}
        configuration = config(written).with_seed(seed)
        kind = kinds[seed] if kinds else "completed"
        rows.append(((), seed, configuration, trace(configuration, curve, kind=kind)))
    return Made(name, tuple(rows), against)


def grid(
    name: str,
    key: str,
    last: Mapping[Any, Sequence[float]],
    changes: Mapping[str, Any] | None = None,
) -> Made:
    """A variant swept over one key, from seeds 0, 1, … at each value: the last loss of each."""
    rows = []
    for value, losses in last.items():
        for seed, loss in enumerate(losses):
            written = {"initial": {"scheme": "pytorch"}, **(changes or {}), "rounds": 2, key: value}
            configuration = config(written).with_seed(seed)
            curve = [9, *[5] * (configuration.rounds - 1), loss]
            rows.append((((key, value),), seed, configuration, trace(configuration, curve)))
    return Made(name, tuple(rows))


def with_controls(
    results: ExperimentResults, kind: Kind, make: Callable[[int, RunConfig], Trace | None]
) -> ExperimentResults:
    """The same with controls of each run as well: ``make`` gives the trace of the n-th, if any."""
    runs = dict(results.controls)
    for result in results.results:
        for number, configuration in enumerate(KINDS[kind](result.run.config)):
            name = f"control {kind} {result.run.name} {number}"
            if (made := make(number, configuration)) is not None:
                runs[configuration.digest] = Run(configuration, made, Environment(1, "0"), name)
    return replace(results, controls=runs)


def with_twins(results: ExperimentResults) -> ExperimentResults:
    """The same, each result with those of its rounding twins that are among the controls."""
    there = results.controls
    found = tuple(
        replace(
            r,
            twins=tuple(
                Result(r.trial, there[c.digest])
                for c in KINDS["rounding"](r.run.config)
                if c.digest in there
            ),
        )
        for r in results.results
    )
    return replace(results, results=found)


def experiment(*variants: Made, budgets: Sequence[int] = (2,)) -> ExperimentResults:
    """An experiment of these variants, compared after ``budgets`` rounds."""
    written = Experiment.model_validate(
        {
            "title": "made by hand",
            "variant": [
                {"name": v.name} | ({"against": v.against} if v.against else {}) for v in variants
            ],
        }
    )
    trials: list[Trial] = []
    results: list[Result] = []
    axes: dict[str, dict[str, Any]] = {}
    for variant in variants:
        for point, seed, configuration, recorded in variant.rows:
            trials.append(Trial(variant.name, point, seed, configuration))
            name = f"{variant.name}{point}{seed}"
            results.append(
                Result(trials[-1], Run(configuration, recorded, Environment(1, "0"), name))
            )
            for key, value in point:
                axes.setdefault(key, {})[repr(value)] = value
    plan = Plan(
        "made",
        written,
        config(),
        tuple(trials),
        tuple(budgets),
        tuple((key, tuple(values.values())) for key, values in axes.items()),
    )
    return ExperimentResults(plan, tuple(results))


RIGHT = "((o1 - y1) * o1 * (1 - o1) * w5 + (o2 - y2) * o2 * (1 - o2) * w6) * h1 * (1 - h1) * x1"
"""The derivative by w1 of a 2-2-2 network of sigmoids."""

FORMULAS: dict[str, dict[str, str]] = {
    "right": {"w1": RIGHT},
    "summed": {"w1": "(d_w5 + d_w6) * h1 * (1 - h1) * x1"},
    "slip": {"w1": RIGHT.replace("o1 * (1 - o1)", "h1 * (1 - h1)")},
    # Twice as far along the right way: the loss falls the faster.
    "double": {w: f"2 * {d}" for w, d in {"w1": RIGHT}.items()},
    "triple": {"w1": f"3 * {RIGHT}"},
    "nothing": {"w1": "0"},
    "output": {"w5": "(o1 - y1) / 2 * h1"},
    "uphill": {f"w{k}": f"-5 * {v}" for k, v in ((5, "h1"), (6, "h1"), (7, "h2"), (8, "h2"))},
}


def check(
    *names: str,
    reason: str | None = None,
    shift: float = 0.0,
    changes: Mapping[str, Any] | None = None,
) -> ExperimentResults:
    """A gradient check of these formulas on a run of 3 rounds, computed by hand.

    Args:
        names: keys of FORMULAS.
        reason: what each formula says of itself.
        shift: added to every recorded gradient, as if autograd were wrong.
        changes: of the configuration.
    """
    written = Experiment.model_validate(
        {
            "title": "made by hand",
            "kind": "gradient-check",
            "formula": [
                {"name": name, "derivatives": FORMULAS[name]}
                | ({"reason": reason} if reason else {})
                for name in names
            ],
        }
    )
    configuration = config({"rounds": 3, **(changes or {})})
    initial, data = configuration.initial, configuration.data
    assert isinstance(initial, Given)
    layers = [LayerParameters(np.array(w)) for w in initial.weights]
    inputs, targets = np.array(data.inputs), np.array(data.targets)
    rate = {"learning_rate": configuration.optimizer.learning_rate}
    hand = train(
        layers, ["sigmoid"] * 2, configuration.loss, "sgd", rate, inputs, targets, 3, "none",
        "cleared",
    )  # fmt: skip
    made = trace(
        configuration,
        hand.losses.tolist(),
        weights=hand.weights,
        gradients=hand.gradients + shift,
        outputs=hand.outputs,
    )
    trial = Trial("base", (), None, configuration)
    plan = Plan("made", written, config(), (trial,), (3,), ())
    run = Run(configuration, made, Environment(1, "0"), "base")
    return ExperimentResults(plan, (Result(trial, run),))


def plain(fact: Any) -> Any:
    """A fact without the words around it: a subject is its variant, a number its value."""
    if isinstance(fact, tuple):
        return tuple(plain(f) for f in fact)
    if isinstance(fact, With):
        return plain(fact.what), plain(fact.detail)
    if isinstance(fact, Subject):
        values = tuple(value for _, value in fact.point)
        return (fact.variant, *values) if values else fact.variant
    if isinstance(fact, From):
        return "from", plain(fact.start)
    if isinstance(fact, UpTo):
        return "up to", plain(fact.end)
    if isinstance(fact, OutOf):
        return fact.value, fact.total
    if isinstance(fact, Names | Keys):
        return fact.values
    if isinstance(fact, Part):
        return fact.name
    if isinstance(fact, Wording):
        return fact.en
    assert isinstance(fact, RoundNumber | Number | Setting | Share | Count | Rounds | Verbatim)
    return fact.value


ROWS = {"data.inputs": [[0.5, 0.3]] * 3, "data.targets": [[0.25, 0.0625]] * 3}


def fading(last: float) -> np.ndarray:
    """Gradients [3, 8] of norm 1, 0.5 and ``last``."""
    return np.array([1.0, 0.5, last])[:, None] * np.eye(8)[0]
