"""Checks of the sentences that answer an experiment's question, each from its sentence alone."""

from claim_checks.answers import advice, leads, reasons, swept
from claim_checks.seen import Check

CHECKS: dict[str, Check] = {
    **leads.CHECKS,
    **swept.CHECKS,
    **reasons.CHECKS,
    **advice.CHECKS,
}
"""Checks by the name of what is said."""
