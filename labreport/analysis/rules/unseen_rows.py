"""What training losses cannot answer: how a network does on rows that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.observation import Count, Facts, Keys, Observation
from labreport.analysis.results import ExperimentResults, Result, cite

OF_GENERALISATION = ("optimizer.weight_decay", "network.layers", "data.batch_size")
"""Keys that are changed for the sake of rows that a network has not seen."""


def unseen_rows(results: ExperimentResults) -> Iterator[Observation]:
    """An experiment that changes what bears on overfitting, judged by the training loss alone."""
    first = dict.fromkeys(OF_GENERALISATION, results.results[0]) if results.results else {}
    differing = {
        key: next((r for r in results.results if _setting(r, key) != _setting(one, key)), None)
        for key, one in first.items()
    }
    changed = {key: other for key, other in differing.items() if other is not None}
    most = max(results.results, key=lambda r: len(r.run.config.data.inputs), default=None)
    if not changed or most is None or len(most.run.config.data.inputs) < 2:
        return
    facts: Facts = {
        "keys": Keys(tuple(changed)),
        "rows": Count(len(most.run.config.data.inputs), most.cite("size(inputs[:, 0])")),
    }
    claims = tuple(
        cite(f"r1.setting({key!r}) != r2.setting({key!r})", (first[key], other))
        for key, other in changed.items()
    )
    yield Observation("unseen-rows", facts, runs=len(results.results), limits=True, claims=claims)


def _setting(result: Result, key: str) -> object:
    return result.run.config.flat().get(key)
