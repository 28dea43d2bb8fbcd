"""From stored runs to measures and observations; pure functions, no torch."""
