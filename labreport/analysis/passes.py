"""Runs whose batches differ in size: as many passes through all rows are not as many rounds."""

from __future__ import annotations

from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig


def rounds_of_a_pass(config: RunConfig) -> int:
    """Rounds in which every row is shown once; a batch that is not full is left out."""
    return max(1, len(config.data.inputs) // config.data.batch_rows)


def equal_passes(results: ExperimentResults) -> int | None:
    """The passes that all runs make, where these take them different numbers of rounds.

    None where passes differ, or take the same number of rounds.
    """
    configs = [r.run.config for r in results.results]
    passes = {divmod(c.rounds, rounds_of_a_pass(c)) for c in configs}
    if len({rounds_of_a_pass(c) for c in configs}) < 2 or len(passes) != 1 or results.sweeps_rounds:
        return None
    ((whole, rest),) = passes
    return None if rest else whole


def is_one_trajectory(results: ExperimentResults) -> bool:
    """Return whether runs differ in their rounds alone: until the shortest ends they are one."""
    configs = [r.run.config for r in results.results]
    differ = len({c.rounds for c in configs}) > 1 and not results.sweeps_rounds
    return differ and len({c.trajectory for c in configs}) == 1


def told_after(results: ExperimentResults) -> int:
    """The rounds after which held-out rows are told: the last budget, or each run's own.

    Where passes are equal these are the longest run's, which each shorter one takes for its end.
    """
    if equal_passes(results) is None:
        return results.last
    return max(r.run.config.rounds for r in results.results)
