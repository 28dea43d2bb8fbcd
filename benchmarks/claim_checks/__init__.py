"""Checks of every rule, each written from the sentence of the rule alone.

Each check reads the sentence of ``templates/languages/en.po`` (``observation.RULE.FORM``) and looks
at the stored arrays, by NumPy, stock torch and the lab's own settings. No code of a rule and no
formula is used, and thresholds stand here as the numbers of docs/observations.md. A module has the
checks of one theme and their table; ``conclusions`` has those of the rules over all experiments.
"""

from claim_checks import (
    answers,
    classification,
    comparison,
    convergence,
    equivalence,
    gradient_checks,
    gradients,
    held_out,
    initialisation,
    lowest_variant,
    reliability,
    silent_weights,
    stability,
    sweeps,
    target,
    trajectory,
    validation_pairs,
)
from claim_checks.conclusions import LAB_CHECKS
from claim_checks.seen import Check, Effort, Seen

__all__ = ["CHECKS", "LAB_CHECKS", "OF_EVERY_RUN", "Effort", "Seen"]

CHECKS: dict[str, Check] = {
    **gradient_checks.CHECKS,
    **gradients.CHECKS,
    **silent_weights.CHECKS,
    **held_out.CHECKS,
    **equivalence.CHECKS,
    **target.CHECKS,
    **trajectory.CHECKS,
    **validation_pairs.CHECKS,
    **convergence.CHECKS,
    **stability.CHECKS,
    **initialisation.CHECKS,
    **reliability.CHECKS,
    **lowest_variant.CHECKS,
    **comparison.CHECKS,
    **sweeps.CHECKS,
    **classification.CHECKS,
    **answers.CHECKS,
}
"""Checks by the name of their rule: of an experiment, and of what is observed in it."""

OF_EVERY_RUN = frozenset(
    {
        "all-runs",
        "coincide",
        "constant-answer",
        "different-losses",
        "refused",
        "several-changes",
        "silent-together",
        "single-start",
        "stuck-together",
        "unseen-rows",
    }
)
"""Rules that speak of all runs, also of those whose loss is 0 whatever their weights."""
