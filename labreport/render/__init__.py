"""A report in one language as it is printed: sentences, numbers, pictures and typeset formulas."""
