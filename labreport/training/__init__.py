"""From run configurations to traces; the only room that imports torch."""

SEMANTICS = 1
"""Version of what a configuration means; raised when the same configuration gives other numbers."""
