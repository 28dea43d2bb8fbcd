"""Random starts: their spread, the place of a given start among them, and symmetry."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Part,
    Share,
    Subject,
)
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.comparison import comparable, differing_keys
from labreport.lab.naming import unit_names

ENOUGH_FOR_AN_INTERVAL = 30
"""Pairs from which on the normal interval of a mean is within a few percent of Student's."""

CONFIDENCE = 0.95


def final_losses(members: tuple[Result, ...], budget: int) -> np.ndarray:
    """Losses [runs that got so far] at a budget, float64."""
    values = [loss for r in members if (loss := r.loss(budget)) is not None]
    return np.array(values, dtype=np.float64)


def spread(results: ExperimentResults) -> Iterator[Observation]:
    """How much the result depends on the random start."""
    for name, members in results.replicated.items():
        values = final_losses(members, results.last)
        if len(values) < 2:
            facts: Facts = {
                "subject": Subject(name, members[0].point),
                "ended": Count(len(members) - len(values)),
                "total": Count(len(members)),
            }
            yield Observation(
                "spread",
                facts,
                runs=len(members),
                form="lost",
                strength="statistical",
            )
            continue
        facts = {
            "subject": Subject(name, members[0].point),
            "count": Count(len(values)),
            "ended": Count(len(members) - len(values)),
            "mean": Number(float(values.mean())),
            "deviation": Number(float(values.std(ddof=1))),
            "median": Number(float(np.median(values))),
            "lowest": Number(float(values.min())),
            "highest": Number(float(values.max())),
            "budget": Count(results.last),
        }
        form = "ended" if len(values) < len(members) else ""
        yield Observation("spread", facts, runs=len(members), form=form, strength="statistical")


def place_among_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Where a single start lies among the random ones that differ from it in nothing else."""
    for single in results.singles:
        loss = single.loss(results.last)
        if loss is None:
            continue
        for name, members in results.replicated.items():
            keys = differing_keys(single.run.config, members[0].run.config)
            if not set(keys) <= {"initial.scheme", "seed"} or not comparable(single, members[0]):
                continue
            values = final_losses(members, results.last)
            if not len(values):
                continue
            better = int((values < loss).sum())
            facts: Facts = {
                "subject": Subject(single.variant, single.point),
                "loss": Number(loss, f"losses[{single.index(results.last)}]"),
                "starts": Subject(name),
                "count": Count(len(values)),
                "better": Count(better),
                "share": Share(better / len(values)),
                "budget": Count(results.last),
            }
            inside = values.min() <= loss <= values.max()
            form = "inside" if inside else ("below" if loss < values.min() else "above")
            yield Observation(
                "place-among-starts",
                facts,
                runs=len(values) + 1,
                # The start that was written down is what the comparison with chance is about.
                relevance=0.95 if single.run.config.initial.scheme == "given" else 0.7,
                form=form,
                strength="statistical",
            )


def paired_starts(results: ExperimentResults) -> Iterator[Observation]:
    """Two variants from the same seeds: the difference of their losses, seed by seed."""
    for name, members in results.replicated.items():
        other = results.plan.against(results.plan.variant(name))
        if other is None or other.name not in results.replicated:
            continue
        theirs = {r.trial.seed: r for r in results.of(other.name)}
        pairs = [
            (mine, reference)
            for r in members
            if r.trial.seed in theirs
            and (mine := r.loss(results.last)) is not None
            and (reference := theirs[r.trial.seed].loss(results.last)) is not None
            and comparable(r, theirs[r.trial.seed])
        ]
        if len(pairs) < ENOUGH_FOR_AN_INTERVAL:
            continue
        difference = np.array([mine - reference for mine, reference in pairs])
        mean = float(difference.mean())
        error = float(difference.std(ddof=1)) / len(pairs) ** 0.5
        reach = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * error
        facts: Facts = {
            "subject": Subject(name),
            "other": Subject(other.name),
            "count": Count(len(pairs)),
            "mean": Number(mean),
            "low": Number(mean - reach),
            "high": Number(mean + reach),
            "lower": Count(int((difference < 0).sum())),
            "confidence": Share(CONFIDENCE),
            "budget": Count(results.last),
        }
        form = "lower" if mean + reach < 0 else ("higher" if mean - reach > 0 else "open")
        yield Observation(
            "paired-starts",
            facts,
            runs=2 * len(pairs),
            form=form,
            strength="statistical",
        )


def symmetry(results: ExperimentResults) -> Iterator[Observation]:
    """Hidden units that are equal in every round: the network is narrower than it looks."""
    for result in results.singles:
        units = twin_units(result)
        if units:
            facts: Facts = {
                "subject": Subject(result.variant, result.point),
                "units": Names(units, "equal rows of weights in every step"),
                "rounds": Count(result.run.trace.rounds),
                "scheme": Part("initial", result.run.config.initial.scheme),
            }
            yield Observation("symmetry", facts, runs=1)


def twin_units(result: Result) -> tuple[str, ...]:
    """Hidden units with the same incoming and outgoing weights, in every recorded step."""
    network, weights = result.run.config.network, result.run.trace.weights
    if not len(weights) or not result.run.trace.is_whole:
        return ()
    matrices, incomings = [], []
    start = 0
    for out, into in network.shapes:
        end = start + out * into
        matrices.append(weights[:, start:end].reshape(-1, out, into))
        start = end + out * network.trains_bias
        # A bias is one more weight that comes in.
        biases = weights[:, end:start].reshape(len(weights), out, int(network.trains_bias))
        incomings.append(np.concatenate([matrices[-1], biases], axis=2))
    for layer in range(len(network.shapes) - 1):
        incoming, outgoing = incomings[layer], matrices[layer + 1]
        alike = (incoming == incoming[:, :1]).all() and (outgoing == outgoing[:, :, :1]).all()
        if alike and incoming.shape[1] > 1:
            return unit_names(network)[layer + 1]
    return ()


def single_start(results: ExperimentResults) -> Iterator[Observation]:
    """An experiment in which every comparison rests on one start."""
    places = {(r.variant, r.point) for r in results.results}
    if len(places) == len(results.results):
        starts = {r.run.config.initial for r in results.results}
        given = len(starts) == 1 and not any(r.run.config.by_chance for r in results.results)
        form = "given" if given else ""
        longest = max(r.run.config.rounds for r in results.results)
        facts: Facts = {"count": Count(len(results.results)), "budget": Count(longest)}
        yield Observation("single-start", facts, runs=len(results.results), form=form, limits=True)
