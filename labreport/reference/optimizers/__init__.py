"""The update rules of gradient descent and its relatives, derived by hand."""
