"""Formulas over stored runs: their language, what they read, and the evidence that they give."""
