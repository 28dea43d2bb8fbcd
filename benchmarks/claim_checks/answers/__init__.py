"""Checks of the sentences that answer an experiment's question, each from its sentence alone."""

from claim_checks.answers import advice, leads, reasons, repeated, swept
from claim_checks.seen import Check

CHECKS: dict[str, Check] = {
    **leads.CHECKS,
    **swept.CHECKS,
    **repeated.CHECKS,
    **reasons.CHECKS,
    **advice.CHECKS,
}
"""Checks by the name of what is said."""
