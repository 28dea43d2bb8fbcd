"""Torch's computation of each name of the vocabulary: one literal table a file."""
