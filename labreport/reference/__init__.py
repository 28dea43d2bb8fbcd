"""Training derived by hand in NumPy: the independent second opinion on the torch trainer."""
