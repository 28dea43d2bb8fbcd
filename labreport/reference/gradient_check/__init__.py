"""The gradients of one run four ways: autograd, by hand, differences and formulas of the lab."""
