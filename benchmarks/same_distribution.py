"""Claims on chance where there is nothing but chance: how often they are made all the same.

All variants, or all values of a sweep, get losses from one distribution; the rules see them as
they see any experiment. A rule that claims a difference is wrong each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.reliability import best_over_starts, paired_starts
from labreport.lab.configuration import RunConfig
from labreport.lab.lab import Experiment
from labreport.lab.plan import Plan, Trial
from labreport.runs.run import Ending, Environment, Run, Trace

RATE = "optimizer.learning_rate"
LEVEL = 0.05
PAIRS = (5, 6, 8, 12, 20, 50)
GRIDS = ((2, 8), (2, 20), (3, 8), (3, 20), (5, 12), (5, 20), (10, 20))
"""Values of a sweep, and seeds at each."""

SHARED = (0.0, 0.9)
"""Share of the variance that runs from one seed have in common."""


@dataclass(frozen=True)
class Rates:
    """How often a difference was claimed.

    Attributes:
        paired: by number of pairs.
        best: by number of values, of seeds, and the share that seeds have in common.
    """

    simulations: int
    paired: dict[int, float]
    best: dict[tuple[int, int, float], float]


def attainable(pairs: int) -> float:
    """The probability that the sign test of so many pairs claims a difference by chance."""
    tails = [sum(comb(pairs, k) for k in range(few + 1)) for few in range(pairs // 2)]
    rates = [2 * tail / 2**pairs for tail in tails]
    return max((rate for rate in rates if rate <= LEVEL), default=0.0)


def _config(changes: dict[str, object] | None = None) -> RunConfig:
    return RunConfig.model_validate(
        {
            "data": {"inputs": [[1.0]], "targets": [[0.5]]},
            "network": {"layers": [1, 1], "activations": "sigmoid", "bias": "none"},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
            "rounds": 1,
            "dtype": "float64",
            **(changes or {}),
        }
    )


def _run(config: RunConfig, loss: float, name: str) -> Run:
    empty = np.zeros((2, 1))
    steps = np.arange(2)
    trace = Trace(
        np.array([9.0, loss]), steps, empty, empty, steps, empty[:, :, None], Ending("completed", 2)
    )
    return Run(config, trace, Environment(1, "0"), name)


def _results(trials: Sequence[Trial], plan: Plan, losses: np.ndarray) -> ExperimentResults:
    made = tuple(
        Result(trial, _run(trial.config, loss, str(k)))
        for k, (trial, loss) in enumerate(zip(trials, losses.tolist(), strict=True))
    )
    return ExperimentResults(plan, made)


def _losses(draw: np.random.Generator, groups: int, seeds: int, shared: float) -> np.ndarray:
    """Losses [groups · seeds], as skewed as those of training often are."""
    own = draw.normal(size=(groups, seeds)) * np.sqrt(1 - shared)
    both = draw.normal(size=seeds) * np.sqrt(shared)
    return np.asarray(np.exp(own + both).ravel())


def paired_rate(pairs: int, simulations: int, seed: int) -> float:
    """How often one of two variants is said to be lower, when neither is."""
    draw = np.random.default_rng([seed, pairs])
    base, names = _config(), ("a", "b")
    # Runs of one configuration would be one run under two names, and no pair.
    other = _config({"optimizer": {"name": "sgd", "learning_rate": 2.0}})
    trials = [
        Trial(name, (), k, config.with_seed(k))
        for name, config in zip(names, (base, other), strict=True)
        for k in range(pairs)
    ]
    written = Experiment.model_validate(
        {"title": "chance", "variant": [{"name": name} for name in names]}
    )
    plan = Plan("chance", written, base, tuple(trials), (1,), ())
    claimed = 0
    for _ in range(simulations):
        results = _results(trials, plan, _losses(draw, 2, pairs, 0.0))
        claimed += any(o.form.startswith(("lower", "higher")) for o in paired_starts(results))
    return claimed / simulations


def best_rate(points: int, seeds: int, shared: float, simulations: int, seed: int) -> float:
    """How often the best value of a sweep is said to be clear, when all are alike."""
    draw = np.random.default_rng([seed, points, seeds])
    base = _config()
    rates = [float(k + 1) for k in range(points)]
    configs = [_config({"optimizer": {"name": "sgd", "learning_rate": rate}}) for rate in rates]
    trials = [
        Trial("base", ((RATE, rate),), k, config.with_seed(k))
        for rate, config in zip(rates, configs, strict=True)
        for k in range(seeds)
    ]
    written = Experiment.model_validate({"title": "chance"})
    plan = Plan("chance", written, base, tuple(trials), (1,), ((RATE, tuple(rates)),))
    claimed = 0
    for _ in range(simulations):
        results = _results(trials, plan, _losses(draw, points, seeds, shared))
        claimed += any(o.form in ("clear", "sure") for o in best_over_starts(results))
    return claimed / simulations


def measure(simulations: int, seed: int) -> Rates:
    """All rates; those of sweeps from half as many simulations, which have more runs each."""
    paired = {pairs: paired_rate(pairs, simulations, seed) for pairs in PAIRS}
    fewer = max(simulations // 2, 1)
    best = {
        (points, seeds, shared): best_rate(points, seeds, shared, fewer, seed)
        for points, seeds in GRIDS
        for shared in SHARED
    }
    return Rates(simulations, paired, best)


def lines(rates: Rates) -> list[str]:
    """The rates in Markdown."""
    return [
        "Where all variants have losses from one distribution, a difference is claimed by chance "
        f"alone; the share of {rates.simulations:,} such experiments in which it was, against the "
        "exact probability:",
        "",
        "| `paired-starts`, pairs | claimed | exact |",
        "|---|---:|---:|",
        *(
            f"| {pairs} | {rate:.2%} | {attainable(pairs):.2%} |"
            for pairs, rate in rates.paired.items()
        ),
        "",
        "| `best-over-starts`, values | seeds | shared by a seed | claimed |",
        "|---|---:|---:|---:|",
        *(
            f"| {points} | {seeds} | {shared:.0%} | {rate:.2%} |"
            for (points, seeds, shared), rate in rates.best.items()
        ),
    ]
