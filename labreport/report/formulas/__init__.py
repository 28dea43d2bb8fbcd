"""The formulas of every activation, loss and optimizer, and the symbols in them."""
