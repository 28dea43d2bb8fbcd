"""From run configurations to traces; the only room that imports torch."""

import os

SEMANTICS = 2
"""Version of what a configuration means; raised when the same configuration gives other numbers."""

# Without it MKL's matrix products depend on where in memory a matrix begins, and so on how many
# runs train together. It is read at the first product, not when torch is imported.
os.environ.setdefault("MKL_CBWR", "AUTO")
