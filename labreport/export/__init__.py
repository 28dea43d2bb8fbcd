"""Arrays, runs and observations in formats that other programs read."""
