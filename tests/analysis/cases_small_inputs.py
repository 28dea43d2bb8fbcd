"""Cases of small inputs of which a rule once said what is not there."""

from __future__ import annotations

from cases import fires, silent
from synthetic_runs import experiment, single, starts

from labreport.analysis.results import ExperimentResults

# --- nothing is compared with itself -----------------------------------------------------------


@silent("paired-starts", "pairs-needed", "several-changes")
def seeds_without_variants() -> ExperimentResults:
    # The experiment names no variant: the one that it has is the base.
    return experiment(starts("base", ([9, 5, 1], [9, 5, 3], [9, 5, 2])))


@fires("coincide", "same", subjects=("a", "b"))
@silent("paired-starts", "pairs-needed")
def one_training_from_several_seeds_under_two_names() -> ExperimentResults:
    return experiment(starts("a", ([9, 5, 1], [9, 5, 3])), starts("b", ([9, 5, 1], [9, 5, 3])))


@fires("paired-starts", "few", count=2)
def two_trainings_that_end_level_seed_by_seed() -> ExperimentResults:
    other = {"network.bias": "trained"}
    return experiment(starts("a", ([9, 5, 1], [9, 5, 3])), starts("b", ([9, 5, 2], [9, 5, 4]), other))


@fires("place-among-starts", "below", count=1)
def a_single_start_that_stands_among_the_random_ones() -> ExperimentResults:
    first = single("g", [9, 5, 1], {"initial": {"scheme": "pytorch"}})
    return experiment(first, starts("r", ([9, 5, 1], [9, 5, 3])))
