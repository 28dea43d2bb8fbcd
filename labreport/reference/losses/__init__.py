"""Loss functions and their gradients with respect to the output, derived by hand."""
