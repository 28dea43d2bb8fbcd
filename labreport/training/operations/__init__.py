"""How torch computes each name of the vocabulary: one literal table a file."""
