"""Hidden units that begin alike and stay alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Count, Facts, Names, Observation, Part
from labreport.analysis.results import PRECISION, ExperimentResults, Result
from labreport.analysis.rule import rule
from labreport.lab.naming import unit_names


@rule(
    "symmetry",
    "initialisation",
    0.85,
    thresholds=("ROUNDING",),
    hinders=lambda result: twin_units(result) is not None,
    part="reason",
)
def symmetry(results: ExperimentResults) -> Iterator[Observation]:
    """Hidden units that are equal in every round: the network is narrower than it looks."""
    for result in results.singles:
        units = twin_units(result)
        if units:
            columns, outgoing = units.incoming, units.outgoing
            facts: Facts = {
                "subject": result.subject,
                "units": Names(units.names),
                "rounds": Count(result.run.trace.rounds, result.cite("rounds")),
                "scheme": Part("initial", result.run.config.initial.scheme),
            }
            claims = tuple(
                result.cite(formula)
                for positions in (columns, outgoing)
                for first, other in [(positions[0], p) for p in positions[1:]]
                for formula in (
                    f"all(weights[0, {first}] == weights[0, {other}])",
                    f"all(abs(weights[:, {first}] - weights[:, {other}]) "
                    "<= ROUNDING * precision * max(abs(weights)))",
                )
            )
            yield Observation("symmetry", facts, runs=1, claims=claims)


@dataclass(frozen=True)
class Twins:
    """Hidden units that are equal in every round.

    Attributes:
        names: of the units.
        incoming: for each unit, the positions of its weights and bias in stored order.
        outgoing: for each unit, the positions of the weights that leave it.
    """

    names: tuple[str, ...]
    incoming: tuple[tuple[int, ...], ...]
    outgoing: tuple[tuple[int, ...], ...]


def twin_units(result: Result) -> Twins | None:
    """Hidden units with the same incoming and outgoing weights, in every recorded step.

    Sums over several units may be rounded apart where the units are the same. They begin equal to
    the last bit: where weights grow large, what once made a difference may look like rounding.
    """
    network, weights = result.run.config.network, result.run.trace.weights
    if not len(weights) or not result.run.trace.is_whole:
        return None
    room = thresholds.ROUNDING * PRECISION[result.run.config.dtype] * np.abs(weights).max()
    matrices, incomings = [], []
    start = 0
    for out, into in network.shapes:
        end = start + out * into
        matrix = np.arange(start, end).reshape(out, into)
        start = end + out * network.trains_bias
        # A bias is one more weight that comes in.
        biases = np.arange(end, start).reshape(out, int(network.trains_bias))
        matrices.append(matrix)
        incomings.append(np.concatenate([matrix, biases], axis=1))
    for layer in range(len(network.shapes) - 1):
        incoming, outgoing = incomings[layer], matrices[layer + 1].T
        # Weights of opposite sign may lie farther apart than their type can hold.
        with np.errstate(over="ignore"):
            alike = all(
                (weights[0, positions] == weights[0, positions[:1]]).all()
                and (np.abs(weights[:, positions] - weights[:, positions[:1]]) <= room).all()
                for positions in (incoming, outgoing)
            )
        if alike and len(incoming) > 1:
            names = unit_names(network)[layer + 1]
            written = (tuple(map(tuple, positions.tolist())) for positions in (incoming, outgoing))
            return Twins(names, *written)
    return None
